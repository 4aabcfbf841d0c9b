#include <string.h>

#include "base/check.h"
#include "base/mp.h"

static int append(void *context, const char *data, size_t len)
{
	struct mp_writer *w = context;
	if (w->failed || len > w->cap - w->len) {
		w->failed = true;
		return -1;
	}
	if (len > 0)
		memcpy(w->data + w->len, data, len);
	w->len += len;
	return 0;
}

/* Lengths and counts have 32 bits on the wire. */
static bool fits(struct mp_writer *w, size_t count)
{
	if (count > UINT32_MAX)
		w->failed = true;
	return !w->failed;
}

void mp_writer_init(struct mp_writer *w, void *data, size_t cap)
{
	CHECK(data != NULL || cap == 0);
	*w = (struct mp_writer){.data = data, .cap = cap};
	msgpack_packer_init(&w->packer, w, append);
}

void mp_put_map(struct mp_writer *w, size_t count)
{
	if (fits(w, count))
		msgpack_pack_map(&w->packer, count);
}

void mp_put_array(struct mp_writer *w, size_t count)
{
	if (fits(w, count))
		msgpack_pack_array(&w->packer, count);
}

void mp_put_u64(struct mp_writer *w, uint64_t v)
{
	msgpack_pack_uint64(&w->packer, v);
}

void mp_put_i64(struct mp_writer *w, int64_t v)
{
	msgpack_pack_int64(&w->packer, v);
}

void mp_put_bool(struct mp_writer *w, bool v)
{
	if (v)
		msgpack_pack_true(&w->packer);
	else
		msgpack_pack_false(&w->packer);
}

void mp_put_str(struct mp_writer *w, const char *text)
{
	size_t len = strlen(text);
	if (fits(w, len))
		msgpack_pack_str_with_body(&w->packer, text, len);
}

void mp_put_bin(struct mp_writer *w, const void *data, size_t len)
{
	if (fits(w, len))
		msgpack_pack_bin_with_body(&w->packer, data, len);
}

void mp_put_raw(struct mp_writer *w, const void *data, size_t len)
{
	append(w, data, len);
}
