/* What operators say, as questions see it: only of those in force and within their roles, whatever came in
 * which order; what closes, replaces and adds up. */
#include "os/file.h"
#include "record/listing.h"
#include "store/query_lists.h"
#include "store/store_private.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/query_estate.h"

#define ALL_ROLES 15

struct world {
	struct fixture f;
	struct id estate;
	struct identity *ada, *bob; /* operators of all roles */
	struct store *store;
	const char *state, *replica;
	uint64_t seq;
	struct store_stats stats; /* at the last commit */
};

static void appoint(struct world *w, const struct identity *who, const char *name, uint8_t roles,
		    wall_day last_day)
{
	struct fixture_entry e;
	assert_int_equal(authlog_make_operator(w->f.log, w->f.authority, identity_public_key(who), name,
					       roles, last_day, FIXTURE_NOW, e.bytes, &e.len),
			 ERR_OK);
	fixture_append(&w->f, &e);
	assert_int_equal(store_put_operators(w->store, w->f.log), ERR_OK);
}

static void open_store(struct world *w)
{
	bool aside = true;
	assert_int_equal(store_open(w->replica, &w->estate, identity_id(w->f.host), &w->store, &aside, NULL),
			 ERR_OK);
	assert_false(aside);
}

static void begin(struct world *w, struct scratch *s)
{
	*w = (struct world){.state = scratch_path(s, "estate"), .replica = scratch_path(s, "estate/replica")};
	fixture_make(&w->f, 3);
	w->estate = *authlog_estate(w->f.log);
	assert_int_equal(identity_generate(&w->f.rng, &w->ada), ERR_OK);
	assert_int_equal(identity_generate(&w->f.rng, &w->bob), ERR_OK);
	assert_int_equal(os_dir_make(w->state, 0750, NULL), ERR_OK);
	open_store(w);
	appoint(w, w->ada, "Ada", ALL_ROLES, FIXTURE_DAY + 1);
	appoint(w, w->bob, "Bob", ALL_ROLES, FIXTURE_DAY + 1);
}

static void end(struct world *w)
{
	store_close(w->store);
	identity_free(w->ada);
	identity_free(w->bob);
	fixture_release(&w->f);
}

/* LMDB is not opened twice in a process: the store is closed until done. */
static struct query *commit(struct world *w)
{
	struct query *q;
	struct err_info info = {0};
	assert_int_equal(store_flush(w->store, FIXTURE_NOW, &info), ERR_OK);
	store_stats(w->store, &w->stats);
	store_close(w->store);
	w->store = NULL;
	enum err err = query_open(w->state, FIXTURE_NOW, &q, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return q;
}

static void done(struct world *w, struct query *q)
{
	query_close(q);
	open_store(w);
}

/* A second later with each. */
static struct record_key put(struct world *w, const struct identity *who, uint8_t kind,
			     const struct id *subject, uint64_t slot, const uint8_t *body, size_t len)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t bytes_len;
	struct record_key key = {kind, *identity_id(who), *subject, slot};
	w->seq++;
	assert_int_equal(record_sign(&key, w->seq, 1, FIXTURE_NOW + w->seq * 1000, body, len, &w->estate, who,
				     bytes, &bytes_len),
			 ERR_OK);
	assert_int_equal(store_put_record(w->store, &key, bytes, bytes_len, FIXTURE_NOW), ERR_OK);
	return key;
}

static struct record_key say_incident(struct world *w, const struct identity *who, uint64_t slot,
				      const char *text)
{
	struct incident i = {.op = INCIDENT_OPEN, .match_count = 1, .match = {{2, TERM_EQUAL, "csagent"}}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	strcpy(i.text, text);
	assert_int_equal(incident_encode(&i, body, &len), ERR_OK);
	return put(w, who, RECORD_INCIDENT, &w->estate, slot, body, len);
}

static void say_closed(struct world *w, const struct identity *who, uint64_t slot, uint64_t incident)
{
	struct incident i = {.op = INCIDENT_CLOSE, .incident = incident, .text = "all back"};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(incident_encode(&i, body, &len), ERR_OK);
	(void)put(w, who, RECORD_INCIDENT, &w->estate, slot, body, len);
}

static void say_claim(struct world *w, const struct identity *who, uint64_t slot, enum claim_op op,
		      enum claim_scope scope, const struct id *subject)
{
	struct claim c = {.incident = 7, .op = op, .scope = scope, .text = "on my way"};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(claim_encode(&c, body, &len), ERR_OK);
	(void)put(w, who, RECORD_CLAIM, subject, slot, body, len);
}

#define INCIDENTS "SELECT incident, text, opened_by, open, closed_by, closed_text FROM incidents ORDER BY 1"

static void incidents_are_opened_and_closed(void **state)
{
	struct world w;
	begin(&w, *state);
	say_incident(&w, w.ada, 7, "tills are down");
	say_incident(&w, w.bob, 8, "and kiosks");
	/* A word too many: another incident's slot, and one that nobody opened. */
	say_closed(&w, w.bob, 9, 7);
	say_closed(&w, w.ada, 10, 99);
	struct query *q = commit(&w);
	assert_string_equal(text_of(q, INCIDENTS), "0000000000000007|tills are down|Ada|0|Bob|all back\n"
						   "0000000000000008|and kiosks|Bob|1|NULL|NULL\n");
	assert_string_equal(text_of(q, "SELECT DISTINCT matches, good FROM incidents"),
			    "name = 'csagent'|NULL\n");
	assert_int_equal(number_of(q, "SELECT opened_ms FROM incidents WHERE open"), FIXTURE_NOW + 2000);
	assert_int_equal(number_of(q, "SELECT closed_ms FROM incidents WHERE NOT open"), FIXTURE_NOW + 3000);
	done(&w, q);
	end(&w);
}

/* What does not count is kept, and comes back when the log says so. */
static void only_operators_in_force_are_heard(void **state)
{
	struct world w;
	struct identity *limited, *late;
	begin(&w, *state);
	assert_int_equal(identity_generate(&w.f.rng, &limited), ERR_OK);
	assert_int_equal(identity_generate(&w.f.rng, &late), ERR_OK);
	appoint(&w, limited, "Eve", LOG_ROLE_INVENTORY | LOG_ROLE_POLICY | LOG_ROLE_DECOMMISSION,
		FIXTURE_DAY + 1);
	appoint(&w, late, "Old", LOG_ROLE_INCIDENTS, FIXTURE_DAY - 1);
	say_incident(&w, w.ada, 7, "heard");
	say_incident(&w, limited, 8, "not of her role");
	say_incident(&w, late, 9, "after his last day");
	say_incident(&w, w.f.host, 10, "of a host");
	say_closed(&w, limited, 11, 7);
	say_claim(&w, limited, 12, CLAIM_DONE, CLAIM_HOST, identity_id(w.f.host));
	/* About something else than the estate. */
	struct incident i = {.op = INCIDENT_OPEN, .text = "astray"};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(incident_encode(&i, body, &len), ERR_OK);
	put(&w, w.ada, RECORD_INCIDENT, identity_id(w.f.host), 13, body, len);
	/* No body of its kind. */
	put(&w, w.ada, RECORD_INCIDENT, &w.estate, 14, (const uint8_t *)"\x80", 1);
	struct query *q = commit(&w);
	assert_string_equal(text_of(q, INCIDENTS), "0000000000000007|heard|Ada|1|NULL|NULL\n");
	assert_int_equal(number_of(q, "SELECT count(*) FROM claims"), 0);
	done(&w, q);

	appoint(&w, limited, "Eve", ALL_ROLES, FIXTURE_DAY + 1);
	q = commit(&w);
	assert_int_equal(number_of(q, "SELECT count(*) FROM incidents"), 2);
	assert_int_equal(number_of(q, "SELECT count(*) FROM incidents WHERE NOT open"), 1);
	assert_int_equal(number_of(q, "SELECT count(*) FROM claims"), 1);
	done(&w, q);

	struct fixture_entry revocation = fixture_revoke(&w.f, LOG_REVOKE_OPERATOR, identity_id(w.ada));
	fixture_append(&w.f, &revocation);
	assert_int_equal(store_put_operators(w.store, w.f.log), ERR_OK);
	q = commit(&w);
	assert_string_equal(text_of(q, INCIDENTS), "0000000000000008|not of her role|Eve|1|NULL|NULL\n");
	done(&w, q);
	identity_free(limited);
	identity_free(late);
	end(&w);
}

static void the_last_claim_of_each_stands(void **state)
{
	struct world w;
	const struct id *host, leeds = id_of_site("leeds");
	begin(&w, *state);
	host = identity_id(w.f.host);
	say_incident(&w, w.ada, 7, "tills");
	/* Slots are random: seq alone gives the order. */
	say_claim(&w, w.ada, 40, CLAIM_CLAIM, CLAIM_HOST, host);
	say_claim(&w, w.ada, 20, CLAIM_DONE, CLAIM_HOST, host);
	say_claim(&w, w.bob, 30, CLAIM_CLAIM, CLAIM_HOST, host);
	say_claim(&w, w.ada, 50, CLAIM_CLAIM, CLAIM_SITE, &leeds);
	struct query *q = commit(&w);
	assert_string_equal(
	    text_of(q, "SELECT operator, op, about, stands, text FROM claims ORDER BY time_ms"),
	    "Ada|claim|host|0|on my way\nAda|done|host|1|on my way\nBob|claim|host|1|on my way\n"
	    "Ada|claim|site|1|on my way\n");
	assert_int_equal(number_of(q, "SELECT count(*) FROM claims JOIN incidents USING (incident)"), 4);
	done(&w, q);

	/* Notes say what they are about where that is known. */
	struct note n = {.incident = 7, .text = "key under the mat"};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(note_encode(&n, body, &len), ERR_OK);
	put(&w, w.bob, RECORD_NOTE, &w.estate, 60, body, len);
	n.incident = 0;
	assert_int_equal(note_encode(&n, body, &len), ERR_OK);
	put(&w, w.bob, RECORD_NOTE, &leeds, 61, body, len);
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len = fixture_certificate(&w.f, w.f.host, certificate);
	struct record r;
	assert_int_equal(record_parse(certificate, certificate_len, &r), ERR_OK);
	assert_int_equal(store_put_record(w.store, &r.key, certificate, certificate_len, FIXTURE_NOW),
			 ERR_OK);
	put(&w, w.bob, RECORD_NOTE, host, 62, body, len);
	q = commit(&w);
	assert_string_equal(
	    text_of(q, "SELECT incident, operator, about, site, text FROM notes ORDER BY time_ms"),
	    "0000000000000007|Bob|estate|NULL|key under the mat\n"
	    "NULL|Bob|site|leeds|key under the mat\nNULL|Bob|host|leeds|key under the mat\n");
	assert_string_equal(text_of(q, "SELECT DISTINCT site FROM claims"), "leeds\n");
	done(&w, q);
	end(&w);
}

/* --- lists --- */

struct shelf {
	struct {
		struct id id;
		uint8_t bytes[LIMIT_BLOB_BYTES];
		size_t len;
	} blobs[64];
	size_t count;
};

static enum err keep(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct shelf *s = context;
	assert_true(s->count < 64);
	s->blobs[s->count].id = *id;
	memcpy(s->blobs[s->count].bytes, blob, len);
	s->blobs[s->count++].len = len;
	return ERR_OK;
}

static void put_blobs(struct world *w, const struct shelf *s, size_t first, size_t behind)
{
	for (size_t i = first; i < behind; i++)
		assert_int_equal(
		    store_put_blob(w->store, &s->blobs[i].id, s->blobs[i].bytes, s->blobs[i].len), ERR_OK);
}

/* Machines NAME-0 on, at leeds. */
static struct listing list_machines(struct shelf *s, const char *name, size_t count)
{
	struct inventory_row *rows = calloc(count, sizeof(*rows));
	struct listing l = {.title = "tills"};
	size_t kept;
	for (size_t i = 0; i < count; i++) {
		snprintf(rows[i].hostname, sizeof(rows[i].hostname), "%s-%zu", name, i);
		strcpy(rows[i].site, "leeds");
	}
	s->count = 0;
	assert_int_equal(inventory_build(rows, count, keep, s, &l.root, &kept), ERR_OK);
	l.rows = (uint32_t)kept;
	free(rows);
	return l;
}

static struct record_key say_list(struct world *w, const struct identity *who, uint8_t kind, uint64_t slot,
				  const struct listing *l)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(listing_encode(l, body, &len), ERR_OK);
	return put(w, who, kind, &w->estate, slot, body, len);
}

static long machines(struct query *q, const char *like)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM inventory WHERE name LIKE '%s'", like);
	return number_of(q, sql);
}

static struct query_inventory counted(struct query *q)
{
	struct query_coverage c;
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	return c.inventory;
}

#define LISTS "SELECT record, operator, state, replaced_by FROM lists ORDER BY record"

static void inventories_add_up_and_replace(void **state)
{
	static struct shelf a, b, c;
	struct world w;
	begin(&w, *state);
	struct query *q = commit(&w);
	assert_false(counted(q).known);
	assert_int_equal(machines(q, "%"), 0);
	done(&w, q);

	/* The record first, then what it names: the list last, as meshd hands it over. */
	struct listing till = list_machines(&a, "till", 100), kiosk = list_machines(&b, "kiosk", 30);
	say_list(&w, w.ada, RECORD_INVENTORY, 70, &till);
	q = commit(&w);
	assert_false(counted(q).known);
	assert_string_equal(text_of(q, "SELECT kind, record, title, row_count, state FROM lists"),
			    "inventory|0000000000000046|tills|100|waiting\n");
	done(&w, q);
	put_blobs(&w, &a, 0, a.count - 1);
	q = commit(&w);
	assert_int_equal(machines(q, "%"), 0);
	done(&w, q);
	put_blobs(&w, &a, a.count - 1, a.count);
	q = commit(&w);
	assert_int_equal(machines(q, "till-%"), 100);
	assert_true(counted(q).known && !counted(q).partial);
	assert_int_equal(counted(q).machines, 100);
	assert_int_equal(counted(q).never_enrolled, 100);
	done(&w, q);

	/* Another operator's adds up; the same machine in both counts once. */
	put_blobs(&w, &b, 0, b.count);
	say_list(&w, w.bob, RECORD_INVENTORY, 71, &kiosk);
	say_list(&w, w.bob, RECORD_INVENTORY, 72, &till);
	q = commit(&w);
	assert_int_equal(machines(q, "%"), 230);
	assert_int_equal(counted(q).machines, 130);
	assert_string_equal(
	    text_of(q, "SELECT operator, record, count(*) FROM inventory GROUP BY 2 ORDER BY 2"),
	    "Ada|0000000000000046|100\nBob|0000000000000047|30\nBob|0000000000000048|100\n");
	done(&w, q);

	/* One that replaces both, and is not here yet: the old ones stand until it is. */
	struct listing desk = list_machines(&c, "desk", 5);
	desk.replaces[0] = 70;
	desk.replaces[1] = 72;
	desk.replaces[2] = 73; /* itself */
	desk.replace_count = 3;
	say_list(&w, w.ada, RECORD_INVENTORY, 73, &desk);
	q = commit(&w);
	assert_int_equal(machines(q, "%"), 230);
	assert_string_equal(text_of(q, LISTS), "0000000000000046|Ada|in force|NULL\n"
					       "0000000000000047|Bob|in force|NULL\n"
					       "0000000000000048|Bob|in force|NULL\n"
					       "0000000000000049|Ada|waiting|NULL\n");
	done(&w, q);
	put_blobs(&w, &c, 0, c.count);
	q = commit(&w);
	assert_string_equal(text_of(q, LISTS), "0000000000000046|Ada|replaced|0000000000000049\n"
					       "0000000000000047|Bob|in force|NULL\n"
					       "0000000000000048|Bob|replaced|0000000000000049\n"
					       "0000000000000049|Ada|in force|NULL\n");
	assert_int_equal(machines(q, "desk-%"), 5);
	assert_int_equal(machines(q, "kiosk-%"), 30);
	assert_int_equal(machines(q, "%"), 35);
	done(&w, q);

	/* Who is revoked has replaced nothing. */
	struct fixture_entry revocation = fixture_revoke(&w.f, LOG_REVOKE_OPERATOR, identity_id(w.ada));
	fixture_append(&w.f, &revocation);
	assert_int_equal(store_put_operators(w.store, w.f.log), ERR_OK);
	q = commit(&w);
	assert_int_equal(machines(q, "till-%"), 100);
	assert_int_equal(machines(q, "%"), 130);
	assert_string_equal(text_of(q, LISTS), "0000000000000047|Bob|in force|NULL\n"
					       "0000000000000048|Bob|in force|NULL\n");
	done(&w, q);
	end(&w);
}

static void lists_survive_a_start_and_a_lost_blob(void **state)
{
	static struct shelf a;
	struct world w;
	begin(&w, *state);
	struct listing till = list_machines(&a, "till", 40);
	/* A blob below a root that is here, as after damage: what is there is shown, and said to be a part.
	 */
	put_blobs(&w, &a, 1, a.count);
	struct record_key key = say_list(&w, w.ada, RECORD_INVENTORY, 70, &till);
	struct query *q = commit(&w);
	assert_true(counted(q).known && counted(q).partial);
	assert_true(machines(q, "%") < 40);
	done(&w, q);
	put_blobs(&w, &a, 0, 1);
	q = commit(&w);
	assert_int_equal(machines(q, "till-%"), 40);
	assert_false(counted(q).partial);
	done(&w, q);
	/* Nothing is made anew that stands. */
	say_incident(&w, w.bob, 7, "tills");
	q = commit(&w);
	assert_int_equal(machines(q, "till-%"), 40);
	done(&w, q);
	assert_int_equal(w.stats.blocks, 0);
	/* A root that is found damaged goes, until it comes again: what it stands for is not in force. */
	struct row_key root = row_key_id(TABLE_BLOBS, &a.blobs[a.count - 1].id);
	assert_int_equal(store_put_row(w.store, &root, NULL, 0), ERR_OK);
	q = commit(&w);
	assert_false(counted(q).known);
	done(&w, q);
	put_blobs(&w, &a, a.count - 1, a.count);
	q = commit(&w);
	assert_int_equal(machines(q, "till-%"), 40);
	done(&w, q);
	/* The record goes, as when its operator wrote too many after it: its rows too. */
	assert_int_equal(store_drop_record(w.store, &key), ERR_OK);
	q = commit(&w);
	assert_int_equal(machines(q, "%"), 0);
	assert_false(counted(q).known);
	done(&w, q);
	end(&w);
}

static void policies_say_what_is_approved(void **state)
{
	static struct shelf s;
	struct world w;
	struct listing l = {.rows = 2};
	size_t kept;
	const struct policy_row rows[] = {{.kind = COMPONENT_MODULE,
					   .name = "csagent",
					   .name_op = TERM_EQUAL,
					   .version_op = TERM_LESS,
					   .version = "7.11"},
					  {.name = "nv",
					   .name_op = TERM_PREFIX,
					   .version_op = TERM_EQUAL,
					   .refused = true,
					   .remark = "until July"}};
	begin(&w, *state);
	assert_int_equal(policy_build(rows, 2, keep, &s, &l.root, &kept), ERR_OK);
	put_blobs(&w, &s, 0, s.count);
	say_list(&w, w.bob, RECORD_POLICY, 80, &l);
	/* An inventory that names a policy's rows lists nothing. */
	say_list(&w, w.bob, RECORD_INVENTORY, 81, &l);
	struct query *q = commit(&w);
	assert_string_equal(
	    text_of(q, "SELECT verdict, kind, name, name_op, version, version_op, remark, operator FROM "
		       "policy ORDER BY 1"),
	    "approved|module|csagent|=|7.11|<|NULL|Bob\nrefused|NULL|nv|begins with|NULL|=|until July|Bob\n");
	assert_int_equal(machines(q, "%"), 0);
	done(&w, q);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(incidents_are_opened_and_closed, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(only_operators_in_force_are_heard, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(the_last_claim_of_each_stands, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(inventories_add_up_and_replace, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(lists_survive_a_start_and_a_lost_blob, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(policies_say_what_is_approved, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("query lists", tests, NULL, NULL);
}
