/* Datagram seal (docs/protocol.md section 6).
 *
 * Happy path: a hello proves a peer's exchange key, keyring_learn keeps it; keyring_seal and keyring_open
 * then work under keys derived once for each pair of (own day, peer's day). At a new day an own key is made;
 * the one before works for a day more, and so does what was learned then, so that peers renew over a whole
 * day and not all at midnight. Failure: what does not open returns an error and changes nothing. A peer that
 * is not known, or whose day is not, is ERR_UNKNOWN_SOURCE: say hello. */
#include "crypto/keyring.h"

#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/keyring_peers.h"
#include "crypto/secret.h"

#define DATAGRAM_VERSION 1
#define OFFSET_COUNTERS  2
#define OFFSET_SOURCE    4
#define OFFSET_NONCE     20
#define NONCE_BYTES      24
#define OFFSET_COUNTER   28 /* inside the nonce */
#define OFFSET_MAC       44
#define MAC_BYTES        8
#define HELLO_COUNTER    0

_Static_assert(OFFSET_NONCE + NONCE_BYTES == OFFSET_MAC, "header");
_Static_assert(OFFSET_MAC + MAC_BYTES == DATAGRAM_HEADER_BYTES, "header");
_Static_assert(NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(DATAGRAM_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag");
_Static_assert(MAC_BYTES == crypto_shorthash_siphash24_BYTES, "mac");

/* Two days are kept, each in the slot of its parity. */
struct secrets {
	uint8_t mac_key[crypto_shorthash_siphash24_KEYBYTES];
	uint8_t hello_key[KEY_BYTES];
	uint8_t exchange[2][KEY_BYTES];
	/* While a pair is derived. */
	uint8_t shared[crypto_scalarmult_BYTES];
	struct pair pair;
};

struct keyring {
	struct id self;
	struct crypto_rng rng;
	bool guarded;
	struct secrets *secrets;
	wall_day day;
	bool valid[2]; /* own keys, by parity of the day */
	uint8_t public_key[2][KEY_BYTES];
	struct peers peers;
	uint64_t sealed;      /* under the hello key */
	unsigned derivations; /* that keyring_open may still make */
};

static size_t slot_of(wall_day day)
{
	return day & 1;
}

/* The day of the own key in a valid slot: today, or the day before. */
static wall_day day_of(const struct keyring *k, size_t slot)
{
	return slot == slot_of(k->day) ? k->day : k->day - 1;
}

static uint8_t counter_of(wall_day day)
{
	return (uint8_t)(day % 255 + 1);
}

static void make_key(struct keyring *k, wall_day day)
{
	size_t slot = slot_of(day);
	k->rng.fill(k->rng.context, k->secrets->exchange[slot], KEY_BYTES);
	int failed = crypto_scalarmult_base(k->public_key[slot], k->secrets->exchange[slot]);
	CHECK(failed == 0);
	k->valid[slot] = true;
}

enum err keyring_new(const struct id *self, const struct estate_keys *keys, const struct crypto_rng *rng,
		     wall_day today, struct keyring **ret)
{
	struct keyring *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return ERR_NOMEM;
	k->self = *self;
	k->rng = *rng;
	k->guarded = !crypto_rng_is_seeded(rng);
	k->secrets = secret_new(sizeof(*k->secrets), k->guarded);
	if (k->secrets == NULL) {
		free(k);
		return ERR_NOMEM;
	}
	memcpy(k->secrets->mac_key, keys->mac_key, sizeof(k->secrets->mac_key));
	memcpy(k->secrets->hello_key, keys->hello_key, KEY_BYTES);
	k->day = today;
	k->derivations = UINT_MAX;
	make_key(k, today);
	*ret = k;
	return ERR_OK;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	peers_free(&k->peers);
	secret_free(k->secrets, sizeof(*k->secrets), k->guarded);
	free(k);
}

void keyring_set_day(struct keyring *k, wall_day today)
{
	if (today <= k->day)
		return;
	size_t new = slot_of(today), other = 1 - new;
	peers_drop_slot(&k->peers, new);
	/* The key in `other` stays when it is yesterday's. When it is older, so are all peers, which go
	 * below. */
	if (!k->valid[other] || day_of(k, other) + 1 != today) {
		crypto_wipe(k->secrets->exchange[other], KEY_BYTES);
		k->valid[other] = false;
	}
	k->day = today;
	make_key(k, today);
	peers_expire(&k->peers, today - 1);
}

wall_day keyring_day(const struct keyring *k)
{
	return k->day;
}

const uint8_t *keyring_public(const struct keyring *k)
{
	return k->public_key[slot_of(k->day)];
}

/* Directional keys of own key `slot` and one of the peer's keys. False when it is of small order. */
static bool derive(const struct keyring *k, const struct id *peer, size_t slot, const struct peer_key *key,
		   struct pair *ret)
{
	uint8_t *shared = k->secrets->shared;
	uint8_t context[2 * ID_BYTES + 2 * sizeof(uint32_t)];
	if (crypto_scalarmult(shared, k->secrets->exchange[slot], key->public_key) != 0)
		return false;
	struct writer w = writer_of(context, sizeof(context));
	writer_bytes(&w, k->self.b, ID_BYTES);
	writer_bytes(&w, peer->b, ID_BYTES);
	writer_u32(&w, day_of(k, slot));
	writer_u32(&w, key->day);
	hash_keyed(ret->send, KEY_BYTES, shared, "mesh.pair", context, sizeof(context));
	w = writer_of(context, sizeof(context));
	writer_bytes(&w, peer->b, ID_BYTES);
	writer_bytes(&w, k->self.b, ID_BYTES);
	writer_u32(&w, key->day);
	writer_u32(&w, day_of(k, slot));
	hash_keyed(ret->receive, KEY_BYTES, shared, "mesh.pair", context, sizeof(context));
	ret->set = true;
	crypto_wipe(shared, crypto_scalarmult_BYTES);
	secret_scrub();
	return true;
}

/* Derived once, so that whoever forges can make us derive four times a peer and day at most. */
static const struct pair *pair_of(const struct keyring *k, struct peer *peer, size_t slot, size_t age)
{
	struct pair *pair = &peer->pairs[slot][age];
	return pair->set || derive(k, &peer->id, slot, &peer->keys[age], pair) ? pair : NULL;
}

enum err keyring_learn(struct keyring *k, const struct id *peer_id, wall_day day,
		       const uint8_t public_key[KEY_BYTES], bool fresh)
{
	struct peer_key key = {.valid = true, .day = day};
	struct peer *peer = peers_find(&k->peers, peer_id);
	size_t slot = slot_of(k->day);
	memcpy(key.public_key, public_key, KEY_BYTES);
	if (id_equal(peer_id, &k->self))
		return ERR_ARG;
	if (!fresh && peer != NULL && day < peer->keys[PEER_KEY_NEWEST].day)
		return ERR_STALE;
	/* Derived now: it is needed at once, and it tells a key of small order. */
	struct pair *pair = &k->secrets->pair;
	if (!derive(k, peer_id, slot, &key, pair))
		return ERR_ARG;
	enum err err = peers_learn(&k->peers, peer_id, &key, slot, pair, k->day, fresh);
	crypto_wipe(pair, sizeof(*pair));
	return err;
}

void keyring_allow(struct keyring *k, unsigned derivations)
{
	k->derivations = derivations;
}

bool keyring_knows(const struct keyring *k, const struct id *peer)
{
	return peers_find(&k->peers, peer) != NULL;
}

bool keyring_renewal_due(const struct keyring *k, const struct id *peer)
{
	const struct peer *known = peers_find(&k->peers, peer);
	return known != NULL && known->learned < k->day;
}

void keyring_forget(struct keyring *k, const struct id *peer)
{
	peers_forget(&k->peers, peer);
}

void keyring_renew(struct keyring *k)
{
	peers_free(&k->peers);
	make_key(k, k->day);
}

/* SipHash over the datagram without the mac itself. */
static void mac_of(const struct keyring *k, const uint8_t *data, size_t len, uint8_t ret[MAC_BYTES])
{
	uint8_t covered[LIMIT_DATAGRAM_BYTES];
	memcpy(covered, data, OFFSET_MAC);
	memcpy(covered + OFFSET_MAC, data + DATAGRAM_HEADER_BYTES, len - DATAGRAM_HEADER_BYTES);
	crypto_shorthash_siphash24(ret, covered, len - MAC_BYTES, k->secrets->mac_key);
}

uint64_t keyring_nonce(const uint8_t *data)
{
	struct reader r = reader_of(data + OFFSET_NONCE, sizeof(uint64_t));
	return reader_u64(&r);
}

bool keyring_is_hello(const uint8_t *data)
{
	return data[OFFSET_COUNTERS] == HELLO_COUNTER;
}

static enum err seal(struct keyring *k, uint8_t type, uint8_t own_counter, uint8_t peer_counter,
		     const uint8_t key[KEY_BYTES], uint64_t count, const void *message, size_t len,
		     uint8_t *ret, size_t *ret_len, uint64_t *ret_nonce)
{
	if (len > DATAGRAM_MESSAGE_BYTES)
		return ERR_LIMIT;
	uint8_t nonce[NONCE_BYTES];
	k->rng.fill(k->rng.context, nonce, sizeof(nonce));
	struct writer counter = writer_of(nonce + (OFFSET_COUNTER - OFFSET_NONCE), sizeof(uint64_t));
	writer_u64(&counter, count);
	struct writer w = writer_of(ret, LIMIT_DATAGRAM_BYTES);
	writer_u8(&w, DATAGRAM_VERSION);
	writer_u8(&w, type);
	writer_u8(&w, own_counter);
	writer_u8(&w, peer_counter);
	writer_bytes(&w, k->self.b, ID_BYTES);
	writer_bytes(&w, nonce, sizeof(nonce));
	CHECK(w.len == OFFSET_MAC);
	crypto_aead_xchacha20poly1305_ietf_encrypt(ret + DATAGRAM_HEADER_BYTES, NULL, message, len, ret,
						   OFFSET_MAC, NULL, nonce, key);
	*ret_len = DATAGRAM_HEADER_BYTES + len + DATAGRAM_TAG_BYTES;
	mac_of(k, ret, *ret_len, ret + OFFSET_MAC);
	if (ret_nonce != NULL)
		*ret_nonce = keyring_nonce(ret);
	return ERR_OK;
}

enum err keyring_seal(struct keyring *k, const struct id *peer_id, uint8_t type, const void *message,
		      size_t len, uint8_t *ret, size_t *ret_len, uint64_t *ret_nonce)
{
	struct peer *peer = peers_find(&k->peers, peer_id);
	if (peer == NULL)
		return ERR_UNKNOWN_SOURCE;
	/* The own key that the peer got in the hello; it may not have seen a newer one. */
	const struct pair *pair = pair_of(k, peer, slot_of(peer->learned), PEER_KEY_NEWEST);
	if (pair == NULL)
		return ERR_UNKNOWN_SOURCE;
	peers_touch(&k->peers, peer);
	return seal(k, type, counter_of(peer->learned), counter_of(peer->keys[PEER_KEY_NEWEST].day),
		    pair->send, ++peer->sealed, message, len, ret, ret_len, ret_nonce);
}

enum err keyring_seal_hello(struct keyring *k, uint8_t type, const void *message, size_t len, uint8_t *ret,
			    size_t *ret_len, uint64_t *ret_nonce)
{
	return seal(k, type, HELLO_COUNTER, HELLO_COUNTER, k->secrets->hello_key, ++k->sealed, message, len,
		    ret, ret_len, ret_nonce);
}

struct id keyring_source(const uint8_t *data)
{
	struct id source;
	memcpy(source.b, data + OFFSET_SOURCE, ID_BYTES);
	return source;
}

static uint64_t sealed_as(const uint8_t *data)
{
	struct reader nonce = reader_of(data + OFFSET_COUNTER, sizeof(uint64_t));
	return reader_u64(&nonce);
}

/* Which of the peer's keys a datagram names; PEER_KEYS: none that is known. */
static size_t age_of(const struct peer *peer, uint8_t peer_counter)
{
	size_t age = 0;
	while (age < PEER_KEYS && !(peer->keys[age].valid && counter_of(peer->keys[age].day) == peer_counter))
		age++;
	return age;
}

bool keyring_replayed(const struct keyring *k, const uint8_t *data)
{
	struct id source = keyring_source(data);
	const struct peer *peer = peers_find(&k->peers, &source);
	size_t age = peer == NULL ? PEER_KEYS : age_of(peer, data[OFFSET_COUNTERS]);
	return age < PEER_KEYS && !peers_window_open(&peer->keys[age].window, sealed_as(data));
}

/* Pair of a sealed datagram's counters, and the window of the peer's key; ERR_UNKNOWN_SOURCE when a side's
 * key is not known. */
static enum err find_pair(struct keyring *k, struct peer *peer, uint8_t peer_counter, uint8_t own_counter,
			  const struct pair **ret, struct window **ret_window)
{
	if (peer == NULL)
		return ERR_UNKNOWN_SOURCE;
	size_t slot = 0, age = age_of(peer, peer_counter);
	while (slot < 2 && !(k->valid[slot] && counter_of(day_of(k, slot)) == own_counter))
		slot++;
	if (slot == 2 || age == PEER_KEYS)
		return ERR_UNKNOWN_SOURCE;
	*ret_window = &peer->keys[age].window;
	if (!peer->pairs[slot][age].set) {
		if (k->derivations == 0)
			return ERR_BUSY;
		k->derivations -= k->derivations != UINT_MAX;
	}
	*ret = pair_of(k, peer, slot, age);
	return *ret == NULL ? ERR_SEAL : ERR_OK;
}

enum err keyring_check(const struct keyring *k, const uint8_t *data, size_t len)
{
	if (len < DATAGRAM_HEADER_BYTES + DATAGRAM_TAG_BYTES)
		return ERR_SHORT;
	if (len > LIMIT_DATAGRAM_BYTES)
		return ERR_LIMIT;
	if (data[0] != DATAGRAM_VERSION)
		return ERR_VERSION;
	uint8_t mac[MAC_BYTES];
	mac_of(k, data, len, mac);
	return sodium_memcmp(mac, data + OFFSET_MAC, MAC_BYTES) == 0 ? ERR_OK : ERR_MAC;
}

enum err keyring_open(struct keyring *k, const uint8_t *data, size_t len, struct datagram *ret)
{
	enum err err = keyring_check(k, data, len);
	if (err != ERR_OK)
		return err;
	struct id source = keyring_source(data);
	struct peer *peer = NULL;
	const struct pair *pair = NULL;
	struct window *window = NULL;
	const uint8_t *key = k->secrets->hello_key;
	uint8_t peer_counter = data[2], own_counter = data[3];
	/* What comes back to us, or says it was us; and no datagram is sealed half under the hello key. */
	if (id_equal(&source, &k->self) || (peer_counter == HELLO_COUNTER) != (own_counter == HELLO_COUNTER))
		return ERR_SEAL;
	bool paired = peer_counter != HELLO_COUNTER;
	if (paired) {
		peer = peers_find(&k->peers, &source);
		err = find_pair(k, peer, peer_counter, own_counter, &pair, &window);
		if (err == ERR_UNKNOWN_SOURCE)
			ret->source = source;
		if (err != ERR_OK)
			return err;
		key = pair->receive;
	}
	uint8_t message[DATAGRAM_MESSAGE_BYTES];
	size_t sealed = len - DATAGRAM_HEADER_BYTES;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(message, NULL, NULL, data + DATAGRAM_HEADER_BYTES,
						       sealed, data, OFFSET_MAC, data + OFFSET_NONCE,
						       key) != 0)
		return ERR_SEAL;
	if (peer != NULL) {
		peers_touch(&k->peers, peer);
		peers_window_close(window, sealed_as(data));
	}
	ret->type = data[1];
	ret->source = source;
	ret->paired = paired;
	ret->nonce = keyring_nonce(data);
	ret->len = sealed - DATAGRAM_TAG_BYTES;
	memcpy(ret->message, message, ret->len);
	return ERR_OK;
}
