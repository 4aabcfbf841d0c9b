#include "cli/options.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

/* Names as typed by people and scripts: shown back escaped, so cut at a length that fits a line. */
#define SHOWN_BYTES 128
#define WORDS_MAX   64

void options_add_set(struct options *o, const struct option_spec *set)
{
	CHECK(o->set_count < OPTIONS_MAX_SETS);
	o->sets[o->set_count++] = set;
}

const char *options_nearest(const char *typed, const char *const *words, size_t count)
{
	const char *best = NULL;
	unsigned best_distance = 3;
	for (size_t i = 0; i < count && words[i] != NULL; i++) {
		unsigned distance = text_distance(typed, words[i]);
		/* A word that goes on where the typed one stopped is a better guess than any other. */
		if (strlen(typed) >= 2 && strncmp(words[i], typed, strlen(typed)) == 0)
			distance = 0;
		/* Of a two-letter word two wrong letters leave nothing. */
		if (distance < best_distance && distance < strlen(words[i])) {
			best = words[i];
			best_distance = distance;
		}
	}
	return best;
}

static const struct option_spec *find(const struct options *o, const char *name, size_t len)
{
	for (size_t i = 0; i < o->set_count; i++) {
		for (const struct option_spec *s = o->sets[i]; s->name != NULL; s++) {
			if (strlen(s->name) == len && memcmp(s->name, name, len) == 0)
				return s;
		}
	}
	return NULL;
}

static const struct option_spec *find_letter(const struct options *o, char letter)
{
	for (size_t i = 0; i < o->set_count; i++) {
		for (const struct option_spec *s = o->sets[i]; s->name != NULL; s++) {
			if (s->letter != 0 && s->letter == letter)
				return s;
		}
	}
	return NULL;
}

static enum err refuse_unknown(const struct options *o, const char *name, size_t len, struct err_info *info)
{
	const char *words[WORDS_MAX];
	char typed[SHOWN_BYTES], shown[SHOWN_BYTES];
	size_t count = 0;
	for (size_t i = 0; i < o->set_count; i++) {
		for (const struct option_spec *s = o->sets[i]; s->name != NULL && count < WORDS_MAX; s++)
			words[count++] = s->name;
	}
	text_escape(shown, sizeof(shown), name, len);
	text_copy(typed, sizeof(typed), shown);
	const char *near = options_nearest(typed, words, count);
	if (near == NULL)
		return err_set(info, ERR_USAGE, "unknown option --%s", shown);
	return err_set(info, ERR_USAGE, "unknown option --%s; did you mean --%s?", shown, near);
}

/* Options whose values are few name them for completion; others are not allowed. */
static enum err check_word(const struct option_spec *spec, const char *value, struct err_info *info)
{
	char shown[SHOWN_BYTES];
	size_t len = value != NULL ? strlen(value) : 0;
	if (value == NULL || spec->words == NULL || spec->words[0] == '@')
		return ERR_OK;
	for (const char *word = spec->words; *word != '\0';) {
		size_t word_len = strcspn(word, " ");
		if (word_len == len && memcmp(word, value, len) == 0)
			return ERR_OK;
		word += word_len + (word[word_len] == ' ');
	}
	text_escape(shown, sizeof(shown), value, len);
	return err_set(info, ERR_USAGE, "--%s takes no \"%s\"; use one of: %s", spec->name, shown,
		       spec->words);
}

static enum err give(struct options *o, const struct option_spec *spec, const char *value,
		     struct err_info *info)
{
	if (!spec->repeats &&
	    (spec->value == NULL ? options_has(o, spec->name) : options_value(o, spec->name) != NULL))
		return err_set(info, ERR_USAGE, "option --%s is given twice", spec->name);
	if (o->given_count == OPTIONS_MAX_GIVEN)
		return err_set(info, ERR_USAGE, "more than %d options", OPTIONS_MAX_GIVEN);
	enum err err = check_word(spec, value, info);
	if (err != ERR_OK)
		return err;
	o->given[o->given_count].spec = spec;
	o->given[o->given_count++].value = value;
	return ERR_OK;
}

static enum err parse_long(struct options *o, int argc, char *const *argv, int *at, struct err_info *info)
{
	const char *name = argv[*at] + 2;
	const char *equals = strchr(name, '=');
	size_t len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct option_spec *spec = find(o, name, len);
	if (spec == NULL)
		return refuse_unknown(o, name, len, info);
	if (spec->value == NULL && equals != NULL)
		return err_set(info, ERR_USAGE, "option --%s takes no value", spec->name);
	if (spec->value == NULL)
		return give(o, spec, NULL, info);
	if (equals != NULL)
		return give(o, spec, equals + 1, info);
	if (*at + 1 >= argc)
		return err_set(info, ERR_USAGE, "option --%s needs a value: --%s %s", spec->name, spec->name,
			       spec->value);
	return give(o, spec, argv[++*at], info);
}

static enum err parse_short(struct options *o, int argc, char *const *argv, int *at, struct err_info *info)
{
	for (const char *letter = argv[*at] + 1; *letter != '\0'; letter++) {
		const struct option_spec *spec = find_letter(o, *letter);
		if (spec == NULL) {
			char shown[8];
			text_escape(shown, sizeof(shown), letter, 1);
			return err_set(info, ERR_USAGE, "unknown option -%s", shown);
		}
		if (spec->value == NULL) {
			enum err err = give(o, spec, NULL, info);
			if (err != ERR_OK)
				return err;
			continue;
		}
		if (letter[1] != '\0')
			return give(o, spec, letter + 1, info);
		if (*at + 1 >= argc)
			return err_set(info, ERR_USAGE, "option -%c needs a value: -%c %s", spec->letter,
				       spec->letter, spec->value);
		return give(o, spec, argv[++*at], info);
	}
	return ERR_OK;
}

enum err options_parse(struct options *o, int argc, char *const *argv, struct err_info *info)
{
	bool only_operands = false;
	for (int i = 0; i < argc; i++) {
		enum err err = ERR_OK;
		bool dashed = !only_operands && argv[i][0] == '-' && argv[i][1] != '\0';
		if (dashed && strcmp(argv[i], "--") == 0)
			only_operands = true;
		else if (dashed && argv[i][1] == '-')
			err = parse_long(o, argc, argv, &i, info);
		else if (dashed)
			err = parse_short(o, argc, argv, &i, info);
		else if (o->operand_count < OPTIONS_MAX_OPERANDS)
			o->operands[o->operand_count++] = argv[i];
		else
			err = err_set(info, ERR_USAGE, "more than %d arguments", OPTIONS_MAX_OPERANDS);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

bool options_has(const struct options *o, const char *name)
{
	for (size_t i = 0; i < o->given_count; i++) {
		if (strcmp(o->given[i].spec->name, name) == 0)
			return true;
	}
	return false;
}

const char *options_nth(const struct options *o, const char *name, size_t n)
{
	for (size_t i = 0; i < o->given_count; i++) {
		if (strcmp(o->given[i].spec->name, name) == 0 && n-- == 0)
			return o->given[i].value;
	}
	return NULL;
}

const char *options_value(const struct options *o, const char *name)
{
	return options_nth(o, name, 0);
}
