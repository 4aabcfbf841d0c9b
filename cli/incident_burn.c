/* How fast hosts come back, and when that may be done. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/incident.h"
#include "cli/shown.h"

#define HOUR_MS      (60 * CLOCK_MINUTE_MS)
#define LATELY       4 /* the last of so many parts of the time since the first came back */
#define LEAST        3 /* returns on which a rate is based */
#define CHART_ROWS   10
#define CHART_COLUMN 2 /* columns of text a point */

static uint64_t count_until(const struct incident_work *w, wall_ms at,
			    wall_ms (*when)(const struct incident_host *))
{
	uint64_t ret = 0;
	for (size_t i = 0; i < w->listed; i++) {
		wall_ms t = when(&w->hosts[i]);
		ret += t != 0 && t <= at;
	}
	return ret;
}

static wall_ms when_back(const struct incident_host *h)
{
	return h->state == INCIDENT_BACK ? h->back : 0;
}

static wall_ms when_done(const struct incident_host *h)
{
	return h->done_at;
}

/* Of one that nobody saw go down: since ever. */
static wall_ms when_hit(const struct incident_host *h)
{
	return h->hit != 0 ? h->hit : 1;
}

static wall_ms first_of(const struct incident_work *w, wall_ms (*when)(const struct incident_host *),
			wall_ms none)
{
	wall_ms ret = none;
	for (size_t i = 0; i < w->listed; i++) {
		wall_ms t = when(&w->hosts[i]);
		if (t > 1 && t < ret)
			ret = t;
	}
	return ret;
}

/* Returns an hour, from `count` in `span`: what count itself may be by chance, one standard deviation each
 * way of its root (Anscombe). */
static void rate_range(uint64_t count, wall_ms span, double *low, double *high)
{
	double hours = (double)span / HOUR_MS, root = sqrt((double)count);
	double least = root > 1 ? (root - 1) * (root - 1) : 0, most = (root + 1) * (root + 1);
	if (hours <= 0)
		return;
	if (least / hours < *low)
		*low = least / hours;
	if (most / hours > *high)
		*high = most / hours;
}

static void forecast(const struct incident_work *w, wall_ms end, struct burn *b)
{
	uint64_t back = incident_count(w, INCIDENT_BACK), target = (w->listed * BURN_SHARE + 99) / 100;
	wall_ms first = first_of(w, when_back, end), span = end > first ? end - first : 0;
	double low = INFINITY, high = 0;
	if (w->listed == 0)
		return;
	if (back >= target) {
		b->forecast = BURN_REACHED;
		/* The moment when the last one that it takes came. */
		for (size_t i = 0; i < w->listed; i++) {
			wall_ms t = when_back(&w->hosts[i]);
			if (t != 0 && count_until(w, t, when_back) >= target && (b->low == 0 || t < b->low))
				b->low = t;
		}
		return;
	}
	uint64_t lately = back - count_until(w, end - span / LATELY, when_back);
	if (back < LEAST || span < CLOCK_MINUTE_MS)
		return;
	b->rate = (double)lately / ((double)(span / LATELY) / HOUR_MS);
	rate_range(back, span, &low, &high);
	rate_range(lately, span / LATELY, &low, &high);
	double left = (double)(target - back);
	b->forecast = BURN_RANGE;
	b->low = end + (wall_ms)(left / high * HOUR_MS);
	b->high_known = low > 0 && left / low < 24 * 365;
	if (b->high_known)
		b->high = end + (wall_ms)(left / low * HOUR_MS);
}

void incident_burn_compute(const struct incident_work *w, struct burn *ret)
{
	wall_ms end =
	    w->head.open || w->head.closed == 0 || w->head.closed > w->now ? w->now : w->head.closed;
	wall_ms begin = first_of(w, when_hit, w->head.opened != 0 ? w->head.opened : end);
	*ret = (struct burn){.forecast = BURN_UNKNOWN};
	if (begin > end)
		begin = end;
	ret->count = w->listed > 0 ? BURN_POINTS : 0;
	for (size_t i = 0; i < ret->count; i++) {
		wall_ms at = begin + (end - begin) * (i + 1) / BURN_POINTS;
		ret->points[i] =
		    (struct burn_point){at, count_until(w, at, when_hit), count_until(w, at, when_back),
					count_until(w, at, when_done)};
	}
	forecast(w, end, ret);
}

/* "#" hosts still to come back, "." proven back; a column for each point in time. */
void incident_burn_chart(FILE *f, const struct burn *b, wall_ms now)
{
	uint64_t most = 1;
	char from[SHOWN_BYTES], to[SHOWN_BYTES];
	if (b->count == 0)
		return;
	for (size_t i = 0; i < b->count; i++)
		most = b->points[i].hit > most ? b->points[i].hit : most;
	for (unsigned row = CHART_ROWS; row > 0; row--) {
		if (row == CHART_ROWS)
			fprintf(f, "%8" PRIu64 " |", most);
		else
			fputs("         |", f);
		for (size_t i = 0; i < b->count; i++) {
			const struct burn_point *p = &b->points[i];
			uint64_t left = p->hit > p->back ? p->hit - p->back : 0;
			/* A host that is left shows, however many there are. */
			uint64_t floor = (row - 1) * most;
			char c = left * CHART_ROWS > floor ? '#' : p->hit * CHART_ROWS > floor ? '.' : ' ';
			fprintf(f, "%c%c", c, c);
		}
		fputc('\n', f);
	}
	fputs("       0 +", f);
	for (size_t i = 0; i < b->count * CHART_COLUMN; i++)
		fputc('-', f);
	shown_time(b->points[0].at, now, from);
	shown_time(b->points[b->count - 1].at, now, to);
	fprintf(f, "\n          %-*s%s\n", (int)(b->count * CHART_COLUMN - strlen(to)), from, to);
	fputs("          # still to come back   . proven back, as is known now\n", f);
}

void incident_burn_words(const struct burn *b, wall_ms now, char *ret, size_t cap)
{
	char low[SHOWN_BYTES], high[SHOWN_BYTES];
	shown_time(b->low, now, low);
	shown_time(b->high, now, high);
	if (b->count == 0)
		snprintf(ret, cap, "Nothing is on the list");
	else if (b->forecast == BURN_REACHED)
		snprintf(ret, cap, "%d %% are proven back since %s", BURN_SHARE, low);
	else if (b->forecast == BURN_UNKNOWN)
		snprintf(ret, cap,
			 "When %d %% are back cannot be told yet: fewer than %d came back, or just now",
			 BURN_SHARE, LEAST);
	else if (b->high_known)
		snprintf(
		    ret, cap,
		    "%.1f hosts an hour come back lately; at such rates %d %% are back between %s and %s",
		    b->rate, BURN_SHARE, low, high);
	else
		snprintf(ret, cap,
			 "%.1f hosts an hour come back lately; %d %% are back at %s at best, and nobody can "
			 "say how "
			 "late",
			 b->rate, BURN_SHARE, low);
}
