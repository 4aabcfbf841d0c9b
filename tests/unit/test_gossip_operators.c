/* What an operator may have everybody keep. */
#include "tests/unit/scratch.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/blob.h"
#include "gossip/operators.h"
#include "gossip/standing.h"
#include "record/listing.h"
#include "tests/unit/gossip_net.h"

#define MANY (LIMIT_OPERATOR_RECORDS + 300)

/* Slot and seq follow from the number, two records a seq; the first is a decommission of node 2. */
static size_t write_record(struct net *n, unsigned number, struct record_key *ret_key, uint64_t *ret_seq,
			   uint8_t ret[LIMIT_RECORD_BYTES])
{
	size_t len;
	*ret_key = (struct record_key){.kind = number == 0 ? RECORD_DECOMMISSION : RECORD_NOTE,
				       .writer = *identity_id(n->f.other),
				       .subject = *net_id(n, 2),
				       .slot = number * 7919u};
	*ret_seq = 1 + number / 2;
	assert_int_equal(record_sign(ret_key, *ret_seq, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
				     &n->f.keys.estate, n->f.other, ret, &len),
			 ERR_OK);
	return len;
}

/* Pushed in the name of node 2, at the pace that a node listens to one host. */
static void push(struct net *n, size_t node, const uint8_t *bytes, size_t len)
{
	net_push(n, 2, node, bytes, len);
	if (net_counters(n, node)->payloads_in % 16 == 0)
		net_run(n, 50);
}

static void feed(struct net *n, size_t node, unsigned number)
{
	struct record_key key;
	uint64_t seq;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len = write_record(n, number, &key, &seq, bytes);
	push(n, node, bytes, len);
}

static bool nothing(struct net *n, const struct net_datagram *d)
{
	(void)n;
	(void)d;
	return false;
}

static void may_say(struct net *n, uint8_t roles, wall_day last_day)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	assert_int_equal(authlog_make_operator(n->nodes[0].log, n->f.authority,
					       identity_public_key(n->f.other), "ada", roles, last_day,
					       FIXTURE_NOW, entry, &len),
			 ERR_OK);
	assert_int_equal(net_log(n, 0, entry, len), ERR_OK);
	net_run(n, 5000);
}

/* Nodes that have met and do not hear each other any more. */
static struct net *with_operator(void)
{
	struct net *n = net_met();
	may_say(n, LOG_ROLE_INCIDENTS | LOG_ROLE_DECOMMISSION, FIXTURE_DAY + 9);
	n->tap = nothing;
	return n;
}

static uint64_t root(struct net *n, size_t node)
{
	return set_partition_root(n->nodes[node].g->set, SET_PARTITION_OPERATOR);
}

static size_t held(struct net *n, size_t node, bool *ret_newest)
{
	struct record_key key;
	uint64_t seq;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t count = 0;
	*ret_newest = true;
	for (unsigned i = 0; i < MANY; i++) {
		(void)write_record(n, i, &key, &seq, bytes);
		bool has = net_has(n, node, &key, seq);
		count += has;
		*ret_newest &= has == (i >= MANY - LIMIT_OPERATOR_RECORDS);
	}
	return count;
}

static void test_the_newest_stand_in_whatever_order_they_came(void **state)
{
	struct net *n = with_operator();
	bool newest;
	(void)state;
	size_t before = n->nodes[0].row_count;
	uint64_t stale = net_counters(n, 1)->records_stale;
	feed(n, 0, 0);
	net_run(n, 5000);
	assert_true(net_member(n, 0, 2)->retired);
	for (unsigned i = 1; i < MANY; i++)
		feed(n, 0, i);
	for (unsigned i = MANY; i-- > 0;)
		feed(n, 1, i);
	assert_int_equal(net_counters(n, 1)->records_stale - stale, MANY - LIMIT_OPERATOR_RECORDS);
	net_run(n, 5000);
	for (size_t node = 0; node < 2; node++) {
		assert_int_equal(held(n, node, &newest), LIMIT_OPERATOR_RECORDS);
		assert_true(newest);
		assert_false(net_member(n, node, 2)->retired);
	}
	assert_int_equal(root(n, 0), root(n, 1));
	assert_true(root(n, 0) != 0);
	/* The rows of those that gave way are gone; the same stand after a restart. */
	assert_true(n->nodes[0].row_count <= before + LIMIT_OPERATOR_RECORDS + 4);
	net_start(n, 0, NULL);
	assert_int_equal(root(n, 0), root(n, 1));
	/* Nor does one that was left behind come back by way of the other. */
	n->tap = NULL;
	net_run(n, 20000);
	assert_int_equal(held(n, 0, &newest), LIMIT_OPERATOR_RECORDS);
	assert_int_equal(root(n, 0), root(n, 1));
	/* Records of the revoked are in no set. */
	net_revoke(n, 0, LOG_REVOKE_OPERATOR, identity_id(n->f.other), NULL);
	net_run(n, 3000);
	assert_int_equal(root(n, 0), 0);
	net_free(n);
}

/* Among equal seqs the ids decide, so that half of a pair stands on all nodes or on none. */
static void test_of_one_seq_the_lowest_ids_stand(void **state)
{
	struct net *n = with_operator();
	uint8_t bytes[LIMIT_RECORD_BYTES];
	(void)state;
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < MANY; i++) {
			unsigned number = pass == 0 ? i : MANY - 1 - i;
			struct record_key key = {.kind = RECORD_NOTE,
						 .writer = *identity_id(n->f.other),
						 .subject = *net_id(n, 2),
						 .slot = number};
			size_t len;
			assert_int_equal(record_sign(&key, 5, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
						     &n->f.keys.estate, n->f.other, bytes, &len),
					 ERR_OK);
			push(n, pass, bytes, len);
		}
	}
	assert_int_equal(root(n, 0), root(n, 1));
	net_free(n);
}

/* What was said counts as far as the role in the log goes now, whatever it was when the record came. */
static void test_a_decommission_hangs_on_its_role(void **state)
{
	struct net *n = net_met();
	const struct id *ada = identity_id(n->f.other);
	(void)state;
	may_say(n, LOG_ROLE_INCIDENTS, FIXTURE_DAY + 9);
	feed(n, 0, 0);
	net_run(n, 5000);
	for (size_t node = 0; node < 2; node++) {
		assert_false(net_member(n, node, 2)->retired);
		assert_non_null(net_issue(n, node, ISSUE_OUT_OF_ROLE, ada));
	}
	may_say(n, LOG_ROLE_DECOMMISSION, FIXTURE_DAY + 9);
	assert_true(net_member(n, 0, 2)->retired && net_member(n, 1, 2)->retired);
	may_say(n, LOG_ROLE_DECOMMISSION, FIXTURE_DAY - 1); /* before the day on which it was said */
	assert_false(net_member(n, 0, 2)->retired || net_member(n, 1, 2)->retired);
	may_say(n, LOG_ROLE_DECOMMISSION, FIXTURE_DAY + 9);
	assert_true(net_member(n, 0, 2)->retired);
	net_revoke(n, 0, LOG_REVOKE_OPERATOR, ada, NULL);
	net_run(n, 5000);
	assert_false(net_member(n, 0, 2)->retired || net_member(n, 1, 2)->retired);
	net_free(n);
}

/* --- what they list --- */

#define ROWS 700

static enum err publish_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct id published = net_blob(context, 0, blob, len);
	assert_true(id_equal(id, &published));
	return ERR_OK;
}

/* Wanted yet; SIZE_MAX: the root is not there. */
static size_t wanted_beside(struct net *n, size_t node, const struct id *root)
{
	const struct blob *have = n->nodes[node].g->blob;
	return idset_has(&have->present, root) ? have->count : SIZE_MAX;
}

static void say_inventory(struct net *n, uint64_t slot, const struct id *root, size_t rows)
{
	struct listing l = {.root = *root, .rows = (uint32_t)rows};
	struct record_key key = {.kind = RECORD_INVENTORY,
				 .writer = *identity_id(n->f.other),
				 .subject = n->f.keys.estate,
				 .slot = slot};
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t len;
	assert_int_equal(listing_encode(&l, body, &len), ERR_OK);
	assert_int_equal(
	    record_sign(&key, slot, 1, FIXTURE_NOW, body, len, &n->f.keys.estate, n->f.other, bytes, &len),
	    ERR_OK);
	net_push(n, 2, 0, bytes, len);
}

static struct id make_inventory(struct net *n, const char *name)
{
	struct inventory_row *rows = calloc(ROWS, sizeof(*rows));
	struct id root;
	size_t kept;
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(rows[i].hostname, sizeof(rows[i].hostname), "%s-%zu", name, i);
		strcpy(rows[i].site, "leeds");
	}
	assert_int_equal(inventory_build(rows, ROWS, publish_blob, n, &root, &kept), ERR_OK);
	free(rows);
	return root;
}

/* Each of its records names a root: they are fetched beside each other, whatever the records say of rows. */
static void test_what_an_operator_lists_is_fetched(void **state)
{
	struct net *n = net_met();
	(void)state;
	may_say(n, LOG_ROLE_INVENTORY, FIXTURE_DAY + 9);
	struct id tills = make_inventory(n, "till"), kiosks = make_inventory(n, "kiosk");
	struct id nothing_there = {{7}};
	size_t blobs = n->nodes[0].g->blob->present.count;
	assert_true(blobs > ROWS / 8);
	say_inventory(n, 5, &tills, ROWS);
	say_inventory(n, 6, &kiosks, 1);
	say_inventory(n, 7, &nothing_there, 1);
	net_run(n, 60000);
	for (size_t node = 1; node < 3; node++) {
		/* Nobody has the third. */
		assert_int_equal(wanted_beside(n, node, &tills), 1);
		assert_int_equal(wanted_beside(n, node, &kiosks), 1);
		assert_true(n->nodes[node].g->blob->present.count >= blobs);
	}
	/* What nobody has is given up for a while. */
	net_run(n, 700000);
	assert_true(operators_blobs(n->nodes[1].g, identity_id(n->f.other))->vain);
	net_free(n);
}

/* Nobody but operators, and these within their roles. */
static void test_each_kind_takes_its_role(void **state)
{
	static const uint8_t roles[] = {LOG_ROLE_INCIDENTS, LOG_ROLE_INCIDENTS, LOG_ROLE_INCIDENTS,
					LOG_ROLE_POLICY,    LOG_ROLE_INVENTORY, LOG_ROLE_DECOMMISSION};
	(void)state;
	for (uint8_t kind = RECORD_INCIDENT; kind <= RECORD_DECOMMISSION; kind++) {
		for (uint8_t role = 1; role <= LOG_ROLE_DECOMMISSION; role *= 2) {
			struct net *n = net_met();
			uint8_t bytes[LIMIT_RECORD_BYTES];
			size_t len;
			struct record_key key = {.kind = kind,
						 .writer = *identity_id(n->f.other),
						 .subject = *net_id(n, 2),
						 .slot = 9};
			bool may = role == roles[kind - RECORD_INCIDENT];
			may_say(n, role, FIXTURE_DAY + 9);
			assert_int_equal(record_sign(&key, 1, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
						     &n->f.keys.estate, n->f.other, bytes, &len),
					 ERR_OK);
			net_push(n, 2, 0, bytes, len);
			net_run(n, 3000);
			assert_true(net_has(n, 0, &key, 1));
			assert_int_equal(net_issue(n, 0, ISSUE_OUT_OF_ROLE, &key.writer) == NULL, may);
			assert_int_equal(net_member(n, 0, 2)->retired, may && kind == RECORD_DECOMMISSION);
			/* A host has none, nor does a stranger. */
			const struct identity *others[] = {n->nodes[2].identity, n->f.issuer};
			for (size_t i = 0; i < 2; i++) {
				key.writer = *identity_id(others[i]);
				assert_int_equal(record_sign(&key, 1000, 1, FIXTURE_NOW,
							     (const uint8_t *)"\x80", 1, &n->f.keys.estate,
							     others[i], bytes, &len),
						 ERR_OK);
				net_push(n, 2, 0, bytes, len);
				net_run(n, 3000);
				assert_false(net_has(n, 0, &key, 1000));
			}
			net_free(n);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_newest_stand_in_whatever_order_they_came),
	    cmocka_unit_test(test_of_one_seq_the_lowest_ids_stand),
	    cmocka_unit_test(test_a_decommission_hangs_on_its_role),
	    cmocka_unit_test(test_what_an_operator_lists_is_fetched),
	    cmocka_unit_test(test_each_kind_takes_its_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
