/* Pulling records, and answering those who pull.
 *
 * Happy path: ids that are missing go into a bounded table and are asked of the peer that named them, a
 * window at a time; RECORDS brings them, more are asked. The other side keeps nothing: it reads the records,
 * packs what comes back into datagrams, certificates first, and sends them. Fails: what does not come within
 * a second is asked again, of another peer that named it if there is one, and given up after a few tries;
 * what the table has no room for, a later walk names again. */
#include <stdlib.h>

#include "gossip/pace.h"
#include "gossip/spread.h"

#define RETRY_NEAR_MS  250  /* inside the site; doubles from the third try on */
#define RETRY_FAR_MS   1000 /* across an edge */
#define TRIES_MAX      5
#define WINDOW         96 /* ids asked of one peer and not come yet */
#define VAIN_STEP      2  /* for what did not come; 1 is taken off for what came */
#define PULLS_AT_FIRST 64
#define READ_LAST      1u /* core_read.note: the answer is complete */
#define READ_CLASS     8  /* bit of core_read.note from which on the class is */
/* A full window, over IPv6. */
#define PULL_MOST_BYTES (1 + 8 * WINDOW + DATAGRAM_HEADER_BYTES + DATAGRAM_TAG_BYTES + 48)

void pull_free(struct spread *s)
{
	free(s->pulls);
	free(s->answer);
}

/* --- asking --- */

static struct pull *find(struct spread *s, uint64_t id)
{
	for (size_t i = 0; i < s->pull_count; i++)
		if (s->pulls[i].id == id)
			return &s->pulls[i];
	return NULL;
}

static void drop(struct spread *s, struct pull *p)
{
	s->catching_up -= p->catch_up;
	*p = s->pulls[--s->pull_count];
	if (s->pull_count == 0 && s->pull_cap > PULLS_AT_FIRST) {
		free(s->pulls);
		s->pulls = NULL;
		s->pull_cap = 0;
	}
}

void pull_arrived(struct gossip *g, uint64_t id)
{
	struct pull *p = find(g->spread, id);
	if (p != NULL)
		drop(g->spread, p);
}

static mono_ms patience(const struct gossip *g, const struct pull *p)
{
	mono_ms ms = p->peer->site == g->self->site ? RETRY_NEAR_MS : RETRY_FAR_MS;
	mono_ms trips = 4ull * p->peer->rtt_ms;
	return (trips > ms && trips < 4 * RETRY_FAR_MS ? trips : ms) << (p->tries > 1 ? p->tries - 1u : 0);
}

static size_t named_by(const struct spread *s, const struct member *m)
{
	size_t count = 0;
	for (size_t i = 0; i < s->pull_count; i++)
		count += s->pulls[i].peer == m;
	return count;
}

/* In a full table whoever named more gives way to `m`, or one who names what nobody has would own it. */
static void make_room(struct gossip *g, const struct member *m)
{
	struct spread *s = g->spread;
	struct pull *victim = &s->pulls[prng_below(&g->prng, s->pull_count)];
	if (victim->peer != m && named_by(s, victim->peer) > named_by(s, m))
		drop(s, victim);
}

static bool add(struct gossip *g, const struct pull *p)
{
	struct spread *s = g->spread;
	if (s->pull_count == LIMIT_PULLS && defence_on(g, DEFENCE_PULL_ROOM))
		make_room(g, p->peer);
	if (s->pull_count == s->pull_cap) {
		size_t cap = s->pull_cap == 0 ? PULLS_AT_FIRST : s->pull_cap * 2;
		struct pull *pulls = cap > LIMIT_PULLS ? NULL : realloc(s->pulls, cap * sizeof *pulls);
		if (pulls == NULL)
			return false;
		s->pulls = pulls;
		s->pull_cap = cap;
	}
	if (s->pull_count == 0 || g->now + patience(g, p) < s->expire_at)
		s->expire_at = g->now + patience(g, p);
	s->pulls[s->pull_count++] = *p;
	s->catching_up += p->catch_up;
	return true;
}

static bool catches_up(const struct spread *s, const struct member *m)
{
	for (size_t i = 0; i < s->pull_count; i++)
		if (s->pulls[i].peer == m && !s->pulls[i].asked)
			return s->pulls[i].catch_up;
	return false;
}

/* Ask `m` for what is queued for it, as far as its window allows; not in dribbles. */
static void pump(struct gossip *g, struct member *m)
{
	struct spread *s = g->spread;
	struct wire_ids ids = {0};
	size_t outstanding = 0;
	for (size_t i = 0; i < s->pull_count; i++)
		outstanding += s->pulls[i].peer == m && s->pulls[i].asked;
	if (outstanding > WINDOW / 2)
		return;
	enum gossip_class c = catches_up(s, m) ? GOSSIP_CLASS_CATCH_UP : budget_pull_class(g);
	if (!budget_allows(g, c, PULL_MOST_BYTES)) {
		g->counters.held_back[c]++;
		return; /* until `expire` comes by */
	}
	for (size_t i = 0; i < s->pull_count && outstanding < WINDOW; i++) {
		struct pull *p = &s->pulls[i];
		if (p->peer != m || p->asked)
			continue;
		p->asked = true;
		p->at = g->now;
		ids.ids[ids.count++] = p->id;
		outstanding++;
	}
	if (ids.count == 0)
		return;
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (core_send_as(g, m, c, WIRE_PULL, message, wire_ids_encode(&ids, message), NULL))
		g->counters.pulls_out++;
}

/* It names what it does not hand over: asked last. One lost datagram does not make it so. */
static bool unreliable(const struct gossip *g, const struct member *m)
{
	return m->pull_vain >= PULL_VAIN_MOST && defence_on(g, DEFENCE_PULL_ELSEWHERE);
}

static void named_again(struct gossip *g, struct pull *p, struct member *m)
{
	if (p->peer == m)
		return;
	if (unreliable(g, p->peer) && !unreliable(g, m)) {
		p->other = p->peer;
		p->peer = m;
		p->asked = false;
		p->at = g->now;
	} else if (p->other == NULL || unreliable(g, p->other) || !unreliable(g, m)) {
		p->other = m;
	}
}

void pull_want(struct gossip *g, struct member *m, const uint64_t *ids, size_t count, bool catch_up)
{
	for (size_t i = 0; i < count; i++) {
		if (spread_knows(g, ids[i]))
			continue;
		struct pull *p = find(g->spread, ids[i]);
		if (p != NULL) {
			named_again(g, p, m);
			continue;
		}
		struct pull wanted = {.id = ids[i], .peer = m, .at = g->now, .catch_up = catch_up};
		if (!add(g, &wanted))
			break;
	}
	pump(g, m);
}

/* Ask elsewhere or give up. True when it is still wanted. */
static bool retry(struct gossip *g, struct pull *p)
{
	if (!p->asked && member_reachable(g, p->peer)) { /* the budget did not allow it yet */
		p->at = g->now;
		return true;
	}
	if (p->asked && p->peer->pull_vain <= UINT8_MAX - VAIN_STEP)
		p->peer->pull_vain = (uint8_t)(p->peer->pull_vain + VAIN_STEP);
	if (++p->tries >= TRIES_MAX || (p->other == NULL && !member_reachable(g, p->peer)))
		return false;
	if (p->other != NULL && defence_on(g, DEFENCE_PULL_ELSEWHERE)) {
		struct member *other = p->other;
		p->other = p->peer;
		p->peer = other;
	}
	p->asked = false;
	p->at = g->now;
	return true;
}

static void expire(struct gossip *g)
{
	struct spread *s = g->spread;
	struct member *peers[16];
	size_t peer_count = 0;
	mono_ms next = g->now + RETRY_FAR_MS;
	for (size_t i = 0; i < s->pull_count;) {
		struct pull *p = &s->pulls[i];
		mono_ms until = p->at + patience(g, p);
		if (until > g->now) {
			next = until < next ? until : next;
			i++;
			continue;
		}
		if (!retry(g, p)) {
			g->counters.pulls_given_up++;
			drop(s, p);
			continue;
		}
		until = g->now + patience(g, p);
		next = until < next ? until : next;
		size_t at = 0;
		while (at < peer_count && peers[at] != p->peer)
			at++;
		if (at == peer_count && peer_count < sizeof peers / sizeof peers[0])
			peers[peer_count++] = p->peer;
		i++;
	}
	s->expire_at = next;
	for (size_t i = 0; i < peer_count; i++)
		pump(g, peers[i]);
}

void pull_tick(struct gossip *g)
{
	struct spread *s = g->spread;
	if (s->pull_count > 0 && s->expire_at <= g->now)
		expire(g);
	if (s->pull_count > 0)
		core_deadline(g, s->expire_at);
}

static void accept_item(struct gossip *g, struct member *m, const struct wire_item *item)
{
	struct spread *s = g->spread;
	uint64_t id = record_id(g->keys.set_key, item->bytes, item->len);
	const struct pull *p = find(s, id);
	s->quiet = p != NULL && p->catch_up;
	enum err err = core_accept_record(g, item->bytes, item->len, m, CORE_HOPS_PULLED);
	s->progress |= s->quiet && err == ERR_OK;
	if (s->quiet && err == ERR_OK)
		pace_fruit(g, m);
	s->quiet = false;
	spread_refused(g, id, err);
	if (p != NULL && m->pull_vain > 0)
		m->pull_vain--;
	if (err != ERR_LIMIT && err != ERR_NOMEM)
		pull_arrived(g, id);
}

void pull_on_records(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct spread *s = g->spread;
	struct wire_items items;
	if (wire_items_decode(WIRE_RECORDS, d->message, d->len, &items) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	bool catching_up = s->catching_up > 0;
	for (size_t i = 0; i < items.count; i++) {
		g->counters.payloads_in++;
		g->counters.far_payloads_in += m->site != g->self->site;
		g->counters.payload_bytes_in += items.items[i].len;
		accept_item(g, m, &items.items[i]);
	}
	if (catching_up && s->catching_up == 0 && s->progress) {
		s->progress = false;
		sync_drained(g, m);
	}
	pump(g, m);
}

/* --- answering --- */

static void answer_send(struct gossip *g)
{
	struct spread *s = g->spread;
	if (s->answer_to != NULL && s->answer->count > 0)
		core_send_as(g, s->answer_to, s->answer_class, WIRE_RECORDS, s->answer->bytes, s->answer->len,
			     NULL);
	s->answer_to = NULL;
}

static void answer_add(struct gossip *g, struct member *to, enum gossip_class c, uint64_t echo,
		       const uint8_t *bytes, size_t len)
{
	struct spread *s = g->spread;
	if (s->answer == NULL)
		s->answer = malloc(sizeof *s->answer);
	if (s->answer == NULL)
		return;
	if (s->answer_to != to || s->answer_echo != echo)
		answer_send(g);
	if (s->answer_to == to && wire_pack_add(s->answer, bytes, len))
		return;
	answer_send(g);
	s->answer_to = to;
	s->answer_echo = echo;
	s->answer_class = c;
	wire_pack_records(s->answer, echo);
	(void)wire_pack_add(s->answer, bytes, len); /* one fits: wire_items.c asserts it */
}

static void on_read(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	struct set_entry e;
	if (bytes != NULL && len > 0 && len <= LIMIT_RECORD_BYTES &&
	    record_id(g->keys.set_key, bytes, len) == read->id) {
		answer_add(g, read->to, (enum gossip_class)(read->note >> READ_CLASS), read->echo, bytes,
			   len);
	} else if (bytes == NULL && set_find(g->set, &read->key, &e) && e.id == read->id) {
		/* Its row was lost: forget it, so that the walk brings it back. */
		set_remove(g->set, &read->key);
		g->spread->seen[read->id % SPREAD_SEEN] = 0;
	}
	if ((read->note & READ_LAST) != 0)
		answer_send(g);
}

/* Answers what is at hand; what must be read is left in `entries`. Returns how many. */
static size_t answer_kept(struct gossip *g, struct member *m, enum gossip_class c, uint64_t echo,
			  struct set_entry *entries, size_t count)
{
	size_t left = 0;
	for (size_t i = 0; i < count; i++) {
		const struct kept *k = spread_kept(g->spread, entries[i].id);
		if (k != NULL)
			answer_add(g, m, c, echo, k->bytes, k->len);
		else
			entries[left++] = entries[i];
	}
	answer_send(g);
	return left;
}

/* What is not at hand any more has been there for a while: whoever asks for it catches up. */
void pull_answer(struct gossip *g, struct member *m, enum gossip_class c, uint64_t echo,
		 struct set_entry *entries, size_t count)
{
	size_t room = core_read_room(g);

	count = answer_kept(g, m, c, echo, entries, count);
	if (c == GOSSIP_CLASS_ROUTINE)
		c = GOSSIP_CLASS_CATCH_UP;
	count = count < room ? count : room;
	for (size_t i = 0; i < count; i++) {
		struct core_read read = {.type = GOSSIP_READ_RECORD,
					 .key = entries[i].key,
					 .done = on_read,
					 .to = m,
					 .echo = echo,
					 .id = entries[i].id,
					 .note =
					     (unsigned)c << READ_CLASS | (i + 1 == count ? READ_LAST : 0)};
		if (!core_read(g, &read))
			break;
	}
}

static size_t distinct(uint64_t *ids, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;
		while (at < kept && ids[at] != ids[i])
			at++;
		if (at == kept)
			ids[kept++] = ids[i];
	}
	return kept;
}

void pull_on_pull(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_ids ids;
	struct set_entry entries[WIRE_IDS];
	size_t count = 0;
	if (wire_ids_decode(d->message, d->len, &ids) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	/* One id over and over would draw a hundred times what it costs to ask. */
	if (defence_on(g, DEFENCE_PULL_ONCE))
		ids.count = distinct(ids.ids, ids.count);
	/* Certificates first: the receiver cannot judge the records of hosts it does not know. */
	for (int certificates = 1; certificates >= 0; certificates--)
		for (size_t i = 0; i < ids.count; i++)
			if (count < WIRE_IDS && set_find_id(g->set, ids.ids[i], &entries[count]) &&
			    (entries[count].key.kind == RECORD_CERTIFICATE) == certificates)
				count++;
	for (size_t i = 0; i < count; i++)
		if (m->site != g->self->site && spread_kept(g->spread, entries[i].id) != NULL)
			edge_asked(g, spread_origin(g, &entries[i].key), m);
	pull_answer(g, m, budget_pull_class(g), d->nonce, entries, count);
}
