#include "tests/unit/crypto_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static struct identity *make_identity(struct fixture *f, uint8_t seed[KEY_BYTES])
{
	struct identity *identity;
	f->rng.fill(f->rng.context, seed, KEY_BYTES);
	CHECK(identity_from_seed(seed, &identity) == ERR_OK);
	return identity;
}

void fixture_make(struct fixture *f, uint64_t seed)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(crypto_init() == ERR_OK);
	*f = (struct fixture){0};
	f->rng = crypto_rng_from_seed(&f->seeded, seed);
	f->rng.fill(f->rng.context, f->secret, sizeof(f->secret));
	f->authority = make_identity(f, f->authority_seed);
	f->issuer = make_identity(f, f->issuer_seed);
	f->host = make_identity(f, f->host_seed);
	f->other = make_identity(f, f->other_seed);
	/* Not drawn: what tests draw further on stays what it is. */
	hash_bytes(f->successor_seed, KEY_BYTES, "test.successor", f->authority_seed, KEY_BYTES);
	CHECK(identity_from_seed(f->successor_seed, &f->successor) == ERR_OK);
	CHECK(authlog_new(&f->log) == ERR_OK);
	CHECK(authlog_make_genesis(f->authority, identity_public_key(f->successor), "Acme", FIXTURE_NOW,
				   entry, &len) == ERR_OK);
	CHECK(authlog_append(f->log, entry, len) == ERR_OK);
	struct authlog_grant grant = fixture_grant(f->issuer);
	fixture_grant_append(f, &grant);
	estate_keys_derive(&f->keys, authlog_estate(f->log), f->secret);
}

void fixture_release(struct fixture *f)
{
	identity_free(f->authority);
	identity_free(f->issuer);
	identity_free(f->host);
	identity_free(f->other);
	identity_free(f->successor);
	authlog_free(f->log);
	*f = (struct fixture){0};
}

struct authlog_grant fixture_grant(const struct identity *issuer)
{
	struct authlog_grant grant = {
	    .quota = 100, .last_day = FIXTURE_DAY + 30, .grace_days = 7, .name = "north"};
	memcpy(grant.public_key, identity_public_key(issuer), KEY_BYTES);
	return grant;
}

struct fixture_entry fixture_operator(const struct fixture *f, const char *name)
{
	struct fixture_entry e;
	CHECK(authlog_make_operator(f->log, f->authority, identity_public_key(f->other), name, 1,
				    FIXTURE_DAY + 9, FIXTURE_NOW, e.bytes, &e.len) == ERR_OK);
	return e;
}

struct fixture_entry fixture_revoke(const struct fixture *f, enum log_revoke_what what, const struct id *id)
{
	struct fixture_entry e;
	CHECK(authlog_make_revoke(f->log, f->authority, what, id, NULL, "", FIXTURE_NOW, e.bytes, &e.len) ==
	      ERR_OK);
	return e;
}

struct fixture_entry fixture_rotation(const struct authlog *log, const struct identity *successor,
				      const struct identity *next)
{
	struct fixture_entry e;
	CHECK(authlog_make_rotate(log, successor, identity_public_key(next), NULL, FIXTURE_NOW, e.bytes,
				  &e.len) == ERR_OK);
	return e;
}

void fixture_append(struct fixture *f, const struct fixture_entry *entry)
{
	CHECK(authlog_append(f->log, entry->bytes, entry->len) == ERR_OK);
}

void fixture_sign_entry(const struct fixture *f, const struct identity *authority,
			struct fixture_entry *entry)
{
	uint8_t cover[10 + ID_BYTES + LIMIT_LOG_ENTRY_BYTES];
	size_t covered = entry->len - 2 - SIGNATURE_BYTES;
	memcpy(cover, "mesh log 1", 10);
	memcpy(cover + 10, f->keys.estate.b, ID_BYTES);
	memcpy(cover + 10 + ID_BYTES, entry->bytes, covered);
	identity_sign(authority, cover, 10 + ID_BYTES + covered, entry->bytes + entry->len - SIGNATURE_BYTES);
}

void fixture_grant_append(struct fixture *f, const struct authlog_grant *grant)
{
	struct fixture_entry e;
	CHECK(authlog_make_grant(f->log, f->authority, grant, FIXTURE_NOW, e.bytes, &e.len) == ERR_OK);
	fixture_append(f, &e);
}

size_t fixture_certificate(const struct fixture *f, const struct identity *host,
			   uint8_t ret[LIMIT_CERTIFICATE_BYTES])
{
	size_t len;
	struct certificate c = {.site = "leeds",
				.groups = {"tills", "north"},
				.group_count = 2,
				.enrolled = FIXTURE_DAY,
				.seq = 1,
				.has_hardware = true};
	memcpy(c.hardware, identity_id(host)->b, HARDWARE_HASH_BYTES);
	certificate_consent(&c, host, identity_id(f->issuer), authlog_estate(f->log));
	CHECK(certificate_issue(&c, f->issuer, authlog_estate(f->log), 42, FIXTURE_NOW, ret, &len) == ERR_OK);
	return len;
}

struct token fixture_token(const struct fixture *f)
{
	static struct token_subnet subnets[] = {
	    {.address = {10, 7, 0, 0}, .address_len = 4, .prefix_bits = 16, .site = "leeds"},
	    {.address = {0x20, 0x01, 0x0d, 0xb8}, .address_len = 16, .prefix_bits = 128, .site = "york"}};
	struct token t = {.site = "leeds",
			  .subnets = subnets,
			  .subnet_count = 2,
			  .seeds = {"10.7.0.1:7946", "[2001:db8::1]:7946"},
			  .seed_count = 2,
			  .log = f->log,
			  .last_day = FIXTURE_DAY + 30};
	memcpy(t.estate_secret, f->secret, KEY_BYTES);
	memcpy(t.issuer_seed, f->issuer_seed, KEY_BYTES);
	return t;
}

const uint8_t *fixture_unsound_key(size_t index)
{
#define FF_28                                                                                                \
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,      \
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	static const uint8_t keys[][KEY_BYTES] = {
	    {0},
	    {[31] = 0x80},
	    {1},
	    {1, [31] = 0x80},
	    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x85},
	    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0xfa},
	    {0xec, 0xff, 0xff, FF_28, 0x7f},
	    {0xec, 0xff, 0xff, FF_28, 0xff},
	    {0xed, 0xff, 0xff, FF_28, 0x7f}, /* 0 */
	    {0xee, 0xff, 0xff, FF_28, 0x7f}, /* 1 */
	    {0xf0, 0xff, 0xff, FF_28, 0x7f}, /* 3, written in another way */
	    {0xff, 0xff, 0xff, FF_28, 0xff},
	};
#undef FF_28
	return index < sizeof(keys) / sizeof(*keys) ? keys[index] : NULL;
}

long fixture_flip(const uint8_t *bytes, size_t len, bool all,
		  bool (*refused)(void *context, const uint8_t *bytes, size_t len), void *context)
{
	/* Of its very length, so that a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(len);
	long taken = -1;
	CHECK(copy != NULL);
	memcpy(copy, bytes, len);
	for (size_t i = 0; i < len && taken < 0; i++) {
		for (unsigned flip = 1; flip <= UINT8_MAX && taken < 0; flip++) {
			bool single = (flip & (flip - 1)) == 0;
			if (!all && !single && flip != UINT8_MAX)
				continue;
			copy[i] = (uint8_t)(bytes[i] ^ flip);
			if (!refused(context, copy, len))
				taken = (long)i;
		}
		copy[i] = bytes[i];
	}
	free(copy);
	return taken;
}
