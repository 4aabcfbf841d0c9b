#include "cli/sentence.h"

#include <stdarg.h>
#include <stdio.h>

void sentence_add(struct sentence *s, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(s->text + s->len, sizeof(s->text) - s->len, format, args);
	va_end(args);
	s->len += n > 0 ? (size_t)n : 0;
	if (s->len >= sizeof(s->text))
		s->len = sizeof(s->text) - 1;
}
