/* PING, ACK, PING_REQ, PING_ACK, SUSPECT and ROLLCALL_PULL. */
#include <assert.h>

#include "base/check.h"
#include "base/cursor.h"
#include "gossip/wire.h"

static_assert(1 + WIRE_HOSTS * ID_BYTES <= WIRE_MESSAGE_BYTES &&
		  1 + (WIRE_HOSTS + 1) * ID_BYTES > WIRE_MESSAGE_BYTES,
	      "SUSPECT is used to the full");
#define HELD_BYTES 17
static_assert(ID_BYTES + 1 + WIRE_VIEWS * HELD_BYTES <= WIRE_MESSAGE_BYTES &&
		  ID_BYTES + 1 + (WIRE_VIEWS + 1) * HELD_BYTES > WIRE_MESSAGE_BYTES,
	      "ROLLCALL_PULL is used to the full");

static enum err done(const struct reader *r)
{
	return reader_done(r) ? ERR_OK : ERR_FORMAT;
}

size_t wire_ping_encode(const struct wire_ping *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u32(&w, m->head.index);
	writer_u64(&w, m->head.hash);
	writer_u64(&w, m->root);
	writer_u64(&w, m->instance);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_ping_decode(const uint8_t *data, size_t len, struct wire_ping *ret)
{
	struct reader r = reader_of(data, len);
	ret->head.index = reader_u32(&r);
	ret->head.hash = reader_u64(&r);
	ret->root = reader_u64(&r);
	ret->instance = reader_u64(&r);
	return done(&r);
}

size_t wire_ack_encode(const struct wire_ack *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u32(&w, m->head.index);
	writer_u64(&w, m->head.hash);
	writer_u64(&w, m->root);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_ack_decode(const uint8_t *data, size_t len, struct wire_ack *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->head.index = reader_u32(&r);
	ret->head.hash = reader_u64(&r);
	ret->root = reader_u64(&r);
	return done(&r);
}

size_t wire_ping_req_encode(const struct wire_ping_req *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->target.b, ID_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_ping_req_decode(const uint8_t *data, size_t len, struct wire_ping_req *ret)
{
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->target.b, ID_BYTES);
	return done(&r);
}

size_t wire_ping_ack_encode(const struct wire_ping_ack *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_bytes(&w, m->target.b, ID_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_ping_ack_decode(const uint8_t *data, size_t len, struct wire_ping_ack *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	reader_copy(&r, ret->target.b, ID_BYTES);
	return done(&r);
}

size_t wire_suspect_encode(const struct wire_suspect *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count > 0 && m->count <= WIRE_HOSTS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		writer_bytes(&w, m->hosts[i].b, ID_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_suspect_decode(const uint8_t *data, size_t len, struct wire_suspect *ret)
{
	struct reader r = reader_of(data, len);
	ret->count = reader_u8(&r);
	if (ret->count == 0 || ret->count > WIRE_HOSTS)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++)
		reader_copy(&r, ret->hosts[i].b, ID_BYTES);
	return done(&r);
}

size_t wire_rollcall_pull_encode(const struct wire_rollcall_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count <= WIRE_VIEWS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->site.b, ID_BYTES);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++) {
		writer_u64(&w, m->held[i].signer);
		writer_u8(&w, m->held[i].part);
		writer_u64(&w, m->held[i].seq);
	}
	CHECK(!w.failed);
	return w.len;
}

enum err wire_rollcall_pull_decode(const uint8_t *data, size_t len, struct wire_rollcall_pull *ret)
{
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->site.b, ID_BYTES);
	ret->count = reader_u8(&r);
	if (ret->count > WIRE_VIEWS)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++) {
		ret->held[i].signer = reader_u64(&r);
		ret->held[i].part = reader_u8(&r);
		ret->held[i].seq = reader_u64(&r);
		if (ret->held[i].part >= LIMIT_ROLLCALL_PARTS)
			return ERR_FORMAT;
	}
	return done(&r);
}
