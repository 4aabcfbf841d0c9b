#include <stdio.h>

#include "store/query_lists.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(ABOUT, "about", "TEXT", "", "machine, or site: what holds for all machines of the site")           \
	X(NAME, "name", "TEXT", "", "hostname; NULL: not given")                                             \
	X(ASSET_IDS, "asset_ids", "TEXT", "", "comma-separated; NULL: not given")                            \
	X(SITE, "site", "TEXT", "", "name")                                                                  \
	X(ROLE, "role", "TEXT", "", "about a site: the role that needed counts; NULL: not given")            \
	X(CRITICALITY, "criticality", "TEXT", "", "low, normal (also when not given), high or vital")        \
	X(ADDRESS, "address", "TEXT", "", "postal; of a machine without, its site's; NULL: not given")       \
	X(HOURS, "opening_hours", "TEXT", "", "as people write them; likewise")                              \
	X(CONTACT, "contact", "TEXT", "", "whom to call; likewise")                                          \
	X(RECOVERY_KEY, "recovery_key", "TEXT", "", "where it is kept, never the key; likewise")             \
	X(NEEDED, "needed", "INTEGER", "machines",                                                           \
	  "of the role that the site needs to trade; NULL: not given")                                       \
	X(REMARK, "remark", "TEXT", "", "NULL: none given")                                                  \
	X(ENROLLED, "enrolled", "INTEGER", "0 or 1",                                                         \
	  "a host has its asset id or hostname; NULL: about a site")                                         \
	X(HOST, "host", "TEXT", "",                                                                          \
	  "id of that host; NULL: never enrolled, about a site, or several hosts could be it")               \
	X(HOST_STATUS, "host_status", "TEXT", "", "as in hosts; NULL: likewise")                             \
	X(OPERATOR, "operator", "TEXT", "", "name of who signed it; NULL: the log gives none")               \
	X(OPERATOR_ID, "operator_id", "TEXT", "", "id of who signed it")                                     \
	X(RECORD, "record", "TEXT", "", "of the inventory that it stands in, 16 hexadecimal digits")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Rows of a damaged block are passed over, which the coverage says. */
static void next(struct table_cursor *c)
{
	struct column_row row = {.block = NULL};
	for (; c->row < c->rows; c->row++) {
		enum err err = columns_row(&c->q->columns, GROUP_INVENTORY, (uint32_t)c->row, &row);
		if (err != ERR_OK)
			(void)query_fail(c->q, err);
		if (err != ERR_OK || row.block != NULL)
			return;
	}
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	static const uint64_t linked = 1ull << ENROLLED | 1ull << HOST | 1ull << HOST_STATUS;
	const struct operator_list *list;
	const struct machine_list *machines;
	enum err err = operator_list_load(c->q, &list);
	/* What links give is found out only for who asks for it; what sites do, for the first machine. */
	if (err == ERR_OK && (c->used & linked) != 0)
		err = query_machines(c->q, &machines);
	c->rows = columns_end(&c->q->columns, GROUP_INVENTORY, &err);
	if (err != ERR_OK)
		return err;
	*ret_rows = c->rows;
	next(c);
	return ERR_OK;
}

enum err query_machines(struct query *q, const struct machine_list **ret)
{
	struct machine_tables t;
	enum err err = ERR_OK;
	if (q->machines == NULL) {
		err = columns_table(&q->columns, GROUP_INVENTORY, &t.inventory);
		if (err == ERR_OK)
			err = columns_table(&q->columns, GROUP_PROFILE, &t.profiles);
		if (err == ERR_OK)
			err = columns_table(&q->columns, GROUP_STATE, &t.states);
		if (err == ERR_OK)
			err = machine_list_new(&t, &q->machines);
	}
	if (err == ERR_OK)
		*ret = q->machines;
	return err;
}

/* What a machine's row leaves out, its site's may give. */
static void site_text_cell(struct table_cursor *c, struct column_row row, unsigned column,
			   sqlite3_context *context)
{
	const char *text = column_row_text(row, column), *site = column_row_text(row, C_INVENTORY_SITE);
	if (text == NULL && site != NULL && machine_list_is_machine(row)) {
		const struct machine_list *machines;
		enum err err = query_machines(c->q, &machines);
		if (err != ERR_OK) {
			(void)query_fail(c->q, err);
			return;
		}
		text = machine_list_site_text(machines, site, column);
	}
	if (text != NULL)
		cell_static(context, text);
}

static void asset_cell(struct column_row row, sqlite3_context *context)
{
	char text[2 * LIMIT_LABEL_BYTES + 2];
	const char *first = column_row_text(row, C_INVENTORY_ASSET_1),
		   *second = column_row_text(row, C_INVENTORY_ASSET_2);
	if (first == NULL)
		first = "";
	(void)snprintf(text, sizeof(text), "%s%s%s", first, first[0] != '\0' && second != NULL ? "," : "",
		       second != NULL ? second : "");
	cell_known_text(context, text);
}

static void host_cells(struct table_cursor *c, struct column_row row, int number, sqlite3_context *context)
{
	static const struct cell_source id = {CELL_ID, GROUP_HOST, C_HOST_ID};
	const struct machine_link link = machine_list_link(c->q->machines, (uint32_t)c->row);
	if (!machine_list_is_machine(row))
		return;
	if (number == ENROLLED) {
		cell_flag(context, link.enrolled);
		return;
	}
	const struct roster_host *host = NULL;
	enum err err = ERR_OK;
	if (link.enrolled && !link.several)
		err = roster_host(c->q, link.host, false, &host);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || host == NULL)
		return;
	if (number == HOST_STATUS) {
		cell_static(context, host_status_name((enum host_status)host->status));
		return;
	}
	host_view_start(&c->view, c->q, host);
	(void)cell_from(&c->view, &id, context);
}

static void signer_cell(struct table_cursor *c, struct column_row row, int number, sqlite3_context *context)
{
	struct id signer;
	if (number == RECORD)
		cell_hex64(context, column_row_u64(row, C_INVENTORY_SLOT));
	else if (!column_row_id(row, C_INVENTORY_OPERATOR, &signer))
		return;
	else if (number == OPERATOR)
		operator_list_name_cell(c->q->operators, &signer, context);
	else
		cell_id(context, &signer);
}

static void text_cell(struct column_row row, unsigned column, sqlite3_context *context)
{
	const char *text = column_row_text(row, column);
	if (text != NULL)
		cell_static(context, text);
}

static void criticality_cell(struct column_row row, sqlite3_context *context)
{
	const char *name = criticality_name((unsigned)column_row_u64(row, C_INVENTORY_CRITICALITY));
	cell_static(context, name != NULL ? name : criticality_name(CRITICALITY_NORMAL));
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	static const uint8_t texts[] = {[NAME] = C_INVENTORY_NAME,
					[SITE] = C_INVENTORY_SITE,
					[ROLE] = C_INVENTORY_ROLE,
					[ADDRESS] = C_INVENTORY_ADDRESS,
					[HOURS] = C_INVENTORY_HOURS,
					[CONTACT] = C_INVENTORY_CONTACT,
					[RECOVERY_KEY] = C_INVENTORY_RECOVERY_KEY,
					[REMARK] = C_INVENTORY_REMARK};
	struct column_row row;
	enum err err = columns_row(&c->q->columns, GROUP_INVENTORY, (uint32_t)c->row, &row);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || row.block == NULL)
		return;
	switch (number) {
	case ABOUT:
		cell_static(context, machine_list_is_machine(row) ? "machine" : "site");
		break;
	case ASSET_IDS:
		asset_cell(row, context);
		break;
	case CRITICALITY:
		criticality_cell(row, context);
		break;
	case ADDRESS:
	case HOURS:
	case CONTACT:
	case RECOVERY_KEY:
		site_text_cell(c, row, texts[number], context);
		break;
	case NEEDED:
		if (column_row_u64(row, C_INVENTORY_NEEDED_STATUS) == READING_OK)
			cell_u64(context, column_row_u64(row, C_INVENTORY_NEEDED));
		break;
	case ENROLLED:
	case HOST:
	case HOST_STATUS:
		host_cells(c, row, number, context);
		break;
	case OPERATOR:
	case OPERATOR_ID:
	case RECORD:
		signer_cell(c, row, number, context);
		break;
	default:
		text_cell(row, texts[number], context);
	}
}

const struct table table_inventory = {
    .info = TABLE_INFO(
	"inventory",
	"What should exist: the rows of all inventories in force, about machines and whole sites.", columns),
    .count = count,
    .next = next,
    .column = column,
};
