/* Records, blobs and the log reach every node, whatever differed before and whatever is lost on the way. */
#include <stdio.h>

#include "base/check.h"
#include "record/manifest.h"
#include "tests/unit/spread_net.h"

static const char *const two_sites[] = {"north", "north", "north", "south", "south", "south"};
static const char *const one_site[] = {"north", "north", "north", "north", "north", "north"};

static void start_all(struct net *n)
{
	for (size_t i = 0; i < n->node_count; i++)
		net_start(n, i, 0);
}

static void load_notes(struct net *n, size_t node, uint64_t from, uint64_t to, uint64_t seq)
{
	uint8_t note[LIMIT_RECORD_BYTES];
	for (uint64_t slot = from; slot < to; slot++)
		net_load(n, node, note, net_note(n, slot, seq, note));
}

static void publish(struct net *n, size_t node, uint8_t kind, const uint8_t *body, size_t len,
		    enum gossip_urgency urgency)
{
	struct gossip_event event = {.type = GOSSIP_LOCAL, .local = {kind, urgency, body, len}};
	net_step(n, node, &event);
}

static void publish_health(struct net *n, size_t node, enum gossip_urgency urgency)
{
	struct health h = {.level = HEALTH_WARNING};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	assert_int_equal(health_encode(&h, body, &len), ERR_OK);
	publish(n, node, RECORD_HEALTH, body, len, urgency);
}

/* As meshd does at each start: else members of one site have no way to each other, and quarrel. */
static void publish_address(struct net *n, size_t node)
{
	struct profile p = {.address_count = 1, .addresses = {n->nodes[node].address}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
	publish(n, node, RECORD_PROFILE, body, len, GOSSIP_ROUTINE);
}

static void check_loss(double loss, mono_ms bound)
{
	struct net n;
	net_init(&n, 6, two_sites);
	n.loss = loss;
	start_all(&n);
	for (size_t i = 0; i < 6; i++)
		publish_address(&n, i);
	assert_true(net_run(&n, bound, net_agree));
	for (size_t i = 0; i < 6; i++)
		publish_health(&n, i, i % 2 == 0 ? GOSSIP_URGENT : GOSSIP_ROUTINE);
	assert_true(net_run(&n, bound, net_agree));
	assert_true(net_status(&n, 0).records >= 6 * 2);
	net_free(&n);
}

static void test_no_loss(void **state)
{
	(void)state;
	check_loss(0, 20000);
}

static void test_some_loss(void **state)
{
	(void)state;
	check_loss(0.05, 30000);
}

static void test_much_loss(void **state)
{
	(void)state;
	check_loss(0.3, 600000);
}

/* Each new record comes to a node about once, and not at all to who has it. */
static void test_copies(void **state)
{
	(void)state;
	struct net n;
	net_init(&n, 6, one_site);
	start_all(&n);
	assert_true(net_run(&n, 20000, net_agree));
	net_run(&n, 5000, NULL);
	uint64_t before = 0, after = 0;
	for (size_t i = 0; i < 6; i++)
		before += net_status(&n, i).counters.payloads_in;
	for (size_t round = 0; round < 20; round++) {
		publish_health(&n, round % 6, round % 2 == 0 ? GOSSIP_URGENT : GOSSIP_ROUTINE);
		assert_true(net_run(&n, 2000, net_agree));
	}
	for (size_t i = 0; i < 6; i++)
		after += net_status(&n, i).counters.payloads_in;
	uint64_t copies = after - before, wanted = 20 * 5;
	assert_in_range(copies, wanted, wanted * 3 / 2 + 30); /* 30: roll-calls of that time */
	net_free(&n);
}

/* Two sets that differ in thousands of records, in either direction and in order. */
static void test_walk(void **state)
{
	(void)state;
	struct net n;
	net_init(&n, 2, one_site);
	start_all(&n);
	load_notes(&n, 0, 0, 2000, 1);
	load_notes(&n, 1, 0, 2000, 1);
	load_notes(&n, 0, 2000, 4500, 1); /* only here */
	load_notes(&n, 1, 4500, 6500, 1); /* only there */
	load_notes(&n, 0, 6500, 7000, 2); /* newer here */
	load_notes(&n, 1, 6500, 7000, 1);
	mono_ms since = n.now;
	assert_true(net_run(&n, 60000, net_agree));
	struct gossip_status a = net_status(&n, 0), b = net_status(&n, 1);
	assert_true(a.records >= 7000);
	assert_int_equal(a.records, b.records);
	print_message("5,000 differing records: %llu ms, %llu walks, %llu datagrams\n",
		      (unsigned long long)(n.now - since),
		      (unsigned long long)(a.counters.walks_started + b.counters.walks_started),
		      (unsigned long long)n.sent);
	/* Equal sets keep quiet: an occasional comparison of roots, and nothing below. */
	uint64_t messages = a.counters.walk_messages_out + b.counters.walk_messages_out;
	net_run(&n, 60000, NULL);
	a = net_status(&n, 0);
	b = net_status(&n, 1);
	assert_in_range(a.counters.walk_messages_out + b.counters.walk_messages_out - messages, 0, 20);
	net_free(&n);
}

static void test_walk_with_loss(void **state)
{
	(void)state;
	struct net n;
	net_init(&n, 3, one_site);
	n.loss = 0.3;
	start_all(&n);
	load_notes(&n, 0, 0, 600, 1);
	load_notes(&n, 1, 300, 900, 2);
	load_notes(&n, 2, 800, 1000, 3);
	assert_true(net_run(&n, 180000, net_agree));
	assert_true(net_status(&n, 0).records >= 1000);
	net_free(&n);
}

struct emitter {
	struct net *n;
	size_t node, blobs;
};

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct emitter *e = context;
	struct gossip_event event = {.type = GOSSIP_BLOB, .blob = {blob, len}};
	(void)id;
	e->blobs++;
	net_step(e->n, e->node, &event);
	return ERR_OK;
}

static void test_blobs(void **state)
{
	(void)state;
	static struct component components[900];
	struct net n;
	net_init(&n, 6, two_sites);
	n.loss = 0.05;
	start_all(&n);
	for (size_t i = 0; i < 900; i++) {
		components[i] = (struct component){.kind = COMPONENT_MODULE, .flags = COMPONENT_THIRD_PARTY};
		snprintf(components[i].name, sizeof components[i].name, "module_%zu_of_some_length", i);
	}
	/* Enough chunks for a list of lists. */
	struct emitter e = {.n = &n, .node = 4};
	struct components body = {.module_support = READING_OK};
	size_t entries = 0, len = 0;
	uint8_t bytes[LIMIT_RECORD_BODY_BYTES];
	assert_int_equal(manifest_build(components, 900, NULL, emit, &e, &body.manifest, &entries), ERR_OK);
	assert_true(e.blobs > LIMIT_BLOB_LIST + 2);
	body.entry_count = (uint32_t)entries;
	assert_int_equal(components_encode(&body, bytes, &len), ERR_OK);
	publish(&n, 4, RECORD_COMPONENTS, bytes, len, GOSSIP_ROUTINE);
	assert_true(net_run(&n, 60000, net_agree));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(net_status(&n, i).blobs, e.blobs);
	net_free(&n);
}

/* A node whose log is older than its issuer's grant, so that it trusts nobody yet, and one that lacks the
 * tail. */
static void test_log(void **state)
{
	(void)state;
	struct net n;
	net_init(&n, 3, one_site);
	n.loss = 0.05;
	net_start(&n, 0, 0);
	net_start(&n, 1, 2);
	net_start(&n, 2, 5);
	load_notes(&n, 0, 0, 10, 1);
	assert_true(net_run(&n, 60000, net_agree));
	size_t count = authlog_count(n.log);
	assert_int_equal(authlog_count(n.nodes[1].log), count);
	assert_int_equal(n.nodes[1].log_entries, count - 2); /* each handed over to be kept, once */
	assert_int_equal(n.nodes[2].log_entries, count - 5);
	assert_true(net_status(&n, 1).records >= 13); /* also what only the newer log lets it trust */
	net_free(&n);
}

/* carry_out checks what is persisted; here that the flips happened, were seen, and did not keep anything. */
static void test_flips(void **state)
{
	(void)state;
	struct net n;
	net_init(&n, 3, one_site);
	n.flip = 4;
	start_all(&n);
	load_notes(&n, 0, 0, 200, 1);
	assert_true(net_run(&n, 120000, net_agree));
	assert_true(n.flipped > 50);
	uint64_t dropped = 0;
	for (size_t i = 0; i < 3; i++) {
		struct gossip_counters c = net_status(&n, i).counters;
		dropped +=
		    c.dropped_mac + c.dropped_version + c.dropped_short + c.dropped_source + c.dropped_seal;
		assert_int_equal(c.records_bad_signature, 0); /* none got as far as that */
	}
	assert_true(dropped >= n.flipped - n.count);
	net_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_no_loss),   cmocka_unit_test(test_some_loss),
	    cmocka_unit_test(test_much_loss), cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_walk),      cmocka_unit_test(test_walk_with_loss),
	    cmocka_unit_test(test_blobs),     cmocka_unit_test(test_log),
	    cmocka_unit_test(test_flips),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
