#include "base/cursor.h"

#include <string.h>

#include "base/check.h"

struct reader reader_of(const void *data, size_t len)
{
	CHECK(data != NULL || len == 0);
	return (struct reader){.data = data, .len = len};
}

const uint8_t *reader_bytes(struct reader *r, size_t len)
{
	if (r->failed || len > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	/* An empty input has no address, and NULL means failure. */
	const uint8_t *at = r->data != NULL ? r->data + r->pos : (const uint8_t *)"";
	r->pos += len;
	return at;
}

static uint64_t reader_integer(struct reader *r, size_t width)
{
	const uint8_t *at = reader_bytes(r, width);
	uint64_t v = 0;
	if (at == NULL)
		return 0;
	for (size_t i = 0; i < width; i++)
		v = v << 8 | at[i];
	return v;
}

uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)reader_integer(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return (uint16_t)reader_integer(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return (uint32_t)reader_integer(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return reader_integer(r, 8);
}

void reader_copy(struct reader *r, void *ret_bytes, size_t len)
{
	const uint8_t *at = reader_bytes(r, len);
	if (len == 0)
		return;
	if (at != NULL)
		memcpy(ret_bytes, at, len);
	else
		memset(ret_bytes, 0, len);
}

size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->len - r->pos;
}

bool reader_done(const struct reader *r)
{
	return !r->failed && r->pos == r->len;
}

struct writer writer_of(void *data, size_t cap)
{
	CHECK(data != NULL || cap == 0);
	return (struct writer){.data = data, .cap = cap};
}

/* Room for `len` bytes; NULL after a failure and for none. */
static uint8_t *writer_room(struct writer *w, size_t len)
{
	if (w->failed || len > w->cap - w->len) {
		w->failed = true;
		return NULL;
	}
	if (len == 0)
		return NULL;
	uint8_t *at = w->data + w->len;
	w->len += len;
	return at;
}

static void writer_integer(struct writer *w, uint64_t v, size_t width)
{
	uint8_t *at = writer_room(w, width);
	if (at == NULL)
		return;
	for (size_t i = 0; i < width; i++)
		at[i] = (uint8_t)(v >> 8 * (width - 1 - i));
}

void writer_u8(struct writer *w, uint8_t v)
{
	writer_integer(w, v, 1);
}

void writer_u16(struct writer *w, uint16_t v)
{
	writer_integer(w, v, 2);
}

void writer_u32(struct writer *w, uint32_t v)
{
	writer_integer(w, v, 4);
}

void writer_u64(struct writer *w, uint64_t v)
{
	writer_integer(w, v, 8);
}

void writer_bytes(struct writer *w, const void *bytes, size_t len)
{
	uint8_t *at = writer_room(w, len);
	if (at != NULL)
		memcpy(at, bytes, len);
}

void writer_zeros(struct writer *w, size_t len)
{
	uint8_t *at = writer_room(w, len);
	if (at != NULL)
		memset(at, 0, len);
}

size_t writer_left(const struct writer *w)
{
	return w->failed ? 0 : w->cap - w->len;
}
