/* Numbers of ids, in memory: small ones, each id's its own, so that columns can be arrays. */
#ifndef MESH_STORE_NUMBERS_H
#define MESH_STORE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/id.h"

struct numbers {
	struct id *ids;  /* by number; all zero: free */
	uint32_t *slots; /* number + 1 by id, open addressing, at most half full */
	uint32_t slot_count, count, cap;
	uint32_t end;    /* above the highest that is taken */
	uint32_t lowest; /* none below is free */
};

/* All zero is an empty one. */
void numbers_clear(struct numbers *n);
bool numbers_find(const struct numbers *n, const struct id *id, uint32_t *ret);
/* NULL when the number is free. */
const struct id *numbers_id(const struct numbers *n, uint32_t number);
/* The lowest free one; numbers_put takes it. */
uint32_t numbers_free(const struct numbers *n);
/* ERR_NOMEM; ERR_EXISTS when the number is another's, or the id has another number; ERR_ARG for a zero id. */
enum err numbers_put(struct numbers *n, const struct id *id, uint32_t number);
void numbers_drop(struct numbers *n, uint32_t number);
/* For ids of 8 bytes. */
struct id numbers_short(uint64_t id);

#endif
