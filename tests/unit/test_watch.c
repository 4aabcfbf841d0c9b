/* When a node has to say that it did not watch: it was late, or its two clocks went apart. */
#include "node/watch.h"
#include "tests/unit/scratch.h"

#define MONO 10000ull
#define WALL 1800000000000ull

static void a_node_that_wakes_in_time_watches(void **state)
{
	struct watch w = {.begun = false};
	wall_ms until = 7;
	(void)state;
	assert_false(watch_wake(&w, MONO, WALL, 0, &until));
	/* Early, on time, and as late as a busy machine makes it. */
	assert_false(watch_wake(&w, MONO + 500, WALL + 500, MONO + 1000, &until));
	assert_false(watch_wake(&w, MONO + 1000, WALL + 1000, MONO + 1000, &until));
	assert_false(
	    watch_wake(&w, MONO + 1000 + WATCH_LATE_MS, WALL + 1000 + WATCH_LATE_MS, MONO + 1000, &until));
	/* The clock is slewed, a little each time. */
	for (mono_ms t = 1; t < 100; t++)
		assert_false(watch_wake(&w, MONO + 20000 * t, WALL + 20100 * t, UINT64_MAX, &until));
	assert_int_equal(until, 7);
}

static void a_node_that_stood_still_did_not(void **state)
{
	struct watch w = {.begun = false};
	wall_ms until = 0;
	(void)state;
	assert_false(watch_wake(&w, MONO, WALL, 0, &until));
	assert_true(
	    watch_wake(&w, MONO + 1001 + WATCH_LATE_MS, WALL + 1001 + WATCH_LATE_MS, MONO + 1000, &until));
	assert_int_equal(until, WALL);
	/* Once. */
	assert_false(watch_wake(&w, MONO + 12000, WALL + 12000, MONO + 12000, &until));
}

static void a_machine_that_slept_or_whose_clock_was_set_did_not(void **state)
{
	struct watch w = {.begun = false};
	wall_ms until = 0;
	(void)state;
	assert_false(watch_wake(&w, MONO, WALL, 0, &until));
	/* One clock stood still. */
	assert_true(watch_wake(&w, MONO + 1000, WALL + 3600000, UINT64_MAX, &until));
	assert_int_equal(until, WALL);
	assert_false(watch_wake(&w, MONO + 2000, WALL + 3601000, UINT64_MAX, &until));
	/* Set back, by a little more than drift. */
	assert_true(watch_wake(&w, MONO + 3000, WALL + 3602000 - WATCH_STEP_MS - 1, UINT64_MAX, &until));
	assert_int_equal(until, WALL + 3601000);
	assert_true(watch_wake(&w, MONO + 4000, 0, UINT64_MAX, &until));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_node_that_wakes_in_time_watches),
	    cmocka_unit_test(a_node_that_stood_still_did_not),
	    cmocka_unit_test(a_machine_that_slept_or_whose_clock_was_set_did_not),
	};
	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
