#include "gossip/sketch.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "gossip/sketch_cells.h"

static struct sketch_cell share_of(uint64_t factor, uint64_t id, uint64_t seq)
{
	uint32_t weight = sketch_weight(id, seq);
	return (struct sketch_cell){.ids = id, .keys = factor * weight, .weights = weight};
}

enum err sketch_new(const uint8_t set_key[KEY_BYTES], struct sketch **ret)
{
	struct sketch *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ERR_NOMEM;
	hash_keyed(s->key, sizeof s->key, set_key, "mesh.sketch", NULL, 0);
	*ret = s;
	return ERR_OK;
}

void sketch_free(struct sketch *s)
{
	if (s == NULL)
		return;
	crypto_wipe(s->key, sizeof s->key);
	free(s);
}

void sketch_add(struct sketch *s, uint64_t key_hash, uint64_t id, uint64_t seq)
{
	uint64_t tag = key_hash & SKETCH_TAG_MASK, hash = sketch_tag_hash(s->key, tag);
	const struct sketch_cell share = share_of(sketch_factor(hash, tag), id, seq);
	for (struct sketch_walk w = {.state = hash}; w.cell < SKETCH_CELLS; sketch_walk_on(&w)) {
		s->cells[w.cell].ids += share.ids;
		s->cells[w.cell].keys += share.keys;
		s->cells[w.cell].weights += share.weights;
	}
}

void sketch_take(struct sketch *s, uint64_t key_hash, uint64_t id, uint64_t seq)
{
	uint64_t tag = key_hash & SKETCH_TAG_MASK, hash = sketch_tag_hash(s->key, tag);
	const struct sketch_cell share = share_of(sketch_factor(hash, tag), id, seq);
	for (struct sketch_walk w = {.state = hash}; w.cell < SKETCH_CELLS; sketch_walk_on(&w))
		sketch_cell_take(&s->cells[w.cell], &share);
}

bool sketch_equal(const struct sketch *a, const struct sketch *b)
{
	for (size_t i = 0; i < SKETCH_CELLS; i++) {
		struct sketch_cell c = a->cells[i];
		sketch_cell_take(&c, &b->cells[i]);
		if (!sketch_cell_empty(&c))
			return false;
	}
	return true;
}

/* Over four doublings, where a few hundred to a few thousand keys leave some cells empty. */
static uint32_t sample_cell(size_t sample)
{
	return (uint32_t)((120 + 10 * (sample % 12)) << sample / 12);
}

static_assert(((120 + 10 * 11) << (SKETCH_SAMPLES - 1) / 12) < SKETCH_CELLS, "samples are cells");

static uint8_t sample_of(const struct sketch *s, size_t sample)
{
	return (uint8_t)(s->cells[sample_cell(sample)].ids >> 8);
}

void sketch_block(const struct sketch *s, unsigned number, struct sketch_block *ret)
{
	CHECK(number < LIMIT_SKETCH_BLOCKS);
	memcpy(ret->cells, &s->cells[number * SKETCH_BLOCK_CELLS], sizeof ret->cells);
	for (size_t i = 0; i < SKETCH_SAMPLES; i++)
		ret->samples[i] = sample_of(s, i);
}

/* --- another's --- */

enum err sketch_part_new(unsigned blocks, struct sketch_part **ret)
{
	struct sketch_part *p = calloc(1, sizeof *p);
	enum err err = p == NULL ? ERR_NOMEM : sketch_part_grow(p, blocks);
	if (err != ERR_OK) {
		free(p);
		return err;
	}
	*ret = p;
	return ERR_OK;
}

void sketch_part_free(struct sketch_part *p)
{
	if (p != NULL)
		free(p->block);
	free(p);
}

enum err sketch_part_grow(struct sketch_part *p, unsigned blocks)
{
	CHECK(blocks <= LIMIT_SKETCH_BLOCKS);
	if (blocks <= p->blocks)
		return ERR_OK;
	struct sketch_block *block = realloc(p->block, blocks * sizeof *block);
	if (block == NULL)
		return ERR_NOMEM;
	p->block = block;
	p->blocks = blocks;
	return ERR_OK;
}

void sketch_part_put(struct sketch_part *p, unsigned number, const struct sketch_block *b)
{
	if (number >= p->blocks)
		return;
	p->block[number] = *b;
	p->have |= 1ull << number;
	memcpy(p->samples, b->samples, sizeof p->samples);
}

void sketch_part_clear(struct sketch_part *p)
{
	p->have = 0;
}

bool sketch_part_has(const struct sketch_part *p, unsigned number)
{
	return number < p->blocks && (p->have >> number & 1) != 0;
}

unsigned sketch_part_count(const struct sketch_part *p)
{
	unsigned count = 0;
	for (unsigned i = 0; i < p->blocks; i++)
		count += sketch_part_has(p, i);
	return count;
}

bool sketch_part_begun(const struct sketch_part *p)
{
	return sketch_part_has(p, 0);
}

/* --- how much differs --- */

#define ONE (1ull << 32)

/* That none of `keys` keys is in the cell, in units of 2^-32. */
static uint64_t empty_chance(uint32_t cell, size_t keys)
{
	uint64_t factor = ONE * cell / (cell + 2), chance = ONE;
	for (; keys > 0; keys /= 2) {
		if (keys % 2 != 0)
			chance = chance * factor / ONE;
		factor = factor * factor / ONE;
	}
	return chance;
}

struct seen {
	size_t count, empty;
	uint32_t cells[SKETCH_CELLS + SKETCH_SAMPLES];
};

static void see(struct seen *s, uint32_t cell, bool empty)
{
	s->cells[s->count++] = cell;
	s->empty += empty;
}

static uint64_t expected_empty(const struct seen *s, size_t keys)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s->count; i++)
		sum += empty_chance(s->cells[i], keys);
	return sum;
}

size_t sketch_estimate(const struct sketch *own, const struct sketch_part *theirs)
{
	struct seen s = {.count = 0};
	for (uint32_t i = 0; i < theirs->blocks * SKETCH_BLOCK_CELLS; i++) {
		const struct sketch_block *b = &theirs->block[i / SKETCH_BLOCK_CELLS];
		if (sketch_part_has(theirs, i / SKETCH_BLOCK_CELLS))
			see(&s, i, own->cells[i].ids == b->cells[i % SKETCH_BLOCK_CELLS].ids);
	}
	for (size_t i = 0; i < SKETCH_SAMPLES && theirs->have != 0; i++)
		see(&s, sample_cell(i), sample_of(own, i) == theirs->samples[i]);
	/* The least number that leaves so few of them empty. */
	size_t low = 0, high = SKETCH_BEYOND;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (expected_empty(&s, middle) > s.empty * ONE)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
