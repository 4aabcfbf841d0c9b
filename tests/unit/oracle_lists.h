/* What operators say, found in the records themselves: slow, and by other code than what questions use. */
#ifndef MESH_TESTS_UNIT_ORACLE_LISTS_H
#define MESH_TESTS_UNIT_ORACLE_LISTS_H

#include "tests/unit/oracle.h"

#define ORACLE_LINE_BYTES 512
struct oracle_lines {
	char (*lines)[ORACLE_LINE_BYTES];
	size_t count, cap;
};
void oracle_lines_free(struct oracle_lines *l);

struct oracle_lists {
	/* Sorted: "operator|record|name|asset,asset|site|address|enrolled|host" with NULL for none. */
	struct oracle_lines inventory;
	struct oracle_lines incidents; /* "incident|opener|text|open" */
	struct oracle_lines claims;    /* "incident|operator|subject|op|stands" */
	bool known;                    /* there is an inventory */
	size_t machines, never_enrolled;
};
void oracle_lists(struct snapshot *s, struct oracle_lists *ret);
void oracle_lists_free(struct oracle_lists *l);

#endif
