#include "record/field.h"

#include <string.h>

#include "base/check.h"

static void store_u64(uint8_t ret[8], uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		ret[i] = (uint8_t)v;
}

static void refuse(struct field_writer *f)
{
	if (f->err == ERR_OK)
		f->err = ERR_RANGE;
}

void field_begin(struct field_writer *f)
{
	f->count = 0;
	f->err = ERR_OK;
	mp_writer_init(&f->w, f->data, sizeof(f->data));
}

static void put_key(struct field_writer *f, uint64_t key)
{
	f->count++;
	mp_put_u64(&f->w, key);
}

void field_put_u64(struct field_writer *f, uint64_t key, uint64_t value, uint64_t max)
{
	put_key(f, key);
	field_item_u64(f, value, max);
}

void field_put_status(struct field_writer *f, uint64_t key, enum reading_status status)
{
	if (status == READING_UNKNOWN)
		return;
	put_key(f, key);
	field_item_status(f, status);
}

void field_put_reading(struct field_writer *f, uint64_t key, const struct reading_u64 *r, uint64_t max)
{
	if (r->status == READING_OK)
		field_put_u64(f, key, r->value, max);
	else
		field_put_status(f, key, r->status);
}

void field_put_reading_text(struct field_writer *f, uint64_t key, const struct reading_text *r, size_t max)
{
	if (r->status == READING_OK) {
		put_key(f, key);
		field_item_text(f, r->value, max);
	} else {
		field_put_status(f, key, r->status);
	}
}

void field_put_text(struct field_writer *f, uint64_t key, const char *text, size_t max)
{
	if (text[0] == '\0')
		return;
	put_key(f, key);
	field_item_text(f, text, max);
}

void field_put_bin(struct field_writer *f, uint64_t key, const void *data, size_t len)
{
	put_key(f, key);
	mp_put_bin(&f->w, data, len);
}

void field_put_short(struct field_writer *f, uint64_t key, uint64_t id)
{
	put_key(f, key);
	field_item_short(f, id);
}

static bool put_counted(struct field_writer *f, uint64_t key, size_t count, size_t max)
{
	if (count == 0)
		return false;
	if (count > max) {
		refuse(f);
		return false;
	}
	put_key(f, key);
	return true;
}

bool field_put_list(struct field_writer *f, uint64_t key, size_t count, size_t max)
{
	bool put = put_counted(f, key, count, max);
	if (put)
		mp_put_array(&f->w, count);
	return put;
}

bool field_put_map(struct field_writer *f, uint64_t key, size_t count, size_t max)
{
	bool put = put_counted(f, key, count, max);
	if (put)
		mp_put_map(&f->w, count);
	return put;
}

void field_item_u64(struct field_writer *f, uint64_t value, uint64_t max)
{
	if (value > max)
		refuse(f);
	mp_put_u64(&f->w, value);
}

void field_item_text(struct field_writer *f, const char *text, size_t max)
{
	/* Looks no further than the caller's array goes. */
	if (strnlen(text, max + 1) > max)
		refuse(f);
	else
		mp_put_str(&f->w, text);
}

void field_item_short(struct field_writer *f, uint64_t id)
{
	uint8_t bytes[8];
	store_u64(bytes, id);
	mp_put_bin(&f->w, bytes, sizeof(bytes));
}

void field_item_bin(struct field_writer *f, const void *data, size_t len)
{
	mp_put_bin(&f->w, data, len);
}

void field_item_tuple(struct field_writer *f, size_t count)
{
	mp_put_array(&f->w, count);
}

void field_item_status(struct field_writer *f, enum reading_status status)
{
	if (status == READING_OK)
		mp_put_u64(&f->w, 1);
	else if (status >= READING_ABSENT && status <= READING_FAILED)
		mp_put_i64(&f->w, -(int64_t)status);
	else
		refuse(f);
}

enum err field_finish(struct field_writer *f, uint8_t *ret, size_t cap, size_t *ret_len)
{
	uint8_t head[8];
	struct mp_writer w;
	mp_writer_init(&w, head, sizeof(head));
	mp_put_map(&w, f->count);
	CHECK(!w.failed);
	if (f->err != ERR_OK)
		return f->err;
	if (f->w.failed || w.len + f->w.len > cap)
		return ERR_RANGE;
	memcpy(ret, head, w.len);
	memcpy(ret + w.len, f->data, f->w.len);
	*ret_len = w.len + f->w.len;
	CHECK_DEBUG(mp_check(ret, *ret_len) == ERR_OK);
	return ERR_OK;
}
