/* Real rows to write: those of a synthetic estate, in memory, and what a replica holds, as one number. */
#ifndef MESH_TESTS_FAULTS_POOL_H
#define MESH_TESTS_FAULTS_POOL_H

#include <stdbool.h>

#include "base/prng.h"
#include "store/store.h"

#define POOL_NOW 1800000000000ull

struct pool_record {
	struct record_key key;
	size_t len;
	uint8_t bytes[LIMIT_RECORD_BYTES];
};

struct pool_blob {
	struct id id;
	size_t len;
	uint8_t bytes[LIMIT_BLOB_BYTES];
};

struct pool {
	struct id estate, self;
	struct pool_record *records;
	struct pool_blob *blobs;
	struct host_state *hosts;
	struct site_state *sites;
	size_t record_count, blob_count, host_count, site_count;
};

/* Makes an estate in `folder` and takes its rows over. */
enum err pool_make(const char *folder, size_t hosts, uint64_t seed, struct pool *ret, struct err_info *info);
void pool_free(struct pool *p);

/* Everything but the sites. */
enum err pool_put_all(const struct pool *p, struct store *s);
/* A few puts and drops drawn from `prng`: what a node's second may bring. `number` goes into the rows, so
 * that each commit differs from all others. */
enum err pool_change(const struct pool *p, struct store *s, uint64_t number, struct prng *prng);

/* A hash of what was there before and this. */
uint64_t pool_mix(uint64_t before, const void *bytes, size_t len);
struct query_value;
uint64_t pool_mix_value(uint64_t before, const struct query_value *v);

/* A hash of each row the store gives out. What cannot be read is left out; the first such error is returned.
 */
enum err pool_each_row(struct store *s, void (*take)(void *context, uint64_t row), void *context);
/* Of all of them: equal for equal contents. */
enum err pool_digest(struct store *s, uint64_t *ret);
/* Of all rows of the tables that list hosts, as a question sees them. `state` holds replica/. */
enum err pool_question_digest(const char *state, uint64_t *ret, struct err_info *info);

#endif
