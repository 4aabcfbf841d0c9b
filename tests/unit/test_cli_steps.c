/* Steps of a curve: round local times, also where clocks are changed, and never more than there is room for.
 */
#include <string.h>

#include "cli/steps.h"
#include "cli/when.h"
#include "os/terminal.h"
#include "tests/unit/scratch.h"

/* 2026-11-23 10:30:00 UTC, in Berlin 11:30. */
#define NOW (1795429800ull * CLOCK_SECOND_MS)

static wall_ms at(const char *text)
{
	wall_ms t = 0;
	assert_int_equal(when_parse(text, NOW, &t, NULL), ERR_OK);
	return t;
}

static void check(const char *from, const char *to, const char *step, const char *const *expected)
{
	wall_ms times[100];
	uint64_t ms;
	assert_int_equal(steps_parse(step, &ms, NULL), ERR_OK);
	size_t count = steps_times(at(from), at(to), ms, times, 100), i = 0;
	for (; expected[i] != NULL; i++) {
		char shown[32];
		assert_true(i < count);
		os_time_text(times[i], shown);
		assert_string_equal(shown, expected[i]);
	}
	assert_int_equal(count, i);
}

static void rows_are_at_round_local_times(void **state)
{
	(void)state;
	check("2026-11-22 09:58:30", "2026-11-22 10:02", "1m",
	      (const char *const[]){"2026-11-22 09:58:30 +01:00", "2026-11-22 09:59:00 +01:00",
				    "2026-11-22 10:00:00 +01:00", "2026-11-22 10:01:00 +01:00",
				    "2026-11-22 10:02:00 +01:00", NULL});
	check("2026-11-22 09:58:30", "2026-11-22 12:20:07", "1h",
	      (const char *const[]){"2026-11-22 09:58:30 +01:00", "2026-11-22 10:00:00 +01:00",
				    "2026-11-22 11:00:00 +01:00", "2026-11-22 12:00:00 +01:00",
				    "2026-11-22 12:20:07 +01:00", NULL});
	/* An hour that comes twice, and one that does not come. */
	check("2026-10-25 01:00", "2026-10-25 03:30", "1h",
	      (const char *const[]){"2026-10-25 01:00:00 +02:00", "2026-10-25 02:00:00 +02:00",
				    "2026-10-25 02:00:00 +01:00", "2026-10-25 03:00:00 +01:00",
				    "2026-10-25 03:30:00 +01:00", NULL});
	check("2026-03-29 00:30", "2026-03-29 04:30", "2h",
	      (const char *const[]){"2026-03-29 00:30:00 +01:00", "2026-03-29 03:00:00 +02:00",
				    "2026-03-29 04:00:00 +02:00", "2026-03-29 04:30:00 +02:00", NULL});
	/* Days begin at midnight on either side. */
	check("2026-10-23 12:00", "2026-10-27 12:00", "1d",
	      (const char *const[]){"2026-10-23 12:00:00 +02:00", "2026-10-24 00:00:00 +02:00",
				    "2026-10-25 00:00:00 +02:00", "2026-10-26 00:00:00 +01:00",
				    "2026-10-27 00:00:00 +01:00", "2026-10-27 12:00:00 +01:00", NULL});
	check("2026-03-27 12:00", "2026-03-30 12:00", "1d",
	      (const char *const[]){"2026-03-27 12:00:00 +01:00", "2026-03-28 00:00:00 +01:00",
				    "2026-03-29 00:00:00 +01:00", "2026-03-30 00:00:00 +02:00",
				    "2026-03-30 12:00:00 +02:00", NULL});
}

static void times_ascend_and_are_bounded(void **state)
{
	static const char *const steps[] = {"10s", "7m", "90m", "2h", "5h", "12h", "1d", "3d"};
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		static wall_ms times[STEPS_MAX];
		uint64_t ms;
		assert_int_equal(steps_parse(steps[i], &ms, NULL), ERR_OK);
		wall_ms from = at("2026-03-20"), to = at("2026-04-10");
		size_t count = steps_times(from, to, ms, times, STEPS_MAX);
		assert_true(count > 5 && count <= STEPS_MAX);
		for (size_t k = 1; k < count; k++) {
			assert_true(times[k] > times[k - 1]);
			assert_true(times[k] - times[k - 1] <= ms + 60 * CLOCK_MINUTE_MS);
		}
	}
	wall_ms one;
	assert_int_equal(steps_times(NOW, NOW + CLOCK_DAY_MS, CLOCK_MINUTE_MS, &one, 1), 1);
}

static void a_step_is_chosen_that_fits(void **state)
{
	static const struct {
		uint64_t span;
		const char *step;
	} cases[] = {
	    {1, "1m"},
	    {60 * CLOCK_MINUTE_MS, "1m"},
	    {60 * CLOCK_MINUTE_MS + 1, "2m"},
	    {CLOCK_DAY_MS, "30m"},
	    {7 * CLOCK_DAY_MS, "3h"},
	    {400 * CLOCK_DAY_MS, "7d"},
	    {20000 * CLOCK_DAY_MS, "334d"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char shown[STEPS_TEXT_BYTES];
		uint64_t step = steps_choose(cases[i].span);
		steps_text(step, shown);
		assert_string_equal(shown, cases[i].step);
		assert_true(cases[i].span <= step * STEPS_SHOWN);
	}
}

static void what_is_no_step_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",    "m",  "1",      "0m", "-1m", "1 m", "1w", "1.5h", "9s", "367d", "99999999999999999999s",
	    "1mm", "m1", "367000d"};
	uint64_t ms = 7;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err_info info = {0};
		assert_int_equal(steps_parse(bad[i], &ms, &info), ERR_USAGE);
		assert_non_null(strstr(info.text, bad[i]));
	}
	assert_int_equal(ms, 7);
	assert_int_equal(steps_parse("10s", &ms, NULL), ERR_OK);
	assert_int_equal(ms, 10000);
	assert_int_equal(steps_parse("366d", &ms, NULL), ERR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_at_round_local_times),
	    cmocka_unit_test(times_ascend_and_are_bounded),
	    cmocka_unit_test(a_step_is_chosen_that_fits),
	    cmocka_unit_test(what_is_no_step_is_refused),
	};
	return cmocka_run_group_tests_name("steps", tests, scratch_in_berlin, NULL);
}
