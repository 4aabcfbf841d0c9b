/* When a crash was that a host told of: from when to when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/crash_time.h"

#define HOUR 3600u

struct told {
	uint8_t bytes[LIMIT_CRASH_EVENTS * (CRASH_EVENT_HEAD + LIMIT_LABEL_BYTES)];
	size_t len;
};

static size_t tell(struct told *t, uint64_t time_s, enum crash_kind kind, const char *detail)
{
	size_t at = t->len;
	for (size_t i = 0; i < 8; i++)
		t->bytes[at + i] = (uint8_t)(time_s >> 8 * i);
	t->bytes[at + 8] = (uint8_t)kind;
	t->bytes[at + 9] = (uint8_t)strlen(detail);
	memcpy(t->bytes + at + CRASH_EVENT_HEAD, detail, strlen(detail));
	t->len += CRASH_EVENT_HEAD + strlen(detail);
	return at;
}

static void expect(const struct told *t, size_t at, uint64_t booted_s, uint64_t earliest_s, uint64_t latest_s)
{
	struct crash_time found = crash_time_at(t->bytes, t->len, at, booted_s * 1000);
	assert_int_equal(found.earliest, earliest_s * 1000);
	assert_int_equal(found.latest, latest_s * 1000);
}

static void test_panic_is_dated(void **state)
{
	(void)state;
	struct told t = {.len = 0};
	size_t panic = tell(&t, HOUR, CRASH_PANIC, "edr"), blue = tell(&t, 2 * HOUR, CRASH_BLUE_SCREEN, "");
	expect(&t, panic, 0, HOUR, HOUR);
	expect(&t, blue, 3 * HOUR, 2 * HOUR, 2 * HOUR);
}

static void test_unclean_boot_is_a_range(void **state)
{
	(void)state;
	struct told t = {.len = 0};
	size_t boot = tell(&t, HOUR, CRASH_UNCLEAN_BOOT, "no clean stop seen");
	expect(&t, boot, 0, HOUR, HOUR + 600);
	expect(&t, boot, 5 * HOUR, HOUR, HOUR + 600);
	/* It had booted again by then; a boot before it says nothing. */
	expect(&t, boot, HOUR + 90, HOUR, HOUR + 90);
	expect(&t, boot, HOUR - 90, HOUR, HOUR + 600);
}

static void test_unclean_boot_ends_before_what_follows(void **state)
{
	(void)state;
	struct told t = {.len = 0};
	size_t later = tell(&t, HOUR + 400, CRASH_UNCLEAN_BOOT, "");
	tell(&t, HOUR + 200, CRASH_BLUE_SCREEN, "edr_sensor");
	size_t boot = tell(&t, HOUR, CRASH_UNCLEAN_BOOT, "");
	tell(&t, HOUR - 100, CRASH_OOPS, "");
	expect(&t, boot, HOUR + 900, HOUR, HOUR + 200);
	expect(&t, later, HOUR + 900, HOUR + 400, HOUR + 900);
}

static void test_cut_short(void **state)
{
	(void)state;
	struct told t = {.len = 0};
	size_t boot = tell(&t, HOUR, CRASH_UNCLEAN_BOOT, "");
	size_t panic = tell(&t, HOUR + 5, CRASH_PANIC, "edr");
	for (t.len = panic; t.len < panic + CRASH_EVENT_HEAD; t.len++)
		expect(&t, boot, 0, HOUR, HOUR + 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_panic_is_dated),
	    cmocka_unit_test(test_unclean_boot_is_a_range),
	    cmocka_unit_test(test_unclean_boot_ends_before_what_follows),
	    cmocka_unit_test(test_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
