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

struct identity {
	struct id id;
	uint8_t public_key[KEY_BYTES];
	bool guarded;
	uint8_t *secret_key; /* crypto_sign_ed25519_SECRETKEYBYTES: seed and public key */
};

static enum err make(const uint8_t seed[KEY_BYTES], bool guarded, struct identity **ret)
{
	struct identity *identity = calloc(1, sizeof(*identity));
	if (identity == NULL)
		return ERR_NOMEM;
	identity->guarded = guarded;
	identity->secret_key = secret_new(crypto_sign_ed25519_SECRETKEYBYTES, guarded);
	if (identity->secret_key == NULL) {
		free(identity);
		return ERR_NOMEM;
	}
	crypto_sign_ed25519_seed_keypair(identity->public_key, identity->secret_key, seed);
	identity->id = id_of_key(identity->public_key);
	*ret = identity;
	return ERR_OK;
}

enum err identity_generate(const struct crypto_rng *rng, struct identity **ret)
{
	uint8_t seed[KEY_BYTES];
	rng->fill(rng->context, seed, sizeof(seed));
	enum err err = make(seed, !crypto_rng_is_seeded(rng), ret);
	crypto_wipe(seed, sizeof(seed));
	return err;
}

enum err identity_from_seed(const uint8_t seed[KEY_BYTES], struct identity **ret)
{
	return make(seed, true, ret);
}

void identity_free(struct identity *identity)
{
	if (identity == NULL)
		return;
	secret_free(identity->secret_key, crypto_sign_ed25519_SECRETKEYBYTES, identity->guarded);
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

void identity_seed(const struct identity *identity, uint8_t ret[KEY_BYTES])
{
	memcpy(ret, identity->secret_key, KEY_BYTES);
}

void identity_sign(const struct identity *identity, const void *data, size_t len,
		   uint8_t ret[SIGNATURE_BYTES])
{
	int failed = crypto_sign_ed25519_detached(ret, NULL, data, len, identity->secret_key);
	CHECK(failed == 0);
}

enum err signature_verify(const uint8_t public_key[KEY_BYTES], const void *data, size_t len,
			  const uint8_t signature[SIGNATURE_BYTES])
{
	return crypto_sign_ed25519_verify_detached(signature, data, len, public_key) == 0 ? ERR_OK
											  : ERR_SIGNATURE;
}
