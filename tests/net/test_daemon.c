/* One daemon and what can be in its way; two daemons and a goodbye; 200 kills. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/text.h"
#include "crypto/record.h"
#include "os/clock.h"
#include "os/file.h"
#include "store/store.h"
#include "tests/net/harness.h"
#include "tests/unit/scratch.h"

static int setup(void **state)
{
	*state = net_make();
	return 0;
}

static int teardown(void **state)
{
	net_free(*state);
	return 0;
}

/* It must end by itself, with this code and these words. */
static void ends_saying(struct net_node *n, int code, const char *const *parts)
{
	int got = net_await_exit(n);
	if (got != code)
		fail_msg("exit code %d instead of %d; log:\n%s", got, code, n->log);
	for (; *parts != NULL; parts++)
		if (strstr(n->log, *parts) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", n->log, *parts);
}
#define ENDS_SAYING(node, code, ...) ends_saying(node, code, (const char *const[]){__VA_ARGS__, NULL})

static void start_status_stop(void **state)
{
	struct net_node *n = net_enroll(*state, "hamburg");
	char text[128], hex[ID_HEX_BYTES], path[NET_PATH_BYTES + 16];
	uint64_t value = 0;
	struct stat st;
	net_up(n);
	id_hex(&n->host, hex);
	assert_true(net_status_text(n, CONTROL_STATUS_HOST, text, sizeof(text)));
	assert_string_equal(text, hex);
	assert_true(net_status_text(n, CONTROL_STATUS_SITE, text, sizeof(text)));
	assert_string_equal(text, "hamburg");
	assert_true(net_status_text(n, CONTROL_STATUS_LISTEN, text, sizeof(text)));
	assert_string_equal(text, n->address);
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &value));
	assert_int_equal(value, n->pid);
	assert_true(net_status_text(n, CONTROL_STATUS_STORE_ERROR, text, sizeof(text)));
	assert_string_equal(text, "");
	snprintf(path, sizeof(path), "%s/%s", n->folder, CONTROL_SOCKET_NAME);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	net_signal(n, SIGTERM);
	ENDS_SAYING(n, 0, "SIGTERM", "stopped");
	assert_int_not_equal(stat(path, &st), 0);
	/* And again, as if nothing had been. */
	net_up(n);
	net_signal(n, SIGINT);
	ENDS_SAYING(n, 0, "stopped");
}

/* In a child: as somebody else. 0: nothing could be had. */
static int try_all(void *context)
{
	static const char *const names[] = {"identity.key",  "estate.key",       "certificate",
					    "authority.log", "replica/data.mdb", "replica/lock.mdb"};
	const struct net_node *n = context;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	char path[NET_PATH_BYTES + 32];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !scratch_drop_root())
		return 1;
	if (snprintf(to.sun_path, sizeof(to.sun_path), "%.80s/%s", n->folder, CONTROL_SOCKET_NAME) < 0 ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 || errno != EACCES)
		return 2;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", n->folder, names[i]);
		if (open(path, O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES)
			return 10 + (int)i;
	}
	return 0;
}

static void others_read_and_ask_nothing(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg");
	scratch_need_other_user();
	/* Only the folder is in the way, not what is above it. */
	assert_int_equal(chmod(e->folder, 0755), 0);
	net_up(n);
	if (geteuid() != 0)
		skip();
	assert_int_equal(scratch_in_child(try_all, n), 0);
}

static bool committed(void *context)
{
	char error[32];
	uint64_t commit = 0;
	net_ask(context, "commit", NULL, NULL, error);
	assert_string_equal(error, "ok");
	assert_true(net_status_number(context, CONTROL_STATUS_LAST_COMMIT_MS, &commit));
	return commit != 0;
}

static void control_verbs_answer(void **state)
{
	struct net_node *n = net_enroll(*state, "hamburg");
	char error[32];
	net_up(n);
	assert_true(net_await(committed, n));
	net_ask(n, "peers", NULL, NULL, error);
	assert_string_equal(error, "ok");
	net_ask(n, "drill", "cut", "leeds", error);
	assert_string_equal(error, "denied");
	net_ask(n, "explode", NULL, NULL, error);
	assert_string_equal(error, "unsupported");
	net_signal(n, SIGTERM);
	assert_int_equal(net_await_exit(n), 0);
	net_configure(n, "[drill]\nenabled = yes\n");
	net_up(n);
	net_ask(n, "drill", "cut", "leeds", error);
	assert_string_equal(error, "ok");
	char drill[64];
	assert_true(net_status_text(n, CONTROL_STATUS_DRILL, drill, sizeof(drill)));
	assert_string_equal(drill, "leeds");
	net_ask(n, "drill", "split", "leeds", error);
	assert_string_equal(error, "usage");
	net_ask(n, "drill", "heal", "leeds", error);
	assert_string_equal(error, "ok");
	assert_true(net_status_text(n, CONTROL_STATUS_DRILL, drill, sizeof(drill)));
	assert_string_equal(drill, "");
}

static void folder_and_port_in_use(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg"), *other = net_enroll(e, "hamburg");
	struct net_node twin = *n;
	char pid[48];
	net_up(n);
	snprintf(pid, sizeof(pid), "in use by process %d", (int)n->pid);
	net_start(&twin, "--listen", other->address);
	ENDS_SAYING(&twin, 1, "state folder", n->folder, pid);
	net_start(other, "--listen", n->address);
	ENDS_SAYING(other, 1, "UDP port", n->address, "taken by another process", "listen");
	/* The one that runs was not disturbed. */
	uint64_t value;
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &value));
	assert_int_equal(value, n->pid);
}

static void what_cannot_be_read_or_written(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg");
	struct net_node nowhere = *n;
	snprintf(nowhere.folder, sizeof(nowhere.folder), "%s/nowhere", e->folder);
	net_start(&nowhere, NULL, NULL);
	ENDS_SAYING(&nowhere, 1, nowhere.folder, "mesh enroll");
	snprintf(nowhere.folder, sizeof(nowhere.folder), "%s/empty", e->folder);
	assert_int_equal(mkdir(nowhere.folder, 0700), 0);
	net_start(&nowhere, NULL, NULL);
	ENDS_SAYING(&nowhere, 1, "mesh enroll");
	/* Not even root can write here. */
	snprintf(nowhere.folder, sizeof(nowhere.folder), "/proc");
	net_start(&nowhere, NULL, NULL);
	ENDS_SAYING(&nowhere, 1, "/proc");
	net_start(n, "--listen", "192.0.2.1:7946");
	ENDS_SAYING(n, 1, "192.0.2.1:7946", "not an address of this host");
	net_configure(n, "[nod]\nlisten = 1\n");
	net_start(n, NULL, NULL);
	ENDS_SAYING(n, 1, n->config, ":4:", "did you mean \"listen\" in [node]?");
	net_configure(n, NULL);
	net_start(n, "--fast", "yes");
	ENDS_SAYING(n, 2, "usage: meshd");
	net_start(n, "--listen", "here");
	ENDS_SAYING(n, 1, "\"here\"", "numeric address");
}

static void a_damaged_seq_file_is_jumped(void **state)
{
	struct net_node *n = net_enroll(*state, "hamburg");
	char path[NET_PATH_BYTES + 16];
	uint64_t before = 0, after = 0;
	net_up(n);
	assert_true(net_await(committed, n));
	assert_true(net_status_number(n, CONTROL_STATUS_SEQ_NEXT, &before));
	net_signal(n, SIGKILL);
	assert_int_equal(net_await_exit(n), -SIGKILL);
	snprintf(path, sizeof(path), "%s/seq", n->folder);
	scratch_write(path, "garbage", 7, 0600);
	net_up(n);
	assert_non_null(strstr(n->log, "seq file is damaged"));
	assert_true(net_status_number(n, CONTROL_STATUS_SEQ_NEXT, &after));
	assert_true(after > before + 1000000);
}

static bool both_know_both(void *context)
{
	struct net_estate *e = context;
	uint64_t value = 0;
	for (size_t i = 0; i < 2; i++)
		if (!net_status_number(e->nodes[i], CONTROL_STATUS_HOSTS, &value) || value != 2)
			return false;
	return true;
}

static bool goodbye_arrived(void *context)
{
	struct net_estate *e = context;
	char status[16];
	return net_peer_status(e->nodes[0], &e->nodes[1]->host, status, sizeof(status)) &&
	       strcmp(status, "stopped") == 0;
}

static void sigterm_says_goodbye(void **state)
{
	struct net_estate *e = *state;
	net_enroll(e, "hamburg");
	net_enroll(e, "hamburg");
	net_up(e->nodes[0]);
	net_up(e->nodes[1]);
	assert_true(net_await(both_know_both, e));
	net_signal(e->nodes[1], SIGTERM);
	assert_int_equal(net_await_exit(e->nodes[1]), 0);
	assert_true(net_await(goodbye_arrived, e));
}

struct own {
	struct id host;
	uint64_t highest;
	size_t records;
};

static bool each_own(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct own *own = context;
	struct record r;
	(void)received;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	own->records++;
	if (id_equal(&r.key.writer, &own->host) && r.seq > own->highest)
		own->highest = r.seq;
	return true;
}

/* What a dead node left: a replica that opens, and the highest own number in it. */
static struct own left_behind(struct net_estate *e, struct net_node *n)
{
	struct own own = {.host = n->host};
	char path[NET_PATH_BYTES + 16];
	struct err_info info = {0};
	struct store *s;
	bool set_aside = false;
	snprintf(path, sizeof(path), "%s/replica", n->folder);
	if (!os_file_exists(path))
		return own;
	if (store_open(path, authlog_estate(e->token.log), &n->host, &s, &set_aside, &info) != ERR_OK)
		fail_msg("%s", info.text);
	assert_false(set_aside);
	assert_int_equal(store_each_record(s, each_own, &own), ERR_OK);
	store_close(s);
	return own;
}

/* Where the numbers of this start begin; 0: it did not come so far. */
static uint64_t began_at(const struct net_node *n)
{
	static const char mark[] = "own seq goes on from ";
	const char *at = strstr(n->log, mark);
	return at != NULL ? strtoull(at + strlen(mark), NULL, 10) : 0;
}

/* A record of this start is on the disk. */
static bool left_more(void *context)
{
	struct net_node *n = context;
	uint64_t next = 0;
	return net_status_number(n, CONTROL_STATUS_SEQ_NEXT, &next) && next > began_at(n) && committed(n);
}

static void two_hundred_kills(void **state)
{
	struct net_estate *e = *state;
	struct net_node *peer = net_enroll(e, "hamburg"), *n = net_enroll(e, "hamburg");
	struct prng prng;
	struct own own = {.highest = 0};
	uint64_t seed = (uint64_t)getpid(), last = 0, value = 0;
	unsigned served = 0, grew = 0;
	if (getenv("MESH_SEED") != NULL)
		assert_true(text_u64(getenv("MESH_SEED"), 0, UINT64_MAX, &seed));
	printf("MESH_SEED=%llu\n", (unsigned long long)seed);
	prng_seed(&prng, seed);
	net_up(peer);
	for (unsigned cycle = 0; cycle < 200; cycle++) {
		net_start(n, NULL, NULL);
		/* Some die while starting, some around a commit, and some when it is done: a slow machine
		 * gets to no other. */
		if (cycle % 8 == 0) {
			assert_true(net_log_shows(n, "listening on"));
			assert_true(net_await(left_more, n));
		} else if (prng_chance(&prng, 0.3)) {
			net_log_read(n, (unsigned)prng_below(&prng, 25));
		} else if (net_log_shows(n, "listening on")) {
			net_log_read(n, (unsigned)prng_below(&prng, 30));
			net_tell(n, "commit");
			net_log_read(n, (unsigned)prng_below(&prng, 15));
		}
		net_signal(n, SIGKILL);
		assert_int_equal(net_await_exit(n), -SIGKILL);
		if (strstr(n->log, "damaged") != NULL || strstr(n->log, "lost") != NULL)
			fail_msg("cycle %u: %s", cycle, n->log);
		uint64_t from = began_at(n);
		if (from != 0) {
			/* Ahead of all the replica holds of it, and of every start before. */
			assert_true(from > own.highest && from > last);
			last = from;
			served++;
		}
		struct own now = left_behind(e, n);
		assert_true(now.highest >= own.highest && now.records >= own.records);
		assert_true(cycle % 8 != 0 || now.highest > own.highest);
		grew += now.highest > own.highest;
		own = now;
	}
	printf("%u of 200 served, %u left more than the one before\n", served, grew);
	net_up(n);
	assert_true(net_await(both_know_both, e));
	assert_true(net_status_number(n, CONTROL_STATUS_CLONED, &value) && value == 0);
	net_signal(n, SIGTERM);
	assert_int_equal(net_await_exit(n), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(start_status_stop, setup, teardown),
	    cmocka_unit_test_setup_teardown(others_read_and_ask_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(control_verbs_answer, setup, teardown),
	    cmocka_unit_test_setup_teardown(folder_and_port_in_use, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_cannot_be_read_or_written, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_damaged_seq_file_is_jumped, setup, teardown),
	    cmocka_unit_test_setup_teardown(sigterm_says_goodbye, setup, teardown),
	    cmocka_unit_test_setup_teardown(two_hundred_kills, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
