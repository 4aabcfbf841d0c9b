/* Memory for keys, inside crypto/ only. */
#ifndef MESH_CRYPTO_SECRET_H
#define MESH_CRYPTO_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/rng.h"

/* Zeroed; NULL when out of memory. `guarded`: between guard pages, kept out of swap and core dumps where the
 * system allows it (a low RLIMIT_MEMLOCK is no error). It costs four pages and as many mappings, too much for
 * the simulator's thousands of nodes, whose keys come from a public seed and protect nothing. */
void *secret_new(size_t len, bool guarded);
/* Wipes. NULL is fine. */
void secret_free(void *secret, size_t len, bool guarded);
/* Overwrites what libsodium's functions left of a key on the stack below the caller. */
void secret_scrub(void);

#endif
