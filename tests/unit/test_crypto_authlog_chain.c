#include "crypto/authlog.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 6);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	fixture_release(&fix);
	return 0;
}

static void places_in_the_chain_are_checked(void **state)
{
	(void)state;
	struct fixture other;
	struct authlog *empty;
	size_t genesis_len, grant_len, len;
	const uint8_t *genesis = authlog_entry(fix.log, 0, &genesis_len);
	const uint8_t *grant = authlog_entry(fix.log, 1, &grant_len);
	assert_int_equal(authlog_append(fix.log, genesis, genesis_len), ERR_EXISTS);
	assert_int_equal(authlog_append(fix.log, grant, grant_len), ERR_EXISTS);
	/* A gap, and another estate's entries. */
	assert_int_equal(authlog_new(&empty), ERR_OK);
	assert_int_equal(authlog_append(empty, grant, grant_len), ERR_STALE);
	fixture_make(&other, 66);
	const uint8_t *foreign = authlog_entry(other.log, 0, &len);
	assert_int_equal(authlog_append(fix.log, foreign, len), ERR_STALE);
	foreign = authlog_entry(other.log, 1, &len);
	assert_int_equal(authlog_append(fix.log, foreign, len), ERR_STALE);
	assert_int_equal(authlog_append(empty, genesis, genesis_len), ERR_OK);
	assert_int_equal(authlog_append(empty, foreign, len), ERR_STALE);
	authlog_free(empty);
	fixture_release(&other);
}

/* A log that ends before the entry under test. */
static struct authlog *log_before(size_t index)
{
	struct authlog *log;
	assert_int_equal(authlog_new(&log), ERR_OK);
	for (size_t i = 0; i < index; i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(fix.log, i, &len);
		assert_int_equal(authlog_append(log, entry, len), ERR_OK);
	}
	return log;
}

/* Even the authority cannot sign an entry into another place. */
static void signed_entries_must_fit_too(void **state)
{
	(void)state;
	struct fixture_entry good = fixture_operator(&fix, "Ada"), m = good;
	m.bytes[7]++; /* index: a gap, though the link is right */
	fixture_sign_entry(&fix, fix.authority, &m);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_STALE);
	m = good;
	m.bytes[10] ^= 1; /* the link */
	fixture_sign_entry(&fix, fix.authority, &m);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_STALE);
	/* A second genesis, with the first one's body. */
	size_t len;
	const uint8_t *genesis = authlog_entry(fix.log, 0, &len);
	memcpy(m.bytes, genesis, len);
	memcpy(m.bytes + 3, good.bytes + 3, 39);
	m.len = len;
	fixture_sign_entry(&fix, fix.authority, &m);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_FORMAT);
	/* And the same hand, unchanged, is good. */
	m = good;
	fixture_sign_entry(&fix, fix.authority, &m);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_OK);
}

static void entries_are_bounded(void **state)
{
	(void)state;
	static const uint8_t body[] = {0x81, 0x02, 0x01};
	struct fixture_entry m;
	while (authlog_count(fix.log) < LIMIT_LOG_ENTRIES) {
		assert_int_equal(authlog_make_entry(fix.log, fix.authority, LOG_EXTEND, body, sizeof(body),
						    FIXTURE_NOW, m.bytes, &m.len),
				 ERR_OK);
		fixture_append(&fix, &m);
	}
	assert_int_equal(authlog_make_entry(fix.log, fix.authority, LOG_EXTEND, body, sizeof(body),
					    FIXTURE_NOW, m.bytes, &m.len),
			 ERR_LIMIT);
	/* What a maker without that limit would sign: the next index and link. */
	size_t len;
	const uint8_t *last = authlog_entry(fix.log, LIMIT_LOG_ENTRIES - 1, &len);
	m.bytes[6] = LIMIT_LOG_ENTRIES >> 8;
	m.bytes[7] = LIMIT_LOG_ENTRIES & 0xff;
	hash_bytes(m.bytes + 10, 32, "mesh.log", last, len);
	fixture_sign_entry(&fix, fix.authority, &m);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_LIMIT);
}

static bool refused(void *context, const uint8_t *bytes, size_t len)
{
	struct authlog *log = context;
	size_t count = authlog_count(log);
	return authlog_append(log, bytes, len) != ERR_OK && authlog_count(log) == count;
}

static void each_changed_byte_is_refused(void **state)
{
	(void)state;
	struct fixture_entry m = fixture_operator(&fix, "Ada");
	fixture_append(&fix, &m);
	m = fixture_revoke(&fix, LOG_REVOKE_HOST, identity_id(fix.host));
	fixture_append(&fix, &m);
	m = fixture_rotation(fix.log, fix.successor, fix.other);
	fixture_append(&fix, &m);
	for (size_t i = 0; i < authlog_count(fix.log); i++) {
		struct authlog *log = log_before(i);
		size_t len;
		const uint8_t *entry = authlog_entry(fix.log, i, &len);
		assert_int_equal(fixture_flip(entry, len, false, refused, log), -1);
		authlog_free(log);
	}
}

static void each_truncation_is_refused(void **state)
{
	(void)state;
	struct authlog *log = log_before(1);
	size_t len;
	const uint8_t *entry = authlog_entry(fix.log, 1, &len);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, entry, n);
		assert_int_equal(authlog_append(log, copy, n), n <= 117 ? ERR_SHORT : ERR_FORMAT);
		free(copy);
	}
	uint8_t longer[LIMIT_LOG_ENTRY_BYTES + 1] = {0};
	memcpy(longer, entry, len);
	assert_int_equal(authlog_append(log, longer, len + 1), ERR_FORMAT);
	assert_int_equal(authlog_append(log, longer, sizeof(longer)), ERR_LIMIT);
	longer[1] = 2;
	assert_int_equal(authlog_append(log, longer, len), ERR_VERSION);
	authlog_free(log);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(places_in_the_chain_are_checked),
	    ALONE(signed_entries_must_fit_too),
	    ALONE(entries_are_bounded),
	    ALONE(each_changed_byte_is_refused),
	    ALONE(each_truncation_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
