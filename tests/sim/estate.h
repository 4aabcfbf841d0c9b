/* The estate of one world: authority and its successor, two issuers, and the hosts' identities. All from the seed. */
#ifndef MESH_TESTS_SIM_ESTATE_H
#define MESH_TESTS_SIM_ESTATE_H

#include "crypto/authlog.h"
#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "crypto/identity.h"

/* 2026-07-19 00:00 UTC, when virtual time was 0. */
#define SIM_WALL_START 1784419200000ull
#define SIM_FIRST_SEQ  1 /* of certificates */

struct estate {
	struct identity *authority, *successor, *first_issuer, *second_issuer;
	uint8_t secret[KEY_BYTES];
	struct estate_keys keys;
	struct authlog *log;       /* with both grants */
	size_t stolen;             /* entries that a thief of the authority's key signed besides */
	struct authlog *short_log; /* without the second: whoever has it must pull the rest first */
};

void estate_init(struct estate *e, uint64_t seed);
void estate_free(struct estate *e);
/* Identity number `index` of the world of this seed. */
struct identity *estate_identity(uint64_t seed, uint64_t index);
/* Every other host is the second issuer's. Returns the certificate's length. */
size_t estate_certify(const struct estate *e, const struct identity *host, const char *site, uint32_t index,
		      uint8_t ret[LIMIT_CERTIFICATE_BYTES]);

#endif
