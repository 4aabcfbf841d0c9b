/* Key file: a seed, plain or under a passphrase (docs/protocol.md section 5).
 *
 * Checks go from cheap to dear: length, magic, checksum and fields first, Argon2id only for a file that is
 * whole. The public key at the end proves that what came out is the seed that went in. */
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/guarded.h"
#include "crypto/hash.h"
#include "crypto/identity.h"
#include "crypto/secret.h"
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

/* Everything secret that a key file goes through, in one piece of guarded memory. */
struct work {
	uint8_t file[KEY_FILE_BYTES];
	uint8_t seed[KEY_BYTES];
	uint8_t key[KEY_BYTES]; /* from the passphrase */
	uint8_t pair[crypto_sign_ed25519_SECRETKEYBYTES];
};

/* What stands where the public key does: for the estate secret, which is no key pair, a hash. */
static void public_part(enum key_purpose purpose, struct work *w, uint8_t ret[KEY_BYTES])
{
	if (purpose == KEY_ESTATE_SECRET)
		hash_bytes(ret, KEY_BYTES, "mesh.secret", w->seed, KEY_BYTES);
	else
		crypto_sign_ed25519_seed_keypair(ret, w->pair, w->seed);
}

/* ERR_NOMEM: the memory Argon2id asks for is not to be had. */
static enum err stretch(struct work *w, const char *passphrase, const uint8_t *salt, uint32_t passes,
			uint32_t kib)
{
	int failed = crypto_pwhash_argon2id(w->key, KEY_BYTES, passphrase, strlen(passphrase), salt, passes,
					    (size_t)kib * 1024, crypto_pwhash_argon2id_ALG_ARGON2ID13);
	return failed == 0 ? ERR_OK : ERR_NOMEM;
}

static uint64_t checksum(const uint8_t *file)
{
	return hash_u64("mesh.keyfile", file, OFFSET_CHECKSUM);
}

static enum err seal_seed(struct work *w, const char *passphrase)
{
	uint8_t *file = w->file;
	enum err err = stretch(w, passphrase, file + OFFSET_SALT, ARGON_PASSES, ARGON_KIB);
	if (err == ERR_OK)
		crypto_aead_xchacha20poly1305_ietf_encrypt(file + OFFSET_SEED, NULL, w->seed, KEY_BYTES, file,
							   OFFSET_SEED, NULL, file + OFFSET_NONCE, w->key);
	return err;
}

static enum err encode(struct work *work, enum key_purpose purpose, const char *passphrase,
		       const struct crypto_rng *rng)
{
	uint8_t *file = work->file;
	bool sealed = protects(passphrase);
	enum err err = ERR_OK;
	struct writer w = writer_of(file, KEY_FILE_BYTES);
	writer_bytes(&w, MAGIC, MAGIC_BYTES);
	writer_u8(&w, (uint8_t)purpose);
	writer_u8(&w, sealed ? PROTECTION_ARGON2ID : PROTECTION_PLAIN);
	writer_u16(&w, 0);
	writer_u32(&w, sealed ? ARGON_PASSES : 0);
	writer_u32(&w, sealed ? ARGON_KIB : 0);
	CHECK(w.len == OFFSET_SALT);
	if (sealed) {
		rng->fill(rng->context, file + OFFSET_SALT, OFFSET_SEED - OFFSET_SALT);
		err = seal_seed(work, passphrase);
	} else {
		memcpy(file + OFFSET_SEED, work->seed, KEY_BYTES);
	}
	public_part(purpose, work, file + OFFSET_PUBLIC);
	w = writer_of(file + OFFSET_CHECKSUM, sizeof(uint64_t));
	writer_u64(&w, checksum(file));
	return err;
}

enum err key_file_encode(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], const char *passphrase,
			 const struct crypto_rng *rng, uint8_t ret[KEY_FILE_BYTES])
{
	struct work *w = secret_new(sizeof(*w), true);
	if (w == NULL)
		return ERR_NOMEM;
	memcpy(w->seed, seed, KEY_BYTES);
	enum err err = encode(w, purpose, passphrase, rng);
	if (err == ERR_OK)
		memcpy(ret, w->file, KEY_FILE_BYTES);
	secret_free(w, sizeof(*w), true);
	secret_scrub();
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

static enum err open_sealed(struct work *w, const uint8_t *file, uint32_t passes, uint32_t kib,
			    const char *passphrase)
{
	if (passes > ARGON_MAX_PASSES || kib > ARGON_MAX_KIB)
		return ERR_LIMIT;
	if (passes < crypto_pwhash_argon2id_OPSLIMIT_MIN || kib < crypto_pwhash_argon2id_MEMLIMIT_MIN / 1024)
		return ERR_FORMAT;
	if (!protects(passphrase))
		return ERR_SEAL;
	enum err err = stretch(w, passphrase, file + OFFSET_SALT, passes, kib);
	if (err == ERR_OK &&
	    crypto_aead_xchacha20poly1305_ietf_decrypt(w->seed, NULL, NULL, file + OFFSET_SEED, SEALED_BYTES,
						       file, OFFSET_SEED, file + OFFSET_NONCE, w->key) != 0)
		err = ERR_SEAL;
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
	struct work *w = secret_new(sizeof(*w), true);
	if (w == NULL)
		return ERR_NOMEM;
	uint8_t expected[KEY_BYTES];
	err = f.protection == PROTECTION_PLAIN ? open_plain(data, f.passes, f.kib, w->seed)
					       : open_sealed(w, data, f.passes, f.kib, passphrase);
	if (err == ERR_OK) {
		public_part(purpose, w, expected);
		if (memcmp(expected, data + OFFSET_PUBLIC, KEY_BYTES) != 0)
			err = ERR_FORMAT;
	}
	if (err == ERR_OK)
		memcpy(ret_seed, w->seed, KEY_BYTES);
	secret_free(w, sizeof(*w), true);
	secret_scrub();
	return err;
}

bool key_file_looks(const char *path)
{
	char begin[MAGIC_BYTES];
	size_t len;
	uint64_t size;
	return os_file_peek(path, 0, begin, sizeof(begin), &len, &size, NULL) == ERR_OK &&
	       len == sizeof(begin) && memcmp(begin, MAGIC, sizeof(begin)) == 0;
}

enum err key_file_save(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], const char *path,
		       const char *passphrase, bool replace, const struct crypto_rng *rng,
		       struct err_info *info)
{
	uint8_t *file = secret_new(KEY_FILE_BYTES, true);
	enum err err = file == NULL ? ERR_NOMEM : key_file_encode(purpose, seed, passphrase, rng, file);
	if (err != ERR_OK)
		err_set(info, err,
			"cannot protect the key for \"%s\": %s; Argon2id needs %u MiB of free memory", path,
			err_text(err), ARGON_KIB / 1024);
	else if (replace)
		err = os_file_replace(path, file, KEY_FILE_BYTES, 0600, info);
	else
		err = os_file_create(path, file, KEY_FILE_BYTES, 0600, info);
	secret_free(file, KEY_FILE_BYTES, true);
	return err;
}

enum err identity_save(const struct identity *identity, enum key_purpose purpose, const char *path,
		       const char *passphrase, const struct crypto_rng *rng, struct err_info *info)
{
	return key_file_save(purpose, identity_seed(identity), path, passphrase, false, rng, info);
}

const char *key_file_purpose_name(enum key_purpose purpose)
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
			       path, key_file_purpose_name(purpose));
	}
}

enum err key_file_inspect(const char *path, struct key_file_facts *ret, struct err_info *info)
{
	uint8_t *data = NULL;
	size_t len = 0;
	struct key_file_facts facts = {.purpose = KEY_HOST};
	enum err err = crypto_guarded_read(path, KEY_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK && err != ERR_LIMIT)
		return err;
	if (err == ERR_OK && len > MAGIC_BYTES && data[MAGIC_BYTES] >= KEY_HOST &&
	    data[MAGIC_BYTES] <= KEY_ESTATE_SECRET)
		facts.purpose = (enum key_purpose)data[MAGIC_BYTES];
	if (err == ERR_OK)
		err = key_file_public(data, len, facts.purpose, &facts.protected, facts.public_key);
	crypto_guarded_free(data, len);
	if (err == ERR_CHECKSUM)
		return tell(info, err, facts.purpose, path, false);
	if (err != ERR_OK)
		return err_set(info, ERR_FORMAT, "\"%s\" is no key file; name the right file", path);
	*ret = facts;
	return ERR_OK;
}

enum err key_file_load(const char *path, enum key_purpose purpose, const char *passphrase,
		       uint8_t ret_seed[KEY_BYTES], struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = crypto_guarded_read(path, KEY_FILE_BYTES, &data, &len, info);
	if (err == ERR_LIMIT)
		return tell(info, ERR_FORMAT, purpose, path, false);
	if (err != ERR_OK)
		return err;
	err = key_file_decode(data, len, purpose, passphrase, ret_seed);
	crypto_guarded_free(data, len);
	return err == ERR_OK ? ERR_OK : tell(info, err, purpose, path, protects(passphrase));
}

enum err identity_load(const char *path, enum key_purpose purpose, const char *passphrase,
		       struct identity **ret, struct err_info *info)
{
	uint8_t *seed = secret_new(KEY_BYTES, true);
	enum err err = seed == NULL ? tell(info, ERR_NOMEM, purpose, path, false)
				    : key_file_load(path, purpose, passphrase, seed, info);
	if (err == ERR_OK && identity_from_seed(seed, ret) != ERR_OK)
		err = tell(info, ERR_NOMEM, purpose, path, false);
	secret_free(seed, KEY_BYTES, true);
	return err;
}
