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

static void let_go(struct peers *peers, struct peer *peer)
{
	if (peer->sealed > peers->sealed)
		peers->sealed = peer->sealed;
	peer_free(peer);
}

static void remove_at(struct peers *peers, size_t i)
{
	let_go(peers, peers->by_id[i]);
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
	peer->sealed = peers->sealed;
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

/* Byte by byte: no copy of a key is left on the stack. */
static void swap_pairs(struct pair *a, struct pair *b)
{
	uint8_t *x = (uint8_t *)a, *y = (uint8_t *)b;
	for (size_t i = 0; i < sizeof(*a); i++) {
		uint8_t byte = x[i];
		x[i] = y[i];
		y[i] = byte;
	}
}

static void swap_keys(struct peer *peer)
{
	struct peer_key newest = peer->keys[PEER_KEY_NEWEST];
	peer->keys[PEER_KEY_NEWEST] = peer->keys[PEER_KEY_BEFORE];
	peer->keys[PEER_KEY_BEFORE] = newest;
	for (size_t slot = 0; slot < 2; slot++) {
		swap_pairs(&peer->pairs[slot][PEER_KEY_NEWEST], &peer->pairs[slot][PEER_KEY_BEFORE]);
	}
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
		     const struct pair *pair, wall_day today, bool fresh)
{
	struct peer *peer = peers_find(peers, id);
	if (peer == NULL)
		peer = add(peers, id);
	if (peer == NULL)
		return ERR_NOMEM;
	peers_touch(peers, peer);
	bool before = same_key(key, &peer->keys[PEER_KEY_BEFORE]);
	/* The key before the newest, again: an old hello replayed. */
	if (before && !fresh)
		return ERR_OK;
	peer->learned = today;
	if (before)
		swap_keys(peer);
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
			let_go(peers, peer);
		else
			peers->by_id[kept++] = peer;
	}
	peers->count = kept;
}

static uint64_t window_bit(uint64_t counter)
{
	return 1ull << counter % 64;
}

bool peers_window_open(const struct window *w, uint64_t counter)
{
	if (counter > w->highest)
		return true;
	if (counter == 0 || w->highest - counter >= WINDOW_COUNTERS)
		return false;
	return (w->seen[counter % WINDOW_COUNTERS / 64] & window_bit(counter)) == 0;
}

void peers_window_close(struct window *w, uint64_t counter)
{
	if (counter > w->highest) {
		uint64_t ahead = counter - w->highest;
		if (ahead >= WINDOW_COUNTERS)
			memset(w->seen, 0, sizeof(w->seen));
		for (uint64_t i = 1; ahead < WINDOW_COUNTERS && i <= ahead; i++)
			w->seen[(w->highest + i) % WINDOW_COUNTERS / 64] &= ~window_bit(w->highest + i);
		w->highest = counter;
	}
	w->seen[counter % WINDOW_COUNTERS / 64] |= window_bit(counter);
}
