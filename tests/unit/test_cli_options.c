/* The option parser: every way to write an option, and every way to get one wrong. */
#include <string.h>

#include "cli/options.h"
#include "cli/verb.h"
#include "tests/unit/scratch.h"

static const struct option_spec first[] = {
    {.name = "state", .value = "DIR"},
    {.name = "site", .value = "SITE", .repeats = true},
    {.name = NULL},
};
static const struct option_spec second[] = {
    {.name = "output", .letter = 'o', .value = "FORMAT"},
    {.name = "allow-partial"},
    {.name = "quiet", .letter = 'q'},
    {.name = NULL},
};

#define ARGS(...)                                                                                            \
	(const char *const[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__, NULL                                                                            \
	}

static enum err parse(struct options *o, const char *const *argv, struct err_info *info)
{
	int argc = 0;
	*o = (struct options){0};
	*info = (struct err_info){0};
	options_add_set(o, first);
	options_add_set(o, second);
	while (argv[argc] != NULL)
		argc++;
	return options_parse(o, argc, (char *const *)(uintptr_t)argv, info);
}

static void values_in_every_form(void **state)
{
	struct options o;
	struct err_info info;
	(void)state;
	static const char *const forms[][4] = {
	    {"--output", "json"}, {"--output=json"}, {"-o", "json"}, {"-ojson"}, {"-qojson"}, {"-qo", "json"},
	};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(parse(&o, forms[i], &info), ERR_OK);
		assert_string_equal(options_value(&o, "output"), "json");
		assert_int_equal(options_has(&o, "quiet"), i >= 4);
		assert_int_equal(o.operand_count, 0);
	}
	assert_int_equal(parse(&o, ARGS("--state=", "--site", "--weird", "--site=a=b"), &info), ERR_OK);
	assert_string_equal(options_value(&o, "state"), "");
	assert_string_equal(options_nth(&o, "site", 0), "--weird");
	assert_string_equal(options_nth(&o, "site", 1), "a=b");
	assert_null(options_nth(&o, "site", 2));
	assert_null(options_value(&o, "output"));
	assert_false(options_has(&o, "allow-partial"));
}

static void operands_and_dashes(void **state)
{
	struct options o;
	struct err_info info;
	(void)state;
	assert_int_equal(parse(&o, ARGS("a", "-", "--allow-partial", "--", "--state", "-q", ""), &info),
			 ERR_OK);
	assert_int_equal(o.operand_count, 5);
	assert_string_equal(o.operands[1], "-");
	assert_string_equal(o.operands[2], "--state");
	assert_string_equal(o.operands[4], "");
	assert_true(options_has(&o, "allow-partial") && !options_has(&o, "quiet"));
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *argv[3];
		const char *said;
	} cases[] = {
	    {{"--outptu", "json"}, "did you mean --output?"},
	    {{"--outptu=json"}, "did you mean --output?"},
	    {{"--allow"}, "did you mean --allow-partial?"},
	    {{"--zebra"}, "unknown option --zebra"},
	    {{"--ze\033[2Jbra"}, "unknown option --ze\\x1b[2Jbra"},
	    {{"--=x"}, "unknown option --"},
	    {{"-x"}, "unknown option -x"},
	    {{"-q\xff"}, "unknown option -\\xff"},
	    {{"--output"}, "needs a value"},
	    {{"-o"}, "needs a value"},
	    {{"--allow-partial=yes"}, "takes no value"},
	    {{"--state=a", "--state=b"}, "given twice"},
	    {{"-q", "-q"}, "given twice"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		struct err_info info;
		assert_int_equal(parse(&o, cases[i].argv, &info), ERR_USAGE);
		assert_int_equal(info.code, ERR_USAGE);
		if (strstr(info.text, cases[i].said) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", info.text, cases[i].said);
	}
}

static void there_may_be_too_many(void **state)
{
	const char *argv[2 * OPTIONS_MAX_GIVEN + 4] = {0};
	struct options o;
	struct err_info info;
	(void)state;
	for (int i = 0; i <= OPTIONS_MAX_GIVEN; i++)
		argv[i] = "--site=x";
	assert_int_equal(parse(&o, argv, &info), ERR_USAGE);
	argv[OPTIONS_MAX_GIVEN] = NULL;
	assert_int_equal(parse(&o, argv, &info), ERR_OK);
	for (int i = 0; i <= OPTIONS_MAX_OPERANDS; i++)
		argv[i] = "x";
	argv[OPTIONS_MAX_OPERANDS + 1] = NULL;
	assert_int_equal(parse(&o, argv, &info), ERR_USAGE);
	argv[OPTIONS_MAX_OPERANDS] = NULL;
	assert_int_equal(parse(&o, argv, &info), ERR_OK);
}

/* The table is what everything is made from: it has to be whole. */
static void verb_table_is_whole(void **state)
{
	size_t count = 0;
	const struct verb *v;
	(void)state;
	for (; (v = verb_at(count)) != NULL; count++) {
		const struct option_spec *sets[OPTIONS_MAX_SETS];
		size_t n = verb_option_sets(v, sets);
		assert_ptr_equal(verb_find(v->name), v);
		assert_true(v->summary[0] != '\0' && v->text[0] != '\0' && v->run != NULL);
		assert_true(strchr(v->examples, '#') != NULL &&
			    v->operands_min <= v->operands_max);
		assert_true((v->operands_max == 0) == (v->operands[0] == '\0'));
		assert_true(strlen(v->summary) <= 60);
		for (size_t a = 0; a < n; a++) {
			for (const struct option_spec *s = sets[a]; s->name != NULL; s++) {
				assert_non_null(s->help);
				for (size_t b = 0; b < n; b++) {
					for (const struct option_spec *t = sets[b]; t->name != NULL; t++)
						assert_true(s == t || strcmp(s->name, t->name) != 0);
				}
			}
		}
	}
	assert_true(count >= 21);
	assert_null(verb_find("commit"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_in_every_form), cmocka_unit_test(operands_and_dashes),
	    cmocka_unit_test(mistakes_are_named),   cmocka_unit_test(there_may_be_too_many),
	    cmocka_unit_test(verb_table_is_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
