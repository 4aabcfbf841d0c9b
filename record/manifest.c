/* Builds and reads a manifest: component entries in chunks. */
#include <stdlib.h>

#include "record/chunks.h"

struct walk {
	manifest_each each;
	void *context;
	size_t index; /* of the next entry */
};

static enum err read_entry(void *context, const uint8_t *entry, size_t len, bool *stop)
{
	struct walk *w = context;
	struct component c;
	if (w->index == LIMIT_COMPONENTS)
		return ERR_LIMIT;
	enum err err = component_decode(entry, len, &c);
	if (err == ERR_OK)
		*stop = !w->each(w->context, w->index++, component_entry_id(entry, len), &c);
	return err;
}

enum err manifest_read(const struct id *root, manifest_fetch fetch, void *fetch_context, manifest_each each,
		       void *each_context)
{
	struct walk w = {.each = each, .context = each_context};
	return chunks_read(BLOB_COMPONENTS, root, fetch, fetch_context, read_entry, &w);
}

static enum err encode_all(const struct component *components, size_t count, uint8_t *bytes,
			   struct chunk_entry *entries)
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

enum err manifest_build(const struct component *components, size_t count, size_t *order, manifest_emit emit,
			void *context, struct id *ret_root, size_t *ret_entries)
{
	_Static_assert(LIMIT_COMPONENTS <= LIMIT_BLOB_LIST * LIMIT_BLOB_LIST,
		       "even chunks of one entry fit lists of depth two");
	if (count > LIMIT_COMPONENTS)
		return ERR_LIMIT;
	size_t slots = count > 0 ? count : 1;
	struct chunk_entry *entries = calloc(slots, sizeof(*entries));
	uint8_t *bytes = malloc(slots * COMPONENT_ENTRY_BYTES);
	enum err err = entries == NULL || bytes == NULL ? ERR_NOMEM : ERR_OK;
	if (err == ERR_OK)
		err = encode_all(components, count, bytes, entries);
	if (err == ERR_OK)
		err = chunks_build(BLOB_COMPONENTS, entries, count, order, emit, context, ret_root,
				   ret_entries);
	free(bytes);
	free(entries);
	return err;
}
