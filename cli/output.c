/* Columns and rows of a question come in through a query sink; the form of the chosen format writes them. */
#include "cli/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "cli/table.h"

static const struct {
	const char *name;
	enum output_format format;
} formats[] = {
    {"table", OUTPUT_TABLE}, {"wide", OUTPUT_WIDE}, {"json", OUTPUT_JSON},
    {"jsonl", OUTPUT_JSONL}, {"csv", OUTPUT_CSV},
};

bool output_format_parse(const char *name, enum output_format *ret)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		if (strcmp(formats[i].name, name) == 0) {
			*ret = formats[i].format;
			return true;
		}
	}
	return false;
}

static const struct output_form *form_of(const struct output *o)
{
	switch (o->format) {
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		return &output_form_table;
	case OUTPUT_JSON:
		return &output_form_json;
	case OUTPUT_JSONL:
		return &output_form_jsonl;
	case OUTPUT_CSV:
		return &output_form_csv;
	}
	CHECK(false);
	return NULL;
}

void output_init(struct output *o, FILE *f, enum output_format format, int width, wall_ms now,
		 const struct output_column *columns)
{
	*o = (struct output){.f = f, .format = format, .width = width, .now = now, .columns = columns};
	o->json.f = f;
}

bool output_for_people(const struct output *o)
{
	return o->format == OUTPUT_TABLE || o->format == OUTPUT_WIDE;
}

const struct output_column *output_column_find(const struct output_column *columns, const char *name)
{
	static const struct output_column plain = {.style = OUTPUT_PLAIN};
	for (const struct output_column *c = columns; c != NULL && c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return &plain;
}

static bool on_columns(void *context, const char *const *names, size_t count)
{
	struct output *o = context;
	/* Another question whose rows go to the same answer. */
	if (o->begun) {
		CHECK(count == o->name_count);
		return !o->failed;
	}
	o->names = calloc(count, sizeof(*o->names));
	o->styles = calloc(count, sizeof(*o->styles));
	o->status_at = calloc(count, sizeof(*o->status_at));
	o->hidden = calloc(count, sizeof(*o->hidden));
	o->failed = o->names == NULL || o->styles == NULL || o->status_at == NULL || o->hidden == NULL;
	for (size_t i = 0; i < count && !o->failed; i++) {
		o->names[i] = strdup(names[i]);
		o->failed = o->names[i] == NULL;
		o->styles[i] = output_column_find(o->columns, names[i]);
		o->name_count = i + 1;
	}
	o->begun = !o->failed;
	o->failed = o->failed || !form_of(o)->columns(o);
	return !o->failed;
}

static bool on_row(void *context, const struct query_value *values, size_t count)
{
	struct output *o = context;
	CHECK(count == o->name_count);
	o->rows++;
	o->failed = o->failed || !form_of(o)->row(o, values) || ferror(o->f);
	return !o->failed;
}

struct query_sink output_sink(struct output *o)
{
	return (struct query_sink){.columns = on_columns, .row = on_row, .context = o};
}

enum err output_finish_rows(struct output *o)
{
	if (ferror(o->f))
		return ERR_IO;
	if (o->failed || !o->begun || !form_of(o)->finish(o))
		return ERR_NOMEM;
	return ferror(o->f) ? ERR_IO : ERR_OK;
}

void output_release(struct output *o)
{
	for (size_t i = 0; i < o->name_count; i++)
		free(o->names[i]);
	free(o->names);
	free(o->styles);
	free(o->status_at);
	free(o->hidden);
	table_free(o->table);
	o->names = NULL;
	o->styles = NULL;
	o->status_at = NULL;
	o->hidden = NULL;
	o->table = NULL;
	o->name_count = 0;
}
