/* A record that ends the process that applies it: real processes, killed while they do. On the core as
 * tests/hostile builds it, which has such a record. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mp.h"
#include "gossip/issue.h"
#include "node/poison.h"
#include "os/file.h"
#include "tests/unit/gossip_net.h"
#include "tests/unit/scratch.h"

#define HEALTHY "a record like any other"

static char page[SCRATCH_PATH_BYTES], file[SCRATCH_PATH_BYTES];

static int make(void **state)
{
	int failed = scratch_setup(state);
	if (failed == 0) {
		strcpy(page, scratch_path(*state, "applying"));
		strcpy(file, scratch_path(*state, "poison"));
	}
	return failed;
}

/* Node 1 pushes a record of its own to node 0. */
static struct record_key push(struct net *n, uint64_t seq, const char *text)
{
	struct record_key key = {.kind = RECORD_HEALTH, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	uint8_t body[64], bytes[LIMIT_RECORD_BYTES];
	struct wire_pack pack;
	struct mp_writer w;
	size_t len;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 1);
	mp_put_u64(&w, 99);
	mp_put_str(&w, text);
	CHECK(!w.failed);
	CHECK(record_sign(&key, seq, 1, FIXTURE_NOW, body, w.len, &n->f.keys.estate, n->nodes[1].identity,
			  bytes, &len) == ERR_OK);
	wire_pack_push(&pack, 0);
	CHECK(wire_pack_add(&pack, bytes, len));
	net_say(n, 1, 0, WIRE_PUSH, pack.bytes, pack.len);
	return key;
}

/* One run of node 0: it says 1 when it applied the record, 0 when it left it out; or it dies. */
static int run(bool same_boot, const char *text)
{
	pid_t child = fork();
	int status;
	assert_true(child >= 0);
	if (child == 0) {
		struct poison poison;
		signal(SIGABRT, SIG_DFL);
		CHECK(poison_open(page, file, same_boot, &poison, NULL) == ERR_OK);
		struct net *n = net_new();
		n->applying = poison.applying;
		n->poison = poison.ids;
		n->poison_count = poison.count;
		net_meet(n);
		struct record_key key = push(n, 100000, text);
		bool issue = issue_open(n->nodes[0].g, ISSUE_POISON_RECORD, net_id(n, 1));
		bool has = net_has(n, 0, &key, 100000);
		CHECK(has != issue);
		/* What comes after it is applied. */
		key = push(n, 100001, HEALTHY);
		CHECK(net_has(n, 0, &key, 100001) && *poison.applying == 0);
		_exit(has);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void two_crashes_and_it_is_left_out(void **state)
{
	(void)state;
	assert_int_equal(run(true, HEALTHY), 1);
	assert_int_equal(run(true, CORE_POISON), -SIGABRT);
	assert_int_equal(run(true, CORE_POISON), -SIGABRT);
	assert_int_equal(run(true, CORE_POISON), 0);
	assert_int_equal(run(true, CORE_POISON), 0);
	assert_int_equal(run(true, HEALTHY), 1);
}

/* A page may be as old as any after the host itself went down. */
static void a_crash_of_the_host_accuses_nobody(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(run(false, CORE_POISON), -SIGABRT);
}

static void a_kill_between_records_accuses_nobody(void **state)
{
	struct poison p;
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
		*p.applying = 7;
		*p.applying = 0;
		poison_close(&p);
	}
	assert_int_equal(p.count, 0);
	assert_false(os_file_exists(file));
}

static void suspects_are_counted_each_and_bounded(void **state)
{
	struct poison p;
	(void)state;
	for (uint64_t id = 1; id <= 3 * POISON_RECORDS; id++) {
		assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
		assert_true(p.last == id - 1 && p.count == 0);
		*p.applying = id;
		poison_close(&p);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
		*p.applying = 3 * POISON_RECORDS - 1;
		poison_close(&p);
	}
	assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
	assert_int_equal(p.count, 1);
	assert_int_equal(p.ids[0], 3 * POISON_RECORDS - 1);
	assert_int_equal(p.last_crashes, 3);
	poison_close(&p);
}

static void a_damaged_file_starts_over(void **state)
{
	struct poison p;
	uint8_t *data;
	size_t len;
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
		*p.applying = 5;
		poison_close(&p);
	}
	assert_int_equal(os_file_read(file, 4096, &data, &len, NULL), ERR_OK);
	data[len / 2] ^= 1;
	assert_int_equal(os_file_replace(file, data, len, 0600, NULL), ERR_OK);
	free(data);
	assert_int_equal(poison_open(page, file, true, &p, NULL), ERR_OK);
	assert_int_equal(p.count, 0);
	poison_close(&p);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, make, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    FRESH(two_crashes_and_it_is_left_out),
	    FRESH(a_crash_of_the_host_accuses_nobody),
	    FRESH(a_kill_between_records_accuses_nobody),
	    FRESH(suspects_are_counted_each_and_bounded),
	    FRESH(a_damaged_file_starts_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
