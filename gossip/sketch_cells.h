/* Inside of sketch.h: which cells a key is in, and what a record adds to them. sketch.c keeps sketches,
 * sketch_peel.c takes differences apart. */
#ifndef MESH_GOSSIP_SKETCH_CELLS_H
#define MESH_GOSSIP_SKETCH_CELLS_H

#include <assert.h>
#include <math.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "gossip/sketch.h"

static_assert(LIMIT_SKETCH_BLOCKS <= 64, "a bit for each");
/* The product of two cell numbers has to leave 32 bits. */
static_assert((SKETCH_CELLS + 2ull) * (SKETCH_CELLS + 2ull) < 1ull << 32, "numbers of cells");

#define SKETCH_TAG_MASK ((1ull << SKETCH_TAG_BITS) - 1)
#define SKETCH_SEQ_BITS 23

struct sketch {
	uint8_t key[HASH_SHORT_KEY_BYTES];
	struct sketch_cell cells[SKETCH_CELLS];
};

struct sketch_part {
	uint64_t have; /* bits of blocks */
	unsigned blocks;
	struct sketch_block *block;
	uint8_t samples[SKETCH_SAMPLES];
};

/* --- which cells a key is in --- */

/* The cells of one key: the first, and others that it leaves out more and more often. */
struct sketch_walk {
	uint64_t state;
	uint32_t cell; /* SKETCH_CELLS: no further one */
};

static inline uint64_t sketch_tag_hash(const uint8_t key[HASH_SHORT_KEY_BYTES], uint64_t tag)
{
	uint8_t bytes[8];
	struct writer w = writer_of(bytes, sizeof bytes);
	writer_u64(&w, tag);
	return hash_short(key, bytes, sizeof bytes);
}

/* splitmix64 (Steele, Lea and Flood; this form by Vigna). */
static inline uint64_t sketch_draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Rounded down; of numbers below 2^26. */
static inline uint32_t sketch_square_root(uint32_t of)
{
	uint32_t root = (uint32_t)sqrt((double)of);
	/* All nodes must agree, however a processor rounds. */
	while (root * root > of)
		root--;
	while ((root + 1) * (root + 1) <= of)
		root++;
	return root;
}

/* A key that is in cell i is in none of i + 1 … j with probability (i+1)(i+2) / ((j+1)(j+2)), which is what
 * taking part in cell k with probability 1 / (1 + k/2) comes to. So the next cell is the lowest j for which
 * (j+1)(j+2) u >= (i+1)(i+2) 2^32, with u drawn from 1 … 2^32. */
static inline void sketch_walk_on(struct sketch_walk *w)
{
	uint64_t u = (sketch_draw(&w->state) >> 32) + 1;
	uint64_t past = (uint64_t)(w->cell + 1) * (w->cell + 2);
	uint64_t least = ((past << 32) + u - 1) / u;
	if (least > (uint64_t)SKETCH_CELLS * (SKETCH_CELLS + 1)) {
		w->cell = SKETCH_CELLS;
		return;
	}
	uint32_t root = sketch_square_root((uint32_t)least);
	uint32_t next = (uint64_t)root * (root + 1) >= least ? root - 1 : root;
	w->cell = next > w->cell ? next : w->cell + 1;
}

/* --- what a record adds to them --- */

static inline uint64_t sketch_factor(uint64_t hash, uint64_t tag)
{
	return (hash & ~SKETCH_TAG_MASK) | tag;
}

static inline uint32_t sketch_weight(uint64_t id, uint64_t seq)
{
	return (uint32_t)((seq & ((1u << SKETCH_SEQ_BITS) - 1)) << 8 | (id & 0x7f) << 1 | 1);
}

static inline void sketch_cell_take(struct sketch_cell *c, const struct sketch_cell *by)
{
	c->ids -= by->ids;
	c->keys -= by->keys;
	c->weights -= by->weights;
}

static inline bool sketch_cell_empty(const struct sketch_cell *c)
{
	return c->ids == 0 && c->keys == 0 && c->weights == 0;
}

#endif
