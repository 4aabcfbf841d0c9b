/* Key files: as is; with public key and checksum put right; sealed under a passphrase at the least cost that
 * Argon2id has. A plain file that decodes encodes to the same bytes; what is refused leaves the seed as it
 * was. */
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

#define PASSPHRASE "battery staple"
#define AT_SEED    60
#define AT_PUBLIC  108
#define AT_SUM     140

static void put_right_sum(uint8_t file[KEY_FILE_BYTES])
{
	uint8_t checksum[16];
	hash_bytes(checksum, sizeof(checksum), "mesh.keyfile", file, AT_SUM);
	memcpy(file + AT_SUM, checksum, KEY_FILE_BYTES - AT_SUM);
}

static enum key_purpose purpose_of(const uint8_t *data, size_t len)
{
	return len > 8 && data[8] >= KEY_HOST && data[8] <= KEY_ESTATE_SECRET ? (enum key_purpose)data[8]
									      : KEY_HOST;
}

static enum err read_one(const uint8_t *data, size_t len, const char *passphrase, uint8_t seed[KEY_BYTES])
{
	enum key_purpose purpose = purpose_of(data, len);
	uint8_t before[KEY_BYTES], public_key[KEY_BYTES];
	bool protected;
	memset(seed, 0x5a, KEY_BYTES);
	memcpy(before, seed, KEY_BYTES);
	enum err err = key_file_decode(data, len, purpose, passphrase, seed);
	enum err shown = key_file_public(data, len, purpose, &protected, public_key);
	if (err != ERR_OK) {
		CHECK(memcmp(seed, before, KEY_BYTES) == 0);
		return err;
	}
	CHECK(shown == ERR_OK && memcmp(public_key, data + AT_PUBLIC, KEY_BYTES) == 0);
	CHECK(protected == (data[9] != 0));
	return ERR_OK;
}

static void public_of(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], uint8_t ret[KEY_BYTES])
{
	uint8_t secret[crypto_sign_ed25519_SECRETKEYBYTES];
	if (purpose == KEY_ESTATE_SECRET)
		hash_bytes(ret, KEY_BYTES, "mesh.secret", seed, KEY_BYTES);
	else
		crypto_sign_ed25519_seed_keypair(ret, secret, seed);
}

static void put_right(const uint8_t *data, size_t len)
{
	uint8_t file[KEY_FILE_BYTES] = {0}, seed[KEY_BYTES], again[KEY_FILE_BYTES];
	struct crypto_rng rng = crypto_rng_system();
	memcpy(file, data, len < KEY_FILE_BYTES ? len : KEY_FILE_BYTES);
	/* A last byte beyond the file says whether the public key is put right, too. */
	if (len <= KEY_FILE_BYTES || data[len - 1] % 2 == 0)
		public_of(purpose_of(file, sizeof(file)), file + AT_SEED, file + AT_PUBLIC);
	put_right_sum(file);
	/* Never with a passphrase: Argon2id would be all that is measured. */
	if (read_one(file, sizeof(file), NULL, seed) != ERR_OK)
		return;
	CHECK(key_file_encode(purpose_of(file, sizeof(file)), seed, NULL, &rng, again) == ERR_OK);
	CHECK(memcmp(again, file, sizeof(file)) == 0);
}

/* The rest: a file of which only the seal is made anew, over the seed that stands there. */
static void put_right_sealed(const uint8_t *data, size_t len)
{
	uint8_t file[KEY_FILE_BYTES] = {0}, seed[KEY_BYTES], key[KEY_BYTES], got[KEY_BYTES];
	memcpy(file, data, len < KEY_FILE_BYTES ? len : KEY_FILE_BYTES);
	file[9] = 1;
	memset(file + 12, 0, 8);
	file[15] = 1; /* pass */
	file[19] = 8; /* KiB */
	memcpy(seed, file + AT_SEED, KEY_BYTES);
	public_of(purpose_of(file, sizeof(file)), seed, file + AT_PUBLIC);
	CHECK(crypto_pwhash_argon2id(key, sizeof(key), PASSPHRASE, strlen(PASSPHRASE), file + 20, 1, 8192,
				     crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0);
	crypto_aead_xchacha20poly1305_ietf_encrypt(file + AT_SEED, NULL, seed, KEY_BYTES, file, AT_SEED, NULL,
						   file + 36, key);
	put_right_sum(file);
	enum err err = read_one(file, sizeof(file), PASSPHRASE, got);
	CHECK(err != ERR_SEAL);
	if (err == ERR_OK) {
		CHECK(memcmp(got, seed, KEY_BYTES) == 0);
		CHECK(read_one(file, sizeof(file), NULL, got) == ERR_SEAL);
		CHECK(read_one(file, sizeof(file), "another", got) == ERR_SEAL);
	}
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	(void)data;
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t seed[KEY_BYTES];
	CHECK(crypto_init() == ERR_OK);
	if (len < 1 || len > FUZZ_INPUT_BYTES)
		return 0;
	switch (data[0] % 3) {
	case FUZZ_AS_IS:
		(void)read_one(data + 1, len - 1, NULL, seed);
		break;
	case FUZZ_PUT_RIGHT:
		put_right(data + 1, len - 1);
		break;
	default:
		put_right_sealed(data + 1, len - 1);
		break;
	}
	return 0;
}
