/* The sketch: the committed vectors, what comes out of a difference, how often, and how it ends for lies.
 * With
 * --json: the shares and costs, for scripts/bench reconcile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/prng.h"
#include "gossip/sketch.h"
#include "tests/unit/scratch.h"
#include "tests/vectors/vectors.h"

static bool json;

static const uint8_t set_key[KEY_BYTES] = {4, 5, 6};

#define RECORDS 4200

/* What one of the two holds. */
struct side {
	struct sketch *sketch;
	size_t count;
	struct held {
		uint64_t key_hash, id, seq;
	} held[RECORDS];
};

static struct side sides[2];

static void put(struct side *s, uint64_t key_hash, uint64_t id, uint64_t seq)
{
	assert_true(s->count < RECORDS);
	s->held[s->count++] = (struct held){key_hash, id, seq};
	sketch_add(s->sketch, key_hash, id, seq);
}

static bool look_up(const void *context, uint64_t tag, uint64_t *ret_id, uint64_t *ret_seq)
{
	const struct side *s = context;
	for (size_t i = 0; i < s->count; i++) {
		if ((s->held[i].key_hash & ((1ull << SKETCH_TAG_BITS) - 1)) != tag)
			continue;
		*ret_id = s->held[i].id;
		*ret_seq = s->held[i].seq;
		return true;
	}
	return false;
}

static void begin(void)
{
	for (size_t i = 0; i < 2; i++) {
		sketch_free(sides[i].sketch);
		sides[i].count = 0;
		assert_int_equal(sketch_new(set_key, &sides[i].sketch), ERR_OK);
	}
}

static int clear(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		sketch_free(sides[i].sketch);
		sides[i].sketch = NULL;
	}
	return 0;
}

static struct sketch_part *part_of(const struct sketch *s, unsigned first, unsigned blocks)
{
	struct sketch_part *p = NULL;
	struct sketch_block b;
	assert_int_equal(sketch_part_new(first + blocks, &p), ERR_OK);
	for (unsigned i = first; i < first + blocks; i++) {
		sketch_block(s, i, &b);
		sketch_part_put(p, i, &b);
	}
	assert_int_equal(sketch_part_count(p), blocks);
	return p;
}

static uint64_t all_work(unsigned blocks)
{
	return (uint64_t)blocks * SKETCH_BLOCK_CELLS * SKETCH_WORK_A_CELL;
}

static enum err peel(const struct sketch_part *part, uint64_t work, struct sketch_peeled *ret)
{
	return sketch_peel(sides[0].sketch, part, look_up, &sides[0], work, ret);
}

/* Of four keys two changed, one newer here and one there, one is here alone, one there alone. */
static void differ(struct prng *p, size_t keys, bool changed)
{
	begin();
	for (size_t i = 0; i < 50; i++) {
		uint64_t key = prng_u64(p), id = prng_u64(p);
		put(&sides[0], key, id, i);
		put(&sides[1], key, id, i);
	}
	for (size_t i = 0; i < keys; i++) {
		uint64_t key = prng_u64(p), seq = (1ull << 35) + prng_below(p, 1u << 30),
			 by = prng_below(p, 1000);
		unsigned how = changed ? i % 2 : i % 4;
		if (how != 2)
			put(&sides[0], key, prng_u64(p), seq + (how == 0 ? by : 0));
		if (how != 3)
			put(&sides[1], key, prng_u64(p), seq + (how == 1 ? by : 0));
	}
}

static void check_unit(const struct sketch_unit *u)
{
	uint64_t ids[2] = {0}, seqs[2] = {0};
	bool held[2];
	for (size_t i = 0; i < 2; i++)
		held[i] = look_up(&sides[i], u->tag, &ids[i], &seqs[i]);
	assert_int_equal(u->own_held, held[0]);
	assert_int_equal(u->theirs_held, held[1]);
	assert_true(ids[0] != ids[1]);
	assert_true(!held[0] || u->own == ids[0]);
	assert_true(!held[1] || u->theirs == ids[1]);
	if (held[0] && held[1])
		assert_true(u->ahead == (int32_t)(seqs[1] - seqs[0]));
	else
		assert_int_equal(u->ahead, 0);
}

/* The outcome; where a difference comes out, each key that differs does, and says who has what. */
static enum err trial(struct prng *p, size_t keys, bool changed, unsigned blocks, uint64_t *work)
{
	struct sketch_peeled out = {0};
	differ(p, keys, changed);
	struct sketch_part *part = part_of(sides[1].sketch, 0, blocks);
	enum err err = peel(part, all_work(blocks), &out);
	if (err == ERR_OK) {
		assert_int_equal(out.count, keys);
		for (size_t i = 0; i < out.count; i++) {
			assert_true(i == 0 || out.units[i - 1].tag < out.units[i].tag);
			check_unit(&out.units[i]);
		}
	}
	*work += out.work;
	free(out.units);
	sketch_part_free(part);
	return err;
}

static double share(struct prng *p, size_t keys, bool changed, unsigned blocks, size_t trials)
{
	size_t decoded = 0;
	uint64_t work = 0;
	for (size_t i = 0; i < trials; i++) {
		enum err err = trial(p, keys, changed, blocks, &work);
		assert_true(err == ERR_OK || err == ERR_SHORT);
		decoded += err == ERR_OK;
	}
	assert_true(work <= trials * blocks * SKETCH_BLOCK_CELLS * 12); /* far from the bound */
	return (double)decoded / (double)trials;
}

static void test_shares(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 1);
	assert_true(share(&p, 12, true, 1, 300) >= 0.99);
	assert_true(share(&p, 12, false, 1, 300) >= 0.99);
	assert_true(share(&p, 24, true, 1, 300) >= 0.95);
	assert_true(share(&p, 60, true, 1, 30) == 0);
	assert_true(share(&p, 60, true, 2, 100) >= 0.95);
	assert_true(share(&p, 90, false, 3, 100) >= 0.95);
	assert_true(share(&p, 1000, true, 29, 3) == 1);
	assert_true(share(&p, 1300, false, 38, 3) == 1);
}

static void print_shares(void)
{
	struct prng p;
	prng_seed(&p, 2);
	for (unsigned blocks = 1; blocks <= 3; blocks++)
		for (size_t keys = 1; keys <= 40 * blocks; keys += keys < 40 ? 1 : 8)
			printf("{\"bench\": \"reconcile\", \"metric\": "
			       "\"reconcile.decoded_share_%u_blocks_%zu_changes\", "
			       "\"value\": %.4f, \"unit\": \"share\"}\n",
			       blocks, keys, share(&p, keys, true, blocks, 2000));
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* whoever else is busy */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_costs(void)
{
	struct prng p;
	const size_t changes = 200000, peels = 20;
	double spent = 0;
	prng_seed(&p, 3);
	begin();
	double since = seconds();
	for (size_t i = 0; i < changes; i++) {
		uint64_t key = prng_u64(&p), id = prng_u64(&p);
		sketch_take(sides[0].sketch, key, id, i);
		sketch_add(sides[0].sketch, key, ~id, i + 1);
	}
	printf("{\"bench\": \"reconcile\", \"metric\": \"reconcile.sketch_update_ns\", \"value\": %.0f, "
	       "\"unit\": \"ns\"}\n",
	       (seconds() - since) * 1e9 / (double)changes);
	for (size_t i = 0; i < peels; i++) {
		struct sketch_peeled out = {0};
		begin(); /* all are theirs, so that looking up costs nothing */
		for (size_t k = 0; k < 1000; k++)
			put(&sides[1], prng_u64(&p), prng_u64(&p), k);
		struct sketch_part *part = part_of(sides[1].sketch, 0, 29);
		since = seconds();
		assert_int_equal(peel(part, all_work(29), &out), ERR_OK);
		spent += seconds() - since;
		free(out.units);
		sketch_part_free(part);
	}
	printf("{\"bench\": \"reconcile\", \"metric\": \"reconcile.peel_1000_changes_ms\", \"value\": %.2f, "
	       "\"unit\": \"ms\"}\n",
	       spent * 1e3 / (double)peels);
}

/* The first block and any others do, in any order. */
static void test_blocks(void **state)
{
	(void)state;
	struct prng p;
	struct sketch_peeled out = {0};
	struct sketch_block b;
	prng_seed(&p, 5);
	differ(&p, 80, false);
	struct sketch *there = sides[1].sketch;
	struct sketch_part *part = part_of(there, 1, 7);
	/* Only the first cell knows of all keys. */
	assert_int_equal(peel(part, all_work(8), &out), ERR_SHORT);
	assert_false(sketch_part_begun(part));
	sketch_part_clear(part);
	for (unsigned i = 0; i < 7; i += i == 0 ? 2 : 1) { /* the second was lost */
		sketch_block(there, i, &b);
		sketch_part_put(part, i, &b);
	}
	assert_true(sketch_part_begun(part) && !sketch_part_has(part, 1) && !sketch_part_has(part, 60));
	assert_int_equal(peel(part, all_work(7), &out), ERR_OK);
	assert_int_equal(out.count, 80);
	free(out.units);
	sketch_part_clear(part);
	assert_int_equal(sketch_part_count(part), 0);
	sketch_block(there, 0, &b);
	sketch_part_put(part, LIMIT_SKETCH_BLOCKS, &b); /* out of range */
	assert_int_equal(sketch_part_count(part), 0);
	sketch_part_put(part, 0, &b);
	assert_int_equal(peel(part, all_work(1), &out), ERR_SHORT);
	assert_int_equal(sketch_part_grow(part, 20), ERR_OK);
	for (unsigned i = 20; i-- > 0;) {
		sketch_block(there, i, &b);
		sketch_part_put(part, i, &b);
	}
	assert_int_equal(peel(part, all_work(20), &out), ERR_OK);
	assert_int_equal(out.count, 80);
	free(out.units);
	sketch_part_free(part);
	part = part_of(sides[0].sketch, 0, 1); /* its own */
	assert_int_equal(peel(part, all_work(1), &out), ERR_OK);
	assert_int_equal(out.count, 0);
	free(out.units);
	sketch_part_free(part);
	sketch_part_free(NULL);
	sketch_free(NULL);
}

/* What goes out leaves nothing. */
static void test_add_and_take(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 9);
	begin();
	for (size_t i = 0; i < 300; i++)
		put(&sides[0], prng_u64(&p), prng_u64(&p), i);
	assert_false(sketch_equal(sides[0].sketch, sides[1].sketch));
	for (size_t i = 300; i-- > 0;)
		sketch_take(sides[0].sketch, sides[0].held[i].key_hash, sides[0].held[i].id, i);
	assert_true(sketch_equal(sides[0].sketch, sides[1].sketch));
}

/* Two of one key and seq, and versions that are far from each other: beyond 2^22 who is ahead is a guess. */
static void test_order(void **state)
{
	(void)state;
	static const struct {
		uint64_t own, theirs;
		int32_t ahead;
	} cases[] = {
	    {7, 7, 0},
	    {7, 8, 1},
	    {8, 7, -1},
	    {1ull << 40, (1ull << 40) + (1 << 22) - 1, (1 << 22) - 1},
	    {(1ull << 40) + (1 << 22) - 1, 1ull << 40, -(1 << 22) + 1},
	    {(1 << 23) - 1, 1 << 23, 1},
	    {5, 5 + (1 << 20), 1 << 20},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (uint64_t id = 1000; id < 1300; id += 64) { /* ids whose low bits are the same, or not */
			struct sketch_peeled out = {0};
			begin();
			put(&sides[0], 0xfedcba9876543210, 1000, cases[i].own);
			put(&sides[1], 0xfedcba9876543210, id + 1, cases[i].theirs);
			struct sketch_part *part = part_of(sides[1].sketch, 0, 1);
			assert_int_equal(peel(part, all_work(1), &out), ERR_OK);
			assert_int_equal(out.count, 1);
			assert_int_equal(out.units[0].ahead, cases[i].ahead);
			assert_true(out.units[0].own == 1000 && out.units[0].theirs == id + 1);
			free(out.units);
			sketch_part_free(part);
		}
}

static void test_estimate(void **state)
{
	(void)state;
	static const size_t counts[] = {0, 5, 30, 100, 400, 1000};
	struct prng p;
	prng_seed(&p, 6);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		differ(&p, counts[i], true);
		struct sketch_part *part = part_of(sides[1].sketch, 0, 1);
		size_t first = sketch_estimate(sides[0].sketch, part);
		sketch_part_free(part);
		part = part_of(sides[1].sketch, 0, 25);
		size_t more = sketch_estimate(sides[0].sketch, part);
		sketch_part_free(part);
		assert_in_range(first, counts[i] / 2, counts[i] * 2 + 2);
		assert_in_range(more, counts[i] * 4 / 5, counts[i] * 5 / 4 + 2);
	}
	begin();
	for (size_t k = 0; k < 100000; k++)
		sketch_add(sides[0].sketch, prng_u64(&p), prng_u64(&p), k);
	struct sketch_part *part = part_of(sides[1].sketch, 0, 1);
	assert_true(sketch_estimate(sides[0].sketch, part) > 2000);
	sketch_part_free(part);
}

/* --- lies --- */

static void test_noise(void **state)
{
	(void)state;
	struct prng p;
	prng_seed(&p, 7);
	begin();
	for (size_t n = 0; n < 200; n++) {
		struct sketch_part *part = part_of(sides[0].sketch, 0, 3);
		struct sketch_block b;
		struct sketch_peeled out = {0};
		memset(&b, 0, sizeof b);
		for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++) {
			b.cells[i].ids = prng_chance(&p, 0.5) ? prng_u64(&p) : 0;
			b.cells[i].keys = prng_chance(&p, 0.5) ? prng_u64(&p) : 0;
			b.cells[i].weights = (uint32_t)prng_u64(&p) << prng_below(&p, 33) / 8;
		}
		b.cells[0].ids |= 1;
		sketch_part_put(part, 1, &b);
		assert_int_equal(peel(part, all_work(3), &out), ERR_SHORT);
		assert_true(out.work <= all_work(3));
		assert_true(sketch_estimate(sides[0].sketch, part) <= SKETCH_BEYOND);
		sketch_part_free(part);
	}
}

/* One cell says that a key changed, the others where it belongs do not know of it: it would go in and out for
 * ever. */
static void test_endless(void **state)
{
	(void)state;
	struct sketch_peeled out = {0};
	struct sketch_block lie, changed;
	begin();
	put(&sides[0], 42, 1000, 44);
	put(&sides[1], 42, 2000, 45);
	sketch_block(sides[0].sketch, 0, &lie);
	sketch_block(sides[1].sketch, 0, &changed);
	size_t cell = 1;
	while (lie.cells[cell].ids == 0)
		cell++;
	lie.cells[cell] = changed.cells[cell];
	struct sketch_part *part = part_of(sides[0].sketch, 0, 1);
	sketch_part_put(part, 0, &lie);
	assert_int_equal(peel(part, 1000, &out), ERR_LIMIT);
	assert_int_equal(out.work, 1000);
	/* In a cell where it has no business nobody takes it for alone. */
	sketch_block(sides[0].sketch, 0, &lie);
	struct sketch_cell share = changed.cells[cell];
	for (cell = 1; lie.cells[cell].ids != 0;)
		cell++;
	lie.cells[cell] = share;
	sketch_part_put(part, 0, &lie);
	assert_int_equal(peel(part, 1000, &out), ERR_SHORT);
	assert_int_equal(out.work, 0);
	sketch_part_free(part);
}

/* --- sketch.txt --- */

static uint64_t number_at(const uint8_t *bytes, size_t len)
{
	uint64_t n = 0;
	for (size_t i = 0; i < len; i++)
		n = n << 8 | bytes[i];
	return n;
}

static void vector_side(struct vectors *v, const char *name, const uint8_t key[KEY_BYTES], struct side *ret)
{
	size_t len;
	const uint8_t *bytes = vectors_get(v, name, &len);
	sketch_free(ret->sketch);
	ret->count = 0;
	assert_int_equal(sketch_new(key, &ret->sketch), ERR_OK);
	for (size_t i = 0; i < len; i += 24)
		put(ret, number_at(bytes + i, 8), number_at(bytes + i + 8, 8), number_at(bytes + i + 16, 8));
}

static void check_block(struct vectors *v, const struct sketch *s, const char *name, unsigned number)
{
	struct sketch_block b;
	sketch_block(s, number, &b);
	const size_t n = SKETCH_BLOCK_CELLS;
	const uint8_t *ids = vectors_sized(v, n * 8, "%s.block%u.ids", name, number);
	const uint8_t *keys = vectors_sized(v, n * 8, "%s.block%u.keys", name, number);
	const uint8_t *weights = vectors_sized(v, n * 4, "%s.block%u.weights", name, number);
	for (size_t i = 0; i < n; i++) {
		assert_true(number_at(ids + i * 8, 8) == b.cells[i].ids);
		assert_true(number_at(keys + i * 8, 8) == b.cells[i].keys);
		assert_true(number_at(weights + i * 4, 4) == b.cells[i].weights);
	}
	assert_memory_equal(b.samples, vectors_sized(v, SKETCH_SAMPLES, "%s.samples", name), SKETCH_SAMPLES);
}

static void test_vectors(void **state)
{
	(void)state;
	struct vectors *v = vectors_load("sketch.txt"), *keys = vectors_load("keys.txt");
	size_t len;
	const uint8_t *key = vectors_get(keys, "estate.set_key", &len);
	struct sketch_peeled out = {0};
	vector_side(v, "ours.records", key, &sides[0]);
	vector_side(v, "theirs.records", key, &sides[1]);
	check_block(v, sides[0].sketch, "ours", 0);
	check_block(v, sides[0].sketch, "ours", LIMIT_SKETCH_BLOCKS - 1);
	check_block(v, sides[1].sketch, "theirs", 0);
	struct sketch_part *part = part_of(sides[1].sketch, 0, 1);
	assert_int_equal(peel(part, all_work(1), &out), ERR_OK);
	const uint8_t *want = vectors_get(v, "difference", &len);
	assert_int_equal(len, out.count * 24);
	for (size_t i = 0; i < out.count; i++, want += 24) {
		const struct sketch_unit *u = &out.units[i];
		assert_true(number_at(want, 8) == u->tag);
		assert_true(number_at(want + 8, 8) == (u->own_held ? u->own : 0));
		assert_true(number_at(want + 16, 8) == (u->theirs_held ? u->theirs : 0));
		check_unit(u);
	}
	free(out.units);
	sketch_part_free(part);
	vectors_free(keys);
	vectors_free(v);
}

int main(int argc, char **argv)
{
	json = argc > 1 && strcmp(argv[1], "--json") == 0;
	if (json) {
		print_costs();
		print_shares();
		return clear(NULL);
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors), cmocka_unit_test(test_shares),
	    cmocka_unit_test(test_blocks),  cmocka_unit_test(test_add_and_take),
	    cmocka_unit_test(test_order),   cmocka_unit_test(test_estimate),
	    cmocka_unit_test(test_noise),   cmocka_unit_test(test_endless),
	};
	return cmocka_run_group_tests(tests, NULL, clear);
}
