#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define LINE_BYTES 1024

void log_line(const struct log *log, enum log_level level, const char *format, ...)
{
	char raw[LINE_BYTES];
	char line[LINE_BYTES];
	va_list args;
	if (log == NULL || log->write == NULL || level > log->level)
		return;
	va_start(args, format);
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		text_copy(raw, sizeof(raw), "(a log line that could not be formatted)");
	va_end(args);
	text_escape(line, sizeof(line), raw, strlen(raw));
	log->write(log->context, level, line);
}

const char *log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_ERROR:
		return "error";
	case LOG_WARN:
		return "warning";
	case LOG_INFO:
		return "info";
	case LOG_DEBUG:
		return "debug";
	}
	return "unknown";
}
