#include <string.h>

#include "record/field.h"

static uint64_t load_u64(const uint8_t bytes[8])
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes[i];
	return v;
}

void field_fail(struct field_reader *f, enum err err)
{
	if (f->err == ERR_OK)
		f->err = err;
}

void field_open(struct field_reader *f, const uint8_t *data, size_t len, size_t max)
{
	*f = (struct field_reader){.err = ERR_OK};
	f->err = len > max ? ERR_RANGE : mp_open(&f->doc, data, len);
	if (f->err != ERR_OK)
		return;
	f->map = mp_root(&f->doc);
	if (f->map->type != MSGPACK_OBJECT_MAP)
		f->err = ERR_FORMAT;
}

enum err field_close(struct field_reader *f)
{
	if (f->map != NULL)
		mp_close(&f->doc);
	f->map = NULL;
	return f->err;
}

bool field_has(const struct field_reader *f, uint64_t key)
{
	return mp_get(f->map, key) != NULL;
}

void field_read_u64(struct field_reader *f, const msgpack_object *o, uint64_t max, uint64_t *ret)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		field_fail(f, ERR_FORMAT);
	else if (!mp_u64(o, max, ret))
		field_fail(f, ERR_RANGE);
}

void field_read_u32(struct field_reader *f, const msgpack_object *o, uint32_t max, uint32_t *ret)
{
	uint64_t v = *ret;
	field_read_u64(f, o, max, &v);
	*ret = (uint32_t)v;
}

void field_read_text(struct field_reader *f, const msgpack_object *o, char *ret, size_t cap)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_STR)
		field_fail(f, ERR_FORMAT);
	else if (o->via.str.size >= cap)
		field_fail(f, ERR_RANGE);
	else if (!mp_str(o, ret, cap))
		field_fail(f, ERR_FORMAT);
}

static void read_bin(struct field_reader *f, const msgpack_object *o, void *ret, size_t len)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_BIN)
		field_fail(f, ERR_FORMAT);
	else if (!mp_bin(o, ret, len))
		field_fail(f, ERR_RANGE);
}

void field_read_short(struct field_reader *f, const msgpack_object *o, uint64_t *ret)
{
	uint8_t bytes[8] = {0};
	read_bin(f, o, bytes, sizeof(bytes));
	*ret = load_u64(bytes);
}

const msgpack_object *field_read_tuple(struct field_reader *f, const msgpack_object *list, size_t index,
				       size_t count)
{
	const msgpack_object *o = mp_at(list, index);
	if (o != NULL && o->type == MSGPACK_OBJECT_ARRAY && mp_count(o) == count)
		return o;
	field_fail(f, ERR_FORMAT);
	return NULL;
}

void field_read_status(struct field_reader *f, const msgpack_object *o, enum reading_status *ret)
{
	int64_t v;
	if (o == NULL || !mp_i64(o, &v))
		field_fail(f, ERR_FORMAT);
	else if (v == 1)
		*ret = READING_OK;
	else if (v <= -READING_ABSENT && v >= -READING_FAILED)
		*ret = (enum reading_status) - v;
	else
		field_fail(f, ERR_RANGE);
}

void field_get_u64(struct field_reader *f, uint64_t key, uint64_t max, uint64_t *ret)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o != NULL)
		field_read_u64(f, o, max, ret);
}

void field_get_u32(struct field_reader *f, uint64_t key, uint32_t max, uint32_t *ret)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o != NULL)
		field_read_u32(f, o, max, ret);
}

static bool is_reason(const msgpack_object *o)
{
	return o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

void field_get_reading(struct field_reader *f, uint64_t key, uint64_t max, struct reading_u64 *ret)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o == NULL)
		return;
	if (is_reason(o)) {
		field_read_status(f, o, &ret->status);
		return;
	}
	field_read_u64(f, o, max, &ret->value);
	ret->status = READING_OK;
}

void field_get_reading_text(struct field_reader *f, uint64_t key, size_t max, struct reading_text *ret)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o == NULL)
		return;
	if (is_reason(o)) {
		field_read_status(f, o, &ret->status);
		return;
	}
	field_read_text(f, o, ret->value, max + 1);
	ret->status = READING_OK;
}

void field_get_text(struct field_reader *f, uint64_t key, char *ret, size_t cap)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o != NULL)
		field_read_text(f, o, ret, cap);
}

void field_get_short(struct field_reader *f, uint64_t key, uint64_t *ret)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o != NULL)
		field_read_short(f, o, ret);
}

void field_get_bin(struct field_reader *f, uint64_t key, void *ret, size_t len)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o != NULL)
		read_bin(f, o, ret, len);
}

void field_get_reading_bin(struct field_reader *f, uint64_t key, void *ret, size_t len,
			   enum reading_status *ret_status)
{
	const msgpack_object *o = mp_get(f->map, key);
	if (o == NULL)
		return;
	if (is_reason(o)) {
		field_read_status(f, o, ret_status);
		return;
	}
	read_bin(f, o, ret, len);
	*ret_status = READING_OK;
}

void field_get_bin_ref(struct field_reader *f, uint64_t key, size_t max, const uint8_t **ret, size_t *ret_len)
{
	*ret = NULL;
	*ret_len = 0;
	const msgpack_object *o = mp_get(f->map, key);
	if (o == NULL)
		return;
	const uint8_t *bytes;
	size_t len;
	if (!mp_bin_ref(o, &bytes, &len)) {
		field_fail(f, ERR_FORMAT);
	} else if (len > max) {
		field_fail(f, ERR_RANGE);
	} else {
		*ret = bytes;
		*ret_len = len;
	}
}

const msgpack_object *field_get_list(struct field_reader *f, uint64_t key, size_t max, size_t *ret_count)
{
	const msgpack_object *o = mp_get(f->map, key);
	*ret_count = 0;
	if (o == NULL)
		return NULL;
	if (o->type != MSGPACK_OBJECT_ARRAY) {
		field_fail(f, ERR_FORMAT);
		return NULL;
	}
	if (mp_count(o) > max) {
		field_fail(f, ERR_RANGE);
		return NULL;
	}
	*ret_count = mp_count(o);
	return o;
}

const msgpack_object *field_get_map(struct field_reader *f, uint64_t key, size_t *ret_count)
{
	const msgpack_object *o = mp_get(f->map, key);
	*ret_count = 0;
	if (o == NULL)
		return NULL;
	if (o->type != MSGPACK_OBJECT_MAP) {
		field_fail(f, ERR_FORMAT);
		return NULL;
	}
	*ret_count = o->via.map.size;
	return o;
}
