/* Rows of operators say what the authority log says, in both backends. */
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

struct seen {
	size_t count;
	struct operator_state last;
};

static bool see(void *context, const struct operator_state *state)
{
	struct seen *seen = context;
	seen->count++;
	seen->last = *state;
	return true;
}

static struct seen look(struct store *s)
{
	struct seen seen = {.count = 0};
	assert_int_equal(store_each_operator(s, see, &seen), ERR_OK);
	return seen;
}

static void follow_the_log(struct store *s)
{
	struct fixture f;
	struct store_stats stats;
	fixture_make(&f, 1);
	assert_int_equal(store_put_operators(s, f.log), ERR_OK);
	assert_int_equal(store_pending(s), 0);
	struct fixture_entry entry = fixture_operator(&f, "Ada");
	fixture_append(&f, &entry);
	assert_int_equal(store_put_operators(s, f.log), ERR_OK);
	assert_int_equal(store_pending(s), 1);
	struct seen seen = look(s);
	const struct authlog_operator *o = authlog_operator_at(f.log, 0);
	assert_int_equal(seen.count, 1);
	assert_true(id_equal(&seen.last.id, &o->id));
	assert_string_equal(seen.last.name, "Ada");
	assert_int_equal(seen.last.roles, o->roles);
	assert_int_equal(seen.last.last_day, o->last_day);
	assert_false(seen.last.revoked);
	assert_int_equal(store_flush(s, FIXTURE_NOW, NULL), ERR_OK);
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 1);

	/* What is as it was is not put again. */
	assert_int_equal(store_put_operators(s, f.log), ERR_OK);
	assert_int_equal(store_pending(s), 0);
	struct fixture_entry revocation = fixture_revoke(&f, LOG_REVOKE_OPERATOR, &o->id);
	fixture_append(&f, &revocation);
	assert_int_equal(store_put_operators(s, f.log), ERR_OK);
	assert_int_equal(store_pending(s), 1);
	assert_true(look(s).last.revoked);
	assert_int_equal(store_flush(s, FIXTURE_NOW, NULL), ERR_OK);

	/* A log without operators, as after a fork: their rows go. */
	struct fixture other;
	fixture_make(&other, 1);
	assert_int_equal(store_put_operators(s, other.log), ERR_OK);
	assert_int_equal(look(s).count, 0);
	assert_int_equal(store_flush(s, FIXTURE_NOW, NULL), ERR_OK);
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 0);
	fixture_release(&other);
	fixture_release(&f);
}

static void over_memory(void **state)
{
	struct id estate = {{1}}, self = {{2}};
	struct store *s;
	(void)state;
	assert_int_equal(store_open_memory(&estate, &self, &s), ERR_OK);
	follow_the_log(s);
	store_close(s);
}

static void over_lmdb(void **state)
{
	struct id estate = {{1}}, self = {{2}};
	struct store *s;
	struct err_info info = {0};
	assert_int_equal(store_open(scratch_path(*state, "replica"), &estate, &self, &s, NULL, &info),
			 ERR_OK);
	follow_the_log(s);
	store_close(s);
}

static void rows_round_trip(void **state)
{
	struct operator_state got, o = {.id = {{7}}, .roles = 15, .last_day = 20000, .revoked = true};
	struct row_key key = row_key_id(TABLE_OPERATORS, &o.id);
	struct row_value row;
	(void)state;
	memset(o.name, 'x', LIMIT_SHORT_TEXT_BYTES);
	assert_int_equal(row_encode_operator(&key, &o, &row), ERR_OK);
	assert_int_equal(row_check(&key, row.bytes, row.len), ERR_OK);
	assert_int_equal(row_decode_operator(&key, row.bytes, row.len, &got), ERR_OK);
	assert_true(id_equal(&got.id, &o.id) && got.roles == 15 && got.last_day == 20000 && got.revoked);
	assert_string_equal(got.name, o.name);
	for (size_t len = 0; len < row.len; len++)
		assert_int_not_equal(row_decode_operator(&key, row.bytes, len, &got), ERR_OK);
	memset(o.name, 'x', sizeof(o.name));
	assert_int_equal(row_encode_operator(&key, &o, &row), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(over_memory),
	    cmocka_unit_test_setup_teardown(over_lmdb, scratch_setup, scratch_teardown),
	    cmocka_unit_test(rows_round_trip),
	};
	return cmocka_run_group_tests_name("store operators", tests, NULL, NULL);
}
