/* Revoked issuers and the hosts that stay, and what the log lists. */
#include <stdlib.h>
#include <string.h>

#include "crypto/authlog.h"
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

static struct authlog *copy_of(const struct authlog *log)
{
	struct authlog *copy;
	assert_int_equal(authlog_copy(log, &copy), ERR_OK);
	return copy;
}

static struct id number(uint8_t n)
{
	return (struct id){{n}};
}

static void revoke(const struct id *issuer, const struct id *list)
{
	struct fixture_entry m;
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, LOG_REVOKE_ISSUER, issuer, list, "",
					     FIXTURE_NOW, m.bytes, &m.len),
			 ERR_OK);
	fixture_append(&fix, &m);
}

static bool stands(const struct id *issuer, uint8_t host, bool want_sure)
{
	bool sure = !want_sure;
	struct id id = number(host);
	bool it = authlog_stands(fix.log, issuer, &id, &sure);
	assert_int_equal(sure, want_sure);
	assert_int_equal(authlog_stands(fix.log, issuer, &id, NULL), it);
	return it;
}

static void an_issuer_without_a_list_leaves_nobody(void **state)
{
	(void)state;
	const struct id *issuer = identity_id(fix.issuer);
	assert_true(stands(issuer, 1, true));
	assert_true(stands(identity_id(fix.other), 1, true));
	revoke(issuer, NULL);
	assert_false(stands(issuer, 1, true));
	assert_true(stands(identity_id(fix.other), 1, true));
	const struct authlog_grant *grant = authlog_find_grant(fix.log, issuer);
	assert_true(grant->revoked && id_is_zero(&grant->allow_list));
	assert_null(authlog_allow_list_at(fix.log, 0, NULL));
	/* For good: a list that comes later saves nobody. */
	struct id list = number(0xa1), host = number(1);
	revoke(issuer, &list);
	assert_true(id_is_zero(&grant->allow_list));
	assert_int_equal(authlog_set_allowed(fix.log, &list, &host, 1), ERR_OK);
	assert_false(stands(issuer, 1, true));
}

static void a_list_names_who_stays(void **state)
{
	(void)state;
	bool complete = true;
	const struct id *issuer = identity_id(fix.issuer);
	struct id list = number(0xa1), hosts[] = {number(2), number(5), number(9)};
	assert_int_equal(authlog_set_allowed(fix.log, &list, hosts, 3), ERR_NOT_FOUND);
	revoke(issuer, &list);
	assert_true(id_equal(&authlog_find_grant(fix.log, issuer)->allow_list, &list));
	assert_true(id_equal(authlog_allow_list_at(fix.log, 0, &complete), &list));
	assert_false(complete);
	assert_null(authlog_allow_list_at(fix.log, 1, &complete));
	/* Until it is here everybody counts as named. */
	for (uint8_t i = 1; i < 10; i++)
		assert_true(stands(issuer, i, false));
	assert_int_equal(authlog_set_allowed(fix.log, &(struct id){{0}}, hosts, 3), ERR_NOT_FOUND);
	assert_int_equal(authlog_set_allowed(fix.log, identity_id(fix.other), hosts, 3), ERR_NOT_FOUND);
	assert_int_equal(authlog_set_allowed(fix.log, &list, hosts, 3), ERR_OK);
	assert_non_null(authlog_allow_list_at(fix.log, 0, &complete));
	assert_true(complete);
	for (uint8_t i = 1; i < 10; i++)
		assert_int_equal(stands(issuer, i, true), i == 2 || i == 5 || i == 9);
	/* The same id is the same content. */
	assert_int_equal(authlog_set_allowed(fix.log, &list, hosts, 1), ERR_OK);
	assert_true(stands(issuer, 9, true));
	/* A host on the list can still be revoked for itself, also while a list is missing. */
	struct fixture_entry m = fixture_revoke(&fix, LOG_REVOKE_HOST, &hosts[1]);
	fixture_append(&fix, &m);
	assert_false(stands(issuer, 5, true));
	assert_true(stands(issuer, 9, true));
}

/* Each revocation takes away whom it does not name. */
static void of_several_lists_all_must_name_a_host(void **state)
{
	(void)state;
	const struct id *issuer = identity_id(fix.issuer);
	struct id one = number(0xb2), two = number(0xa1);
	struct id of_one[] = {number(1), number(2)}, of_two[] = {number(2), number(3)};
	revoke(issuer, &one);
	revoke(issuer, &two);
	const struct authlog_grant *grant = authlog_find_grant(fix.log, issuer);
	assert_true(id_equal(&grant->allow_list, &two));
	struct authlog *other = copy_of(fix.log);
	assert_int_equal(authlog_set_allowed(other, &two, of_two, 2), ERR_OK);
	assert_true(id_equal(&authlog_find_grant(other, issuer)->allow_list, &one)); /* still wanted */
	authlog_free(other);
	assert_int_equal(authlog_set_allowed(fix.log, &one, of_one, 2), ERR_OK);
	assert_true(id_equal(&grant->allow_list, &two));
	assert_true(stands(issuer, 1, false));
	assert_true(stands(issuer, 2, false));
	assert_false(stands(issuer, 3, true)); /* whatever the other list says */
	assert_int_equal(authlog_set_allowed(fix.log, &two, of_two, 2), ERR_OK);
	for (uint8_t i = 1; i < 4; i++)
		assert_int_equal(stands(issuer, i, true), i == 2);
	struct authlog *copy = copy_of(fix.log);
	for (uint8_t i = 1; i < 4; i++) {
		struct id host = number(i);
		assert_int_equal(authlog_stands(copy, issuer, &host, NULL), i == 2);
	}
	authlog_free(copy);
}

static void lists_are_bounded_and_ascend(void **state)
{
	(void)state;
	const struct id *issuer = identity_id(fix.issuer);
	struct id *hosts = calloc(LIMIT_ALLOW_HOSTS + 1, sizeof(*hosts));
	struct id lists[5];
	assert_non_null(hosts);
	for (uint32_t i = 0; i <= LIMIT_ALLOW_HOSTS; i++)
		hosts[i] = (struct id){{0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
	for (uint8_t i = 0; i < 5; i++) {
		lists[i] = number((uint8_t)(0xa0 + i));
		revoke(issuer, &lists[i]);
	}
	assert_int_equal(authlog_set_allowed(fix.log, &lists[0], hosts, LIMIT_ALLOW_HOSTS + 1), ERR_LIMIT);
	struct id twice[] = {number(1), number(1)}, falling[] = {number(2), number(1)};
	assert_int_equal(authlog_set_allowed(fix.log, &lists[0], twice, 2), ERR_FORMAT);
	assert_int_equal(authlog_set_allowed(fix.log, &lists[0], falling, 2), ERR_FORMAT);
	assert_true(stands(issuer, 1, false));
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(authlog_set_allowed(fix.log, &lists[i], hosts, LIMIT_ALLOW_HOSTS), ERR_OK);
	assert_true(authlog_stands(fix.log, issuer, &hosts[LIMIT_ALLOW_HOSTS - 1], NULL));
	assert_false(authlog_stands(fix.log, issuer, &hosts[LIMIT_ALLOW_HOSTS], NULL));
	assert_int_equal(authlog_set_allowed(fix.log, &lists[4], hosts, 1), ERR_LIMIT);
	assert_int_equal(authlog_set_allowed(fix.log, &lists[4], NULL, 0), ERR_OK);
	assert_false(authlog_stands(fix.log, issuer, &hosts[0], NULL));
	free(hosts);
}

static void a_list_is_for_issuers_alone(void **state)
{
	(void)state;
	struct fixture_entry m = {.len = 9};
	struct id list = number(0xa1);
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, LOG_REVOKE_HOST, identity_id(fix.host),
					     &list, "", FIXTURE_NOW, m.bytes, &m.len),
			 ERR_ARG);
	assert_int_equal(m.len, 9);
	/* Signed all the same, it is a plain revocation. */
	uint8_t body[64];
	struct mp_writer w;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 3);
	mp_put_u64(&w, 1);
	mp_put_u64(&w, LOG_REVOKE_HOST);
	mp_put_u64(&w, 2);
	mp_put_bin(&w, identity_id(fix.host)->b, ID_BYTES);
	mp_put_u64(&w, 3);
	mp_put_bin(&w, list.b, ID_BYTES);
	assert_int_equal(
	    authlog_make_entry(fix.log, fix.authority, LOG_REVOKE, body, w.len, FIXTURE_NOW, m.bytes, &m.len),
	    ERR_OK);
	fixture_append(&fix, &m);
	assert_true(authlog_host_revoked(fix.log, identity_id(fix.host)));
	assert_null(authlog_allow_list_at(fix.log, 0, NULL));
}

static void the_log_is_listed(void **state)
{
	(void)state;
	struct authlog_grant grant = fixture_grant(fix.other);
	fixture_grant_append(&fix, &grant);
	struct fixture_entry m = fixture_operator(&fix, "Ada");
	fixture_append(&fix, &m);
	assert_true(id_equal(&authlog_grant_at(fix.log, 0)->issuer, identity_id(fix.issuer)));
	assert_true(id_equal(&authlog_grant_at(fix.log, 1)->issuer, identity_id(fix.other)));
	assert_null(authlog_grant_at(fix.log, 2));
	const struct authlog_operator *op = authlog_operator_at(fix.log, 0);
	assert_ptr_equal(op, authlog_find_operator(fix.log, identity_id(fix.other)));
	assert_string_equal(op->name, "Ada");
	assert_int_equal(op->roles, 1);
	assert_int_equal(op->last_day, FIXTURE_DAY + 9);
	assert_false(op->revoked);
	assert_null(authlog_operator_at(fix.log, 1));
	assert_null(authlog_find_operator(fix.log, identity_id(fix.host)));
	assert_null(authlog_revoked_host_at(fix.log, 0));
	struct id high = number(9), low = number(3);
	m = fixture_revoke(&fix, LOG_REVOKE_OPERATOR, identity_id(fix.other));
	fixture_append(&fix, &m);
	assert_null(authlog_revoked_host_at(fix.log, 0));
	m = fixture_revoke(&fix, LOG_REVOKE_HOST, &high);
	fixture_append(&fix, &m);
	m = fixture_revoke(&fix, LOG_REVOKE_HOST, &low);
	fixture_append(&fix, &m);
	assert_true(id_equal(authlog_revoked_host_at(fix.log, 0), &low));
	assert_true(id_equal(authlog_revoked_host_at(fix.log, 1), &high));
	assert_null(authlog_revoked_host_at(fix.log, 2));
	op = authlog_find_operator(fix.log, identity_id(fix.other));
	assert_true(op != NULL && op->revoked);
	assert_null(authlog_operator_key(fix.log, identity_id(fix.other)));
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(an_issuer_without_a_list_leaves_nobody),
	    ALONE(a_list_names_who_stays),
	    ALONE(of_several_lists_all_must_name_a_host),
	    ALONE(lists_are_bounded_and_ascend),
	    ALONE(a_list_is_for_issuers_alone),
	    ALONE(the_log_is_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
