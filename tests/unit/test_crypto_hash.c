#include "crypto/hash.h"

#include <string.h>
#include <sys/resource.h>

#include "crypto/identity.h"
#include "crypto/rng.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static void init_is_repeatable(void **state)
{
	(void)state;
	assert_int_equal(crypto_init(), ERR_OK);
	assert_int_equal(crypto_init(), ERR_OK);
}

static void domains_keys_and_lengths_separate(void **state)
{
	(void)state;
	uint8_t a[32], b[32], key[KEY_BYTES] = {1}, other_key[KEY_BYTES] = {2};
	hash_bytes(a, 32, "mesh.one", "data", 4);
	hash_bytes(b, 32, "mesh.one", "data", 4);
	assert_memory_equal(a, b, 32);
	hash_bytes(b, 32, "mesh.two", "data", 4);
	assert_memory_not_equal(a, b, 32);
	/* A shorter output is no prefix of a longer one. */
	hash_bytes(b, 16, "mesh.one", "data", 4);
	assert_memory_not_equal(a, b, 16);
	hash_keyed(b, 32, key, "mesh.one", "data", 4);
	assert_memory_not_equal(a, b, 32);
	hash_keyed(a, 32, other_key, "mesh.one", "data", 4);
	assert_memory_not_equal(a, b, 32);
	hash_bytes(a, 32, "sixteen letters!", NULL, 0);
	hash_bytes(b, 32, "sixteen letters", NULL, 0);
	assert_memory_not_equal(a, b, 32);
}

static void integers_are_the_first_eight_bytes(void **state)
{
	(void)state;
	uint8_t hash[16], key[KEY_BYTES] = {7};
	uint64_t v = 0;
	hash_bytes(hash, 16, "mesh.hw", "x", 1);
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | hash[i];
	assert_true(hash_u64("mesh.hw", "x", 1) == v);
	hash_keyed(hash, 16, key, "mesh.set", "x", 1);
	v = 0;
	for (size_t i = 0; i < 8; i++)
		v = v << 8 | hash[i];
	assert_true(hash_keyed_u64(key, "mesh.set", "x", 1) == v);
}

static void checksum_sees_each_bit(void **state)
{
	(void)state;
	uint8_t data[64] = {0};
	uint64_t whole = hash_checksum(data, sizeof(data));
	assert_true(hash_checksum(data, sizeof(data)) == whole);
	for (size_t bit = 0; bit < sizeof(data) * 8; bit++) {
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(hash_checksum(data, sizeof(data)) == whole);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < sizeof(data); len++)
		assert_false(hash_checksum(data, len) == whole);
}

static void estate_keys_differ(void **state)
{
	(void)state;
	struct estate_keys keys, *held;
	struct id estate = {{1, 2, 3}};
	uint8_t secret[KEY_BYTES] = {9}, expected[KEY_BYTES];
	estate_keys_derive(&keys, &estate, secret);
	assert_true(id_equal(&keys.estate, &estate));
	hash_keyed(expected, 32, secret, "mesh.mac", NULL, 0);
	assert_memory_equal(keys.mac_key, expected, 16);
	hash_keyed(expected, 32, secret, "mesh.hello", NULL, 0);
	assert_memory_equal(keys.hello_key, expected, 32);
	hash_keyed(expected, 32, secret, "mesh.set", NULL, 0);
	assert_memory_equal(keys.set_key, expected, 32);
	held = estate_keys_new(&estate, secret);
	assert_non_null(held);
	assert_memory_equal(held, &keys, sizeof(keys));
	estate_keys_free(held);
	estate_keys_free(NULL);
}

static void wipe_leaves_zeros(void **state)
{
	(void)state;
	uint8_t data[33];
	memset(data, 0xaa, sizeof(data));
	crypto_wipe(data, 32);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(data[i], 0);
	assert_int_equal(data[32], 0xaa);
	crypto_wipe(NULL, 0);
}

static void ids_compare_and_print(void **state)
{
	(void)state;
	struct id a = {{0xab, 0xcd}}, b = {{0xab, 0xce}}, zero = {{0}}, back = {{5}};
	char hex[ID_HEX_BYTES];
	assert_true(id_equal(&a, &a));
	assert_false(id_equal(&a, &b));
	assert_true(id_compare(&a, &b) < 0 && id_compare(&b, &a) > 0 && id_compare(&a, &a) == 0);
	assert_true(id_is_zero(&zero));
	assert_false(id_is_zero(&a));
	assert_true(id_short(&a) == 0xabcd000000000000u);
	id_hex(&a, hex);
	assert_string_equal(hex, "abcd0000000000000000000000000000");
	assert_true(id_unhex(&back, hex));
	assert_true(id_equal(&back, &a));
	back = b;
	assert_false(id_unhex(&back, "abcd000000000000000000000000000"));
	assert_false(id_unhex(&back, "abcd00000000000000000000000000000"));
	assert_false(id_unhex(&back, "abcd000000000000000000000000000x"));
	assert_false(id_unhex(&back, ""));
	assert_true(id_equal(&back, &b));
}

static void ids_of_keys_and_sites_do_not_mix(void **state)
{
	(void)state;
	uint8_t key[KEY_BYTES];
	memcpy(key, "0123456789abcdef0123456789abcdef", KEY_BYTES);
	struct id of_key = id_of_key(key), of_site = id_of_site("0123456789abcdef0123456789abcdef");
	struct id leeds = id_of_site("leeds"), york = id_of_site("york");
	assert_false(id_equal(&of_key, &of_site));
	assert_false(id_equal(&leeds, &york));
}

static void seeded_rng_repeats_and_calls_are_independent(void **state)
{
	(void)state;
	struct crypto_rng_seeded s1, s2, s3;
	struct crypto_rng a = crypto_rng_from_seed(&s1, 7), b = crypto_rng_from_seed(&s2, 7),
			  c = crypto_rng_from_seed(&s3, 8);
	uint8_t x[100], y[100], z[100];
	a.fill(a.context, x, sizeof(x));
	b.fill(b.context, y, 10);
	c.fill(c.context, z, sizeof(z));
	assert_memory_equal(x, y, 10);
	assert_memory_not_equal(x, z, sizeof(x));
	/* The second draw is the same however much the first took. */
	a.fill(a.context, x, sizeof(x));
	b.fill(b.context, y, sizeof(y));
	assert_memory_equal(x, y, sizeof(x));
	a.fill(a.context, y, sizeof(y));
	assert_memory_not_equal(x, y, sizeof(x));
}

static void system_rng_fills(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	uint8_t a[32], b[32];
	rng.fill(rng.context, a, sizeof(a));
	rng.fill(rng.context, b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

/* 0, or the number of what went wrong. */
static int make_secrets(void *context)
{
	(void)context;
	struct rlimit none = {0, 0};
	struct crypto_rng rng = crypto_rng_system();
	struct estate_keys keys = {0};
	struct identity *identity;
	struct keyring *keyring;
	uint8_t signature[SIGNATURE_BYTES];
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || !scratch_drop_root())
		return 1;
	if (identity_generate(&rng, &identity) != ERR_OK)
		return 2;
	identity_sign(identity, "x", 1, signature);
	if (signature_verify(identity_public_key(identity), "x", 1, signature) != ERR_OK)
		return 3;
	if (keyring_new(identity_id(identity), &keys, &rng, 1, &keyring) != ERR_OK)
		return 4;
	keyring_free(keyring);
	identity_free(identity);
	return 0;
}

static void secrets_do_without_locked_memory(void **state)
{
	scratch_need_other_user();
	(void)state;
	assert_int_equal(scratch_in_child(make_secrets, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(init_is_repeatable),
	    cmocka_unit_test(domains_keys_and_lengths_separate),
	    cmocka_unit_test(integers_are_the_first_eight_bytes),
	    cmocka_unit_test(checksum_sees_each_bit),
	    cmocka_unit_test(estate_keys_differ),
	    cmocka_unit_test(wipe_leaves_zeros),
	    cmocka_unit_test(ids_compare_and_print),
	    cmocka_unit_test(ids_of_keys_and_sites_do_not_mix),
	    cmocka_unit_test(seeded_rng_repeats_and_calls_are_independent),
	    cmocka_unit_test(system_rng_fills),
	    cmocka_unit_test(secrets_do_without_locked_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
