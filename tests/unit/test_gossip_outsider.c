/* Who sees the wire and can send from any address, and has no secret of the estate. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "tests/unit/gossip_net.h"

#define FLOOD 5000

static const struct address nowhere = {.ip = {203, 0, 113, 9}, .ip_len = 4, .port = 53};

static size_t ping(struct net *n, size_t from, size_t to, uint8_t ret[LIMIT_DATAGRAM_BYTES])
{
	struct wire_ping body = {.head = authlog_head(n->nodes[from].log)};
	uint8_t message[WIRE_MESSAGE_BYTES];
	return net_seal(n, from, to, WIRE_PING, message, wire_ping_encode(&body, message), ret);
}

/* Whether a PING of node 1 to node 0 is let in now. */
static bool let_in(struct net *n)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	uint64_t before = net_counters(n, 0)->datagrams_out;
	size_t len = ping(n, 1, 0, bytes);
	net_inject(n, 0, &n->nodes[1].address, bytes, len);
	return net_counters(n, 0)->datagrams_out > before;
}

static void test_forged_datagrams_use_up_nobodys_allowance(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_DATAGRAM_BYTES] = {1, WIRE_PING, 1, 1};
	(void)state;
	for (int i = 0; i < FLOOD; i++)
		net_inject(n, 0, &n->nodes[1].address, bytes, 100);
	assert_int_equal(net_counters(n, 0)->dropped_mac, FLOOD);
	assert_true(let_in(n));
	net_free(n);
}

static void test_a_replay_counts_once(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len = ping(n, 1, 0, bytes);
	(void)state;
	net_inject(n, 0, &n->nodes[1].address, bytes, len);
	uint64_t out = net_counters(n, 0)->datagrams_out;
	for (int i = 0; i < FLOOD; i++)
		net_inject(n, 0, &n->nodes[1].address, bytes, len);
	assert_int_equal(net_counters(n, 0)->datagrams_out, out);
	assert_int_equal(net_counters(n, 0)->dropped_replay, FLOOD);
	assert_true(let_in(n));
	net_free(n);
}

static bool count_bytes_to_nowhere(struct net *n, const struct net_datagram *d)
{
	if (address_equal(&d->to, &nowhere))
		*(size_t *)n->context += d->len;
	return true;
}

static void test_strays_get_no_answer_at_unproven_addresses(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len = ping(n, 1, 0, bytes), sent = 0;
	(void)state;
	/* Node 0 starts anew and cannot open what it could. */
	net_start(n, 0, NULL);
	n->tap = count_bytes_to_nowhere;
	n->context = &sent;
	net_inject(n, 0, &nowhere, bytes, len);
	net_run(n, 5000);
	assert_int_equal(sent, 0);
	/* A node that lost its replica too knows no such host. */
	n->nodes[0].row_count = 0;
	net_start(n, 0, NULL);
	net_inject(n, 0, &nowhere, bytes, len);
	net_run(n, 5000);
	assert_int_equal(sent, 0);
	net_free(n);
}

struct hellos {
	size_t count, len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

static bool keep_hello(struct net *n, const struct net_datagram *d)
{
	struct hellos *h = n->context;
	if (d->bytes[1] == WIRE_HELLO && address_equal(&d->to, &n->nodes[1].address)) {
		h->count++;
		h->len = d->len;
		memcpy(h->bytes, d->bytes, d->len);
	}
	return true;
}

static void test_an_own_hello_sent_back_does_not_take_a_seed_away(void **state)
{
	struct net *n = net_new();
	struct hellos h = {0};
	(void)state;
	n->tap = keep_hello;
	n->context = &h;
	net_start(n, 0, &n->nodes[1].address);
	assert_true(h.count > 0);
	net_inject(n, 0, &n->nodes[1].address, h.bytes, h.len);
	net_run(n, 10000);
	h.count = 0;
	net_run(n, 60000);
	assert_true(h.count > 0);
	net_free(n);
}

/* Acknowledgements of node 1 arrive from somewhere else. */
static bool relay(struct net *n, const struct net_datagram *d)
{
	struct net_datagram moved = *d;
	if (!address_equal(&d->from, &n->nodes[1].address) ||
	    (d->bytes[1] != WIRE_ACK && d->bytes[1] != WIRE_HELLO_REPLY))
		return true;
	moved.from = nowhere;
	for (size_t i = 0; i < NET_NODES; i++)
		if (address_equal(&n->nodes[i].address, &d->to))
			n->wire[n->wire_count++] = moved;
	return false;
}

static void test_answers_relayed_move_no_address(void **state)
{
	struct net *n = net_met();
	(void)state;
	n->tap = relay;
	for (int i = 0; i < 100; i++) {
		net_run(n, 200);
		assert_true(address_equal(&net_member(n, 0, 1)->address, &n->nodes[1].address));
	}
	/* And it still counts as an answer. */
	assert_true(n->now - net_member(n, 0, 1)->answered_at < 10000);
	net_free(n);
}

static bool refused_at_node_0(void *context, const uint8_t *bytes, size_t len)
{
	struct net *n = context;
	uint64_t records = net_counters(n, 0)->records_accepted, acks = net_counters(n, 0)->datagrams_out;
	n->now += 1000; /* past every allowance and hint */
	net_inject(n, 0, &n->nodes[1].address, bytes, len);
	return net_counters(n, 0)->records_accepted == records &&
	       net_counters(n, 0)->datagrams_out <= acks + 64;
}

static void test_no_changed_byte_of_a_datagram_is_let_in(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len = ping(n, 1, 0, bytes);
	uint64_t in = net_counters(n, 0)->dropped_mac + net_counters(n, 0)->dropped_version;
	(void)state;
	n->nodes[1].deaf = n->nodes[2].deaf = true;
	assert_int_equal(fixture_flip(bytes, len, false, refused_at_node_0, n), -1);
	/* Nine changes a byte, and each was refused before anything was opened. */
	assert_int_equal(net_counters(n, 0)->dropped_mac + net_counters(n, 0)->dropped_version - in, 9 * len);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forged_datagrams_use_up_nobodys_allowance),
	    cmocka_unit_test(test_a_replay_counts_once),
	    cmocka_unit_test(test_strays_get_no_answer_at_unproven_addresses),
	    cmocka_unit_test(test_an_own_hello_sent_back_does_not_take_a_seed_away),
	    cmocka_unit_test(test_answers_relayed_move_no_address),
	    cmocka_unit_test(test_no_changed_byte_of_a_datagram_is_let_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
