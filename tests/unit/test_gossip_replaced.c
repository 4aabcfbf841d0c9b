/* Two certificates on one machine's hardware: who took whose place. */
#include "tests/unit/scratch.h"

#include "gossip/standing.h"
#include "tests/unit/gossip_net.h"

/* A certificate on the hardware of another host, enrolled later. */
static struct member *twin(struct net *n, size_t node, size_t of)
{
	struct certificate c = {.enrolled = FIXTURE_DAY + 1, .seq = 1, .site = "leeds", .has_hardware = true};
	uint8_t seed[KEY_BYTES] = {0x77};
	struct identity *identity;
	struct member *m = net_member(n, node, of), *ret;
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	memcpy(c.public_key, identity_public_key(identity), KEY_BYTES);
	c.host = *identity_id(identity);
	c.issuer = *identity_id(n->f.issuer);
	memcpy(c.hardware, m->certificates[0].hardware, sizeof(c.hardware));
	assert_int_equal(member_add(n->nodes[node].g, &c, standing_arrival(n->nodes[node].g), &ret), ERR_OK);
	identity_free(identity);
	return ret;
}

static void test_a_host_on_the_same_hardware_replaces_the_one_before(void **state)
{
	struct net *n = net_met();
	struct host_state host;
	(void)state;
	n->nodes[1].deaf = true;
	net_run(n, 30000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_DARK);
	struct member *m = twin(n, 0, 1);
	net_run(n, 5000);
	/* Nobody was replaced by who never came. */
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_DARK);
	m->state.seen = n->wall + n->now;
	net_run(n, 10000);
	assert_true(gossip_host_state(n->nodes[0].g, net_id(n, 1), &host));
	assert_int_equal(host.status, HOST_REPLACED);
	assert_true(id_equal(&host.replaced_by, &m->id));
	/* It was not: it is back. */
	n->nodes[1].deaf = false;
	net_run(n, 30000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_UP);
	net_free(n);
}

/* What was on its way from the machine as it was before proves no twin. */
static void test_who_is_heard_for_a_moment_more_is_replaced(void **state)
{
	struct net *n = net_met();
	(void)state;
	struct member *m = twin(n, 0, 1);
	m->state.seen = n->wall + n->now;
	net_run(n, 10000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_UP);
	n->nodes[1].deaf = true;
	net_run(n, 40000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_REPLACED);
	net_free(n);
}

/* Whoever signs certificates on others' hardware in advance hides no crash of theirs. */
static void test_who_lived_on_beside_its_twin_is_dark_when_it_dies(void **state)
{
	struct net *n = net_met();
	(void)state;
	struct member *m = twin(n, 0, 1);
	m->state.seen = n->wall + n->now;
	net_run(n, 120000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_UP);
	assert_non_null(net_issue(n, 0, ISSUE_DUPLICATE_HARDWARE, net_id(n, 1)));
	assert_non_null(net_issue(n, 0, ISSUE_DUPLICATE_HARDWARE, &m->id));
	n->nodes[1].deaf = true;
	net_run(n, 30000);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_DARK);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_host_on_the_same_hardware_replaces_the_one_before),
	    cmocka_unit_test(test_who_is_heard_for_a_moment_more_is_replaced),
	    cmocka_unit_test(test_who_lived_on_beside_its_twin_is_dark_when_it_dies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
