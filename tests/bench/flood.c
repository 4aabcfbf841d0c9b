/* Forged datagrams at a running meshd, and honest PINGs at the same time: what is lost, what is answered,
 * what it costs. Usage: bench-flood ADDRESS:PORT PID HOST-ID STATE SECONDS PER-SECOND
 *
 * The forger has no secret: right headers, lengths of 68 to 1,200 bytes, source ids that cycle, any mac. The
 * honest one is the host enrolled in STATE. Both share one port of the target. */
#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/prng.h"
#include "crypto/credentials.h"
#include "tests/hostile/peer.h"

#define BATCH       64
#define PING_EVERY  10000000 /* ns: 100 a second, whose answers the budget for probes allows (gossip/budget.c) */
#define LINGER      1000000000
#define PATIENCE_NS 5000000000
#define NS          1000000000ull

struct tally {
	volatile uint64_t sent, answered_bytes;
	volatile bool stop;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

static bool id_of_hex(const char *text, struct id *ret)
{
	bool good = strlen(text) == 2 * ID_BYTES;
	for (size_t i = 0; good && i < ID_BYTES; i++)
		good = sscanf(text + 2 * i, "%2hhx", &ret->b[i]) == 1;
	return good;
}

static void row(const char *metric, double value, const char *unit)
{
	printf("{\"bench\": \"flood\", \"metric\": \"flood.%s\", \"value\": %.4f, \"unit\": \"%s\"}\n",
	       metric, value, unit);
}

/* --- the forger: a process of its own --- */

static void forge(int fd, struct tally *tally, uint64_t per_second)
{
	static uint8_t bytes[BATCH][LIMIT_DATAGRAM_BYTES];
	struct mmsghdr messages[BATCH] = {0};
	struct iovec parts[BATCH];
	struct prng prng;
	uint64_t started = now_ns(), id = 0;
	prng_seed(&prng, 1);
	for (size_t i = 0; i < BATCH; i++) {
		for (size_t k = 0; k < sizeof(bytes[i]); k++)
			bytes[i][k] = (uint8_t)prng_u64(&prng);
		memcpy(bytes[i], (const uint8_t[]){1, WIRE_PING, 9, 9}, 4);
		parts[i] = (struct iovec){bytes[i], 68 + i * (LIMIT_DATAGRAM_BYTES - 68) / (BATCH - 1)};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	while (!tally->stop) {
		if (tally->sent * NS > (now_ns() - started) * per_second) {
			usleep(200);
			continue;
		}
		for (size_t i = 0; i < BATCH; i++, id++)
			memcpy(bytes[i] + 4, &id, sizeof(id));
		int sent = sendmmsg(fd, messages, BATCH, 0);
		tally->sent += sent > 0 ? (uint64_t)sent : 0;
	}
}

static void forger(const struct sockaddr_in *to, struct tally *tally, uint64_t per_second)
{
	uint8_t bytes[2048];
	ssize_t len;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CHECK(fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0);
	forge(fd, tally, per_second);
	/* Until nothing has come for half a second. */
	struct pollfd answer = {.fd = fd, .events = POLLIN};
	while (poll(&answer, 1, 500) > 0 && (len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		tally->answered_bytes += (uint64_t)len;
	_exit(0);
}

/* --- the honest one --- */

struct honest {
	int fd;
	struct peer *peer;
	struct id target;
	uint64_t pings;
};

static void send_honest(void *context, const struct address *from, const struct address *to,
			const uint8_t *bytes, size_t len)
{
	const struct honest *h = context;
	(void)from;
	(void)to; /* the socket is connected */
	(void)!send(h->fd, bytes, len, 0);
}

static void hear(struct honest *h, const struct address *from, int wait_ms)
{
	struct pollfd p = {.fd = h->fd, .events = POLLIN};
	uint8_t bytes[2048];
	ssize_t len;
	if (poll(&p, 1, wait_ms) <= 0)
		return;
	while ((len = recv(h->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		peer_hear(h->peer, from, bytes, (size_t)len);
}

static bool meet(struct honest *h, const struct address *at)
{
	uint64_t until = now_ns() + PATIENCE_NS;
	while (!peer_in_session(h->peer, &h->target) && now_ns() < until) {
		peer_hello(h->peer, &h->target, at);
		hear(h, at, 500);
	}
	return peer_in_session(h->peer, &h->target);
}

/* Returns the share of PINGs without an ACK. */
static double probe(struct honest *h, const struct address *at, uint64_t seconds)
{
	uint64_t started = now_ns(), acks = peer_heard(h->peer, WIRE_ACK), pings = 0;
	for (uint64_t now; (now = now_ns()) < started + seconds * NS;) {
		while (pings * PING_EVERY <= now - started) {
			peer_ping(h->peer, &h->target);
			pings++;
		}
		hear(h, at, 1);
	}
	for (uint64_t end = now_ns() + LINGER; now_ns() < end;)
		hear(h, at, 10);
	acks = peer_heard(h->peer, WIRE_ACK) - acks;
	h->pings += pings;
	return acks > pings ? 0 : 1 - (double)acks / (double)pings;
}

/* Seconds that all threads of a process have run. */
static double cpu_s(const char *pid)
{
	char path[128];
	double sum = 0;
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	DIR *tasks = opendir(path);
	CHECK(tasks != NULL);
	for (struct dirent *each; (each = readdir(tasks)) != NULL;) {
		uint64_t ns = 0;
		snprintf(path, sizeof(path), "/proc/%s/task/%.20s/schedstat", pid, each->d_name);
		FILE *f = each->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (f == NULL)
			continue;
		if (fscanf(f, "%" SCNu64, &ns) == 1)
			sum += (double)ns / 1e9;
		fclose(f);
	}
	closedir(tasks);
	return sum;
}

static int measure(struct honest *h, const struct address *at, const struct sockaddr_in *to, char **argv)
{
	uint64_t seconds = strtoull(argv[5], NULL, 10);
	struct tally *tally =
	    mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(tally != MAP_FAILED);
	if (!meet(h, at)) {
		fprintf(stderr, "bench-flood: no session with %s\n", argv[1]);
		return 1;
	}
	row("honest_lost_share_at_rest", probe(h, at, 2), "ratio");
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0)
		forger(to, tally, strtoull(argv[6], NULL, 10));
	double cpu = cpu_s(argv[2]);
	uint64_t started = now_ns(), sent = tally->sent;
	double lost = probe(h, at, seconds);
	double wall = (double)(now_ns() - started) / 1e9;
	row("sent_per_s", (double)(tally->sent - sent) / wall, "1/s");
	row("cores", (cpu_s(argv[2]) - cpu) / wall, "cores");
	row("honest_lost_share", lost, "ratio");
	row("honest_pings", (double)h->pings, "datagrams");
	tally->stop = true;
	CHECK(waitpid(child, NULL, 0) == child);
	row("answered_bytes", (double)tally->answered_bytes, "bytes");
	return 0;
}

int main(int argc, char **argv)
{
	struct honest h = {0};
	struct credentials c;
	struct err_info info;
	struct address at;
	struct sockaddr_in to = {.sin_family = AF_INET};
	if (argc != 7 || address_parse(argv[1], &at) != ERR_OK || at.ip_len != 4 ||
	    !id_of_hex(argv[3], &h.target)) {
		fprintf(stderr, "usage: bench-flood ADDRESS:PORT PID HOST-ID STATE SECONDS PER-SECOND\n");
		return 2;
	}
	CHECK(crypto_init() == ERR_OK);
	if (credentials_load(argv[4], &c, &info) != ERR_OK) {
		fprintf(stderr, "bench-flood: %s\n", info.text);
		return 1;
	}
	memcpy(&to.sin_addr, at.ip, 4);
	to.sin_port = htons(at.port);
	h.fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(h.fd >= 0 && connect(h.fd, (const struct sockaddr *)&to, sizeof(to)) == 0);
	struct peer_options o = {.identity = c.identity,
				 .certificate = c.certificate_bytes,
				 .certificate_len = c.certificate_len,
				 .keys = *c.keys,
				 .log = c.log,
				 .today = (wall_day)(time(NULL) / 86400),
				 .seed = now_ns(),
				 .answers = PEER_CALM,
				 .send = send_honest,
				 .context = &h};
	h.peer = peer_new(&o);
	int code = measure(&h, &at, &to, argv);
	peer_free(h.peer);
	credentials_release(&c);
	close(h.fd);
	return code;
}
