#include "tests/estate/times.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Days since 1970 of a date of the proleptic Gregorian calendar, years from 1 March. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, yoe = y - era * 400,
		doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

/* Whether `text` is one of what may follow a time. */
static bool ends(const char *text)
{
	return strcmp(text, "") == 0 || strcmp(text, "Z") == 0;
}

static bool clock_time(const char *text, uint64_t *ret_s)
{
	int hour, minute, second = 0, n = 0, more = 0;
	if (sscanf(text, "%2d:%2d%n", &hour, &minute, &n) != 2 || n == 0)
		return false;
	if (text[n] == ':' && (sscanf(text + n, ":%2d%n", &second, &more) != 1 || more == 0))
		return false;
	if (!ends(text + n + more) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
	    second > 59)
		return false;
	*ret_s = (uint64_t)(hour * 3600 + minute * 60 + second);
	return true;
}

bool times_parse(const char *text, wall_ms day, wall_ms *ret)
{
	uint64_t number, s;
	int year, month, date, n = 0;
	if (text_u64(text, 0, INT64_MAX, &number)) {
		*ret = number;
		return true;
	}
	if (clock_time(text, &s)) {
		*ret = clock_day(day) * CLOCK_DAY_MS + s * CLOCK_SECOND_MS;
		return true;
	}
	if (sscanf(text, "%4d-%2d-%2dT%n", &year, &month, &date, &n) != 3 || n == 0 || year < 1970 ||
	    month < 1 || month > 12 || date < 1 || date > 31 || !clock_time(text + n, &s))
		return false;
	*ret = (wall_ms)days_of(year, month, date) * CLOCK_DAY_MS + s * CLOCK_SECOND_MS;
	return true;
}
