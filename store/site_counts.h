/* What every answer says of all hosts, counted by their home site: kept as rows of the replica by each
 * commit, so that an answer adds up sites and looks at no host. Private to store/. */
#ifndef MESH_STORE_SITE_COUNTS_H
#define MESH_STORE_SITE_COUNTS_H

#include "store/row.h"

/* Of one host that has a certificate. */
struct site_fact {
	wall_ms seen;
	uint8_t status;    /* enum host_status */
	uint8_t standing;  /* enum host_standing */
	uint8_t published; /* of profile and components: how many are there */
};

struct site_counts {
	char name[LIMIT_SITE_NAME_BYTES + 1];
	uint32_t hidden; /* revoked, and in none of the other counts */
	uint32_t by_status[HOST_REPLACED + 1];
	/* Of those that have neither left nor were replaced: */
	uint32_t quarantined;
	uint32_t never_heard; /* not a sign of life, no record */
	uint32_t incomplete;  /* heard, not quarantined, profile or components not here */
	uint32_t stale;       /* heard, not quarantined, and silent or unknown */
	uint32_t up_quarantined;
	uint32_t up_unseen;              /* up, and seen is 0 */
	wall_ms seen_first, seen_latest; /* of all others that are up; 0: there are none */
};

/* Whether the host is in none of the counts but `hidden`. */
static inline bool site_fact_hidden(const struct site_fact *f)
{
	return f->standing == STANDING_REVOKED;
}

void site_counts_add(struct site_counts *c, const struct site_fact *f);
/* Hosts in it. */
uint64_t site_counts_hosts(const struct site_counts *c);

/* The row of a site; its key is row_key_id(TABLE_SITE_COUNTS, id_of_site(name)). */
void site_counts_encode(const struct row_key *key, const struct site_counts *c, struct row_value *ret);
enum err site_counts_decode(const uint8_t *bytes, size_t len, struct site_counts *ret);

#endif
