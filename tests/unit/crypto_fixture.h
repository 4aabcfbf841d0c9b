/* A small estate whose every key and time is fixed, for unit tests, test vectors and fuzz targets. */
#ifndef MESH_TESTS_UNIT_CRYPTO_FIXTURE_H
#define MESH_TESTS_UNIT_CRYPTO_FIXTURE_H

#include "base/mp.h"
#include "crypto/certificate.h"
#include "crypto/keyring.h"
#include "crypto/rng.h"
#include "crypto/token.h"

#define FIXTURE_NOW ((wall_ms)1721368800000) /* 2024-07-19 06:00 UTC */
#define FIXTURE_DAY ((wall_day)19923)

struct fixture {
	struct crypto_rng_seeded seeded;
	struct crypto_rng rng;
	uint8_t secret[KEY_BYTES]; /* of the estate */
	uint8_t authority_seed[KEY_BYTES], issuer_seed[KEY_BYTES], host_seed[KEY_BYTES],
	    other_seed[KEY_BYTES], successor_seed[KEY_BYTES];
	struct identity *authority, *issuer;
	struct identity *host, *other; /* two hosts */
	struct identity *successor;    /* of the authority, named by the genesis */
	struct authlog *log;           /* genesis, grant of issuer */
	struct estate_keys keys;
};

void fixture_make(struct fixture *f, uint64_t seed);
void fixture_release(struct fixture *f);

/* Grant of `issuer`: any site, quota 100, thirty days from now, seven of grace. */
struct authlog_grant fixture_grant(const struct identity *issuer);
/* An entry of the authority log that was signed and is not yet appended. */
struct fixture_entry {
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
};
/* The key of `other` as an operator's, for nine days. */
struct fixture_entry fixture_operator(const struct fixture *f, const char *name);
struct fixture_entry fixture_revoke(const struct fixture *f, enum log_revoke_what what, const struct id *id);
void fixture_append(struct fixture *f, const struct fixture_entry *entry);
/* A signature over an entry that was changed; right in all but what was changed. */
void fixture_sign_entry(const struct fixture *f, const struct identity *authority,
			struct fixture_entry *entry);
/* By `successor`, who names `next`, behind the last entry of an unforked log. */
struct fixture_entry fixture_rotation(const struct authlog *log, const struct identity *successor,
				      const struct identity *next);
/* Sign and append. */
void fixture_grant_append(struct fixture *f, const struct authlog_grant *grant);
/* Certificate of `host` in site "leeds", two groups; its hardware hash is the first of its id. */
size_t fixture_certificate(const struct fixture *f, const struct identity *host,
			   uint8_t ret[LIMIT_CERTIFICATE_BYTES]);
/* Token over the fixture's log with two subnets and two seeds. Owned parts point into the fixture and to
 * static memory: not for token_release. */
struct token fixture_token(const struct fixture *f);

/* Ed25519 public keys that nobody may use: of small order, with either sign, and not canonical. NULL behind
 * the last. */
const uint8_t *fixture_unsound_key(size_t index);

/* Calls `refused` with every bit of every byte changed in turn, and every byte inverted; returns the index of
 * the first byte whose change it took, or -1. `all`: each of the 255 other values. */
long fixture_flip(const uint8_t *bytes, size_t len, bool all,
		  bool (*refused)(void *context, const uint8_t *bytes, size_t len), void *context);

#endif
