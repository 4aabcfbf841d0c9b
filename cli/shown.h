/* Values as people read them. */
#ifndef MESH_CLI_SHOWN_H
#define MESH_CLI_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"

#define SHOWN_BYTES 40

/* "18 s", "5 min", "3 h", "2 d". */
void shown_age(uint64_t seconds, char ret[SHOWN_BYTES]);
/* Local time: "14:02:10" of the day that `now` is in, "2026-11-22 14:02" otherwise. */
void shown_time(wall_ms t, wall_ms now, char ret[SHOWN_BYTES]);
/* "812 B", "1204 KiB", "31 MiB". */
void shown_bytes(uint64_t bytes, char ret[SHOWN_BYTES]);
/* Days since 1970 as "2026-11-23"; "day 4000000" behind the year 9999. */
#define SHOWN_LAST_DAY 2932896
void shown_day(uint64_t day, char ret[SHOWN_BYTES]);
/* The way back: "2026-11-23", of 1970 to 9999. False when it is no date. */
bool shown_day_parse(const char *text, wall_day *ret);
/* Whole seconds from `t` to `now`, 0 when `t` lies ahead. */
uint64_t shown_seconds(wall_ms t, wall_ms now);
/* "" for 1, "s" otherwise. */
const char *shown_plural(uint64_t n);
/* Words of `text` from column `indent` on, broken to fit a line; the first line has `at` columns already. An
 * empty line in the text stays one. */
void shown_fill(FILE *f, const char *text, size_t indent, size_t at);

#endif
