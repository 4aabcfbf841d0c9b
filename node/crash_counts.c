#include "node/crash_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "os/file.h"

#define FILE_MAGIC   0x6d65736863720001ull /* "meshcr", version 1 */
#define FILE_BYTES   2048
#define CHECK_DOMAIN "mesh.crashes"
#define CHECK_BYTES  8
#define DAY_S        86400u

void crash_counts_init(struct crash_counts *ret)
{
	memset(ret, 0, sizeof(*ret));
}

void crash_counts_resume(struct crash_counts *ret, const struct crashes *own_record)
{
	crash_counts_init(ret);
	ret->published = *own_record;
}

/* Moves the window of days so that `day` is in it; false when it lies before the window. */
static bool show_day(struct crashes *c, wall_day day)
{
	if (c->day_count == 0)
		c->first_day = day;
	if (day < c->first_day)
		return false;
	uint32_t index = day - c->first_day;
	if (index >= LIMIT_CRASH_DAYS) {
		uint32_t shift = index - (LIMIT_CRASH_DAYS - 1);
		uint32_t left = shift < LIMIT_CRASH_DAYS ? LIMIT_CRASH_DAYS - shift : 0;
		memmove(c->per_day, c->per_day + (LIMIT_CRASH_DAYS - left), left * sizeof(c->per_day[0]));
		memset(c->per_day + left, 0, (LIMIT_CRASH_DAYS - left) * sizeof(c->per_day[0]));
		c->first_day += shift;
		index -= shift;
	}
	if (index >= c->day_count)
		c->day_count = index + 1;
	return true;
}

void crash_counts_add(struct crash_counts *c, enum crash_kind kind, uint64_t count, uint64_t time_s,
		      const char *detail)
{
	struct crashes *p = &c->published;
	wall_day day = (wall_day)(time_s / DAY_S);
	p->totals[kind] += count;
	if (show_day(p, day)) {
		uint16_t *n = &p->per_day[day - p->first_day];
		*n = count > (uint64_t)(UINT16_MAX - *n) ? UINT16_MAX : (uint16_t)(*n + count);
	}
	size_t keep = p->event_count < LIMIT_CRASH_EVENTS ? p->event_count : LIMIT_CRASH_EVENTS - 1;
	memmove(&p->events[1], &p->events[0], keep * sizeof(p->events[0]));
	p->events[0] = (struct crash_event){.time_s = time_s, .kind = kind};
	text_copy(p->events[0].detail, sizeof(p->events[0].detail), detail);
	p->event_count = keep + 1;
}

/* New crashes by a counter that only grows within a boot, or a count of files that age out. */
static uint64_t growth(struct crash_counts *c, enum crash_kind kind, const struct reading_u64 *now)
{
	c->published.sources[kind] = now->status;
	if (now->status != READING_OK)
		return 0;
	uint64_t before = c->raw[kind];
	bool known = c->known[kind];
	c->raw[kind] = now->value;
	c->known[kind] = true;
	return known && now->value > before ? now->value - before : 0;
}

static uint64_t count(struct crash_counts *c, enum crash_kind kind, const struct reading_u64 *now,
		      uint64_t time_s, const char *source)
{
	uint64_t n = growth(c, kind, now);
	char detail[64];
	if (n == 0)
		return 0;
	snprintf(detail, sizeof(detail), "%s +%" PRIu64, source, n);
	crash_counts_add(c, kind, n, time_s, n == 1 ? source : detail);
	return n;
}

/* Files age out while new ones come: a newer file is a crash even when there are no more than before. */
static uint64_t count_core_dumps(struct crash_counts *c, const struct crash_sources *now, uint64_t time_s)
{
	bool known = c->known[CRASH_CORE_DUMP];
	uint64_t n = growth(c, CRASH_CORE_DUMP, &now->core_dumps);
	char detail[64];
	uint64_t newest = now->newest_core_dump_s.status == READING_OK ? now->newest_core_dump_s.value : 0;
	if (n == 0 && known && newest > c->newest_core_dump_s)
		n = 1;
	if (newest > c->newest_core_dump_s)
		c->newest_core_dump_s = newest;
	if (n == 0)
		return 0;
	snprintf(detail, sizeof(detail), "core dumps +%" PRIu64, n);
	crash_counts_add(c, CRASH_CORE_DUMP, n, newest != 0 ? newest : time_s, n == 1 ? "core dump" : detail);
	return n;
}

uint64_t crash_counts_update(struct crash_counts *c, const struct crash_sources *now, wall_ms wall)
{
	static const enum crash_kind per_boot[] = {CRASH_OOPS, CRASH_WARNING, CRASH_OOM_KILL};
	uint64_t time_s = wall / CLOCK_SECOND_MS;
	uint64_t n = 0;
	if (now->boot != c->boot && now->boot != 0) {
		/* Counters began again at zero. */
		for (size_t i = 0; i < sizeof(per_boot) / sizeof(per_boot[0]); i++)
			c->raw[per_boot[i]] = 0;
		c->boot = now->boot;
	}
	n += count(c, CRASH_OOPS, &now->oopses, time_s, "oops_count");
	n += count(c, CRASH_WARNING, &now->warnings, time_s, "warn_count");
	n += count(c, CRASH_OOM_KILL, &now->oom_kills, time_s, "oom_kill");
	n += count(c, CRASH_PANIC, &now->pstore_panics, time_s, "pstore");
	n += count(c, CRASH_BLUE_SCREEN, &now->blue_screens, time_s, "BugCheck");
	n += count_core_dumps(c, now, time_s);
	/* The boot file is the node's own. */
	c->published.sources[CRASH_UNCLEAN_BOOT] = READING_OK;
	return n;
}

static void put_crashes(struct writer *w, const struct crashes *p)
{
	for (size_t i = 0; i < CRASH_KINDS; i++) {
		writer_u64(w, p->totals[i]);
		writer_u8(w, (uint8_t)p->sources[i]);
	}
	writer_u32(w, p->first_day);
	writer_u8(w, (uint8_t)p->day_count);
	for (size_t i = 0; i < LIMIT_CRASH_DAYS; i++)
		writer_u16(w, p->per_day[i]);
	writer_u8(w, (uint8_t)p->event_count);
	for (size_t i = 0; i < p->event_count; i++) {
		writer_u64(w, p->events[i].time_s);
		writer_u8(w, (uint8_t)p->events[i].kind);
		writer_bytes(w, p->events[i].detail, sizeof(p->events[i].detail));
	}
}

/* False for values that no node writes. */
static bool get_crashes(struct reader *r, struct crashes *p)
{
	for (size_t i = 0; i < CRASH_KINDS; i++) {
		p->totals[i] = reader_u64(r);
		p->sources[i] = (enum reading_status)reader_u8(r);
		if (p->sources[i] > READING_FAILED)
			return false;
	}
	p->first_day = reader_u32(r);
	p->day_count = reader_u8(r);
	for (size_t i = 0; i < LIMIT_CRASH_DAYS; i++)
		p->per_day[i] = reader_u16(r);
	p->event_count = reader_u8(r);
	if (p->day_count > LIMIT_CRASH_DAYS || p->event_count > LIMIT_CRASH_EVENTS)
		return false;
	for (size_t i = 0; i < p->event_count; i++) {
		p->events[i].time_s = reader_u64(r);
		p->events[i].kind = (enum crash_kind)reader_u8(r);
		reader_copy(r, p->events[i].detail, sizeof(p->events[i].detail));
		if (p->events[i].kind >= CRASH_KINDS ||
		    p->events[i].detail[sizeof(p->events[i].detail) - 1] != '\0')
			return false;
	}
	return true;
}

enum err crash_counts_save(const char *path, const struct crash_counts *c, struct err_info *info)
{
	uint8_t data[FILE_BYTES];
	struct writer w = writer_of(data, sizeof(data));
	writer_u64(&w, FILE_MAGIC);
	writer_u64(&w, c->boot);
	writer_u64(&w, c->newest_core_dump_s);
	for (size_t i = 0; i < CRASH_KINDS; i++) {
		writer_u8(&w, c->known[i]);
		writer_u64(&w, c->raw[i]);
	}
	put_crashes(&w, &c->published);
	writer_u64(&w, hash_u64(CHECK_DOMAIN, data, w.len));
	return os_file_replace(path, data, w.len, 0600, info);
}

static bool decode(const uint8_t *data, size_t len, struct crash_counts *ret)
{
	if (len < CHECK_BYTES)
		return false;
	struct reader sum = reader_of(data + len - CHECK_BYTES, CHECK_BYTES);
	if (reader_u64(&sum) != hash_u64(CHECK_DOMAIN, data, len - CHECK_BYTES))
		return false;
	struct reader r = reader_of(data, len - CHECK_BYTES);
	if (reader_u64(&r) != FILE_MAGIC)
		return false;
	crash_counts_init(ret);
	ret->boot = reader_u64(&r);
	ret->newest_core_dump_s = reader_u64(&r);
	for (size_t i = 0; i < CRASH_KINDS; i++) {
		ret->known[i] = reader_u8(&r) != 0;
		ret->raw[i] = reader_u64(&r);
	}
	return get_crashes(&r, &ret->published) && reader_done(&r);
}

enum err crash_counts_load(const char *path, struct crash_counts *ret, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	struct crash_counts c;
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err == ERR_LIMIT)
		return err_set(info, ERR_CHECKSUM, "\"%s\" is longer than %d bytes", path, FILE_BYTES);
	if (err != ERR_OK)
		return err;
	bool good = decode(data, len, &c);
	free(data);
	if (!good)
		return err_set(info, ERR_CHECKSUM, "\"%s\" is damaged", path);
	*ret = c;
	return ERR_OK;
}
