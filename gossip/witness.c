/* Witnesses: who of a site signs its roll-calls, and what this one found out about the suspected.
 *
 * Happy path: members are ranked by a hash of their id, the day and the log's head; the three best that are
 * up sign. Whoever enrols hosts can choose their ids for a good rank on some day, so who is new ranks last
 * for a week, and any entry of the log draws anew: who can enrol three hosts into a site and wait a week has
 * its seats now and then, until their issuer is revoked. A witness that is told of a suspicion probes for
 * itself twice a second, for seven seconds; only then it says "does not answer". Any answer, or a new record
 * of the host, takes it back. Fails: one that heard nobody at all for six seconds has its own link cut, as
 * far as it can tell: it accuses nobody for a while, and when it hears again it takes back what it found
 * since. A witness that was paused (or has just started) begins its probes anew, and before it has heard its
 * site for three intervals judges only who has answered it since. A host that stays away is probed every few
 * seconds, so that its return is noticed even when its own datagrams get lost. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/standing.h"

#define TRIES        14 /* with the second before a suspicion: 8 s, for which a host may stand still */
#define TRIES_MOST   20 /* while it is heard, but answers nothing */
#define CROWD        32 /* from so many suspects on, every second probe is left out */
#define RETURN_MS    5000
#define SENIOR_DAYS  7
#define DEAF_MS      6000  /* two turns of probes, and not one datagram … */
#define DEAF_MOST_MS 20000 /* … by now they may be gone indeed */

struct suspect {
	struct suspect *next;
	struct member *m;
	unsigned tries;
	mono_ms begun_at; /* its probes */
	mono_ms next_at;
	bool verdict; /* does not answer … */
	mono_ms verdict_at;
	wall_ms since;
};

struct witness {
	struct suspect *suspects;
	size_t count;
	mono_ms heard_at; /* last datagram of anyone */
	bool deaf;        /* two or more that were heard before are heard no longer */
};

enum err witness_init(struct gossip *g)
{
	g->witness = calloc(1, sizeof(*g->witness));
	if (!g->witness)
		return ERR_NOMEM;
	g->witness->heard_at = g->now;
	return ERR_OK;
}

void witness_free(struct gossip *g)
{
	if (!g->witness)
		return;
	for (struct suspect *s = g->witness->suspects; s;) {
		struct suspect *next = s->next;

		free(s);
		s = next;
	}
	free(g->witness);
	g->witness = NULL;
}

/* --- ranking --- */

/* The enrolment day is what the holder of a token wrote, so it is not the only one asked. What came with this
 * node's own catch-up is no younger for that. */
bool witness_senior(const struct gossip *g, const struct member *m, wall_day day)
{
	const struct authlog_grant *grant = authlog_find_grant(g->log, &m->issuer);
	const struct member_certificate *c = member_certificate(m, &m->issuer);
	const struct member_certificate *own = member_certificate(g->self, &g->self->issuer);
	wall_day since = m->enrolled;

	if (grant && grant->granted > since)
		since = grant->granted;
	if (c && own) {
		wall_day arrived = clock_day(c->arrived);

		/* A clock that was ahead then proves nothing. */
		if (arrived != clock_day(own->arrived) && arrived <= day && arrived > since)
			since = arrived;
	}
	return since + SENIOR_DAYS <= day;
}

static uint64_t score_of(const struct gossip *g, const struct member *m, wall_day day)
{
	struct authlog_head head = authlog_head(g->log);
	uint8_t data[ID_BYTES + 4 + 12];
	struct writer w = writer_of(data, sizeof(data));

	writer_bytes(&w, m->id.b, ID_BYTES);
	writer_u32(&w, day);
	writer_u32(&w, head.index);
	writer_u64(&w, head.hash);
	uint64_t score = hash_u64("mesh.witness", data, sizeof(data)) >> 1;

	if (!witness_senior(g, m, day) && defence_on(g, DEFENCE_SENIORITY))
		score |= 1ull << 63;
	return score;
}

void witness_scores(const struct gossip *g, struct site *s)
{
	wall_day day = keyring_day(g->keyring);
	struct authlog_head head = authlog_head(g->log);
	/* A forked log may have two heads of one index. */
	uint64_t epoch = (((uint64_t)day << 32 | head.index) ^ head.hash) | 1;

	if (s->score_epoch == epoch)
		return;
	for (size_t i = 0; i < s->count; i++)
		s->members[i]->score = score_of(g, s->members[i], day);
	s->score_epoch = epoch;
}

size_t witness_place(const struct gossip *g, struct member *m, struct member *ret[LIMIT_WITNESSES],
		     size_t count)
{
	bool ranked = defence_on(g, DEFENCE_RANKED_SIGNERS);
	size_t place = count;

	while (place > 0 &&
	       (ranked ? ret[place - 1]->score > m->score : id_compare(&ret[place - 1]->id, &m->id) > 0))
		place--;
	if (place == LIMIT_WITNESSES)
		return count;
	if (count < LIMIT_WITNESSES)
		count++;
	memmove(&ret[place + 1], &ret[place], (count - place - 1) * sizeof(*ret));
	ret[place] = m;
	return count;
}

size_t witness_rank(struct gossip *g, struct site *s,
		    bool (*eligible)(struct gossip *g, const struct site *s, const struct member *m),
		    struct member *ret[LIMIT_WITNESSES])
{
	size_t count = 0;

	witness_scores(g, s);
	for (size_t i = 0; i < s->count; i++) {
		if (eligible(g, s, s->members[i]))
			count = witness_place(g, s->members[i], ret, count);
	}
	return count;
}

static bool eligible_live(struct gossip *g, const struct site *s, const struct member *m)
{
	(void)s;
	if (!standing_has_say(m))
		return false;
	if (m == g->self)
		return !g->leaving;
	return m->state.status == HOST_UP && !member_goodbye(m) && !(m->suspect && m->suspect->verdict);
}

size_t witness_live(struct gossip *g, struct member *ret[LIMIT_WITNESSES])
{
	return witness_rank(g, g->self->site, eligible_live, ret);
}

bool witness_self(struct gossip *g)
{
	struct member *live[LIMIT_WITNESSES];
	size_t count = witness_live(g, live);

	for (size_t i = 0; i < count; i++) {
		if (live[i] == g->self)
			return true;
	}
	return false;
}

/* --- suspects --- */

static void suspect_remove(struct gossip *g, struct suspect *gone)
{
	struct suspect **at = &g->witness->suspects;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	g->witness->count--;
	gone->m->suspect = NULL;
	free(gone);
}

void witness_suspect(struct gossip *g, struct member *m)
{
	if (m == g->self || m->site != g->self->site || !m->rostered || m->suspect || member_goodbye(m) ||
	    !witness_self(g))
		return;
	struct suspect *s = calloc(1, sizeof(*s));

	if (!s)
		return;
	*s = (struct suspect){
	    .next = g->witness->suspects, .m = m, .begun_at = g->now, .next_at = g->now, .since = g->wall};
	g->witness->suspects = s;
	g->witness->count++;
	m->suspect = s;
	core_deadline(g, g->now);
}

void witness_heard(struct gossip *g, struct member *m)
{
	if (!m->suspect)
		return;
	bool changed = m->suspect->verdict;

	suspect_remove(g, m->suspect);
	if (changed) {
		rollcall_changed(g);
		probe_hurry(g);
	}
}

/* What it found while nobody was heard says more about its own link than about others. */
void witness_hears(struct gossip *g)
{
	struct witness *w = g->witness;
	mono_ms last = w->heard_at;
	bool changed = false;

	w->heard_at = g->now;
	if (g->now - last < DEAF_MS)
		return;
	for (struct suspect *s = w->suspects; s; s = s->next) {
		changed |= s->verdict && s->verdict_at > last;
		s->verdict &= s->verdict_at <= last;
		if (s->verdict)
			continue;
		s->tries = 0;
		s->begun_at = s->next_at = g->now;
	}
	if (changed)
		rollcall_changed(g);
}

mono_ms gossip_heard(const struct gossip *g)
{
	return g->witness->heard_at;
}

void witness_restart(struct gossip *g)
{
	for (struct suspect *s = g->witness->suspects; s; s = s->next) {
		s->tries = 0;
		s->begun_at = s->next_at = g->now;
	}
}

/* Who wakes up is heard before it answers a question that still counts. What is heard may be held back by
 * others on the way: it buys a few tries, no more. */
static unsigned tries_of(const struct suspect *s)
{
	return s->m->heard_at > s->begun_at ? TRIES_MOST : TRIES;
}

/* Where one alone was heard before, it is that one that fell silent. */
static bool witness_deaf(const struct gossip *g)
{
	mono_ms last = g->witness->heard_at;
	size_t heard = 0;

	if (g->now - last < DEAF_MS || g->now - last >= DEAF_MOST_MS)
		return false;
	for (size_t i = 0; i < g->members.count && heard < 2; i++) {
		const struct member *m = g->members.hosts[i];

		heard += m->heard_at && m->heard_at + DEAF_MS >= last && !member_goodbye(m);
	}
	return heard == 2;
}

static void suspect_probe(struct gossip *g, struct suspect *s)
{
	if (s->verdict) {
		s->next_at = g->now + core_jitter(g, RETURN_MS, 0.25);
	} else if (s->tries >= tries_of(s) || !defence_on(g, DEFENCE_OWN_PROBES)) {
		bool unknown = !state_settled(g, g->self->site) && s->m->answered_at <= g->hearing_at;

		if (unknown || g->witness->deaf) {
			/* It never answered this node, or nobody does: this node may be the deaf one. Ask on
			 * until it has heard its site for long enough. */
			s->next_at = g->now + g->timing.probe_ms;
		} else {
			s->verdict = true;
			s->verdict_at = g->now;
			s->next_at = g->now + RETURN_MS;
			rollcall_changed(g);
			return;
		}
	} else {
		s->next_at = g->now + g->timing.probe_ms / 2;
		if (g->witness->count < CROWD || s->tries % 2 == 0) {
			/* Nobody is accused for questions that the budget did not allow. */
			if (!probe_ping(g, s->m))
				return;
		}
		s->tries++;
		return;
	}
	probe_ping(g, s->m);
}

void witness_tick(struct gossip *g)
{
	g->witness->deaf = g->witness->suspects && witness_deaf(g);
	for (struct suspect *s = g->witness->suspects, *next; s; s = next) {
		next = s->next;
		if (member_goodbye(s->m)) {
			suspect_remove(g, s);
			rollcall_changed(g);
			continue;
		}
		if (g->now >= s->next_at)
			suspect_probe(g, s);
		core_deadline(g, s->next_at);
	}
}

bool witness_doubts(const struct member *m)
{
	return m->suspect && !m->suspect->verdict;
}

enum rollcall_state witness_judgement(struct gossip *g, const struct member *m, wall_ms *ret_since)
{
	*ret_since = 0;
	if (m == g->self)
		return ROLLCALL_ANSWERS;
	if (member_goodbye(m))
		return m->goodbye_reason == GOODBYE_ASLEEP ? ROLLCALL_ASLEEP : ROLLCALL_STOPPED;
	if (m->suspect && m->suspect->verdict) {
		*ret_since = m->suspect->since;
		return ROLLCALL_NO_ANSWER;
	}
	if (witness_doubts(m))
		return ROLLCALL_UNKNOWN;
	/* What others found out stands until this node finds out otherwise. */
	if (m->state.status == HOST_DARK) {
		*ret_since = m->state.since;
		return ROLLCALL_NO_ANSWER;
	}
	/* Nothing against it is not enough: this node must have heard it, or of it, without a gap since. */
	bool heard = m->answered_at > g->hearing_at || m->record_at > g->hearing_at;

	if (!heard && !(m->state.status == HOST_UP && m->vouched_at > g->hearing_at))
		return ROLLCALL_UNKNOWN;
	/* Another witness got no answer since: not contradicted from memory, only by an answer. */
	return rollcall_accused(g, m) ? ROLLCALL_UNKNOWN : ROLLCALL_ANSWERS;
}
