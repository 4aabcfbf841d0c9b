/* Opening hours as inventories have them, in local time of the machine that asks. */
#ifndef MESH_CLI_HOURS_H
#define MESH_CLI_HOURS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* For help texts. */
#define HOURS_FORMS "\"Mo-Sa 08:00-20:00; Su 10:00-16:00\" or \"24/7\""

#define HOURS_SPANS 4 /* a day */

struct hours {
	/* Minutes of the day, Monday first; to: at most 1440. Without spans it is closed. */
	struct hours_day {
		unsigned count;
		struct {
			uint16_t from, to;
		} spans[HOURS_SPANS];
	} days[7];
};

/* Days (Mo, Tue, "Mo-Fr", "Mo,We"; none: every day) and times apart by blanks, further ones behind ";" or
 * ",". "closed" or "off" in place of times. A span over midnight counts to the next day. False, and `ret`
 * untouched, where any of it is not understood. */
bool hours_parse(const char *text, struct hours *ret);
/* The first moment from `t` on at which it is open: `t` itself when it is. 0: never. */
wall_ms hours_open(const struct hours *h, wall_ms t);

#endif
