/* The peers of a keyring, sorted by id, grown on demand; inside crypto/ only. */
#ifndef MESH_CRYPTO_KEYRING_PEERS_H
#define MESH_CRYPTO_KEYRING_PEERS_H

#include "base/clock.h"
#include "base/err.h"
#include "crypto/id.h"

#include <stddef.h>

enum { PEER_KEY_NEWEST, PEER_KEY_BEFORE, PEER_KEYS };

/* Counters of the datagrams that came in under one key of a peer. */
#define WINDOW_COUNTERS 1024 /* how late one may come */
struct window {
	uint64_t highest; /* 0: none yet */
	uint64_t seen[WINDOW_COUNTERS / 64];
};

struct peer_key {
	bool valid;
	wall_day day;
	uint8_t public_key[KEY_BYTES];
	struct window window;
};

/* Keys of the two directions between one own and one peer's exchange key. */
struct pair {
	bool set;
	uint8_t send[KEY_BYTES];
	uint8_t receive[KEY_BYTES];
};

struct peer {
	struct id id;
	wall_day learned; /* own day of the last hello: the own key that the peer holds */
	uint64_t used;
	uint64_t sealed; /* datagrams for it, and what `peers` says it began at */
	struct peer_key keys[PEER_KEYS];
	struct pair pairs[2][PEER_KEYS]; /* by slot of the own key */
};

struct peers {
	struct peer **by_id;
	size_t count;
	size_t cap;
	uint64_t uses;
	uint64_t sealed; /* most for any peer let go of: one that comes back goes on from there */
};

void peers_free(struct peers *peers);
struct peer *peers_find(const struct peers *peers, const struct id *id);
void peers_touch(struct peers *peers, struct peer *peer);
void peers_forget(struct peers *peers, const struct id *id);
/* Keep a key, and the pair it makes with the own key in `slot`; one that is known keeps its window. `fresh`:
 * it is the peer's now, even where it is the one before the newest. With LIMIT_SESSIONS known, the peer
 * unused for longest gives way. ERR_NOMEM. */
enum err peers_learn(struct peers *peers, const struct id *id, const struct peer_key *key, size_t slot,
		     const struct pair *pair, wall_day today, bool fresh);
/* Wipe the pairs that the own key in `slot` made. */
void peers_drop_slot(struct peers *peers, size_t slot);
/* Forget those learned before `day`. */
void peers_expire(struct peers *peers, wall_day day);
/* Whether no datagram of this counter came in yet; too old a one counts as come. */
bool peers_window_open(const struct window *w, uint64_t counter);
void peers_window_close(struct window *w, uint64_t counter);

#endif
