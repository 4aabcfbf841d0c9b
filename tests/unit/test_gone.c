/* What was revoked long ago leaves the replica at a start, number and all; nobody else does. */
#include <string.h>

#include "crypto/hash.h"
#include "node/gone.h"
#include "store/store_private.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

#define LONG_AGO (FIXTURE_NOW - GONE_DAYS * CLOCK_DAY_MS)

struct replica {
	struct fixture f;
	struct store *store;
};

static void put_record(struct replica *r, const struct record_key *key, const struct identity *signer)
{
	static const uint8_t body[] = {0x80};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	assert_int_equal(
	    record_sign(key, 7, 1, FIXTURE_NOW, body, sizeof(body), &r->f.keys.estate, signer, bytes, &len),
	    ERR_OK);
	assert_int_equal(store_put_record(r->store, key, bytes, len, FIXTURE_NOW), ERR_OK);
}

static void put_host(struct replica *r, const struct identity *host, enum host_standing standing,
		     wall_ms since)
{
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct record c;
	size_t len = fixture_certificate(&r->f, host, bytes);
	struct record_key health = {
	    .kind = RECORD_HEALTH, .writer = *identity_id(host), .subject = *identity_id(host)};
	struct record_key rollcall = {.kind = RECORD_ROLLCALL, .writer = *identity_id(host)};
	struct host_state state = {
	    .host = *identity_id(host), .standing = standing, .status = HOST_LEFT, .since = since};
	assert_int_equal(record_parse(bytes, len, &c), ERR_OK);
	assert_int_equal(store_put_record(r->store, &c.key, bytes, len, FIXTURE_NOW), ERR_OK);
	rollcall.subject.b[0] = 1;
	put_record(r, &health, host);
	put_record(r, &rollcall, host);
	assert_int_equal(store_put_host_state(r->store, &state), ERR_OK);
}

static void begin(struct replica *r, void *scratch)
{
	struct id self = {{1}};
	fixture_make(&r->f, 5);
	assert_int_equal(
	    store_open(scratch_path(scratch, "replica"), &r->f.keys.estate, &self, &r->store, NULL, NULL),
	    ERR_OK);
}

static void end(struct replica *r)
{
	store_close(r->store);
	fixture_release(&r->f);
}

static bool count_one(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	(void)bytes;
	(void)len;
	(void)received;
	++*(size_t *)context;
	return true;
}

static size_t records_of(struct replica *r)
{
	size_t count = 0;
	assert_int_equal(store_each_record(r->store, count_one, &count), ERR_OK);
	return count;
}

static size_t drop(struct replica *r, const struct identity *self)
{
	size_t hosts = 77;
	assert_int_equal(store_flush(r->store, FIXTURE_NOW, NULL), ERR_OK);
	assert_int_equal(gone_drop(r->store, r->f.log, identity_id(self), FIXTURE_NOW, &hosts), ERR_OK);
	assert_int_equal(store_flush(r->store, FIXTURE_NOW, NULL), ERR_OK);
	return hosts;
}

static void revoke(struct replica *r, const struct identity *host)
{
	struct fixture_entry entry = fixture_revoke(&r->f, LOG_REVOKE_HOST, identity_id(host));
	fixture_append(&r->f, &entry);
}

static void the_long_revoked_go(void **state)
{
	struct replica r;
	begin(&r, *state);
	put_host(&r, r.f.host, STANDING_GOOD, LONG_AGO);
	put_host(&r, r.f.other, STANDING_REVOKED, LONG_AGO);
	assert_int_equal(records_of(&r), 6);
	/* The log does not say so (any more). */
	assert_int_equal(drop(&r, r.f.host), 0);
	revoke(&r, r.f.other);
	assert_int_equal(drop(&r, r.f.other), 0); /* it is this node */
	assert_int_equal(records_of(&r), 6);
	assert_int_equal(drop(&r, r.f.host), 1);
	assert_int_equal(records_of(&r), 3);
	struct row_key key = row_key_id(TABLE_HOST_STATES, identity_id(r.f.other));
	struct row_value row;
	assert_int_equal(store_get_row(r.store, &key, &row), ERR_NOT_FOUND);
	assert_int_equal(drop(&r, r.f.host), 0);
	end(&r);
}

static void the_newly_revoked_stay(void **state)
{
	struct replica r;
	begin(&r, *state);
	put_host(&r, r.f.host, STANDING_GOOD, LONG_AGO);
	put_host(&r, r.f.other, STANDING_REVOKED, LONG_AGO + 1);
	revoke(&r, r.f.other);
	assert_int_equal(drop(&r, r.f.host), 0);
	assert_int_equal(records_of(&r), 6);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_long_revoked_go, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(the_newly_revoked_stay, scratch_setup, scratch_teardown),
	};
	if (crypto_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("gone", tests, NULL, NULL);
}
