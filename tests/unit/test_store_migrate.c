/* Replicas that earlier programs wrote (tests/unit/replicas: mesh-estate of the last commit with that schema,
 * 20 to 24 hosts, seed 7) are converted when they are opened to write: every row stays, answers stay the
 * same, and a kill in the middle costs nothing. */
#include <unistd.h>

#include "os/file.h"
#include "store/column_table.h"
#include "store/query_private.h"
#include "store/store.h"
#include "tests/unit/query_estate.h"

static const struct old {
	const char *file;
	uint32_t schema;
	size_t hosts, records;
	bool readable; /* certificates have the form of today */
} olds[] = {
    {"schema-1.mdb", 1, 20, 102, false},
    {"schema-2.mdb", 2, 24, 120, true},
    {"schema-3.mdb", 3, 24, 131, true},
    {"schema-4.mdb", 4, 24, 132, true},
};

#define QUESTIONS                                                                                            \
	"SELECT host, name, site, status, standing, os, components, level, crash_events FROM hosts ORDER "   \
	"BY 1"

static void copy_old(struct scratch *s, const struct old *old)
{
	char path[512];
	uint8_t *file;
	size_t len;
	snprintf(path, sizeof(path), "%s/tests/unit/replicas/%s", MESH_SOURCE_ROOT, old->file);
	assert_int_equal(os_file_read(path, 1 << 20, &file, &len, NULL), ERR_OK);
	assert_int_equal(os_dir_make(scratch_path(s, "estate/replica"), 0750, NULL), ERR_OK);
	scratch_write(scratch_path(s, "estate/replica/data.mdb"), file, len, 0640);
	free(file);
}

static char *answers(const char *state)
{
	static struct answer a;
	struct query *q;
	struct err_info info = {0};
	const struct query_sink sink = {take_columns, take_row, &a};
	a = (struct answer){.len = 0};
	assert_int_equal(query_open(state, NOW, &q, &info), ERR_OK);
	assert_int_equal(query_run(q, QUESTIONS, NULL, 0, NULL, &sink, &info), ERR_OK);
	assert_true(a.rows > 10);
	query_close(q);
	return strdup(a.text);
}

static struct store_meta meta_of(const char *state)
{
	struct snapshot *s;
	struct err_info info = {0};
	assert_int_equal(snapshot_open(state, &s, &info), ERR_OK);
	struct store_meta meta = *snapshot_meta(s);
	snapshot_close(s);
	return meta;
}

struct sums {
	size_t records, hosts;
	uint64_t sum;
};

static bool sum_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct sums *s = context;
	s->records++;
	s->sum += hash_checksum(bytes, len) + received;
	return true;
}

static bool sum_host(void *context, const struct host_state *state)
{
	struct sums *s = context;
	s->hosts++;
	s->sum += hash_checksum(state->host.b, ID_BYTES) * state->since;
	return true;
}

/* `anew`: what is derived is made again. */
static struct sums open_and_sum(const char *replica, const struct store_meta *meta, bool anew)
{
	struct store *s;
	struct store_stats stats;
	struct err_info info = {0};
	struct sums sums = {.sum = 0};
	bool aside = true;
	assert_int_equal(store_open(replica, &meta->estate, &meta->self, &s, &aside, &info), ERR_OK);
	assert_false(aside);
	assert_int_equal(store_each_record(s, sum_record, &sums), ERR_OK);
	assert_int_equal(store_each_host_state(s, sum_host, &sums), ERR_OK);
	store_stats(s, &stats);
	assert_int_equal(stats.damaged, 0);
	assert_int_equal(stats.rebuilt > 0, anew);
	store_close(s);
	return sums;
}

static size_t column_rows(const char *state, enum column_group group)
{
	struct snapshot *s;
	struct column_table *t;
	size_t rows = 0;
	assert_int_equal(snapshot_open(state, &s, NULL), ERR_OK);
	assert_int_equal(column_table_open(s, group, &t), ERR_OK);
	for (uint32_t i = 0; i < column_table_end(t); i++) {
		struct column_row row;
		assert_int_equal(column_table_row(t, i, &row), ERR_OK);
		rows += row.block != NULL;
	}
	column_table_close(t);
	snapshot_close(s);
	return rows;
}

static void old_replicas_are_converted(void **state)
{
	for (size_t i = 0; i < sizeof(olds) / sizeof(*olds); i++) {
		const char *folder = scratch_path(*state, "estate"),
			   *replica = scratch_path(*state, "estate/replica");
		(void)remove(scratch_path(*state, "estate/replica/data.mdb"));
		copy_old(*state, &olds[i]);
		struct store_meta meta = meta_of(folder);
		assert_int_equal(meta.schema, olds[i].schema);
		/* From schema 3 on there are blocks: they are asked as they are. */
		char *before = olds[i].schema >= 3 ? answers(folder) : NULL;
		struct sums sums = open_and_sum(replica, &meta, olds[i].schema == 3);
		assert_int_equal(sums.hosts, olds[i].hosts);
		assert_int_equal(sums.records, olds[i].records);
		struct store_meta after = meta_of(folder);
		assert_int_equal(after.schema, STORE_SCHEMA);
		assert_false(after.migrating);
		assert_int_equal(after.as_of, meta.as_of);
		assert_true(after.digest_known);
		/* Being converted is no transition of anybody. */
		assert_int_equal(after.history.next, meta.history.next);
		size_t readable = olds[i].readable ? olds[i].hosts : 0;
		assert_int_equal(column_rows(folder, GROUP_PROFILE), olds[i].hosts);
		assert_int_equal(column_rows(folder, GROUP_HOST), readable);
		if (!olds[i].readable)
			continue;
		char *first = answers(folder);
		if (before != NULL)
			assert_string_equal(before, first);
		free(before);
		/* Opened again it is what it was. */
		struct sums again = open_and_sum(replica, &meta, false);
		assert_true(again.sum == sums.sum && again.records == sums.records);
		char *second = answers(folder);
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

/* --- a kill in the middle --- */

struct dying {
	const char *replica;
	struct store_meta meta;
	unsigned left; /* steps to live */
};

static void count_step(void *context, uint64_t rows, uint64_t of, bool done)
{
	struct dying *d = context;
	(void)rows;
	(void)of;
	if (done)
		_exit(8);
	if (d->left-- == 0)
		_exit(7);
}

static int migrate_and_die(void *context)
{
	struct dying *d = context;
	struct store *s;
	const struct store_progress progress = {count_step, d, 10};
	return store_open_with(d->replica, &d->meta.estate, &d->meta.self, &progress, &s, NULL, NULL) ==
		       ERR_OK
		   ? 1
		   : 2;
}

static void a_kill_in_the_middle_costs_nothing(void **state)
{
	const char *folder = scratch_path(*state, "estate"),
		   *replica = scratch_path(*state, "estate/replica");
	struct err_info info = {0};
	struct snapshot *s = NULL;
	copy_old(*state, &olds[1]);
	struct dying d = {.replica = replica, .meta = meta_of(folder)};
	struct sums whole = open_and_sum(replica, &d.meta, false);
	char *expected = answers(folder);
	assert_int_equal(remove(scratch_path(*state, "estate/replica/data.mdb")), 0);
	copy_old(*state, &olds[1]);
	unsigned died = 0;
	/* Each time it gets a little further. */
	for (int code = 7; code == 7 && died < 100; died++) {
		d.left = 1;
		code = scratch_in_child(migrate_and_die, &d);
		assert_true(code == 7 || code == 8);
		if (code == 7)
			assert_int_equal(snapshot_open(folder, &s, &info), ERR_BUSY);
	}
	assert_true(died > 3);
	struct sums sums = open_and_sum(replica, &d.meta, false);
	assert_true(sums.sum == whole.sum && sums.records == whole.records && sums.hosts == whole.hosts);
	char *have = answers(folder);
	assert_string_equal(have, expected);
	free(have);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(old_replicas_are_converted, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_kill_in_the_middle_costs_nothing, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests_name("store migrate", tests, NULL, NULL);
}
