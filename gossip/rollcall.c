/* Roll-calls: what the witnesses of a site say about its hosts, signed and read.
 *
 * Happy path: a witness whose view changed signs at once (changes within 200 ms go into one). In quiet times
 * the witnesses take turns: the one ranked after the last signer signs when the interval is over, the next
 * ones stand in 0.7 s later each. Readers keep the newest of each signer. A changed one is signed
 * once more two seconds later, for those who missed it.
 * Fails: a roll-call over a roster that this node never had cannot be read (roster.c); it still proves that
 * the site reports. One that was pulled after a gap may be long out of date: it says that its signer
 * lives, but it neither accuses nor takes back until the next of that signer. An accused host that hears
 * "does not answer" about itself publishes a refutation. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/evidence.h"
#include "gossip/standing.h"
#include "gossip/sync.h"

#define COALESCE_MS      200
#define AGAIN_MS         2000 /* after a change: whoever missed it need not wait for the next turn */
#define STAND_IN_MS      700
#define QUEUE_INTERVALS  2 /* of a first roll-call, at most */
#define SIGNER_INTERVALS 4 /* the turns of three witnesses, and one to spare */

/* How often a witness of the site signs when nothing changes. */
static uint64_t rollcall_interval_ms(const struct gossip *g, const struct site *s)
{
	uint64_t interval = s->count * 100;
	uint64_t floor = g->members.site_live * 1200;

	if (interval > g->timing.rollcall_max_ms)
		interval = g->timing.rollcall_max_ms;
	if (interval < g->timing.rollcall_min_ms)
		interval = g->timing.rollcall_min_ms;
	return interval > floor ? interval : floor;
}

mono_ms rollcall_patience_ms(const struct gossip *g, const struct site *s)
{
	mono_ms own = rollcall_interval_ms(g, s);
	mono_ms said = (mono_ms)s->state.interval_s * CLOCK_SECOND_MS;

	/* What a signer claims may stretch the patience of others, but not by much. */
	if (said > own * 2)
		said = own * 2;
	return said > own ? said : own;
}

mono_ms rollcall_current_ms(const struct gossip *g, const struct site *s)
{
	return SIGNER_INTERVALS * rollcall_patience_ms(g, s);
}

void rollcall_changed(struct gossip *g)
{
	if (!g->roll.changed)
		g->roll.due_at = g->now + COALESCE_MS;
	g->roll.changed = true;
}

enum rollcall_state rollcall_says(struct site *s, const struct rollcall_view *v, const struct member *m)
{
	size_t index = roster_index(s, v->roster_hash, v->roster_count, m);
	size_t first = v->slot * LIMIT_ROLLCALL_HOSTS;

	if (index == ROSTER_NOWHERE || index < first || index - first >= v->state_count)
		return ROLLCALL_UNKNOWN;
	return (enum rollcall_state)v->states[index - first];
}

/* Any host of the site may sign a roll-call, but only the best-ranked count. */
static bool rollcall_counts(struct gossip *g, struct site *s, const struct rollcall_view *v)
{
	struct member *signers[LIMIT_WITNESSES];
	size_t count = state_signers(g, s, signers);

	for (size_t i = 0; i < count; i++) {
		if (signers[i] == v->signer)
			return true;
	}
	return false;
}

bool rollcall_accused(struct gossip *g, const struct member *m)
{
	struct site *s = g->self->site;

	for (size_t i = 0; i < s->view_count; i++) {
		const struct rollcall_view *v = &s->views[i];

		if (v->signer != g->self && standing_has_say(v->signer) &&
		    rollcall_says(s, v, m) == ROLLCALL_NO_ANSWER && !state_void(m, v) &&
		    rollcall_counts(g, s, v))
			return true;
	}
	return false;
}

/* This host stands accused by fewer than it takes to call it dark. */
static bool rollcall_alone(struct gossip *g, struct site *s)
{
	struct member *signers[LIMIT_WITNESSES];
	size_t count = state_signers(g, s, signers);
	struct evidence e = evidence_of(g, s, g->self, signers, count);

	return e.against < (e.signers < 2 ? e.signers : 2);
}

/* Another witness accuses: look for oneself; it accuses this host: answer. */
static void rollcall_own_site(struct gossip *g, struct site *s, const struct rollcall_view *v)
{
	if (v->signer == g->self || !standing_has_say(v->signer) || !rollcall_counts(g, s, v))
		return;
	for (size_t i = 0; i < s->count; i++) {
		if (rollcall_says(s, v, s->members[i]) != ROLLCALL_NO_ANSWER)
			continue;
		if (s->members[i] == g->self)
			own_refute(g, v->signer->short_id, v->seq, rollcall_alone(g, s));
		else
			witness_suspect(g, s->members[i]);
	}
}

/* --- signing --- */

static void part_fill(struct gossip *g, struct site *s, size_t first, struct rollcall *r)
{
	for (size_t i = first; i < s->count && r->state_count < LIMIT_ROLLCALL_HOSTS; i++) {
		wall_ms since;
		enum rollcall_state state = witness_judgement(g, s->members[i], &since);

		r->states[r->state_count++] = (uint8_t)state;
		if (state != ROLLCALL_NO_ANSWER || since == 0 || r->no_answer_count == LIMIT_ROLLCALL_SINCE)
			continue;
		r->no_answer[r->no_answer_count].index = (uint32_t)i;
		r->no_answer[r->no_answer_count++].since_s = since / CLOCK_SECOND_MS;
	}
}

static bool rollcall_sign(struct gossip *g, bool changed)
{
	struct site *s = g->self->site;
	struct member *live[LIMIT_WITNESSES];
	size_t parts = (s->count + LIMIT_ROLLCALL_HOSTS - 1) / LIMIT_ROLLCALL_HOSTS;
	uint32_t witnesses = (uint32_t)witness_live(g, live);

	for (size_t part = 0; part < parts; part++) {
		struct rollcall r = {.parts = (uint32_t)parts,
				     .roster_hash = site_roster_hash(s),
				     .roster_count = (uint32_t)s->count,
				     .live_witnesses = witnesses,
				     .interval_s = (uint32_t)((rollcall_interval_ms(g, s) + 999) / 1000)};
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		size_t len;

		part_fill(g, s, part * LIMIT_ROLLCALL_HOSTS, &r);
		set_children(g->set, s->partition, r.trie);
		if (rollcall_encode(&r, body, &len) ||
		    core_publish(g, RECORD_ROLLCALL, &s->id, part, body, len,
				 changed ? GOSSIP_URGENT : GOSSIP_ROUTINE))
			return false;
		g->counters.rollcalls_signed++;
	}
	return true;
}

/* States that another signer would have to read anew, as one number. */
static uint64_t rollcall_content(struct gossip *g, struct site *s)
{
	uint64_t content = site_roster_hash(s);
	wall_ms since;

	for (size_t i = 0; i < s->count; i++) {
		enum rollcall_state state = witness_judgement(g, s->members[i], &since);

		/* A doubt is no news; what comes of it is. */
		if (witness_doubts(s->members[i]))
			state = ROLLCALL_ANSWERS;
		content = content * 31 + (uint64_t)state;
	}
	return content;
}

/* Receipt of the newest roll-call of this signer, 0: none. */
static mono_ms rollcall_last(const struct site *s, const struct member *signer)
{
	mono_ms newest = 0;

	for (size_t i = 0; i < s->view_count; i++) {
		if (s->views[i].signer == signer && s->views[i].received_at > newest)
			newest = s->views[i].received_at;
	}
	return newest;
}

/* When this node's turn comes; UINT64_MAX when it is no witness. Only witnesses take turns: what others sign
 * keeps no witness from signing. */
static mono_ms rollcall_turn(struct gossip *g)
{
	struct site *s = g->self->site;
	struct member *live[LIMIT_WITNESSES];
	size_t count = witness_live(g, live);
	size_t own = count, last = count;
	mono_ms newest = 0, own_at = 0;

	for (size_t i = 0; i < count; i++) {
		mono_ms at = rollcall_last(s, live[i]);

		if (live[i] == g->self) {
			own = i;
			own_at = at;
		}
		if (at >= newest && at != 0) {
			newest = at;
			last = i;
		}
	}
	if (own == count)
		return UINT64_MAX;
	mono_ms interval = rollcall_interval_ms(g, s);
	size_t place = last == count ? own : (own + count - last - 1) % count;
	mono_ms turn = newest + interval + place * STAND_IN_MS;
	mono_ms since = own_at > g->hearing_at ? own_at : g->hearing_at;
	mono_ms latest = since + count * (interval + STAND_IN_MS);

	/* One who signs without end must not silence the others: then its word would be enough. */
	return turn < latest || !defence_on(g, DEFENCE_ROLLCALL_TURN) ? turn : latest;
}

/* Where all start at once nobody is known to be up, and each would take itself for a witness: the best-ranked
 * goes first, and the others give it the time to be heard. */
static mono_ms rollcall_queue(struct gossip *g)
{
	struct site *s = g->self->site;
	mono_ms longest = QUEUE_INTERVALS * rollcall_interval_ms(g, s);
	size_t before = 0;

	witness_scores(g, s);
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = s->members[i];

		before += m != g->self && m->score < g->self->score && standing_has_say(m) &&
			  !member_goodbye(m) &&
			  (m->state.status == HOST_UP || m->state.status == HOST_UNKNOWN);
	}
	return before * STAND_IN_MS < longest ? before * STAND_IN_MS : longest;
}

void rollcall_tick(struct gossip *g)
{
	struct site *s = g->self->site;

	if (g->roll.first_at == 0)
		g->roll.first_at = g->now + core_jitter(g, g->timing.probe_ms * 2, 0.25);
	mono_ms first_at = g->roll.first_at + (g->roll.begun ? 0 : rollcall_queue(g));

	/* Not before anyone had the chance to answer. */
	if (g->now < first_at) {
		core_deadline(g, first_at);
		return;
	}
	for (size_t i = 0; !g->roll.begun && i < s->view_count; i++)
		rollcall_own_site(g, s, &s->views[i]); /* what the replica had */
	g->roll.begun = true;
	if (g->now < g->roll.failed_until) {
		core_deadline(g, g->roll.failed_until);
		return;
	}
	mono_ms turn = rollcall_turn(g);

	if (turn == UINT64_MAX) {
		g->roll.changed = false;
		return;
	}
	bool due = g->roll.changed && g->now >= g->roll.due_at;
	bool again = g->roll.again_at && g->now >= g->roll.again_at;

	if (due || again || g->now >= turn) {
		uint64_t content = rollcall_content(g, s);
		bool news = content != g->roll.signed_content;

		g->roll.changed = false;
		if (news || again || g->now >= turn) {
			if (!rollcall_sign(g, news)) {
				g->roll.failed_until = g->now + rollcall_interval_ms(g, g->self->site);
				core_deadline(g, g->roll.failed_until);
				return;
			}
			g->roll.signed_content = content;
			g->roll.again_at = news ? g->now + core_jitter(g, AGAIN_MS, 0.25) : 0;
			turn = rollcall_turn(g);
		}
	}
	if (g->roll.again_at)
		core_deadline(g, g->roll.again_at);
	core_deadline(g, g->roll.changed && g->roll.due_at < turn ? g->roll.due_at : turn);
}

/* --- reading --- */

/* Gives way where all places are taken: a view that counts no more, else that of the worst-ranked, or whoever
 * has enough hosts would push the witnesses out by signing. NULL: `signer` ranks worse than all. */
static struct rollcall_view *view_least(struct gossip *g, struct site *s, const struct member *signer)
{
	struct rollcall_view *oldest = &s->views[0], *worst = &s->views[0];

	witness_scores(g, s);
	for (size_t i = 1; i < s->view_count; i++) {
		if (s->views[i].received_at < oldest->received_at)
			oldest = &s->views[i];
		if (s->views[i].signer->score > worst->signer->score)
			worst = &s->views[i];
	}
	if (g->now - oldest->received_at > rollcall_current_ms(g, s) || !defence_on(g, DEFENCE_VIEW_ROOM))
		return oldest;
	return signer->score < worst->signer->score ? worst : NULL;
}

static struct rollcall_view *view_of(struct gossip *g, struct site *s, struct member *signer, uint64_t slot)
{
	for (size_t i = 0; i < s->view_count; i++) {
		struct rollcall_view *v = &s->views[i];

		if (v->signer == signer && v->slot == slot)
			return v;
	}
	size_t max = SITE_VIEWS + (s->count / LIMIT_ROLLCALL_HOSTS) * 4;

	if (s->view_count >= max)
		return view_least(g, s, signer);
	struct rollcall_view *grown = realloc(s->views, (s->view_count + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	s->views = grown;
	s->views[s->view_count] = (struct rollcall_view){.signer = signer, .slot = slot};
	return &s->views[s->view_count++];
}

/* How long this one was on its way, beyond what the signer's others took: its clock may be off, so only
 * differences count. Two in a row that seem late are a clock that was set back. */
static mono_ms view_age(const struct gossip *g, const struct site *s, struct rollcall_view *v,
			const struct member *signer, wall_ms signed_at)
{
	/* What no clock can say must not overflow either. */
	int64_t gap = (int64_t)g->now - (int64_t)(signed_at < INT64_MAX / 2 ? signed_at : INT64_MAX / 2);
	bool first = v->signer != signer || v->seq == 0;

	if (first || gap < v->clock_gap)
		v->clock_gap = gap;
	bool late = (mono_ms)(gap - v->clock_gap) > rollcall_interval_ms(g, s);

	if (late && !first && v->late)
		v->clock_gap = gap;
	v->late = late;
	return (mono_ms)(gap - v->clock_gap);
}

static bool view_fill(struct rollcall_view *v, struct member *signer, const struct record *r,
		      const struct rollcall *roll)
{
	uint8_t *states = realloc(v->states, roll->state_count ? roll->state_count : 1);

	if (!states)
		return false;
	memcpy(states, roll->states, roll->state_count);
	*v = (struct rollcall_view){.signer = signer,
				    .seq = r->seq,
				    .slot = r->key.slot,
				    .parts = roll->parts,
				    .roster_hash = roll->roster_hash,
				    .roster_count = roll->roster_count,
				    .interval_s = roll->interval_s,
				    .live_witnesses = roll->live_witnesses,
				    .no_answer_count = roll->no_answer_count,
				    .state_count = roll->state_count,
				    .clock_gap = v->clock_gap,
				    .late = v->late,
				    .states = states};
	memcpy(v->trie, roll->trie, sizeof(v->trie));
	for (size_t i = 0; i < roll->no_answer_count; i++) {
		v->no_answer[i].index = roll->no_answer[i].index;
		v->no_answer[i].since_s = roll->no_answer[i].since_s;
	}
	return true;
}

void rollcall_on_record(struct gossip *g, const struct record *r, wall_ms received, struct member *from,
			bool fresh)
{
	struct site *s = site_find(g, &r->key.subject);
	struct member *signer = member_find(g, &r->key.writer);
	struct rollcall *roll = malloc(sizeof(*roll));
	struct rollcall_view *v = NULL;

	/* A part that no roster as ours has would only take another's place. */
	bool part = s && signer && standing_has_say(signer) && r->key.slot <= s->count / LIMIT_ROLLCALL_HOSTS;

	if (roll && part && signer && !rollcall_decode(r->body, r->body_len, roll))
		v = view_of(g, s, signer, r->key.slot);
	bool prompt = fresh || (v && v->signer == signer && v->received_at > g->hearing_at &&
				g->now - v->received_at <= rollcall_current_ms(g, s));
	mono_ms late = v ? view_age(g, s, v, signer, r->time) : 0;

	if (!v || !view_fill(v, signer, r, roll)) {
		free(roll);
		return;
	}
	free(roll);
	v->received = received;
	v->received_at = late < g->now ? g->now - late : 0;
	v->prompt = prompt;
	if (g->loading) {
		/* As old as it was: in virtual and in real time alike. */
		uint64_t age = g->wall > received ? g->wall - received : 0;

		v->received_at = age < g->now ? g->now - age : 0;
	}
	if (v->received_at > s->rollcall_at)
		s->rollcall_at = v->received_at;
	if (received >= s->state.last_rollcall) {
		s->state.last_rollcall = received;
		s->state.interval_s = v->interval_s;
		s->state.live_witnesses = v->live_witnesses;
	}
	if (g->loading)
		return;
	state_site_changed(g, s);
	if (s == g->self->site)
		rollcall_own_site(g, s, v);
	if (signer != g->self)
		sync_on_rollcall(g, s, v->trie, from);
}
