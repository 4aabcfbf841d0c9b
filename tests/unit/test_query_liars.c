/* Hosts that invent more components than a question may hold: the answers of the others stay as they were,
 * and say what was left out. */
#include "crypto/certificate.h"
#include "record/body.h"
#include "record/manifest.h"
#include "store/query_private.h"
#include "store/store.h"
#include "tests/unit/query_estate.h"

#define LIARS (LIMIT_ENTRIES / LIMIT_COMPONENTS + 5)

struct writing {
	struct store *store;
	struct id estate;
	struct identity *issuer;
};

static void flush_if_full(struct store *s)
{
	if (store_pending(s) > LIMIT_BATCH_ROWS - 400)
		assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
}

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	return store_put_blob(context, id, blob, len);
}

static void put_certificate(struct writing *w, const struct identity *host)
{
	struct certificate c = {.enrolled = 20000, .seq = 1, .site = "berlin"};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct record r;
	size_t len;
	certificate_consent(&c, host, identity_id(w->issuer), &w->estate);
	assert_int_equal(certificate_issue(&c, w->issuer, &w->estate, 1, NOW, bytes, &len), ERR_OK);
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(store_put_record(w->store, &r.key, bytes, len, NOW), ERR_OK);
}

static void put_liar(struct writing *w, unsigned number, size_t count, struct id *ret_host)
{
	static struct component list[LIMIT_COMPONENTS];
	uint8_t seed[KEY_BYTES] = {9, (uint8_t)number}, body[LIMIT_RECORD_BODY_BYTES],
		bytes[LIMIT_RECORD_BYTES];
	struct components c = {.module_support = READING_OK};
	struct identity *host;
	size_t entries, len;
	assert_int_equal(identity_from_seed(seed, &host), ERR_OK);
	for (size_t i = 0; i < count; i++) {
		list[i] = (struct component){.kind = COMPONENT_MODULE};
		snprintf(list[i].name, sizeof(list[i].name), "invented-%u-%zu", number, i);
	}
	assert_int_equal(manifest_build(list, count, NULL, emit, w->store, &c.manifest, &entries), ERR_OK);
	c.entry_count = (uint32_t)entries;
	assert_int_equal(components_encode(&c, body, &len), ERR_OK);
	struct record_key key = {.kind = RECORD_COMPONENTS, .subject = *identity_id(host)};
	assert_int_equal(record_sign(&key, 2, 1, NOW, body, len, &w->estate, host, bytes, &len), ERR_OK);
	key.writer = key.subject;
	assert_int_equal(store_put_record(w->store, &key, bytes, len, NOW), ERR_OK);
	put_certificate(w, host);
	flush_if_full(w->store);
	*ret_host = *identity_id(host);
	identity_free(host);
}

static void begin(struct writing *w, struct scratch *s)
{
	const uint8_t seed[KEY_BYTES] = {8};
	struct authlog *log;
	assert_int_equal(authlog_load(scratch_path(s, "estate/authority.log"), &log, NULL), ERR_OK);
	w->estate = *authlog_estate(log);
	assert_int_equal(identity_from_seed(seed, &w->issuer), ERR_OK);
	assert_int_equal(store_open(scratch_path(s, "estate/replica"), &w->estate, identity_id(w->issuer),
				    &w->store, NULL, NULL),
			 ERR_OK);
	authlog_free(log);
}

static void add_liars(struct writing *w)
{
	struct id host;
	for (unsigned i = 0; i < LIARS; i++)
		put_liar(w, i, LIMIT_COMPONENTS, &host);
	assert_int_equal(store_flush(w->store, NOW, NULL), ERR_OK);
}

static void end(struct writing *w)
{
	store_close(w->store);
	identity_free(w->issuer);
}

#define HONEST_SQL                                                                                           \
	"SELECT name, version, hosts, hosts_up, loaded_on FROM components WHERE name NOT LIKE 'invented-%' " \
	"ORDER BY entry"
#define HONEST_HOSTS_SQL                                                                                     \
	"SELECT count(*), sum(loaded) FROM host_components WHERE component NOT LIKE 'invented-%'"

static void invented_components_hide_no_others(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c;
	make_estate(folder);
	struct query *q = open_query(folder);
	char *components = strdup(text_of(q, HONEST_SQL)), *hosts = strdup(text_of(q, HONEST_HOSTS_SQL));
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.components_left_out, 0);
	query_close(q);
	struct writing w;
	begin(&w, *state);
	add_liars(&w);
	end(&w);

	q = open_query(folder);
	assert_string_equal(text_of(q, HONEST_SQL), components);
	assert_string_equal(text_of(q, HONEST_HOSTS_SQL), hosts);
	long left = number_of(q, "SELECT count(*) FROM components");
	/* Who is no good standing's may fill half of it. */
	assert_in_range(left, LIMIT_ENTRIES / 2, LIMIT_ENTRIES);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_in_range(c.components_left_out, 5, LIARS);
	assert_false(c.complete);
	query_close(q);
	/* The same in a question that never asked for the counts. */
	q = open_query(folder);
	assert_string_equal(text_of(q, HONEST_HOSTS_SQL), hosts);
	query_close(q);
	free(components);
	free(hosts);
}

static long invented_by(struct scratch *s, unsigned number)
{
	char sql[128];
	struct query *q = open_query(scratch_path(s, "estate"));
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM components WHERE name LIKE 'invented-%u-%%'",
		 number);
	long ret = number_of(q, sql);
	query_close(q);
	return ret;
}

/* What little it has is left out while nobody knows its host, and enters when the host begins to count. */
static void who_begins_to_count_is_let_in(void **state)
{
	struct writing w;
	struct id host;
	make_estate(scratch_path(*state, "estate"));
	begin(&w, *state);
	add_liars(&w);
	put_liar(&w, LIARS, 3, &host);
	assert_int_equal(store_flush(w.store, NOW, NULL), ERR_OK);
	assert_int_equal(invented_by(*state, LIARS), 0);
	struct host_state is = {.host = host, .status = HOST_LEFT, .issuer = *identity_id(w.issuer)};
	for (unsigned i = 0; i < 3; i++) {
		is.status = i % 2 == 0 ? HOST_LEFT : HOST_REPLACED;
		assert_int_equal(store_put_host_state(w.store, &is), ERR_OK);
		assert_int_equal(store_flush(w.store, NOW, NULL), ERR_OK);
	}
	assert_int_equal(invented_by(*state, LIARS), 0);
	is.status = HOST_UP;
	is.since = NOW;
	assert_int_equal(store_put_host_state(w.store, &is), ERR_OK);
	assert_int_equal(store_flush(w.store, NOW, NULL), ERR_OK);
	assert_int_equal(invented_by(*state, LIARS), 3);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(invented_components_hide_no_others, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(who_begins_to_count_is_let_in, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("query liars", tests, NULL, NULL);
}
