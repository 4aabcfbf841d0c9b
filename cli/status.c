/* This node, live over the control socket; when meshd is stopped, what its replica still tells. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/client.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "node/control.h"

#define GRANT_WARN_DAYS 30
#define LONELY_S        10 /* running for so long without a session is worth a word */
#define READER_WARN_S   60 /* no question takes as long */

static const struct client_field fields[] = {CONTROL_STATUS_TABLE(CLIENT_FIELD)};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

/* For scripts; people get lines. */
static const struct output_column columns[] = {
    {.name = "running", .style = OUTPUT_YESNO},    {.name = "witness", .style = OUTPUT_YESNO},
    {.name = "bridge", .style = OUTPUT_YESNO},     {.name = "cloned", .style = OUTPUT_YESNO},
    {.name = "log_forked", .style = OUTPUT_YESNO}, {.name = NULL},
};

static uint64_t number(const msgpack_object *body, uint64_t key)
{
	uint64_t v;
	return mp_u64(mp_get(body, key), UINT64_MAX, &v) ? v : 0;
}

static bool flag(const msgpack_object *body, uint64_t key)
{
	bool v;
	return mp_bool(mp_get(body, key), &v) && v;
}

/* Escaped; "-" when there is none. */
static const char *text(const msgpack_object *body, uint64_t key, char ret[4 * CLIENT_TEXT_BYTES])
{
	char raw[CLIENT_TEXT_BYTES];
	if (!mp_str(mp_get(body, key), raw, sizeof(raw)) || raw[0] == '\0')
		return "-";
	text_escape(ret, 4 * CLIENT_TEXT_BYTES, raw, strlen(raw));
	return ret;
}

static void put_budget(FILE *f, const msgpack_object *b)
{
	static const struct {
		const char *name;
		uint64_t key;
	} classes[] = {{"liveness", CONTROL_STATUS_SENT_LIVENESS},
		       {"log", CONTROL_STATUS_SENT_LOG},
		       {"urgent", CONTROL_STATUS_SENT_URGENT},
		       {"routine", CONTROL_STATUS_SENT_ROUTINE},
		       {"catching up", CONTROL_STATUS_SENT_CATCH_UP}};
	char shown[SHOWN_BYTES];
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		shown_bytes(number(b, classes[i].key), shown);
		fprintf(f, "%s%s %s", i == 0 ? "Sent      " : ", ", classes[i].name, shown);
	}
	fprintf(f, "; held back by the budget %" PRIu64 " times\n", number(b, CONTROL_STATUS_HELD_BACK));
}

static void put_traffic(FILE *f, const msgpack_object *b)
{
	char in[SHOWN_BYTES], out[SHOWN_BYTES];
	shown_bytes(number(b, CONTROL_STATUS_BYTES_IN), in);
	shown_bytes(number(b, CONTROL_STATUS_BYTES_OUT), out);
	fprintf(f, "Traffic   in %s (%" PRIu64 " datagrams), out %s (%" PRIu64 ")\n", in,
		number(b, CONTROL_STATUS_DATAGRAMS_IN), out, number(b, CONTROL_STATUS_DATAGRAMS_OUT));
	put_budget(f, b);
	fprintf(f,
		"Refused   %" PRIu64 " datagrams, %" PRIu64 " of them of a foreign estate or noise; %" PRIu64
		" bad signatures\n",
		number(b, CONTROL_STATUS_DROPPED), number(b, CONTROL_STATUS_FOREIGN),
		number(b, CONTROL_STATUS_BAD_SIGNATURES));
	fprintf(f,
		"Compared  %" PRIu64 " sketches settled it, %" PRIu64 " showed too much, %" PRIu64
		" came to nothing; %" PRIu64 " walks\n",
		number(b, CONTROL_STATUS_SKETCHES_DECODED), number(b, CONTROL_STATUS_SKETCHES_BEYOND),
		number(b, CONTROL_STATUS_SKETCHES_FAILED), number(b, CONTROL_STATUS_WALKS));
	fprintf(f,
		"Cost      %" PRIu64 " KiB resident, %" PRIu64 " KiB private, %" PRIu64 ".%02" PRIu64
		" s of processor time\n",
		number(b, CONTROL_STATUS_RSS_KIB), number(b, CONTROL_STATUS_PRIVATE_KIB),
		number(b, CONTROL_STATUS_CPU_US) / 1000000, number(b, CONTROL_STATUS_CPU_US) / 10000 % 100);
}

/* How long this host's certificate holds, when that is worth a word. */
static void put_grant(FILE *f, const msgpack_object *b)
{
	char issuer[4 * CLIENT_TEXT_BYTES];
	int64_t left;
	uint64_t grace = number(b, CONTROL_STATUS_GRANT_GRACE_DAYS);
	uint64_t ending = number(b, CONTROL_STATUS_GRANTS_ENDING);
	if (flag(b, CONTROL_STATUS_LOG_FORKED))
		fputs("WARNING: the authority's log is forked: its key was used twice; see mesh authority "
		      "log\n",
		      f);
	if (ending > 0)
		fprintf(f,
			"WARNING: the grants of %" PRIu64
			" issuer%s end within %d days, or have; mesh authority "
			"log lists them\n",
			ending, shown_plural(ending), GRANT_WARN_DAYS);
	if (strcmp(text(b, CONTROL_STATUS_GRANT_ISSUER, issuer), "-") == 0)
		return;
	if (!mp_i64(mp_get(b, CONTROL_STATUS_GRANT_DAYS_LEFT), &left))
		return; /* revoked: what that means for this host is said apart */
	uint64_t over = left < 0 ? (uint64_t)-left : 0;
	if (left > GRANT_WARN_DAYS)
		return;
	if (left >= 0)
		fprintf(f, "WARNING: the grant of issuer \"%s\" ends in %" PRId64 " day%s", issuer, left,
			left == 1 ? "" : "s");
	else if (over <= grace)
		fprintf(
		    f,
		    "WARNING: the grant of issuer \"%s\" has ended; its hosts are heard for another %" PRIu64
		    " day%s",
		    issuer, grace - over, shown_plural(grace - over));
	else
		fprintf(f,
			"WARNING: the grant of issuer \"%s\" and its grace have ended: others do not "
			"talk to its hosts",
			issuer);
	fputs("; extend it: mesh authority extend\n", f);
}

/* What this host's certificate is worth, also before its replica says so in the coverage. */
static void put_standing(FILE *f, const msgpack_object *b)
{
	char name[4 * CLIENT_TEXT_BYTES];
	const char *told = text(b, CONTROL_STATUS_STANDING, name);
	enum host_standing standing = STANDING_REVOKED;
	while (standing != STANDING_GOOD && strcmp(told, host_standing_name(standing)) != 0)
		standing--;
	/* Of an end the line about the grant tells more. */
	if (standing != STANDING_ENDED)
		coverage_self(f, "WARNING: ", standing, false);
}

static void put_warnings(FILE *f, const msgpack_object *b)
{
	char t[4 * CLIENT_TEXT_BYTES];
	put_standing(f, b);
	put_grant(f, b);
	if (flag(b, CONTROL_STATUS_CLONED))
		fputs("WARNING: another node runs with this node's key (a copy?); enrol one of them anew\n",
		      f);
	if (number(b, CONTROL_STATUS_SESSIONS) == 0 && number(b, CONTROL_STATUS_DATAGRAMS_OUT) > 0 &&
	    number(b, CONTROL_STATUS_UPTIME_S) >= LONELY_S)
		fputs("WARNING: no node answers; are the seeds up, of this estate, and reachable over UDP?\n",
		      f);
	if (strcmp(text(b, CONTROL_STATUS_STORE_ERROR, t), "-") != 0)
		fprintf(f, "WARNING: the replica is not being written: %s\n", t);
	if (strcmp(text(b, CONTROL_STATUS_DRILL, t), "-") != 0)
		fprintf(f, "DRILL: cut off from %s; to end it: mesh drill heal SITE\n", t);
}

/* Pages that it may still read are not used again. */
static void put_reader(FILE *f, const msgpack_object *b, wall_ms now)
{
	char age[SHOWN_BYTES], size[SHOWN_BYTES];
	uint64_t pid = number(b, CONTROL_STATUS_READER_PID);
	uint64_t for_s = shown_seconds(number(b, CONTROL_STATUS_READER_SINCE_MS), now);
	if (pid == 0 || for_s < READER_WARN_S)
		return;
	shown_age(for_s, age);
	shown_bytes(number(b, CONTROL_STATUS_REPLICA_BYTES), size);
	fprintf(f,
		"WARNING: process %" PRIu64 " has been reading the replica as it was %s ago (%" PRIu64
		" commits): until it ends the file (%s) grows by all that is written\n",
		pid, age, number(b, CONTROL_STATUS_READER_COMMITS), size);
}

/* What the replica holds against this node itself. */
static enum err own_issues(struct answer *a, const char *self, struct rows *ret, struct err_info *info)
{
	return rows_fetch(a->query,
			  "SELECT kind, detail FROM issues WHERE subject = ?1 ORDER BY severity, kind", &self,
			  1, ret, info);
}

static enum err put_own_issues(struct answer *a, const char *self, struct err_info *info)
{
	struct rows rows;
	enum err err = own_issues(a, self, &rows, info);
	char detail[4 * LIMIT_ISSUE_DETAIL_BYTES + 1];
	for (size_t i = 0; err == ERR_OK && i < rows.count; i++) {
		const char *raw = rows_text(&rows, i, "detail");
		text_escape(detail, sizeof(detail), raw, strlen(raw));
		fprintf(a->output.f, "%s%s%s%s", i == 0 ? "Issues    " : "; ", rows_text(&rows, i, "kind"),
			*raw != '\0' ? ": " : "", detail);
	}
	if (err == ERR_OK)
		fputs(rows.count > 0 ? " (mesh issues)\n" : "Issues    none of this node\n", a->output.f);
	rows_release(&rows);
	return err;
}

static enum err put_people(struct answer *a, const msgpack_object *b, struct err_info *info)
{
	FILE *f = a->output.f;
	char t[4 * CLIENT_TEXT_BYTES], u[4 * CLIENT_TEXT_BYTES], age[SHOWN_BYTES],
	    commit[SHOWN_BYTES] = "none yet";
	char self[CLIENT_TEXT_BYTES];
	uint64_t committed = number(b, CONTROL_STATUS_LAST_COMMIT_MS);
	uint64_t hosts = number(b, CONTROL_STATUS_HOSTS), sites = number(b, CONTROL_STATUS_SITES);
	uint64_t peers = number(b, CONTROL_STATUS_SESSIONS);
	shown_age(number(b, CONTROL_STATUS_UPTIME_S), age);
	if (committed > 0) {
		shown_age(shown_seconds(committed, a->now), commit);
		strncat(commit, " ago", sizeof(commit) - strlen(commit) - 1);
	}
	fprintf(f, "meshd     running for %s, pid %" PRIu64 ", version %s\n", age,
		number(b, CONTROL_STATUS_PID), text(b, CONTROL_STATUS_VERSION, t));
	fprintf(f, "Host      %s\n", text(b, CONTROL_STATUS_HOST, t));
	fprintf(f, "Site      %s%s%s\n", text(b, CONTROL_STATUS_SITE, t),
		flag(b, CONTROL_STATUS_WITNESS) ? ", witness" : "",
		flag(b, CONTROL_STATUS_BRIDGE) ? ", bridge" : "");
	fprintf(f, "Estate    %s, id %s\n", text(b, CONTROL_STATUS_ESTATE_NAME, t),
		text(b, CONTROL_STATUS_ESTATE, u));
	fprintf(f, "Listens   %s\n", text(b, CONTROL_STATUS_LISTEN, t));
	fprintf(f,
		"Knows     %" PRIu64 " host%s, %" PRIu64 " site%s, %" PRIu64 " records, %" PRIu64
		" blobs still wanted; root %s\n",
		hosts, shown_plural(hosts), sites, shown_plural(sites), number(b, CONTROL_STATUS_RECORDS),
		number(b, CONTROL_STATUS_BLOBS_WANTED), text(b, CONTROL_STATUS_ESTATE_ROOT, t));
	fprintf(f, "Talks to  %" PRIu64 " node%s\n", peers, shown_plural(peers));
	fprintf(f, "Replica   last commit %s; authority log at entry %" PRIu64 "; next sequence %" PRIu64,
		commit, number(b, CONTROL_STATUS_LOG_INDEX), number(b, CONTROL_STATUS_SEQ_NEXT));
	if (number(b, CONTROL_STATUS_SWEPT) > 0)
		fprintf(f, "; %" PRIu64 " rows dropped that nothing referred to any more",
			number(b, CONTROL_STATUS_SWEPT));
	fputc('\n', f);
	put_traffic(f, b);
	enum err err = a->query != NULL && mp_str(mp_get(b, CONTROL_STATUS_HOST), self, sizeof(self))
			   ? put_own_issues(a, self, info)
			   : ERR_OK;
	put_warnings(f, b);
	put_reader(f, b, a->now);
	return err;
}

/* What the replica tells of its own node. */
static enum err put_stopped(struct answer *a, const char *state, struct err_info *info)
{
	struct query_coverage c;
	char site[4 * LIMIT_SITE_NAME_BYTES + 1], age[SHOWN_BYTES], start[COMMAND_START_BYTES];
	enum err err = query_coverage(a->query, &c, info);
	if (err != ERR_OK)
		return err;
	text_escape(site, sizeof(site), c.self_site, strlen(c.self_site));
	shown_age(shown_seconds(c.as_of, a->now), age);
	command_start_hint(state, start);
	fprintf(a->output.f,
		"meshd     stopped; start it: %s\n"
		"Host      %s\nSite      %s\nReplica   last commit %s ago\n",
		start, c.self, site, age);
	return put_own_issues(a, c.self, info);
}

/* The same fields whether it runs or not: without `body` all but the first are null, and the last without a
 * replica. */
static enum err put_row(struct answer *a, const msgpack_object *body, struct err_info *info)
{
	const char *names[FIELDS + 2] = {"running"};
	struct query_value values[FIELDS + 2] = {{.type = QUERY_INTEGER, .integer = body != NULL}};
	struct query_coverage coverage;
	struct rows own = {0};
	char strings[FIELDS][CLIENT_TEXT_BYTES];
	struct query_sink sink = output_sink(&a->output);
	for (size_t i = 0; i < FIELDS; i++) {
		names[i + 1] = fields[i].name;
		values[i + 1] = client_value(body, &fields[i], strings[i]);
	}
	names[FIELDS + 1] = "own_issues";
	if (a->query != NULL) {
		enum err err = query_coverage(a->query, &coverage, info);
		if (err == ERR_OK)
			err = own_issues(a, coverage.self, &own, info);
		values[FIELDS + 1] =
		    (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)own.count};
		rows_release(&own);
		if (err != ERR_OK)
			return err;
	}
	if (sink.columns(sink.context, names, FIELDS + 2))
		sink.row(sink.context, values, FIELDS + 2);
	return output_finish_rows(&a->output);
}

int verb_status(struct command *c)
{
	struct answer a;
	char state[LIMIT_PATH_BYTES];
	struct client_reply reply = {0};
	struct err_info info = {0};
	int code = answer_open_live(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK)
		err = client_call(state, CONTROL_VERB_STATUS, NULL, 0, &reply, &info);
	bool running = err == ERR_OK;
	if (!running && (err != ERR_NOT_FOUND || a.query == NULL))
		return answer_fail(&a, err == ERR_NOT_FOUND ? &a.missing : &info);
	a.partial = !running;
	info = (struct err_info){0};
	if (!output_for_people(&a.output))
		err = put_row(&a, running ? reply.body : NULL, &info);
	else if (running)
		err = put_people(&a, reply.body, &info);
	else
		err = put_stopped(&a, state, &info);
	if (running)
		client_release(&reply);
	if (err != ERR_OK && info.code == ERR_OK)
		err_set(&info, err, "%s", err_text(err));
	return err == ERR_OK ? answer_close(&a) : answer_fail(&a, &info);
}
