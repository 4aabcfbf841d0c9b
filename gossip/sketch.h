/* Rateless sketch of a set of record ids (docs/protocol.md section 8): the XOR of two nodes' cells is the
 * sketch of what only one of them holds, and that can be taken apart again from about 1.4 cells an id,
 * however large the sets are. After Lei Yang, Yossi Gilad, Mohammad Alizadeh, "Practical Rateless Set
 * Reconciliation", SIGCOMM 2024.
 *
 * Cells are cut into blocks of one datagram each; the first and any others do, in any order. Adding and
 * taking out are the same: an id is toggled. Everything is integer arithmetic: the same ids give the same
 * bytes everywhere. Memory: 41 KiB a sketch, whatever the set. */
#ifndef MESH_GOSSIP_SKETCH_H
#define MESH_GOSSIP_SKETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "crypto/id.h"

#define SKETCH_BLOCK_CELLS 88
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
/* An id comes in or goes out. */
void sketch_toggle(struct sketch *s, uint64_t id);
/* To the last cell. */
bool sketch_equal(const struct sketch *a, const struct sketch *b);

/* What one datagram says. */
struct sketch_block {
	uint64_t sums[SKETCH_BLOCK_CELLS];
	uint32_t checks[SKETCH_BLOCK_CELLS];
	uint8_t samples[SKETCH_SAMPLES]; /* of later cells: how many ids differ where blocks are too few */
};
/* `number` < LIMIT_SKETCH_BLOCKS. */
void sketch_block(const struct sketch *s, unsigned number, struct sketch_block *ret);

/* Blocks of another's sketch, as they come. `blocks`: the highest number there may be, plus one; at most
 * LIMIT_SKETCH_BLOCKS. Memory 1.1 KiB a block. ERR_NOMEM. */
enum err sketch_part_new(unsigned blocks, struct sketch_part **ret);
void sketch_part_free(struct sketch_part *p);
/* Room for more. ERR_NOMEM. */
enum err sketch_part_grow(struct sketch_part *p, unsigned blocks);
/* Out-of-range numbers are ignored; one that is there already is replaced. */
void sketch_part_put(struct sketch_part *p, unsigned number, const struct sketch_block *b);
void sketch_part_clear(struct sketch_part *p);
unsigned sketch_part_count(const struct sketch_part *p);
/* The first block is there, without which nothing is known to be all. */
bool sketch_part_begun(const struct sketch_part *p);

struct sketch_peeled {
	uint64_t *ids; /* each once, in no order; the caller's to free */
	size_t count;
	uint32_t work; /* cells written to; set on failure, too */
};
/* Takes the difference apart. ERR_SHORT: more blocks are needed. ERR_FORMAT: no two sets have this
 * difference. ERR_LIMIT: more than `work` cells would have to be written to. ERR_NOMEM. */
enum err sketch_peel(const struct sketch *own, const struct sketch_part *theirs, uint64_t work,
		     struct sketch_peeled *ret);
/* About how many ids only one of the two holds, 0..SKETCH_BEYOND. */
size_t sketch_estimate(const struct sketch *own, const struct sketch_part *theirs);

#endif
