/* Operators come and go, say and unsay, lists replace each other, hosts change their names and states, in any
 * order: after each stretch of commits questions say what is found in the records one by one. */
#include "base/prng.h"
#include "record/body.h"
#include "record/listing.h"
#include "store/store_private.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/oracle_lists.h"
#include "tests/unit/query_estate.h"

#define STRETCHES 80
#define COMMITS   4
#define OPERATORS 3
#define LISTS     8
#define POOL      400
#define BLOBS     200

struct world {
	const char *state, *replica;
	struct store *store;
	struct prng prng;
	struct id estate, self;
	struct identity *operators[OPERATORS];
	struct {
		struct record_key key;
		uint8_t bytes[LIMIT_RECORD_BYTES];
		size_t len;
	} pool[POOL];
	size_t pool_count;
	struct {
		struct id id;
		uint8_t bytes[LIMIT_BLOB_BYTES];
		size_t len;
	} blobs[BLOBS];
	size_t blob_count;
	struct host_state hosts[HOSTS];
	size_t host_count;
	uint64_t seq;
};

static bool take_host(void *context, const struct host_state *state)
{
	struct world *w = context;
	w->hosts[w->host_count++] = *state;
	return true;
}

static bool take_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct world *w = context;
	struct record r;
	(void)received;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	if (r.key.kind > RECORD_PROFILE || w->pool_count == POOL)
		return true;
	w->pool[w->pool_count].key = r.key;
	memcpy(w->pool[w->pool_count].bytes, bytes, len);
	w->pool[w->pool_count++].len = len;
	return true;
}

static void open_store(struct world *w)
{
	bool aside = true;
	assert_int_equal(store_open(w->replica, &w->estate, &w->self, &w->store, &aside, NULL), ERR_OK);
	assert_false(aside);
}

/* --- what there is to say --- */

static void add(struct world *w, const struct identity *who, uint8_t kind, const struct id *subject,
		uint64_t slot, const uint8_t *body, size_t len)
{
	struct record_key key = {kind, *identity_id(who), *subject, slot};
	wall_ms time = NOW - prng_below(&w->prng, 3) * CLOCK_DAY_MS;
	assert_true(w->pool_count < POOL);
	assert_int_equal(record_sign(&key, ++w->seq, 1, time, body, len, &w->estate, who,
				     w->pool[w->pool_count].bytes, &w->pool[w->pool_count].len),
			 ERR_OK);
	w->pool[w->pool_count++].key = key;
}

static enum err keep(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct world *w = context;
	assert_true(w->blob_count < BLOBS);
	w->blobs[w->blob_count].id = *id;
	memcpy(w->blobs[w->blob_count].bytes, blob, len);
	w->blobs[w->blob_count++].len = len;
	return ERR_OK;
}

/* Names and asset ids from small sets, so that lists overlap, and hosts have some of them. */
static void add_list(struct world *w, uint64_t slot)
{
	struct inventory_row rows[30];
	struct listing l = {.title = "machines"};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len, kept;
	memset(rows, 0, sizeof(rows));
	for (size_t i = 0; i < 30; i++) {
		uint64_t what = prng_below(&w->prng, 8);
		snprintf(rows[i].site, sizeof(rows[i].site), "site-%u", (unsigned)prng_below(&w->prng, 3));
		if (what < 6)
			snprintf(rows[i].hostname, sizeof(rows[i].hostname), "%s-%u",
				 prng_chance(&w->prng, 0.5) ? "till" : "Till",
				 (unsigned)prng_below(&w->prng, 40));
		if (what >= 4 && what < 7)
			snprintf(rows[i].asset_ids[rows[i].asset_id_count++], 16, "A%u",
				 (unsigned)prng_below(&w->prng, 40));
		if (what == 5)
			snprintf(rows[i].asset_ids[rows[i].asset_id_count++], 16, "B%u",
				 (unsigned)prng_below(&w->prng, 40));
		if (what == 7 || prng_chance(&w->prng, 0.2))
			snprintf(rows[i].address, sizeof(rows[i].address), "street %u",
				 (unsigned)prng_below(&w->prng, 9));
	}
	assert_int_equal(inventory_build(rows, 30, keep, w, &l.root, &kept), ERR_OK);
	l.rows = (uint32_t)kept;
	while (prng_chance(&w->prng, 0.3) && l.replace_count < 3)
		l.replaces[l.replace_count++] = 1000 + prng_below(&w->prng, LISTS);
	assert_int_equal(listing_encode(&l, body, &len), ERR_OK);
	add(w, w->operators[prng_below(&w->prng, OPERATORS)], RECORD_INVENTORY, &w->estate, slot, body, len);
}

static void add_words(struct world *w)
{
	for (uint64_t i = 1; i <= 30; i++) {
		const struct identity *who = w->operators[prng_below(&w->prng, OPERATORS)];
		bool close = prng_chance(&w->prng, 0.3);
		struct incident incident = {.op = close ? INCIDENT_CLOSE : INCIDENT_OPEN,
					    .incident = close ? 1 + prng_below(&w->prng, 30) : 0,
					    .text = "tills"};
		struct claim c = {.incident = 1 + prng_below(&w->prng, 3),
				  .op = (enum claim_op)(1 + prng_below(&w->prng, 4)),
				  .scope = CLAIM_HOST};
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		size_t len;
		assert_int_equal(incident_encode(&incident, body, &len), ERR_OK);
		add(w, who, RECORD_INCIDENT, prng_chance(&w->prng, 0.9) ? &w->estate : &w->self, i, body,
		    len);
		assert_int_equal(claim_encode(&c, body, &len), ERR_OK);
		add(w, who, RECORD_CLAIM, &w->hosts[prng_below(&w->prng, 4)].host, 100 + i, body, len);
	}
}

/* Another name: the store asks for no signature. */
static void add_profiles(struct world *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		const struct record_key key = {
		    .kind = RECORD_PROFILE, .writer = w->hosts[i].host, .subject = w->hosts[i].host};
		struct profile p;
		uint8_t bytes[LIMIT_RECORD_BYTES], body[LIMIT_RECORD_BODY_BYTES];
		struct record r;
		size_t len, body_len;
		wall_ms received;
		if (store_get_record(w->store, &key, bytes, &len, &received) != ERR_OK)
			continue;
		assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
		assert_int_equal(profile_decode(r.body, r.body_len, &p), ERR_OK);
		p.hostname.status = prng_chance(&w->prng, 0.9) ? READING_OK : READING_DENIED;
		snprintf(p.hostname.value, sizeof(p.hostname.value), "till-%u",
			 (unsigned)prng_below(&w->prng, 40));
		p.asset_id_count = (size_t)prng_below(&w->prng, 3);
		for (size_t k = 0; k < 2; k++)
			snprintf(p.asset_ids[k], sizeof(p.asset_ids[k]), "%c%u", k == 0 ? 'A' : 'B',
				 (unsigned)prng_below(&w->prng, 40));
		assert_int_equal(profile_encode(&p, body, &body_len), ERR_OK);
		assert_int_equal(record_sign(&key, r.seq + 1, 1, NOW, body, body_len, &w->estate,
					     w->operators[0], w->pool[w->pool_count].bytes,
					     &w->pool[w->pool_count].len),
				 ERR_OK);
		/* Signed by another: its fixed place is where the writer stands. */
		memcpy(w->pool[w->pool_count].bytes + 5, key.writer.b, ID_BYTES);
		w->pool[w->pool_count++].key = key;
	}
}

/* --- at random --- */

static void appoint(struct world *w)
{
	size_t i = (size_t)prng_below(&w->prng, OPERATORS);
	struct operator_state o = {.id = *identity_id(w->operators[i]),
				   .roles =
				       prng_chance(&w->prng, 0.8) ? 15 : (uint8_t)prng_below(&w->prng, 16),
				   .last_day = clock_day(NOW) - (wall_day)prng_below(&w->prng, 3),
				   .revoked = prng_chance(&w->prng, 0.2)};
	struct row_key key = row_key_id(TABLE_OPERATORS, &o.id);
	struct row_value row;
	assert_int_equal(row_encode_operator(&key, &o, &row), ERR_OK);
	bool gone = prng_chance(&w->prng, 0.1);
	assert_int_equal(store_put_row(w->store, &key, row.bytes, gone ? 0 : row.len), ERR_OK);
}

static void change_one(struct world *w)
{
	size_t at = (size_t)prng_below(&w->prng, w->pool_count);
	size_t blob = (size_t)prng_below(&w->prng, w->blob_count);
	struct host_state *h = &w->hosts[prng_below(&w->prng, w->host_count)];
	struct issue issue = {.kind = ISSUE_HOST_REVOKED, .subject = h->host, .since = NOW, .last = NOW};
	switch (prng_below(&w->prng, 12)) {
	case 0:
		assert_int_equal(store_drop_record(w->store, &w->pool[at].key), ERR_OK);
		break;
	case 1:
		appoint(w);
		break;
	case 2:
		h->status = (enum host_status)prng_below(&w->prng, 8);
		h->standing = prng_chance(&w->prng, 0.1) ? STANDING_REVOKED : STANDING_GOOD;
		assert_int_equal(store_put_host_state(w->store, h), ERR_OK);
		break;
	case 3:
		issue.over = prng_chance(&w->prng, 0.7);
		assert_int_equal(store_put_issue(w->store, &issue), ERR_OK);
		break;
	case 4:
	case 5:
	case 6: {
		/* What it names may come later, or never; or a root goes, as a damaged row does. */
		struct row_key key = row_key_id(TABLE_BLOBS, &w->blobs[blob].id);
		if (w->blobs[blob].bytes[1] == BLOB_LIST && prng_chance(&w->prng, 0.3))
			assert_int_equal(store_put_row(w->store, &key, NULL, 0), ERR_OK);
		else
			assert_int_equal(store_put_blob(w->store, &w->blobs[blob].id, w->blobs[blob].bytes,
							w->blobs[blob].len),
					 ERR_OK);
		break;
	}
	default:
		assert_int_equal(
		    store_put_record(w->store, &w->pool[at].key, w->pool[at].bytes, w->pool[at].len, NOW),
		    ERR_OK);
	}
}

/* --- comparing --- */

static void assert_lines(struct query *q, const char *sql, const struct oracle_lines *expected)
{
	static struct answer a;
	struct err_info info = {0};
	enum err err = ask(q, sql, &a, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	const char *at = a.text;
	for (size_t i = 0; i < expected->count; i++) {
		size_t len = strcspn(at, "\n");
		char line[ORACLE_LINE_BYTES];
		snprintf(line, sizeof(line), "%.*s", (int)len, at);
		assert_string_equal(line, expected->lines[i]);
		at += len + 1;
	}
	assert_int_equal(a.rows, expected->count);
}

static void check(struct world *w, size_t *seen)
{
	struct snapshot *s;
	struct oracle_lists expected;
	struct query_coverage c;
	store_close(w->store);
	assert_int_equal(snapshot_open(w->state, &s, NULL), ERR_OK);
	oracle_lists(s, &expected);
	snapshot_close(s);
	struct query *q = open_query(w->state);
	assert_lines(
	    q,
	    "SELECT * FROM (SELECT operator_id, record, name, asset_ids, site, address, enrolled, host "
	    "FROM inventory) ORDER BY operator_id || '|' || record || '|' || ifnull(name, 'NULL') || "
	    "'|' || ifnull(asset_ids, 'NULL') || '|' || site || '|' || ifnull(address, 'NULL') || '|' "
	    "|| ifnull(enrolled, 'NULL') || '|' || ifnull(host, 'NULL')",
	    &expected.inventory);
	assert_lines(q, "SELECT incident, opened_by_id, text, open FROM incidents ORDER BY 1, 2, 3, 4",
		     &expected.incidents);
	assert_lines(q,
		     "SELECT incident, operator_id, subject, op, stands FROM claims ORDER BY 1, 2, 3, 4, 5",
		     &expected.claims);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.inventory.known, expected.known);
	assert_int_equal(c.inventory.machines, expected.machines);
	assert_int_equal(c.inventory.never_enrolled, expected.never_enrolled);
	*seen += expected.inventory.count + expected.incidents.count + expected.claims.count;
	query_close(q);
	oracle_lists_free(&expected);
	open_store(w);
}

static void begin(struct world *w, struct scratch *s)
{
	struct crypto_rng_seeded seeded;
	struct crypto_rng rng = crypto_rng_from_seed(&seeded, 11);
	struct snapshot *snapshot;
	*w = (struct world){.state = scratch_path(s, "estate"), .replica = scratch_path(s, "estate/replica")};
	prng_seed(&w->prng, 41);
	make_estate(w->state);
	assert_int_equal(snapshot_open(w->state, &snapshot, NULL), ERR_OK);
	w->estate = snapshot_meta(snapshot)->estate;
	w->self = snapshot_meta(snapshot)->self;
	snapshot_close(snapshot);
	open_store(w);
	for (size_t i = 0; i < OPERATORS; i++)
		assert_int_equal(identity_generate(&rng, &w->operators[i]), ERR_OK);
	assert_int_equal(store_each_host_state(w->store, take_host, w), ERR_OK);
	assert_int_equal(store_each_record(w->store, take_record, w), ERR_OK);
	for (uint64_t i = 0; i < LISTS; i++)
		add_list(w, 1000 + i);
	add_words(w);
	add_profiles(w);
	for (unsigned i = 0; i < 12; i++)
		appoint(w);
}

static void questions_say_what_records_say(void **state)
{
	static struct world w;
	size_t seen = 0;
	begin(&w, *state);
	for (unsigned stretch = 0; stretch < STRETCHES; stretch++) {
		for (unsigned i = 0; i < COMMITS; i++) {
			for (uint64_t k = 1 + prng_below(&w.prng, prng_chance(&w.prng, 0.6) ? 2 : 40); k > 0;
			     k--)
				change_one(&w);
			assert_int_equal(store_flush(w.store, NOW, NULL), ERR_OK);
		}
		check(&w, &seen);
	}
	assert_true(seen > 20 * (size_t)STRETCHES);
	store_close(w.store);
	for (size_t i = 0; i < OPERATORS; i++)
		identity_free(w.operators[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(questions_say_what_records_say, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("query lists random", tests, NULL, NULL);
}
