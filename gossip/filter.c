/* What a datagram must pass before anyone reads it: mac, replay, seal, and the share of who sealed it.
 *
 * Happy path: all hold, and it is opened. Fails: it is counted and dropped, the cheapest check first. Nothing
 * is counted against anyone before the seal says who it was: an address or a host id in the header is
 * whatever the sender wrote there, and whoever writes another's must not use up that one's share. What it
 * costs to get that far (a mac, and for those with the estate secret a failed seal) is a few microseconds. */
#include <string.h>

#include "gossip/core.h"

#define RATE_PER_SECOND    400
#define RATE_BURST         800
#define ANSWERS_PER_SECOND 3 /* the ring of probes, a suspicion, an edge */
#define ANSWERS_BURST      30
#define DERIVATIONS        200 /* of pair keys a second, for what comes in */

static bool bucket_take(struct core_bucket *b, mono_ms now, uint32_t per_second, uint32_t burst)
{
	uint64_t full = burst * 1000ull;
	uint64_t tokens = b->used ? b->millitokens + (now - b->at) * per_second : full;

	if (tokens > full)
		tokens = full;
	bool taken = tokens >= 1000;

	*b = (struct core_bucket){
	    .used = true, .millitokens = (uint32_t)(taken ? tokens - 1000 : tokens), .at = now};
	return taken;
}

bool filter_allows(struct gossip *g, struct member *m)
{
	if (bucket_take(&m->rate, g->now, RATE_PER_SECOND, RATE_BURST) || !defence_on(g, DEFENCE_SENDER_RATE))
		return true;
	g->counters.dropped_rate++;
	return false;
}

bool filter_answers(struct gossip *g, struct member *m)
{
	return bucket_take(&m->asks, g->now, ANSWERS_PER_SECOND, ANSWERS_BURST);
}

bool filter_source_allows(struct gossip *g, const struct address *from, uint32_t per_second)
{
	/* A /64 is one host's for the asking. The key keeps anyone from aiming at another's slot. */
	size_t len = from->ip_len == 4 ? 4 : 8;
	uint8_t mark[ID_BYTES];
	uint64_t source;

	hash_keyed(mark, sizeof(mark), g->keys.set_key, "mesh.source", from->ip, len);
	memcpy(&source, mark, sizeof(source));
	struct core_rate *rate = &g->rates[source % CORE_RATE_SLOTS];

	if (rate->source != source && g->now - rate->bucket.at > CLOCK_SECOND_MS)
		*rate = (struct core_rate){.source = source};
	return bucket_take(&rate->bucket, g->now, per_second, per_second);
}

/* Whoever records hellos can let them come again, from wherever; the keyring tells what is sealed for one
 * pair. */
static bool hello_replayed(struct gossip *g, const uint8_t *bytes)
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
	case ERR_EXISTS:
		c->dropped_replay++;
		break;
	case ERR_BUSY:
		c->dropped_rate++;
		break;
	default:
		c->dropped_short++;
	}
}

static void derivations_refill(struct gossip *g)
{
	if (g->now - g->derivations_at < CLOCK_SECOND_MS)
		return;
	g->derivations_at = g->now;
	keyring_allow(g->keyring, DERIVATIONS);
}

bool gossip_admits(struct gossip *g, const uint8_t *bytes, size_t len)
{
	enum err err = keyring_check(g->keyring, bytes, len);

	if (err) {
		g->counters.datagrams_in++;
		g->counters.bytes_in += len;
		count_refusal(g, err);
	}
	return err == ERR_OK;
}

/* Two datagrams of one pair key, or of the hello key, with one nonce. */
static bool is_replay(struct gossip *g, const uint8_t *bytes)
{
	return keyring_is_hello(bytes) ? hello_replayed(g, bytes) : keyring_replayed(g->keyring, bytes);
}

enum err filter_open(struct gossip *g, const uint8_t *bytes, size_t len, struct datagram *ret)
{
	enum err err = keyring_check(g->keyring, bytes, len);

	if (err == ERR_MAC && !defence_on(g, DEFENCE_MAC_FIRST)) {
		struct id source = keyring_source(bytes);
		struct member *alleged = member_find(g, &source);

		if (alleged)
			(void)filter_allows(g, alleged);
	}
	if (!err && is_replay(g, bytes) && defence_on(g, DEFENCE_REPLAY))
		err = ERR_EXISTS;
	if (!err) {
		derivations_refill(g);
		err = keyring_open(g->keyring, bytes, len, ret);
	}
	if (err)
		count_refusal(g, err);
	return err;
}
