#include "tests/net/harness.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mp.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/local.h"

#define POLL_MS 10

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* Node 1 of a test process has address 127.x.y.1, no other process the same x.y for long. */
static void node_ip(size_t node, char ret[INET_ADDRSTRLEN])
{
	snprintf(ret, INET_ADDRSTRLEN, "127.%d.%d.%zu", 80 + getpid() / 200 % 100, 1 + getpid() % 200, node);
}

/* Where process ids repeat (containers that share a network), so would fixed ports. */
static unsigned free_port(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	char ip[INET_ADDRSTRLEN];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	node_ip(1, ip);
	assert_int_equal(inet_pton(AF_INET, ip, &in.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

struct net_estate *net_make(void)
{
	struct crypto_rng rng = crypto_rng_system();
	struct authlog_grant grant = {.name = "net", .quota = 100, .grace_days = 1};
	struct net_estate *e = calloc(1, sizeof(*e));
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	wall_ms now = os_clock_wall();
	assert_non_null(e);
	assert_int_equal(crypto_init(), ERR_OK);
	assert_true(scratch_make_folder("mesh-net", e->folder));
	e->port = free_port();
	assert_int_equal(identity_generate(&rng, &e->authority), ERR_OK);
	assert_int_equal(identity_generate(&rng, &e->issuer), ERR_OK);
	assert_int_equal(authlog_new(&e->token.log), ERR_OK);
	assert_int_equal(
	    authlog_make_genesis(e->authority, identity_public_key(e->issuer), "net test", now, entry, &len),
	    ERR_OK);
	assert_int_equal(authlog_append(e->token.log, entry, len), ERR_OK);
	memcpy(grant.public_key, identity_public_key(e->issuer), KEY_BYTES);
	grant.last_day = clock_day(now) + 10;
	assert_int_equal(authlog_make_grant(e->token.log, e->authority, &grant, now, entry, &len), ERR_OK);
	assert_int_equal(authlog_append(e->token.log, entry, len), ERR_OK);
	memcpy(e->token.issuer_seed, identity_seed(e->issuer), KEY_BYTES);
	rng.fill(rng.context, e->token.estate_secret, KEY_BYTES);
	e->token.last_day = clock_day(now) + 1;
	return e;
}

void net_free(struct net_estate *e)
{
	char command[SCRATCH_FOLDER_BYTES + 16];
	for (size_t i = 0; i < e->node_count; i++) {
		if (e->nodes[i]->pid != 0) {
			kill(e->nodes[i]->pid, SIGKILL);
			net_await_exit(e->nodes[i]);
		}
		free(e->nodes[i]);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", e->folder);
	run(command);
	identity_free(e->authority);
	identity_free(e->issuer);
	token_release(&e->token);
	free(e);
}

struct net_node *net_enroll(struct net_estate *e, const char *site)
{
	struct crypto_rng rng = crypto_rng_system();
	struct certificate certificate;
	struct err_info info = {0};
	char ip[INET_ADDRSTRLEN];
	assert_true(e->node_count < NET_NODES);
	struct net_node *n = calloc(1, sizeof(*n));
	assert_non_null(n);
	e->nodes[e->node_count++] = n;
	snprintf(n->folder, sizeof(n->folder), "%s/%zu", e->folder, e->node_count);
	snprintf(n->config, sizeof(n->config), "%s/%zu.conf", e->folder, e->node_count);
	node_ip(e->node_count, ip);
	snprintf(n->address, sizeof(n->address), "%s:%u", ip, e->port);
	if (credentials_enroll(n->folder, &e->token, site, NULL, &rng, os_clock_wall(), &certificate,
			       &info) != ERR_OK)
		fail_msg("%s", info.text);
	n->host = certificate.host;
	if (e->token.seed_count < 2)
		text_copy(e->token.seeds[e->token.seed_count++], TOKEN_SEED_BYTES, n->address);
	net_configure(n, NULL);
	return n;
}

void net_configure(struct net_node *n, const char *more)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "[node]\nlisten = %s\n%s\n", n->address, more ? more : "");
	assert_true(len > 0 && (size_t)len < sizeof(text));
	scratch_write(n->config, text, (size_t)len, 0600);
}

void net_start(struct net_node *n, const char *option, const char *value)
{
	int fds[2];
	char *arguments[] = {MESHD,     "--state",      n->folder,     "--config",
			     n->config, (char *)option, (char *)value, NULL};
	assert_int_equal(n->pid, 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	n->log_len = 0;
	n->log[0] = '\0';
	n->pid = fork();
	assert_true(n->pid >= 0);
	if (n->pid == 0) {
		/* A test that dies takes its daemons along. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], STDERR_FILENO);
		execv(MESHD, arguments);
		_exit(127);
	}
	close(fds[1]);
	n->log_fd = fds[0];
}

void net_signal(struct net_node *n, int number)
{
	assert_int_not_equal(n->pid, 0);
	assert_int_equal(kill(n->pid, number), 0);
}

/* One read of the log. False at its end or the deadline. */
static bool log_more(struct net_node *n, mono_ms deadline)
{
	struct pollfd p = {.fd = n->log_fd, .events = POLLIN};
	mono_ms now = os_clock_mono();
	if (n->log_fd < 0 || poll(&p, 1, deadline > now ? (int)(deadline - now) : 0) <= 0)
		return false;
	/* The end of a very long log matters more than its middle. */
	if (n->log_len > NET_LOG_BYTES / 2) {
		n->log_len = NET_LOG_BYTES / 4;
		memmove(n->log, n->log + NET_LOG_BYTES / 4, n->log_len);
	}
	ssize_t len = read(n->log_fd, n->log + n->log_len, NET_LOG_BYTES - 1 - n->log_len);
	if (len <= 0)
		return false;
	n->log_len += (size_t)len;
	n->log[n->log_len] = '\0';
	return true;
}

bool net_log_shows(struct net_node *n, const char *text)
{
	mono_ms deadline = os_clock_mono() + NET_PATIENCE_MS;
	while (strstr(n->log, text) == NULL)
		if (!log_more(n, deadline))
			return strstr(n->log, text) != NULL;
	return true;
}

void net_log_read(struct net_node *n, unsigned for_ms)
{
	mono_ms deadline = os_clock_mono() + for_ms;
	while (log_more(n, deadline))
		;
}

int net_await_exit(struct net_node *n)
{
	int status;
	mono_ms deadline = os_clock_mono() + NET_PATIENCE_MS;
	/* The log ends with the process. */
	net_log_read(n, NET_PATIENCE_MS);
	if (os_clock_mono() >= deadline && waitpid(n->pid, &status, WNOHANG) == 0)
		fail_msg("meshd of %s does not end; its log:\n%s", n->folder, n->log);
	else if (waitpid(n->pid, &status, 0) != n->pid && errno != ECHILD)
		fail_msg("waitpid: %s", strerror(errno));
	close(n->log_fd);
	n->log_fd = -1;
	n->pid = 0;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool net_running(const struct net_node *n)
{
	siginfo_t info = {.si_pid = 0};
	return n->pid != 0 && waitid(P_PID, (id_t)n->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

void net_up(struct net_node *n)
{
	net_start(n, NULL, NULL);
	if (!net_log_shows(n, "listening on"))
		fail_msg("meshd of %s does not start; its log:\n%s", n->folder, n->log);
}

static size_t make_request(uint8_t *ret, size_t cap, const char *verb, const char *a, const char *b)
{
	struct mp_writer w;
	mp_writer_init(&w, ret, cap);
	mp_put_map(&w, 2);
	mp_put_u64(&w, CONTROL_KEY_VERB);
	mp_put_str(&w, verb);
	mp_put_u64(&w, CONTROL_KEY_ARGUMENTS);
	mp_put_array(&w, (size_t)(a != NULL) + (size_t)(b != NULL));
	if (a != NULL)
		mp_put_str(&w, a);
	if (b != NULL)
		mp_put_str(&w, b);
	assert_false(w.failed);
	return w.len;
}

void net_tell(struct net_node *n, const char *verb)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	uint8_t frame[128] = {0};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_true((size_t)snprintf(to.sun_path, sizeof(to.sun_path), "%s/%s", n->folder,
				     CONTROL_SOCKET_NAME) < sizeof(to.sun_path));
	size_t len = make_request(frame + 4, sizeof(frame) - 4, verb, NULL, NULL);
	frame[3] = (uint8_t)len;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		(void)!send(fd, frame, 4 + len, MSG_NOSIGNAL);
	close(fd);
}

/* The reply to a verb, opened; false when there is none. Free `ret_bytes` after closing the document. */
static bool call(struct net_node *n, const char *verb, const char *a, const char *b, struct mp_doc *ret,
		 uint8_t **ret_bytes)
{
	uint8_t request[512];
	char path[NET_PATH_BYTES + 16];
	size_t len = make_request(request, sizeof(request), verb, a, b);
	snprintf(path, sizeof(path), "%s/%s", n->folder, CONTROL_SOCKET_NAME);
	if (os_local_call(path, request, len, LIMIT_CONTROL_REPLY_BYTES, NET_PATIENCE_MS, ret_bytes, &len,
			  NULL) != ERR_OK)
		return false;
	assert_int_equal(mp_open(ret, *ret_bytes, len), ERR_OK);
	return true;
}

bool net_status_number(struct net_node *n, enum control_status_key key, uint64_t *ret)
{
	struct mp_doc doc;
	uint8_t *bytes;
	bool flag = false;
	if (!call(n, CONTROL_VERB_STATUS, NULL, NULL, &doc, &bytes))
		return false;
	const msgpack_object *value = mp_get(mp_get(mp_root(&doc), CONTROL_KEY_BODY), key);
	bool found = mp_u64(value, UINT64_MAX, ret);
	if (!found && mp_bool(value, &flag)) {
		*ret = flag;
		found = true;
	}
	mp_close(&doc);
	free(bytes);
	return found;
}

bool net_status_text(struct net_node *n, enum control_status_key key, char *ret, size_t cap)
{
	struct mp_doc doc;
	uint8_t *bytes;
	if (!call(n, CONTROL_VERB_STATUS, NULL, NULL, &doc, &bytes))
		return false;
	bool found = mp_str(mp_get(mp_get(mp_root(&doc), CONTROL_KEY_BODY), key), ret, cap);
	mp_close(&doc);
	free(bytes);
	return found;
}

bool net_peer_status(struct net_node *n, const struct id *host, char *ret, size_t cap)
{
	struct mp_doc doc;
	uint8_t *bytes;
	char hex[ID_HEX_BYTES], id[ID_HEX_BYTES] = "";
	bool found = false;
	id_hex(host, hex);
	if (!call(n, CONTROL_VERB_PEERS, NULL, NULL, &doc, &bytes))
		return false;
	const msgpack_object *peers = mp_get(mp_get(mp_root(&doc), CONTROL_KEY_BODY), 1);
	for (size_t i = 0; !found && i < mp_count(peers); i++) {
		const msgpack_object *peer = mp_at(peers, i);
		found = mp_str(mp_get(peer, CONTROL_PEER_HOST), id, sizeof(id)) && strcmp(id, hex) == 0 &&
			mp_str(mp_get(peer, CONTROL_PEER_STATUS), ret, cap);
	}
	mp_close(&doc);
	free(bytes);
	return found;
}

void net_ask(struct net_node *n, const char *verb, const char *a, const char *b, char ret_error[32])
{
	struct mp_doc doc;
	uint8_t *bytes;
	ret_error[0] = '\0';
	if (!call(n, verb, a, b, &doc, &bytes))
		return;
	assert_true(mp_str(mp_get(mp_root(&doc), CONTROL_KEY_ERROR), ret_error, 32));
	mp_close(&doc);
	free(bytes);
}

bool net_await(bool (*condition)(void *context), void *context)
{
	mono_ms deadline = os_clock_mono() + NET_PATIENCE_MS;
	while (!condition(context)) {
		if (os_clock_mono() >= deadline)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000}, NULL);
	}
	return true;
}
