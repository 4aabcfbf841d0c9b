/* A process that stands still in the midst of a question is named, with since when; one that was killed is
 * not for long. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/snapshot.h"
#include "store/store.h"
#include "tests/unit/scratch.h"
#include "tests/unit/standing_reader.h"

#define NOW 1800000000000ull

static const struct id estate = {{1}}, self = {{2}};

static void commit(struct store *store, wall_ms now, struct store_reader *ret)
{
	struct store_stats stats;
	store_stamp(store);
	assert_int_equal(store_flush(store, now, NULL), ERR_OK);
	store_stats(store, &stats);
	*ret = stats.reader;
}

static void who_stands_still_is_named(void **state)
{
	struct scratch *s = *state;
	struct store *store;
	struct store_reader reader;
	struct err_info info = {0};
	int status;
	assert_int_equal(store_open(scratch_path(s, "replica"), &estate, &self, &store, NULL, &info), ERR_OK);
	commit(store, NOW, &reader);
	assert_int_equal(reader.pid, 0);
	pid_t first = standing_reader(s->folder);
	commit(store, NOW + 1000, &reader); /* it reads the newest state before this one */
	commit(store, NOW + 2000, &reader);
	assert_int_equal(reader.pid, first);
	assert_int_equal(reader.since, NOW + 2000);
	pid_t second = standing_reader(s->folder);
	for (unsigned i = 3; i < 9; i++)
		commit(store, NOW + i * 1000, &reader);
	assert_int_equal(reader.pid, first);
	assert_int_equal(reader.since, NOW + 2000);
	assert_int_equal(reader.commits, 7);
	assert_int_equal(kill(first, SIGKILL), 0);
	assert_int_equal(waitpid(first, &status, 0), first);
	commit(store, NOW + 9000, &reader);
	assert_int_equal(reader.pid, second);
	assert_int_equal(reader.since, NOW + 9000);
	assert_int_equal(kill(second, SIGKILL), 0);
	assert_int_equal(waitpid(second, &status, 0), second);
	commit(store, NOW + 10000, &reader);
	assert_int_equal(reader.pid, 0);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(who_stands_still_is_named, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("store readers", tests, NULL, NULL);
}
