/* The description of a table of questions, its cursor, and how its cells are handed to SQLite. Private to
 * store/. */
#ifndef MESH_STORE_TABLE_H
#define MESH_STORE_TABLE_H

#include "store/query_private.h"

/* What a table of hosts lets be pushed down. */
enum table_filter {
	FILTER_HOST,      /* id */
	FILTER_NAME,      /* hostname */
	FILTER_SITE,      /* home */
	FILTER_STATUS,    /* of the host */
	FILTER_COMPONENT, /* name of the entry */
	FILTER_ENTRY,     /* entry id */
	FILTER_COUNT
};

struct table_cursor {
	sqlite3_vtab_cursor base; /* must be first */
	struct query *q;
	const struct table *table;
	struct host_view view; /* by_host: the current host */
	uint64_t used;         /* columns that the statement uses; bit 63: all from there on */
	/* by_host: which hosts are visited. */
	bool listed;
	struct host_list list; /* when `listed` */
	size_t site;           /* site_total + 1: any */
	int status;            /* -1: any */
	const char *name;      /* NULL: any; the cursor's own copy */
	bool chosen;           /* by component or entry */
	size_t place, places;  /* position and end: numbers, or places in the order or in the list */
	bool ordered;
	struct host_order *order; /* when `ordered`; store/host_order.h */
	size_t row, rows;         /* within the current host, or in the table */
	int64_t number;
	struct manifest_entries entries; /* host_components: of the current host */
	struct choice choice;            /* host_components: of this cursor, as others may choose otherwise */
	const struct chosen_entry *found; /* of the current host's manifest, if `chosen` */
	const uint8_t *events;            /* changes, crashes: of the current host */
	size_t event_bytes, event_at;
	struct transition_scan *transitions; /* of that table; NULL: not begun */
};

struct table {
	struct query_table info;
	bool by_host;                      /* rows belong to hosts and are visited host by host */
	int filters[FILTER_COUNT];         /* column + 1 that each filter is of; 0: none */
	const struct cell_source *sources; /* by column, of its host's groups; NULL: none is said */
	/* Not by_host: what it can push down itself, with its costs, and the values of what it chose; NULL:
	 * it visits all rows. */
	void (*plan)(const struct query *q, sqlite3_index_info *info);
	enum err (*start)(struct table_cursor *c, int plan, int argc, sqlite3_value **argv);
	/* Rows of the current host, or of the whole table. */
	enum err (*count)(struct table_cursor *c, size_t *ret_rows);
	/* To the next row of the current host or table; NULL: every number is one. */
	void (*next)(struct table_cursor *c);
	void (*column)(struct table_cursor *c, int column, sqlite3_context *context);
};

extern const struct table table_hosts, table_components, table_host_components, table_changes, table_health,
    table_crashes, table_crash_counts, table_sites, table_hidden_hosts, table_issues, table_issue_proofs,
    table_files, table_incidents, table_claims, table_notes, table_inventory, table_policy, table_lists,
    table_transitions;
void table_transitions_free(struct transition_scan *scan);

size_t table_list(const struct table *const **ret);
/* One module for all tables. */
int table_register(struct query *q, const struct table *table);

/* What a column's function calls once; not calling any leaves NULL. */
void cell_text(sqlite3_context *context, const char *text);       /* copied */
void cell_static(sqlite3_context *context, const char *text);     /* stays until the query is closed */
void cell_known_text(sqlite3_context *context, const char *text); /* NULL for an empty one */
void cell_u64(sqlite3_context *context, uint64_t v);
void cell_time(sqlite3_context *context, uint64_t v);                      /* NULL for 0 */
void cell_hex(sqlite3_context *context, const uint8_t *bytes, size_t len); /* at most 16 bytes */
void cell_hex64(sqlite3_context *context, uint64_t v);
void cell_id(sqlite3_context *context, const struct id *id);
void cell_status(sqlite3_context *context, enum reading_status status);
void cell_flag(sqlite3_context *context, bool v);

/* A cell that is a column of a group of hosts. */
enum cell_form {
	CELL_OTHER,     /* the table's own business */
	CELL_TEXT,      /* or NULL where there is none */
	CELL_EVER_TEXT, /* empty where there is none */
	CELL_ID,        /* of 16 bytes */
	CELL_HEX,       /* bytes, likewise NULL */
	CELL_NUMBER,    /* NULL without a row */
	CELL_TIME,      /* likewise, and for 0 */
	CELL_READING,   /* a number whose status is the column before */
	CELL_STATUS,    /* enum reading_status; unknown without a row */
};
struct cell_source {
	uint8_t form, group, column;
};
/* False, and nothing called, for CELL_OTHER. */
bool cell_from(struct host_view *v, const struct cell_source *source, sqlite3_context *context);

/* Expand X(symbol, name, type, unit, meaning) lists. */
#define TABLE_COLUMN(symbol, name, type, unit, meaning) {name, type, unit, meaning},
#define TABLE_SYMBOL(symbol, name, type, unit, meaning) symbol,
#define TABLE_INFO(name, meaning, columns)                                                                   \
	{                                                                                                    \
		name, meaning, columns, sizeof(columns) / sizeof(*(columns))                                 \
	}

#endif
