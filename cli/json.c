#include "cli/json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

/* UTF-16: beyond the basic plane a pair of surrogates. */
static void put_units(FILE *f, uint32_t c)
{
	if (c < 0x10000)
		fprintf(f, "\\u%04" PRIx32, c);
	else
		fprintf(f, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + ((c - 0x10000) >> 10),
			0xdc00 + ((c - 0x10000) & 0x3ff));
}

static void put_text(FILE *f, const char *text, size_t len)
{
	fputc('"', f);
	for (size_t i = 0; i < len;) {
		/* Nearly all text is plain: written as long as it lasts. */
		size_t plain = i;
		while (plain < len && text[plain] >= 0x20 && text[plain] < 0x7f && text[plain] != '"' &&
		       text[plain] != '\\')
			plain++;
		fwrite(text + i, 1, plain - i, f);
		i = plain;
		if (i == len)
			break;
		uint32_t c = 0;
		size_t taken = text_utf8(text + i, len - i, &c);
		if (taken == 0) {
			fputs("\\ufffd", f);
			taken = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(f, "\\%c", (int)c);
		} else if (c == '\n') {
			fputs("\\n", f);
		} else if (c == '\t') {
			fputs("\\t", f);
		} else if (text_is_unsafe(c)) {
			put_units(f, c);
		} else {
			fwrite(text + i, 1, taken, f);
		}
		i += taken;
	}
	fputc('"', f);
}

static void put_key(struct json *j, const char *key)
{
	if (j->filled[j->depth])
		fputs(", ", j->f);
	j->filled[j->depth] = true;
	if (key != NULL) {
		put_text(j->f, key, strlen(key));
		fputs(": ", j->f);
	}
}

static void begin(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	CHECK(j->depth < JSON_DEPTH);
	fputc(bracket, j->f);
	j->filled[++j->depth] = false;
}

static void end(struct json *j, char bracket)
{
	CHECK(j->depth > 0);
	j->depth--;
	fputc(bracket, j->f);
}

void json_begin_object(struct json *j, const char *key)
{
	begin(j, key, '{');
}

void json_end_object(struct json *j)
{
	end(j, '}');
}

void json_begin_array(struct json *j, const char *key)
{
	begin(j, key, '[');
}

void json_end_array(struct json *j)
{
	end(j, ']');
}

void json_new_line(struct json *j)
{
	fputs(j->filled[j->depth] ? ",\n" : "\n", j->f);
	j->filled[j->depth] = false;
}

void json_null(struct json *j, const char *key)
{
	put_key(j, key);
	fputs("null", j->f);
}

void json_bool(struct json *j, const char *key, bool v)
{
	put_key(j, key);
	fputs(v ? "true" : "false", j->f);
}

void json_i64(struct json *j, const char *key, int64_t v)
{
	put_key(j, key);
	fprintf(j->f, "%" PRId64, v);
}

void json_u64(struct json *j, const char *key, uint64_t v)
{
	put_key(j, key);
	fprintf(j->f, "%" PRIu64, v);
}

void json_real(struct json *j, const char *key, double v)
{
	put_key(j, key);
	if (isfinite(v))
		fprintf(j->f, "%.15g", v);
	else
		fputs("null", j->f);
}

void json_text(struct json *j, const char *key, const char *text, size_t len)
{
	put_key(j, key);
	put_text(j->f, text, len);
}

void json_string(struct json *j, const char *key, const char *text)
{
	if (text == NULL)
		json_null(j, key);
	else
		json_text(j, key, text, strlen(text));
}
