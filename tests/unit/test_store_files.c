/* The replica on disk against full disks, kill -9, a map that is too small. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "store/query.h"
#include "store/snapshot.h"
#include "store/store_private.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

static struct id estate, self;

static enum err open_at(const char *path, struct store **ret, bool *ret_aside)
{
	return store_open(path, &estate, &self, ret, ret_aside, NULL);
}

/* Counts records of the first generation; others, and wrong ones, not. */
static bool count_right(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	uint8_t expected[LIMIT_RECORD_BYTES];
	uint64_t number;
	memcpy(&number, bytes, 8);
	size_t expected_len = rows_content(number, 1, expected);
	*(size_t *)context +=
	    received == ROWS_NOW + 1 && len == expected_len && memcmp(bytes, expected, len) == 0;
	return true;
}

static int fill_up_the_disk(void *context)
{
	const char *folder = context;
	struct store *s = NULL;
	struct err_info info = {0};
	struct rlimit limit = {300000, 300000};
	unsigned refused = 0;
	uint64_t last = 0;
	signal(SIGXFSZ, SIG_IGN);
	if (open_at(folder, &s, NULL) != ERR_OK)
		return 2;
	limit.rlim_max = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 3;
	for (uint64_t i = 0; i < 3000 && refused < 3; i++) {
		if (rows_put_record(s, i, 1) != ERR_OK)
			return 4;
		last = i;
		if (i % 500 != 499)
			continue;
		enum err err = store_flush(s, ROWS_NOW, &info);
		if (err == ERR_OK)
			continue;
		if (err != ERR_DISK_FULL || info.code != ERR_DISK_FULL || strstr(info.text, folder) == NULL)
			return 5;
		refused++;
		/* It still serves all it was given. */
		size_t rows = 0;
		if (store_each_record(s, count_right, &rows) != ERR_OK || rows != i + 1)
			return 6;
	}
	if (refused < 3)
		return 7;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || store_flush(s, ROWS_NOW, &info) != ERR_OK)
		return 8;
	store_close(s);
	size_t rows = 0;
	bool aside = true;
	if (open_at(folder, &s, &aside) != ERR_OK || aside ||
	    store_each_record(s, count_right, &rows) != ERR_OK || rows != last + 1)
		return 9;
	store_close(s);
	return 0;
}

static void a_full_disk_loses_nothing(void **state)
{
	/* Room for a folder's name in the message. */
	assert_int_equal(scratch_in_child(fill_up_the_disk, (void *)scratch_path(*state, "r")), 0);
}

#define SKIPPED 77

static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (fd >= 0 && write(fd, block, sizeof(block)) > 0)
		;
	if (fd >= 0)
		close(fd);
}

/* LMDB's lock file does not outlast a restored backup: then it is made while the disk may be full. */
static int open_on_a_full_disk(void *context)
{
	struct scratch *s = context;
	const char *folder = scratch_path(s, STORE_FOLDER), *filler = scratch_path(s, "filler");
	const char *data = scratch_path(s, STORE_FOLDER "/" STORE_DATA_FILE);
	struct store *store;
	struct query *query;
	struct err_info info = {0};
	bool aside = false;
	size_t rows = 0;
	if (!scratch_own_mounts() || mount("none", s->folder, "tmpfs", 0, "size=1m") != 0)
		return SKIPPED;
	if (open_at(folder, &store, NULL) != ERR_OK || rows_put_record(store, 1, 1) != ERR_OK ||
	    store_flush(store, ROWS_NOW, NULL) != ERR_OK)
		return 1;
	store_close(store);
	if (unlink(scratch_path(s, STORE_FOLDER "/lock.mdb")) != 0)
		return 2;
	fill(filler);
	if (store_open(folder, &estate, &self, &store, &aside, &info) != ERR_DISK_FULL ||
	    strstr(info.text, "no space left") == NULL)
		return 3;
	if (!os_file_exists(data))
		return 4;
	/* Questions need no room. */
	if (query_open(s->folder, ROWS_NOW, &query, NULL) != ERR_OK)
		return 5;
	query_close(query);
	if (unlink(filler) != 0 || open_at(folder, &store, &aside) != ERR_OK || aside)
		return 6;
	if (store_each_record(store, count_right, &rows) != ERR_OK || rows != 1)
		return 7;
	store_close(store);
	return 0;
}

static void a_full_disk_is_no_damage(void **state)
{
	int rc = scratch_in_child(open_on_a_full_disk, *state);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

static uint64_t checksum_of(const char *path)
{
	uint8_t *bytes;
	size_t len;
	if (os_file_read(path, 8 * 1024 * 1024, &bytes, &len, NULL) != ERR_OK)
		return 0;
	uint64_t sum = hash_checksum(bytes, len);
	free(bytes);
	return sum;
}

/* What one commit needs is not there: it is found before the file is touched. */
static int commit_on_a_full_disk(void *context)
{
	struct scratch *s = context;
	const char *folder = scratch_path(s, STORE_FOLDER), *filler = scratch_path(s, "filler");
	const char *data = scratch_path(s, STORE_FOLDER "/" STORE_DATA_FILE);
	struct store *store;
	struct store_stats stats;
	struct err_info info = {0};
	struct stat before, after;
	size_t rows = 0;
	if (!scratch_own_mounts() || mount("none", s->folder, "tmpfs", 0, "size=8m") != 0)
		return SKIPPED;
	if (open_at(folder, &store, NULL) != ERR_OK || rows_put_record(store, 0, 1) != ERR_OK ||
	    store_flush(store, ROWS_NOW, NULL) != ERR_OK)
		return 1;
	for (uint64_t i = 1; i < 3000; i++)
		if (rows_put_record(store, i, 1) != ERR_OK)
			return 2;
	fill(filler);
	if (stat(data, &before) != 0 || (uint64_t)before.st_blocks * 512 <= (uint64_t)before.st_size)
		return 3;
	uint64_t checksum = checksum_of(data);
	for (int tries = 0; tries < 3; tries++) {
		if (store_flush(store, ROWS_NOW, &info) != ERR_DISK_FULL || strstr(info.text, data) == NULL)
			return 4;
		/* Neither written to nor holding on to what little there is. */
		if (stat(data, &after) != 0 || after.st_size != before.st_size ||
		    after.st_blocks > before.st_blocks || checksum_of(data) != checksum)
			return 5;
	}
	if (unlink(filler) != 0 || store_flush(store, ROWS_NOW, &info) != ERR_OK)
		return 6;
	store_stats(store, &stats);
	if (store_each_record(store, count_right, &rows) != ERR_OK || rows != 3000 || stats.beyond_room != 0)
		return 7;
	store_close(store);
	return 0;
}

static void a_full_disk_is_found_before_it_is_written_to(void **state)
{
	int rc = scratch_in_child(commit_on_a_full_disk, *state);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

/* ramfs sets nothing aside. */
static int commit_where_nothing_can_be_set_aside(void *context)
{
	struct scratch *s = context;
	struct store *store;
	size_t rows = 0;
	if (!scratch_own_mounts() || mount("none", s->folder, "ramfs", 0, NULL) != 0)
		return SKIPPED;
	if (open_at(scratch_path(s, STORE_FOLDER), &store, NULL) != ERR_OK)
		return 1;
	for (uint64_t i = 0; i < 3000; i++)
		if (rows_put_record(store, i, 1) != ERR_OK ||
		    (i % 1000 == 999 && store_flush(store, ROWS_NOW, NULL) != ERR_OK))
			return 2;
	if (store_each_record(store, count_right, &rows) != ERR_OK || rows != 3000)
		return 3;
	store_close(store);
	return 0;
}

static void a_file_system_that_sets_nothing_aside_will_do(void **state)
{
	int rc = scratch_in_child(commit_where_nothing_can_be_set_aside, *state);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

/* Holds on to the state it found, so that no page is used again. */
static int hold(const char *state, int told, int end)
{
	struct snapshot *snapshot;
	struct row_key key = row_key_first(TABLE_META);
	struct row_value row;
	struct err_info info = {0};
	char byte = 0;
	if (snapshot_open(state, &snapshot, &info) != ERR_OK ||
	    snapshot_get(snapshot, &key, &row) != ERR_OK || write(told, &byte, 1) != 1)
		return 1;
	(void)!read(end, &byte, 1);
	snapshot_close(snapshot);
	return 0;
}

static void put_some(struct store *s, struct prng *p)
{
	for (uint64_t n = 1 + prng_below(p, prng_chance(p, 0.2) ? 3000 : 40); n > 0; n--) {
		uint64_t number = prng_below(p, 4000);
		struct record_key key = rows_key(number);
		if (prng_chance(p, 0.1))
			assert_int_equal(store_drop_record(s, &key), ERR_OK);
		else if (prng_chance(p, 0.3))
			assert_int_equal(rows_put_all(s, number, prng_below(p, 50)), ERR_OK);
		else
			assert_int_equal(rows_put_record(s, number, prng_below(p, 50)), ERR_OK);
	}
}

static void room_is_set_aside_for_every_commit(void **state)
{
	const char *folder = scratch_path(*state, "s/" STORE_FOLDER);
	struct store *s;
	struct store_stats stats;
	struct prng prng;
	int told[2], end[2], status;
	char byte;
	prng_seed(&prng, 5);
	assert_int_equal(mkdir(scratch_path(*state, "s"), 0700), 0);
	assert_int_equal(open_at(folder, &s, NULL), ERR_OK);
	put_some(s, &prng);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	assert_int_equal(pipe(told) + pipe(end), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(end[1]);
		_exit(hold(scratch_path(*state, "s"), told[1], end[0]));
	}
	assert_true(pid > 0);
	assert_int_equal(read(told[0], &byte, 1), 1);
	for (int i = 0; i < 150; i++) {
		put_some(s, &prng);
		assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	}
	store_stats(s, &stats);
	assert_true(stats.file_bytes > stats.written_bytes / 2);
	assert_int_equal(stats.beyond_room, 0);
	close(end[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	store_close(s);
}

static uint64_t write_on(struct store *s, unsigned commits)
{
	struct store_stats stats;
	for (unsigned i = 0; i < commits; i++) {
		for (uint64_t n = 0; n < 300; n++)
			assert_int_equal(rows_put_record(s, n, i), ERR_OK);
		assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	}
	store_stats(s, &stats);
	return stats.file_bytes;
}

/* What a reader needed that was killed is used again at once, not in sixty commits. */
static void a_killed_reader_holds_nothing(void **state)
{
	const char *folder = scratch_path(*state, "s/" STORE_FOLDER);
	struct store *s;
	int told[2], end[2], status;
	char byte;
	assert_int_equal(mkdir(scratch_path(*state, "s"), 0700), 0);
	assert_int_equal(open_at(folder, &s, NULL), ERR_OK);
	uint64_t at_first = write_on(s, 10);
	assert_int_equal(pipe(told) + pipe(end), 0);
	pid_t pid = fork();
	if (pid == 0)
		_exit(hold(scratch_path(*state, "s"), told[1], end[0]));
	assert_true(pid > 0);
	assert_int_equal(read(told[0], &byte, 1), 1);
	uint64_t held = write_on(s, 10);
	assert_true(held > 2 * at_first);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(write_on(s, 40) <= held + at_first);
	store_close(s);
}

static wall_ms age_of(struct scratch *s)
{
	struct snapshot *snapshot;
	assert_int_equal(snapshot_open(scratch_path(s, "s"), &snapshot, NULL), ERR_OK);
	wall_ms as_of = snapshot_meta(snapshot)->as_of;
	snapshot_close(snapshot);
	return as_of;
}

/* Without any row; and one that was not committed is not forgotten. */
static void a_stamp_renews_the_age(void **state)
{
	const char *folder = scratch_path(*state, "s/" STORE_FOLDER);
	struct store *s;
	assert_int_equal(mkdir(scratch_path(*state, "s"), 0700), 0);
	assert_int_equal(open_at(folder, &s, NULL), ERR_OK);
	assert_int_equal(store_freeze_urgent(s), ERR_NOT_FOUND);
	assert_int_equal(store_pending(s), 0);
	store_stamp(s);
	assert_int_equal(store_pending(s), 1);
	assert_int_equal(store_freeze_urgent(s), ERR_OK);
	assert_int_equal(store_commit(s, ROWS_NOW, NULL), ERR_OK);
	store_thaw(s, ERR_DISK_FULL); /* so it is said */
	assert_int_equal(store_pending(s), 1);
	assert_int_equal(store_flush(s, ROWS_NOW + 7, NULL), ERR_OK);
	assert_int_equal(store_pending(s), 0);
	assert_int_equal(store_freeze(s), ERR_NOT_FOUND);
	store_close(s);
	assert_int_equal(age_of(*state), ROWS_NOW + 7);
}

struct killed {
	const char *folder;
	uint64_t first;
	int told;
};

/* Commits for ever, telling each row that is durable. */
static int commit_until_killed(void *context)
{
	struct killed *k = context;
	struct store *s = NULL;
	if (open_at(k->folder, &s, NULL) != ERR_OK)
		return 2;
	for (uint64_t i = k->first;; i++) {
		if (rows_put_all(s, i, 1) != ERR_OK || store_flush(s, ROWS_NOW, NULL) != ERR_OK)
			return 3;
		if (write(k->told, &i, sizeof(i)) != sizeof(i))
			return 4;
	}
}

static void kill_9_loses_nothing(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	uint64_t last = 0, committed = 0;
	struct prng prng;
	prng_seed(&prng, 99);
	for (unsigned cycle = 0; cycle < 50; cycle++) {
		int ends[2];
		assert_int_equal(pipe(ends), 0);
		struct killed k = {folder, last + 1, ends[1]};
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(commit_until_killed(&k));
		close(ends[1]);
		uint64_t commits = 1 + prng_below(&prng, 6);
		for (uint64_t i = 0; i < commits; i++)
			assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (read(ends[0], &last, sizeof(last)) == sizeof(last))
			;
		close(ends[0]);
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		struct store *s = NULL;
		bool aside = true;
		assert_int_equal(open_at(folder, &s, &aside), ERR_OK);
		assert_false(aside);
		for (uint64_t i = 1; i <= last; i++) {
			uint8_t expected[LIMIT_RECORD_BYTES], have[LIMIT_RECORD_BYTES];
			struct record_key key = rows_key(i);
			size_t len = 0, expected_len = rows_content(i, 1, expected);
			assert_int_equal(store_get_record(s, &key, have, &len, NULL), ERR_OK);
			assert_int_equal(len, expected_len);
			assert_memory_equal(have, expected, len);
		}
		store_close(s);
		committed = last;
	}
	print_message("             50 kills, %llu commits, none lost\n", (unsigned long long)committed);
}

static void the_map_grows(void **state)
{
	struct backend *b;
	struct store *s = NULL;
	struct err_info info = {0};
	unsigned grown = 0;
	assert_int_equal(
	    backend_lmdb_open(scratch_path(*state, "replica"), 1 << 18, &estate, &self, NULL, &b, NULL, NULL),
	    ERR_OK);
	assert_int_equal(store_over(b, &s), ERR_OK);
	for (uint64_t i = 0; i < 6000; i++) {
		assert_int_equal(rows_put_record(s, i, 2), ERR_OK);
		if (i % 1000 != 999)
			continue;
		assert_int_equal(store_freeze(s), ERR_OK);
		enum err err = store_commit(s, ROWS_NOW, &info);
		store_thaw(s, err);
		grown += err == ERR_LIMIT;
		assert_true(err == ERR_OK || err == ERR_LIMIT);
		if (err == ERR_LIMIT)
			assert_int_equal(store_flush(s, ROWS_NOW, &info), ERR_OK);
	}
	assert_true(grown >= 2);
	struct store_stats stats;
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 6000);
	assert_true(stats.file_bytes > 1 << 19);
	store_close(s);
	assert_int_equal(open_at(scratch_path(*state, "replica"), &s, NULL), ERR_OK);
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 6000);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_full_disk_loses_nothing, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_no_damage, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_found_before_it_is_written_to, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_file_system_that_sets_nothing_aside_will_do, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(room_is_set_aside_for_every_commit, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_killed_reader_holds_nothing, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_stamp_renews_the_age, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(kill_9_loses_nothing, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(the_map_grows, scratch_setup, scratch_teardown),
	};
	estate = rows_id(9, 1);
	self = rows_id(9, 2);
	return cmocka_run_group_tests_name("store files", tests, NULL, NULL);
}
