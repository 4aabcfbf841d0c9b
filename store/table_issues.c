#include <string.h>

#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(KIND, "kind", "TEXT", "", "what is wrong: host-revoked, cloned, log-forked, ...")                  \
	X(SEVERITY, "severity", "TEXT", "",                                                                  \
	  "info (nothing to do), warning, critical (answers or the estate's trust suffer)")                  \
	X(SUBJECT, "subject", "TEXT", "", "id of whom it is about, 32 hexadecimal digits")                   \
	X(SUBJECT_TYPE, "subject_type", "TEXT", "", "host, issuer, operator or estate")                      \
	X(HOST_NAME, "host_name", "TEXT", "",                                                                \
	  "of a host, also of a revoked one; NULL: no host, or its name is not known")                       \
	X(SITE, "site", "TEXT", "", "home site of a host; NULL: no host, or not known here")                 \
	X(OTHER, "other", "TEXT", "", "id of the other party (issuer, other host, blob); NULL: none")        \
	X(SINCE, "since_ms", "INTEGER", "ms since 1970", "when it was first found; NULL: not known")         \
	X(LAST, "last_ms", "INTEGER", "ms since 1970", "when it was found last; NULL: not known")            \
	X(COUNT, "count", "INTEGER", "", "of what count_of says; NULL: there is nothing to count")           \
	X(COUNT_OF, "count_of", "TEXT", "", "what is counted; NULL: nothing")                                \
	X(DETAIL, "detail", "TEXT", "", "NULL: nothing more is known")                                       \
	X(PROOFS, "proofs", "INTEGER", "records", "kept as proof, see issue_proofs")                         \
	X(EXPLANATION, "explanation", "TEXT", "", "what it means")                                           \
	X(REMEDY, "remedy", "TEXT", "", "what to do about it")

#define PROOF_SYMBOL(symbol, name, type, unit, meaning) PROOF_##symbol,
#define PROOF_COLUMNS(X)                                                                                     \
	X(KIND, "kind", "TEXT", "", "of the issue")                                                          \
	X(SUBJECT, "subject", "TEXT", "", "of the issue")                                                    \
	X(NUMBER, "number", "INTEGER", "", "1 or 2")                                                         \
	X(RECORD_KIND, "record_kind", "TEXT", "", "what kind of record it is")                               \
	X(ABOUT, "about", "TEXT", "", "host or site the record is about")                                    \
	X(SEQ, "seq", "INTEGER", "", "the writer's counter")                                                 \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the writer's clock; NULL: none stated")           \
	X(INSTANCE, "instance", "TEXT", "", "the writer's run that signed it, 16 hexadecimal digits")        \
	X(HASH, "hash", "TEXT", "", "of the whole record: two that differ are two statements")               \
	X(BYTES, "bytes", "INTEGER", "bytes", "length of the record")

enum { COLUMNS(TABLE_SYMBOL) };
enum { PROOF_COLUMNS(PROOF_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};
static const struct query_column proof_columns[] = {PROOF_COLUMNS(TABLE_COLUMN)};

static const char *record_name(uint8_t kind)
{
	static const struct {
		uint8_t kind;
		const char *name;
	} names[] = {
	    {RECORD_CERTIFICATE, "certificate"},
	    {RECORD_PROFILE, "profile"},
	    {RECORD_HEALTH, "health"},
	    {RECORD_COMPONENTS, "components"},
	    {RECORD_CRASHES, "crashes"},
	    {RECORD_GOODBYE, "goodbye"},
	    {RECORD_ROLLCALL, "roll-call"},
	    {RECORD_REACH, "reach"},
	    {RECORD_INCIDENT, "incident"},
	    {RECORD_CLAIM, "claim"},
	    {RECORD_NOTE, "note"},
	    {RECORD_POLICY, "policy"},
	    {RECORD_INVENTORY, "inventory"},
	    {RECORD_DECOMMISSION, "decommission"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].kind == kind)
			return names[i].name;
	}
	return "unknown";
}

static const char *severity_name(enum issue_severity severity)
{
	return severity == ISSUE_CRITICAL ? "critical" : severity == ISSUE_WARNING ? "warning" : "info";
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct issue_list *list;
	enum err err = query_issues(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->count;
	return err;
}

static void host_column(struct table_cursor *c, const struct id *subject, int number,
			sqlite3_context *context)
{
	static const struct cell_source name = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME};
	const struct roster_host *host;
	enum err err = host_by_id(c->q, subject, true, &host);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || host == NULL)
		return;
	host_view_start(&c->view, c->q, host);
	if (number == SITE)
		cell_static(context, c->view.site->state.name);
	else
		(void)cell_from(&c->view, &name, context);
}

static size_t count_proofs(const struct issue_list *list, const struct issue *issue)
{
	size_t n = 0;
	for (size_t i = 0; i < list->proof_count; i++)
		n += list->proofs[i].kind == issue->kind &&
		     id_equal(&list->proofs[i].subject, &issue->subject);
	return n;
}

static void facts_column(const struct issue *issue, int number, sqlite3_context *context)
{
	/* Rows of other kinds are not decoded. */
	const struct issue_facts *facts = issue_facts_of(issue->kind);
	if (facts == NULL)
		return;
	switch (number) {
	case SEVERITY:
		cell_text(context, severity_name(facts->severity));
		break;
	case SUBJECT_TYPE:
		cell_text(context, facts->subject);
		break;
	case COUNT_OF:
		if (facts->count != NULL)
			cell_text(context, facts->count);
		break;
	case EXPLANATION:
		cell_text(context, facts->explanation);
		break;
	case REMEDY:
		cell_text(context, facts->remedy);
		break;
	}
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct issue_list *list = &c->q->issues;
	const struct issue *issue = &list->issues[c->row];
	const struct issue_facts *facts = issue_facts_of(issue->kind);
	switch (number) {
	case KIND:
		cell_text(context, issue_kind_name(issue->kind));
		break;
	case SUBJECT:
		cell_id(context, &issue->subject);
		break;
	case HOST_NAME:
	case SITE:
		if (facts != NULL && strcmp(facts->subject, "host") == 0)
			host_column(c, &issue->subject, number, context);
		break;
	case OTHER:
		if (!id_is_zero(&issue->other))
			cell_id(context, &issue->other);
		break;
	case SINCE:
		cell_time(context, issue->since);
		break;
	case LAST:
		cell_time(context, issue->last);
		break;
	case COUNT:
		if (facts == NULL || facts->count != NULL)
			cell_u64(context, issue->count);
		break;
	case DETAIL:
		cell_known_text(context, issue->detail);
		break;
	case PROOFS:
		cell_u64(context, count_proofs(list, issue));
		break;
	default:
		facts_column(issue, number, context);
	}
}

static enum err count_all_proofs(struct table_cursor *c, size_t *ret_rows)
{
	const struct issue_list *list;
	enum err err = query_issues(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->proof_count;
	return err;
}

static void proof_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct issue_proof *proof = &c->q->issues.proofs[c->row];
	switch (number) {
	case PROOF_KIND:
		if (issue_kind_name(proof->kind) != NULL)
			cell_text(context, issue_kind_name(proof->kind));
		break;
	case PROOF_SUBJECT:
		cell_id(context, &proof->subject);
		break;
	case PROOF_NUMBER:
		cell_u64(context, proof->index + 1);
		break;
	case PROOF_RECORD_KIND:
		cell_text(context, record_name(proof->key.kind));
		break;
	case PROOF_ABOUT:
		cell_id(context, &proof->key.subject);
		break;
	case PROOF_SEQ:
		cell_u64(context, proof->seq);
		break;
	case PROOF_TIME:
		cell_time(context, proof->time);
		break;
	case PROOF_INSTANCE:
		cell_hex64(context, proof->instance);
		break;
	case PROOF_HASH:
		cell_hex64(context, proof->hash);
		break;
	default:
		cell_u64(context, proof->len);
	}
}

const struct table table_issues = {
    .info = TABLE_INFO("issues",
		       "What is wrong with the data itself: one row a kind and subject, as long as it lasts.",
		       columns),
    .count = count,
    .column = column,
};

const struct table table_issue_proofs = {
    .info = TABLE_INFO("issue_proofs",
		       "Signed records that prove an issue: who signed two of one order cannot deny it.",
		       proof_columns),
    .count = count_all_proofs,
    .column = proof_column,
};
