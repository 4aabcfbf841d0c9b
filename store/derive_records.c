#include <string.h>

#include "record/body.h"
#include "store/derive.h"

static void put_reading(struct column_draft *d, unsigned row, unsigned status, unsigned value,
			const struct reading_u64 *r)
{
	column_put_u64(d, row, status, r->status);
	if (r->status == READING_OK)
		column_put_u64(d, row, value, r->value);
}

/* One that is read and empty is a text, not none. */
static void put_reading_text(struct column_draft *d, unsigned row, unsigned status, unsigned value,
			     const struct reading_text *r)
{
	column_put_u64(d, row, status, r->status);
	if (r->status == READING_OK)
		column_put_bytes(d, row, value, r->value, strlen(r->value));
}

struct joined {
	char text[512];
	size_t len;
};

static void join(struct joined *j, const char *text)
{
	size_t bytes = strlen(text);
	if (j->len + bytes + 1 > sizeof(j->text))
		return;
	if (j->len > 0)
		j->text[j->len++] = ',';
	memcpy(j->text + j->len, text, bytes);
	j->len += bytes;
}

_Static_assert(LIMIT_TAGS *(LIMIT_TAG_BYTES + 1) < 512 && LIMIT_ADDRESSES * 64 < 512,
	       "lists fit struct joined");

static void put_lists(const struct profile *p, struct column_draft *d, unsigned row)
{
	struct joined tags = {.len = 0}, assets = {.len = 0}, addresses = {.len = 0};
	char text[64];
	for (size_t i = 0; i < p->tag_count; i++)
		join(&tags, p->tags[i]);
	for (size_t i = 0; i < p->asset_id_count; i++)
		join(&assets, p->asset_ids[i]);
	for (size_t i = 0; i < p->address_count; i++) {
		address_text(&p->addresses[i], text);
		join(&addresses, text);
	}
	column_put_bytes(d, row, C_PROFILE_TAGS, tags.text, tags.len);
	if (assets.len > 0)
		column_put_bytes(d, row, C_PROFILE_ASSET_IDS, assets.text, assets.len);
	if (addresses.len > 0)
		column_put_bytes(d, row, C_PROFILE_ADDRESSES, addresses.text, addresses.len);
}

void derive_profile(const struct record *r, struct column_draft *d, unsigned row)
{
	struct profile p;
	column_draft_clear(d, row);
	if (profile_decode(r->body, r->body_len, &p) != ERR_OK)
		return;
	column_draft_mark(d, row);
	column_put_u64(d, row, C_PROFILE_SEQ, r->seq);
	put_reading_text(d, row, C_PROFILE_NAME_STATUS, C_PROFILE_NAME, &p.hostname);
	column_put_text(d, row, C_PROFILE_CURRENT_SITE, p.site);
	put_reading_text(d, row, C_PROFILE_LOCATION_STATUS, C_PROFILE_LOCATION, &p.location);
	column_put_text(d, row, C_PROFILE_ROLE, p.role);
	put_reading_text(d, row, C_PROFILE_OS_STATUS, C_PROFILE_OS, &p.os);
	put_reading_text(d, row, C_PROFILE_KERNEL_STATUS, C_PROFILE_KERNEL, &p.kernel);
	put_reading_text(d, row, C_PROFILE_ARCH_STATUS, C_PROFILE_ARCH, &p.arch);
	put_reading_text(d, row, C_PROFILE_MODEL_STATUS, C_PROFILE_MODEL, &p.model);
	put_reading_text(d, row, C_PROFILE_BOOT_MODE_STATUS, C_PROFILE_BOOT_MODE, &p.boot_mode);
	put_reading(d, row, C_PROFILE_SECURE_BOOT_STATUS, C_PROFILE_SECURE_BOOT, &p.secure_boot);
	column_put_u64(d, row, C_PROFILE_HARDWARE_HASH_STATUS, p.hardware_hash_status);
	if (p.hardware_hash_status == READING_OK)
		column_put_bytes(d, row, C_PROFILE_HARDWARE_HASH, p.hardware_hash, sizeof(p.hardware_hash));
	column_put_text(d, row, C_PROFILE_AGENT, p.agent);
	put_reading_text(d, row, C_PROFILE_VIRTUALIZATION_STATUS, C_PROFILE_VIRTUALIZATION,
			 &p.virtualization);
	column_put_u64(d, row, C_PROFILE_FLAGS, p.flags);
	put_lists(&p, d, row);
}

void derive_health(const struct record *r, struct column_draft *d, unsigned row)
{
	struct health h;
	column_draft_clear(d, row);
	if (health_decode(r->body, r->body_len, &h) != ERR_OK)
		return;
	column_draft_mark(d, row);
	column_put_u64(d, row, C_HEALTH_SEQ, r->seq);
	column_put_u64(d, row, C_HEALTH_BOOT, h.boot);
	column_put_u64(d, row, C_HEALTH_LEVEL, h.level);
	column_put_u64(d, row, C_HEALTH_REASONS, h.reasons);
	column_put_u64(d, row, C_HEALTH_CLOCK_OFF, h.clock_off);
	put_reading(d, row, C_HEALTH_BOOT_TIME_STATUS, C_HEALTH_BOOT_TIME, &h.boot_time_s);
	put_reading(d, row, C_HEALTH_BOOT_CLEAN_STATUS, C_HEALTH_BOOT_CLEAN, &h.last_boot_clean);
	put_reading(d, row, C_HEALTH_STALL_CPU_STATUS, C_HEALTH_STALL_CPU, &h.stall_cpu_percent);
	put_reading(d, row, C_HEALTH_STALL_MEMORY_STATUS, C_HEALTH_STALL_MEMORY, &h.stall_memory_percent);
	put_reading(d, row, C_HEALTH_STALL_IO_STATUS, C_HEALTH_STALL_IO, &h.stall_io_percent);
	put_reading(d, row, C_HEALTH_MEMORY_STATUS, C_HEALTH_MEMORY, &h.memory_percent);
	put_reading(d, row, C_HEALTH_DISK_STATUS, C_HEALTH_DISK, &h.disk_percent);
	put_reading(d, row, C_HEALTH_OOM_KILLS_STATUS, C_HEALTH_OOM_KILLS, &h.oom_kills);
	put_reading(d, row, C_HEALTH_OOPSES_STATUS, C_HEALTH_OOPSES, &h.oopses);
	put_reading(d, row, C_HEALTH_WARNINGS_STATUS, C_HEALTH_WARNINGS, &h.warnings);
	put_reading(d, row, C_HEALTH_TAINT_STATUS, C_HEALTH_TAINT, &h.taint);
}

static void put_le(uint8_t *at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

void derive_components(const struct record *r, const struct components *c, uint32_t manifest,
		       struct column_draft *d, unsigned row)
{
	uint8_t pending[LIMIT_PENDING * 8];
	size_t loaded = sizeof(c->loaded);
	column_draft_clear(d, row);
	column_draft_mark(d, row);
	column_put_u64(d, row, C_COMPONENTS_SEQ, r->seq);
	column_put_u64(d, row, C_COMPONENTS_MANIFEST, manifest);
	column_put_u64(d, row, C_COMPONENTS_ENTRY_COUNT, c->entry_count);
	column_put_u64(d, row, C_COMPONENTS_MODULE_SUPPORT, c->module_support);
	column_put_u64(d, row, C_COMPONENTS_CHANGES_TOTAL, c->changes_total);
	put_reading(d, row, C_COMPONENTS_TAINT_STATUS, C_COMPONENTS_TAINT, &c->taint);
	put_reading(d, row, C_COMPONENTS_EBPF_STATUS, C_COMPONENTS_EBPF, &c->ebpf_programs);
	while (loaded > 0 && c->loaded[loaded - 1] == 0)
		loaded--;
	if (loaded > 0)
		column_put_bytes(d, row, C_COMPONENTS_LOADED, c->loaded, loaded);
	for (size_t i = 0; i < c->pending_count; i++)
		put_le(pending + 8 * i, c->pending[i], 8);
	if (c->pending_count > 0)
		column_put_bytes(d, row, C_COMPONENTS_PENDING, pending, 8 * c->pending_count);
}

void derive_changes(const struct components *c, struct column_draft *d, unsigned row)
{
	uint8_t events[LIMIT_CHANGES * COLUMN_CHANGE_BYTES];
	column_draft_clear(d, row);
	if (c->change_count == 0)
		return;
	column_draft_mark(d, row);
	for (size_t i = 0; i < c->change_count; i++) {
		uint8_t *at = events + i * COLUMN_CHANGE_BYTES;
		put_le(at, c->changes[i].entry, 8);
		put_le(at + 8, c->changes[i].time_s, 8);
		at[16] = (uint8_t)c->changes[i].op;
	}
	column_put_bytes(d, row, C_CHANGES_EVENTS, events, c->change_count * COLUMN_CHANGE_BYTES);
}

static void put_crash_events(const struct crashes *c, struct column_draft *d, unsigned row)
{
	uint8_t events[LIMIT_CRASH_EVENTS * (10 + LIMIT_LABEL_BYTES)];
	size_t len = 0;
	for (size_t i = 0; i < c->event_count; i++) {
		const struct crash_event *e = &c->events[i];
		size_t detail = strlen(e->detail);
		put_le(events + len, e->time_s, 8);
		events[len + 8] = (uint8_t)e->kind;
		events[len + 9] = (uint8_t)detail;
		memcpy(events + len + 10, e->detail, detail);
		len += 10 + detail;
	}
	column_put_u64(d, row, C_CRASHES_EVENT_COUNT, c->event_count);
	if (len > 0)
		column_put_bytes(d, row, C_CRASHES_EVENTS, events, len);
}

void derive_crashes(const struct record *r, struct column_draft *d, unsigned row)
{
	struct crashes c;
	uint8_t days[2 * LIMIT_CRASH_DAYS];
	column_draft_clear(d, row);
	if (crashes_decode(r->body, r->body_len, &c) != ERR_OK)
		return;
	column_draft_mark(d, row);
	column_put_u64(d, row, C_CRASHES_SEQ, r->seq);
	for (unsigned kind = 1; kind < CRASH_KINDS; kind++) {
		column_put_u64(d, row, C_CRASHES_SOURCE_1 + 2 * (kind - 1), c.sources[kind]);
		column_put_u64(d, row, C_CRASHES_TOTAL_1 + 2 * (kind - 1), c.totals[kind]);
	}
	column_put_u64(d, row, C_CRASHES_FIRST_DAY, c.first_day);
	for (size_t i = 0; i < c.day_count; i++)
		put_le(days + 2 * i, c.per_day[i], 2);
	if (c.day_count > 0)
		column_put_bytes(d, row, C_CRASHES_PER_DAY, days, 2 * c.day_count);
	put_crash_events(&c, d, row);
}

void derive_entry(uint64_t id, const struct component *c, struct column_draft *d, unsigned row)
{
	column_draft_clear(d, row);
	column_draft_mark(d, row);
	column_put_u64(d, row, C_ENTRY_ID, id);
	column_put_u64(d, row, C_ENTRY_KIND, (uint64_t)c->kind);
	column_put_text(d, row, C_ENTRY_NAME, c->name);
	put_reading_text(d, row, C_ENTRY_VERSION_STATUS, C_ENTRY_VERSION, &c->version);
	put_reading_text(d, row, C_ENTRY_SOURCE_STATUS, C_ENTRY_SOURCE, &c->source);
	put_reading_text(d, row, C_ENTRY_VENDOR_STATUS, C_ENTRY_VENDOR, &c->vendor);
	put_reading(d, row, C_ENTRY_SIZE_STATUS, C_ENTRY_SIZE, &c->size_bytes);
	column_put_u64(d, row, C_ENTRY_FLAGS, c->flags);
}
