#include "crypto/secret.h"

#include <sodium.h>
#include <stdlib.h>

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
