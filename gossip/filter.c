/* What a datagram must pass before anyone reads it: mac, replay, rate of its source address, seal.
 *
 * Happy path: all four hold, and it is opened. Fails: it is counted and dropped, the cheapest check first.
 * The rate comes after the mac, or forged datagrams would use up the allowance of whom they claim to come
 * from. */
#include "gossip/core.h"

#define RATE_PER_SECOND 400
#define RATE_BURST      800

/* Per source address; addresses that share a slot share its allowance, which only a flood notices. */
static bool rate_allows(struct gossip *g, const struct address *from)
{
	uint64_t source = hash_checksum(from->ip, from->ip_len) ^ from->port;
	struct core_rate *rate = &g->rates[source % CORE_RATE_SLOTS];
	const uint64_t full = RATE_BURST * 1000u;

	if (rate->source != source && g->now - rate->at > CLOCK_SECOND_MS) {
		*rate = (struct core_rate){.source = source, .millitokens = (uint32_t)full, .at = g->now};
	} else {
		uint64_t tokens = rate->millitokens + (g->now - rate->at) * RATE_PER_SECOND;

		rate->millitokens = (uint32_t)(tokens > full ? full : tokens);
		rate->at = g->now;
	}
	if (rate->millitokens < 1000)
		return false;
	rate->millitokens -= 1000;
	return true;
}

/* Whoever records what others send can let it come again, from wherever. Each costs an answer once. */
static bool is_replay(struct gossip *g, const uint8_t *bytes)
{
	uint64_t nonce = keyring_nonce(bytes);
	uint64_t *slot = &g->nonces[nonce % CORE_NONCES];
	bool again = *slot == nonce;

	*slot = nonce;
	return again;
}

static void count_refusal(struct gossip *g, enum err err)
{
	struct gossip_counters *c = &g->counters;

	switch (err) {
	case ERR_VERSION:
		c->dropped_version++;
		break;
	case ERR_MAC:
		c->dropped_mac++;
		break;
	case ERR_UNKNOWN_SOURCE:
		c->dropped_source++;
		break;
	case ERR_SEAL:
		c->dropped_seal++;
		break;
	default:
		c->dropped_short++;
	}
}

enum err filter_open(struct gossip *g, const struct address *from, const uint8_t *bytes, size_t len,
		     struct datagram *ret)
{
	enum err err = keyring_check(g->keyring, bytes, len);

	if (err && (err != ERR_MAC || defence_on(g, DEFENCE_MAC_FIRST))) {
		count_refusal(g, err);
		return err;
	}
	if (is_replay(g, bytes) && defence_on(g, DEFENCE_REPLAY)) {
		g->counters.dropped_replay++;
		return ERR_EXISTS;
	}
	if (!rate_allows(g, from) && defence_on(g, DEFENCE_SENDER_RATE)) {
		g->counters.dropped_rate++;
		return ERR_LIMIT;
	}
	err = keyring_open(g->keyring, bytes, len, ret);
	if (err)
		count_refusal(g, err);
	return err;
}
