#include "record/allow_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "record/blob.h"

#define LIST_DEPTH 2

_Static_assert((LIMIT_BLOB_BYTES - BLOB_HEADER_BYTES) / ID_BYTES == ALLOW_LIST_LEAF_HOSTS,
	       "no leaf has more");
_Static_assert(LIMIT_ALLOW_HOSTS <= LIMIT_BLOB_LIST * LIMIT_BLOB_LIST * ALLOW_LIST_LEAF_HOSTS, "depth two");

/* One blob over ids: hosts or other blobs. */
static enum err emit_ids(enum blob_type type, const struct id *ids, size_t count, manifest_emit emit,
			 void *context, struct id *ret_id)
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {BLOB_VERSION, (uint8_t)type};
	size_t len = BLOB_HEADER_BYTES + count * ID_BYTES;
	CHECK(len <= sizeof(blob));
	for (size_t i = 0; i < count; i++)
		memcpy(blob + BLOB_HEADER_BYTES + i * ID_BYTES, ids[i].b, ID_BYTES);
	*ret_id = blob_id(blob, len);
	return emit(context, ret_id, blob, len);
}

/* Cuts ids into full blobs, the last one shorter, and puts the blobs' ids in their place. */
static enum err fold(enum blob_type type, struct id *ids, size_t *count, manifest_emit emit, void *context)
{
	size_t made = 0;
	for (size_t i = 0; i < *count || made == 0; i += LIMIT_BLOB_LIST) {
		size_t left = *count - i;
		struct id id;
		enum err err = emit_ids(type, ids + i, left < LIMIT_BLOB_LIST ? left : LIMIT_BLOB_LIST, emit,
					context, &id);
		if (err != ERR_OK)
			return err;
		ids[made++] = id;
	}
	*count = made;
	return ERR_OK;
}

enum err allow_list_build(const struct id *hosts, size_t count, manifest_emit emit, void *context,
			  struct id *ret_root)
{
	_Static_assert(ALLOW_LIST_LEAF_HOSTS == LIMIT_BLOB_LIST, "leaves and lists are cut alike");
	if (count > LIMIT_ALLOW_HOSTS)
		return ERR_LIMIT;
	for (size_t i = 1; i < count; i++) {
		if (id_compare(&hosts[i - 1], &hosts[i]) >= 0)
			return ERR_FORMAT;
	}
	struct id *ids = calloc(count > 0 ? count : 1, sizeof(*ids));
	if (ids == NULL)
		return ERR_NOMEM;
	if (count > 0)
		memcpy(ids, hosts, count * sizeof(*ids));
	enum err err = fold(BLOB_ALLOW_LIST, ids, &count, emit, context);
	while (err == ERR_OK && count > 1)
		err = fold(BLOB_LIST, ids, &count, emit, context);
	if (err == ERR_OK)
		*ret_root = ids[0];
	free(ids);
	return err;
}

enum err allow_list_leaf(const uint8_t *blob, size_t len, const uint8_t **ret_hosts, size_t *ret_count)
{
	enum blob_type type;
	enum err err = blob_check(blob, len, &type);
	if (err != ERR_OK)
		return err;
	size_t count = (len - BLOB_HEADER_BYTES) / ID_BYTES;
	if (type != BLOB_ALLOW_LIST)
		return ERR_FORMAT;
	const uint8_t *hosts = blob + BLOB_HEADER_BYTES;
	for (size_t i = 1; i < count; i++) {
		if (memcmp(hosts + (i - 1) * ID_BYTES, hosts + i * ID_BYTES, ID_BYTES) >= 0)
			return ERR_FORMAT;
	}
	*ret_hosts = hosts;
	*ret_count = count;
	return ERR_OK;
}

struct walk {
	manifest_fetch fetch;
	void *context;
	struct id *hosts;
	size_t count;
	struct id missing;
};

static enum err take_leaf(struct walk *w, const uint8_t *blob, size_t len)
{
	const uint8_t *hosts;
	size_t count;
	enum err err = allow_list_leaf(blob, len, &hosts, &count);
	if (err != ERR_OK)
		return err;
	if (count > LIMIT_ALLOW_HOSTS - w->count)
		return ERR_LIMIT;
	for (size_t i = 0; i < count; i++) {
		memcpy(w->hosts[w->count].b, hosts + i * ID_BYTES, ID_BYTES);
		if (w->count > 0 && id_compare(&w->hosts[w->count - 1], &w->hosts[w->count]) >= 0)
			return ERR_FORMAT;
		w->count++;
	}
	return ERR_OK;
}

/* `depth`: lists above this blob. Empty leaves below lists would let few blobs name many. */
static enum err take_blob(struct walk *w, const struct id *id, unsigned depth)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	const uint8_t *ids;
	size_t len = 0, count;
	enum blob_type type;
	enum err err = w->fetch(w->context, id, blob, &len);
	if (err == ERR_NOT_FOUND)
		w->missing = *id;
	if (err == ERR_OK)
		err = blob_check(blob, len, &type);
	if (err != ERR_OK)
		return err;
	if (type != BLOB_LIST || depth == LIST_DEPTH) {
		size_t before = w->count;
		err = take_leaf(w, blob, len);
		return err == ERR_OK && depth > 0 && w->count == before ? ERR_FORMAT : err;
	}
	err = blob_list(blob, len, &ids, &count);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		err = take_blob(w, &child, depth + 1);
	}
	return err;
}

enum err allow_list_read(const struct id *root, manifest_fetch fetch, void *context, struct id *ret,
			 size_t *ret_count, struct id *ret_missing)
{
	struct walk w = {.fetch = fetch, .context = context, .hosts = ret};
	enum err err = take_blob(&w, root, 0);
	if (err == ERR_OK)
		*ret_count = w.count;
	if (err == ERR_NOT_FOUND && ret_missing != NULL)
		*ret_missing = w.missing;
	return err;
}
