#include "os/clock.h"

#include <time.h>

#include "base/check.h"

static uint64_t read_ms(clockid_t clock)
{
	struct timespec t;
	CHECK(clock_gettime(clock, &t) == 0);
	/* A wall clock may be set to before 1970: that is "not known". */
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * CLOCK_SECOND_MS + (uint64_t)t.tv_nsec / 1000000;
}

mono_ms os_clock_mono(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

wall_ms os_clock_wall(void)
{
	return read_ms(CLOCK_REALTIME);
}

void os_clock_rest(mono_ms ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / CLOCK_SECOND_MS),
			     .tv_nsec = (long)(ms % CLOCK_SECOND_MS) * 1000000};
	(void)nanosleep(&t, NULL);
}
