#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/verb.h"
#include "os/file.h"

#define PARAMETERS_MAX 32

/* Everything up to the end of standard input. ERR_LIMIT. */
static enum err read_input(char **ret, struct err_info *info)
{
	char *text = malloc(LIMIT_SQL_BYTES + 1);
	if (text == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	size_t len = fread(text, 1, LIMIT_SQL_BYTES + 1, stdin);
	if (len > LIMIT_SQL_BYTES || ferror(stdin) || memchr(text, '\0', len) != NULL) {
		free(text);
		return err_set(
		    info, ERR_LIMIT,
		    "the question on standard input cannot be read, has zero bytes, or is longer than "
		    "%d bytes",
		    LIMIT_SQL_BYTES);
	}
	text[len] = '\0';
	*ret = text;
	return ERR_OK;
}

static enum err read_question(struct command *c, char **ret, struct err_info *info)
{
	const char *file = options_value(&c->options, "file");
	const char *operand = c->options.operand_count > 0 ? c->options.operands[0] : NULL;
	uint8_t *text;
	size_t len;
	if ((file == NULL) == (operand == NULL))
		return err_set(info, ERR_USAGE,
			       "one question is needed: as an argument, with --file, or - for "
			       "standard input");
	if (operand != NULL && strcmp(operand, "-") == 0)
		return read_input(ret, info);
	if (operand != NULL) {
		*ret = strdup(operand);
		return *ret != NULL ? ERR_OK : err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	enum err err = os_file_read(file, LIMIT_SQL_BYTES, &text, &len, info);
	if (err == ERR_OK && strlen((char *)text) != len) {
		free(text);
		return err_set(info, ERR_FORMAT, "\"%s\" has zero bytes; is it text?", file);
	}
	if (err == ERR_OK)
		*ret = (char *)text;
	return err;
}

static int ask(struct command *c, const char *sql)
{
	struct answer a;
	struct err_info info = {0};
	const char *parameters[PARAMETERS_MAX];
	size_t count = 0;
	unsigned seconds;
	if (command_number(c, "timeout", 1, 3600, 60, &seconds, &info) != ERR_OK)
		return command_report(c, &info);
	for (const char *v; (v = options_nth(&c->options, "param", count)) != NULL; count++) {
		if (count == PARAMETERS_MAX)
			return command_fail(c, MESH_EXIT_USAGE, "more than %d parameters", PARAMETERS_MAX);
		parameters[count] = v;
	}
	const struct query_limits limits = {.timeout_ms = seconds * 1000};
	int code = answer_open(c, NULL, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_query(&a, sql, parameters, count, &limits);
	return code == MESH_EXIT_COMPLETE ? answer_close(&a) : code;
}

/* The columns of the tables as rows; no replica is needed, so there is no coverage either. */
static int list_schema(struct answer *a)
{
	static const char *const names[] = {"table", "column", "type", "unit", "meaning"};
	enum { COLUMNS = sizeof(names) / sizeof(names[0]) };
	struct query_sink sink = output_sink(&a->output);
	const struct query_table *table;
	bool more = sink.columns(sink.context, names, COLUMNS);
	for (size_t i = 0; more && (table = query_table_at(i)) != NULL; i++) {
		for (size_t k = 0; more && k < table->column_count; k++) {
			const struct query_column *column = &table->columns[k];
			const char *const texts[COLUMNS] = {table->name, column->name, column->type,
							    column->unit, column->meaning};
			struct query_value values[COLUMNS] = {{.type = QUERY_NULL}};
			for (size_t n = 0; n < COLUMNS; n++) {
				if (texts[n] != NULL)
					values[n] = (struct query_value){.type = QUERY_TEXT,
									 .text = texts[n],
									 .text_len = strlen(texts[n])};
			}
			more = sink.row(sink.context, values, COLUMNS);
		}
	}
	struct err_info info = {0};
	enum err err = output_finish_rows(&a->output);
	if (err == ERR_OK)
		return answer_close(a);
	err_set(&info, err, "%s", err_text(err));
	return answer_fail(a, &info);
}

static int show_schema(struct command *c)
{
	struct answer a;
	const struct query_table *table;
	answer_open_bare(c, NULL, &a);
	if (!output_for_people(&a.output))
		return list_schema(&a);
	for (size_t i = 0; (table = query_table_at(i)) != NULL; i++) {
		fprintf(c->out, "%s%s: %s\n", i == 0 ? "" : "\n", table->name, table->meaning);
		for (size_t k = 0; k < table->column_count; k++) {
			const struct query_column *column = &table->columns[k];
			bool unit = column->unit != NULL && column->unit[0] != '\0';
			fprintf(c->out, "  %-27s %-7s  %s%s%s%s\n", column->name, column->type,
				unit ? "[" : "", unit ? column->unit : "", unit ? "] " : "",
				column->meaning != NULL ? column->meaning : "");
		}
	}
	return MESH_EXIT_COMPLETE;
}

int verb_sql(struct command *c)
{
	struct err_info info = {0};
	char *sql;
	if (options_has(&c->options, "schema"))
		return show_schema(c);
	if (read_question(c, &sql, &info) != ERR_OK)
		return command_report(c, &info);
	int code = ask(c, sql);
	free(sql);
	return code;
}
