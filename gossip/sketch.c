#include "gossip/sketch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/hash.h"

static_assert(LIMIT_SKETCH_BLOCKS <= 64, "a bit for each");
/* The product of two cell numbers has to leave 32 bits. */
static_assert((SKETCH_CELLS + 2ull) * (SKETCH_CELLS + 2ull) < 1ull << 32, "numbers of cells");

struct sketch {
	uint8_t key[HASH_SHORT_KEY_BYTES];
	uint64_t sums[SKETCH_CELLS];
	uint32_t checks[SKETCH_CELLS];
};

struct sketch_part {
	uint64_t have; /* bits of blocks */
	unsigned blocks;
	struct sketch_block *block;
	uint8_t samples[SKETCH_SAMPLES];
};

/* --- which cells an id is in --- */

/* The cells of one id: the first, and others that it leaves out more and more often. */
struct walk {
	uint64_t state;
	uint32_t cell; /* SKETCH_CELLS: no further one */
};

static uint64_t id_hash(const uint8_t key[HASH_SHORT_KEY_BYTES], uint64_t id)
{
	uint8_t bytes[8];
	struct writer w = writer_of(bytes, sizeof bytes);
	writer_u64(&w, id);
	return hash_short(key, bytes, sizeof bytes);
}

static uint32_t check_of(uint64_t hash)
{
	return (uint32_t)hash;
}

/* splitmix64 (Steele, Lea and Flood; this form by Vigna). */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Rounded down; of numbers below 2^26. */
static uint32_t square_root(uint32_t of)
{
	uint32_t root = 0;
	for (uint32_t bit = 1u << 24; bit > 0; bit >>= 2) {
		bool fits = of >= root + bit;
		of -= fits ? root + bit : 0;
		root = (root >> 1) + (fits ? bit : 0);
	}
	return root;
}

/* An id that is in cell i is in none of i + 1 … j with probability (i+1)(i+2) / ((j+1)(j+2)), which is what
 * taking part in cell k with probability 1 / (1 + k/2) comes to. So the next cell is the lowest j for which
 * (j+1)(j+2) u >= (i+1)(i+2) 2^32, with u drawn from 1 … 2^32. */
static void walk_on(struct walk *w)
{
	uint64_t u = (draw(&w->state) >> 32) + 1;
	uint64_t past = (uint64_t)(w->cell + 1) * (w->cell + 2);
	uint64_t least = ((past << 32) + u - 1) / u;
	if (least > (uint64_t)SKETCH_CELLS * (SKETCH_CELLS + 1)) {
		w->cell = SKETCH_CELLS;
		return;
	}
	uint32_t root = square_root((uint32_t)least);
	uint32_t next = (uint64_t)root * (root + 1) >= least ? root - 1 : root;
	w->cell = next > w->cell ? next : w->cell + 1;
}

/* --- the own sketch --- */

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

void sketch_toggle(struct sketch *s, uint64_t id)
{
	uint64_t hash = id_hash(s->key, id);
	for (struct walk w = {.state = hash}; w.cell < SKETCH_CELLS; walk_on(&w)) {
		s->sums[w.cell] ^= id;
		s->checks[w.cell] ^= check_of(hash);
	}
}

bool sketch_equal(const struct sketch *a, const struct sketch *b)
{
	return memcmp(a->sums, b->sums, sizeof a->sums) == 0 &&
	       memcmp(a->checks, b->checks, sizeof a->checks) == 0;
}

/* Over four doublings, where a few hundred to a few thousand ids leave some cells empty. */
static uint32_t sample_cell(size_t sample)
{
	return (uint32_t)((204 + 17 * (sample % 12)) << sample / 12);
}

static_assert(((204 + 17 * 11) << (SKETCH_SAMPLES - 1) / 12) < SKETCH_CELLS, "samples are cells");

static uint8_t sample_of(const struct sketch *s, size_t sample)
{
	return (uint8_t)s->checks[sample_cell(sample)];
}

void sketch_block(const struct sketch *s, unsigned number, struct sketch_block *ret)
{
	CHECK(number < LIMIT_SKETCH_BLOCKS);
	memcpy(ret->sums, &s->sums[number * SKETCH_BLOCK_CELLS], sizeof ret->sums);
	memcpy(ret->checks, &s->checks[number * SKETCH_BLOCK_CELLS], sizeof ret->checks);
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

static bool has(const struct sketch_part *p, unsigned number)
{
	return (p->have >> number & 1) != 0;
}

unsigned sketch_part_count(const struct sketch_part *p)
{
	unsigned count = 0;
	for (unsigned i = 0; i < p->blocks; i++)
		count += has(p, i);
	return count;
}

bool sketch_part_begun(const struct sketch_part *p)
{
	return has(p, 0);
}

/* --- taking a difference apart --- */

struct peel {
	const uint8_t *key;
	uint64_t have;
	uint32_t cells;
	uint64_t work_left;
	size_t pending_count;
	uint64_t *sums; /* the difference; what is not there is never looked at */
	uint64_t *ids;
	uint32_t *checks;
	uint32_t *pending; /* cells that seem to hold one id */
	bool *queued;
};

static void peel_free(struct peel *p)
{
	free(p->sums);
	free(p->ids);
	free(p->checks);
	free(p->pending);
	free(p->queued);
}

static enum err peel_new(const struct sketch *own, const struct sketch_part *theirs, struct peel *ret)
{
	struct peel p = {.key = own->key, .have = theirs->have, .cells = theirs->blocks * SKETCH_BLOCK_CELLS};
	p.sums = calloc(p.cells, sizeof *p.sums);
	p.ids = calloc(p.cells, sizeof *p.ids);
	p.checks = calloc(p.cells, sizeof *p.checks);
	p.pending = calloc(p.cells, sizeof *p.pending);
	p.queued = calloc(p.cells, sizeof *p.queued);
	if (p.sums == NULL || p.ids == NULL || p.checks == NULL || p.pending == NULL || p.queued == NULL) {
		peel_free(&p);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < p.cells; i++) {
		const struct sketch_block *b = &theirs->block[i / SKETCH_BLOCK_CELLS];
		if ((p.have >> i / SKETCH_BLOCK_CELLS & 1) == 0)
			continue;
		p.sums[i] = own->sums[i] ^ b->sums[i % SKETCH_BLOCK_CELLS];
		p.checks[i] = own->checks[i] ^ b->checks[i % SKETCH_BLOCK_CELLS];
	}
	*ret = p;
	return ERR_OK;
}

/* The lone id's hash goes to *ret_hash. */
static bool alone(const struct peel *p, uint32_t cell, uint64_t *ret_hash)
{
	if (p->sums[cell] == 0)
		return false;
	*ret_hash = id_hash(p->key, p->sums[cell]);
	return check_of(*ret_hash) == p->checks[cell];
}

static void look_at(struct peel *p, uint32_t cell)
{
	uint64_t hash;
	if (p->queued[cell] || !alone(p, cell, &hash))
		return;
	p->queued[cell] = true;
	p->pending[p->pending_count++] = cell;
}

/* Out of all its cells. ERR_FORMAT when it has no business in this one. */
static enum err take(struct peel *p, uint32_t cell, uint64_t hash)
{
	uint64_t id = p->sums[cell];
	for (struct walk w = {.state = hash}; w.cell < p->cells; walk_on(&w)) {
		if ((p->have >> w.cell / SKETCH_BLOCK_CELLS & 1) == 0)
			continue;
		if (p->work_left-- == 0)
			return ERR_LIMIT;
		p->sums[w.cell] ^= id;
		p->checks[w.cell] ^= check_of(hash);
		look_at(p, w.cell);
	}
	return p->sums[cell] == 0 ? ERR_OK : ERR_FORMAT;
}

static enum err peel(struct peel *p, size_t *ret_count)
{
	size_t count = 0;
	for (uint32_t i = 0; i < p->cells; i++)
		look_at(p, i);
	while (p->pending_count > 0) {
		uint32_t cell = p->pending[--p->pending_count];
		uint64_t hash;
		p->queued[cell] = false;
		if (!alone(p, cell, &hash))
			continue;
		/* Each id leaves a cell empty for good, or it is no difference of sets. */
		if (count < p->cells)
			p->ids[count++] = p->sums[cell];
		enum err err = take(p, cell, hash);
		if (err != ERR_OK)
			return err;
	}
	for (uint32_t i = 0; i < p->cells; i++)
		if (p->sums[i] != 0 || p->checks[i] != 0)
			return ERR_SHORT;
	if ((p->have & 1) == 0)
		return ERR_SHORT; /* some ids may be in none of the cells */
	*ret_count = count;
	return ERR_OK;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static enum err distinct(uint64_t *ids, size_t count)
{
	if (count > 1)
		qsort(ids, count, sizeof *ids, by_value);
	for (size_t i = 1; i < count; i++)
		if (ids[i] == ids[i - 1])
			return ERR_FORMAT;
	return ERR_OK;
}

enum err sketch_peel(const struct sketch *own, const struct sketch_part *theirs, uint64_t work,
		     struct sketch_peeled *ret)
{
	struct peel p;
	size_t count = 0;
	enum err err = peel_new(own, theirs, &p);
	if (err != ERR_OK)
		return err;
	p.work_left = work;
	err = peel(&p, &count);
	if (err == ERR_OK)
		err = distinct(p.ids, count);
	/* Counted down below zero where it ended for that. */
	ret->work = (uint32_t)(err == ERR_LIMIT ? work : work - p.work_left);
	if (err == ERR_OK) {
		ret->ids = p.ids;
		ret->count = count;
		p.ids = NULL;
	}
	peel_free(&p);
	return err;
}

/* --- how much differs --- */

#define ONE (1ull << 32)

/* That none of `ids` ids is in the cell, in units of 2^-32. */
static uint64_t empty_chance(uint32_t cell, size_t ids)
{
	uint64_t factor = ONE * cell / (cell + 2), chance = ONE;
	for (; ids > 0; ids /= 2) {
		if (ids % 2 != 0)
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

static uint64_t expected_empty(const struct seen *s, size_t ids)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < s->count; i++)
		sum += empty_chance(s->cells[i], ids);
	return sum;
}

size_t sketch_estimate(const struct sketch *own, const struct sketch_part *theirs)
{
	struct seen s = {.count = 0};
	for (uint32_t i = 0; i < theirs->blocks * SKETCH_BLOCK_CELLS; i++) {
		const struct sketch_block *b = &theirs->block[i / SKETCH_BLOCK_CELLS];
		if (has(theirs, i / SKETCH_BLOCK_CELLS))
			see(&s, i, own->checks[i] == b->checks[i % SKETCH_BLOCK_CELLS]);
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
