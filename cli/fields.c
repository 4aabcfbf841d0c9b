#include "cli/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cli/answer.h"

static struct query_value *add(struct fields *f, const char *name, enum output_style style)
{
	CHECK(f->count < FIELDS_MAX);
	f->names[f->count] = name;
	f->columns[f->count] = (struct output_column){.name = name, .style = style};
	f->values[f->count] = (struct query_value){.type = QUERY_NULL};
	return &f->values[f->count++];
}

void fields_text(struct fields *f, const char *name, const char *text)
{
	struct query_value *v = add(f, name, OUTPUT_PLAIN);
	if (text != NULL)
		*v = (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

void fields_number(struct fields *f, const char *name, int64_t value)
{
	*add(f, name, OUTPUT_PLAIN) = (struct query_value){.type = QUERY_INTEGER, .integer = value};
}

void fields_flag(struct fields *f, const char *name, bool value)
{
	*add(f, name, OUTPUT_YESNO) = (struct query_value){.type = QUERY_INTEGER, .integer = value};
}

void fields_null(struct fields *f, const char *name)
{
	(void)add(f, name, OUTPUT_PLAIN);
}

/* Names in the text come from files of others: line by line, so that the lines themselves stay. */
static void put_lines(FILE *f, const char *text)
{
	size_t cap = 4 * strlen(text) + 16;
	char *safe = malloc(cap);
	for (const char *line = text; safe != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n");
		text_escape(safe, cap, line, len);
		fprintf(f, "%s\n", safe);
		line += len + (line[len] == '\n');
	}
	free(safe);
}

int fields_answer(struct command *c, const struct fields *f, const char *text, bool partial)
{
	struct answer a;
	answer_open_bare(c, f->columns, &a);
	a.partial = partial;
	if (output_for_people(&a.output)) {
		put_lines(c->out, text);
		return answer_close(&a);
	}
	struct query_sink sink = output_sink(&a.output);
	if (sink.columns(sink.context, f->names, f->count))
		sink.row(sink.context, f->values, f->count);
	enum err err = output_finish_rows(&a.output);
	if (err == ERR_OK || err == ERR_IO) /* an output that cannot be written is told once, by main */
		return answer_close(&a);
	struct err_info info;
	err_set(&info, err, "%s", err_text(err));
	return answer_fail(&a, &info);
}
