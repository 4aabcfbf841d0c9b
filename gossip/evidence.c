/* What the current signers of a site say about a host, and what of it still counts (docs/protocol.md section
 * 9). */
#include "gossip/evidence.h"

#include "gossip/standing.h"

bool evidence_listed(const struct member *m, struct member *const *members, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (members[i] == m)
			return true;
	}
	return false;
}

static bool view_current(const struct gossip *g, const struct site *s, const struct rollcall_view *v)
{
	return v->received_at != 0 && g->now - v->received_at <= rollcall_current_ms(g, s) &&
	       !member_goodbye(v->signer);
}

size_t state_signers(struct gossip *g, struct site *s, struct member *ret[LIMIT_WITNESSES])
{
	size_t count = 0;

	witness_scores(g, s);
	for (size_t i = 0; i < s->view_count; i++) {
		struct member *m = s->views[i].signer;

		if (m->site == s && m->rostered && standing_has_say(m) && view_current(g, s, &s->views[i]) &&
		    !evidence_listed(m, ret, count))
			count = witness_place(g, m, ret, count);
	}
	return count;
}

bool evidence_may_sign(struct gossip *g, struct site *s, const struct member *m)
{
	struct member *signers[LIMIT_WITNESSES];
	size_t count = state_signers(g, s, signers);

	return count < LIMIT_WITNESSES || evidence_listed(m, signers, count) ||
	       m->score < signers[count - 1]->score || !defence_on(g, DEFENCE_RANKED_SIGNERS);
}

/* The host answered the statement by name: it lived when it heard it. */
static bool statement_refuted(const struct member *m, const struct rollcall_view *v)
{
	for (size_t i = 0; i < m->refuted_count; i++) {
		if (m->refuted[i].signer == v->signer->short_id && m->refuted[i].seq >= v->seq)
			return true;
	}
	return false;
}

bool state_void(const struct member *m, const struct rollcall_view *v)
{
	return m->record_at > v->received_at || m->answered_at > v->received_at || statement_refuted(m, v);
}

static wall_ms no_answer_since(const struct rollcall_view *v, size_t index)
{
	for (size_t i = 0; i < v->no_answer_count; i++) {
		if (v->no_answer[i].index == index)
			return v->no_answer[i].since_s * CLOCK_SECOND_MS;
	}
	return 0;
}

static void evidence_add(struct site *s, const struct rollcall_view *v, const struct member *m,
			 struct evidence *e)
{
	enum rollcall_state said = rollcall_says(s, v, m);

	if (said == ROLLCALL_ANSWERS) {
		if (v->received_at > e->newest_for)
			e->newest_for = v->received_at;
		if (v->prompt && v->received_at > e->prompt_for)
			e->prompt_for = v->received_at;
		if (v->received > e->seen)
			e->seen = v->received;
	}
	if (said != ROLLCALL_NO_ANSWER || !v->prompt || m->record_at > v->received_at ||
	    m->answered_at > v->received_at)
		return;
	if (statement_refuted(m, v)) {
		e->refuted = true;
		return;
	}
	e->accusers[e->against++] = v->signer->short_id;
	if (v->received_at >= e->newest_against) {
		e->newest_against = v->received_at;
		e->since = no_answer_since(v, roster_index(s, v->roster_hash, v->roster_count, m));
	}
}

struct evidence evidence_of(struct gossip *g, struct site *s, const struct member *m,
			    struct member *const *signers, size_t count)
{
	struct evidence e = {0};

	for (size_t i = 0; i < count; i++) {
		if (signers[i] == m) {
			/* In a site of one nobody else can say that it is there. */
			if (m->state.status != HOST_DARK)
				e.newest_for = s->rollcall_at;
			continue;
		}
		e.signers++;
		for (size_t j = 0; j < s->view_count; j++) {
			const struct rollcall_view *v = &s->views[j];

			if (v->signer == signers[i] && view_current(g, s, v))
				evidence_add(s, v, m, &e);
		}
	}
	return e;
}
