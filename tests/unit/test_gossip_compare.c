/* What a node learns though those that carry its edges hold it back. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "gossip/standing.h"
#include "tests/unit/gossip_net.h"

#define MINUTE 60000u
#define HOUR   60u /* minutes */

struct york {
	size_t bridge, other; /* nodes; the bridge has the edge to node 0 */
	bool apart;           /* node 0 and the other one do not hear each other */
	bool withhold;
	size_t asked; /* PINGs and hellos of node 0 for the other one */
};

static void certify(struct net *n, size_t node, const char *site)
{
	struct certificate c = {.enrolled = FIXTURE_DAY, .seq = 1};
	memcpy(c.site, site, strlen(site) + 1);
	certificate_consent(&c, n->nodes[node].identity, identity_id(n->f.issuer), &n->f.keys.estate);
	assert_int_equal(certificate_issue(&c, n->f.issuer, &n->f.keys.estate, 1, FIXTURE_NOW,
					   n->nodes[node].certificate, &n->nodes[node].certificate_len),
			 ERR_OK);
}

static void publish(struct net *n, size_t node)
{
	struct profile p = {.address_count = 1, .addresses = {n->nodes[node].address}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
	net_publish(n, node, RECORD_PROFILE, body, len);
}

static bool sits_at(const struct net *n, size_t node, const struct address *at)
{
	return address_equal(&n->nodes[node].address, at);
}

/* The bridge neither asks for the log nor hands it on, and it hands on no records: it shows the head of
 * before.
 */
static bool withhold(struct net *n, const struct net_datagram *d)
{
	struct york *y = n->context;
	bool there = sits_at(n, 0, &d->from) && sits_at(n, y->other, &d->to);
	bool back = sits_at(n, y->other, &d->from) && sits_at(n, 0, &d->to);
	bool log = d->bytes[1] == WIRE_LOG_PULL || d->bytes[1] == WIRE_LOG_ENTRIES;
	y->asked += there && (d->bytes[1] == WIRE_PING || d->bytes[1] == WIRE_HELLO);
	if (y->apart && (there || back))
		return false;
	bool bridge = sits_at(n, y->bridge, &d->from) || sits_at(n, y->bridge, &d->to);
	bool over = sits_at(n, 0, &d->from) || sits_at(n, 0, &d->to);
	bool records = d->bytes[1] >= WIRE_PUSH && d->bytes[1] <= WIRE_SYNC_LEAF;
	return !y->withhold || !bridge || !(log || (records && over));
}

static struct net *begin(struct york *y)
{
	struct net *n = net_new();
	certify(n, 1, "york");
	certify(n, 2, "york");
	for (size_t i = 0; i < NET_NODES; i++)
		net_start(n, i, i > 0 ? &n->nodes[0].address : NULL);
	for (size_t i = 0; i < NET_NODES; i++)
		publish(n, i);
	net_run(n, 10000);
	/* The edges they had while they looked for each other end when nothing comes; one is renewed. */
	y->apart = true;
	n->context = y;
	n->tap = withhold;
	net_run(n, 30000);
	y->apart = false;
	net_run(n, 30000);
	return n;
}

/* Node 0 alone in "leeds", with an edge to one of the two in "york": which, is drawn. */
static struct net *two_sites(struct york *y)
{
	for (size_t bridge = 1;; bridge++) {
		assert_true(bridge <= 2);
		*y = (struct york){.bridge = bridge, .other = 3 - bridge};
		struct net *n = begin(y);
		if (edge_carries(n->nodes[0].g, net_member(n, 0, y->bridge)) &&
		    !edge_carries(n->nodes[0].g, net_member(n, 0, y->other)))
			return n;
		net_free(n);
	}
}

/* A revocation handed in at the other one, of which node 0 hears nothing at once. Bridges are drawn anew with
 * the log: not every entry leaves them as they were. */
static struct net *revoke_apart(struct york *y, struct id *ret)
{
	for (uint8_t i = 1;; i++) {
		assert_true(i < 60);
		struct net *n = two_sites(y);
		*ret = (struct id){.b = {i}};
		y->withhold = true;
		net_revoke(n, y->other, LOG_REVOKE_HOST, ret, NULL);
		net_run(n, MINUTE);
		if (!authlog_host_revoked(n->nodes[0].log, ret))
			return n;
		net_free(n);
	}
}

static void test_a_withheld_revocation_is_heard_of_by_the_hourly_comparison(void **state)
{
	struct york y;
	struct id lost;
	struct net *n = revoke_apart(&y, &lost);
	unsigned minutes = 0;
	(void)state;
	/* One of two is drawn each hour. */
	while (!authlog_host_revoked(n->nodes[0].log, &lost) && ++minutes < 4 * HOUR)
		net_run(n, MINUTE);
	print_message("after %u minutes\n", minutes);
	assert_true(minutes < 4 * HOUR);
	assert_false(authlog_host_revoked(n->nodes[y.bridge].log, &lost));
	net_free(n);
}

/* A few questions an hour at most, so that it costs an estate nothing; half of them go to the other one. */
static void test_comparisons_are_few(void **state)
{
	struct york y;
	struct net *n = two_sites(&y);
	(void)state;
	net_run(n, 6 * HOUR * MINUTE);
	print_message("%zu in six hours\n", y.asked);
	assert_in_range(y.asked, 1, 24);
	net_free(n);
}

static void test_a_withheld_record_as_well(void **state)
{
	struct york y;
	struct net *n = two_sites(&y);
	struct record_key key = {
	    .kind = RECORD_CRASHES, .writer = *net_id(n, y.other), .subject = *net_id(n, y.other)};
	unsigned minutes = 0;
	(void)state;
	y.withhold = true;
	net_publish(n, y.other, RECORD_CRASHES, (const uint8_t *)"\x80", 1);
	net_run(n, MINUTE);
	assert_true(net_has(n, y.bridge, &key, 1));
	assert_false(net_has(n, 0, &key, 1));
	while (!net_has(n, 0, &key, 1) && ++minutes < 4 * HOUR)
		net_run(n, MINUTE);
	print_message("after %u minutes\n", minutes);
	assert_true(minutes < 4 * HOUR);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_withheld_revocation_is_heard_of_by_the_hourly_comparison),
	    cmocka_unit_test(test_comparisons_are_few),
	    cmocka_unit_test(test_a_withheld_record_as_well),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
