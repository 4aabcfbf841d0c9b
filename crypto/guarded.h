/* Memory for secrets that other rooms hold, and files read into it. */
#ifndef MESH_CRYPTO_GUARDED_H
#define MESH_CRYPTO_GUARDED_H

#include <stddef.h>
#include <stdint.h>

#include "os/secret.h"

/* Zeroed memory between guard pages, kept out of swap and core dumps where the system allows it; NULL when
 * there is none. It costs four pages and as many system calls: for what is held, not for what is computed in
 * passing. Freeing wipes it; NULL is fine. */
void *crypto_guarded_new(size_t len);
void crypto_guarded_free(void *secret, size_t len);

/* A file with a secret, in guarded memory and nowhere else; a zero byte follows the data. Free with
 * crypto_guarded_free of `*ret_len`. Errors as os_secret_open; ERR_LIMIT: longer than `max_bytes`. */
enum err crypto_guarded_read(const char *path, size_t max_bytes, uint8_t **ret, size_t *ret_len,
			     struct err_info *info);
/* The same of one that is open. */
enum err crypto_guarded_read_open(struct os_secret *file, size_t max_bytes, uint8_t **ret, size_t *ret_len,
				  struct err_info *info);

#endif
