/* Completion for bash from the verb table. */
#include <string.h>

#include "cli/help.h"

/* The first words of all verbs, each once. */
static void put_first_words(FILE *f)
{
	const struct verb *v;
	const char *gap = "";
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		size_t len = strcspn(v->name, " ");
		bool before = false;
		for (size_t k = 0; k < i; k++) {
			const char *other = verb_at(k)->name;
			before = before || (strncmp(other, v->name, len) == 0 && strcspn(other, " ") == len);
		}
		if (!before) {
			fprintf(f, "%s%.*s", gap, (int)len, v->name);
			gap = " ";
		}
	}
}

static void put_second_words(FILE *f)
{
	const struct verb *v;
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		size_t len = strcspn(v->name, " ");
		if (v->name[len] == ' ')
			fprintf(f, "\t%.*s) words=\"$words %s\" ;;&\n", (int)len, v->name, v->name + len + 1);
	}
}

static void put_flags(FILE *f, const struct verb *v)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	size_t count = verb_option_sets(v, sets);
	fprintf(f, "\t\"%s\") words=\"", v->name);
	const char *gap = "";
	for (size_t i = 0; i < count; i++) {
		for (const struct option_spec *s = sets[i]; s->name != NULL; s++) {
			fprintf(f, "%s--%s", gap, s->name);
			gap = " ";
		}
	}
	fputs("\" ;;\n", f);
}

static void put_values(FILE *f, const struct verb *v)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	size_t count = verb_option_sets(v, sets);
	for (size_t i = 0; i < count; i++) {
		for (const struct option_spec *s = sets[i]; s->name != NULL; s++) {
			if (s->value == NULL)
				continue;
			fprintf(f, "\t\"%s --%s\"", v->name, s->name);
			if (s->letter != 0)
				fprintf(f, "|\"%s -%c\"", v->name, s->letter);
			if (s->words != NULL && s->words[0] == '@')
				fprintf(f,
					") compopt -o filenames; COMPREPLY=($(compgen -%c -- \"$cur\")); "
					"return ;;\n",
					strcmp(s->words, "@dir") == 0 ? 'd' : 'f');
			else
				fprintf(f, ") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n",
					s->words != NULL ? s->words : "");
		}
	}
}

void help_completion(FILE *f)
{
	const struct verb *v;
	fputs(
	    "# bash completion for mesh. Made by: mesh help --completion bash\n"
	    "_mesh() {\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} "
	    "words=\n"
	    "\tCOMPREPLY=()\n"
	    "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	    "\t\tCOMPREPLY=($(compgen -W \"",
	    f);
	put_first_words(f);
	fputs("\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $verb in\n", f);
	put_second_words(f);
	fputs("\tesac\n"
	      "\tif [ -n \"$words\" ]; then\n"
	      "\t\tif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
	      "\t\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	      "\t\t\treturn\n"
	      "\t\tfi\n"
	      "\t\tverb=\"$verb ${COMP_WORDS[2]}\"\n"
	      "\tfi\n"
	      "\tcase \"$verb $prev\" in\n",
	      f);
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		put_values(f, v);
	fputs("\tesac\n\tcase $verb in\n", f);
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++)
		put_flags(f, v);
	fputs("\tesac\n\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _mesh mesh\n", f);
}
