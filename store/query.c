/* Opening a replica for questions, and running one. SQLite gets an empty database in memory whose only tables
 * are ours; an authorizer, limits and a budget keep a statement to reading. */
#include "store/query.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "os/clock.h"
#include "store/fates.h"
#include "store/query_lists.h"
#include "store/table.h"

#define STEPS_PER_CALL 4096 /* of SQLite's machine, between two looks at budget and clock */

static const struct {
	int limit, value;
} limits[] = {
    {SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024},
    {SQLITE_LIMIT_SQL_LENGTH, LIMIT_SQL_BYTES},
    {SQLITE_LIMIT_COLUMN, 256},
    {SQLITE_LIMIT_EXPR_DEPTH, 100},
    {SQLITE_LIMIT_COMPOUND_SELECT, 50},
    {SQLITE_LIMIT_VDBE_OP, 100000},
    {SQLITE_LIMIT_FUNCTION_ARG, 64},
    {SQLITE_LIMIT_ATTACHED, 0},
    {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1024},
    {SQLITE_LIMIT_VARIABLE_NUMBER, 64},
    {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    {SQLITE_LIMIT_WORKER_THREADS, 0},
};

static int authorize(void *context, int action, const char *a, const char *b, const char *database,
		     const char *trigger)
{
	struct query *q = context;
	const char *what = "anything but reading";
	(void)database;
	(void)trigger;
	/* SQLite asks for the declaration of our own tables too. */
	if (q->declaring)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		if (b != NULL && query_function_allowed(b))
			return SQLITE_OK;
		sqlite3_snprintf(sizeof(q->denied), q->denied,
				 "the function %.64s is not among those allowed", b != NULL ? b : "");
		return SQLITE_DENY;
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		what = "attaching other databases";
		break;
	case SQLITE_PRAGMA:
		what = "PRAGMA";
		break;
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		what = "transactions";
		break;
	default:
		what = "writing, creating and dropping";
	}
	(void)a;
	if (q->denied[0] == '\0')
		sqlite3_snprintf(sizeof(q->denied), q->denied, "%s is not possible here", what);
	return SQLITE_DENY;
}

static int on_progress(void *context)
{
	struct query *q = context;
	bool steps = q->steps_left < STEPS_PER_CALL;
	if (!steps)
		q->steps_left -= STEPS_PER_CALL;
	q->late = q->deadline != 0 && os_clock_mono() >= q->deadline;
	q->out_of_budget = steps || q->late;
	return q->out_of_budget;
}

static enum err open_engine(struct query *q, struct err_info *info)
{
	int rc = sqlite3_open_v2(":memory:", &q->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	(void)sqlite3_hard_heap_limit64(LIMIT_SQL_MEMORY_BYTES);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(q->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(q->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(q->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_db_config(q->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	/* Sorting stays in memory, under the heap limit, and leaves no files behind. */
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(q->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits) && rc == SQLITE_OK; i++)
		(void)sqlite3_limit(q->db, limits[i].limit, limits[i].value);
	const struct table *const *tables;
	size_t count = table_list(&tables);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++)
		rc = table_register(q, tables[i]);
	if (rc == SQLITE_OK)
		rc = query_functions_register(q->db);
	if (rc == SQLITE_OK)
		rc = sqlite3_set_authorizer(q->db, authorize, q);
	if (rc == SQLITE_OK)
		return ERR_OK;
	return err_set(info, rc == SQLITE_NOMEM ? ERR_NOMEM : ERR_SQL, "SQLite does not start: %s",
		       sqlite3_errstr(rc));
}

enum err query_open(const char *state, wall_ms now, struct query **ret, struct err_info *info)
{
	struct query *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "out of memory");
	q->now = now;
	enum err err = snapshot_open(state, &q->snapshot, info);
	q->columns.snapshot = q->snapshot;
	if (err == ERR_OK)
		err = snapshot_error(q->snapshot, roster_open(q), info);
	if (err == ERR_OK)
		err = open_engine(q, info);
	if (err != ERR_OK) {
		query_close(q);
		return err;
	}
	*ret = q;
	return ERR_OK;
}

void query_close(struct query *q)
{
	if (q == NULL)
		return;
	sqlite3_close(q->db);
	free(q->row_texts);
	catalogue_free(&q->catalogue);
	issue_list_free(&q->issues);
	operator_list_free(q->operators);
	machine_list_free(q->machines);
	fates_free(q->fates);
	roster_free(&q->roster);
	columns_close(&q->columns);
	snapshot_close(q->snapshot);
	free(q);
}

void query_reveal(struct query *q)
{
	roster_reveal(&q->roster);
}

enum err query_fail(struct query *q, enum err err)
{
	q->failure = err;
	return snapshot_error(q->snapshot, err, &q->failure_info);
}

bool query_too_late(struct query *q)
{
	if (q->deadline == 0 || os_clock_mono() < q->deadline)
		return false;
	q->late = q->out_of_budget = true;
	return true;
}

/* What SQLite said, in our codes. */
static enum err engine_error(struct query *q, int rc, struct err_info *info)
{
	if (q->failure != ERR_OK)
		return err_set(info, q->failure, "%s", q->failure_info.text);
	if (q->out_of_budget && q->late)
		return err_set(info, ERR_TIMEOUT,
			       "the question took longer than %" PRIu32 ".%" PRIu32
			       " s; narrow it (WHERE, LIMIT), end recursions, or allow it more time",
			       q->timeout_ms / 1000, q->timeout_ms % 1000 / 100);
	if (q->out_of_budget)
		return err_set(info, ERR_TIMEOUT,
			       "the question took more than %" PRIu64
			       " steps; narrow it (WHERE, LIMIT) or end recursions",
			       q->steps);
	/* Before the authorizer is asked, the parser knows that our tables cannot be written. */
	if (strstr(sqlite3_errmsg(q->db), "may not be modified") != NULL)
		return err_set(info, ERR_DENIED, "%s: questions only read; write one SELECT",
			       sqlite3_errmsg(q->db));
	if (rc == SQLITE_AUTH || q->denied[0] != '\0')
		return err_set(info, ERR_DENIED, "%s: questions only read; write one SELECT",
			       q->denied[0] != '\0' ? q->denied : "not allowed");
	if (rc == SQLITE_NOMEM)
		return err_set(info, ERR_LIMIT,
			       "the question needs more than %d MiB of memory; narrow it (WHERE, LIMIT)",
			       LIMIT_SQL_MEMORY_BYTES / (1024 * 1024));
	if (strcmp(sqlite3_errmsg(q->db), "incomplete input") == 0)
		return err_set(info, ERR_SQL,
			       "the question breaks off before its end; write one whole SELECT");
	if (strncmp(sqlite3_errmsg(q->db), "no such ", strlen("no such ")) == 0)
		return err_set(info, ERR_SQL, "%s; mesh sql --schema lists tables and columns",
			       sqlite3_errmsg(q->db));
#if SQLITE_VERSION_NUMBER >= 3038000
	int offset = sqlite3_error_offset(q->db);
	if (offset >= 0)
		return err_set(info, ERR_SQL, "%s (at character %d)", sqlite3_errmsg(q->db), offset + 1);
#endif
	return err_set(info, ERR_SQL, "%s", sqlite3_errmsg(q->db));
}

static enum err prepare(struct query *q, const char *sql, sqlite3_stmt **ret, struct err_info *info)
{
	sqlite3_stmt *statement = NULL, *second = NULL;
	const char *tail = NULL;
	if (strlen(sql) > LIMIT_SQL_BYTES)
		return err_set(info, ERR_SQL, "the question is %zu bytes long; the most is %d", strlen(sql),
			       LIMIT_SQL_BYTES);
	int rc = sqlite3_prepare_v2(q->db, sql, -1, &statement, &tail);
	if (rc != SQLITE_OK)
		return engine_error(q, rc, info);
	if (statement == NULL)
		return err_set(info, ERR_SQL, "the question is empty; write one SELECT");
	/* Blanks and comments may follow, no second statement, be it a wrong one. */
	rc = sqlite3_prepare_v2(q->db, tail, -1, &second, NULL);
	if (rc != SQLITE_OK || second != NULL) {
		sqlite3_finalize(second);
		sqlite3_finalize(statement);
		return err_set(info, ERR_SQL, "more than one statement; ask one question at a time");
	}
	if (!sqlite3_stmt_readonly(statement)) {
		sqlite3_finalize(statement);
		return err_set(info, ERR_DENIED, "the statement would write; write one SELECT");
	}
	*ret = statement;
	return ERR_OK;
}

static enum err bind(struct query *q, sqlite3_stmt *statement, const char *const *parameters, size_t count,
		     struct err_info *info)
{
	int wanted = sqlite3_bind_parameter_count(statement);
	if (count != (size_t)wanted)
		return err_set(info, ERR_SQL, "the question has %d parameter%s; values given: %zu", wanted,
			       wanted == 1 ? "" : "s", count);
	for (size_t i = 0; i < count; i++) {
		int rc = sqlite3_bind_text(statement, (int)i + 1, parameters[i], -1, SQLITE_STATIC);
		if (rc != SQLITE_OK)
			return engine_error(q, rc, info);
	}
	return ERR_OK;
}

static bool send_columns(sqlite3_stmt *statement, size_t count, const struct query_sink *sink)
{
	const char *names[256];
	CHECK(count <= sizeof(names) / sizeof(*names));
	for (size_t i = 0; i < count; i++) {
		names[i] = sqlite3_column_name(statement, (int)i);
		if (names[i] == NULL)
			names[i] = "";
	}
	return sink->columns == NULL || sink->columns(sink->context, names, count);
}

static void take_value(sqlite3_value *cell, struct query_value *ret)
{
	struct query_value v = {.type = QUERY_NULL};
	switch (sqlite3_value_type(cell)) {
	case SQLITE_INTEGER:
		v.type = QUERY_INTEGER;
		v.integer = sqlite3_value_int64(cell);
		break;
	case SQLITE_FLOAT:
		v.type = QUERY_REAL;
		v.real = sqlite3_value_double(cell);
		break;
	case SQLITE_NULL:
		break;
	default: /* blobs, which only casts make, are shown as text */
		v.type = QUERY_TEXT;
		v.text = (const char *)sqlite3_value_text(cell);
		v.text_len = (size_t)sqlite3_value_bytes(cell);
		if (v.text == NULL)
			v = (struct query_value){.type = QUERY_TEXT, .text = ""};
	}
	*ret = v;
}

/* Texts out of the map: SQLite passes on what it was given. */
static enum err copy_texts(struct query *q, struct query_value *values, size_t count)
{
	size_t bytes = 0, at = 0;
	for (size_t i = 0; i < count; i++) {
		if (values[i].type == QUERY_TEXT && snapshot_maps(q->snapshot, values[i].text))
			bytes += values[i].text_len + 1;
	}
	if (bytes > q->row_texts_cap) {
		char *more = realloc(q->row_texts, 2 * bytes);
		if (more == NULL)
			return ERR_NOMEM;
		q->row_texts = more;
		q->row_texts_cap = 2 * bytes;
	}
	for (size_t i = 0; i < count && bytes > 0; i++) {
		if (values[i].type != QUERY_TEXT || !snapshot_maps(q->snapshot, values[i].text))
			continue;
		memcpy(q->row_texts + at, values[i].text, values[i].text_len);
		values[i].text = q->row_texts + at;
		at += values[i].text_len;
		q->row_texts[at++] = '\0';
	}
	return snapshot_trusted(q->snapshot);
}

/* False: the sink has enough, or *err says why. */
static bool send_row(struct query *q, sqlite3_stmt *statement, size_t count, const struct query_sink *sink,
		     enum err *err)
{
	struct query_value values[256];
	for (size_t i = 0; i < count; i++)
		take_value(sqlite3_column_value(statement, (int)i), &values[i]);
	*err = copy_texts(q, values, count);
	return *err == ERR_OK && (sink->row == NULL || sink->row(sink->context, values, count));
}

static enum err run_statement(struct query *q, sqlite3_stmt *statement, const struct query_sink *sink,
			      struct err_info *info)
{
	size_t count = (size_t)sqlite3_column_count(statement);
	if (!send_columns(statement, count, sink))
		return ERR_OK;
	for (;;) {
		int rc = sqlite3_step(statement);
		if (rc == SQLITE_DONE)
			return ERR_OK;
		if (rc != SQLITE_ROW)
			return engine_error(q, rc, info);
		enum err err;
		if (!send_row(q, statement, count, sink, &err))
			return snapshot_error(q->snapshot, err, info);
	}
}

enum err query_run(struct query *q, const char *sql, const char *const *parameters, size_t count,
		   const struct query_limits *budget, const struct query_sink *sink, struct err_info *info)
{
	sqlite3_stmt *statement = NULL;
	q->failure = ERR_OK;
	q->denied[0] = '\0';
	q->out_of_budget = false;
	q->late = false;
	q->steps = budget != NULL && budget->steps > 0 ? budget->steps : LIMIT_SQL_STEPS;
	q->steps_left = q->steps;
	q->timeout_ms = budget != NULL ? budget->timeout_ms : 0;
	q->deadline = q->timeout_ms > 0 ? os_clock_mono() + q->timeout_ms : 0;
	sqlite3_progress_handler(q->db, STEPS_PER_CALL, on_progress, q);
	enum err err = prepare(q, sql, &statement, info);
	if (err == ERR_OK)
		err = bind(q, statement, parameters, count, info);
	if (err == ERR_OK)
		err = run_statement(q, statement, sink, info);
	/* Also that there is nothing more. */
	if (err == ERR_OK)
		err = snapshot_error(q->snapshot, snapshot_trusted(q->snapshot), info);
	sqlite3_finalize(statement);
	sqlite3_progress_handler(q->db, 0, NULL, NULL);
	return err;
}

const struct query_table *query_table_at(size_t index)
{
	const struct table *const *tables;
	return index < table_list(&tables) ? &tables[index]->info : NULL;
}
