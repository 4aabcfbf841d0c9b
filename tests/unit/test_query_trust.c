/* Questions over an estate in trouble: who was revoked is in no answer, everybody else is marked, and each
 * kind of issue says what it means. */
#include "base/prng.h"
#include "os/file.h"
#include "store/host_key.h"
#include "store/query_private.h"
#include "tests/unit/query_estate.h"

static void make_trouble(const char *folder, size_t hosts)
{
	struct estate_options o = {
	    .hosts = hosts, .sites = SITES, .seed = 7, .out = folder, .now = NOW, .trouble = true};
	struct err_info info = {0};
	enum err err = estate_write(&o, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
}

/* Tables whose business it is to speak of them. */
static bool may_name_hidden(const char *table)
{
	return strcmp(table, "issues") == 0 || strcmp(table, "issue_proofs") == 0 ||
	       strcmp(table, "hidden_hosts") == 0;
}

/* Whether any other table names one of them; what it looks for is in the answer's text. */
static const char *table_that_names(struct query *q, const char *const *ids, size_t count)
{
	static struct answer a;
	const struct query_table *table;
	for (size_t i = 0; (table = query_table_at(i)) != NULL; i++) {
		char sql[160];
		for (size_t k = 0; k < table->column_count && !may_name_hidden(table->name); k++) {
			/* A column at a time, as the text of an answer is bounded. */
			snprintf(sql, sizeof(sql), "SELECT DISTINCT \"%s\" FROM %s", table->columns[k].name,
				 table->name);
			if (ask(q, sql, &a, NULL) != ERR_OK)
				continue;
			bool named = strstr(a.text, ESTATE_REVOKED_NAME) != NULL;
			for (size_t n = 0; n < count; n++)
				named = named || strstr(a.text, ids[n]) != NULL;
			if (named)
				return table->name;
		}
	}
	return NULL;
}

static void the_revoked_are_in_no_answer(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c, revealed;
	char ids[2][64];
	const char *const both[] = {ids[0], ids[1]};
	make_trouble(folder, HOSTS);
	struct query *q = open_query(folder);
	assert_string_equal(text_of(q, "SELECT reason, detail, site FROM hidden_hosts ORDER BY reason"),
			    "host-revoked|laptop lost|hideout\nissuer-revoked|token leaked|hideout\n");
	snprintf(ids[0], sizeof(ids[0]), "%.32s",
		 text_of(q, "SELECT host FROM hidden_hosts ORDER BY reason"));
	snprintf(ids[1], sizeof(ids[1]), "%.32s",
		 text_of(q, "SELECT host FROM hidden_hosts ORDER BY reason DESC"));
	assert_null(table_that_names(q, both, 2));
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts"), HOSTS - 2);
	assert_int_equal(number_of(q, "SELECT count(*) FROM health"), HOSTS - 2);
	/* One was replaced. */
	assert_int_equal(number_of(q, "SELECT sum(hosts) FROM sites"), HOSTS - 3);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.hosts, HOSTS - 3);
	assert_int_equal(c.revoked_hidden, 2);
	assert_int_equal(c.sites, SITES);
	assert_true(c.complete);
	long loaded = number_of(q, "SELECT sum(loaded_on) FROM components");
	query_close(q);

	/* Asked for, they are seen, and count for nothing. */
	q = open_query(folder);
	query_reveal(q);
	assert_string_equal(table_that_names(q, both, 2), "hosts");
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts"), HOSTS);
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts WHERE standing = 'revoked'"), 2);
	assert_int_equal(number_of(q, "SELECT count(*) FROM hidden_hosts"), 2);
	assert_int_equal(number_of(q, "SELECT sum(hosts) FROM sites"), HOSTS - 3);
	assert_int_equal(number_of(q, "SELECT sum(loaded_on) FROM components"), loaded);
	assert_int_equal(query_coverage(q, &revealed, NULL), ERR_OK);
	revealed.sites = c.sites; /* theirs is listed too */
	assert_memory_equal(&revealed, &c, sizeof(c));
	query_close(q);
}

static void the_others_are_marked(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c;
	make_trouble(folder, HOSTS);
	struct query *q = open_query(folder);
	assert_string_equal(
	    text_of(q, "SELECT standing, count(*) FROM hosts GROUP BY standing ORDER BY standing"),
	    "ended|1\ngood|55\ngrace|1\nquarantined|1\n");
	assert_string_equal(text_of(q, "SELECT a.status, a.name = b.name, a.hardware = b.hardware, b.status, "
				       "b.replaced_by FROM hosts a JOIN hosts b ON a.replaced_by = b.host"),
			    "replaced|1|1|up|NULL\n");
	assert_string_equal(text_of(q, "SELECT DISTINCT hardware FROM hosts WHERE name = 'twin'"),
			    "2222222222222222\n");
	assert_in_range(number_of(q, "SELECT count(*) FROM hosts WHERE hardware IS NULL"), 1, HOSTS / 4);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.up + c.silent + c.dark + c.stopped + c.asleep + c.left + c.replaced + c.unknown,
			 c.hosts + c.left + c.replaced);
	assert_int_equal(c.replaced, 1);
	assert_int_equal(c.left, 0);
	assert_int_equal(c.quarantined, 1);
	assert_int_equal(c.grants_in_grace, 1);
	assert_true(c.log_forked);
	assert_int_equal(c.issues, 17);
	assert_int_equal(c.issues_critical,
			 number_of(q, "SELECT count(*) FROM issues WHERE severity = 'critical'"));
	assert_int_equal(c.issues_warning,
			 number_of(q, "SELECT count(*) FROM issues WHERE severity = 'warning'"));
	query_close(q);
}

static void every_kind_is_explained(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	char sql[512];
	long kinds = 0;
	make_trouble(folder, HOSTS);
	struct query *q = open_query(folder);
	for (int i = 0; i < 300; i++) {
		const char *name = issue_kind_name((enum issue_kind)i);
		const struct issue_facts *facts = issue_facts_of((enum issue_kind)i);
		assert_int_equal(name == NULL, facts == NULL);
		if (name == NULL)
			continue;
		kinds++;
		assert_true(strlen(facts->explanation) > 40 && strlen(facts->remedy) > 7);
		snprintf(sql, sizeof(sql),
			 "SELECT subject_type = '%s' AND (host_name IS NULL) = (subject_type <> 'host') AND "
			 "(site IS NULL) = (subject_type <> 'host') AND since_ms < last_ms AND "
			 "count_of IS %s%s%s AND (count > 0) IS %s FROM issues WHERE kind = '%s'",
			 facts->subject, facts->count != NULL ? "'" : "",
			 facts->count != NULL ? facts->count : "NULL", facts->count != NULL ? "'" : "",
			 facts->count != NULL ? "1" : "NULL", name);
		assert_string_equal(text_of(q, sql), "1\n");
	}
	assert_int_equal(number_of(q, "SELECT count(*) FROM issues"), kinds);
	assert_string_equal(text_of(q, "SELECT kind FROM issues WHERE proofs > 0"), "equivocation\n");
	assert_string_equal(
	    text_of(q, "SELECT p.number, p.record_kind, p.seq > 1, h.host = p.about FROM issue_proofs "
		       "p JOIN hosts h ON h.host = p.subject ORDER BY 1"),
	    "1|health|1|1\n2|health|1|1\n");
	assert_int_equal(number_of(q, "SELECT count(DISTINCT hash) FROM issue_proofs"), 2);
	assert_int_equal(number_of(q, "SELECT max(time_ms) - min(time_ms) FROM issue_proofs"), 1000);
	query_close(q);
}

#define ISSUE_SQL                                                                                            \
	"SELECT kind, severity, subject, other, since_ms, last_ms, count, detail, proofs FROM issues"

#define NAMES_SQL                                                                                            \
	"SELECT host, name, site FROM hosts UNION ALL SELECT site, id, status FROM sites UNION ALL SELECT "  \
	"name, kind, version FROM components WHERE third_party"

struct damage {
	const char *folder, *data;
	const uint8_t *original;
	size_t len;
	const size_t *positions;
	size_t count;
	const char *const *ids;
	const char *expected;
};

/* Each line is one of the right ones, whole but for the number of proofs that are left. */
static bool issues_are_right(const char *expected, const char *have)
{
	while (*have != '\0') {
		size_t len = strcspn(have, "\n");
		if (memmem(expected, strlen(expected), have, len - 1) == NULL)
			return false;
		have += len + 1;
	}
	return true;
}

static int ask_in_damage(void *context)
{
	const struct damage *d = context;
	static struct answer a;
	uint8_t *copy = malloc(d->len);
	if (copy == NULL)
		return 9;
	memcpy(copy, d->original, d->len);
	for (size_t i = 0; i < d->count; i++) {
		struct query *q = NULL;
		uint8_t mask = (uint8_t)(1u << d->positions[i] % 8);
		copy[d->positions[i]] ^= mask;
		FILE *file = fopen(d->data, "wb");
		if (file == NULL || fwrite(copy, 1, d->len, file) != d->len || fclose(file) != 0)
			return 9;
		copy[d->positions[i]] ^= mask;
		if (query_open(d->folder, NOW + 1000, &q, NULL) != ERR_OK)
			continue;
		if (ask(q, ISSUE_SQL, &a, NULL) == ERR_OK && !issues_are_right(d->expected, a.text)) {
			fprintf(stderr, "byte %zu: a wrong issue in\n%s", d->positions[i], a.text);
			return 2;
		}
		if (ask(q, NAMES_SQL, &a, NULL) == ERR_OK &&
		    (strstr(a.text, ESTATE_REVOKED_NAME) != NULL || strstr(a.text, d->ids[0]) != NULL ||
		     strstr(a.text, d->ids[1]) != NULL)) {
			fprintf(stderr, "byte %zu: a revoked host shows in\n%s\n", d->positions[i], a.text);
			return 3;
		}
		query_close(q);
	}
	free(copy);
	return 0;
}

/* A key as it stands in the file, and the row behind it. */
static void add_rows(const uint8_t *file, size_t len, const struct row_key *key, size_t row,
		     size_t *positions, size_t *count)
{
	const uint8_t *found = memmem(file, len, key->bytes, key->len);
	assert_non_null(found);
	for (; found != NULL;
	     found = memmem(found + 1, len - (size_t)(found + 1 - file), key->bytes, key->len)) {
		for (size_t i = 0; i < key->len + row; i++)
			positions[(*count)++] = (size_t)(found - file) + i;
	}
}

static void damage_reveals_nobody(void **state)
{
	const char *folder = scratch_path(*state, "estate"),
		   *data = scratch_path(*state, "estate/replica/data.mdb");
	char ids[2][64];
	const char *const both[] = {ids[0], ids[1]};
	static size_t positions[65536];
	uint8_t *file;
	size_t len, count = 0;
	make_trouble(folder, 20); /* few: it is opened for every byte */
	struct query *q = open_query(folder);
	char *expected = strdup(text_of(q, ISSUE_SQL));
	assert_int_equal(os_file_read(data, 1 << 26, &file, &len, NULL), ERR_OK);
	assert_int_equal(roster_load(q), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		uint32_t number = q->roster.hidden[i];
		struct column_row host;
		struct id id;
		assert_int_equal(columns_row(&q->columns, GROUP_HOST, number, &host), ERR_OK);
		assert_true(column_row_id(host, C_HOST_ID, &id));
		struct row_key known = row_key_id(TABLE_HOST_STATES, &id);
		struct row_key at = host_key_stored(&known, number);
		id_hex(&id, ids[i]);
		add_rows(file, len, &at, ROW_HEADER_BYTES + 60, positions, &count);
	}
	for (size_t i = 0; i < q->issues.count; i++) {
		const struct issue *issue = &q->issues.issues[i];
		struct row_key at = row_key_issue(issue->kind, &issue->subject);
		add_rows(file, len, &at, ROW_HEADER_BYTES + 41 + strlen(issue->detail), positions, &count);
	}
	query_close(q);
	print_message("             %zu bytes turned over\n", count);
	assert_in_range(count, 1500, sizeof(positions) / sizeof(positions[0]));
	for (size_t done = 0; done < count; done += 100) {
		struct damage d = {
		    folder, data,    file, len, positions + done, count - done < 100 ? count - done : 100,
		    both,   expected};
		assert_int_equal(scratch_in_child(ask_in_damage, &d), 0);
	}
	free(expected);
	free(file);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_revoked_are_in_no_answer),
	    TEST(the_others_are_marked),
	    TEST(every_kind_is_explained),
	    TEST(damage_reveals_nobody),
	};
	return cmocka_run_group_tests_name("query trust", tests, NULL, NULL);
}
