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

/* What goes wrong. */
enum estate_outage {
	ESTATE_QUIET,
	ESTATE_DRIVER,  /* a version of a component takes hosts down */
	ESTATE_CONTENT, /* a content file does */
	ESTATE_POWER,   /* sites lose their power */
	ESTATE_PATCHDAY /* updates of the operating system on one morning, harmless */
};
/* From the bad version's arrival to the crash. */
enum estate_delay {
	ESTATE_DELAY_NONE,    /* dead before it could report the change */
	ESTATE_DELAY_SECONDS, /* 3 to 8 s: half of them could */
	ESTATE_DELAY_MINUTES, /* 1 to 10 min */
	ESTATE_DELAY_HOUR     /* 20 to 70 min */
};
/* What happens besides, and is not to blame; bits. */
#define ESTATE_MODEL     1u /* a driver of one model came out that morning; the cause went mostly there */
#define ESTATE_POWER_CUT 2u
#define ESTATE_PATCH_DAY 4u
#define ESTATE_TOGETHER  8u /* a companion that always came along: cannot be told apart from the cause */

struct estate_options {
	size_t hosts; /* 1 to ESTATE_HOSTS_MAX */
	size_t sites; /* 1 to ESTATE_SITES_MAX, at most one a host */
	uint64_t seed;
	const char *out;  /* state folder; gets replica/, authority.log, keys, truth.json */
	wall_ms now;      /* the moment that the replica shows */
	size_t images;    /* of operating systems; 0: ESTATE_IMAGES */
	int silent_sites; /* cut off in quiet times; -1: one in a hundred */
	unsigned threads; /* that sign; 0: one a processor, at most ESTATE_THREADS_MAX */
	enum estate_outage outage;
	enum estate_delay delay;
	const char *component; /* ESTATE_DRIVER: which; NULL: by the seed */
	double share;          /* driver, content: of the hosts that have it and are up; power: of the sites;
				  patch day: of the hosts */
	double repaired;       /* of the hosts that crashed, as far as there was time; 0 to 1 */
	wall_ms from, to;      /* when it spread; from <= to, from <= now */
	unsigned confounders;
	bool policy;  /* operators approve some components and refuse one, see operators.c */
	bool trouble; /* with issues of every kind, see below; takes ESTATE_TROUBLE_HOSTS hosts */
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
