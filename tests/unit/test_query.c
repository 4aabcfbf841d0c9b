/* Questions over a synthetic estate: right numbers, nothing but reading, bounded, honest about themselves. */
#include "os/file.h"
#include "store/tables_doc.h"
#include "tests/unit/query_estate.h"

static void every_table_answers(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	struct query *q = open_query(folder);
	static struct answer a;
	assert_null(query_table_at(19));
	const struct query_table *table;
	for (size_t i = 0; (table = query_table_at(i)) != NULL; i++) {
		char sql[128];
		snprintf(sql, sizeof(sql), "SELECT * FROM %s", table->name);
		assert_int_equal(ask(q, sql, &a, NULL), ERR_OK);
		assert_int_equal(a.columns, table->column_count);
		/* Nothing is wrong with this estate. */
		static const char *const quiet[] = {"issues", "issue_proofs", "hidden_hosts", "incidents",
						    "claims", "notes",        "policy"};
		bool trouble = false;
		for (size_t k = 0; k < sizeof(quiet) / sizeof(*quiet); k++)
			trouble = trouble || strcmp(table->name, quiet[k]) == 0;
		assert_true(trouble == (a.rows == 0));
		/* Each column under its documented name. */
		for (size_t k = 0; k < table->column_count; k++) {
			snprintf(sql, sizeof(sql), "SELECT \"%s\" FROM %s LIMIT 1", table->columns[k].name,
				 table->name);
			assert_int_equal(ask(q, sql, &a, NULL), ERR_OK);
		}
	}
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(DISTINCT host) FROM hosts"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(*) FROM sites"), SITES);
	assert_int_equal(number_of(q, "SELECT sum(hosts) FROM sites"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(*) FROM health"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(*) FROM crash_counts"), HOSTS * 7);
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts WHERE complete = 1"), HOSTS);
	assert_int_equal(number_of(q, "SELECT sum(components) FROM hosts"),
			 number_of(q, "SELECT count(*) FROM host_components"));
	assert_int_equal(number_of(q, "SELECT sum(hosts) FROM components"),
			 number_of(q, "SELECT count(*) FROM host_components"));
	assert_int_equal(number_of(q, "SELECT sum(loaded_on) FROM components"),
			 number_of(q, "SELECT sum(loaded) FROM host_components"));
	assert_int_equal(number_of(q,
				   "SELECT count(*) FROM components WHERE hosts <> hosts_up + hosts_dark + "
				   "hosts_other"),
			 0);
	assert_int_equal(number_of(q, "SELECT sum(hosts_up) FROM components WHERE name = 'edr_sensor'"),
			 number_of(q,
				   "SELECT count(*) FROM host_components WHERE component = 'edr_sensor' AND "
				   "status = 'up'"));
	assert_int_equal(number_of(q, "SELECT sum(crash_events) FROM hosts"),
			 number_of(q, "SELECT count(*) FROM crashes"));
	/* What a change names is known, also where the host itself has it no more. */
	assert_true(number_of(q, "SELECT count(*) FROM changes WHERE op = 'removed'") > 0);
	assert_true(
	    number_of(q, "SELECT count(*) FROM changes WHERE op = 'removed' AND component IS NOT NULL") > 0);
	assert_int_equal(number_of(q, "SELECT count(*) FROM changes c WHERE (component IS NULL) = "
				      "EXISTS (SELECT 1 FROM components k WHERE k.entry = c.entry)"),
			 0);
	query_close(q);
}

/* The + keeps a comparison from being pushed down: then SQLite itself looks at every row. */
static void two_components_of_one_host_are_found(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	struct query *q = open_query(folder);
#define BOTH(plus, a, b)                                                                                     \
	"SELECT count(*) FROM host_components x JOIN host_components y ON y.host = x.host WHERE " plus       \
	"x.component = '" a "' AND " plus "y.component = '" b "'"
	int64_t both = number_of(q, BOTH("+", "edr_sensor", "nvme"));
	assert_true(both > 0);
	assert_int_equal(number_of(q, BOTH("", "edr_sensor", "nvme")), both);
	assert_int_equal(number_of(q, BOTH("", "nvme", "edr_sensor")), both);
	assert_int_equal(number_of(q, "SELECT sum(loaded) FROM host_components WHERE component = "
				      "'edr_sensor'"),
			 number_of(q, "SELECT sum(loaded) FROM host_components WHERE +component = "
				      "'edr_sensor'"));
	/* A host's id that a cell just had, and one that it had not. */
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts a JOIN hosts b ON b.host = a.host"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(*) FROM (SELECT host FROM hosts ORDER BY host DESC) a "
				      "JOIN hosts b ON b.host = a.host"),
			 HOSTS);
	query_close(q);
}

static void unknown_is_not_zero(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	struct query *q = open_query(folder);
	assert_string_equal(text_of(q, "SELECT DISTINCT total, source_status FROM crash_counts WHERE kind = "
				       "'panic' AND total IS NULL ORDER BY 2"),
			    "NULL|denied\nNULL|unsupported\n");
	assert_string_equal(text_of(q,
				    "SELECT DISTINCT total, source_status FROM crash_counts JOIN hosts USING "
				    "(host) WHERE kind = 'blue-screen' AND hosts.os NOT LIKE 'Windows%'"),
			    "NULL|unsupported\n");
	assert_string_equal(text_of(q,
				    "SELECT DISTINCT virtualization, virtualization_status FROM hosts WHERE "
				    "role IN ('till', 'laptop')"),
			    "NULL|absent\n");
	assert_true(number_of(q, "SELECT count(*) FROM hosts WHERE oopses = 0 AND oopses_status = 'ok'") > 0);
	assert_true(number_of(q,
			      "SELECT count(*) FROM hosts WHERE secure_boot IS NULL AND secure_boot_status = "
			      "'unsupported'") > 0);
	assert_int_equal(number_of(q,
				   "SELECT count(*) FROM components WHERE source IS NULL AND source_status = "
				   "'ok'"),
			 0);
	query_close(q);
}

/* The same with and without push-down. */
static void keys_are_looked_up(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	static struct answer by_key, by_scan;
	char sql[512];
	make_estate(folder);
	struct query *q = open_query(folder);
	static const char *const tables[] = {"hosts", "health", "crash_counts", "host_components", "changes"};
	for (size_t i = 0; i < 5; i++) {
		const char *name = i == 0 ? "name" : "host_name";
		snprintf(sql, sizeof(sql),
			 "SELECT * FROM %s WHERE host = (SELECT host FROM hosts WHERE name LIKE '%%-00007')",
			 tables[i]);
		assert_int_equal(ask(q, sql, &by_key, NULL), ERR_OK);
		snprintf(sql, sizeof(sql),
			 "SELECT * FROM %s WHERE +host = (SELECT host FROM hosts WHERE name LIKE '%%-00007')",
			 tables[i]);
		assert_int_equal(ask(q, sql, &by_scan, NULL), ERR_OK);
		assert_string_equal(by_key.text, by_scan.text);
		assert_true(i == 4 || by_key.rows > 0);
		snprintf(sql, sizeof(sql),
			 "SELECT * FROM %s WHERE %s = (SELECT name FROM hosts WHERE name LIKE '%%-00007')",
			 tables[i], name);
		assert_int_equal(ask(q, sql, &by_key, NULL), ERR_OK);
		assert_string_equal(by_key.text, by_scan.text);
	}
	assert_string_equal(text_of(q, "SELECT count(*) FROM hosts WHERE host = 'no id'"), "0\n");
	assert_string_equal(text_of(q, "SELECT count(*) FROM hosts WHERE host = NULL"), "0\n");
	assert_string_equal(text_of(q, "SELECT count(*) FROM hosts WHERE name = 'nobody'"), "0\n");
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts a JOIN hosts b ON a.host = b.host"), HOSTS);
	query_close(q);
}

static void parameters_are_bound(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	static struct answer a;
	struct err_info info = {0};
	make_estate(folder);
	struct query *q = open_query(folder);
	const char *values[] = {"berlin", "'; DROP TABLE hosts; --"};
	struct query_sink sink = {take_columns, take_row, &a};
	a = (struct answer){.columns = 0};
	assert_int_equal(query_run(q, "SELECT DISTINCT site, ?2 FROM hosts WHERE site = ?1", values, 2, NULL,
				   &sink, &info),
			 ERR_OK);
	assert_string_equal(a.text, "berlin|'; DROP TABLE hosts; --\n");
	assert_int_equal(query_run(q, "SELECT ?1, ?2", values, 1, NULL, &sink, &info), ERR_SQL);
	assert_non_null(strstr(info.text, "2 parameters"));
	/* A sink that has enough. */
	a = (struct answer){.stop_after = 3};
	assert_int_equal(query_run(q, "SELECT host FROM hosts", NULL, 0, NULL, &sink, &info), ERR_OK);
	assert_int_equal(a.rows, 3);
	query_close(q);
}

static void versions_have_an_order(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	struct query *q = open_query(folder);
	assert_string_equal(text_of(q,
				    "SELECT version_compare('1.10', '1.9'), version_compare('2~rc1', '2'), "
				    "version_compare('7', '07'), version_compare(NULL, '1'), "
				    "version_compare('1', NULL)"),
			    "1|-1|0|NULL|NULL\n");
	query_close(q);
}

static void only_reading_is_possible(void **state)
{
	static const struct {
		const char *sql;
		enum err err;
	} bad[] = {
	    {"DELETE FROM hosts", ERR_DENIED},
	    {"INSERT INTO hosts(host) VALUES('x')", ERR_DENIED},
	    {"UPDATE hosts SET name = 'x'", ERR_DENIED},
	    {"CREATE TABLE x(a)", ERR_DENIED},
	    {"CREATE TEMP TABLE x AS SELECT * FROM hosts", ERR_DENIED},
	    {"CREATE VIRTUAL TABLE x USING hosts", ERR_DENIED},
	    {"DROP TABLE hosts", ERR_DENIED},
	    {"ATTACH '/etc/passwd' AS p", ERR_DENIED},
	    {"DETACH main", ERR_DENIED},
	    {"VACUUM INTO '/tmp/x'", ERR_DENIED},
	    {"PRAGMA writable_schema = 1", ERR_DENIED},
	    {"PRAGMA table_info(hosts)", ERR_DENIED},
	    {"SELECT * FROM pragma_database_list", ERR_DENIED},
	    {"BEGIN", ERR_DENIED},
	    {"SELECT load_extension('/tmp/x.so')", ERR_DENIED},
	    {"SELECT randomblob(1000000000)", ERR_DENIED},
	    {"SELECT zeroblob(1000000000)", ERR_DENIED},
	    {"SELECT fts3_tokenizer('x')", ERR_DENIED},
	    {"SELECT 1; SELECT 2", ERR_SQL},
	    {"SELECT 1; nonsense", ERR_SQL},
	    {"SELECT", ERR_SQL},
	    {"", ERR_SQL},
	    {" -- nothing\n", ERR_SQL},
	    {"SELECT nothing FROM hosts", ERR_SQL},
	    {"SELECT * FROM host", ERR_SQL},
	    {"SELECT \"berlin\"", ERR_SQL},
	    {"SELECT * FROM hosts WHERE", ERR_SQL},
	    {"\xff\xfe\x01", ERR_SQL},
	};
	const char *folder = scratch_path(*state, "estate");
	static struct answer a;
	make_estate(folder);
	struct query *q = open_query(folder);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err_info info = {0};
		enum err err = ask(q, bad[i].sql, &a, &info);
		if (err != bad[i].err)
			print_error("%s: %s (%s)\n", bad[i].sql, err_name(err), info.text);
		assert_int_equal(err, bad[i].err);
		assert_int_equal(info.code, err);
		assert_true(strlen(info.text) > 10);
		assert_int_equal(a.rows, 0);
		/* Nothing sticks. */
		assert_int_equal(number_of(q, "SELECT count(*) FROM hosts"), HOSTS);
	}
	assert_string_equal(text_of(q, "SELECT 1 ; -- and a comment"), "1\n");
	query_close(q);
}

static void endless_questions_end(void **state)
{
	static const char endless[] =
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
	const char *folder = scratch_path(*state, "estate");
	static struct answer a;
	struct query_sink sink = {take_columns, take_row, &a};
	struct err_info info = {0};
	make_estate(folder);
	struct query *q = open_query(folder);
	struct query_limits steps = {.steps = 100000}, time = {.steps = UINT64_MAX, .timeout_ms = 100};
	assert_int_equal(query_run(q, endless, NULL, 0, &steps, &sink, &info), ERR_TIMEOUT);
	assert_non_null(strstr(info.text, "LIMIT"));
	assert_int_equal(query_run(q, endless, NULL, 0, &time, &sink, &info), ERR_TIMEOUT);
	assert_int_equal(query_run(q, "SELECT count(*) FROM hosts a, hosts b, hosts c, hosts d, hosts e",
				   NULL, 0, &time, &sink, &info),
			 ERR_TIMEOUT);
	/* More memory than allowed. */
	enum err err =
	    query_run(q,
		      "WITH RECURSIVE n(i, t) AS (SELECT 1, hex(hex(hex(hex(hex(hex('abcdefgh'))))))"
		      " UNION ALL SELECT i + 1, t || t FROM n WHERE i < 40) SELECT sum(length(t)) FROM n",
		      NULL, 0, &time, &sink, &info);
	assert_true(err == ERR_LIMIT || err == ERR_SQL || err == ERR_TIMEOUT);
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts"), HOSTS);
	query_close(q);
}

static void coverage_adds_up(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c;
	make_estate(folder);
	struct query *q = open_query(folder);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.hosts, HOSTS);
	assert_int_equal(c.up + c.silent + c.dark + c.stopped + c.asleep + c.left + c.unknown, HOSTS);
	assert_int_equal(c.up, number_of(q, "SELECT count(*) FROM hosts WHERE status = 'up'"));
	assert_int_equal(c.dark, number_of(q, "SELECT count(*) FROM hosts WHERE status = 'dark'"));
	assert_int_equal(c.fresh, HOSTS);
	assert_true(c.complete && !c.stale && c.damaged_rows == 0 && c.incomplete == 0);
	assert_int_equal(c.sites, SITES);
	assert_int_equal(c.as_of, NOW);
	assert_string_equal(c.self_site, "berlin");
	char sql[128];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM hosts WHERE host = '%s'", c.self);
	assert_int_equal(number_of(q, sql), 1);
	query_close(q);
	/* The daemon stopped two minutes ago. */
	assert_int_equal(query_open(folder, NOW + 120000, &q, NULL), ERR_OK);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_true(c.stale && !c.complete);
	assert_int_equal(c.hosts_stale, c.up);
	query_close(q);
}

/* Of the hosts that match, and once more of all. */
static void some_hosts_are_counted_alike(struct query *q, const char *where)
{
	char sql[2048];
	struct query_modules m;
	struct err_info info = {0};
	snprintf(sql, sizeof(sql), "SELECT host FROM hosts WHERE %s", where);
	assert_int_equal(query_count_only(q, sql, &info), ERR_OK);
	long some = number_of(q, "SELECT sum(hosts) FROM components");
	assert_true(some > 0);
	snprintf(
	    sql, sizeof(sql),
	    "SELECT count(*) FROM components c LEFT JOIN (SELECT entry, count(*) AS hosts, sum(status = "
	    "'up') AS up, sum(status = 'dark') AS dark, sum(loaded) AS loaded FROM host_components WHERE "
	    "status NOT IN ('left', 'replaced') AND host IN (SELECT host FROM hosts WHERE %s) GROUP BY "
	    "entry) x ON x.entry = c.entry WHERE c.hosts <> coalesce(x.hosts, 0) OR c.hosts_up <> "
	    "coalesce(x.up, 0) OR c.hosts_dark <> coalesce(x.dark, 0) OR c.loaded_on <> "
	    "coalesce(x.loaded, 0)",
	    where);
	assert_int_equal(number_of(q, sql), 0);
	assert_int_equal(query_modules(q, &m, NULL), ERR_OK);
	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM hosts WHERE status NOT IN ('left', 'replaced') AND (%s)", where);
	assert_int_equal(m.supported + m.unsupported + m.denied + m.failed + m.unknown, number_of(q, sql));
	/* A condition that cannot be asked changes nothing. */
	assert_int_equal(query_count_only(q, "SELECT host FROM nowhere", &info), ERR_SQL);
	assert_int_equal(number_of(q, "SELECT sum(hosts) FROM components"), some);
	assert_int_equal(query_count_only(q, NULL, &info), ERR_OK);
	assert_true(number_of(q, "SELECT sum(hosts) FROM components") > some);
}

/* By chunk and manifest, or by SQLite over all rows: enough hosts for every state and every reason why
 * modules are not known. */
static void components_are_counted_alike(void **state)
{
	struct estate_options o = {
	    .hosts = 1000, .sites = 10, .seed = 1, .out = scratch_path(*state, "estate"), .now = NOW};
	struct query_modules m;
	char sql[128];
	assert_int_equal(estate_write(&o, NULL), ERR_OK);
	struct query *q = open_query(o.out);
	/* Hosts first, then what is loaded, too. */
	assert_true(number_of(q, "SELECT sum(hosts) FROM components") > 0);
	assert_int_equal(number_of(q,
				   "SELECT count(*) FROM components c LEFT JOIN (SELECT entry, count(*) AS "
				   "hosts, sum(status = 'up') AS up, sum(status = 'dark') AS dark, "
				   "sum(loaded) AS loaded FROM host_components WHERE status NOT IN ('left', "
				   "'replaced') GROUP BY entry) x ON x.entry = c.entry WHERE c.hosts <> "
				   "coalesce(x.hosts, 0) OR c.hosts_up <> coalesce(x.up, 0) OR c.hosts_dark "
				   "<> coalesce(x.dark, 0) OR c.loaded_on <> coalesce(x.loaded, 0)"),
			 0);
	assert_true(number_of(q, "SELECT count(*) FROM components WHERE loaded_on < hosts") > 0);
	assert_true(number_of(q, "SELECT count(*) FROM hosts WHERE status IN ('left', 'replaced')") > 0);
	assert_int_equal(query_modules(q, &m, NULL), ERR_OK);
	const struct {
		const char *support;
		uint64_t hosts;
	} modules[] = {{"supported", m.supported},
		       {"unsupported", m.unsupported},
		       {"denied", m.denied},
		       {"failed", m.failed},
		       {"unknown", m.unknown}};
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM hosts WHERE module_support = '%s' AND status NOT IN ('left', "
			 "'replaced')",
			 modules[i].support);
		assert_int_equal(number_of(q, sql), modules[i].hosts);
		assert_true(modules[i].hosts > 0);
	}
	some_hosts_are_counted_alike(q, "status = 'up'");
	some_hosts_are_counted_alike(q, "site = (SELECT min(site) FROM hosts)");
	some_hosts_are_counted_alike(
	    q, "os LIKE 'D%' AND host IN (SELECT host FROM host_components WHERE loaded)");
	query_close(q);
}

static void silent_sites_are_named(void **state)
{
	struct estate_options o = {.hosts = 40,
				   .sites = 20,
				   .seed = 3,
				   .out = scratch_path(*state, "estate"),
				   .now = NOW,
				   .silent_sites = 1};
	struct query_coverage c;
	assert_int_equal(estate_write(&o, NULL), ERR_OK);
	struct query *q = open_query(o.out);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.sites_silent, 1);
	assert_string_equal(c.silent_sites[0].name, "vigo");
	assert_true(c.silent_sites[0].since < NOW - 60 * CLOCK_MINUTE_MS);
	assert_true(c.silent > 0 && !c.complete);
	assert_string_equal(text_of(q, "SELECT site FROM sites WHERE status = 'silent'"), "vigo\n");
	assert_int_equal(number_of(q, "SELECT silent_hosts FROM sites WHERE site = 'vigo'"), c.silent);
	query_close(q);
}

static void the_page_is_up_to_date(void **state)
{
	(void)state;
	char *text = NULL;
	size_t len = 0, have_len;
	uint8_t *have;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	tables_doc_write(out);
	fclose(out);
	assert_int_equal(os_file_read(MESH_SOURCE_ROOT "/docs/tables.md", 1 << 20, &have, &have_len, NULL),
			 ERR_OK);
	if (have_len != len || memcmp(have, text, len) != 0)
		print_error("docs/tables.md is out of date: build store/tables-doc, then tables-doc > "
			    "docs/tables.md\n");
	assert_int_equal(have_len, len);
	assert_memory_equal(have, text, len);
	free(have);
	free(text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(every_table_answers),    TEST(unknown_is_not_zero),
	    TEST(keys_are_looked_up),     TEST(parameters_are_bound),
	    TEST(versions_have_an_order), TEST(only_reading_is_possible),
	    TEST(endless_questions_end),  TEST(two_components_of_one_host_are_found),
	    TEST(coverage_adds_up),       TEST(components_are_counted_alike),
	    TEST(silent_sites_are_named), TEST(the_page_is_up_to_date),
	};
	return cmocka_run_group_tests_name("query", tests, NULL, NULL);
}
