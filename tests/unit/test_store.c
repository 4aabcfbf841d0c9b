/* What a store promises, over both backends. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

static struct store *open_store(struct scratch *s, bool memory)
{
	struct id estate = rows_id(9, 1), self = rows_id(9, 2);
	struct store *store = NULL;
	struct err_info info = {0};
	bool aside = true;
	enum err err;
	if (memory)
		err = store_open_memory(&estate, &self, &store);
	else
		err = store_open(scratch_path(s, "replica"), &estate, &self, &store, &aside, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return store;
}

static bool holds_record(struct store *s, uint64_t number, uint64_t generation)
{
	uint8_t expected[LIMIT_RECORD_BYTES], have[LIMIT_RECORD_BYTES];
	struct record_key key = rows_key(number);
	size_t len = 0;
	wall_ms received = 0;
	size_t expected_len = rows_content(number, generation, expected);
	return store_get_record(s, &key, have, &len, &received) == ERR_OK && len == expected_len &&
	       memcmp(have, expected, len) == 0 && received == ROWS_NOW + generation;
}

static bool lacks_record(struct store *s, uint64_t number)
{
	uint8_t have[LIMIT_RECORD_BYTES];
	struct record_key key = rows_key(number);
	size_t len = 77;
	wall_ms received = 78;
	return store_get_record(s, &key, have, &len, &received) == ERR_NOT_FOUND && len == 77 &&
	       received == 78;
}

static void reads_see_every_stage(struct store *s)
{
	assert_true(lacks_record(s, 1));
	assert_int_equal(rows_put_record(s, 1, 1), ERR_OK);
	assert_true(holds_record(s, 1, 1));
	assert_int_equal(store_pending(s), 1);
	assert_int_equal(store_freeze(s), ERR_OK);
	assert_int_equal(store_pending(s), 0);
	assert_true(holds_record(s, 1, 1));
	assert_int_equal(rows_put_record(s, 1, 2), ERR_OK);
	assert_true(holds_record(s, 1, 2));
	assert_int_equal(store_commit(s, ROWS_NOW, NULL), ERR_OK);
	store_thaw(s, ERR_OK);
	assert_true(holds_record(s, 1, 2));
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	assert_true(holds_record(s, 1, 2));
	assert_int_equal(store_pending(s), 0);
	struct store_stats stats;
	store_stats(s, &stats);
	assert_int_equal(stats.commits, 2);
	assert_int_equal(stats.committed_rows, 2);
	assert_int_equal(stats.rows, 1);
	assert_int_equal(stats.damaged, 0);
}

static void batches_keep_their_order(struct store *s)
{
	assert_int_equal(store_freeze(s), ERR_NOT_FOUND);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(rows_put_record(s, i, 1), ERR_OK);
	assert_int_equal(store_freeze(s), ERR_OK);
	assert_int_equal(store_freeze(s), ERR_BUSY);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_BUSY);
	assert_int_equal(rows_put_record(s, 2, 2), ERR_OK);
	assert_int_equal(rows_put_record(s, 9, 2), ERR_OK);
	/* A commit that failed: what was put since wins over what comes back. */
	store_thaw(s, ERR_DISK_FULL);
	assert_int_equal(store_pending(s), 5);
	for (uint64_t i = 0; i < 4; i++)
		assert_true(holds_record(s, i, i == 2 ? 2 : 1));
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	for (uint64_t i = 0; i < 4; i++)
		assert_true(holds_record(s, i, i == 2 ? 2 : 1));
	assert_true(holds_record(s, 9, 2));
	struct record_key dropped = rows_key(9);
	for (unsigned i = 0; i < 2; i++) { /* one that is there, and one that is not */
		assert_int_equal(store_drop_record(s, &dropped), ERR_OK);
		assert_true(lacks_record(s, 9));
		assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
		assert_true(lacks_record(s, 9));
	}
	assert_true(holds_record(s, 2, 2));
}

static void bad_sizes_are_refused(struct store *s)
{
	uint8_t bytes[LIMIT_RECORD_BYTES + 1] = {0};
	struct record_key key = rows_key(1);
	struct id id = rows_id(4, 1);
	assert_int_equal(store_put_record(s, &key, bytes, sizeof(bytes), 1), ERR_LIMIT);
	assert_int_equal(store_put_record(s, &key, bytes, 0, 1), ERR_LIMIT);
	assert_int_equal(store_put_blob(s, &id, bytes, LIMIT_BLOB_BYTES + 1), ERR_LIMIT);
	assert_int_equal(store_put_record(s, &key, bytes, LIMIT_RECORD_BYTES, 1), ERR_OK);
	assert_int_equal(store_put_blob(s, &id, bytes, LIMIT_BLOB_BYTES), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	uint8_t have[LIMIT_RECORD_BYTES];
	size_t len;
	assert_int_equal(store_get_record(s, &key, have, &len, NULL), ERR_OK);
	assert_int_equal(len, LIMIT_RECORD_BYTES);
}

static void a_full_batch_refuses(struct store *s)
{
	for (uint64_t i = 0; i < LIMIT_BATCH_ROWS; i++)
		assert_int_equal(rows_put_record(s, i, 1), ERR_OK);
	assert_int_equal(rows_put_record(s, LIMIT_BATCH_ROWS, 1), ERR_LIMIT);
	assert_int_equal(rows_put_record(s, 5, 2), ERR_OK);
	/* Failing commits do not let it grow without end. */
	for (int round = 0; round < 4; round++) {
		uint64_t number = LIMIT_BATCH_ROWS;
		assert_int_equal(store_freeze(s), ERR_OK);
		while (rows_put_record(s, number, 1) == ERR_OK)
			number++;
		store_thaw(s, ERR_DISK_FULL);
		assert_true(store_pending(s) <= 2 * LIMIT_BATCH_ROWS);
	}
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	assert_true(holds_record(s, 5, 2));
	assert_true(holds_record(s, LIMIT_BATCH_ROWS, 1));
	assert_int_equal(rows_put_record(s, 1000000, 1), ERR_OK);
}

struct seen {
	struct store *store;
	size_t count;
	uint8_t last_kind;
	size_t stop_after;
	uint64_t generation[600];
	bool right;
};

static bool see_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct seen *seen = context;
	uint8_t expected[LIMIT_RECORD_BYTES];
	uint64_t number;
	memcpy(&number, bytes, 8);
	if (number >= 600)
		return true;
	struct record_key key = rows_key(number);
	size_t expected_len = rows_content(number, received - ROWS_NOW, expected);
	seen->right = seen->right && key.kind >= seen->last_kind && len == expected_len &&
		      memcmp(bytes, expected, len) == 0 && seen->generation[number] == 0;
	seen->generation[number] = received - ROWS_NOW;
	seen->last_kind = key.kind;
	seen->count++;
	/* Callers may read and put. */
	if (seen->store != NULL) {
		seen->right = seen->right && holds_record(seen->store, number, received - ROWS_NOW);
		seen->right = seen->right && rows_put_record(seen->store, number, 9) == ERR_OK;
	}
	return seen->count != seen->stop_after;
}

static void each_visits_all_in_order(struct store *s)
{
	static struct seen seen;
	/* Three layers: committed, frozen, filling, overlapping. */
	for (uint64_t i = 0; i < 400; i++)
		assert_int_equal(rows_put_record(s, i, 1), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	for (uint64_t i = 300; i < 500; i++)
		assert_int_equal(rows_put_record(s, i, 2), ERR_OK);
	assert_int_equal(store_freeze(s), ERR_OK);
	for (uint64_t i = 350; i < 600; i += 2)
		assert_int_equal(rows_put_record(s, i, 3), ERR_OK);
	for (int with_puts = 0; with_puts < 2; with_puts++) {
		seen = (struct seen){.right = true, .store = with_puts ? s : NULL};
		assert_int_equal(store_each_record(s, see_record, &seen), ERR_OK);
		assert_true(seen.right);
		assert_int_equal(seen.count, 550);
		for (uint64_t i = 0; i < 600; i++) {
			uint64_t expected = i < 300 ? 1 : i < 500 ? 2 : 0;
			if (i >= 350 && i % 2 == 0)
				expected = 3;
			assert_int_equal(seen.generation[i], expected);
		}
	}
	seen = (struct seen){.right = true, .stop_after = 7};
	assert_int_equal(store_each_record(s, see_record, &seen), ERR_OK);
	assert_int_equal(seen.count, 7);
	assert_int_equal(store_commit(s, ROWS_NOW, NULL), ERR_OK);
	store_thaw(s, ERR_OK);
}

struct tables {
	bool right;
	size_t blobs, hosts, sites, issues, proofs;
};

static bool see_blob(void *context, const struct id *id)
{
	struct tables *t = context;
	bool known = false;
	for (uint64_t i = 0; i < 20; i++) {
		struct id expected = rows_id(4, i);
		known = known || id_equal(&expected, id);
	}
	t->right = t->right && known;
	t->blobs++;
	return true;
}

static bool see_host(void *context, const struct host_state *state)
{
	struct tables *t = context;
	struct host_state expected = rows_host(state->since - ROWS_NOW, 1);
	t->right = t->right && id_equal(&expected.host, &state->host) && state->status == expected.status &&
		   state->standing == expected.standing && id_equal(&state->issuer, &expected.issuer) &&
		   id_equal(&state->replaced_by, &expected.replaced_by) && state->since == expected.since &&
		   state->seen == expected.seen && state->votes == 1 && state->signers == 2 &&
		   memcmp(state->witnesses, expected.witnesses, sizeof(expected.witnesses)) == 0;
	t->hosts++;
	return true;
}

static bool see_site(void *context, const struct site_state *state)
{
	struct tables *t = context;
	struct site_state expected = rows_site(state->live_witnesses, 1);
	t->right = t->right && id_equal(&expected.site, &state->site) &&
		   strcmp(expected.name, state->name) == 0 && state->status == expected.status &&
		   state->since == expected.since && state->last_rollcall == expected.last_rollcall &&
		   state->interval_s == expected.interval_s;
	t->sites++;
	return true;
}

static bool see_issue(void *context, const struct issue *issue)
{
	struct tables *t = context;
	t->right = t->right && rows_issue_right(issue, 1);
	t->proofs += rows_issue_proofs(issue, &t->right);
	t->issues++;
	return true;
}

static void every_table_comes_back_whole(struct store *s)
{
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(rows_put_all(s, i, 1), ERR_OK);
		if (i == 10)
			assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	}
	for (int committed = 0; committed < 2; committed++) {
		struct tables t = {.right = true};
		assert_int_equal(store_each_blob(s, see_blob, &t), ERR_OK);
		assert_int_equal(store_each_host_state(s, see_host, &t), ERR_OK);
		assert_int_equal(store_each_site_state(s, see_site, &t), ERR_OK);
		assert_int_equal(store_each_issue(s, see_issue, &t), ERR_OK);
		assert_true(t.right);
		assert_int_equal(t.blobs, 20);
		assert_int_equal(t.hosts, 20);
		assert_int_equal(t.sites, 20);
		assert_int_equal(t.issues, 20);
		assert_int_equal(t.proofs, 6);
		uint8_t expected[LIMIT_BLOB_BYTES], have[LIMIT_BLOB_BYTES];
		struct id blob = rows_id(4, 15);
		size_t len = 0, expected_len = rows_content(15, 0, expected);
		assert_int_equal(store_get_blob(s, &blob, have, &len), ERR_OK);
		assert_int_equal(len, expected_len);
		assert_memory_equal(have, expected, len);
		assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	}
	struct store_stats stats;
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 106);
}

struct one_issue {
	size_t seen, proofs;
	uint64_t last;
	bool right;
};

static bool see_one_issue(void *context, const struct issue *issue)
{
	struct one_issue *one = context;
	one->seen++;
	one->last = issue->last;
	one->proofs += rows_issue_proofs(issue, &one->right);
	return true;
}

static struct one_issue look_at_issues(struct store *s)
{
	struct one_issue one = {.right = true};
	assert_int_equal(store_each_issue(s, see_one_issue, &one), ERR_OK);
	assert_true(one.right);
	return one;
}

static uint64_t rows_in_backend(struct store *s)
{
	struct store_stats stats;
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	store_stats(s, &stats);
	return stats.rows;
}

/* In every stage: filling, frozen, committed. */
static void issues_end_with_their_proofs(struct store *s)
{
	for (unsigned stage = 0; stage < 3; stage++) {
		struct rows_issue r;
		rows_issue(0, 1, &r);
		assert_int_equal(store_put_issue(s, &r.issue), ERR_OK);
		if (stage == 1)
			assert_int_equal(store_freeze(s), ERR_OK);
		if (stage == 2)
			assert_int_equal(rows_in_backend(s), 3);
		/* Told again without its proofs: they stay. */
		r.issue.last = ROWS_NOW + 5;
		r.issue.proof_len[0] = r.issue.proof_len[1] = 0;
		assert_int_equal(store_put_issue(s, &r.issue), ERR_OK);
		struct one_issue one = look_at_issues(s);
		assert_true(one.seen == 1 && one.proofs == 2 && one.last == ROWS_NOW + 5);
		r.issue.over = true;
		assert_int_equal(store_put_issue(s, &r.issue), ERR_OK);
		assert_int_equal(look_at_issues(s).seen, 0);
		if (stage == 1) {
			assert_int_equal(store_commit(s, ROWS_NOW, NULL), ERR_OK);
			store_thaw(s, ERR_OK);
		}
		assert_int_equal(rows_in_backend(s), 0);
		/* What never was needs no row to say that it is over. */
		assert_int_equal(store_put_issue(s, &r.issue), ERR_OK);
		assert_int_equal(store_pending(s), 0);
	}
}

static void issues_that_are_none_are_refused(struct store *s)
{
	struct rows_issue r;
	uint8_t large[LIMIT_RECORD_BYTES + 1] = {0};
	rows_issue(0, 1, &r);
	r.issue.kind = (enum issue_kind)200;
	assert_int_equal(store_put_issue(s, &r.issue), ERR_ARG);
	rows_issue(0, 1, &r);
	r.issue.proof[1] = large;
	r.issue.proof_len[1] = sizeof(large);
	assert_int_equal(store_put_issue(s, &r.issue), ERR_LIMIT);
	rows_issue(0, 1, &r);
	memset(r.issue.detail, 'x', sizeof(r.issue.detail));
	assert_int_equal(store_put_issue(s, &r.issue), ERR_LIMIT);
	r.issue.detail[LIMIT_ISSUE_DETAIL_BYTES] = '\0';
	assert_int_equal(store_put_issue(s, &r.issue), ERR_OK);
	assert_int_equal(look_at_issues(s).seen, 1);
}

static void *commit_elsewhere(void *context)
{
	struct store *s = context;
	return store_commit(s, ROWS_NOW, NULL) == ERR_OK ? s : NULL;
}

static void reads_go_on_beside_a_commit(struct store *s)
{
	for (uint64_t round = 1; round <= 20; round++) {
		pthread_t thread;
		void *done = NULL;
		for (uint64_t i = 0; i < 200; i++)
			assert_int_equal(rows_put_record(s, i, round), ERR_OK);
		assert_int_equal(store_freeze(s), ERR_OK);
		assert_int_equal(pthread_create(&thread, NULL, commit_elsewhere, s), 0);
		for (uint64_t i = 0; i < 200; i++)
			assert_true(holds_record(s, i, round));
		struct seen seen = {.right = true};
		assert_int_equal(store_each_record(s, see_record, &seen), ERR_OK);
		assert_true(seen.right && seen.count == 200);
		assert_int_equal(pthread_join(thread, &done), 0);
		assert_ptr_equal(done, s);
		store_thaw(s, ERR_OK);
	}
}

/* Through the backend's door, below the checksums. */
static void plant_damage(struct backend *b, uint64_t number, size_t position)
{
	struct record_key key = rows_key(number);
	struct row_key at = row_key_record(&key);
	struct row_value row;
	struct row_set batch = {0};
	assert_int_equal(b->ops->get(b, &at, &row), ERR_OK);
	row.bytes[position % row.len] ^= 0x10;
	assert_int_equal(row_set_put(&batch, &at, row.bytes, row.len), ERR_OK);
	assert_int_equal(b->ops->commit(b, &batch, ROWS_NOW, NULL), ERR_OK);
	row_set_clear(&batch);
}

static void damaged_rows_are_absent_and_go(struct scratch *scratch, bool memory)
{
	struct id estate = rows_id(9, 1), self = rows_id(9, 2);
	struct backend *b;
	struct store *s;
	struct store_stats stats;
	if (memory)
		assert_int_equal(backend_memory_open(&estate, &self, &b), ERR_OK);
	else
		assert_int_equal(backend_lmdb_open(scratch_path(scratch, "replica"), 1 << 20, &estate, &self,
						   NULL, &b, NULL, NULL),
				 ERR_OK);
	assert_int_equal(store_over(b, &s), ERR_OK);
	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(rows_put_record(s, i, 1), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	for (uint64_t i = 0; i < 5; i++)
		plant_damage(b, i, i * 5);
	assert_true(lacks_record(s, 0));
	assert_true(lacks_record(s, 0));
	store_stats(s, &stats);
	assert_int_equal(stats.damaged, 1);
	struct seen seen = {.right = true};
	assert_int_equal(store_each_record(s, see_record, &seen), ERR_OK);
	assert_true(seen.right);
	assert_int_equal(seen.count, 5);
	store_stats(s, &stats);
	assert_int_equal(stats.damaged, 5);
	/* A fresh copy heals; the others leave with the next commit. */
	assert_int_equal(rows_put_record(s, 3, 2), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	assert_true(holds_record(s, 3, 2));
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 6);
	store_close(s);
}

static const struct {
	const char *name;
	void (*test)(struct store *s);
} suite[] = {
    {"reads see every stage", reads_see_every_stage},
    {"batches keep their order", batches_keep_their_order},
    {"bad sizes are refused", bad_sizes_are_refused},
    {"a full batch refuses", a_full_batch_refuses},
    {"each visits all in order", each_visits_all_in_order},
    {"every table comes back whole", every_table_comes_back_whole},
    {"issues end with their proofs", issues_end_with_their_proofs},
    {"issues that are none are refused", issues_that_are_none_are_refused},
    {"reads go on beside a commit", reads_go_on_beside_a_commit},
};

static void run_suite(void **state, bool memory)
{
	for (size_t i = 0; i < sizeof(suite) / sizeof(*suite); i++) {
		void *scratch = NULL;
		print_message("             %s: %s\n", memory ? "memory" : "lmdb", suite[i].name);
		assert_int_equal(scratch_setup(&scratch), 0);
		struct store *s = open_store(scratch, memory);
		suite[i].test(s);
		store_close(s);
		assert_int_equal(scratch_teardown(&scratch), 0);
	}
	damaged_rows_are_absent_and_go(*state, memory);
}

static void over_memory(void **state)
{
	run_suite(state, true);
}

static void over_lmdb(void **state)
{
	run_suite(state, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(over_memory, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(over_lmdb, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
