/* One key in two places, as others notice it. */
#include "gossip/core.h"

void member_instance(struct gossip *g, struct member *m, uint64_t instance, const struct address *from)
{
	(void)g;
	(void)from;
	m->ping_instance = instance;
}
