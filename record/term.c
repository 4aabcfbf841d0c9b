#include <stdio.h>
#include <string.h>

#include "record/operator.h"

/* docs/protocol.md section 3, incident. */
static const char *const fields[] = {
    [1] = "kind",
    [2] = "name",
    [3] = "version",
    [4] = "source",
    [5] = "vendor",
    [6] = "size",
    [7] = "flags",
    [8] = "entry",
    [9] = "loaded",
    [10] = "pending",
    [11] = "changed",
    [32] = "host",
    [33] = "hostname",
    [34] = "site",
    [35] = "current site",
    [36] = "status",
    [37] = "status since",
    [38] = "os",
    [39] = "kernel",
    [40] = "arch",
    [41] = "model",
    [42] = "role",
    [43] = "location",
    [44] = "tag",
    [45] = "group",
    [46] = "asset id",
    [47] = "boot mode",
    [48] = "secure boot",
    [49] = "virtualization",
    [50] = "level",
    [51] = "unclean boots",
    [52] = "last boot clean",
    [53] = "modules",
};

static const char *const operators[] = {
    [TERM_EQUAL] = "=",
    [TERM_NOT_EQUAL] = "!=",
    [TERM_LESS] = "<",
    [TERM_LESS_EQUAL] = "<=",
    [TERM_MORE] = ">",
    [TERM_MORE_EQUAL] = ">=",
    [TERM_PREFIX] = "begins with",
};

const char *term_field_name(unsigned field)
{
	return field < sizeof(fields) / sizeof(*fields) ? fields[field] : NULL;
}

const char *term_operator_name(unsigned op)
{
	return op < sizeof(operators) / sizeof(*operators) ? operators[op] : NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t run_of(const char *text)
{
	size_t len = 0;
	while (text[len] != '\0' && is_digit(text[len]) == is_digit(text[0]))
		len++;
	return len;
}

static int by_value(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (; a_len > 1 && *a == '0'; a_len--)
		a++;
	for (; b_len > 1 && *b == '0'; b_len--)
		b++;
	return a_len != b_len ? (a_len < b_len ? -1 : 1) : memcmp(a, b, a_len);
}

/* Run by run; two of digits by their value, any others by their bytes. */
static int order_of(const char *a, const char *b)
{
	int order = 0;
	while (order == 0 && *a != '\0' && *b != '\0') {
		size_t a_len = run_of(a), b_len = run_of(b);
		if (is_digit(*a) && is_digit(*b)) {
			order = by_value(a, a_len, b, b_len);
		} else {
			order = memcmp(a, b, a_len < b_len ? a_len : b_len);
			if (order == 0 && a_len != b_len)
				order = a_len < b_len ? -1 : 1;
		}
		a += a_len;
		b += b_len;
	}
	return order != 0 ? order : (*a != '\0') - (*b != '\0');
}

bool term_holds(unsigned op, const char *field, const char *value)
{
	switch (op) {
	case TERM_EQUAL:
		return strcmp(field, value) == 0;
	case TERM_NOT_EQUAL:
		return strcmp(field, value) != 0;
	case TERM_LESS:
		return order_of(field, value) < 0;
	case TERM_LESS_EQUAL:
		return order_of(field, value) <= 0;
	case TERM_MORE:
		return order_of(field, value) > 0;
	case TERM_MORE_EQUAL:
		return order_of(field, value) >= 0;
	case TERM_PREFIX:
		return strncmp(field, value, strlen(value)) == 0;
	default:
		return false;
	}
}

struct out {
	char *text;
	size_t len, cap;
};

static void put(struct out *o, const char *text)
{
	size_t len = strlen(text), room = o->cap - 1 - o->len;
	len = len < room ? len : room;
	memcpy(o->text + o->len, text, len);
	o->len += len;
	o->text[o->len] = '\0';
}

static void put_number(struct out *o, const char *what, const char *name, unsigned number)
{
	char text[32];
	snprintf(text, sizeof(text), "%s %u", what, number);
	put(o, name != NULL ? name : text);
}

static void put_value(struct out *o, const char *value)
{
	char one[2] = {0};
	put(o, "'");
	for (; *value != '\0'; value++) {
		one[0] = *value;
		put(o, *value == '\'' ? "''" : one);
	}
	put(o, "'");
}

void terms_text(const struct term *terms, size_t count, char *ret, size_t cap)
{
	struct out o = {ret, 0, cap};
	ret[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			put(&o, " and ");
		put_number(&o, "field", term_field_name(terms[i].field), terms[i].field);
		put(&o, " ");
		put_number(&o, "operator", term_operator_name(terms[i].op), terms[i].op);
		put(&o, " ");
		put_value(&o, terms[i].value);
	}
}
