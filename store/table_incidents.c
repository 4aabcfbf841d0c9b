#include "store/query_lists.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(INCIDENT, "incident", "TEXT", "", "16 hexadecimal digits, by which claims and notes name it")      \
	X(TEXT, "text", "TEXT", "", "NULL: none given")                                                      \
	X(OPENED_BY, "opened_by", "TEXT", "", "name of the operator; NULL: the log gives none")              \
	X(OPENED_BY_ID, "opened_by_id", "TEXT", "", "id of the operator")                                    \
	X(OPENED, "opened_ms", "INTEGER", "ms since 1970", "by the operator's clock; NULL: none stated")     \
	X(MATCHES, "matches", "TEXT", "",                                                                    \
	  "which hosts it is about, in words; NULL: none yet, as nobody knows what to look for")             \
	X(GOOD, "good", "TEXT", "", "when a host is back to good; NULL: when it is up and does not match")   \
	X(OPEN, "open", "INTEGER", "0 or 1", "nobody has closed it")                                         \
	X(CLOSED, "closed_ms", "INTEGER", "ms since 1970", "by the operator's clock; NULL: open")            \
	X(CLOSED_BY, "closed_by", "TEXT", "", "name of the operator; NULL: open, or the log gives none")     \
	X(CLOSED_BY_ID, "closed_by_id", "TEXT", "", "NULL: open")                                            \
	X(CLOSED_TEXT, "closed_text", "TEXT", "", "NULL: open, or none given")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct operator_list *list;
	enum err err = operator_list_load(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->incident_count;
	return err;
}

static void closed_column(const struct operator_list *list, const struct incident_row *closing, int number,
			  sqlite3_context *context)
{
	if (closing == NULL)
		return;
	switch (number) {
	case CLOSED:
		cell_time(context, closing->by.time);
		break;
	case CLOSED_BY:
		operator_list_name_cell(list, &closing->by.signer, context);
		break;
	case CLOSED_BY_ID:
		cell_id(context, &closing->by.signer);
		break;
	default:
		cell_known_text(context, closing->body.text);
	}
}

static void terms_cell(const struct term *terms, size_t term_count, sqlite3_context *context)
{
	char text[TERMS_TEXT_BYTES];
	terms_text(terms, term_count, text, sizeof(text));
	cell_known_text(context, text);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct operator_list *list = c->q->operators;
	const struct incident_row *row = &list->incidents[c->row];
	switch (number) {
	case INCIDENT:
		cell_hex64(context, row->by.slot);
		break;
	case TEXT:
		cell_known_text(context, row->body.text);
		break;
	case OPENED_BY:
		operator_list_name_cell(list, &row->by.signer, context);
		break;
	case OPENED_BY_ID:
		cell_id(context, &row->by.signer);
		break;
	case OPENED:
		cell_time(context, row->by.time);
		break;
	case MATCHES:
		terms_cell(row->body.match, row->body.match_count, context);
		break;
	case GOOD:
		terms_cell(row->body.good, row->body.good_count, context);
		break;
	case OPEN:
		cell_flag(context, row->closed_by == NULL);
		break;
	default:
		closed_column(list, row->closed_by, number, context);
	}
}

const struct table table_incidents = {
    .info = TABLE_INFO("incidents",
		       "Questions that operators keep open: one row each. What revoked operators signed, or "
		       "what their roles do not cover, is in none of the operators' tables.",
		       columns),
    .count = count,
    .column = column,
};
