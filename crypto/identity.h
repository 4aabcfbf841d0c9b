/* An Ed25519 key pair whose secret half lives in guarded memory, and its key file (docs/protocol.md section
 * 5). */
#ifndef MESH_CRYPTO_IDENTITY_H
#define MESH_CRYPTO_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/id.h"
#include "crypto/rng.h"

#define SIGNATURE_BYTES 64
#define KEY_FILE_BYTES  148

enum key_purpose {
	KEY_HOST = 1,
	KEY_ISSUER = 2,
	KEY_OPERATOR = 3,
	KEY_AUTHORITY = 4,
	KEY_ESTATE_SECRET = 5,
};

struct identity;

/* New key pair. Free with identity_free. ERR_NOMEM. */
enum err identity_generate(const struct crypto_rng *rng, struct identity **ret);
enum err identity_from_seed(const uint8_t seed[KEY_BYTES], struct identity **ret);
void identity_free(struct identity *identity); /* NULL is fine */

const struct id *identity_id(const struct identity *identity);
const uint8_t *identity_public_key(const struct identity *identity); /* KEY_BYTES */
const uint8_t *identity_seed(const struct identity *identity);       /* KEY_BYTES, where the secret half is */
void identity_sign(const struct identity *identity, const void *data, size_t len,
		   uint8_t ret[SIGNATURE_BYTES]);

/* Whether an Ed25519 public key is in its canonical form and not of small order: under the eight points of
 * small order anybody signs. Every key that comes in is asked for this; whether it is a point at all shows at
 * its first signature. */
bool identity_key_sound(const uint8_t public_key[KEY_BYTES]);

/* ERR_SIGNATURE; refuses small-order and non-canonical keys as libsodium does. */
enum err signature_verify(const uint8_t public_key[KEY_BYTES], const void *data, size_t len,
			  const uint8_t signature[SIGNATURE_BYTES]);

/* Key file to memory. `passphrase` NULL or empty: plain. Argon2id limits: 3 passes, 64 MiB. The caller's
 * memory is guarded (crypto/guarded.h): a plain file holds the seed as it is. ERR_NOMEM. */
enum err key_file_encode(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], const char *passphrase,
			 const struct crypto_rng *rng, uint8_t ret[KEY_FILE_BYTES]);
/* ERR_FORMAT, ERR_CHECKSUM, ERR_SEAL (wrong or missing passphrase), ERR_LIMIT (Argon2id demands beyond
 * 1 GiB or 16 passes are refused), ERR_NOMEM. */
enum err key_file_decode(const uint8_t *data, size_t len, enum key_purpose purpose, const char *passphrase,
			 uint8_t ret_seed[KEY_BYTES]);

/* What a key file says without its passphrase. Errors as key_file_decode. */
enum err key_file_public(const uint8_t *data, size_t len, enum key_purpose purpose, bool *ret_protected,
			 uint8_t ret_public_key[KEY_BYTES]);

/* Whether a file begins as a key file does. */
bool key_file_looks(const char *path);
const char *key_file_purpose_name(enum key_purpose purpose); /* "host", "estate secret" */

/* What the file says without its passphrase; whether that is true shows when it is opened. */
struct key_file_facts {
	enum key_purpose purpose;
	bool protected;
	uint8_t public_key[KEY_BYTES]; /* of an estate secret, which has none, a hash */
};
enum err key_file_inspect(const char *path, struct key_file_facts *ret, struct err_info *info);

/* The same with a file of mode 0600, for any seed. Saving overwrites, whole or not at all, only with
 * `replace` (else ERR_EXISTS). */
enum err key_file_save(enum key_purpose purpose, const uint8_t seed[KEY_BYTES], const char *path,
		       const char *passphrase, bool replace, const struct crypto_rng *rng,
		       struct err_info *info);
enum err key_file_load(const char *path, enum key_purpose purpose, const char *passphrase,
		       uint8_t ret_seed[KEY_BYTES], struct err_info *info);

/* The same of a key pair. Saving never overwrites. */
enum err identity_save(const struct identity *identity, enum key_purpose purpose, const char *path,
		       const char *passphrase, const struct crypto_rng *rng, struct err_info *info);
enum err identity_load(const char *path, enum key_purpose purpose, const char *passphrase,
		       struct identity **ret, struct err_info *info);

#endif
