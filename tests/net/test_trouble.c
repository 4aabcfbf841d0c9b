/* A daemon among full disks, damaged replicas, strangers and rude clients: it says so, goes on, loses
 * nothing. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/prng.h"
#include "base/text.h"
#include "crypto/keyring.h"
#include "os/clock.h"
#include "store/snapshot.h"
#include "tests/net/harness.h"
#include "tests/unit/scratch.h"
#include "tests/unit/standing_reader.h"

#define PATH (NET_PATH_BYTES + 32)

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

static void seed_prng(struct prng *prng)
{
	uint64_t seed = (uint64_t)getpid();
	if (getenv("MESH_SEED") != NULL)
		assert_true(text_u64(getenv("MESH_SEED"), 0, UINT64_MAX, &seed));
	printf("MESH_SEED=%llu\n", (unsigned long long)seed);
	prng_seed(prng, seed);
}

static bool knows_both(struct net_node *n)
{
	uint64_t hosts = 0;
	return net_status_number(n, CONTROL_STATUS_HOSTS, &hosts) && hosts == 2;
}

/* Both hold the same records of the same hosts. */
static bool agree(void *context)
{
	struct net_estate *e = context;
	char a[32], b[32];
	return knows_both(e->nodes[0]) && knows_both(e->nodes[1]) &&
	       net_status_text(e->nodes[0], CONTROL_STATUS_ESTATE_ROOT, a, sizeof(a)) &&
	       net_status_text(e->nodes[1], CONTROL_STATUS_ESTATE_ROOT, b, sizeof(b)) && strcmp(a, b) == 0;
}

/* For messages: what a node says it holds. The last two results stay valid. */
static const char *known(struct net_node *n)
{
	static char text[2][160];
	static unsigned turn;
	char *ret = text[turn++ % 2], root[32] = "?";
	uint64_t hosts = 0, records = 0, wanted = 0;
	net_status_number(n, CONTROL_STATUS_HOSTS, &hosts);
	net_status_number(n, CONTROL_STATUS_RECORDS, &records);
	net_status_number(n, CONTROL_STATUS_BLOBS_WANTED, &wanted);
	net_status_text(n, CONTROL_STATUS_ESTATE_ROOT, root, sizeof(root));
	snprintf(ret, sizeof(text[0]), "%llu hosts, %llu records, %llu blobs wanted, root %s",
		 (unsigned long long)hosts, (unsigned long long)records, (unsigned long long)wanted, root);
	return ret;
}

static bool commits(void *context)
{
	char error[32];
	net_ask(context, "commit", NULL, NULL, error);
	return strcmp(error, "ok") == 0;
}

static bool disk_is_full(void *context)
{
	char error[32];
	net_ask(context, "commit", NULL, NULL, error);
	return strcmp(error, "disk-full") == 0;
}

/* Takes all that is left of the file system the path is on. */
static void fill(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void a_full_disk_is_outlived(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg");
	char filler[PATH], text[ERR_TEXT_BYTES];
	uint64_t pid = 0;
	/* A file system of its own, which only this process and its children see. */
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", n->folder, "tmpfs", 0, "size=2m") != 0)
		skip();
	/* The folder is hidden below the mount: enrol another host into it. */
	struct crypto_rng rng = crypto_rng_system();
	assert_int_equal(
	    credentials_enroll(n->folder, &e->token, "hamburg", NULL, &rng, os_clock_wall(), NULL, NULL),
	    ERR_OK);
	snprintf(filler, sizeof(filler), "%s/filler", n->folder);
	net_up(n);
	fill(filler);
	assert_true(net_await(disk_is_full, n));
	assert_true(net_status_text(n, CONTROL_STATUS_STORE_ERROR, text, sizeof(text)));
	assert_non_null(strstr(text, "no space"));
	assert_true(net_log_shows(n, "replica not committed"));
	assert_int_equal(unlink(filler), 0);
	assert_true(net_await(commits, n));
	assert_true(net_status_text(n, CONTROL_STATUS_STORE_ERROR, text, sizeof(text)));
	assert_string_equal(text, "");
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &pid));
	assert_int_equal(pid, n->pid);
	net_signal(n, SIGTERM);
	assert_int_equal(net_await_exit(n), 0);
	assert_int_equal(umount(n->folder), 0);
}

static bool has_set_aside(void *context)
{
	return net_log_shows(context, "damaged replica moved to");
}

static void a_replica_cut_short_is_built_anew(void **state)
{
	uint64_t before = 0, after = 0;
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg"), *peer = net_enroll(e, "hamburg");
	char path[PATH];
	net_up(n);
	net_up(peer);
	assert_true(net_await(agree, e));
	assert_true(net_await(commits, n));
	snprintf(path, sizeof(path), "%s/replica/data.mdb", n->folder);
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &before));
	assert_int_equal(truncate(path, 4096), 0);
	/* The next read or write of the map faults; nobody is needed. */
	assert_true(net_await(has_set_aside, n));
	assert_true(net_await(agree, e));
	assert_true(net_await(commits, n));
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &after));
	assert_int_equal(after, before);
	/* Once more at once is once too often. */
	assert_int_equal(truncate(path, 4096), 0);
	int code = net_await_exit(n);
	if (code != 1 || strstr(n->log, "damaged replica moved to") == NULL)
		fail_msg("exit code %d; log:\n%s", code, n->log);
	net_up(n);
	assert_true(net_await(agree, e));
}

static bool agree_or_ended(void *context)
{
	struct net_estate *e = context;
	return !net_running(e->nodes[0]) || agree(e);
}

/* Found the damage, said so, and set the replica aside. */
static bool ended_for_damage(struct net_node *n)
{
	int code = net_await_exit(n);
	return code == 1 && strstr(n->log, "damaged replica moved to") != NULL;
}

/* As a service manager would: once more when it ended because of the damage. */
static void up_and_agreed(struct net_estate *e, unsigned round)
{
	struct net_node *n = e->nodes[0];
	net_up(n);
	bool done = net_await(agree_or_ended, e);
	if (!net_running(n)) {
		if (!ended_for_damage(n))
			fail_msg("round %u: log:\n%s", round, n->log);
		net_up(n);
		done = net_await(agree_or_ended, e);
	}
	if (!done || !net_running(n))
		fail_msg("round %u: no agreement (%s) (%s); log:\n%s", round, known(n), known(e->nodes[1]),
			 n->log);
}

static void flip_bits(const char *path, struct prng *prng)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	for (unsigned flip = 0; flip < 8; flip++) {
		uint8_t byte = 0;
		off_t at = (off_t)prng_below(prng, (uint64_t)st.st_size);
		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= (uint8_t)(1u << prng_below(prng, 8));
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	close(fd);
}

static void flipped_bits_are_repaired(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg"), *peer = net_enroll(e, "hamburg");
	char path[PATH];
	struct prng prng;
	seed_prng(&prng);
	net_up(peer);
	snprintf(path, sizeof(path), "%s/replica/data.mdb", n->folder);
	for (unsigned round = 0; round < 4; round++) {
		up_and_agreed(e, round);
		net_ask(n, "commit", NULL, NULL, (char[32]){0});
		if (net_running(n))
			net_signal(n, SIGTERM);
		/* Some damage shows only when the last batch is written. */
		int code = net_await_exit(n);
		if (code != 0 && (code != 1 || strstr(n->log, "damaged replica moved to") == NULL))
			fail_msg("round %u: exit code %d; log:\n%s", round, code, n->log);
		if (code == 0)
			flip_bits(path, &prng);
	}
	up_and_agreed(e, 4);
}

static int connect_control(struct net_node *n)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	snprintf(to.sun_path, sizeof(to.sun_path), "%.80s/%s", n->folder, CONTROL_SOCKET_NAME);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void rude_clients_harm_nobody(void **state)
{
	static const char *const frames[] = {"\xff\xff\xff\xff", "\x00\x00\x00\x05\xdd\xff\x00\x00\x00",
					     "\x00\x00\x00\x01\xc0", "\x00\x00", "\x00\x00\x10\x01"};
	static const size_t lengths[] = {4, 9, 5, 2, 4};
	struct net_node *n = net_enroll(*state, "hamburg");
	struct prng prng;
	uint8_t noise[512];
	int fds[40];
	uint64_t pid = 0;
	seed_prng(&prng);
	net_up(n);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		int fd = connect_control(n);
		(void)!send(fd, frames[i], lengths[i], MSG_NOSIGNAL);
		close(fd);
	}
	for (size_t i = 0; i < 200; i++) {
		int fd = connect_control(n);
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (uint8_t)prng_u64(&prng);
		/* Half of them plausible in length. */
		if (i % 2 == 0)
			memcpy(noise, "\0\0\1", 3);
		(void)!send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
		close(fd);
	}
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		fds[i] = connect_control(n);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
	assert_true(net_await(commits, n));
	assert_true(net_status_number(n, CONTROL_STATUS_PID, &pid));
	assert_int_equal(pid, n->pid);
	/* A client that only sits there is cut off. */
	int idle = connect_control(n);
	struct timeval limit = {.tv_sec = NET_PATIENCE_MS / 1000};
	assert_int_equal(setsockopt(idle, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(recv(idle, noise, 1, 0), 0);
	close(idle);
}

struct standing {
	struct net_node *n;
	uint64_t pid;
};

static bool is_named(void *context)
{
	const struct standing *s = context;
	uint64_t pid = 0, since = 0, count = 0;
	return commits(s->n) && net_status_number(s->n, CONTROL_STATUS_READER_PID, &pid) && pid == s->pid &&
	       net_status_number(s->n, CONTROL_STATUS_READER_SINCE_MS, &since) &&
	       net_status_number(s->n, CONTROL_STATUS_READER_COMMITS, &count) &&
	       (pid == 0 || (since > 0 && count > 0));
}

static void a_reader_that_stands_still_is_named(void **state)
{
	struct standing s = {.n = net_enroll(*state, "hamburg")};
	int status;
	net_up(s.n);
	assert_true(net_await(is_named, &s));
	pid_t pid = standing_reader(s.n->folder);
	s.pid = (uint64_t)pid;
	assert_true(net_await(is_named, &s));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	s.pid = 0;
	assert_true(net_await(is_named, &s));
}

#define ASKERS 6

/* A process that asks again as soon as it has its answer, until it is killed. */
static pid_t ask_without_pause(struct net_node *n, const char *verb)
{
	char error[32];
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	do
		net_ask(n, verb, NULL, NULL, error);
	while (strcmp(error, "ok") == 0);
	_exit(1);
}

static bool all_up(void *context)
{
	struct net_estate *e = context;
	char status[32];
	for (size_t i = 1; i < e->node_count; i++)
		if (!net_peer_status(e->nodes[0], &e->nodes[i]->host, status, sizeof(status)) ||
		    strcmp(status, "up") != 0 ||
		    !net_peer_status(e->nodes[i], &e->nodes[0]->host, status, sizeof(status)) ||
		    strcmp(status, "up") != 0)
			return false;
	return true;
}

/* Under a load of questions it hears of a newcomer, is seen by the others, commits, and refuses nobody. */
static void asking_without_pause_deafens_nobody(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n = net_enroll(e, "hamburg");
	pid_t askers[ASKERS];
	net_enroll(e, "hamburg");
	net_up(n);
	net_up(e->nodes[1]);
	assert_true(net_await(all_up, e));
	for (size_t i = 0; i < ASKERS; i++)
		askers[i] = ask_without_pause(n, i % 2 == 0 ? CONTROL_VERB_PEERS : CONTROL_VERB_STATUS);
	net_up(net_enroll(e, "leeds"));
	bool heard = net_await(all_up, e) && net_await(commits, n);
	for (size_t i = 0; i < ASKERS; i++) {
		/* None was turned away. */
		assert_int_equal(waitpid(askers[i], NULL, WNOHANG), 0);
		kill(askers[i], SIGKILL);
		assert_int_equal(waitpid(askers[i], NULL, 0), askers[i]);
	}
	assert_true(heard);
}

struct strangers {
	struct net_node *node;
	uint64_t seen;
};

static bool more_strangers(void *context)
{
	const struct strangers *s = context;
	uint64_t now = 0;
	return net_status_number(s->node, CONTROL_STATUS_FOREIGN, &now) && now > s->seen;
}

static void strangers_are_counted_and_dropped(void **state)
{
	struct net_estate *e = *state, *foreign = net_make();
	struct net_node *n = net_enroll(e, "hamburg");
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)e->port)};
	char ip[32];
	uint8_t noise[LIMIT_DATAGRAM_BYTES];
	struct prng prng;
	uint64_t dropped = 0, hosts = 0;
	/* Long enough to get as far as the mac; the socket's buffer may lose some. */
	const size_t shortest = DATAGRAM_HEADER_BYTES + DATAGRAM_TAG_BYTES;
	struct strangers count = {.node = n, .seen = 150};
	seed_prng(&prng);
	net_up(n);
	text_copy(ip, sizeof(ip), n->address);
	*strchr(ip, ':') = '\0';
	assert_int_equal(inet_pton(AF_INET, ip, &to.sin_addr), 1);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (unsigned i = 0; i < 200; i++) {
		for (size_t k = 0; k < sizeof(noise); k++)
			noise[k] = (uint8_t)prng_u64(&prng);
		noise[0] = 1;
		size_t len = shortest + prng_below(&prng, sizeof(noise) - shortest + 1);
		(void)!sendto(fd, noise, len, 0, (struct sockaddr *)&to, sizeof(to));
	}
	close(fd);
	assert_true(net_await(more_strangers, &count));
	assert_true(net_status_number(n, CONTROL_STATUS_FOREIGN, &count.seen));
	/* A node of another estate that takes ours for its seed: its first has the very address of ours. */
	foreign->port = e->port;
	net_enroll(foreign, "hamburg");
	struct net_node *stranger = net_enroll(foreign, "hamburg");
	net_up(stranger);
	assert_true(net_await(more_strangers, &count));
	assert_true(net_status_number(n, CONTROL_STATUS_DROPPED, &dropped));
	assert_true(dropped > count.seen);
	assert_true(net_status_number(n, CONTROL_STATUS_HOSTS, &hosts));
	assert_int_equal(hosts, 1);
	assert_true(net_status_number(stranger, CONTROL_STATUS_HOSTS, &hosts));
	assert_int_equal(hosts, 1);
	net_free(foreign);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(rude_clients_harm_nobody, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_reader_that_stands_still_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(asking_without_pause_deafens_nobody, setup, teardown),
	    cmocka_unit_test_setup_teardown(strangers_are_counted_and_dropped, setup, teardown),
	    cmocka_unit_test_setup_teardown(flipped_bits_are_repaired, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_replica_cut_short_is_built_anew, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_outlived, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
