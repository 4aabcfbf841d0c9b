#include "store/crash_time.h"

bool crash_takes_down(uint8_t kind)
{
	return kind == CRASH_UNCLEAN_BOOT || kind == CRASH_PANIC || kind == CRASH_BLUE_SCREEN;
}

struct crash_time crash_time_at(const uint8_t *events, size_t len, size_t at, wall_ms booted)
{
	wall_ms time = column_le(events + at, 8) * CLOCK_SECOND_MS;
	struct crash_time t = {.kind = events[at + 8], .earliest = time, .latest = time};
	if (t.kind != CRASH_UNCLEAN_BOOT)
		return t;
	t.latest = time + CRASH_NOTED_MS;
	if (booted >= time && booted < t.latest)
		t.latest = booted;
	for (size_t i = 0; i + CRASH_EVENT_HEAD <= len; i += CRASH_EVENT_HEAD + (size_t)events[i + 9]) {
		wall_ms other = column_le(events + i, 8) * CLOCK_SECOND_MS;
		if (other > time && other < t.latest)
			t.latest = other;
	}
	return t;
}

enum err crash_booted(struct query *q, uint32_t number, wall_ms *ret)
{
	struct column_row health;
	enum err err = columns_row(&q->columns, GROUP_HEALTH, number, &health);
	bool known = err == ERR_OK && health.block != NULL &&
		     column_row_u64(health, C_HEALTH_BOOT_TIME_STATUS) == READING_OK;
	*ret = known ? column_row_u64(health, C_HEALTH_BOOT_TIME) * CLOCK_SECOND_MS : 0;
	return err;
}
