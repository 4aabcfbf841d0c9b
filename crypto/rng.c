#include "crypto/rng.h"

#include <sodium.h>
#include <string.h>

#include "crypto/hash.h"
#include "crypto/secret.h"

_Static_assert(crypto_stream_chacha20_KEYBYTES == sizeof(((struct crypto_rng_seeded *)NULL)->key),
	       "seed key");
_Static_assert(crypto_stream_chacha20_NONCEBYTES == sizeof(uint64_t), "one nonce a call");

static void fill_system(void *context, void *ret, size_t len)
{
	(void)context;
	randombytes_buf(ret, len);
}

/* Each call draws from a stream of its own, so what one call takes does not shift the next. */
static void fill_seeded(void *context, void *ret, size_t len)
{
	struct crypto_rng_seeded *state = context;
	uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
	uint64_t counter = state->counter++;
	for (size_t i = sizeof(nonce); i-- > 0; counter >>= 8)
		nonce[i] = (uint8_t)counter;
	crypto_stream_chacha20(ret, len, nonce, state->key);
}

struct crypto_rng crypto_rng_system(void)
{
	return (struct crypto_rng){.fill = fill_system};
}

struct crypto_rng crypto_rng_from_seed(struct crypto_rng_seeded *state, uint64_t seed)
{
	uint8_t bytes[sizeof(seed)];
	for (size_t i = sizeof(bytes); i-- > 0; seed >>= 8)
		bytes[i] = (uint8_t)seed;
	hash_bytes(state->key, sizeof(state->key), "mesh.seed", bytes, sizeof(bytes));
	state->counter = 0;
	return (struct crypto_rng){.fill = fill_seeded, .context = state};
}

bool crypto_rng_is_seeded(const struct crypto_rng *rng)
{
	return rng->fill == fill_seeded;
}
