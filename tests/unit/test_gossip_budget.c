/* What a node sends is bounded, by class, and nothing that matters waits behind what does not. */
#include "tests/unit/scratch.h"

#include "gossip/budget.h"
#include "tests/unit/gossip_net.h"

#define DATAGRAM 1000 /* bytes */
#define IPV4     4
#define SLICE_MS 50 /* of net_run */

/* As much as is allowed now; returns bytes. */
static uint64_t drain(struct gossip *g, enum gossip_class c)
{
	uint64_t bytes = 0;
	while (budget_allows(g, c, 1)) {
		size_t next = budget_allows(g, c, DATAGRAM) ? DATAGRAM : 1;
		budget_spend(g, c, next);
		bytes += next;
	}
	return bytes;
}

static uint64_t drain_all(struct gossip *g)
{
	uint64_t bytes = 0;
	for (int c = 0; c < GOSSIP_CLASS_CATCH_UP; c++)
		bytes += drain(g, (enum gossip_class)c);
	return bytes;
}

static void test_all_together_keep_to_rate_and_burst(void **state)
{
	struct gossip g = {.now = 10000};
	(void)state;
	uint64_t sent = drain_all(&g);
	assert_int_equal(sent, LIMIT_BUDGET_BURST_BYTES);
	for (int second = 0; second < 100; second++) {
		g.now += 1000;
		sent = drain_all(&g);
		assert_int_equal(sent, LIMIT_BUDGET_RATE_BYTES);
	}
	g.now += 1ull << 40;
	assert_int_equal(drain_all(&g), LIMIT_BUDGET_BURST_BYTES);
	/* Time that stands still gives nothing. */
	assert_int_equal(drain_all(&g), 0);
}

static void test_catching_up_has_bounds_of_its_own(void **state)
{
	struct gossip g = {.now = 10000};
	(void)state;
	assert_int_equal(drain(&g, GOSSIP_CLASS_CATCH_UP), LIMIT_CATCH_UP_BURST_BYTES);
	g.now += 100;
	assert_int_equal(drain(&g, GOSSIP_CLASS_CATCH_UP), LIMIT_CATCH_UP_RATE_BYTES / 10);
	assert_int_equal(drain_all(&g), LIMIT_BUDGET_BURST_BYTES);
	/* What it leaves over is nobody else's. */
	g.now += 3600000;
	assert_int_equal(drain_all(&g), LIMIT_BUDGET_BURST_BYTES);
}

/* A flood of one class takes the pool, and nobody's share. */
static void test_nobody_takes_the_share_of_another(void **state)
{
	(void)state;
	for (int flood = 0; flood < GOSSIP_CLASS_CATCH_UP; flood++) {
		struct gossip g = {.now = 10000};
		drain(&g, (enum gossip_class)flood);
		for (int second = 0; second < 60; second++) {
			g.now += 1000;
			drain(&g, (enum gossip_class)flood);
			for (int c = 0; c < GOSSIP_CLASS_CATCH_UP; c++)
				assert_true(c == flood || budget_allows(&g, (enum gossip_class)c, 900));
		}
	}
}

static void test_routine_borrows_only_what_urgent_news_can_spare(void **state)
{
	struct gossip g = {.now = 10000};
	(void)state;
	drain(&g, GOSSIP_CLASS_NEWS);
	drain(&g, GOSSIP_CLASS_ROUTINE);
	uint64_t pool = g.budget.pool;
	assert_true(pool > 0);
	uint64_t own = g.budget.left[GOSSIP_CLASS_URGENT];
	assert_int_equal(drain(&g, GOSSIP_CLASS_URGENT), (pool + own) / 1000);
	/* While others are in the pool's debt the surplus of a quiet second is not routine's. */
	g.now += 1000;
	assert_int_equal(drain(&g, GOSSIP_CLASS_ROUTINE), 5000);
}

static void test_it_says_when(void **state)
{
	struct gossip g = {.now = 10000};
	(void)state;
	assert_int_equal(budget_when(&g, GOSSIP_CLASS_NEWS, DATAGRAM), g.now);
	drain_all(&g);
	mono_ms when = budget_when(&g, GOSSIP_CLASS_NEWS, DATAGRAM);
	assert_true(when > g.now && when < g.now + 1000);
	g.now = when - 1;
	assert_false(budget_allows(&g, GOSSIP_CLASS_NEWS, DATAGRAM));
	g.now = when;
	assert_true(budget_allows(&g, GOSSIP_CLASS_NEWS, DATAGRAM));
}

static void test_classes_of_types(void **state)
{
	(void)state;
	assert_int_equal(budget_class_of(WIRE_HELLO), GOSSIP_CLASS_HELLO);
	assert_int_equal(budget_class_of(WIRE_PING), GOSSIP_CLASS_PROBE);
	assert_int_equal(budget_class_of(WIRE_SUSPECT), GOSSIP_CLASS_PROBE);
	assert_int_equal(budget_class_of(WIRE_ACK), GOSSIP_CLASS_ANSWER);
	assert_int_equal(budget_class_of(WIRE_ROLLCALL_PULL), GOSSIP_CLASS_URGENT);
	assert_int_equal(budget_class_of(WIRE_PUSH), GOSSIP_CLASS_URGENT);
	assert_int_equal(budget_class_of(WIRE_ANNOUNCE), GOSSIP_CLASS_NEWS);
	assert_int_equal(budget_class_of(WIRE_RECORDS), GOSSIP_CLASS_ROUTINE);
	assert_int_equal(budget_class_of(WIRE_SKETCH), GOSSIP_CLASS_CATCH_UP);
	assert_int_equal(budget_class_of(WIRE_LOG_ENTRIES), GOSSIP_CLASS_LOG);
	assert_int_equal(budget_class_of(WIRE_BLOBS), GOSSIP_CLASS_CATCH_UP);
	assert_int_equal(budget_datagram_bytes(28, IPV4), 124); /* a PING */
}

/* All that is sent is counted, with headers. */
static void test_every_datagram_is_counted(void **state)
{
	struct net *n = net_met();
	const struct gossip_counters *c = net_counters(n, 0);
	(void)state;
	net_run(n, 20000);
	uint64_t sent = 0;
	for (int i = 0; i < GOSSIP_CLASS_COUNT; i++)
		sent += c->sent[i];
	assert_true(c->datagrams_out > 20);
	assert_int_equal(sent, c->bytes_out + 28 * c->datagrams_out);
	net_free(n);
}

/* And nothing comes in until its next step, one slice of net_run later. */
static void spent(const struct net *n, struct gossip *g)
{
	g->budget.begun = true;
	g->budget.at = n->now + SLICE_MS;
	memset(g->budget.left, 0, sizeof(g->budget.left));
	g->budget.pool = 0;
}

/* Urgent or not: what cannot be sent now is sent later. */
static void test_news_wait_and_are_not_lost(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[0].g;
	static const uint8_t body[] = {0x81, 0x01, 0xa1, 'x'};
	(void)state;
	net_run(n, 120000);
	uint64_t pushes = g->counters.pushes_out, ids = g->counters.announced_ids_out;
	uint64_t held = g->counters.held_back[GOSSIP_CLASS_NEWS];
	spent(n, g);
	net_publish(n, 0, RECORD_PROFILE, body, sizeof(body));
	assert_int_equal(g->counters.pushes_out, pushes);
	const struct record_key key = {
	    .kind = RECORD_PROFILE, .writer = *net_id(n, 0), .subject = *net_id(n, 0)};
	struct set_entry own, others;
	assert_true(set_find(g->set, &key, &own));
	for (int i = 0; i < 3; i++) {
		spent(n, g);
		net_run(n, SLICE_MS);
	}
	assert_int_equal(g->counters.announced_ids_out, ids);
	net_run(n, 3000);
	assert_true(g->counters.announced_ids_out > ids);
	assert_true(g->counters.held_back[GOSSIP_CLASS_NEWS] > held);
	for (size_t i = 1; i < NET_NODES; i++)
		assert_true(set_find(n->nodes[i].g->set, &key, &others) && others.id == own.id);
	net_free(n);
}

/* A node that may not ask accuses nobody. */
static void test_nobody_is_suspected_for_want_of_budget(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[0].g;
	(void)state;
	net_run(n, 60000);
	uint64_t suspicions = g->counters.suspicions, probes = g->counters.probes_out;
	for (int i = 0; i < 10000 / SLICE_MS; i++) {
		spent(n, g);
		net_run(n, SLICE_MS);
	}
	assert_int_equal(g->counters.suspicions, suspicions);
	assert_true(g->counters.probes_out < probes + 3);
	assert_true(g->counters.held_back[GOSSIP_CLASS_PROBE] > 0);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all_together_keep_to_rate_and_burst),
	    cmocka_unit_test(test_catching_up_has_bounds_of_its_own),
	    cmocka_unit_test(test_nobody_takes_the_share_of_another),
	    cmocka_unit_test(test_routine_borrows_only_what_urgent_news_can_spare),
	    cmocka_unit_test(test_it_says_when),
	    cmocka_unit_test(test_classes_of_types),
	    cmocka_unit_test(test_every_datagram_is_counted),
	    cmocka_unit_test(test_news_wait_and_are_not_lost),
	    cmocka_unit_test(test_nobody_is_suspected_for_want_of_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
