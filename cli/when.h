/* Moments as people write them, in local time where they do not say otherwise. */
#ifndef MESH_CLI_WHEN_H
#define MESH_CLI_WHEN_H

#include "base/clock.h"
#include "base/err.h"

/* For help texts. */
#define WHEN_FORMS "06:09 (the last time it was that), \"2026-11-22 06:09\", or 90m, 2h, 3d ago"

/* "now"; "06:09" or "06:09:30": the last such time that is not after `now`; "2026-11-22": its start;
 * "2026-11-22 06:09" ("T" for the blank, seconds too), with "Z" or "+02:00" behind it for another clock than
 * the local one; "45s", "90m", "2h", "3d": so long before `now`. ERR_USAGE names `text` and these forms. */
enum err when_parse(const char *text, wall_ms now, wall_ms *ret, struct err_info *info);

/* "FROM..TO"; either may be left out: then from 0, or up to `now`. ERR_USAGE, also when it ends before it
 * begins. */
enum err when_window(const char *text, wall_ms now, wall_ms *ret_from, wall_ms *ret_to,
		     struct err_info *info);

#endif
