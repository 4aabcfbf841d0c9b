/* The sheet that a technician takes along to a site: what is down there, and what to do with it. */
#ifndef MESH_CLI_VISIT_H
#define MESH_CLI_VISIT_H

#include "cli/answer.h"

#define VISIT_TODO_BYTES 640

struct visit {
	const char *site;      /* as it was asked for */
	const char *component; /* that is to blame; NULL: the one that changed before, if any */
	struct rows hosts;     /* down, or at risk if started; in order */
	struct rows machines;  /* of the inventory, at the site */
	struct rows about;     /* rows of the inventory about the site */
	struct rows counts;    /* of the table sites */
};

/* One host, as the sheet has it: escaped for a terminal, "-" where nothing is known. */
struct visit_host {
	char name[300], role[120], model[300], location[300], os[300], address[300], assets[300];
	char since[40], recovery[300], remark[300];
	const char *fate, *criticality;
	char todo[VISIT_TODO_BYTES];
};
void visit_host(const struct visit *v, size_t row, wall_ms now, struct visit_host *ret);
/* Of the inventory's rows about the site, the first that has it; escaped; "-": none. */
void visit_about(const struct visit *v, const char *column, char *ret, size_t cap);
/* Number of a machine of the inventory that never enrolled, from `*at` on, which goes behind it. */
bool visit_next_unenrolled(const struct visit *v, size_t *at, size_t *ret);
/* "[ ]" and what of a line to write on. */
extern const char *const visit_boxes[];

void visit_text(const struct visit *v, struct answer *a);
/* A page by itself: no script, nothing is loaded from elsewhere. */
void visit_html(const struct visit *v, struct answer *a, const struct query_coverage *coverage);

#endif
