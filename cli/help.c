/* The help texts of the verb table, and the verbs "help" and "version". */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"

void help_overview(FILE *f)
{
	const struct verb *v;
	fputs("Usage: mesh VERB [OPTION]...\n\n"
	      "Answers questions about the whole estate from this machine's replica of it.\n\nVerbs:\n",
	      f);
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		fprintf(f, "  %-18s %s\n", v->name, v->summary);
	fputs("\nmesh VERB --help shows a verb's options. Exit codes: 0 complete, 1 error,\n"
	      "2 usage, 3 answered, but stale or partial.\n",
	      f);
}

bool help_group(FILE *f, const char *first)
{
	size_t len = strlen(first), count = 0;
	const struct verb *v;
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		if (strncmp(v->name, first, len) != 0 || v->name[len] != ' ')
			continue;
		if (count++ == 0)
			fprintf(f, "Usage: mesh %s VERB [OPTION]...\n\nVerbs:\n", first);
		fprintf(f, "  %-18s %s\n", v->name, v->summary);
	}
	if (count > 0)
		fprintf(f, "\nmesh %s VERB --help shows a verb's options.\n", first);
	return count > 0;
}

static void put_option(FILE *f, const struct option_spec *s)
{
	char left[64];
	char letter[8] = "    ";
	if (s->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", s->letter);
	int n = snprintf(left, sizeof(left), "  %s--%s%s%s", letter, s->name, s->value != NULL ? " " : "",
			 s->value != NULL ? s->value : "");
	fprintf(f, "%-30s", left);
	shown_fill(f, s->help, 30, n < 30 ? 30 : (size_t)n);
}

/* Lines "command # what for". */
static void put_examples(FILE *f, const char *examples)
{
	for (const char *line = examples; *line != '\0';) {
		size_t len = strcspn(line, "\n");
		const char *remark = strstr(line, " # ");
		if (remark != NULL && remark < line + len) {
			fprintf(f, "  %.*s\n", (int)(remark - line), line);
			fprintf(f, "      %.*s\n", (int)(line + len - remark) - 3, remark + 3);
		}
		line += len + (line[len] == '\n');
	}
}

static void put_exit(FILE *f, const struct verb *v, char code)
{
	fprintf(f, "  %c  ", code);
	shown_fill(f, verb_exit_text(v, code), 5, 5);
}

void help_verb(FILE *f, const struct verb *v)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	size_t count = verb_option_sets(v, sets);
	fprintf(f, "Usage: mesh %s [OPTION]...%s%s\n\n", v->name, v->operands[0] != '\0' ? " " : "",
		v->operands);
	shown_fill(f, v->text, 0, 0);
	fputs("\nOptions:\n", f);
	for (size_t i = 0; i < count; i++) {
		for (const struct option_spec *s = sets[i]; s->name != NULL; s++)
			put_option(f, s);
	}
	fputs("\nExit codes:\n", f);
	for (const char *code = v->exits; *code != '\0'; code++)
		put_exit(f, v, *code);
	fputs("\nExamples:\n", f);
	put_examples(f, v->examples);
}

/* The verb of one or two operands; "mesh" is the whole. False when there is none. */
static bool find_operand(struct command *c, const struct verb **ret)
{
	char name[64];
	const struct options *o = &c->options;
	*ret = NULL;
	if (o->operand_count == 0 || strcmp(o->operands[0], "mesh") == 0)
		return true;
	int n = snprintf(name, sizeof(name), "%s%s%s", o->operands[0], o->operand_count > 1 ? " " : "",
			 o->operand_count > 1 ? o->operands[1] : "");
	/* "authority-init" is what its manual page is called. */
	if (n > 0 && (size_t)n < sizeof(name) && verb_find(name) == NULL && strchr(name, '-') != NULL)
		*strchr(name, '-') = ' ';
	*ret = n > 0 && (size_t)n < sizeof(name) ? verb_find(name) : NULL;
	return *ret != NULL;
}

int verb_help(struct command *c)
{
	const struct verb *v;
	const char *shell = options_value(&c->options, "completion");
	if (shell != NULL) {
		help_completion(c->out);
		return MESH_EXIT_COMPLETE;
	}
	if (!find_operand(c, &v)) {
		char shown[64];
		bool alone = c->options.operand_count == 1 && !options_has(&c->options, "man");
		if (alone && help_group(c->out, c->options.operands[0]))
			return MESH_EXIT_COMPLETE;
		text_escape(shown, sizeof(shown), c->options.operands[0], strlen(c->options.operands[0]));
		return command_fail(c, MESH_EXIT_USAGE, "no verb \"%s\"; mesh help lists them", shown);
	}
	if (options_has(&c->options, "man"))
		help_man(c->out, v);
	else if (v != NULL)
		help_verb(c->out, v);
	else
		help_overview(c->out);
	return MESH_EXIT_COMPLETE;
}

int verb_version(struct command *c)
{
	fputs("mesh " MESH_VERSION "\n", c->out);
	return MESH_EXIT_COMPLETE;
}
