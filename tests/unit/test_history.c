/* The log of transitions and the curve that is counted back over it: against an oracle over random changes,
 * starts, kills, pauses and clocks that are set; damaged rows; the log's bounds. */
#include "base/prng.h"
#include "os/file.h"
#include "store/history.h"
#include "store/lmdb_backend.h"
#include "store/query_private.h"
#include "store/store_private.h"
#include "tests/unit/history_oracle.h"
#include "tests/unit/query_estate.h"

struct world {
	const char *folder, *replica;
	struct store *store;
	struct store_meta meta;
	struct id ids[ORACLE_HOSTS];
	struct oracle oracle;
	struct prng p;
	wall_ms t;
};

static void reopen(struct world *w)
{
	struct err_info info = {0};
	bool aside = true;
	store_close(w->store);
	assert_int_equal(store_open(w->replica, &w->meta.estate, &w->meta.self, &w->store, &aside, &info),
			 ERR_OK);
	assert_false(aside);
}

static void commit(struct world *w)
{
	struct err_info info = {0};
	if (store_pending(w->store) > 0)
		w->oracle.as_of = w->t;
	assert_int_equal(store_flush(w->store, w->t, &info), ERR_OK);
}

static void begin(struct world *w, enum store_mark mark, wall_ms until)
{
	assert_int_equal(store_put_mark(w->store, mark, until), ERR_OK);
	oracle_begin(&w->oracle, w->t, until);
	commit(w);
}

static bool take_host(void *context, const struct query_value *values, size_t count)
{
	struct world *w = context;
	struct oracle *o = &w->oracle;
	assert_int_equal(count, 3);
	assert_true(o->hosts < ORACLE_HOSTS);
	assert_true(id_unhex(&w->ids[o->hosts], values[0].text));
	o->site[o->hosts] = strdup(values[1].text);
	for (int s = HOST_UNKNOWN; s <= HOST_REPLACED; s++) {
		if (strcmp(values[2].text, host_status_name((enum host_status)s)) == 0)
			o->status[o->hosts] = s;
	}
	o->hosts++;
	return true;
}

/* The first commit is a start, an hour after the estate was made. */
static struct world *make_world(struct scratch *s)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct query_sink sink = {take_columns, take_host, w};
	struct snapshot *snapshot;
	struct err_info info;
	w->folder = strdup(scratch_path(s, "estate"));
	w->replica = strdup(scratch_path(s, "estate/replica"));
	make_estate(w->folder);
	assert_int_equal(snapshot_open(w->folder, &snapshot, &info), ERR_OK);
	w->meta = *snapshot_meta(snapshot);
	snapshot_close(snapshot);
	struct query *q = open_query(w->folder);
	assert_int_equal(query_run(q, "SELECT host, site, status FROM hosts", NULL, 0, NULL, &sink, &info),
			 ERR_OK);
	query_close(q);
	assert_int_equal(w->oracle.hosts, HOSTS);
	prng_seed(&w->p, 11);
	w->t = NOW + 60 * CLOCK_MINUTE_MS;
	reopen(w);
	begin(w, STORE_MARK_START, NOW);
	return w;
}

static void free_world(struct world *w)
{
	store_close(w->store);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		free((char *)(uintptr_t)w->oracle.site[i]);
	free((char *)(uintptr_t)w->folder);
	free((char *)(uintptr_t)w->replica);
	free(w);
}

static void put_state(struct world *w, size_t host, enum host_status status, wall_ms since)
{
	struct host_state state = {.host = w->ids[host], .status = status, .since = since};
	if (status == HOST_DARK) {
		state.votes = 2;
		state.signers = 3;
	}
	assert_int_equal(store_put_host_state(w->store, &state), ERR_OK);
}

/* Some hosts become something else, or are put again as they are; one may change twice before the commit. */
static void change_some(struct world *w)
{
	static const enum host_status often[] = {HOST_UP,     HOST_UP,      HOST_DARK,
						 HOST_DARK,   HOST_SILENT,  HOST_STOPPED,
						 HOST_ASLEEP, HOST_UNKNOWN, HOST_LEFT};
	int last[ORACLE_HOSTS];
	wall_ms since[ORACLE_HOSTS];
	w->t += prng_below(&w->p, 90000);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		last[i] = -1;
	for (size_t n = prng_below(&w->p, 12); n > 0; n--) {
		size_t host = prng_below(&w->p, w->oracle.hosts);
		enum host_status status = often[prng_below(&w->p, sizeof(often) / sizeof(*often))];
		last[host] = (int)status;
		since[host] = prng_below(&w->p, 10) == 0 ? 0 : w->t + 20000 - prng_below(&w->p, 300000);
		put_state(w, host, status, since[host]);
	}
	/* Of one commit in the order of their times, which are of different hosts. */
	for (size_t i = 0; i < w->oracle.hosts; i++) {
		if (last[i] >= 0)
			oracle_put(&w->oracle, i, last[i], since[i], w->t);
	}
	commit(w);
}

static void live_on(struct world *w)
{
	uint64_t dice = prng_below(&w->p, 100);
	wall_ms until = w->oracle.as_of;
	if (dice < 86) {
		change_some(w);
	} else if (dice < 91) {
		/* A clean end, then a start. */
		assert_int_equal(store_put_mark(w->store, STORE_MARK_STOP, 0), ERR_OK);
		commit(w);
		reopen(w);
		until = w->t;
		w->t += prng_below(&w->p, 1200000);
		begin(w, STORE_MARK_START, until);
	} else if (dice < 94) {
		/* Killed with rows that were not committed. */
		put_state(w, 3, HOST_REPLACED, w->t);
		reopen(w);
		w->t += prng_below(&w->p, 1200000);
		begin(w, STORE_MARK_START, until);
	} else if (dice < 97) {
		w->t += prng_below(&w->p, 600000);
		begin(w, STORE_MARK_PAUSE, until);
	} else {
		w->t -= prng_below(&w->p, 900000);
		begin(w, STORE_MARK_PAUSE, until);
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
	struct world *w = make_world(*state);
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
	free_world(w);
}

/* --- what the log holds --- */

static void a_commit_tells_what_it_changes(void **state)
{
	struct world *w = make_world(*state);
	struct snapshot *s;
	struct row_value value;
	struct history_row row;
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	uint64_t next = snapshot_meta(s)->history.next;
	snapshot_close(s);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		put_state(w, i, HOST_UP, w->t);
	w->t += 1000;
	commit(w);
	/* Two that change, in the order of their times; one that is put as it was; one from the future. */
	w->t += 60000;
	put_state(w, 1, HOST_DARK, w->t - 100);
	put_state(w, 2, HOST_SILENT, w->t - 5000);
	put_state(w, 3, HOST_UP, w->t);
	put_state(w, 4, HOST_STOPPED, w->t + 5000);
	struct site_state site = {
	    .site = id_of_site("nowhere"), .name = "nowhere", .status = SITE_SILENT, .since = w->t - 6000};
	assert_int_equal(store_put_site_state(w->store, &site), ERR_OK);
	commit(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	uint64_t last = snapshot_meta(s)->history.next - 1;
	assert_true(last > next);
	assert_int_equal(history_read(s, last, &value, &row), ERR_OK);
	assert_int_equal(row.noted, w->t);
	assert_int_equal(row.count, 4);
	assert_true(value.len <= 9 + 16 + 4 * 16);
	const struct history_event expected[] = {
	    {HISTORY_SITE, HISTORY_NONE, SITE_SILENT, 0, 0, id_short(&site.site), w->t - 6000},
	    {HISTORY_HOST, HOST_UP, HOST_SILENT, 0, 0, id_short(&w->ids[2]), w->t - 5000},
	    {HISTORY_HOST, HOST_UP, HOST_DARK, 2, 3, id_short(&w->ids[1]), w->t - 100},
	    {HISTORY_HOST, HOST_UP, HOST_STOPPED, 0, 0, id_short(&w->ids[4]), w->t},
	};
	for (size_t i = 0; i < 4; i++) {
		struct history_event e = history_event_unpack(row.events + i * HISTORY_EVENT_BYTES);
		assert_int_equal(e.what, expected[i].what);
		assert_int_equal(e.from, expected[i].from);
		assert_int_equal(e.to, expected[i].to);
		assert_int_equal(e.votes, expected[i].votes);
		assert_int_equal(e.signers, expected[i].signers);
		assert_true(e.subject == expected[i].subject);
		assert_int_equal(e.since, expected[i].since);
	}
	snapshot_close(s);
	/* A reload alone is no change. */
	reopen(w);
	w->t += 1000;
	put_state(w, 1, HOST_DARK, w->t);
	commit(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	assert_int_equal(snapshot_meta(s)->history.next, last + 1);
	snapshot_close(s);
	free_world(w);
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
	struct world *w = make_world(*state);
	struct snapshot *s;
	struct store_stats stats;
	size_t copies;
	for (size_t i = 0; i < 20; i++)
		change_some(w);
	wall_ms middle = w->t;
	w->t += 60000;
	put_state(w, 5, w->oracle.status[5] == HOST_UP ? HOST_DARK : HOST_UP, w->t);
	oracle_put(&w->oracle, 5, w->oracle.status[5] == HOST_UP ? HOST_DARK : HOST_UP, w->t, w->t);
	commit(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	struct row_key key = history_key(snapshot_meta(s)->history.next - 1);
	snapshot_close(s);
	for (size_t i = 0; i < 20; i++) {
		w->t += 1000;
		change_some(w);
	}
	const wall_ms times[3] = {middle, w->t - 1000, w->t};
	damage_row(w, &key, &copies);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	/* The next writer drops it and says so; it stays a hole. */
	reopen(w);
	store_stats(w->store, &stats);
	assert_int_equal(stats.damaged, 1);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	reopen(w);
	store_stats(w->store, &stats);
	assert_int_equal(stats.damaged, 0);
	check_hole(w, times, QUERY_WATCH_DAMAGED);
	free_world(w);
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
	struct world *w = make_world(*state);
	struct query_point points[4];
	struct query_log log;
	size_t copies;
	for (size_t i = 0; i < w->oracle.hosts; i++)
		put_state(w, i, HOST_UP, w->t);
	w->t += 1000;
	commit(w);
	wall_ms first = w->t;
	w->t += 60000;
	put_state(w, 7, HOST_DARK, w->t);
	commit(w);
	w->t += 60000;
	struct row_key key = row_key_id(TABLE_HOST_STATES, &w->ids[7]);
	damage_row(w, &key, &copies);
	reopen(w);
	/* The node loads states, and misses one. */
	assert_int_equal(store_each_host_state(w->store, any_state, NULL), ERR_OK);
	commit(w);
	w->t += 60000;
	put_state(w, 7, HOST_UP, w->t);
	commit(w);
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
	free_world(w);
}

/* --- bounds --- */

static void the_oldest_rows_go(void **state)
{
	struct world *w = make_world(*state);
	struct backend *b;
	struct snapshot *s;
	struct query_log log;
	wall_ms before = w->t;
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(backend_lmdb_open(w->replica, LIMIT_REPLICA_MAP_BYTES, &w->meta.estate,
					   &w->meta.self, NULL, &b, NULL, NULL),
			 ERR_OK);
	((struct lmdb *)b)->history_bytes = 20000;
	assert_int_equal(store_over(b, &w->store), ERR_OK);
	uint64_t most = 0;
	for (size_t i = 0; i < 200; i++) {
		change_some(w);
		assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
		uint64_t bytes = snapshot_meta(s)->history.bytes;
		most = bytes > most ? bytes : most;
		snapshot_close(s);
	}
	assert_true(most > 19000 && most <= 20000);
	const wall_ms times[2] = {before, w->t};
	struct query_point points[2];
	struct query *q = open_query(w->folder);
	assert_int_equal(query_history(q, NULL, times, 2, points, &log, NULL), ERR_OK);
	assert_true(log.dropped && log.begins > before && log.begins < w->t);
	assert_int_equal(points[0].watch, QUERY_WATCH_BEFORE);
	assert_int_equal(points[1].watch, QUERY_WATCH_OK);
	query_close(q);
	/* What is counted as kept is there, and nothing else. */
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	const struct store_history h = snapshot_meta(s)->history;
	struct row_value value;
	struct history_row row;
	uint64_t bytes = 0;
	for (uint64_t i = 0; i < h.next; i++) {
		enum err err = history_read(s, i, &value, &row);
		assert_int_equal(err, i < h.first ? ERR_NOT_FOUND : ERR_OK);
		bytes += err == ERR_OK ? 9 + value.len : 0;
	}
	assert_int_equal(bytes, h.bytes);
	snapshot_close(s);
	free_world(w);
}

static void rows_older_than_the_bound_go_bit_by_bit(void **state)
{
	struct world *w = make_world(*state);
	struct snapshot *s;
	for (size_t i = 0; i < 60; i++)
		change_some(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	uint64_t old = snapshot_meta(s)->history.next, kept = snapshot_meta(s)->history.first;
	snapshot_close(s);
	w->t += (LIMIT_HISTORY_DAYS + 2ull) * CLOCK_DAY_MS;
	for (size_t i = 0; i < 12; i++) {
		w->t += 1000;
		put_state(w, 1, i % 2 == 0 ? HOST_REPLACED : HOST_UP, w->t);
		commit(w);
		assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
		uint64_t first = snapshot_meta(s)->history.first;
		snapshot_close(s);
		/* A clock that was wrong for one commit costs little. */
		assert_true(first <= kept + 16 && first <= old);
		assert_true(first > kept || first == old);
		kept = first;
	}
	assert_int_equal(kept, old);
	free_world(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(any_sequence_is_counted_back, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_commit_tells_what_it_changes, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(before_a_damaged_row_nothing_is_known, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_lost_state_is_unknown_back_to_the_change_before, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(the_oldest_rows_go, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(rows_older_than_the_bound_go_bit_by_bit, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
