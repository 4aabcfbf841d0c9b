/* The moments of a curve: whenever local clocks show a multiple of the step, so that rows of two answers fit
 * together. */
#ifndef MESH_CLI_STEPS_H
#define MESH_CLI_STEPS_H

#include <stddef.h>

#include "base/clock.h"
#include "base/err.h"

#define STEPS_MAX    2000 /* rows */
#define STEPS_SHOWN  60   /* about so many, where no step is asked for */
#define STEPS_MIN_MS (10 * CLOCK_SECOND_MS)
#define STEPS_MAX_MS (366 * CLOCK_DAY_MS)

/* "30s", "1m", "2h", "1d". ERR_USAGE names `text`. */
enum err steps_parse(const char *text, uint64_t *ret_ms, struct err_info *info);
/* A round step that makes at most STEPS_SHOWN of the span; beyond 366 days each longer ones. */
uint64_t steps_choose(uint64_t span_ms);
/* "1m": the largest unit that it is a multiple of. */
#define STEPS_TEXT_BYTES 24
void steps_text(uint64_t ms, char ret[STEPS_TEXT_BYTES]);
/* `from`, the moments behind it and before `to`, and `to`; at most `cap`, the others are left out. */
size_t steps_times(wall_ms from, wall_ms to, uint64_t step_ms, wall_ms *ret, size_t cap);

#endif
