/* Authority logs that fork: entries of several branches, poured together and compared. */
#ifndef MESH_TESTS_UNIT_LOG_FIXTURE_H
#define MESH_TESTS_UNIT_LOG_FIXTURE_H

#include "tests/unit/crypto_fixture.h"

struct id log_number(uint8_t n); /* an id that says only this */
struct authlog *log_copy(const struct authlog *log);
/* Signed and appended, so many days after FIXTURE_NOW. */
void log_revoke(struct authlog *log, const struct identity *authority, enum log_revoke_what what,
		const struct id *id, const struct id *list, uint64_t days);
void log_revoke_host(struct authlog *log, const struct identity *authority, uint8_t host);
void log_grant(struct authlog *log, const struct identity *authority, const struct identity *issuer,
	       uint64_t days);
void log_rotate(struct authlog *log, const struct identity *successor, const struct identity *next);

#define LOG_POOL_MAX 64
struct log_pool {
	struct fixture_entry entries[LOG_POOL_MAX];
	size_t count;
};
/* What `log` has and the pool lacks. */
void log_pour(struct log_pool *p, const struct authlog *log);
/* Offers all entries again and again in their order, until none is new. */
void log_drink(const struct log_pool *p, struct authlog *log);
struct authlog *log_of(const struct log_pool *p);
void log_shuffle(struct log_pool *p, const struct crypto_rng *rng);

/* Fails the test unless both say the same, entry by entry and by what follows from them. */
void log_assert_same(const struct authlog *a, const struct authlog *b);

#endif
