#include "tests/fuzz/mutate.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mp.h"

#define PLACES_MAX 512
#define VALUE_MAX  80

/* A value inside the whole: where it is, and in which array or map. */
struct place {
	size_t at, len;
	size_t parent; /* index; itself for the outermost */
	uint64_t count;
	size_t head; /* bytes before the first element; 0: neither array nor map */
	bool map;
	bool key;
};

struct places {
	struct place all[PLACES_MAX];
	size_t count;
};

/* Head of an array or map at `data`; false for any other value. */
static bool container(const uint8_t *data, size_t len, struct place *ret)
{
	struct reader r = reader_of(data, len);
	uint8_t tag = reader_u8(&r);
	ret->map = (tag & 0xf0) == 0x80 || tag == 0xde;
	if ((tag & 0xe0) == 0x80)
		ret->count = tag & 0x0f;
	else if (tag == 0xdc || tag == 0xde)
		ret->count = reader_u16(&r);
	else
		return false;
	ret->head = r.pos;
	return !r.failed;
}

/* Notes the value at `at` and all inside it. The whole was checked, so the depth is bounded. */
static void note(struct places *p, const uint8_t *data, size_t at, size_t len, size_t parent, bool key)
{
	if (p->count == PLACES_MAX)
		return;
	size_t self = p->count++;
	p->all[self] = (struct place){.at = at, .len = len, .parent = parent, .key = key};
	if (!container(data + at, len, &p->all[self]))
		return;
	uint64_t elements = p->all[self].map ? p->all[self].count * 2 : p->all[self].count;
	size_t next = at + p->all[self].head;
	for (uint64_t i = 0; i < elements; i++) {
		size_t used;
		if (mp_check_prefix(data + next, at + len - next, &used) != ERR_OK)
			return;
		note(p, data, next, used, self, p->all[self].map && i % 2 == 0);
		next += used;
	}
}

/* A value at the edges of what fields allow. */
static size_t draw_value(struct prng *p, uint8_t ret[VALUE_MAX])
{
	static const uint64_t numbers[] = {0,   1,    2,     15,         100,        127,       255,
					   256, 3072, 65535, UINT32_MAX, 1ull << 40, UINT64_MAX};
	static const size_t lengths[] = {0, 1, 8, 16, 24, 25, 32, 33, 64, 65};
	static const char text[] = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy";
	struct mp_writer w;
	size_t len = lengths[prng_below(p, sizeof(lengths) / sizeof(*lengths))];
	mp_writer_init(&w, ret, VALUE_MAX);
	switch (prng_below(p, 6)) {
	case 0:
		mp_put_u64(&w, numbers[prng_below(p, sizeof(numbers) / sizeof(*numbers))]);
		break;
	case 1:
		mp_put_i64(&w, -(int64_t)prng_below(p, 8));
		break;
	case 2:
		mp_put_str(&w, text + sizeof(text) - 1 - len);
		break;
	case 3:
		mp_put_bin(&w, text, len);
		break;
	case 4:
		mp_put_array(&w, 0);
		break;
	default:
		mp_put_map(&w, 0);
		break;
	}
	return w.len;
}

/* Puts `with` in the place of `old` bytes at `at`. */
static size_t splice(uint8_t *data, size_t len, size_t cap, size_t at, size_t old, const uint8_t *with,
		     size_t n)
{
	if (len - old + n > cap)
		return len;
	memmove(data + at + n, data + at + old, len - at - old);
	if (n > 0)
		memcpy(data + at, with, n);
	return len - old + n;
}

static size_t write_head(uint8_t ret[8], bool map, uint64_t count)
{
	struct mp_writer w;
	mp_writer_init(&w, ret, 8);
	if (map)
		mp_put_map(&w, (size_t)count);
	else
		mp_put_array(&w, (size_t)count);
	return w.len;
}

/* One element of an array less, or up to eight more of the same. */
static size_t resize(struct prng *p, const struct places *all, const struct place *e, uint8_t *data,
		     size_t len, size_t cap)
{
	const struct place *list = &all->all[e->parent];
	uint8_t element[1024], head[8];
	bool less = prng_below(p, 3) == 0;
	uint64_t more = less ? 0 : 1 + prng_below(p, 8);
	if (e->len > sizeof(element) || (!less && len + more * e->len + 2 > cap))
		return len;
	memcpy(element, data + e->at, e->len);
	if (less)
		len = splice(data, len, cap, e->at, e->len, NULL, 0);
	for (uint64_t i = 0; i < more; i++)
		len = splice(data, len, cap, e->at, 0, element, e->len);
	size_t n = write_head(head, false, list->count + more - (less ? 1 : 0));
	return splice(data, len, cap, list->at, list->head, head, n);
}

/* A map gets one entry more behind its last, or loses the one that `value` is of. */
static size_t map_entry(struct prng *p, const struct places *all, const struct place *key, uint8_t *data,
			size_t len, size_t cap)
{
	const struct place *map = &all->all[key->parent];
	uint8_t made[1 + VALUE_MAX], head[8];
	size_t n;
	if (prng_below(p, 2) == 0) {
		const struct place *value = key + 1;
		len = splice(data, len, cap, key->at, key->len + value->len, NULL, 0);
		n = write_head(head, true, map->count - 1);
	} else {
		made[0] = (uint8_t)(32 + prng_below(p, 90)); /* above the keys of every table */
		size_t made_len = 1 + draw_value(p, made + 1), before = len;
		len = splice(data, len, cap, map->at + map->len, 0, made, made_len);
		n = write_head(head, true, map->count + (len != before));
	}
	return splice(data, len, cap, map->at, map->head, head, n);
}

size_t mutate_msgpack(struct prng *p, uint8_t *data, size_t len, size_t cap)
{
	static struct places all;
	uint8_t value[VALUE_MAX];
	size_t used;
	if (mp_check_prefix(data, len, &used) != ERR_OK)
		return len;
	all.count = 0;
	note(&all, data, 0, used, 0, false);
	size_t at = prng_below(p, all.count);
	const struct place *e = &all.all[at], *parent = &all.all[e->parent];
	if (e->key && at + 1 < all.count)
		return map_entry(p, &all, e, data, len, cap);
	if (at > 0 && !parent->map && parent->head > 0 && prng_below(p, 2) == 0)
		return resize(p, &all, e, data, len, cap);
	size_t n = draw_value(p, value);
	return splice(data, len, cap, e->at, e->len, value, n);
}
