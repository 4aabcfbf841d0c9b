/* bench-plain: what a replica holds as a plain SQLite file, made the way one would make it by hand, with
 * integer keys and the indexes that the questions of bench-replica want. The measure of what virtual tables
 * cost.
 *
 *   bench-plain make STATE FILE    bench-plain ask FILE SQL */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "store/query.h"

static const char schema[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
    "CREATE TABLE hosts(id INTEGER PRIMARY KEY, host TEXT UNIQUE, name TEXT, site TEXT, status TEXT, os TEXT,"
    " kernel TEXT, model TEXT, seen_ms INTEGER, level TEXT);"
    "CREATE TABLE components(id INTEGER PRIMARY KEY, entry TEXT UNIQUE, kind TEXT, name TEXT, version TEXT,"
    " vendor TEXT, third_party INTEGER);"
    "CREATE TABLE host_components(component INTEGER, host INTEGER, loaded INTEGER,"
    " PRIMARY KEY(component, host)) WITHOUT ROWID;"
    "CREATE TABLE crashes(host INTEGER, kind TEXT, time_ms INTEGER, detail TEXT);";

static const struct {
	const char *question, *insert;
} copies[] = {
    {"SELECT host, name, site, status, os, kernel, model, seen_ms, level FROM hosts",
     "INSERT INTO hosts(host, name, site, status, os, kernel, model, seen_ms, level) VALUES "
     "(?,?,?,?,?,?,?,?,?)"},
    {"SELECT entry, kind, name, version, vendor, third_party FROM components",
     "INSERT INTO components(entry, kind, name, version, vendor, third_party) VALUES (?,?,?,?,?,?)"},
    {"SELECT entry, host, loaded FROM host_components",
     "INSERT OR IGNORE INTO host_components SELECT c.id, h.id, ?3 FROM components c, hosts h WHERE c.entry = "
     "?1 "
     "AND h.host = ?2"},
    {"SELECT host, kind, time_ms, detail FROM crashes",
     "INSERT INTO crashes SELECT id, ?2, ?3, ?4 FROM hosts WHERE host = ?1"},
};

static const char indexes[] =
    "CREATE INDEX hosts_name ON hosts(name); CREATE INDEX hosts_site ON hosts(site);"
    "CREATE INDEX components_name ON components(name);"
    "CREATE INDEX crashes_host ON crashes(host); COMMIT; ANALYZE;";

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "bench-plain: %s: %s\n", what, why);
	return 1;
}

static bool take_row(void *context, const struct query_value *values, size_t count)
{
	sqlite3_stmt *insert = context;
	for (size_t i = 0; i < count; i++) {
		const struct query_value *v = &values[i];
		int at = (int)i + 1;
		if (v->type == QUERY_INTEGER)
			sqlite3_bind_int64(insert, at, v->integer);
		else if (v->type == QUERY_TEXT)
			sqlite3_bind_text(insert, at, v->text, (int)v->text_len, SQLITE_STATIC);
		else
			sqlite3_bind_null(insert, at);
	}
	bool done = sqlite3_step(insert) == SQLITE_DONE;
	sqlite3_reset(insert);
	return done;
}

static enum err copy(struct query *q, sqlite3 *db, size_t index, struct err_info *info)
{
	sqlite3_stmt *insert = NULL;
	const struct query_limits limits = {.steps = UINT64_MAX};
	if (sqlite3_prepare_v2(db, copies[index].insert, -1, &insert, NULL) != SQLITE_OK)
		return err_set(info, ERR_SQL, "%s", sqlite3_errmsg(db));
	const struct query_sink sink = {.row = take_row, .context = insert};
	enum err err = query_run(q, copies[index].question, NULL, 0, &limits, &sink, info);
	sqlite3_finalize(insert);
	return err;
}

static int make(const char *state, const char *file)
{
	struct query *q = NULL;
	struct err_info info = {0};
	sqlite3 *db = NULL;
	enum err err = query_open(state, os_clock_wall(), &q, &info);
	if (err == ERR_OK &&
	    (sqlite3_open(file, &db) != SQLITE_OK || sqlite3_exec(db, schema, NULL, NULL, NULL) != SQLITE_OK))
		err = err_set(&info, ERR_SQL, "%s", sqlite3_errmsg(db));
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]) && err == ERR_OK; i++)
		err = copy(q, db, i, &info);
	if (err == ERR_OK && sqlite3_exec(db, indexes, NULL, NULL, NULL) != SQLITE_OK)
		err = err_set(&info, ERR_SQL, "%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	query_close(q);
	return err == ERR_OK ? 0 : complain(state, info.text);
}

static int ask(const char *file, const char *sql)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(statement);
		for (int i = 0; rc == SQLITE_ROW && i < sqlite3_column_count(statement); i++) {
			const unsigned char *text = sqlite3_column_text(statement, i);
			printf("%s%s", i > 0 ? "\t" : "", text != NULL ? (const char *)text : "");
		}
		if (rc == SQLITE_ROW)
			putchar('\n');
	}
	if (rc != SQLITE_DONE)
		return complain(sql, sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3]);
	fputs("usage: bench-plain make STATE FILE | ask FILE SQL\n", stderr);
	return 2;
}
