/* The record index against a naive model, and what its hashes tell. */
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "gossip/idset.h"
#include "gossip/set.h"
#include "tests/unit/scratch.h"

#define HOSTS 40
#define SITES 5

static const uint8_t set_key[KEY_BYTES] = {1, 2, 3};

/* The set looks at the parsed fields and hashes the bytes; these need not be a real envelope. */
struct made {
	uint8_t bytes[64];
	struct record r;
};

static struct record_key key_of(uint8_t kind, uint8_t host, uint64_t slot)
{
	struct record_key key = {.kind = kind, .slot = slot};
	memset(key.writer.b, host + 1, ID_BYTES);
	memset(key.subject.b, host + 1, ID_BYTES);
	return key;
}

static struct record *make(struct made *m, struct record_key key, uint64_t seq, uint8_t variant)
{
	memset(m, 0, sizeof *m);
	record_key_pack(&key, m->bytes);
	memcpy(m->bytes + RECORD_KEY_BYTES, &seq, sizeof seq);
	m->bytes[RECORD_KEY_BYTES + 8] = variant;
	m->r = (struct record){.key = key, .seq = seq, .bytes = m->bytes, .len = 150};
	m->r.len = sizeof m->bytes;
	return &m->r;
}

static uint64_t home_of(uint8_t host)
{
	return 0x1000u + host % SITES;
}

static struct set *fresh_set(void)
{
	struct set *s = NULL;
	assert_int_equal(set_new(set_key, &s), ERR_OK);
	return s;
}

static enum set_order put(struct set *s, struct record *r, uint64_t home)
{
	enum set_order order = SET_NEW;
	assert_int_equal(set_put(s, r, record_id(set_key, r->bytes, r->len), home, 5, &order), ERR_OK);
	return order;
}

static void test_order(void **state)
{
	(void)state;
	struct set *s = fresh_set();
	struct made a, b;
	struct record_key key = key_of(RECORD_HEALTH, 1, 0);
	struct set_entry e;
	assert_false(set_find(s, &key, &e));
	assert_int_equal(put(s, make(&a, key, 10, 0), 77), SET_NEW);
	assert_int_equal(put(s, &a.r, 77), SET_SAME);
	assert_int_equal(put(s, make(&b, key, 9, 0), 77), SET_OLDER);
	assert_int_equal(put(s, make(&b, key, 11, 0), 77), SET_NEWER);
	assert_int_equal(set_count(s), 1);
	assert_false(set_has_id(s, record_id(set_key, a.bytes, a.r.len)));
	assert_true(set_find_id(s, record_id(set_key, b.bytes, b.r.len), &e));
	assert_int_equal(e.seq, 11);
	assert_int_equal(e.partition, 77);
	assert_int_equal(e.len, b.r.len);
	assert_int_equal(e.received, 5);
	assert_true(record_key_equal(&e.key, &key));
	/* Two records of one seq: whichever comes first, the lower id is left. */
	make(&a, key, 20, 1);
	make(&b, key, 20, 2);
	uint64_t ida = record_id(set_key, a.bytes, a.r.len), idb = record_id(set_key, b.bytes, b.r.len);
	struct record *low = ida < idb ? &a.r : &b.r, *high = ida < idb ? &b.r : &a.r;
	put(s, high, 77);
	assert_int_equal(put(s, low, 77), SET_FORK_WINS);
	assert_int_equal(put(s, high, 77), SET_FORK_STANDS);
	assert_true(set_find(s, &key, &e));
	assert_int_equal(e.id, ida < idb ? ida : idb);
	assert_int_equal(set_put(s, make(&a, key_of(99, 1, 0), 1, 0), 1, 77, 0, NULL), ERR_ARG);
	set_free(s);
	set_free(NULL);
}

static void test_partitions(void **state)
{
	(void)state;
	struct set *s = fresh_set();
	struct made m;
	uint64_t ids[4], roots[4];
	assert_int_equal(set_estate_root(s), 0);
	put(s, make(&m, key_of(RECORD_PROFILE, 1, 0), 1, 0), 500);
	uint64_t root = set_estate_root(s);
	assert_true(root != 0);
	/* Site records are not in the estate root. */
	put(s, make(&m, key_of(RECORD_ROLLCALL, 1, 0), 1, 0), 500);
	assert_int_equal(set_estate_root(s), root);
	assert_true(set_partition_root(s, SET_PARTITION_SITE) != 0);
	put(s, make(&m, key_of(RECORD_NOTE, 1, 9), 1, 0), 500);
	assert_true(set_estate_root(s) != root);
	assert_int_equal(set_partitions(s, 0, 4, ids, roots), 3);
	assert_int_equal(ids[0], SET_PARTITION_SITE);
	assert_int_equal(ids[1], SET_PARTITION_OPERATOR);
	assert_int_equal(ids[2], 500);
	assert_int_equal(roots[2], set_partition_root(s, 500));
	assert_int_equal(set_partitions(s, 3, 4, ids, roots), 1);
	assert_int_equal(set_partitions(s, 501, 4, ids, roots), 0);
	assert_int_equal(set_partition_root(s, 501), 0);
	set_free(s);
}

static uint64_t everywhere(const void *context, const struct record_key *key)
{
	const uint64_t *partition = context;
	(void)key;
	return *partition;
}

/* The sketch holds what the estate root tells of, wherever it moves. */
static void test_sketch_is_of_what_is_compared(void **state)
{
	(void)state;
	struct set *s = fresh_set(), *none = fresh_set();
	struct made m;
	put(s, make(&m, key_of(RECORD_ROLLCALL, 1, 0), 1, 0), 500);
	assert_true(sketch_equal(set_sketch(s), set_sketch(none)));
	put(s, make(&m, key_of(RECORD_PROFILE, 1, 0), 1, 0), 500);
	put(s, make(&m, key_of(RECORD_NOTE, 1, 9), 1, 0), 500);
	assert_false(sketch_equal(set_sketch(s), set_sketch(none)));
	assert_int_equal(set_sketch_check(s), ERR_OK);
	static const uint64_t untold[] = {SET_PARTITION_HIDDEN, SET_PARTITION_SITE};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(set_arrange(s, everywhere, &untold[i]), ERR_OK);
		assert_true(sketch_equal(set_sketch(s), set_sketch(none)));
		assert_int_equal(set_sketch_check(s), ERR_OK);
	}
	uint64_t home = 600;
	assert_int_equal(set_arrange(s, everywhere, &home), ERR_OK);
	assert_false(sketch_equal(set_sketch(s), set_sketch(none)));
	assert_int_equal(set_sketch_check(s), ERR_OK);
	put(s, make(&m, key_of(RECORD_PROFILE, 1, 0), 2, 0), SET_PARTITION_HIDDEN); /* replaced and moved */
	assert_int_equal(set_sketch_check(s), ERR_OK);
	struct record_key key = key_of(RECORD_NOTE, 1, 9);
	assert_true(set_remove(s, &key));
	key = key_of(RECORD_ROLLCALL, 1, 0);
	assert_true(set_remove(s, &key));
	assert_true(sketch_equal(set_sketch(s), set_sketch(none)));
	set_free(s);
	set_free(none);
}

/* A site that is no more leaves its partition to another. */
static void test_empty_partitions_are_used_again(void **state)
{
	(void)state;
	struct set *s = fresh_set(), *other = fresh_set();
	struct made m;
	uint64_t ids[8], roots[8];
	for (unsigned i = 0; i < 2 * LIMIT_SITES; i++) {
		put(s, make(&m, key_of(RECORD_PROFILE, 1, 0), i + 1, 0), 5000 - i);
		put(s, make(&m, key_of(RECORD_HEALTH, 2, 0), i + 1, 0), 4000 - i % 3);
	}
	put(other, make(&m, key_of(RECORD_PROFILE, 1, 0), 2 * LIMIT_SITES, 0), 5001 - 2 * LIMIT_SITES);
	put(other, make(&m, key_of(RECORD_HEALTH, 2, 0), 2 * LIMIT_SITES, 0),
	    4000 - (2 * LIMIT_SITES - 1) % 3);
	assert_int_equal(set_partitions(s, 0, 8, ids, roots), 2);
	assert_true(ids[0] < ids[1]);
	assert_int_equal(set_estate_root(s), set_estate_root(other));
	set_free(s);
	set_free(other);
}

/* --- model --- */

struct model_entry {
	bool there;
	uint64_t seq, id, home;
};
static struct model_entry model[16][HOSTS];

static void check_model(struct set *s)
{
	size_t count = 0, listed = 0;
	struct set_entry e;
	for (uint8_t kind = 1; kind < 16; kind++)
		for (uint8_t host = 0; host < HOSTS; host++) {
			struct record_key key = key_of(kind, host, 0);
			const struct model_entry *m = &model[kind][host];
			assert_int_equal(set_find(s, &key, &e), m->there);
			if (!m->there)
				continue;
			count++;
			assert_int_equal(e.seq, m->seq);
			assert_int_equal(e.id, m->id);
			assert_int_equal(e.partition, m->home);
			assert_true(set_find_id(s, m->id, &e));
			assert_true(record_key_equal(&e.key, &key));
		}
	assert_int_equal(set_count(s), count);
	for (size_t i = 0; i < count; i++)
		assert_true(set_at(s, i, &e));
	assert_false(set_at(s, count, &e));
	for (uint64_t home = 0x1000; home < 0x1000 + SITES; home++)
		for (unsigned leaf = 0; leaf < SET_LEAVES; leaf++) {
			uint64_t ids[3], from = 0;
			bool more = true;
			while (more) { /* pages of three */
				size_t n = set_leaf_ids(s, home, (uint8_t)leaf, from, 3, ids, &more);
				for (size_t i = 0; i < n; i++) {
					assert_true(ids[i] >= from);
					assert_true(set_find_id(s, ids[i], &e));
					assert_int_equal(e.partition, home);
					assert_int_equal(e.key_hash >> 56, leaf);
					from = ids[i] + 1;
					listed++;
				}
				assert_true(n == 3 || !more);
			}
		}
	assert_int_equal(listed, count);
}

static void test_model(void **state)
{
	(void)state;
	struct set *s = fresh_set();
	struct prng p;
	prng_seed(&p, 20240719);
	memset(model, 0, sizeof model);
	for (size_t n = 0; n < 10000; n++) {
		uint8_t kind = (uint8_t)(1 + prng_below(&p, 15)), host = (uint8_t)prng_below(&p, HOSTS);
		struct model_entry *m = &model[kind][host];
		struct record_key key = key_of(kind, host, 0);
		if (prng_chance(&p, 0.1)) {
			assert_int_equal(set_remove(s, &key), m->there);
			m->there = false;
		} else {
			struct made made;
			uint64_t seq = 1 + prng_below(&p, 30);
			struct record *r = make(&made, key, seq, (uint8_t)prng_below(&p, 3));
			uint64_t id = record_id(set_key, r->bytes, r->len);
			bool wins = !m->there || seq > m->seq || (seq == m->seq && id < m->id);
			put(s, r, home_of(host));
			if (wins)
				*m = (struct model_entry){true, seq, id, home_of(host)};
		}
		if (n % 1000 == 0) {
			check_model(s);
			assert_int_equal(set_sketch_check(s), ERR_OK);
			set_estate_root(s); /* hashes that are cached must not go stale */
		}
	}
	check_model(s);
	assert_int_equal(set_sketch_check(s), ERR_OK);
	/* A set that got the survivors in another order tells the same hashes. */
	struct set *other = fresh_set();
	assert_int_equal(set_reserve(other, 5000), ERR_OK);
	assert_int_equal(set_reserve(s, 5000), ERR_OK);
	check_model(s);
	for (size_t i = set_count(s); i-- > 0;) {
		struct set_entry e;
		assert_true(set_at(s, i, &e));
		for (uint8_t variant = 0; variant < 3; variant++) {
			struct made made;
			struct record *r = make(&made, e.key, e.seq, variant);
			if (record_id(set_key, r->bytes, r->len) == e.id)
				put(other, r, e.partition);
		}
	}
	assert_int_equal(set_count(other), set_count(s));
	assert_int_equal(set_estate_root(other), set_estate_root(s));
	assert_true(sketch_equal(set_sketch(other), set_sketch(s)));
	set_free(other);
	set_free(s);
}

static void test_one_difference(void **state)
{
	(void)state;
	struct set *a = fresh_set(), *b = fresh_set();
	struct made m;
	for (uint8_t host = 0; host < HOSTS; host++)
		for (uint8_t kind = 1; kind < 16; kind++) {
			put(a, make(&m, key_of(kind, host, 0), 3, 0), 9);
			uint8_t other = (uint8_t)(HOSTS - 1 - host);
			put(b, make(&m, key_of(kind, other, 0), 3, 0), 9);
		}
	assert_int_equal(set_estate_root(a), set_estate_root(b));
	put(b, make(&m, key_of(7, 7, 0), 4, 0), 9);
	struct set_entry e;
	assert_true(set_find(b, &m.r.key, &e));
	assert_true(set_estate_root(a) != set_estate_root(b));
	uint64_t ca[SET_CHILDREN], cb[SET_CHILDREN];
	set_children(a, 9, ca);
	set_children(b, 9, cb);
	size_t child = e.key_hash >> 60;
	for (size_t i = 0; i < SET_CHILDREN; i++)
		assert_int_equal(ca[i] != cb[i], i == child);
	set_leaves(a, 9, (uint8_t)child, ca);
	set_leaves(b, 9, (uint8_t)child, cb);
	for (size_t i = 0; i < SET_CHILDREN; i++)
		assert_int_equal(ca[i] != cb[i], i == (e.key_hash >> 56 & 15));
	put(a, &m.r, 9);
	assert_int_equal(set_estate_root(a), set_estate_root(b));
	set_free(a);
	set_free(b);
}

static void test_idset(void **state)
{
	(void)state;
	struct idset s;
	struct id id = {{0}};
	bool there[500] = {false};
	struct prng p;
	prng_seed(&p, 8);
	idset_init(&s, 400);
	assert_false(idset_has(&s, &id));
	assert_int_equal(idset_add(&s, &id), ERR_ARG);
	size_t count = 0;
	for (size_t n = 0; n < 20000; n++) {
		size_t i = prng_below(&p, 500);
		id = (struct id){{0}};
		id.b[7] = (uint8_t)(i % 16); /* few places, many neighbours */
		id.b[8] = (uint8_t)(i >> 8);
		id.b[9] = (uint8_t)i;
		id.b[10] = 1;
		if (prng_chance(&p, 0.5)) {
			enum err err = idset_add(&s, &id);
			assert_int_equal(err, there[i] || count < 400 ? ERR_OK : ERR_LIMIT);
			count += err == ERR_OK && !there[i];
			there[i] |= err == ERR_OK;
		} else {
			assert_int_equal(idset_remove(&s, &id), there[i]);
			count -= there[i];
			there[i] = false;
		}
		assert_int_equal(idset_has(&s, &id), there[i]);
		assert_int_equal(s.count, count);
	}
	idset_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_partitions),
	    cmocka_unit_test(test_sketch_is_of_what_is_compared),
	    cmocka_unit_test(test_empty_partitions_are_used_again),
	    cmocka_unit_test(test_model),
	    cmocka_unit_test(test_one_difference),
	    cmocka_unit_test(test_idset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
