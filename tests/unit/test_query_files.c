/* Questions against files: none, damaged, not one's own, changing meanwhile. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/prng.h"
#include "crypto/authlog.h"
#include "crypto/certificate.h"
#include "crypto/rng.h"
#include "os/file.h"
#include "store/store.h"
#include "tests/unit/query_estate.h"

static void missing_replicas_are_explained(void **state)
{
	struct query *q = NULL;
	struct err_info info = {0};
	const char *folder = scratch_path(*state, "none");
	assert_int_equal(query_open(folder, NOW, &q, &info), ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, folder));
	assert_non_null(strstr(info.text, "mesh enroll"));
	assert_null(q);
	folder = scratch_path(*state, "estate");
	make_estate(folder);
	scratch_write(scratch_path(*state, "estate/replica/data.mdb"), "rubbish", 7, 0640);
	assert_int_equal(query_open(folder, NOW, &q, &info), ERR_CORRUPT);
	assert_non_null(strstr(info.text, folder));
}

/* As a user who is none of the group's, and as one who may read but not write the lock file. */
static int ask_as_nobody(void *context)
{
	const char *folder = context;
	struct query *q = NULL;
	struct err_info info = {0};
	if (geteuid() != 0 || !scratch_drop_root())
		return 77;
	if (query_open(folder, NOW, &q, &info) != ERR_DENIED || strstr(info.text, "group") == NULL)
		return 2;
	return 0;
}

static int ask_without_lock(void *context)
{
	static struct answer a;
	struct query *q = NULL;
	if (geteuid() != 0 || !scratch_drop_root())
		return 77;
	if (query_open(context, NOW, &q, NULL) != ERR_OK)
		return 2;
	if (ask(q, "SELECT count(*) FROM hosts WHERE kernel IS NOT NULL", &a, NULL) != ERR_OK)
		return 3;
	if (strtol(a.text, NULL, 10) != HOSTS)
		return 4;
	query_close(q);
	return 0;
}

static void readers_need_no_write_permission(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	assert_int_equal(chmod(scratch_path(*state, ""), 0755), 0);
	int rc = scratch_in_child(ask_as_nobody, (void *)folder);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(scratch_path(*state, "estate/replica"), 0755), 0);
	assert_int_equal(chmod(scratch_path(*state, "estate/replica/data.mdb"), 0644), 0);
	assert_int_equal(scratch_in_child(ask_without_lock, (void *)folder), 0);
}

/* An answer and its coverage are of one state, whatever is committed meanwhile. */
static int commit_more(void *context)
{
	const char *folder = context;
	char path[512];
	struct store *s = NULL;
	struct authlog *log = NULL;
	snprintf(path, sizeof(path), "%s/authority.log", folder);
	if (authlog_load(path, &log, NULL) != ERR_OK)
		return 2;
	struct id self = {{1}};
	snprintf(path, sizeof(path), "%s/replica", folder);
	if (store_open(path, authlog_estate(log), &self, &s, NULL, NULL) != ERR_OK)
		return 3;
	for (uint8_t i = 0; i < 5; i++) {
		struct site_state site = {.status = SITE_REPORTING, .name = "berlin", .interval_s = 100 + i};
		site.site = id_of_site(site.name);
		if (store_put_site_state(s, &site) != ERR_OK || store_flush(s, NOW + 5000, NULL) != ERR_OK)
			return 4;
	}
	store_close(s);
	authlog_free(log);
	return 0;
}

static void a_question_sees_one_state(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	struct query_coverage c;
	make_estate(folder);
	struct query *q = open_query(folder);
	assert_int_equal(scratch_in_child(commit_more, (void *)folder), 0);
	assert_int_equal(number_of(q, "SELECT interval_s FROM sites WHERE site = 'berlin'"), 5);
	assert_int_equal(number_of(q, "SELECT count(*) FROM hosts WHERE kernel IS NOT NULL"), HOSTS);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.as_of, NOW);
	query_close(q);
	q = open_query(folder);
	assert_int_equal(number_of(q, "SELECT interval_s FROM sites WHERE site = 'berlin'"), 104);
	query_close(q);
}

/* Reads without a lock on one side of the pipes. */
static int ask_when_overtaken(const char *folder, int ready, int go)
{
	static struct answer a;
	struct query *q = NULL;
	struct err_info info = {0};
	char byte = 0;
	if (geteuid() != 0 || !scratch_drop_root())
		return 77;
	if (query_open(folder, NOW, &q, NULL) != ERR_OK)
		return 2;
	if (write(ready, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		return 3;
	if (ask(q, "SELECT count(*) FROM hosts WHERE kernel IS NOT NULL", &a, &info) != ERR_BUSY)
		return 4;
	query_close(q);
	return strstr(info.text, "ask again") != NULL ? 0 : 5;
}

static int overtake(void *context)
{
	int ready[2], go[2], status;
	char byte = 0;
	if (pipe(ready) != 0 || pipe(go) != 0)
		return 9;
	pid_t pid = fork();
	if (pid == 0)
		_exit(ask_when_overtaken(context, ready[1], go[0]));
	close(ready[1]);
	/* End of file: it ended before it was ready, and its code says why. */
	bool is_ready = read(ready[0], &byte, 1) == 1;
	if (is_ready && (commit_more(context) != 0 || write(go[1], &byte, 1) != 1))
		return 8;
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 7;
	return WEXITSTATUS(status);
}

static void an_overtaken_reader_gives_up(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	make_estate(folder);
	assert_int_equal(chmod(scratch_path(*state, ""), 0755), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(scratch_path(*state, "estate/replica"), 0755), 0);
	assert_int_equal(chmod(scratch_path(*state, "estate/replica/data.mdb"), 0644), 0);
	int rc = scratch_in_child(overtake, (void *)folder);
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
}

struct flips {
	const char *folder, *data;
	const uint8_t *original;
	size_t len, count, seed;
	const char *expected;
};

#define FLIP_SQL                                                                                             \
	"SELECT host, name, site, kernel, model, os, role, status, manifest, seq, groups, address, level "   \
	"FROM hosts"

static bool is_number(const char *text, size_t len)
{
	return len > 0 && strspn(text, "0123456789") == len;
}

/* Every line of an answer over the damaged file must be a line of the right one, but for cells that turned
 * unknown. Tells 0, or what went wrong. */
static bool line_is_right(const char *expected, const char *line, size_t len)
{
	const char *right = memmem(expected, strlen(expected), line, len < 32 ? len : 32);
	if (right == NULL)
		return false;
	const char *a = line, *b = right;
	while (a < line + len) {
		size_t an = strcspn(a, "|\n"), bn = strcspn(b, "|\n");
		bool same = an == bn && memcmp(a, b, an) == 0;
		bool gone = an == 4 && memcmp(a, "NULL", 4) == 0;
		/* Status falls back to unknown, seq to that of the records that are left. */
		bool weaker = (an == 7 && memcmp(a, "unknown", 7) == 0) ||
			      (is_number(a, an) && is_number(b, bn) && atoll(a) < atoll(b));
		if (!same && !gone && !weaker)
			return false;
		a += an + 1;
		b += bn + 1;
	}
	return true;
}

static int ask_damaged(void *context)
{
	struct flips *f = context;
	static struct answer a;
	struct prng p;
	uint8_t *copy = malloc(f->len);
	if (copy == NULL)
		return 9;
	memcpy(copy, f->original, f->len);
	prng_seed(&p, f->seed);
	for (size_t i = 0; i < f->count; i++) {
		struct query *q = NULL;
		size_t at = (size_t)prng_below(&p, f->len);
		copy[at] ^= (uint8_t)(1u << (i % 8));
		FILE *file = fopen(f->data, "wb");
		if (file == NULL || fwrite(copy, 1, f->len, file) != f->len || fclose(file) != 0)
			return 9;
		copy[at] ^= (uint8_t)(1u << (i % 8));
		if (query_open(f->folder, NOW + 1000, &q, NULL) != ERR_OK)
			continue;
		if (ask(q, FLIP_SQL, &a, NULL) == ERR_OK) {
			for (const char *line = a.text; *line != '\0';) {
				size_t len = strcspn(line, "\n");
				if (!line_is_right(f->expected, line, len)) {
					fprintf(stderr, "byte %zu: wrong line %.*s\n", at, (int)len, line);
					return 2;
				}
				line += len + 1;
			}
		}
		(void)ask(q, "SELECT count(*), sum(hosts), sum(loaded_on) FROM components", &a, NULL);
		query_close(q);
	}
	free(copy);
	return 0;
}

/* The file is cut when the first row has come: texts of the others are in pages that have been checked, and
 * that are gone. */
struct cutting {
	const char *data;
	size_t rows, right;
};

static bool cut_and_take(void *context, const struct query_value *values, size_t count)
{
	struct cutting *c = context;
	c->rows++;
	c->right += count == 2 && values[0].type == QUERY_TEXT && values[0].text_len > 3 &&
		    values[1].type == QUERY_TEXT && values[1].text_len > 3;
	if (c->rows == 1)
		assert_int_equal(truncate(c->data, 8192), 0);
	return true;
}

static int ask_and_cut(void *context)
{
	static struct answer a;
	struct cutting c = {.data = scratch_path(context, "estate/replica/data.mdb")};
	const struct query_sink sink = {.row = cut_and_take, .context = &c};
	struct query *q = NULL;
	struct query_coverage coverage;
	struct err_info info = {0};
	const char *state = scratch_path(context, "estate");
	assert_int_equal(query_open(state, NOW, &q, &info), ERR_OK);
	/* So that the check of the blocks is over. */
	assert_int_equal(ask(q, "SELECT count(name || kernel) FROM hosts", &a, &info), ERR_OK);
	enum err err = query_run(q, "SELECT name, os FROM hosts", NULL, 0, NULL, &sink, &info);
	assert_int_equal(err, ERR_CORRUPT);
	assert_non_null(strstr(info.text, "restart meshd"));
	assert_int_equal(c.rows, 1);
	assert_int_equal(c.right, 1);
	assert_int_equal(query_coverage(q, &coverage, &info), ERR_CORRUPT);
	query_close(q);
	return 0;
}

static void a_file_that_is_cut_meanwhile_ends_the_answer(void **state)
{
	make_estate(scratch_path(*state, "estate"));
	assert_int_equal(scratch_in_child(ask_and_cut, *state), 0);
}

static void damage_never_shows(void **state)
{
	const char *folder = scratch_path(*state, "estate"),
		   *data = scratch_path(*state, "estate/replica/data.mdb");
	uint8_t *file;
	size_t len;
	make_estate(folder);
	struct query *q = open_query(folder);
	char *expected = strdup(text_of(q, FLIP_SQL));
	query_close(q);
	assert_int_equal(os_file_read(data, 1 << 26, &file, &len, NULL), ERR_OK);
	for (size_t part = 0; part < 20; part++) {
		struct flips f = {folder, data, file, len, 100, part, expected};
		assert_int_equal(scratch_in_child(ask_damaged, &f), 0);
	}
	print_message("             2000 bits flipped, no wrong line\n");
	free(expected);
	free(file);
}

static void put_certificate(struct store *s, const struct identity *issuer, const struct identity *host,
			    const char *site, uint64_t seq)
{
	const struct id estate = {.b = {1}};
	struct certificate c = {.enrolled = 20000, .seq = seq};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct record r;
	size_t len;
	memcpy(c.site, site, strlen(site) + 1);
	certificate_consent(&c, host, identity_id(issuer), &estate);
	assert_int_equal(certificate_issue(&c, issuer, &estate, 1, NOW, bytes, &len), ERR_OK);
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(store_put_record(s, &r.key, bytes, len, NOW), ERR_OK);
}

/* The same one that gossip/ goes by, whichever is newer. */
static void a_host_of_two_issuers_has_one_home(void **state_)
{
	const struct id estate = {.b = {1}};
	struct identity *k[3]; /* the host, two issuers */
	struct store *s;
	struct err_info info = {0};
	assert_int_equal(crypto_init(), ERR_OK);
	for (uint8_t i = 0; i < 3; i++)
		assert_int_equal(identity_from_seed((const uint8_t[KEY_BYTES]){i}, &k[i]), ERR_OK);
	bool first = id_compare(identity_id(k[1]), identity_id(k[2])) < 0;
	for (uint64_t newer = 1; newer <= 2; newer++) {
		const char *folder = scratch_path(*state_, newer == 1 ? "one" : "two");
		assert_int_equal(mkdir(folder, 0700), 0);
		assert_int_equal(store_open(scratch_path(*state_, newer == 1 ? "one/replica" : "two/replica"),
					    &estate, identity_id(k[0]), &s, NULL, &info),
				 ERR_OK);
		put_certificate(s, k[1], k[0], "leeds", newer == 1 ? 9 : 1);
		put_certificate(s, k[2], k[0], "york", newer == 2 ? 9 : 1);
		assert_int_equal(store_flush(s, NOW, &info), ERR_OK);
		store_close(s);
		struct query *q = open_query(folder);
		assert_string_equal(text_of(q, "SELECT site FROM hosts"), first ? "leeds\n" : "york\n");
		assert_string_equal(text_of(q, "SELECT site FROM sites"), first ? "leeds\n" : "york\n");
		query_close(q);
	}
	/* gossip/ had its reasons to take the other one. */
	struct host_state state = {
	    .host = *identity_id(k[0]), .status = HOST_UP, .issuer = *identity_id(first ? k[2] : k[1])};
	assert_int_equal(
	    store_open(scratch_path(*state_, "one/replica"), &estate, identity_id(k[0]), &s, NULL, &info),
	    ERR_OK);
	assert_int_equal(store_put_host_state(s, &state), ERR_OK);
	assert_int_equal(store_flush(s, NOW, &info), ERR_OK);
	store_close(s);
	struct query *q = open_query(scratch_path(*state_, "one"));
	assert_string_equal(text_of(q, "SELECT site FROM hosts"), first ? "york\n" : "leeds\n");
	assert_int_equal(number_of(q, "SELECT count(*) FROM sites"), 1);
	query_close(q);
	/* Without a state: not the lowest one's word when that was revoked. */
	struct issue revoked = {.kind = ISSUE_ISSUER_REVOKED, .subject = *identity_id(first ? k[1] : k[2])};
	assert_int_equal(
	    store_open(scratch_path(*state_, "two/replica"), &estate, identity_id(k[0]), &s, NULL, &info),
	    ERR_OK);
	assert_int_equal(store_put_issue(s, &revoked), ERR_OK);
	assert_int_equal(store_flush(s, NOW, &info), ERR_OK);
	store_close(s);
	q = open_query(scratch_path(*state_, "two"));
	assert_string_equal(text_of(q, "SELECT site FROM hosts"), first ? "york\n" : "leeds\n");
	assert_int_equal(number_of(q, "SELECT count(*) FROM hidden_hosts"), 0);
	query_close(q);
	for (size_t i = 0; i < 3; i++)
		identity_free(k[i]);
}

/* Certificates and states of sites that nobody calls home are no reason to fail, nor worth a row. */
static void invented_sites_end_no_answer(void **state)
{
	const char *folder = scratch_path(*state, "estate");
	const struct id estate = {.b = {1}};
	struct identity *honest, *thief, *host;
	struct id last = {.b = {0}};
	struct store *s;
	struct query_coverage c;
	uint8_t seed[KEY_BYTES] = {7};
	assert_int_equal(crypto_init(), ERR_OK);
	assert_int_equal(identity_from_seed(seed, &honest), ERR_OK);
	/* Certificates of the thief decide nothing. */
	do {
		seed[1]++;
		assert_int_equal(identity_from_seed(seed, &thief), ERR_OK);
		if (id_compare(identity_id(honest), identity_id(thief)) < 0)
			break;
		identity_free(thief);
	} while (true);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(
	    store_open(scratch_path(*state, "estate/replica"), &estate, identity_id(honest), &s, NULL, NULL),
	    ERR_OK);
	for (unsigned i = 0; i < LIMIT_SITES + 100; i++) {
		struct site_state site = {.status = SITE_SILENT, .since = NOW};
		char name[LIMIT_SITE_NAME_BYTES + 1];
		memcpy(seed + 4, &i, sizeof(i));
		assert_int_equal(identity_from_seed(seed, &host), ERR_OK);
		snprintf(name, sizeof(name), "invented-%u", i);
		put_certificate(s, honest, host, i % 2 == 0 ? "leeds" : "york", 1);
		put_certificate(s, thief, host, name, 1);
		snprintf(site.name, sizeof(site.name), "phantom-%u", i);
		site.site = id_of_site(site.name);
		assert_int_equal(store_put_site_state(s, &site), ERR_OK);
		last = *identity_id(host);
		identity_free(host);
	}
	assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
	store_close(s);
	struct query *q = open_query(folder);
	assert_string_equal(text_of(q, "SELECT site, hosts FROM sites ORDER BY site"),
			    "leeds|562\nyork|562\n");
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.sites, 2);
	assert_int_equal(c.sites_silent, 0);
	/* Nobody heard of these hosts: that is said, and makes no answer partial. */
	assert_int_equal(c.hosts, LIMIT_SITES + 100);
	assert_int_equal(c.never_heard, LIMIT_SITES + 100);
	assert_int_equal(c.hosts_stale + c.incomplete, 0);
	assert_true(c.complete);
	query_close(q);
	/* One that was, and of which all but this is missing. */
	struct host_state state_of = {.status = HOST_UP, .seen = NOW, .host = last};
	assert_int_equal(
	    store_open(scratch_path(*state, "estate/replica"), &estate, identity_id(honest), &s, NULL, NULL),
	    ERR_OK);
	assert_int_equal(store_put_host_state(s, &state_of), ERR_OK);
	assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
	store_close(s);
	q = open_query(folder);
	assert_int_equal(query_coverage(q, &c, NULL), ERR_OK);
	assert_int_equal(c.never_heard, LIMIT_SITES + 99);
	assert_int_equal(c.incomplete, 1);
	assert_false(c.complete);
	query_close(q);
	identity_free(honest);
	identity_free(thief);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(missing_replicas_are_explained),
	    TEST(readers_need_no_write_permission),
	    TEST(a_question_sees_one_state),
	    TEST(an_overtaken_reader_gives_up),
	    TEST(a_file_that_is_cut_meanwhile_ends_the_answer),
	    TEST(damage_never_shows),
	    TEST(a_host_of_two_issuers_has_one_home),
	    TEST(invented_sites_end_no_answer),
	};
	return cmocka_run_group_tests_name("query files", tests, NULL, NULL);
}
