#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 5. */
enum { KEY_TOTALS = 1, KEY_FIRST_DAY, KEY_PER_DAY, KEY_EVENTS, KEY_SOURCES };

const char *crash_kind_name(enum crash_kind kind)
{
	switch (kind) {
	case CRASH_UNCLEAN_BOOT:
		return "unclean-boot";
	case CRASH_OOPS:
		return "oops";
	case CRASH_WARNING:
		return "warning";
	case CRASH_PANIC:
		return "panic";
	case CRASH_OOM_KILL:
		return "oom-kill";
	case CRASH_CORE_DUMP:
		return "core-dump";
	case CRASH_BLUE_SCREEN:
		return "blue-screen";
	}
	return "unknown";
}

static void put_kinds(struct field_writer *f, const struct crashes *c)
{
	size_t count = 0;
	for (size_t kind = 1; kind < CRASH_KINDS; kind++)
		count += c->totals[kind] != 0;
	if (!field_put_map(f, KEY_TOTALS, count, CRASH_KINDS - 1))
		return;
	for (size_t kind = 1; kind < CRASH_KINDS; kind++) {
		if (c->totals[kind] == 0)
			continue;
		field_item_u64(f, kind, CRASH_KINDS - 1);
		field_item_u64(f, c->totals[kind], FIELD_U32);
	}
}

static void put_sources(struct field_writer *f, const struct crashes *c)
{
	size_t count = 0;
	for (size_t kind = 1; kind < CRASH_KINDS; kind++)
		count += c->sources[kind] != READING_UNKNOWN;
	if (!field_put_map(f, KEY_SOURCES, count, CRASH_KINDS - 1))
		return;
	for (size_t kind = 1; kind < CRASH_KINDS; kind++) {
		if (c->sources[kind] == READING_UNKNOWN)
			continue;
		field_item_u64(f, kind, CRASH_KINDS - 1);
		field_item_status(f, c->sources[kind]);
	}
}

enum err crashes_encode(const struct crashes *c, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	put_kinds(&f, c);
	if (c->first_day != 0)
		field_put_u64(&f, KEY_FIRST_DAY, c->first_day, FIELD_U32);
	if (field_put_list(&f, KEY_PER_DAY, c->day_count, LIMIT_CRASH_DAYS))
		for (size_t i = 0; i < c->day_count; i++)
			field_item_u64(&f, c->per_day[i], UINT16_MAX);
	if (field_put_list(&f, KEY_EVENTS, c->event_count, LIMIT_CRASH_EVENTS)) {
		for (size_t i = 0; i < c->event_count; i++) {
			const struct crash_event *e = &c->events[i];
			if (e->kind < CRASH_UNCLEAN_BOOT)
				f.err = ERR_RANGE;
			field_item_tuple(&f, 3);
			field_item_u64(&f, e->time_s, FIELD_U32);
			field_item_u64(&f, (uint64_t)e->kind, CRASH_KINDS - 1);
			field_item_text(&f, e->detail, sizeof(e->detail) - 1);
		}
	}
	put_sources(&f, c);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static void get_totals(struct field_reader *f, struct crashes *c)
{
	size_t count;
	const msgpack_object *map = field_get_map(f, KEY_TOTALS, &count);
	for (size_t i = 0; i < count; i++) {
		/* A kind this version does not know is skipped, like an unknown key. */
		uint64_t kind = map->via.map.ptr[i].key.via.u64, ignored;
		bool known = kind >= 1 && kind < CRASH_KINDS;
		field_read_u64(f, &map->via.map.ptr[i].val, FIELD_U32, known ? &c->totals[kind] : &ignored);
	}
}

static void get_sources(struct field_reader *f, struct crashes *c)
{
	size_t count;
	const msgpack_object *map = field_get_map(f, KEY_SOURCES, &count);
	for (size_t i = 0; i < count; i++) {
		uint64_t kind = map->via.map.ptr[i].key.via.u64;
		enum reading_status ignored;
		bool known = kind >= 1 && kind < CRASH_KINDS;
		field_read_status(f, &map->via.map.ptr[i].val, known ? &c->sources[kind] : &ignored);
	}
}

static void get_events(struct field_reader *f, struct crashes *c)
{
	const msgpack_object *list = field_get_list(f, KEY_EVENTS, LIMIT_CRASH_EVENTS, &c->event_count);
	for (size_t i = 0; i < c->event_count; i++) {
		struct crash_event *e = &c->events[i];
		const msgpack_object *o = field_read_tuple(f, list, i, 3);
		uint64_t kind = 0;
		field_read_u64(f, mp_at(o, 0), FIELD_U32, &e->time_s);
		field_read_u64(f, mp_at(o, 1), CRASH_KINDS - 1, &kind);
		field_read_text(f, mp_at(o, 2), e->detail, sizeof(e->detail));
		if (kind < CRASH_UNCLEAN_BOOT)
			field_fail(f, ERR_RANGE);
		e->kind = (enum crash_kind)kind;
	}
}

enum err crashes_decode(const uint8_t *body, size_t len, struct crashes *ret)
{
	struct crashes c = {0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	get_totals(&f, &c);
	field_get_u32(&f, KEY_FIRST_DAY, FIELD_U32, &c.first_day);
	const msgpack_object *days = field_get_list(&f, KEY_PER_DAY, LIMIT_CRASH_DAYS, &c.day_count);
	for (size_t i = 0; i < c.day_count; i++) {
		uint64_t count = 0;
		field_read_u64(&f, mp_at(days, i), UINT16_MAX, &count);
		c.per_day[i] = (uint16_t)count;
	}
	get_events(&f, &c);
	get_sources(&f, &c);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = c;
	return err;
}
