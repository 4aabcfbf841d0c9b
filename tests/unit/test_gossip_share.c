/* What one signer may have the estate carry, whoever it is; and counters that are no counters. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "gossip/share.h"
#include "gossip/standing.h"
#include "tests/unit/gossip_net.h"

static size_t sign_as(struct net *n, const struct identity *writer, const struct record_key *key,
		      uint64_t seq, uint8_t ret[LIMIT_RECORD_BYTES])
{
	size_t len;
	assert_int_equal(record_sign(key, seq, 1, n->wall + n->now, (const uint8_t *)"\x80", 1,
				     &n->f.keys.estate, writer, ret, &len),
			 ERR_OK);
	return len;
}

static enum err hand_in(struct net *n, const uint8_t *bytes, size_t len)
{
	return core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED);
}

static void test_an_issuer_certifies_anew_at_a_bounded_rate(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	unsigned taken = 0;
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct certificate c = {.enrolled = FIXTURE_DAY, .seq = 2 + i, .site = "leeds"};
		certificate_consent(&c, n->nodes[1].identity, identity_id(n->f.issuer), &n->f.keys.estate);
		assert_int_equal(
		    certificate_issue(&c, n->f.issuer, &n->f.keys.estate, 1, FIXTURE_NOW, bytes, &len),
		    ERR_OK);
		enum err err = hand_in(n, bytes, len);
		assert_true(err == ERR_OK || err == ERR_BUSY);
		taken += err == ERR_OK;
	}
	assert_in_range(taken, 50, 51);
	net_run(n, 10000);
	assert_int_equal(hand_in(n, bytes, len), ERR_OK);
	net_free(n);
}

static void test_operators_and_witnesses_have_shares(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[0].g;
	struct fixture_entry entry = fixture_operator(&n->f, "ada");
	struct record_key note = {
	    .kind = RECORD_NOTE, .writer = *identity_id(n->f.other), .subject = *net_id(n, 1)};
	struct record_key reach = {
	    .kind = RECORD_REACH, .writer = *net_id(n, 1), .subject = g->self->site->id};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	mono_ms *share = &g->strangers[id_short(&note.writer) % CORE_STRANGERS];
	struct member *m = net_member(n, 0, 1);
	(void)state;
	assert_int_equal(net_log(n, 0, entry.bytes, entry.len), ERR_OK);
	size_t len = sign_as(n, n->f.other, &note, 1, bytes);
	assert_int_equal(hand_in(n, bytes, len), ERR_OK);
	assert_int_equal(*share, n->now + 100);
	*share = n->now + 1000001;
	len = sign_as(n, n->f.other, &note, 2, bytes);
	assert_int_equal(hand_in(n, bytes, len), ERR_BUSY);
	m->rolled_until = n->now + 20001;
	len = sign_as(n, n->nodes[1].identity, &reach, 5000, bytes);
	assert_int_equal(hand_in(n, bytes, len), ERR_BUSY);
	net_run(n, 1000);
	assert_int_equal(hand_in(n, bytes, len), ERR_OK);
	net_free(n);
}

static void test_a_record_a_minute_is_urgent(void **state)
{
	struct net *n = net_met();
	const struct record r = {
	    .key = {.kind = RECORD_HEALTH, .writer = *net_id(n, 1), .subject = *net_id(n, 1)}};
	unsigned urgent = 0;
	(void)state;
	net_run(n, 600000);
	for (unsigned i = 0; i < 100; i++)
		urgent += share_urgent(n->nodes[0].g, &r);
	assert_in_range(urgent, 8, 9);
	net_run(n, 300000);
	for (unsigned i = 0; i < 100; i++)
		urgent += share_urgent(n->nodes[0].g, &r);
	assert_in_range(urgent, 13, 14);
	net_free(n);
}

static void test_a_counter_near_its_end_is_flagged(void **state)
{
	struct net *n = net_met();
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	(void)state;
	size_t len = sign_as(n, n->nodes[1].identity, &key, (1ull << 62) + 1, bytes);
	net_push(n, 2, 0, bytes, len);
	assert_non_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 1)));
	net_free(n);
}

/* Or each try would reserve, and sync to disk, more of what there is not. */
static void test_a_counter_that_is_used_up_reserves_nothing(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[1].g;
	(void)state;
	g->seq_next = g->seq_reserved = 1ull << 63;
	uint64_t signatures = net_counters(n, 1)->signatures;
	assert_int_equal(
	    core_publish(g, RECORD_CRASHES, &g->self->id, 0, (const uint8_t *)"\x80", 1, GOSSIP_ROUTINE),
	    ERR_STALE);
	assert_true(g->seq_next == 1ull << 63 && g->seq_reserved == 1ull << 63);
	assert_int_equal(net_counters(n, 1)->signatures, signatures);
	net_free(n);
}

static void test_who_meets_its_own_seq_twice_is_cloned(void **state)
{
	struct net *n = net_met();
	struct record_key key = {.kind = RECORD_PROFILE, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	struct set_entry held;
	struct gossip_status status;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	(void)state;
	assert_true(set_find(n->nodes[1].g->set, &key, &held));
	size_t len = sign_as(n, n->nodes[1].identity, &key, held.seq, bytes);
	net_push(n, 2, 1, bytes, len);
	net_run(n, 100);
	gossip_status(n->nodes[1].g, &status);
	assert_true(status.cloned);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_an_issuer_certifies_anew_at_a_bounded_rate),
	    cmocka_unit_test(test_operators_and_witnesses_have_shares),
	    cmocka_unit_test(test_a_record_a_minute_is_urgent),
	    cmocka_unit_test(test_a_counter_near_its_end_is_flagged),
	    cmocka_unit_test(test_a_counter_that_is_used_up_reserves_nothing),
	    cmocka_unit_test(test_who_meets_its_own_seq_twice_is_cloned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
