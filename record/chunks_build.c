/* Sorts entries, cuts them into chunks, names the chunks in lists.
 *
 * Chunks end where the content says so, not after a count. So an entry that comes or goes moves the cuts of
 * its own chunk only, and what else two sets share stands in the same chunks. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mp.h"
#include "record/chunks.h"

struct builder {
	enum blob_type type;
	manifest_emit emit;
	void *context;
	struct id *ids; /* of the chunks */
	size_t count;
};

static int entry_compare(const void *left, const void *right)
{
	const struct chunk_entry *a = left, *b = right;
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
	if (order != 0)
		return order;
	return (a->len > b->len) - (a->len < b->len);
}

static enum err emit_blob(const struct builder *b, const uint8_t *blob, size_t len, struct id *ret_id)
{
	*ret_id = blob_id(blob, len);
	return b->emit(b->context, ret_id, blob, len);
}

static enum err emit_list(const struct builder *b, const struct id *ids, size_t count, struct id *ret_id)
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {BLOB_VERSION, BLOB_LIST};
	CHECK(count <= LIMIT_BLOB_LIST);
	for (size_t i = 0; i < count; i++)
		memcpy(blob + BLOB_HEADER_BYTES + i * ID_BYTES, ids[i].b, ID_BYTES);
	return emit_blob(b, blob, BLOB_HEADER_BYTES + count * ID_BYTES, ret_id);
}

/* An array of up to 15 elements has a head of one byte, a longer one of three. */
static size_t array_head_bytes(size_t count)
{
	return count <= 15 ? 1 : 3;
}

static enum err emit_chunk(struct builder *b, const struct chunk_entry *entries, size_t count)
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {BLOB_VERSION, (uint8_t)b->type};
	struct mp_writer w;
	if (b->count == LIMIT_BLOB_LIST * LIMIT_BLOB_LIST)
		return ERR_LIMIT;
	mp_writer_init(&w, blob + BLOB_HEADER_BYTES, sizeof(blob) - BLOB_HEADER_BYTES);
	mp_put_array(&w, count);
	for (size_t i = 0; i < count; i++)
		mp_put_raw(&w, entries[i].bytes, entries[i].len);
	CHECK(!w.failed);
	enum err err = emit_blob(b, blob, BLOB_HEADER_BYTES + w.len, &b->ids[b->count]);
	if (err == ERR_OK)
		b->count++;
	return err;
}

static bool ends_chunk(const struct chunk_entry *e)
{
	return (component_entry_id(e->bytes, e->len) >> 56) % 8 == 0;
}

static enum err emit_chunks(struct builder *b, const struct chunk_entry *entries, size_t count)
{
	size_t first = 0, bytes = 0;
	for (size_t i = 0; i < count; i++) {
		enum err err;
		size_t held = i - first;
		if (held > 0 && BLOB_HEADER_BYTES + array_head_bytes(held + 1) + bytes + entries[i].len >
				    LIMIT_BLOB_BYTES) {
			err = emit_chunk(b, entries + first, held);
			if (err != ERR_OK)
				return err;
			first = i;
			bytes = 0;
		}
		bytes += entries[i].len;
		if (!ends_chunk(&entries[i]) && i + 1 < count)
			continue;
		err = emit_chunk(b, entries + first, i + 1 - first);
		if (err != ERR_OK)
			return err;
		first = i + 1;
		bytes = 0;
	}
	return ERR_OK;
}

/* One list where all ids fit, else a list of full lists. */
static enum err emit_lists(const struct builder *b, struct id *ret_root)
{
	if (b->count <= LIMIT_BLOB_LIST)
		return emit_list(b, b->ids, b->count, ret_root);
	struct id lists[LIMIT_BLOB_LIST];
	size_t count = 0;
	for (size_t i = 0; i < b->count; i += LIMIT_BLOB_LIST) {
		size_t left = b->count - i;
		enum err err = emit_list(b, b->ids + i, left < LIMIT_BLOB_LIST ? left : LIMIT_BLOB_LIST,
					 &lists[count++]);
		if (err != ERR_OK)
			return err;
	}
	return emit_list(b, lists, count, ret_root);
}

/* Drops duplicates from the sorted entries and says where each input went. */
static size_t number(struct chunk_entry *entries, size_t count, size_t *order)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || entry_compare(&entries[kept - 1], &entries[i]) != 0)
			entries[kept++] = entries[i];
		if (order != NULL)
			order[entries[i].input] = kept - 1;
	}
	return kept;
}

enum err chunks_build(enum blob_type type, struct chunk_entry *entries, size_t count, size_t *order,
		      manifest_emit emit, void *context, struct id *ret_root, size_t *ret_kept)
{
	struct builder b = {.type = type, .emit = emit, .context = context};
	struct id root;
	b.ids = calloc(count > 0 ? count : 1, sizeof(*b.ids));
	if (b.ids == NULL)
		return ERR_NOMEM;
	if (count > 0)
		qsort(entries, count, sizeof(*entries), entry_compare);
	size_t kept = number(entries, count, order);
	enum err err = emit_chunks(&b, entries, kept);
	if (err == ERR_OK)
		err = emit_lists(&b, &root);
	if (err == ERR_OK) {
		*ret_root = root;
		*ret_kept = kept;
	}
	free(b.ids);
	return err;
}
