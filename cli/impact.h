/* What `mesh impact` counts: each host known is in one class. */
#ifndef MESH_CLI_IMPACT_H
#define MESH_CLI_IMPACT_H

#include "cli/answer.h"
#include "cli/impact_target.h"

/* class, its name, words of the table, what speaks for it */
#define IMPACT_CLASSES(X)                                                                                    \
	X(DOWN, "down", "down, likely crash", "vanished without a goodbye")                                  \
	X(LOOP, "loop", "crash loop", "crashed again and again")                                             \
	X(UNREPORTED, "down_unreported", "down, had another", "may have died before it could report")        \
	X(SILENT, "silent_site", "silent site", "nothing is heard of its site")                              \
	X(AT_RISK, "at_risk", "at risk if started", "off or asleep: do not power on")                        \
	X(RECOVERED, "recovered", "recovered", "crashed or vanished, and is up again")                       \
	X(NOT_HIT, "not_hit", "not hit", "has it, still up")                                                 \
	X(WITHOUT, "without", "without it", "")                                                              \
	X(OTHERWISE, "down_otherwise", "down otherwise", "not in the window")                                \
	X(CANNOT_TELL, "cannot_tell", "cannot tell", "what it has is denied, or not here yet")

enum impact_class {
#define IMPACT_ENUM(symbol, name, words, evidence) IMPACT_##symbol,
	IMPACT_CLASSES(IMPACT_ENUM)
#undef IMPACT_ENUM
	    IMPACT_CLASS_COUNT
};

/* What became of those that were hit: name, words of the sentence. */
#define IMPACT_FATES(X)                                                                                      \
	X(BACK, "back", "back")                                                                              \
	X(DARK, "dark", "still dark")                                                                        \
	X(LOOPS, "loop", "in a crash loop")                                                                  \
	X(SILENT, "silent", "at silent sites")                                                               \
	X(ASLEEP, "asleep", "asleep")                                                                        \
	X(STOPPED, "stopped", "stopped")                                                                     \
	X(LEFT, "left", "left")                                                                              \
	X(REPLACED, "replaced", "replaced")                                                                  \
	X(UNKNOWN, "unknown", "unknown")

enum impact_fate {
#define IMPACT_FATE_ENUM(symbol, name, words) IMPACT_FATE_##symbol,
	IMPACT_FATES(IMPACT_FATE_ENUM)
#undef IMPACT_FATE_ENUM
	    IMPACT_FATE_COUNT
};

struct impact {
	struct impact_target target;
	bool windowed;
	wall_ms from, to;       /* window: all times where there is none */
	wall_ms crashed_from;   /* crashes before that are of something else */
	const char *by;         /* column of hosts; NULL: the summary, with roles */
	wall_ms at;             /* as of then; 0: now */
	struct query_log log;   /* what there is of it */
	enum query_watch watch; /* of `at` */
};

/* Appends "WITH ... judged AS (...)": host, site, value (of `by`), class (name), status and since_ms (then,
 * with `at`), today (its status now), fell (told of a crash, or was missed by witnesses, in the window; else
 * NULL), crash_earliest and crash_latest (when that was), no_history (what it was at `at` is not known; else
 * NULL). A host that has left, or was replaced, is of class "gone", one that came after `at` of class
 * "later". */
void impact_judge(const struct impact *i, const struct command *c, struct question *q);

#define IMPACT_VALUES 3 /* shown beside each other; the rest is one column */

struct impact_tally {
	uint64_t hosts, sites;
	wall_ms first, last; /* that one of them came into its state, or crashed; 0: none known */
	uint64_t of_value[IMPACT_VALUES];
};

struct impact_summary {
	struct impact_tally tallies[IMPACT_CLASS_COUNT];
	char *values[IMPACT_VALUES]; /* the most frequent roles; NULL: there are no more */
	uint64_t sites_with;         /* sites with a host that has it; ... */
	uint64_t sites_gone;         /* ... of these, with none of them up */
	uint64_t hit, fates[IMPACT_FATE_COUNT];
	uint64_t no_history; /* of those that cannot be told */
	uint64_t later;      /* came after `at`: in no class */
};

/* Asks and adds up. Release with impact_summary_release, also after an error. */
enum err impact_summarize(const struct impact *i, struct answer *a, struct impact_summary *ret,
			  struct err_info *info);
void impact_summary_release(struct impact_summary *s);
/* Down for sure, and at most. */
void impact_magnitude(const struct impact_summary *s, uint64_t *ret_confirmed, uint64_t *ret_likely);
/* The rows of the summary, to their end. ERR_NOMEM, ERR_IO. */
enum err impact_summary_put(const struct impact *i, const struct impact_summary *s, struct answer *a);

/* What stands before the rows, for people; behind them, in JSON. */
void impact_head(const struct impact *i, const struct impact_summary *s, struct answer *a);
void impact_json(const struct impact *i, const struct impact_summary *s, struct answer *a);
/* How far the log reaches, for people: after the rows. */
void impact_foot(const struct impact *i, const struct impact_summary *s, struct answer *a);

#endif
