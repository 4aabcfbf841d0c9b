#include "tests/unit/history_oracle.h"

#include <string.h>

#include "base/check.h"

void oracle_begin(struct oracle *o, wall_ms noted, wall_ms known_until)
{
	CHECK(o->watch_count < ORACLE_WATCHES);
	/* Of a clock that was set back, what is ahead of it now is not said any more. */
	if (o->watch_count > 0)
		o->watches[o->watch_count - 1].end = known_until < noted ? known_until : noted;
	else
		o->begins = noted;
	struct oracle_watch *w = &o->watches[o->watch_count++];
	w->begin = noted;
	memcpy(w->first, o->status, sizeof(w->first));
}

void oracle_put(struct oracle *o, size_t host, int status, wall_ms since, wall_ms now)
{
	if (o->status[host] == status)
		return;
	CHECK(o->change_count < ORACLE_CHANGES);
	o->changes[o->change_count++] = (struct oracle_change){
	    host, o->watch_count - 1, o->status[host], status, since == 0 || since > now ? now : since};
	o->status[host] = status;
}

/* The last watch that a time falls into. */
static const struct oracle_watch *watch_at(const struct oracle *o, wall_ms t)
{
	for (size_t i = o->watch_count; i-- > 0;) {
		wall_ms end = i + 1 == o->watch_count ? o->as_of : o->watches[i].end;
		if (t >= o->watches[i].begin && t <= end)
			return &o->watches[i];
	}
	return NULL;
}

static int status_at(const struct oracle *o, const struct oracle_watch *w, size_t host, wall_ms t)
{
	int status = w->first[host];
	wall_ms before = 0;
	for (size_t i = 0; i < o->change_count; i++) {
		const struct oracle_change *c = &o->changes[i];
		if (c->host != host || &o->watches[c->watch] != w)
			continue;
		before = c->since > before ? c->since : before;
		if (before > t)
			break;
		status = c->to;
	}
	return status;
}

struct query_point oracle_at(const struct oracle *o, const char *site, wall_ms t)
{
	struct query_point p = {.sites_known = true};
	const struct oracle_watch *w = watch_at(o, t);
	uint64_t up = 0;
	if (w == NULL) {
		p.watch = t > o->as_of    ? QUERY_WATCH_AFTER
			  : t < o->begins ? QUERY_WATCH_BEFORE
					  : QUERY_WATCH_OFF;
		p.sites_known = false;
		return p;
	}
	for (size_t i = 0; i < o->hosts; i++) {
		int status = status_at(o, w, i, t);
		up += status == HOST_UP;
		if (status != ORACLE_NO_STATE && (site == NULL || strcmp(o->site[i], site) == 0))
			p.by_status[status]++;
	}
	p.watch = up <= 1 ? QUERY_WATCH_ALONE : QUERY_WATCH_OK;
	return p;
}

bool oracle_changes(const struct oracle *o, const char *site, wall_ms from, wall_ms to,
		    struct query_point *ret)
{
	const struct oracle_watch *w = watch_at(o, to);
	if (w == NULL || from < w->begin)
		return false;
	for (size_t host = 0; host < o->hosts; host++) {
		wall_ms before = 0;
		if (site != NULL && strcmp(o->site[host], site) != 0)
			continue;
		for (size_t i = 0; i < o->change_count; i++) {
			const struct oracle_change *c = &o->changes[i];
			if (c->host != host || &o->watches[c->watch] != w)
				continue;
			before = c->since > before ? c->since : before;
			if (before <= from || before > to || c->from == ORACLE_NO_STATE)
				continue;
			ret->went_dark += c->to == HOST_DARK;
			ret->went_silent += c->to == HOST_SILENT;
			ret->came_up += c->to == HOST_UP;
		}
	}
	return true;
}
