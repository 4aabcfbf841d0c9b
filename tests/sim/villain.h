/* A member of the estate that does a random mixture of all an insider can do, for the scenario `malicious`:
 * it answers hellos and pings, so that it is taken for a member like any other, and beyond that lies. */
#ifndef MESH_TESTS_SIM_VILLAIN_H
#define MESH_TESTS_SIM_VILLAIN_H

#include "world.h"

struct villain;

/* What a villain may do; each does about half of these. */
enum villain_deed {
	VILLAIN_DROPS = 1,       /* says at once that it has what is new, hands nothing over */
	VILLAIN_DIGESTS = 2,     /* another set root at each turn, walks that lead nowhere, ids of nothing */
	VILLAIN_FLOODS = 4,      /* publishes twice a second */
	VILLAIN_FORGES = 8,      /* hands on records of others, bent */
	VILLAIN_ACCUSES = 16,    /* signs roll-calls against live hosts, witness or not */
	VILLAIN_BOASTS = 32,     /* of an authority log that is longer */
	VILLAIN_RUMOURS = 64,    /* SUSPECT and PING_REQ about everyone */
	VILLAIN_DENOUNCES = 128, /* signs at each turn that nobody of its site answers */
};
#define VILLAIN_ALL 127u

/* Takes a host that does not run. `deeds`: of enum villain_deed; 0: about half of VILLAIN_ALL, drawn. */
struct villain *villain_new(struct world *w, struct node *n, unsigned deeds, uint64_t seed);
void villain_free(struct villain *v);
/* One turn, about every 500 ms. */
void villain_act(struct villain *v);
/* Records, roll-calls, lies: how much it said so far. */
uint64_t villain_said(const struct villain *v);

#endif
