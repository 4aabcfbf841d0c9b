/* Manifests: what one change costs, what order the reader sees, and what hostile blobs may not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mp.h"
#include "record/manifest.h"

/* Chunks and lists of the largest manifest, twice. */
#define POOL_BLOBS 8192

struct pool {
	struct {
		struct id id;
		size_t len;
		uint8_t bytes[LIMIT_BLOB_BYTES];
	} blobs[POOL_BLOBS];
	size_t count;
	size_t added; /* by the last build: what a peer would have to pull */
	size_t fetched;
	size_t emit_fails_at; /* countdown; 0: never */
};

static struct pool pool;

static enum err keep(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct pool *p = context;
	enum blob_type type;
	if (p->emit_fails_at > 0 && --p->emit_fails_at == 0)
		return ERR_DISK_FULL;
	assert_in_range(len, 2, LIMIT_BLOB_BYTES);
	assert_int_equal(blob_check(blob, len, &type), ERR_OK);
	struct id derived = blob_id(blob, len);
	assert_true(id_equal(id, &derived));
	for (size_t i = 0; i < p->count; i++)
		if (id_equal(&p->blobs[i].id, id))
			return ERR_OK;
	assert_in_range(p->count, 0, POOL_BLOBS - 1);
	p->blobs[p->count].id = *id;
	p->blobs[p->count].len = len;
	memcpy(p->blobs[p->count].bytes, blob, len);
	p->count++;
	p->added++;
	return ERR_OK;
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	struct pool *p = context;
	p->fetched++;
	for (size_t i = 0; i < p->count; i++) {
		if (!id_equal(&p->blobs[i].id, id))
			continue;
		memcpy(ret, p->blobs[i].bytes, p->blobs[i].len);
		*ret_len = p->blobs[i].len;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

static struct component component_of(unsigned n)
{
	struct component c = {.kind = COMPONENT_MODULE, .flags = n % 32};
	snprintf(c.name, sizeof(c.name), "module_%04u", n);
	c.version.status = n % 3 == 0 ? READING_ABSENT : READING_OK;
	if (c.version.status == READING_OK)
		snprintf(c.version.value, sizeof(c.version.value), "%u.%u", n / 7, n % 7);
	c.source.status = READING_OK;
	snprintf(c.source.value, sizeof(c.source.value), "%024x", n * 2654435761u);
	c.vendor.status = READING_DENIED;
	c.size_bytes = (struct reading_u64){READING_OK, (uint64_t)n << 20};
	return c;
}

struct expected {
	const struct component *components;
	const size_t *order;
	size_t count;
	size_t seen;
	size_t stop_after;
	struct component got[LIMIT_COMPONENTS];
	uint64_t last_id;
};

static bool collect(void *context, size_t index, uint64_t entry_id, const struct component *c)
{
	struct expected *e = context;
	uint8_t entry[COMPONENT_ENTRY_BYTES];
	size_t len;
	assert_int_equal(index, e->seen);
	assert_int_equal(component_encode(c, entry, &len), ERR_OK);
	assert_int_equal(component_entry_id(entry, len), entry_id);
	e->got[index] = *c;
	e->last_id = entry_id;
	return ++e->seen != e->stop_after;
}

static struct expected expected;

static enum err read_all(const struct id *root)
{
	expected.seen = 0;
	pool.fetched = 0;
	return manifest_read(root, fetch, &pool, collect, &expected);
}

static int setup(void **state)
{
	(void)state;
	pool.count = pool.added = pool.emit_fails_at = 0;
	memset(&expected, 0, sizeof(expected));
	return 0;
}

static void test_component(void **state)
{
	(void)state;
	uint8_t entry[COMPONENT_ENTRY_BYTES];
	size_t len = 0;
	struct component c = {.kind = COMPONENT_CONTENT_FILE, .flags = UINT16_MAX}, got = {.flags = 1};
	memset(c.name, 'n', 64);
	c.version.status = c.source.status = c.vendor.status = READING_OK;
	memset(c.version.value, 'v', 64);
	memset(c.source.value, 's', 64);
	memset(c.vendor.value, 'w', 64);
	c.size_bytes = (struct reading_u64){READING_OK, UINT64_MAX};
	assert_int_equal(component_encode(&c, entry, &len), ERR_OK);
	assert_int_equal(len, COMPONENT_ENTRY_BYTES);
	assert_int_equal(component_decode(entry, len, &got), ERR_OK);
	assert_memory_equal(&got, &c, sizeof(c));
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(component_decode(entry, cut, &got), ERR_OK);
	for (int s = READING_UNKNOWN; s <= READING_FAILED; s++) {
		struct component r = {.kind = COMPONENT_DRIVER, .name = "d"};
		r.version.status = r.source.status = r.vendor.status = (enum reading_status)s;
		r.size_bytes.status = (enum reading_status)s;
		assert_int_equal(component_encode(&r, entry, &len), ERR_OK);
		assert_int_equal(component_decode(entry, len, &got), ERR_OK);
		assert_memory_equal(&got, &r, sizeof(r));
	}
	c.name[0] = '\0';
	assert_int_equal(component_encode(&c, entry, &len), ERR_RANGE);
	c.name[0] = 'n';
	c.kind = (enum component_kind)9;
	assert_int_equal(component_encode(&c, entry, &len), ERR_RANGE);
	c.kind = (enum component_kind)0;
	assert_int_equal(component_encode(&c, entry, &len), ERR_RANGE);
	assert_int_equal(component_decode((const uint8_t *)"\x81\x01\x01", 3, &got), ERR_FORMAT);
	assert_int_equal(component_decode((const uint8_t *)"\x82\x01\x01\x02\xa0", 5, &got), ERR_RANGE);
	assert_int_equal(component_decode((const uint8_t *)"\x82\x01\xa1x\x02\xa1x", 7, &got), ERR_FORMAT);
}

static void test_empty(void **state)
{
	(void)state;
	struct id root;
	size_t entries = 9;
	assert_int_equal(manifest_build(NULL, 0, NULL, keep, &pool, &root, &entries), ERR_OK);
	assert_int_equal(entries, 0);
	assert_int_equal(pool.count, 1);
	assert_int_equal(read_all(&root), ERR_OK);
	assert_int_equal(expected.seen, 0);
}

static void check_round_trip(size_t count)
{
	static struct component components[LIMIT_COMPONENTS];
	static size_t order[LIMIT_COMPONENTS];
	struct id root;
	size_t entries = 0;
	setup(NULL);
	/* Given in an order that is not the manifest's. */
	for (size_t i = 0; i < count; i++)
		components[i] = component_of((unsigned)(count - i));
	assert_int_equal(manifest_build(components, count, order, keep, &pool, &root, &entries), ERR_OK);
	assert_int_equal(entries, count);
	assert_int_equal(read_all(&root), ERR_OK);
	assert_int_equal(expected.seen, count);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(&expected.got[order[i]], &components[i], sizeof(components[i]));
	/* The same components in another order are the same manifest. */
	for (size_t i = 0; i < count / 2; i++) {
		struct component c = components[i];
		components[i] = components[count - 1 - i];
		components[count - 1 - i] = c;
	}
	struct id again;
	assert_int_equal(manifest_build(components, count, NULL, keep, &pool, &again, &entries), ERR_OK);
	assert_true(id_equal(&root, &again));
}

static void test_sizes(void **state)
{
	(void)state;
	for (size_t count = 1; count <= 40; count++)
		check_round_trip(count);
	check_round_trip(300);
	check_round_trip(1000);
	check_round_trip(LIMIT_COMPONENTS);
	/* Beyond 63 chunks there are lists of lists. */
	assert_in_range(pool.count, 3072 / 16, 3072);
	struct id root;
	size_t entries = 7;
	static struct component many[LIMIT_COMPONENTS + 1];
	assert_int_equal(manifest_build(many, LIMIT_COMPONENTS + 1, NULL, keep, &pool, &root, &entries),
			 ERR_LIMIT);
	assert_int_equal(entries, 7);
}

static void test_chunks_end_where_documented(void **state)
{
	(void)state;
	static struct component components[300];
	struct id root;
	size_t entries;
	for (unsigned i = 0; i < 300; i++)
		components[i] = component_of(i);
	assert_int_equal(manifest_build(components, 300, NULL, keep, &pool, &root, &entries), ERR_OK);
	size_t by_content = 0, by_size = 0;
	for (size_t i = 0; i < pool.count; i++) {
		const uint8_t *blob = pool.blobs[i].bytes;
		size_t len = pool.blobs[i].len, at = 3, entry_len = 0;
		if (blob[1] != BLOB_COMPONENTS)
			continue;
		if (blob[2] == 0xdc)
			at = 5;
		bool last = false;
		while (at < len) {
			assert_false(last);
			assert_int_equal(mp_check_prefix(blob + at, len - at, &entry_len), ERR_OK);
			last = (component_entry_id(blob + at, entry_len) >> 56) % 8 == 0;
			at += entry_len;
		}
		by_content += last;
		by_size += !last;
		if (!last)
			/* The largest of these entries is below 80 bytes. */
			assert_true(len > LIMIT_BLOB_BYTES - 80 || pool.blobs[i + 1].bytes[1] == BLOB_LIST);
	}
	assert_true(by_content > by_size);
	assert_true(by_size > 1);
}

static void test_change_costs_one_chunk(void **state)
{
	(void)state;
	static struct component components[200];
	struct id root;
	size_t entries, total = 0, worst = 0;
	for (unsigned i = 0; i < 200; i++)
		components[i] = component_of(i);
	assert_int_equal(manifest_build(components, 200, NULL, keep, &pool, &root, &entries), ERR_OK);
	for (size_t i = 0; i < 200; i++) {
		struct component before = components[i];
		snprintf(components[i].source.value, sizeof(components[i].source.value), "changed");
		pool.added = 0;
		assert_int_equal(manifest_build(components, 200, NULL, keep, &pool, &root, &entries), ERR_OK);
		assert_true(pool.added >= 2);
		total += pool.added;
		worst = pool.added > worst ? pool.added : worst;
		components[i] = before;
	}
	/* Mostly the chunk and the list. A change may end a chunk or stop ending one, and cuts that were made
	 * for size may move until the content says the next. */
	assert_true(total <= 200 * 5 / 2);
	assert_true(worst <= 8);
}

static void test_duplicates(void **state)
{
	(void)state;
	struct component c[4] = {component_of(5), component_of(3), component_of(5), component_of(4)};
	size_t order[4], entries;
	struct id root;
	assert_int_equal(manifest_build(c, 4, order, keep, &pool, &root, &entries), ERR_OK);
	assert_int_equal(entries, 3);
	assert_int_equal(order[0], order[2]);
	assert_int_equal(read_all(&root), ERR_OK);
	assert_int_equal(expected.seen, 3);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(expected.got[order[i]].name, c[i].name);
}

static void test_missing_chunk(void **state)
{
	(void)state;
	static struct component components[100], whole[100];
	struct id root;
	size_t entries;
	for (unsigned i = 0; i < 100; i++)
		components[i] = component_of(i);
	assert_int_equal(manifest_build(components, 100, NULL, keep, &pool, &root, &entries), ERR_OK);
	assert_int_equal(read_all(&root), ERR_OK);
	memcpy(whole, expected.got, sizeof(whole));
	/* Chunks come first, the root last. */
	pool.blobs[2].id.b[0] ^= 1;
	assert_int_equal(read_all(&root), ERR_NOT_FOUND);
	assert_in_range(expected.seen, 1, 99);
	for (size_t i = 0; i < expected.seen; i++)
		assert_memory_equal(&expected.got[i], &whole[i], sizeof(struct component));
	struct id nowhere = {{9}};
	assert_int_equal(read_all(&nowhere), ERR_NOT_FOUND);
	/* A caller that has seen enough is no error. */
	pool.blobs[2].id.b[0] ^= 1;
	expected.stop_after = 5;
	assert_int_equal(read_all(&root), ERR_OK);
	assert_int_equal(expected.seen, 5);
}

static void test_emit_fails(void **state)
{
	(void)state;
	static struct component components[100];
	size_t blobs = 0;
	struct id root = {{1}};
	for (unsigned i = 0; i < 100; i++)
		components[i] = component_of(i);
	for (size_t at = 1;; at++) {
		size_t entries = 77;
		pool.emit_fails_at = at;
		enum err err = manifest_build(components, 100, NULL, keep, &pool, &root, &entries);
		if (err == ERR_OK)
			break;
		assert_int_equal(err, ERR_DISK_FULL);
		assert_int_equal(entries, 77);
		assert_int_equal(root.b[0], 1);
		blobs = at;
	}
	assert_int_equal(blobs, pool.count);
}

/* A list of 63 times `id`, under any name: hashes make cycles impossible only where ids are checked. */
static void plant_list(const struct id *name, const struct id *id)
{
	uint8_t *bytes = pool.blobs[pool.count].bytes;
	bytes[0] = 1;
	bytes[1] = BLOB_LIST;
	for (size_t i = 0; i < LIMIT_BLOB_LIST; i++)
		memcpy(bytes + 2 + i * ID_BYTES, id->b, ID_BYTES);
	pool.blobs[pool.count].len = 2 + LIMIT_BLOB_LIST * ID_BYTES;
	pool.blobs[pool.count++].id = *name;
}

static void plant(const struct id *name, const void *bytes, size_t len)
{
	memcpy(pool.blobs[pool.count].bytes, bytes, len);
	pool.blobs[pool.count].len = len;
	pool.blobs[pool.count++].id = *name;
}

static void test_hostile(void **state)
{
	(void)state;
	const struct id cycle = {{1}}, a = {{2}}, b = {{3}}, c = {{4}}, chunk = {{5}}, bad = {{6}};
	plant_list(&cycle, &cycle);
	assert_int_equal(read_all(&cycle), ERR_FORMAT);
	assert_int_equal(pool.fetched, 3);
	/* Depth three. */
	plant_list(&a, &b);
	plant_list(&b, &c);
	plant_list(&c, &chunk);
	plant(&chunk, "\x01\x02\x90", 3);
	assert_int_equal(read_all(&a), ERR_FORMAT);
	/* Depth two of empty chunks ends. */
	assert_int_equal(read_all(&b), ERR_OK);
	assert_int_equal(pool.fetched, 1 + 63 + 63 * 63);
	/* A chunk is no manifest. */
	assert_int_equal(read_all(&chunk), ERR_FORMAT);
	/* More entries than a host may have. */
	uint8_t full[LIMIT_BLOB_BYTES] = {1, BLOB_COMPONENTS, 0xdc, 0, 100};
	size_t len = 5;
	for (int i = 0; i < 100; i++) {
		memcpy(full + len, "\x82\x01\x01\x02\xa1x", 6);
		len += 6;
	}
	pool.count = 0;
	plant_list(&c, &chunk);
	plant(&chunk, full, len);
	assert_int_equal(read_all(&c), ERR_LIMIT);
	assert_int_equal(expected.seen, LIMIT_COMPONENTS);
	/* Chunks that are none. */
	static const struct {
		const char *bytes;
		size_t len;
		enum err err;
	} broken[] = {
	    {"\x01\x02\x80", 3, ERR_FORMAT},     /* a map */
	    {"\x01\x02\x91\x05", 4, ERR_FORMAT}, /* an entry that is a number */
	    {"\x01\x02\x91", 3, ERR_FORMAT},     /* cut short */
	    {"\x01\x02\x90\x90", 4, ERR_FORMAT}, /* something after the end */
	    {"\x02\x02\x90", 3, ERR_VERSION},    /* a later version */
	    {"\x01\x06", 2, ERR_FORMAT},         /* another type */
	    {"\x01", 1, ERR_FORMAT},             /* nothing */
	    {"\x01\x01\x00", 3, ERR_FORMAT},     /* a list of a part of an id */
	};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		pool.count = 0;
		plant_list(&c, &bad);
		plant(&bad, broken[i].bytes, broken[i].len);
		assert_int_equal(read_all(&c), broken[i].err);
		assert_int_equal(expected.seen, 0);
	}
}

static void test_blob_check(void **state)
{
	(void)state;
	static uint8_t blob[LIMIT_BLOB_BYTES + 1] = {1, BLOB_LIST};
	enum blob_type type = BLOB_POLICY;
	const uint8_t *ids;
	size_t count = 0;
	assert_int_equal(blob_check(blob, LIMIT_BLOB_BYTES + 1, &type), ERR_LIMIT);
	assert_int_equal(type, BLOB_POLICY);
	assert_int_equal(blob_list(blob, 2 + 3 * ID_BYTES, &ids, &count), ERR_OK);
	assert_int_equal(count, 3);
	assert_ptr_equal(ids, blob + 2);
	/* 1,022 bytes hold 63 ids and 14 bytes more. */
	assert_int_equal(blob_check(blob, 2 + LIMIT_BLOB_LIST * ID_BYTES, &type), ERR_OK);
	assert_int_equal(blob_check(blob, LIMIT_BLOB_BYTES, &type), ERR_FORMAT);
	/* Types of later versions are kept. */
	blob[1] = 99;
	assert_int_equal(blob_check(blob, 100, &type), ERR_OK);
	assert_int_equal(blob_list(blob, 2 + 3 * ID_BYTES, &ids, &count), ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(test_component, setup),
	    cmocka_unit_test_setup(test_empty, setup),
	    cmocka_unit_test_setup(test_sizes, setup),
	    cmocka_unit_test_setup(test_chunks_end_where_documented, setup),
	    cmocka_unit_test_setup(test_change_costs_one_chunk, setup),
	    cmocka_unit_test_setup(test_duplicates, setup),
	    cmocka_unit_test_setup(test_missing_chunk, setup),
	    cmocka_unit_test_setup(test_emit_fails, setup),
	    cmocka_unit_test_setup(test_hostile, setup),
	    cmocka_unit_test_setup(test_blob_check, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
