/* Two nodes whose sets differ: by a sketch where little does, by several blocks where more does, by the walk
 * where too much does; whatever is lost, and where the other answers no sketches at all. */
#include "base/check.h"
#include "gossip/wire.h"
#include "tests/unit/spread_net.h"

#define PAIR_BYTES 250 /* design: an exchange of a pair in sync */

static const char *const one_site[] = {"north", "north", "north", "north", "north", "north"};

static void load(struct net *n, size_t node, uint64_t from, uint64_t to, uint64_t seq)
{
	uint8_t note[LIMIT_RECORD_BYTES];
	for (uint64_t slot = from; slot < to; slot++)
		net_load(n, node, note, net_note(n, slot, seq, note));
}

/* 3,000 notes in common, `changed` others changed on either side, and as many again that one of them lacks.
 */
static void differ(struct net *n, size_t nodes, uint64_t changed, double loss)
{
	net_init(n, nodes, one_site);
	n->loss = loss;
	for (size_t i = 0; i < nodes; i++) {
		net_start(n, i, 0);
		load(n, i, 0, 3000, 1);
		load(n, i, 3000, 3000 + changed, 1 + i % 2);
		load(n, i, 3000 + changed, 3000 + 2 * changed, 2 - i % 2);
	}
	load(n, 0, 3000 + 2 * changed, 3000 + 3 * changed, 1);
}

static struct gossip_counters of_all(const struct net *n)
{
	struct gossip_counters sum = {0};
	for (size_t i = 0; i < n->node_count; i++) {
		const struct gossip_counters c = net_status(n, i).counters;
		sum.sketches_asked += c.sketches_asked;
		sum.sketches_decoded += c.sketches_decoded;
		sum.sketches_failed += c.sketches_failed;
		sum.sketches_beyond += c.sketches_beyond;
		sum.sketch_blocks_in += c.sketch_blocks_in;
		sum.sketch_blocks_out += c.sketch_blocks_out;
		sum.sketches_refused += c.sketches_refused;
		sum.walks_started += c.walks_started;
		sum.acks_in += c.acks_in;
		sum.records_stale += c.records_stale;
	}
	return sum;
}

/* Eight changed, four new, and what each start adds: one block settles it both ways, and nobody walks. */
static void a_dozen_takes_one_block(void **state)
{
	struct net n;
	(void)state;
	differ(&n, 2, 4, 0);
	assert_true(net_run(&n, 3000, net_agree));
	const struct gossip_counters c = of_all(&n);
	assert_int_equal(c.walks_started, 0);
	assert_int_equal(c.sketches_failed + c.sketches_beyond + c.sketches_refused, 0);
	assert_int_equal(c.records_stale, 0); /* who has the older one does not hand it over */
	/* Each may ask, and once more for what each said while they began. */
	assert_in_range(c.sketches_decoded, 1, 4);
	assert_int_equal(c.sketch_blocks_out, c.sketch_blocks_in);
	assert_in_range(c.sketch_blocks_in, 1, 4);
	/* Equal sets ask nobody for a sketch. */
	net_run(&n, 60000, NULL);
	assert_int_equal(of_all(&n).sketches_asked, c.sketches_asked);
	assert_int_equal(of_all(&n).walks_started, 0);
	net_free(&n);
}

static void more_take_more_blocks(void **state)
{
	struct net n;
	(void)state;
	differ(&n, 2, 150, 0);
	assert_true(net_run(&n, 8000, net_agree));
	const struct gossip_counters c = of_all(&n);
	assert_int_equal(c.walks_started, 0);
	assert_int_equal(c.sketches_failed + c.sketches_beyond + c.sketches_refused, 0);
	assert_in_range(c.sketches_decoded, 1, 4);
	assert_int_equal(c.records_stale, 0);
	/* 450 keys from 12 blocks at best. */
	assert_in_range(c.sketch_blocks_in, 12, 20);
	net_free(&n);
}

static void too_much_is_walked(void **state)
{
	struct net n;
	(void)state;
	differ(&n, 2, 1500, 0);
	assert_true(net_run(&n, 60000, net_agree));
	const struct gossip_counters c = of_all(&n);
	assert_true(c.walks_started > 0);
	assert_true(c.sketches_beyond > 0);
	assert_int_equal(c.sketches_failed, 0);
	net_free(&n);
}

static void whatever_is_lost(void **state)
{
	struct net n;
	(void)state;
	differ(&n, 4, 120, 0.3);
	assert_true(net_run(&n, 120000, net_agree));
	assert_true(of_all(&n).sketches_decoded > 0);
	net_free(&n);
}

/* What two nodes pay to know that they have the same: a PING and its ACK, headers included. */
static void who_agrees_says_little(void **state)
{
	struct net n;
	(void)state;
	differ(&n, 2, 0, 0);
	assert_true(net_run(&n, 8000, net_agree));
	net_run(&n, 20000, NULL);
	const struct gossip_counters before = of_all(&n);
	const uint64_t pings = n.bytes[WIRE_PING], acks = n.bytes[WIRE_ACK];
	net_run(&n, 60000, NULL);
	const struct gossip_counters after = of_all(&n);
	const uint64_t exchanges = after.acks_in - before.acks_in;
	assert_in_range(exchanges, 30, 200);
	assert_in_range((n.bytes[WIRE_PING] - pings + n.bytes[WIRE_ACK] - acks) / exchanges, 1, PAIR_BYTES);
	/* And nobody asks what the other has. */
	assert_int_equal(after.sketches_asked, before.sketches_asked);
	assert_int_equal(after.walks_started, before.walks_started);
	net_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_dozen_takes_one_block), cmocka_unit_test(more_take_more_blocks),
	    cmocka_unit_test(too_much_is_walked),      cmocka_unit_test(whatever_is_lost),
	    cmocka_unit_test(who_agrees_says_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
