#include "store/query_lists.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(KIND, "kind", "TEXT", "", "policy or inventory")                                                   \
	X(RECORD, "record", "TEXT", "", "16 hexadecimal digits, as in policy and inventory")                 \
	X(TITLE, "title", "TEXT", "", "NULL: none given")                                                    \
	X(OPERATOR, "operator", "TEXT", "", "name of who signed it; NULL: the log gives none")               \
	X(OPERATOR_ID, "operator_id", "TEXT", "", "id of who signed it")                                     \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the operator's clock; NULL: none stated")         \
	X(ROW_COUNT, "row_count", "INTEGER", "rows", "as it says itself")                                    \
	X(STATE, "state", "TEXT", "",                                                                        \
	  "in force; replaced; or waiting: its rows are not on this node yet, and it counts for nothing "    \
	  "here")                                                                                            \
	X(REPLACED_BY, "replaced_by", "TEXT", "", "record of the earliest that does; NULL: none")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct operator_list *list;
	enum err err = operator_list_load(c->q, &list);
	if (err == ERR_OK)
		*ret_rows = list->list_count;
	return err;
}

static const char *state_of(const struct list_row *row)
{
	if (row->replaced_by != NULL)
		return "replaced";
	return row->here ? "in force" : "waiting";
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct operator_list *list = c->q->operators;
	const struct list_row *row = &list->lists[c->row];
	switch (number) {
	case KIND:
		cell_static(context, row->kind == RECORD_POLICY ? "policy" : "inventory");
		break;
	case RECORD:
		cell_hex64(context, row->by.slot);
		break;
	case TITLE:
		cell_known_text(context, row->body.title);
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
	case ROW_COUNT:
		cell_u64(context, row->body.rows);
		break;
	case STATE:
		cell_static(context, state_of(row));
		break;
	default:
		if (row->replaced_by != NULL)
			cell_hex64(context, row->replaced_by->by.slot);
	}
}

const struct table table_lists = {
    .info = TABLE_INFO(
	"lists", "Policies and inventories that operators signed, also those that others replaced.", columns),
    .count = count,
    .column = column,
};
