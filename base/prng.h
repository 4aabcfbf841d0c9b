/* Seeded pseudo-random numbers for jitter and peer choice (xoshiro256** by Blackman and Vigna, seeded by
 * splitmix64). Never for nonces or keys: those come from crypto/rng.h. */
#ifndef MESH_BASE_PRNG_H
#define MESH_BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

struct prng {
	uint64_t s[4];
};

void prng_seed(struct prng *p, uint64_t seed);
uint64_t prng_u64(struct prng *p);

/* Spreads what differs in few bits over all of them; splitmix64's finaliser (Steele, Lea and Flood; constants
 * by Vigna). 0 stays 0. */
uint64_t prng_mix(uint64_t x);

/* Uniform in 0..bound-1, without modulo bias; bound 0 returns 0. */
uint64_t prng_below(struct prng *p, uint64_t bound);

/* Uniform in [0, 1). */
double prng_unit(struct prng *p);

/* True with probability `share` (0..1). */
int prng_chance(struct prng *p, double share);

#endif
