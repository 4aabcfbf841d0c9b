/* Reads lists to depth two, then chunks. Hostile lists cost at most their 63 + 63 x 63 fetches: the depth is
 * bounded, so a list that names itself ends as a list in a chunk's place. */
#include "base/cursor.h"
#include "base/mp.h"
#include "record/chunks.h"

#define LIST_DEPTH 2

struct walk {
	enum blob_type type;
	manifest_fetch fetch;
	void *fetch_context;
	chunk_each each;
	void *each_context;
	bool stopped; /* by the caller */
};

/* Length of the array's head and count of its elements; the array was checked to be canonical. */
static enum err array_head(const uint8_t *data, size_t len, size_t *ret_head, size_t *ret_count)
{
	struct reader r = reader_of(data, len);
	uint8_t tag = reader_u8(&r);
	if (r.failed || (tag != 0xdc && (tag < 0x90 || tag > 0x9f)))
		return ERR_FORMAT;
	*ret_count = tag == 0xdc ? reader_u16(&r) : tag & 0x0fu;
	*ret_head = r.pos;
	return r.failed ? ERR_FORMAT : ERR_OK;
}

static enum err read_chunk(struct walk *w, const uint8_t *blob, size_t len)
{
	const uint8_t *at = blob + BLOB_HEADER_BYTES;
	size_t left = len - BLOB_HEADER_BYTES, head, count;
	enum err err = array_head(at, left, &head, &count);
	if (err != ERR_OK)
		return err;
	at += head;
	left -= head;
	for (size_t i = 0; i < count && !w->stopped; i++) {
		size_t entry_len;
		err = mp_check_prefix(at, left, &entry_len);
		if (err == ERR_OK)
			err = w->each(w->each_context, at, entry_len, &w->stopped);
		if (err != ERR_OK)
			return err;
		at += entry_len;
		left -= entry_len;
	}
	return ERR_OK;
}

static enum err read_blob(struct walk *w, const struct id *id, unsigned depth);

static enum err read_list(struct walk *w, const uint8_t *blob, size_t len, unsigned depth)
{
	const uint8_t *ids;
	size_t count;
	enum err err = blob_list(blob, len, &ids, &count);
	for (size_t i = 0; err == ERR_OK && i < count && !w->stopped; i++) {
		struct reader r = reader_of(ids + i * ID_BYTES, ID_BYTES);
		struct id id;
		reader_copy(&r, id.b, sizeof(id.b));
		err = read_blob(w, &id, depth);
	}
	return err;
}

/* `depth`: lists above this blob. */
static enum err read_blob(struct walk *w, const struct id *id, unsigned depth)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	size_t len = 0;
	enum blob_type type;
	enum err err = w->fetch(w->fetch_context, id, blob, &len);
	if (err == ERR_OK)
		err = blob_check(blob, len, &type);
	if (err != ERR_OK)
		return err;
	if (type == BLOB_LIST && depth < LIST_DEPTH)
		return read_list(w, blob, len, depth + 1);
	if (type == w->type && depth > 0)
		return read_chunk(w, blob, len);
	return ERR_FORMAT;
}

enum err chunks_read(enum blob_type type, const struct id *root, manifest_fetch fetch, void *fetch_context,
		     chunk_each each, void *each_context)
{
	struct walk w = {.type = type,
			 .fetch = fetch,
			 .fetch_context = fetch_context,
			 .each = each,
			 .each_context = each_context};
	return read_blob(&w, root, 0);
}
