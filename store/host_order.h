/* Hosts in the order that ORDER BY or GROUP BY over a host's columns ask for, so that SQLite needs no sorter.
 * Private to the questions.
 *
 * Columns of few values come first: each value gets a rank, and hosts are put in order by counting. Hosts
 * that are alike in these are sorted by the columns behind only when their place is come to: who wants the
 * first twenty pays for the first twenty. Ascending, texts by their bytes, NULL first, as SQLite has it. */
#ifndef MESH_STORE_HOST_ORDER_H
#define MESH_STORE_HOST_ORDER_H

#include "store/query_private.h"

#define HOST_ORDER_TERMS 4

enum order_kind {
	ORDER_SITE,   /* name of the home */
	ORDER_STATUS, /* name of the state */
	ORDER_TEXT,   /* a column of texts */
	ORDER_NAME,   /* likewise, of texts that few share: nothing is to be gained by counting */
	ORDER_ID,     /* a column of ids */
};
struct order_term {
	uint8_t kind;
	uint8_t group, column; /* but for SITE and STATUS */
};

/* Which hosts, and by what. */
struct order_plan {
	struct order_term terms[HOST_ORDER_TERMS];
	size_t term_count;
	size_t site; /* site_total + 1: any */
	int status;  /* -1: any */
	/* Values of a column by which hosts are put in order by counting; beyond it and for 0: as many as
	 * there is room for. */
	size_t values_max;
};

struct host_order;

/* `*order` (NULL at first) is made anew unless it is of the same plan. ERR_NOMEM, and what reading columns
 * gives. */
enum err host_order_make(struct query *q, const struct order_plan *plan, struct host_order **order);
void host_order_free(struct host_order *o); /* NULL is fine */
size_t host_order_count(const struct host_order *o);
/* Number of the host at a place; a place is come to after all those before it. Errors as above. */
enum err host_order_at(struct query *q, struct host_order *o, size_t place, uint32_t *ret);

#endif
