/* The words for what bodies and states say in numbers, as docs/tables.md and docs/protocol.md have them; and
 * bodies that would say what no table allows: their encoders refuse, and so do the decoders of the same
 * bytes. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/mp.h"
#include "record/body.h"
#include "record/field.h"
#include "record/manifest.h"
#include "record/state.h"
#include "tests/unit/scratch.h"

#define ASSERT_NAMES(name_of, type, first, ...)                                                              \
	do {                                                                                                 \
		static const char *const names[] = {__VA_ARGS__};                                            \
		size_t count = sizeof(names) / sizeof(*names);                                               \
		for (size_t i = 0; i < count; i++)                                                           \
			assert_string_equal(name_of((type)((first) + i)), names[i]);                         \
		assert_string_equal(name_of((type)((first) + count)), "unknown");                            \
	} while (0)

static void test_names(void **state)
{
	(void)state;
	ASSERT_NAMES(component_kind_name, enum component_kind, 1, "module", "builtin", "driver", "filter",
		     "ebpf", "extension", "content-file", "kernel");
	ASSERT_NAMES(change_op_name, enum change_op, 1, "added", "removed", "loaded", "unloaded");
	ASSERT_NAMES(crash_kind_name, enum crash_kind, 1, "unclean-boot", "oops", "warning", "panic",
		     "oom-kill", "core-dump", "blue-screen");
	ASSERT_NAMES(host_status_name, enum host_status, 0, "unknown", "up", "silent", "dark", "stopped",
		     "asleep", "left", "replaced");
	ASSERT_NAMES(site_status_name, enum site_status, 0, "unknown", "reporting", "silent");
	ASSERT_NAMES(host_standing_name, enum host_standing, 0, "good", "grace", "quarantined", "ended",
		     "revoked");
}

/* No two issues are called alike, and 0 is none. */
static void test_issue_names(void **state)
{
	size_t count = 1;
	(void)state;
	assert_null(issue_kind_name((enum issue_kind)0));
	for (; issue_kind_name((enum issue_kind)count) != NULL; count++)
		for (size_t before = 1; before < count; before++)
			assert_string_not_equal(issue_kind_name((enum issue_kind)before),
						issue_kind_name((enum issue_kind)count));
	assert_true(count > ISSUE_OUT_OF_ROLE);
}

static void test_encoders_refuse(void **state)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES] = {0x5a};
	size_t len = 77;
	(void)state;
	struct components *c = calloc(1, sizeof(*c));
	assert_non_null(c);
	c->module_support = READING_OK;
	assert_int_equal(components_encode(c, body, &len), ERR_OK);
	c->change_count = 1; /* of no operation */
	len = 77;
	assert_int_equal(components_encode(c, body, &len), ERR_RANGE);
	c->change_count = 0;
	c->entry_count = LIMIT_COMPONENTS + 1;
	assert_int_equal(components_encode(c, body, &len), ERR_RANGE);
	c->entry_count = 0;
	c->module_support = (enum reading_status)(READING_FAILED + 1);
	assert_int_equal(components_encode(c, body, &len), ERR_RANGE);
	free(c);
	struct crashes *crashes = calloc(1, sizeof(*crashes));
	assert_non_null(crashes);
	crashes->event_count = 1; /* of no kind */
	assert_int_equal(crashes_encode(crashes, body, &len), ERR_RANGE);
	free(crashes);
	struct goodbye goodbye = {.back_s = 1}; /* without a reason */
	assert_int_equal(goodbye_encode(&goodbye, body, &len), ERR_RANGE);
	assert_int_equal(len, 77);
}

struct refusal {
	const char *what;
	enum err err;
	size_t len;
	uint8_t body[40];
};

static enum err decode_components(const uint8_t *body, size_t len)
{
	static struct components c, before;
	memset(&c, 0x5a, sizeof(c));
	before = c;
	enum err err = components_decode(body, len, &c);
	if (err != ERR_OK)
		assert_memory_equal(&c, &before, sizeof(c));
	return err;
}

static void test_decoders_refuse(void **state)
{
	static const struct refusal refusals[] = {
	    {"a change that is cut off",
	     ERR_SHORT,
	     15,
	     {0x81, 7, 0x91, 0x93, 0xc4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1}},
	    {"operation 0", ERR_RANGE, 16, {0x81, 7, 0x91, 0x93, 0xc4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0}},
	    {"operation 5", ERR_RANGE, 16, {0x81, 7, 0x91, 0x93, 0xc4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 5}},
	    {"two elements for three", ERR_FORMAT, 6, {0x81, 7, 0x91, 0x92, 1, 1}},
	    {"entry id of 2 bytes", ERR_RANGE, 10, {0x81, 7, 0x91, 0x93, 0xc4, 2, 1, 2, 1, 1}},
	    {"entry id as text", ERR_FORMAT, 7, {0x81, 7, 0x91, 0x93, 0xa0, 1, 1}},
	    {"manifest of 15 bytes", ERR_RANGE, 19, {0x81, 1, 0xc4, 15}},
	    {"loaded set as text", ERR_FORMAT, 4, {0x81, 5, 0xa1, 'x'}},
	    {"module support 2", ERR_RANGE, 3, {0x81, 3, 2}},
	    {"module support -6", ERR_RANGE, 3, {0x81, 3, 0xfa}},
	    {"module support as text", ERR_FORMAT, 3, {0x81, 3, 0xa0}},
	    {"a key twice", ERR_FORMAT, 5, {0x82, 2, 0, 2, 0}},
	    {"keys descending", ERR_FORMAT, 5, {0x82, 9, 0, 2, 0}},
	    {"a longer form of 0", ERR_FORMAT, 4, {0x81, 2, 0xcc, 0}},
	    {"a float", ERR_FORMAT, 7, {0x81, 2, 0xca, 0, 0, 0, 0}},
	    {"an array", ERR_FORMAT, 1, {0x90}},
	    {"four thousand million entries", ERR_SHORT, 7, {0x81, 6, 0xdd, 0xff, 0, 0, 0}},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++) {
		const struct refusal *r = &refusals[i];
		enum err err = decode_components(r->body, r->len);
		if (err != r->err)
			fail_msg("%s: %s", r->what, err_name(err));
	}
	/* The least that is right: what refuses above is not the frame. */
	assert_int_equal(decode_components((const uint8_t[]){0x81, 2, 0}, 3), ERR_OK);
}

/* A reader that failed hands out zeroes: what was on the stack before says nothing. */
static void test_cursor_failed(void **state)
{
	uint8_t got[4] = {1, 2, 3, 4};
	struct reader r = reader_of((const uint8_t *)"ab", 2);
	(void)state;
	reader_copy(&r, got, 0);
	assert_false(r.failed);
	reader_copy(&r, got, sizeof(got));
	assert_true(r.failed);
	assert_memory_equal(got, "\0\0\0\0", sizeof(got));
	assert_int_equal(reader_u8(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_names),           cmocka_unit_test(test_issue_names),
	    cmocka_unit_test(test_encoders_refuse), cmocka_unit_test(test_decoders_refuse),
	    cmocka_unit_test(test_cursor_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
