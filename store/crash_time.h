/* When a crash was that a host told of. Panics and blue screens were dated as they happened. Of an unclean
 * boot the host knows only when it last noted that it ran, which it does every CRASH_NOTED_MS: it crashed
 * then or later, and no later than what it told of after, or than its new boot. Private to store/. */
#ifndef MESH_STORE_CRASH_TIME_H
#define MESH_STORE_CRASH_TIME_H

#include "store/query_private.h"

/* Events as they stand in the column: time u64, kind u8, length of the detail u8, detail. */
#define CRASH_EVENT_HEAD 10

struct crash_time {
	uint8_t kind; /* enum crash_kind */
	wall_ms earliest, latest;
};

/* Whether a crash of that kind takes the whole host down. */
bool crash_takes_down(uint8_t kind);
/* The event at `at`, which is whole. `booted`: when the host booted last; 0: not known. */
struct crash_time crash_time_at(const uint8_t *events, size_t len, size_t at, wall_ms booted);
/* Of the host's health; 0: not known. */
enum err crash_booted(struct query *q, uint32_t number, wall_ms *ret);

#endif
