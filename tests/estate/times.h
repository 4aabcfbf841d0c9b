/* Times as people write them. */
#ifndef MESH_TESTS_ESTATE_TIMES_H
#define MESH_TESTS_ESTATE_TIMES_H

#include <stdbool.h>

#include "base/clock.h"

/* "2024-07-19T04:09:00Z" (seconds and Z may be left out; UTC), "04:09" (of the day of `day`, UTC), or
 * milliseconds since 1970. */
bool times_parse(const char *text, wall_ms day, wall_ms *ret);

#endif
