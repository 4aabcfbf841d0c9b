/* Formatters of an answer's rows over one query sink: table, wide, json, jsonl, csv. */
#ifndef MESH_CLI_OUTPUT_H
#define MESH_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/json.h"
#include "store/query.h"

enum output_format { OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL, OUTPUT_CSV };

/* "table", … ; false when it is none of them. */
bool output_format_parse(const char *name, enum output_format *ret);
/* For completion and errors. */
#define OUTPUT_FORMATS "table wide json jsonl csv"

enum output_style {
	OUTPUT_PLAIN,  /* as it is; numbers to the right */
	OUTPUT_NUMBER, /* likewise, also where the first ones are not known */
	OUTPUT_FIXED,  /* text that is never cut */
	OUTPUT_ID,     /* identifier: the first 8 digits, all of them in wide */
	OUTPUT_TIME,   /* ms since 1970 as local time */
	OUTPUT_AGE,    /* seconds */
	OUTPUT_YESNO,  /* 0 or 1; in JSON true or false */
};

/* How a table shows a column. The other formats show values as they are. */
struct output_column {
	const char *name;    /* of the question's column; NULL ends the list */
	const char *heading; /* NULL: the name in capitals */
	enum output_style style;
	bool only_wide;
};

struct output {
	FILE *f;
	enum output_format format;
	int width; /* of the terminal; 0: no bound */
	wall_ms now;
	const struct output_column *columns; /* NULL: all plain */
	/* Below: the formatter's own. */
	struct json json;
	struct table *table;
	const struct output_column **styles; /* per column of the question */
	char **names;
	size_t *status_at; /* per column: the one that says why it has no value; name_count: none */
	bool *hidden;
	size_t name_count;
	uint64_t rows;
	bool begun, failed;
};

/* Width and format from the caller; nothing is written before the first column arrives, so that a question
 * that fails at once leaves the output empty. */
void output_init(struct output *o, FILE *f, enum output_format format, int width, wall_ms now,
		 const struct output_column *columns);
struct query_sink output_sink(struct output *o);
/* What follows the last row: prints the table; in JSON closes the rows. ERR_NOMEM, ERR_IO. */
enum err output_finish_rows(struct output *o);
void output_release(struct output *o);

/* True for table and wide: formats with room for lines to people. */
bool output_for_people(const struct output *o);
/* With OUTPUT_YESNO integers become true and false. */
void output_json_value(struct json *j, const char *key, const struct query_value *v, enum output_style style);
/* How `columns` shows the column of that name; all plain when it is not listed. */
const struct output_column *output_column_find(const struct output_column *columns, const char *name);

/* What a format does with columns, a row, and the end. False when memory ran out. */
struct output_form {
	bool (*columns)(struct output *o);
	bool (*row)(struct output *o, const struct query_value *values);
	bool (*finish)(struct output *o);
};
extern const struct output_form output_form_table, output_form_json, output_form_jsonl, output_form_csv;

#endif
