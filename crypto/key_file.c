/* Key file: a seed, plain or under a passphrase (docs/protocol.md section 5).
 *
 * Checks go from cheap to dear: length, magic, checksum and fields first, Argon2id only for a file that is
 * whole. The public key at the end proves that what came out is the seed that went in. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/hash.h"
#include "crypto/identity.h"
#include "os/file.h"

#define MAGIC "meshkey1"

enum { PROTECTION_PLAIN = 0, PROTECTION_ARGON2ID = 1 };

#define MAGIC_BYTES      8
#define OFFSET_SALT      20
#define OFFSET_NONCE     36
#define OFFSET_SEED      60
#define OFFSET_PUBLIC    108
#define OFFSET_CHECKSUM  140
#define SEALED_BYTES     48
#define ARGON_PASSES     3u
#define ARGON_KIB        (64u * 1024)
#define ARGON_MAX_PASSES 16u
#define ARGON_MAX_KIB    (1024u * 1024)

_Static_assert(OFFSET_NONCE - OFFSET_SALT == crypto_pwhash_argon2id_SALTBYTES, "salt");
_Static_assert(OFFSET_SEED - OFFSET_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce");
_Static_assert(OFFSET_PUBLIC - OFFSET_SEED == SEALED_BYTES, "seed");
_Static_assert(SEALED_BYTES == KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES, "seed and tag");
_Static_assert(OFFSET_CHECKSUM + 8 == KEY_FILE_BYTES, "checksum");

static bool protects(const char *passphrase)
{
	return passphrase != NULL && passphrase[0] != '\0';
}

/* What stands where the public key does: for the estate secret, which is no key pair, a hash. */
static void public_part(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], uint8_t ret[KEY_BYTES])
{
	if (purpose == KEY_ESTATE_SECRET) {
		hash_bytes(ret, KEY_BYTES, "mesh.secret", seed, KEY_BYTES);
		return;
	}
	uint8_t secret_key[crypto_sign_ed25519_SECRETKEYBYTES];
	crypto_sign_ed25519_seed_keypair(ret, secret_key, seed);
	crypto_wipe(secret_key, sizeof(secret_key));
}

/* ERR_NOMEM: the memory Argon2id asks for is not to be had. */
static enum err stretch(const char *passphrase, const uint8_t *salt, uint32_t passes, uint32_t kib,
			uint8_t ret[KEY_BYTES])
{
	int failed = crypto_pwhash_argon2id(ret, KEY_BYTES, passphrase, strlen(passphrase), salt, passes,
					    (size_t)kib * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
	return failed == 0 ? ERR_OK : ERR_NOMEM;
}

static uint64_t checksum(const uint8_t *file)
{
	return hash_u64("mesh.keyfile", file, OFFSET_CHECKSUM);
}

static enum err seal_seed(uint8_t *file, const uint8_t seed[KEY_BYTES], const char *passphrase)
{
	uint8_t key[KEY_BYTES];
	enum err err = stretch(passphrase, file + OFFSET_SALT, ARGON_PASSES, ARGON_KIB, key);
	if (err == ERR_OK)
		crypto_aead_xchacha20poly1305_ietf_encrypt(file + OFFSET_SEED, NULL, seed, KEY_BYTES, file,
							   OFFSET_SEED, NULL, file + OFFSET_NONCE, key);
	crypto_wipe(key, sizeof(key));
	return err;
}

enum err key_file_encode(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], const char *passphrase,
			 const struct crypto_rng *rng, uint8_t ret[KEY_FILE_BYTES])
{
	uint8_t file[KEY_FILE_BYTES] = {0};
	bool sealed = protects(passphrase);
	struct writer w = writer_of(file, sizeof(file));
	writer_bytes(&w, MAGIC, MAGIC_BYTES);
	writer_u8(&w, (uint8_t)purpose);
	writer_u8(&w, sealed ? PROTECTION_ARGON2ID : PROTECTION_PLAIN);
	writer_u16(&w, 0);
	writer_u32(&w, sealed ? ARGON_PASSES : 0);
	writer_u32(&w, sealed ? ARGON_KIB : 0);
	CHECK(w.len == OFFSET_SALT);
	enum err err = ERR_OK;
	if (sealed) {
		rng->fill(rng->context, file + OFFSET_SALT, OFFSET_SEED - OFFSET_SALT);
		err = seal_seed(file, seed, passphrase);
	} else {
		memcpy(file + OFFSET_SEED, seed, KEY_BYTES);
	}
	if (err == ERR_OK) {
		public_part(purpose, seed, file + OFFSET_PUBLIC);
		w = writer_of(file + OFFSET_CHECKSUM, sizeof(uint64_t));
		writer_u64(&w, checksum(file));
		memcpy(ret, file, sizeof(file));
	}
	crypto_wipe(file, sizeof(file));
	return err;
}

static enum err open_plain(const uint8_t *file, uint32_t passes, uint32_t kib, uint8_t ret[KEY_BYTES])
{
	if (passes != 0 || kib != 0 || !sodium_is_zero(file + OFFSET_SALT, OFFSET_SEED - OFFSET_SALT) ||
	    !sodium_is_zero(file + OFFSET_SEED + KEY_BYTES, SEALED_BYTES - KEY_BYTES))
		return ERR_FORMAT;
	memcpy(ret, file + OFFSET_SEED, KEY_BYTES);
	return ERR_OK;
}

static enum err open_sealed(const uint8_t *file, uint32_t passes, uint32_t kib, const char *passphrase,
			    uint8_t ret[KEY_BYTES])
{
	if (passes > ARGON_MAX_PASSES || kib > ARGON_MAX_KIB)
		return ERR_LIMIT;
	if (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024)
		return ERR_FORMAT;
	if (!protects(passphrase))
		return ERR_SEAL;
	uint8_t key[KEY_BYTES];
	enum err err = stretch(passphrase, file + OFFSET_SALT, passes, kib, key);
	if (err == ERR_OK &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, file + OFFSET_SEED, SEALED_BYTES,
						       file, OFFSET_SEED, file + OFFSET_NONCE, key) != 0)
		err = ERR_SEAL;
	crypto_wipe(key, sizeof(key));
	return err;
}

struct fields {
	uint8_t protection;
	uint32_t passes, kib;
};

/* Everything that is to be had without the passphrase. */
static enum err read_fields(const uint8_t *data, size_t len, enum key_purpose purpose, struct fields *ret)
{
	if (len != KEY_FILE_BYTES || memcmp(data, MAGIC, MAGIC_BYTES) != 0)
		return ERR_FORMAT;
	struct reader r = reader_of(data + OFFSET_CHECKSUM, sizeof(uint64_t));
	if (reader_u64(&r) != checksum(data))
		return ERR_CHECKSUM;
	r = reader_of(data + MAGIC_BYTES, OFFSET_SALT - MAGIC_BYTES);
	uint8_t stored_purpose = reader_u8(&r);
	struct fields f = {.protection = reader_u8(&r)};
	uint16_t zero = reader_u16(&r);
	f.passes = reader_u32(&r);
	f.kib = reader_u32(&r);
	if (stored_purpose != purpose || zero != 0 || f.protection > PROTECTION_ARGON2ID)
		return ERR_FORMAT;
	*ret = f;
	return ERR_OK;
}

enum err key_file_public(const uint8_t *data, size_t len, enum key_purpose purpose, bool *ret_protected,
			 uint8_t ret_public_key[KEY_BYTES])
{
	struct fields f;
	enum err err = read_fields(data, len, purpose, &f);
	if (err != ERR_OK)
		return err;
	*ret_protected = f.protection != PROTECTION_PLAIN;
	memcpy(ret_public_key, data + OFFSET_PUBLIC, KEY_BYTES);
	return ERR_OK;
}

enum err key_file_decode(const uint8_t *data, size_t len, enum key_purpose purpose, const char *passphrase,
			 uint8_t ret_seed[KEY_BYTES])
{
	struct fields f;
	enum err err = read_fields(data, len, purpose, &f);
	if (err != ERR_OK)
		return err;
	uint8_t seed[KEY_BYTES] = {0};
	uint8_t expected[KEY_BYTES];
	err = f.protection == PROTECTION_PLAIN ? open_plain(data, f.passes, f.kib, seed)
					       : open_sealed(data, f.passes, f.kib, passphrase, seed);
	if (err == ERR_OK) {
		public_part(purpose, seed, expected);
		if (memcmp(expected, data + OFFSET_PUBLIC, KEY_BYTES) != 0)
			err = ERR_FORMAT;
	}
	if (err == ERR_OK)
		memcpy(ret_seed, seed, KEY_BYTES);
	crypto_wipe(seed, sizeof(seed));
	return err;
}

enum err identity_save(const struct identity *identity, enum key_purpose purpose, const char *path,
		       const char *passphrase, const struct crypto_rng *rng, struct err_info *info)
{
	uint8_t seed[KEY_BYTES];
	uint8_t file[KEY_FILE_BYTES];
	identity_seed(identity, seed);
	enum err err = key_file_encode(purpose, seed, passphrase, rng, file);
	crypto_wipe(seed, sizeof(seed));
	if (err != ERR_OK)
		return err_set(info, err,
			       "cannot protect the key for \"%s\": %s; Argon2id needs %u MiB of free memory",
			       path, err_text(err), ARGON_KIB / 1024);
	err = os_file_create(path, file, sizeof(file), 0600, info);
	crypto_wipe(file, sizeof(file));
	return err;
}

static const char *purpose_name(enum key_purpose purpose)
{
	switch (purpose) {
	case KEY_HOST:
		return "host";
	case KEY_ISSUER:
		return "issuer";
	case KEY_OPERATOR:
		return "operator";
	case KEY_AUTHORITY:
		return "authority";
	case KEY_ESTATE_SECRET:
		return "estate secret";
	}
	return "unknown";
}

static enum err tell(struct err_info *info, enum err err, enum key_purpose purpose, const char *path,
		     bool passphrase)
{
	switch (err) {
	case ERR_CHECKSUM:
		return err_set(info, err,
			       "key file \"%s\" is damaged (its checksum fails); restore it from a copy",
			       path);
	case ERR_SEAL:
		return err_set(info, err,
			       passphrase ? "the passphrase does not open key file \"%s\"; try again"
					  : "key file \"%s\" is protected; give its passphrase",
			       path);
	case ERR_LIMIT:
		return err_set(
		    info, err,
		    "key file \"%s\" asks for more than %u passes or %u MiB of Argon2id; check where it "
		    "came from",
		    path, ARGON_MAX_PASSES, ARGON_MAX_KIB / 1024);
	case ERR_NOMEM:
		return err_set(info, err,
			       "not enough memory to open key file \"%s\"; free some and try again", path);
	default:
		return err_set(info, err, "\"%s\" is no key file of the kind \"%s\"; name the right file",
			       path, purpose_name(purpose));
	}
}

enum err identity_load(const char *path, enum key_purpose purpose, const char *passphrase,
		       struct identity **ret, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read_secret(path, KEY_FILE_BYTES, &data, &len, info);
	if (err == ERR_LIMIT)
		return tell(info, ERR_FORMAT, purpose, path, false);
	if (err != ERR_OK)
		return err;
	uint8_t seed[KEY_BYTES];
	err = key_file_decode(data, len, purpose, passphrase, seed);
	crypto_wipe(data, len);
	free(data);
	if (err == ERR_OK) {
		err = identity_from_seed(seed, ret);
		crypto_wipe(seed, sizeof(seed));
	}
	return err == ERR_OK ? ERR_OK : tell(info, err, purpose, path, protects(passphrase));
}
