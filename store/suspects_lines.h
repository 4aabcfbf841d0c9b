/* Lines of suspects: what is to blame, and bit sets of hosts to ask about it. Private to store/. */
#ifndef MESH_STORE_SUSPECTS_LINES_H
#define MESH_STORE_SUSPECTS_LINES_H

#include "store/suspects_private.h"

#define SUSPECTS_RISK_LIKELY 2.0 /* lower end of its interval, at least */

struct suspects_line {
	uint32_t set, candidate; /* what is named */
	uint32_t family;         /* of components; else SUSPECTS_NONE */
	uint32_t component;      /* set of the component in any version; else that of what is named */
	bool wide;               /* hosts with other versions failed, too */
	double ln_p;             /* corrected, when it was accepted */
	double risk_low;
};

struct suspects_lines {
	struct suspects_engine *e;
	struct suspects_line lines[SUSPECTS_LINES_MAX + 1];
	size_t line_count;
	uint64_t *rest, *other; /* hosts: scratch */
	uint8_t *strata;        /* by place of the host */
	bool *used;             /* by set: it has its row */
	uint8_t *told;          /* by name: the component has its row */
};

/* `set` against the others of `among`. */
struct statistics_table suspects_lines_table(const struct suspects_engine *e, const uint64_t *set,
					     const uint64_t *among);
/* Of the component where all versions are to blame, else of what is named. */
const uint64_t *suspects_lines_blamed(const struct suspects_lines *j, const struct suspects_line *line);
/* Into `rest`: hosts that have nothing of the lines but of `except` (line_count: of none). */
void suspects_lines_rest(struct suspects_lines *j, size_t except);
/* Beyond chance, for the number tried, and by enough to be worth a line. */
bool suspects_lines_differ(const struct suspects_lines *j, const struct statistics_table *t, double *ret_ln,
			   double *ret_low);
void suspects_lines_keep(uint64_t *ret, const uint64_t *a, const uint64_t *b, size_t words);
void suspects_lines_drop(uint64_t *ret, const uint64_t *a, const uint64_t *b, size_t words);
enum err suspects_lines_find(struct suspects_lines *j);
/* `set` against the others of `among`, of the same hardware model each. */
struct suspects_within {
	bool compared; /* false: no model has both */
	struct statistics_ratio risk;
	double ln_p;
};
enum err suspects_within_models(const struct suspects_engine *e, const uint64_t *set, const uint64_t *among,
				struct suspects_within *ret);
/* Of a line of a component. */
enum err suspects_spread(struct suspects_engine *e, const struct suspects_line *line,
			 struct suspect_spread *ret);

#endif
