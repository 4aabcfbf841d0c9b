/* The form "csv": RFC 4180 with a header line, LF at line ends. Cells are escaped as in tables. A text that a
 * spreadsheet would take for a formula gets an apostrophe in front: host names and component names are chosen
 * by others. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/output.h"

static bool put_text(FILE *f, const char *text, size_t len)
{
	char *escaped = malloc(4 * len + 1);
	if (escaped == NULL)
		return false;
	size_t n = text_escape(escaped, 4 * len + 1, text, len);
	bool formula = n > 0 && strchr("=+-@", escaped[0]) != NULL;
	/* A semicolon is the separator where the comma is in numbers. */
	if (strpbrk(escaped, ",;\t\"") == NULL && (n == 0 || (escaped[0] != ' ' && escaped[n - 1] != ' '))) {
		fprintf(f, "%s%s", formula ? "'" : "", escaped);
	} else {
		fprintf(f, "\"%s", formula ? "'" : "");
		for (const char *c = escaped; *c != '\0'; c++) {
			if (*c == '"')
				fputc('"', f);
			fputc(*c, f);
		}
		fputc('"', f);
	}
	free(escaped);
	return true;
}

static bool on_columns(struct output *o)
{
	for (size_t i = 0; i < o->name_count; i++) {
		fputs(i == 0 ? "" : ",", o->f);
		if (!put_text(o->f, o->names[i], strlen(o->names[i])))
			return false;
	}
	fputc('\n', o->f);
	return true;
}

static bool on_row(struct output *o, const struct query_value *values)
{
	for (size_t i = 0; i < o->name_count; i++) {
		fputs(i == 0 ? "" : ",", o->f);
		switch (values[i].type) {
		case QUERY_NULL:
			break;
		case QUERY_INTEGER:
			fprintf(o->f, "%" PRId64, values[i].integer);
			break;
		case QUERY_REAL:
			fprintf(o->f, "%.15g", values[i].real);
			break;
		case QUERY_TEXT:
			if (!put_text(o->f, values[i].text, values[i].text_len))
				return false;
			break;
		}
	}
	fputc('\n', o->f);
	return true;
}

static bool on_finish(struct output *o)
{
	(void)o;
	return true;
}

const struct output_form output_form_csv = {on_columns, on_row, on_finish};
