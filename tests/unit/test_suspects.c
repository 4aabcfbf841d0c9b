/* What hosts that failed have in common, over synthetic estates: against the same question in SQL, and what
 * the turning back of changes is for. */
#include "store/suspects.h"

#include "tests/unit/query_estate.h"

#define MINUTE (60ull * 1000)
#define FROM   (NOW - 180 * MINUTE)
#define TO     (FROM + 78 * MINUTE)
#define SINCE  (FROM - 10 * MINUTE)
#define MANY   900

static struct query *made(const char *folder, struct estate_options o)
{
	struct err_info info = {0};
	o.hosts = MANY;
	o.sites = 18;
	o.seed = o.seed != 0 ? o.seed : 3;
	o.out = folder;
	o.now = NOW;
	o.from = FROM;
	o.to = TO;
	if (o.outage != ESTATE_POWER)
		o.share = 0.5;
	enum err err = estate_write(&o, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return open_query(folder);
}

static struct suspects found(struct query *q, const char *where)
{
	struct suspects_options options = {.since = SINCE, .until = NOW, .where = where};
	struct suspects s;
	struct err_info info = {0};
	enum err err = suspects_find(q, &options, &s, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return s;
}

static size_t blamed(const struct suspects *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += s->rows[i].verdict == SUSPECT_STRONG || s->rows[i].verdict == SUSPECT_LIKELY;
	return count;
}

/* Went dark, fell silent, or crashed since SINCE; `%s` narrows. */
#define FAILED                                                                                               \
	"((status IN ('dark', 'silent') AND status_since_ms >= %llu) OR (status NOT IN "                     \
	"('left', 'replaced') AND EXISTS (SELECT 1 FROM crashes c WHERE c.host = hosts.host AND c.kind IN "  \
	"('unclean-boot', 'panic', 'blue-screen') AND c.time_ms >= %llu)))"

static uint64_t count(struct query *q, const char *what)
{
	char sql[1200];
	snprintf(sql, sizeof(sql), "SELECT count(*) FROM hosts WHERE %s", what);
	return (uint64_t)number_of(q, sql);
}

static void the_cause_is_named_with_its_counts(void **state)
{
	static const enum estate_delay delays[] = {ESTATE_DELAY_NONE, ESTATE_DELAY_SECONDS,
						   ESTATE_DELAY_MINUTES, ESTATE_DELAY_HOUR};
	char failed[700], with[1100], folder[16] = "delay-0";
	snprintf(failed, sizeof(failed), FAILED, SINCE, SINCE);
	for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
		folder[6] = (char)('0' + i);
		struct query *q = made(scratch_path(*state, folder),
				       (struct estate_options){.outage = ESTATE_DRIVER, .delay = delays[i]});
		struct suspects s = found(q, NULL);
		assert_int_equal(s.outcome, SUSPECTS_NAMED);
		assert_int_equal(blamed(&s), 1);
		const struct suspect *line = &s.rows[0];
		assert_int_equal(line->verdict, SUSPECT_STRONG);
		assert_string_equal(line->name, "vpn_tap");
		assert_int_equal(s.failed + s.separate_hosts, count(q, failed));
		assert_int_equal(s.survived, count(q, "status = 'up'") - s.recovered);
		/* The component as a whole, whichever row has it, is what SQL counts, too. */
		const struct suspect *whole = line->kind == SUSPECT_COMPONENT ? line : &s.rows[1];
		if (delays[i] == ESTATE_DELAY_NONE)
			assert_int_equal(line->kind, SUSPECT_COMPONENT);
		else
			assert_int_equal(line->kind, SUSPECT_VERSION);
		if (whole->kind == SUSPECT_COMPONENT && strcmp(whole->name, "vpn_tap") == 0) {
			snprintf(with, sizeof(with),
				 "module_support IN ('ok', 'supported') AND host IN (SELECT host FROM "
				 "host_components WHERE component = 'vpn_tap') AND %s",
				 failed);
			assert_int_equal(whole->hosts.failed_with, count(q, with));
		}
		suspects_free(&s);
		query_close(q);
	}
}

/* The good release reached whoever lived, so the one before it is on the dead only. It did nothing. */
static void what_was_mended_later_blames_nothing(void **state)
{
	struct query *q = made(scratch_path(*state, "content"),
			       (struct estate_options){.outage = ESTATE_CONTENT, .delay = ESTATE_DELAY_NONE});
	struct suspects s = found(q, NULL);
	assert_int_equal(blamed(&s), 1);
	assert_int_equal(s.rows[0].kind, SUSPECT_COMPONENT);
	assert_non_null(strstr(s.rows[0].name, "C-00000291.sys"));
	assert_null(s.rows[0].version);
	suspects_free(&s);
	query_close(q);
}

static void a_power_cut_is_one(void **state)
{
	struct query *q = made(scratch_path(*state, "power"),
			       (struct estate_options){.outage = ESTATE_POWER, .share = 0.15});
	struct suspects s = found(q, NULL);
	assert_int_equal(blamed(&s), 0);
	assert_true(s.separate_sites >= 2);
	assert_true(s.separate_hosts >= 10);
	assert_int_equal(s.rows[0].verdict, SUSPECT_SEPARATE);
	assert_int_equal(s.rows[0].kind, SUSPECT_SITE);
	for (size_t i = 0; i < s.count; i++) {
		char sql[300];
		if (s.rows[i].verdict != SUSPECT_SEPARATE)
			continue;
		snprintf(sql, sizeof(sql),
			 "status IN ('dark', 'silent') AND status_since_ms >= %llu AND site = '%s'",
			 SINCE - 10 * MINUTE, s.rows[i].name);
		assert_int_equal(s.rows[i].hosts.failed_with, count(q, sql));
	}
	suspects_free(&s);
	query_close(q);
}

static void what_is_always_together_is_said_so(void **state)
{
	struct query *q =
	    made(scratch_path(*state, "together"), (struct estate_options){.outage = ESTATE_DRIVER,
									   .delay = ESTATE_DELAY_NONE,
									   .confounders = ESTATE_TOGETHER});
	struct suspects s = found(q, NULL);
	assert_int_equal(blamed(&s), 1);
	bool helper = false, cause = false;
	for (size_t i = 0; i < s.count; i++) {
		if (i > 0 && (s.rows[i].verdict != SUSPECT_TOGETHER || s.rows[i].of != 1))
			continue;
		cause = cause || strcmp(s.rows[i].name, "vpn_tap") == 0;
		helper = helper || strcmp(s.rows[i].name, "vpn_tap_helper") == 0;
	}
	assert_true(cause && helper);
	suspects_free(&s);
	query_close(q);
}

static void where_narrows_and_must_be_sql(void **state)
{
	struct query *q =
	    made(scratch_path(*state, "where"),
		 (struct estate_options){.outage = ESTATE_DRIVER, .delay = ESTATE_DELAY_MINUTES});
	struct suspects s = found(q, "os LIKE 'Windows%'");
	assert_int_equal(blamed(&s), 1);
	assert_int_equal(s.survived + s.recovered, count(q, "os LIKE 'Windows%' AND status = 'up'"));
	suspects_free(&s);
	s = found(q, "os NOT LIKE 'Windows%'");
	assert_int_equal(blamed(&s), 0);
	suspects_free(&s);
	struct suspects_options wrong = {.since = SINCE, .until = NOW, .where = "nonsense"};
	struct err_info info = {0};
	struct suspects untouched = {.failed = 77};
	assert_int_equal(suspects_find(q, &wrong, &untouched, &info), ERR_SQL);
	assert_non_null(strstr(info.text, "nonsense"));
	assert_int_equal(untouched.failed, 77);
	query_close(q);
}

static void an_outcome_has_its_reason(void **state)
{
	struct query *q =
	    made(scratch_path(*state, "quiet"), (struct estate_options){.outage = ESTATE_QUIET});
	struct suspects s = found(q, NULL);
	assert_int_equal(blamed(&s), 0);
	assert_true(s.outcome == SUSPECTS_QUIET || s.outcome == SUSPECTS_TOO_FEW);
	suspects_free(&s);
	/* A month of broken disks. */
	struct suspects_options month = {.since = NOW - 30 * CLOCK_DAY_MS, .until = NOW};
	assert_int_equal(suspects_find(q, &month, &s, NULL), ERR_OK);
	assert_int_equal(blamed(&s), 0);
	assert_int_equal(s.outcome, SUSPECTS_NOTHING);
	assert_true(s.failed >= SUSPECTS_FAILED_MIN);
	suspects_free(&s);
	query_close(q);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_cause_is_named_with_its_counts),
	    TEST(what_was_mended_later_blames_nothing),
	    TEST(a_power_cut_is_one),
	    TEST(what_is_always_together_is_said_so),
	    TEST(where_narrows_and_must_be_sql),
	    TEST(an_outcome_has_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
