/* The log of transitions itself: what a commit adds, the table that shows it, its bounds. */
#include "store/history.h"
#include "store/lmdb_backend.h"
#include "tests/unit/history_world.h"

/* --- what the log holds --- */

static void a_commit_tells_what_it_changes(void **state)
{
	struct world *w = world_make(*state);
	struct snapshot *s;
	struct row_value value;
	struct history_row row;
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	uint64_t next = snapshot_meta(s)->history.next;
	snapshot_close(s);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		world_put(w, i, HOST_UP, w->t);
	w->t += 1000;
	world_commit(w);
	/* Two that change, in the order of their times; one that is put as it was; one from the future. */
	w->t += 60000;
	world_put(w, 1, HOST_DARK, w->t - 100);
	world_put(w, 2, HOST_SILENT, w->t - 5000);
	world_put(w, 3, HOST_UP, w->t);
	world_put(w, 4, HOST_STOPPED, w->t + 5000);
	struct site_state site = {
	    .site = id_of_site("nowhere"), .name = "nowhere", .status = SITE_SILENT, .since = w->t - 6000};
	assert_int_equal(store_put_site_state(w->store, &site), ERR_OK);
	world_commit(w);
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
	world_reopen(w);
	w->t += 1000;
	world_put(w, 1, HOST_DARK, w->t);
	world_commit(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	assert_int_equal(snapshot_meta(s)->history.next, last + 1);
	snapshot_close(s);
	world_free(w);
}

/* --- bounds --- */

static void the_oldest_rows_go(void **state)
{
	struct world *w = world_make(*state);
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
		world_change(w);
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
	world_free(w);
}

static void rows_older_than_the_bound_go_bit_by_bit(void **state)
{
	struct world *w = world_make(*state);
	struct snapshot *s;
	for (size_t i = 0; i < 60; i++)
		world_change(w);
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	uint64_t old = snapshot_meta(s)->history.next, kept = snapshot_meta(s)->history.first;
	snapshot_close(s);
	w->t += (LIMIT_HISTORY_DAYS + 2ull) * CLOCK_DAY_MS;
	for (size_t i = 0; i < 12; i++) {
		w->t += 1000;
		world_put(w, 1, i % 2 == 0 ? HOST_REPLACED : HOST_UP, w->t);
		world_commit(w);
		assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
		uint64_t first = snapshot_meta(s)->history.first;
		snapshot_close(s);
		/* A clock that was wrong for one commit costs little. */
		assert_true(first <= kept + 16 && first <= old);
		assert_true(first > kept || first == old);
		kept = first;
	}
	assert_int_equal(kept, old);
	world_free(w);
}

/* --- the table --- */

/* Rows that a condition leaves, first by going through all of them. */
static void agrees(struct query *q, const char *condition, long at_least)
{
	char sql[512];
	/* A sum is no column, so that nothing is pushed down. */
	snprintf(
	    sql, sizeof(sql),
	    "SELECT group_concat(seq) FROM (SELECT seq, noted_ms + 0 AS noted_ms, since_ms + 0 AS since_ms, "
	    "host || '' AS host, kind FROM transitions) WHERE %s",
	    condition);
	char *slow = strdup(text_of(q, sql));
	snprintf(sql, sizeof(sql), "SELECT group_concat(seq) FROM transitions WHERE %s", condition);
	assert_string_equal(text_of(q, sql), slow);
	free(slow);
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM transitions WHERE %s", condition);
	assert_true(number_of(q, sql) >= at_least);
}

static void times_and_hosts_are_pushed_down(void **state)
{
	struct world *w = world_make(*state);
	char condition[256], id[ID_HEX_BYTES];
	for (size_t i = 0; i < 40; i++)
		world_change(w);
	/* A clock that was set back, twice. */
	for (size_t i = 0; i < 2; i++) {
		wall_ms until = w->t;
		w->t -= 30 * CLOCK_MINUTE_MS;
		world_begin(w, STORE_MARK_PAUSE, until);
		for (size_t k = 0; k < 20; k++)
			world_change(w);
	}
	struct query *q = open_query(w->folder);
	wall_ms begins = w->oracle.begins;
	assert_int_equal(number_of(q, "SELECT count(*) FROM transitions WHERE kind = 'host' AND seq > "
				      "(SELECT max(seq) FROM transitions WHERE kind = 'start')"),
			 (long)w->oracle.change_count);
	for (size_t i = 0; i < 200; i++) {
		static const struct {
			const char *before, *behind;
		} forms[] = {
		    {"noted_ms >= ", ""},
		    {"noted_ms > ", " AND since_ms >= 1800003600000"},
		    {"since_ms > ", ""},
		    {"noted_ms < ", ""},
		    {"noted_ms BETWEEN ", " AND 1800007000000.5"},
		    {"noted_ms = ", ""},
		    {"noted_ms >= ", ".5 AND noted_ms <= 1900000000000"},
		};
		/* Also the very times that there are. */
		wall_ms t = i % 2 == 0 ? begins + prng_below(&w->p, 3 * 3600000)
				       : w->oracle.changes[i % w->oracle.change_count].since;
		snprintf(condition, sizeof(condition), "%s%llu%s", forms[i % 7].before, (unsigned long long)t,
			 forms[i % 7].behind);
		agrees(q, condition, 0);
	}
	for (size_t i = 0; i < 10; i++) {
		id_hex(&w->ids[i], id);
		snprintf(condition, sizeof(condition), "host = '%s'", id);
		agrees(q, condition, 1);
		snprintf(condition, sizeof(condition), "host = '%s' AND noted_ms > 1800005000000", id);
		agrees(q, condition, 0);
	}
	agrees(q, "noted_ms >= 1800003600000 AND noted_ms <= 1800005400000", 1);
	agrees(q, "host = 'nobody'", 0);
	agrees(q, "host IS NULL", 1);
	agrees(q, "noted_ms > NULL", 0);
	/* In the order of commits, which the times are not. */
	assert_int_equal(number_of(q, "SELECT count(*) FROM (SELECT seq < lag(seq) OVER () AS back FROM "
				      "transitions) WHERE back"),
			 0);
	assert_true(number_of(q,
			      "SELECT count(*) FROM (SELECT noted_ms < lag(noted_ms) OVER (ORDER BY seq) AS "
			      "back FROM transitions) WHERE back") == 2);
	query_close(q);
	world_free(w);
}

static void a_row_says_who_and_by_whose_word(void **state)
{
	struct world *w = world_make(*state);
	char sql[512], id[ID_HEX_BYTES];
	world_put(w, 5, HOST_UP, w->t);
	w->t += 1000;
	world_commit(w);
	w->t += 60000;
	world_put(w, 5, HOST_DARK, w->t - 7000);
	world_commit(w);
	assert_int_equal(store_put_mark(w->store, STORE_MARK_STOP, 0), ERR_OK);
	w->t += 1000;
	world_commit(w);
	struct query *q = open_query(w->folder);
	id_hex(&w->ids[5], id);
	snprintf(
	    sql, sizeof(sql),
	    "SELECT kind, t.host = '%s', t.host_name = h.name, t.site = h.site, substr(t.host, 1, 16) = "
	    "subject, from_status, to_status, votes, signers, noted_ms - since_ms FROM transitions AS t JOIN "
	    "hosts AS h ON h.host = t.host WHERE to_status = 'dark'"
	    "ORDER BY t.seq DESC LIMIT 1",
	    id);
	assert_string_equal(text_of(q, sql), "host|1|1|1|1|up|dark|2|3|7000\n");
	assert_string_equal(text_of(q,
				    "SELECT kind, host, host_name, site, subject, from_status, to_status, "
				    "votes, signers, noted_ms - since_ms FROM transitions ORDER BY seq DESC "
				    "LIMIT 1"),
			    "stop|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|0\n");
	assert_string_equal(
	    text_of(q, "SELECT noted_ms, since_ms FROM transitions WHERE kind = 'start' ORDER BY "
		       "seq DESC LIMIT 1"),
	    "1800003600000|1800000000000\n");
	assert_true(number_of(q,
			      "SELECT count(*) FROM transitions WHERE kind = 'site' AND site IS NOT NULL AND "
			      "host IS NULL AND subject IS NOT NULL") >= SITES);
	query_close(q);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_commit_tells_what_it_changes, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(times_and_hosts_are_pushed_down, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_row_says_who_and_by_whose_word, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(the_oldest_rows_go, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(rows_older_than_the_bound_go_bit_by_bit, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests_name("transitions", tests, NULL, NULL);
}
