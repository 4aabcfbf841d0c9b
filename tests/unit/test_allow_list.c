#include "record/allow_list.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/scratch.h"

/* What was emitted, in its order. */
struct shelf {
	struct {
		struct id id;
		uint8_t bytes[LIMIT_BLOB_BYTES];
		size_t len;
	} * blobs;
	size_t count;
	size_t stop_after; /* emit fails then; 0: never */
};

static struct shelf shelf;
static struct id *hosts, *back;

static int make(void **state)
{
	(void)state;
	shelf = (struct shelf){.blobs = calloc(ALLOW_LIST_BLOBS, sizeof(*shelf.blobs))};
	hosts = calloc(LIMIT_ALLOW_HOSTS + 1, sizeof(*hosts));
	back = calloc(LIMIT_ALLOW_HOSTS, sizeof(*back));
	if (shelf.blobs == NULL || hosts == NULL || back == NULL)
		return 1;
	for (uint32_t i = 0; i <= LIMIT_ALLOW_HOSTS; i++)
		hosts[i] = (struct id){{(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 7}};
	return 0;
}

static int drop(void **state)
{
	(void)state;
	free(shelf.blobs);
	free(hosts);
	free(back);
	return 0;
}

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct shelf *s = context;
	if (s->stop_after > 0 && s->count == s->stop_after)
		return ERR_DISK_FULL;
	assert_true(s->count < ALLOW_LIST_BLOBS);
	s->blobs[s->count].id = *id;
	s->blobs[s->count].len = len;
	memcpy(s->blobs[s->count++].bytes, blob, len);
	return ERR_OK;
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	const struct shelf *s = context;
	for (size_t i = 0; i < s->count; i++) {
		if (!id_equal(&s->blobs[i].id, id))
			continue;
		memcpy(ret, s->blobs[i].bytes, s->blobs[i].len);
		*ret_len = s->blobs[i].len;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

static struct id build(size_t count)
{
	struct id root;
	shelf.count = 0;
	assert_int_equal(allow_list_build(hosts, count, emit, &shelf, &root), ERR_OK);
	assert_true(id_equal(&root, &shelf.blobs[shelf.count - 1].id));
	return root;
}

static void what_was_built_is_read(void **state)
{
	(void)state;
	static const struct {
		size_t hosts, blobs;
	} cases[] = {{0, 1},
		     {1, 1},
		     {63, 1},
		     {64, 2 + 1},
		     {126, 2 + 1},
		     {63 * 63, 63 + 1},
		     {63 * 63 + 1, 64 + 2 + 1},
		     {LIMIT_ALLOW_HOSTS, 1041 + 17 + 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct id root = build(cases[i].hosts);
		size_t count = 99;
		assert_int_equal(shelf.count, cases[i].blobs);
		for (size_t k = 0; k < shelf.count; k++) {
			struct id id = blob_id(shelf.blobs[k].bytes, shelf.blobs[k].len);
			assert_true(id_equal(&id, &shelf.blobs[k].id));
		}
		assert_int_equal(allow_list_read(&root, fetch, &shelf, back, &count, NULL), ERR_OK);
		assert_int_equal(count, cases[i].hosts);
		assert_memory_equal(back, hosts, count * sizeof(*hosts));
	}
}

static void bytes_are_those_of_the_protocol(void **state)
{
	(void)state;
	build(64);
	assert_int_equal(shelf.blobs[0].len, 2 + 63 * 16);
	assert_memory_equal(shelf.blobs[0].bytes, "\x01\x06", 2);
	assert_memory_equal(shelf.blobs[0].bytes + 2, hosts, 63 * 16);
	assert_int_equal(shelf.blobs[1].len, 2 + 16);
	assert_memory_equal(shelf.blobs[1].bytes + 2, &hosts[63], 16);
	assert_int_equal(shelf.blobs[2].len, 2 + 2 * 16);
	assert_memory_equal(shelf.blobs[2].bytes, "\x01\x01", 2);
	assert_memory_equal(shelf.blobs[2].bytes + 2, &shelf.blobs[0].id, 16);
	assert_memory_equal(shelf.blobs[2].bytes + 18, &shelf.blobs[1].id, 16);
}

static void builders_check_their_hosts(void **state)
{
	(void)state;
	struct id root = {{9}}, pair[2] = {{{2}}, {{1}}};
	assert_int_equal(allow_list_build(pair, 2, emit, &shelf, &root), ERR_FORMAT);
	pair[1] = pair[0];
	assert_int_equal(allow_list_build(pair, 2, emit, &shelf, &root), ERR_FORMAT);
	assert_int_equal(allow_list_build(hosts, LIMIT_ALLOW_HOSTS + 1, emit, &shelf, &root), ERR_LIMIT);
	assert_int_equal(shelf.count, 0);
	for (shelf.stop_after = 1; shelf.stop_after < 3; shelf.stop_after++) {
		shelf.count = 0;
		assert_int_equal(allow_list_build(hosts, 64, emit, &shelf, &root), ERR_DISK_FULL);
	}
	assert_int_equal(root.b[0], 9);
}

static void a_missing_blob_is_named(void **state)
{
	(void)state;
	struct id root = build(200), missing = {{0}};
	size_t count = 99;
	for (size_t gone = 0; gone < shelf.count; gone++) {
		struct id kept = shelf.blobs[gone].id;
		shelf.blobs[gone].id = (struct id){{0xff}};
		assert_int_equal(allow_list_read(&root, fetch, &shelf, back, &count, &missing),
				 ERR_NOT_FOUND);
		assert_true(id_equal(&missing, &kept));
		assert_int_equal(count, 99);
		shelf.blobs[gone].id = kept;
	}
}

/* A blob of `ids`, put on the shelf. */
static struct id put(uint8_t type, const struct id *ids, size_t count, size_t more)
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {1, type};
	size_t len = 2 + count * ID_BYTES + more;
	for (size_t i = 0; i < count; i++)
		memcpy(blob + 2 + i * ID_BYTES, ids[i].b, ID_BYTES);
	struct id id = blob_id(blob, len);
	assert_int_equal(emit(&shelf, &id, blob, len), ERR_OK);
	return id;
}

static void refused(const struct id *root, enum err want)
{
	size_t count = 99;
	assert_int_equal(allow_list_read(root, fetch, &shelf, back, &count, NULL), want);
	assert_int_equal(count, 99);
}

static void hostile_lists_are_refused(void **state)
{
	(void)state;
	struct id falling[] = {{{2}}, {{1}}}, low[] = {{{1}}, {{2}}}, high[] = {{{3}}, {{4}}};
	struct id id = put(6, falling, 2, 0);
	refused(&id, ERR_FORMAT);
	id = put(6, (struct id[]){{{2}}, {{2}}}, 2, 0);
	refused(&id, ERR_FORMAT);
	id = put(6, low, 2, 1);
	refused(&id, ERR_FORMAT);
	id = put(2, NULL, 0, 0);
	refused(&id, ERR_FORMAT);
	id = put(7, low, 2, 0); /* a type to come */
	refused(&id, ERR_FORMAT);
	/* Ascending within the leaves is not enough. */
	struct id leaves[] = {put(6, high, 2, 0), put(6, low, 2, 0)}, ordered[] = {leaves[1], leaves[0]};
	id = put(1, leaves, 2, 0);
	refused(&id, ERR_FORMAT);
	struct id good = put(1, ordered, 2, 0);
	size_t count;
	assert_int_equal(allow_list_read(&good, fetch, &shelf, back, &count, NULL), ERR_OK);
	assert_int_equal(count, 4);
	/* Nothing in a list, no leaf at the bottom, lists too deep. */
	struct id empty[] = {put(6, NULL, 0, 0)};
	id = put(1, empty, 1, 0);
	refused(&id, ERR_FORMAT);
	struct id nested[] = {put(1, &good, 1, 0)};
	id = put(1, nested, 1, 0);
	refused(&id, ERR_FORMAT);
	assert_int_equal(allow_list_read(&nested[0], fetch, &shelf, back, &count, NULL), ERR_OK);
}

static void leaves_are_read_alone(void **state)
{
	(void)state;
	const uint8_t *ids = NULL;
	size_t count = 99;
	build(64);
	assert_int_equal(allow_list_leaf(shelf.blobs[0].bytes, shelf.blobs[0].len, &ids, &count), ERR_OK);
	assert_int_equal(count, 63);
	assert_memory_equal(ids, hosts, 63 * 16);
	assert_int_equal(allow_list_leaf(shelf.blobs[2].bytes, shelf.blobs[2].len, &ids, &count), ERR_FORMAT);
	assert_int_equal(allow_list_leaf(shelf.blobs[0].bytes, 1, &ids, &count), ERR_FORMAT);
	assert_int_equal(allow_list_leaf(shelf.blobs[0].bytes, LIMIT_BLOB_BYTES + 1, &ids, &count),
			 ERR_LIMIT);
	shelf.blobs[0].bytes[0] = 2;
	assert_int_equal(allow_list_leaf(shelf.blobs[0].bytes, shelf.blobs[0].len, &ids, &count),
			 ERR_VERSION);
	assert_int_equal(count, 63);
}

/* More hosts than may be named, in blobs that are right one by one. */
static void reading_is_bounded(void **state)
{
	(void)state;
	struct id lists[LIMIT_BLOB_LIST], leaves[LIMIT_BLOB_LIST];
	size_t host = 0, list_count = 0;
	while (host <= LIMIT_ALLOW_HOSTS) {
		size_t leaf_count = 0;
		for (; leaf_count < LIMIT_BLOB_LIST && host <= LIMIT_ALLOW_HOSTS; leaf_count++) {
			size_t left = LIMIT_ALLOW_HOSTS + 1 - host, n = left < 63 ? left : 63;
			leaves[leaf_count] = put(6, hosts + host, n, 0);
			host += n;
		}
		lists[list_count++] = put(1, leaves, leaf_count, 0);
	}
	struct id root = put(1, lists, list_count, 0);
	refused(&root, ERR_LIMIT);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(what_was_built_is_read),     ALONE(bytes_are_those_of_the_protocol),
	    ALONE(builders_check_their_hosts), ALONE(a_missing_blob_is_named),
	    ALONE(hostile_lists_are_refused),  ALONE(leaves_are_read_alone),
	    ALONE(reading_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
