/* What a disk damages of what questions read, under an open store: a question says that it lacks it, and the
 * next commits make it anew, though nothing of it was changed and nothing is opened again. */
#include "store/lmdb_env.h"
#include "store/query_private.h"
#include "store/store.h"
#include "tests/unit/query_estate.h"

static const char *const questions[] = {
    "SELECT host, name, site, status, seen_ms, components FROM hosts ORDER BY host",
    "SELECT component, version, count(*), sum(loaded) FROM host_components GROUP BY 1, 2 ORDER BY 1, 2",
};
#define QUESTIONS (sizeof(questions) / sizeof(*questions))

struct fixture {
	const char *folder, *data;
	struct store *store;
	char *answers[QUESTIONS];
};

static struct host_state first;

static bool take_first(void *context, const struct host_state *state)
{
	(void)context;
	first = *state;
	return false;
}

static void begin(struct fixture *f, struct scratch *s)
{
	struct snapshot *snapshot;
	struct err_info info = {0};
	*f = (struct fixture){.folder = scratch_path(s, "estate"),
			      .data = scratch_path(s, "estate/replica/data.mdb")};
	make_estate(f->folder);
	assert_int_equal(snapshot_open(f->folder, &snapshot, &info), ERR_OK);
	struct id estate = snapshot_meta(snapshot)->estate, self = snapshot_meta(snapshot)->self;
	snapshot_close(snapshot);
	assert_int_equal(
	    store_open(scratch_path(s, "estate/replica"), &estate, &self, &f->store, NULL, &info), ERR_OK);
	/* So that there is a delta. */
	assert_int_equal(store_each_host_state(f->store, take_first, NULL), ERR_OK);
	first.seen += 1000;
	assert_int_equal(store_put_host_state(f->store, &first), ERR_OK);
	assert_int_equal(store_flush(f->store, NOW, NULL), ERR_OK);
}

static void end(struct fixture *f)
{
	for (size_t i = 0; i < QUESTIONS; i++)
		free(f->answers[i]);
	store_close(f->store);
}

/* Offset in the file of the midst of the first value of a group; 0: there is none. Without a lock, as the
 * file is open in this process. */
static size_t place_of(struct scratch *s, enum store_table table, enum column_group group)
{
	struct row_key key = {.bytes = {(uint8_t)table, (uint8_t)group}, .len = 2};
	struct err_info info = {0};
	struct lmdb_env e;
	MDB_txn *txn;
	MDB_val v;
	const void *start;
	size_t bytes, ret = 0;
	assert_int_equal(
	    lmdb_env_open(&e, scratch_path(s, "estate/replica"), 0, MDB_RDONLY | MDB_NOLOCK, &info), ERR_OK);
	assert_int_equal(mdb_txn_begin(e.env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(lmdb_map(&e, txn, &start, &bytes), ERR_OK);
	if (lmdb_next_place(txn, e.dbi, &key, 2, &v) == ERR_OK)
		ret = (size_t)((const uint8_t *)v.mv_data - (const uint8_t *)start) + v.mv_size / 2;
	mdb_txn_abort(txn);
	lmdb_env_close(&e);
	return ret;
}

static void flip(const struct fixture *f, size_t at)
{
	FILE *file = fopen(f->data, "r+b");
	assert_non_null(file);
	assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
	int byte = fgetc(file);
	assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
	assert_int_equal(fputc(byte ^ 4, file), byte ^ 4);
	assert_int_equal(fclose(file), 0);
}

/* Whether the answers are those of the sound file; they say themselves whether they are. */
static bool same_answers(struct fixture *f)
{
	struct query *q = open_query(f->folder);
	struct query_coverage c;
	bool same = true;
	for (size_t i = 0; i < QUESTIONS; i++) {
		const char *text = text_of(q, questions[i]);
		if (f->answers[i] == NULL)
			f->answers[i] = strdup(text);
		same = same && strcmp(text, f->answers[i]) == 0;
	}
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_true(same || c.damaged_rows > 0);
	query_close(q);
	return same;
}

/* Commits until it is mended. Returns how many. */
static unsigned commits(struct fixture *f, unsigned most)
{
	struct store_stats before, after;
	unsigned count = 0;
	store_stats(f->store, &before);
	do {
		store_stamp(f->store);
		assert_int_equal(store_flush(f->store, NOW, NULL), ERR_OK);
		store_stats(f->store, &after);
		count++;
	} while (after.rebuilt == before.rebuilt && count < most);
	assert_true(after.rebuilt > before.rebuilt);
	return count;
}

static void a_damaged_delta_is_mended_by_the_next_commit(void **state)
{
	struct fixture f;
	begin(&f, *state);
	assert_true(same_answers(&f));
	size_t at = place_of(*state, TABLE_DELTAS, GROUP_STATE);
	assert_int_not_equal(at, 0);
	flip(&f, at);
	assert_false(same_answers(&f));
	assert_int_equal(commits(&f, 1), 1);
	assert_true(same_answers(&f));
	end(&f);
}

static void damaged_blocks_are_mended_in_turn(void **state)
{
	static const enum column_group groups[] = {GROUP_HOST,  GROUP_STATE, GROUP_PROFILE, GROUP_COMPONENTS,
						   GROUP_ENTRY, GROUP_CHUNK, GROUP_MANIFEST};
	struct fixture f;
	size_t met = 0;
	begin(&f, *state);
	assert_true(same_answers(&f));
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		size_t at = place_of(*state, TABLE_BLOCKS, groups[i]);
		if (at == 0)
			continue; /* it is so small that all of it is in deltas */
		met++;
		flip(&f, at);
		assert_false(same_answers(&f));
		commits(&f, 1000);
		assert_true(same_answers(&f));
	}
	assert_true(met >= 4);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_damaged_delta_is_mended_by_the_next_commit, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(damaged_blocks_are_mended_in_turn, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests_name("store scrub", tests, NULL, NULL);
}
