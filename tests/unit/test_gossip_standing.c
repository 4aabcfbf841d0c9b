/* Whose word counts: revocations, ends of grants, quotas, and the issues that tell of them. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>

#include "gossip/standing.h"
#include "tests/unit/gossip_net.h"

#define STRANGERS 80

/* Certificate number `i` of machines that nobody runs. */
static size_t stranger_of(struct net *n, const struct identity *issuer, unsigned i, uint64_t seq,
			  const char *site, struct id *ret_id, uint8_t ret[LIMIT_CERTIFICATE_BYTES])
{
	uint8_t seed[KEY_BYTES] = {(uint8_t)i, (uint8_t)(i >> 8), 0x57};
	struct identity *identity;
	struct certificate c = {.enrolled = FIXTURE_DAY - 20, .seq = seq};
	size_t len;
	assert_int_equal(identity_from_seed(seed, &identity), ERR_OK);
	memcpy(c.site, site, strlen(site) + 1);
	certificate_consent(&c, identity, identity_id(issuer), &n->f.keys.estate);
	assert_int_equal(certificate_issue(&c, issuer, &n->f.keys.estate, 1, FIXTURE_NOW, ret, &len), ERR_OK);
	*ret_id = *identity_id(identity);
	identity_free(identity);
	return len;
}

static size_t stranger(struct net *n, unsigned i, const char *site, struct id *ret_id,
		       uint8_t ret[LIMIT_CERTIFICATE_BYTES])
{
	return stranger_of(n, n->f.issuer, i, 1, site, ret_id, ret);
}

static struct authlog_grant quota_grant(const struct net *n, uint32_t quota)
{
	struct authlog_grant grant = fixture_grant(n->f.issuer);
	grant.quota = quota;
	return grant;
}

static uint64_t roster(const struct net *n, size_t node)
{
	return site_roster_hash(n->nodes[node].g->self->site);
}

static uint64_t root(const struct net *n, size_t node)
{
	struct gossip_status s;
	gossip_status(n->nodes[node].g, &s);
	return s.estate_root;
}

static void test_the_revoked_leave_rosters_and_sets_and_stay_known(void **state)
{
	struct net *n = net_met();
	struct record_key profile = {
	    .kind = RECORD_PROFILE, .writer = *net_id(n, 2), .subject = *net_id(n, 2)};
	struct host_state host;
	(void)state;
	size_t records = set_count(n->nodes[0].g->set);
	net_revoke(n, 1, LOG_REVOKE_HOST, net_id(n, 2), NULL);
	net_run(n, 10000);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(net_standing(n, i, net_id(n, 2)), STANDING_REVOKED);
		assert_int_equal(n->nodes[i].g->self->site->count, 2);
		assert_true(net_has(n, i, &profile, 1));
		assert_non_null(net_issue(n, i, ISSUE_HOST_REVOKED, net_id(n, 2)));
		assert_true(gossip_host_state(n->nodes[i].g, net_id(n, 2), &host));
		assert_int_equal(host.status, HOST_LEFT);
		assert_false(net_member(n, i, 2)->session);
	}
	assert_true(set_count(n->nodes[0].g->set) >= records);
	assert_int_equal(roster(n, 0), roster(n, 1));
	assert_int_equal(root(n, 0), root(n, 1));
	/* Whoever starts with what the replica holds comes to the same. */
	net_start(n, 0, &n->nodes[1].address);
	net_run(n, 10000);
	assert_int_equal(net_standing(n, 0, net_id(n, 2)), STANDING_REVOKED);
	assert_true(net_has(n, 0, &profile, 1));
	assert_int_equal(roster(n, 0), roster(n, 1));
	assert_int_equal(root(n, 0), root(n, 1));
	/* And a newcomer, who is not given it. */
	n->nodes[0].row_count = n->nodes[0].issue_count = 0;
	net_start(n, 0, &n->nodes[1].address);
	net_run(n, 10000);
	assert_null(net_member(n, 0, 2));
	assert_non_null(net_issue(n, 0, ISSUE_HOST_REVOKED, net_id(n, 2)));
	assert_int_equal(roster(n, 0), roster(n, 1));
	assert_int_equal(root(n, 0), root(n, 1));
	net_free(n);
}

static void test_an_issuer_is_revoked_with_its_hosts(void **state)
{
	struct net *n = net_met();
	struct id id;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t len = stranger(n, 1, "leeds", &id, certificate);
	(void)state;
	net_revoke(n, 1, LOG_REVOKE_ISSUER, identity_id(n->f.issuer), NULL);
	assert_int_equal(net_standing(n, 1, net_id(n, 0)), STANDING_REVOKED);
	assert_int_equal(net_standing(n, 1, net_id(n, 2)), STANDING_REVOKED);
	const struct issue *issue = net_issue(n, 1, ISSUE_ISSUER_REVOKED, identity_id(n->f.issuer));
	assert_non_null(issue);
	assert_int_equal(issue->count, 3);
	assert_int_equal(core_accept_record(n->nodes[1].g, certificate, len, NULL, CORE_HOPS_PULLED),
			 ERR_RANGE);
	assert_null(member_find(n->nodes[1].g, &id));
	net_free(n);
}

static void days_pass(struct net *n, unsigned days)
{
	n->wall += days * CLOCK_DAY_MS;
	net_run(n, 10000);
}

static void test_a_grant_ends_and_an_extension_brings_its_hosts_back(void **state)
{
	struct net *n = net_met();
	const struct id *issuer = identity_id(n->f.issuer);
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	(void)state;
	days_pass(n, 31);
	assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_GRACE);
	assert_non_null(net_issue(n, 0, ISSUE_GRANT_IN_GRACE, issuer));
	assert_true(net_member(n, 0, 1)->session);
	days_pass(n, 8);
	assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_ENDED);
	assert_null(net_issue(n, 0, ISSUE_GRANT_IN_GRACE, issuer));
	assert_non_null(net_issue(n, 0, ISSUE_GRANT_ENDED, issuer));
	assert_false(net_member(n, 0, 1)->session);
	assert_int_equal(net_member(n, 0, 1)->state.status, HOST_UNKNOWN);
	/* One of them hears of the extension; the others pull it though they do not trust each other yet. */
	assert_int_equal(authlog_make_extend(n->nodes[0].log, n->f.authority, NULL,
					     &(wall_day){FIXTURE_DAY + 400}, NULL, FIXTURE_NOW, entry, &len),
			 ERR_OK);
	assert_int_equal(net_log(n, 0, entry, len), ERR_OK);
	net_run(n, 60000);
	for (size_t i = 0; i < NET_NODES; i++) {
		assert_int_equal(net_standing(n, i, net_id(n, (i + 1) % NET_NODES)), STANDING_GOOD);
		assert_int_equal(net_member(n, i, (i + 1) % NET_NODES)->state.status, HOST_UP);
		assert_null(net_issue(n, i, ISSUE_GRANT_ENDED, issuer));
		assert_int_equal(root(n, i), root(n, 0));
	}
	net_free(n);
}

/* Three nodes with quota 5, and `count` certificates more pushed to node 0. */
static struct net *crowded(unsigned count, struct id ids[STRANGERS])
{
	struct net *n = net_met();
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	struct authlog_grant grant = quota_grant(n, 5);
	net_grant(n, 0, &grant);
	for (unsigned i = 0; i < count; i++) {
		size_t len = stranger(n, i, "york", &ids[i], certificate);
		net_push(n, 2, 0, certificate, len);
		net_run(n, 50);
	}
	net_run(n, 10000);
	return n;
}

static void test_beyond_the_quota_the_last_to_come_have_no_say(void **state)
{
	struct id ids[STRANGERS];
	struct net *n = crowded(10, ids);
	const struct id *issuer = identity_id(n->f.issuer);
	struct member *picked[16];
	(void)state;
	/* The three nodes and the first two. */
	for (size_t node = 0; node < NET_NODES; node++) {
		for (unsigned i = 0; i < 10; i++)
			assert_int_equal(net_standing(n, node, &ids[i]),
					 i < 2 ? STANDING_GOOD : STANDING_QUARANTINED);
		assert_int_equal(net_standing(n, node, net_id(n, 1)), STANDING_GOOD);
		assert_non_null(net_issue(n, node, ISSUE_QUARANTINED, &ids[9]));
		assert_int_equal(net_issue(n, node, ISSUE_OVER_QUOTA, issuer)->count, 8);
		assert_int_equal(root(n, node), root(n, 0));
		assert_int_equal(site_find_name(n->nodes[node].g, "york")->count, 10);
	}
	/* The same after a restart, whatever order the replica has. */
	net_start(n, 0, NULL);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(net_standing(n, 0, &ids[i]), i < 2 ? STANDING_GOOD : STANDING_QUARANTINED);
	net_run(n, 10000);
	struct member *m = net_member(n, 0, 1);
	m->state.standing = STANDING_QUARANTINED;
	assert_int_equal(member_pick(n->nodes[0].g, NULL, 16, picked), 1);
	assert_ptr_equal(picked[0], net_member(n, 0, 2));
	/* A larger quota releases them in order. */
	struct authlog_grant grant = quota_grant(n, 9);
	net_grant(n, 0, &grant);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(net_standing(n, 0, &ids[i]), i < 6 ? STANDING_GOOD : STANDING_QUARANTINED);
	assert_null(net_issue(n, 0, ISSUE_QUARANTINED, &ids[5]));
	grant = quota_grant(n, 100);
	net_grant(n, 0, &grant);
	assert_null(net_issue(n, 0, ISSUE_OVER_QUOTA, issuer));
	net_free(n);
}

static void test_so_many_are_kept_beyond_the_quota_and_no_more(void **state)
{
	struct id ids[STRANGERS];
	struct net *n = crowded(STRANGERS, ids);
	(void)state;
	assert_int_equal(n->nodes[0].g->members.count, 5 + LIMIT_OVER_QUOTA);
	uint64_t before = net_counters(n, 0)->verifications;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	struct id id;
	size_t len = stranger(n, 1000, "york", &id, certificate);
	assert_int_equal(core_accept_record(n->nodes[0].g, certificate, len, NULL, CORE_HOPS_PULLED),
			 ERR_RANGE);
	assert_int_equal(net_counters(n, 0)->verifications, before);
	net_free(n);
}

/* Whoever holds the token can issue a newer certificate for a host that is there: it keeps its place. */
static void test_a_newer_certificate_pushes_nobody_to_the_end(void **state)
{
	struct id ids[STRANGERS];
	struct net *n = crowded(10, ids);
	struct certificate c = {.enrolled = FIXTURE_DAY, .seq = 77, .site = "leeds"};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	(void)state;
	certificate_consent(&c, n->nodes[1].identity, identity_id(n->f.issuer), &n->f.keys.estate);
	assert_int_equal(
	    certificate_issue(&c, n->f.issuer, &n->f.keys.estate, 1, FIXTURE_NOW + n->now, bytes, &len),
	    ERR_OK);
	net_push(n, 2, 0, bytes, len);
	net_run(n, 5000);
	struct record_key key = {
	    .kind = RECORD_CERTIFICATE, .writer = *identity_id(n->f.issuer), .subject = *net_id(n, 1)};
	assert_true(net_has(n, 0, &key, 77));
	assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_GOOD);
	net_start(n, 0, NULL);
	assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_GOOD);
	assert_int_equal(net_standing(n, 0, &ids[1]), STANDING_GOOD);
	assert_int_equal(net_standing(n, 0, &ids[2]), STANDING_QUARANTINED);
	net_free(n);
}

static void test_who_is_over_the_quota_signs_nothing_that_counts(void **state)
{
	struct net *n = net_met();
	struct site *s = n->nodes[0].g->self->site;
	struct member *signers[LIMIT_WITNESSES];
	(void)state;
	assert_int_equal(state_signers(n->nodes[0].g, s, signers), 3);
	net_member(n, 0, 2)->state.standing = STANDING_QUARANTINED;
	assert_int_equal(state_signers(n->nodes[0].g, s, signers), 2);
	assert_int_equal(witness_live(n->nodes[0].g, signers), 2);
	assert_int_equal(s->count, 3);
	net_free(n);
}

static size_t sign(struct net *n, size_t node, uint8_t kind, uint64_t seq, uint64_t instance, wall_ms time,
		   uint8_t ret[LIMIT_RECORD_BYTES])
{
	struct record_key key = {.kind = kind, .writer = *net_id(n, node), .subject = *net_id(n, node)};
	struct health health = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES] = {0x80};
	size_t len = 1, ret_len;
	if (kind == RECORD_HEALTH)
		assert_int_equal(health_encode(&health, body, &len), ERR_OK);
	assert_int_equal(record_sign(&key, seq, instance, time, body, len, &n->f.keys.estate,
				     n->nodes[node].identity, ret, &ret_len),
			 ERR_OK);
	return ret_len;
}

/* With the highest counter a thief would have the node reserve, sign and try without end. */
static void test_a_counter_is_not_caught_up_with_to_its_end(void **state)
{
	struct net *n = net_met();
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len = sign(n, 1, RECORD_HEALTH, (1ull << 63) - 1, 9, n->wall, bytes);
	uint64_t seq = n->nodes[1].g->seq_next, signatures = net_counters(n, 1)->signatures;
	(void)state;
	net_push(n, 2, 1, bytes, len);
	net_push(n, 2, 0, bytes, len);
	net_run(n, 20000);
	assert_true(n->nodes[1].g->seq_next < seq + 1000);
	assert_true(net_counters(n, 1)->signatures < signatures + 100);
	assert_non_null(net_issue(n, 1, ISSUE_CLONED, net_id(n, 1)));
	/* It still speaks of all else, and the next start does not take the counter from its replica. */
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *net_id(n, 1), .subject = *net_id(n, 1)};
	net_publish(n, 1, RECORD_CRASHES, (const uint8_t *)"\x80", 1);
	net_publish(n, 1, RECORD_HEALTH, bytes + RECORD_BODY_OFFSET, len - RECORD_ENVELOPE_BYTES);
	net_run(n, 2000);
	assert_true(net_has(n, 0, &key, seq));
	net_start(n, 1, NULL);
	assert_true(n->nodes[1].g->seq_next < 1u << 20);
	net_free(n);
}

/* What no longer holds has ended when the node comes back. */
static void test_issues_of_a_former_log_end_at_the_start(void **state)
{
	struct net *n = net_met();
	(void)state;
	n->nodes[0].issues[n->nodes[0].issue_count++] =
	    (struct issue){.kind = ISSUE_GRANT_ENDED, .subject = *identity_id(n->f.issuer), .since = 1};
	n->nodes[0].issues[n->nodes[0].issue_count++] =
	    (struct issue){.kind = ISSUE_EQUIVOCATION, .subject = *net_id(n, 2), .since = 1, .last = n->wall};
	net_start(n, 0, NULL);
	assert_null(net_issue(n, 0, ISSUE_GRANT_ENDED, identity_id(n->f.issuer)));
	assert_non_null(net_issue(n, 0, ISSUE_EQUIVOCATION, net_id(n, 2)));
	/* An event nobody takes back ends in time. */
	n->wall += 8 * CLOCK_DAY_MS;
	net_run(n, 20000);
	assert_null(net_issue(n, 0, ISSUE_EQUIVOCATION, net_id(n, 2)));
	net_free(n);
}

static void test_a_host_that_two_issuers_certified_stands_by_the_other(void **state)
{
	struct net *n = net_met();
	struct authlog_grant grant = fixture_grant(n->f.other);
	struct certificate c = {.enrolled = FIXTURE_DAY - 20, .seq = 1, .site = "leeds"};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	(void)state;
	net_grant(n, 0, &grant);
	certificate_consent(&c, n->nodes[1].identity, identity_id(n->f.other), &n->f.keys.estate);
	assert_int_equal(certificate_issue(&c, n->f.other, &n->f.keys.estate, 1, FIXTURE_NOW, bytes, &len),
			 ERR_OK);
	net_push(n, 2, 0, bytes, len);
	net_revoke(n, 0, LOG_REVOKE_ISSUER, identity_id(n->f.issuer), NULL);
	assert_int_equal(net_standing(n, 0, net_id(n, 2)), STANDING_REVOKED);
	assert_int_equal(net_standing(n, 0, net_id(n, 1)), STANDING_GOOD);
	assert_true(id_equal(&net_member(n, 0, 1)->issuer, identity_id(n->f.other)));
	net_free(n);
}

/* Host `i` of `issuer` in a site of its own. */
static enum err enrol(struct net *n, const struct identity *issuer, unsigned i, uint64_t seq, unsigned site)
{
	char name[LIMIT_SITE_NAME_BYTES];
	struct id id;
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	snprintf(name, sizeof(name), "site-%u", site);
	size_t len = stranger_of(n, issuer, i, seq, name, &id, bytes);
	net_run(n, 50);
	return core_accept_record(n->nodes[0].g, bytes, len, NULL, CORE_HOPS_PULLED);
}

/* Node 0 alone, and a second issuer with a quota of 1,000. */
static struct net *two_issuers(void)
{
	struct net *n = net_new();
	struct authlog_grant grant = fixture_grant(n->f.other);
	net_start(n, 0, NULL);
	grant.quota = 1000;
	net_grant(n, 0, &grant);
	return n;
}

static void test_who_invents_sites_leaves_as_many_to_others(void **state)
{
	struct net *n = two_issuers();
	struct authlog_grant grant = fixture_grant(n->f.other);
	(void)state;
	unsigned i = 0;
	while (i < LIMIT_SITES && enrol(n, n->f.other, i, 1, i) == ERR_OK)
		i++;
	assert_int_equal(i, LIMIT_SITES / 2);
	assert_int_equal(enrol(n, n->f.other, i, 1, i), ERR_RANGE);
	/* In those there are it enrols on; another issuer opens new ones. */
	assert_int_equal(enrol(n, n->f.other, 2000, 1, 7), ERR_OK);
	assert_int_equal(enrol(n, n->f.issuer, 2001, 1, 2001), ERR_OK);
	assert_int_equal(enrol(n, n->f.other, 2002, 1, 2001), ERR_OK);
	/* The authority can name the sites. */
	grant.quota = 1000;
	grant.site_count = 1;
	memcpy(grant.sites[0], "site-2003", sizeof("site-2003"));
	net_grant(n, 0, &grant);
	assert_int_equal(enrol(n, n->f.other, 2003, 1, 2003), ERR_OK);
	/* What the revoked have opened is open to others. */
	net_revoke(n, 0, LOG_REVOKE_ISSUER, identity_id(n->f.other), NULL);
	assert_int_equal(site_find_name(n->nodes[0].g, "site-7")->live, 0);
	assert_int_equal(enrol(n, n->f.issuer, 2004, 1, 7), ERR_OK);
	assert_true(id_equal(&site_find_name(n->nodes[0].g, "site-7")->opener, identity_id(n->f.issuer)));
	net_free(n);
}

/* One host that is certified anew for another site each time takes the place of one site. */
static void test_sites_that_nobody_names_any_more_give_way(void **state)
{
	struct net *n = two_issuers();
	(void)state;
	for (unsigned i = 0; i < LIMIT_SITES + 200; i++) {
		net_run(n, 1000); /* the issuer's share */
		assert_int_equal(enrol(n, n->f.other, 1, i + 1, i), ERR_OK);
	}
	assert_int_equal(n->nodes[0].g->members.site_count, LIMIT_SITES);
	assert_int_equal(enrol(n, n->f.issuer, 2, 1, 3000), ERR_OK);
	assert_non_null(site_find_name(n->nodes[0].g, "site-3000"));
	assert_int_equal(site_find_name(n->nodes[0].g, "site-3000")->count, 1);
	for (size_t i = 1; i < LIMIT_SITES; i++)
		assert_true(id_compare(&n->nodes[0].g->members.sites[i - 1]->id,
				       &n->nodes[0].g->members.sites[i]->id) < 0);
	net_free(n);
}

/* Otherwise each move of a host would leave records behind that a newcomer refuses. */
static void test_what_was_said_of_a_former_home_goes_with_the_move(void **state)
{
	struct net *n = net_met();
	struct record_key leeds = {
	    .kind = RECORD_REACH, .writer = *net_id(n, 1), .subject = n->nodes[0].g->self->site->id};
	struct certificate c = {.enrolled = FIXTURE_DAY - 20, .seq = 77, .site = "york"};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	(void)state;
	assert_int_equal(record_sign(&leeds, 70, 1, FIXTURE_NOW, (const uint8_t *)"\x80", 1,
				     &n->f.keys.estate, n->nodes[1].identity, bytes, &len),
			 ERR_OK);
	net_push(n, 1, 0, bytes, len);
	net_run(n, 2000);
	assert_true(net_has(n, 0, &leeds, 70) && net_has(n, 2, &leeds, 70));
	size_t rows = n->nodes[0].row_count;
	certificate_consent(&c, n->nodes[1].identity, identity_id(n->f.issuer), &n->f.keys.estate);
	assert_int_equal(
	    certificate_issue(&c, n->f.issuer, &n->f.keys.estate, 1, FIXTURE_NOW + n->now, bytes, &len),
	    ERR_OK);
	net_push(n, 2, 0, bytes, len);
	net_run(n, 5000);
	assert_string_equal(net_member(n, 0, 1)->site->name, "york");
	for (size_t i = 0; i < NET_NODES; i++)
		assert_false(net_has(n, i, &leeds, 1));
	assert_true(n->nodes[0].row_count < rows);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_who_invents_sites_leaves_as_many_to_others),
	    cmocka_unit_test(test_sites_that_nobody_names_any_more_give_way),
	    cmocka_unit_test(test_what_was_said_of_a_former_home_goes_with_the_move),
	    cmocka_unit_test(test_the_revoked_leave_rosters_and_sets_and_stay_known),
	    cmocka_unit_test(test_an_issuer_is_revoked_with_its_hosts),
	    cmocka_unit_test(test_a_grant_ends_and_an_extension_brings_its_hosts_back),
	    cmocka_unit_test(test_beyond_the_quota_the_last_to_come_have_no_say),
	    cmocka_unit_test(test_so_many_are_kept_beyond_the_quota_and_no_more),
	    cmocka_unit_test(test_a_newer_certificate_pushes_nobody_to_the_end),
	    cmocka_unit_test(test_who_is_over_the_quota_signs_nothing_that_counts),
	    cmocka_unit_test(test_a_counter_is_not_caught_up_with_to_its_end),
	    cmocka_unit_test(test_issues_of_a_former_log_end_at_the_start),
	    cmocka_unit_test(test_a_host_that_two_issuers_certified_stands_by_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
