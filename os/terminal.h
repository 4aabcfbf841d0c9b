/* What the command line needs to know of its terminal. */
#ifndef MESH_OS_TERMINAL_H
#define MESH_OS_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"

bool os_is_terminal(FILE *stream);
/* Columns of standard output's terminal: COLUMNS, the terminal's own, or `fallback`. */
int os_terminal_columns(int fallback);
/* Read a line without echo from the controlling terminal. ERR_UNSUPPORTED when there is none. The caller
 * wipes the buffer. */
enum err os_terminal_secret(const char *prompt, char *ret_line, size_t cap, struct err_info *info);
/* "2026-11-23 09:40:07 +01:00" in local time; "unknown" for 0. */
void os_time_text(wall_ms t, char ret[32]);
/* How far local clocks are ahead of UTC then, in seconds; 0 when no calendar of this system has it. */
int32_t os_time_offset_s(wall_ms t);
/* The moment at which local clocks show this: `day` of the calendar (days since 1970-01-01), `second` of that
 * day. Of an hour that comes twice, the first; one that is left out counts on from the hour before. False
 * when it is before 1970 in UTC or no calendar of this system has it. */
bool os_time_local(wall_day day, uint32_t second, wall_ms *ret);

#endif
