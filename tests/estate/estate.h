/* A synthetic estate: a replica written through the real path, from a seed, with real signed records, and the
 * truth about it in DIR/truth.json (README.md). */
#ifndef MESH_TESTS_ESTATE_ESTATE_H
#define MESH_TESTS_ESTATE_ESTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"

#define ESTATE_HOSTS_MAX      LIMIT_HOSTS
#define ESTATE_SITES_MAX      1000
#define ESTATE_SITE_HOSTS_MAX 9000 /* what a site may have is a little more */
#define ESTATE_IMAGES         300
#define ESTATE_IMAGES_MIN     6 /* one a role */
#define ESTATE_IMAGES_MAX     2000
#define ESTATE_THREADS_MAX    16
#define ESTATE_NOW_MIN        (1500 * CLOCK_DAY_MS)

struct estate_options {
	size_t hosts; /* 1 to ESTATE_HOSTS_MAX */
	size_t sites; /* 1 to ESTATE_SITES_MAX, at most one a host */
	uint64_t seed;
	const char *out;  /* state folder; gets replica/, authority.log, keys, truth.json */
	wall_ms now;      /* the moment that the replica shows */
	size_t images;    /* of operating systems; 0: ESTATE_IMAGES */
	int silent_sites; /* cut off in quiet times; -1: one in a hundred */
	unsigned threads; /* that sign; 0: one a processor, at most ESTATE_THREADS_MAX */
	bool trouble;     /* with issues of every kind, see below; takes ESTATE_TROUBLE_HOSTS hosts */
};

/* What the first hosts are with `trouble`; the others are as without it. */
enum estate_trouble {
	ESTATE_SELF, /* the replica's own host: nothing is wrong with it but its clock */
	ESTATE_REVOKED,
	ESTATE_ISSUER_REVOKED,
	ESTATE_QUARANTINED,
	ESTATE_REPLACED, /* by the next one, which has its name */
	ESTATE_SUCCESSOR,
	ESTATE_CLONED,
	ESTATE_EQUIVOCATED,
	ESTATE_GRACE,
	ESTATE_ENDED,
	ESTATE_RESTORED,
	ESTATE_TWIN, /* same hardware and name as the next one, both live */
	ESTATE_OTHER_TWIN,
	ESTATE_FORGER,
	ESTATE_POISONER,
	ESTATE_TROUBLE_HOSTS
};
/* Revoked hosts have names that begin so, and a home of that name, which nobody else has. */
#define ESTATE_REVOKED_NAME "hideout"
/* A component that only revoked hosts have. */
#define ESTATE_REVOKED_COMPONENT "hideout_driver"

/* The same options give the same rows, whatever the number of threads. ERR_ARG, ERR_EXISTS (the folder has a
 * replica), and what the store says. */
enum err estate_write(const struct estate_options *o, struct err_info *info);

#endif
