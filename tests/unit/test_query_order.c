/* Hosts in order, as the tables put them, and as SQLite sorts them itself: the + keeps a term from being
 * pushed down. And what the tables leave out by a comparison is what SQLite would leave out. */
#include "store/host_order.h"
#include "tests/unit/query_estate.h"

#define MANY 900

static struct query *open_many(void **state)
{
	struct estate_options o = {.hosts = MANY,
				   .sites = 9,
				   .seed = 5,
				   .out = scratch_path(*state, "estate"),
				   .now = NOW,
				   .trouble = true};
	struct err_info info = {0};
	enum err err = estate_write(&o, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return open_query(o.out);
}

/* `question` with each ~ taken away, then with a + in its place. Returns the rows. */
static size_t alike(struct query *q, const char *question)
{
	static struct answer a, b;
	char plain[512], plus[512];
	size_t n = 0, m = 0;
	for (const char *c = question; *c != '\0'; c++) {
		if (*c != '~')
			plain[n++] = *c;
		plus[m++] = *c == '~' ? '+' : *c;
	}
	plain[n] = plus[m] = '\0';
	assert_int_equal(ask(q, plain, &a, NULL), ERR_OK);
	assert_int_equal(ask(q, plus, &b, NULL), ERR_OK);
	assert_true(a.len < sizeof(a.text) - 1024);
	if (strcmp(a.text, b.text) != 0)
		print_error("%s\n", question);
	assert_string_equal(a.text, b.text);
	assert_true(a.rows > 0);
	return a.rows;
}

static void hosts_come_in_order(void **state)
{
	static const char *const questions[] = {
	    "SELECT host FROM hosts ORDER BY ~site, ~name, ~host",
	    "SELECT host FROM hosts ORDER BY ~status, ~name, ~host",
	    "SELECT host FROM hosts ORDER BY ~status, ~site, ~model, ~host",
	    "SELECT host FROM hosts ORDER BY ~model, ~host",
	    "SELECT host FROM hosts ORDER BY ~role, ~current_site, ~host",
	    "SELECT host FROM hosts ORDER BY ~kernel, ~os, ~name, ~host",
	    "SELECT host FROM hosts ORDER BY ~agent, ~arch, ~location, ~host",
	    "SELECT host FROM hosts ORDER BY ~host",
	    "SELECT host FROM hosts ORDER BY ~name, ~host",
	    "SELECT host FROM hosts ORDER BY ~site DESC, ~host",
	    "SELECT host FROM hosts ORDER BY ~site, ~host DESC",
	    "SELECT host FROM hosts ORDER BY ~site COLLATE NOCASE, ~name, ~host",
	    "SELECT host FROM hosts ORDER BY ~site, ~name, ~host LIMIT 20 OFFSET 31",
	    "SELECT host FROM hosts WHERE status = 'up' ORDER BY ~site, ~name, ~host LIMIT 20",
	    "SELECT host FROM hosts WHERE site = 'berlin' ORDER BY ~status, ~name, ~host",
	    "SELECT host FROM hosts WHERE site = 'berlin' AND status = 'up' ORDER BY ~model, ~name, ~host",
	    "SELECT host FROM hosts WHERE name LIKE '%1%' ORDER BY ~site, ~name, ~host",
	    "SELECT host FROM hosts WHERE name = 'twin' ORDER BY ~site, ~host",
	    "SELECT DISTINCT site, status FROM hosts ORDER BY ~site, ~status",
	    "SELECT model, status, count(*) FROM hosts GROUP BY ~model, ~status ORDER BY 1, 2",
	    "SELECT status, model, count(*), min(name) FROM hosts GROUP BY ~status, ~model ORDER BY 1, 2",
	    "SELECT site, count(*) FROM hosts GROUP BY ~site",
	    "SELECT site, count(*) FROM host_components WHERE component = 'edr_sensor' GROUP BY ~site",
	    "SELECT status, count(*) FROM host_components WHERE component = 'edr_sensor' GROUP BY ~status "
	    "ORDER BY 1",
	    "SELECT site, host, kind, total FROM crash_counts WHERE kind = 'oops' ORDER BY "
	    "~site, ~host_name, ~host, ~kind",
	    "SELECT a.host, b.host FROM (SELECT host, site FROM hosts ORDER BY ~site, ~name, ~host LIMIT 30) "
	    "a "
	    "JOIN (SELECT host, site FROM hosts ORDER BY ~status, ~host LIMIT 30) b ON a.site <> b.site "
	    "ORDER BY a.host, b.host",
	};
	struct query *q = open_many(state);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		alike(q, questions[i]);
	assert_int_equal(alike(q, "SELECT host FROM hosts ORDER BY ~site, ~name, ~host LIMIT 20"), 20);
	/* Some have no name, and come first. */
	assert_true(number_of(q, "SELECT count(*) FROM hosts WHERE name IS NULL") > 0);
	query_close(q);
}

/* All values of an IN are looked for in one pass over the hosts. */
static void several_components_are_found_at_once(void **state)
{
#define ROWS                                                                                                 \
	"SELECT site, count(*), sum(loaded), sum(pending), min(host || entry), max(host || entry) "          \
	"FROM host_components WHERE "
#define SOME "(SELECT entry FROM components WHERE third_party = 1)"
	static const char *const questions[] = {
	    ROWS "~component IN ('edr_sensor', 'nvme') GROUP BY site ORDER BY 1",
	    ROWS "~component IN ('edr_sensor', NULL, 7, '', 'no such') GROUP BY ~site ORDER BY 1",
	    ROWS "~component IN (SELECT name FROM components ORDER BY 1 LIMIT 3) GROUP BY ~site ORDER BY 1",
	    ROWS "~entry IN " SOME " GROUP BY ~site ORDER BY 1",
	    ROWS "~entry IN " SOME " AND ~component IN ('edr_sensor', 'nvme') GROUP BY ~site ORDER BY 1",
	    ROWS "~entry IN " SOME " AND status = 'up' AND site = 'berlin' GROUP BY ~site ORDER BY 1",
	    ROWS "~entry IN (SELECT upper(entry) FROM components WHERE name = 'nvme' UNION SELECT entry FROM "
		 "components WHERE "
		 "name = 'edr_sensor') GROUP BY ~site ORDER BY 1",
	    "SELECT host, count(*) FROM host_components WHERE ~entry IN " SOME " GROUP BY ~host ORDER BY "
	    "~host LIMIT 40",
	    "SELECT count(*) FROM hosts h WHERE host IN (SELECT host FROM host_components WHERE ~component "
	    "IN ('edr_sensor', 'nvme'))",
	    "SELECT x.kind, count(*), count(DISTINCT h.host) FROM components x CROSS JOIN host_components h "
	    "ON ~h.entry = x.entry WHERE x.name = 'edr_sensor' GROUP BY 1 ORDER BY 1",
	    "SELECT count(*) FROM host_components WHERE ~entry IN (SELECT NULL) OR ~entry IN ('x')",
	};
	struct query *q = open_many(state);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		alike(q, questions[i]);
	assert_int_equal(number_of(q, "SELECT count(*) FROM host_components WHERE entry IN (SELECT NULL)"),
			 0);
	assert_int_equal(
	    number_of(q, "SELECT count(*) FROM host_components WHERE component IN (SELECT 'none' LIMIT 0)"),
	    0);
	query_close(q);
}

/* Columns of more values than are counted are compared, and give the same order. */
static void many_values_are_compared(void **state)
{
	struct order_plan plan = {.terms = {{ORDER_STATUS, 0, 0},
					    {ORDER_TEXT, GROUP_PROFILE, C_PROFILE_MODEL},
					    {ORDER_SITE, 0, 0},
					    {ORDER_ID, GROUP_HOST, C_HOST_ID}},
				  .term_count = 4,
				  .status = -1};
	struct query *q = open_many(state);
	/* Those of states and sites are fewer. */
	assert_true(number_of(q, "SELECT count(DISTINCT model) FROM hosts") > 12);
	plan.site = q->roster.site_total + 1;
	for (size_t max = 1; max < 16; max++) {
		struct host_order *few = NULL, *all = NULL;
		plan.values_max = 0;
		assert_int_equal(host_order_make(q, &plan, &all), ERR_OK);
		plan.values_max = max;
		assert_int_equal(host_order_make(q, &plan, &few), ERR_OK);
		assert_int_equal(host_order_count(few), number_of(q, "SELECT count(*) FROM hosts"));
		for (size_t i = 0; i < host_order_count(few); i++) {
			uint32_t a = 0, b = 1;
			assert_int_equal(host_order_at(q, all, i, &a), ERR_OK);
			assert_int_equal(host_order_at(q, few, i, &b), ERR_OK);
			assert_int_equal(a, b);
		}
		host_order_free(few);
		host_order_free(all);
	}
	query_close(q);
}

/* What a comparison leaves out here is not looked at again there. */
static void comparisons_are_exact(void **state)
{
	static const char *const none[] = {
	    "status = x'7570'", "status = 'up' || char(0) || 'x'",
	    "status = 'UP'",    "site = 'Berlin'",
	    "site = ''",        "name = ''",
	    "status = 1",       "site = NULL",
	};
	static const char *const some[] = {"~status = 'up'",
					   "~site = 'berlin'",
					   "~name = 'twin'",
					   "~site = 'berlin' COLLATE NOCASE",
					   "~site = 'BERLIN' COLLATE NOCASE",
					   "~status = 'u' || 'p'",
					   "~status IN ('up', 'dark')",
					   "~site IN ('berlin', 'porto', 'nowhere')"};
	struct query *q = open_many(state);
	char sql[160];
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM hosts WHERE %s", none[i]);
		assert_string_equal(text_of(q, sql), "0\n");
	}
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT host FROM hosts WHERE %s ORDER BY +host", some[i]);
		alike(q, sql);
	}
	assert_true(alike(q, "SELECT host FROM host_components WHERE ~component = 'edr_sensor'") > 1);
	assert_string_equal(text_of(q, "SELECT count(*) FROM host_components WHERE component = ''"), "0\n");
	query_close(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(hosts_come_in_order),
	    TEST(several_components_are_found_at_once),
	    TEST(many_values_are_compared),
	    TEST(comparisons_are_exact),
	};
	return cmocka_run_group_tests_name("query_order", tests, NULL, NULL);
}
