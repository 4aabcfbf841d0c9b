/* A stolen host: node 2 has a valid key, sessions with all, and lies. Nodes 0 and 1 must go on as before. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "gossip/blob.h"
#include "record/manifest.h"
#include "tests/unit/gossip_net.h"

#define THIEF 2

static void announce(struct net *n, size_t from, size_t to, const struct wire_ids *ids)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	net_say(n, from, to, WIRE_ANNOUNCE, message, wire_ids_encode(ids, message));
}

struct watch {
	size_t from, to;
	enum wire_type type;
	size_t count;
};

static bool count_type(struct net *n, const struct net_datagram *d)
{
	struct watch *w = n->context;
	w->count += d->bytes[1] == w->type && address_equal(&d->from, &n->nodes[w->from].address) &&
		    address_equal(&d->to, &n->nodes[w->to].address);
	return true;
}

static void test_ids_that_nobody_has_leave_room_for_those_of_others(void **state)
{
	struct net *n = net_met();
	struct watch w = {.from = 0, .to = 1, .type = WIRE_PULL};
	struct wire_ids ids = {.count = WIRE_IDS};
	(void)state;
	n->nodes[THIEF].deaf = true; /* it does not answer those PULLs either */
	for (uint64_t id = 1; id < 2 * LIMIT_PULLS;) {
		for (size_t i = 0; i < ids.count; i++)
			ids.ids[i] = id++ * 0x9e3779b97f4a7c15;
		announce(n, THIEF, 0, &ids);
	}
	n->tap = count_type;
	n->context = &w;
	announce(n, 1, 0, &(struct wire_ids){.count = 1, .ids = {42}});
	assert_int_equal(w.count, 1);
	net_free(n);
}

static void test_whoever_hands_on_forged_records_is_not_listened_to(void **state)
{
	struct net *n = net_met();
	uint64_t before = net_counters(n, 0)->verifications;
	(void)state;
	for (uint64_t i = 1; i <= 300; i++) {
		struct record_key key = {.kind = RECORD_HEALTH, .subject = *net_id(n, 1)};
		struct wire_pack pack;
		uint8_t bytes[LIMIT_RECORD_BYTES], message[WIRE_MESSAGE_BYTES];
		size_t len;
		assert_int_equal(record_sign(&key, 100000 + i, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
					     &n->f.keys.estate, n->nodes[THIEF].identity, bytes, &len),
				 ERR_OK);
		memcpy(bytes + 5, net_id(n, 1)->b, ID_BYTES); /* in the name of another */
		wire_pack_push(&pack, 0);
		assert_true(wire_pack_add(&pack, bytes, len));
		memcpy(message, pack.bytes, pack.len);
		net_say(n, THIEF, 0, WIRE_PUSH, message, pack.len);
	}
	assert_true(net_counters(n, 0)->verifications - before <= 2);
	assert_int_equal(net_counters(n, 0)->records_bad_signature, 1);
	/* The truth still comes through, from others. */
	struct health health = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct record_key key = {.kind = RECORD_HEALTH, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	assert_int_equal(health_encode(&health, body, &len), ERR_OK);
	net_publish(n, 1, RECORD_HEALTH, body, len);
	net_run(n, 2000);
	assert_true(net_has(n, 0, &key, 1));
	net_free(n);
}

/* The log of node 1 alone gets a new entry. */
static void revoke(struct net *n, size_t node)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	assert_int_equal(authlog_make_revoke(n->nodes[1].log, n->f.authority, LOG_REVOKE_HOST,
					     net_id(n, node), NULL, "stolen", FIXTURE_NOW, entry, &len),
			 ERR_OK);
	assert_int_equal(authlog_append(n->nodes[1].log, entry, len), ERR_OK);
	core_on_log(n->nodes[1].g);
}

static void test_a_log_that_does_not_exist_hides_no_revocation(void **state)
{
	struct net *n = net_met();
	(void)state;
	revoke(n, THIEF);
	/* Whenever node 0 may ask again, the thief is the first to boast. */
	for (int i = 0; i < 100 && !authlog_host_revoked(n->nodes[0].log, net_id(n, THIEF)); i++) {
		struct wire_ping ping = {.head = {.index = LIMIT_LOG_ENTRIES - 1}};
		uint8_t message[WIRE_MESSAGE_BYTES];
		net_say(n, THIEF, 0, WIRE_PING, message, wire_ping_encode(&ping, message));
		net_run(n, 50);
	}
	assert_true(authlog_host_revoked(n->nodes[0].log, net_id(n, THIEF)));
	net_free(n);
}

static void test_the_revoked_are_not_talked_to(void **state)
{
	struct net *n = net_met();
	struct watch w = {.from = 0, .to = THIEF, .type = WIRE_ACK};
	(void)state;
	revoke(n, THIEF);
	net_run(n, 10000);
	assert_true(authlog_host_revoked(n->nodes[0].log, net_id(n, THIEF)));
	n->tap = count_type;
	n->context = &w;
	for (w.type = 0; w.type < 100; w.type++) {
		struct wire_ping ping = {0};
		uint8_t message[WIRE_MESSAGE_BYTES];
		net_say(n, THIEF, 0, WIRE_PING, message, wire_ping_encode(&ping, message));
		net_run(n, 500);
	}
	assert_int_equal(w.count, 0);
	net_free(n);
}

static void test_roll_calls_without_end_push_out_nobodys(void **state)
{
	struct net *n = net_met();
	const struct site *s = net_member(n, 0, 1)->site;
	(void)state;
	for (uint64_t slot = 0; slot < LIMIT_ROLLCALL_PARTS; slot++) {
		struct rollcall roll = {.parts = 10, .roster_count = 3, .interval_s = 5};
		struct record_key key = {.kind = RECORD_ROLLCALL, .subject = s->id, .slot = slot};
		struct wire_pack pack;
		uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
		size_t len;
		assert_int_equal(rollcall_encode(&roll, body, &len), ERR_OK);
		assert_int_equal(record_sign(&key, 100000 + slot, 1, FIXTURE_NOW, body, len,
					     &n->f.keys.estate, n->nodes[THIEF].identity, bytes, &len),
				 ERR_OK);
		wire_pack_push(&pack, 0);
		assert_true(wire_pack_add(&pack, bytes, len));
		net_say(n, THIEF, 0, WIRE_PUSH, pack.bytes, pack.len);
	}
	for (size_t i = 0; i < s->view_count; i++)
		assert_int_equal(s->views[i].slot, 0);
	assert_true(s->view_count <= 3);
	net_free(n);
}

static void test_asking_for_probes_does_not_drown_their_answers(void **state)
{
	struct net *n = net_met();
	struct watch w = {.from = 0, .to = 1, .type = WIRE_PING};
	(void)state;
	n->tap = count_type;
	n->context = &w;
	n->nodes[1].deaf = true;
	for (int i = 0; i < 100; i++) {
		struct wire_ping_req request = {.target = *net_id(n, 1)};
		uint8_t message[WIRE_MESSAGE_BYTES];
		net_say(n, THIEF, 0, WIRE_PING_REQ, message, wire_ping_req_encode(&request, message));
	}
	assert_true(w.count <= 2);
	net_free(n);
}

static struct id publish_manifest(struct net *n, size_t node, const struct id *ids, size_t count)
{
	uint8_t list[LIMIT_BLOB_BYTES] = {1, BLOB_LIST}, body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	memcpy(list + 2, ids, count * ID_BYTES);
	struct components c = {.manifest = net_blob(n, node, list, 2 + count * ID_BYTES)};
	assert_int_equal(components_encode(&c, body, &len), ERR_OK);
	net_publish(n, node, RECORD_COMPONENTS, body, len);
	return c.manifest;
}

/* 63 lists of 63 blobs each that nobody has. */
static void publish_emptiness(struct net *n, uint8_t salt)
{
	struct id lists[63];
	for (uint8_t i = 0; i < 63; i++) {
		uint8_t list[2 + 63 * ID_BYTES] = {1, BLOB_LIST};
		for (uint8_t k = 0; k < 63; k++)
			memcpy(list + 2 + k * ID_BYTES, (const uint8_t[]){salt, i, k, 1}, 4);
		lists[i] = net_blob(n, THIEF, list, sizeof(list));
	}
	publish_manifest(n, THIEF, lists, 63);
	net_run(n, 30000);
}

static void test_a_manifest_of_nothing_leaves_room_for_those_of_others(void **state)
{
	struct net *n = net_met();
	const uint8_t chunk[] = {1, BLOB_COMPONENTS, 0x90};
	(void)state;
	for (uint8_t salt = 1; salt <= 3; salt++)
		publish_emptiness(n, salt);
	assert_true(n->nodes[0].g->blob->count <= 600);
	struct id id = net_blob(n, 1, chunk, sizeof(chunk));
	struct id manifest = publish_manifest(n, 1, &id, 1);
	net_run(n, 20000);
	assert_true(idset_has(&n->nodes[0].g->blob->present, &manifest));
	net_free(n);
}

/* A certificate of the thief's host by another issuer, for another site. */
static size_t second_certificate(struct net *n, struct identity *issuer, uint8_t ret[LIMIT_CERTIFICATE_BYTES])
{
	struct certificate c = {.site = "york", .enrolled = 1, .seq = 1};
	size_t len;
	certificate_consent(&c, n->nodes[THIEF].identity, identity_id(issuer), authlog_estate(n->f.log));
	assert_int_equal(certificate_issue(&c, issuer, authlog_estate(n->f.log), 1, FIXTURE_NOW, ret, &len),
			 ERR_OK);
	return len;
}

static void grant(struct net *n, const struct identity *issuer)
{
	struct authlog_grant grant = fixture_grant(issuer);
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	assert_int_equal(authlog_make_grant(n->f.log, n->f.authority, &grant, FIXTURE_NOW, entry, &len),
			 ERR_OK);
	for (size_t i = 0; i < NET_NODES; i++)
		assert_int_equal(authlog_append(n->nodes[i].log, entry, len), ERR_OK);
}

static void push_bytes(struct net *n, size_t to, const uint8_t *bytes, size_t len)
{
	struct wire_pack pack;
	wire_pack_push(&pack, 0);
	assert_true(wire_pack_add(&pack, bytes, len));
	net_say(n, to == 0 ? 1 : 0, to, WIRE_PUSH, pack.bytes, pack.len);
}

static void check_home(struct net *n, const char *site)
{
	struct gossip_status a, b;
	gossip_status(n->nodes[0].g, &a);
	gossip_status(n->nodes[1].g, &b);
	assert_true(a.estate_root == b.estate_root);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(net_member(n, i, THIEF)->site->name, site);
}

static void two_issuers(bool lower)
{
	struct net *n = net_met();
	struct identity *issuer = NULL;
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	const char *site = lower ? "york" : "leeds";
	do {
		identity_free(issuer);
		assert_int_equal(identity_generate(&n->f.rng, &issuer), ERR_OK);
	} while ((id_compare(identity_id(issuer), identity_id(n->f.issuer)) < 0) != lower);
	grant(n, issuer);
	size_t len = second_certificate(n, issuer, bytes);
	/* Node 0 hears of it late, node 1 starts anew and hears of it first. */
	n->nodes[THIEF].deaf = true;
	push_bytes(n, 0, bytes, len);
	n->nodes[1].row_count = 0;
	net_start(n, 1, NULL);
	core_accept_record(n->nodes[1].g, bytes, len, NULL, CORE_HOPS_PULLED);
	net_run(n, 60000);
	check_home(n, site);
	/* And it stays so over a restart, whatever the replica tells first. */
	net_start(n, 0, NULL);
	net_run(n, 10000);
	check_home(n, site);
	identity_free(issuer);
	net_free(n);
}

static void test_two_issuers_of_one_host_mean_one_home_everywhere(void **state)
{
	(void)state;
	two_issuers(true);
	two_issuers(false);
}

static void push_own(struct net *n, uint64_t seq)
{
	struct record_key key = {.kind = RECORD_HEALTH, .subject = *net_id(n, THIEF)};
	struct wire_pack pack;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	assert_int_equal(record_sign(&key, seq, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1, &n->f.keys.estate,
				     n->nodes[THIEF].identity, bytes, &len),
			 ERR_OK);
	wire_pack_push(&pack, 0);
	assert_true(wire_pack_add(&pack, bytes, len));
	net_say(n, THIEF, 0, WIRE_PUSH, pack.bytes, pack.len);
}

static void test_news_without_end_cost_the_estate_a_bounded_share(void **state)
{
	struct net *n = net_met();
	uint64_t before = net_counters(n, 0)->records_accepted;
	struct record_key key = {
	    .kind = RECORD_HEALTH, .writer = *net_id(n, THIEF), .subject = *net_id(n, THIEF)};
	(void)state;
	n->nodes[THIEF].deaf = true;
	for (uint64_t seq = 100000; seq < 101000; seq++) {
		n->now += seq % 2; /* below the allowance of an address */
		push_own(n, seq);
		n->now += 2;
	}
	assert_true(net_counters(n, 0)->records_accepted - before < 300);
	net_run(n, 20000);
	push_own(n, 102000);
	assert_true(net_has(n, 0, &key, 102000));
	net_free(n);
}

/* Whoever has the key of a host can use up its numbers; that must not make them begin again. */
static void test_numbers_that_are_used_up_do_not_go_round(void **state)
{
	const uint64_t last[] = {UINT64_MAX, INT64_MAX};
	struct net *n = net_met();
	struct record_key key = {.kind = RECORD_HEALTH, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	uint8_t bytes[LIMIT_RECORD_BYTES], body[LIMIT_RECORD_BODY_BYTES];
	struct health health = {0};
	size_t len, body_len;
	(void)state;
	assert_int_equal(health_encode(&health, body, &body_len), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		if (record_sign(&key, last[i], 1, FIXTURE_NOW, body, body_len, &n->f.keys.estate,
				n->nodes[1].identity, bytes, &len) == ERR_OK)
			core_accept_record(n->nodes[1].g, bytes, len, NULL, CORE_HOPS_PULLED);
		struct set_entry before, after;
		assert_true(set_find(n->nodes[1].g->set, &key, &before) || i == 0);
		for (int k = 0; k < 3; k++)
			(void)core_publish(n->nodes[1].g, RECORD_HEALTH, net_id(n, 1), 0, body, body_len,
					   GOSSIP_ROUTINE);
		struct gossip_status s;
		gossip_status(n->nodes[1].g, &s);
		assert_true(s.seq_next > 3);
		if (set_find(n->nodes[1].g->set, &key, &after) && i == 1)
			assert_true(after.seq >= before.seq);
	}
	net_run(n, 5000);
	net_free(n);
}

/* Whoever makes others check signatures makes them do no more of it than a quarter of a core does; what the
 * node asks for has a share of its own. */
static void test_checking_signatures_takes_a_stated_part_of_a_core(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	struct record_key key = {.kind = RECORD_HEALTH, .subject = *net_id(n, 1)};
	uint64_t before = net_counters(n, 0)->verifications;
	(void)state;
	for (uint64_t i = 0; i < 12000; i++) {
		assert_int_equal(record_sign(&key, 100000 + i, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
					     &n->f.keys.estate, n->nodes[1].identity, bytes, &len),
				 ERR_OK);
		bytes[len - 1] ^= 1;
		n->nodes[0].g->now += i % 4 == 0; /* three seconds in all */
		core_accept_record(n->nodes[0].g, bytes, len, NULL, 0);
	}
	uint64_t checked = net_counters(n, 0)->verifications - before;
	assert_true(checked > 3 * 2300 && checked < 4 * 2300 + 10);
	bytes[len - 1] ^= 1;
	assert_int_equal(core_accept_record(n->nodes[0].g, bytes, len, NULL, 0), ERR_BUSY);
	assert_int_equal(core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED), ERR_OK);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_checking_signatures_takes_a_stated_part_of_a_core),
	    cmocka_unit_test(test_ids_that_nobody_has_leave_room_for_those_of_others),
	    cmocka_unit_test(test_whoever_hands_on_forged_records_is_not_listened_to),
	    cmocka_unit_test(test_a_log_that_does_not_exist_hides_no_revocation),
	    cmocka_unit_test(test_the_revoked_are_not_talked_to),
	    cmocka_unit_test(test_roll_calls_without_end_push_out_nobodys),
	    cmocka_unit_test(test_asking_for_probes_does_not_drown_their_answers),
	    cmocka_unit_test(test_a_manifest_of_nothing_leaves_room_for_those_of_others),
	    cmocka_unit_test(test_news_without_end_cost_the_estate_a_bounded_share),
	    cmocka_unit_test(test_numbers_that_are_used_up_do_not_go_round),
	    cmocka_unit_test(test_two_issuers_of_one_host_mean_one_home_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
