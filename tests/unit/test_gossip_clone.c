/* What nodes notice of each other: keys in two places, forged orders, clocks, forgers. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "tests/unit/gossip_net.h"

struct signing {
	uint8_t kind;
	uint64_t seq, instance;
	int64_t late; /* of its clock, ms */
};

static size_t sign(struct net *n, size_t node, struct signing s, uint8_t ret[LIMIT_RECORD_BYTES])
{
	struct record_key key = {.kind = s.kind, .subject = *net_id(n, node)};
	size_t len;
	assert_int_equal(record_sign(&key, s.seq, s.instance, (wall_ms)((int64_t)(n->wall + n->now) - s.late),
				     (const uint8_t *)"\x80", 1, &n->f.keys.estate, n->nodes[node].identity,
				     ret, &len),
			 ERR_OK);
	return len;
}

/* Pushed to node 0 in the name of node 2. */
static void push(struct net *n, struct signing s)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	net_push(n, 1, 0, bytes, sign(n, 2, s, bytes));
}

static void test_a_boot_that_comes_back_is_a_clone(void **state)
{
	struct net *n = net_met();
	(void)state;
	n->nodes[2].deaf = true;
	push(n, (struct signing){RECORD_CRASHES, 5000, 7, 0});
	push(n, (struct signing){RECORD_CRASHES, 5001, 8, 0});
	push(n, (struct signing){RECORD_CRASHES, 5002, 8, 0});
	assert_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2)));
	push(n, (struct signing){RECORD_CRASHES, 5003, 7, 0});
	assert_non_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2)));
	assert_non_null(strstr(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2))->detail, "0000000000000008"));
	net_free(n);
}

static void hear(struct net *n, uint64_t instance)
{
	const struct address at = {.ip = {10, 0, 0, 99}, .ip_len = 4, .port = 1};
	member_instance(n->nodes[0].g, net_member(n, 0, 2), instance, &at);
	net_run(n, 100);
}

static void test_pings_of_two_boots_by_turns_are_a_clone(void **state)
{
	struct net *n = net_met();
	(void)state;
	n->nodes[2].deaf = true;
	gossip_free(n->nodes[2].g);
	n->nodes[2].g = NULL;
	hear(n, 7);
	hear(n, 8);
	hear(n, 7); /* it was on its way */
	assert_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2)));
	net_run(n, 11000);
	hear(n, 8);
	assert_non_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2)));
	assert_non_null(strstr(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2))->detail, "10.0.0.99"));
	net_free(n);
}

static void check_fork(bool lower_first)
{
	struct net *n = net_met();
	uint8_t a[LIMIT_RECORD_BYTES], b[LIMIT_RECORD_BYTES];
	size_t a_len = sign(n, 2, (struct signing){RECORD_CRASHES, 5000, 7, 0}, a);
	size_t b_len = sign(n, 2, (struct signing){RECORD_CRASHES, 5000, 8, 0}, b);
	uint64_t a_id = record_id(n->f.keys.set_key, a, a_len), b_id = record_id(n->f.keys.set_key, b, b_len);
	bool a_first = (a_id < b_id) == lower_first;
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *net_id(n, 2), .subject = *net_id(n, 2)};
	struct set_entry held;
	net_push(n, 2, 0, a_first ? a : b, a_len);
	net_push(n, 1, 0, a_first ? b : a, b_len);
	net_run(n, 1000);
	assert_true(set_find(n->nodes[0].g->set, &key, &held));
	assert_int_equal(held.id, a_id < b_id ? a_id : b_id);
	const struct issue *issue = net_issue(n, 0, ISSUE_EQUIVOCATION, net_id(n, 2));
	assert_non_null(issue);
	assert_int_equal(issue->proof_len[0], a_len);
	assert_int_equal(issue->proof_len[1], b_len);
	/* Its own host knows that somebody else has its key. */
	net_run(n, 5000);
	assert_true(n->nodes[2].g->cloned || net_issue(n, 2, ISSUE_RESTORED, net_id(n, 2)) != NULL);
	net_free(n);
}

static void test_two_records_of_one_order_are_kept_as_proof(void **state)
{
	(void)state;
	check_fork(true);
	check_fork(false);
}

static void test_a_clock_that_is_off_is_flagged_and_refused_nothing(void **state)
{
	struct net *n = net_met();
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *net_id(n, 2), .subject = *net_id(n, 2)};
	(void)state;
	n->nodes[2].deaf = true;
	push(n, (struct signing){RECORD_CRASHES, 5000, 7, -3600000});
	assert_true(net_has(n, 0, &key, 5000));
	assert_non_null(net_issue(n, 0, ISSUE_CLOCK_OFF, net_id(n, 2)));
	push(n, (struct signing){RECORD_CRASHES, 5001, 7, 100000});
	assert_null(net_issue(n, 0, ISSUE_CLOCK_OFF, net_id(n, 2)));
	net_free(n);
}

/* Where all others are off, it is the own clock. */
static void test_one_clock_against_most_is_the_own_one(void **state)
{
	struct net *n = net_met();
	(void)state;
	for (size_t i = 1; i < 3; i++)
		net_member(n, 0, i)->clock = CORE_CLOCK_OFF;
	n->nodes[0].g->self->clock = CORE_CLOCK_OFF; /* stands for a third */
	n->nodes[2].deaf = true;
	net_member(n, 0, 2)->clock = CORE_CLOCK_FINE;
	push(n, (struct signing){RECORD_CRASHES, 5000, 7, 3600000});
	assert_null(net_issue(n, 0, ISSUE_CLOCK_OFF, net_id(n, 2)));
	assert_non_null(net_issue(n, 0, ISSUE_CLOCK_OFF, net_id(n, 0)));
	net_free(n);
}

/* A record of node 1 with a wrong signature, handed on by node 2. */
static void forge(struct net *n, uint64_t seq)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len = sign(n, 1, (struct signing){RECORD_CRASHES, seq, 7, 0}, bytes);
	bytes[len - 1] ^= 1;
	net_push(n, 2, 0, bytes, len);
}

static void test_who_forges_again_is_not_heard_for_longer(void **state)
{
	struct net *n = net_met();
	uint64_t bad = net_counters(n, 0)->records_bad_signature;
	(void)state;
	for (mono_ms quiet = 10000; quiet <= 80000; quiet *= 2) {
		forge(n, 9000);
		assert_int_equal(net_counters(n, 0)->records_bad_signature, ++bad);
		net_run(n, quiet - 1000);
		forge(n, 9000);
		assert_int_equal(net_counters(n, 0)->records_bad_signature, bad);
		net_run(n, 2000);
	}
	assert_non_null(net_issue(n, 0, ISSUE_BAD_SIGNATURES, net_id(n, 2)));
	/* Told once and then about once a minute, whatever comes; and it ends. */
	size_t told = n->nodes[0].issue_updates;
	net_run(n, 11 * CLOCK_MINUTE_MS);
	assert_null(net_issue(n, 0, ISSUE_BAD_SIGNATURES, net_id(n, 2)));
	assert_true(n->nodes[0].issue_updates <= told + 2);
	net_free(n);
}

static void orphan(struct net *n, size_t bearer, uint8_t who)
{
	uint8_t seed[KEY_BYTES] = {who, 0x66}, bytes[LIMIT_RECORD_BYTES];
	struct identity *identity;
	size_t len;
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	struct record_key key = {.kind = RECORD_CRASHES, .subject = *identity_id(identity)};
	assert_int_equal(record_sign(&key, 5, 1, n->wall, (const uint8_t *)"\x80", 1, &n->f.keys.estate,
				     identity, bytes, &len),
			 ERR_OK);
	net_push(n, bearer, 0, bytes, len);
	identity_free(identity);
}

static void test_orphans_of_one_bearer_push_out_nobody_elses(void **state)
{
	struct net *n = net_met();
	(void)state;
	orphan(n, 1, 1);
	for (uint8_t i = 2; i < 200; i++)
		orphan(n, 2, i);
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES], seed[KEY_BYTES] = {1, 0x66};
	struct identity *identity;
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	size_t len = fixture_certificate(&n->f, identity, certificate);
	net_push(n, 1, 0, certificate, len);
	struct record_key key = {
	    .kind = RECORD_CRASHES, .writer = *identity_id(identity), .subject = *identity_id(identity)};
	net_run(n, 200);
	assert_true(net_has(n, 0, &key, 5));
	identity_free(identity);
	net_free(n);
}

static void test_a_poison_record_is_not_applied(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len = sign(n, 2, (struct signing){RECORD_CRASHES, 5000, 7, 0}, bytes);
	uint64_t id = record_id(n->f.keys.set_key, bytes, len);
	volatile uint64_t applying = 1;
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *net_id(n, 2), .subject = *net_id(n, 2)};
	(void)state;
	n->nodes[0].g->applying = &applying;
	n->nodes[0].g->poison = &id;
	n->nodes[0].g->poison_count = 1;
	net_push(n, 1, 0, bytes, len);
	assert_false(net_has(n, 0, &key, 5000));
	assert_non_null(net_issue(n, 0, ISSUE_POISON_RECORD, net_id(n, 2)));
	n->nodes[0].g->poison_count = 0;
	net_push(n, 1, 0, bytes, len);
	n->nodes[0].g->poison = NULL;
	n->nodes[0].g->applying = NULL;
	assert_int_equal(applying, 1); /* as before it */
	net_free(n);
}

/* An image with keys inside: node 2 is node 1 once more, as it was when it was copied, at an address of its
 * own. */
static void copy_machine(struct net *n)
{
	struct net_node *one = &n->nodes[1], *two = &n->nodes[2];
	gossip_free(two->g);
	two->g = NULL;
	identity_free(two->identity);
	assert_int_equal(identity_from_seed(identity_seed(one->identity), &two->identity), ERR_OK);
	two->certificate_len = one->certificate_len;
	memcpy(two->certificate, one->certificate, one->certificate_len);
	two->row_count = one->row_count;
	memcpy(two->rows, one->rows, one->row_count * sizeof(one->rows[0]));
	two->issue_count = 0;
	two->seq = one->seq;
	net_start(n, 2, &n->nodes[0].address);
}

static void check_both_shown(struct net *n)
{
	const struct issue *issue = net_issue(n, 0, ISSUE_CLONED, net_id(n, 1));
	assert_non_null(issue);
	assert_non_null(strstr(issue->detail, "10.0.0.2:7946"));
	assert_non_null(strstr(issue->detail, "10.0.0.3:7946"));
}

static void test_two_that_run_with_one_key_are_told(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_run(n, 30000);
	copy_machine(n);
	net_run(n, 60000);
	check_both_shown(n);
	net_free(n);
}

/* Each copy's keys are its own, and none of them comes twice. */
static void test_many_that_run_with_one_key_are_told(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_run(n, 30000);
	copy_machine(n);
	for (int i = 0; i < 40; i++) {
		net_run(n, 1500);
		net_start(n, 2, &n->nodes[0].address);
	}
	check_both_shown(n);
	net_free(n);
}

static void test_who_starts_again_and_again_is_no_clone(void **state)
{
	struct net *n = net_met();
	(void)state;
	for (int i = 0; i < 60; i++) {
		net_run(n, (mono_ms)i * 500);
		net_start(n, 2, i % 2 == 0 ? &n->nodes[0].address : NULL);
	}
	assert_null(net_issue(n, 0, ISSUE_CLONED, net_id(n, 2)));
	assert_null(net_issue(n, 1, ISSUE_CLONED, net_id(n, 2)));
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_boot_that_comes_back_is_a_clone),
	    cmocka_unit_test(test_pings_of_two_boots_by_turns_are_a_clone),
	    cmocka_unit_test(test_two_records_of_one_order_are_kept_as_proof),
	    cmocka_unit_test(test_a_clock_that_is_off_is_flagged_and_refused_nothing),
	    cmocka_unit_test(test_one_clock_against_most_is_the_own_one),
	    cmocka_unit_test(test_who_forges_again_is_not_heard_for_longer),
	    cmocka_unit_test(test_orphans_of_one_bearer_push_out_nobody_elses),
	    cmocka_unit_test(test_a_poison_record_is_not_applied),
	    cmocka_unit_test(test_two_that_run_with_one_key_are_told),
	    cmocka_unit_test(test_many_that_run_with_one_key_are_told),
	    cmocka_unit_test(test_who_starts_again_and_again_is_no_clone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
