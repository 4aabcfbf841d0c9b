/* Several stolen hosts in league, and what their blobs, walks and edges can cost the others: node 2 speaks
 * for them, nodes 0 and 1 must go on as before. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>

#include "gossip/blob.h"
#include "record/manifest.h"
#include "tests/unit/gossip_net.h"

#define THIEF  2
#define LIARS  9
#define MINUTE 60000

static struct id list_of(struct net *n, size_t node, const struct id *ids, size_t count)
{
	uint8_t list[LIMIT_BLOB_BYTES] = {1, BLOB_LIST};
	memcpy(list + 2, ids, count * ID_BYTES);
	return net_blob(n, node, list, 2 + count * ID_BYTES);
}

static size_t components_body(const struct id *manifest, uint32_t entries, uint8_t *ret)
{
	struct components c = {.manifest = *manifest, .entry_count = entries};
	size_t len;
	assert_int_equal(components_encode(&c, ret, &len), ERR_OK);
	return len;
}

static void publish(struct net *n, size_t node, const struct id *manifest, uint32_t entries)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	net_publish(n, node, RECORD_COMPONENTS, body, components_body(manifest, entries, body));
}

static struct id nothing(uint64_t salt)
{
	struct id id;
	hash_bytes(id.b, 16, "test", &salt, sizeof(salt));
	return id;
}

/* `lists` lists of 63 blobs that nobody has. */
static struct id emptiness(struct net *n, size_t lists, uint64_t salt)
{
	struct id roots[63], leaves[63];
	for (size_t i = 0; i < lists; i++) {
		for (size_t k = 0; k < 63; k++)
			leaves[k] = nothing(salt * 100000 + i * 100 + k);
		roots[i] = list_of(n, THIEF, leaves, 63);
	}
	return list_of(n, THIEF, roots, lists);
}

/* A host that the thief enrolled, or stole, and its word about its components. */
static void liar(struct net *n, const struct id *manifest, uint32_t entries)
{
	struct identity *identity;
	uint8_t bytes[LIMIT_RECORD_BYTES], body[LIMIT_RECORD_BODY_BYTES];
	assert_int_equal(identity_generate(&n->f.rng, &identity), ERR_OK);
	net_push(n, THIEF, 0, bytes, fixture_certificate(&n->f, identity, bytes));
	struct record_key key = {.kind = RECORD_COMPONENTS, .subject = *identity_id(identity)};
	size_t len, body_len = components_body(manifest, entries, body);
	assert_int_equal(
	    record_sign(&key, 5, 1, FIXTURE_NOW, body, body_len, &n->f.keys.estate, identity, bytes, &len),
	    ERR_OK);
	net_push(n, THIEF, 0, bytes, len);
	identity_free(identity);
}

static struct blob *blobs(struct net *n)
{
	return n->nodes[0].g->blob;
}

static bool has(struct net *n, const struct id *id)
{
	return idset_has(&blobs(n)->present, id);
}

static void test_liars_in_league_leave_room_for_a_manifest(void **state)
{
	struct net *n = net_met();
	const uint8_t chunk[] = {1, BLOB_COMPONENTS, 0x90};
	(void)state;
	for (size_t i = 0; i < LIARS; i++) {
		struct id manifest = emptiness(n, 12, i + 1);
		liar(n, &manifest, 3000);
		net_run(n, 20000);
	}
	assert_true(blobs(n)->count > BLOB_WANTED / 2);
	struct id id = net_blob(n, 1, chunk, sizeof(chunk));
	struct id manifest = list_of(n, 1, &id, 1);
	publish(n, 1, &manifest, 1);
	net_run(n, 5000);
	assert_true(has(n, &id) && has(n, &manifest));
	/* What nobody has is given up, and wanted again now and then for a while. */
	net_run(n, 15 * MINUTE);
	size_t calm = 0;
	for (size_t i = 0; i < 20; i++) {
		net_run(n, MINUTE);
		calm += blobs(n)->count < BLOB_WANTED / 4;
	}
	assert_true(calm > 10);
	net_free(n);
}

static void test_in_a_full_table_the_greediest_gives_way(void **state)
{
	struct net *n = net_met();
	struct gossip *g = n->nodes[0].g;
	struct member *thief = net_member(n, 0, THIEF), *other = net_member(n, 0, 1);
	(void)state;
	uint64_t salt = 0;
	while (thief->blobs.wanted < 100)
		blob_want(g, &(struct id){{1, (uint8_t)++salt}}, NULL, &thief->blobs, 1);
	/* All else belongs to the log. */
	while (blobs(n)->count < BLOB_WANTED) {
		struct id id = nothing(++salt);
		blob_want(g, &id, NULL, NULL, 0);
	}
	struct id log = nothing(++salt), one = nothing(++salt);
	blob_want(g, &log, NULL, NULL, 0);
	blob_want(g, &one, NULL, &other->blobs, 0);
	assert_true(blob_wanted(g, &log) && blob_wanted(g, &one));
	assert_int_equal(thief->blobs.wanted, 98);
	assert_int_equal(blobs(n)->count, BLOB_WANTED);
	net_free(n);
}

static void test_what_was_given_up_is_found_again(void **state)
{
	struct net *n = net_met();
	const uint8_t chunk[] = {1, BLOB_COMPONENTS, 0x90};
	(void)state;
	struct id id = blob_id(chunk, sizeof(chunk));
	uint8_t list[2 + ID_BYTES] = {1, BLOB_LIST};
	memcpy(list + 2, id.b, ID_BYTES);
	struct id manifest = blob_id(list, sizeof(list));
	publish(n, THIEF, &manifest, 1);
	net_run(n, MINUTE);
	assert_true(blob_wanted(n->nodes[0].g, &manifest));
	net_run(n, 10 * MINUTE);
	bool again = false;
	size_t wanted = 0;
	for (size_t i = 0; i < 60; i++) { /* now and then, and not for long */
		net_run(n, MINUTE);
		again |= blob_wanted(n->nodes[0].g, &manifest);
		wanted += blob_wanted(n->nodes[0].g, &manifest);
	}
	assert_true(again && wanted < 30);
	net_blob(n, 1, chunk, sizeof(chunk));
	net_blob(n, 1, list, sizeof(list));
	net_run(n, 15 * MINUTE);
	assert_true(has(n, &manifest) && has(n, &id));
	net_free(n);
}

/* Blobs that do exist, so that others keep them. */
static struct id ballast(struct net *n, size_t count, uint64_t salt)
{
	struct id ids[63];
	for (size_t i = 0; i < count; i++) {
		uint8_t chunk[16] = {1, 200};
		uint64_t value = salt * 1000 + i;
		memcpy(chunk + 2, &value, sizeof(value));
		ids[i] = net_blob(n, THIEF, chunk, sizeof(chunk));
	}
	return list_of(n, THIEF, ids, count);
}

static void test_a_manifest_names_no_more_than_it_has_entries(void **state)
{
	struct net *n = net_met();
	struct id large = ballast(n, 60, 1), small = ballast(n, 18, 2);
	(void)state;
	publish(n, THIEF, &large, 20); /* 26 chunks at most */
	net_run(n, 10000);
	assert_false(has(n, &large));
	assert_int_equal(blobs(n)->present.count, 0);
	assert_int_equal(blobs(n)->count, 0);
	/* It keeps nobody from what is true of the same manifest. */
	liar(n, &large, 10);
	publish(n, 1, &large, 600);
	net_run(n, MINUTE);
	assert_true(has(n, &large));
	publish(n, THIEF, &small, 4);
	net_run(n, 10000);
	assert_true(has(n, &small));
	net_free(n);
}

static void test_manifests_without_end_cost_a_bounded_share(void **state)
{
	struct net *n = net_met();
	struct member *thief = net_member(n, 0, THIEF);
	(void)state;
	for (size_t i = 0; i < 1550; i++)
		blob_share_use(n->nodes[0].g, &thief->blobs);
	for (uint64_t salt = 1; salt <= 5; salt++) {
		struct id manifest = ballast(n, 10, salt);
		publish(n, THIEF, &manifest, 100);
		net_run(n, 5000);
	}
	assert_in_range(blobs(n)->present.count, 1, 11);
	/* Others go on, and in time it gets its share again. */
	struct id manifest = ballast(n, 5, 100), last;
	publish(n, 1, &manifest, 10);
	net_run(n, 5000);
	assert_true(has(n, &manifest));
	last = ballast(n, 3, 101);
	publish(n, THIEF, &last, 10);
	net_run(n, 30 * MINUTE);
	assert_true(has(n, &last));
	net_free(n);
}

/* --- who is senior --- */

static struct member *enrol(struct net *n, size_t at, struct identity *issuer)
{
	struct fixture f = n->f;
	struct identity *host;
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	assert_int_equal(identity_generate(&n->f.rng, &host), ERR_OK);
	f.issuer = issuer;
	size_t len = fixture_certificate(&f, host, bytes);
	assert_int_equal(core_accept_record(n->nodes[at].g, bytes, len, NULL, CORE_HOPS_PULLED), ERR_OK);
	struct member *m = member_find(n->nodes[at].g, identity_id(host));
	identity_free(host);
	return m;
}

static bool senior(struct net *n, size_t at, const struct member *m)
{
	return witness_senior(n->nodes[at].g, m, core_day(n->nodes[at].g));
}

static void test_whoever_holds_a_token_cannot_enrol_seniors(void **state)
{
	struct net *n = net_met();
	(void)state;
	net_days(n, 10);
	/* The certificate says ten days ago. */
	struct member *m = enrol(n, 0, n->f.issuer);
	assert_true(senior(n, 0, net_member(n, 0, 1)) && senior(n, 0, n->nodes[0].g->self));
	assert_false(senior(n, 0, m));
	net_days(n, 6);
	assert_false(senior(n, 0, m));
	net_days(n, 1);
	assert_true(senior(n, 0, m));
	net_free(n);
}

static void test_what_a_newcomer_catches_up_on_is_as_old_as_it_says(void **state)
{
	struct net *n = net_met();
	struct identity *issuer;
	struct authlog_grant grant;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	(void)state;
	net_days(n, 10);
	n->nodes[1].row_count = 0;
	net_start(n, 1, &n->nodes[0].address);
	net_run(n, 10000);
	assert_true(senior(n, 1, net_member(n, 1, 0)));
	/* But no older than the first grant to its issuer. */
	assert_int_equal(identity_generate(&n->f.rng, &issuer), ERR_OK);
	grant = fixture_grant(issuer);
	for (unsigned i = 0; i < 2; i++) {
		wall_ms at = n->wall + i * 3 * CLOCK_DAY_MS;
		grant.quota++;
		assert_int_equal(authlog_make_grant(n->nodes[1].log, n->f.authority, &grant, at, entry, &len),
				 ERR_OK);
		assert_int_equal(net_log(n, 1, entry, len), ERR_OK);
	}
	struct member *m = enrol(n, 1, issuer);
	assert_false(senior(n, 1, m));
	net_days(n, 7);
	assert_true(senior(n, 1, m));
	identity_free(issuer);
	net_free(n);
}

/* --- judging --- */

static void push_own(struct net *n, size_t of, uint8_t kind, const uint8_t *body, size_t len)
{
	static uint64_t seq = 100000;
	struct record_key key = {.kind = kind, .subject = *net_id(n, of)};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t record_len;
	assert_int_equal(record_sign(&key, ++seq, 1, FIXTURE_NOW, body, len, &n->f.keys.estate,
				     n->nodes[of].identity, bytes, &record_len),
			 ERR_OK);
	assert_int_equal(core_accept_record(n->nodes[0].g, bytes, record_len, NULL, 1), ERR_OK);
}

static void test_one_record_judges_one_host(void **state)
{
	struct net *n = net_met();
	struct site *s = n->nodes[0].g->self->site;
	const struct goodbye body = {.reason = GOODBYE_STOPPED};
	uint8_t bytes[LIMIT_RECORD_BODY_BYTES];
	struct host_state state_of;
	size_t len;
	(void)state;
	net_run(n, 1000);
	assert_false(s->stale);
	for (int i = 0; i < 20; i++)
		push_own(n, 1, RECORD_HEALTH, (const uint8_t *)"\x80", 1);
	assert_true(!s->stale && s->due_count == 1);
	/* A signer's goodbye is about all of whom it signed. */
	net_run(n, 200);
	size_t signer = 0;
	for (size_t i = 0; i < s->view_count; i++)
		for (size_t at = 1; at < NET_NODES; at++)
			signer = s->views[i].signer == net_member(n, 0, at) ? at : signer;
	assert_true(signer != 0 && !s->stale);
	assert_int_equal(goodbye_encode(&body, bytes, &len), ERR_OK);
	push_own(n, signer, RECORD_GOODBYE, bytes, len);
	assert_true(s->stale);
	net_run(n, 200);
	assert_true(gossip_host_state(n->nodes[0].g, net_id(n, signer), &state_of));
	assert_int_equal(state_of.status, HOST_STOPPED);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_liars_in_league_leave_room_for_a_manifest),
	    cmocka_unit_test(test_in_a_full_table_the_greediest_gives_way),
	    cmocka_unit_test(test_what_was_given_up_is_found_again),
	    cmocka_unit_test(test_a_manifest_names_no_more_than_it_has_entries),
	    cmocka_unit_test(test_manifests_without_end_cost_a_bounded_share),
	    cmocka_unit_test(test_whoever_holds_a_token_cannot_enrol_seniors),
	    cmocka_unit_test(test_what_a_newcomer_catches_up_on_is_as_old_as_it_says),
	    cmocka_unit_test(test_one_record_judges_one_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
