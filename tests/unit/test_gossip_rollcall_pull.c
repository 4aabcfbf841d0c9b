/* ROLLCALL_PULL: its bytes, its answer, and that it is enough by itself. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "tests/unit/gossip_net.h"

static void test_bytes(void **state)
{
	static struct wire_rollcall_pull m = {.site = {{3, 1, 4}}, .count = WIRE_VIEWS}, got;
	uint8_t message[WIRE_MESSAGE_BYTES + 32] = {0};
	(void)state;
	for (size_t i = 0; i < m.count; i++) {
		m.held[i].signer = i << 40 | 7;
		m.held[i].part = (uint8_t)(i % LIMIT_ROLLCALL_PARTS);
		m.held[i].seq = UINT64_MAX - i;
	}
	size_t len = wire_rollcall_pull_encode(&m, message);
	assert_int_equal(len, 17 + 65 * 17);
	for (size_t n = 0; n < len + 10; n++)
		assert_int_equal(wire_rollcall_pull_decode(message, n, &got), n == len ? ERR_OK : ERR_FORMAT);
	assert_true(id_equal(&got.site, &m.site));
	for (size_t i = 0; i < m.count; i++) {
		assert_int_equal(got.held[i].signer, m.held[i].signer);
		assert_int_equal(got.held[i].part, m.held[i].part);
		assert_int_equal(got.held[i].seq, m.held[i].seq);
	}
	message[17 + 8] = LIMIT_ROLLCALL_PARTS;
	assert_int_equal(wire_rollcall_pull_decode(message, len, &got), ERR_FORMAT);
	message[17 + 8] = 0;
	message[16] = WIRE_VIEWS + 1;
	assert_int_equal(wire_rollcall_pull_decode(message, 17 + 66 * 17, &got), ERR_FORMAT);
	m.count = 0;
	assert_int_equal(wire_rollcall_pull_decode(message, wire_rollcall_pull_encode(&m, message), &got),
			 ERR_OK);
}

/* Records that node 0 hands to node 1. */
static size_t handed;
static bool count_records(struct net *n, const struct net_datagram *d)
{
	handed += d->bytes[1] == WIRE_RECORDS && address_equal(&d->from, &n->nodes[0].address) &&
		  address_equal(&d->to, &n->nodes[1].address);
	return true;
}

static size_t ask(struct net *n, const struct wire_rollcall_pull *pull, size_t cut)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t len = wire_rollcall_pull_encode(pull, message);
	handed = 0;
	net_say(n, 1, 0, WIRE_ROLLCALL_PULL, message, len - cut);
	return handed;
}

static void test_what_is_lacked_is_handed_over(void **state)
{
	struct net *n = net_met();
	struct wire_rollcall_pull pull = {.site = id_of_site("leeds")};
	(void)state;
	net_run(n, 20000);
	n->tap = count_records;
	const struct site *s = net_member(n, 0, 1)->site;
	assert_true(s->view_count > 0);
	assert_int_equal(ask(n, &pull, 0), 1);
	/* All of them are known but one, which is older there. */
	pull.count = s->view_count;
	for (size_t i = 0; i < s->view_count; i++) {
		pull.held[i].signer = s->views[i].signer->short_id;
		pull.held[i].seq = s->views[i].seq;
	}
	assert_int_equal(ask(n, &pull, 0), 0);
	pull.held[0].seq--;
	assert_int_equal(ask(n, &pull, 0), 1);
	uint64_t dropped = net_counters(n, 0)->dropped_schema;
	assert_int_equal(ask(n, &pull, 1), 0);
	assert_int_equal(net_counters(n, 0)->dropped_schema, dropped + 1);
	pull.site = id_of_site("nowhere");
	assert_int_equal(ask(n, &pull, 0), 0);
	net_free(n);
}

static void certify(struct net *n, size_t node, const char *site)
{
	struct certificate c = {.enrolled = FIXTURE_DAY, .seq = 1};
	memcpy(c.site, site, strlen(site) + 1);
	certificate_consent(&c, n->nodes[node].identity, identity_id(n->f.issuer), &n->f.keys.estate);
	assert_int_equal(certificate_issue(&c, n->f.issuer, &n->f.keys.estate, 1, FIXTURE_NOW,
					   n->nodes[node].certificate, &n->nodes[node].certificate_len),
			 ERR_OK);
}

/* What spreads and compares gets lost; questions too when n->context says so. */
static bool nothing_spreads(struct net *n, const struct net_datagram *d)
{
	const bool *questions = n->context;
	uint8_t type = d->bytes[1];
	bool spread = type == WIRE_PUSH || type == WIRE_ANNOUNCE || type == WIRE_PULL ||
		      (type >= WIRE_SYNC_ROOTS && type < WIRE_LOG_PULL);
	return !spread && (*questions || type != WIRE_ROLLCALL_PULL);
}

static enum site_status far_site(struct net *n, bool questions)
{
	struct site_state s;
	n->context = &questions;
	n->tap = nothing_spreads;
	net_run(n, 120000);
	assert_true(gossip_site_state(n->nodes[0].g, "york", &s));
	return s.status;
}

static void test_questions_alone_keep_a_site_from_silence(void **state)
{
	struct net *n = net_new();
	(void)state;
	certify(n, 1, "york");
	certify(n, 2, "york");
	for (size_t i = 0; i < NET_NODES; i++)
		net_start(n, i, i > 0 ? &n->nodes[0].address : NULL);
	for (size_t i = 0; i < NET_NODES; i++) {
		struct profile p = {.address_count = 1, .addresses = {n->nodes[i].address}};
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		size_t len;
		assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
		net_publish(n, i, RECORD_PROFILE, body, len);
	}
	net_run(n, 60000);
	assert_int_equal(far_site(n, true), SITE_REPORTING);
	assert_int_equal(far_site(n, false), SITE_SILENT);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_what_is_lacked_is_handed_over),
	    cmocka_unit_test(test_questions_alone_keep_a_site_from_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
