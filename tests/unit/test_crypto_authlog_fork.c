/* Forks: revocations of all branches, grants of none, and one state whatever the order of arrival. */
#include <stdlib.h>
#include <string.h>

#include "crypto/authlog.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;

static int make(void **state)
{
	fixture_make(&fix, 6);
	return scratch_setup(state);
}

static int drop(void **state)
{
	fixture_release(&fix);
	return scratch_teardown(state);
}

/* Two branches behind entry 1: one with host 1, one with host 2, and a grant each. */
static void fork_once(struct log_pool *p, struct authlog *ret[2])
{
	ret[0] = log_copy(fix.log);
	ret[1] = log_copy(fix.log);
	log_revoke_host(ret[0], fix.authority, 1);
	log_grant(ret[0], fix.authority, fix.other, 1);
	log_grant(ret[1], fix.authority, fix.host, 900);
	log_revoke_host(ret[1], fix.authority, 2);
	log_revoke_host(ret[1], fix.authority, 3);
	log_pour(p, ret[0]);
	log_pour(p, ret[1]);
}

static void revocations_of_both_and_grants_of_neither(void **state)
{
	(void)state;
	struct log_pool p = {.count = 0};
	struct authlog *branches[2];
	fork_once(&p, branches);
	assert_non_null(authlog_find_grant(branches[0], identity_id(fix.other)));
	assert_int_equal(authlog_branches(branches[0]), 1);
	assert_false(authlog_forked(branches[0]));
	struct authlog *log = log_of(&p);
	assert_true(authlog_forked(log));
	assert_int_equal(authlog_branches(log), 2);
	assert_null(authlog_find_grant(log, identity_id(fix.other)));
	assert_null(authlog_find_grant(log, identity_id(fix.host)));
	assert_non_null(authlog_find_grant(log, identity_id(fix.issuer)));
	for (uint8_t i = 1; i < 5; i++) {
		struct id host = log_number(i);
		assert_int_equal(authlog_host_revoked(log, &host), i < 4);
	}
	/* The thief's entry from the future moves nobody's clock. */
	assert_int_equal(authlog_day(branches[1]), FIXTURE_DAY + 3);
	assert_int_equal(authlog_day(log), FIXTURE_DAY);
	authlog_free(log);
	authlog_free(branches[0]);
	authlog_free(branches[1]);
}

static uint64_t first_8(const uint8_t *hash)
{
	uint64_t v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | hash[i];
	return v;
}

static void heads_are_of_all_branches(void **state)
{
	(void)state;
	struct log_pool p = {.count = 0};
	struct authlog *branches[2];
	uint8_t hashes[2][32], both[64];
	fork_once(&p, branches);
	struct authlog *log = log_of(&p);
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		const uint8_t *last = authlog_entry(branches[i], authlog_count(branches[i]) - 1, &len);
		hash_bytes(hashes[i], 32, "mesh.log", last, len);
		assert_true(authlog_head(branches[i]).hash == first_8(hashes[i]));
		assert_true(authlog_knows_head(log, authlog_head(branches[i])));
		assert_false(authlog_knows_head(branches[i], authlog_head(log)));
		assert_false(authlog_knows_head(branches[i], authlog_head(branches[1 - i])));
	}
	bool swap = memcmp(hashes[0], hashes[1], 32) > 0;
	memcpy(both, hashes[swap], 32);
	memcpy(both + 32, hashes[!swap], 32);
	assert_int_equal(authlog_head(log).index, 4);
	assert_true(authlog_head(log).hash == hash_u64("mesh.fork", both, sizeof(both)));
	assert_true(authlog_knows_head(log, authlog_head(log)));
	assert_true(authlog_knows_head(log, authlog_head(fix.log)));
	assert_true(authlog_knows_head(log, (struct authlog_head){0}));
	assert_false(authlog_knows_head(log, (struct authlog_head){1, 1}));
	assert_false(authlog_knows_head(log, (struct authlog_head){3, authlog_head(log).hash}));
	assert_false(authlog_knows_head(log, (struct authlog_head){UINT32_MAX, authlog_head(log).hash}));
	/* What it goes on from is not news either. */
	struct authlog_head before = authlog_head(log);
	log_revoke_host(log, fix.authority, 9);
	assert_false(authlog_head(log).hash == before.hash);
	assert_true(authlog_knows_head(log, before));
	authlog_free(log);
	authlog_free(branches[0]);
	authlog_free(branches[1]);
}

/* A fork, a fork in it, and one below them all. */
static void fork_deeply(struct log_pool *p, bool below)
{
	struct id list = log_number(0xa1), three = log_number(33), four = log_number(44);
	struct authlog *lower = log_copy(fix.log);
	struct fixture_entry m = fixture_operator(&fix, "Ada");
	fixture_append(&fix, &m);
	struct authlog *a = log_copy(fix.log), *b = log_copy(fix.log);
	log_revoke_host(a, fix.authority, 11);
	log_grant(a, fix.authority, fix.host, 5);
	log_revoke(a, fix.authority, LOG_REVOKE_HOST, &three, NULL, 1);
	log_grant(a, fix.authority, fix.other, 5);
	log_revoke(b, fix.authority, LOG_REVOKE_ISSUER, identity_id(fix.issuer), &list, 700);
	log_revoke_host(b, fix.authority, 12);
	struct authlog *c = log_copy(b);
	log_revoke(b, fix.authority, LOG_REVOKE_OPERATOR, identity_id(fix.other), NULL, 2);
	log_revoke(c, fix.authority, LOG_REVOKE_HOST, &four, NULL, 1);
	log_grant(c, fix.authority, fix.host, 1);
	log_revoke_host(lower, fix.authority, 13);
	log_grant(lower, fix.authority, fix.other, 5);
	log_pour(p, a);
	log_pour(p, b);
	log_pour(p, c);
	if (below)
		log_pour(p, lower);
	authlog_free(lower);
	authlog_free(a);
	authlog_free(b);
	authlog_free(c);
}

static void assert_deep(const struct authlog *log, bool below)
{
	static const uint8_t revoked[] = {11, 12, 13, 33, 44};
	assert_int_equal(authlog_branches(log), below ? 4 : 3);
	for (size_t i = 0; i < sizeof(revoked); i++) {
		struct id host = log_number(revoked[i]);
		assert_int_equal(authlog_host_revoked(log, &host), revoked[i] != 13 || below);
	}
	assert_int_equal(authlog_day(log), FIXTURE_DAY);
	assert_non_null(authlog_grant_at(log, 0));
	assert_true(authlog_grant_at(log, 0)->revoked);
	assert_int_equal(authlog_grant_at(log, 0)->allow_list.b[0], 0xa1);
	assert_null(authlog_grant_at(log, 1));
	const struct authlog_operator *op = authlog_find_operator(log, identity_id(fix.other));
	if (below)
		assert_null(op); /* its entry now stands behind the first fork */
	else
		assert_true(op != NULL && op->revoked);
}

static void the_order_of_arrival_leaves_no_trace(void **state)
{
	for (int below = 0; below < 2; below++) {
		struct log_pool p = {.count = 0};
		struct err_info info = {0};
		const char *path = scratch_path(*state, "authority.log");
		fixture_release(&fix);
		fixture_make(&fix, 6);
		fork_deeply(&p, below);
		struct authlog *log = log_of(&p), *back;
		assert_deep(log, below);
		for (int round = 0; round < 200; round++) {
			log_shuffle(&p, &fix.rng);
			struct authlog *other = log_of(&p);
			log_assert_same(log, other);
			authlog_free(other);
		}
		struct authlog *copy = log_copy(log);
		log_assert_same(log, copy);
		authlog_free(copy);
		assert_int_equal(authlog_save(log, path, &info), ERR_OK);
		assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
		log_assert_same(log, back);
		authlog_free(back);
		authlog_free(log);
	}
}

static void hash_last(const struct authlog *log, uint8_t ret[32])
{
	size_t len;
	const uint8_t *last = authlog_entry(log, authlog_count(log) - 1, &len);
	hash_bytes(ret, 32, "mesh.log", last, len);
}

/* The longest branch, then the one of the lowest last hash. */
static void appending_has_one_place(void **state)
{
	(void)state;
	struct log_pool p = {.count = 0};
	struct authlog *a = log_copy(fix.log), *b = log_copy(fix.log);
	uint8_t hash_a[32], hash_b[32];
	struct fixture_entry m;
	struct id host = log_number(7);
	log_revoke_host(a, fix.authority, 1);
	log_revoke_host(b, fix.authority, 2);
	log_pour(&p, a);
	log_pour(&p, b);
	hash_last(a, hash_a);
	hash_last(b, hash_b);
	struct authlog *log = log_of(&p);
	const uint8_t *lowest = memcmp(hash_a, hash_b, 32) < 0 ? hash_a : hash_b;
	m = fixture_rotation(log, fix.successor, fix.other);
	assert_int_equal(m.bytes[7], 3);
	assert_memory_equal(m.bytes + 10, lowest, 32);
	assert_int_equal(authlog_make_revoke(log, fix.authority, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(m.bytes[7], 3);
	assert_memory_equal(m.bytes + 10, lowest, 32);
	assert_int_equal(authlog_append(log, m.bytes, m.len), ERR_OK);
	assert_int_equal(authlog_branches(log), 2);
	/* Now that one is the longest. */
	assert_int_equal(authlog_make_revoke(log, fix.authority, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(m.bytes[7], 4);
	assert_int_equal(authlog_make_revoke(log, fix.host, LOG_REVOKE_HOST, &host, NULL, "", FIXTURE_NOW,
					     m.bytes, &m.len),
			 ERR_UNTRUSTED);
	authlog_free(log);
	authlog_free(a);
	authlog_free(b);
}

static void branches_are_bounded(void **state)
{
	(void)state;
	struct authlog *log = log_copy(fix.log);
	struct authlog_head head = {0};
	for (uint8_t i = 0; i <= LIMIT_LOG_BRANCHES; i++) {
		struct authlog *branch = log_copy(fix.log);
		struct id host = log_number((uint8_t)(i + 1));
		size_t len;
		log_revoke_host(branch, fix.authority, (uint8_t)(i + 1));
		const uint8_t *entry = authlog_entry(branch, 2, &len);
		bool fits = i < LIMIT_LOG_BRANCHES;
		assert_int_equal(authlog_append(log, entry, len), fits ? ERR_OK : ERR_LIMIT);
		assert_int_equal(authlog_branches(log), fits ? (size_t)i + 1 : LIMIT_LOG_BRANCHES);
		assert_int_equal(authlog_host_revoked(log, &host), fits);
		assert_int_equal(authlog_head(log).hash != head.hash, fits);
		head = authlog_head(log);
		authlog_free(branch);
	}
	/* Branches that are here go on. */
	log_revoke_host(log, fix.authority, 99);
	assert_int_equal(authlog_branches(log), LIMIT_LOG_BRANCHES);
	authlog_free(log);
}

static bool refused(void *context, const uint8_t *bytes, size_t len)
{
	struct authlog *log = context;
	return authlog_append(log, bytes, len) != ERR_OK && !authlog_forked(log);
}

/* Nobody but the authority forks a log. */
static void forged_forks_are_refused(void **state)
{
	(void)state;
	struct authlog *log = log_copy(fix.log);
	log_revoke_host(log, fix.authority, 1);
	log_revoke_host(fix.log, fix.authority, 2);
	size_t len;
	const uint8_t *entry = authlog_entry(fix.log, 2, &len);
	assert_int_equal(fixture_flip(entry, len, false, refused, log), -1);
	assert_int_equal(authlog_append(log, entry, len), ERR_OK);
	assert_int_equal(authlog_append(log, entry, len), ERR_EXISTS);
	assert_true(authlog_forked(log));
	/* A second genesis is another estate's. */
	struct fixture other;
	fixture_make(&other, 66);
	entry = authlog_entry(other.log, 0, &len);
	assert_int_equal(authlog_append(log, entry, len), ERR_STALE);
	fixture_release(&other);
	authlog_free(log);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(revocations_of_both_and_grants_of_neither),
	    ALONE(heads_are_of_all_branches),
	    ALONE(the_order_of_arrival_leaves_no_trace),
	    ALONE(appending_has_one_place),
	    ALONE(branches_are_bounded),
	    ALONE(forged_forks_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
