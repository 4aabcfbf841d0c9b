/* Rows of the replica: keys, checksums, payloads, and the sorted sets of rows a batch is made of. */
#ifndef MESH_STORE_ROW_H
#define MESH_STORE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "record/state.h"
#include "store/column_groups.h"
#include "store/schema.h"

struct row_key {
	uint8_t bytes[ROW_KEY_BYTES];
	size_t len;
};

/* Sorts before every row of the table. */
struct row_key row_key_first(enum store_table table);
struct row_key row_key_record(const struct record_key *key);
struct row_key row_key_id(enum store_table table, const struct id *id);
struct row_key row_key_issue(enum issue_kind kind, const struct id *subject);
/* `index` 0 or 1. */
struct row_key row_key_proof(enum issue_kind kind, const struct id *subject, unsigned index);
struct row_key row_key_block(enum column_group group, uint32_t block);
struct row_key row_key_delta(enum column_group group, uint64_t commit);
/* Of a host's name: `hash` is row_name_hash of it, never 0. */
struct row_key row_key_name(uint32_t hash, uint32_t host);
uint32_t row_name_hash(const char *name, size_t len);
/* ERR_FORMAT when no key can have that length. */
enum err row_key_of(const uint8_t *bytes, size_t len, struct row_key *ret);
int row_key_compare(const struct row_key *a, const struct row_key *b);

/* A stored row in memory. */
struct row_value {
	uint8_t bytes[ROW_BYTES];
	size_t len;
};

/* Each writes checksum, version and payload. ERR_LIMIT when too long. */
enum err row_encode_record(const struct row_key *key, const uint8_t *bytes, size_t len, wall_ms received,
			   struct row_value *ret);
enum err row_encode_blob(const struct row_key *key, const uint8_t *bytes, size_t len, struct row_value *ret);
enum err row_encode_host(const struct row_key *key, const struct host_state *state, struct row_value *ret);
enum err row_encode_site(const struct row_key *key, const struct site_state *state, struct row_value *ret);
/* Without its proofs, which have rows of their own. */
enum err row_encode_issue(const struct row_key *key, const struct issue *issue, struct row_value *ret);
enum err row_encode_operator(const struct row_key *key, const struct operator_state *state,
			     struct row_value *ret);
enum err row_encode_proof(const struct row_key *key, const uint8_t *bytes, size_t len, struct row_value *ret);
void row_encode_number(const struct row_key *key, uint32_t number, struct row_value *ret);
/* For payloads that are described elsewhere: the payload is written between these two, in version
 * STORE_ROW_VERSION; the first leaves room for the checksum. */
struct writer row_begin(struct row_value *row);
enum err row_end(struct writer *w, const struct row_key *key, struct row_value *row);

#define STORE_LISTS        2 /* policy, inventory */
#define STORE_LIST_PARTIAL 1 /* in place of the digest of what was listed: blobs were missing */

/* The log of transitions: its rows are numbered without gaps. */
struct store_history {
	uint64_t first, next; /* of its rows: the oldest one kept, and behind the newest */
	uint64_t bytes;       /* of their keys and values */
	wall_ms newest;       /* the latest time in any row there ever was */
};

struct store_meta {
	uint32_t schema;
	struct id estate;
	struct id self;
	wall_ms as_of;     /* last commit, 0: none yet */
	uint64_t rows;     /* all but the meta row */
	uint64_t digest;   /* sum of their checksums: tells a page of old rows from the current one */
	bool digest_known; /* false after a damaged row was replaced: the next open counts again */
	uint64_t commit;   /* counts commits: which delta is newer than which block */
	bool migrating;    /* from an older schema: not all hosts are in the blocks yet */
	uint32_t ends[COLUMN_GROUP_LAST + 1]; /* of each group, above its highest number */
	/* Digests of the operators' records that the rows of policy and inventory were made of; 0: none. */
	uint64_t lists[STORE_LISTS];
	/* Of the inventory: distinct machines, and those of them that no host is linked to. */
	uint64_t machines, never_enrolled;
	struct store_history history;
	/* Hosts with a certificate: so many are in the rows of TABLE_SITE_COUNTS. */
	uint32_t counted;
	bool counts_there; /* false: a program wrote it that kept no such rows */
};
void row_encode_meta(const struct row_key *key, const struct store_meta *meta, struct row_value *ret);

/* ERR_CHECKSUM. Everything below expects a checked row. */
enum err row_check(const struct row_key *key, const uint8_t *bytes, size_t len);
uint64_t row_checksum(const uint8_t *bytes);

/* ERR_VERSION, ERR_FORMAT. Views into the row. */
enum err row_decode_record(const uint8_t *bytes, size_t len, const uint8_t **ret_record, size_t *ret_len,
			   wall_ms *ret_received);
enum err row_decode_blob(const uint8_t *bytes, size_t len, const uint8_t **ret_blob, size_t *ret_len);
enum err row_decode_host(const struct row_key *key, const uint8_t *bytes, size_t len, struct host_state *ret);
enum err row_decode_site(const struct row_key *key, const uint8_t *bytes, size_t len, struct site_state *ret);
/* Leaves the proofs empty. */
enum err row_decode_issue(const struct row_key *key, const uint8_t *bytes, size_t len, struct issue *ret);
enum err row_decode_operator(const struct row_key *key, const uint8_t *bytes, size_t len,
			     struct operator_state *ret);
enum err row_decode_proof(const uint8_t *bytes, size_t len, const uint8_t **ret_record, size_t *ret_len);
enum err row_decode_number(const uint8_t *bytes, size_t len, uint32_t *ret);
enum err row_decode_meta(const uint8_t *bytes, size_t len, struct store_meta *ret);
/* Behind the version, of payloads that are described elsewhere. */
enum err row_payload(const uint8_t *bytes, size_t len, struct reader *ret);

/* One row of a set, allocated to measure. `len` 0 deletes the row of that key. */
struct row {
	struct row_key key;
	uint64_t turn; /* of the put, in its set */
	bool urgent;   /* goes with the next commit of either kind */
	size_t len;
	uint8_t bytes[];
};

/* Rows in key order, each key once. Owns its rows. */
struct row_set {
	struct row **rows;
	size_t count;
	size_t capacity;
	size_t bytes;  /* of all rows' values */
	uint64_t turn; /* counts puts */
	bool urgent;   /* what is put from now on is */
};

/* Replaces a row of the same key. ERR_NOMEM. */
enum err row_set_put(struct row_set *set, const struct row_key *key, const uint8_t *bytes, size_t len);
/* NULL when there is none. */
const struct row *row_set_find(const struct row_set *set, const struct row_key *key);
/* First row after `key`, NULL at the end. */
const struct row *row_set_after(const struct row_set *set, const struct row_key *key);
/* Moves the urgent rows of `from` to the empty `into`. ERR_NOMEM: nothing was moved. */
enum err row_set_split(struct row_set *from, struct row_set *into);
/* Move what `into` lacks from `from` to it; `from` is empty afterwards. ERR_NOMEM: nothing was moved. */
enum err row_set_merge(struct row_set *into, struct row_set *from);
void row_set_clear(struct row_set *set);

/* Consecutive rows copied out of a backend, so that callers never run while its map is being read. */
#define ROW_CHUNK_BYTES 32768
struct row_chunk {
	size_t len, pos;
	bool last;         /* the table ends with this chunk */
	struct row_key at; /* the backend's: behind this key it goes on */
	uint8_t data[ROW_CHUNK_BYTES];
};

/* Empty, to begin behind a key; and empty, to go on. */
void row_chunk_begin(struct row_chunk *chunk, const struct row_key *after);
void row_chunk_reset(struct row_chunk *chunk);
/* False when full. */
bool row_chunk_push(struct row_chunk *chunk, const struct row_key *key, const uint8_t *bytes, size_t len);
/* Next row without taking it; false when all are taken. The view is valid until the chunk is reset. */
bool row_chunk_peek(const struct row_chunk *chunk, struct row_key *ret_key, const uint8_t **ret_bytes,
		    size_t *ret_len);
void row_chunk_take(struct row_chunk *chunk);

#endif
