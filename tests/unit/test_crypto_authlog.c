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

static void genesis_founds_the_estate(void **state)
{
	(void)state;
	struct authlog *log;
	size_t len;
	struct id estate;
	const uint8_t *genesis = authlog_entry(fix.log, 0, &len);
	assert_int_equal(authlog_new(&log), ERR_OK);
	assert_int_equal(authlog_count(log), 0);
	assert_int_equal(authlog_head(log).index, 0);
	assert_true(authlog_head(log).hash == 0);
	assert_true(id_is_zero(authlog_estate(log)));
	assert_int_equal(authlog_append(log, genesis, len), ERR_OK);
	hash_bytes(estate.b, ID_BYTES, "mesh.estate", genesis, len);
	assert_true(id_equal(authlog_estate(log), &estate));
	assert_string_equal(authlog_estate_name(log), "Acme");
	assert_int_equal(authlog_day(log), FIXTURE_DAY);
	assert_int_equal(authlog_count(log), 1);
	assert_false(authlog_head(log).hash == 0);
	authlog_free(log);
	authlog_free(NULL);
}

static void head_is_of_the_last_entry(void **state)
{
	(void)state;
	uint8_t hash[32];
	size_t len;
	uint64_t first = 0;
	const uint8_t *last = authlog_entry(fix.log, 1, &len);
	hash_bytes(hash, sizeof(hash), "mesh.log", last, len);
	for (size_t i = 0; i < 8; i++)
		first = first << 8 | hash[i];
	assert_int_equal(authlog_head(fix.log).index, 1);
	assert_true(authlog_head(fix.log).hash == first);
	assert_null(authlog_entry(fix.log, 2, &len));
}

static void grants_are_found(void **state)
{
	(void)state;
	const struct authlog_grant *grant = authlog_find_grant(fix.log, identity_id(fix.issuer));
	assert_non_null(grant);
	assert_memory_equal(grant->public_key, identity_public_key(fix.issuer), KEY_BYTES);
	assert_true(grant->quota == 100 && grant->last_day == FIXTURE_DAY + 30 && grant->grace_days == 7);
	assert_true(grant->site_count == 0 && !grant->revoked);
	assert_string_equal(grant->name, "north");
	assert_null(authlog_find_grant(fix.log, identity_id(fix.host)));
}

static void the_largest_grant_fits(void **state)
{
	(void)state;
	struct authlog_grant grant = fixture_grant(fix.other);
	grant.quota = UINT32_MAX;
	grant.last_day = UINT32_MAX;
	grant.grace_days = UINT16_MAX;
	grant.site_count = LIMIT_GRANT_SITES;
	memset(grant.name, 'n', LIMIT_SHORT_TEXT_BYTES);
	for (size_t i = 0; i < LIMIT_GRANT_SITES; i++)
		memset(grant.sites[i], 'a' + (int)i, LIMIT_SITE_NAME_BYTES);
	fixture_grant_append(&fix, &grant);
	const struct authlog_grant *back = authlog_find_grant(fix.log, identity_id(fix.other));
	assert_non_null(back);
	assert_memory_equal(back->sites, grant.sites, sizeof(grant.sites));
	assert_true(back->quota == UINT32_MAX && back->last_day == UINT32_MAX &&
		    back->grace_days == UINT16_MAX);
	assert_memory_equal(back->name, grant.name, sizeof(grant.name));
}

static void a_later_grant_replaces(void **state)
{
	(void)state;
	const struct authlog_grant *before = authlog_find_grant(fix.log, identity_id(fix.issuer));
	struct authlog_grant grant = fixture_grant(fix.issuer);
	grant.quota = 5;
	fixture_grant_append(&fix, &grant);
	assert_ptr_equal(authlog_find_grant(fix.log, identity_id(fix.issuer)), before);
	assert_int_equal(before->quota, 5);
	/* Pointers handed out stay valid while others come. */
	for (uint8_t i = 0; i < 40; i++) {
		memset(grant.public_key, i + 2, KEY_BYTES);
		fixture_grant_append(&fix, &grant);
	}
	assert_ptr_equal(authlog_find_grant(fix.log, identity_id(fix.issuer)), before);
	assert_int_equal(before->quota, 5);
}

static void extensions_reach_one_or_all(void **state)
{
	(void)state;
	struct fixture_entry m;
	struct authlog_grant grant = fixture_grant(fix.other);
	fixture_grant_append(&fix, &grant);
	const struct authlog_grant *one = authlog_find_grant(fix.log, identity_id(fix.issuer));
	const struct authlog_grant *two = authlog_find_grant(fix.log, identity_id(fix.other));
	assert_int_equal(authlog_make_extend(fix.log, fix.authority, identity_id(fix.issuer),
					     &(wall_day){30000}, NULL, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	fixture_append(&fix, &m);
	assert_int_equal(one->last_day, 30000);
	assert_int_equal(two->last_day, FIXTURE_DAY + 30);
	assert_int_equal(authlog_make_extend(fix.log, fix.authority, NULL, &(wall_day){40000}, NULL,
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	fixture_append(&fix, &m);
	assert_true(one->last_day == 40000 && two->last_day == 40000);
	assert_true(one->quota == 100 && two->quota == 100);
	static const uint8_t quota_of_all[] = {0x81, 0x03, 0x07};
	assert_int_equal(authlog_make_entry(fix.log, fix.authority, LOG_EXTEND, quota_of_all,
					    sizeof(quota_of_all), FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	fixture_append(&fix, &m);
	assert_true(one->quota == 7 && two->quota == 7 && one->last_day == 40000);
}

static void operators_come_and_go(void **state)
{
	(void)state;
	const struct id *op = identity_id(fix.other);
	struct fixture_entry m = fixture_operator(&fix, "Ada");
	assert_null(authlog_operator_key(fix.log, op));
	fixture_append(&fix, &m);
	assert_memory_equal(authlog_operator_key(fix.log, op), identity_public_key(fix.other), KEY_BYTES);
	m = fixture_revoke(&fix, LOG_REVOKE_HOST, op); /* the same key as a host's: another matter */
	fixture_append(&fix, &m);
	assert_non_null(authlog_operator_key(fix.log, op));
	m = fixture_revoke(&fix, LOG_REVOKE_OPERATOR, op);
	fixture_append(&fix, &m);
	assert_null(authlog_operator_key(fix.log, op));
	m = fixture_operator(&fix, "Ada again");
	fixture_append(&fix, &m);
	assert_null(authlog_operator_key(fix.log, op));
}

static void many_hosts_are_revoked(void **state)
{
	(void)state;
	struct id id;
	for (uint32_t i = 0; i < 300; i++) {
		hash_bytes(id.b, ID_BYTES, "test.host", &i, sizeof(i));
		assert_false(authlog_host_revoked(fix.log, &id));
		struct fixture_entry m = fixture_revoke(&fix, LOG_REVOKE_HOST, &id);
		fixture_append(&fix, &m);
		assert_true(authlog_host_revoked(fix.log, &id));
	}
	/* Twice is once. */
	struct fixture_entry m = fixture_revoke(&fix, LOG_REVOKE_HOST, &id);
	fixture_append(&fix, &m);
	for (uint32_t i = 0; i < 600; i++) {
		hash_bytes(id.b, ID_BYTES, "test.host", &i, sizeof(i));
		assert_int_equal(authlog_host_revoked(fix.log, &id), i < 300);
	}
}

static void bodies_are_checked(void **state)
{
	(void)state;
	static const struct {
		enum log_entry_type type;
		size_t len;
		uint8_t body[12];
	} cases[] = {
	    {LOG_GRANT, 1, {0x80}},
	    {LOG_GRANT, 1, {0x90}},
	    {LOG_GRANT, 3, {0x81, 0x01, 0x01}},
	    {LOG_EXTEND, 1, {0x90}},
	    {LOG_EXTEND, 4, {0x81, 0x01, 0xc4, 0x00}},
	    {LOG_EXTEND, 3, {0x81, 0x02, 0xff}},
	    {LOG_OPERATOR, 1, {0x80}},
	    {LOG_REVOKE, 1, {0x80}},
	    {LOG_REVOKE, 3, {0x81, 0x01, 0x04}},
	    {LOG_ROTATE, 1, {0x80}},
	    {(enum log_entry_type)6, 1, {0x80}},
	    {LOG_EXTEND, 2, {0x80, 0x80}},
	    {LOG_EXTEND, 0, {0}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture_entry m = {.len = 99};
		const struct identity *signer = cases[i].type == LOG_ROTATE ? fix.successor : fix.authority;
		enum err err = authlog_make_entry(fix.log, signer, cases[i].type, cases[i].body, cases[i].len,
						  FIXTURE_NOW, m.bytes, &m.len);
		if ((err != ERR_FORMAT && err != ERR_SHORT) || m.len != 99)
			fail_msg("case %zu: %s", i, err_name(err));
	}
}

static void refuse_key(const uint8_t *key)
{
	struct fixture_entry made[4] = {fixture_operator(&fix, "Eve")};
	const size_t at[] = {55, 55, 55, 90};
	struct authlog_grant grant = fixture_grant(fix.other);
	assert_int_equal(
	    authlog_make_grant(fix.log, fix.authority, &grant, FIXTURE_NOW, made[1].bytes, &made[1].len),
	    ERR_OK);
	made[2] = made[3] = fixture_rotation(fix.log, fix.successor, fix.other);
	/* What another maker would sign: each entry that has a key, with this one in its place. */
	for (size_t k = 0; k < 4; k++) {
		const struct identity *was = k == 2 ? fix.successor : fix.other;
		assert_memory_equal(made[k].bytes + at[k], identity_public_key(was), KEY_BYTES);
		memcpy(made[k].bytes + at[k], key, KEY_BYTES);
		fixture_sign_entry(&fix, k < 2 ? fix.authority : fix.successor, &made[k]);
		assert_int_equal(authlog_append(fix.log, made[k].bytes, made[k].len), ERR_FORMAT);
	}
	/* An estate of its own. */
	struct authlog *empty;
	struct fixture_entry m;
	const uint8_t *genesis = authlog_entry(fix.log, 0, &m.len);
	memcpy(m.bytes, genesis, m.len);
	memcpy(m.bytes + 55, key, KEY_BYTES);
	assert_int_equal(authlog_new(&empty), ERR_OK);
	assert_int_equal(authlog_append(empty, m.bytes, m.len), ERR_FORMAT);
	memcpy(m.bytes, genesis, m.len);
	memcpy(m.bytes + m.len - 66 - KEY_BYTES, key, KEY_BYTES);
	assert_int_equal(authlog_append(empty, m.bytes, m.len), ERR_FORMAT);
	authlog_free(empty);
}

/* A key under which anybody could sign gets no right, whoever signs the entry. */
static void unsound_keys_are_refused(void **state)
{
	(void)state;
	const uint8_t *key;
	for (size_t i = 0; (key = fixture_unsound_key(i)) != NULL; i++) {
		struct fixture_entry m;
		struct authlog_grant grant = fixture_grant(fix.other);
		memcpy(grant.public_key, key, KEY_BYTES);
		assert_int_equal(
		    authlog_make_grant(fix.log, fix.authority, &grant, FIXTURE_NOW, m.bytes, &m.len),
		    ERR_FORMAT);
		assert_int_equal(authlog_make_operator(fix.log, fix.authority, key, "Eve", 1, FIXTURE_DAY,
						       FIXTURE_NOW, m.bytes, &m.len),
				 ERR_FORMAT);
		refuse_key(key);
	}
	assert_int_equal(authlog_count(fix.log), 2);
}

/* What the makers refuse to make, a forger with the authority key could still sign: the fields' limits. */
static void makers_refuse_what_readers_would(void **state)
{
	(void)state;
	struct fixture_entry m = {.len = 99};
	struct authlog_grant grant = fixture_grant(fix.other);
	char name[LIMIT_SHORT_TEXT_BYTES + 2];
	char reason[200];
	const uint8_t *next = identity_public_key(fix.successor);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(reason, 'r', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	assert_int_equal(authlog_make_genesis(fix.authority, next, "", FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_make_genesis(fix.authority, next, name, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_make_entry(fix.log, fix.authority, LOG_GENESIS, (const uint8_t *)"\x80", 1,
					    FIXTURE_NOW, m.bytes, &m.len),
			 ERR_ARG);
	grant.site_count = LIMIT_GRANT_SITES + 1;
	assert_int_equal(authlog_make_grant(fix.log, fix.authority, &grant, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_ARG);
	grant.site_count = 1; /* and its name is empty */
	assert_int_equal(authlog_make_grant(fix.log, fix.authority, &grant, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_make_grant(fix.log, fix.issuer, &grant, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_UNTRUSTED);
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, LOG_REVOKE_HOST, identity_id(fix.host),
					     NULL, reason, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_make_operator(fix.log, fix.authority, identity_public_key(fix.host), name, 1,
					       1, FIXTURE_NOW, m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(authlog_make_extend(fix.log, fix.authority, NULL, &(wall_day){1}, NULL, UINT64_MAX,
					     m.bytes, &m.len),
			 ERR_FORMAT);
	assert_int_equal(m.len, 99);
}

static void copies_are_whole_and_apart(void **state)
{
	(void)state;
	struct authlog *copy;
	struct fixture_entry m = fixture_revoke(&fix, LOG_REVOKE_HOST, identity_id(fix.host));
	fixture_append(&fix, &m);
	assert_int_equal(authlog_copy(fix.log, &copy), ERR_OK);
	assert_int_equal(authlog_count(copy), 3);
	assert_true(authlog_head(copy).hash == authlog_head(fix.log).hash);
	assert_true(id_equal(authlog_estate(copy), authlog_estate(fix.log)));
	assert_string_equal(authlog_estate_name(copy), "Acme");
	assert_true(authlog_host_revoked(copy, identity_id(fix.host)));
	assert_non_null(authlog_find_grant(copy, identity_id(fix.issuer)));
	m = fixture_operator(&fix, "Ada");
	assert_int_equal(authlog_append(copy, m.bytes, m.len), ERR_OK);
	assert_int_equal(authlog_count(fix.log), 3);
	authlog_free(copy);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(genesis_founds_the_estate),
	    ALONE(head_is_of_the_last_entry),
	    ALONE(grants_are_found),
	    ALONE(the_largest_grant_fits),
	    ALONE(a_later_grant_replaces),
	    ALONE(extensions_reach_one_or_all),
	    ALONE(operators_come_and_go),
	    ALONE(many_hosts_are_revoked),
	    ALONE(unsound_keys_are_refused),
	    ALONE(bodies_are_checked),
	    ALONE(makers_refuse_what_readers_would),
	    ALONE(copies_are_whole_and_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
