/* The node beside an authority: whether one of its estate is at hand, whether its log is ahead, and telling
 * it the news. */
#ifndef MESH_CLI_AUTHORITY_NODE_H
#define MESH_CLI_AUTHORITY_NODE_H

#include "cli/bundle.h"

enum node_condition {
	NODE_NONE,     /* none is at hand, and none was named */
	NODE_REACHED,  /* it runs, and its log is not ahead */
	NODE_TOLD,     /* it has the whole log */
	NODE_NOT_TOLD, /* it was named with --state, and could not be told: `why` */
};

struct authority_node {
	enum node_condition condition;
	char state[LIMIT_PATH_BYTES];
	size_t common; /* entries from the first on that it surely has */
	size_t told;   /* entries and blobs that were news to it */
	struct err_info why;
};

/* The node of --state, else one that happens to run here. ERR_STALE: it knows entries that `log` lacks (not
 * with `accept_fork`). ERR_ESTATE. A node that was named and does not run is looked up in its files. */
enum err authority_node_find(const struct command *c, const char *source, const struct authlog *log,
			     bool accept_fork, struct authority_node *ret, struct err_info *info);
/* Entry by entry, then the allow-lists. */
void authority_node_tell(const struct bundle *b, struct authority_node *node);

#endif
