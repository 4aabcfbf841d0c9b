/* Between store.c and store_each.c; and a door for tests: a chosen backend. */
#ifndef MESH_STORE_PRIVATE_H
#define MESH_STORE_PRIVATE_H

#include "store/backend.h"
#include "store/store.h"

/* Takes the backend over, also on failure. */
enum err store_over(struct backend *backend, struct store **ret);

/* By the key with ids, from the batches or the backend. ERR_NOT_FOUND, also for a damaged row, which is
 * counted and dropped. */
enum err store_get_row(struct store *s, const struct row_key *key, struct row_value *ret);

/* Into the filling batch; `len` 0 deletes. ERR_LIMIT. */
enum err store_put_row(struct store *s, const struct row_key *key, const uint8_t *bytes, size_t len);

/* False stops. */
typedef bool (*store_visit)(void *context, const struct row_key *key, const uint8_t *bytes, size_t len);
/* Every good row of the table once, batches included. */
enum err store_each_row(struct store *s, enum store_table table, store_visit visit, void *context);
/* Of the table of `first`, those behind it: a table, or of records a table and kind. */
enum err store_each_row_from(struct store *s, const struct row_key *first, store_visit visit, void *context);

#endif
