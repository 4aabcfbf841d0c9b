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

static struct sketch *fresh(void)
{
	struct sketch *s = NULL;
	assert_int_equal(sketch_new(set_key, &s), ERR_OK);
	return s;
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

/* Two sets of 50 common ids that differ in `ids` others, by turns here and there. Returns the outcome; of a
 * difference that comes out each id is found and nothing else. */
static enum err trial(struct prng *p, size_t ids, unsigned blocks, uint64_t *work)
{
	struct sketch *sides[2] = {fresh(), fresh()};
	struct sketch_peeled out = {0};
	uint64_t *made = test_malloc((ids + 1) * sizeof *made);
	for (size_t i = 0; i < 50; i++) {
		uint64_t id = prng_u64(p);
		sketch_toggle(sides[0], id);
		sketch_toggle(sides[1], id);
	}
	for (size_t i = 0; i < ids; i++) {
		made[i] = prng_u64(p);
		sketch_toggle(sides[i % 2], made[i]);
	}
	struct sketch_part *part = part_of(sides[1], 0, blocks);
	enum err err = sketch_peel(sides[0], part, all_work(blocks), &out);
	if (err == ERR_OK) {
		assert_int_equal(out.count, ids);
		for (size_t i = 0; i < ids; i++) {
			size_t at = 0;
			while (at < out.count && out.ids[at] != made[i])
				at++;
			assert_true(at < out.count);
		}
	}
	*work += out.work;
	free(out.ids);
	test_free(made);
	sketch_part_free(part);
	sketch_free(sides[0]);
	sketch_free(sides[1]);
	return err;
}

static double share(struct prng *p, size_t ids, unsigned blocks, size_t trials)
{
	size_t decoded = 0;
	uint64_t work = 0;
	for (size_t i = 0; i < trials; i++) {
		enum err err = trial(p, ids, blocks, &work);
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
	/* A changed record is two ids: the old one and the new one. */
	assert_true(share(&p, 24, 1, 300) >= 0.98);
	assert_true(share(&p, 40, 1, 300) >= 0.95);
	assert_true(share(&p, 80, 1, 30) == 0);
	assert_true(share(&p, 80, 2, 100) >= 0.95);
	assert_true(share(&p, 150, 3, 100) >= 0.95);
	assert_true(share(&p, 2000, 34, 5) == 1);
}

static void print_shares(void)
{
	struct prng p;
	prng_seed(&p, 2);
	for (unsigned blocks = 1; blocks <= 3; blocks++)
		for (size_t ids = 1; ids <= 40 * blocks; ids += ids < 40 ? 1 : 8)
			printf("{\"bench\": \"reconcile\", \"metric\": "
			       "\"reconcile.decoded_share_%u_blocks_%zu_ids\", "
			       "\"value\": %.4f, \"unit\": \"share\"}\n",
			       blocks, ids, share(&p, ids, blocks, 2000));
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_costs(void)
{
	struct prng p;
	struct sketch *s = fresh();
	uint64_t work = 0;
	const size_t toggles = 500000, peels = 20;
	prng_seed(&p, 3);
	double since = seconds();
	for (size_t i = 0; i < toggles; i++)
		sketch_toggle(s, prng_u64(&p));
	printf("{\"bench\": \"reconcile\", \"metric\": \"reconcile.sketch_update_ns\", \"value\": %.0f, "
	       "\"unit\": \"ns\"}\n",
	       (seconds() - since) * 2e9 / (double)toggles); /* out with the old, in with the new */
	since = seconds();
	for (size_t i = 0; i < peels; i++)
		trial(&p, 2000, 34, &work);
	printf("{\"bench\": \"reconcile\", \"metric\": \"reconcile.peel_2000_ids_ms\", \"value\": %.1f, "
	       "\"unit\": \"ms\"}\n",
	       (seconds() - since) * 1e3 / (double)peels);
	sketch_free(s);
}

/* Any blocks do, in any order. */
static void test_blocks(void **state)
{
	(void)state;
	struct prng p;
	struct sketch *here = fresh(), *there = fresh();
	struct sketch_peeled out = {0};
	struct sketch_block b;
	prng_seed(&p, 5);
	for (size_t i = 0; i < 100; i++)
		sketch_toggle(there, prng_u64(&p));
	struct sketch_part *part = part_of(there, 1, 5);
	/* Only the first cell knows of all ids. */
	assert_int_equal(sketch_peel(here, part, all_work(6), &out), ERR_SHORT);
	assert_false(sketch_part_begun(part));
	sketch_part_clear(part);
	for (unsigned i = 0; i < 6; i += i == 0 ? 2 : 1) { /* the second was lost */
		sketch_block(there, i, &b);
		sketch_part_put(part, i, &b);
	}
	assert_true(sketch_part_begun(part));
	assert_int_equal(sketch_peel(here, part, all_work(6), &out), ERR_OK);
	assert_int_equal(out.count, 100);
	free(out.ids);
	sketch_part_clear(part);
	assert_int_equal(sketch_part_count(part), 0);
	sketch_block(there, 0, &b);
	sketch_part_put(part, LIMIT_SKETCH_BLOCKS, &b); /* out of range */
	assert_int_equal(sketch_part_count(part), 0);
	sketch_part_put(part, 0, &b);
	assert_int_equal(sketch_peel(here, part, all_work(1), &out), ERR_SHORT);
	assert_int_equal(sketch_part_grow(part, 20), ERR_OK);
	for (unsigned i = 20; i-- > 0;) {
		sketch_block(there, i, &b);
		sketch_part_put(part, i, &b);
	}
	assert_int_equal(sketch_peel(here, part, all_work(20), &out), ERR_OK);
	assert_int_equal(out.count, 100);
	for (size_t i = 1; i < out.count; i++)
		assert_true(out.ids[i - 1] < out.ids[i]);
	for (size_t i = 0; i < out.count; i++)
		sketch_toggle(there, out.ids[i]);
	free(out.ids);
	assert_true(sketch_equal(here, there));
	sketch_part_free(part);
	part = part_of(there, 0, 1);
	assert_int_equal(sketch_peel(here, part, all_work(1), &out), ERR_OK);
	assert_int_equal(out.count, 0);
	free(out.ids);
	sketch_part_free(part);
	sketch_part_free(NULL);
	sketch_free(here);
	sketch_free(there);
	sketch_free(NULL);
}

static void test_estimate(void **state)
{
	(void)state;
	static const size_t counts[] = {0, 5, 30, 100, 400, 1000, 2000};
	struct prng p;
	prng_seed(&p, 6);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct sketch *here = fresh(), *there = fresh();
		for (size_t k = 0; k < counts[i]; k++)
			sketch_toggle(here, prng_u64(&p));
		struct sketch_part *part = part_of(there, 0, 1);
		size_t first = sketch_estimate(here, part);
		sketch_part_free(part);
		part = part_of(there, 0, 30);
		size_t more = sketch_estimate(here, part);
		sketch_part_free(part);
		assert_in_range(first, counts[i] / 2, counts[i] * 2 + 2);
		assert_in_range(more, counts[i] * 4 / 5, counts[i] * 5 / 4 + 2);
		sketch_free(here);
		sketch_free(there);
	}
	struct sketch *here = fresh(), *there = fresh();
	for (size_t k = 0; k < 100000; k++)
		sketch_toggle(here, prng_u64(&p));
	struct sketch_part *part = part_of(there, 0, 1);
	assert_true(sketch_estimate(here, part) > 3000);
	sketch_part_free(part);
	sketch_free(here);
	sketch_free(there);
}

/* --- lies --- */

static void test_noise(void **state)
{
	(void)state;
	struct prng p;
	struct sketch *here = fresh();
	prng_seed(&p, 7);
	for (size_t n = 0; n < 200; n++) {
		struct sketch_part *part = part_of(here, 0, 3);
		struct sketch_block b;
		struct sketch_peeled out = {0};
		for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++) {
			b.sums[i] = prng_chance(&p, 0.5) ? prng_u64(&p) : 0;
			b.checks[i] = prng_chance(&p, 0.5) ? (uint32_t)prng_u64(&p) : 0;
		}
		memset(b.samples, 0, sizeof b.samples);
		sketch_part_put(part, 1, &b);
		assert_int_equal(sketch_peel(here, part, all_work(3), &out), ERR_SHORT);
		assert_true(out.work <= all_work(3));
		assert_true(sketch_estimate(here, part) <= SKETCH_BEYOND);
		sketch_part_free(part);
	}
	sketch_free(here);
}

/* One cell says "this id alone", another where it belongs does not know of it: it would go in and out for
 * ever. */
static void test_endless(void **state)
{
	(void)state;
	struct sketch *here = fresh(), *there = fresh();
	struct sketch_peeled out = {0};
	struct sketch_block b;
	size_t cell = 1;
	sketch_toggle(there, 42);
	sketch_block(there, 0, &b);
	while (b.sums[cell] == 0)
		cell++;
	uint32_t check = b.checks[cell];
	memset(&b, 0, sizeof b);
	b.sums[cell] = 42;
	b.checks[cell] = check;
	struct sketch_part *part = part_of(here, 0, 1);
	sketch_part_put(part, 0, &b);
	assert_int_equal(sketch_peel(here, part, 1000, &out), ERR_LIMIT);
	assert_int_equal(out.work, 1000);
	/* And in a cell where it has no business. */
	memset(&b, 0, sizeof b);
	sketch_block(there, 0, &b);
	cell = 1;
	while (b.sums[cell] != 0)
		cell++;
	b.sums[cell] = 42;
	b.checks[cell] = check;
	sketch_part_put(part, 0, &b);
	assert_int_equal(sketch_peel(here, part, 1000, &out), ERR_FORMAT);
	assert_true(out.work <= 1000);
	sketch_part_free(part);
	sketch_free(here);
	sketch_free(there);
}

/* --- sketch.txt --- */

static void vector_sketch(struct vectors *v, const char *ids, const uint8_t key[KEY_BYTES],
			  struct sketch **ret)
{
	size_t len;
	const uint8_t *bytes = vectors_get(v, ids, &len);
	assert_int_equal(sketch_new(key, ret), ERR_OK);
	for (size_t i = 0; i < len; i += 8) {
		uint64_t id = 0;
		for (size_t k = 0; k < 8; k++)
			id = id << 8 | bytes[i + k];
		sketch_toggle(*ret, id);
	}
}

static void check_block(struct vectors *v, const struct sketch *s, const char *name, unsigned number)
{
	struct sketch_block b;
	sketch_block(s, number, &b);
	const uint8_t *sums = vectors_sized(v, sizeof b.sums, "%s.block%u.sums", name, number);
	const uint8_t *checks = vectors_sized(v, sizeof b.checks, "%s.block%u.checks", name, number);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++) {
		uint64_t sum = 0, check = 0;
		for (size_t k = 0; k < 8; k++)
			sum = sum << 8 | sums[i * 8 + k];
		for (size_t k = 0; k < 4; k++)
			check = check << 8 | checks[i * 4 + k];
		assert_true(sum == b.sums[i]);
		assert_true(check == b.checks[i]);
	}
	assert_memory_equal(b.samples, vectors_sized(v, SKETCH_SAMPLES, "%s.samples", name), SKETCH_SAMPLES);
}

static void test_vectors(void **state)
{
	(void)state;
	struct vectors *v = vectors_load("sketch.txt"), *keys = vectors_load("keys.txt");
	size_t len;
	const uint8_t *key = vectors_get(keys, "estate.set_key", &len);
	struct sketch *ours, *theirs;
	struct sketch_peeled out = {0};
	vector_sketch(v, "ours.ids", key, &ours);
	vector_sketch(v, "theirs.ids", key, &theirs);
	check_block(v, ours, "ours", 0);
	check_block(v, ours, "ours", LIMIT_SKETCH_BLOCKS - 1);
	check_block(v, theirs, "theirs", 0);
	struct sketch_part *part = part_of(theirs, 0, 1);
	assert_int_equal(sketch_peel(ours, part, all_work(1), &out), ERR_OK);
	const uint8_t *want = vectors_get(v, "difference", &len);
	assert_int_equal(len, out.count * 8);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(want[i], (uint8_t)(out.ids[i / 8] >> (56 - 8 * (i % 8))));
	free(out.ids);
	sketch_part_free(part);
	sketch_free(ours);
	sketch_free(theirs);
	vectors_free(keys);
	vectors_free(v);
}

int main(int argc, char **argv)
{
	json = argc > 1 && strcmp(argv[1], "--json") == 0;
	if (json) {
		print_costs();
		print_shares();
		return 0;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_vectors),  cmocka_unit_test(test_shares), cmocka_unit_test(test_blocks),
	    cmocka_unit_test(test_estimate), cmocka_unit_test(test_noise),  cmocka_unit_test(test_endless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
