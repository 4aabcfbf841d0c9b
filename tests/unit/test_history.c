/* The curve that is counted back over the log of transitions: against an oracle over random changes, starts,
 * kills, pauses and clocks that are set; damaged rows. */
#include "os/file.h"
#include "store/history.h"
#include "tests/unit/history_world.h"

static void live_on(struct world *w)
{
	uint64_t dice = prng_below(&w->p, 100);
	wall_ms until = w->oracle.as_of;
	if (dice < 86) {
		world_change(w);
	} else if (dice < 91) {
		/* A clean end, then a start. */
		assert_int_equal(store_put_mark(w->store, STORE_MARK_STOP, 0), ERR_OK);
		world_commit(w);
		world_reopen(w);
		until = w->t;
		w->t += prng_below(&w->p, 1200000);
		world_begin(w, STORE_MARK_START, until);
	} else if (dice < 94) {
		/* Killed with rows that were not committed. */
		world_put(w, 3, HOST_REPLACED, w->t);
		world_reopen(w);
		w->t += prng_below(&w->p, 1200000);
		world_begin(w, STORE_MARK_START, until);
	} else if (dice < 97) {
		w->t += prng_below(&w->p, 600000);
		world_begin(w, STORE_MARK_PAUSE, until);
	} else {
		w->t -= prng_below(&w->p, 900000);
		world_begin(w, STORE_MARK_PAUSE, until);
	}
}

static void compare(const struct world *w, const char *site, const wall_ms *times, size_t count)
{
	struct query *q = open_query(w->folder);
	struct query_point *points = calloc(count, sizeof(*points));
	struct query_log log;
	struct err_info info = {0};
	assert_int_equal(query_history(q, site, times, count, points, &log, &info), ERR_OK);
	assert_int_equal(log.as_of, w->oracle.as_of);
	assert_false(log.dropped);
	for (size_t i = 0; i < count; i++) {
		struct query_point expected = oracle_at(&w->oracle, site, times[i]);
		const struct query_point *have = &points[i];
		if (have->watch != expected.watch ||
		    memcmp(have->by_status, expected.by_status, sizeof(have->by_status)) != 0)
			print_error("at %llu of %s: %s, expected %s\n", (unsigned long long)times[i],
				    site != NULL ? site : "all", query_watch_name(have->watch),
				    query_watch_name(expected.watch));
		assert_int_equal(have->watch, expected.watch);
		assert_memory_equal(have->by_status, expected.by_status, sizeof(have->by_status));
		assert_int_equal(have->lost, 0);
		assert_int_equal(have->sites_known, expected.sites_known);
		bool known = i > 0 && oracle_changes(&w->oracle, site, times[i - 1], times[i], &expected);
		assert_int_equal(have->changes_known, known);
		if (!known)
			continue;
		assert_int_equal(have->went_dark, expected.went_dark);
		assert_int_equal(have->went_silent, expected.went_silent);
		assert_int_equal(have->came_up, expected.came_up);
	}
	free(points);
	query_close(q);
}

static int ascending(const void *a, const void *b)
{
	wall_ms x = *(const wall_ms *)a, y = *(const wall_ms *)b;
	return (x > y) - (x < y);
}

static void any_sequence_is_counted_back(void **state)
{
	struct world *w = world_make(*state);
	wall_ms first = w->oracle.begins;
	for (size_t round = 0; round < 300; round++) {
		wall_ms times[40];
		live_on(w);
		if (round % 4 != 0)
			continue;
		wall_ms from = round % 8 == 0 ? first : w->t - prng_below(&w->p, 7200000);
		from = from < first ? first : from;
		size_t count = 1 + prng_below(&w->p, 40);
		for (size_t i = 0; i < count; i++)
			times[i] = from + prng_below(&w->p, w->t + 100000 - from);
		qsort(times, count, sizeof(*times), ascending);
		const char *site = round % 3 == 0 ? w->oracle.site[round % HOSTS] : NULL;
		compare(w, site, times, count);
	}
	assert_true(w->oracle.watch_count > 20);
	assert_true(w->oracle.change_count > 500);
	world_free(w);
}

/* --- damage --- */

/* Flips a byte of the row in the file. */
static void damage_row(struct world *w, const struct row_key *known, size_t *ret_len)
{
	struct snapshot *s;
	struct row_value value;
	uint8_t *file;
	size_t len;
	char path[512];
	snprintf(path, sizeof(path), "%s/data.mdb", w->replica);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	assert_int_equal(snapshot_get(s, known, &value), ERR_OK);
	snapshot_close(s);
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(os_file_read(path, 1 << 26, &file, &len, NULL), ERR_OK);
	size_t found = 0;
	for (uint8_t *at = file; (at = memmem(at, len - (size_t)(at - file), value.bytes, value.len)) != NULL;
	     at++) {
		at[value.len - 1] ^= 1;
		found++;
	}
	assert_true(found > 0);
	scratch_write(path, file, len, 0640);
	free(file);
	*ret_len = found;
}

static void check_hole(struct world *w, const wall_ms times[3], enum query_watch first)
{
	struct query *q = open_query(w->folder);
	struct query_point points[3];
	struct query_log log;
	assert_int_equal(query_history(q, NULL, times, 3, points, &log, NULL), ERR_OK);
	assert_int_equal(points[0].watch, first);
	for (size_t i = 0; i <= HOST_REPLACED; i++)
		assert_int_equal(points[0].by_status[i], 0);
	for (size_t i = 1; i < 3; i++) {
		struct query_point expected = oracle_at(&w->oracle, NULL, times[i]);
		assert_int_equal(points[i].watch, expected.watch);
		assert_memory_equal(points[i].by_status, expected.by_status, sizeof(expected.by_status));
	}
	query_close(q);
}

static void before_a_damaged_row_nothing_is_known(void **state)
{
	struct world *w = world_make(*state);
	struct snapshot *s;
	struct store_stats stats;
	size_t copies;
	for (size_t i = 0; i < 20; i++)
		world_change(w);
	wall_ms middle = w->t;
	w->t += 60000;
	world_put(w, 5, w->oracle.status[5] == HOST_UP ? HOST_DARK : HOST_UP, w->t);
	oracle_put(&w->oracle, 5, w->oracle.status[5] == HOST_UP ? HOST_DARK : HOST_UP, w->t, w->t);
	world_commit(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	struct row_key key = history_key(snapshot_meta(s)->history.next - 1);
	snapshot_close(s);
	for (size_t i = 0; i < 20; i++) {
		w->t += 1000;
		world_change(w);
	}
	const wall_ms times[3] = {middle, w->t - 1000, w->t};
	damage_row(w, &key, &copies);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	/* The next writer drops it and says so; it stays a hole. */
	world_reopen(w);
	store_stats(w->store, &stats);
	assert_int_equal(stats.damaged, 1);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	world_reopen(w);
	store_stats(w->store, &stats);
	assert_int_equal(stats.damaged, 0);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	world_free(w);
}

static bool any_state(void *context, const struct host_state *state)
{
	(void)context;
	(void)state;
	return true;
}

/* Its count is not guessed: it is lost until the change before. */
static void a_lost_state_is_unknown_back_to_the_change_before(void **state)
{
	struct world *w = world_make(*state);
	struct query_point points[4];
	struct query_log log;
	size_t copies;
	for (size_t i = 0; i < w->oracle.hosts; i++)
		world_put(w, i, HOST_UP, w->t);
	w->t += 1000;
	world_commit(w);
	wall_ms first = w->t;
	w->t += 60000;
	world_put(w, 7, HOST_DARK, w->t);
	world_commit(w);
	w->t += 60000;
	struct row_key key = row_key_id(TABLE_HOST_STATES, &w->ids[7]);
	damage_row(w, &key, &copies);
	world_reopen(w);
	/* The node loads states, and misses one. */
	assert_int_equal(store_each_host_state(w->store, any_state, NULL), ERR_OK);
	world_commit(w);
	w->t += 60000;
	world_put(w, 7, HOST_UP, w->t);
	world_commit(w);
	const wall_ms times[4] = {first, first + 90000, first + 150000, w->t};
	struct query *q = open_query(w->folder);
	assert_int_equal(query_history(q, NULL, times, 4, points, &log, NULL), ERR_OK);
	assert_int_equal(points[0].by_status[HOST_UP], HOSTS);
	assert_int_equal(points[0].lost, 0);
	assert_int_equal(points[1].by_status[HOST_UP], HOSTS - 1);
	assert_int_equal(points[1].by_status[HOST_DARK], 0);
	assert_int_equal(points[1].lost, 1);
	assert_int_equal(points[2].by_status[HOST_UP], HOSTS - 1);
	assert_int_equal(points[2].lost, 0); /* it had no state then */
	assert_int_equal(points[3].by_status[HOST_UP], HOSTS);
	query_close(q);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(any_sequence_is_counted_back, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(before_a_damaged_row_nothing_is_known, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_lost_state_is_unknown_back_to_the_change_before, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
