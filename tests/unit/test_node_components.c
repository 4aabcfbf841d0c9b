/* From found components to manifest, record and changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "node/components.h"
#include "tests/unit/scratch.h"

#define BLOBS 64

struct blobs {
	struct id id[BLOBS];
	uint8_t bytes[BLOBS][LIMIT_BLOB_BYTES];
	size_t len[BLOBS];
	size_t count;
};

static struct blobs blobs;
static struct components_seen seen;
static struct components record;
static bool news;

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct blobs *b = context;
	assert_true(b->count < BLOBS);
	b->id[b->count] = *id;
	memcpy(b->bytes[b->count], blob, len);
	b->len[b->count++] = len;
	return ERR_OK;
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	const struct blobs *b = context;
	for (size_t i = 0; i < b->count; i++) {
		if (!id_equal(&b->id[i], id))
			continue;
		memcpy(ret, b->bytes[i], b->len[i]);
		*ret_len = b->len[i];
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

/* "name" is there, "+name" is loaded, "name@2" has that version. */
static void look(const char *list, uint64_t now_s)
{
	struct component items[32];
	bool loaded[32], pending[32] = {false};
	struct collected_components found = {.items = items, .loaded = loaded, .pending = pending};
	char copy[256];
	text_copy(copy, sizeof(copy), list);
	for (char *name = strtok(copy, " "); name != NULL; name = strtok(NULL, " ")) {
		struct component *c = &items[found.count];
		memset(c, 0, sizeof(*c));
		c->kind = COMPONENT_MODULE;
		loaded[found.count] = *name == '+';
		name += *name == '+';
		char *version = strchr(name, '@');
		if (version != NULL) {
			*version++ = '\0';
			c->version.status = READING_OK;
			text_copy(c->version.value, sizeof(c->version.value), version);
		}
		text_copy(c->name, sizeof(c->name), name);
		found.count++;
	}
	found.module_support = READING_OK;
	assert_int_equal(components_publish(&seen, &found, now_s, emit, &blobs, &record, &news), ERR_OK);
}

static int setup(void **state)
{
	(void)state;
	components_seen_release(&seen);
	memset(&blobs, 0, sizeof(blobs));
	return 0;
}

static int teardown(void **state)
{
	return setup(state);
}

static size_t loaded_count(void)
{
	size_t n = 0;
	for (size_t i = 0; i < record.entry_count; i++)
		n += components_loaded(&record, i);
	return n;
}

static void the_first_look_is_no_change(void **state)
{
	(void)state;
	look("+a b +c", 100);
	assert_int_equal(record.entry_count, 3);
	assert_int_equal(loaded_count(), 2);
	assert_int_equal(record.change_count, 0);
	assert_false(news);
	look("+a b +c", 200);
	assert_int_equal(record.change_count, 0);
}

static void each_change_is_told(void **state)
{
	(void)state;
	look("+a b", 100);
	look("+a b c", 200);
	assert_true(news);
	assert_int_equal(record.change_count, 1);
	assert_int_equal(record.changes[0].op, CHANGE_ADDED);
	assert_int_equal(record.changes[0].time_s, 200);
	uint64_t c = record.changes[0].entry;
	look("+a b +c", 300);
	assert_true(news);
	assert_int_equal(record.changes[0].op, CHANGE_LOADED);
	assert_true(record.changes[0].entry == c);
	look("+a b c", 400);
	assert_false(news);
	assert_int_equal(record.changes[0].op, CHANGE_UNLOADED);
	look("+a b", 500);
	assert_false(news);
	assert_int_equal(record.changes[0].op, CHANGE_REMOVED);
	assert_true(record.changes[0].entry == c);
	assert_int_equal(record.change_count, 4);
	assert_int_equal(record.changes_total, 4);
	assert_int_equal(record.changes[3].time_s, 200);
	/* Another version is another entry. */
	look("+a@2 b", 600);
	assert_int_equal(record.change_count, 6);
	assert_true(news);
}

static void old_changes_give_way(void **state)
{
	char list[64];
	(void)state;
	look("x@0", 1);
	for (unsigned i = 1; i <= LIMIT_CHANGES; i++) {
		snprintf(list, sizeof(list), "x@%u", i);
		look(list, i + 1);
	}
	assert_int_equal(record.change_count, LIMIT_CHANGES);
	assert_int_equal(record.changes_total, 2 * LIMIT_CHANGES);
	assert_int_equal(record.changes[0].time_s, LIMIT_CHANGES + 1);
	assert_int_equal(record.changes[LIMIT_CHANGES - 1].time_s, LIMIT_CHANGES / 2 + 2);
}

static void a_restart_goes_on_from_the_own_record(void **state)
{
	(void)state;
	look("+a b c", 100);
	look("+a b +c", 200);
	struct components own = record;
	components_seen_release(&seen);
	assert_int_equal(components_seen_resume(&seen, &own, fetch, &blobs), ERR_OK);
	look("+a b +c", 300);
	assert_memory_equal(&record, &own, sizeof(own));
	look("+a +c d", 400);
	assert_int_equal(record.change_count, 3);
	assert_int_equal(record.changes_total, 3);
	/* Without the blobs the history stays, and nothing is made up. */
	own = record;
	blobs.count = 0;
	components_seen_release(&seen);
	assert_int_equal(components_seen_resume(&seen, &own, fetch, &blobs), ERR_NOT_FOUND);
	look("+a", 500);
	assert_int_equal(record.change_count, 3);
	assert_int_equal(record.changes_total, 3);
	assert_false(news);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_look_is_no_change, setup, teardown),
	    cmocka_unit_test_setup_teardown(each_change_is_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(old_changes_give_way, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_restart_goes_on_from_the_own_record, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
