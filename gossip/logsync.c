/* The authority log: whoever has more is asked for the rest. Entries prove themselves, so they may come from
 * anyone, also under the hello key, before the two trust each other.
 *
 * Happy path: a head that the own log has not gone through shows up (PING, ACK, hello); LOG_PULL asks from
 * the first entry that may be missing; LOG_ENTRIES brings them in order, all branches of a forked log; each
 * is checked by authlog_offer and queued for the disk; who else is about is PINGed at once, which shows them
 * the new head. Until the log is level, or did not come in time, records of that peer wait.
 * Fails: what is lost is asked for again, a few times, then when the head shows up again, and not of one who
 * just failed to make it good. An entry whose predecessor is missing: again from the beginning, once. What
 * the log has no room for waits in a run of that peer's own for a rotation that stands on it: so a rotation
 * comes through whatever a thief filled the log with, and no other peer can be in its way. Under the hello
 * key the request is padded, so that the answer is not larger. */
#include <stdlib.h>

#include "gossip/allow.h"
#include "gossip/blob.h"
#include "gossip/core.h"
#include "gossip/logsync.h"

#define ASK_MS      1000
#define RETRY_MS    400
#define TRIES_MAX   5
#define VAIN_MS     30000 /* before who was asked in vain is asked again */
#define WAIT_MS     1000  /* at most, for which records wait for the log */
#define BACK        16    /* entries before the own last at which a fork is looked for first */
#define ANSWERS_MAX 8     /* datagrams in answer to one, to a proven peer */
#define TELL_MS     200   /* while more is coming */
#define AGAIN_MS    1000
#define TELL_MAX    20
#define RUN_MS      5000 /* for which a run is kept while nothing comes */

struct ask {
	uint64_t nonce;   /* of the last LOG_PULL */
	mono_ms asked_at; /* valid when asked */
	bool asked;
	struct authlog_head wanted;
	struct member *peer, *other; /* asked; named the like in the meantime, or NULL */
	struct address from;
	uint32_t first;   /* index asked for */
	uint32_t last;    /* highest index that came for it */
	uint32_t answers; /* datagrams that came for it */
	unsigned tries;
	bool from_start;
	struct authlog_run run; /* came, and was refused for now */
};

struct logsync {
	struct ask peer, stranger; /* apart, so that strangers are in no peer's way */
	struct authlog_run local;  /* of what the administrator hands in */
	mono_ms tell_at;           /* 0: nothing new */
	bool told;                 /* once; what was lost is told again */
};

enum err logsync_init(struct gossip *g)
{
	g->logsync = calloc(1, sizeof *g->logsync);
	return g->logsync == NULL ? ERR_NOMEM : ERR_OK;
}

void logsync_free(struct gossip *g)
{
	if (g->logsync != NULL) {
		authlog_run_clear(&g->logsync->peer.run);
		authlog_run_clear(&g->logsync->stranger.run);
		authlog_run_clear(&g->logsync->local);
	}
	free(g->logsync);
	g->logsync = NULL;
}

static struct ask *ask_of(struct gossip *g, const struct member *m)
{
	return m != NULL ? &g->logsync->peer : &g->logsync->stranger;
}

static uint32_t entry_index(const uint8_t *entry)
{
	struct reader r = reader_of(entry + 4, 4);
	return reader_u32(&r);
}

/* --- asking --- */

static void ask(struct gossip *g, struct ask *l, uint32_t first)
{
	struct member *m = l->peer;
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t len = wire_log_pull_encode(first, m == NULL, message);
	uint64_t nonce = 0;
	bool sent = m != NULL ? core_send(g, m, WIRE_LOG_PULL, message, len, &nonce)
			      : core_send_hello(g, &l->from, WIRE_LOG_PULL, message, len, &nonce);
	l->asked = sent;
	if (!sent)
		return;
	l->nonce = nonce;
	l->asked_at = g->now;
	l->first = l->last = first;
	l->answers = 0;
	if (m != NULL) {
		m->log_asked_at = g->now;
		m->log_until = g->now + WAIT_MS;
		core_deadline(g, g->now + RETRY_MS);
	}
}

/* For another head. What came of the same peer stays. */
static void begin(struct ask *l, struct authlog_head wanted, struct member *m, const struct address *from)
{
	struct authlog_run run = l->run;
	if (l->peer != m || !address_equal(&l->from, from))
		authlog_run_clear(&run);
	*l = (struct ask){.wanted = wanted, .peer = m, .from = *from, .run = run};
}

void logsync_on_head(struct gossip *g, struct member *m, const struct address *from, struct authlog_head head)
{
	struct ask *l = ask_of(g, m);
	uint32_t own = authlog_head(g->log).index;
	if (authlog_knows_head(g->log, head)) {
		if (m != NULL)
			m->log_until = 0;
		return;
	}
	if (head.index >= LIMIT_LOG_ENTRIES)
		return;
	/* A head is only a claim: one that was not made good must not keep honest ones from being asked. */
	if (m != NULL && m->log_asked_at != 0 && g->now < m->log_asked_at + VAIN_MS &&
	    defence_on(g, DEFENCE_LOG_CLAIM))
		return;
	if (l->asked && g->now < l->asked_at + ASK_MS) {
		if (m != NULL && m != l->peer && defence_on(g, DEFENCE_LOG_CLAIM)) {
			l->other = m;
			m->log_until = l->asked_at + WAIT_MS;
		}
		return;
	}
	begin(l, head, m, from);
	if (head.index > own && !authlog_forked(g->log))
		ask(g, l, own + 1);
	else
		ask(g, l, head.index > BACK ? head.index - BACK : 1);
}

void logsync_on_silence(struct gossip *g, const struct address *to)
{
	/* No head is known: any entry behind the own last is news. To one who is revoked so may others be: a
	 * rotation takes the head back. */
	struct ask *l = &g->logsync->stranger;
	struct authlog_head unknown = {.index = authlog_head(g->log).index + 1};
	if (g->self->state.standing != STANDING_REVOKED) {
		logsync_on_head(g, NULL, to, unknown);
	} else if (!l->asked || g->now >= l->asked_at + ASK_MS) {
		begin(l, unknown, NULL, to);
		l->from_start = true;
		ask(g, l, 1);
	}
}

bool logsync_waits(const struct gossip *g, const struct member *m)
{
	return g->now < m->log_until;
}

/* --- telling --- */

static void tell(struct gossip *g)
{
	struct member *peers[EDGE_PEERS_MAX];
	size_t fanout = 3;
	for (size_t n = g->self->site->count; n > 1; n /= 2)
		fanout++;
	size_t count = member_pick(g, NULL, fanout < TELL_MAX ? fanout : TELL_MAX, peers);
	for (size_t i = 0; i < count; i++)
		probe_ping(g, peers[i]);
	count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		probe_ping(g, peers[i]);
}

static void expire(const struct gossip *g, struct ask *l)
{
	if (l->run.count > 0 && g->now >= l->asked_at + RUN_MS)
		authlog_run_clear(&l->run);
}

void logsync_tick(struct gossip *g)
{
	struct logsync *s = g->logsync;
	struct ask *l = &s->peer;
	if (l->asked && g->now >= l->asked_at + RETRY_MS && l->tries < TRIES_MAX) {
		struct member *m = l->peer;
		l->tries++;
		if (l->other != NULL) {
			l->peer = l->other;
			l->other = m;
			authlog_run_clear(&l->run);
		}
		uint32_t own = authlog_head(g->log).index;
		ask(g, l, l->first > 1 && l->wanted.index > own && own >= l->first ? own + 1 : l->first);
	} else if (l->asked && l->tries < TRIES_MAX) {
		core_deadline(g, l->asked_at + RETRY_MS);
	}
	expire(g, &s->peer);
	expire(g, &s->stranger);
	if (s->tell_at != 0 && g->now >= s->tell_at) {
		tell(g);
		s->tell_at = s->told ? 0 : g->now + AGAIN_MS;
		s->told = true;
	}
	if (s->tell_at != 0)
		core_deadline(g, s->tell_at);
}

static void grown(struct gossip *g, struct member *from, bool more)
{
	g->logsync->tell_at = g->now + (more ? TELL_MS : 0);
	g->logsync->told = false;
	allow_refresh(g, from);
	core_on_log(g);
}

/* --- answering --- */

static void on_pull(struct gossip *g, struct member *m, const struct address *from, const struct datagram *d)
{
	uint32_t first;
	if (wire_log_pull_decode(d->message, d->len, m == NULL, &first) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	size_t len, place = 0, answers = m == NULL ? 1 : ANSWERS_MAX;
	/* An unforked log has each index once, at its place. */
	const uint8_t *entry = authlog_forked(g->log) ? authlog_entry(g->log, 0, &len) : NULL;
	if (entry == NULL)
		place = first;
	while (entry != NULL && entry_index(entry) < first)
		entry = authlog_entry(g->log, ++place, &len);
	while (answers-- > 0 && (entry = authlog_entry(g->log, place, &len)) != NULL) {
		struct wire_pack pack;
		wire_pack_log(&pack, d->nonce, entry_index(entry));
		while (entry != NULL && wire_pack_add(&pack, entry, len))
			entry = authlog_entry(g->log, ++place, &len);
		if (m != NULL)
			core_send(g, m, WIRE_LOG_ENTRIES, pack.bytes, pack.len, NULL);
		else
			core_send_hello(g, from, WIRE_LOG_ENTRIES, pack.bytes, pack.len, NULL);
	}
}

/* --- what comes --- */

static enum err append(struct gossip *g, struct ask *l, const struct wire_items *items, bool *ret_grown)
{
	*ret_grown = false;
	for (size_t i = 0; i < items->count; i++) {
		const struct wire_item *item = &items->items[i];
		enum err err = authlog_offer(g->log, &l->run, item->bytes, item->len);
		bool waits = err == ERR_UNTRUSTED || err == ERR_LIMIT;
		if (err != ERR_OK && err != ERR_EXISTS && !waits)
			return err;
		if (entry_index(item->bytes) > l->last)
			l->last = entry_index(item->bytes);
		if (err != ERR_OK)
			continue;
		/* Not on disk for lack of room: asked for again after a restart. */
		core_log_entry(g, item->bytes, item->len);
		*ret_grown = true;
	}
	return ERR_OK;
}

/* The next page; from the beginning where the first entry asked for stands on one that is not here. */
static void go_on(struct gossip *g, struct ask *l, enum err err, uint32_t came)
{
	l->tries = 0;
	if (err == ERR_STALE && l->first > 1 && came <= l->first && !l->from_start) {
		l->from_start = true;
		ask(g, l, 1);
	} else if (err == ERR_OK && l->last > l->first && (l->peer == NULL || l->answers == ANSWERS_MAX)) {
		ask(g, l, l->last);
	} else if (err == ERR_OK && l->last == l->first && l->peer == NULL) {
		ask(g, l, l->last + 1);
	}
}

static void on_entries(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct ask *l = ask_of(g, m);
	struct wire_items items;
	bool more;
	if (wire_items_decode(WIRE_LOG_ENTRIES, d->message, d->len, &items) != ERR_OK || !l->asked ||
	    items.echo != l->nonce) {
		g->counters.dropped_schema++;
		return;
	}
	/* Our nonce went there. */
	if (address_equal(&l->from, &g->asker))
		g->asker_left = SIZE_MAX;
	l->answers++;
	enum err err = append(g, l, &items, &more);
	bool level = authlog_knows_head(g->log, l->wanted);
	if (level) {
		l->asked = false;
		authlog_run_clear(&l->run);
	} else {
		go_on(g, l, err, items.first);
	}
	if (m != NULL && (more || level))
		m->log_asked_at = 0;
	if (m != NULL && level)
		m->log_until = 0;
	if (level && l->other != NULL)
		l->other->log_until = 0;
	if (more)
		grown(g, m, !level);
}

enum err logsync_local(struct gossip *g, const uint8_t *bytes, size_t len)
{
	if (len > 0 && bytes[0] == 1)
		return blob_hand_in(g, bytes, len);
	enum err err = authlog_offer(g->log, &g->logsync->local, bytes, len);
	if (err != ERR_OK)
		return err;
	core_log_entry(g, bytes, len);
	grown(g, NULL, false);
	return ERR_OK;
}

void logsync_on_message(struct gossip *g, struct member *m, const struct address *from,
			const struct datagram *d)
{
	if (d->type == WIRE_LOG_PULL)
		on_pull(g, m, from, d);
	else
		on_entries(g, m, d);
}
