#include "store/table.h"

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
		err = roster_load(c->q);
	if (err == ERR_OK)
		*ret_rows = c->q->roster.hidden_count;
	return err;
}

/* The host's own revocation comes before its issuer's. */
static const struct issue *reason_of(struct table_cursor *c)
{
	struct column_row host = host_row(&c->view, GROUP_HOST);
	struct id id, issuer;
	const struct issue *own = NULL;
	if (host.block == NULL || !column_row_id(host, C_HOST_ID, &id) ||
	    !column_row_id(host, C_HOST_ISSUER, &issuer))
		return NULL;
	own = issue_list_find(&c->q->issues, ISSUE_HOST_REVOKED, &id);
	return own != NULL ? own : issue_list_find(&c->q->issues, ISSUE_ISSUER_REVOKED, &issuer);
}

static void reason_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct issue *issue = reason_of(c);
	if (issue == NULL)
		return;
	if (number == REASON)
		cell_static(context, issue_kind_name(issue->kind));
	else if (number == SINCE)
		cell_time(context, issue->since);
	else
		cell_known_text(context, issue->detail);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	static const struct cell_source sources[] = {
	    [HOST] = {CELL_ID, GROUP_HOST, C_HOST_ID},
	    [NAME] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME},
	    [NAME_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_NAME_STATUS},
	    [ISSUER] = {CELL_ID, GROUP_HOST, C_HOST_ISSUER},
	    [SEEN] = {CELL_TIME, GROUP_STATE, C_STATE_SEEN},
	    [ENROLLED] = {CELL_NUMBER, GROUP_HOST, C_HOST_ENROLLED},
	};
	const struct roster *r = &c->q->roster;
	const struct roster_host *host = &r->hosts[r->hidden[c->row]];
	if (c->view.host != host)
		host_view_start(&c->view, c->q, host);
	if (cell_from(&c->view, &sources[number], context))
		return;
	if (number == SITE)
		cell_static(context, c->view.site->state.name);
	else
		reason_column(c, number, context);
}

const struct table table_hidden_hosts = {
    .info = TABLE_INFO(
	"hidden_hosts",
	"Revoked hosts: in no other table and no count but those of issues, and not erased. Their last "
	"words: mesh show ID --revoked.",
	columns),
    .count = count,
    .column = column,
};
