/* sketch.txt: two sets of records, cells of their sketches, and their difference; written from section 8 of
 * docs/protocol.md by searching for each cell, and not with gossip/sketch.h, which is checked against it. */
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "tests/vectors/world.h"

#define CELLS   2120
#define BLOCK   53
#define SAMPLES 48
#define COMMON  6  /* keys below this one are ours alone; from it on both have the same record, … */
#define CHANGED 16 /* … from this one on one has a newer one, … */
#define FIRST   24 /* … and from this one on they are theirs alone … */
#define END     30 /* … up to this one */

/* What a sketch takes of a record. */
struct known {
	uint64_t key_hash, id, seq;
};

struct cells {
	uint64_t ids[CELLS], keys[CELLS];
	uint32_t weights[CELLS];
};

/* Of a key, its first or its second version. */
static struct known record_of(uint8_t number, uint8_t version)
{
	const uint8_t name[] = {number, version};
	return (struct known){.key_hash = hash_u64("mesh.entry", name, 1),
			      .id = hash_u64("mesh.entry", name, 2),
			      .seq = 0x100000000u + number * 3u + version * (number % 4 + 1u)};
}

static uint64_t siphash(const uint8_t key[16], uint64_t tag)
{
	uint8_t bytes[8], hash[crypto_shorthash_siphash24_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));
	writer_u64(&w, tag);
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

static void add(struct cells *c, const uint8_t key[16], const struct known *r)
{
	uint64_t tag = r->key_hash % (1ull << 40), hash = siphash(key, tag), state = hash;
	uint64_t factor = (hash >> 40) * (1ull << 40) + tag;
	uint64_t weight = r->seq % (1u << 23) * 256 + r->id % 128 * 2 + 1;
	for (uint64_t i = 0; i < CELLS; i = next_cell(&state, i)) {
		c->ids[i] += r->id;
		c->keys[i] += factor * weight;
		c->weights[i] += (uint32_t)weight;
	}
}

static void put_block(struct world *w, const char *name, const struct cells *c, size_t block)
{
	uint8_t ids[BLOCK * 8], keys[BLOCK * 8], weights[BLOCK * 4];
	struct writer a = writer_of(ids, sizeof(ids)), b = writer_of(keys, sizeof(keys)),
		      d = writer_of(weights, sizeof(weights));
	for (size_t i = block * BLOCK; i < (block + 1) * BLOCK; i++) {
		writer_u64(&a, c->ids[i]);
		writer_u64(&b, c->keys[i]);
		writer_u32(&d, c->weights[i]);
	}
	out_bytes(w, ids, sizeof(ids), "%s.block%zu.ids", name, block);
	out_bytes(w, keys, sizeof(keys), "%s.block%zu.keys", name, block);
	out_bytes(w, weights, sizeof(weights), "%s.block%zu.weights", name, block);
}

static void put_set(struct world *w, const char *name, const uint8_t key[16], const struct known *records,
		    size_t count)
{
	static struct cells c;
	uint8_t bytes[END * 24], samples[SAMPLES];
	struct writer out = writer_of(bytes, sizeof(bytes));
	memset(&c, 0, sizeof(c));
	for (size_t i = 0; i < count; i++) {
		add(&c, key, &records[i]);
		writer_u64(&out, records[i].key_hash);
		writer_u64(&out, records[i].id);
		writer_u64(&out, records[i].seq);
	}
	for (size_t i = 0; i < SAMPLES; i++)
		samples[i] = (uint8_t)(c.ids[(120 + 10 * (i % 12)) << i / 12] >> 8);
	out_bytes(w, bytes, out.len, "%s.records", name);
	put_block(w, name, &c, 0);
	put_block(w, name, &c, CELLS / BLOCK - 1);
	out_bytes(w, samples, sizeof(samples), "%s.samples", name);
}

/* Ascending by the low 40 bits of the key hash: what a line of `difference` says. */
static void put_difference(struct world *w)
{
	uint8_t order[END], bytes[END * 24];
	size_t count = 0;
	struct writer out = writer_of(bytes, sizeof(bytes));
	for (uint8_t i = 0; i < END; i++) {
		if (i >= COMMON && i < CHANGED)
			continue;
		size_t at = count++;
		for (; at > 0 && record_of(order[at - 1], 0).key_hash << 24 > record_of(i, 0).key_hash << 24;
		     at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	for (size_t i = 0; i < count; i++) {
		uint8_t n = order[i];
		struct known first = record_of(n, 0), second = record_of(n, 1);
		bool newer = n % 2 == 0, changed = n >= CHANGED && n < FIRST;
		writer_u64(&out, first.key_hash % (1ull << 40));
		writer_u64(&out, n >= FIRST ? 0 : changed && !newer ? second.id : first.id);
		writer_u64(&out, n < COMMON ? 0 : changed && newer ? second.id : first.id);
	}
	out_bytes(w, bytes, out.len, "difference");
}

static void put_sets(struct world *w, const uint8_t key[16])
{
	struct known ours[FIRST], theirs[END];
	size_t count = 0;
	for (uint8_t i = 0; i < FIRST; i++)
		ours[i] = record_of(i, i >= CHANGED && i % 2 != 0);
	for (uint8_t i = COMMON; i < END; i++)
		theirs[count++] = record_of(i, i >= CHANGED && i < FIRST && i % 2 == 0);
	put_set(w, "ours", key, ours, FIRST);
	put_set(w, "theirs", key, theirs, count);
}

void write_sketch(struct world *w)
{
	uint8_t key[16];
	hash_keyed(key, sizeof(key), w->f.keys.set_key, "mesh.sketch", NULL, 0);
	out_begin(w, "sketch.txt", "Sketches of two sets of records (section 8), in the estate of keys.txt.");
	out_bytes(w, key, sizeof(key), "key");
	out_comment(w, "The low 40 bits of a key hash, their hash, and the first cells.");
	uint64_t tag = record_of(0, 0).key_hash % (1ull << 40), hash = siphash(key, tag), state = hash,
		 cell = 0;
	out_number(w, tag, 8, "tag");
	out_number(w, hash, 8, "hash");
	for (size_t i = 0; i < 6; i++, cell = next_cell(&state, cell))
		out_number(w, cell, 2, "cell%zu", i);
	out_comment(
	    w, "Two sets: key hash, record id and seq of each record; the first and the last block, and the "
	       "samples.");
	put_sets(w, key);
	out_comment(
	    w, "What comes out of the first blocks, ascending: low 40 bits of the key hash (as 8 bytes), our "
	       "record's id, theirs; zero where one of us has none.");
	put_difference(w);
	out_end(w);
}
