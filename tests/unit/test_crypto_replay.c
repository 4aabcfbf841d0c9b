/* What was sealed once opens once, in whatever order it comes, and whoever forges makes nobody derive keys
 * without end. */
#include <string.h>

#include "crypto/keyring.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

#define TODAY   ((wall_day)20000)
#define PING    16
#define WINDOW  1024
#define SEALED  (3 * WINDOW)
#define MESSAGE 2

static struct fixture fix;

struct sealed {
	size_t len;
	uint8_t bytes[DATAGRAM_HEADER_BYTES + MESSAGE + DATAGRAM_TAG_BYTES];
};

static struct {
	struct id id_a, id_b;
	struct keyring *a, *b;
	struct sealed sealed[SEALED];
} two;

static void learn(struct keyring *k, const struct id *id, const struct keyring *other, bool fresh)
{
	assert_int_equal(keyring_learn(k, id, keyring_day(other), keyring_public(other), fresh), ERR_OK);
}

static void seal(struct sealed *ret)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	assert_int_equal(keyring_seal(two.a, &two.id_b, PING, "hi", MESSAGE, bytes, &ret->len, NULL), ERR_OK);
	assert_int_equal(ret->len, sizeof(ret->bytes));
	memcpy(ret->bytes, bytes, ret->len);
}

static enum err open_at_b(const struct sealed *s)
{
	struct datagram d;
	enum err err = keyring_check(two.b, s->bytes, s->len);
	if (err == ERR_OK && keyring_replayed(two.b, s->bytes))
		return ERR_EXISTS;
	return err == ERR_OK ? keyring_open(two.b, s->bytes, s->len, &d) : err;
}

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 5);
	two.id_a = *identity_id(fix.host);
	two.id_b = *identity_id(fix.other);
	assert_int_equal(keyring_new(&two.id_a, &fix.keys, &fix.rng, TODAY, &two.a), ERR_OK);
	assert_int_equal(keyring_new(&two.id_b, &fix.keys, &fix.rng, TODAY, &two.b), ERR_OK);
	learn(two.a, &two.id_b, two.b, true);
	learn(two.b, &two.id_a, two.a, false);
	for (size_t i = 0; i < SEALED; i++)
		seal(&two.sealed[i]);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	keyring_free(two.a);
	keyring_free(two.b);
	fixture_release(&fix);
	return 0;
}

static void each_opens_once_in_any_order(void **state)
{
	(void)state;
	/* By turns from both ends of the window, so that most come late. */
	for (size_t i = 0; i < WINDOW; i++) {
		size_t at = i % 2 == 0 ? WINDOW - 1 - i / 2 : i / 2;
		assert_int_equal(open_at_b(&two.sealed[at]), ERR_OK);
		assert_int_equal(open_at_b(&two.sealed[at]), ERR_EXISTS);
	}
	for (size_t i = 0; i < WINDOW; i++)
		assert_int_equal(open_at_b(&two.sealed[i]), ERR_EXISTS);
}

static void what_is_too_late_to_tell_does_not_open(void **state)
{
	(void)state;
	assert_int_equal(open_at_b(&two.sealed[WINDOW]), ERR_OK);
	assert_int_equal(open_at_b(&two.sealed[0]), ERR_EXISTS);
	assert_int_equal(open_at_b(&two.sealed[1]), ERR_OK);
	/* A leap leaves nothing of the window behind. */
	assert_int_equal(open_at_b(&two.sealed[SEALED - 1]), ERR_OK);
	for (size_t i = 0; i < SEALED - WINDOW; i++)
		assert_int_equal(open_at_b(&two.sealed[i]), ERR_EXISTS);
	for (size_t i = SEALED - WINDOW; i < SEALED - 1; i++)
		assert_int_equal(open_at_b(&two.sealed[i]), ERR_OK);
}

static void a_forged_counter_moves_no_window(void **state)
{
	(void)state;
	struct sealed forged = two.sealed[0];
	memset(forged.bytes + 28, 0xff, 8);
	assert_int_equal(open_at_b(&forged), ERR_MAC);
	assert_int_equal(open_at_b(&two.sealed[0]), ERR_OK);
}

static void hellos_in_between_open_nothing_anew(void **state)
{
	(void)state;
	assert_int_equal(open_at_b(&two.sealed[9]), ERR_OK);
	learn(two.b, &two.id_a, two.a, false);
	assert_int_equal(open_at_b(&two.sealed[9]), ERR_EXISTS);
	learn(two.b, &two.id_a, two.a, true);
	assert_int_equal(open_at_b(&two.sealed[9]), ERR_EXISTS);
	/* The same over a day, under the key of the day before. */
	keyring_set_day(two.b, TODAY + 1);
	assert_int_equal(open_at_b(&two.sealed[9]), ERR_EXISTS);
	assert_int_equal(open_at_b(&two.sealed[10]), ERR_OK);
}

static void the_key_before_is_taken_up_again_when_its_reply_is_fresh(void **state)
{
	(void)state;
	struct keyring *clone;
	assert_int_equal(open_at_b(&two.sealed[0]), ERR_OK);
	assert_int_equal(keyring_new(&two.id_a, &fix.keys, &fix.rng, TODAY, &clone), ERR_OK);
	learn(two.b, &two.id_a, clone, true);
	assert_int_not_equal(open_at_b(&two.sealed[1]), ERR_OK);
	learn(two.b, &two.id_a, two.a, true);
	assert_int_equal(open_at_b(&two.sealed[1]), ERR_OK);
	assert_int_equal(open_at_b(&two.sealed[0]), ERR_EXISTS);
	keyring_free(clone);
}

static void other_keys_begin_anew(void **state)
{
	(void)state;
	struct sealed s;
	uint8_t before[KEY_BYTES];
	memcpy(before, keyring_public(two.a), KEY_BYTES);
	keyring_renew(two.a);
	assert_memory_not_equal(before, keyring_public(two.a), KEY_BYTES);
	assert_false(keyring_knows(two.a, &two.id_b));
	learn(two.a, &two.id_b, two.b, true);
	learn(two.b, &two.id_a, two.a, false);
	seal(&s);
	assert_int_equal(open_at_b(&s), ERR_OK);
	assert_int_equal(open_at_b(&s), ERR_EXISTS);
}

static void what_comes_in_derives_no_more_than_allowed(void **state)
{
	(void)state;
	keyring_set_day(two.b, TODAY + 1);
	learn(two.a, &two.id_b, two.b, true);
	struct sealed s;
	seal(&s);
	keyring_allow(two.b, 0);
	assert_int_equal(open_at_b(&s), ERR_BUSY);
	keyring_allow(two.b, 1);
	assert_int_equal(open_at_b(&s), ERR_OK);
	keyring_allow(two.b, 0);
	seal(&s);
	assert_int_equal(open_at_b(&s), ERR_OK); /* derived already */
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, make, drop)
	const struct CMUnitTest tests[] = {
	    FRESH(each_opens_once_in_any_order),
	    FRESH(what_is_too_late_to_tell_does_not_open),
	    FRESH(a_forged_counter_moves_no_window),
	    FRESH(hellos_in_between_open_nothing_anew),
	    FRESH(the_key_before_is_taken_up_again_when_its_reply_is_fresh),
	    FRESH(other_keys_begin_anew),
	    FRESH(what_comes_in_derives_no_more_than_allowed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
