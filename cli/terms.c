#include "cli/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* --- parsing --- */

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t\n");
}

/* A blank of a name may be written as "-" or "_". */
static size_t name_matches(const char *at, const char *name)
{
	size_t i = 0;
	for (; name[i] != '\0'; i++) {
		if (at[i] != name[i] && !(name[i] == ' ' && (at[i] == '-' || at[i] == '_')))
			return 0;
	}
	return strchr(" \t!<>=^", at[i]) != NULL ? i : 0;
}

static bool parse_number(const char **at, const char *word, uint8_t *ret)
{
	char *end;
	size_t len = strlen(word);
	if (strncmp(*at, word, len) != 0)
		return false;
	unsigned long n = strtoul(*at + len, &end, 10);
	if (end == *at + len || n > UINT8_MAX)
		return false;
	*ret = (uint8_t)n;
	*at = end;
	return true;
}

static bool parse_field(const char **at, uint8_t *ret)
{
	size_t longest = 0;
	for (unsigned i = 1; i <= UINT8_MAX; i++) {
		const char *name = term_field_name(i);
		size_t len = name != NULL ? name_matches(*at, name) : 0;
		if (len > longest) {
			longest = len;
			*ret = (uint8_t)i;
		}
	}
	*at += longest;
	return longest > 0 || parse_number(at, "field ", ret);
}

static bool parse_operator(const char **at, uint8_t *ret)
{
	static const struct {
		const char *text;
		enum term_operator op;
	} operators[] = {
	    {"begins with", TERM_PREFIX},
	    {"^=", TERM_PREFIX},
	    {"!=", TERM_NOT_EQUAL},
	    {"<=", TERM_LESS_EQUAL},
	    {">=", TERM_MORE_EQUAL},
	    {"<", TERM_LESS},
	    {">", TERM_MORE},
	    {"=", TERM_EQUAL},
	};
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strncmp(*at, operators[i].text, strlen(operators[i].text)) == 0) {
			*ret = (uint8_t)operators[i].op;
			*at += strlen(operators[i].text);
			return true;
		}
	}
	return parse_number(at, "operator ", ret);
}

/* In single quotes, where one inside is doubled; or up to " and " or the end. */
static bool parse_value(const char **at, char ret[LIMIT_SHORT_TEXT_BYTES + 1])
{
	size_t len = 0;
	bool quoted = **at == '\'';
	*at += quoted;
	for (;; (*at)++) {
		if (quoted && **at == '\'' && (*at)[1] == '\'')
			(*at)++;
		else if (quoted ? **at == '\'' : **at == '\0' || strncmp(*at, " and ", 5) == 0)
			break;
		if (**at == '\0' || len == LIMIT_SHORT_TEXT_BYTES)
			return false;
		ret[len++] = **at;
	}
	*at += quoted;
	while (!quoted && len > 0 && ret[len - 1] == ' ')
		len--;
	ret[len] = '\0';
	return true;
}

static bool is_number(uint8_t field)
{
	return field == 6 || field == 7 || (field >= 9 && field <= 11) || field == 37 || field == 48 ||
	       field == 51 || field == 52;
}

/* NULL: fine. */
static const char *parse_term(const char **at, struct term *ret)
{
	uint64_t n;
	skip_blanks(at);
	if (!parse_field(at, &ret->field))
		return "no field of that name";
	skip_blanks(at);
	if (!parse_operator(at, &ret->op))
		return "an operator is missing: =, !=, <, <=, >, >= or ^= (begins with)";
	skip_blanks(at);
	if (!parse_value(at, ret->value))
		return "the value is longer than 64 bytes, or its quote is not closed";
	if (is_number(ret->field) && !text_u64(ret->value, 0, INT64_MAX, &n))
		return "this field is a number";
	return NULL;
}

enum err terms_parse(const char *text, struct terms *ret, struct err_info *info)
{
	char shown[ERR_TEXT_BYTES / 2];
	const char *at = text;
	for (;;) {
		struct term t = {0};
		const char *begin = at, *wrong = "more than eight terms";
		if (ret->count < LIMIT_TERMS)
			wrong = parse_term(&at, &t);
		if (wrong != NULL) {
			text_escape(shown, sizeof(shown), begin, strlen(begin));
			return err_set(info, ERR_USAGE, "\"%.60s\": %s", shown, wrong);
		}
		text_copy(ret->values[ret->count], sizeof(ret->values[0]), t.value);
		ret->list[ret->count++] = t;
		skip_blanks(&at);
		if (*at == '\0')
			return ERR_OK;
		if (strncmp(at, "and", 3) == 0)
			at += 3;
	}
}

/* --- which --- */

void terms_durable(const struct terms *t, struct terms *ret)
{
	static const uint8_t fields[] = {1, 2, 5, 32, 33, 34, 40, 41, 42, 43, 44, 45, 46, 47, 49};
	*ret = (struct terms){.count = 0};
	for (size_t i = 0; i < t->count; i++) {
		if (memchr(fields, t->list[i].field, sizeof(fields)) == NULL)
			continue;
		memcpy(ret->values[ret->count], t->values[i], sizeof(t->values[i]));
		ret->list[ret->count++] = t->list[i];
	}
}

bool terms_of_component(const struct terms *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].field <= TERM_FIELD_COMPONENT_TO)
			return true;
	}
	return false;
}

/* --- SQL --- */

#define FLAGS "(boot_start + 2 * out_of_tree + 4 * \"unsigned\" + 8 * proprietary + 16 * third_party)"
#define CHANGED                                                                                              \
	"(SELECT max(time_ms) / 1000 FROM changes WHERE changes.host = h.host AND changes.entry = h.entry)"

static const char *const columns[] = {
    [1] = "kind",
    [2] = "components.name",
    [3] = "version",
    [4] = "source",
    [5] = "vendor",
    [6] = "size_bytes",
    [7] = FLAGS,
    [8] = "components.entry",
    [9] = "h.loaded",
    [10] = "h.pending",
    [11] = CHANGED,
    [32] = "hosts.host",
    [33] = "hosts.name",
    [34] = "hosts.site",
    [35] = "hosts.current_site",
    [36] = "hosts.status",
    [37] = "hosts.status_since_ms / 1000",
    [38] = "hosts.os",
    [39] = "hosts.kernel",
    [40] = "hosts.arch",
    [41] = "hosts.model",
    [42] = "hosts.role",
    [43] = "hosts.location",
    [44] = "hosts.tags",
    [45] = "hosts.groups",
    [46] = "NULL", /* no table has asset ids */
    [47] = "hosts.boot_mode",
    [48] = "hosts.secure_boot",
    [49] = "hosts.virtualization",
    [50] = "hosts.level",
    [51] = "hosts.unclean_boots",
    [52] = "hosts.last_boot_clean",
    [53] = "hosts.module_support",
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Any of several, apart by commas. */
static void list_sql(struct question *q, const char *column, uint8_t op, const char *value)
{
	if (op != TERM_EQUAL && op != TERM_NOT_EQUAL && op != TERM_PREFIX) {
		question_add(q, "NULL");
		return;
	}
	question_add(q, "(instr(',' || ");
	question_add(q, column);
	question_bind(q, " || ',', ',' || ", value, op == TERM_PREFIX ? ")" : " || ',')");
	question_add(q, op == TERM_NOT_EQUAL ? " = 0)" : " > 0)");
}

static void text_sql(struct question *q, const char *column, uint8_t op, const char *value)
{
	static const char *const orders[] = {
	    [TERM_LESS] = ") < 0)",
	    [TERM_LESS_EQUAL] = ") <= 0)",
	    [TERM_MORE] = ") > 0)",
	    [TERM_MORE_EQUAL] = ") >= 0)",
	};
	question_add(q, op == TERM_PREFIX ? "(instr(" : op >= TERM_LESS ? "(version_compare(" : "(");
	question_add(q, column);
	if (op == TERM_EQUAL || op == TERM_NOT_EQUAL)
		question_bind(q, op == TERM_EQUAL ? " = " : " <> ", value, ")");
	else if (op == TERM_PREFIX)
		question_bind(q, ", ", value, ") = 1)");
	else
		question_bind(q, ", ", value, orders[op]);
}

static void number_sql(struct question *q, const char *column, const struct term *t, const char *value)
{
	bool flags = t->field == 7;
	if (t->op == TERM_PREFIX || (flags && t->op > TERM_NOT_EQUAL)) {
		question_add(q, "NULL");
		return;
	}
	question_add(q, "(");
	question_add(q, column);
	if (flags)
		question_bind(q, " & CAST(", value, " AS INTEGER)");
	question_add(q, t->op == TERM_NOT_EQUAL ? " <> " : " ");
	if (t->op != TERM_NOT_EQUAL)
		question_add(q, term_operator_name(t->op));
	question_bind(q, " CAST(", value, " AS INTEGER))");
}

static void term_sql(struct question *q, const struct terms *all, size_t i)
{
	const struct term *t = &all->list[i];
	const char *column = t->field < COLUMNS ? columns[t->field] : NULL;
	if (column == NULL || t->op < TERM_EQUAL || t->op > TERM_PREFIX)
		question_add(q, "NULL");
	else if (t->field == 44 || t->field == 45)
		list_sql(q, column, t->op, all->values[i]);
	else if (is_number(t->field))
		number_sql(q, column, t, all->values[i]);
	else
		text_sql(q, column, t->op, all->values[i]);
}

static void those_sql(const struct terms *t, struct question *q, unsigned from, unsigned to)
{
	question_add(q, "(1");
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i].field < from || t->list[i].field > to)
			continue;
		question_add(q, " AND ");
		term_sql(q, t, i);
	}
	question_add(q, ")");
}

#define FIELD_LOADED 9
#define FIELD_HOST   32

/* Fields of components that this version does not know are among those of the host and component: NULL. */
void terms_entry_sql(const struct terms *t, struct question *q)
{
	those_sql(t, q, 1, FIELD_LOADED - 1);
}

void terms_installed_sql(const struct terms *t, struct question *q)
{
	those_sql(t, q, FIELD_LOADED, FIELD_HOST - 1);
}

void terms_host_sql(const struct terms *t, struct question *q)
{
	those_sql(t, q, FIELD_HOST, UINT8_MAX);
}
