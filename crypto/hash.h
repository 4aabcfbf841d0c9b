/* BLAKE2b with domains, and the keys derived from the estate secret (docs/protocol.md section 1). */
#ifndef MESH_CRYPTO_HASH_H
#define MESH_CRYPTO_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/id.h"

/* H(domain, n, data): n is 16 or 32, domain at most 16 characters. */
void hash_bytes(uint8_t *ret, size_t n, const char *domain, const void *data, size_t len);
/* HK(key, domain, n, data). */
void hash_keyed(uint8_t *ret, size_t n, const uint8_t key[KEY_BYTES], const char *domain, const void *data,
		size_t len);
/* First 8 bytes of H, as an integer. */
uint64_t hash_u64(const char *domain, const void *data, size_t len);
uint64_t hash_keyed_u64(const uint8_t key[KEY_BYTES], const char *domain, const void *data, size_t len);
/* Checksum of stored rows: against accidents, not forgers. Fast (SipHash under a fixed key). */
uint64_t hash_checksum(const void *data, size_t len);
/* SipHash-2-4, its 8 bytes as an integer: for what is hashed by the million. */
#define HASH_SHORT_KEY_BYTES 16
uint64_t hash_short(const uint8_t key[HASH_SHORT_KEY_BYTES], const void *data, size_t len);

/* What a node derives from the estate secret once. Guarded memory of the caller (crypto/guarded.h). */
struct estate_keys {
	struct id estate;
	uint8_t mac_key[16];
	uint8_t hello_key[KEY_BYTES];
	uint8_t set_key[KEY_BYTES];
};

void estate_keys_derive(struct estate_keys *ret, const struct id *estate, const uint8_t secret[KEY_BYTES]);
/* The same in guarded memory of its own; NULL when there is none. Freeing wipes it; NULL is fine. */
struct estate_keys *estate_keys_new(const struct id *estate, const uint8_t secret[KEY_BYTES]);
void estate_keys_free(struct estate_keys *keys);

/* Once per process before anything else of crypto/ (thread-safe, repeatable). ERR_UNSUPPORTED. */
enum err crypto_init(void);
/* Overwrite memory so that the compiler cannot leave it out. */
void crypto_wipe(void *data, size_t len);
/* Whether they are the same, in a time that does not tell where they differ. */
bool hash_same(const void *a, const void *b, size_t len);

#endif
