#include "tests/cli/json_check.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

#define DEPTH 16
#define KEYS  128

struct scan {
	const char *text;
	size_t len, at;
	unsigned depth;
};

static bool value(struct scan *s);

static void space(struct scan *s)
{
	while (s->at < s->len && s->text[s->at] != '\0' && strchr(" \t\r\n", s->text[s->at]) != NULL)
		s->at++;
}

static bool take(struct scan *s, char c)
{
	if (s->at < s->len && s->text[s->at] == c) {
		s->at++;
		return true;
	}
	return false;
}

static bool word(struct scan *s, const char *w)
{
	size_t n = strlen(w);
	if (s->len - s->at < n || memcmp(s->text + s->at, w, n) != 0)
		return false;
	s->at += n;
	return true;
}

static bool escape(struct scan *s)
{
	if (s->at >= s->len)
		return false;
	char c = s->text[s->at++];
	if (c != 'u')
		return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
	for (int i = 0; i < 4; i++, s->at++) {
		if (s->at >= s->len || !isxdigit((unsigned char)s->text[s->at]))
			return false;
	}
	return true;
}

static bool string(struct scan *s)
{
	if (!take(s, '"'))
		return false;
	while (s->at < s->len && s->text[s->at] != '"') {
		uint32_t c;
		size_t n = text_utf8(s->text + s->at, s->len - s->at, &c);
		if (n == 0 || text_is_unsafe(c))
			return false;
		s->at += n;
		if (c == '\\' && !escape(s))
			return false;
	}
	return take(s, '"');
}

static bool digits(struct scan *s)
{
	size_t start = s->at;
	while (s->at < s->len && isdigit((unsigned char)s->text[s->at]))
		s->at++;
	return s->at > start;
}

static bool number(struct scan *s)
{
	take(s, '-');
	if (!take(s, '0') && !digits(s))
		return false;
	if (take(s, '.') && !digits(s))
		return false;
	if (take(s, 'e') || take(s, 'E')) {
		if (!take(s, '+'))
			take(s, '-');
		return digits(s);
	}
	return true;
}

static bool array(struct scan *s)
{
	s->at++;
	space(s);
	if (take(s, ']'))
		return true;
	do {
		if (!value(s))
			return false;
	} while (take(s, ','));
	return take(s, ']');
}

static bool object(struct scan *s)
{
	struct {
		size_t at, len;
	} keys[KEYS];
	size_t count = 0;
	s->at++;
	space(s);
	if (take(s, '}'))
		return true;
	do {
		space(s);
		size_t start = s->at;
		if (count == KEYS || !string(s))
			return false;
		keys[count].at = start;
		keys[count].len = s->at - start;
		for (size_t i = 0; i < count; i++) {
			if (keys[i].len == keys[count].len &&
			    memcmp(s->text + keys[i].at, s->text + start, keys[i].len) == 0)
				return false;
		}
		count++;
		space(s);
		if (!take(s, ':') || !value(s))
			return false;
	} while (take(s, ','));
	return take(s, '}');
}

static bool value(struct scan *s)
{
	bool good = false;
	space(s);
	if (s->at >= s->len || s->depth == DEPTH)
		return false;
	s->depth++;
	switch (s->text[s->at]) {
	case '{':
		good = object(s);
		break;
	case '[':
		good = array(s);
		break;
	case '"':
		good = string(s);
		break;
	case 't':
		good = word(s, "true");
		break;
	case 'f':
		good = word(s, "false");
		break;
	case 'n':
		good = word(s, "null");
		break;
	default:
		good = number(s);
		break;
	}
	s->depth--;
	space(s);
	return good;
}

long json_check(const char *text, size_t len)
{
	struct scan s = {.text = text, .len = len};
	return value(&s) ? (long)s.at : -1 - (long)s.at;
}
