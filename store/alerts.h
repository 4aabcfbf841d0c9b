/* Early warning: a component is spreading, and hosts that take it go quiet or crash more than others of the
 * same model (docs/outage.md). The same comparison as store/suspects.h, over two short windows that end now.
 */
#ifndef MESH_STORE_ALERTS_H
#define MESH_STORE_ALERTS_H

#include "store/suspects.h"

/* The short one notices what began just now, the long one what goes slowly. No longer ones: what a host had
 * is known as far back as its last 16 changes go. */
#define ALERTS_WINDOW_SHORT_MS (60 * CLOCK_MINUTE_MS)
#define ALERTS_WINDOW_LONG_MS  CLOCK_DAY_MS

struct alert {
	struct suspect what; /* with its spread */
	uint64_t window_ms;
	unsigned together; /* components that cannot be told from it */
	/* Until it has reached half of the hosts that have the component and are not hit yet, at the rate
	 * that it goes: 95 % of what the rate can be, in seconds. */
	bool lead_known; /* false: nobody is left, or it does not spread any more */
	uint64_t lead_low_s, lead_high_s;
};

struct alerts {
	struct alert *list; /* the worst first */
	size_t count;
	wall_ms until;
	/* Of the long window, as in struct suspects. */
	uint64_t failed, survived, separate_hosts;
	enum suspects_outcome outcome;
};

/* `where` may be NULL. Errors as of suspects_find; free with alerts_free. Texts are good until the query is
 * closed. */
enum err alerts_find(struct query *q, wall_ms until, const char *where, struct alerts *ret,
		     struct err_info *info);
void alerts_free(struct alerts *a);

#endif
