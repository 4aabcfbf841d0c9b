/* Hosts and sites this node knows, from certificates; where hosts can be reached; whom to talk to.
 *
 * Happy path: a verified certificate adds a member to its home site's roster, its profile tells addresses,
 * and an answer to something this node asked proves one of them.
 * Fails: a published address that does not answer gives way to the next at each hello; a datagram from
 * another address than the proven one is answered by a PING there, and only the ACK moves the member. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/member_find.h"
#include "gossip/standing.h"

/* Place of `id` among `count` pointers to things that start with their id; *ret_found says whether it is it.
 */
static size_t id_place(void *const *things, size_t count, const struct id *id, bool *ret_found)
{
	size_t low = 0, high = count;

	*ret_found = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = id_compare((const struct id *)things[middle], id);

		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static enum err things_insert(void ***things, size_t *count, size_t *capacity, size_t max, size_t place,
			      void *thing)
{
	if (*count == max)
		return ERR_LIMIT;
	if (*count == *capacity) {
		size_t bigger = *capacity ? *capacity * 2 : 8;
		void **grown = realloc(*things, bigger * sizeof(**things));

		if (!grown)
			return ERR_NOMEM;
		*things = grown;
		*capacity = bigger;
	}
	memmove(*things + place + 1, *things + place, (*count - place) * sizeof(**things));
	(*things)[place] = thing;
	(*count)++;
	return ERR_OK;
}

static void things_remove(void **things, size_t *count, size_t place)
{
	(*count)--;
	memmove(things + place, things + place + 1, (*count - place) * sizeof(*things));
}

struct site *site_find(const struct gossip *g, const struct id *id)
{
	bool found;
	size_t place = id_place((void *const *)g->members.sites, g->members.site_count, id, &found);

	return found ? g->members.sites[place] : NULL;
}

struct site *site_find_name(const struct gossip *g, const char *name)
{
	struct id id = id_of_site(name);

	return site_find(g, &id);
}

static void site_clear(struct site *s)
{
	for (size_t j = 0; j < s->view_count; j++)
		free(s->views[j].states);
	free(s->views);
	free(s->past);
	free(s->members);
}

/* In a full table one that no certificate names any more gives way. It is not freed, as queues and edges may
 * point at it for a moment. */
static struct site *site_make(struct gossip *g, size_t *place)
{
	size_t dead = 0;

	if (g->members.site_count < LIMIT_SITES)
		return calloc(1, sizeof(struct site));
	while (dead < LIMIT_SITES && g->members.sites[dead]->named > 0)
		dead++;
	if (dead == LIMIT_SITES)
		return NULL;
	struct site *s = g->members.sites[dead];

	site_clear(s);
	*s = (struct site){.state_queued = s->state_queued};
	things_remove((void **)g->members.sites, &g->members.site_count, dead);
	*place -= dead < *place;
	return s;
}

static enum err site_add(struct gossip *g, const char *name, struct site **ret)
{
	struct id id = id_of_site(name);
	bool found;
	size_t place = id_place((void *const *)g->members.sites, g->members.site_count, &id, &found);

	if (found) {
		*ret = g->members.sites[place];
		return ERR_OK;
	}
	struct site *s = site_make(g, &place);

	if (!s)
		return g->members.site_count == LIMIT_SITES ? ERR_LIMIT : ERR_NOMEM;
	s->id = s->state.site = id;
	s->partition = id_short(&id);
	memcpy(s->name, name, strlen(name) + 1);
	memcpy(s->state.name, name, strlen(name) + 1);
	enum err err = things_insert((void ***)&g->members.sites, &g->members.site_count,
				     &g->members.site_capacity, LIMIT_SITES, place, s);

	if (err) {
		free(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

static enum err roster_add(struct site *s, struct member *m)
{
	bool found;
	size_t place = id_place((void *const *)s->members, s->count, &m->id, &found);
	uint64_t hash = s->view_count > 0 ? site_roster_hash(s) : s->roster_hash;
	enum err err =
	    things_insert((void ***)&s->members, &s->count, &s->capacity, LIMIT_SITE_MEMBERS, place, m);

	if (err)
		return err;
	roster_note(s, hash, s->count - 1, place, true);
	s->roster_hash = 0;
	s->score_epoch = 0;
	return ERR_OK;
}

static void roster_remove(struct site *s, const struct member *m)
{
	bool found;
	size_t place = id_place((void *const *)s->members, s->count, &m->id, &found);

	if (found) {
		roster_note(s, s->view_count > 0 ? site_roster_hash(s) : s->roster_hash, s->count, place,
			    false);
		things_remove((void **)s->members, &s->count, place);
	}
	s->roster_hash = 0;
	s->score_epoch = 0;
}

struct member_certificate *member_certificate(const struct member *m, const struct id *issuer)
{
	for (size_t i = 0; i < m->certificate_count; i++) {
		if (id_equal(&m->certificates[i].issuer, issuer))
			return &m->certificates[i];
	}
	return NULL;
}

static void roster_changed(struct gossip *g, struct site *s)
{
	if (g->loading)
		return;
	core_site_state(g, s, false);
	state_site_changed(g, s);
	if (g->self && s == g->self->site) {
		probe_hurry(g);
		rollcall_changed(g);
	}
}

static void member_part(struct gossip *g, struct member *m)
{
	if (m == g->self)
		return;
	m->session = false;
	m->suspected = false;
	keyring_forget(g->keyring, &m->id);
}

void member_place(struct gossip *g, struct member *m, struct site *site, bool rostered)
{
	struct site *from = m->site;

	if (from == site && m->rostered == rostered)
		return;
	if (!g->loading)
		witness_heard(g, m); /* who judges it now is others' business */
	if (m->rostered) {
		roster_remove(from, m);
		roster_changed(g, from);
	}
	m->site = site;
	/* Without memory, or in a site that is full, it is known and in no roster. */
	m->rostered = rostered && !roster_add(site, m);
	if (m->rostered)
		roster_changed(g, site);
	if (!rostered && !g->loading)
		member_part(g, m);
}

/* A newer certificate keeps the place that the first one took: who holds a token could otherwise push others
 * to the end. */
static enum err certificates_put(struct member *m, const struct certificate *c, struct site *site,
				 wall_ms arrived, struct member_certificate **ret)
{
	struct member_certificate *known = member_certificate(m, &c->issuer);

	if (!known) {
		size_t at = 0;
		struct member_certificate *grown =
		    m->certificate_count < MEMBER_CERTIFICATES
			? realloc(m->certificates, (m->certificate_count + 1u) * sizeof(*grown))
			: NULL;

		if (!grown)
			return m->certificate_count < MEMBER_CERTIFICATES ? ERR_NOMEM : ERR_LIMIT;
		m->certificates = grown;
		while (at < m->certificate_count && id_compare(&grown[at].issuer, &c->issuer) < 0)
			at++;
		memmove(&grown[at + 1], &grown[at], (m->certificate_count - at) * sizeof(*grown));
		m->certificate_count++;
		known = &grown[at];
		*known = (struct member_certificate){.issuer = c->issuer, .arrived = arrived};
	}
	if (known->site) {
		known->site->named--;
		if (!known->barred)
			site_live(known->site, &c->issuer, false);
	}
	known->site = site;
	site->named++;
	if (!known->barred)
		site_live(site, &c->issuer, true);
	known->enrolled = c->enrolled;
	known->issued = c->time;
	known->has_hardware = c->has_hardware;
	memcpy(known->hardware, c->hardware, sizeof(known->hardware));
	if (arrived < known->arrived)
		known->arrived = arrived;
	*ret = known;
	return ERR_OK;
}

static void member_free(struct member *m)
{
	if (m)
		free(m->certificates);
	free(m);
}

/* While loading at the end: putting each in its place would move half of them each time. */
static size_t host_place(const struct gossip *g, const struct id *id)
{
	bool found;

	return g->loading ? g->members.count
			  : id_place((void *const *)g->members.hosts, g->members.count, id, &found);
}

static enum err member_new(struct gossip *g, const struct certificate *c, struct site *site,
			   struct member **ret)
{
	struct member *m = calloc(1, sizeof(*m));
	size_t place = host_place(g, &c->host);
	enum err err = m ? member_slot_reserve(g) : ERR_NOMEM;

	if (err) {
		free(m);
		return err;
	}
	m->id = m->state.host = c->host;
	m->short_id = id_short(&c->host);
	m->site = site;
	memcpy(m->public_key, c->public_key, KEY_BYTES);
	m->enrolled = c->enrolled;
	m->issuer = c->issuer;
	err = things_insert((void ***)&g->members.hosts, &g->members.count, &g->members.capacity, LIMIT_HOSTS,
			    place, m);
	if (!err) {
		err = roster_add(site, m);
		if (err)
			things_remove((void **)g->members.hosts, &g->members.count, place);
	}
	if (err) {
		member_free(m);
		return err;
	}
	m->rostered = true;
	*ret = m;
	return ERR_OK;
}

/* One that nobody has heard of yet. */
static void member_undo(struct gossip *g, struct member *m)
{
	size_t place = 0;

	roster_remove(m->site, m);
	while (g->members.hosts[place] != m)
		place++;
	things_remove((void **)g->members.hosts, &g->members.count, place);
	member_free(m);
}

enum err member_add(struct gossip *g, const struct certificate *c, wall_ms arrived, struct member **ret)
{
	struct site *site;
	struct member *m = member_find(g, &c->host);
	bool found = m != NULL;
	struct member_certificate *certificate;
	enum err err = site_add(g, c->site, &site);

	if (err)
		return err;
	if (!found)
		err = member_new(g, c, site, &m);
	if (!err)
		err = certificates_put(m, c, site, arrived, &certificate);
	if (err && !found && m)
		member_undo(g, m);
	if (err)
		return err;
	if (!found)
		member_slot_put(g, m);
	standing_certified(g, m, certificate);
	*ret = m;
	if (!found && !g->loading) {
		core_host_state(g, m, false);
		if (m->rostered)
			roster_changed(g, site);
	}
	return ERR_OK;
}

void members_free(struct gossip *g)
{
	for (size_t i = 0; i < g->members.count; i++)
		member_free(g->members.hosts[i]);
	for (size_t i = 0; i < g->members.site_count; i++) {
		site_clear(g->members.sites[i]);
		free(g->members.sites[i]);
	}
	free(g->members.hosts);
	free(g->members.slots);
	free(g->members.sites);
}

size_t site_index_of(const struct site *s, const struct member *m)
{
	bool found;
	size_t place = id_place((void *const *)s->members, s->count, &m->id, &found);

	return found ? place : s->count;
}

/* A record that was late on its way, or that a newcomer pulls, says nothing about now. What was pushed is
 * fresh; another boot, or a word after the goodbye, is news whichever way it came. */
static bool record_speaks(const struct member *m, const struct record *r, bool fresh)
{
	switch (m->state.status) {
	case HOST_UNKNOWN:
		return fresh;
	case HOST_STOPPED:
	case HOST_ASLEEP:
		return true;
	default:
		return fresh || m->instance != r->instance;
	}
}

static void member_spoke(struct gossip *g, struct member *m)
{
	m->record_at = g->now;
	if (m->site == g->self->site)
		witness_heard(g, m);
	if (m->state.status != HOST_UP)
		state_host_changed(g, m);
}

void member_on_record(struct gossip *g, const struct record *r, wall_ms received, bool fresh)
{
	struct member *m = member_find(g, &r->key.writer);

	/* A certificate is its issuer's word: it does not move the host's counter. */
	if (r->key.kind == RECORD_CERTIFICATE && !defence_on(g, DEFENCE_HOST_COUNTER))
		m = member_find(g, &r->key.subject);
	else if (r->key.kind == RECORD_CERTIFICATE)
		return;
	if (!m)
		return;
	bool newest = r->seq > m->seq_max;
	bool speaks = newest && record_speaks(m, r, fresh);

	if (newest) {
		m->seq_max = r->seq;
		m->instance = r->instance;
	}
	wall_ms seen = fresh || r->time > received ? received : r->time;

	if (!defence_on(g, DEFENCE_RECEIPT_TIME))
		seen = r->time;

	if (seen > m->state.seen)
		m->state.seen = seen;
	struct goodbye goodbye;

	if (r->key.kind == RECORD_GOODBYE && r->seq > m->goodbye_seq &&
	    !goodbye_decode(r->body, r->body_len, &goodbye)) {
		m->goodbye_seq = r->seq;
		m->goodbye_reason = goodbye.reason;
		m->goodbye_received = received;
	}
	if (r->key.kind == RECORD_PROFILE)
		member_published(m, r);
	struct health health;

	if (r->key.kind == RECORD_HEALTH && !health_decode(r->body, r->body_len, &health)) {
		m->refuted_count = (uint8_t)health.refutation_count;
		memcpy(m->refuted, health.refutations, sizeof(m->refuted));
	}
	if (g->loading)
		return;
	if (speaks)
		member_spoke(g, m);
	if (newest && r->key.kind == RECORD_GOODBYE && m != g->self) {
		/* It comes back with other keys. */
		m->session = false;
		keyring_forget(g->keyring, &m->id);
	}
	/* A goodbye and a refutation count even when they were late. */
	if (r->key.kind == RECORD_GOODBYE || r->key.kind == RECORD_HEALTH)
		state_host_changed(g, m);
}

bool member_goodbye(const struct member *m)
{
	return m->goodbye_seq != 0 && m->goodbye_seq == m->seq_max;
}

bool member_reachable(const struct gossip *g, const struct member *m)
{
	return m != g->self && !m->site->cut && m->address.ip_len != 0 && !member_goodbye(m) &&
	       standing_talks(m);
}

/* Reachable, neither dark nor silent nor suspected, and heard or vouched for: good as a peer. */
static bool member_live(const struct gossip *g, const struct member *m)
{
	if (!member_reachable(g, m) || m->suspected || !standing_has_say(m))
		return false;
	if (m->state.status == HOST_UP)
		return true;
	return m->state.status == HOST_UNKNOWN && m->session;
}

size_t member_pick(struct gossip *g, const struct member *except, size_t count, struct member **ret)
{
	const struct site *s = g->self->site;
	size_t chosen = 0, seen = 0;

	/* Reservoir over the roster: every live member has the same chance. */
	for (size_t i = 0; i < s->count; i++) {
		struct member *m = s->members[i];

		if (m == except || !member_live(g, m))
			continue;
		seen++;
		if (chosen < count) {
			ret[chosen++] = m;
		} else {
			uint64_t place = prng_below(&g->prng, seen);

			if (place < count)
				ret[place] = m;
		}
	}
	return chosen;
}
