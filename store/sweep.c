#include "store/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "record/manifest.h"
#include "record/refs.h"

#define LIST_DEPTH 2 /* of what is no list any more: of lists above it */

struct look {
	struct sweep *s;
	struct backend *b;
	struct numbers reached;
	uint8_t *depths; /* by number: the least, of lists above it */
	size_t depth_cap;
	struct numbers entries; /* that records name apart from their blobs */
	bool entries_full;
	struct numbers below; /* what lists name that were not reached */
	struct id *unreached;
	size_t unreached_count, unreached_cap;
	struct row_value value;
};

void sweep_clear(struct sweep *s)
{
	free(s->unreached);
	free(s->due);
	*s = (struct sweep){.unreached_count = 0};
}

static void note_damage(struct look *l, const struct row_key *key)
{
	if (l->s->damaged_count < SWEEP_DAMAGED)
		l->s->damaged[l->s->damaged_count] = *key;
	l->s->damaged_count++;
}

/* --- each row of a kind --- */

typedef enum err (*take_row)(struct look *l, const struct row_key *key, const uint8_t *bytes, size_t len);

/* Those that begin with `prefix`, which is one byte of table, or table and kind. */
static enum err each_row(struct look *l, const struct row_key *prefix, take_row take)
{
	struct row_chunk *chunk = malloc(sizeof(*chunk));
	enum err err = chunk != NULL ? ERR_OK : ERR_NOMEM;
	bool more = err == ERR_OK;
	if (more)
		row_chunk_begin(chunk, prefix);
	while (more && err == ERR_OK) {
		struct row_key key;
		const uint8_t *bytes;
		size_t len;
		err = l->b->ops->chunk(l->b, chunk);
		more = err == ERR_OK && !chunk->last;
		for (; err == ERR_OK && row_chunk_peek(chunk, &key, &bytes, &len); row_chunk_take(chunk)) {
			more = more && memcmp(key.bytes, prefix->bytes, prefix->len) == 0;
			if (memcmp(key.bytes, prefix->bytes, prefix->len) != 0)
				break;
			if (row_check(&key, bytes, len) != ERR_OK)
				note_damage(l, &key);
			else
				err = take(l, &key, bytes, len);
		}
	}
	free(chunk);
	return err;
}

/* --- what is reached --- */

/* Whether it is the first time, or from nearer to the root than before: then what it names is reached, too.
 * Whoever names others' blobs from afar must not hide what is below them. */
static enum err note_reached(struct look *l, const struct id *id, uint8_t depth, bool *ret_new)
{
	uint32_t number;
	*ret_new = false;
	if (numbers_find(&l->reached, id, &number)) {
		*ret_new = depth < l->depths[number];
		if (*ret_new)
			l->depths[number] = depth;
		return ERR_OK;
	}
	number = l->reached.end;
	if (number >= l->depth_cap) {
		size_t cap = l->depth_cap == 0 ? 1024 : l->depth_cap * 2;
		uint8_t *more = realloc(l->depths, cap);
		if (more == NULL)
			return ERR_NOMEM;
		l->depths = more;
		l->depth_cap = cap;
	}
	l->depths[number] = depth;
	*ret_new = true;
	return numbers_put(&l->reached, id, number);
}

static enum err reach(struct look *l, const struct id *id, uint8_t depth)
{
	const uint8_t *blob, *ids;
	uint8_t children[LIMIT_BLOB_BYTES];
	size_t len, count;
	bool new = false;
	struct row_key key = row_key_id(TABLE_BLOBS, id);
	enum err err = id_is_zero(id) ? ERR_OK : note_reached(l, id, depth, &new);
	if (err != ERR_OK || !new || depth >= LIST_DEPTH)
		return err;
	err = l->b->ops->get(l->b, &key, &l->value);
	if (err == ERR_OK && row_check(&key, l->value.bytes, l->value.len) != ERR_OK) {
		note_damage(l, &key);
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	if (row_decode_blob(l->value.bytes, l->value.len, &blob, &len) != ERR_OK ||
	    blob_list(blob, len, &ids, &count) != ERR_OK)
		return ERR_OK;
	memcpy(children, ids, count * ID_BYTES);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct id child;
		memcpy(child.b, children + i * ID_BYTES, ID_BYTES);
		err = reach(l, &child, (uint8_t)(depth + 1));
	}
	return err;
}

static enum err note_entry(struct look *l, uint64_t entry)
{
	struct id id = numbers_short(entry);
	uint32_t number;
	if (numbers_find(&l->entries, &id, &number))
		return ERR_OK;
	l->entries_full = l->entries.count >= LIMIT_ENTRIES;
	return l->entries_full ? ERR_OK : numbers_put(&l->entries, &id, l->entries.end);
}

static enum err take_record(struct look *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	struct record r;
	struct record_refs refs;
	(void)key;
	if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK ||
	    record_parse(record, record_len, &r) != ERR_OK)
		return ERR_OK;
	record_refs(&r, &refs);
	enum err err = reach(l, &refs.root, 0);
	for (size_t i = 0; i < refs.entry_count && err == ERR_OK; i++)
		err = note_entry(l, refs.entries[i]);
	return err;
}

/* --- what is not --- */

struct looking_into {
	struct look *l;
	const uint8_t *blob;
	size_t len;
	bool listed, named;
};

/* manifest_read wants a list on top: the chunk is wrapped in one. */
static enum err fetch_chunk(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
			    size_t *ret_len)
{
	struct looking_into *i = context;
	if (i->listed) {
		memcpy(ret, i->blob, i->len);
		*ret_len = i->len;
		return ERR_OK;
	}
	ret[0] = 1;
	ret[1] = BLOB_LIST;
	memcpy(ret + 2, id->b, ID_BYTES);
	*ret_len = 2 + ID_BYTES;
	i->listed = true;
	return ERR_OK;
}

static bool is_unnamed(void *context, size_t index, uint64_t entry, const struct component *component)
{
	struct looking_into *i = context;
	struct id id = numbers_short(entry);
	uint32_t number;
	(void)index;
	(void)component;
	i->named = i->l->entries_full || numbers_find(&i->l->entries, &id, &number);
	return !i->named;
}

static enum err note_below(struct look *l, const uint8_t *ids, size_t count)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct id child;
		uint32_t number;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		if (!id_is_zero(&child) && !numbers_find(&l->below, &child, &number))
			err = numbers_put(&l->below, &child, l->below.end);
	}
	return err;
}

static enum err note_unreached(struct look *l, const struct id *id)
{
	if (l->unreached_count == l->unreached_cap) {
		size_t cap = l->unreached_cap == 0 ? 64 : l->unreached_cap * 2;
		struct id *more = realloc(l->unreached, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		l->unreached = more;
		l->unreached_cap = cap;
	}
	l->unreached[l->unreached_count++] = *id;
	return ERR_OK;
}

static enum err take_blob(struct look *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct looking_into i = {.l = l};
	const uint8_t *ids;
	size_t count;
	struct id id;
	uint32_t number;
	memcpy(id.b, key->bytes + 1, ID_BYTES);
	if (numbers_find(&l->reached, &id, &number) || row_decode_blob(bytes, len, &i.blob, &i.len) != ERR_OK)
		return ERR_OK;
	if (blob_list(i.blob, i.len, &ids, &count) == ERR_OK) {
		enum err err = note_below(l, ids, count);
		return err == ERR_OK ? note_unreached(l, &id) : err;
	}
	/* Of any other type than components it fails, and has no entries. */
	(void)manifest_read(&id, fetch_chunk, &i, is_unnamed, &i);
	return i.named ? ERR_OK : note_unreached(l, &id);
}

/* --- a look --- */

static enum err look_through(struct look *l, const struct id *roots, size_t root_count)
{
	const struct row_key blobs = row_key_first(TABLE_BLOBS);
	enum err err = ERR_OK;
	for (size_t i = 0; i < root_count && err == ERR_OK; i++)
		err = reach(l, &roots[i], 0);
	for (unsigned kind = 0; kind <= UINT8_MAX && err == ERR_OK; kind++) {
		const struct row_key records = {.bytes = {TABLE_RECORDS, (uint8_t)kind}, .len = 2};
		if (record_refs_kind((uint8_t)kind))
			err = each_row(l, &records, take_record);
	}
	return err == ERR_OK ? each_row(l, &blobs, take_blob) : err;
}

static int by_id(const void *a, const void *b)
{
	return id_compare(a, b);
}

static const struct id *find(const struct id *ids, size_t count, const struct id *id)
{
	return count > 0 ? bsearch(id, ids, count, sizeof(*ids), by_id) : NULL;
}

/* Not reached by the look before, either. */
static enum err settle(struct look *l)
{
	struct sweep *s = l->s;
	s->due = malloc((l->unreached_count + 1) * sizeof(*s->due));
	if (s->due == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->unreached_count && s->damaged_count == 0; i++) {
		const struct id *id = &l->unreached[i];
		uint32_t number;
		if (find(s->unreached, s->unreached_count, id) != NULL &&
		    !numbers_find(&l->below, id, &number))
			s->due[s->due_count++] = *id;
	}
	free(s->unreached);
	s->unreached = l->unreached;
	s->unreached_count = l->unreached_count;
	l->unreached = NULL;
	return ERR_OK;
}

enum err sweep_look(struct sweep *s, struct backend *b, const struct id *roots, size_t root_count)
{
	struct look *l = calloc(1, sizeof(*l));
	free(s->due);
	s->due = NULL;
	s->due_count = s->damaged_count = 0;
	enum err err = ERR_NOMEM;
	if (l != NULL) {
		l->s = s;
		l->b = b;
		err = look_through(l, roots, root_count);
		if (err == ERR_OK)
			err = settle(l);
		numbers_clear(&l->reached);
		numbers_clear(&l->entries);
		numbers_clear(&l->below);
		free(l->depths);
		free(l->unreached);
	}
	free(l);
	if (err != ERR_OK)
		sweep_clear(s);
	return err;
}

static void spare(struct sweep *s, const struct id *blob)
{
	const struct id *due = find(s->due, s->due_count, blob);
	if (due == NULL)
		return;
	size_t at = (size_t)(due - s->due);
	s->due_count--;
	memmove(&s->due[at], &s->due[at + 1], (s->due_count - at) * sizeof(*s->due));
}

void sweep_spare(struct sweep *s, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	const uint8_t *content, *ids;
	size_t content_len, count;
	wall_ms received;
	struct record r;
	struct record_refs refs;
	struct id id;
	if (s->due_count == 0 || len == 0)
		return;
	if (key->bytes[0] == TABLE_RECORDS && record_refs_kind(key->bytes[1]) &&
	    row_decode_record(bytes, len, &content, &content_len, &received) == ERR_OK &&
	    record_parse(content, content_len, &r) == ERR_OK) {
		record_refs(&r, &refs);
		spare(s, &refs.root);
	} else if (key->bytes[0] == TABLE_BLOBS &&
		   row_decode_blob(bytes, len, &content, &content_len) == ERR_OK) {
		memcpy(id.b, key->bytes + 1, ID_BYTES);
		spare(s, &id);
		for (size_t i = 0; blob_list(content, content_len, &ids, &count) == ERR_OK && i < count;
		     i++) {
			memcpy(id.b, ids + i * ID_BYTES, ID_BYTES);
			spare(s, &id);
		}
	}
}

void sweep_spare_all(struct sweep *s, const struct row_set *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		sweep_spare(s, &rows->rows[i]->key, rows->rows[i]->bytes, rows->rows[i]->len);
}

size_t sweep_take(struct sweep *s, struct id *ret, size_t max)
{
	size_t count = s->due_count < max ? s->due_count : max;
	s->due_count -= count;
	if (count > 0)
		memcpy(ret, s->due + s->due_count, count * sizeof(*ret));
	return count;
}
