#include "cli/hours.h"

#include <ctype.h>
#include <string.h>

#include "os/terminal.h"

#define DAY_MINUTES 1440
#define DAYS        7

/* --- reading --- */

static bool letter_is(char c, char lower)
{
	return c == lower || c == lower - 'a' + 'A';
}

/* "Mo", "Mon", "Monday". */
static bool read_day(const char **at, unsigned *ret)
{
	static const char *const names[DAYS] = {"monday", "tuesday",  "wednesday", "thursday",
						"friday", "saturday", "sunday"};
	for (unsigned day = 0; day < DAYS; day++) {
		size_t len = 0;
		while (names[day][len] != '\0' && letter_is((*at)[len], names[day][len]))
			len++;
		if (len < 2 || isalpha((unsigned char)(*at)[len]))
			continue;
		*at += len;
		*ret = day;
		return true;
	}
	return false;
}

static void skip(const char **at)
{
	while (**at == ' ')
		(*at)++;
}

static bool take(const char **at, char c)
{
	skip(at);
	bool there = **at == c;
	*at += there;
	return there;
}

/* Bit by day; false where there is a word that is none. */
static bool read_days(const char **at, unsigned *ret)
{
	unsigned first, last;
	*ret = 0;
	do {
		const char *before = *at;
		skip(at);
		if (!read_day(at, &first)) {
			*at = before;
			return *ret == 0 && !isalpha((unsigned char)**at);
		}
		last = first;
		if (take(at, '-')) {
			skip(at);
			if (!read_day(at, &last))
				return false;
		}
		for (unsigned day = first;; day = (day + 1) % DAYS) {
			*ret |= 1u << day;
			if (day == last)
				break;
		}
	} while (take(at, ','));
	return true;
}

/* "8", "08", "08:00", "8.30". */
static bool read_time(const char **at, unsigned *ret)
{
	unsigned hour = 0, minute = 0, digits = 0;
	skip(at);
	for (; isdigit((unsigned char)**at) && digits < 2; digits++)
		hour = 10 * hour + (unsigned)(*(*at)++ - '0');
	if (digits == 0)
		return false;
	if (**at == ':' || **at == '.') {
		const char *m = *at + 1;
		if (!isdigit((unsigned char)m[0]) || !isdigit((unsigned char)m[1]))
			return false;
		minute = (unsigned)(m[0] - '0') * 10 + (unsigned)(m[1] - '0');
		*at += 3;
	}
	*ret = 60 * hour + minute;
	return minute < 60 && *ret <= DAY_MINUTES;
}

static bool add_span(struct hours_day *day, unsigned from, unsigned to)
{
	if (day->count == HOURS_SPANS)
		return false;
	day->spans[day->count].from = (uint16_t)from;
	day->spans[day->count++].to = (uint16_t)to;
	return true;
}

static bool add_spans(struct hours *h, unsigned days, unsigned from, unsigned to)
{
	bool good = from != to;
	for (unsigned day = 0; day < DAYS && good; day++) {
		if ((days & 1u << day) == 0)
			continue;
		good = add_span(&h->days[day], from, to > from ? to : DAY_MINUTES);
		if (good && to < from && to > 0)
			good = add_span(&h->days[(day + 1) % DAYS], 0, to);
	}
	return good;
}

static bool read_closed(const char **at)
{
	static const char *const words[] = {"closed", "off"};
	skip(at);
	for (unsigned i = 0; i < 2; i++) {
		size_t len = strlen(words[i]);
		if (strncmp(*at, words[i], len) == 0) {
			*at += len;
			return true;
		}
	}
	return false;
}

static bool read_rule(const char **at, unsigned *days, struct hours *h)
{
	unsigned named, from, to;
	if (read_closed(at))
		return true;
	if (!read_days(at, &named))
		return false;
	/* "Mo-Fr 08:00-12:00, 13:00-17:00": the days stay. */
	*days = named != 0 ? named : *days;
	(void)take(at, ':');
	if (read_closed(at))
		return true;
	do {
		const char *before = *at;
		if (!read_time(at, &from)) {
			*at = before;
			return false;
		}
		if (!take(at, '-') || !read_time(at, &to))
			return false;
		if (!add_spans(h, *days, from, to))
			return false;
		before = *at;
		/* What follows a comma may be the next days. */
		if (!take(at, ','))
			break;
		skip(at);
		if (!isdigit((unsigned char)**at)) {
			*at = before;
			break;
		}
	} while (true);
	return true;
}

bool hours_parse(const char *text, struct hours *ret)
{
	struct hours h = {0};
	unsigned days = (1u << DAYS) - 1;
	const char *at = text;
	skip(&at);
	if (strncmp(at, "24/7", 4) == 0) {
		at += 4;
		(void)add_spans(&h, days, 0, DAY_MINUTES);
	} else {
		do {
			if (!read_rule(&at, &days, &h))
				return false;
		} while (take(&at, ';') || take(&at, ','));
	}
	skip(&at);
	if (*at != '\0')
		return false;
	*ret = h;
	return true;
}

/* --- asking --- */

wall_ms hours_open(const struct hours *h, wall_ms t)
{
	uint64_t local = (uint64_t)((int64_t)(t / CLOCK_SECOND_MS) + os_time_offset_s(t));
	wall_day today = (wall_day)(local / 86400);
	unsigned minute = (unsigned)(local % 86400 / 60);
	for (unsigned ahead = 0; ahead <= DAYS; ahead++) {
		/* 1970-01-01 was a Thursday. */
		const struct hours_day *day = &h->days[(today + ahead + 3) % DAYS];
		unsigned best = DAY_MINUTES;
		for (unsigned i = 0; i < day->count; i++) {
			if (ahead == 0 && day->spans[i].from <= minute && minute < day->spans[i].to)
				return t;
			if ((ahead > 0 || day->spans[i].from > minute) && day->spans[i].from < best)
				best = day->spans[i].from;
		}
		wall_ms opens;
		if (best < DAY_MINUTES && os_time_local(today + ahead, 60 * best, &opens))
			return opens;
	}
	return 0;
}
