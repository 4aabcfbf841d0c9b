/* Manifests: hosts of one image differ little, so sets of software are numbered first, and each one's
 * manifest is made once.
 *
 * Several threads make a batch of them at a time; the blobs go to the store in order, each once. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "tests/estate/parallel.h"
#include "tests/estate/software.h"
#include "tests/estate/write.h"

#define BATCH 512
#define BLOBS 48 /* of a manifest, about */

struct blob {
	struct id id;
	uint16_t len;
	uint8_t bytes[LIMIT_BLOB_BYTES];
};

/* Of one manifest, made and not put yet. */
struct blobs {
	struct blob *list;
	size_t count, capacity;
};

struct id_table {
	struct id *ids; /* zero: free */
	size_t slots, count;
};

struct manifests {
	const struct software **sets; /* borrowed from hosts */
	struct manifest_set *made;
	size_t count, capacity;
	uint32_t *table; /* number + 1, by hash of the software */
	size_t slots;
	struct id_table known; /* blobs */
};

static uint64_t software_hash(const struct software *s)
{
	return hash_checksum(s, sizeof(*s));
}

/* The number of a set, new or not. */
static uint32_t number_of(struct manifests *m, const struct software *s)
{
	size_t slot = (size_t)software_hash(s) & (m->slots - 1);
	while (m->table[slot] != 0 && memcmp(m->sets[m->table[slot] - 1], s, sizeof(*s)) != 0)
		slot = (slot + 1) & (m->slots - 1);
	if (m->table[slot] == 0) {
		m->sets[m->count++] = s;
		m->table[slot] = (uint32_t)m->count;
	}
	return m->table[slot] - 1;
}

static size_t id_slot(const struct id_table *t, const struct id *id)
{
	size_t slot = (size_t)id_short(id) & (t->slots - 1);
	while (!id_is_zero(&t->ids[slot]) && !id_equal(&t->ids[slot], id))
		slot = (slot + 1) & (t->slots - 1);
	return slot;
}

static enum err id_add(struct id_table *t, const struct id *id, bool *ret_new)
{
	if (t->count * 2 >= t->slots) {
		struct id_table bigger = {.slots = t->slots == 0 ? 4096 : t->slots * 2, .count = t->count};
		bigger.ids = calloc(bigger.slots, sizeof(*bigger.ids));
		if (bigger.ids == NULL)
			return ERR_NOMEM;
		for (size_t i = 0; i < t->slots; i++) {
			if (!id_is_zero(&t->ids[i]))
				bigger.ids[id_slot(&bigger, &t->ids[i])] = t->ids[i];
		}
		free(t->ids);
		*t = bigger;
	}
	size_t slot = id_slot(t, id);
	*ret_new = id_is_zero(&t->ids[slot]);
	t->ids[slot] = *id;
	t->count += *ret_new;
	return ERR_OK;
}

static enum err emit(void *context, const struct id *id, const uint8_t *bytes, size_t len)
{
	struct blobs *b = context;
	if (b->count == b->capacity) {
		size_t capacity = b->capacity == 0 ? BLOBS : b->capacity * 2;
		struct blob *list = realloc(b->list, capacity * sizeof(*list));
		if (list == NULL)
			return ERR_NOMEM;
		b->list = list;
		b->capacity = capacity;
	}
	struct blob *blob = &b->list[b->count++];
	blob->id = *id;
	blob->len = (uint16_t)len;
	memcpy(blob->bytes, bytes, len);
	return ERR_OK;
}

static enum err make(const struct estate *e, size_t number, struct blobs *blobs)
{
	struct component list[SOFTWARE_COMPONENTS_MAX];
	size_t order[SOFTWARE_COMPONENTS_MAX], entries;
	struct manifest_set *set = &e->manifests->made[number];
	struct components loaded = {.entry_count = 0};
	size_t count = software_list(e, e->manifests->sets[number], list);
	CHECK(count <= SOFTWARE_COMPONENTS_MAX);
	enum err err = manifest_build(list, count, order, emit, blobs, &set->root, &entries);
	if (err != ERR_OK)
		return err;
	set->entries = (uint32_t)entries;
	for (size_t i = 0; i < count; i++) {
		set->tainted = set->tainted || (list[i].flags & COMPONENT_OUT_OF_TREE) != 0;
		bool pending = i + 1 == count && e->manifests->sets[number]->pending.version != 0;
		if (software_loaded(&list[i]) && !pending)
			components_set_loaded(&loaded, order[i]);
	}
	memcpy(set->loaded, loaded.loaded, sizeof(set->loaded));
	return ERR_OK;
}

struct batch {
	const struct estate *e;
	size_t first;
	struct blobs blobs[BATCH];
};

static enum err make_one(void *context, size_t index)
{
	struct batch *b = context;
	return make(b->e, b->first + index, &b->blobs[index]);
}

static enum err put(struct estate *e, struct blobs *blobs)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < blobs->count && err == ERR_OK; i++) {
		const struct blob *b = &blobs->list[i];
		bool new = false;
		err = id_add(&e->manifests->known, &b->id, &new);
		if (err == ERR_OK && new)
			err = write_room(e);
		if (err == ERR_OK && new)
			err = store_put_blob(e->store, &b->id, b->bytes, b->len);
	}
	blobs->count = 0;
	return err;
}

static enum err make_all(struct estate *e)
{
	struct batch *b = calloc(1, sizeof(*b));
	enum err err = b != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t first = 0; first < e->manifests->count && err == ERR_OK; first += BATCH) {
		size_t left = e->manifests->count - first, count = left < BATCH ? left : BATCH;
		b->e = e;
		b->first = first;
		err = parallel_for(e->threads, count, make_one, b);
		for (size_t i = 0; i < count && err == ERR_OK; i++)
			err = put(e, &b->blobs[i]);
	}
	for (size_t i = 0; b != NULL && i < BATCH; i++)
		free(b->blobs[i].list);
	free(b);
	return err;
}

enum err manifests_make(struct estate *e)
{
	struct manifests *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return ERR_NOMEM;
	e->manifests = m;
	m->slots = 256;
	while (m->slots < e->o->hosts * 2)
		m->slots *= 2;
	m->sets = calloc(e->o->hosts, sizeof(*m->sets));
	m->table = calloc(m->slots, sizeof(*m->table));
	if (m->sets == NULL || m->table == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->o->hosts; i++)
		e->hosts[i].set = number_of(m, &e->hosts[i].software);
	m->made = calloc(m->count, sizeof(*m->made));
	return m->made != NULL ? make_all(e) : ERR_NOMEM;
}

void manifests_free(struct manifests *m)
{
	if (m == NULL)
		return;
	free(m->sets);
	free(m->made);
	free(m->table);
	free(m->known.ids);
	free(m);
}

size_t manifests_count(const struct estate *e)
{
	return e->manifests->count;
}

const struct manifest_set *manifests_at(const struct estate *e, uint32_t set)
{
	return &e->manifests->made[set];
}

uint64_t manifests_blobs(const struct estate *e)
{
	return e->manifests->known.count;
}
