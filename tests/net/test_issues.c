/* What a daemon finds wrong with the data reaches its replica, and outlives kill -9. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "record/manifest.h"
#include "store/query.h"
#include "tests/net/harness.h"
#include "tests/unit/scratch.h"

static int setup(void **state)
{
	*state = net_make();
	return 0;
}

static int teardown(void **state)
{
	net_free(*state);
	return 0;
}

struct asked {
	struct net_node *node;
	const char *sql, *wanted;
	char have[1024]; /* rows as lines, cells apart by a bar */
};

static bool take_row(void *context, const struct query_value *values, size_t count)
{
	struct asked *a = context;
	for (size_t i = 0; i < count; i++) {
		char cell[256] = "NULL";
		if (values[i].type == QUERY_TEXT)
			snprintf(cell, sizeof(cell), "%.*s", (int)values[i].text_len, values[i].text);
		else if (values[i].type == QUERY_INTEGER)
			snprintf(cell, sizeof(cell), "%lld", (long long)values[i].integer);
		size_t len = strlen(a->have);
		snprintf(a->have + len, sizeof(a->have) - len, "%s%s", cell, i + 1 < count ? "|" : "\n");
	}
	return true;
}

static bool answers(void *context)
{
	struct asked *a = context;
	struct query *q = NULL;
	struct query_sink sink = {NULL, take_row, a};
	a->have[0] = '\0';
	if (query_open(a->node->folder, os_clock_wall(), &q, NULL) != ERR_OK)
		return false;
	enum err err = query_run(q, a->sql, NULL, 0, NULL, &sink, NULL);
	query_close(q);
	return err == ERR_OK && strcmp(a->have, a->wanted) == 0;
}

static void comes_to(struct net_node *n, const char *sql, const char *wanted)
{
	struct asked a = {.node = n, .sql = sql, .wanted = wanted};
	if (!net_await(answers, &a))
		fail_msg("%s\ncomes to:\n%snot to:\n%slog:\n%s", sql, a.have, wanted, n->log);
}

static void hand_in(struct net_node *n, const uint8_t *bytes, size_t len)
{
	char hex[2 * LIMIT_LOG_ENTRY_BYTES + 1], error[32];
	text_hex(hex, bytes, len);
	net_ask(n, CONTROL_VERB_LOG, hex, NULL, error);
	assert_string_equal(error, "ok");
}

static void take_back(struct net_estate *e, struct net_node *at, enum log_revoke_what what,
		      const struct id *id, const struct id *list, const char *reason)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	assert_int_equal(authlog_make_revoke(e->token.log, e->authority, what, id, list, reason,
					     os_clock_wall(), entry, &len),
			 ERR_OK);
	assert_int_equal(authlog_append(e->token.log, entry, len), ERR_OK);
	hand_in(at, entry, len);
}

static bool has_session(void *node)
{
	uint64_t sessions = 0;
	return net_status_number(node, CONTROL_STATUS_SESSIONS, &sessions) && sessions > 0;
}

/* It runs, talks to somebody, and what it found at its start is on disk. */
static void settled(struct net_node *n)
{
	char error[32];
	assert_true(net_await(has_session, n));
	net_ask(n, CONTROL_VERB_COMMIT, NULL, NULL, error);
	assert_string_equal(error, "ok");
}

static void revoked_hosts_are_hidden_for_good(void **state)
{
	struct net_estate *e = *state;
	struct net_node *one = net_enroll(e, "hamburg"), *two = net_enroll(e, "hamburg"),
			*three = net_enroll(e, "leeds");
	char hex[ID_HEX_BYTES], wanted[256], issue[256];
	net_up(one);
	net_up(two);
	net_up(three);
	comes_to(three, "SELECT count(*) FROM hosts WHERE complete = 1", "3\n");
	take_back(e, one, LOG_REVOKE_HOST, &two->host, NULL, "stolen");
	id_hex(&two->host, hex);
	snprintf(issue, sizeof(issue), "SELECT kind, subject FROM issues WHERE kind = 'host-revoked'");
	snprintf(wanted, sizeof(wanted), "host-revoked|%s\n", hex);
	struct net_node *const nodes[] = {one, three};
	for (size_t i = 0; i < 2; i++) {
		comes_to(nodes[i], issue, wanted);
		comes_to(nodes[i], "SELECT count(*), sum(status = 'up') FROM hosts", "2|2\n");
		comes_to(nodes[i], "SELECT count(*) FROM hidden_hosts", "1\n");
	}
	/* Killed and started again: the same issue, not a new one, and its data still hidden. */
	struct asked since = {
	    .node = three, .sql = "SELECT since_ms FROM issues WHERE kind = 'host-revoked'", .wanted = ""};
	(void)answers(&since);
	net_signal(three, SIGKILL);
	net_await_exit(three);
	net_up(three);
	settled(three);
	struct asked again = {.node = three, .sql = since.sql, .wanted = since.have};
	if (!answers(&again))
		fail_msg("since when: %snot %s", again.have, since.have);
	comes_to(three, "SELECT count(*), sum(status = 'up') FROM hosts", "2|2\n");
	comes_to(three, "SELECT count(*) FROM hidden_hosts", "1\n");
}

static int compare_ids(const void *a, const void *b)
{
	return id_compare(a, b);
}

/* The hosts that a revoked issuer leaves are known again from the node's own replica, with nobody to ask. */
static void an_allow_list_outlives_a_restart(void **state)
{
	struct net_estate *e = *state;
	struct net_node *one = net_enroll(e, "hamburg"), *two = net_enroll(e, "hamburg"),
			*three = net_enroll(e, "leeds");
	uint8_t blob[2 + 2 * ID_BYTES] = {1, BLOB_ALLOW_LIST};
	struct id stay[2] = {one->host, three->host};
	char error[32];
	net_up(one);
	net_up(two);
	net_up(three);
	comes_to(three, "SELECT count(*) FROM hosts WHERE complete = 1", "3\n");
	qsort(stay, 2, sizeof(stay[0]), compare_ids);
	memcpy(blob + 2, stay, sizeof(stay));
	struct id list = blob_id(blob, sizeof(blob));
	take_back(e, one, LOG_REVOKE_ISSUER, identity_id(e->issuer), &list, "token leaked");
	hand_in(one, blob, sizeof(blob));
	static const char hidden[] = "SELECT reason, count(*) FROM hidden_hosts GROUP BY reason";
	static const char missing[] = "SELECT count(*) FROM issues WHERE kind = 'allow-list-missing'";
	comes_to(three, hidden, "issuer-revoked|1\n");
	comes_to(three, missing, "0\n");
	struct net_node *const nodes[] = {one, two, three};
	for (size_t i = 0; i < 3; i++) {
		net_signal(nodes[i], SIGKILL);
		net_await_exit(nodes[i]);
	}
	net_up(three);
	/* What it decided at its start is in this commit. */
	net_ask(three, CONTROL_VERB_COMMIT, NULL, NULL, error);
	assert_string_equal(error, "ok");
	comes_to(three, "SELECT count(*) FROM hosts", "2\n");
	struct asked now = {.node = three, .sql = hidden, .wanted = "issuer-revoked|1\n"};
	assert_true(answers(&now));
	now = (struct asked){.node = three, .sql = missing, .wanted = "0\n"};
	assert_true(answers(&now));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(revoked_hosts_are_hidden_for_good),
	    TEST(an_allow_list_outlives_a_restart),
	};
	return cmocka_run_group_tests_name("issues", tests, NULL, NULL);
}
