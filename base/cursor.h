/* Byte cursors with a sticky error: read or write a whole message, check `failed` once at the end.
 * Integers are big-endian. After a failure reads return zero and writes do nothing. */
#ifndef MESH_BASE_CURSOR_H
#define MESH_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool failed;
};

struct writer {
	uint8_t *data;
	size_t cap;
	size_t len;
	bool failed;
};

struct reader reader_of(const void *data, size_t len);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* Points into the input; NULL after a failure. */
const uint8_t *reader_bytes(struct reader *r, size_t len);
/* Copies `len` bytes, zeroes after a failure. */
void reader_copy(struct reader *r, void *ret_bytes, size_t len);
size_t reader_left(const struct reader *r);
/* True when nothing failed and nothing is left. */
bool reader_done(const struct reader *r);

struct writer writer_of(void *data, size_t cap);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *bytes, size_t len);
void writer_zeros(struct writer *w, size_t len);
size_t writer_left(const struct writer *w);

#endif
