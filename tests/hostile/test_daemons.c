/* The same peer against real daemons over UDP: forged datagrams, everything cut off, replays, a stolen host
 * key that says what it may not, and its revocation. They must go on serving each other, and hold nothing of
 * it. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/text.h"
#include "crypto/record.h"
#include "os/clock.h"
#include "store/store.h"
#include "tests/hostile/peer.h"
#include "tests/net/harness.h"
#include "tests/unit/scratch.h"

#define FORGED 20000
#define SEEN   64

struct wire {
	int fd;
	struct peer *peer;
	struct sockaddr_in to;
	uint64_t heard;
	size_t seen_count;
	struct {
		size_t len;
		uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	} seen[SEEN]; /* own datagrams, to be sent again */
};

static struct sockaddr_in socket_address(const char *text)
{
	struct address a;
	struct sockaddr_in in = {.sin_family = AF_INET};
	assert_int_equal(address_parse(text, &a), ERR_OK);
	memcpy(&in.sin_addr, a.ip, 4);
	in.sin_port = htons(a.port);
	return in;
}

static void send_raw(struct wire *w, const uint8_t *bytes, size_t len)
{
	(void)!sendto(w->fd, bytes, len, 0, (const struct sockaddr *)&w->to, sizeof(w->to));
}

static void send_peer(void *context, const struct address *from, const struct address *to,
		      const uint8_t *bytes, size_t len)
{
	struct wire *w = context;
	(void)from;
	(void)to;
	if (w->seen_count < SEEN) {
		w->seen[w->seen_count].len = len;
		memcpy(w->seen[w->seen_count++].bytes, bytes, len);
	}
	send_raw(w, bytes, len);
}

static void hear(struct wire *w, int for_ms)
{
	mono_ms end = os_clock_mono() + (mono_ms)for_ms;
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	for (mono_ms now = os_clock_mono(); now < end; now = os_clock_mono()) {
		if (poll(&p, 1, (int)(end - now)) <= 0)
			return;
		ssize_t len = recv(w->fd, bytes, sizeof(bytes), 0);
		struct address from = {.ip_len = 4};
		w->heard += len > 0;
		if (len > 0 && w->peer != NULL)
			peer_hear(w->peer, &from, bytes, (size_t)len);
	}
}

/* A PING answered: all that was sent before it has been served, or lost. Some are over the thief's allowance.
 */
static bool answered(struct wire *w, const struct net_node *n)
{
	mono_ms end = os_clock_mono() + NET_PATIENCE_MS;
	uint64_t acks = peer_heard(w->peer, WIRE_ACK);
	while (peer_heard(w->peer, WIRE_ACK) == acks && os_clock_mono() < end) {
		assert_true(peer_ping(w->peer, &n->host));
		hear(w, 200);
	}
	return peer_heard(w->peer, WIRE_ACK) > acks;
}

static struct wire wire_open(const char *at, const char *to)
{
	struct sockaddr_in in = socket_address(at);
	struct wire w = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .to = socket_address(to)};
	assert_true(w.fd >= 0);
	assert_int_equal(bind(w.fd, (const struct sockaddr *)&in, sizeof(in)), 0);
	return w;
}

static bool knows_all(void *context)
{
	uint64_t hosts = 0;
	return net_status_number(context, CONTROL_STATUS_HOSTS, &hosts) && hosts >= 2;
}

struct seen {
	struct net_node *by, *host;
	char status[32];
};

static bool is_up(void *context)
{
	struct seen *s = context;
	text_copy(s->status, sizeof(s->status), "");
	return net_peer_status(s->by, &s->host->host, s->status, sizeof(s->status)) &&
	       strcmp(s->status, "up") == 0;
}

/* It serves, and sees the other answer: neither a crowded machine nor a forged word leaves another state for
 * long. */
static void still_serves(struct net_node *n, struct net_node *other)
{
	struct seen seen = {.by = n, .host = other};
	if (!net_await(is_up, &seen))
		fail_msg("the other host is \"%s\", not up", seen.status);
	assert_true(net_running(n));
}

/* Nothing of this may be answered, whatever it looks like. */
static void outsiders(void **state)
{
	struct net_estate *e = *state;
	struct net_node *a = net_enroll(e, "hamburg"), *b = net_enroll(e, "hamburg");
	struct net_node *nowhere = net_enroll(e, "hamburg");
	uint8_t bytes[LIMIT_DATAGRAM_BYTES + 100];
	struct prng prng;
	prng_seed(&prng, 1);
	net_up(a);
	net_up(b);
	assert_true(net_await(knows_all, a));
	struct wire w = wire_open(nowhere->address, a->address);
	for (int i = 0; i < FORGED; i++) {
		size_t len = 1 + prng_below(&prng, sizeof(bytes));
		for (size_t k = 0; k < len; k++)
			bytes[k] = (uint8_t)prng_u64(&prng);
		bytes[0] = 1;
		bytes[1] = (uint8_t)(i % 90);
		if (len >= 20)
			memcpy(bytes + 4, i % 2 == 0 ? b->host.b : nowhere->host.b, ID_BYTES);
		send_raw(&w, bytes, len);
	}
	still_serves(a, b);
	/* All was served by then, and nothing of it answered. */
	hear(&w, 100);
	assert_int_equal(w.heard, 0);
	close(w.fd);
}

static struct authlog *log_of(const struct net_estate *e)
{
	return e->token.log;
}

/* Loads what a thief would have copied from the folder of a host. */
static void steal(struct net_estate *e, struct net_node *n, struct wire *w, struct identity **ret_identity,
		  uint8_t certificate[LIMIT_CERTIFICATE_BYTES])
{
	char path[NET_PATH_BYTES + 16];
	struct err_info info;
	struct estate_keys keys;
	snprintf(path, sizeof(path), "%s/identity.key", n->folder);
	assert_int_equal(identity_load(path, KEY_HOST, NULL, ret_identity, &info), ERR_OK);
	snprintf(path, sizeof(path), "%s/certificate", n->folder);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	size_t len = fread(certificate, 1, LIMIT_CERTIFICATE_BYTES, f);
	fclose(f);
	estate_keys_derive(&keys, authlog_estate(log_of(e)), e->token.estate_secret);
	const struct peer_options o = {.identity = *ret_identity,
				       .certificate = certificate,
				       .certificate_len = len,
				       .keys = keys,
				       .log = log_of(e),
				       .today = clock_day(os_clock_wall()),
				       .seed = 7,
				       .answers = PEER_CALM,
				       .send = send_peer,
				       .context = w};
	w->peer = peer_new(&o);
}

struct rows {
	const struct net_node *but_of; /* whose own goodbye is genuine */
	size_t all, goodbyes;
};

static bool each_row(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct rows *rows = context;
	struct record r;
	(void)received;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	rows->all++;
	rows->goodbyes += r.key.kind == RECORD_GOODBYE && !id_equal(&r.key.writer, &rows->but_of->host);
	return true;
}

/* What it left on the disk when it was stopped. */
static void holds_no_goodbye(struct net_estate *e, struct net_node *n)
{
	char path[NET_PATH_BYTES + 16];
	struct err_info info = {0};
	struct rows rows = {.but_of = n};
	struct store *s;
	bool set_aside = false;
	net_signal(n, SIGTERM);
	assert_int_equal(net_await_exit(n), 0);
	snprintf(path, sizeof(path), "%s/replica", n->folder);
	if (store_open(path, authlog_estate(e->token.log), &n->host, &s, &set_aside, &info) != ERR_OK)
		fail_msg("%s", info.text);
	assert_int_equal(store_each_record(s, each_row, &rows), ERR_OK);
	store_close(s);
	/* Certificates and profiles of the two honest ones at least. */
	assert_true(rows.all >= 4);
	assert_int_equal(rows.goodbyes, 0);
}

static void stolen_key(void **state)
{
	struct net_estate *e = *state;
	struct net_node *a = net_enroll(e, "hamburg"), *b = net_enroll(e, "hamburg");
	struct net_node *stolen = net_enroll(e, "hamburg");
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES], bytes[LIMIT_RECORD_BYTES],
	    message[WIRE_MESSAGE_BYTES] = {1};
	struct identity *identity;
	size_t len;
	net_up(a);
	net_up(b);
	assert_true(net_await(knows_all, a));
	struct wire w = wire_open(stolen->address, a->address);
	struct address at;
	assert_int_equal(address_parse(a->address, &at), ERR_OK);
	steal(e, stolen, &w, &identity, certificate);
	for (mono_ms end = os_clock_mono() + NET_PATIENCE_MS;
	     !peer_in_session(w.peer, &a->host) && os_clock_mono() < end;) {
		peer_hello(w.peer, &a->host, &at);
		hear(&w, 500);
	}
	assert_true(peer_in_session(w.peer, &a->host));
	assert_true(answered(&w, a));
	/* A goodbye of the other, in its name and about it; each type cut off; and all of it again. */
	for (int forged = 0; forged < 2; forged++) {
		const struct record_key key = {.kind = RECORD_GOODBYE, .subject = b->host};
		const struct goodbye goodbye = {.reason = GOODBYE_STOPPED};
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		assert_int_equal(goodbye_encode(&goodbye, body, &len), ERR_OK);
		assert_int_equal(record_sign(&key, 1u << 20, 1, os_clock_wall(), body, len,
					     authlog_estate(log_of(e)), identity, bytes, &len),
				 ERR_OK);
		if (forged)
			memcpy(bytes + 5, b->host.b, ID_BYTES);
		peer_push(w.peer, &a->host, bytes, len);
	}
	for (unsigned type = 1; type < 90; type++)
		for (size_t cut = 0; cut < 12; cut++)
			peer_say(w.peer, &a->host, (uint8_t)type, message, cut);
	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < w.seen_count; i++)
			send_raw(&w, w.seen[i].bytes, w.seen[i].len);
	assert_true(answered(&w, a));
	still_serves(a, b);
	holds_no_goodbye(e, a);
	peer_free(w.peer);
	identity_free(identity);
	close(w.fd);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(outsiders, setup, teardown),
	    cmocka_unit_test_setup_teardown(stolen_key, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
