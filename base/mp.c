#include "base/mp.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/limits.h"

/* msgpack-c's own 8 KiB chunks are too much for bodies of a few hundred bytes. */
#define ZONE_CHUNK_BYTES 1024

enum kind { KIND_NONE, KIND_PLAIN, KIND_UINT, KIND_BYTES, KIND_ARRAY, KIND_MAP };

struct item {
	enum kind kind;
	uint64_t value; /* of KIND_UINT; else the bytes or elements that follow */
};

/* Tags 0xc4 to 0xdf: a big-endian number of `width` bytes follows. It lies in min..max, or else a shorter
 * form exists. Rows without a width are floats, extension types: not allowed. */
#define FORM_FIRST 0xc4
#define FORM_LAST  0xdf
static const struct form {
	enum kind kind;
	uint8_t width;
	uint64_t min, max;
} forms[FORM_LAST - FORM_FIRST + 1] = {
    [0xc4 - FORM_FIRST] = {KIND_BYTES, 1, 0, UINT8_MAX},
    [0xc5 - FORM_FIRST] = {KIND_BYTES, 2, 0x100, UINT16_MAX},
    [0xc6 - FORM_FIRST] = {KIND_BYTES, 4, 0x10000, UINT32_MAX},
    [0xcc - FORM_FIRST] = {KIND_UINT, 1, 0x80, UINT8_MAX},
    [0xcd - FORM_FIRST] = {KIND_UINT, 2, 0x100, UINT16_MAX},
    [0xce - FORM_FIRST] = {KIND_UINT, 4, 0x10000, UINT32_MAX},
    [0xcf - FORM_FIRST] = {KIND_UINT, 8, 0x100000000, UINT64_MAX},
    /* Negative only: what is not has an unsigned form. */
    [0xd0 - FORM_FIRST] = {KIND_PLAIN, 1, 0x80, 0xdf},
    [0xd1 - FORM_FIRST] = {KIND_PLAIN, 2, 0x8000, 0xff7f},
    [0xd2 - FORM_FIRST] = {KIND_PLAIN, 4, 0x80000000, 0xffff7fff},
    [0xd3 - FORM_FIRST] = {KIND_PLAIN, 8, 0x8000000000000000, 0xffffffff7fffffff},
    [0xd9 - FORM_FIRST] = {KIND_BYTES, 1, 0x20, UINT8_MAX},
    [0xda - FORM_FIRST] = {KIND_BYTES, 2, 0x100, UINT16_MAX},
    [0xdb - FORM_FIRST] = {KIND_BYTES, 4, 0x10000, UINT32_MAX},
    [0xdc - FORM_FIRST] = {KIND_ARRAY, 2, 0x10, UINT16_MAX},
    [0xdd - FORM_FIRST] = {KIND_ARRAY, 4, 0x10000, UINT32_MAX},
    [0xde - FORM_FIRST] = {KIND_MAP, 2, 0x10, UINT16_MAX},
    [0xdf - FORM_FIRST] = {KIND_MAP, 4, 0x10000, UINT32_MAX},
};

static enum err item_read_form(struct reader *r, const struct form *form, struct item *ret)
{
	uint64_t v;
	switch (form->width) {
	case 1:
		v = reader_u8(r);
		break;
	case 2:
		v = reader_u16(r);
		break;
	case 4:
		v = reader_u32(r);
		break;
	case 8:
		v = reader_u64(r);
		break;
	default:
		return ERR_FORMAT;
	}
	if (r->failed)
		return ERR_SHORT;
	if (v < form->min || v > form->max)
		return ERR_FORMAT;
	*ret = (struct item){form->kind, v};
	return ERR_OK;
}

/* Head of one value, and the whole of one that holds no others. */
static enum err item_read(struct reader *r, struct item *ret)
{
	struct item item = {.kind = KIND_NONE};
	uint8_t tag = reader_u8(r);
	if (r->failed)
		return ERR_SHORT;
	if (tag < 0x80)
		item = (struct item){KIND_UINT, tag};
	else if (tag < 0x90)
		item = (struct item){KIND_MAP, tag & 0x0f};
	else if (tag < 0xa0)
		item = (struct item){KIND_ARRAY, tag & 0x0f};
	else if (tag < 0xc0)
		item = (struct item){KIND_BYTES, tag & 0x1f};
	else if (tag == 0xc0 || tag == 0xc2 || tag == 0xc3 || tag >= 0xe0)
		item = (struct item){KIND_PLAIN, 0};
	else if (tag >= FORM_FIRST && tag <= FORM_LAST) {
		enum err err = item_read_form(r, &forms[tag - FORM_FIRST], &item);
		if (err != ERR_OK)
			return err;
	}
	switch (item.kind) {
	case KIND_NONE:
		return ERR_FORMAT;
	case KIND_BYTES:
		if (reader_bytes(r, item.value) == NULL)
			return ERR_SHORT;
		break;
	case KIND_ARRAY:
	case KIND_MAP:
		/* Each element takes at least a byte. */
		if (item.value > reader_left(r) / (item.kind == KIND_MAP ? 2 : 1))
			return ERR_SHORT;
		break;
	case KIND_PLAIN:
	case KIND_UINT:
		break;
	}
	*ret = item;
	return ERR_OK;
}

/* An array or a map whose elements are being read. */
struct level {
	bool map;
	uint64_t left; /* elements to come; keys count as elements */
	uint64_t least_key;
	bool keys_spent; /* the last key was the greatest there is */
};

/* Account for an element of `level`, which may be a key. */
static enum err level_take(struct level *level, const struct item *item)
{
	bool key = level->map && level->left % 2 == 0;
	level->left--;
	if (!key)
		return ERR_OK;
	if (item->kind != KIND_UINT || level->keys_spent || item->value < level->least_key)
		return ERR_FORMAT;
	level->keys_spent = item->value == UINT64_MAX;
	level->least_key = item->value + 1;
	return ERR_OK;
}

enum err mp_check_prefix(const uint8_t *data, size_t len, size_t *ret_len)
{
	struct reader r = reader_of(data, len);
	struct level levels[LIMIT_MSGPACK_DEPTH];
	size_t depth = 0;
	do {
		struct item item;
		enum err err = item_read(&r, &item);
		if (err == ERR_OK && depth > 0)
			err = level_take(&levels[depth - 1], &item);
		if (err != ERR_OK)
			return err;
		if (item.kind == KIND_ARRAY || item.kind == KIND_MAP) {
			if (depth == LIMIT_MSGPACK_DEPTH)
				return ERR_FORMAT;
			bool map = item.kind == KIND_MAP;
			levels[depth++] = (struct level){.map = map, .left = item.value * (map ? 2 : 1)};
		}
		while (depth > 0 && levels[depth - 1].left == 0)
			depth--;
	} while (depth > 0);
	*ret_len = r.pos;
	return ERR_OK;
}

enum err mp_check(const uint8_t *data, size_t len)
{
	size_t used;
	enum err err = mp_check_prefix(data, len, &used);
	if (err != ERR_OK)
		return err;
	return used == len ? ERR_OK : ERR_TRAILING;
}

enum err mp_open(struct mp_doc *doc, const uint8_t *data, size_t len)
{
	msgpack_unpacked_init(&doc->unpacked);
	enum err err = mp_check(data, len);
	if (err != ERR_OK)
		return err;
	msgpack_zone *zone = msgpack_zone_new(ZONE_CHUNK_BYTES);
	if (zone == NULL)
		return ERR_NOMEM;
	doc->unpacked.zone = zone;
	size_t offset = 0;
	msgpack_unpack_return got =
	    msgpack_unpack((const char *)data, len, &offset, zone, &doc->unpacked.data);
	if (got == MSGPACK_UNPACK_SUCCESS)
		return ERR_OK;
	mp_close(doc);
	if (got == MSGPACK_UNPACK_NOMEM_ERROR)
		return ERR_NOMEM;
	/* The pre-scan let something pass that msgpack-c refuses. */
	(void)CHECK_SOFT(got == MSGPACK_UNPACK_SUCCESS);
	return ERR_FORMAT;
}

void mp_close(struct mp_doc *doc)
{
	if (doc != NULL)
		msgpack_unpacked_destroy(&doc->unpacked);
}

const msgpack_object *mp_root(const struct mp_doc *doc)
{
	return &doc->unpacked.data;
}

const msgpack_object *mp_get(const msgpack_object *map, uint64_t key)
{
	if (map == NULL || map->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		const msgpack_object_kv *kv = &map->via.map.ptr[i];
		if (kv->key.type == MSGPACK_OBJECT_POSITIVE_INTEGER && kv->key.via.u64 == key)
			return &kv->val;
	}
	return NULL;
}

const msgpack_object *mp_at(const msgpack_object *array, size_t index)
{
	return index < mp_count(array) ? &array->via.array.ptr[index] : NULL;
}

size_t mp_count(const msgpack_object *array)
{
	return array != NULL && array->type == MSGPACK_OBJECT_ARRAY ? array->via.array.size : 0;
}

bool mp_u64(const msgpack_object *o, uint64_t max, uint64_t *ret)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > max)
		return false;
	*ret = o->via.u64;
	return true;
}

bool mp_i64(const msgpack_object *o, int64_t *ret)
{
	uint64_t v;
	if (mp_u64(o, INT64_MAX, &v)) {
		*ret = (int64_t)v;
		return true;
	}
	if (o == NULL || o->type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
		return false;
	*ret = o->via.i64;
	return true;
}

bool mp_bool(const msgpack_object *o, bool *ret)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_BOOLEAN)
		return false;
	*ret = o->via.boolean;
	return true;
}

bool mp_str(const msgpack_object *o, char *ret, size_t cap)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_STR)
		return false;
	size_t len = o->via.str.size;
	if (len >= cap || (len > 0 && memchr(o->via.str.ptr, 0, len) != NULL))
		return false;
	if (len > 0)
		memcpy(ret, o->via.str.ptr, len);
	ret[len] = '\0';
	return true;
}

bool mp_bin_ref(const msgpack_object *o, const uint8_t **ret, size_t *ret_len)
{
	if (o == NULL || o->type != MSGPACK_OBJECT_BIN)
		return false;
	*ret = (const uint8_t *)o->via.bin.ptr;
	*ret_len = o->via.bin.size;
	return true;
}

bool mp_bin(const msgpack_object *o, void *ret, size_t len)
{
	const uint8_t *bytes;
	size_t have;
	if (!mp_bin_ref(o, &bytes, &have) || have != len)
		return false;
	if (len > 0)
		memcpy(ret, bytes, len);
	return true;
}
