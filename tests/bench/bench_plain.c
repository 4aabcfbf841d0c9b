/* bench-plain: what a replica holds as a plain SQLite file, made the way one would make it by hand, with
 * integer keys and the indexes that the questions of bench-replica want. The measure of what virtual tables
 * cost.
 *
 *   bench-plain make STATE FILE    bench-plain ask FILE SQL    bench-plain cover FILE SQL
 *
 * `cover` asks for the coverage, too, which `mesh` states with every answer. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "store/query.h"

static const char schema[] =
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;"
    "CREATE TABLE hosts(id INTEGER PRIMARY KEY, host TEXT UNIQUE, name TEXT, site TEXT, status TEXT, os TEXT,"
    " kernel TEXT, model TEXT, seen_ms INTEGER, level TEXT, standing TEXT, published INTEGER);"
    "CREATE TABLE sites(site TEXT PRIMARY KEY, status TEXT, since_ms INTEGER, interval_s INTEGER) WITHOUT "
    "ROWID;"
    "CREATE TABLE issues(kind TEXT, severity TEXT, subject TEXT);"
    "CREATE TABLE hidden(host TEXT);"
    "CREATE TABLE components(id INTEGER PRIMARY KEY, entry TEXT UNIQUE, kind TEXT, name TEXT, version TEXT,"
    " vendor TEXT, third_party INTEGER);"
    "CREATE TABLE host_components(component INTEGER, host INTEGER, loaded INTEGER,"
    " PRIMARY KEY(component, host)) WITHOUT ROWID;"
    "CREATE TABLE crashes(host INTEGER, kind TEXT, time_ms INTEGER, detail TEXT);";

static const struct {
	const char *question, *insert;
} copies[] = {
    {"SELECT host, name, site, status, os, kernel, model, seen_ms, level, standing, "
     "(tags IS NOT NULL) + (components IS NOT NULL) FROM hosts",
     "INSERT INTO hosts(host, name, site, status, os, kernel, model, seen_ms, level, standing, published) "
     "VALUES (?,?,?,?,?,?,?,?,?,?,?)"},
    {"SELECT site, status, since_ms, interval_s FROM sites", "INSERT INTO sites VALUES (?,?,?,?)"},
    {"SELECT kind, severity, subject FROM issues", "INSERT INTO issues VALUES (?,?,?)"},
    {"SELECT host FROM hidden_hosts", "INSERT INTO hidden VALUES (?)"},
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
    "CREATE INDEX hosts_cover ON hosts(status, site, standing, seen_ms, published);"
    "CREATE INDEX hosts_name ON hosts(name); CREATE INDEX hosts_site ON hosts(site);"
    "CREATE INDEX components_name ON components(name);"
    "CREATE INDEX crashes_host ON crashes(host); COMMIT; ANALYZE;";

/* ?1: now. What `mesh` states, asked of the tables the way one would. */
static const char *const coverage[] = {
    "SELECT status, count(*), sum(standing = 'quarantined'), "
    "sum(CASE WHEN status = 'up' THEN seen_ms >= ?1 - max(60000, 3000 * coalesce(interval_s, 0)) "
    "ELSE status IN ('dark', 'stopped', 'asleep') END), "
    "sum(status = 'unknown' AND seen_ms IS NULL AND published = 0), sum(published < 2), min(seen_ms) "
    "FROM hosts JOIN (SELECT site, interval_s FROM sites) USING (site) GROUP BY status",
    "SELECT count(*), sum(status = 'silent') FROM sites",
    "SELECT site, since_ms FROM sites WHERE status = 'silent' LIMIT 16",
    "SELECT severity, count(*) FROM issues GROUP BY severity",
    "SELECT count(*) FROM hidden",
};

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

static int print(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (rc == SQLITE_OK && sqlite3_bind_parameter_count(statement) == 1)
		rc = sqlite3_bind_int64(statement, 1, (sqlite3_int64)os_clock_wall());
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
	return 0;
}

static int ask(const char *file, const char *sql, bool cover)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	int code = rc == SQLITE_OK ? print(db, sql) : complain(file, sqlite3_errmsg(db));
	for (size_t i = 0; i < sizeof(coverage) / sizeof(coverage[0]) && cover && code == 0; i++)
		code = print(db, coverage[i]);
	sqlite3_close(db);
	return code;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0)
		return make(argv[2], argv[3]);
	if (argc == 4 && (strcmp(argv[1], "ask") == 0 || strcmp(argv[1], "cover") == 0))
		return ask(argv[2], argv[3], argv[1][0] == 'c');
	fputs("usage: bench-plain make STATE FILE | ask FILE SQL | cover FILE SQL\n", stderr);
	return 2;
}
