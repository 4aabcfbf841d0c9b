/* An incident as one machine sees it: what operators said of it, what the replica proves, side by side and
 * never added up (docs/outage.md). */
#ifndef MESH_CLI_INCIDENT_H
#define MESH_CLI_INCIDENT_H

#include "cli/answer.h"
#include "cli/terms.h"
#include "crypto/id.h"

#define INCIDENT_HEX_BYTES 17
#define INCIDENT_BEFORE_MS CLOCK_DAY_MS /* what went down so long before it was opened belongs to it */

struct incident_head {
	char id[INCIDENT_HEX_BYTES];
	uint64_t slot;
	char text[LIMIT_NOTE_BYTES + 1];
	char opened_by[LIMIT_SHORT_TEXT_BYTES + 1], closed_by[LIMIT_SHORT_TEXT_BYTES + 1];
	char closed_text[LIMIT_NOTE_BYTES + 1];
	char match_text[TERMS_TEXT_BYTES], good_text[TERMS_TEXT_BYTES];
	wall_ms opened, closed;
	bool open;
	struct terms match, good;
};

/* `typed`: its id, or the beginning of it. ERR_NOT_FOUND, ERR_USAGE (several begin so). */
enum err incident_find(struct query *q, const char *typed, struct incident_head *ret, struct err_info *info);

/* What the host itself, or its witnesses, prove. */
#define INCIDENT_STATES(X)                                                                                   \
	X(DOWN, "down", "down", "vanished, or its site is silent")                                           \
	X(OFF, "off", "off", "stopped or asleep: do not power on")                                           \
	X(BAD, "bad", "up, not good", "it is up, and what good looks like does not hold")                    \
	X(UNSURE, "unsure", "up, cannot tell", "it is up, and does not say whether it is good")              \
	X(BACK, "back", "proven back", "it was hit, and returned good by itself")

enum incident_state {
#define INCIDENT_ENUM(symbol, name, words, meaning) INCIDENT_##symbol,
	INCIDENT_STATES(INCIDENT_ENUM)
#undef INCIDENT_ENUM
	    INCIDENT_STATE_COUNT
};
const char *incident_state_name(enum incident_state state);
const char *incident_state_words(enum incident_state state);

/* What people said: the strongest that stands, of whomever. */
enum incident_said { SAID_NOTHING, SAID_CLAIMED, SAID_BLOCKED, SAID_DONE, INCIDENT_SAID_COUNT };
const char *incident_said_name(enum incident_said said);

struct incident_host {
	char host[ID_HEX_BYTES];
	char *name, *site, *role, *status; /* owned; "" when unknown */
	wall_ms since;                     /* of its status; 0: not known */
	wall_ms hit;                       /* went down, or crashed; 0: not known to */
	wall_ms back;                      /* BACK: since when */
	unsigned relapses;                 /* down again after it was up again */
	int8_t match, durable, good;       /* 1, 0, -1: cannot be told */
	bool listed;                       /* on the work list */
	enum incident_state state;
	enum incident_said said;
	wall_ms said_at, done_at; /* done_at: first; 0: nobody says so */
	size_t operators;         /* whose claim, done or blocked stands about it or its site */
	char *who, *who_ids;      /* their names and ids, owned; NULL: nobody */
	char *blocked;            /* why, owned; NULL: not */
};

struct incident_collision {
	char *about, *who; /* owned: host or site; names of operators */
	bool site;
};

struct incident_work {
	struct incident_head head;
	wall_ms from, now;
	struct incident_host *hosts; /* owned; listed ones first, by site and name */
	size_t host_count, host_cap, listed;
	struct incident_collision *collisions; /* owned */
	size_t collision_count;
	uint64_t counts[INCIDENT_STATE_COUNT][INCIDENT_SAID_COUNT];
	uint64_t relapsed, before; /* before: down for longer than the incident reaches back */
	bool failed;               /* no memory */
};

/* The work list. Release with incident_release, also after an error. */
enum err incident_load(struct query *q, const char *typed, wall_ms now, struct incident_work *ret,
		       struct err_info *info);
/* Its part in incident_said.c: claims, done, blocked and released, on hosts sorted by id. */
enum err incident_load_said(struct query *query, struct incident_work *w, struct err_info *info);
void incident_release(struct incident_work *w);
uint64_t incident_count(const struct incident_work *w, enum incident_state state);

/* --- burn-down (incident_burn.c) --- */

#define BURN_POINTS 24

struct burn_point {
	wall_ms at;
	uint64_t hit, back, done; /* up to then, as is known now */
};

enum burn_forecast { BURN_REACHED, BURN_RANGE, BURN_UNKNOWN };

struct burn {
	struct burn_point points[BURN_POINTS];
	size_t count;
	double rate; /* proven back an hour, lately */
	enum burn_forecast forecast;
	wall_ms low, high; /* RANGE: 97 % are proven back between these; REACHED: since low */
	bool high_known;   /* RANGE: else nobody can say how late */
};
#define BURN_SHARE 97 /* percent */

void incident_burn_compute(const struct incident_work *w, struct burn *ret);
/* The chart, at most 78 columns wide. */
void incident_burn_chart(FILE *f, const struct burn *b, wall_ms now);
/* "97 % proven back between 14:00 and 17:30, at 12 hosts an hour": one line. */
void incident_burn_words(const struct burn *b, wall_ms now, char *ret, size_t cap);

/* --- showing (incident_text.c) --- */

/* The page for people, also of the report. */
void incident_text(FILE *f, const struct incident_work *w, const struct burn *b);
void incident_json(struct json *j, const struct incident_work *w, const struct burn *b);
void incident_html(FILE *f, const struct incident_work *w, const struct burn *b,
		   const struct query_coverage *coverage);

#endif
