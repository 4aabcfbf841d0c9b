/* Health level from the values: the same on every system. */
#include "node/collect/collect.h"

/* Taint bits that tell of a damaged kernel rather than of an unusual one
 * (Documentation/admin-guide/tainted-kernels): 4 machine check, 5 bad page, 7 oops or BUG. */
#define TAINT_DAMAGE ((1u << 4) | (1u << 5) | (1u << 7))

static bool at_least(struct reading_u64 r, uint64_t bound)
{
	return r.status == READING_OK && r.value >= bound;
}

static void raise_level(struct health *h, enum health_level level, uint32_t reason)
{
	if (h->level < level)
		h->level = level;
	h->reasons |= reason;
}

void collect_health_level(struct health *h)
{
	h->level = HEALTH_OK;
	h->reasons = 0;
	if (at_least(h->memory_percent, 90))
		raise_level(h, HEALTH_WARNING, HEALTH_REASON_MEMORY);
	if (at_least(h->disk_percent, 90))
		raise_level(h, at_least(h->disk_percent, 100) ? HEALTH_CRITICAL : HEALTH_WARNING,
			    HEALTH_REASON_DISK);
	if (at_least(h->stall_memory_percent, 20) || at_least(h->stall_io_percent, 50))
		raise_level(h, at_least(h->stall_memory_percent, 50) ? HEALTH_CRITICAL : HEALTH_WARNING,
			    HEALTH_REASON_PRESSURE);
	if (at_least(h->oopses, 1))
		raise_level(h, HEALTH_CRITICAL, HEALTH_REASON_OOPS);
	if (at_least(h->oom_kills, 1))
		raise_level(h, HEALTH_WARNING, HEALTH_REASON_OOM);
	if (h->last_boot_clean.status == READING_OK && h->last_boot_clean.value == 0)
		raise_level(h, HEALTH_WARNING, HEALTH_REASON_UNCLEAN_BOOT);
	if (h->clock_off)
		raise_level(h, HEALTH_WARNING, HEALTH_REASON_CLOCK);
	if (h->taint.status == READING_OK && (h->taint.value & TAINT_DAMAGE))
		raise_level(h, HEALTH_CRITICAL, HEALTH_REASON_TAINT);
}
