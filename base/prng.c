#include "base/prng.h"

static uint64_t rotate_left(uint64_t x, int k)
{
	return x << k | x >> (64 - k);
}

uint64_t prng_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

void prng_seed(struct prng *p, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed += 0x9e3779b97f4a7c15u;
		p->s[i] = prng_mix(seed);
	}
}

uint64_t prng_u64(struct prng *p)
{
	uint64_t *s = p->s;
	uint64_t ret = rotate_left(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return ret;
}

uint64_t prng_below(struct prng *p, uint64_t bound)
{
	if (bound == 0)
		return 0;
	/* 2^64 mod bound: draws below it would favour small results. */
	uint64_t reject = (UINT64_MAX - bound + 1) % bound;
	uint64_t v;
	do
		v = prng_u64(p);
	while (v < reject);
	return v % bound;
}

double prng_unit(struct prng *p)
{
	return (double)(prng_u64(p) >> 11) * 0x1.0p-53;
}

int prng_chance(struct prng *p, double share)
{
	return prng_unit(p) < share;
}
