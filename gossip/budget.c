/* The budget: token buckets in bytes.
 *
 * Happy path: shares are seldom used up, and nothing waits. When the estate is in uproar each class has its
 * own share: liveness and urgent news do not wait behind routine. What a class does not use flows into the
 * pool, from which all may borrow, routine only while it is more than half full. Fails: what is over the
 * budget is not sent. Announcements and pulls wait for it; a push becomes an announcement; an answer that was
 * not given is asked for again; what nobody announced a walk finds. */
#include "gossip/budget.h"

#include "gossip/core.h"

#define POOL_BYTES  65536
#define IP4_HEADERS 28
#define IP6_HEADERS 48
#define REFILL_MOST 3600000 /* ms; everything is full long before */
#define YOUNG_MS    60000   /* since the start: others tell of much that is new */

#define SHARES(X)                                                                                            \
	X(PROBE, 3000, 32768)                                                                                \
	X(ANSWER, 2000, 16384)                                                                               \
	X(HELLO, 2000, 131072)                                                                               \
	X(LOG, 1000, 32768)                                                                                  \
	X(URGENT, 4500, 49152)                                                                               \
	X(NEWS, 3500, 32768)                                                                                 \
	X(ROUTINE, 5000, 131072)

static const struct {
	uint32_t rate, depth; /* bytes a second, bytes */
} shares[GOSSIP_CLASS_COUNT] = {
#define SHARE(symbol, rate, depth) [GOSSIP_CLASS_##symbol] = {rate, depth},
    SHARES(SHARE)[GOSSIP_CLASS_CATCH_UP] = {LIMIT_CATCH_UP_RATE_BYTES, LIMIT_CATCH_UP_BURST_BYTES},
};
#define RATE(symbol, rate, depth)  +rate
#define DEPTH(symbol, rate, depth) +depth
_Static_assert(0 SHARES(RATE) == LIMIT_BUDGET_RATE_BYTES, "the shares are the rate");
_Static_assert(POOL_BYTES SHARES(DEPTH) == LIMIT_BUDGET_BURST_BYTES, "and their depths the burst");

enum gossip_class budget_class_of(unsigned type)
{
	switch (type) {
	case WIRE_ACK:
	case WIRE_PING_ACK:
		return GOSSIP_CLASS_ANSWER;
	case WIRE_ROLLCALL_PULL:
	case WIRE_PUSH:
		return GOSSIP_CLASS_URGENT;
	case WIRE_ANNOUNCE:
		return GOSSIP_CLASS_NEWS;
	case WIRE_PULL:
	case WIRE_RECORDS:
		return GOSSIP_CLASS_ROUTINE;
	case WIRE_LOG_PULL:
	case WIRE_LOG_ENTRIES:
		return GOSSIP_CLASS_LOG;
	default:
		if (type < WIRE_PING)
			return GOSSIP_CLASS_HELLO;
		return type < WIRE_PUSH ? GOSSIP_CLASS_PROBE : GOSSIP_CLASS_CATCH_UP;
	}
}

enum gossip_class budget_pull_class(const struct gossip *g)
{
	bool young = !g->budget.begun || g->now - g->budget.begun_at < YOUNG_MS;

	return young ? GOSSIP_CLASS_CATCH_UP : GOSSIP_CLASS_ROUTINE;
}

size_t budget_datagram_bytes(size_t message, uint8_t ip_len)
{
	return message + DATAGRAM_HEADER_BYTES + DATAGRAM_TAG_BYTES +
	       (ip_len == 4 ? IP4_HEADERS : IP6_HEADERS);
}

static void refill(struct gossip *g)
{
	struct budget *b = &g->budget;

	if (b->begun && g->now <= b->at)
		return;
	uint64_t passed = !b->begun || g->now - b->at > REFILL_MOST ? REFILL_MOST : g->now - b->at;

	b->begun_at = b->begun ? b->begun_at : g->now;
	b->begun = true;
	b->at = g->now;
	for (size_t c = 0; c < GOSSIP_CLASS_COUNT; c++) {
		uint64_t full = shares[c].depth * 1000ull;
		uint64_t left = b->left[c] + passed * shares[c].rate;

		b->left[c] = left < full ? left : full;
		if (c != GOSSIP_CLASS_CATCH_UP)
			b->pool += left - b->left[c];
	}
	if (b->pool > POOL_BYTES * 1000ull)
		b->pool = POOL_BYTES * 1000ull;
}

/* What this class may borrow, in thousandths of a byte. */
static uint64_t lendable(const struct budget *b, enum gossip_class c)
{
	bool last = c == GOSSIP_CLASS_NEWS || c == GOSSIP_CLASS_ROUTINE;
	uint64_t kept = last ? POOL_BYTES * 500ull : 0;

	return c == GOSSIP_CLASS_CATCH_UP || b->pool < kept ? 0 : b->pool - kept;
}

bool budget_allows(struct gossip *g, enum gossip_class c, size_t bytes)
{
	refill(g);
	return g->budget.left[c] + lendable(&g->budget, c) >= bytes * 1000ull;
}

mono_ms budget_when(struct gossip *g, enum gossip_class c, size_t bytes)
{
	refill(g);
	uint64_t has = g->budget.left[c] + lendable(&g->budget, c);
	uint64_t lacks = bytes * 1000ull > has ? bytes * 1000ull - has : 0;

	return g->now + (lacks + shares[c].rate - 1) / shares[c].rate;
}

void budget_spend(struct gossip *g, enum gossip_class c, size_t bytes)
{
	struct budget *b = &g->budget;
	uint64_t due = bytes * 1000ull;
	uint64_t own = due < b->left[c] ? due : b->left[c];

	b->left[c] -= own;
	CHECK(due - own <= b->pool);
	b->pool -= due - own;
	g->counters.sent[c] += bytes;
}
