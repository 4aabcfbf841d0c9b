/* A synthetic estate: a replica written through the real path, from a seed, with real signed records. */
#ifndef MESH_TESTS_ESTATE_ESTATE_H
#define MESH_TESTS_ESTATE_ESTATE_H

#include <stdbool.h>
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
	bool trouble;    /* with issues of every kind, see below; takes ESTATE_TROUBLE_HOSTS hosts */
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

/* The same options give the same rows. ERR_ARG, ERR_EXISTS (the folder has a replica), and what the store
 * says. */
enum err estate_write(const struct estate_options *o, struct err_info *info);

#endif
