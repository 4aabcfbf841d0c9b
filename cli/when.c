#include "cli/when.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"
#include "os/terminal.h"

#define DAY_SECONDS 86400u
#define TEXT_BYTES  48

/* Two digits, at most `max`; moves on. */
static bool two_digits(const char **at, uint32_t max, uint32_t *ret)
{
	const char *c = *at;
	if (c[0] < '0' || c[0] > '9' || c[1] < '0' || c[1] > '9')
		return false;
	*ret = (uint32_t)(c[0] - '0') * 10 + (uint32_t)(c[1] - '0');
	*at += 2;
	return *ret <= max;
}

/* "06:09" or "06:09:30"; moves on. */
static bool time_of_day(const char **at, uint32_t *ret_second)
{
	uint32_t hour, minute, second = 0;
	if (!two_digits(at, 23, &hour) || *(*at)++ != ':' || !two_digits(at, 59, &minute))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!two_digits(at, 59, &second))
			return false;
	}
	*ret_second = hour * 3600 + minute * 60 + second;
	return true;
}

/* "Z" or "+02:00", seconds east of UTC; moves on. */
static bool offset_of(const char **at, int32_t *ret)
{
	uint32_t hours = 0, minutes = 0;
	char sign = *(*at)++;
	if (sign == 'Z') {
		*ret = 0;
		return true;
	}
	if ((sign != '+' && sign != '-') || !two_digits(at, 14, &hours) || *(*at)++ != ':' ||
	    !two_digits(at, 59, &minutes))
		return false;
	*ret = (int32_t)(hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

static bool date_and_time(const char *text, wall_ms *ret)
{
	char date[11];
	const char *at = text + 10;
	wall_day day;
	uint32_t second = 0;
	int32_t offset;
	(void)text_copy(date, sizeof(date), text);
	if (strlen(text) < 10 || !shown_day_parse(date, &day))
		return false;
	if (*at == ' ' || *at == 'T') {
		at++;
		if (!time_of_day(&at, &second))
			return false;
		at += *at == ' ' && at[1] != '\0';
	}
	if (*at == '\0')
		return os_time_local(day, second, ret);
	if (!offset_of(&at, &offset) || *at != '\0')
		return false;
	int64_t utc = (int64_t)day * DAY_SECONDS + second - offset;
	*ret = utc > 0 ? (wall_ms)utc * CLOCK_SECOND_MS : 0;
	return utc > 0;
}

/* The day that local clocks show. */
static bool local_day(wall_ms t, wall_day *ret)
{
	char text[32];
	os_time_text(t, text);
	text[10] = '\0';
	return shown_day_parse(text, ret);
}

static bool last_time(const char *text, wall_ms now, wall_ms *ret)
{
	uint32_t second;
	wall_day today;
	const char *at = text;
	if (!time_of_day(&at, &second) || *at != '\0' || !local_day(now, &today) || today == 0)
		return false;
	return os_time_local(today, second, ret) && (*ret <= now || os_time_local(today - 1, second, ret));
}

static bool time_ago(const char *text, wall_ms now, wall_ms *ret)
{
	static const struct {
		char letter;
		uint32_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_SECONDS}};
	char digits[TEXT_BYTES];
	uint64_t count;
	size_t len = strlen(text);
	if (len == 0 || !text_copy(digits, sizeof(digits), text))
		return false;
	digits[len - 1] = '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (text[len - 1] != units[i].letter)
			continue;
		if (!text_u64(digits, 0, now / CLOCK_SECOND_MS / units[i].seconds, &count))
			return false;
		*ret = now - count * units[i].seconds * CLOCK_SECOND_MS;
		return true;
	}
	return false;
}

enum err when_parse(const char *text, wall_ms now, wall_ms *ret, struct err_info *info)
{
	wall_ms t = now;
	if (strcmp(text, "now") != 0 && !last_time(text, now, &t) && !date_and_time(text, &t) &&
	    !time_ago(text, now, &t))
		return err_set(info, ERR_USAGE, "\"%s\" is no time: write %s", text, WHEN_FORMS);
	*ret = t;
	return ERR_OK;
}

enum err when_window(const char *text, wall_ms now, wall_ms *ret_from, wall_ms *ret_to, struct err_info *info)
{
	char first[TEXT_BYTES] = "";
	const char *dots = strstr(text, "..");
	wall_ms from = 0, to = now;
	if (dots == NULL || (size_t)(dots - text) >= sizeof(first))
		return err_set(info, ERR_USAGE, "\"%s\" is no window: write FROM..TO, like 06:09..07:27",
			       text);
	memcpy(first, text, (size_t)(dots - text));
	enum err err = first[0] != '\0' ? when_parse(first, now, &from, info) : ERR_OK;
	if (err == ERR_OK && dots[2] != '\0')
		err = when_parse(dots + 2, now, &to, info);
	if (err == ERR_OK && from > to)
		return err_set(info, ERR_USAGE, "the window \"%s\" ends before it begins", text);
	if (err == ERR_OK) {
		*ret_from = from;
		*ret_to = to;
	}
	return err;
}
