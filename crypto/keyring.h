/* Datagram seal: header, outer mac, pair keys from daily X25519 keys (docs/protocol.md section 6).
 * Holds the keys of at most LIMIT_SESSIONS peers; the one unused for longest gives way. */
#ifndef MESH_CRYPTO_KEYRING_H
#define MESH_CRYPTO_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/rng.h"

#define DATAGRAM_HEADER_BYTES  52
#define DATAGRAM_TAG_BYTES     16
#define DATAGRAM_MESSAGE_BYTES (LIMIT_DATAGRAM_BYTES - DATAGRAM_HEADER_BYTES - DATAGRAM_TAG_BYTES)

struct keyring;

/* Keys are copied. */
enum err keyring_new(const struct id *self, const struct estate_keys *keys, const struct crypto_rng *rng,
		     wall_day today, struct keyring **ret);
void keyring_free(struct keyring *k);

/* Make today's exchange key when the day changed; yesterday's stays valid, and so do the peers learned
 * yesterday: their datagrams go on under the keys both sides know. Those learned earlier are forgotten. Never
 * goes back. */
void keyring_set_day(struct keyring *k, wall_day today);
wall_day keyring_day(const struct keyring *k);
const uint8_t *keyring_public(const struct keyring *k); /* KEY_BYTES, of the current day */

/* A peer's exchange key that a hello proved. `fresh`: an answer to a nonce of ours proved it; otherwise it
 * may be a replay, and one of an older day than the known key is ERR_STALE and changes nothing. ERR_ARG for a
 * key of small order and for the own id. ERR_NOMEM. */
enum err keyring_learn(struct keyring *k, const struct id *peer, wall_day day,
		       const uint8_t public_key[KEY_BYTES], bool fresh);
/* How many pair keys keyring_open may derive until this is called again; other work derives at will. At first
 * none is refused. */
void keyring_allow(struct keyring *k, unsigned derivations);
bool keyring_knows(const struct keyring *k, const struct id *peer);
/* Known, but by yesterday's keys, which end with the day: say hello again before that, at a random time. */
bool keyring_renewal_due(const struct keyring *k, const struct id *peer);
void keyring_forget(struct keyring *k, const struct id *peer);
/* Another key of today, and no peers: for when others take what this node seals for replays. */
void keyring_renew(struct keyring *k);

/* Seal under the pair key. ret holds LIMIT_DATAGRAM_BYTES. ERR_UNKNOWN_SOURCE (no key of that peer: hello
 * first), ERR_LIMIT. ret_nonce (first 8 bytes, may be NULL) is what replies echo. */
enum err keyring_seal(struct keyring *k, const struct id *peer, uint8_t type, const void *message, size_t len,
		      uint8_t *ret, size_t *ret_len, uint64_t *ret_nonce);
/* Seal under the hello key. */
enum err keyring_seal_hello(struct keyring *k, uint8_t type, const void *message, size_t len, uint8_t *ret,
			    size_t *ret_len, uint64_t *ret_nonce);

struct datagram {
	uint8_t type;
	struct id source; /* proven only when `paired` */
	bool paired;      /* opened under the pair key of `source`; false: under the hello key */
	uint64_t nonce;   /* first 8 bytes of the header's nonce, random */
	size_t len;
	uint8_t message[DATAGRAM_MESSAGE_BYTES];
};

/* The checks that need no key of a peer: length, version, mac. ERR_SHORT, ERR_LIMIT, ERR_VERSION, ERR_MAC.
 * What passes was made by someone of the estate, now or earlier. */
enum err keyring_check(const struct keyring *k, const uint8_t *data, size_t len);
/* Of a datagram that passed: first 8 bytes of the header's nonce; whether it is sealed under the hello key.
 */
uint64_t keyring_nonce(const uint8_t *data);
bool keyring_is_hello(const uint8_t *data);
/* What it names as its source: anyone can write that. */
struct id keyring_source(const uint8_t *data);
/* Likewise, under a pair key: it was opened before, or comes so late that nobody can tell. False when its
 * source or the source's key is not known. */
bool keyring_replayed(const struct keyring *k, const uint8_t *data);
/* Checks in order: length, version, mac, source, seal; replays are for keyring_replayed to tell. ERR_SHORT,
 * ERR_LIMIT, ERR_VERSION, ERR_MAC, ERR_UNKNOWN_SOURCE (pair-sealed by a host whose key, or whose key of that
 * day, is not known, or for an own key that has ended), ERR_BUSY (nothing may be derived now), ERR_SEAL (also
 * what names this node itself as its source). On failure `ret` is left as it is, save that ERR_UNKNOWN_SOURCE
 * sets `ret->source`, so that a hello can be tried. */
enum err keyring_open(struct keyring *k, const uint8_t *data, size_t len, struct datagram *ret);

#endif
