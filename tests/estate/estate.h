/* A synthetic estate: a replica written through the real path, from a seed, with real signed records. */
#ifndef MESH_TESTS_ESTATE_ESTATE_H
#define MESH_TESTS_ESTATE_ESTATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

#define ESTATE_HOSTS_MAX 65536
#define ESTATE_SITES_MAX 1000

struct estate_options {
	size_t hosts; /* 1 to ESTATE_HOSTS_MAX */
	size_t sites; /* 1 to ESTATE_SITES_MAX, at most one a host */
	uint64_t seed;
	const char *out; /* state folder; gets replica/ and authority.log */
	wall_ms now;     /* what the last signs of life are counted from */
};

/* The same options give the same rows. ERR_ARG, ERR_EXISTS (the folder has a replica), and what the store
 * says. */
enum err estate_write(const struct estate_options *o, struct err_info *info);

#endif
