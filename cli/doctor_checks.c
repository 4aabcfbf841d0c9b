#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/doctor.h"
#include "cli/shown.h"
#include "node/control.h"

#define GRANT_WARN_DAYS 30
#define LONELY_S        10 /* running for so long without a session is worth a word */
#define READER_WARN_S   60 /* no question takes as long */
#define NAMES_BYTES     400

static uint64_t number(const struct doctor *d, uint64_t key)
{
	uint64_t v;
	return mp_u64(mp_get(d->body, key), UINT64_MAX, &v) ? v : 0;
}

static bool flag(const struct doctor *d, uint64_t key)
{
	bool v;
	return mp_bool(mp_get(d->body, key), &v) && v;
}

/* Escaped; false when there is none. */
static bool text(const struct doctor *d, uint64_t key, char ret[4 * CLIENT_TEXT_BYTES])
{
	char raw[CLIENT_TEXT_BYTES];
	ret[0] = '\0';
	if (!mp_str(mp_get(d->body, key), raw, sizeof(raw)) || raw[0] == '\0')
		return false;
	text_escape(ret, 4 * CLIENT_TEXT_BYTES, raw, strlen(raw));
	return true;
}

/* --- the node itself --- */

static void check_running(struct doctor *d)
{
	char age[SHOWN_BYTES], version[4 * CLIENT_TEXT_BYTES];
	shown_age(number(d, CONTROL_STATUS_UPTIME_S), age);
	(void)text(d, CONTROL_STATUS_VERSION, version);
	bool same = strcmp(version, MESH_VERSION) == 0;
	doctor_tell(d, "meshd", same ? DOCTOR_OK : DOCTOR_NOTE,
		    same ? NULL : "Restart meshd after an update, so that both are of one version.",
		    "running for %s, version %s%s", age, version,
		    same ? "" : "; this program is " MESH_VERSION);
}

static void check_trust(struct doctor *d)
{
	char standing[4 * CLIENT_TEXT_BYTES], issuer[4 * CLIENT_TEXT_BYTES];
	int64_t left = 0;
	bool known = text(d, CONTROL_STATUS_STANDING, standing);
	bool good = strcmp(standing, host_standing_name(STANDING_GOOD)) == 0;
	bool grace = strcmp(standing, host_standing_name(STANDING_GRACE)) == 0;
	doctor_tell(d, "certificate",
		    !known  ? DOCTOR_UNKNOWN
		    : good  ? DOCTOR_OK
		    : grace ? DOCTOR_WARN
			    : DOCTOR_FAIL,
		    good || !known ? NULL : "mesh status says what that means; mesh issues, what to do.",
		    "%s", known ? standing : "meshd does not say what it is worth");
	if (text(d, CONTROL_STATUS_GRANT_ISSUER, issuer) &&
	    mp_i64(mp_get(d->body, CONTROL_STATUS_GRANT_DAYS_LEFT), &left))
		doctor_tell(d, "grant",
			    left > GRANT_WARN_DAYS ? DOCTOR_OK
			    : left >= 0            ? DOCTOR_WARN
						   : DOCTOR_FAIL,
			    left > GRANT_WARN_DAYS ? NULL : "Extend it: mesh authority extend",
			    "of issuer \"%s\", %s %" PRId64 " days", issuer,
			    left >= 0 ? "holds for another" : "has ended since", left >= 0 ? left : -left);
	if (flag(d, CONTROL_STATUS_LOG_FORKED))
		doctor_tell(d, "authority log", DOCTOR_FAIL,
			    "See mesh authority log; a rotation ends the fork.",
			    "is forked: its key was used twice");
	if (flag(d, CONTROL_STATUS_CLONED))
		doctor_tell(d, "key", DOCTOR_FAIL, "Enrol one of the two anew, in an empty folder.",
			    "another node runs with this node's key (a copy of its folder?)");
}

static void check_peers(struct doctor *d)
{
	char sites[4 * CLIENT_TEXT_BYTES];
	uint64_t sessions = number(d, CONTROL_STATUS_SESSIONS), hosts = number(d, CONTROL_STATUS_HOSTS);
	bool lonely = sessions == 0 && number(d, CONTROL_STATUS_DATAGRAMS_OUT) > 0 &&
		      number(d, CONTROL_STATUS_UPTIME_S) >= LONELY_S;
	doctor_tell(d, "peers", lonely ? DOCTOR_WARN : DOCTOR_OK,
		    lonely
			? "Are the seeds up, of this estate, and reachable over UDP? mesh peers lists them."
			: NULL,
		    lonely ? "no node answers" : "talks to %" PRIu64 " of %" PRIu64 " other hosts", sessions,
		    hosts > 0 ? hosts - 1 : 0);
	if (text(d, CONTROL_STATUS_DRILL, sites))
		doctor_tell(d, "drill", DOCTOR_WARN, "To end it: mesh drill heal SITE", "cut off from %s",
			    sites);
}

static void check_writing(struct doctor *d)
{
	char error[4 * CLIENT_TEXT_BYTES], age[SHOWN_BYTES], size[SHOWN_BYTES];
	uint64_t damaged = number(d, CONTROL_STATUS_DAMAGED), rebuilt = number(d, CONTROL_STATUS_REBUILT);
	uint64_t pid = number(d, CONTROL_STATUS_READER_PID), refused = number(d, CONTROL_STATUS_NO_ROOM);
	uint64_t for_s = shown_seconds(number(d, CONTROL_STATUS_READER_SINCE_MS), d->a->now);
	shown_bytes(number(d, CONTROL_STATUS_REPLICA_BYTES), size);
	bool broken = text(d, CONTROL_STATUS_STORE_ERROR, error);
	doctor_tell(d, "writing", broken ? DOCTOR_FAIL : DOCTOR_OK,
		    broken ? "Make room on the disk, or give meshd its folder back; it goes on by itself."
			   : NULL,
		    "%s%s", broken ? "" : "the replica's file has ", broken ? error : size);
	if (damaged + rebuilt > 0)
		doctor_tell(
		    d, "damage", DOCTOR_NOTE,
		    "It was mended. If it comes again, look at the disk and the memory of this machine.",
		    "%" PRIu64 " rows and %" PRIu64 " blocks of the replica since the start", damaged,
		    rebuilt);
	if (flag(d, CONTROL_STATUS_SET_ASIDE))
		doctor_tell(d, "set aside", DOCTOR_WARN,
			    "Look at the disk and the memory of this machine. The damaged file is beside the "
			    "new one, to be removed by hand.",
			    "the replica was damaged as a whole; a new one is built from other hosts");
	if (refused > 0)
		doctor_tell(d, "room", DOCTOR_WARN,
			    "mesh hosts, mesh sites: are there more than Mesh has room for?",
			    "%" PRIu64 " rows found no room in the replica", refused);
	if (pid == 0 || for_s < READER_WARN_S)
		return;
	shown_age(for_s, age);
	doctor_tell(d, "reader", DOCTOR_WARN,
		    "End that process: until then the file grows by all that is written.",
		    "process %" PRIu64 " has been reading the replica as it was %s ago", pid, age);
}

/* --- what others sent --- */

static const struct {
	uint64_t key;
	const char *check, *what, *remedy;
	enum doctor_verdict verdict; /* once there is any */
} inputs[] = {
#define NOISE "Nothing, if they are few: noise, or a scan. If they go on, find out who sends to this port."
#define PEER                                                                                                 \
	"Nothing is lost: it was refused. If it goes on, mesh issues and mesh peers may show whose it is."
    {CONTROL_STATUS_REFUSED_SHORT, "input: too short", "datagrams that are no message", NOISE, DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_LONG, "input: too long", "datagrams beyond the size of any message", NOISE,
     DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_VERSION, "input: version", "datagrams of a protocol that is not known here",
     "Noise, if they are few. If they go on, some node may be newer than this one: update meshd.",
     DOCTOR_NOTE},
    {CONTROL_STATUS_FOREIGN, "input: foreign", "datagrams of another estate, or noise", NOISE, DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_SOURCE, "input: sender", "datagrams whose sender is not known, or not there",
     NOISE, DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_SEAL, "input: seal",
     "datagrams whose seal does not fit (a node that just started, too)", PEER, DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_REPLAY, "input: replay", "datagrams that came before, or far too late", PEER,
     DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_RATE, "input: rate", "datagrams beyond what one sender may ask for", PEER,
     DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_SCHEMA, "input: fields", "messages with a field missing, doubled or out of range",
     "A sealed message that is malformed comes from an enrolled host: a newer version, or a malicious one. "
     "mesh issues, mesh peers.",
     DOCTOR_WARN},
    {CONTROL_STATUS_BAD_SIGNATURES, "input: signature", "records whose signature does not verify", PEER,
     DOCTOR_WARN},
    {CONTROL_STATUS_RECORDS_UNTRUSTED, "input: untrusted",
     "records by hosts that are not enrolled, or may not say so", PEER, DOCTOR_NOTE},
    {CONTROL_STATUS_RECORDS_FORKED, "input: forked", "records of one number with two contents",
     "mesh issues shows both with proof: a cloned or a malicious host.", DOCTOR_WARN},
    {CONTROL_STATUS_RECORDS_ORPHAN, "input: orphans", "records that came before their host's certificate",
     "Nothing, if they are few: the certificate follows. If they go on, mesh peers may show who sends them.",
     DOCTOR_NOTE},
    {CONTROL_STATUS_SKETCHES_FAILED, "input: sketch", "sketches of a set that came to nothing", PEER,
     DOCTOR_NOTE},
    {CONTROL_STATUS_SKETCHES_BEYOND, "input: difference",
     "sketches that showed too large a difference, and were followed by a walk",
     "As it is after this node was away. If it goes on, a peer's sketches may lie: mesh issues, mesh peers.",
     DOCTOR_NOTE},
    {CONTROL_STATUS_SKETCHES_REFUSED, "input: sketches asked for",
     "questions for sketches beyond what one sender may ask for", PEER, DOCTOR_NOTE},
    {CONTROL_STATUS_EXCHANGES_VAIN, "input: trie",
     "comparisons with a peer whose set always differs, and that brought nothing before", PEER, DOCTOR_NOTE},
    {CONTROL_STATUS_WALKS_GIVEN_UP, "input: walk", "comparisons that a peer stopped answering",
     "It was lost, or stopped. They are made with others.", DOCTOR_NOTE},
    {CONTROL_STATUS_PULLS_GIVEN_UP, "input: records not sent",
     "records that a peer named, and did not hand over",
     "It stopped, has a newer one by now, or lied. They are asked of others.", DOCTOR_NOTE},
    {CONTROL_STATUS_BLOBS_REFUSED, "input: pieces", "pieces of lists that nobody asked for", PEER,
     DOCTOR_NOTE},
    {CONTROL_STATUS_BLOBS_WRONG, "input: wrong pieces",
     "pieces of lists that are not what was asked for, or do not match their manifest", PEER, DOCTOR_WARN},
    {CONTROL_STATUS_BLOBS_GIVEN_UP, "input: missing pieces", "pieces of lists that nobody sent in the end",
     "They are asked for again. Their hosts count as partial in the coverage.", DOCTOR_NOTE},
    {CONTROL_STATUS_REFUSED_DRILL, "input: drill", "datagrams of sites that a drill cuts off",
     "As the drill says. To end it: mesh drill heal SITE", DOCTOR_NOTE},
#undef NOISE
#undef PEER
};

static void check_input(struct doctor *d)
{
	bool people = output_for_people(&d->a->output);
	uint64_t any = 0;
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		uint64_t n = number(d, inputs[i].key);
		any += n;
		if (n > 0 || !people)
			doctor_tell(d, inputs[i].check, n > 0 ? inputs[i].verdict : DOCTOR_OK,
				    n > 0 ? inputs[i].remedy : NULL, "%" PRIu64 " %s", n, inputs[i].what);
	}
	if (people && any == 0)
		doctor_tell(d, "input", DOCTOR_OK, NULL, "nothing had to be refused");
}

void doctor_check_live(struct doctor *d)
{
	check_running(d);
	check_trust(d);
	check_peers(d);
	check_writing(d);
	check_input(d);
}

/* --- the replica --- */

static enum err check_coverage(struct doctor *d, struct err_info *info)
{
	const struct query_coverage *c;
	char age[SHOWN_BYTES];
	enum err err = answer_coverage(d->a, &c, info);
	if (err != ERR_OK)
		return err;
	shown_age(shown_seconds(c->as_of, d->a->now), age);
	if (c->as_of == 0)
		doctor_tell(d, "replica", DOCTOR_WARN,
			    "meshd's log says whether a damaged one was set aside.",
			    "is new: nothing is committed yet");
	else
		doctor_tell(d, "replica", c->stale ? DOCTOR_WARN : DOCTOR_OK,
			    c->stale ? "Answers are as old as that. Is meshd running?" : NULL,
			    "last commit %s ago", age);
	if (c->damaged_rows > 0)
		doctor_tell(d, "damaged rows", DOCTOR_WARN,
			    "meshd pulls them again from its peers, once it runs.",
			    "%" PRIu64 " are left out of every answer", c->damaged_rows);
	bool whole = c->hosts_stale + c->incomplete + c->sites_silent == 0;
	doctor_tell(d, "estate", whole ? DOCTOR_OK : DOCTOR_NOTE,
		    whole ? NULL
			  : "This node is well, the estate is not, or is cut off: mesh sites, mesh hosts.",
		    "%" PRIu64 " hosts, %" PRIu64 " of them not heard of lately, %" PRIu64
		    " incomplete; %" PRIu64 " of %" PRIu64 " sites silent",
		    c->hosts, c->hosts_stale, c->incomplete, c->sites_silent, c->sites);
	return ERR_OK;
}

static enum err check_issues(struct doctor *d, const char *self, struct err_info *info)
{
	struct rows rows;
	char detail[4 * LIMIT_ISSUE_DETAIL_BYTES + 1];
	enum err err = rows_fetch(
	    d->a->query, "SELECT kind, severity, detail, remedy FROM issues WHERE subject = ?1 ORDER BY kind",
	    &self, 1, &rows, info);
	for (size_t i = 0; err == ERR_OK && i < rows.count; i++) {
		const char *raw = rows_text(&rows, i, "detail"), *severity = rows_text(&rows, i, "severity");
		text_escape(detail, sizeof(detail), raw, strlen(raw));
		doctor_tell(d, "issue",
			    strcmp(severity, "critical") == 0  ? DOCTOR_FAIL
			    : strcmp(severity, "warning") == 0 ? DOCTOR_WARN
							       : DOCTOR_NOTE,
			    rows_text(&rows, i, "remedy"), "%s%s%s", rows_text(&rows, i, "kind"),
			    *raw != '\0' ? ": " : "", detail);
	}
	if (err == ERR_OK && rows.count == 0)
		doctor_tell(d, "issues", DOCTOR_OK, NULL, "none of this node");
	rows_release(&rows);
	return err;
}

/* Names of what the host could not read, for one reason. */
static size_t list_readings(const struct rows *r, const char *reason, char ret[NAMES_BYTES])
{
	static const char end[] = "_status";
	size_t count = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < r->columns; i++) {
		size_t len = strlen(r->names[i]), used = strlen(ret);
		const struct query_value *v = rows_cell(r, 0, i);
		if (len < sizeof(end) || strcmp(r->names[i] + len - sizeof(end) + 1, end) != 0 ||
		    v->type != QUERY_TEXT || strcmp(v->text, reason) != 0)
			continue;
		snprintf(ret + used, NAMES_BYTES - used, "%s%.*s", count++ > 0 ? ", " : "",
			 (int)(len - sizeof(end) + 1), r->names[i]);
	}
	return count;
}

static enum err check_readings(struct doctor *d, const char *self, const char *table, const char *sql,
			       struct err_info *info)
{
	static const struct {
		const char *reason, *remedy;
		enum doctor_verdict verdict;
	} reasons[] = {
	    {"denied",
	     "Give meshd the right to read it (docs/operations.md), or leave it: it is shown as denied.",
	     DOCTOR_WARN},
	    {"failed", "meshd's log says why.", DOCTOR_WARN},
	    {"unsupported", NULL, DOCTOR_NOTE},
	};
	struct rows rows;
	char list[NAMES_BYTES];
	bool told = false;
	enum err err = rows_fetch(d->a->query, sql, &self, 1, &rows, info);
	if (err == ERR_OK && rows.count == 0) {
		doctor_tell(d, table, DOCTOR_NOTE, NULL, "this node has not published it yet");
		told = true;
	}
	for (size_t i = 0; err == ERR_OK && rows.count > 0 && i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (list_readings(&rows, reasons[i].reason, list) == 0)
			continue;
		doctor_tell(d, table, reasons[i].verdict, reasons[i].remedy, "%s: %s", reasons[i].reason,
			    list);
		told = true;
	}
	if (err == ERR_OK && !told)
		doctor_tell(d, table, DOCTOR_OK, NULL, "all readings were made");
	rows_release(&rows);
	return err;
}

enum err doctor_check_replica(struct doctor *d, struct err_info *info)
{
	enum err err = check_coverage(d, info);
	const char *self = d->a->coverage.self;
	if (err == ERR_OK)
		err = check_issues(d, self, info);
	if (err == ERR_OK)
		err = check_readings(d, self, "readings of the host", "SELECT * FROM hosts WHERE host = ?1",
				     info);
	if (err == ERR_OK)
		err = check_readings(d, self, "readings of its health",
				     "SELECT * FROM health WHERE host = ?1", info);
	return err;
}
