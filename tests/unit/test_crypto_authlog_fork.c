/* Forks: revocations of all branches, grants of none, and one state whatever the order of arrival. */
#include <stdlib.h>
#include <string.h>

#include "crypto/authlog.h"
#include "tests/unit/crypto_fixture.h"
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

static struct id number(uint8_t n)
{
	return (struct id){{n}};
}

static struct authlog *copy_of(const struct authlog *log)
{
	struct authlog *copy;
	assert_int_equal(authlog_copy(log, &copy), ERR_OK);
	return copy;
}

/* Appends to a branch that somebody else holds; times count up by a day. */
static void add(struct authlog *log, const struct fixture_entry *m)
{
	assert_int_equal(authlog_append(log, m->bytes, m->len), ERR_OK);
}

static void add_revoke(struct authlog *log, const struct identity *authority, enum log_revoke_what what,
		       const struct id *id, const struct id *list, uint64_t days)
{
	struct fixture_entry m;
	assert_int_equal(authlog_make_revoke(log, authority, what, id, list, "",
					     FIXTURE_NOW + days * CLOCK_DAY_MS, m.bytes, &m.len),
			 ERR_OK);
	add(log, &m);
}

static void add_host(struct authlog *log, uint8_t host)
{
	struct id id = number(host);
	add_revoke(log, fix.authority, LOG_REVOKE_HOST, &id, NULL, host);
}

static void add_grant(struct authlog *log, const struct identity *authority, const struct identity *issuer,
		      uint64_t days)
{
	struct fixture_entry m;
	struct authlog_grant grant = fixture_grant(issuer);
	assert_int_equal(
	    authlog_make_grant(log, authority, &grant, FIXTURE_NOW + days * CLOCK_DAY_MS, m.bytes, &m.len),
	    ERR_OK);
	add(log, &m);
}

static void add_rotation(struct authlog *log, const struct identity *from, const struct identity *to)
{
	struct fixture_entry m;
	assert_int_equal(authlog_make_rotate(log, from, to, FIXTURE_NOW, m.bytes, &m.len), ERR_OK);
	add(log, &m);
}

#define POOL_MAX 64
struct pool {
	struct fixture_entry entries[POOL_MAX];
	size_t count;
};

/* What `log` has and the pool lacks. */
static void pour(struct pool *p, const struct authlog *log)
{
	for (size_t i = 0; i < authlog_count(log); i++) {
		size_t len, k = 0;
		const uint8_t *entry = authlog_entry(log, i, &len);
		while (k < p->count &&
		       (p->entries[k].len != len || memcmp(p->entries[k].bytes, entry, len) != 0))
			k++;
		if (k < p->count)
			continue;
		assert_true(p->count < POOL_MAX);
		memcpy(p->entries[p->count].bytes, entry, len);
		p->entries[p->count++].len = len;
	}
}

/* Offers all entries again and again in their order, until none is new. */
static struct authlog *drink(const struct pool *p)
{
	struct authlog *log;
	assert_int_equal(authlog_new(&log), ERR_OK);
	for (bool grown = true; grown;) {
		grown = false;
		for (size_t i = 0; i < p->count; i++) {
			enum err err = authlog_append(log, p->entries[i].bytes, p->entries[i].len);
			assert_true(err == ERR_OK || err == ERR_STALE || err == ERR_EXISTS);
			grown |= err == ERR_OK;
		}
	}
	assert_int_equal(authlog_count(log), p->count);
	return log;
}

static void shuffle(struct pool *p)
{
	for (size_t i = p->count; i > 1; i--) {
		uint32_t random;
		fix.rng.fill(fix.rng.context, &random, sizeof(random));
		struct fixture_entry kept = p->entries[i - 1];
		p->entries[i - 1] = p->entries[random % i];
		p->entries[random % i] = kept;
	}
}

static void assert_same_say(const struct authlog *a, const struct authlog *b)
{
	size_t i;
	for (i = 0; authlog_grant_at(a, i) != NULL; i++) {
		const struct authlog_grant *g = authlog_grant_at(a, i), *h = authlog_grant_at(b, i);
		assert_non_null(h);
		assert_true(id_equal(&g->issuer, &h->issuer) && g->quota == h->quota);
		assert_true(g->last_day == h->last_day && g->revoked == h->revoked);
		assert_true(id_equal(&g->allow_list, &h->allow_list));
	}
	assert_null(authlog_grant_at(b, i));
	for (i = 0; authlog_operator_at(a, i) != NULL; i++) {
		const struct authlog_operator *o = authlog_operator_at(a, i), *p = authlog_operator_at(b, i);
		assert_non_null(p);
		assert_true(id_equal(&o->id, &p->id) && o->revoked == p->revoked && o->roles == p->roles);
	}
	assert_null(authlog_operator_at(b, i));
	for (i = 0; authlog_revoked_host_at(a, i) != NULL; i++) {
		assert_non_null(authlog_revoked_host_at(b, i));
		assert_true(id_equal(authlog_revoked_host_at(a, i), authlog_revoked_host_at(b, i)));
	}
	assert_null(authlog_revoked_host_at(b, i));
}

static void assert_same(const struct authlog *a, const struct authlog *b)
{
	assert_int_equal(authlog_count(a), authlog_count(b));
	for (size_t i = 0; i < authlog_count(a); i++) {
		size_t len, other_len;
		const uint8_t *entry = authlog_entry(a, i, &len), *other = authlog_entry(b, i, &other_len);
		assert_int_equal(len, other_len);
		assert_memory_equal(entry, other, len);
	}
	assert_int_equal(authlog_head(a).index, authlog_head(b).index);
	assert_true(authlog_head(a).hash == authlog_head(b).hash);
	assert_int_equal(authlog_forked(a), authlog_forked(b));
	assert_int_equal(authlog_branches(a), authlog_branches(b));
	assert_int_equal(authlog_day(a), authlog_day(b));
	assert_same_say(a, b);
}

/* Two branches behind entry 1: one with host 1, one with host 2, and a grant each. */
static void fork_once(struct pool *p, struct authlog *ret[2])
{
	ret[0] = copy_of(fix.log);
	ret[1] = copy_of(fix.log);
	add_host(ret[0], 1);
	add_grant(ret[0], fix.authority, fix.other, 1);
	add_grant(ret[1], fix.authority, fix.host, 900);
	add_host(ret[1], 2);
	add_host(ret[1], 3);
	pour(p, ret[0]);
	pour(p, ret[1]);
}

static void revocations_of_both_and_grants_of_neither(void **state)
{
	(void)state;
	struct pool p = {.count = 0};
	struct authlog *branches[2];
	fork_once(&p, branches);
	assert_non_null(authlog_find_grant(branches[0], identity_id(fix.other)));
	assert_int_equal(authlog_branches(branches[0]), 1);
	assert_false(authlog_forked(branches[0]));
	struct authlog *log = drink(&p);
	assert_true(authlog_forked(log));
	assert_int_equal(authlog_branches(log), 2);
	assert_null(authlog_find_grant(log, identity_id(fix.other)));
	assert_null(authlog_find_grant(log, identity_id(fix.host)));
	assert_non_null(authlog_find_grant(log, identity_id(fix.issuer)));
	for (uint8_t i = 1; i < 5; i++) {
		struct id host = number(i);
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
	struct pool p = {.count = 0};
	struct authlog *branches[2];
	uint8_t hashes[2][32], both[64];
	fork_once(&p, branches);
	struct authlog *log = drink(&p);
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
	add_host(log, 9);
	assert_false(authlog_head(log).hash == before.hash);
	assert_true(authlog_knows_head(log, before));
	authlog_free(log);
	authlog_free(branches[0]);
	authlog_free(branches[1]);
}

/* A fork, a fork in it, one at a rotation, and one below them all. */
static void fork_deeply(struct pool *p, bool below)
{
	struct id list = number(0xa1), three = number(33), four = number(44);
	struct authlog *lower = copy_of(fix.log);
	struct fixture_entry m = fixture_operator(&fix, "Ada");
	fixture_append(&fix, &m);
	struct authlog *a = copy_of(fix.log), *b = copy_of(fix.log);
	add_host(a, 11);
	add_grant(a, fix.authority, fix.host, 5);
	add_revoke(a, fix.authority, LOG_REVOKE_HOST, &three, NULL, 1);
	add_grant(a, fix.authority, fix.other, 5);
	add_revoke(b, fix.authority, LOG_REVOKE_ISSUER, identity_id(fix.issuer), &list, 700);
	add_host(b, 12);
	struct authlog *c = copy_of(b);
	add_revoke(b, fix.authority, LOG_REVOKE_OPERATOR, identity_id(fix.other), NULL, 2);
	add_revoke(c, fix.authority, LOG_REVOKE_HOST, &four, NULL, 1);
	add_grant(c, fix.authority, fix.host, 1);
	add_host(lower, 13);
	add_grant(lower, fix.authority, fix.other, 5);
	pour(p, a);
	pour(p, b);
	pour(p, c);
	if (below)
		pour(p, lower);
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
		struct id host = number(revoked[i]);
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
		struct pool p = {.count = 0};
		struct err_info info = {0};
		const char *path = scratch_path(*state, "authority.log");
		fixture_release(&fix);
		fixture_make(&fix, 6);
		fork_deeply(&p, below);
		struct authlog *log = drink(&p), *back;
		assert_deep(log, below);
		for (int round = 0; round < 200; round++) {
			shuffle(&p);
			struct authlog *other = drink(&p);
			assert_same(log, other);
			authlog_free(other);
		}
		struct authlog *copy = copy_of(log);
		assert_same(log, copy);
		authlog_free(copy);
		assert_int_equal(authlog_save(log, path, &info), ERR_OK);
		assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
		assert_same(log, back);
		authlog_free(back);
		authlog_free(log);
	}
}

/* A branch signs with its own keys: a rotation in one says nothing about the others. */
static void keys_are_a_branchs_own(void **state)
{
	(void)state;
	struct pool p = {.count = 0};
	struct authlog *a = copy_of(fix.log), *b = copy_of(fix.log);
	struct id host = number(1);
	struct fixture_entry m;
	add_host(b, 2);
	add_rotation(a, fix.authority, fix.other);
	assert_int_equal(authlog_make_revoke(a, fix.authority, LOG_REVOKE_HOST, &host, NULL, "", FIXTURE_NOW,
					     m.bytes, &m.len),
			 ERR_UNTRUSTED);
	pour(&p, b);
	pour(&p, a);
	struct authlog *log = drink(&p);
	assert_int_equal(authlog_branches(log), 2);
	for (int i = 0; i < 2; i++) {
		const struct identity *right = i == 0 ? fix.other : fix.authority;
		const struct identity *wrong = i == 0 ? fix.authority : fix.other;
		assert_int_equal(authlog_make_revoke(i == 0 ? a : b, right, LOG_REVOKE_HOST, &host, NULL, "",
						     FIXTURE_NOW, m.bytes, &m.len),
				 ERR_OK);
		struct fixture_entry by_wrong = m;
		fixture_sign_entry(&fix, wrong, &by_wrong);
		assert_int_equal(authlog_append(log, by_wrong.bytes, by_wrong.len), ERR_SIGNATURE);
		assert_int_equal(authlog_append(log, m.bytes, m.len), ERR_OK);
	}
	assert_int_equal(authlog_branches(log), 2);
	authlog_free(log);
	authlog_free(a);
	authlog_free(b);
}

/* Whoever finds a retired key forks nothing with it, however deep; what was forked before stays so. */
static void a_rotation_seals_what_is_before_it(void **state)
{
	(void)state;
	struct err_info info = {0};
	const char *path = scratch_path(*state, "authority.log");
	struct authlog *early = copy_of(fix.log), *thief = copy_of(fix.log), *late, *back;
	struct id host = number(9);
	size_t len;
	add_host(fix.log, 1);
	add_rotation(fix.log, fix.authority, fix.other);
	add_grant(fix.log, fix.other, fix.host, 1);
	late = copy_of(fix.log);
	add_rotation(late, fix.other, fix.host);
	/* With and without a rotation of his own. */
	add_host(thief, 9);
	const uint8_t *entry = authlog_entry(thief, 2, &len);
	assert_int_equal(authlog_append(fix.log, entry, len), ERR_UNTRUSTED);
	assert_int_equal(authlog_append(late, entry, len), ERR_UNTRUSTED);
	struct fixture_entry m;
	struct authlog *bare = copy_of(early);
	assert_int_equal(authlog_make_rotate(bare, fix.authority, fix.issuer, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_UNTRUSTED);
	assert_false(authlog_forked(fix.log));
	assert_false(authlog_host_revoked(fix.log, &host));
	assert_non_null(authlog_find_grant(fix.log, identity_id(fix.host)));
	/* The key in force still forks behind the rotation: it is the owner's, or lost. */
	struct authlog *other = copy_of(fix.log);
	assert_int_equal(authlog_make_revoke(fix.log, fix.other, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	add_grant(other, fix.other, fix.issuer, 1);
	assert_int_equal(authlog_append(other, m.bytes, m.len), ERR_OK);
	assert_true(authlog_forked(other));
	/* Who met the thief first has a fork, also after a restart. */
	assert_int_equal(authlog_append(early, entry, len), ERR_OK);
	for (size_t i = 2; i < authlog_count(fix.log); i++) {
		entry = authlog_entry(fix.log, i, &len);
		assert_int_equal(authlog_append(early, entry, len), ERR_OK);
	}
	assert_true(authlog_forked(early));
	assert_int_equal(authlog_save(early, path, &info), ERR_OK);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	assert_same(early, back);
	authlog_free(back);
	authlog_free(bare);
	authlog_free(other);
	authlog_free(early);
	authlog_free(thief);
	authlog_free(late);
}

/* In a file the rotation may stand before the branch that was there first. */
static void kept_forks_are_kept(void **state)
{
	struct err_info info = {0};
	const char *path = scratch_path(*state, "authority.log");
	struct fixture_entry rotation;
	uint8_t of_rotation[32], of_other[32];
	assert_int_equal(authlog_make_rotate(fix.log, fix.authority, fix.other, FIXTURE_NOW, rotation.bytes,
					     &rotation.len),
			 ERR_OK);
	hash_bytes(of_rotation, 32, "mesh.log", rotation.bytes, rotation.len);
	bool behind = false;
	for (uint8_t i = 1; !behind; i++) {
		struct authlog *log = copy_of(fix.log), *back;
		size_t len;
		add_host(log, i);
		const uint8_t *entry = authlog_entry(log, 2, &len);
		hash_bytes(of_other, 32, "mesh.log", entry, len);
		behind = memcmp(of_rotation, of_other, 32) < 0;
		assert_int_equal(authlog_append(log, rotation.bytes, rotation.len), ERR_OK);
		assert_int_equal(authlog_save(log, path, &info), ERR_OK);
		assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
		assert_same(log, back);
		authlog_free(back);
		back = copy_of(log);
		assert_same(log, back);
		authlog_free(back);
		authlog_free(log);
	}
}

/* Each holder of a key goes on where it is in force: the longest, then the lowest last hash. */
static void appending_has_one_place(void **state)
{
	(void)state;
	struct pool p = {.count = 0};
	struct authlog *a = copy_of(fix.log), *b = copy_of(fix.log), *c = copy_of(fix.log);
	uint8_t hash_a[32], hash_b[32];
	size_t len;
	struct fixture_entry m;
	struct id host = number(7);
	add_host(a, 1);
	add_host(b, 2);
	add_rotation(c, fix.authority, fix.other);
	add_revoke(c, fix.other, LOG_REVOKE_HOST, &host, NULL, 0);
	pour(&p, a);
	pour(&p, b);
	pour(&p, c);
	const uint8_t *last = authlog_entry(a, 2, &len);
	hash_bytes(hash_a, 32, "mesh.log", last, len);
	last = authlog_entry(b, 2, &len);
	hash_bytes(hash_b, 32, "mesh.log", last, len);
	struct authlog *log = drink(&p);
	assert_int_equal(authlog_make_revoke(log, fix.authority, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(m.bytes[7], 3);
	assert_memory_equal(m.bytes + 10, memcmp(hash_a, hash_b, 32) < 0 ? hash_a : hash_b, 32);
	add(log, &m);
	assert_int_equal(authlog_branches(log), 3);
	/* Now that one is the longest. */
	assert_int_equal(authlog_make_revoke(log, fix.authority, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(m.bytes[7], 4);
	add(log, &m);
	assert_int_equal(authlog_make_revoke(log, fix.other, LOG_REVOKE_HOST, &host, NULL, "", FIXTURE_NOW,
					     m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(m.bytes[7], 4);
	assert_int_equal(authlog_make_revoke(log, fix.host, LOG_REVOKE_HOST, &host, NULL, "", FIXTURE_NOW,
					     m.bytes, &m.len),
			 ERR_UNTRUSTED);
	authlog_free(log);
	authlog_free(a);
	authlog_free(b);
	authlog_free(c);
}

static void branches_are_bounded(void **state)
{
	(void)state;
	struct authlog *log = copy_of(fix.log);
	struct authlog_head head = {0};
	for (uint8_t i = 0; i <= LIMIT_LOG_BRANCHES; i++) {
		struct authlog *branch = copy_of(fix.log);
		struct id host = number((uint8_t)(i + 1));
		size_t len;
		add_host(branch, (uint8_t)(i + 1));
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
	add_host(log, 99);
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
	struct authlog *log = copy_of(fix.log);
	add_host(log, 1);
	add_host(fix.log, 2);
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
	    ALONE(keys_are_a_branchs_own),
	    ALONE(a_rotation_seals_what_is_before_it),
	    ALONE(kept_forks_are_kept),
	    ALONE(appending_has_one_place),
	    ALONE(branches_are_bounded),
	    ALONE(forged_forks_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
