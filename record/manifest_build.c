/* Builds a manifest: encode, sort, cut into chunks, name the chunks in lists.
 *
 * Chunks end where the content says so, not after a count. So a component that comes or goes moves the cuts
 * of its own chunk only, and hosts that share an image share the other chunks. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/mp.h"
#include "record/blob.h"

struct entry {
	const uint8_t *bytes;
	size_t len;
	size_t input; /* index of the caller's component */
};

struct builder {
	manifest_emit emit;
	void *context;
	struct id *ids; /* of the chunks */
	size_t count;
};

static int entry_compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
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

static enum err emit_chunk(struct builder *b, const struct entry *entries, size_t count)
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {BLOB_VERSION, BLOB_COMPONENTS};
	struct mp_writer w;
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

static bool ends_chunk(const struct entry *e)
{
	return (component_entry_id(e->bytes, e->len) >> 56) % 8 == 0;
}

static enum err emit_chunks(struct builder *b, const struct entry *entries, size_t count)
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

static enum err encode_all(const struct component *components, size_t count, uint8_t *bytes,
			   struct entry *entries)
{
	for (size_t i = 0; i < count; i++) {
		enum err err = component_encode(&components[i], bytes, &entries[i].len);
		if (err != ERR_OK)
			return err;
		entries[i].bytes = bytes;
		entries[i].input = i;
		bytes += entries[i].len;
	}
	return ERR_OK;
}

/* Drops duplicates from the sorted entries and says where each input went. */
static size_t number(struct entry *entries, size_t count, size_t *order)
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

enum err manifest_build(const struct component *components, size_t count, size_t *order, manifest_emit emit,
			void *context, struct id *ret_root, size_t *ret_entries)
{
	_Static_assert(LIMIT_COMPONENTS <= LIMIT_BLOB_LIST * LIMIT_BLOB_LIST,
		       "even chunks of one entry fit lists of depth two");
	if (count > LIMIT_COMPONENTS)
		return ERR_LIMIT;
	size_t slots = count > 0 ? count : 1;
	struct builder b = {.emit = emit, .context = context, .ids = calloc(slots, sizeof(*b.ids))};
	struct entry *entries = calloc(slots, sizeof(*entries));
	uint8_t *bytes = malloc(slots * COMPONENT_ENTRY_BYTES);
	enum err err = b.ids == NULL || entries == NULL || bytes == NULL ? ERR_NOMEM : ERR_OK;
	if (err == ERR_OK)
		err = encode_all(components, count, bytes, entries);
	struct id root;
	size_t kept = 0;
	if (err == ERR_OK) {
		qsort(entries, count, sizeof(*entries), entry_compare);
		kept = number(entries, count, order);
		err = emit_chunks(&b, entries, kept);
	}
	if (err == ERR_OK)
		err = emit_lists(&b, &root);
	if (err == ERR_OK) {
		*ret_root = root;
		*ret_entries = kept;
	}
	free(bytes);
	free(entries);
	free(b.ids);
	return err;
}
