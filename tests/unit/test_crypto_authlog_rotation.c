/* Rotations decide: by the successor named in advance alone, whatever came before them, and past every bound.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mp.h"
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

static bool revoked(const struct authlog *log, uint8_t host)
{
	struct id id = log_number(host);
	return authlog_host_revoked(log, &id);
}

static enum err append_last(struct authlog *log, const struct authlog *from)
{
	size_t len;
	const uint8_t *entry = authlog_entry(from, authlog_count(from) - 1, &len);
	return authlog_append(log, entry, len);
}

static void the_successor_takes_over(void **state)
{
	(void)state;
	struct fixture_entry m, old;
	struct authlog_grant grant = fixture_grant(fix.host);
	assert_memory_equal(authlog_successor(fix.log), identity_public_key(fix.successor), KEY_BYTES);
	log_rotate(fix.log, fix.successor, fix.other);
	assert_memory_equal(authlog_key(fix.log), identity_public_key(fix.successor), KEY_BYTES);
	assert_memory_equal(authlog_successor(fix.log), identity_public_key(fix.other), KEY_BYTES);
	assert_int_equal(authlog_make_grant(fix.log, fix.authority, &grant, FIXTURE_NOW, old.bytes, &old.len),
			 ERR_UNTRUSTED);
	assert_int_equal(authlog_make_grant(fix.log, fix.successor, &grant, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	old = m;
	fixture_sign_entry(&fix, fix.authority, &old);
	assert_int_equal(authlog_append(fix.log, old.bytes, old.len), ERR_SIGNATURE);
	fixture_append(&fix, &m);
	assert_non_null(authlog_find_grant(fix.log, identity_id(fix.host)));
}

/* A rotation of `signer` to `to`, whom anybody may have written into it. */
static struct fixture_entry forge(const struct identity *signer, const struct identity *to,
				  const struct identity *next)
{
	struct fixture_entry m = fixture_rotation(fix.log, fix.successor, fix.other);
	/* The body: a map of two, each a key and 32 bytes. */
	memcpy(m.bytes + 51 + 4, identity_public_key(to), KEY_BYTES);
	memcpy(m.bytes + 51 + 39, identity_public_key(next), KEY_BYTES);
	fixture_sign_entry(&fix, signer, &m);
	return m;
}

static void nobody_else_rotates(void **state)
{
	(void)state;
	struct fixture_entry m;
	const struct identity *const signers[] = {fix.authority, fix.issuer, fix.other, fix.host};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(authlog_make_rotate(fix.log, signers[i], identity_public_key(fix.host), NULL,
						     FIXTURE_NOW, m.bytes, &m.len),
				 ERR_UNTRUSTED);
		m = forge(signers[i], fix.successor, fix.other);
		assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_SIGNATURE);
		m = forge(signers[i], signers[i], fix.successor);
		assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_SIGNATURE);
		m = forge(fix.successor, signers[i], fix.successor);
		assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_SIGNATURE);
	}
	/* Nor does the successor put itself in force for good. */
	m = forge(fix.successor, fix.successor, fix.successor);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_FORMAT);
	assert_int_equal(authlog_make_rotate(fix.log, fix.successor, identity_public_key(fix.successor), NULL,
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_count(fix.log), 2);
	m = forge(fix.successor, fix.successor, fix.other);
	assert_int_equal(authlog_append(fix.log, m.bytes, m.len), ERR_OK);
}

static void a_genesis_without_a_successor_is_of_a_draft(void **state)
{
	struct err_info info = {0};
	const char *path = scratch_path(*state, "authority.log");
	uint8_t body[128], file[2 + LIMIT_LOG_ENTRY_BYTES];
	struct mp_writer w;
	size_t len;
	struct authlog *log;
	struct fixture_entry m;
	const uint8_t *genesis = authlog_entry(fix.log, 0, &m.len);
	assert_int_equal(authlog_new(&log), ERR_OK);
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 2);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, identity_public_key(fix.authority), KEY_BYTES);
	mp_put_u64(&w, 2);
	mp_put_str(&w, "Acme");
	assert_int_equal(
	    authlog_make_entry(log, fix.authority, LOG_GENESIS, body, w.len, FIXTURE_NOW, m.bytes, &len),
	    ERR_VERSION);
	memcpy(m.bytes, genesis, 51);
	memcpy(m.bytes + 51, body, w.len);
	m.bytes[51 + w.len] = 0xc4;
	m.bytes[52 + w.len] = SIGNATURE_BYTES;
	m.len = 51 + w.len + 2 + SIGNATURE_BYTES;
	assert_int_equal(authlog_append(log, m.bytes, m.len), ERR_VERSION);
	file[0] = (uint8_t)(m.len >> 8);
	file[1] = (uint8_t)m.len;
	memcpy(file + 2, m.bytes, m.len);
	scratch_write(path, file, 2 + m.len, 0600);
	struct authlog *loaded = NULL;
	assert_int_equal(authlog_load(path, &loaded, &info), ERR_VERSION);
	assert_non_null(strstr(info.text, "named no successor"));
	assert_null(loaded);
	authlog_free(log);
}

/* What a thief signed beside the owner's branch, behind it, and with a grant from the future: gone. */
static void a_rotation_ends_the_fork(void **state)
{
	struct err_info info = {0};
	const char *path = scratch_path(*state, "authority.log");
	struct authlog *thief = log_copy(fix.log), *late = log_copy(fix.log), *both = log_copy(fix.log),
		       *back;
	log_revoke_host(thief, fix.authority, 9);
	log_grant(thief, fix.authority, fix.host, 900);
	log_revoke_host(fix.log, fix.authority, 1);
	assert_int_equal(append_last(both, fix.log), ERR_OK);
	struct log_pool p = {.count = 0};
	log_pour(&p, thief);
	log_drink(&p, both);
	assert_true(authlog_forked(both) && revoked(both, 1) && revoked(both, 9));
	struct authlog_head forked = authlog_head(both);
	log_rotate(fix.log, fix.successor, fix.other);
	struct log_pool owner = {.count = 0};
	log_pour(&owner, fix.log);
	assert_int_equal(append_last(both, fix.log), ERR_OK);
	log_assert_same(both, fix.log);
	assert_true(revoked(both, 1) && !revoked(both, 9));
	assert_int_equal(authlog_day(both), FIXTURE_DAY);
	assert_int_equal(authlog_head(both).index, 3);
	assert_true(authlog_knows_head(both, forked));
	/* The retired key has nothing to say any more, wherever it signs. */
	assert_int_equal(append_last(both, thief), ERR_STALE);
	log_drink(&p, both);
	log_assert_same(both, fix.log);
	struct fixture_entry m;
	struct id host = log_number(8);
	assert_int_equal(authlog_make_revoke(late, fix.authority, LOG_REVOKE_HOST, &host, NULL, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	assert_int_equal(authlog_append(both, m.bytes, m.len), ERR_UNTRUSTED);
	/* The key in force forks as any does. */
	struct authlog *other = log_copy(both);
	log_revoke_host(both, fix.successor, 3);
	log_grant(other, fix.successor, fix.issuer, 1);
	assert_int_equal(append_last(other, both), ERR_OK);
	assert_true(authlog_forked(other));
	assert_int_equal(authlog_save(other, path, &info), ERR_OK);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	log_assert_same(other, back);
	authlog_free(back);
	authlog_free(other);
	authlog_free(both);
	authlog_free(late);
	authlog_free(thief);
}

/* The owner chooses what stands: also less than his own copy has. */
static void a_rotation_stands_where_it_is_put(void **state)
{
	(void)state;
	struct authlog_head before = authlog_head(fix.log);
	struct fixture_entry m;
	struct id after, unknown = {{1, 2, 3}};
	uint8_t hash[32];
	size_t len;
	const uint8_t *entry = authlog_entry(fix.log, 1, &len);
	hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
	memcpy(after.b, hash, ID_BYTES);
	for (uint8_t i = 0; i < 50; i++)
		log_revoke_host(fix.log, fix.authority, i);
	struct authlog_head stolen = authlog_head(fix.log);
	assert_int_equal(authlog_make_rotate(fix.log, fix.successor, identity_public_key(fix.other), &unknown,
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_NOT_FOUND);
	assert_int_equal(authlog_make_rotate(fix.log, fix.successor, identity_public_key(fix.other), &after,
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	fixture_append(&fix, &m);
	assert_int_equal(authlog_count(fix.log), 3);
	assert_int_equal(authlog_head(fix.log).index, before.index + 1);
	assert_false(revoked(fix.log, 1));
	assert_true(authlog_knows_head(fix.log, stolen));
	/* Of a reign that has ended only its own successor may end it again. */
	assert_int_equal(authlog_make_rotate(fix.log, fix.other, identity_public_key(fix.host), &after,
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_UNTRUSTED);
}

/* The thief was first, and took every branch; what the owner wrote meanwhile is not here. */
static void a_full_log_takes_a_rotation_with_what_it_stands_on(void **state)
{
	(void)state;
	struct authlog *full = log_copy(fix.log);
	struct authlog_run run = {0};
	for (uint8_t i = 0; i < LIMIT_LOG_BRANCHES; i++) {
		struct authlog *branch = log_copy(fix.log);
		log_revoke_host(branch, fix.authority, (uint8_t)(100 + i));
		assert_int_equal(append_last(full, branch), ERR_OK);
		authlog_free(branch);
	}
	for (uint8_t i = 0; i < 20; i++)
		log_revoke_host(fix.log, fix.authority, i);
	log_rotate(fix.log, fix.successor, fix.other);
	log_grant(fix.log, fix.successor, fix.host, 1);
	size_t len;
	const uint8_t *entry;
	struct authlog *bare = log_copy(full);
	for (size_t i = 2; (entry = authlog_entry(fix.log, i, &len)) != NULL; i++) {
		enum err err = authlog_offer(full, &run, entry, len);
		assert_int_equal(err, i < 22 ? ERR_LIMIT : ERR_OK);
		if (i == 10) /* again, as it comes when a page is asked for again */
			assert_int_equal(authlog_offer(full, &run, entry, len), ERR_LIMIT);
		/* One by one they are nothing. */
		assert_int_equal(authlog_append(bare, entry, len), i == 2 ? ERR_LIMIT : ERR_STALE);
	}
	log_assert_same(full, fix.log);
	assert_int_equal(run.count, LIMIT_LOG_BRANCHES);
	authlog_run_clear(&run);
	authlog_free(bare);
	authlog_free(full);
}

/* Nobody without the authority's key fills a run, and nobody with it fills it beyond its bound. */
static void a_run_is_bounded(void **state)
{
	(void)state;
	struct authlog_run run = {0};
	struct authlog *full = log_copy(fix.log), *early = log_copy(fix.log);
	log_rotate(full, fix.successor, fix.other);
	for (size_t i = 0; authlog_count(fix.log) < LIMIT_LOG_ENTRIES; i++) {
		struct fixture_entry m;
		uint32_t quota = (uint32_t)i;
		assert_int_equal(authlog_make_extend(fix.log, fix.authority, NULL, NULL, &quota, FIXTURE_NOW,
						     m.bytes, &m.len),
				 ERR_OK);
		fixture_append(&fix, &m);
		assert_int_equal(authlog_offer(full, &run, m.bytes, m.len), ERR_UNTRUSTED);
		assert_int_equal(run.count, i + 1);
		m.bytes[m.len - 1] ^= 1;
		assert_int_equal(authlog_offer(full, &run, m.bytes, m.len), ERR_SIGNATURE);
	}
	assert_int_equal(run.count, LIMIT_LOG_ENTRIES - 2);
	/* Two more on a branch of their own, and no third. */
	for (uint32_t i = 0; i < 3; i++) {
		struct fixture_entry m;
		uint32_t quota = 7000 + i;
		assert_int_equal(authlog_make_extend(early, fix.authority, NULL, NULL, &quota, FIXTURE_NOW,
						     m.bytes, &m.len),
				 ERR_OK);
		assert_int_equal(authlog_offer(full, &run, m.bytes, m.len), ERR_UNTRUSTED);
	}
	assert_int_equal(run.count, LIMIT_LOG_ENTRIES);
	assert_int_equal(authlog_count(full), 3);
	authlog_run_clear(&run);
	authlog_free(early);
	authlog_free(full);
}

/* The successor's key was stolen as well: the ordinary fork of that key. */
static void two_rotations_of_one_key_fork(void **state)
{
	struct err_info info = {0};
	const char *path = scratch_path(*state, "authority.log");
	struct authlog *thief = log_copy(fix.log), *back;
	log_revoke_host(thief, fix.authority, 9);
	log_revoke_host(thief, fix.authority, 10);
	log_rotate(thief, fix.successor, fix.host);
	log_grant(thief, fix.successor, fix.host, 1);
	log_revoke_host(fix.log, fix.authority, 1);
	log_rotate(fix.log, fix.successor, fix.other);
	log_grant(fix.log, fix.successor, fix.other, 1);
	log_revoke_host(fix.log, fix.successor, 2);
	struct log_pool p = {.count = 0};
	log_pour(&p, fix.log);
	log_pour(&p, thief);
	struct authlog *log = log_of(&p);
	assert_int_equal(authlog_count(log), p.count);
	assert_int_equal(authlog_branches(log), 2);
	assert_true(revoked(log, 1) && revoked(log, 2) && revoked(log, 9) && revoked(log, 10));
	assert_null(authlog_find_grant(log, identity_id(fix.host)));
	assert_null(authlog_find_grant(log, identity_id(fix.other)));
	for (int round = 0; round < 50; round++) {
		log_shuffle(&p, &fix.rng);
		struct authlog *other = log_of(&p);
		log_assert_same(log, other);
		authlog_free(other);
	}
	struct authlog *copy = log_copy(log);
	log_assert_same(log, copy);
	authlog_free(copy);
	/* In the file the second rotation stands behind entries that the first has dropped. */
	assert_int_equal(authlog_save(log, path, &info), ERR_OK);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	log_assert_same(log, back);
	authlog_free(back);
	authlog_free(log);
	authlog_free(thief);
}

/* Lists of revocations that are gone make room. */
static void allow_lists_go_with_their_revocations(void **state)
{
	(void)state;
	struct authlog *thief = log_copy(fix.log);
	for (uint8_t i = 1; i <= 4; i++) {
		struct id list = log_number(i);
		static struct id hosts[LIMIT_ALLOW_HOSTS];
		for (size_t k = 0; k < LIMIT_ALLOW_HOSTS; k++)
			hosts[k] = (struct id){{(uint8_t)(k >> 8), (uint8_t)k}};
		log_revoke(thief, fix.authority, LOG_REVOKE_ISSUER, identity_id(fix.other), &list, 0);
		assert_int_equal(authlog_set_allowed(thief, &list, hosts, LIMIT_ALLOW_HOSTS), ERR_OK);
	}
	log_rotate(fix.log, fix.successor, fix.other);
	struct id list = log_number(9), one = log_number(7);
	log_revoke(fix.log, fix.successor, LOG_REVOKE_ISSUER, identity_id(fix.issuer), &list, 0);
	struct log_pool p = {.count = 0};
	log_pour(&p, fix.log);
	log_drink(&p, thief);
	log_assert_same(fix.log, thief);
	assert_int_equal(authlog_set_allowed(thief, &list, &one, 1), ERR_OK);
	bool complete = false;
	assert_true(id_equal(authlog_allow_list_at(thief, 0, &complete), &list) && complete);
	assert_null(authlog_allow_list_at(thief, 1, NULL));
	authlog_free(thief);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(the_successor_takes_over),
	    ALONE(nobody_else_rotates),
	    ALONE(a_genesis_without_a_successor_is_of_a_draft),
	    ALONE(a_rotation_ends_the_fork),
	    ALONE(a_rotation_stands_where_it_is_put),
	    ALONE(a_full_log_takes_a_rotation_with_what_it_stands_on),
	    ALONE(a_run_is_bounded),
	    ALONE(two_rotations_of_one_key_fork),
	    ALONE(allow_lists_go_with_their_revocations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
