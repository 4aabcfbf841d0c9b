/* How often a node begins to reconcile, with whom, when some set or every set always differs. */
#include "tests/unit/scratch.h"

#include "gossip/pace.h"
#include "tests/unit/gossip_net.h"

#define SYNC_MS 2000

static void in_vain(struct net *n, struct member *m, unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		pace_begun(n->nodes[0].g, m);
		m->sync_at = n->now;
	}
}

/* So that what the estate does meanwhile plays no part. */
static struct net *quiet(struct gossip **ret_g)
{
	struct net *n = net_met();
	*ret_g = n->nodes[0].g;
	net_run(n, 60000);
	(*ret_g)->pace = (struct pace){.accepted = (*ret_g)->counters.records_accepted};
	for (size_t i = 1; i < NET_NODES; i++)
		net_member(n, 0, i)->sync_vain = 0;
	return n;
}

static void test_who_always_differs_slows_down_only_itself(void **state)
{
	struct gossip *g;
	struct net *n = quiet(&g);
	struct member *liar = net_member(n, 0, 1), *other = net_member(n, 0, 2);
	(void)state;
	other->sync_at = n->now - SYNC_MS;
	in_vain(n, liar, 2);
	assert_int_equal(pace_with(g, liar), n->now + SYNC_MS);
	in_vain(n, liar, 1);
	assert_int_equal(pace_with(g, liar), n->now + 2 * SYNC_MS);
	in_vain(n, liar, 100);
	assert_int_equal(pace_with(g, liar), n->now + 32 * SYNC_MS);
	assert_false(pace_worth(g, liar));
	assert_true(pace_with(g, other) <= n->now);
	assert_int_equal(pace_with_any(g), n->now + SYNC_MS / 4);
	assert_true(pace_worth(g, other));
	net_free(n);
}

static void test_what_it_brings_makes_up_for_it(void **state)
{
	struct gossip *g;
	struct net *n = quiet(&g);
	struct member *m = net_member(n, 0, 1);
	(void)state;
	in_vain(n, m, 10);
	pace_fruit(g, m);
	assert_int_equal(pace_with(g, m), n->now + SYNC_MS);
	in_vain(n, m, 10);
	pace_equal(g, m);
	assert_int_equal(pace_with(g, m), n->now + SYNC_MS);
	net_free(n);
}

/* Where nodes disagree on what they take, sets differ for long, and nobody's fault it is. */
static void test_in_vain_with_everybody_spaces_out_all(void **state)
{
	struct gossip *g;
	struct net *n = quiet(&g);
	struct member *m = net_member(n, 0, 1);
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		m->sync_vain = 0; /* another one each time */
		in_vain(n, m, 1);
	}
	assert_int_equal(pace_with_any(g), n->now + 4 * SYNC_MS);
	pace_equal(g, net_member(n, 0, 2));
	assert_int_equal(pace_with_any(g), n->now + SYNC_MS / 4);
	net_free(n);
}

static void test_what_spreads_anyway_is_waited_for(void **state)
{
	struct gossip *g;
	struct net *n = quiet(&g);
	struct member *m = net_member(n, 0, 1);
	(void)state;
	in_vain(n, m, 1);
	g->counters.records_accepted += 16;
	assert_int_equal(pace_with_any(g), n->now + SYNC_MS / 4 * 3);
	g->counters.records_accepted += 1000;
	assert_int_equal(pace_with_any(g), n->now + SYNC_MS * 4);
	/* What came by reconciling would not have come else. */
	g->counters.records_accepted = g->pace.accepted;
	for (unsigned i = 0; i < 100; i++) {
		g->counters.records_accepted++;
		pace_fruit(g, m);
	}
	assert_int_equal(pace_with_any(g), n->now + SYNC_MS / 4);
	assert_true(pace_goes_on(m));
	assert_false(pace_goes_on(m));
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_always_differs_slows_down_only_itself),
	    cmocka_unit_test(test_what_it_brings_makes_up_for_it),
	    cmocka_unit_test(test_in_vain_with_everybody_spaces_out_all),
	    cmocka_unit_test(test_what_spreads_anyway_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
