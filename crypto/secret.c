#include "crypto/secret.h"

#include <sodium.h>
#include <stdlib.h>

#include "crypto/guarded.h"
#include "crypto/hash.h"

void *secret_new(size_t len, bool guarded)
{
	if (!guarded)
		return calloc(1, len);
	void *secret = sodium_malloc(len);
	if (secret != NULL)
		sodium_memzero(secret, len);
	return secret;
}

void secret_free(void *secret, size_t len, bool guarded)
{
	if (secret == NULL)
		return;
	sodium_memzero(secret, len);
	if (guarded)
		sodium_free(secret);
	else
		free(secret);
	/* Whoever held it may have left pieces below: compilers spill registers, and which ones depends on
	 * the processor. */
	secret_scrub();
}

void secret_scrub(void)
{
	/* Argon2id's and BLAKE2b's blocks are the largest; measured by tests/unit/test_secrets.c. */
	enum { BELOW_BYTES = 16384 };
	sodium_stackzero(BELOW_BYTES);
}

void *crypto_guarded_new(size_t len)
{
	/* libsodium puts the end at a page's, so that the begin is aligned as the length is. */
	return secret_new((len + 15) & ~(size_t)15, true);
}

void crypto_guarded_free(void *secret, size_t len)
{
	secret_free(secret, len, true);
}

enum err crypto_guarded_read_open(struct os_secret *file, size_t max_bytes, uint8_t **ret, size_t *ret_len,
				  struct err_info *info)
{
	size_t len = 0, cap = os_secret_bytes(file);
	if (cap > max_bytes)
		cap = max_bytes;
	uint8_t *data = crypto_guarded_new(cap + 1);
	if (data == NULL)
		return err_set(info, ERR_NOMEM, "no memory to read a secret into; free some and try again");
	enum err err = os_secret_read(file, data, cap, &len, info);
	if (err != ERR_OK) {
		crypto_guarded_free(data, cap);
		return err;
	}
	*ret = data;
	*ret_len = len;
	return ERR_OK;
}

enum err crypto_guarded_read(const char *path, size_t max_bytes, uint8_t **ret, size_t *ret_len,
			     struct err_info *info)
{
	struct os_secret *file;
	enum err err = os_secret_open(path, false, &file, info);
	if (err != ERR_OK)
		return err;
	err = crypto_guarded_read_open(file, max_bytes, ret, ret_len, info);
	os_secret_close(file);
	return err;
}
