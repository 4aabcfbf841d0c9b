/* The log of transitions: what it holds, and how questions read it. Private to store/.
 *
 * One row is (part of) what one commit changed, in the order of time; rows are numbered without gaps, so one
 * that is missing was dropped for its age, or is damage. Written by lmdb_history.c, in the very transaction
 * that writes the states it tells of. */
#ifndef MESH_STORE_HISTORY_H
#define MESH_STORE_HISTORY_H

#include "store/row.h"
#include "store/snapshot.h"

#define HISTORY_EVENT_BYTES 16
#define HISTORY_ROW_EVENTS  60 /* four such rows fill a page */
#define HISTORY_SEQ_STEP    64 /* an event's place in the order: row * step + place in the row */

/* Stored: never renumber. */
enum history_what {
	HISTORY_HOST = 0,
	HISTORY_SITE = 1,
	/* Of this node itself: from `since` to the row's time nobody watched. */
	HISTORY_START = 2,
	HISTORY_PAUSE = 3,
	HISTORY_STOP = 4, /* the node's clean end */
};

/* Instead of a status. */
#define HISTORY_LOST 14 /* what it was is lost with a damaged row */
#define HISTORY_NONE 15 /* not known yet, or not any more */

struct history_event {
	enum history_what what;
	uint8_t from, to;       /* enum host_status or site_status, or one of the above */
	uint8_t votes, signers; /* dark: witnesses that say so, of so many */
	uint64_t subject;       /* first 8 bytes of the id of host or site */
	wall_ms since;          /* not behind the row's time; 0: not known */
};

struct history_row {
	wall_ms newest; /* the latest time of this row and all before it */
	wall_ms noted;  /* of the commit, by this node's clock then */
	size_t count;
	const uint8_t *events;
};

void history_event_pack(const struct history_event *e, uint8_t ret[HISTORY_EVENT_BYTES]);
struct history_event history_event_unpack(const uint8_t *bytes);
struct row_key history_key(uint64_t row);
void history_row_encode(const struct row_key *key, const struct history_row *row, struct row_value *ret);
/* Of a checked row; a view into it. ERR_FORMAT, ERR_VERSION. */
enum err history_row_decode(const uint8_t *bytes, size_t len, struct history_row *ret);

/* In a batch stands what the node did itself, until the commit that takes it: all of it in the key. */
struct row_key history_mark_key(enum history_what what, wall_ms until);
/* ERR_FORMAT. */
enum err history_mark_decode(const struct row_key *key, enum history_what *ret_what, wall_ms *ret_until);

/* --- reading --- */

/* ERR_NOT_FOUND for a row that is not there or is damaged. ret->events points into `value`. */
enum err history_read(struct snapshot *s, uint64_t row, struct row_value *value, struct history_row *ret);
/* The first row that may tell of anything after `t`: in none before it is a time behind that. */
enum err history_find(struct snapshot *s, wall_ms t, uint64_t *ret);

/* Subjects and what is known of each. */
struct history_map {
	uint64_t *keys, *values;
	uint8_t *used;
	size_t count, slots; /* a power of two, at most half full */
};

void history_map_free(struct history_map *m);
void history_map_clear(struct history_map *m);
/* The value's place, a new one zeroed; NULL when out of memory. Good until the next call. */
uint64_t *history_map_put(struct history_map *m, uint64_t key);
/* NULL when there is none. */
uint64_t *history_map_get(const struct history_map *m, uint64_t key);

#endif
