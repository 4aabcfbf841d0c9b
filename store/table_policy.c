#include "store/query_lists.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(VERDICT, "verdict", "TEXT", "",                                                                    \
	  "approved or refused: a component is approved when a row that approves it fits and none that "     \
	  "refuses it does")                                                                                 \
	X(KIND, "kind", "TEXT", "", "as in components; NULL: any")                                           \
	X(NAME, "name", "TEXT", "", "NULL: any")                                                             \
	X(NAME_OP, "name_op", "TEXT", "", "= or begins with: how the name is meant")                         \
	X(VERSION, "version", "TEXT", "", "NULL: any")                                                       \
	X(VERSION_OP, "version_op", "TEXT", "",                                                              \
	  "how the version is compared: =, !=, <, <=, >, >= or begins with")                                 \
	X(SOURCE, "source", "TEXT", "", "source version, or hash of the file; NULL: any")                    \
	X(VENDOR, "vendor", "TEXT", "", "vendor or signer; NULL: any")                                       \
	X(REMARK, "remark", "TEXT", "", "NULL: none given")                                                  \
	X(OPERATOR, "operator", "TEXT", "", "name of who signed it; NULL: the log gives none")               \
	X(OPERATOR_ID, "operator_id", "TEXT", "", "id of who signed it")                                     \
	X(RECORD, "record", "TEXT", "", "of the policy that it stands in, 16 hexadecimal digits")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Rows of a damaged block are passed over, which the coverage says. */
static void next(struct table_cursor *c)
{
	struct column_row row = {.block = NULL};
	for (; c->row < c->rows; c->row++) {
		enum err err = columns_row(&c->q->columns, GROUP_POLICY, (uint32_t)c->row, &row);
		if (err != ERR_OK)
			(void)query_fail(c->q, err);
		if (err != ERR_OK || row.block != NULL)
			return;
	}
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct operator_list *list;
	enum err err = operator_list_load(c->q, &list);
	c->rows = columns_end(&c->q->columns, GROUP_POLICY, &err);
	if (err != ERR_OK)
		return err;
	*ret_rows = c->rows;
	next(c);
	return ERR_OK;
}

static void text_cell(struct column_row row, unsigned column, sqlite3_context *context)
{
	const char *text = column_row_text(row, column);
	if (text != NULL)
		cell_static(context, text);
}

static void operator_cell(struct column_row row, unsigned column, sqlite3_context *context)
{
	const char *name = term_operator_name((unsigned)column_row_u64(row, column));
	if (name != NULL)
		cell_static(context, name);
}

static void signer_cell(struct table_cursor *c, struct column_row row, int number, sqlite3_context *context)
{
	struct id signer;
	if (!column_row_id(row, C_POLICY_OPERATOR, &signer))
		return;
	if (number == OPERATOR)
		operator_list_name_cell(c->q->operators, &signer, context);
	else
		cell_id(context, &signer);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	static const uint8_t texts[] = {[NAME] = C_POLICY_NAME,
					[VERSION] = C_POLICY_VERSION,
					[SOURCE] = C_POLICY_SOURCE,
					[VENDOR] = C_POLICY_VENDOR,
					[REMARK] = C_POLICY_REMARK};
	struct column_row row;
	enum err err = columns_row(&c->q->columns, GROUP_POLICY, (uint32_t)c->row, &row);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || row.block == NULL)
		return;
	switch (number) {
	case VERDICT:
		cell_static(context, column_row_u64(row, C_POLICY_REFUSED) != 0 ? "refused" : "approved");
		break;
	case KIND:
		if (column_row_u64(row, C_POLICY_KIND) != 0)
			cell_static(context, component_kind_name(
						 (enum component_kind)column_row_u64(row, C_POLICY_KIND)));
		break;
	case NAME_OP:
		operator_cell(row, C_POLICY_NAME_OP, context);
		break;
	case VERSION_OP:
		operator_cell(row, C_POLICY_VERSION_OP, context);
		break;
	case OPERATOR:
	case OPERATOR_ID:
		signer_cell(c, row, number, context);
		break;
	case RECORD:
		cell_hex64(context, column_row_u64(row, C_POLICY_SLOT));
		break;
	default:
		text_cell(row, texts[number], context);
	}
}

const struct table table_policy = {
    .info = TABLE_INFO("policy", "What operators approve and refuse: the rows of all policies in force.",
		       columns),
    .count = count,
    .next = next,
    .column = column,
};
