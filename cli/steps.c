#include "cli/steps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/terminal.h"

#define HOUR_MS (60 * CLOCK_MINUTE_MS)

static const struct {
	char unit;
	uint64_t ms;
} units[] = {{'d', CLOCK_DAY_MS}, {'h', HOUR_MS}, {'m', CLOCK_MINUTE_MS}, {'s', CLOCK_SECOND_MS}};

enum err steps_parse(const char *text, uint64_t *ret_ms, struct err_info *info)
{
	char digits[16], shown[64];
	uint64_t number = 0, ms = 0;
	size_t len = strlen(text);
	if (len >= 2 && len < sizeof(digits)) {
		memcpy(digits, text, len - 1);
		digits[len - 1] = '\0';
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (units[i].unit == text[len - 1] &&
			    text_u64(digits, 1, STEPS_MAX_MS / units[i].ms, &number))
				ms = number * units[i].ms;
		}
	}
	if (ms < STEPS_MIN_MS) {
		text_escape(shown, sizeof(shown), text, len);
		return err_set(info, ERR_USAGE,
			       "--step \"%s\" is no step; write 30s, 1m, 2h or 1d: from 10s "
			       "to 366d",
			       shown);
	}
	*ret_ms = ms;
	return ERR_OK;
}

uint64_t steps_choose(uint64_t span_ms)
{
	static const uint64_t minutes[] = {1,   2,   5,   10,   15,   30,    60,    120,
					   180, 360, 720, 1440, 2880, 10080, 20160, 43200};
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		if (span_ms <= minutes[i] * CLOCK_MINUTE_MS * STEPS_SHOWN)
			return minutes[i] * CLOCK_MINUTE_MS;
	}
	return (span_ms / STEPS_SHOWN / CLOCK_DAY_MS + 1) * CLOCK_DAY_MS;
}

void steps_text(uint64_t ms, char ret[STEPS_TEXT_BYTES])
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms % units[i].ms != 0)
			continue;
		snprintf(ret, STEPS_TEXT_BYTES, "%" PRIu64 "%c", ms / units[i].ms, units[i].unit);
		return;
	}
	snprintf(ret, STEPS_TEXT_BYTES, "%" PRIu64 " ms", ms);
}

static int64_t offset_ms(wall_ms t)
{
	return (int64_t)os_time_offset_s(t) * (int64_t)CLOCK_SECOND_MS;
}

static wall_ms next(wall_ms t, uint64_t step)
{
	int64_t offset = offset_ms(t);
	uint64_t local = ((uint64_t)((int64_t)t + offset) / step + 1) * step;
	wall_ms at = (wall_ms)((int64_t)local - offset);
	int64_t then = offset_ms(at);
	/* Clocks were changed on the way. What divides an hour falls on the same moments all the same; a time
	 * that was left out is none to move to. */
	wall_ms moved = (wall_ms)((int64_t)local - then);
	if (then != offset && step > HOUR_MS && moved > t && offset_ms(moved) == then)
		at = moved;
	return at;
}

size_t steps_times(wall_ms from, wall_ms to, uint64_t step_ms, wall_ms *ret, size_t cap)
{
	size_t count = 0;
	if (count < cap)
		ret[count++] = from;
	for (wall_ms t = next(from, step_ms); t < to && count < cap; t = next(t, step_ms))
		ret[count++] = t;
	if (to > from && count < cap)
		ret[count++] = to;
	return count;
}
