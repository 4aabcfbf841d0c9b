/* A bucket, counted in time: each byte written takes its part of a day, and the next routine commit waits
 * until all of it has passed, at least the configured seconds and at most half an hour. Urgent commits do not
 * wait, and are paid for by the routine ones. */
#include "node/pace.h"

#define SPARE_PART 32

void pace_init(struct pace *p, uint64_t bytes_per_day, uint64_t min_s, mono_ms now)
{
	/* A commit is paid for after it was written: aims below, so that the day stays within. */
	*p = (struct pace){.bytes_per_day = bytes_per_day - bytes_per_day / SPARE_PART,
			   .min_ms = min_s * CLOCK_SECOND_MS,
			   .routine_at = now,
			   .urgent_due = PACE_NEVER,
			   .routine_due = PACE_NEVER};
}

static mono_ms next_routine(const struct pace *p, mono_ms now)
{
	uint64_t wait = p->debt_ms;
	if (wait < p->min_ms)
		wait = p->min_ms;
	if (wait > PACE_ROUTINE_MAX_S * CLOCK_SECOND_MS)
		wait = PACE_ROUTINE_MAX_S * CLOCK_SECOND_MS;
	mono_ms due = p->routine_at + wait;
	return due > now + PACE_SETTLE_MS ? due : now + PACE_SETTLE_MS;
}

void pace_note(struct pace *p, mono_ms now, bool urgent)
{
	if (urgent && now + PACE_URGENT_MS < p->urgent_due)
		p->urgent_due = now + PACE_URGENT_MS;
	if (!urgent && p->routine_due == PACE_NEVER)
		p->routine_due = next_routine(p, now);
}

void pace_hurry(struct pace *p, mono_ms now)
{
	p->routine_due = now;
}

mono_ms pace_due(const struct pace *p)
{
	return p->urgent_due < p->routine_due ? p->urgent_due : p->routine_due;
}

bool pace_takes_all(const struct pace *p, mono_ms now)
{
	return now >= p->routine_due;
}

void pace_begin(struct pace *p, bool all)
{
	p->urgent_due = PACE_NEVER;
	if (all)
		p->routine_due = PACE_NEVER;
}

void pace_wrote(struct pace *p, mono_ms now, bool all, uint64_t bytes, bool left)
{
	uint64_t ms = bytes * CLOCK_DAY_MS / p->bytes_per_day;
	uint64_t passed = now - p->routine_at;
	/* What was written since the last routine commit beyond what has passed since is carried on. */
	p->debt_ms = all ? (p->debt_ms > passed ? p->debt_ms - passed : 0) + ms : p->debt_ms + ms;
	if (all)
		p->routine_at = now;
	if (p->routine_due != PACE_NEVER || left)
		p->routine_due = next_routine(p, now);
}
