/* Somebody on the wire who sees every datagram and puts in his own. First without any secret: noise, and what
 * he saw, replayed, cut, bent, or under a false sender. Then with the estate secret of a stolen token but no
 * valid certificate. Then with the key of one enrolled host, who speaks the protocol and offers records that
 * he may not sign. */
#ifndef MESH_TESTS_SIM_ATTACKER_H
#define MESH_TESTS_SIM_ATTACKER_H

#include "world.h"

struct attacker;

/* About `every` ms one datagram of his own. `insider` (may be NULL) is a host that does not run: its key was
 * stolen. */
void attacker_start(struct world *w, mono_ms every, struct node *insider);
void attacker_stop(struct world *w);
void attacker_free(struct attacker *a);
bool attacker_is(const struct world *w, const struct node *n); /* he has its key */
/* Called before each event. */
void attacker_run(struct world *w);
void attacker_sees(struct world *w, const struct address *from, const struct address *to,
		   const uint8_t *bytes, size_t len);
/* What he sent so far: outside, with the secret, as an insider in session. */
struct attacker_counts {
	uint64_t noise, replayed, bent, hellos, sessions, records;
};
struct attacker_counts attacker_counts(const struct world *w);

#endif
