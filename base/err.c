#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct {
	const char *name;
	const char *text;
} rows[ERR_COUNT] = {
#define ERR_ROW(code, name, text) [code] = {name, text},
    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

const char *err_text(enum err code)
{
	return (unsigned)code < ERR_COUNT ? rows[code].text : "unknown error";
}

const char *err_name(enum err code)
{
	return (unsigned)code < ERR_COUNT ? rows[code].name : "unknown";
}

enum err err_set(struct err_info *info, enum err code, const char *format, ...)
{
	/* Formatted aside: the arguments may point into `info`, when a caller adds context to a message.
	 * A few bytes longer, so that the escaping sees a character whole that does not fit. */
	char text[ERR_TEXT_BYTES + 4];
	va_list args;
	if (info == NULL)
		return code;
	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text_copy(text, sizeof(text), err_text(code));
	va_end(args);
	info->code = code;
	/* Names, paths and texts in it may be another host's. What is escaped already stays as it is. */
	text_escape(info->text, sizeof(info->text), text, strlen(text));
	return code;
}
