/* On whose behalf blobs are fetched: a host's manifest, or what an operator lists. */
#ifndef MESH_GOSSIP_BLOB_OWNER_H
#define MESH_GOSSIP_BLOB_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* blob_want.c keeps it. */
struct blob_owner {
	bool lists;      /* an operator */
	bool vain;       /* some of them were given up */
	uint16_t wanted; /* now */
	uint16_t names;  /* that the host's manifest may still name */
	mono_ms until;   /* new blobs use up its share up to then */
};

#endif
