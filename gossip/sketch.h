/* Rateless sketch of a set of records (docs/protocol.md section 8): two nodes' cells, subtracted, are the
 * sketch of what they hold differently, and that can be taken apart again from about 1.4 cells a key, however
 * large the sets are. After Lei Yang, Yossi Gilad, Mohammad Alizadeh, "Practical Rateless Set
 * Reconciliation", SIGCOMM 2024; but there a changed record is two elements, and nothing says which of them
 * is newer. Here it is one: cells are chosen by the key, and what is added to them is such that the key, and
 * of a known one the other's record id and seq, come out of the difference.
 *
 * Cells are cut into blocks of one datagram each; the first and any others do, in any order. All is integer
 * arithmetic: the same records give the same bytes everywhere. Memory: 50 KiB a sketch, whatever the set. */
#ifndef MESH_GOSSIP_SKETCH_H
#define MESH_GOSSIP_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "crypto/id.h"

#define SKETCH_TAG_BITS    40
#define SKETCH_BLOCK_CELLS 53
#define SKETCH_SAMPLES     48
#define SKETCH_CELLS       (LIMIT_SKETCH_BLOCKS * SKETCH_BLOCK_CELLS)
/* Cells that may be written to, for each cell there is, while a difference is taken apart. Honest ones need
 * 11. */
#define SKETCH_WORK_A_CELL 32
/* What sketch_estimate says where it cannot tell any more. */
#define SKETCH_BEYOND 65536

struct sketch;
struct sketch_part;

/* ERR_NOMEM. */
enum err sketch_new(const uint8_t set_key[KEY_BYTES], struct sketch **ret);
void sketch_free(struct sketch *s);
/* A record comes in, or goes out. At most one of a key is in. */
void sketch_add(struct sketch *s, uint64_t key_hash, uint64_t id, uint64_t seq);
void sketch_take(struct sketch *s, uint64_t key_hash, uint64_t id, uint64_t seq);
/* To the last cell. */
bool sketch_equal(const struct sketch *a, const struct sketch *b);

struct sketch_cell { /* sums over its records, modulo what they hold */
	uint64_t ids;
	uint64_t keys;
	uint32_t weights;
};

/* What one datagram says. */
struct sketch_block {
	struct sketch_cell cells[SKETCH_BLOCK_CELLS];
	uint8_t samples[SKETCH_SAMPLES]; /* of later cells: how many keys differ where blocks are too few */
};
/* `number` < LIMIT_SKETCH_BLOCKS. */
void sketch_block(const struct sketch *s, unsigned number, struct sketch_block *ret);

/* Blocks of another's sketch, as they come. `blocks`: the highest number there may be, plus one; at most
 * LIMIT_SKETCH_BLOCKS. Memory 1.3 KiB a block. ERR_NOMEM. */
enum err sketch_part_new(unsigned blocks, struct sketch_part **ret);
void sketch_part_free(struct sketch_part *p);
/* Room for more. ERR_NOMEM. */
enum err sketch_part_grow(struct sketch_part *p, unsigned blocks);
/* Out-of-range numbers are ignored; one that is there already is replaced. */
void sketch_part_put(struct sketch_part *p, unsigned number, const struct sketch_block *b);
void sketch_part_clear(struct sketch_part *p);
unsigned sketch_part_count(const struct sketch_part *p);
bool sketch_part_has(const struct sketch_part *p, unsigned number);
/* The first block is there, without which nothing is known to be all. */
bool sketch_part_begun(const struct sketch_part *p);

/* A key whose records differ, or that only one of the two holds. */
struct sketch_unit {
	uint64_t tag; /* low SKETCH_TAG_BITS of the key hash */
	bool own_held, theirs_held;
	uint64_t own, theirs; /* record ids */
	int32_t ahead;        /* of both: their seq less the own, in 23 bits */
};

/* The own record of a key whose hash ends in `tag`, of those that are in the sketch. */
typedef bool (*sketch_lookup)(const void *context, uint64_t tag, uint64_t *ret_id, uint64_t *ret_seq);

struct sketch_peeled {
	struct sketch_unit *units; /* ascending by tag; the caller's to free */
	size_t count;
	uint64_t work; /* cells written to; set on failure, too */
};
/* Takes the difference apart. ERR_SHORT: more blocks are needed. ERR_FORMAT: no two sets have this
 * difference. ERR_LIMIT: more than `work` cells would have to be written to. ERR_NOMEM. */
enum err sketch_peel(const struct sketch *own, const struct sketch_part *theirs, sketch_lookup lookup,
		     const void *context, uint64_t work, struct sketch_peeled *ret);
/* About how many keys differ, 0..SKETCH_BEYOND. */
size_t sketch_estimate(const struct sketch *own, const struct sketch_part *theirs);

#endif
