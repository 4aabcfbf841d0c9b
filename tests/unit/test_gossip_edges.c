/* Edges: who may take a place at one end, who is a bridge, and what becomes of an end that answers. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>

#include "gossip/blob.h"
#include "tests/unit/gossip_net.h"

static struct member *enrol_far(struct net *n, const char *site, uint8_t number)
{
	struct identity *host;
	struct certificate c = {.enrolled = FIXTURE_DAY, .seq = 1};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	assert_int_equal(identity_generate(&n->f.rng, &host), ERR_OK);
	snprintf(c.site, sizeof(c.site), "%s", site);
	certificate_consent(&c, host, identity_id(n->f.issuer), authlog_estate(n->f.log));
	assert_int_equal(
	    certificate_issue(&c, n->f.issuer, authlog_estate(n->f.log), 1, FIXTURE_NOW, bytes, &len),
	    ERR_OK);
	assert_int_equal(core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED), ERR_OK);
	struct member *m = member_find(n->nodes[0].g, identity_id(host));
	m->address = (struct address){.ip = {10, 9, 0, number}, .ip_len = 4, .port = 7946};
	identity_free(host);
	return m;
}

static void hear(struct net *n, struct member *m)
{
	m->session = true;
	m->heard_at = n->nodes[0].g->now;
	edge_heard(n->nodes[0].g, m);
}

static bool carried(struct net *n, struct member *m)
{
	return edge_carries(n->nodes[0].g, m);
}

static void test_a_far_site_has_two_places_at_most(void **state)
{
	struct net *n = net_new();
	struct member *york[16], *hull[3], *peers[32];
	(void)state;
	net_start(n, 0, NULL);
	for (uint8_t i = 0; i < 16; i++)
		york[i] = enrol_far(n, "york", (uint8_t)(10 + i));
	for (uint8_t i = 0; i < 3; i++)
		hull[i] = enrol_far(n, "hull", (uint8_t)(50 + i));
	for (size_t i = 0; i < 16; i++)
		hear(n, york[i]);
	assert_int_equal(edge_peers(n->nodes[0].g, peers, 32), 2);
	/* Whoever came first or last: the same two. */
	struct member *best[2] = {peers[0], peers[1]};
	for (size_t i = 16; i-- > 0;)
		hear(n, york[i]);
	assert_true(carried(n, best[0]) && carried(n, best[1]));
	for (size_t i = 0; i < 3; i++)
		hear(n, hull[i]);
	assert_int_equal(edge_peers(n->nodes[0].g, peers, 32), 4);
	net_free(n);
}

static void test_a_full_table_gives_each_site_its_first_place(void **state)
{
	struct net *n = net_new();
	(void)state;
	net_start(n, 0, NULL);
	for (uint8_t i = 0; i < 16; i++) {
		char site[8];
		snprintf(site, sizeof(site), "s%u", i / 2u);
		hear(n, enrol_far(n, site, (uint8_t)(10 + i)));
	}
	struct member *york = enrol_far(n, "york", 100);
	hear(n, york);
	assert_true(carried(n, york));
	net_free(n);
}

/* The first to whom one goes in a far site, save n->context. */
static struct address first_hello;
static bool far_hello(struct net *n, const struct net_datagram *d)
{
	const struct member *except = n->context;
	if (d->to.ip[1] == 9 && first_hello.ip_len == 0 &&
	    (except == NULL || !address_equal(&d->to, &except->address)))
		first_hello = d->to;
	return true;
}

static void test_the_new_are_bridges_last(void **state)
{
	struct net *n = net_new();
	(void)state;
	net_start(n, 0, NULL);
	struct member *old = enrol_far(n, "york", 9);
	old->address.ip_len = 0;
	net_days(n, 10);
	for (uint8_t i = 0; i < 24; i++)
		enrol_far(n, "york", (uint8_t)(10 + i));
	old->address.ip_len = 4;
	first_hello = (struct address){0};
	n->tap = far_hello;
	net_run(n, 5000);
	assert_true(address_equal(&first_hello, &old->address));
	net_free(n);
}

/* As if its datagrams came: nobody is at these addresses. */
static void keep_hearing(struct net *n, struct member *m)
{
	m->session = true;
	m->heard_at = n->nodes[0].g->now;
}

static void test_an_end_that_answers_stays_until_the_new_one_does(void **state)
{
	struct net *n = net_new();
	struct member *york[24], *end = NULL;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	(void)state;
	net_start(n, 0, NULL);
	for (uint8_t i = 0; i < 24; i++)
		york[i] = enrol_far(n, "york", (uint8_t)(10 + i));
	first_hello = (struct address){0};
	n->tap = far_hello;
	for (int i = 0; i < 100 && first_hello.ip_len == 0; i++)
		net_run(n, 50);
	for (size_t i = 0; i < 24; i++)
		end = address_equal(&york[i]->address, &first_hello) ? york[i] : end;
	assert_non_null(end);
	end->answered_at = n->nodes[0].g->now;
	keep_hearing(n, end);
	net_run(n, 50);
	assert_true(carried(n, end));
	/* The log moves on, and another has its rank. */
	assert_int_equal(authlog_make_extend(n->nodes[0].log, n->f.authority, NULL, NULL, &(uint32_t){500},
					     FIXTURE_NOW, entry, &len),
			 ERR_OK);
	assert_int_equal(net_log(n, 0, entry, len), ERR_OK);
	first_hello = (struct address){0};
	n->context = end;
	for (int i = 0; i < 100; i++) {
		keep_hearing(n, end);
		net_run(n, 50);
		keep_hearing(n, end);
		assert_true(carried(n, end));
	}
	assert_true(first_hello.ip_len != 0);
	net_free(n);
}

static void test_the_next_after_a_bridge_looks_past_it(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[0].g;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	bool looked = false;
	size_t len;
	(void)state;
	for (uint8_t i = 0; i < 4; i++)
		enrol_far(n, "york", (uint8_t)(10 + i)); /* where, node 0 alone knows */
	n->tap = far_hello;
	for (uint32_t round = 0; round < 12 && !looked; round++) {
		assert_int_equal(authlog_make_extend(n->nodes[0].log, n->f.authority, NULL, NULL,
						     &(uint32_t){500 + round}, FIXTURE_NOW, entry, &len),
				 ERR_OK);
		assert_int_equal(net_log(n, 0, entry, len), ERR_OK);
		net_run(n, 5000);
		first_hello = (struct address){0};
		for (int i = 0; i < 60 && !edge_bridge(g); i++)
			net_run(n, 1000);
		looked = !edge_bridge(g) && first_hello.ip_len != 0;
	}
	assert_true(looked);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_far_site_has_two_places_at_most),
	    cmocka_unit_test(test_a_full_table_gives_each_site_its_first_place),
	    cmocka_unit_test(test_the_new_are_bridges_last),
	    cmocka_unit_test(test_an_end_that_answers_stays_until_the_new_one_does),
	    cmocka_unit_test(test_the_next_after_a_bridge_looks_past_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
