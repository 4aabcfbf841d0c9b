/* The protocol core, several of them in virtual time: each promise of docs/protocol.md section 9 once. Many
 * seeds and faults are the simulator's part (tests/sim/). */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "tests/unit/gossip_estate.h"
#include "tests/unit/scratch.h"

#define SECOND CLOCK_SECOND_MS

/* Nodes 0-2 in berlin, 3-5 in leeds; seeds are 0 and 3. */
static void six(struct estate *n, uint64_t seed)
{
	estate_init(n, seed);
	for (size_t i = 0; i < 6; i++)
		estate_add(n, i < 3 ? "berlin" : "leeds");
	for (size_t i = 0; i < 6; i++) {
		estate_start(n, i);
		estate_publish(n, i);
	}
}

static bool all_equal(struct estate *n)
{
	uint64_t root = 0;

	for (size_t i = 0; i < n->count; i++) {
		struct gossip_status status;

		if (!n->nodes[i].g)
			continue;
		gossip_status(n->nodes[i].g, &status);
		if (status.hosts != n->count || (root && status.estate_root != root))
			return false;
		root = status.estate_root;
		for (size_t j = 0; j < n->count; j++) {
			if (n->nodes[j].g && estate_status(n, i, j, NULL) != HOST_UP)
				return false;
		}
	}
	return true;
}

static bool everyone_says(struct estate *n, size_t host, enum host_status status)
{
	for (size_t i = 0; i < n->count; i++) {
		if (n->nodes[i].g && i != host && estate_status(n, i, host, NULL) != status)
			return false;
	}
	return true;
}

static bool two_stopped(struct estate *n)
{
	return everyone_says(n, 2, HOST_STOPPED);
}

static bool one_dark(struct estate *n)
{
	return everyone_says(n, 1, HOST_DARK);
}

static bool one_up(struct estate *n)
{
	return everyone_says(n, 1, HOST_UP) && estate_status(n, 1, 1, NULL) == HOST_UP;
}

static void test_converges(void **state)
{
	struct estate n;

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		six(&n, seed);
		n.loss = seed == 3 ? 0.05 : 0;
		assert_true(estate_until(&n, 15 * SECOND, all_equal));
		estate_free(&n);
	}
}

static void test_stopped_then_dark(void **state)
{
	struct estate n;
	struct host_state dark;

	(void)state;
	six(&n, 4);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 30 * SECOND);
	estate_leave(&n, 2, GOODBYE_STOPPED);
	assert_true(estate_until(&n, SECOND, two_stopped));
	estate_run(&n, 10 * SECOND);
	estate_kill(&n, 1);
	assert_true(estate_until(&n, 15 * SECOND, one_dark));
	estate_run(&n, 40 * SECOND);
	/* Only node 0 is left to say so, and the evidence says that. */
	for (size_t viewer = 0; viewer < 6; viewer++) {
		if (!n.nodes[viewer].g)
			continue;
		assert_int_equal(estate_status(&n, viewer, 1, &dark), HOST_DARK);
		assert_int_equal(dark.votes, 1);
		assert_int_equal(dark.signers, 1);
		assert_int_equal(dark.witnesses[0], id_short(&n.nodes[0].id));
		assert_int_equal(estate_status(&n, viewer, 2, NULL), HOST_STOPPED);
	}
	/* It comes back under a higher seq, with nothing new to tell. */
	estate_start(&n, 1);
	assert_true(estate_until(&n, 10 * SECOND, one_up));
	estate_free(&n);
}

static bool berlin_silent(struct estate *n)
{
	struct site_state site;

	for (size_t i = 3; i < 6; i++) {
		if (!gossip_site_state(n->nodes[i].g, "berlin", &site) || site.status != SITE_SILENT)
			return false;
	}
	return true;
}

static bool leeds_silent(struct estate *n)
{
	struct site_state site;

	for (size_t i = 0; i < 3; i++) {
		if (!gossip_site_state(n->nodes[i].g, "leeds", &site) || site.status != SITE_SILENT)
			return false;
	}
	return true;
}

static bool both_silent(struct estate *n)
{
	return berlin_silent(n) && leeds_silent(n);
}

static void test_cut_and_heal(void **state)
{
	struct estate n;
	struct site_state site;

	(void)state;
	six(&n, 5);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 30 * SECOND);
	for (size_t i = 0; i < 6; i++)
		estate_drill(&n, i, i < 3 ? "leeds" : "berlin", true);
	wall_ms cut = ESTATE_WALL + n.now;

	assert_true(estate_until(&n, 20 * SECOND, both_silent));
	assert_true(gossip_site_state(n.nodes[0].g, "leeds", &site));
	assert_true(site.since <= cut + SECOND && site.since + 6 * SECOND >= cut);
	assert_int_equal(estate_status(&n, 0, 4, NULL), HOST_SILENT);
	assert_int_equal(estate_status(&n, 0, 1, NULL), HOST_UP);
	assert_true(estate_counters(&n, 0).dropped_drill + estate_counters(&n, 3).dropped_drill == 0);
	estate_publish(&n, 4);
	for (size_t i = 0; i < 6; i++)
		estate_drill(&n, i, i < 3 ? "leeds" : "berlin", false);
	assert_true(estate_until(&n, 15 * SECOND, all_equal));
	estate_free(&n);
}

/* A drill on one side only: the other side's datagrams are dropped as they come in. */
static void test_drill_drops(void **state)
{
	struct estate n;

	(void)state;
	six(&n, 6);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	for (size_t i = 3; i < 6; i++)
		estate_drill(&n, i, "berlin", true);
	estate_run(&n, 20 * SECOND);
	assert_true(berlin_silent(&n));
	assert_true(estate_counters(&n, 3).dropped_drill + estate_counters(&n, 4).dropped_drill +
			estate_counters(&n, 5).dropped_drill >
		    0);
	estate_free(&n);
}

static void test_goodbyes_are_not_silence(void **state)
{
	struct estate n;
	struct site_state site;

	(void)state;
	six(&n, 7);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 20 * SECOND);
	for (size_t i = 3; i < 6; i++) {
		estate_leave(&n, i, GOODBYE_STOPPED);
		estate_run(&n, SECOND);
	}
	estate_run(&n, 60 * SECOND);
	assert_true(gossip_site_state(n.nodes[0].g, "leeds", &site));
	assert_int_not_equal(site.status, SITE_SILENT);
	for (size_t i = 3; i < 6; i++)
		assert_int_equal(estate_status(&n, 0, i, NULL), HOST_STOPPED);
	estate_free(&n);
}

static void test_alone_is_silent_not_dark(void **state)
{
	struct estate n;

	(void)state;
	estate_init(&n, 8);
	for (size_t i = 0; i < 4; i++)
		estate_add(&n, i < 3 ? "berlin" : "leeds");
	for (size_t i = 0; i < 4; i++) {
		estate_start(&n, i);
		estate_publish(&n, i);
	}
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 20 * SECOND);
	estate_kill(&n, 3);
	estate_run(&n, 60 * SECOND);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(estate_status(&n, i, 3, NULL), HOST_SILENT);
	estate_free(&n);
}

/* A paused witness finds that everyone was quiet, and blames nobody. */
static void test_pause_accuses_nobody(void **state)
{
	struct estate n;

	(void)state;
	six(&n, 9);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 30 * SECOND);
	n.now += 30 * SECOND; /* the whole machine was asleep */
	for (int i = 0; i < 40; i++) {
		estate_run(&n, SECOND);
		for (size_t viewer = 0; viewer < 6; viewer++) {
			for (size_t host = 0; host < 6; host++)
				assert_int_equal(estate_status(&n, viewer, host, NULL), HOST_UP);
		}
	}
	estate_free(&n);
}

static void test_restart_keeps_states(void **state)
{
	struct estate n;
	struct host_state before, after;

	(void)state;
	six(&n, 10);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 30 * SECOND);
	estate_kill(&n, 1);
	assert_true(estate_until(&n, 15 * SECOND, one_dark));
	estate_status(&n, 4, 1, &before);
	struct gossip_status status;

	gossip_status(n.nodes[4].g, &status);
	size_t records = status.records;

	estate_kill(&n, 4);
	estate_run(&n, SECOND);
	estate_start(&n, 4);
	gossip_status(n.nodes[4].g, &status);
	assert_true(status.records >= records);
	assert_int_equal(estate_status(&n, 4, 1, &after), HOST_DARK);
	assert_int_equal(after.since, before.since);
	for (int i = 0; i < 30; i++) {
		estate_run(&n, SECOND);
		assert_int_equal(estate_status(&n, 4, 1, NULL), HOST_DARK);
		assert_int_equal(estate_status(&n, 4, 0, NULL), HOST_UP);
	}
	assert_int_equal(estate_status(&n, 0, 4, NULL), HOST_UP);
	estate_free(&n);
}

/* A snapshot was restored: replica and seq file are old. It jumps past itself once; twice is a clone. */
static void test_own_future(void **state)
{
	struct estate n;
	struct gossip_status status;

	(void)state;
	six(&n, 11);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	estate_run(&n, 10 * SECOND);
	estate_kill(&n, 1);
	n.nodes[1].record_count = n.nodes[1].host_count = n.nodes[1].site_count = 0;
	n.nodes[1].seq_reserved = 2;
	estate_start(&n, 1);
	estate_run(&n, 10 * SECOND);
	gossip_status(n.nodes[1].g, &status);
	assert_false(status.cloned);
	assert_true(all_equal(&n));
	estate_free(&n);
}

/* A machine was copied, key and all. The copy speaks while the first is stopped in its tracks, and again. */
static void test_clone_is_flagged(void **state)
{
	struct estate n;
	struct gossip_status status;

	(void)state;
	six(&n, 15);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	size_t copy = estate_copy(&n, 1);

	for (int turn = 0; turn < 2; turn++) {
		struct gossip *first = n.nodes[1].g;

		n.nodes[1].g = NULL;
		estate_start(&n, copy);
		for (int i = 0; i < 20; i++) {
			estate_run(&n, SECOND);
			estate_publish(&n, copy);
		}
		estate_kill(&n, copy);
		n.nodes[1].g = first;
		estate_run(&n, 90 * SECOND);
		gossip_status(first, &status);
		assert_int_equal(status.cloned, turn == 1);
	}
	estate_free(&n);
}

/* --- hostile --- */

static bool unmoved(const struct gossip_counters *a, const struct gossip_counters *b)
{
	return a->records_accepted == b->records_accepted && a->acks_in == b->acks_in &&
	       a->sessions == b->sessions && a->payloads_in == b->payloads_in && a->blobs_in == b->blobs_in &&
	       a->hellos_in == b->hellos_in;
}

static void test_each_byte_flipped(void **state)
{
	struct estate n;
	bool seen[256] = {false};

	(void)state;
	six(&n, 12);
	n.watch = 0;
	for (int round = 0; round < 400; round++) {
		estate_run(&n, 50);
		/* Each type once. */
		struct estate_datagram d = n.last;

		if (d.len == 0 || seen[d.bytes[1]])
			continue;
		seen[d.bytes[1]] = true;
		struct gossip_counters before = estate_counters(&n, 0);

		for (size_t i = 0; i < d.len; i++) {
			uint8_t keep = d.bytes[i];

			d.bytes[i] = (uint8_t)(keep ^ (1u << (i % 8)));
			estate_inject(&n, 0,
				      &(struct address){.ip = {10, (uint8_t)(i >> 8), (uint8_t)i, 1},
							.ip_len = 4,
							.port = 1},
				      d.bytes, d.len);
			d.bytes[i] = keep;
		}
		/* Cut short at each length, too. */
		for (size_t len = 0; len < d.len; len++)
			estate_inject(&n, 0,
				      &(struct address){.ip = {11, (uint8_t)(len >> 8), (uint8_t)len, 1},
							.ip_len = 4,
							.port = 1},
				      d.bytes, len);
		struct gossip_counters after = estate_counters(&n, 0);

		assert_true(unmoved(&before, &after));
		assert_true(after.dropped_mac + after.dropped_version + after.dropped_short >=
			    before.dropped_mac + d.len);
	}
	assert_true(seen[1] || seen[2] || seen[3]);
	assert_true(seen[16] && seen[17]);
	estate_free(&n);
}

/* A member of another estate, same network: nothing of it enters. */
static void test_foreign_estate(void **state)
{
	struct estate n, foreign;

	(void)state;
	six(&n, 13);
	estate_init(&foreign, 14);
	foreign.keys.mac_key[0] ^= 1;
	estate_add(&foreign, "berlin");
	estate_add(&foreign, "berlin");
	foreign.watch = 1;
	estate_start(&foreign, 0);
	estate_start(&foreign, 1);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	struct gossip_counters before = estate_counters(&n, 0);

	for (int i = 0; i < 50; i++) {
		estate_run(&foreign, 200);
		if (foreign.last.len)
			estate_inject(&n, 0, &foreign.nodes[0].address, foreign.last.bytes, foreign.last.len);
	}
	struct gossip_counters after = estate_counters(&n, 0);

	assert_true(after.dropped_mac >= before.dropped_mac + 50);
	assert_int_equal(after.datagrams_out, before.datagrams_out);
	estate_free(&foreign);
	estate_free(&n);
}

/* The one gate for records, asked directly. */
static size_t signed_by(struct estate *n, size_t signer, uint8_t kind, const struct id *subject, uint64_t seq,
			const struct id *estate, uint8_t ret[LIMIT_RECORD_BYTES])
{
	const uint8_t empty = 0x80;
	struct record_key key = {.kind = kind, .writer = n->nodes[signer].id, .subject = *subject};
	size_t len;

	assert_int_equal(
	    record_sign(&key, seq, 1, ESTATE_WALL, &empty, 1, estate, n->nodes[signer].identity, ret, &len),
	    ERR_OK);
	return len;
}

static enum err offered(struct estate *n, const uint8_t *bytes, size_t len)
{
	return core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED);
}

static void test_gate(void **state)
{
	struct estate n;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct id leeds = id_of_site("leeds"), berlin = id_of_site("berlin");
	const struct id *own = &n.nodes[4].id, *estate = &n.keys.estate;
	struct id foreign = {{9}};

	(void)state;
	six(&n, 16);
	assert_true(estate_until(&n, 10 * SECOND, all_equal));
	/* About another host, about another site, as an operator, of a refused kind, for another estate. */
	size_t len = signed_by(&n, 4, RECORD_CRASHES, &n.nodes[5].id, 900, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_UNTRUSTED);
	len = signed_by(&n, 4, RECORD_ROLLCALL, &berlin, 900, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_UNTRUSTED);
	len = signed_by(&n, 4, RECORD_INCIDENT, estate, 900, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_UNTRUSTED);
	len = signed_by(&n, 4, 100, own, 900, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_UNTRUSTED);
	len = signed_by(&n, 4, RECORD_CRASHES, own, 900, &foreign, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_SIGNATURE);
	/* Its own certificate, issued by itself. */
	len = signed_by(&n, 4, RECORD_CERTIFICATE, own, 900, estate, bytes);
	assert_int_not_equal(offered(&n, bytes, len), ERR_OK);
	len = signed_by(&n, 4, RECORD_CRASHES, own, 900, estate, bytes);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		assert_int_not_equal(offered(&n, bytes, len), ERR_OK);
		bytes[i] ^= 0x10;
		assert_int_not_equal(offered(&n, bytes, i), ERR_OK);
	}
	assert_int_equal(offered(&n, bytes, len), ERR_OK);
	assert_int_equal(offered(&n, bytes, len), ERR_EXISTS);
	len = signed_by(&n, 4, RECORD_CRASHES, own, 899, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_STALE);
	/* A kind of later versions, within its range: kept under the range's rule. */
	len = signed_by(&n, 4, 12, own, 901, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_OK);
	len = signed_by(&n, 4, 20, &leeds, 902, estate, bytes);
	assert_int_equal(offered(&n, bytes, len), ERR_OK);
	estate_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_converges),
	    cmocka_unit_test(test_stopped_then_dark),
	    cmocka_unit_test(test_cut_and_heal),
	    cmocka_unit_test(test_drill_drops),
	    cmocka_unit_test(test_goodbyes_are_not_silence),
	    cmocka_unit_test(test_alone_is_silent_not_dark),
	    cmocka_unit_test(test_pause_accuses_nobody),
	    cmocka_unit_test(test_restart_keeps_states),
	    cmocka_unit_test(test_own_future),
	    cmocka_unit_test(test_clone_is_flagged),
	    cmocka_unit_test(test_each_byte_flipped),
	    cmocka_unit_test(test_foreign_estate),
	    cmocka_unit_test(test_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
