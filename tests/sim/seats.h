/* Who signs for a site, reckoned from docs/protocol.md section 9 and not by the core. */
#ifndef MESH_TESTS_SIM_SEATS_H
#define MESH_TESTS_SIM_SEATS_H

#include "world.h"

/* Lower ranks better; of an id that is no host's, too. Those known for less than a week are not told apart.
 */
uint64_t seats_score(const struct world *w, const struct id *host);
/* How many hosts of its site rank better. */
uint32_t seats_rank(const struct world *w, uint32_t node);
/* So many of the three best-ranked that are there are puppets, who may lie. */
uint32_t seats_puppets(const struct world *w, uint32_t site);
/* Hosts of a site that are there, puppets among them. */
uint32_t seats_live(const struct world *w, uint32_t site);

#endif
