/* Monotonic counts out of sources that restart, age out, or cannot be read. */
#include <stdlib.h>
#include <string.h>

#include "node/crash_counts.h"
#include "os/file.h"
#include "tests/unit/scratch.h"

#define DAY_MS CLOCK_DAY_MS

static struct crash_counts counts;

static struct reading_u64 ok(uint64_t value)
{
	return (struct reading_u64){READING_OK, value};
}

static struct crash_sources sources(uint64_t boot, uint64_t oopses)
{
	return (struct crash_sources){
	    .boot = boot,
	    .oopses = ok(oopses),
	    .warnings = ok(0),
	    .oom_kills = {.status = READING_DENIED},
	    .core_dumps = ok(0),
	    .newest_core_dump_s = {.status = READING_ABSENT},
	    .pstore_panics = {.status = READING_ABSENT},
	};
}

static uint64_t update(struct crash_sources now, wall_ms wall)
{
	return crash_counts_update(&counts, &now, wall);
}

static void the_first_look_is_a_starting_point(void **state)
{
	(void)state;
	crash_counts_init(&counts);
	assert_int_equal(update(sources(1, 5), 10 * DAY_MS), 0);
	assert_int_equal(counts.published.totals[CRASH_OOPS], 0);
	assert_int_equal(counts.published.event_count, 0);
	assert_int_equal(counts.published.sources[CRASH_OOPS], READING_OK);
	assert_int_equal(counts.published.sources[CRASH_OOM_KILL], READING_DENIED);
	assert_int_equal(counts.published.sources[CRASH_PANIC], READING_ABSENT);
}

static void counters_that_restart_with_the_boot_go_on(void **state)
{
	(void)state;
	crash_counts_init(&counts);
	update(sources(1, 5), 10 * DAY_MS);
	assert_int_equal(update(sources(1, 7), 10 * DAY_MS), 2);
	assert_int_equal(update(sources(1, 7), 10 * DAY_MS), 0);
	assert_int_equal(update(sources(2, 1), 10 * DAY_MS), 1);
	/* Within a boot a counter that falls is no crash. */
	assert_int_equal(update(sources(2, 0), 10 * DAY_MS), 0);
	assert_int_equal(update(sources(2, 1), 10 * DAY_MS), 1);
	assert_int_equal(counts.published.totals[CRASH_OOPS], 4);
	assert_int_equal(counts.published.event_count, 3);
	assert_string_equal(counts.published.events[2].detail, "oops_count +2");
	assert_int_equal(counts.published.events[0].kind, CRASH_OOPS);
}

static void a_source_that_becomes_readable_is_no_news(void **state)
{
	struct crash_sources s = sources(1, 0);
	(void)state;
	crash_counts_init(&counts);
	update(s, DAY_MS);
	s.oom_kills = ok(9);
	assert_int_equal(update(s, DAY_MS), 0);
	s.oom_kills = ok(10);
	assert_int_equal(update(s, DAY_MS), 1);
	s.oom_kills.status = READING_FAILED;
	assert_int_equal(update(s, DAY_MS), 0);
	s.oom_kills = ok(12);
	assert_int_equal(update(s, DAY_MS), 2);
	assert_int_equal(counts.published.totals[CRASH_OOM_KILL], 3);
}

static void core_dumps_that_age_out_stay_counted(void **state)
{
	struct crash_sources s = sources(1, 0);
	(void)state;
	crash_counts_init(&counts);
	s.core_dumps = ok(3);
	s.newest_core_dump_s = ok(1000);
	assert_int_equal(update(s, DAY_MS), 0);
	/* One aged out, a newer one came. */
	s.newest_core_dump_s = ok(2000);
	assert_int_equal(update(s, DAY_MS), 1);
	s.core_dumps = ok(0);
	s.newest_core_dump_s.status = READING_ABSENT;
	assert_int_equal(update(s, DAY_MS), 0);
	s.core_dumps = ok(2);
	s.newest_core_dump_s = ok(3000);
	assert_int_equal(update(s, DAY_MS), 2);
	assert_int_equal(counts.published.totals[CRASH_CORE_DUMP], 3);
	assert_int_equal(counts.published.events[0].time_s, 3000);
}

static void days_move_on(void **state)
{
	uint64_t total = 0;
	(void)state;
	crash_counts_init(&counts);
	for (uint64_t day = 100; day < 120; day++) {
		crash_counts_add(&counts, CRASH_UNCLEAN_BOOT, day, day * 86400 + 5, "no clean stop seen");
		total += day;
	}
	assert_int_equal(counts.published.totals[CRASH_UNCLEAN_BOOT], total);
	assert_int_equal(counts.published.day_count, LIMIT_CRASH_DAYS);
	assert_int_equal(counts.published.first_day, 106);
	for (size_t i = 0; i < LIMIT_CRASH_DAYS; i++)
		assert_int_equal(counts.published.per_day[i], 106 + i);
	assert_int_equal(counts.published.event_count, LIMIT_CRASH_EVENTS);
	assert_int_equal(counts.published.events[0].time_s, 119 * 86400 + 5);
	assert_int_equal(counts.published.events[LIMIT_CRASH_EVENTS - 1].time_s, 104 * 86400 + 5);
	/* A gap longer than the window, a day before it, a count beyond 16 bits. */
	crash_counts_add(&counts, CRASH_OOPS, 1, 200 * 86400, "");
	assert_int_equal(counts.published.first_day, 187);
	assert_int_equal(counts.published.per_day[13], 1);
	assert_int_equal(counts.published.per_day[0], 0);
	crash_counts_add(&counts, CRASH_OOPS, 1, 150 * 86400, "");
	assert_int_equal(counts.published.first_day, 187);
	crash_counts_add(&counts, CRASH_OOPS, 70000, 200 * 86400, "");
	assert_int_equal(counts.published.per_day[13], UINT16_MAX);
	assert_int_equal(counts.published.totals[CRASH_OOPS], 70002);
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(crashes_encode(&counts.published, body, &len), ERR_OK);
}

static void the_file_keeps_all_and_shows_damage(void **state)
{
	const char *path = scratch_path(*state, "crashes");
	struct crash_counts read;
	uint8_t *data;
	size_t len;
	crash_counts_init(&counts);
	assert_int_equal(crash_counts_load(path, &read, NULL), ERR_NOT_FOUND);
	update(sources(77, 5), 10 * DAY_MS);
	for (unsigned i = 0; i < LIMIT_CRASH_EVENTS; i++)
		update(sources(77, 6 + i), (10 + i) * DAY_MS);
	assert_int_equal(crash_counts_save(path, &counts, NULL), ERR_OK);
	memset(&read, 0, sizeof(read));
	assert_int_equal(crash_counts_load(path, &read, NULL), ERR_OK);
	assert_memory_equal(&read, &counts, sizeof(read));
	assert_int_equal(os_file_read(path, 4096, &data, &len, NULL), ERR_OK);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		scratch_write(path, data, len, 0600);
		assert_int_equal(crash_counts_load(path, &read, NULL), ERR_CHECKSUM);
		data[i] ^= 0x10;
		scratch_write(path, data, i, 0600);
		assert_int_equal(crash_counts_load(path, &read, NULL), ERR_CHECKSUM);
	}
	free(data);
}

static void a_lost_file_goes_on_from_the_record(void **state)
{
	struct crashes record;
	(void)state;
	crash_counts_init(&counts);
	update(sources(1, 0), DAY_MS);
	update(sources(1, 3), DAY_MS);
	record = counts.published;
	crash_counts_resume(&counts, &record);
	assert_int_equal(update(sources(1, 3), DAY_MS), 0);
	assert_int_equal(counts.published.totals[CRASH_OOPS], 3);
	assert_int_equal(update(sources(1, 4), DAY_MS), 1);
	assert_int_equal(counts.published.totals[CRASH_OOPS], 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_look_is_a_starting_point),
	    cmocka_unit_test(counters_that_restart_with_the_boot_go_on),
	    cmocka_unit_test(a_source_that_becomes_readable_is_no_news),
	    cmocka_unit_test(core_dumps_that_age_out_stay_counted),
	    cmocka_unit_test(days_move_on),
	    cmocka_unit_test_setup_teardown(the_file_keeps_all_and_shows_damage, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test(a_lost_file_goes_on_from_the_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
