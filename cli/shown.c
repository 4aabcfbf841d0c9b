#include "cli/shown.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "os/terminal.h"

#define LINE_COLUMNS 79

void shown_age(uint64_t seconds, char ret[SHOWN_BYTES])
{
	if (seconds < 120)
		snprintf(ret, SHOWN_BYTES, "%" PRIu64 " s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(ret, SHOWN_BYTES, "%" PRIu64 " min", seconds / 60);
	else if (seconds < 2 * 86400)
		snprintf(ret, SHOWN_BYTES, "%" PRIu64 " h", seconds / 3600);
	else
		snprintf(ret, SHOWN_BYTES, "%" PRIu64 " d", seconds / 86400);
}

void shown_time(wall_ms t, wall_ms now, char ret[SHOWN_BYTES])
{
	/* "2026-11-23 09:40:07 +01:00" */
	enum { DATE = 10, MINUTE = 16, SECOND = 19 };
	char then[32], today[32];
	os_time_text(t, then);
	os_time_text(now, today);
	size_t len = strlen(then);
	if (t == 0 || len < SECOND)
		snprintf(ret, SHOWN_BYTES, "%s", then);
	else if (memcmp(then, today, DATE) == 0)
		snprintf(ret, SHOWN_BYTES, "%.*s", SECOND - DATE - 1, then + DATE + 1);
	else
		snprintf(ret, SHOWN_BYTES, "%.*s", MINUTE, then);
}

void shown_day(uint64_t day, char ret[SHOWN_BYTES])
{
	char time[32];
	/* Noon, so that no time zone moves it to another date. */
	wall_ms noon = day < UINT32_MAX ? day * CLOCK_DAY_MS + CLOCK_DAY_MS / 2 : UINT64_MAX;
	os_time_text(noon, time);
	snprintf(ret, SHOWN_BYTES, "%.*s", day < UINT32_MAX ? 10 : 31, time);
}

void shown_bytes(uint64_t bytes, char ret[SHOWN_BYTES])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;
	while (bytes >= 10 * 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	snprintf(ret, SHOWN_BYTES, "%" PRIu64 " %s", bytes, units[unit]);
}

uint64_t shown_seconds(wall_ms t, wall_ms now)
{
	return now > t ? (now - t) / CLOCK_SECOND_MS : 0;
}

const char *shown_plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void shown_fill(FILE *f, const char *text, size_t indent, size_t at)
{
	while (*text != '\0') {
		if (text[0] == '\n' && text[1] == '\n') {
			fprintf(f, "\n\n%*s", (int)indent, "");
			at = indent;
			text += 2;
			continue;
		}
		size_t word = strcspn(text, " \n");
		size_t gap = at > indent ? 1 : 0;
		if (at > indent && at + gap + word > LINE_COLUMNS) {
			fprintf(f, "\n%*s", (int)indent, "");
			at = indent;
			gap = 0;
		}
		fprintf(f, "%*s%.*s", (int)gap, "", (int)word, text);
		at += gap + word;
		text += word;
		if (*text == ' ' || (*text == '\n' && text[1] != '\n'))
			text++;
	}
	fputc('\n', f);
}
