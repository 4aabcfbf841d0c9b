/* Takes the difference of two sketches apart (docs/protocol.md section 8).
 *
 * Happy path: a cell in which only one key differs says which, and what the other holds of it; that is taken
 * off all the key's cells, which leaves others with one key. Fails: too few cells for what differs; a
 * difference that no two sets have, which may never end, so that the work has a bound. */
#include <stdlib.h>
#include <string.h>

#include "gossip/sketch_cells.h"

struct peel {
	const uint8_t *key;
	sketch_lookup lookup;
	const void *context;
	uint64_t have;
	uint32_t cells;
	uint64_t work_left;
	size_t pending_count;
	struct sketch_cell *difference; /* theirs less the own; what is not there is never looked at */
	struct sketch_unit *units;
	uint32_t *pending; /* cells that seem to hold one key */
	bool *queued;
};

static void peel_free(struct peel *p)
{
	free(p->difference);
	free(p->units);
	free(p->pending);
	free(p->queued);
}

static bool there(const struct peel *p, uint32_t cell)
{
	return (p->have >> cell / SKETCH_BLOCK_CELLS & 1) != 0;
}

static enum err peel_new(const struct sketch *own, const struct sketch_part *theirs, struct peel *p)
{
	p->key = own->key;
	p->have = theirs->have;
	p->cells = theirs->blocks * SKETCH_BLOCK_CELLS;
	p->difference = calloc(p->cells, sizeof *p->difference);
	p->units = calloc(p->cells, sizeof *p->units);
	p->pending = calloc(p->cells, sizeof *p->pending);
	p->queued = calloc(p->cells, sizeof *p->queued);
	if (p->difference == NULL || p->units == NULL || p->pending == NULL || p->queued == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < p->cells; i++) {
		if (!there(p, i))
			continue;
		p->difference[i] = theirs->block[i / SKETCH_BLOCK_CELLS].cells[i % SKETCH_BLOCK_CELLS];
		sketch_cell_take(&p->difference[i], &own->cells[i]);
	}
	return ERR_OK;
}

/* Modulo 2^64: five steps of Newton's from three bits that are right. */
static uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;
	for (int i = 0; i < 5; i++)
		x *= 2 - odd * x;
	return x;
}

static bool belongs(uint64_t hash, uint32_t cell)
{
	struct sketch_walk w = {.state = hash};
	while (w.cell < cell)
		sketch_walk_on(&w);
	return w.cell == cell;
}

/* The tag of the lone key of a cell, by `keys` = factor * weight. Of an even weight the factor's highest bits
 * are lost, and so many zeroes tell as well as they would. */
static bool lone_tag(const struct peel *p, uint32_t cell, uint64_t *ret_tag, uint64_t *ret_hash)
{
	const struct sketch_cell *c = &p->difference[cell];
	if (c->weights == 0)
		return false;
	/* Of one key it is above -2^31 and below 2^31. */
	uint64_t weight = c->weights | (c->weights >> 31 != 0 ? ~0ull << 32 : 0);
	unsigned lost = 0;
	while ((weight >> lost & 1) == 0)
		lost++;
	if (lost > 64 - SKETCH_TAG_BITS)
		return false;
	uint64_t odd = weight >> lost | (lost > 0 && weight >> 63 != 0 ? ~0ull << (64 - lost) : 0);
	uint64_t factor = c->keys * inverse(odd);
	if (lost > 0 && factor << (64 - lost) != 0)
		return false;
	factor >>= lost;
	uint64_t hash = sketch_tag_hash(p->key, factor & SKETCH_TAG_MASK);
	if ((factor ^ sketch_factor(hash, factor & SKETCH_TAG_MASK)) << lost != 0 || !belongs(hash, cell))
		return false;
	*ret_tag = factor & SKETCH_TAG_MASK;
	*ret_hash = hash;
	return true;
}

static bool weight_fits(uint32_t weight, uint64_t id)
{
	return (weight & 1) != 0 && weight >> 31 == 0 && (weight >> 1 & 0x7f) == (id & 0x7f);
}

/* How many versions theirs is ahead of the own one, in 23 bits. */
static int32_t ahead(uint32_t theirs, uint32_t own)
{
	uint32_t by = (theirs >> 8) - (own >> 8);
	by &= (1u << SKETCH_SEQ_BITS) - 1;
	return by >> (SKETCH_SEQ_BITS - 1) == 0 ? (int32_t)by : (int32_t)by - (1 << SKETCH_SEQ_BITS);
}

/* One key alone is in the cell. */
static bool lone(const struct peel *p, uint32_t cell, struct sketch_unit *ret, uint64_t *ret_hash)
{
	const struct sketch_cell *c = &p->difference[cell];
	struct sketch_unit u = {.tag = 0};
	uint64_t seq = 0;
	if (!lone_tag(p, cell, &u.tag, ret_hash))
		return false;
	u.own_held = p->lookup(p->context, u.tag, &u.own, &seq);
	uint32_t weight = u.own_held ? sketch_weight(u.own, seq) : 0;
	u.theirs = u.own_held ? c->ids + u.own : c->ids;
	u.theirs_held = !u.own_held || u.theirs != 0 || c->weights + weight != 0;
	if (u.theirs_held && !weight_fits(c->weights + weight, u.theirs))
		return false;
	if (u.own_held && u.theirs_held)
		u.ahead = ahead(c->weights + weight, weight);
	*ret = u;
	return true;
}

static void look_at(struct peel *p, uint32_t cell)
{
	struct sketch_unit unused;
	uint64_t hash;
	if (p->queued[cell] || !lone(p, cell, &unused, &hash))
		return;
	p->queued[cell] = true;
	p->pending[p->pending_count++] = cell;
}

/* Out of all its cells. */
static enum err take_out(struct peel *p, uint32_t cell, uint64_t hash)
{
	const struct sketch_cell share = p->difference[cell];
	for (struct sketch_walk w = {.state = hash}; w.cell < p->cells; sketch_walk_on(&w)) {
		if (!there(p, w.cell))
			continue;
		if (p->work_left == 0)
			return ERR_LIMIT;
		p->work_left--;
		sketch_cell_take(&p->difference[w.cell], &share);
		look_at(p, w.cell);
	}
	return ERR_OK;
}

static enum err peel(struct peel *p, size_t *ret_count)
{
	size_t count = 0;
	for (uint32_t i = 0; i < p->cells; i++)
		look_at(p, i);
	while (p->pending_count > 0) {
		uint32_t cell = p->pending[--p->pending_count];
		struct sketch_unit unit;
		uint64_t hash;
		p->queued[cell] = false;
		if (!lone(p, cell, &unit, &hash))
			continue;
		/* Each leaves a cell empty for good, or it is no difference of sets and the work runs out. */
		if (count < p->cells)
			p->units[count++] = unit;
		enum err err = take_out(p, cell, hash);
		if (err != ERR_OK)
			return err;
	}
	for (uint32_t i = 0; i < p->cells; i++)
		if (!sketch_cell_empty(&p->difference[i]))
			return ERR_SHORT;
	if ((p->have & 1) == 0)
		return ERR_SHORT; /* some keys may be in none of the cells */
	*ret_count = count;
	return ERR_OK;
}

static int by_tag(const void *a, const void *b)
{
	const struct sketch_unit *x = a, *y = b;
	return x->tag < y->tag ? -1 : x->tag > y->tag;
}

static enum err distinct(struct sketch_unit *units, size_t count)
{
	if (count > 1)
		qsort(units, count, sizeof *units, by_tag);
	for (size_t i = 1; i < count; i++)
		if (units[i].tag == units[i - 1].tag)
			return ERR_FORMAT;
	return ERR_OK;
}

enum err sketch_peel(const struct sketch *own, const struct sketch_part *theirs, sketch_lookup lookup,
		     const void *context, uint64_t work, struct sketch_peeled *ret)
{
	struct peel p = {.lookup = lookup, .context = context, .work_left = work};
	size_t count = 0;
	enum err err = peel_new(own, theirs, &p);
	if (err == ERR_OK)
		err = peel(&p, &count);
	if (err == ERR_OK)
		err = distinct(p.units, count);
	ret->work = work - p.work_left;
	if (err == ERR_OK) {
		ret->units = p.units;
		ret->count = count;
		p.units = NULL;
	}
	peel_free(&p);
	return err;
}
