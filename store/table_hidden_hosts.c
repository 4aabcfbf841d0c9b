#include "store/query_private.h"

#define COLUMNS(X)                                                                                           \
	X(HOST, "host", "TEXT", "", "host id, 32 hexadecimal digits")                                        \
	X(NAME, "name", "TEXT", "", "the hostname it last stated; NULL: see name_status")                    \
	X(NAME_STATUS, "name_status", "TEXT", "", "ok, or why name is NULL")                                 \
	X(SITE, "site", "TEXT", "", "home site, from the certificate")                                       \
	X(REASON, "reason", "TEXT", "",                                                                      \
	  "host-revoked, or issuer-revoked (and not named to stay); NULL: not known")                        \
	X(SINCE, "since_ms", "INTEGER", "ms since 1970", "since when it is revoked; NULL: not known")        \
	X(DETAIL, "detail", "TEXT", "", "the reason that the revocation states; NULL: none")                 \
	X(ISSUER, "issuer", "TEXT", "", "id of the issuer of its certificate")                               \
	X(SEEN, "seen_ms", "INTEGER", "ms since 1970", "last sign of life; NULL: none")                      \
	X(ENROLLED, "enrolled_day", "INTEGER", "days since 1970", "")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct issue_list *list;
	enum err err = query_issues(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = c->q->roster.hidden_count;
	return err;
}

/* The host's own revocation comes before its issuer's. */
static const struct issue *reason_of(const struct query *q, const struct roster_host *host)
{
	const struct issue *own = issue_list_find(&q->issues, ISSUE_HOST_REVOKED, &host->id);
	return own != NULL ? own : issue_list_find(&q->issues, ISSUE_ISSUER_REVOKED, &host->issuer);
}

static void reason_column(const struct query *q, const struct roster_host *host, int number,
			  sqlite3_context *context)
{
	const struct issue *issue = reason_of(q, host);
	if (issue == NULL)
		return;
	if (number == REASON)
		cell_text(context, issue_kind_name(issue->kind));
	else if (number == SINCE)
		cell_time(context, issue->since);
	else
		cell_known_text(context, issue->detail);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct roster_host *host = &c->q->roster.hidden[c->row];
	const struct profile *profile;
	if (c->view->host != host)
		host_view_start(c->view, c->q, host);
	switch (number) {
	case HOST:
		cell_id(context, &host->id);
		break;
	case NAME:
	case NAME_STATUS:
		profile = host_profile(c->view);
		if (number == NAME_STATUS)
			cell_status(context, profile != NULL ? profile->hostname.status : READING_UNKNOWN);
		else if (profile != NULL)
			cell_reading_text(context, &profile->hostname);
		break;
	case SITE:
		cell_text(context, c->view->site->state.name);
		break;
	case ISSUER:
		cell_id(context, &host->issuer);
		break;
	case SEEN:
		cell_time(context, host->state.seen);
		break;
	case ENROLLED:
		cell_u64(context, host->enrolled);
		break;
	default:
		reason_column(c->q, host, number, context);
	}
}

const struct table table_hidden_hosts = {
    .info = TABLE_INFO(
	"hidden_hosts",
	"Revoked hosts: in no other table and no count but those of issues, and not erased. Their last "
	"words: mesh show ID --revoked.",
	columns),
    .needs_view = true,
    .host_column = -1,
    .name_column = -1,
    .count = count,
    .column = column,
};
