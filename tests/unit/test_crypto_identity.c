#include "crypto/identity.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

/* Argon2id takes 64 MiB and a tenth of a second, so protected files are made once. */
static const uint8_t seed[KEY_BYTES] = {1, 2, 3};
static uint8_t protected_file[KEY_FILE_BYTES];

static int make_protected(void **state)
{
	(void)state;
	struct crypto_rng_seeded seeded;
	if (crypto_init() != ERR_OK)
		return 1;
	struct crypto_rng rng = crypto_rng_from_seed(&seeded, 3);
	return key_file_encode(KEY_AUTHORITY, seed, "correct horse", &rng, protected_file) == ERR_OK ? 0 : 1;
}

static void from_seed_is_stable(void **state)
{
	(void)state;
	struct identity *a, *b;
	uint8_t s1[SIGNATURE_BYTES], s2[SIGNATURE_BYTES];
	assert_int_equal(identity_from_seed(seed, &a), ERR_OK);
	assert_int_equal(identity_from_seed(seed, &b), ERR_OK);
	assert_memory_equal(identity_public_key(a), identity_public_key(b), KEY_BYTES);
	struct id id = id_of_key(identity_public_key(a));
	assert_true(id_equal(identity_id(a), &id));
	assert_memory_equal(identity_seed(a), seed, KEY_BYTES);
	identity_sign(a, "text", 4, s1);
	identity_sign(b, "text", 4, s2);
	assert_memory_equal(s1, s2, SIGNATURE_BYTES);
	identity_free(a);
	identity_free(b);
	identity_free(NULL);
}

static void generated_keys_differ(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	struct identity *a, *b;
	assert_int_equal(identity_generate(&rng, &a), ERR_OK);
	assert_int_equal(identity_generate(&rng, &b), ERR_OK);
	assert_false(id_equal(identity_id(a), identity_id(b)));
	identity_free(a);
	identity_free(b);
}

static void seeded_keys_repeat(void **state)
{
	(void)state;
	struct crypto_rng_seeded s1, s2;
	struct crypto_rng r1 = crypto_rng_from_seed(&s1, 5), r2 = crypto_rng_from_seed(&s2, 5);
	struct identity *a, *b;
	assert_int_equal(identity_generate(&r1, &a), ERR_OK);
	assert_int_equal(identity_generate(&r2, &b), ERR_OK);
	assert_true(id_equal(identity_id(a), identity_id(b)));
	identity_free(a);
	identity_free(b);
}

struct signed_text {
	const uint8_t *key;
	const char *text;
};

static bool signature_refused(void *context, const uint8_t *bytes, size_t len)
{
	const struct signed_text *t = context;
	(void)len;
	return signature_verify(t->key, t->text, 4, bytes) == ERR_SIGNATURE;
}

static void altered_signatures_are_refused(void **state)
{
	(void)state;
	struct identity *identity;
	uint8_t signature[SIGNATURE_BYTES];
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	struct signed_text t = {identity_public_key(identity), "text"};
	identity_sign(identity, "text", 4, signature);
	assert_int_equal(signature_verify(t.key, "text", 4, signature), ERR_OK);
	assert_int_equal(signature_verify(t.key, "texts", 5, signature), ERR_SIGNATURE);
	assert_int_equal(signature_verify(t.key, "tex", 3, signature), ERR_SIGNATURE);
	assert_int_equal(fixture_flip(signature, sizeof(signature), false, signature_refused, &t), -1);
	identity_free(identity);
}

/* Under such keys a forger can make signatures that hold for anything. */
static void keys_of_small_order_are_refused(void **state)
{
	(void)state;
	static const uint8_t keys[][KEY_BYTES] = {
	    {0},
	    {1},
	    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
	     0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
	     0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
	    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	    {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		/* R of small order and S = 0 would hold for each under a verifier that takes them. */
		for (size_t j = 0; j < sizeof(keys) / sizeof(*keys); j++) {
			uint8_t signature[SIGNATURE_BYTES] = {0};
			memcpy(signature, keys[j], KEY_BYTES);
			assert_int_equal(signature_verify(keys[i], "text", 4, signature), ERR_SIGNATURE);
		}
	}
}

static void unsound_keys_are_known(void **state)
{
	(void)state;
	size_t count = 0;
	for (const uint8_t *key; (key = fixture_unsound_key(count)) != NULL; count++) {
		uint8_t signature[SIGNATURE_BYTES] = {0};
		if (identity_key_sound(key))
			fail_msg("key %zu is taken", count);
		memcpy(signature, key, KEY_BYTES);
		assert_int_equal(signature_verify(key, "text", 4, signature), ERR_SIGNATURE);
	}
	assert_int_equal(count, 14);
	/* Neighbours of those, and what is made. */
	uint8_t key[KEY_BYTES] = {2};
	assert_true(identity_key_sound(key));
	memset(key, 0xff, sizeof(key));
	key[0] = 0xeb;
	assert_true(identity_key_sound(key));
	key[0] = 0xff;
	key[15] = 0xfe;
	assert_true(identity_key_sound(key));
	key[15] = 0xff;
	key[31] = 0x7e;
	assert_true(identity_key_sound(key));
	for (int i = 0; i < 100; i++) {
		struct crypto_rng rng = crypto_rng_system();
		struct identity *identity;
		assert_int_equal(identity_generate(&rng, &identity), ERR_OK);
		assert_true(identity_key_sound(identity_public_key(identity)));
		identity_free(identity);
	}
}

static void plain_file_returns_the_seed(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	for (enum key_purpose purpose = KEY_HOST; purpose <= KEY_ESTATE_SECRET; purpose++) {
		uint8_t file[KEY_FILE_BYTES], back[KEY_BYTES] = {0};
		assert_int_equal(key_file_encode(purpose, seed, NULL, &rng, file), ERR_OK);
		assert_int_equal(key_file_decode(file, sizeof(file), purpose, NULL, back), ERR_OK);
		assert_memory_equal(back, seed, KEY_BYTES);
		/* An empty passphrase is none, and one that is not needed does no harm. */
		assert_int_equal(key_file_decode(file, sizeof(file), purpose, "", back), ERR_OK);
		assert_int_equal(key_file_decode(file, sizeof(file), purpose, "x", back), ERR_OK);
		for (enum key_purpose other = KEY_HOST; other <= KEY_ESTATE_SECRET; other++) {
			if (other != purpose)
				assert_int_equal(key_file_decode(file, sizeof(file), other, NULL, back),
						 ERR_FORMAT);
		}
	}
}

static void passphrase_is_needed_and_checked(void **state)
{
	(void)state;
	uint8_t back[KEY_BYTES] = {0}, zero[KEY_BYTES] = {0};
	const uint8_t *f = protected_file;
	assert_int_equal(key_file_decode(f, KEY_FILE_BYTES, KEY_AUTHORITY, NULL, back), ERR_SEAL);
	assert_int_equal(key_file_decode(f, KEY_FILE_BYTES, KEY_AUTHORITY, "", back), ERR_SEAL);
	assert_int_equal(key_file_decode(f, KEY_FILE_BYTES, KEY_AUTHORITY, "correct horsE", back), ERR_SEAL);
	assert_memory_equal(back, zero, KEY_BYTES);
	assert_int_equal(key_file_decode(f, KEY_FILE_BYTES, KEY_AUTHORITY, "correct horse", back), ERR_OK);
	assert_memory_equal(back, seed, KEY_BYTES);
	/* The seed is not to be seen in the file. */
	for (size_t i = 0; i + KEY_BYTES <= KEY_FILE_BYTES; i++)
		assert_memory_not_equal(f + i, seed, KEY_BYTES);
}

struct key_context {
	enum key_purpose purpose;
	const char *passphrase;
};

static bool key_refused(void *context, const uint8_t *bytes, size_t len)
{
	const struct key_context *c = context;
	uint8_t back[KEY_BYTES] = {0}, zero[KEY_BYTES] = {0};
	enum err err = key_file_decode(bytes, len, c->purpose, c->passphrase, back);
	return err != ERR_OK && memcmp(back, zero, KEY_BYTES) == 0;
}

static void altered_files_are_refused(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	struct key_context plain = {KEY_HOST, NULL}, sealed = {KEY_AUTHORITY, "correct horse"};
	uint8_t file[KEY_FILE_BYTES];
	assert_int_equal(key_file_encode(KEY_HOST, seed, NULL, &rng, file), ERR_OK);
	assert_int_equal(fixture_flip(file, sizeof(file), true, key_refused, &plain), -1);
	assert_int_equal(fixture_flip(protected_file, KEY_FILE_BYTES, true, key_refused, &sealed), -1);
}

static void put_checksum(uint8_t file[KEY_FILE_BYTES])
{
	struct writer w = writer_of(file + 140, 8);
	writer_u64(&w, hash_u64("mesh.keyfile", file, 140));
}

static bool refused_with_checksum(void *context, const uint8_t *bytes, size_t len)
{
	uint8_t file[KEY_FILE_BYTES];
	(void)len;
	memcpy(file, bytes, 140);
	put_checksum(file);
	return key_refused(context, file, sizeof(file));
}

/* A checksum keeps nobody out: what it covers is checked all the same. */
static void forged_plain_files_are_refused(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	struct key_context host = {KEY_HOST, NULL}, secret = {KEY_ESTATE_SECRET, NULL};
	uint8_t file[KEY_FILE_BYTES];
	assert_int_equal(key_file_encode(KEY_HOST, seed, NULL, &rng, file), ERR_OK);
	assert_int_equal(fixture_flip(file, 140, false, refused_with_checksum, &host), -1);
	assert_int_equal(key_file_encode(KEY_ESTATE_SECRET, seed, NULL, &rng, file), ERR_OK);
	assert_int_equal(fixture_flip(file, 140, false, refused_with_checksum, &secret), -1);
}

static void forged_protected_files_are_refused(void **state)
{
	(void)state;
	static const size_t offsets[] = {20, 59, 60, 107, 108, 139}; /* salt, nonce, seed, tag, public key */
	struct key_context sealed = {KEY_AUTHORITY, "correct horse"};
	for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
		uint8_t file[KEY_FILE_BYTES];
		memcpy(file, protected_file, sizeof(file));
		file[offsets[i]] ^= 1;
		assert_true(refused_with_checksum(&sealed, file, sizeof(file)));
	}
}

static enum err decode_with_demand(uint32_t passes, uint32_t kib)
{
	uint8_t file[KEY_FILE_BYTES], back[KEY_BYTES];
	memcpy(file, protected_file, sizeof(file));
	struct writer w = writer_of(file + 12, 8);
	writer_u32(&w, passes);
	writer_u32(&w, kib);
	put_checksum(file);
	return key_file_decode(file, sizeof(file), KEY_AUTHORITY, "correct horse", back);
}

static void demands_on_memory_and_time_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(decode_with_demand(3, 1024 * 1024 + 1), ERR_LIMIT);
	assert_int_equal(decode_with_demand(3, UINT32_MAX), ERR_LIMIT);
	assert_int_equal(decode_with_demand(17, 65536), ERR_LIMIT);
	assert_int_equal(decode_with_demand(UINT32_MAX, 65536), ERR_LIMIT);
	assert_int_equal(decode_with_demand(0, 65536), ERR_FORMAT);
	assert_int_equal(decode_with_demand(3, 7), ERR_FORMAT);
	assert_int_equal(decode_with_demand(1, 8), ERR_SEAL); /* allowed, but not what sealed it */
}

static void truncated_files_are_refused(void **state)
{
	(void)state;
	uint8_t back[KEY_BYTES];
	uint8_t longer[KEY_FILE_BYTES + 1] = {0};
	for (size_t len = 0; len < KEY_FILE_BYTES; len++) {
		uint8_t *copy = malloc(len + 1);
		assert_non_null(copy);
		memcpy(copy, protected_file, len);
		assert_int_equal(key_file_decode(copy, len, KEY_AUTHORITY, "x", back), ERR_FORMAT);
		free(copy);
	}
	memcpy(longer, protected_file, KEY_FILE_BYTES);
	assert_int_equal(key_file_decode(longer, sizeof(longer), KEY_AUTHORITY, "x", back), ERR_FORMAT);
}

static void files_are_saved_once_and_loaded(void **state)
{
	const char *path = scratch_path(*state, "identity.key");
	struct crypto_rng rng = crypto_rng_system();
	struct err_info info = {0};
	struct identity *identity, *back;
	struct stat st;
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	assert_int_equal(identity_load(path, KEY_HOST, NULL, &back, &info), ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, path));
	assert_int_equal(identity_save(identity, KEY_HOST, path, NULL, &rng, &info), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(identity_save(identity, KEY_HOST, path, NULL, &rng, &info), ERR_EXISTS);
	assert_non_null(strstr(info.text, path));
	assert_int_equal(identity_load(path, KEY_HOST, NULL, &back, &info), ERR_OK);
	assert_true(id_equal(identity_id(back), identity_id(identity)));
	identity_free(back);
	assert_int_equal(identity_load(path, KEY_ISSUER, NULL, &back, &info), ERR_FORMAT);
	assert_non_null(strstr(info.text, path));
	assert_non_null(strstr(info.text, "issuer"));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(identity_load(path, KEY_HOST, NULL, &back, &info), ERR_DENIED);
	identity_free(identity);
}

static void load_says_what_is_wrong(void **state)
{
	const char *path = scratch_path(*state, "authority.key");
	struct err_info info = {0};
	struct identity *back;
	uint8_t file[KEY_FILE_BYTES + 1] = {0};
	memcpy(file, protected_file, KEY_FILE_BYTES);
	scratch_write(path, file, KEY_FILE_BYTES, 0600);
	assert_int_equal(identity_load(path, KEY_AUTHORITY, NULL, &back, &info), ERR_SEAL);
	assert_non_null(strstr(info.text, "give its passphrase"));
	assert_int_equal(identity_load(path, KEY_AUTHORITY, "wrong", &back, &info), ERR_SEAL);
	assert_non_null(strstr(info.text, "try again"));
	assert_int_equal(identity_load(path, KEY_AUTHORITY, "correct horse", &back, &info), ERR_OK);
	identity_free(back);
	file[70] ^= 1;
	scratch_write(path, file, KEY_FILE_BYTES, 0600);
	assert_int_equal(identity_load(path, KEY_AUTHORITY, "correct horse", &back, &info), ERR_CHECKSUM);
	assert_non_null(strstr(info.text, path));
	scratch_write(path, file, sizeof(file), 0600);
	assert_int_equal(identity_load(path, KEY_AUTHORITY, "correct horse", &back, &info), ERR_FORMAT);
	scratch_write(path, file, 0, 0600);
	assert_int_equal(identity_load(path, KEY_AUTHORITY, "correct horse", &back, &info), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(from_seed_is_stable),
	    cmocka_unit_test(generated_keys_differ),
	    cmocka_unit_test(seeded_keys_repeat),
	    cmocka_unit_test(altered_signatures_are_refused),
	    cmocka_unit_test(keys_of_small_order_are_refused),
	    cmocka_unit_test(unsound_keys_are_known),
	    cmocka_unit_test(plain_file_returns_the_seed),
	    cmocka_unit_test(passphrase_is_needed_and_checked),
	    cmocka_unit_test(altered_files_are_refused),
	    cmocka_unit_test(forged_plain_files_are_refused),
	    cmocka_unit_test(forged_protected_files_are_refused),
	    cmocka_unit_test(demands_on_memory_and_time_are_bounded),
	    cmocka_unit_test(truncated_files_are_refused),
	    cmocka_unit_test_setup_teardown(files_are_saved_once_and_loaded, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(load_says_what_is_wrong, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, make_protected, NULL);
}
