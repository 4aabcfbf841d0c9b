/* Whole tables for other tools: one to standard output, or all of them into a new folder. One snapshot serves
 * all. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cli/answer.h"
#include "cli/verb.h"
#include "os/file.h"
#include "os/terminal.h"

#define TIMEOUT_S  600
#define TABLES_MAX 64

struct export
{
	struct answer a;
	struct query_limits limits;
	enum output_format format;
	const char *folder;
	uint64_t rows[TABLES_MAX]; /* written, by table */
};

static const struct query_table *find_table(const char *name)
{
	const struct query_table *t;
	for (size_t i = 0; (t = query_table_at(i)) != NULL; i++) {
		if (strcmp(t->name, name) == 0)
			return t;
	}
	return NULL;
}

static int export_one(struct export *e, const char *name)
{
	char sql[128];
	if (options_value(&e->a.command->options, "output") == NULL)
		e->a.output.format = e->format;
	snprintf(sql, sizeof(sql), "SELECT * FROM %s", name);
	int code = answer_query(&e->a, sql, NULL, 0, &e->limits);
	return code == MESH_EXIT_COMPLETE ? answer_close(&e->a) : code;
}

/* --- into a folder --- */

static enum err create(const struct export *e, const char *name, FILE **ret, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	enum err err = os_path_join(path, sizeof(path), e->folder, name);
	if (err != ERR_OK)
		return err_set(info, err, "the path \"%s\" is too long; choose a shorter one", e->folder);
	*ret = fopen(path, "wx"); /* never over what is there */
	return *ret != NULL ? ERR_OK
			    : err_set(info, errno == EEXIST ? ERR_EXISTS : ERR_IO, "cannot write \"%s\": %s",
				      path, strerror(errno));
}

static enum err finish(const struct export *e, const char *name, FILE *f, enum err err, struct err_info *info)
{
	bool failed = ferror(f) != 0;
	if ((fclose(f) != 0 || failed) && err == ERR_OK)
		return err_set(info, ERR_IO, "cannot write \"%s/%s\": %s", e->folder, name, strerror(errno));
	return err;
}

#define FILE_NAME_BYTES 64
static void file_name(const struct export *e, const char *table, char ret[FILE_NAME_BYTES])
{
	snprintf(ret, FILE_NAME_BYTES, "%s.%s", table, e->format == OUTPUT_CSV ? "csv" : "jsonl");
}

static enum err export_table(struct export *e, const char *table, uint64_t *ret_rows, struct err_info *info)
{
	struct output out;
	char file[FILE_NAME_BYTES], sql[128];
	FILE *f;
	file_name(e, table, file);
	snprintf(sql, sizeof(sql), "SELECT * FROM %s", table);
	enum err err = create(e, file, &f, info);
	if (err != ERR_OK)
		return err;
	output_init(&out, f, e->format, 0, e->a.now, NULL);
	struct query_sink sink = output_sink(&out);
	err = query_run(e->a.query, sql, NULL, 0, &e->limits, &sink, info);
	if (err == ERR_OK) {
		err = output_finish_rows(&out);
		if (err != ERR_OK)
			err_set(info, err, "cannot write \"%s/%s\": %s", e->folder, file, err_text(err));
	}
	*ret_rows = out.rows;
	output_release(&out);
	return finish(e, file, f, err, info);
}

/* Last, so that a folder that has it is whole. */
static enum err export_coverage(struct export *e, struct err_info *info)
{
	static const char name[] = "coverage.json";
	struct query_coverage coverage;
	FILE *f;
	enum err err = query_coverage(e->a.query, &coverage, info);
	if (err == ERR_OK)
		err = create(e, name, &f, info);
	if (err != ERR_OK)
		return err;
	struct json j = {.f = f};
	json_begin_object(&j, NULL);
	coverage_json(&j, "coverage", &coverage, &e->a.modules, e->a.now);
	json_end_object(&j);
	fputc('\n', f);
	return finish(e, name, f, ERR_OK, info);
}

/* What was written, once all of it is. */
static enum err list_files(struct export *e, struct err_info *info)
{
	static const char *const columns[] = {"table", "file", "rows"};
	struct query_sink sink = output_sink(&e->a.output);
	const struct query_table *t;
	char file[FILE_NAME_BYTES];
	bool more = sink.columns(sink.context, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; more && (t = query_table_at(i)) != NULL; i++) {
		file_name(e, t->name, file);
		const struct query_value values[] = {
		    {.type = QUERY_TEXT, .text = t->name, .text_len = strlen(t->name)},
		    {.type = QUERY_TEXT, .text = file, .text_len = strlen(file)},
		    {.type = QUERY_INTEGER, .integer = (int64_t)e->rows[i]},
		};
		more = sink.row(sink.context, values, sizeof(values) / sizeof(values[0]));
	}
	enum err err = output_finish_rows(&e->a.output);
	return err == ERR_OK ? err : err_set(info, err, "%s", err_text(err));
}

static int export_all(struct export *e)
{
	bool progress = os_is_terminal(e->a.command->err);
	struct err_info info = {0};
	const struct query_table *t;
	enum err err = os_dir_make(e->folder, 0750, &info);
	for (size_t i = 0; err == ERR_OK && (t = query_table_at(i)) != NULL; i++) {
		CHECK(i < TABLES_MAX);
		if (progress)
			fprintf(e->a.command->err, "\r\x1b[K%s", t->name);
		err = export_table(e, t->name, &e->rows[i], &info);
	}
	if (progress)
		fputs("\r\x1b[K", e->a.command->err);
	if (err == ERR_OK)
		err = export_coverage(e, &info);
	if (err == ERR_OK)
		err = list_files(e, &info);
	return err == ERR_OK ? answer_close(&e->a) : answer_fail(&e->a, &info);
}

static int refuse_table(struct command *c, const char *name)
{
	char shown[64];
	text_escape(shown, sizeof(shown), name, strlen(name));
	return command_fail(c, MESH_EXIT_USAGE, "no table is called \"%s\"; mesh sql --schema lists them",
			    shown);
}

int verb_export(struct command *c)
{
	struct export e = {.folder = options_value(&c->options, "dir"), .format = OUTPUT_JSONL};
	const char *table = c->options.operand_count > 0 ? c->options.operands[0] : NULL;
	const char *format = options_value(&c->options, "format");
	struct err_info info = {0};
	unsigned seconds;
	if ((table == NULL) == (e.folder == NULL))
		return command_fail(c, MESH_EXIT_USAGE,
				    "name one table, or with --dir a folder for all of them");
	if (table != NULL && find_table(table) == NULL)
		return refuse_table(c, table);
	if (format != NULL && e.folder == NULL)
		return command_fail(c, MESH_EXIT_USAGE,
				    "--format is of the files of --dir; one table takes -o");
	if (format != NULL)
		(void)output_format_parse(format, &e.format);
	if (command_number(c, "timeout", 1, 3600, TIMEOUT_S, &seconds, &info) != ERR_OK)
		return command_report(c, &info);
	e.limits = (struct query_limits){.steps = UINT64_MAX, .timeout_ms = seconds * 1000};
	int code = answer_open(c, NULL, &e.a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	return table != NULL ? export_one(&e, table) : export_all(&e);
}
