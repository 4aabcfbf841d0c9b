/* What answers say of all hosts is added up from site counts: it is what a look at every host's records says,
 * at any time of asking, also with those counts damaged; and whoever opens the replica to write mends them.
 */
#include "os/file.h"
#include "store/query_private.h"
#include "store/store.h"
#include "tests/unit/oracle.h"
#include "tests/unit/query_estate.h"

/* Ages of what is asked, in ms: around the bounds of freshness, and where some of a site's hosts are fresh.
 */
static const uint64_t ages[] = {0,       1000,     5000,     15000,    59000,     60000,     60001,
				75000,   90000,    120000,   300000,   600000,    1800000,   3600000,
				7200000, 14400000, 25200000, 86400000, 172800000, 2592000000};

#define AGE_COUNT (sizeof(ages) / sizeof(*ages))

static bool has_record(struct snapshot *s, const struct id *host, uint8_t kind)
{
	struct record_key record = {.kind = kind, .writer = *host, .subject = *host};
	struct row_key key = row_key_record(&record);
	struct row_value row;
	return snapshot_get(s, &key, &row) == ERR_OK;
}

static bool oracle_fresh(const struct oracle_host *h, const struct site_state *site, wall_ms attested,
			 wall_ms now)
{
	uint64_t bound =
	    (uint64_t)site->interval_s * 3000 > 60000 ? (uint64_t)site->interval_s * 3000 : 60000;
	if (h->state.status == HOST_DARK || h->state.status == HOST_STOPPED || h->state.status == HOST_ASLEEP)
		return true;
	return h->state.status == HOST_UP && attested != 0 && (attested >= now || now - attested <= bound);
}

static void count_host(struct snapshot *s, const struct oracle_host *h, const struct site_state *site,
		       wall_ms now, struct query_coverage *c)
{
	wall_ms seen = h->state.seen;
	wall_ms attested =
	    h->state.status == HOST_UP && site->last_rollcall > seen ? site->last_rollcall : seen;
	bool profile = has_record(s, &h->id, RECORD_PROFILE),
	     components = has_record(s, &h->id, RECORD_COMPONENTS);
	uint64_t *const counts[] = {&c->unknown, &c->up,     &c->silent, &c->dark,
				    &c->stopped, &c->asleep, &c->left,   &c->replaced};
	++*counts[h->state.status];
	if (h->state.status == HOST_LEFT || h->state.status == HOST_REPLACED)
		return;
	c->hosts++;
	bool quarantined = h->state.standing == STANDING_QUARANTINED;
	bool never = h->state.status == HOST_UNKNOWN && seen == 0 && !profile && !components;
	bool fresh = oracle_fresh(h, site, attested, now);
	c->quarantined += quarantined;
	c->never_heard += never;
	c->fresh += fresh;
	c->hosts_stale += !fresh && !quarantined && !never;
	c->incomplete += !(profile && components) && !quarantined && !never;
	if (h->state.status == HOST_UP && attested != 0 &&
	    (c->oldest_attested == 0 || attested < c->oldest_attested))
		c->oldest_attested = attested;
}

static struct query_coverage expected_at(const char *state, wall_ms now)
{
	struct query_coverage c = {.as_of = 0};
	struct oracle_roster roster;
	struct snapshot *s;
	struct err_info info = {0};
	assert_int_equal(snapshot_open(state, &s, &info), ERR_OK);
	assert_int_equal(oracle_roster_load(s, &roster, &info), ERR_OK);
	for (size_t i = 0; i < roster.host_count; i++)
		count_host(s, &roster.hosts[i], &roster.sites[roster.hosts[i].site].state, now, &c);
	c.revoked_hidden = roster.hidden_count;
	c.sites = roster.site_count;
	oracle_roster_free(&roster);
	snapshot_close(s);
	return c;
}

static void check(const char *state, wall_ms now, uint64_t damaged, struct query_coverage *ret)
{
	struct query_coverage expected = expected_at(state, now), have;
	struct query *q;
	struct err_info info = {0};
	assert_int_equal(query_open(state, now, &q, &info), ERR_OK);
	assert_int_equal(query_coverage(q, &have, &info), ERR_OK);
	query_close(q);
	assert_int_equal(have.hosts, expected.hosts);
	assert_int_equal(have.up, expected.up);
	assert_int_equal(have.silent, expected.silent);
	assert_int_equal(have.dark, expected.dark);
	assert_int_equal(have.stopped, expected.stopped);
	assert_int_equal(have.asleep, expected.asleep);
	assert_int_equal(have.left, expected.left);
	assert_int_equal(have.replaced, expected.replaced);
	assert_int_equal(have.unknown, expected.unknown);
	assert_int_equal(have.quarantined, expected.quarantined);
	assert_int_equal(have.revoked_hidden, expected.revoked_hidden);
	assert_int_equal(have.fresh, expected.fresh);
	assert_int_equal(have.never_heard, expected.never_heard);
	assert_int_equal(have.hosts_stale, expected.hosts_stale);
	assert_int_equal(have.incomplete, expected.incomplete);
	assert_int_equal(have.sites, expected.sites);
	assert_true(have.oldest_attested == expected.oldest_attested);
	assert_int_equal(have.damaged_rows, damaged);
	*ret = have;
}

static void make_trouble(const char *folder)
{
	struct estate_options o = {
	    .hosts = 300, .sites = 9, .seed = 5, .out = folder, .now = NOW, .trouble = true};
	struct err_info info = {0};
	assert_int_equal(estate_write(&o, &info), ERR_OK);
}

/* Without roll-calls each host has its own age. */
static bool drop_rollcall(void *context, const struct site_state *site)
{
	struct site_state s = *site;
	s.last_rollcall = 0;
	return store_put_site_state(context, &s) == ERR_OK;
}

/* Every fifth host keeps the one record, every seventh the other, and a few neither. */
static void drop_records(struct store *s, const struct oracle_roster *roster)
{
	for (size_t i = 0; i < roster->host_count; i++) {
		const struct id *id = &roster->hosts[i].id;
		struct record_key profile = {.kind = RECORD_PROFILE, .writer = *id, .subject = *id},
				  components = {.kind = RECORD_COMPONENTS, .writer = *id, .subject = *id};
		if (i % 5 == 0)
			assert_int_equal(store_drop_record(s, &profile), ERR_OK);
		if (i % 7 == 0)
			assert_int_equal(store_drop_record(s, &components), ERR_OK);
	}
}

static struct store *open_store(const char *state)
{
	struct snapshot *snapshot;
	struct store *s;
	struct err_info info = {0};
	char replica[LIMIT_PATH_BYTES];
	bool aside = true;
	assert_int_equal(snapshot_open(state, &snapshot, &info), ERR_OK);
	struct store_meta meta = *snapshot_meta(snapshot);
	snapshot_close(snapshot);
	snprintf(replica, sizeof(replica), "%s/replica", state);
	assert_int_equal(store_open(replica, &meta.estate, &meta.self, &s, &aside, &info), ERR_OK);
	assert_false(aside);
	return s;
}

static void sites_add_up_to_their_hosts(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c;
	struct oracle_roster roster;
	struct snapshot *snapshot;
	size_t some_fresh = 0;
	make_trouble(folder);
	assert_int_equal(snapshot_open(folder, &snapshot, NULL), ERR_OK);
	assert_int_equal(oracle_roster_load(snapshot, &roster, NULL), ERR_OK);
	snapshot_close(snapshot);
	for (int rollcalls = 1; rollcalls >= 0; rollcalls--) {
		for (size_t i = 0; i < AGE_COUNT; i++) {
			check(folder, NOW + ages[i], 0, &c);
			check(folder, NOW - ages[i], 0, &c);
			some_fresh += rollcalls == 0 && c.fresh > c.dark + c.stopped + c.asleep &&
				      c.hosts_stale > c.silent + c.unknown;
		}
		struct store *s = open_store(folder);
		assert_int_equal(store_each_site_state(s, drop_rollcall, s), ERR_OK);
		drop_records(s, &roster);
		assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
		store_close(s);
	}
	oracle_roster_free(&roster);
	/* Or nothing was added up host by host. */
	assert_true(some_fresh > 0);
}

static void damaged_counts_are_not_used(void **state)
{
	const char *folder = scratch_path(*state, "estate"),
		   *data = scratch_path(*state, "estate/replica/data.mdb");
	struct query_coverage good, bad;
	struct oracle_roster roster;
	struct snapshot *snapshot;
	uint8_t *file;
	size_t len, places = 0;
	make_trouble(folder);
	check(folder, NOW, 0, &good);
	assert_int_equal(snapshot_open(folder, &snapshot, NULL), ERR_OK);
	assert_int_equal(oracle_roster_load(snapshot, &roster, NULL), ERR_OK);
	struct row_key key = row_key_id(TABLE_SITE_COUNTS, &roster.sites[0].state.site);
	oracle_roster_free(&roster);
	snapshot_close(snapshot);
	assert_int_equal(os_file_read(data, 1 << 26, &file, &len, NULL), ERR_OK);
	for (uint8_t *at = file; (at = memmem(at, len - (size_t)(at - file), key.bytes, key.len)) != NULL;
	     at++) {
		at[key.len + ROW_HEADER_BYTES + 3] ^= 1;
		places++;
	}
	assert_true(places > 0);
	scratch_write(data, file, len, 0640);
	free(file);
	check(folder, NOW, 1, &bad);
	assert_false(bad.complete);
	struct store *s = open_store(folder);
	store_close(s);
	check(folder, NOW, 0, &good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(sites_add_up_to_their_hosts, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(damaged_counts_are_not_used, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("coverage", tests, NULL, NULL);
}
