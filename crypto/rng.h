/* Where keys and nonces come from: the system in production, a seed in the simulator and in test vectors. */
#ifndef MESH_CRYPTO_RNG_H
#define MESH_CRYPTO_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crypto_rng {
	void (*fill)(void *context, void *ret, size_t len);
	void *context;
};

/* libsodium's generator. */
struct crypto_rng crypto_rng_system(void);

/* Deterministic; for the simulator and tests only. `state` is the context and must outlive the rng. */
struct crypto_rng_seeded {
	uint8_t key[32];
	uint64_t counter;
};
struct crypto_rng crypto_rng_from_seed(struct crypto_rng_seeded *state, uint64_t seed);
/* Then keys made with it protect nothing, and need no guarded memory. */
bool crypto_rng_is_seeded(const struct crypto_rng *rng);

#endif
