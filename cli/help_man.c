/* Manual pages from the verb table, as roff for man(7). */
#include <ctype.h>
#include <string.h>

#include "cli/help.h"

/* A dash is a hyphen to roff, and a dot or quote at the start of a line a request. */
static void put_text(FILE *f, const char *text, size_t len)
{
	bool line_start = true;
	for (size_t i = 0; i < len; i++) {
		if (line_start && (text[i] == '.' || text[i] == '\''))
			fputs("\\&", f);
		line_start = text[i] == '\n';
		if (text[i] == '-')
			fputs("\\-", f);
		else if (text[i] == '\\')
			fputs("\\e", f);
		else if (text[i] == '\'')
			fputs("\\(aq", f);
		else
			fputc(text[i], f);
	}
}

static void put_string(FILE *f, const char *text)
{
	put_text(f, text, strlen(text));
}

static void put_name(FILE *f, const struct verb *v, bool capitals)
{
	fputs(capitals ? "MESH" : "mesh", f);
	if (v == NULL)
		return;
	fputs("\\-", f);
	for (const char *c = v->name; *c != '\0'; c++) {
		if (*c == ' ')
			fputs("\\-", f);
		else
			fputc(capitals ? toupper((unsigned char)*c) : *c, f);
	}
}

static void put_head(FILE *f, const struct verb *v, const char *summary)
{
	fputs(".TH ", f);
	put_name(f, v, true);
	fputs(" 1 \"\" \"mesh " MESH_VERSION "\" \"Mesh\"\n.SH NAME\n", f);
	put_name(f, v, false);
	fputs(" \\- ", f);
	put_string(f, summary);
	fputs("\n", f);
}

static void put_paragraphs(FILE *f, const char *text)
{
	while (*text != '\0') {
		const char *end = strstr(text, "\n\n");
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
		put_text(f, text, len);
		fputs("\n", f);
		text += len;
		if (end != NULL) {
			fputs(".PP\n", f);
			text += 2;
		}
	}
}

static void put_option(FILE *f, const struct option_spec *s)
{
	fputs(".TP\n", f);
	if (s->letter != 0)
		fprintf(f, "\\fB\\-%c\\fR, ", s->letter);
	fputs("\\fB\\-\\-", f);
	put_string(f, s->name);
	fputs("\\fR", f);
	if (s->value != NULL)
		fprintf(f, " \\fI%s\\fR", s->value);
	fputs("\n", f);
	put_string(f, s->help);
	fputs(".\n", f);
}

static void put_exits(FILE *f, const struct verb *v, const char *exits)
{
	fputs(".SH EXIT STATUS\n", f);
	for (const char *code = exits; *code != '\0'; code++) {
		fprintf(f, ".TP\n\\fB%c\\fR\n", *code);
		put_string(f, verb_exit_text(v, *code));
		fputs(".\n", f);
	}
}

static void put_examples(FILE *f, const char *examples)
{
	fputs(".SH EXAMPLES\n", f);
	for (const char *line = examples; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		const char *remark = strstr(line, " # ");
		if (remark != NULL && remark < line + len) {
			fputs(".TP\n\\fB", f);
			put_text(f, line, (size_t)(remark - line));
			fputs("\\fR\n", f);
			put_text(f, remark + 3, (size_t)(line + len - remark) - 3);
			fputs("\n", f);
		}
		line += len + (line[len] == '\n');
	}
}

static void man_overview(FILE *f)
{
	const struct verb *v;
	put_head(f, NULL, "questions about the whole estate, answered from this machine");
	fputs(".SH SYNOPSIS\n\\fBmesh\\fR \\fIVERB\\fR [\\fIOPTION\\fR]...\n.SH DESCRIPTION\n", f);
	put_paragraphs(f,
		       "Every node keeps a replica of the whole estate. mesh reads the one of this machine, "
		       "also while meshd is stopped, and says with every answer how much of the estate it "
		       "covers and how old it is.\n\n"
		       "In JSON an answer is an object of two: \"rows\" and \"coverage\". In jsonl the last "
		       "line holds the coverage; with csv it goes to standard error. Text of other hosts is "
		       "escaped; a csv cell that a spreadsheet would take for a formula begins with an "
		       "apostrophe.");
	fputs(".SH VERBS\n", f);
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		fputs(".TP\n\\fB", f);
		put_string(f, v->name);
		fputs("\\fR\n", f);
		put_string(f, v->summary);
		fputs(".\n", f);
	}
	put_exits(f, NULL, "0123");
	fputs(".SH ENVIRONMENT\n.TP\n\\fBMESH_STATE\\fR\nState folder of the node, in place of "
	      "\\fI/var/lib/mesh\\fR.\n",
	      f);
}

void help_man(FILE *f, const struct verb *v)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	if (v == NULL) {
		man_overview(f);
		return;
	}
	size_t count = verb_option_sets(v, sets);
	put_head(f, v, v->summary);
	fputs(".SH SYNOPSIS\n\\fBmesh ", f);
	put_string(f, v->name);
	fputs("\\fR [\\fIOPTION\\fR]...", f);
	if (v->operands[0] != '\0') {
		fputs(" \\fI", f);
		put_string(f, v->operands);
		fputs("\\fR", f);
	}
	fputs("\n.SH DESCRIPTION\n", f);
	put_paragraphs(f, v->text);
	fputs(".SH OPTIONS\n", f);
	for (size_t i = 0; i < count; i++) {
		for (const struct option_spec *s = sets[i]; s->name != NULL; s++)
			put_option(f, s);
	}
	put_exits(f, v, v->exits);
	put_examples(f, v->examples);
	fputs(".SH SEE ALSO\n\\fBmesh\\fR(1)\n", f);
}
