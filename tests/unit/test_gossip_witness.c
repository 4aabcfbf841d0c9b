/* What one enrolled host can make of roll-calls and suspicions: node 2 has a valid key and lies. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "tests/unit/gossip_net.h"

#define THIEF  2
#define SYBILS 14

struct roster {
	uint64_t hash;
	size_t count;
};

static struct roster roster_of(struct net *n)
{
	struct site *s = n->nodes[0].g->self->site;
	return (struct roster){site_roster_hash(s), s->count};
}

/* A roll-call of `signer` that reaches node 0, over a roster; it says the same of all hosts, or of one, and
 * of the others that they answer. */
static void say(struct net *n, const struct identity *signer, uint64_t seq, struct roster roster,
		enum rollcall_state state, size_t only)
{
	struct site *s = n->nodes[0].g->self->site;
	struct rollcall roll = {.parts = 1,
				.roster_count = (uint32_t)roster.count,
				.roster_hash = roster.hash,
				.interval_s = 5,
				.state_count = roster.count};
	struct record_key key = {.kind = RECORD_ROLLCALL, .subject = s->id};
	struct wire_pack pack;
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t len;
	for (size_t i = 0; i < roster.count; i++)
		roll.states[i] = (uint8_t)(only == SIZE_MAX || only == i ? state : ROLLCALL_ANSWERS);
	assert_int_equal(rollcall_encode(&roll, body, &len), ERR_OK);
	assert_int_equal(
	    record_sign(&key, seq, 1, FIXTURE_NOW, body, len, &n->f.keys.estate, signer, bytes, &len),
	    ERR_OK);
	wire_pack_push(&pack, 0);
	assert_true(wire_pack_add(&pack, bytes, len));
	net_say(n, THIEF, 0, WIRE_PUSH, pack.bytes, pack.len);
}

static void say_about_all(struct net *n, const struct identity *signer, uint64_t seq,
			  enum rollcall_state state)
{
	say(n, signer, seq, roster_of(n), state, SIZE_MAX);
}

static void test_accusations_without_end_are_answered_in_bounds(void **state)
{
	struct net *n = net_met();
	uint64_t before = net_counters(n, 0)->signatures;
	(void)state;
	n->nodes[THIEF].deaf = true;
	/* A minute of roll-calls that accuse everybody. */
	for (uint64_t i = 0; i < 240; i++) {
		say_about_all(n, n->nodes[THIEF].identity, 100000 + i, ROLLCALL_NO_ANSWER);
		net_run(n, 250);
	}
	assert_true(net_counters(n, 0)->refutations > 0);
	/* It is alone with them: after 30 s, then 60 s. */
	assert_true(net_counters(n, 0)->refutations <= 3);
	/* What it signs beside its roll-calls is in proportion. */
	assert_true(net_counters(n, 0)->signatures - before - net_counters(n, 0)->rollcalls_signed < 60);
	struct host_state own;
	assert_true(gossip_host_state(n->nodes[0].g, net_id(n, 1), &own));
	assert_int_equal(own.status, HOST_UP);
	net_free(n);
}

/* One more member of the site, enrolled today and known to node 0. */
static struct identity *enrol_one(struct net *n)
{
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct identity *host = NULL;
	assert_int_equal(identity_generate(&n->f.rng, &host), ERR_OK);
	size_t len = fixture_certificate(&n->f, host, bytes);
	assert_int_equal(core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED), ERR_OK);
	return host;
}

static void enrol(struct net *n, struct identity *ret[SYBILS])
{
	for (size_t i = 0; i < SYBILS; i++)
		ret[i] = enrol_one(n);
}

static bool has_view(const struct site *s, const struct id *signer)
{
	for (size_t i = 0; i < s->view_count; i++) {
		if (id_equal(&s->views[i].signer->id, signer))
			return true;
	}
	return false;
}

static void test_a_crowd_of_signers_does_not_push_out_the_best_ranked(void **state)
{
	struct net *n = net_met();
	struct identity *sybils[SYBILS];
	struct member *before[LIMIT_WITNESSES], *after[LIMIT_WITNESSES];
	(void)state;
	enrol(n, sybils);
	struct site *s = n->nodes[0].g->self->site;
	for (size_t i = 0; i < 2; i++) /* those who were there speak once more */
		say_about_all(n, n->nodes[1 + i].identity, 200000, ROLLCALL_ANSWERS);
	for (uint64_t round = 0; round < 5; round++) {
		for (size_t i = 0; i < SYBILS; i++)
			say_about_all(n, sybils[i], 100000 + round, ROLLCALL_UNKNOWN);
	}
	assert_true(s->view_count <= SITE_VIEWS);
	/* Whoever is best-ranked of all that signed still counts. */
	assert_int_equal(state_signers(n->nodes[0].g, s, before), LIMIT_WITNESSES);
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = s->members[i];
		if (m->score < before[LIMIT_WITNESSES - 1]->score && m != n->nodes[0].g->self)
			assert_true(has_view(s, &m->id));
	}
	/* And goes on to, whatever the others sign. */
	for (size_t i = 0; i < SYBILS; i++)
		say_about_all(n, sybils[i], 300000, ROLLCALL_UNKNOWN);
	assert_int_equal(state_signers(n->nodes[0].g, s, after), LIMIT_WITNESSES);
	assert_memory_equal(before, after, sizeof(before));
	for (size_t i = 0; i < SYBILS; i++)
		identity_free(sybils[i]);
	net_free(n);
}

struct count {
	size_t pings;
};

static bool count_pings(struct net *n, const struct net_datagram *d)
{
	struct count *c = n->context;
	c->pings += d->bytes[1] == WIRE_PING && address_equal(&d->from, &n->nodes[0].address) &&
		    address_equal(&d->to, &n->nodes[1].address);
	return true;
}

static void test_suspecting_everybody_all_the_time_costs_witnesses_little(void **state)
{
	struct net *n = net_met();
	struct count c = {0};
	struct wire_suspect hint = {.count = 1, .hosts = {*net_id(n, 1)}};
	(void)state;
	n->tap = count_pings;
	n->context = &c;
	/* Ten seconds. */
	for (mono_ms end = n->now + 10000; n->now < end; net_run(n, 1)) {
		uint8_t message[WIRE_MESSAGE_BYTES];
		for (int i = 0; i < 5; i++)
			net_say(n, THIEF, 0, WIRE_SUSPECT, message, wire_suspect_encode(&hint, message));
	}
	/* Its share, and the probes of the node's own turn. */
	assert_true(c.pings >= 30 && c.pings <= 34 + 34 + 20);
	net_free(n);
}

/* While hosts are enrolled without pause, those who crash are called dark all the same. */
static void test_a_roll_call_over_the_roster_of_a_moment_ago_is_read(void **state)
{
	struct net *n = net_met();
	struct identity *later[40], *victim = enrol_one(n);
	(void)state;
	n->nodes[1].deaf = n->nodes[THIEF].deaf = true; /* only what is said here in their names */
	struct site *s = n->nodes[0].g->self->site;
	struct roster then = roster_of(n);
	size_t at = site_index_of(s, member_find(n->nodes[0].g, identity_id(victim)));
	for (size_t i = 0; i < 40; i++)
		later[i] = enrol_one(n);
	assert_int_not_equal(site_index_of(s, member_find(n->nodes[0].g, identity_id(victim))), at);
	for (uint64_t round = 0; round < 5; round++) {
		say(n, n->nodes[1].identity, 100000 + round, then, ROLLCALL_NO_ANSWER, at);
		say(n, n->nodes[THIEF].identity, 100000 + round, then, ROLLCALL_NO_ANSWER, at);
		net_run(n, 5000);
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = s->members[i];
		bool accused = id_equal(&m->id, identity_id(victim));
		assert_true((m->state.status == HOST_DARK) == accused);
	}
	for (size_t i = 0; i < 40; i++)
		identity_free(later[i]);
	identity_free(victim);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accusations_without_end_are_answered_in_bounds),
	    cmocka_unit_test(test_a_crowd_of_signers_does_not_push_out_the_best_ranked),
	    cmocka_unit_test(test_a_roll_call_over_the_roster_of_a_moment_ago_is_read),
	    cmocka_unit_test(test_suspecting_everybody_all_the_time_costs_witnesses_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
