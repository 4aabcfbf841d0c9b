/* SYNC_ROOTS, SYNC_NODE and SYNC_LEAF: the three steps of the walk (docs/protocol.md section 8). */
#include <assert.h>

#include "base/check.h"
#include "base/cursor.h"
#include "gossip/wire.h"

#define ROOTS_HEADER_BYTES (4 * 8 + 1)
#define LEAF_HEADER_BYTES  (8 + 8 + 1 + 1 + 8 + 8 + 1)
#define LEAF_MORE          0x01u
#define LEAF_REPLY         0x02u

static_assert(ROOTS_HEADER_BYTES + WIRE_ROOTS * 16 <= WIRE_MESSAGE_BYTES &&
		  ROOTS_HEADER_BYTES + (WIRE_ROOTS + 1) * 16 > WIRE_MESSAGE_BYTES,
	      "SYNC_ROOTS is used to the full");
static_assert(LEAF_HEADER_BYTES + WIRE_LEAF_IDS * 8 <= WIRE_MESSAGE_BYTES &&
		  LEAF_HEADER_BYTES + (WIRE_LEAF_IDS + 1) * 8 > WIRE_MESSAGE_BYTES,
	      "SYNC_LEAF is used to the full");

static enum err done(const struct reader *r)
{
	return reader_done(r) ? ERR_OK : ERR_FORMAT;
}

size_t wire_roots_encode(const struct wire_roots *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count <= WIRE_ROOTS && m->first <= m->last);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u64(&w, m->estate_root);
	writer_u64(&w, m->first);
	writer_u64(&w, m->last);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++) {
		writer_u64(&w, m->roots[i].partition);
		writer_u64(&w, m->roots[i].root);
	}
	CHECK(!w.failed);
	return w.len;
}

enum err wire_roots_decode(const uint8_t *data, size_t len, struct wire_roots *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->estate_root = reader_u64(&r);
	ret->first = reader_u64(&r);
	ret->last = reader_u64(&r);
	ret->count = reader_u8(&r);
	if (ret->count > WIRE_ROOTS || ret->first > ret->last)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++) {
		uint64_t partition = reader_u64(&r);
		if (partition < ret->first || partition > ret->last ||
		    (i > 0 && partition <= ret->roots[i - 1].partition))
			return ERR_FORMAT;
		ret->roots[i].partition = partition;
		ret->roots[i].root = reader_u64(&r);
		if (ret->roots[i].root == 0)
			return ERR_FORMAT;
	}
	return done(&r);
}

size_t wire_node_encode(const struct wire_node *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->level <= 1 && m->child < (m->level == 0 ? 1 : WIRE_CHILDREN));
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u64(&w, m->partition);
	writer_u8(&w, m->level);
	writer_u8(&w, m->child);
	for (size_t i = 0; i < WIRE_CHILDREN; i++)
		writer_u64(&w, m->hashes[i]);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_node_decode(const uint8_t *data, size_t len, struct wire_node *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->partition = reader_u64(&r);
	ret->level = reader_u8(&r);
	ret->child = reader_u8(&r);
	if (ret->level > 1 || ret->child >= (ret->level == 0 ? 1 : WIRE_CHILDREN))
		return ERR_FORMAT;
	for (size_t i = 0; i < WIRE_CHILDREN; i++)
		ret->hashes[i] = reader_u64(&r);
	return done(&r);
}

size_t wire_leaf_encode(const struct wire_leaf *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count <= WIRE_LEAF_IDS && m->first <= m->last);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u64(&w, m->partition);
	writer_u8(&w, m->leaf);
	writer_u8(&w, (uint8_t)((m->more ? LEAF_MORE : 0) | (m->reply ? LEAF_REPLY : 0)));
	writer_u64(&w, m->first);
	writer_u64(&w, m->last);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		writer_u64(&w, m->ids[i]);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_leaf_decode(const uint8_t *data, size_t len, struct wire_leaf *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->partition = reader_u64(&r);
	ret->leaf = reader_u8(&r);
	uint8_t flags = reader_u8(&r);
	ret->more = (flags & LEAF_MORE) != 0;
	ret->reply = (flags & LEAF_REPLY) != 0;
	ret->first = reader_u64(&r);
	ret->last = reader_u64(&r);
	ret->count = reader_u8(&r);
	if (ret->count > WIRE_LEAF_IDS || ret->first > ret->last)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++) {
		ret->ids[i] = reader_u64(&r);
		if (ret->ids[i] < ret->first || ret->ids[i] > ret->last ||
		    (i > 0 && ret->ids[i] <= ret->ids[i - 1]))
			return ERR_FORMAT;
	}
	return done(&r);
}
