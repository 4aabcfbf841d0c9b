/* The authority log between nodes: what is new runs at once, forks come together, records wait for it. */
#include "tests/unit/scratch.h"

#include <string.h>

#include "gossip/blob.h"
#include "gossip/hello.h"
#include "gossip/standing.h"
#include "record/manifest.h"
#include "tests/unit/gossip_net.h"

static bool head_is(const struct net *n, size_t node, struct authlog_head head)
{
	struct authlog_head own = authlog_head(n->nodes[node].log);
	return own.index == head.index && own.hash == head.hash;
}

/* Time until all have the head of node 0, at most `bound`. */
static mono_ms level(struct net *n, mono_ms bound)
{
	mono_ms since = n->now;
	while (n->now < since + bound && !(head_is(n, 1, authlog_head(n->nodes[0].log)) &&
					   head_is(n, 2, authlog_head(n->nodes[0].log))))
		net_run(n, 50);
	return n->now - since;
}

static void test_a_new_entry_is_told_at_once(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_run(n, 20000); /* probes have stretched */
	for (int i = 0; i < 10; i++) {
		struct id id = {{(uint8_t)i, 1}};
		net_revoke(n, 0, LOG_REVOKE_HOST, &id, NULL);
		assert_true(level(n, 3000) <= 100);
	}
	net_free(n);
}

static struct fixture_entry revocation(const struct net *n, const struct authlog *log, uint8_t what)
{
	struct fixture_entry e;
	struct id id = {{what, 2}};
	assert_int_equal(authlog_make_revoke(log, n->f.authority, LOG_REVOKE_HOST, &id, NULL, "", FIXTURE_NOW,
					     e.bytes, &e.len),
			 ERR_OK);
	return e;
}

/* Nodes 0 and 1 hold branches of their own; `depth` entries each. */
static void fork_log(struct net *n, unsigned depth)
{
	struct authlog *other;
	assert_int_equal(authlog_copy(n->nodes[0].log, &other), ERR_OK);
	n->nodes[0].deaf = n->nodes[1].deaf = n->nodes[2].deaf = true;
	for (unsigned i = 0; i < depth; i++) {
		struct fixture_entry a = revocation(n, n->nodes[0].log, (uint8_t)(2 * i));
		struct fixture_entry b = revocation(n, other, (uint8_t)(2 * i + 1));
		assert_int_equal(net_log(n, 0, a.bytes, a.len), ERR_OK);
		assert_int_equal(net_log(n, 1, b.bytes, b.len), ERR_OK);
		assert_int_equal(authlog_append(other, b.bytes, b.len), ERR_OK);
	}
	authlog_free(other);
	net_run(n, 2000);
	n->nodes[0].deaf = n->nodes[1].deaf = n->nodes[2].deaf = false;
}

static void check_fork(unsigned depth)
{
	struct net *n = net_met();
	fork_log(n, depth);
	assert_true(level(n, 60000) < 60000);
	for (size_t i = 0; i < NET_NODES; i++) {
		const struct issue *issue = net_issue(n, i, ISSUE_LOG_FORKED, authlog_estate(n->f.log));
		assert_true(authlog_forked(n->nodes[i].log));
		assert_non_null(issue);
		assert_int_equal(issue->count, 2);
		for (uint8_t k = 0; k < 2 * depth; k++) {
			struct id id = {{k, 2}};
			assert_true(authlog_host_revoked(n->nodes[i].log, &id));
			assert_non_null(net_issue(n, i, ISSUE_HOST_REVOKED, &id));
		}
		assert_int_equal(net_standing(n, i, net_id(n, (i + 1) % NET_NODES)), STANDING_GOOD);
	}
	/* Who comes later is given both. */
	authlog_free(n->nodes[2].log);
	assert_int_equal(authlog_copy(n->f.log, &n->nodes[2].log), ERR_OK);
	net_start(n, 2, &n->nodes[1].address);
	assert_true(level(n, 20000) < 20000);
	net_free(n);
}

/* Who is revoked is not answered, and finds out why; also one who was away, and one who begins. */
static void test_the_revoked_are_told_by_the_log(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_revoke(n, 0, LOG_REVOKE_HOST, net_id(n, 2), NULL);
	net_run(n, 1000);
	assert_int_equal(gossip_standing(n->nodes[1].g), STANDING_GOOD);
	assert_int_equal(gossip_standing(n->nodes[2].g), STANDING_GOOD);
	net_run(n, 60000);
	assert_int_equal(gossip_standing(n->nodes[2].g), STANDING_REVOKED);
	assert_true(head_is(n, 2, authlog_head(n->nodes[0].log)));
	/* It knows one of them by its seed alone, and its log is the oldest there is. */
	authlog_free(n->nodes[2].log);
	assert_int_equal(authlog_copy(n->f.log, &n->nodes[2].log), ERR_OK);
	for (uint8_t i = 0; i < 40; i++) {
		struct id id = {{i, 3}};
		net_revoke(n, 0, LOG_REVOKE_HOST, &id, NULL);
	}
	net_start(n, 2, &n->nodes[1].address);
	net_run(n, 20000);
	assert_int_equal(gossip_standing(n->nodes[2].g), STANDING_REVOKED);
	assert_true(head_is(n, 2, authlog_head(n->nodes[0].log)));
	/* That is for good: it falls silent. */
	uint64_t before = net_counters(n, 2)->hellos_out;
	net_run(n, 120000);
	assert_int_equal(net_counters(n, 2)->hellos_out, before);
	net_free(n);
}

/* Nobody else asks: who has company learns by heads, and who is alone asks a dead address now and then. */
static void test_who_is_answered_asks_no_stranger(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_run(n, 120000);
	for (size_t i = 0; i < NET_NODES; i++)
		assert_int_equal(n->nodes[i].g->hello->silence_at, 0);
	net_free(n);
}

static void test_a_fork_comes_together_everywhere(void **state)
{
	(void)state;
	check_fork(1);
}

static void test_so_does_one_of_many_entries(void **state)
{
	(void)state;
	check_fork(40);
}

/* Who shows a head that it does not make good keeps its own records waiting, and nobody else's. */
static void test_records_wait_for_the_log_and_not_for_ever(void **state)
{
	struct net *n = net_met();
	struct record_key key = {.kind = RECORD_HEALTH, .writer = *net_id(n, 2), .subject = *net_id(n, 2)};
	struct health health = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES], message[WIRE_MESSAGE_BYTES];
	size_t len;
	struct wire_ping ping = {.head = {.index = 77, .hash = 1}};
	(void)state;
	assert_int_equal(health_encode(&health, body, &len), ERR_OK);
	assert_int_equal(record_sign(&key, 100000, 1, FIXTURE_NOW, body, len, &n->f.keys.estate,
				     n->nodes[2].identity, bytes, &len),
			 ERR_OK);
	net_say(n, 2, 0, WIRE_PING, message, wire_ping_encode(&ping, message));
	net_push(n, 2, 0, bytes, len);
	assert_false(net_has(n, 0, &key, 100000));
	net_push(n, 1, 0, bytes, len); /* by somebody with the same log */
	assert_true(net_has(n, 0, &key, 100000));
	/* Asked in vain, it is not waited for again. */
	net_run(n, 3000);
	key.kind = RECORD_CRASHES;
	assert_int_equal(record_sign(&key, 100001, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
				     &n->f.keys.estate, n->nodes[2].identity, bytes, &len),
			 ERR_OK);
	net_say(n, 2, 0, WIRE_PING, message, wire_ping_encode(&ping, message));
	net_push(n, 2, 0, bytes, len);
	assert_true(net_has(n, 0, &key, 100001));
	net_free(n);
}

struct list_blobs {
	size_t count;
	struct {
		uint8_t bytes[LIMIT_BLOB_BYTES];
		size_t len;
		struct id id;
	} blobs[5];
};

static void blob_add(struct list_blobs *l, enum blob_type type, const struct id *ids, size_t count)
{
	uint8_t *b = l->blobs[l->count].bytes;
	b[0] = 1;
	b[1] = (uint8_t)type;
	for (size_t i = 0; i < count; i++)
		memcpy(b + 2 + i * ID_BYTES, ids[i].b, ID_BYTES);
	l->blobs[l->count].len = 2 + count * ID_BYTES;
	l->blobs[l->count].id = blob_id(b, l->blobs[l->count].len);
	l->count++;
}

/* Nodes 0 and 1 stay; two leaves below a list, the root last. */
static struct list_blobs allow_list(const struct net *n)
{
	struct list_blobs l = {0};
	bool swap = id_compare(net_id(n, 0), net_id(n, 1)) > 0;
	blob_add(&l, BLOB_ALLOW_LIST, net_id(n, swap ? 1 : 0), 1);
	blob_add(&l, BLOB_ALLOW_LIST, net_id(n, swap ? 0 : 1), 1);
	struct id leaves[2] = {l.blobs[0].id, l.blobs[1].id};
	blob_add(&l, BLOB_LIST, leaves, 2);
	return l;
}

static void test_an_allow_list_is_completed_and_leaves_whom_it_names(void **state)
{
	struct net *n = net_met();
	const struct id *issuer = identity_id(n->f.issuer);
	struct list_blobs l = allow_list(n);
	struct id strange = {{9}};
	(void)state;
	assert_int_equal(net_log(n, 0, l.blobs[2].bytes, l.blobs[2].len), ERR_NOT_FOUND);
	net_revoke(n, 0, LOG_REVOKE_ISSUER, issuer, &l.blobs[2].id);
	net_run(n, 5000);
	for (size_t i = 0; i < NET_NODES; i++) {
		assert_non_null(net_issue(n, i, ISSUE_ALLOW_LIST_MISSING, issuer));
		assert_non_null(net_issue(n, i, ISSUE_ISSUER_REVOKED, issuer));
		assert_int_equal(net_standing(n, i, net_id(n, 2)), STANDING_GOOD);
		assert_false(standing_room(n->nodes[i].g, issuer, &strange));
	}
	assert_int_equal(net_log(n, 0, l.blobs[2].bytes, l.blobs[2].len), ERR_OK);
	assert_int_equal(net_log(n, 0, l.blobs[0].bytes, l.blobs[0].len), ERR_OK);
	assert_int_equal(net_standing(n, 0, net_id(n, 2)), STANDING_GOOD);
	assert_int_equal(net_log(n, 0, l.blobs[1].bytes, l.blobs[1].len), ERR_OK);
	assert_int_equal(net_standing(n, 0, net_id(n, 2)), STANDING_REVOKED);
	net_run(n, 60000);
	for (size_t i = 0; i < 2; i++) {
		assert_null(net_issue(n, i, ISSUE_ALLOW_LIST_MISSING, issuer));
		assert_int_equal(net_issue(n, i, ISSUE_ISSUER_REVOKED, issuer)->count, 1);
		assert_int_equal(net_standing(n, i, net_id(n, 1 - i)), STANDING_GOOD);
		assert_int_equal(net_standing(n, i, net_id(n, 2)), STANDING_REVOKED);
	}
	/* After a restart from its files: the list lies in the replica. */
	authlog_free(n->nodes[1].log);
	gossip_free(n->nodes[1].g);
	n->nodes[1].g = NULL;
	assert_int_equal(authlog_new(&n->nodes[1].log), ERR_OK);
	for (size_t i = 0, len; i < authlog_count(n->nodes[0].log); i++) {
		const uint8_t *entry = authlog_entry(n->nodes[0].log, i, &len);
		assert_int_equal(authlog_append(n->nodes[1].log, entry, len), ERR_OK);
	}
	net_start(n, 1, NULL);
	net_run(n, 2000);
	assert_int_equal(net_standing(n, 1, net_id(n, 2)), STANDING_REVOKED);
	assert_int_equal(net_standing(n, 1, net_id(n, 0)), STANDING_GOOD);
	net_free(n);
}

/* Two lists above the leaves are the most there can be. */
static void test_an_allow_list_is_as_deep_as_it_may_be(void **state)
{
	(void)state;
	for (size_t top = 3; top <= 4; top++) {
		struct net *n = net_met();
		struct list_blobs l = allow_list(n);
		for (size_t i = 2; i < 4; i++) {
			const struct id below = l.blobs[i].id;
			blob_add(&l, BLOB_LIST, &below, 1);
		}
		net_revoke(n, 0, LOG_REVOKE_ISSUER, identity_id(n->f.issuer), &l.blobs[top].id);
		for (size_t i = top + 1; i-- > 0;)
			(void)net_log(n, 0, l.blobs[i].bytes, l.blobs[i].len);
		net_run(n, 3000);
		assert_int_equal(net_standing(n, 0, net_id(n, 2)),
				 top == 3 ? STANDING_REVOKED : STANDING_GOOD);
		assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_GOOD);
		const struct issue *missing =
		    net_issue(n, 0, ISSUE_ALLOW_LIST_MISSING, identity_id(n->f.issuer));
		assert_true((missing != NULL) == (top == 4));
		net_free(n);
	}
}

/* The thief was at node 1 first, whose log is full and deeper than the owner's; the rotation stands on
 * entries that node 1 never saw, further back than a first look goes. */
static void test_a_rotation_gets_through_to_a_full_log(void **state)
{
	struct net *n = net_met();
	struct authlog *owner, *thief;
	(void)state;
	assert_int_equal(authlog_copy(n->nodes[0].log, &owner), ERR_OK);
	n->nodes[0].deaf = n->nodes[1].deaf = n->nodes[2].deaf = true;
	for (uint8_t branch = 0; branch < LIMIT_LOG_BRANCHES; branch++) {
		assert_int_equal(authlog_copy(owner, &thief), ERR_OK);
		for (uint8_t i = 0; i < (branch == 0 ? 90 : 1); i++) {
			struct fixture_entry e = revocation(n, thief, (uint8_t)(100 + branch + i));
			assert_int_equal(authlog_append(thief, e.bytes, e.len), ERR_OK);
			assert_int_equal(net_log(n, 1, e.bytes, e.len), ERR_OK);
		}
		authlog_free(thief);
	}
	for (uint8_t i = 0; i < 60; i++) {
		struct fixture_entry e = revocation(n, owner, i);
		assert_int_equal(authlog_append(owner, e.bytes, e.len), ERR_OK);
		assert_int_equal(net_log(n, 0, e.bytes, e.len), ERR_OK);
	}
	struct fixture_entry e = fixture_rotation(owner, n->f.successor, n->f.other);
	assert_int_equal(net_log(n, 0, e.bytes, e.len), ERR_OK);
	authlog_free(owner);
	net_run(n, 2000);
	n->nodes[0].deaf = n->nodes[1].deaf = n->nodes[2].deaf = false;
	assert_true(level(n, 60000) < 60000);
	for (size_t i = 0; i < NET_NODES; i++) {
		struct id kept = {{59, 2}}, gone = {{101, 2}};
		assert_int_equal(authlog_branches(n->nodes[i].log), 1);
		assert_true(authlog_host_revoked(n->nodes[i].log, &kept));
		assert_false(authlog_host_revoked(n->nodes[i].log, &gone));
		assert_null(net_issue(n, i, ISSUE_LOG_FORKED, authlog_estate(n->f.log)));
	}
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_new_entry_is_told_at_once),
	    cmocka_unit_test(test_the_revoked_are_told_by_the_log),
	    cmocka_unit_test(test_who_is_answered_asks_no_stranger),
	    cmocka_unit_test(test_a_fork_comes_together_everywhere),
	    cmocka_unit_test(test_so_does_one_of_many_entries),
	    cmocka_unit_test(test_a_rotation_gets_through_to_a_full_log),
	    cmocka_unit_test(test_records_wait_for_the_log_and_not_for_ever),
	    cmocka_unit_test(test_an_allow_list_is_completed_and_leaves_whom_it_names),
	    cmocka_unit_test(test_an_allow_list_is_as_deep_as_it_may_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
