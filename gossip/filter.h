/* What a datagram must pass before anyone reads it (filter.c). Inside gossip/ only, by way of core.h. */
#ifndef MESH_GOSSIP_FILTER_H
#define MESH_GOSSIP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/keyring.h"
#include "gossip/gossip.h"

struct gossip;
struct member;

/* Opens a datagram that may come in; any other is counted. The errors of keyring_open. */
enum err filter_open(struct gossip *g, const uint8_t *bytes, size_t len, struct datagram *ret);
/* Takes one datagram out of the share of who sealed it; false, and counted, when it is used up. */
bool filter_allows(struct gossip *g, struct member *m);
bool filter_answers(struct gossip *g, struct member *m); /* likewise one answer to its PINGs */
/* Likewise one costly answer out of the share of a source address that is proven to be the sender's. */
bool filter_source_allows(struct gossip *g, const struct address *from, uint32_t per_second);

#endif
