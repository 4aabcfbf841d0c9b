/* mesh: finds the verb, parses its options by the verb table, runs it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cli/help.h"
#include "cli/verb.h"
#include "cli/watch.h"
#include "crypto/hash.h"
#include "os/process.h"

#define NAME_BYTES 128
#define VERBS_MAX  64

/* Longest match first: "authority init" is one verb of two words. */
static const struct verb *find_verb(int argc, char *const *argv, int *ret_used)
{
	char name[NAME_BYTES];
	const struct verb *v;
	if (argc > 2) {
		int n = snprintf(name, sizeof(name), "%s %s", argv[1], argv[2]);
		v = n > 0 && (size_t)n < sizeof(name) ? verb_find(name) : NULL;
		*ret_used = 3;
		if (v != NULL)
			return v;
	}
	*ret_used = 2;
	return verb_find(argv[1]);
}

static int refuse_verb(struct command *c, int argc, char *const *argv)
{
	const char *words[VERBS_MAX];
	char typed[NAME_BYTES], shown[NAME_BYTES];
	size_t count = 0, len = strlen(argv[1]);
	for (const struct verb *v; (v = verb_at(count)) != NULL; count++) {
		CHECK(count < VERBS_MAX);
		words[count] = v->name;
	}
	/* "authority" alone, or with a word that is none of its own. */
	if (verb_second_words(argv[1], typed, sizeof(typed)))
		return command_fail(c, MESH_EXIT_USAGE, "\"%s\" needs a second word: %s", argv[1], typed);
	snprintf(typed, sizeof(typed), "%s %s", argv[1], argc > 2 ? argv[2] : "");
	text_escape(shown, sizeof(shown), argv[1], len);
	const char *near = options_nearest(argv[1], words, count);
	if (near == NULL)
		near = options_nearest(typed, words, count);
	if (near == NULL)
		return command_fail(c, MESH_EXIT_USAGE, "unknown verb \"%s\"; see mesh help", shown);
	return command_fail(c, MESH_EXIT_USAGE, "unknown verb \"%s\"; did you mean \"%s\"?", shown, near);
}

static int run(struct command *c, int argc, char *const *argv)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	struct err_info info = {0};
	int used = 0;
	if (argc < 2) {
		help_overview(c->err);
		return MESH_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_overview(c->out);
		return MESH_EXIT_COMPLETE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return verb_version(c);
	const struct verb *v = find_verb(argc, argv, &used);
	if (v == NULL && argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0) &&
	    help_group(c->out, argv[1]))
		return MESH_EXIT_COMPLETE;
	if (v == NULL)
		return refuse_verb(c, argc, argv);
	c->verb = v;
	size_t count = verb_option_sets(v, sets);
	for (size_t i = 0; i < count; i++)
		options_add_set(&c->options, sets[i]);
	enum err err = options_parse(&c->options, argc - used, argv + used, &info);
	/* Asking for help wins over whatever else is wrong. */
	if (options_has(&c->options, "help")) {
		help_verb(c->out, v);
		return MESH_EXIT_COMPLETE;
	}
	if (err != ERR_OK)
		return command_report(c, &info);
	if (c->options.operand_count < v->operands_min)
		return command_fail(c, MESH_EXIT_USAGE, "%s is missing", v->operands);
	if (c->options.operand_count > v->operands_max) {
		char shown[NAME_BYTES];
		const char *extra = c->options.operands[v->operands_max];
		text_escape(shown, sizeof(shown), extra, strlen(extra));
		return command_fail(c, MESH_EXIT_USAGE, "unexpected argument \"%s\"", shown);
	}
	if (v->secrets)
		os_process_hide();
	return options_has(&c->options, "watch") ? watch_run(c) : v->run(c);
}

int main(int argc, char **argv)
{
	struct command c = {.out = stdout, .err = stderr};
	int code;
	if (crypto_init() != ERR_OK)
		code = command_fail(&c, MESH_EXIT_ERROR, "the cryptographic library does not start");
	else
		code = run(&c, argc, argv);
	/* A reader that went away (mesh hosts | head) is nobody's error. */
	if (fflush(stdout) != 0 || ferror(stdout)) {
		int error = errno;
		if (error != EPIPE)
			fprintf(stderr, "mesh: cannot write to standard output: %s\n", strerror(error));
		code = MESH_EXIT_ERROR;
	}
	return code;
}
