/* sketch.txt: two sets of ids, cells of their sketches, and their difference; written from section 8 of
 * docs/protocol.md by searching for each cell, and not with gossip/sketch.h, which is checked against it. */
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "tests/vectors/world.h"

#define CELLS   3520
#define BLOCK   88
#define SAMPLES 48
#define OURS    30 /* the first so many ids … */
#define COMMON  12 /* … from this one on are theirs, too … */
#define THEIRS  42 /* … up to this one */

struct cells {
	uint64_t sums[CELLS];
	uint32_t checks[CELLS];
};

static uint64_t id_of(uint8_t number)
{
	return hash_u64("mesh.entry", &number, 1);
}

static uint64_t siphash(const uint8_t key[16], uint64_t id)
{
	uint8_t bytes[8], hash[crypto_shorthash_siphash24_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));
	writer_u64(&w, id);
	crypto_shorthash_siphash24(hash, bytes, sizeof(bytes), key);
	struct reader r = reader_of(hash, sizeof(hash));
	return reader_u64(&r);
}

static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t next_cell(uint64_t *state, uint64_t i)
{
	uint64_t u = (draw(state) >> 32) + 1, j = i + 1;
	while (j < CELLS && (j + 1) * (j + 2) * u < (i + 1) * (i + 2) << 32)
		j++;
	return j;
}

static void add(struct cells *c, const uint8_t key[16], uint64_t id)
{
	uint64_t hash = siphash(key, id), state = hash;
	for (uint64_t i = 0; i < CELLS; i = next_cell(&state, i)) {
		c->sums[i] ^= id;
		c->checks[i] ^= (uint32_t)hash;
	}
}

static void put_block(struct world *w, const char *name, const struct cells *c, size_t block)
{
	uint8_t bytes[BLOCK * 8];
	struct writer sums = writer_of(bytes, sizeof(bytes));
	for (size_t i = 0; i < BLOCK; i++)
		writer_u64(&sums, c->sums[block * BLOCK + i]);
	out_bytes(w, bytes, sums.len, "%s.block%zu.sums", name, block);
	struct writer checks = writer_of(bytes, sizeof(bytes));
	for (size_t i = 0; i < BLOCK; i++)
		writer_u32(&checks, c->checks[block * BLOCK + i]);
	out_bytes(w, bytes, checks.len, "%s.block%zu.checks", name, block);
}

static void put_set(struct world *w, const char *name, const uint8_t key[16], unsigned first, unsigned end)
{
	static struct cells c;
	uint8_t ids[THEIRS * 8], samples[SAMPLES];
	struct writer out = writer_of(ids, sizeof(ids));
	memset(&c, 0, sizeof(c));
	for (unsigned i = first; i < end; i++) {
		add(&c, key, id_of((uint8_t)i));
		writer_u64(&out, id_of((uint8_t)i));
	}
	for (size_t i = 0; i < SAMPLES; i++)
		samples[i] = (uint8_t)c.checks[(204 + 17 * (i % 12)) << i / 12];
	out_bytes(w, ids, out.len, "%s.ids", name);
	put_block(w, name, &c, 0);
	put_block(w, name, &c, CELLS / BLOCK - 1);
	out_bytes(w, samples, sizeof(samples), "%s.samples", name);
}

static void put_difference(struct world *w)
{
	uint64_t ids[THEIRS];
	uint8_t bytes[THEIRS * 8];
	size_t count = 0;
	struct writer out = writer_of(bytes, sizeof(bytes));
	for (uint8_t i = 0; i < THEIRS; i++) {
		if (i >= COMMON && i < OURS)
			continue;
		size_t at = count++;
		for (; at > 0 && ids[at - 1] > id_of(i); at--)
			ids[at] = ids[at - 1];
		ids[at] = id_of(i);
	}
	/* Few enough for one block. */
	CHECK(count < BLOCK);
	for (size_t i = 0; i < count; i++)
		writer_u64(&out, ids[i]);
	out_bytes(w, bytes, out.len, "difference");
}

void write_sketch(struct world *w)
{
	uint8_t key[16];
	hash_keyed(key, sizeof(key), w->f.keys.set_key, "mesh.sketch", NULL, 0);
	out_begin(w, "sketch.txt", "Sketches of two sets of ids (section 8), in the estate of keys.txt.");
	out_bytes(w, key, sizeof(key), "key");
	out_comment(w, "An id, its hash, and the first cells that it is in.");
	uint64_t id = id_of(0), hash = siphash(key, id), state = hash, cell = 0;
	out_number(w, id, 8, "id");
	out_number(w, hash, 8, "hash");
	for (size_t i = 0; i < 6; i++, cell = next_cell(&state, cell))
		out_number(w, cell, 2, "cell%zu", i);
	out_comment(w, "Two sets; of each the first and the last block, and the samples.");
	put_set(w, "ours", key, 0, OURS);
	put_set(w, "theirs", key, COMMON, THEIRS);
	out_comment(w, "What only one of them holds, ascending: it comes out of the first blocks.");
	put_difference(w);
	out_end(w);
}
