/* SKETCH_PULL, SKETCH and SKETCH_OFFER: rateless reconciliation (docs/protocol.md section 8). */
#include <assert.h>

#include "base/check.h"
#include "base/cursor.h"
#include "gossip/wire.h"

#define SKETCH_HEADER_BYTES (8 + 8 + 1)
#define CELL_BYTES          (8 + 8 + 4)
#define OFFER_HEADER_BYTES  (8 + 1)

static_assert(SKETCH_HEADER_BYTES + SKETCH_BLOCK_CELLS * CELL_BYTES + SKETCH_SAMPLES <= WIRE_MESSAGE_BYTES &&
		  SKETCH_HEADER_BYTES + (SKETCH_BLOCK_CELLS + 1) * CELL_BYTES + SKETCH_SAMPLES >
		      WIRE_MESSAGE_BYTES,
	      "SKETCH is used to the full");
static_assert(OFFER_HEADER_BYTES + WIRE_OFFER_IDS * 8 <= WIRE_MESSAGE_BYTES &&
		  OFFER_HEADER_BYTES + (WIRE_OFFER_IDS + 1) * 8 > WIRE_MESSAGE_BYTES,
	      "SKETCH_OFFER is used to the full");

static enum err done(const struct reader *r)
{
	return reader_done(r) ? ERR_OK : ERR_FORMAT;
}

size_t wire_sketch_pull_encode(const struct wire_sketch_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->first < LIMIT_SKETCH_BLOCKS && m->count >= 1 && m->count <= LIMIT_SKETCH_BLOCKS - m->first);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u64(&w, m->estate_root);
	writer_u64(&w, m->held);
	writer_u8(&w, (uint8_t)m->first);
	writer_u8(&w, (uint8_t)m->count);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_sketch_pull_decode(const uint8_t *data, size_t len, struct wire_sketch_pull *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->estate_root = reader_u64(&r);
	ret->held = reader_u64(&r);
	ret->first = reader_u8(&r);
	ret->count = reader_u8(&r);
	if (ret->first >= LIMIT_SKETCH_BLOCKS || ret->count < 1 ||
	    ret->count > LIMIT_SKETCH_BLOCKS - ret->first)
		return ERR_FORMAT;
	return done(&r);
}

size_t wire_sketch_encode(const struct wire_sketch *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->number < LIMIT_SKETCH_BLOCKS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u64(&w, m->estate_root);
	writer_u8(&w, (uint8_t)m->number);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		writer_u64(&w, m->block.cells[i].ids);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		writer_u64(&w, m->block.cells[i].keys);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		writer_u32(&w, m->block.cells[i].weights);
	writer_bytes(&w, m->block.samples, SKETCH_SAMPLES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_sketch_decode(const uint8_t *data, size_t len, struct wire_sketch *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->estate_root = reader_u64(&r);
	ret->number = reader_u8(&r);
	if (ret->number >= LIMIT_SKETCH_BLOCKS)
		return ERR_FORMAT;
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		ret->block.cells[i].ids = reader_u64(&r);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		ret->block.cells[i].keys = reader_u64(&r);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
		ret->block.cells[i].weights = reader_u32(&r);
	reader_copy(&r, ret->block.samples, SKETCH_SAMPLES);
	return done(&r);
}

size_t wire_offer_encode(const struct wire_offer *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	CHECK(m->count >= 1 && m->count <= WIRE_OFFER_IDS);
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_u64(&w, m->echo);
	writer_u8(&w, (uint8_t)m->count);
	for (size_t i = 0; i < m->count; i++)
		writer_u64(&w, m->ids[i]);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_offer_decode(const uint8_t *data, size_t len, struct wire_offer *ret)
{
	struct reader r = reader_of(data, len);
	ret->echo = reader_u64(&r);
	ret->count = reader_u8(&r);
	if (ret->count < 1 || ret->count > WIRE_OFFER_IDS)
		return ERR_FORMAT;
	for (size_t i = 0; i < ret->count; i++) {
		ret->ids[i] = reader_u64(&r);
		if (i > 0 && ret->ids[i] <= ret->ids[i - 1])
			return ERR_FORMAT;
	}
	return done(&r);
}
