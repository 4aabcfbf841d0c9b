#include "os/entropy.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

uint64_t os_entropy_seed(void)
{
	uint64_t seed;
	/* Early in boot the pool may be empty. Jitter must not wait for it: hosts that start in the same
	 * second still differ in their clocks' nanoseconds. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == (ssize_t)sizeof(seed))
		return seed;
	struct timespec real = {0}, mono = {0};
	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return ((uint64_t)real.tv_sec << 30 ^ (uint64_t)real.tv_nsec) ^ (uint64_t)mono.tv_nsec << 32 ^
	       (uint64_t)getpid() << 48;
}
