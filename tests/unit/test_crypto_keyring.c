#include "crypto/keyring.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "crypto/hello.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

#define TODAY ((wall_day)20000)
#define PING  16

static struct fixture fix;

/* Two nodes that said hello. */
struct two {
	struct id id_a, id_b;
	struct keyring *a, *b;
};

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 2);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	fixture_release(&fix);
	return 0;
}

static void say_hello(struct two *t)
{
	assert_int_equal(keyring_learn(t->a, &t->id_b, keyring_day(t->b), keyring_public(t->b), false),
			 ERR_OK);
	assert_int_equal(keyring_learn(t->b, &t->id_a, keyring_day(t->a), keyring_public(t->a), false),
			 ERR_OK);
}

static void two_make(struct two *t, wall_day day)
{
	t->id_a = *identity_id(fix.host);
	t->id_b = *identity_id(fix.other);
	assert_int_equal(keyring_new(&t->id_a, &fix.keys, &fix.rng, day, &t->a), ERR_OK);
	assert_int_equal(keyring_new(&t->id_b, &fix.keys, &fix.rng, day, &t->b), ERR_OK);
	say_hello(t);
}

static void two_free(struct two *t)
{
	keyring_free(t->a);
	keyring_free(t->b);
}

/* Does what `from` seals open at `to`? */
static enum err pass(struct keyring *from, struct keyring *to, const struct id *to_id)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct datagram d;
	enum err err = keyring_seal(from, to_id, PING, "hi", 2, bytes, &len, NULL);
	return err == ERR_OK ? keyring_open(to, bytes, len, &d) : err;
}

static void sealed_opens_at_the_other(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	uint64_t nonce, second;
	struct datagram d;
	two_make(&t, TODAY);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "message", 7, bytes, &len, &nonce), ERR_OK);
	assert_int_equal(len, 7 + 68);
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[1], PING);
	assert_int_equal(bytes[2], TODAY % 255 + 1);
	assert_int_equal(bytes[3], TODAY % 255 + 1);
	assert_memory_equal(bytes + 4, t.id_a.b, ID_BYTES);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_OK);
	assert_int_equal(d.type, PING);
	assert_true(d.paired && d.nonce == nonce && id_equal(&d.source, &t.id_a));
	assert_int_equal(d.len, 7);
	assert_memory_equal(d.message, "message", 7);
	/* The same message seals to other bytes. */
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "message", 7, bytes, &len, &second), ERR_OK);
	assert_false(nonce == second);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	two_free(&t);
	keyring_free(NULL);
}

static void sizes_are_bounded(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES + 1], message[DATAGRAM_MESSAGE_BYTES + 1] = {3};
	size_t len = 0;
	struct datagram d;
	two_make(&t, TODAY);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, message, sizeof(message), bytes, &len, NULL),
			 ERR_LIMIT);
	assert_int_equal(keyring_seal_hello(t.a, 1, message, sizeof(message), bytes, &len, NULL), ERR_LIMIT);
	assert_int_equal(len, 0);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, message, sizeof(message) - 1, bytes, &len, NULL),
			 ERR_OK);
	assert_int_equal(len, LIMIT_DATAGRAM_BYTES);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_OK);
	assert_int_equal(d.len, DATAGRAM_MESSAGE_BYTES);
	assert_memory_equal(d.message, message, d.len);
	assert_int_equal(keyring_open(t.b, bytes, sizeof(bytes), &d), ERR_LIMIT);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, NULL, 0, bytes, &len, NULL), ERR_OK);
	assert_int_equal(len, 68);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_OK);
	assert_int_equal(d.len, 0);
	two_free(&t);
}

static void hello_key_opens_everywhere(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	uint64_t nonce;
	struct datagram d;
	two_make(&t, TODAY);
	keyring_forget(t.b, &t.id_a);
	assert_int_equal(keyring_seal_hello(t.a, 1, "hello", 5, bytes, &len, &nonce), ERR_OK);
	assert_int_equal(bytes[2], 0);
	assert_int_equal(bytes[3], 0);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_OK);
	assert_true(!d.paired && d.type == 1 && d.nonce == nonce && id_equal(&d.source, &t.id_a));
	assert_memory_equal(d.message, "hello", 5);
	/* What comes back to its sender is not taken for another's. */
	assert_int_equal(keyring_open(t.a, bytes, len, &d), ERR_SEAL);
	two_free(&t);
}

struct open_context {
	struct keyring *keyring;
};

static bool open_refused(void *context, const uint8_t *bytes, size_t len)
{
	struct open_context *c = context;
	struct datagram d, before;
	memset(&d, 0x5a, sizeof(d));
	memcpy(&before, &d, sizeof(d));
	enum err err = keyring_open(c->keyring, bytes, len, &d);
	if (err == ERR_UNKNOWN_SOURCE)
		before.source = d.source;
	return err != ERR_OK && memcmp(&d, &before, sizeof(d)) == 0;
}

static void each_changed_byte_is_refused(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	two_make(&t, TODAY);
	struct open_context c = {t.b};
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "a message", 9, bytes, &len, NULL), ERR_OK);
	assert_int_equal(fixture_flip(bytes, len, true, open_refused, &c), -1);
	assert_int_equal(keyring_seal_hello(t.a, 1, "a hello", 7, bytes, &len, NULL), ERR_OK);
	assert_int_equal(fixture_flip(bytes, len, true, open_refused, &c), -1);
	two_free(&t);
}

/* A keyring of the same estate secret computes a right mac over anything: here A's id with a key of its own.
 */
static void insiders_cannot_alter_what_others_sealed(void **state)
{
	(void)state;
	struct two t;
	struct keyring *mallory;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct datagram d;
	two_make(&t, TODAY);
	assert_int_equal(keyring_new(&t.id_a, &fix.keys, &fix.rng, TODAY, &mallory), ERR_OK);
	assert_int_equal(keyring_learn(mallory, &t.id_b, TODAY, keyring_public(t.b), false), ERR_OK);
	assert_int_equal(keyring_seal(mallory, &t.id_b, PING, "forged", 6, bytes, &len, NULL), ERR_OK);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_SEAL);
	keyring_free(mallory);
	two_free(&t);
}

static void each_truncation_is_refused(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct datagram d;
	two_make(&t, TODAY);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "a message", 9, bytes, &len, NULL), ERR_OK);
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, bytes, n);
		assert_int_equal(keyring_open(t.b, copy, n, &d), n < 68 ? ERR_SHORT : ERR_MAC);
		free(copy);
	}
	two_free(&t);
}

static void checks_come_cheapest_first(void **state)
{
	(void)state;
	struct two t;
	struct keyring *outsider;
	struct estate_keys other_estate;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES], secret[KEY_BYTES] = {66};
	size_t len;
	struct datagram d = {0};
	two_make(&t, TODAY);
	estate_keys_derive(&other_estate, &fix.keys.estate, secret);
	assert_int_equal(keyring_new(&t.id_a, &other_estate, &fix.rng, TODAY, &outsider), ERR_OK);
	assert_int_equal(keyring_seal_hello(outsider, 1, "x", 1, bytes, &len, NULL), ERR_OK);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_MAC);
	bytes[0] = 2;
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_VERSION);
	assert_int_equal(keyring_open(t.b, bytes, 67, &d), ERR_SHORT);
	/* Not known: its id is handed out, so that a hello can be tried. */
	keyring_forget(t.b, &t.id_a);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "x", 1, bytes, &len, NULL), ERR_OK);
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_UNKNOWN_SOURCE);
	assert_true(id_equal(&d.source, &t.id_a));
	assert_int_equal(keyring_seal(t.b, &t.id_a, PING, "x", 1, bytes, &len, NULL), ERR_UNKNOWN_SOURCE);
	keyring_free(outsider);
	two_free(&t);
}

static void a_reflected_datagram_does_not_open(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct datagram d;
	two_make(&t, TODAY);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "x", 1, bytes, &len, NULL), ERR_OK);
	assert_int_equal(keyring_open(t.a, bytes, len, &d), ERR_SEAL);
	two_free(&t);
}

static void keys_of_small_order_are_refused(void **state)
{
	(void)state;
#define FF_30                                                                                                \
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,      \
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
	static const uint8_t zero[KEY_BYTES] = {0}, one[KEY_BYTES] = {1};
	static const uint8_t others[][KEY_BYTES] = {
	    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	     0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
	     0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	    {0xec, FF_30, 0x7f},
	    {0xed, FF_30, 0x7f},
	    {0xee, FF_30, 0x7f},
	    {0xed, FF_30, 0xff},
	};
#undef FF_30
	struct two t;
	struct id id = {{9}};
	two_make(&t, TODAY);
	assert_int_equal(keyring_learn(t.a, &id, TODAY, zero, false), ERR_ARG);
	assert_int_equal(keyring_learn(t.a, &id, TODAY, one, false), ERR_ARG);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(keyring_learn(t.a, &id, TODAY, others[i], false), ERR_ARG);
	assert_false(keyring_knows(t.a, &id));
	assert_int_equal(keyring_learn(t.a, &t.id_b, TODAY + 1, zero, false), ERR_ARG);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(keyring_learn(t.a, &t.id_a, TODAY, keyring_public(t.b), false), ERR_ARG);
	two_free(&t);
}

static void sessions_live_over_midnight(void **state)
{
	(void)state;
	struct two t;
	two_make(&t, TODAY);
	assert_false(keyring_renewal_due(t.a, &t.id_b));
	keyring_set_day(t.a, TODAY + 1);
	assert_int_equal(keyring_day(t.a), TODAY + 1);
	assert_true(keyring_renewal_due(t.a, &t.id_b));
	/* One side turned the day, then both. */
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	keyring_set_day(t.b, TODAY + 1);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	say_hello(&t);
	assert_false(keyring_renewal_due(t.a, &t.id_b));
	keyring_set_day(t.a, TODAY + 2);
	keyring_set_day(t.b, TODAY + 2);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	two_free(&t);
}

static void yesterdays_datagram_opens_two_days_old_does_not(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct datagram d = {0};
	two_make(&t, TODAY);
	assert_int_equal(keyring_seal(t.a, &t.id_b, PING, "x", 1, bytes, &len, NULL), ERR_OK);
	keyring_set_day(t.a, TODAY + 1);
	keyring_set_day(t.b, TODAY + 1);
	say_hello(&t); /* keys of the new day; those of the day before still open */
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_OK);
	keyring_set_day(t.b, TODAY + 2);
	assert_true(keyring_knows(t.b, &t.id_a));
	assert_int_equal(keyring_open(t.b, bytes, len, &d), ERR_UNKNOWN_SOURCE);
	assert_true(id_equal(&d.source, &t.id_a));
	two_free(&t);
}

static void peers_are_forgotten_after_a_day_more(void **state)
{
	(void)state;
	struct two t;
	two_make(&t, TODAY);
	keyring_set_day(t.a, TODAY + 1);
	assert_true(keyring_knows(t.a, &t.id_b));
	keyring_set_day(t.a, TODAY + 2);
	assert_false(keyring_knows(t.a, &t.id_b));
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_UNKNOWN_SOURCE);
	two_free(&t);
	/* A suspended host skips days. */
	two_make(&t, TODAY);
	keyring_set_day(t.a, TODAY + 10);
	assert_false(keyring_knows(t.a, &t.id_b));
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_UNKNOWN_SOURCE);
	say_hello(&t); /* their days differ by ten, and they talk */
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	two_free(&t);
}

static void fill_zero(void *context, void *ret, size_t len)
{
	(void)context;
	memset(ret, 0, len);
}

/* After a leap over days the key of the day before is all zeros, which anyone can calculate with. */
static void a_wiped_key_opens_nothing(void **state)
{
	(void)state;
	struct two t;
	struct keyring *zero;
	struct crypto_rng zeros = {.fill = fill_zero};
	two_make(&t, TODAY);
	keyring_set_day(t.a, TODAY + 1);
	keyring_set_day(t.a, TODAY + 11);
	say_hello(&t);
	assert_int_equal(keyring_new(&t.id_a, &fix.keys, &zeros, TODAY + 10, &zero), ERR_OK);
	keyring_forget(t.b, &t.id_a);
	assert_int_equal(keyring_learn(t.b, &t.id_a, TODAY + 10, keyring_public(zero), false), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_UNKNOWN_SOURCE);
	keyring_free(zero);
	two_free(&t);
}

static void days_never_go_back(void **state)
{
	(void)state;
	struct two t;
	uint8_t public_key[KEY_BYTES];
	two_make(&t, TODAY);
	memcpy(public_key, keyring_public(t.a), KEY_BYTES);
	keyring_set_day(t.a, TODAY);
	keyring_set_day(t.a, TODAY - 5);
	assert_int_equal(keyring_day(t.a), TODAY);
	assert_memory_equal(keyring_public(t.a), public_key, KEY_BYTES);
	keyring_set_day(t.a, TODAY + 1);
	assert_memory_not_equal(keyring_public(t.a), public_key, KEY_BYTES);
	two_free(&t);
}

static void old_hellos_change_nothing(void **state)
{
	(void)state;
	struct two t;
	uint8_t yesterday[KEY_BYTES];
	two_make(&t, TODAY);
	memcpy(yesterday, keyring_public(t.b), KEY_BYTES);
	keyring_set_day(t.a, TODAY + 1);
	keyring_set_day(t.b, TODAY + 1);
	say_hello(&t);
	assert_int_equal(keyring_learn(t.a, &t.id_b, TODAY, yesterday, false), ERR_STALE);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	two_free(&t);
}

static void a_restarted_peer_has_a_new_key_of_the_day(void **state)
{
	(void)state;
	struct two t;
	uint8_t before[KEY_BYTES];
	two_make(&t, TODAY);
	memcpy(before, keyring_public(t.b), KEY_BYTES);
	keyring_free(t.b);
	assert_int_equal(keyring_new(&t.id_b, &fix.keys, &fix.rng, TODAY, &t.b), ERR_OK);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_UNKNOWN_SOURCE);
	say_hello(&t);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	/* The hello before the restart, replayed. */
	assert_int_equal(keyring_learn(t.a, &t.id_b, TODAY, before, false), ERR_OK);
	assert_int_equal(pass(t.a, t.b, &t.id_b), ERR_OK);
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK);
	two_free(&t);
}

static struct id numbered(uint32_t n)
{
	struct id id;
	hash_bytes(id.b, ID_BYTES, "test.peer", &n, sizeof(n));
	return id;
}

static void the_peer_unused_for_longest_gives_way(void **state)
{
	(void)state;
	struct two t;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len;
	two_make(&t, TODAY);
	/* B is the oldest; all others fill the table. */
	for (uint32_t i = 1; i < LIMIT_SESSIONS; i++) {
		struct id id = numbered(i);
		assert_int_equal(keyring_learn(t.a, &id, TODAY, keyring_public(t.b), false), ERR_OK);
	}
	struct id first = numbered(1), second = numbered(2), third = numbered(3);
	struct id late = numbered(LIMIT_SESSIONS), later = numbered(LIMIT_SESSIONS + 1);
	assert_true(keyring_knows(t.a, &t.id_b));
	assert_int_equal(pass(t.b, t.a, &t.id_a), ERR_OK); /* opening counts as use */
	assert_int_equal(keyring_seal(t.a, &first, PING, "x", 1, bytes, &len, NULL),
			 ERR_OK); /* so does sealing */
	assert_int_equal(keyring_learn(t.a, &late, TODAY, keyring_public(t.b), false), ERR_OK);
	assert_false(keyring_knows(t.a, &second));
	assert_true(keyring_knows(t.a, &first) && keyring_knows(t.a, &t.id_b) && keyring_knows(t.a, &late));
	assert_int_equal(keyring_learn(t.a, &later, TODAY, keyring_public(t.b), false), ERR_OK);
	assert_false(keyring_knows(t.a, &third));
	assert_true(keyring_knows(t.a, &later) && keyring_knows(t.a, &late));
	keyring_forget(t.a, &late);
	keyring_forget(t.a, &late);
	assert_false(keyring_knows(t.a, &late));
	keyring_set_day(t.a, TODAY + 2);
	assert_false(keyring_knows(t.a, &t.id_b));
	two_free(&t);
}

/* Against a model: after many random days, hellos and restarts, every datagram opens or says why. */
static void random_lives_agree(void **state)
{
	(void)state;
	struct two t;
	wall_day day = TODAY;
	two_make(&t, TODAY);
	for (unsigned i = 0; i < 3000; i++) {
		uint8_t dice;
		fix.rng.fill(fix.rng.context, &dice, 1);
		if (dice < 30)
			keyring_set_day(t.a, ++day);
		else if (dice < 60)
			keyring_set_day(t.b, day);
		else if (dice < 80)
			say_hello(&t);
		enum err ab = pass(t.a, t.b, &t.id_b), ba = pass(t.b, t.a, &t.id_a);
		assert_true(ab == ERR_OK || ab == ERR_UNKNOWN_SOURCE);
		assert_true(ba == ERR_OK || ba == ERR_UNKNOWN_SOURCE);
		/* Right after a hello, and as long as neither passed more than one midnight, both open. */
		if (dice >= 60 && dice < 80)
			assert_true(ab == ERR_OK && ba == ERR_OK);
	}
	two_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sealed_opens_at_the_other),
	    cmocka_unit_test(sizes_are_bounded),
	    cmocka_unit_test(hello_key_opens_everywhere),
	    cmocka_unit_test(each_changed_byte_is_refused),
	    cmocka_unit_test(insiders_cannot_alter_what_others_sealed),
	    cmocka_unit_test(each_truncation_is_refused),
	    cmocka_unit_test(checks_come_cheapest_first),
	    cmocka_unit_test(a_reflected_datagram_does_not_open),
	    cmocka_unit_test(keys_of_small_order_are_refused),
	    cmocka_unit_test(sessions_live_over_midnight),
	    cmocka_unit_test(yesterdays_datagram_opens_two_days_old_does_not),
	    cmocka_unit_test(peers_are_forgotten_after_a_day_more),
	    cmocka_unit_test(a_wiped_key_opens_nothing),
	    cmocka_unit_test(days_never_go_back),
	    cmocka_unit_test(old_hellos_change_nothing),
	    cmocka_unit_test(a_restarted_peer_has_a_new_key_of_the_day),
	    cmocka_unit_test(the_peer_unused_for_longest_gives_way),
	    cmocka_unit_test(random_lives_agree),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
