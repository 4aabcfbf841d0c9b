#include "crypto/hash.h"

#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "crypto/guarded.h"
#include "crypto/secret.h"

_Static_assert(crypto_generichash_blake2b_PERSONALBYTES == 16, "domains are padded to 16 bytes");
_Static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct estate_keys *)NULL)->mac_key), "mac key");
_Static_assert(crypto_shorthash_KEYBYTES == HASH_SHORT_KEY_BYTES, "short key");

#define BELOW_BYTES 4096 /* of the stack, that BLAKE2b works in */

static uint64_t first_8(const uint8_t *bytes)
{
	uint64_t v = 0;
	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | bytes[i];
	return v;
}

static void blake2b(uint8_t *ret, size_t n, const uint8_t *key, const char *domain, const void *data,
		    size_t len)
{
	uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] = {0};
	size_t domain_len = strlen(domain);
	CHECK(n == 16 || n == 32);
	CHECK(domain_len <= sizeof(personal));
	memcpy(personal, domain, domain_len);
	int failed = crypto_generichash_blake2b_salt_personal(ret, n, data, len, key,
							      key == NULL ? 0 : KEY_BYTES, NULL, personal);
	CHECK(failed == 0);
	/* The key is the first block, and its words are left where the compression spilled them. */
	if (key != NULL)
		sodium_stackzero(BELOW_BYTES);
}

void hash_bytes(uint8_t *ret, size_t n, const char *domain, const void *data, size_t len)
{
	blake2b(ret, n, NULL, domain, data, len);
}

void hash_keyed(uint8_t *ret, size_t n, const uint8_t key[KEY_BYTES], const char *domain, const void *data,
		size_t len)
{
	blake2b(ret, n, key, domain, data, len);
}

uint64_t hash_u64(const char *domain, const void *data, size_t len)
{
	uint8_t hash[16];
	blake2b(hash, sizeof(hash), NULL, domain, data, len);
	return first_8(hash);
}

uint64_t hash_keyed_u64(const uint8_t key[KEY_BYTES], const char *domain, const void *data, size_t len)
{
	uint8_t hash[16];
	blake2b(hash, sizeof(hash), key, domain, data, len);
	return first_8(hash);
}

uint64_t hash_checksum(const void *data, size_t len)
{
	/* Public on purpose: the checksum finds accidents, it keeps nobody out. */
	static const uint8_t key[crypto_shorthash_KEYBYTES] = "mesh row check";
	return hash_short(key, data, len);
}

uint64_t hash_short(const uint8_t key[HASH_SHORT_KEY_BYTES], const void *data, size_t len)
{
	uint8_t hash[crypto_shorthash_BYTES];
	crypto_shorthash(hash, data, len, key);
	return first_8(hash);
}

void estate_keys_derive(struct estate_keys *ret, const struct id *estate, const uint8_t secret[KEY_BYTES])
{
	ret->estate = *estate;
	/* Cut to its length by way of the next one's place. */
	hash_keyed(ret->hello_key, KEY_BYTES, secret, "mesh.mac", NULL, 0);
	memcpy(ret->mac_key, ret->hello_key, sizeof(ret->mac_key));
	hash_keyed(ret->hello_key, KEY_BYTES, secret, "mesh.hello", NULL, 0);
	hash_keyed(ret->set_key, KEY_BYTES, secret, "mesh.set", NULL, 0);
	secret_scrub();
}

struct estate_keys *estate_keys_new(const struct id *estate, const uint8_t secret[KEY_BYTES])
{
	struct estate_keys *keys = crypto_guarded_new(sizeof(*keys));
	if (keys != NULL)
		estate_keys_derive(keys, estate, secret);
	return keys;
}

void estate_keys_free(struct estate_keys *keys)
{
	crypto_guarded_free(keys, sizeof(*keys));
}

enum err crypto_init(void)
{
	return sodium_init() < 0 ? ERR_UNSUPPORTED : ERR_OK;
}

void crypto_wipe(void *data, size_t len)
{
	if (len > 0)
		sodium_memzero(data, len);
}

bool hash_same(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}
