#include "store/fates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/statistics.h"
#include "store/crash_time.h"
#include "store/suspects_private.h"

#define DAY_MS     (24 * 3600 * CLOCK_SECOND_MS)
#define SPAN_MS    (7 * DAY_MS)                /* how rare vanishing is, is measured over so long at least */
#define WAVE_MS    (15 * 60 * CLOCK_SECOND_MS) /* before and after */
#define WAVE_MIN   5
#define CHANGED_MS (2 * 3600 * CLOCK_SECOND_MS)
#define SOON_MS    (15 * 60 * CLOCK_SECOND_MS)
#define SOON_MIN   3
#define SLACK_MS                                                                                             \
	(60 * CLOCK_SECOND_MS) /* the host's clock, and how long witnesses ask before they say it            \
				*/
#define SHRANK_MS   (2 * 3600 * CLOCK_SECOND_MS)
#define EVENT_ENTRY 0
#define EVENT_TIME  8
#define EVENT_OP    16

const char *fates_name(enum host_fate fate)
{
	static const char *const names[] = {
#define FATE_NAME(symbol, name) name,
	    FATE_TABLE(FATE_NAME)
#undef FATE_NAME
	};
	return names[fate];
}

struct loading {
	struct query *q;
	struct fates *f;
	struct suspects_host *hosts; /* beside f->list */
};

/* A change of a host soon before it vanished. */
struct soon {
	uint64_t entry;
	wall_ms at;
	struct fate *fate;
};

/* --- who is down --- */

static bool has_say(const struct roster_host *host)
{
	return host->standing <= STANDING_GRACE;
}

static bool is_down(const struct roster_host *host)
{
	return host != NULL && has_say(host) && (host->status == HOST_DARK || host->status == HOST_SILENT);
}

static enum err take_host(struct loading *l, const struct roster_host *host)
{
	struct suspects_host *h = &l->hosts[l->f->count];
	struct fate *fate = &l->f->list[l->f->count++];
	struct column_row state;
	enum err err = columns_row(&l->q->columns, GROUP_STATE, host->number, &state);
	wall_ms since = err == ERR_OK && state.block != NULL ? column_row_u64(state, C_STATE_SINCE) : 0;
	bool silent = host->status == HOST_SILENT;
	*h = (struct suspects_host){.number = host->number,
				    .site = host->site,
				    .class = SUSPECTS_FAILED,
				    .silent = silent,
				    .at = since};
	*fate = (struct fate){.number = host->number, .site = host->site, .silent = silent, .since = since};
	return err;
}

static enum err take_hosts(struct loading *l)
{
	struct query *q = l->q;
	size_t down = 0;
	enum err err = roster_load(q);
	if (err == ERR_OK)
		err = roster_sites(q);
	if (err != ERR_OK)
		return err;
	for (uint32_t n = 0; n < q->roster.end; n++)
		down += is_down(roster_at(&q->roster, n));
	l->f->list = calloc(down + 1, sizeof(*l->f->list));
	l->hosts = calloc(down + 1, sizeof(*l->hosts));
	if (l->f->list == NULL || l->hosts == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&q->roster, n);
		if (is_down(host))
			err = take_host(l, host);
	}
	return err;
}

/* --- all at once --- */

static enum err find_cuts(struct loading *l)
{
	struct suspects found = {0};
	struct suspects_options options = {.since = UINT64_MAX};
	struct suspects_engine e = {.q = l->q,
				    .options = &options,
				    .ret = &found,
				    .hosts = l->hosts,
				    .host_count = l->f->count,
				    .only_down = true,
				    .any_partly = true};
	for (size_t i = 0; i < l->f->count; i++) {
		wall_ms since = l->f->list[i].since;
		options.since = since < options.since ? since : options.since;
		options.until = since > options.until ? since : options.until;
	}
	if (options.until < SPAN_MS || options.since > options.until - SPAN_MS)
		options.since = options.until > SPAN_MS ? options.until - SPAN_MS : 0;
	enum err err = l->f->count > 0 ? suspects_sites(&e) : ERR_OK;
	for (size_t i = 0; i < l->f->count && err == ERR_OK; i++) {
		if (l->hosts[i].class != SUSPECTS_SEPARATE)
			continue;
		struct fate *fate = &l->f->list[i];
		fate->fate = HOST_FATE_POWER;
		fate->reason = FATE_AT_ONCE;
		for (size_t k = 0; k < e.cut_count; k++) {
			if (e.cuts[k].site == fate->site)
				fate->others = (uint32_t)e.cuts[k].hosts - 1;
		}
	}
	free(e.cuts);
	return err;
}

/* --- one by one --- */

static int by_time(const void *a, const void *b)
{
	wall_ms x = *(const wall_ms *)a, y = *(const wall_ms *)b;
	return (x > y) - (x < y);
}

/* So many within the width of a wave are no chance, whenever it is. */
static size_t wave_least(size_t count, wall_ms span)
{
	double chance = 2.0 * WAVE_MS / (double)span;
	size_t least = WAVE_MIN;
	while (least < count &&
	       statistics_binomial(count, least, chance) + log((double)count) > SUSPECTS_LN_ALPHA)
		least++;
	return least;
}

static enum err find_waves(struct fates *f)
{
	wall_ms *times = malloc((f->count + 1) * sizeof(*times));
	size_t count = 0, first = 0, end = 0;
	if (times == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < f->count; i++) {
		if (f->list[i].reason == FATE_NO_REASON)
			times[count++] = f->list[i].since;
	}
	qsort(times, count, sizeof(*times), by_time);
	wall_ms span = count > 0 ? times[count - 1] - times[0] : 0;
	size_t least = wave_least(count, span > SPAN_MS ? span : SPAN_MS);
	uint32_t *around = calloc(count + 1, sizeof(*around));
	for (size_t i = 0; i < count && around != NULL; i++) {
		while (times[first] + WAVE_MS < times[i])
			first++;
		while (end < count && times[end] <= times[i] + WAVE_MS)
			end++;
		around[i] = (uint32_t)(end - first);
	}
	for (size_t i = 0; i < f->count && around != NULL; i++) {
		struct fate *fate = &f->list[i];
		if (fate->reason != FATE_NO_REASON)
			continue;
		const wall_ms *at = bsearch(&fate->since, times, count, sizeof(*times), by_time);
		uint32_t there = around[at - times];
		if (there < least)
			continue;
		fate->fate = HOST_FATE_CRASH;
		fate->reason = FATE_WAVE;
		fate->others = there - 1;
	}
	free(times);
	enum err err = around != NULL ? ERR_OK : ERR_NOMEM;
	free(around);
	return err;
}

/* --- its last words --- */

static enum err look_at_crashes(struct query *q, struct fate *fate)
{
	struct column_row row;
	size_t len = 0;
	enum err err = columns_row(&q->columns, GROUP_CRASHES, fate->number, &row);
	const uint8_t *events =
	    err == ERR_OK && row.block != NULL ? column_row_bytes(row, C_CRASHES_EVENTS, &len) : NULL;
	uint32_t told = 0;
	for (size_t at = 0; events != NULL && at + CRASH_EVENT_HEAD <= len;) {
		wall_ms time = column_le(events + at, 8) * 1000;
		told += crash_takes_down(events[at + 8]) && time + DAY_MS > fate->since &&
			time <= fate->since + SLACK_MS;
		at += CRASH_EVENT_HEAD + (size_t)events[at + 9];
	}
	if (told > 0) {
		fate->fate = HOST_FATE_CRASH;
		fate->reason = FATE_TOLD;
		fate->others = told;
	}
	return err;
}

static enum err look_at_changes(struct query *q, struct fate *fate, struct soon *soon, size_t *count)
{
	struct column_row row;
	size_t len = 0;
	enum err err = columns_row(&q->columns, GROUP_CHANGES, fate->number, &row);
	const uint8_t *events =
	    err == ERR_OK && row.block != NULL ? column_row_bytes(row, C_CHANGES_EVENTS, &len) : NULL;
	for (size_t at = 0; events != NULL && at + COLUMN_CHANGE_BYTES <= len; at += COLUMN_CHANGE_BYTES) {
		wall_ms time = column_le(events + at + EVENT_TIME, 8) * 1000;
		uint8_t op = events[at + EVENT_OP];
		bool arrived = op == CHANGE_ADDED || op == CHANGE_LOADED;
		if (!arrived || time > fate->since + SLACK_MS || time + CHANGED_MS < fate->since)
			continue;
		uint64_t entry = column_le(events + at + EVENT_ENTRY, 8);
		if (time > fate->changed) {
			fate->changed = time;
			fate->entry = entry;
		}
		if (time + SOON_MS >= fate->since)
			soon[(*count)++] = (struct soon){entry, time, fate};
	}
	return err;
}

static int by_entry(const void *a, const void *b)
{
	const struct soon *x = a, *y = b;
	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return (x->fate > y->fate) - (x->fate < y->fate);
}

/* The change that most of those had that vanished soon after. */
static void blame_changes(struct soon *soon, size_t count)
{
	qsort(soon, count, sizeof(*soon), by_entry);
	for (size_t first = 0, end; first < count; first = end) {
		uint32_t hosts = 0;
		for (end = first; end < count && soon[end].entry == soon[first].entry; end++)
			hosts += end == first || soon[end].fate != soon[end - 1].fate;
		for (size_t i = first; i < end && hosts >= SOON_MIN; i++) {
			struct fate *fate = soon[i].fate;
			bool better = fate->reason == FATE_CHANGE && fate->others < hosts - 1;
			if (fate->reason != FATE_NO_REASON && fate->reason != FATE_WAVE && !better)
				continue;
			fate->fate = HOST_FATE_CRASH;
			fate->reason = FATE_CHANGE;
			fate->others = hosts - 1;
			fate->changed = soon[i].at;
			fate->entry = soon[i].entry;
		}
	}
}

static enum err find_last_words(struct query *q, struct fates *f)
{
	struct soon *soon = malloc((f->count + 1) * LIMIT_CHANGES * sizeof(*soon));
	size_t count = 0;
	enum err err = soon != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = 0; i < f->count && err == ERR_OK; i++) {
		struct fate *fate = &f->list[i];
		if (fate->reason == FATE_AT_ONCE || fate->reason == FATE_WITH_SITE)
			continue;
		size_t room = count + LIMIT_CHANGES;
		if (room > (f->count + 1) * LIMIT_CHANGES)
			break;
		err = look_at_changes(q, fate, soon, &count);
		if (err == ERR_OK)
			err = look_at_crashes(q, fate);
	}
	if (err == ERR_OK)
		blame_changes(soon, count);
	free(soon);
	return err;
}

/* --- whole sites --- */

struct site_end {
	uint32_t silent, dark; /* hosts; dark: within SHRANK_MS before it fell silent */
	wall_ms since;
};

static enum err find_sites(struct loading *l)
{
	struct fates *f = l->f;
	struct site_end *ends = calloc(l->q->roster.site_total + 1, sizeof(*ends));
	if (ends == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < f->count; i++) {
		struct site_end *end = &ends[f->list[i].site];
		end->silent += f->list[i].silent;
		end->since = f->list[i].silent ? f->list[i].since : end->since;
	}
	for (size_t i = 0; i < f->count; i++) {
		struct site_end *end = &ends[f->list[i].site];
		end->dark += !f->list[i].silent && f->list[i].reason != FATE_AT_ONCE &&
			     f->list[i].since + SHRANK_MS >= end->since;
	}
	for (size_t i = 0; i < f->count; i++) {
		struct fate *fate = &f->list[i];
		const struct site_end *end = &ends[fate->site];
		if (!fate->silent || fate->reason != FATE_NO_REASON)
			continue;
		bool shrank = end->dark >= end->silent;
		if (!shrank && end->silent < 2) /* it was alone: nobody could tell */
			continue;
		fate->fate = shrank ? HOST_FATE_CRASH : HOST_FATE_POWER;
		fate->reason = shrank ? FATE_SHRUNK : FATE_WITH_SITE;
		fate->others = shrank ? end->dark : end->silent - 1;
	}
	free(ends);
	return ERR_OK;
}

/* --- all of it --- */

enum err fates_load(struct query *q, const struct fates **ret)
{
	*ret = q->fates;
	if (q->fates != NULL)
		return ERR_OK;
	struct loading l = {.q = q, .f = calloc(1, sizeof(*l.f))};
	enum err err = l.f != NULL ? take_hosts(&l) : ERR_NOMEM;
	if (err == ERR_OK)
		err = find_cuts(&l);
	if (err == ERR_OK)
		err = find_sites(&l);
	if (err == ERR_OK)
		err = find_waves(l.f);
	if (err == ERR_OK)
		err = find_last_words(q, l.f);
	free(l.hosts);
	if (err != ERR_OK) {
		fates_free(l.f);
		return err;
	}
	*ret = q->fates = l.f;
	return ERR_OK;
}

void fates_free(struct fates *f)
{
	if (f != NULL)
		free(f->list);
	free(f);
}

static int by_number(const void *a, const void *b)
{
	const struct fate *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

const struct fate *fates_find(const struct fates *f, uint32_t number)
{
	const struct fate key = {.number = number};
	return f != NULL && f->count > 0 ? bsearch(&key, f->list, f->count, sizeof(key), by_number) : NULL;
}

enum host_fate fates_of(const struct fates *f, const struct roster_host *host)
{
	static const uint8_t by_status[] = {[HOST_UP] = HOST_FATE_UP,
					    [HOST_STOPPED] = HOST_FATE_STOPPED,
					    [HOST_ASLEEP] = HOST_FATE_ASLEEP,
					    [HOST_LEFT] = HOST_FATE_LEFT,
					    [HOST_REPLACED] = HOST_FATE_REPLACED};
	if (host->status != HOST_DARK && host->status != HOST_SILENT)
		return host->status < sizeof(by_status) ? (enum host_fate)by_status[host->status]
							: HOST_FATE_UNKNOWN;
	const struct fate *fate = fates_find(f, host->number);
	return fate != NULL ? (enum host_fate)fate->fate : HOST_FATE_UNKNOWN;
}

const struct fate *fates_site(const struct fates *f, uint32_t site)
{
	size_t counts[HOST_FATE_REPLACED + 1] = {0};
	const struct fate *first[HOST_FATE_REPLACED + 1] = {NULL}, *most = NULL;
	for (size_t i = 0; i < f->count; i++) {
		const struct fate *fate = &f->list[i];
		if (fate->site != site || !fate->silent)
			continue;
		if (counts[fate->fate]++ == 0)
			first[fate->fate] = fate;
		if (most == NULL || counts[fate->fate] > counts[most->fate])
			most = first[fate->fate];
	}
	return most;
}

void fates_verdict(const struct fate *fate, char *text, size_t size)
{
	unsigned n = fate->others;
	const char *s = n == 1 ? "" : "s";
	switch ((enum fate_reason)fate->reason) {
	case FATE_AT_ONCE:
		snprintf(text, size, "likely power or link, all at once with %u host%s of its site", n, s);
		break;
	case FATE_WITH_SITE:
		snprintf(text, size, "likely power or link, its site fell silent with %u more host%s at once",
			 n, s);
		break;
	case FATE_SHRUNK:
		snprintf(text, size, "likely crash, %u host%s of its site vanished one by one before", n, s);
		break;
	case FATE_TOLD:
		snprintf(text, size, "likely crash, it told of %u within a day before", n);
		break;
	case FATE_CHANGE:
		snprintf(text, size, "likely crash, %u more host%s vanished minutes after the same change", n,
			 s);
		break;
	case FATE_WAVE:
		snprintf(text, size, "likely crash, %u more host%s vanished one by one around then", n, s);
		break;
	case FATE_NO_REASON:
		snprintf(text, size, "nothing tells why");
		break;
	}
}
