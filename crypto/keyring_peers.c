#include "crypto/keyring_peers.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "crypto/hash.h"

#define FIRST_CAP 8

static void peer_free(struct peer *peer)
{
	crypto_wipe(peer, sizeof(*peer));
	free(peer);
}

void peers_free(struct peers *peers)
{
	for (size_t i = 0; i < peers->count; i++)
		peer_free(peers->by_id[i]);
	free(peers->by_id);
	*peers = (struct peers){0};
}

/* Index of the first peer not below `id`. */
static size_t index_of(const struct peers *peers, const struct id *id)
{
	size_t low = 0, high = peers->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_compare(&peers->by_id[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct peer *peers_find(const struct peers *peers, const struct id *id)
{
	size_t i = index_of(peers, id);
	return i < peers->count && id_equal(&peers->by_id[i]->id, id) ? peers->by_id[i] : NULL;
}

void peers_touch(struct peers *peers, struct peer *peer)
{
	peer->used = ++peers->uses;
}

static void remove_at(struct peers *peers, size_t i)
{
	peer_free(peers->by_id[i]);
	peers->count--;
	memmove(&peers->by_id[i], &peers->by_id[i + 1], (peers->count - i) * sizeof(struct peer *));
}

void peers_forget(struct peers *peers, const struct id *id)
{
	size_t i = index_of(peers, id);
	if (i < peers->count && id_equal(&peers->by_id[i]->id, id))
		remove_at(peers, i);
}

static void remove_oldest(struct peers *peers)
{
	size_t oldest = 0;
	for (size_t i = 1; i < peers->count; i++) {
		if (peers->by_id[i]->used < peers->by_id[oldest]->used)
			oldest = i;
	}
	remove_at(peers, oldest);
}

static struct peer *add(struct peers *peers, const struct id *id)
{
	if (peers->count == peers->cap && peers->cap < LIMIT_SESSIONS) {
		size_t cap = peers->cap == 0 ? FIRST_CAP : peers->cap * 2;
		if (cap > LIMIT_SESSIONS)
			cap = LIMIT_SESSIONS;
		struct peer **grown = realloc(peers->by_id, cap * sizeof(struct peer *));
		if (grown == NULL)
			return NULL;
		peers->by_id = grown;
		peers->cap = cap;
	}
	struct peer *peer = calloc(1, sizeof(*peer));
	if (peer == NULL)
		return NULL;
	if (peers->count == LIMIT_SESSIONS)
		remove_oldest(peers);
	peer->id = *id;
	size_t i = index_of(peers, id);
	memmove(&peers->by_id[i + 1], &peers->by_id[i], (peers->count - i) * sizeof(struct peer *));
	peers->by_id[i] = peer;
	peers->count++;
	return peer;
}

static bool same_key(const struct peer_key *a, const struct peer_key *b)
{
	return a->valid && b->valid && a->day == b->day &&
	       memcmp(a->public_key, b->public_key, KEY_BYTES) == 0;
}

/* The newest key becomes the one before, with the pairs it made. */
static void shift_keys(struct peer *peer)
{
	peer->keys[PEER_KEY_BEFORE] = peer->keys[PEER_KEY_NEWEST];
	for (size_t slot = 0; slot < 2; slot++) {
		struct pair *pairs = peer->pairs[slot];
		pairs[PEER_KEY_BEFORE] = pairs[PEER_KEY_NEWEST];
		crypto_wipe(&pairs[PEER_KEY_NEWEST], sizeof(*pairs));
	}
}

enum err peers_learn(struct peers *peers, const struct id *id, const struct peer_key *key, size_t slot,
		     const struct pair *pair, wall_day today)
{
	struct peer *peer = peers_find(peers, id);
	if (peer == NULL)
		peer = add(peers, id);
	if (peer == NULL)
		return ERR_NOMEM;
	peers_touch(peers, peer);
	/* The key before the newest, again: an old hello replayed. */
	if (same_key(key, &peer->keys[PEER_KEY_BEFORE]))
		return ERR_OK;
	peer->learned = today;
	if (same_key(key, &peer->keys[PEER_KEY_NEWEST]))
		return ERR_OK;
	shift_keys(peer);
	peer->keys[PEER_KEY_NEWEST] = *key;
	peer->pairs[slot][PEER_KEY_NEWEST] = *pair;
	return ERR_OK;
}

void peers_drop_slot(struct peers *peers, size_t slot)
{
	for (size_t i = 0; i < peers->count; i++)
		crypto_wipe(peers->by_id[i]->pairs[slot], sizeof(peers->by_id[i]->pairs[slot]));
}

void peers_expire(struct peers *peers, wall_day day)
{
	size_t kept = 0;
	for (size_t i = 0; i < peers->count; i++) {
		struct peer *peer = peers->by_id[i];
		if (peer->learned < day)
			peer_free(peer);
		else
			peers->by_id[kept++] = peer;
	}
	peers->count = kept;
}
