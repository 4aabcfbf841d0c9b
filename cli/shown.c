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
	/* Civil date from a count of days (proleptic Gregorian calendar, years from 1 March): a day is one
	 * everywhere, so no time zone comes in. */
	if (day > SHOWN_LAST_DAY) {
		snprintf(ret, SHOWN_BYTES, "day %" PRIu64, day);
		return;
	}
	uint64_t z = day + 719468, era = z / 146097, doe = z - era * 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint64_t month = mp < 10 ? mp + 3 : mp - 9;
	snprintf(ret, SHOWN_BYTES, "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64, yoe + era * 400 + (month <= 2),
		 month, doy - (153 * mp + 2) / 5 + 1);
}

bool shown_day_parse(const char *text, wall_day *ret)
{
	char shown[SHOWN_BYTES];
	uint32_t low = 0, high = SHOWN_LAST_DAY;
	if (strlen(text) != 10)
		return false;
	/* Dates of one length sort as their texts do. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		shown_day(middle, shown);
		if (strcmp(shown, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	shown_day(low, shown);
	if (strcmp(shown, text) != 0)
		return false;
	*ret = low;
	return true;
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
