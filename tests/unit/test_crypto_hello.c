#include "crypto/hello.h"

#include <string.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 4);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	fixture_release(&fix);
	return 0;
}

static struct hello_transcript transcript(void)
{
	return (struct hello_transcript){.estate = fix.keys.estate,
					 .initiator = *identity_id(fix.host),
					 .responder = *identity_id(fix.other),
					 .ni = {1},
					 .nr = {2},
					 .initiator_day = 20000,
					 .initiator_key = {3},
					 .responder_day = 20001,
					 .responder_key = {4},
					 .flags = 5,
					 .initiator_head = {6, 7},
					 .responder_head = {8, 9}};
}

static void each_side_proves_itself(void **state)
{
	(void)state;
	struct hello_transcript t = transcript();
	const uint8_t *host = identity_public_key(fix.host), *other = identity_public_key(fix.other);
	uint8_t reply[SIGNATURE_BYTES], finish[SIGNATURE_BYTES];
	hello_sign(&t, HELLO_SIGN_REPLY, fix.other, reply);
	hello_sign(&t, HELLO_SIGN_FINISH, fix.host, finish);
	assert_int_equal(hello_verify(&t, HELLO_SIGN_REPLY, other, reply), ERR_OK);
	assert_int_equal(hello_verify(&t, HELLO_SIGN_FINISH, host, finish), ERR_OK);
	/* One does not stand for the other, nor one's key for the other's. */
	assert_int_equal(hello_verify(&t, HELLO_SIGN_FINISH, other, reply), ERR_SIGNATURE);
	assert_int_equal(hello_verify(&t, HELLO_SIGN_REPLY, host, reply), ERR_SIGNATURE);
	assert_int_equal(hello_verify(&t, HELLO_SIGN_FINISH, other, finish), ERR_SIGNATURE);
	/* A host that signs in another's place. */
	hello_sign(&t, HELLO_SIGN_REPLY, fix.host, reply);
	assert_int_equal(hello_verify(&t, HELLO_SIGN_REPLY, host, reply), ERR_SIGNATURE);
}

/* Host and other take each other's place: a signature as responder is none as initiator. */
static void roles_do_not_swap(void **state)
{
	(void)state;
	struct hello_transcript t = transcript(), swapped = t;
	uint8_t reply[SIGNATURE_BYTES];
	swapped.initiator = t.responder;
	swapped.responder = t.initiator;
	hello_sign(&t, HELLO_SIGN_REPLY, fix.other, reply);
	assert_int_equal(hello_verify(&swapped, HELLO_SIGN_FINISH, identity_public_key(fix.other), reply),
			 ERR_SIGNATURE);
}

static bool signature_refused(void *context, const uint8_t *bytes, size_t len)
{
	(void)len;
	return hello_verify(context, HELLO_SIGN_REPLY, identity_public_key(fix.other), bytes) ==
	       ERR_SIGNATURE;
}

static void every_field_is_covered(void **state)
{
	(void)state;
	struct hello_transcript t = transcript(), changed;
	uint8_t signature[SIGNATURE_BYTES];
	hello_sign(&t, HELLO_SIGN_REPLY, fix.other, signature);
	assert_int_equal(fixture_flip(signature, sizeof(signature), false, signature_refused, &t), -1);
	/* Up to the flags the struct is all fields: no padding between them. */
	assert_int_equal(offsetof(struct hello_transcript, flags),
			 3 * ID_BYTES + 2 * HELLO_NONCE_BYTES + 2 * (KEY_BYTES + sizeof(wall_day)));
	for (size_t i = 0; i <= offsetof(struct hello_transcript, flags); i++) {
		memcpy(&changed, &t, sizeof(t));
		((uint8_t *)&changed)[i] ^= 1;
		assert_int_equal(
		    hello_verify(&changed, HELLO_SIGN_REPLY, identity_public_key(fix.other), signature),
		    ERR_SIGNATURE);
	}
	struct authlog_head *const heads[] = {&changed.initiator_head, &changed.responder_head};
	for (size_t i = 0; i < 4; i++) {
		changed = t;
		if (i % 2 == 0)
			heads[i / 2]->index ^= 1;
		else
			heads[i / 2]->hash ^= 1;
		assert_int_equal(
		    hello_verify(&changed, HELLO_SIGN_REPLY, identity_public_key(fix.other), signature),
		    ERR_SIGNATURE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_side_proves_itself),
	    cmocka_unit_test(roles_do_not_swap),
	    cmocka_unit_test(every_field_is_covered),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
