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
	X(RECOVERED, "recovered", "recovered", "crashed, and is up again")                                   \
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

struct impact {
	struct impact_target target;
	bool windowed;
	wall_ms from, to;     /* window: all times where there is none */
	wall_ms crashed_from; /* crashes before that are of something else */
	const char *by;       /* column of hosts; NULL: the summary, with roles */
};

/* Appends "WITH ... judged AS (...)": host, site, value (of `by`), class (name), since_ms. */
void impact_judge(const struct impact *i, const struct command *c, struct question *q);

#define IMPACT_VALUES 3 /* shown beside each other; the rest is one column */

struct impact_tally {
	uint64_t hosts, sites;
	wall_ms first, last; /* that one of them came into its state; 0: none known */
	uint64_t of_value[IMPACT_VALUES];
};

struct impact_summary {
	struct impact_tally tallies[IMPACT_CLASS_COUNT];
	char *values[IMPACT_VALUES]; /* the most frequent roles; NULL: there are no more */
	uint64_t sites_with;         /* sites with a host that has it; ... */
	uint64_t sites_gone;         /* ... of these, with none of them up */
};

/* Asks and adds up. Release with impact_summary_release, also after an error. */
enum err impact_summarize(const struct impact *i, struct answer *a, struct impact_summary *ret,
			  struct err_info *info);
void impact_summary_release(struct impact_summary *s);
/* Down for sure, and at most. */
void impact_magnitude(const struct impact_summary *s, uint64_t *ret_confirmed, uint64_t *ret_likely);
/* The rows of the summary, to their end. ERR_NOMEM, ERR_IO. */
enum err impact_summary_put(const struct impact_summary *s, struct answer *a);

#endif
