/* What this node may send: bytes with IP and UDP headers, in classes (docs/protocol.md section 9).
 *
 * Each class has a share of the budget that nobody else uses; what a class leaves over collects in a pool for
 * all of them. So in any t seconds the classes but BUDGET_CATCH_UP send no more than LIMIT_BUDGET_RATE_BYTES
 * × t + LIMIT_BUDGET_BURST_BYTES, whatever others do, and catching up has bounds of its own. Inside gossip/
 * only, by way of core.h. */
#ifndef MESH_GOSSIP_BUDGET_H
#define MESH_GOSSIP_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "gossip/gossip.h"

struct gossip;

struct budget {
	bool begun;
	mono_ms begun_at;
	mono_ms at;                        /* last refill */
	uint64_t left[GOSSIP_CLASS_COUNT]; /* thousandths of a byte */
	uint64_t pool;
};

/* Of the message types; those that serve two purposes are taken for the cheaper one. */
enum gossip_class budget_class_of(unsigned type);
/* What pulls and answers to them are: catching up, for a while after a start. */
enum gossip_class budget_pull_class(const struct gossip *g);
/* A message of so many bytes as a datagram under a pair key or the hello key, to an IPv4 or IPv6 address. */
size_t budget_datagram_bytes(size_t message, uint8_t ip_len);
bool budget_allows(struct gossip *g, enum gossip_class c, size_t bytes);
/* When so many bytes are allowed, if nothing else is sent till then. */
mono_ms budget_when(struct gossip *g, enum gossip_class c, size_t bytes);
/* Takes what was allowed. */
void budget_spend(struct gossip *g, enum gossip_class c, size_t bytes);

#endif
