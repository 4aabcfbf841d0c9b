#include <string.h>

#include "cli/when.h"
#include "os/terminal.h"
#include "tests/unit/scratch.h"

/* 2026-11-23 10:30:00 UTC, in Berlin 11:30. */
#define NOW (1795429800ull * CLOCK_SECOND_MS)

static void moments(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
	    {"now", "2026-11-23 11:30:00 +01:00"},
	    {"06:09", "2026-11-23 06:09:00 +01:00"},
	    {"11:30", "2026-11-23 11:30:00 +01:00"},
	    {"11:30:01", "2026-11-22 11:30:01 +01:00"},
	    {"23:59:59", "2026-11-22 23:59:59 +01:00"},
	    {"2026-11-22", "2026-11-22 00:00:00 +01:00"},
	    {"2026-11-22 06:09", "2026-11-22 06:09:00 +01:00"},
	    {"2026-07-19T06:09:30", "2026-07-19 06:09:30 +02:00"},
	    {"2026-07-19T06:09Z", "2026-07-19 08:09:00 +02:00"},
	    {"2026-07-19 06:09:00 -05:30", "2026-07-19 13:39:00 +02:00"},
	    /* Twice that night: the first. */
	    {"2026-10-25 02:30", "2026-10-25 02:30:00 +02:00"},
	    {"2026-12-24 18:00", "2026-12-24 18:00:00 +01:00"},
	    {"45s", "2026-11-23 11:29:15 +01:00"},
	    {"90m", "2026-11-23 10:00:00 +01:00"},
	    {"2h", "2026-11-23 09:30:00 +01:00"},
	    {"3d", "2026-11-20 11:30:00 +01:00"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		char shown[32];
		wall_ms t;
		if (when_parse(cases[i].text, NOW, &t, &info) != ERR_OK)
			fail_msg("%s: %s", cases[i].text, info.text);
		os_time_text(t, shown);
		assert_string_equal(shown, cases[i].shown);
	}
}

static void no_moments(void **state)
{
	static const char *const cases[] = {
	    "",
	    " ",
	    "24:00",
	    "6:09",
	    "06:60",
	    "06:09:60",
	    "06:09x",
	    "2026-02-30",
	    "2026-11-22 ",
	    "2026-11-22 6",
	    "2026-11-22 06:09 ",
	    "2026-11-22T",
	    "2026-11-22 06:09+2:00",
	    "2026-11-22 06:09+02:00x",
	    "1969-12-31Z",
	    "m",
	    "-3h",
	    "3 h",
	    "3w",
	    "99999999999999999999d",
	    "1000000d",
	    "yesterday",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err_info info = {0};
		wall_ms t = 42;
		if (when_parse(cases[i], NOW, &t, &info) != ERR_USAGE)
			fail_msg("\"%s\" was taken for a time", cases[i]);
		assert_int_equal(t, 42);
		assert_non_null(strstr(info.text, cases[i]));
	}
}

static void windows(void **state)
{
	struct err_info info = {0};
	wall_ms from, to;
	(void)state;
	assert_int_equal(when_window("06:09..07:27", NOW, &from, &to, &info), ERR_OK);
	assert_int_equal(to - from, 78 * 60 * CLOCK_SECOND_MS);
	assert_int_equal(when_window("2h..", NOW, &from, &to, &info), ERR_OK);
	assert_true(from == NOW - 7200 * CLOCK_SECOND_MS && to == NOW);
	assert_int_equal(when_window("..1h", NOW, &from, &to, &info), ERR_OK);
	assert_true(from == 0 && to == NOW - 3600 * CLOCK_SECOND_MS);
	assert_int_equal(when_window("..", NOW, &from, &to, &info), ERR_OK);
	assert_int_equal(when_window("07:27..06:09", NOW, &from, &to, &info), ERR_USAGE);
	assert_int_equal(when_window("06:09", NOW, &from, &to, &info), ERR_USAGE);
	assert_int_equal(when_window("06:09..x", NOW, &from, &to, &info), ERR_USAGE);
	assert_int_equal(when_window("06:09...07:00", NOW, &from, &to, &info), ERR_USAGE);
	assert_int_equal(
	    when_window("000000000000000000000000000000000000000000000000000000..", NOW, &from, &to, &info),
	    ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(moments), cmocka_unit_test(no_moments),
					   cmocka_unit_test(windows)};
	return cmocka_run_group_tests_name("cli_when", tests, scratch_in_berlin, NULL);
}
