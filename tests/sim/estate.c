#include "estate.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

/* Indices of identities beyond any host's. */
enum { INDEX_AUTHORITY = 1 << 24, INDEX_ISSUER, INDEX_SECOND_ISSUER, INDEX_SUCCESSOR };

struct identity *estate_identity(uint64_t seed, uint64_t index)
{
	const uint64_t from[2] = {seed, index};
	uint8_t bytes[KEY_BYTES];
	struct identity *identity;
	hash_bytes(bytes, sizeof(bytes), "sim.identity", from, sizeof(from));
	CHECK(identity_from_seed(bytes, &identity) == ERR_OK);
	return identity;
}

static void grant(struct authlog *log, const struct identity *authority, const struct identity *issuer,
		  const char *name)
{
	struct authlog_grant g = {.issuer = *identity_id(issuer),
				  .quota = 100000,
				  .last_day = clock_day(SIM_WALL_START) + 365,
				  .grace_days = 30};
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	memcpy(g.public_key, identity_public_key(issuer), KEY_BYTES);
	text_copy(g.name, sizeof(g.name), name);
	CHECK(authlog_make_grant(log, authority, &g, SIM_WALL_START - 29 * CLOCK_DAY_MS, entry, &len) ==
	      ERR_OK);
	CHECK(authlog_append(log, entry, len) == ERR_OK);
}

void estate_init(struct estate *e, uint64_t seed)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(crypto_init() == ERR_OK);
	e->authority = estate_identity(seed, INDEX_AUTHORITY);
	e->successor = estate_identity(seed, INDEX_SUCCESSOR);
	e->first_issuer = estate_identity(seed, INDEX_ISSUER);
	e->second_issuer = estate_identity(seed, INDEX_SECOND_ISSUER);
	CHECK(authlog_new(&e->log) == ERR_OK);
	CHECK(authlog_make_genesis(e->authority, identity_public_key(e->successor), "sim",
				   SIM_WALL_START - 30 * CLOCK_DAY_MS, entry, &len) == ERR_OK);
	CHECK(authlog_append(e->log, entry, len) == ERR_OK);
	grant(e->log, e->authority, e->first_issuer, "first");
	CHECK(authlog_copy(e->log, &e->short_log) == ERR_OK);
	grant(e->log, e->authority, e->second_issuer, "second");
	hash_bytes(e->secret, sizeof(e->secret), "sim.secret", &seed, sizeof(seed));
	estate_keys_derive(&e->keys, authlog_estate(e->log), e->secret);
}

void estate_free(struct estate *e)
{
	authlog_free(e->log);
	authlog_free(e->short_log);
	identity_free(e->authority);
	identity_free(e->successor);
	identity_free(e->first_issuer);
	identity_free(e->second_issuer);
}

size_t estate_certify(const struct estate *e, const struct identity *host, const char *site, uint32_t index,
		      uint8_t ret[LIMIT_CERTIFICATE_BYTES])
{
	/* Some were enrolled within the last week: they fill up the ranks of witnesses. */
	struct certificate c = {.enrolled = clock_day(SIM_WALL_START) - (index % 4 == 3 ? 2 : 20),
				.seq = SIM_FIRST_SEQ};
	size_t len;
	text_copy(c.site, sizeof(c.site), site);
	const struct identity *issuer = index % 2 == 0 ? e->first_issuer : e->second_issuer;
	certificate_consent(&c, host, identity_id(issuer), &e->keys.estate);
	CHECK(certificate_issue(&c, issuer, &e->keys.estate, 1, SIM_WALL_START - CLOCK_DAY_MS, ret, &len) ==
	      ERR_OK);
	return len;
}
