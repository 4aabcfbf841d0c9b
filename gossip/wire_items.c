/* PUSH, ANNOUNCE, PULL, RECORDS, LOG_PULL, LOG_ENTRIES, BLOB_PULL and BLOBS: lists of ids, and of the things
 * the ids name. */
#include <assert.h>

#include "base/check.h"
#include "base/cursor.h"
#include "gossip/wire.h"

static_assert(1 + WIRE_IDS * 8 <= WIRE_MESSAGE_BYTES && 1 + (WIRE_IDS + 1) * 8 > WIRE_MESSAGE_BYTES,
	      "ANNOUNCE is used to the full");
static_assert(1 + WIRE_BLOB_IDS * ID_BYTES <= WIRE_MESSAGE_BYTES &&
		  1 + (WIRE_BLOB_IDS + 1) * ID_BYTES > WIRE_MESSAGE_BYTES,
	      "BLOB_PULL is used to the full");
static_assert(1 + 1 + 2 + LIMIT_RECORD_BYTES <= WIRE_MESSAGE_BYTES, "the largest record fits PUSH");
static_assert(8 + 1 + 2 + LIMIT_RECORD_BYTES <= WIRE_MESSAGE_BYTES, "the largest record fits RECORDS");
static_assert(8 + 4 + 1 + 2 + LIMIT_LOG_ENTRY_BYTES <= WIRE_MESSAGE_BYTES,
	      "the largest entry fits LOG_ENTRIES");
static_assert(8 + 1 + 2 + LIMIT_BLOB_BYTES <= WIRE_MESSAGE_BYTES, "the largest blob fits BLOBS");

static enum err done(const struct reader *r)
{
	return reader_done(r) ? ERR_OK : ERR_FORMAT;
}

size_t wire_ids_encode(const struct wire_ids *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count > 0 && m->count <= WIRE_IDS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		writer_u64(&w, m->ids[i]);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_ids_decode(const uint8_t *data, size_t len, struct wire_ids *ret)
{
	struct reader r = reader_of(data, len);
	ret->count = reader_u8(&r);
	if (ret->count == 0 || ret->count > WIRE_IDS)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++)
		ret->ids[i] = reader_u64(&r);
	return done(&r);
}

size_t wire_blob_pull_encode(const struct wire_blob_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count > 0 && m->count <= WIRE_BLOB_IDS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		writer_bytes(&w, m->blobs[i].b, ID_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_blob_pull_decode(const uint8_t *data, size_t len, struct wire_blob_pull *ret)
{
	struct reader r = reader_of(data, len);
	ret->count = reader_u8(&r);
	if (ret->count == 0 || ret->count > WIRE_BLOB_IDS)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++)
		reader_copy(&r, ret->blobs[i].b, ID_BYTES);
	return done(&r);
}

size_t wire_log_pull_encode(uint32_t first, bool padded, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u32(&w, first);
	if (padded)
		writer_zeros(&w, writer_left(&w));
	CHECK(!w.failed);
	return w.len;
}

enum err wire_log_pull_decode(const uint8_t *data, size_t len, bool padded, uint32_t *ret_first)
{
	if (len != (padded ? WIRE_MESSAGE_BYTES : sizeof *ret_first))
		return ERR_FORMAT;
	struct reader r = reader_of(data, len);
	uint32_t first = reader_u32(&r);
	for (size_t left = reader_left(&r); left > 0; left--)
		if (reader_u8(&r) != 0)
			return ERR_FORMAT;
	*ret_first = first;
	return ERR_OK;
}

static struct writer pack_start(struct wire_pack *p, enum wire_type type, size_t item_max)
{
	p->type = type;
	p->item_max = item_max;
	p->count = 0;
	return writer_of(p->bytes, sizeof p->bytes);
}

static void pack_count(struct wire_pack *p, struct writer *w)
{
	p->count_at = w->len;
	writer_u8(w, 0);
	CHECK(!w->failed);
	p->len = w->len;
}

void wire_pack_push(struct wire_pack *ret, uint8_t hops)
{
	struct writer w = pack_start(ret, WIRE_PUSH, LIMIT_RECORD_BYTES);
	writer_u8(&w, hops);
	pack_count(ret, &w);
}

void wire_pack_records(struct wire_pack *ret, uint64_t echo)
{
	struct writer w = pack_start(ret, WIRE_RECORDS, LIMIT_RECORD_BYTES);
	writer_u64(&w, echo);
	pack_count(ret, &w);
}

void wire_pack_log(struct wire_pack *ret, uint64_t echo, uint32_t first)
{
	struct writer w = pack_start(ret, WIRE_LOG_ENTRIES, LIMIT_LOG_ENTRY_BYTES);
	writer_u64(&w, echo);
	writer_u32(&w, first);
	pack_count(ret, &w);
}

void wire_pack_blobs(struct wire_pack *ret, uint64_t echo)
{
	struct writer w = pack_start(ret, WIRE_BLOBS, LIMIT_BLOB_BYTES);
	writer_u64(&w, echo);
	pack_count(ret, &w);
}

bool wire_pack_add(struct wire_pack *p, const void *item, size_t len)
{
	CHECK(len > 0 && len <= p->item_max);
	struct writer w = writer_of(p->bytes, sizeof p->bytes);
	w.len = p->len;
	if (p->count == WIRE_ITEMS || writer_left(&w) < 2 + len)
		return false;
	writer_u16(&w, (uint16_t)len);
	writer_bytes(&w, item, len);
	p->len = w.len;
	p->bytes[p->count_at] = ++p->count;
	return true;
}

enum err wire_items_decode(enum wire_type type, const uint8_t *data, size_t len, struct wire_items *ret)
{
	CHECK(type == WIRE_PUSH || type == WIRE_RECORDS || type == WIRE_LOG_ENTRIES || type == WIRE_BLOBS);
	size_t item_max = type == WIRE_BLOBS         ? LIMIT_BLOB_BYTES
			  : type == WIRE_LOG_ENTRIES ? LIMIT_LOG_ENTRY_BYTES
						     : LIMIT_RECORD_BYTES;
	struct reader r = reader_of(data, len);
	ret->hops = type == WIRE_PUSH ? reader_u8(&r) : 0;
	ret->echo = type == WIRE_PUSH ? 0 : reader_u64(&r);
	ret->first = type == WIRE_LOG_ENTRIES ? reader_u32(&r) : 0;
	size_t count = reader_u8(&r);
	if (type == WIRE_PUSH && (count == 0 || ret->hops > WIRE_PUSH_HOPS))
		return ERR_FORMAT;
	for (ret->count = 0; ret->count < count && !r.failed; ret->count++) {
		struct wire_item *item = &ret->items[ret->count];
		item->len = reader_u16(&r);
		if (item->len == 0 || item->len > item_max)
			return ERR_FORMAT;
		item->bytes = reader_bytes(&r, item->len);
	}
	return done(&r);
}
