#include "crypto/secret.h"

#include <sodium.h>
#include <stdlib.h>

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
