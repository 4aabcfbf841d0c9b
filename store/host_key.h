/* Keys of rows as everyone knows them, with ids, and as LMDB has them, with host numbers (store/schema.h). */
#ifndef MESH_STORE_HOST_KEY_H
#define MESH_STORE_HOST_KEY_H

#include "store/numbers.h"
#include "store/row.h"

/* Whether the row is one of a host, whose key is stored with the host's number. */
bool host_key_of(const struct row_key *key, struct id *ret_host);
/* Of a row of a host. */
struct row_key host_key_stored(const struct row_key *key, uint32_t number);
/* The number in a stored key; false when it is stored as it is. */
bool host_key_number(const struct row_key *stored, uint32_t *ret);
/* The key with the host's id. ERR_NOT_FOUND when `host` is NULL, or the key is of no known form. */
enum err host_key_known(const struct row_key *stored, const struct id *host, struct row_key *ret);
/* Fences: rows of no meaning at both ends of each range of hosts' rows, so large that the two of a range fill
 * a page. LMDB splits a full page in the middle unless the new row goes to its end; where the next range
 * begins on the same page it never does, and pages stay half empty. `index` from 0; false behind the last. */
bool host_key_fence(size_t index, struct row_key *ret);
bool host_key_is_fence(const struct row_key *stored);
/* First bytes of the stored keys of one host's records of a kind. */
struct row_key host_key_prefix(uint8_t kind, uint32_t number);

#endif
