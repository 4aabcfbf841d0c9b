/* What insiders say about who is alive. */
#include <stdlib.h>
#include <string.h>

#include "tests/hostile/attacks.h"

#define HOSTS   8
#define SITES   2
#define TRIAL_S 30

/* Of the host of site-1 with this rank among its witnesses. */
static uint32_t ranked(const struct trial *t, uint32_t rank)
{
	uint32_t i = 1;
	while (i < t->w->node_count && trial_rank(t, i) != rank)
		i += t->w->site_count;
	CHECK(i < t->w->node_count);
	return i;
}

static void accuse(struct trial *t, struct actor *a, uint32_t victim)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	const struct node *accused = victim == UINT32_MAX ? NULL : &t->w->nodes[victim];
	size_t len = actor_rollcall(a, accused, ROLLCALL_NO_ANSWER, bytes);
	actor_push_all(a, bytes, len);
}

static bool anyone_calls(const struct trial *t, uint32_t host, enum host_status status)
{
	for (uint32_t i = 0; i < t->w->node_count; i++)
		if (trial_honest(t, i) && i != host && trial_status(t, i, host) == status)
			return true;
	return false;
}

/* One of the three witnesses of site-1 is the attacker's; the fourth host is the victim. */
static void one_witness(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 0), victim = ranked(t, 3);
	trial_begin(t, 1ull << thief);
	struct actor *a = actor_of(t, thief);
	actor_meet_all(a);
	for (int i = 0; i < TRIAL_S * 10 && !trial_over(t); i++) {
		if (i % 10 == 0)
			accuse(t, a, victim);
		trial_run(t, 100);
		trial_promise(t, t->w->false_dark == 0, "the word of one witness was enough");
	}
}

/* What the accused says to that goes through the whole estate. */
static void lone_accuser(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 0), victim = ranked(t, 3);
	trial_begin(t, 1ull << thief);
	struct actor *a = actor_of(t, thief);
	actor_meet_all(a);
	uint64_t before = trial_counters(t, victim).refutations;
	for (int i = 0; i < 2 * TRIAL_S && !trial_over(t); i++) {
		accuse(t, a, victim);
		trial_run(t, 1000);
	}
	uint64_t said = trial_counters(t, victim).refutations - before;
	trial_need(t, said > 0, "it was not accused");
	trial_promise(t, said <= 3, "%u answers in a minute to one who is alone with it", (unsigned)said);
	trial_promise(t, t->w->false_dark == 0, "the word of one witness was enough");
}

#define SIGNED 100

/* A host that is no witness: nobody reads what it signs for its site, but all would carry it. */
static void idle_signer(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 3), reader = ranked(t, 2);
	trial_begin(t, 1ull << thief);
	struct actor *a = actor_of(t, thief);
	actor_meet_all(a);
	uint64_t before = trial_counters(t, reader).records_accepted;
	for (int i = 0; i < SIGNED && !trial_over(t); i++) {
		accuse(t, a, UINT32_MAX);
		trial_run(t, 200);
	}
	uint64_t accepted = trial_counters(t, reader).records_accepted - before;
	trial_need(t, accepted > 15, "none of its roll-calls came in");
	/* Twenty at once, one each five seconds; and what honest hosts publish. */
	trial_promise(t, accepted <= 20 + SIGNED / 25 + 30, "%u of its roll-calls were carried on",
		      (unsigned)accepted);
}

#define DARK_AT_MOST_MS 2000

/* Two of the three lie together: that is believed until the accused speaks up. */
static void two_witnesses(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 0), helper = ranked(t, 1), victim = ranked(t, 3);
	trial_begin(t, 1ull << thief | 1ull << helper);
	struct actor *a = actor_of(t, thief), *b = actor_of(t, helper);
	actor_meet_all(a);
	actor_meet_all(b);
	bool ever = false;
	mono_ms dark_for = 0;
	for (int i = 0; i < TRIAL_S * 10 && !trial_over(t); i++) {
		if (i % 100 == 0) {
			accuse(t, a, victim);
			accuse(t, b, victim);
		}
		/* The lie arrives before the answer. */
		for (int step = 0; step < 50 && !trial_over(t); step++) {
			trial_run(t, 2);
			bool dark = anyone_calls(t, victim, HOST_DARK);
			ever |= dark;
			dark_for = dark ? dark_for + 2 : 0;
			trial_promise(t, dark_for <= DARK_AT_MOST_MS, "a live host is called dark for %u ms",
				      (unsigned)dark_for);
		}
	}
	trial_need(t, ever, "two witnesses were not believed");
}

#define SILENCED 24
#define SIGNERS  14 /* more than a node remembers of one site */

/* Attackers of one site who are no witnesses sign without end, so that nobody else's roll-calls count. */
static void sign_without_end(struct trial *t, uint64_t thieves, uint32_t victim)
{
	trial_begin(t, thieves);
	for (size_t i = 0; i < t->actor_count; i++)
		actor_meet_all(&t->actors[i]);
	/* Nobody is accused before honest signers had the time to be forgotten; till then they save up what
	 * is carried of them. */
	for (int i = 0; i < (TRIAL_S + 10) * 2 && !trial_over(t); i++) {
		bool accusing = i >= TRIAL_S * 2;
		for (size_t k = 0; k < t->actor_count && (accusing || i % 5 == 0); k++)
			accuse(t, &t->actors[k], accusing ? victim : UINT32_MAX);
		trial_run(t, 500);
		trial_promise(t, t->w->false_dark == 0, "who signed most was the only one to count");
	}
}

static void one_signs_on(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 0), honest = ranked(t, 1);
	trial_begin(t, 1ull << thief);
	actor_meet_all(actor_of(t, thief));
	uint64_t before = 0;
	for (int i = 0; i < TRIAL_S * 2 && !trial_over(t); i++) {
		if (i == TRIAL_S)
			before = trial_counters(t, honest).rollcalls_signed;
		accuse(t, actor_of(t, thief), i < TRIAL_S ? UINT32_MAX : ranked(t, 3));
		trial_run(t, 500);
		trial_promise(t, t->w->false_dark == 0, "who signed most was the only one to count");
	}
	/* Else the site would have but one witness, whom readers believe in the end. */
	trial_promise(t, trial_counters(t, honest).rollcalls_signed > before, "another witness was silenced");
}

static void crowd_signs_on(struct trial *t)
{
	uint64_t thieves = 0;
	uint32_t taken = 0, victim = 0;
	trial_world(t, SILENCED, 1);
	for (uint32_t i = 0; i < SILENCED; i++) {
		if (trial_rank(t, i) < LIMIT_WITNESSES)
			continue;
		victim = i;
		if (taken++ < SIGNERS)
			thieves |= 1ull << i;
	}
	sign_without_end(t, thieves, victim);
}

#define CROWD 16

/* Two hosts of one large site that are no witnesses sign as if they were, having chosen low ids. */
static void no_witnesses(struct trial *t)
{
	trial_world(t, CROWD, 1);
	uint32_t lowest[2] = {CROWD, CROWD}, victim = CROWD;
	for (int k = 0; k < 2; k++)
		for (uint32_t i = 0; i < CROWD; i++)
			if (trial_rank(t, i) >= LIMIT_WITNESSES && i != lowest[0] &&
			    (lowest[k] == CROWD ||
			     id_compare(&t->w->nodes[i].id, &t->w->nodes[lowest[k]].id) < 0))
				lowest[k] = i;
	for (uint32_t i = 0; i < CROWD; i++)
		if (trial_rank(t, i) >= LIMIT_WITNESSES && i != lowest[0] && i != lowest[1])
			victim = i;
	trial_begin(t, 1ull << lowest[0] | 1ull << lowest[1]);
	struct actor *a = actor_of(t, lowest[0]), *b = actor_of(t, lowest[1]);
	actor_meet_all(a);
	actor_meet_all(b);
	for (int i = 0; i < TRIAL_S * 10 && !trial_over(t); i++) {
		if (i % 10 == 0) {
			accuse(t, a, victim);
			accuse(t, b, victim);
		}
		trial_run(t, 100);
		trial_promise(t, t->w->false_dark == 0, "the word of no witness was enough");
	}
}

/* An issuer's key in the attacker's hands: keys are tried until they would rank first. */
static struct actor *sybil(struct trial *t, uint32_t number)
{
	const wall_day back_dated = clock_day(world_wall(t->w)) - 100;
	for (uint64_t i = 0;; i++) {
		struct identity *key = estate_identity(t->seed, (1ull << 32) + number * 1000000ull + i);
		bool first = true;
		for (uint32_t n = 1; n < t->w->node_count && first; n += t->w->site_count)
			first = trial_score(t, identity_id(key)) < trial_score(t, &t->w->nodes[n].id);
		struct address at = actor_address(number);
		if (first)
			return actor_enrol(t, t->w->estate.first_issuer, 1, back_dated, key, &at);
		identity_free(key);
	}
}

static void sybil_witnesses(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t victim = ranked(t, 3);
	trial_begin(t, 0);
	struct actor *sybils[2];
	for (uint32_t k = 0; k < 2; k++)
		actor_rightful(sybils[k] = sybil(t, k));
	for (uint32_t k = 0; k < 2; k++)
		actor_meet_all(sybils[k]);
	trial_run(t, 10000);
	for (int i = 0; i < TRIAL_S * 10 && !trial_over(t); i++) {
		for (uint32_t k = 0; k < 2 && i % 10 == 0; k++)
			accuse(t, sybils[k], victim);
		trial_run(t, 100);
		trial_promise(t, t->w->false_dark == 0, "two hosts enrolled today filled the witness seats");
	}
}

/* SUSPECT about everyone, to everyone. */
static void rumour(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	uint32_t thief = ranked(t, 3);
	trial_begin(t, 1ull << thief);
	struct actor *a = actor_of(t, thief);
	struct wire_suspect hint = {.count = 0};
	uint8_t message[WIRE_MESSAGE_BYTES];
	actor_meet_all(a);
	for (uint32_t i = 1; i < HOSTS; i += SITES)
		if (i != thief)
			hint.hosts[hint.count++] = t->w->nodes[i].id;
	size_t len = wire_suspect_encode(&hint, message);
	for (int i = 0; i < TRIAL_S * 10 && !trial_over(t); i++) {
		for (uint32_t n = 1; n < HOSTS; n += SITES)
			peer_say(a->peer, &t->w->nodes[n].id, WIRE_SUSPECT, message, len);
		trial_run(t, 100);
		trial_promise(t, t->w->false_dark == 0, "a rumour made a host dark");
	}
}

/* An insider has another probe all others for it, again and again. */
#define ERRAND_S 20

static void errands(struct trial *t)
{
	trial_world(t, HOSTS * 2, SITES);
	uint32_t thief = 2 * HOSTS - 1, hit = 1;
	trial_begin(t, 1ull << thief);
	struct actor *a = actor_of(t, thief);
	uint8_t message[WIRE_MESSAGE_BYTES];
	actor_meet(a, hit);
	uint64_t before = trial_counters(t, hit).probes_out;
	for (int i = 0; i < ERRAND_S * 10 && !trial_over(t); i++) {
		for (uint32_t n = hit + SITES; n < thief; n += SITES) {
			struct wire_ping_req request = {.target = t->w->nodes[n].id};
			peer_say(a->peer, &t->w->nodes[hit].id, WIRE_PING_REQ, message,
				 wire_ping_req_encode(&request, message));
		}
		trial_run(t, 100);
	}
	uint64_t probes = trial_counters(t, hit).probes_out - before;
	/* docs/protocol.md section 9: 33 names at once, then one each 0.3 s; and its own probes. */
	trial_promise(t, probes <= 33 + ERRAND_S * 10 / 3 + ERRAND_S * 4,
		      "%u probes in %u s on another's behalf", (unsigned)probes, ERRAND_S);
	trial_need(t, peer_heard(a->peer, WIRE_PING_ACK) > 0, "nobody was probed for it");
}

/* --- answers of the dead --- */

#define KEPT          512
#define LATE_ROUNDS   10
#define LATE_EVERY_MS 2000

struct kept {
	struct trial *t;
	uint32_t victim;
	size_t count, next[HOSTS];
	struct {
		uint32_t to;
		size_t len;
		uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	} acks[KEPT];
};

static void keep_acks(struct trial *t, const struct address *from, const struct address *to,
		      const uint8_t *bytes, size_t len)
{
	struct kept *k = t->context;
	if (bytes[1] != WIRE_ACK || k->count == KEPT || !address_equal(from, &t->w->nodes[k->victim].address))
		return;
	for (uint32_t i = 0; i < HOSTS; i++) {
		if (!address_equal(to, &t->w->nodes[i].address))
			continue;
		k->acks[k->count].to = i;
		k->acks[k->count].len = len;
		memcpy(k->acks[k->count++].bytes, bytes, len);
	}
}

/* One to each who waits for it; false when there are none left. */
static bool let_go(struct kept *k)
{
	bool any = false;
	for (uint32_t to = 0; to < HOSTS; to++) {
		size_t *i = &k->next[to];
		while (*i < k->count && k->acks[*i].to != to)
			(*i)++;
		if (*i == k->count)
			continue;
		const struct node *victim = &k->t->w->nodes[k->victim];
		net_inject(k->t->w, &victim->address, to, k->acks[*i].bytes, k->acks[*i].len, 1);
		(*i)++;
		any = true;
	}
	return any;
}

/* Somebody on the wire holds back what a host answers, and lets it go when the host is dead. */
static void late_answers(struct trial *t)
{
	struct kept *k = sim_alloc(1, sizeof(*k));
	trial_world(t, HOSTS, SITES);
	k->t = t;
	k->victim = ranked(t, 3);
	struct node *victim = &t->w->nodes[k->victim];
	trial_begin(t, 0);
	t->context = k;
	/* Now and then for so short that nobody calls it dark. */
	for (int round = 0; round < 6; round++) {
		t->tap = keep_acks;
		for (uint32_t i = 1; i < HOSTS; i += SITES)
			net_link(t->w, victim->index, i, 1, 0);
		trial_run(t, 4000);
		t->tap = NULL;
		for (uint32_t i = 1; i < HOSTS; i += SITES)
			net_link(t->w, victim->index, i, 0, 0);
		trial_run(t, 10000);
	}
	trial_need(t, t->w->false_dark == 0, "it was called dark before it died");
	if (!trial_over(t))
		node_crash(t->w, victim, false);
	for (int i = 0; i < LATE_ROUNDS && !trial_over(t); i++) {
		trial_need(t, let_go(k), "only %zu answers were kept back", k->count);
		trial_run(t, LATE_EVERY_MS);
	}
	for (uint32_t i = 0; i < HOSTS; i++)
		trial_promise(t, i == k->victim || trial_status(t, i, k->victim) == HOST_DARK,
			      "host %u calls a host %s that died 20 s ago", i,
			      host_status_name(trial_status(t, i, k->victim)));
	free(k);
}

const struct attack attacks_liveness[] = {
    {"one_witness", "one witness says that a live host does not answer", "nobody calls it dark",
     DEFENCE_TWO_WITNESSES, one_witness},
    {"lone_accuser", "one of three witnesses accuses a live host each second, without end",
     "three answers in a minute at most go through the estate, and nobody calls it dark",
     DEFENCE_LONE_ACCUSER, lone_accuser},
    {"idle_signer", "a host that is no witness signs roll-calls without end",
     "they count as its records: 20, and one each 5 seconds", DEFENCE_IDLE_SIGNER, idle_signer},
    {"two_witnesses", "two of three witnesses say it together", "nobody calls it dark for more than 2 s",
     DEFENCE_REFUTATION, two_witnesses},
    {"no_witnesses", "two hosts that are no witnesses sign roll-calls, with low ids that they chose",
     "nobody calls the accused dark", DEFENCE_RANKED_SIGNERS, no_witnesses},
    {"one_signs_on", "one witness signs without end, so that the others' turn never comes, then accuses",
     "nobody calls the accused dark", DEFENCE_ROLLCALL_TURN, one_signs_on},
    {"crowd_signs_on",
     "14 hosts that are no witnesses sign without end, more than a node remembers, then accuse",
     "nobody calls the accused dark", DEFENCE_VIEW_ROOM, crowd_signs_on},
    {"sybil_witnesses",
     "a stolen issuer enrols two hosts, as of months ago, whose keys would rank first, and they accuse",
     "nobody calls the accused dark", DEFENCE_SENIORITY, sybil_witnesses},
    {"rumour", "an insider tells all witnesses that everyone is suspected", "nobody is called dark",
     DEFENCE_OWN_PROBES, rumour},
    {"errands", "an insider asks a host 70 times a second to probe others for it",
     "about three a second of these probes are made", DEFENCE_HEARSAY, errands},
    {"late_answers", "somebody on the wire keeps the answers of a host and delivers them after its death",
     "the host is dark within 20 s", DEFENCE_ECHO, late_answers},
    {0},
};
