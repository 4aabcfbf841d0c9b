/* States of hosts and sites, and the evidence they rest on (docs/protocol.md section 9).
 *
 * Happy path: a roll-call, a record or an answer makes a site stale; at the end of the step its hosts are
 * judged again, and what changed goes to the driver. A goodbye in force makes "stopped" or "asleep"; two
 * current signers (one, where no second is left) make "dark"; a site without roll-calls for three intervals
 * turns silent with its hosts that were up.
 * Fails: others are asked for roll-calls that are late. A node that has just started, or was paused,
 * pronounces no site silent before it has heard the estate for three intervals of its own, and no host dark,
 * save one that it has heard (of) since. States of the replica stand until something contradicts them. */
#include <string.h>

#include "gossip/core.h"
#include "gossip/evidence.h"
#include "gossip/standing.h"

#define SILENT_INTERVALS 3
#define DIRECT_MS        10000
#define DISPUTE_MS       10000
#define ASK_SOON_MS      500
#define CONTRADICT_MS    10000 /* a witness's probes, and a second */
#define LONE_INTERVALS   2     /* in which any witness signs for the first time … */
#define LONE_MS          20000 /* … and is known to be dead, if it is, so that the next in rank signs */
#define DUPLICATE_MS     60000 /* seen so long after another was enrolled on its hardware, it is no leftover */
#define SEEN_SAVE_MS     60000 /* how stale `seen` in the replica may be … */
#define SEEN_SAVE_HOST   500   /* … and so many ms more for each known host */
#define SITE_SAVE_MS     4000  /* likewise for a site: its roll-calls are written anyway */

bool state_settled(const struct gossip *g, const struct site *s)
{
	return g->now - g->hearing_at >= SILENT_INTERVALS * rollcall_patience_ms(g, s);
}

/* This node heard the host, or a witness vouch for it, since it listens: news against it is news. */
static bool host_known(const struct gossip *g, const struct member *m)
{
	return m->answered_at > g->hearing_at || m->record_at > g->hearing_at ||
	       m->vouched_at > g->hearing_at;
}

/* --- hosts --- */

static void host_set(struct gossip *g, struct member *m, enum host_status status, wall_ms since)
{
	struct host_state *state = &m->state;

	if (state->status == status)
		return;
	state->status = status;
	state->since = since;
	if (status != HOST_DARK) {
		state->votes = state->signers = 0;
		memset(state->witnesses, 0, sizeof(state->witnesses));
	}
	core_host_state(g, m, true);
	if (m->site == g->self->site) {
		probe_hurry(g);
		rollcall_changed(g);
	}
}

static void host_dark(struct gossip *g, struct member *m, const struct evidence *e)
{
	struct host_state *state = &m->state;
	bool changed = state->votes != e->against || state->signers != e->signers ||
		       memcmp(state->witnesses, e->accusers, sizeof(state->witnesses)) != 0;

	host_set(g, m, HOST_DARK, e->since ? e->since : g->wall);
	if (e->newest_against > m->accused_at)
		m->accused_at = e->newest_against;
	if (!changed)
		return;
	state->votes = (uint8_t)e->against;
	state->signers = (uint8_t)e->signers;
	memcpy(state->witnesses, e->accusers, sizeof(state->witnesses));
	core_host_state(g, m, false);
}

/* Something vouches for the host. */
static bool host_vouched(const struct member *m, const struct evidence *e)
{
	return m->record_at || m->answered_at || e->newest_for || e->refuted;
}

/* The same for one that is dark, since it was accused. A roll-call that says "answers" may have been on its
 * way then; one that was signed in knowledge of the accusation takes its probes' time. */
static bool host_cleared(const struct member *m, const struct evidence *e)
{
	return m->record_at > m->accused_at || m->answered_at > m->accused_at ||
	       e->prompt_for > m->accused_at + CONTRADICT_MS || e->refuted;
}

/* The other signers will say the same in a moment, or said it already and it was lost on its way here. */
static void site_dispute(struct gossip *g, struct site *s, const struct evidence *e)
{
	if (g->now >= s->dispute_end)
		s->ask_at = g->now + core_jitter(g, ASK_SOON_MS, 0.25);
	s->dispute_end = e->newest_against + DISPUTE_MS;
}

/* Somebody besides the two lives, as far as is known so early, and will sign in the place of witnesses that
 * are gone. */
static bool host_company(const struct gossip *g, const struct site *s, const struct member *m,
			 const struct evidence *e)
{
	bool early = !state_settled(g, s);

	for (size_t i = 0; i < s->count; i++) {
		const struct member *x = s->members[i];
		bool lives = x->state.status == HOST_UP || x->state.status == HOST_SILENT ||
			     (early && x->state.status == HOST_UNKNOWN);

		if (x != m && x->short_id != e->accusers[0] && lives && !member_goodbye(x) &&
		    standing_has_say(x))
			return true;
	}
	return false;
}

/* One alone is not believed at once because no other signer is known: where all start together, a link heals
 * or a second witness dies, whoever is heard would decide for all. It has to say so still when another had
 * the time to sign, and meanwhile the host must not have spoken. */
static bool host_waits(struct gossip *g, struct site *s, struct member *m, const struct evidence *e)
{
	if (e->against != 1 || e->signers != 1 || m->state.status == HOST_DARK) {
		m->lone_at = 0;
		return false;
	}
	if (m->lone_at == 0 || m->record_at > m->lone_at || m->answered_at > m->lone_at)
		m->lone_at = g->now;
	return defence_on(g, DEFENCE_TWO_WITNESSES) && host_company(g, s, m, e) &&
	       e->newest_against < m->lone_at + LONE_INTERVALS * rollcall_patience_ms(g, s) + LONE_MS;
}

static void host_judge_life(struct gossip *g, struct site *s, struct member *m, struct member *const *signers,
			    size_t count)
{
	if (m == g->self) {
		/* After a restart the last goodbye holds until own.c has spoken up. */
		if (!member_goodbye(m))
			host_set(g, m, HOST_UP, g->wall);
		return;
	}
	if (member_goodbye(m)) {
		host_set(g, m, m->goodbye_reason == GOODBYE_ASLEEP ? HOST_ASLEEP : HOST_STOPPED,
			 m->goodbye_received);
		return;
	}
	struct evidence e = evidence_of(g, s, m, signers, count);
	size_t most = defence_on(g, DEFENCE_TWO_WITNESSES) ? 2 : 1;
	size_t need = e.signers < most ? e.signers : most;
	bool direct = m->answered_at && g->now - m->answered_at < DIRECT_MS;

	if (e.prompt_for > m->vouched_at)
		m->vouched_at = e.prompt_for;
	if (e.seen > m->state.seen)
		m->state.seen = e.seen;
	bool may = state_settled(g, s) || host_known(g, m) || m->state.status == HOST_DARK;

	bool waits = host_waits(g, s, m, &e);

	if (need > 0 && e.against >= need && may && !waits) {
		host_dark(g, m, &e);
		return;
	}
	if (m->state.status == HOST_DARK && !host_cleared(m, &e))
		return;
	if (e.against > 0 && (e.against < need || waits))
		site_dispute(g, s, &e);
	if (s->state.status == SITE_SILENT && direct &&
	    (s->direct_end <= g->now || m->answered_at + DIRECT_MS < s->direct_end))
		s->direct_end = m->answered_at + DIRECT_MS;
	if (s->state.status == SITE_SILENT && !direct) {
		if (m->state.status == HOST_UP)
			host_set(g, m, HOST_SILENT, s->state.since);
		return;
	}
	if (host_vouched(m, &e))
		host_set(g, m, HOST_UP, g->wall);
}

/* Another host was enrolled later on the same hardware. While this one lives on, one of the two is a copy. */
static void host_succeeded(struct gossip *g, struct member *m)
{
	const struct member_certificate *c = member_certificate(m->successor, &m->successor->issuer);
	bool since = c && m->state.seen > c->arrived + DUPLICATE_MS;
	struct member *twin = since && m->state.status == HOST_UP ? m->successor : NULL;

	if (twin != m->duplicate_of) {
		m->duplicate_of = twin;
		m->successor->duplicate_of = twin ? m : NULL;
		standing_soon(g);
	}
	/* Whoever lived on beside the other was not replaced by it, however it ends: a certificate in advance
	 * must not turn a crash into a replacement. Nor does a host that was never there replace anybody. */
	if (since || m->state.status == HOST_UP || m->successor->state.seen == 0)
		return;
	m->state.replaced_by = m->successor->id;
	m->replaced_at = g->now;
	host_set(g, m, HOST_REPLACED, g->wall);
}

/* Precedence: left, replaced, then how it lives. */
static void host_judge(struct gossip *g, struct site *s, struct member *m, struct member *const *signers,
		       size_t count)
{
	bool replaced = m->state.status == HOST_REPLACED;

	if (m->retired) {
		host_set(g, m, HOST_LEFT, g->wall);
		return;
	}
	if (replaced && m->successor && m->record_at <= m->replaced_at && m->answered_at <= m->replaced_at) {
		m->state.replaced_by = m->successor->id;
		return;
	}
	if (replaced || m->state.status == HOST_LEFT) { /* it is back, or was so by mistake */
		m->state.replaced_by = (struct id){0};
		host_set(g, m, HOST_UNKNOWN, g->wall);
	}
	host_judge_life(g, s, m, signers, count);
	if (m->successor && m != g->self)
		host_succeeded(g, m);
	else if (m->duplicate_of && !m->successor && m->duplicate_of->successor != m)
		m->duplicate_of = NULL;
}

void state_barred(struct gossip *g, struct member *m)
{
	if (m->state.standing == STANDING_REVOKED)
		host_set(g, m, HOST_LEFT, g->wall);
	else if (m->state.status == HOST_UP || m->state.status == HOST_SILENT)
		host_set(g, m, HOST_UNKNOWN, g->wall);
}

/* All hosts of a stretch of time at once: the replica writes whole pages, and fewer of them when what changes
 * changes together. Each node has stretches of its own. */
static void host_save_seen(struct gossip *g, struct member *m)
{
	wall_ms stale = SEEN_SAVE_MS + g->members.count * SEEN_SAVE_HOST;
	wall_ms offset = id_short(&g->self->id) % stale;

	if ((m->state.seen + offset) / stale > (m->seen_saved + offset) / stale)
		core_host_state(g, m, false);
	if (m->state_queued)
		m->seen_saved = m->state.seen;
}

/* --- sites --- */

static void site_set(struct gossip *g, struct site *s, enum site_status status, wall_ms since)
{
	if (s->state.status == status)
		return;
	s->state.status = status;
	s->state.since = since;
	core_site_state(g, s, true);
}

static bool site_has_up(const struct site *s)
{
	for (size_t i = 0; i < s->count; i++) {
		enum host_status status = s->members[i]->state.status;

		if ((status == HOST_UP || status == HOST_SILENT) && !member_goodbye(s->members[i]))
			return true;
	}
	return false;
}

static void site_judge(struct gossip *g, struct site *s)
{
	mono_ms patience = SILENT_INTERVALS * rollcall_patience_ms(g, s);
	mono_ms heard = s->rollcall_at > g->hearing_at ? s->rollcall_at : g->hearing_at;

	if (s == g->self->site || (s->rollcall_at > g->hearing_at && g->now - s->rollcall_at < patience)) {
		if (s->state.status != SITE_REPORTING)
			site_set(g, s, SITE_REPORTING, g->wall);
	} else if (g->now - heard >= patience && site_has_up(s)) {
		site_set(g, s, SITE_SILENT, s->state.last_rollcall ? s->state.last_rollcall : g->wall);
	}
	if (s->state.last_rollcall > s->rollcall_saved + SITE_SAVE_MS) {
		s->rollcall_saved = s->state.last_rollcall;
		core_site_state(g, s, false);
	}
}

/* A site whose roll-calls stay away may be silent, or they were lost on the way to this node alone. */
static void site_ask(struct gossip *g, struct site *s)
{
	mono_ms interval = rollcall_patience_ms(g, s);
	bool dispute = g->now < s->dispute_end;

	if (!dispute && (s == g->self->site || s->cut || s->state.status != SITE_REPORTING))
		return;
	if (!dispute && s->ask_at < s->rollcall_at + interval * 3 / 2)
		s->ask_at = s->rollcall_at + interval * 3 / 2;
	if (g->now >= s->ask_at) {
		rollcall_ask(g, s);
		s->ask_at = g->now + core_jitter(g, interval / 6, 0.25);
	}
	core_deadline(g, s->ask_at);
}

/* The next moment at which something runs out. */
static mono_ms site_next(const struct gossip *g, const struct site *s)
{
	mono_ms interval = rollcall_patience_ms(g, s);
	mono_ms heard = s->rollcall_at > g->hearing_at ? s->rollcall_at : g->hearing_at;
	mono_ms next = UINT64_MAX;
	mono_ms ends[3] = {heard + SILENT_INTERVALS * interval, g->hearing_at + SILENT_INTERVALS * interval,
			   s->direct_end};

	for (size_t i = 0; i < 3; i++) {
		if (ends[i] > g->now && ends[i] < next)
			next = ends[i];
	}
	for (size_t i = 0; i < s->view_count; i++) {
		mono_ms end = s->views[i].received_at + rollcall_current_ms(g, s) + 1;

		if (end > g->now && end < next)
			next = end;
	}
	return next;
}

void state_site_changed(struct gossip *g, struct site *s)
{
	(void)g;
	s->stale = true;
}

void state_spoke(struct gossip *g, struct member *m)
{
	if (g->wall > m->state.seen)
		m->state.seen = g->wall;
	if (m->state.status != HOST_UP)
		state_host_changed(g, m);
}

/* Its word may decide about others: it signs for its site. */
static bool host_signs(const struct member *m)
{
	for (size_t i = 0; i < m->site->view_count; i++) {
		if (m->site->views[i].signer == m)
			return true;
	}
	return false;
}

void state_host_changed(struct gossip *g, struct member *m)
{
	struct site *s = m->site;

	if (s->stale || evidence_listed(m, s->due, s->due_count))
		return;
	if (s->due_count == SITE_DUE || (member_goodbye(m) && host_signs(m)))
		state_site_changed(g, s);
	else
		s->due[s->due_count++] = m;
}

/* One record judges one host: in a site of thousands the others are work for nothing. */
static void site_judge_due(struct gossip *g, struct site *s)
{
	struct member *signers[LIMIT_WITNESSES];
	enum site_status before = s->state.status;
	size_t count = state_signers(g, s, signers);

	for (size_t i = 0; i < s->due_count; i++) {
		struct member *m = s->due[i];

		if (m->site != s || !m->rostered)
			continue; /* it moved in this step: that changed both sites */
		host_judge(g, s, m, signers, count);
		host_save_seen(g, m);
	}
	s->due_count = 0;
	/* The first that is up may show that the site is silent. */
	site_judge(g, s);
	s->stale = s->state.status != before;
	s->judge_at = site_next(g, s);
}

static void site_judge_all(struct gossip *g, struct site *s)
{
	struct member *signers[LIMIT_WITNESSES];

	s->stale = false;
	s->due_count = 0;
	site_judge(g, s);
	size_t count = state_signers(g, s, signers);

	for (size_t i = 0; i < s->count; i++) {
		host_judge(g, s, s->members[i], signers, count);
		host_save_seen(g, s->members[i]);
	}
	s->judge_at = site_next(g, s);
}

void state_tick(struct gossip *g)
{
	/* Of all, before the first is judged: how long to wait for roll-calls follows from it. */
	size_t live = 0;

	for (size_t i = 0; i < g->members.site_count; i++)
		live += g->members.sites[i]->count > 0;
	g->members.site_live = live;
	for (size_t i = 0; i < g->members.site_count; i++) {
		struct site *s = g->members.sites[i];

		if (!s->stale && s->due_count > 0 && g->now < s->judge_at)
			site_judge_due(g, s);
		if (s->stale || g->now >= s->judge_at)
			site_judge_all(g, s);
		site_ask(g, s);
		if (s->judge_at != UINT64_MAX)
			core_deadline(g, s->judge_at);
	}
}

void state_leave(struct gossip *g, enum goodbye_reason reason)
{
	g->self->state.seen = g->wall;
	host_set(g, g->self, reason == GOODBYE_ASLEEP ? HOST_ASLEEP : HOST_STOPPED, g->wall);
}

enum err gossip_load_host_state(struct gossip *g, const struct host_state *state)
{
	struct member *m = member_find(g, &state->host);

	if (!m)
		return ERR_UNTRUSTED;
	m->state = *state;
	m->seen_saved = state->seen;
	/* Only what comes in from now on can contradict it. */
	if (state->status == HOST_DARK)
		m->accused_at = g->now;
	return ERR_OK;
}

enum err gossip_load_site_state(struct gossip *g, const struct site_state *state)
{
	struct site *s = site_find(g, &state->site);

	if (!s)
		return ERR_UNTRUSTED;
	wall_ms last =
	    s->state.last_rollcall > state->last_rollcall ? s->state.last_rollcall : state->last_rollcall;

	s->state = *state;
	s->state.last_rollcall = s->rollcall_saved = last;
	return ERR_OK;
}
