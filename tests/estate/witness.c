/* What the replica's node would have decided by now: who is dark and by whose word, which site is silent and
 * since when (docs/protocol.md section 9).
 *
 * A host that vanishes is missed within seconds by whoever of its site's three best-ranked members lives on;
 * the last ones to go are missed by nobody, and turn silent with their site. Behind a cut link nothing more
 * is learned. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "tests/estate/world.h"

#define SENIOR_DAYS      7
#define SILENT_INTERVALS 3

uint64_t witness_interval_ms(const struct estate *e, const struct site *s)
{
	uint64_t interval = s->count * 100, floor = e->o->sites * 1200;
	if (interval > CLOCK_MINUTE_MS)
		interval = CLOCK_MINUTE_MS;
	if (interval < floor)
		interval = floor;
	return interval < 5000 ? 5000 : interval;
}

static uint64_t score(const struct estate *e, const struct host *h)
{
	uint8_t data[ID_BYTES + 4 + 12];
	struct writer w = writer_of(data, sizeof(data));
	wall_day day = clock_day(e->o->now);
	writer_bytes(&w, h->id.b, ID_BYTES);
	writer_u32(&w, day);
	writer_u32(&w, e->head.index);
	writer_u64(&w, e->head.hash);
	uint64_t hash = hash_u64("mesh.witness", data, sizeof(data)) >> 1;
	return clock_day(h->enrolled) + SENIOR_DAYS <= day ? hash : hash | 1ull << 63;
}

static int by_score(const void *a, const void *b, void *context)
{
	const struct estate *e = context;
	uint64_t left = e->hosts[*(const uint32_t *)a].score, right = e->hosts[*(const uint32_t *)b].score;
	return (left > right) - (left < right);
}

size_t witness_live(const struct estate *e, const struct site *s, wall_ms t, size_t ret[LIMIT_WITNESSES])
{
	size_t count = 0;
	for (size_t i = 0; i < s->count && count < LIMIT_WITNESSES; i++) {
		if (host_alive(&e->hosts[s->ranked[i]], t))
			ret[count++] = s->ranked[i];
	}
	return count;
}

/* --- sites --- */

/* The last moment at which anybody of the site was up and could be heard from outside. */
static wall_ms last_heard(const struct estate *e, const struct site *s)
{
	wall_ms until = s->cut != 0 ? s->cut : e->o->now, last = 0;
	for (size_t i = 0; i < s->count && last < until; i++) {
		const struct host *h = &e->hosts[s->members[i]];
		wall_ms end = host_alive(h, until)          ? until
			      : h->died_again != 0          ? h->died_again
			      : h->fate == FATE_NEVER_HEARD ? 0
							    : h->died;
		if (end > last)
			last = end;
	}
	return last < until ? last : until;
}

static void newest(wall_ms *at, wall_ms t, wall_ms until)
{
	if (t > *at && t <= until)
		*at = t;
}

/* The last change that somebody was there to sign. */
static wall_ms last_change(const struct estate *e, const struct site *s, wall_ms until)
{
	wall_ms at = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct host *h = &e->hosts[s->members[i]];
		bool said = h->fate == FATE_ASLEEP || h->fate == FATE_STOPPED;
		if (h->died != 0)
			newest(&at, h->died + (said ? 1000 : WITNESS_DETECT_MS), until);
		if (h->back != 0)
			newest(&at, h->back + 3000, until);
		if (h->died_again != 0)
			newest(&at, h->died_again + WITNESS_DETECT_MS, until);
	}
	return at;
}

static void judge_site(struct estate *e, struct site *s)
{
	size_t live[LIMIT_WITNESSES];
	struct prng p = draw_stream(e, STREAM_STATES, (uint64_t)(s - e->sites));
	uint64_t interval = witness_interval_ms(e, s);
	wall_ms heard = last_heard(e, s);
	/* Who is left signs what changed at once; only in quiet times a whole interval can have passed. */
	s->state = (struct site_state){.site = id_of_site(s->name),
				       .status = SITE_REPORTING,
				       .interval_s = (uint32_t)((interval + 999) / 1000),
				       .since = e->o->now - draw_span(&p, CLOCK_DAY_MS, 60 * CLOCK_DAY_MS),
				       .last_rollcall = heard - prng_below(&p, interval)};
	s->changed = last_change(e, s, heard);
	if (s->state.last_rollcall < s->changed)
		s->state.last_rollcall = s->changed;
	memcpy(s->state.name, s->name, sizeof(s->state.name));
	s->state.live_witnesses = (uint32_t)witness_live(e, s, s->state.last_rollcall, live);
	s->own = s == &e->sites[e->hosts[0].site];
}

/* Three intervals without a roll-call, and somebody who should have signed one. */
static void judge_silence(struct estate *e, struct site *s)
{
	bool up = false;
	for (size_t i = 0; i < s->count; i++)
		up = up || e->hosts[s->members[i]].state.status == HOST_UP;
	if (s->own || !up ||
	    e->o->now - s->state.last_rollcall < SILENT_INTERVALS * witness_interval_ms(e, s))
		return;
	s->state.status = SITE_SILENT;
	s->state.since = s->state.last_rollcall;
	for (size_t i = 0; i < s->count; i++) {
		struct host_state *state = &e->hosts[s->members[i]].state;
		if (state->status != HOST_UP)
			continue;
		state->status = HOST_SILENT;
		state->since = s->state.since;
		if (state->seen > s->state.since)
			state->seen = s->state.since;
	}
}

/* --- hosts --- */

static void be_dark(const struct estate *e, const struct site *s, struct host *h, wall_ms died,
		    struct prng *p)
{
	size_t live[LIMIT_WITNESSES];
	wall_ms noticed = died + WITNESS_DETECT_MS;
	if (noticed > e->o->now || (s->cut != 0 && noticed > s->cut))
		return;
	/* Those who sign now stand by it; where nobody does any more, those who signed then did. */
	size_t count = witness_live(e, s, s->state.last_rollcall, live);
	if (count == 0 || s->state.last_rollcall < noticed)
		count = witness_live(e, s, noticed, live);
	if (count == 0)
		return;
	/* Written when it changed, so no staler than the last roll-call, or word of its own. */
	uint64_t interval = witness_interval_ms(e, s);
	h->state.seen = died - prng_below(p, interval);
	if (h->state.seen < h->arrived && h->reported && h->arrived < died)
		h->state.seen = h->arrived + 100;
	if (h->state.seen < h->booted)
		h->state.seen = h->booted;
	h->state.status = HOST_DARK;
	h->state.since = died + 1000 + prng_below(p, 2000);
	h->state.votes = h->state.signers = (uint8_t)count;
	for (size_t i = 0; i < count; i++)
		h->state.witnesses[i] = id_short(&e->hosts[live[i]].id);
}

/* When a host that is up was seen last is written now and then only. */
static wall_ms seen_up(const struct estate *e, wall_ms until, const struct host *h, struct prng *p)
{
	uint64_t stale = CLOCK_MINUTE_MS + e->o->hosts * 10;
	wall_ms seen = until - prng_below(p, stale < HOUR_MS / 6 ? stale : HOUR_MS / 6);
	return seen > h->booted ? seen : h->booted;
}

static void judge_host(struct estate *e, struct host *h)
{
	struct prng p = draw_stream(e, STREAM_STATES, e->o->sites + h->number);
	const struct site *s = &e->sites[h->site];
	wall_ms cut = s->cut != 0 ? s->cut : e->o->now;
	wall_ms died = h->died_again != 0 ? h->died_again : h->back != 0 ? 0 : h->died;
	h->state = (struct host_state){.host = h->id, .issuer = *identity_id(e->issuers[s->kind])};
	if (h->fate == FATE_NEVER_HEARD)
		return;
	h->state.status = HOST_UP;
	h->state.since = h->back != 0 ? h->back + 2000 : h->booted + 2000;
	h->state.seen = seen_up(e, died != 0 && died < cut ? died : cut, h, &p);
	if (died == 0 || died > e->o->now)
		return;
	wall_ms said = died + 100 + prng_below(&p, 2000);
	switch (h->fate) {
	case FATE_ASLEEP:
	case FATE_STOPPED:
		if (died > cut)
			break;
		h->state.status = h->fate == FATE_ASLEEP ? HOST_ASLEEP : HOST_STOPPED;
		h->state.since = h->state.seen = said;
		break;
	case FATE_LEFT:
		h->state.status = HOST_LEFT;
		h->state.since = died + CLOCK_DAY_MS / 4 + prng_below(&p, CLOCK_DAY_MS);
		break;
	case FATE_REPLACED:
		h->state.status = HOST_REPLACED;
		h->state.replaced_by = e->hosts[h->successor].id;
		h->state.since = e->hosts[h->successor].enrolled + 3000;
		break;
	default:
		be_dark(e, s, h, died, &p);
		break;
	}
}

enum err witness_judge(struct estate *e)
{
	for (size_t i = 0; i < e->o->hosts; i++)
		e->hosts[i].score = score(e, &e->hosts[i]);
	for (size_t i = 0; i < e->o->sites; i++) {
		struct site *s = &e->sites[i];
		s->ranked = malloc(s->count * sizeof(*s->ranked));
		if (s->ranked == NULL)
			return ERR_NOMEM;
		memcpy(s->ranked, s->members, s->count * sizeof(*s->ranked));
		qsort_r(s->ranked, s->count, sizeof(*s->ranked), by_score, e);
		judge_site(e, s);
	}
	for (size_t i = 0; i < e->o->hosts; i++)
		judge_host(e, &e->hosts[i]);
	for (size_t i = 0; i < e->o->sites; i++)
		judge_silence(e, &e->sites[i]);
	return ERR_OK;
}
