#include "crypto/identity.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

_Static_assert(crypto_sign_ed25519_SEEDBYTES == KEY_BYTES, "seed");
_Static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == KEY_BYTES, "public key");
_Static_assert(crypto_sign_ed25519_BYTES == SIGNATURE_BYTES, "signature");

struct secret_half {
	uint8_t key[crypto_sign_ed25519_SECRETKEYBYTES]; /* seed and public key */
	uint8_t seed[KEY_BYTES];
};

struct identity {
	struct id id;
	uint8_t public_key[KEY_BYTES];
	bool guarded;
	struct secret_half *secret;
};

/* With room for a seed, which is filled in there before `derive`. */
static enum err begin(bool guarded, struct identity **ret)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	if (identity == NULL)
		return ERR_NOMEM;
	identity->guarded = guarded;
	identity->secret = secret_new(sizeof(*identity->secret), guarded);
	if (identity->secret == NULL) {
		free(identity);
		return ERR_NOMEM;
	}
	*ret = identity;
	return ERR_OK;
}

static void derive(struct identity *identity)
{
	crypto_sign_ed25519_seed_keypair(identity->public_key, identity->secret->key, identity->secret->seed);
	identity->id = id_of_key(identity->public_key);
	secret_scrub();
}

enum err identity_generate(const struct crypto_rng *rng, struct identity **ret)
{
	struct identity *identity;
	enum err err = begin(!crypto_rng_is_seeded(rng), &identity);
	if (err != ERR_OK)
		return err;
	rng->fill(rng->context, identity->secret->seed, KEY_BYTES);
	derive(identity);
	*ret = identity;
	return ERR_OK;
}

enum err identity_from_seed(const uint8_t seed[KEY_BYTES], struct identity **ret)
{
	struct identity *identity;
	enum err err = begin(true, &identity);
	if (err != ERR_OK)
		return err;
	memcpy(identity->secret->seed, seed, KEY_BYTES);
	derive(identity);
	*ret = identity;
	return ERR_OK;
}

void identity_free(struct identity *identity)
{
	if (identity == NULL)
		return;
	secret_free(identity->secret, sizeof(*identity->secret), identity->guarded);
	free(identity);
}

const struct id *identity_id(const struct identity *identity)
{
	return &identity->id;
}

const uint8_t *identity_public_key(const struct identity *identity)
{
	return identity->public_key;
}

const uint8_t *identity_seed(const struct identity *identity)
{
	return identity->secret->seed;
}

void identity_sign(const struct identity *identity, const void *data, size_t len,
		   uint8_t ret[SIGNATURE_BYTES])
{
	int failed = crypto_sign_ed25519_detached(ret, NULL, data, len, identity->secret->key);
	CHECK(failed == 0);
	secret_scrub();
}

/* y of a point; the sign of x, in the top bit, left out. */
static bool y_equals(const uint8_t key[KEY_BYTES], const uint8_t y[KEY_BYTES])
{
	return memcmp(key, y, KEY_BYTES - 1) == 0 && (key[KEY_BYTES - 1] & 0x7f) == y[KEY_BYTES - 1];
}

bool identity_key_sound(const uint8_t public_key[KEY_BYTES])
{
	/* Orders 4, 1, 8, 8. That of order 2 is p - 1; from p = 2^255 - 19 on nothing is canonical. */
	static const uint8_t small[][KEY_BYTES] = {
	    {0},
	    {1},
	    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	};
	for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++) {
		if (y_equals(public_key, small[i]))
			return false;
	}
	if ((public_key[KEY_BYTES - 1] & 0x7f) != 0x7f || public_key[0] < 0xec)
		return true;
	for (size_t i = 1; i < KEY_BYTES - 1; i++) {
		if (public_key[i] != 0xff)
			return true;
	}
	return false;
}

enum err signature_verify(const uint8_t public_key[KEY_BYTES], const void *data, size_t len,
			  const uint8_t signature[SIGNATURE_BYTES])
{
	return crypto_sign_ed25519_verify_detached(signature, data, len, public_key) == 0 ? ERR_OK
											  : ERR_SIGNATURE;
}
