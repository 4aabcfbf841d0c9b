/* Claims and notes: what people say about hosts and sites. */
#include "store/query_lists.h"
#include "store/table.h"

#define ABOUT_COLUMNS(X)                                                                                     \
	X(ABOUT, "about", "TEXT", "", "host or site; of a note also estate; NULL: of neither that is known") \
	X(SUBJECT, "subject", "TEXT", "", "id of the host or site, 32 hexadecimal digits")                   \
	X(HOST_NAME, "host_name", "TEXT", "", "NULL: about no host, or not known")                           \
	X(SITE, "site", "TEXT", "", "name; of a host: its home; NULL: about no site, or not known")

#define COLUMNS(X)                                                                                           \
	X(INCIDENT, "incident", "TEXT", "", "as in incidents")                                               \
	X(OPERATOR, "operator", "TEXT", "", "name of who claims; NULL: the log gives none")                  \
	X(OPERATOR_ID, "operator_id", "TEXT", "", "id of who claims")                                        \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the operator's clock; NULL: none stated")         \
	X(OP, "op", "TEXT", "", "claim, done, release or blocked")                                           \
	ABOUT_COLUMNS(X)                                                                                     \
	X(TEXT, "text", "TEXT", "", "NULL: none given")                                                      \
	X(STANDS, "stands", "INTEGER", "0 or 1",                                                             \
	  "the last word of this operator about this subject and incident; those of several operators "      \
	  "stand "                                                                                           \
	  "side by side")

#define NOTE_COLUMNS(X)                                                                                      \
	X(INCIDENT, "incident", "TEXT", "", "as in incidents; NULL: of none")                                \
	X(OPERATOR, "operator", "TEXT", "", "name of who wrote it; NULL: the log gives none")                \
	X(OPERATOR_ID, "operator_id", "TEXT", "", "id of who wrote it")                                      \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the operator's clock; NULL: none stated")         \
	ABOUT_COLUMNS(X)                                                                                     \
	X(TEXT, "text", "TEXT", "", "")

#define NOTE_SYMBOL(symbol, name, type, unit, meaning)  NOTE_##symbol,
#define ABOUT_SYMBOL(symbol, name, type, unit, meaning) SUBJECT_##symbol,

enum { COLUMNS(TABLE_SYMBOL) };
enum { NOTE_COLUMNS(NOTE_SYMBOL) };
enum { ABOUT_COLUMNS(ABOUT_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};
static const struct query_column note_columns[] = {NOTE_COLUMNS(TABLE_COLUMN)};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct operator_list *list;
	enum err err = operator_list_load(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->claim_count;
	return err;
}

static enum err count_notes(struct table_cursor *c, size_t *ret_rows)
{
	const struct operator_list *list;
	enum err err = operator_list_load(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->note_count;
	return err;
}

/* --- what it is about --- */

static const struct roster_site *site_of(struct table_cursor *c, const struct id *subject)
{
	const struct roster *r = &c->q->roster;
	enum err err = roster_sites(c->q);
	if (err != ERR_OK) {
		(void)query_fail(c->q, err);
		return NULL;
	}
	for (size_t i = 0; i < r->site_count; i++) {
		if (id_equal(&r->sites[i].state.site, subject))
			return &r->sites[i];
	}
	return NULL;
}

static const struct roster_host *host_of(struct table_cursor *c, const struct id *subject)
{
	const struct roster_host *host = NULL;
	enum err err = host_by_id(c->q, subject, false, &host);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	return err == ERR_OK ? host : NULL;
}

static void host_cell(struct table_cursor *c, const struct roster_host *host, int number,
		      sqlite3_context *context)
{
	static const struct cell_source name = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME};
	host_view_start(&c->view, c->q, host);
	if (number == SUBJECT_SITE)
		cell_static(context, c->view.site->state.name);
	else
		(void)cell_from(&c->view, &name, context);
}

/* `scope`: what the record says that it is about; 0: it does not say. */
static void about_cell(struct table_cursor *c, const struct id *subject, unsigned scope, int number,
		       sqlite3_context *context)
{
	if (number == SUBJECT_SUBJECT) {
		cell_id(context, subject);
		return;
	}
	const struct roster_host *host = scope == CLAIM_SITE ? NULL : host_of(c, subject);
	const struct roster_site *site = scope == CLAIM_HOST || host != NULL ? NULL : site_of(c, subject);
	if (number == SUBJECT_ABOUT && (scope == CLAIM_HOST || host != NULL))
		cell_static(context, "host");
	else if (number == SUBJECT_ABOUT && (scope == CLAIM_SITE || site != NULL))
		cell_static(context, "site");
	else if (number == SUBJECT_ABOUT && id_equal(subject, &snapshot_meta(c->q->snapshot)->estate))
		cell_static(context, "estate");
	else if (number != SUBJECT_ABOUT && host != NULL)
		host_cell(c, host, number, context);
	else if (number == SUBJECT_SITE && site != NULL)
		cell_static(context, site->state.name);
}

/* --- cells --- */

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct operator_list *list = c->q->operators;
	const struct claim_row *row = &list->claims[c->row];
	switch (number) {
	case INCIDENT:
		cell_hex64(context, row->body.incident);
		break;
	case OPERATOR:
		operator_list_name_cell(list, &row->by.signer, context);
		break;
	case OPERATOR_ID:
		cell_id(context, &row->by.signer);
		break;
	case TIME:
		cell_time(context, row->by.time);
		break;
	case OP:
		cell_static(context, claim_op_name(row->body.op));
		break;
	case TEXT:
		cell_known_text(context, row->body.text);
		break;
	case STANDS:
		cell_flag(context, row->stands);
		break;
	default:
		about_cell(c, &row->by.subject, row->body.scope, number - ABOUT, context);
	}
}

static void note_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct operator_list *list = c->q->operators;
	const struct note_row *row = &list->notes[c->row];
	switch (number) {
	case NOTE_INCIDENT:
		if (row->body.incident != 0)
			cell_hex64(context, row->body.incident);
		break;
	case NOTE_OPERATOR:
		operator_list_name_cell(list, &row->by.signer, context);
		break;
	case NOTE_OPERATOR_ID:
		cell_id(context, &row->by.signer);
		break;
	case NOTE_TIME:
		cell_time(context, row->by.time);
		break;
	case NOTE_TEXT:
		cell_text(context, row->body.text);
		break;
	default:
		about_cell(c, &row->by.subject, 0, number - NOTE_ABOUT, context);
	}
}

const struct table table_claims = {
    .info =
	TABLE_INFO("claims", "Who takes on which host or site of an incident, and how far it is.", columns),
    .count = count,
    .column = column,
};

const struct table table_notes = {
    .info = TABLE_INFO("notes", "What operators wrote down about hosts, sites, incidents and the estate.",
		       note_columns),
    .count = count_notes,
    .column = note_column,
};
