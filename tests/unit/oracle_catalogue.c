/* Component entries of the whole estate. Hosts of one image share a manifest, and images share chunks, so
 * each chunk is decoded once; a manifest is a list of chunks. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/unit/oracle.h"

/* Numbers by 8-byte key; open addressing, at most half full. */
struct index {
	uint64_t *keys;
	uint32_t *values; /* + 1; 0: free */
	size_t slots, count;
};

struct chunk {
	struct id id;
	uint32_t first, count; /* in refs */
	bool complete;
};

struct manifest {
	struct id root;
	uint32_t first, count; /* in manifest_chunks */
	uint32_t entries;
	bool complete, left_out;
};

struct oracle_catalogue {
	struct snapshot *snapshot;
	size_t entry_max;
	struct oracle_entry *entries;
	size_t entry_count, entry_capacity;
	struct index by_entry, by_chunk, by_manifest;
	struct chunk *chunks;
	size_t chunk_count, chunk_capacity;
	struct manifest *manifests;
	size_t manifest_count, manifest_capacity;
	uint32_t *refs;
	size_t ref_count, ref_capacity;
	uint32_t *manifest_chunks;
	size_t manifest_chunk_count, manifest_chunk_capacity;
	char *texts;
	size_t text_len, text_capacity;
	enum err failed; /* inside a manifest_read */
};

/* Room for one more of `size` bytes each. */
static enum err grow(void **array, size_t *capacity, size_t count, size_t more, size_t size, size_t max)
{
	if (count + more > max)
		return ERR_LIMIT;
	if (count + more <= *capacity)
		return ERR_OK;
	size_t wanted = *capacity < 64 ? 64 : *capacity * 2;
	if (wanted < count + more)
		wanted = count + more;
	void *bigger = realloc(*array, wanted * size);
	if (bigger == NULL)
		return ERR_NOMEM;
	*array = bigger;
	*capacity = wanted;
	return ERR_OK;
}

static size_t slot_for(const struct index *x, uint64_t key)
{
	size_t slot = (size_t)(key * 0x9e3779b97f4a7c15u >> 17) & (x->slots - 1);
	while (x->values[slot] != 0 && x->keys[slot] != key)
		slot = (slot + 1) & (x->slots - 1);
	return slot;
}

static bool index_find(const struct index *x, uint64_t key, size_t *ret)
{
	if (x->slots == 0)
		return false;
	size_t slot = slot_for(x, key);
	if (x->values[slot] == 0)
		return false;
	*ret = x->values[slot] - 1;
	return true;
}

static enum err index_put(struct index *x, uint64_t key, size_t value)
{
	if (x->count * 2 >= x->slots) {
		struct index bigger = {.slots = x->slots == 0 ? 256 : x->slots * 2, .count = x->count};
		bigger.keys = malloc(bigger.slots * sizeof(*bigger.keys));
		bigger.values = calloc(bigger.slots, sizeof(*bigger.values));
		if (bigger.keys == NULL || bigger.values == NULL) {
			free(bigger.keys);
			free(bigger.values);
			return ERR_NOMEM;
		}
		for (size_t i = 0; i < x->slots; i++) {
			if (x->values[i] == 0)
				continue;
			size_t slot = slot_for(&bigger, x->keys[i]);
			bigger.keys[slot] = x->keys[i];
			bigger.values[slot] = x->values[i];
		}
		free(x->keys);
		free(x->values);
		*x = bigger;
	}
	size_t slot = slot_for(x, key);
	x->count += x->values[slot] == 0;
	x->keys[slot] = key;
	x->values[slot] = (uint32_t)value + 1;
	return ERR_OK;
}

enum err oracle_catalogue_new(struct snapshot *r, size_t entry_max, struct oracle_catalogue **ret)
{
	struct oracle_catalogue *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	c->snapshot = r;
	c->entry_max = entry_max;
	*ret = c;
	return ERR_OK;
}

void oracle_catalogue_free(struct oracle_catalogue *c)
{
	if (c == NULL)
		return;
	struct index *indexes[] = {&c->by_entry, &c->by_chunk, &c->by_manifest};
	for (size_t i = 0; i < 3; i++) {
		free(indexes[i]->keys);
		free(indexes[i]->values);
	}
	free(c->entries);
	free(c->chunks);
	free(c->manifests);
	free(c->refs);
	free(c->manifest_chunks);
	free(c->texts);
	free(c);
}

static enum err keep_text(struct oracle_catalogue *c, const char *text, uint32_t *ret)
{
	size_t len = strlen(text) + 1;
	enum err err = grow((void **)&c->texts, &c->text_capacity, c->text_len, len, 1, UINT32_MAX / 2);
	if (err != ERR_OK)
		return err;
	memcpy(c->texts + c->text_len, text, len);
	*ret = (uint32_t)c->text_len;
	c->text_len += len;
	return ERR_OK;
}

static enum err add_entry(struct oracle_catalogue *c, uint64_t id, const struct component *from)
{
	enum err err = grow((void **)&c->entries, &c->entry_capacity, c->entry_count, 1, sizeof(*c->entries),
			    c->entry_max);
	if (err != ERR_OK)
		return err;
	struct oracle_entry e = {.id = id,
				 .kind = (uint8_t)from->kind,
				 .version_status = (uint8_t)from->version.status,
				 .source_status = (uint8_t)from->source.status,
				 .vendor_status = (uint8_t)from->vendor.status,
				 .size_status = (uint8_t)from->size_bytes.status,
				 .flags = from->flags,
				 .size_bytes = from->size_bytes.value};
	const struct reading_text *texts[] = {&from->version, &from->source, &from->vendor};
	uint32_t *offsets[] = {&e.version, &e.source, &e.vendor};
	err = keep_text(c, from->name, &e.name);
	for (size_t i = 0; i < 3 && err == ERR_OK; i++) {
		if (texts[i]->status == READING_OK)
			err = keep_text(c, texts[i]->value, offsets[i]);
	}
	if (err == ERR_OK)
		err = index_put(&c->by_entry, id, c->entry_count);
	if (err == ERR_OK)
		c->entries[c->entry_count++] = e;
	return err;
}

static bool take_entry(void *context, size_t index, uint64_t entry_id, const struct component *component)
{
	struct oracle_catalogue *c = context;
	size_t at;
	(void)index;
	if (!index_find(&c->by_entry, entry_id, &at)) {
		c->failed = add_entry(c, entry_id, component);
		at = c->entry_count - 1;
	}
	if (c->failed == ERR_OK)
		c->failed = grow((void **)&c->refs, &c->ref_capacity, c->ref_count, 1, sizeof(*c->refs),
				 ORACLE_REFS_MAX);
	if (c->failed == ERR_OK)
		c->refs[c->ref_count++] = (uint32_t)at;
	return c->failed == ERR_OK;
}

static enum err get_blob(struct oracle_catalogue *c, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
			 size_t *ret_len)
{
	struct row_key key = row_key_id(TABLE_BLOBS, id);
	struct row_value row;
	const uint8_t *blob;
	enum err err = snapshot_get(c->snapshot, &key, &row);
	if (err == ERR_OK && row_decode_blob(row.bytes, row.len, &blob, ret_len) != ERR_OK)
		return ERR_NOT_FOUND;
	if (err == ERR_OK)
		memcpy(ret, blob, *ret_len);
	return err;
}

/* manifest_read wants a list on top: the chunk is wrapped in one. */
struct one_chunk {
	struct oracle_catalogue *c;
	const uint8_t *blob;
	size_t len;
	bool listed;
};

static enum err fetch_one_chunk(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
				size_t *ret_len)
{
	struct one_chunk *one = context;
	if (!one->listed) {
		ret[0] = 1;
		ret[1] = BLOB_LIST;
		memcpy(ret + 2, id->b, ID_BYTES);
		*ret_len = 2 + ID_BYTES;
		one->listed = true;
		return ERR_OK;
	}
	memcpy(ret, one->blob, one->len);
	*ret_len = one->len;
	return ERR_OK;
}

/* Adds the chunk to the manifest at the end. */
static enum err take_chunk(struct oracle_catalogue *c, const struct id *id, const uint8_t *blob, size_t len,
			   struct manifest *m)
{
	size_t at;
	uint64_t key = id_short(id);
	enum err err = ERR_OK;
	if (!index_find(&c->by_chunk, key, &at)) {
		struct chunk chunk = {.id = *id, .first = (uint32_t)c->ref_count};
		struct one_chunk one = {c, blob, len, false};
		c->failed = ERR_OK;
		err = manifest_read(id, fetch_one_chunk, &one, take_entry, c);
		if (c->failed != ERR_OK)
			return c->failed;
		chunk.complete = err == ERR_OK;
		chunk.count = (uint32_t)(c->ref_count - chunk.first);
		at = c->chunk_count;
		err = grow((void **)&c->chunks, &c->chunk_capacity, at, 1, sizeof(chunk), ORACLE_REFS_MAX);
		if (err == ERR_OK)
			err = index_put(&c->by_chunk, key, at);
		if (err != ERR_OK)
			return err;
		c->chunks[c->chunk_count++] = chunk;
	}
	err = grow((void **)&c->manifest_chunks, &c->manifest_chunk_capacity, c->manifest_chunk_count, 1,
		   sizeof(*c->manifest_chunks), ORACLE_REFS_MAX);
	if (err != ERR_OK)
		return err;
	c->manifest_chunks[c->manifest_chunk_count++] = (uint32_t)at;
	m->count++;
	m->entries += c->chunks[at].count;
	m->complete = m->complete && c->chunks[at].complete;
	return ERR_OK;
}

/* Lists to depth two over chunks. Stops quietly, incomplete, at what is missing, malformed or too much. */
static enum err take_blob(struct oracle_catalogue *c, const struct id *id, unsigned depth, struct manifest *m)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	const uint8_t *ids;
	size_t len, count, at;
	if (depth > 0 && index_find(&c->by_chunk, id_short(id), &at)) {
		/* Another blob of the same first 8 bytes is no accident: it is left out. */
		m->complete = m->complete && id_equal(&c->chunks[at].id, id);
		return m->complete ? take_chunk(c, id, NULL, 0, m) : ERR_OK;
	}
	enum err err = get_blob(c, id, blob, &len);
	if (err == ERR_NOT_FOUND)
		m->complete = false;
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (depth < 2 && blob_list(blob, len, &ids, &count) == ERR_OK) {
		for (size_t i = 0; i < count && m->complete && err == ERR_OK; i++) {
			struct id child;
			memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
			err = take_blob(c, &child, depth + 1, m);
			m->complete = m->complete && m->entries <= LIMIT_COMPONENTS;
		}
		return err;
	}
	if (depth == 0) {
		m->complete = false;
		return ERR_OK;
	}
	return take_chunk(c, id, blob, len, m);
}

enum err oracle_manifest(struct oracle_catalogue *c, const struct id *root, struct oracle_manifest *ret)
{
	size_t at;
	if (!index_find(&c->by_manifest, id_short(root), &at)) {
		struct manifest m = {
		    .root = *root, .first = (uint32_t)c->manifest_chunk_count, .complete = true};
		enum err err = take_blob(c, root, 0, &m);
		/* No more than a question may hold: what there was room for counts. */
		if (err == ERR_LIMIT) {
			m.complete = false;
			m.left_out = true;
			err = ERR_OK;
		}
		if (err == ERR_OK)
			err = grow((void **)&c->manifests, &c->manifest_capacity, c->manifest_count, 1,
				   sizeof(m), ORACLE_MANIFESTS_MAX);
		if (err == ERR_OK)
			err = index_put(&c->by_manifest, id_short(root), c->manifest_count);
		if (err != ERR_OK)
			return err;
		at = c->manifest_count;
		c->manifests[c->manifest_count++] = m;
	}
	const struct manifest *m = &c->manifests[at];
	if (!id_equal(&m->root, root) || (m->count == 0 && !m->complete && !m->left_out))
		return ERR_NOT_FOUND;
	*ret = (struct oracle_manifest){c->manifest_chunks + m->first, m->count, m->entries, m->complete,
					m->left_out};
	return ERR_OK;
}

static enum err count_news(struct oracle_catalogue *c, const struct id *id, unsigned depth, size_t *news)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	const uint8_t *ids;
	size_t len, count, at;
	if (depth > 0 && index_find(&c->by_chunk, id_short(id), &at))
		return ERR_OK;
	/* Below lists of lists there are only chunks. */
	enum err err = depth == 2 ? ERR_NOT_FOUND : get_blob(c, id, blob, &len);
	if (err != ERR_OK || blob_list(blob, len, &ids, &count) != ERR_OK) {
		*news += 1;
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	}
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		err = count_news(c, &child, depth + 1, news);
	}
	return err;
}

enum err oracle_catalogue_news(struct oracle_catalogue *c, const struct id *root, size_t *ret)
{
	size_t at;
	*ret = 0;
	if (index_find(&c->by_manifest, id_short(root), &at))
		return ERR_OK;
	return count_news(c, root, 0, ret);
}

const uint32_t *oracle_chunk(const struct oracle_catalogue *c, uint32_t chunk, size_t *ret_count)
{
	CHECK(chunk < c->chunk_count);
	*ret_count = c->chunks[chunk].count;
	return c->refs + c->chunks[chunk].first;
}

size_t oracle_count(const struct oracle_catalogue *c)
{
	return c->entry_count;
}

struct oracle_entry *oracle_at(struct oracle_catalogue *c, size_t index)
{
	CHECK(index < c->entry_count);
	return &c->entries[index];
}

const struct oracle_entry *oracle_find_entry(const struct oracle_catalogue *c, uint64_t entry_id)
{
	size_t at;
	return index_find(&c->by_entry, entry_id, &at) ? &c->entries[at] : NULL;
}

const char *oracle_text(const struct oracle_catalogue *c, uint32_t offset)
{
	return c->texts + offset;
}
