#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 3. */
enum {
	KEY_BOOT = 1,
	KEY_BOOT_TIME,
	KEY_LAST_BOOT_CLEAN,
	KEY_LEVEL,
	KEY_REASONS,
	KEY_STALL_CPU,
	KEY_STALL_MEMORY,
	KEY_STALL_IO,
	KEY_MEMORY,
	KEY_DISK,
	KEY_OOM_KILLS,
	KEY_OOPSES,
	KEY_WARNINGS,
	KEY_TAINT,
	KEY_REFUTATIONS,
	KEY_CLOCK_OFF,
};

#define PERCENT 100

enum err health_encode(const struct health *h, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	if (h->boot != 0)
		field_put_short(&f, KEY_BOOT, h->boot);
	field_put_reading(&f, KEY_BOOT_TIME, &h->boot_time_s, FIELD_U32);
	field_put_reading(&f, KEY_LAST_BOOT_CLEAN, &h->last_boot_clean, 1);
	field_put_u64(&f, KEY_LEVEL, (uint64_t)h->level, HEALTH_CRITICAL);
	field_put_u64(&f, KEY_REASONS, h->reasons, UINT16_MAX);
	field_put_reading(&f, KEY_STALL_CPU, &h->stall_cpu_percent, PERCENT);
	field_put_reading(&f, KEY_STALL_MEMORY, &h->stall_memory_percent, PERCENT);
	field_put_reading(&f, KEY_STALL_IO, &h->stall_io_percent, PERCENT);
	field_put_reading(&f, KEY_MEMORY, &h->memory_percent, PERCENT);
	field_put_reading(&f, KEY_DISK, &h->disk_percent, PERCENT);
	field_put_reading(&f, KEY_OOM_KILLS, &h->oom_kills, FIELD_U32);
	field_put_reading(&f, KEY_OOPSES, &h->oopses, FIELD_U32);
	field_put_reading(&f, KEY_WARNINGS, &h->warnings, FIELD_U32);
	field_put_reading(&f, KEY_TAINT, &h->taint, UINT64_MAX);
	if (field_put_list(&f, KEY_REFUTATIONS, h->refutation_count, LIMIT_REFUTATIONS)) {
		for (size_t i = 0; i < h->refutation_count; i++) {
			field_item_tuple(&f, 2);
			field_item_short(&f, h->refutations[i].signer);
			field_item_u64(&f, h->refutations[i].seq, UINT64_MAX);
		}
	}
	if (h->clock_off)
		field_put_u64(&f, KEY_CLOCK_OFF, 1, 1);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static void get_refutations(struct field_reader *f, struct health *h)
{
	const msgpack_object *list =
	    field_get_list(f, KEY_REFUTATIONS, LIMIT_REFUTATIONS, &h->refutation_count);
	for (size_t i = 0; i < h->refutation_count; i++) {
		const msgpack_object *o = field_read_tuple(f, list, i, 2);
		field_read_short(f, mp_at(o, 0), &h->refutations[i].signer);
		field_read_u64(f, mp_at(o, 1), UINT64_MAX, &h->refutations[i].seq);
	}
}

enum err health_decode(const uint8_t *body, size_t len, struct health *ret)
{
	struct health h = {0};
	struct field_reader f;
	uint64_t level = HEALTH_OK, clock_off = 0;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_get_short(&f, KEY_BOOT, &h.boot);
	field_get_reading(&f, KEY_BOOT_TIME, FIELD_U32, &h.boot_time_s);
	field_get_reading(&f, KEY_LAST_BOOT_CLEAN, 1, &h.last_boot_clean);
	field_get_u64(&f, KEY_LEVEL, HEALTH_CRITICAL, &level);
	field_get_u32(&f, KEY_REASONS, UINT16_MAX, &h.reasons);
	field_get_reading(&f, KEY_STALL_CPU, PERCENT, &h.stall_cpu_percent);
	field_get_reading(&f, KEY_STALL_MEMORY, PERCENT, &h.stall_memory_percent);
	field_get_reading(&f, KEY_STALL_IO, PERCENT, &h.stall_io_percent);
	field_get_reading(&f, KEY_MEMORY, PERCENT, &h.memory_percent);
	field_get_reading(&f, KEY_DISK, PERCENT, &h.disk_percent);
	field_get_reading(&f, KEY_OOM_KILLS, FIELD_U32, &h.oom_kills);
	field_get_reading(&f, KEY_OOPSES, FIELD_U32, &h.oopses);
	field_get_reading(&f, KEY_WARNINGS, FIELD_U32, &h.warnings);
	field_get_reading(&f, KEY_TAINT, UINT64_MAX, &h.taint);
	get_refutations(&f, &h);
	field_get_u64(&f, KEY_CLOCK_OFF, 1, &clock_off);
	/* What is missing is unknown, and there is no such level: it must not read as "ok". */
	if (!field_has(&f, KEY_LEVEL))
		field_fail(&f, ERR_FORMAT);
	enum err err = field_close(&f);
	if (err != ERR_OK)
		return err;
	h.level = (enum health_level)level;
	h.clock_off = clock_off == 1;
	*ret = h;
	return ERR_OK;
}
