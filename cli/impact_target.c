#include "cli/impact_target.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static bool copy(char ret[IMPACT_TEXT_BYTES], const char *from, size_t len)
{
	if (len >= IMPACT_TEXT_BYTES)
		return false;
	memcpy(ret, from, len);
	ret[len] = '\0';
	return true;
}

/* "V", "V..W", "V..", "..W", ">V", ">=V", "<V", "<=V". */
static bool parse_version(const char *text, struct impact_target *ret)
{
	const char *dots = strstr(text, "..");
	if (dots != NULL)
		return strcmp(text, "..") != 0 && copy(ret->low, text, (size_t)(dots - text)) &&
		       copy(ret->high, dots + 2, strlen(dots + 2));
	bool above = text[0] == '>', below = text[0] == '<', open = text[0] != '\0' && text[1] != '=';
	text += above || below ? 1 + !open : 0;
	if (text[0] == '\0')
		return false;
	ret->low_open = above && open;
	ret->high_open = below && open;
	return (below || copy(ret->low, text, strlen(text))) &&
	       (above || copy(ret->high, text, strlen(text)));
}

enum err impact_target_named(const char *text, struct impact_target *ret, struct err_info *info)
{
	*ret = (struct impact_target){.predicate = NULL};
	char shown[IMPACT_TEXT_BYTES];
	const char *at = strrchr(text, '@');
	size_t len = at != NULL ? (size_t)(at - text) : strlen(text);
	text_escape(shown, sizeof(shown), text, strlen(text));
	if (len == 0 || !copy(ret->name, text, len))
		return err_set(info, ERR_USAGE, "\"%s\" names no component; mesh components lists them",
			       shown);
	if (at != NULL && !parse_version(at + 1, ret))
		return err_set(info, ERR_USAGE,
			       "\"%s\": write NAME@VERSION, NAME@FROM..TO, or NAME@>=VERSION (also >, <, <=)",
			       shown);
	ret->pattern = strpbrk(ret->name, "*?[") != NULL;
	/* Content files are listed with their paths, people name the file. */
	snprintf(ret->file[0], sizeof(ret->file[0]), "*/%s", ret->name);
	snprintf(ret->file[1], sizeof(ret->file[1]), "*\\%s", ret->name);
	return ERR_OK;
}

enum err impact_target_parse(const struct command *c, struct impact_target *ret, struct err_info *info)
{
	const struct options *o = &c->options;
	*ret = (struct impact_target){.predicate = options_value(o, "sql")};
	if ((o->operand_count == 0) == (ret->predicate == NULL))
		return err_set(info, ERR_USAGE, "say what is suspected: either COMPONENT or --sql");
	return ret->predicate == NULL ? impact_target_named(o->operands[0], ret, info) : ERR_OK;
}

void impact_target_name(const struct impact_target *t, struct question *q)
{
	if (t->predicate != NULL) {
		question_add(q, "(");
		question_add(q, t->predicate);
		/* Out of reach of a comment at its end. */
		question_add(q, "\n)");
		return;
	}
	/* Names are looked up among the few components there are, hosts then by name. */
	question_bind(q,
		      t->pattern ? "component IN (SELECT DISTINCT name FROM components WHERE name GLOB "
				 : "component IN (SELECT DISTINCT name FROM components WHERE name = ",
		      t->name, "");
	if (strpbrk(t->name, "/\\") == NULL) {
		question_bind(q, " OR (kind = 'content-file' AND (name GLOB ", t->file[0], "");
		question_bind(q, " OR name GLOB ", t->file[1], "))");
	}
	question_add(q, ")");
}

bool impact_target_any_version(const struct impact_target *t)
{
	return t->low[0] == '\0' && t->high[0] == '\0';
}

void impact_target_version(const struct impact_target *t, struct question *q)
{
	if (impact_target_any_version(t)) {
		question_add(q, "1");
		return;
	}
	question_add(q, "coalesce(1");
	if (t->low[0] != '\0')
		question_bind(q, " AND version_compare(version, ", t->low, t->low_open ? ") > 0" : ") >= 0");
	if (t->high[0] != '\0')
		question_bind(q, " AND version_compare(version, ", t->high,
			      t->high_open ? ") < 0" : ") <= 0");
	question_add(q, ", 0)");
}
