/* Between evidence.c and state.c: what was said about one host. */
#ifndef MESH_GOSSIP_EVIDENCE_H
#define MESH_GOSSIP_EVIDENCE_H

#include "gossip/core.h"

struct evidence {
	size_t signers; /* other than the host */
	size_t against;
	uint64_t accusers[LIMIT_WITNESSES];
	mono_ms newest_against; /* receipt */
	mono_ms newest_for;
	mono_ms prompt_for; /* the same, of prompt ones: only these take "dark" back */
	bool refuted;
	wall_ms seen; /* receipt of the newest roll-call that says "answers" */
	wall_ms since;
};
struct evidence evidence_of(struct gossip *g, struct site *s, const struct member *m,
			    struct member *const *signers, size_t count);
/* A roll-call of `m` counts, or would if it signed one now: it ranks before one of the signers, or a seat is
 * free. */
bool evidence_may_sign(struct gossip *g, struct site *s, const struct member *m);
bool evidence_listed(const struct member *m, struct member *const *members, size_t count);

#endif
