/* Standing: who may still be talked to, and whose word counts.
 *
 * Happy path: all grants hold, no issuer is over its quota: everybody is GOOD. The log, the day or an
 * allow-list changes: each certificate is judged anew, each host by the best of its certificates.
 * Revoked, or its grant and grace are over: the host leaves the rosters, and its sessions end. What the
 * revoked signed rests where nobody compares it (SET_PARTITION_HIDDEN): so nodes with one log agree on
 * rosters and sets, newcomers included, who are never given it. What ends with the day stays in the set, as
 * clocks differ. Over quota: a matter of each node's own order of arrival, so it changes no roster and no
 * set; such a host has no say. Fails: without memory what is judged later keeps its standing until the next
 * change. */
#include "gossip/standing.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/issue.h"

#define SOON_MS 2000 /* newcomers are counted, and their hardware compared, so often */

struct issuer_use {
	struct id issuer;
	uint32_t live;  /* certificates that are neither revoked nor ended */
	uint32_t taken; /* those that are in the set */
};

struct decommission {
	struct id host, operator;
	wall_day day;
};

struct standing {
	struct issuer_use *issuers;
	size_t issuer_count, issuer_cap;
	struct decommission *left;
	size_t left_count, left_cap;
	wall_ms arrived; /* the newest */
	mono_ms due_at;  /* 0: nothing new */
	bool arrange;    /* some records rest in another place than they should */
};

enum err standing_init(struct gossip *g)
{
	g->standing = calloc(1, sizeof *g->standing);
	return g->standing == NULL ? ERR_NOMEM : ERR_OK;
}

void standing_free(struct gossip *g)
{
	if (g->standing == NULL)
		return;
	free(g->standing->issuers);
	free(g->standing->left);
	free(g->standing);
	g->standing = NULL;
}

static bool standing_bars(enum host_standing standing)
{
	return standing == STANDING_REVOKED || standing == STANDING_ENDED;
}

bool standing_talks(const struct member *m)
{
	return !standing_bars(m->state.standing);
}

bool standing_shown(const struct member *m)
{
	return !m->barred;
}

bool standing_has_say(const struct member *m)
{
	return m->state.standing == STANDING_GOOD || m->state.standing == STANDING_GRACE;
}

wall_ms standing_arrival(const struct gossip *g)
{
	wall_ms next = g->standing->arrived + 1;
	return g->wall > next ? g->wall : next;
}

void standing_soon(struct gossip *g)
{
	g->standing->due_at = g->now;
	core_deadline(g, g->now);
}

/* --- issuers --- */

static struct issuer_use *use_find(const struct standing *s, const struct id *issuer)
{
	for (size_t i = 0; i < s->issuer_count; i++)
		if (id_equal(&s->issuers[i].issuer, issuer))
			return &s->issuers[i];
	return NULL;
}

static void use_count(struct standing *s, const struct member_certificate *c)
{
	struct issuer_use *u = use_find(s, &c->issuer);
	if (u == NULL && s->issuer_count == s->issuer_cap) {
		size_t cap = s->issuer_cap == 0 ? 4 : s->issuer_cap * 2;
		struct issuer_use *grown = realloc(s->issuers, cap * sizeof *grown);
		if (grown == NULL)
			return;
		s->issuers = grown;
		s->issuer_cap = cap;
	}
	if (u == NULL) {
		u = &s->issuers[s->issuer_count++];
		*u = (struct issuer_use){.issuer = c->issuer};
	}
	u->taken += !c->barred;
	u->live += !standing_bars(c->standing);
}

static bool covers(const struct authlog_grant *grant, const char *site)
{
	for (size_t i = 0; i < grant->site_count; i++)
		if (strcmp(grant->sites[i], site) == 0)
			return true;
	return grant->site_count == 0;
}

/* By log and day alone, as whoever gets the certificate today would judge it. */
static enum host_standing judge(const struct gossip *g, const struct id *host, struct member_certificate *c)
{
	const struct authlog_grant *grant = authlog_find_grant(g->log, &c->issuer);
	bool revoked = !authlog_stands(g->log, &c->issuer, host, NULL) && defence_on(g, DEFENCE_REVOCATION);
	bool was = c->barred;
	c->barred = revoked || grant == NULL || !covers(grant, c->site->name);
	if (c->barred != was)
		site_live(c->site, &c->issuer, was);
	if (revoked)
		return STANDING_REVOKED;
	uint64_t today = core_day(g);
	if (grant == NULL || !covers(grant, c->site->name) ||
	    today > (uint64_t)grant->last_day + grant->grace_days)
		return STANDING_ENDED;
	return today > grant->last_day ? STANDING_GRACE : STANDING_GOOD;
}

static uint32_t quota_of(const struct gossip *g, const struct id *issuer)
{
	const struct authlog_grant *grant = authlog_find_grant(g->log, issuer);
	return grant == NULL ? 0 : grant->quota;
}

bool standing_room(const struct gossip *g, const struct id *issuer, const struct id *host)
{
	const struct member *m = member_find(g, host);
	bool sure = true;
	if (m != NULL && member_certificate(m, issuer) != NULL)
		return true;
	if (!authlog_stands(g->log, issuer, host, &sure) || !sure)
		return false;
	const struct issuer_use *u = use_find(g->standing, issuer);
	return (m == NULL || m->certificate_count < MEMBER_CERTIFICATES) &&
	       (u == NULL || u->taken < (uint64_t)quota_of(g, issuer) + LIMIT_OVER_QUOTA);
}

/* --- hosts --- */

/* One that the log does not bar, before others; of equals, the lowest issuer. So neither the day nor
 * quarantine, which nodes may see differently, moves a host to another site. */
static const struct member_certificate *choose(const struct member *m, enum host_standing *ret_standing)
{
	const struct member_certificate *best = NULL;
	*ret_standing = STANDING_REVOKED;
	for (size_t i = 0; i < m->certificate_count; i++) { /* ascending by issuer */
		const struct member_certificate *c = &m->certificates[i];
		if (best == NULL || (best->barred && !c->barred))
			best = c;
		if (!c->barred && c->standing < *ret_standing)
			*ret_standing = c->standing;
	}
	if (best != NULL && best->barred)
		*ret_standing = best->standing;
	return best;
}

static void settle(struct gossip *g, struct member *m)
{
	enum host_standing standing;
	const struct member_certificate *c = choose(m, &standing);
	if (c == NULL)
		return;
	bool other = !id_equal(&m->issuer, &c->issuer);
	m->issuer = c->issuer;
	if (other && !g->loading)
		core_host_state(g, m, false);
	if (m->enrolled != c->enrolled)
		m->site->score_epoch = 0;
	m->enrolled = c->enrolled;
	bool out = standing_bars(standing), was = !standing_talks(m);
	if (m->state.standing != standing) {
		m->state.standing = standing;
		if (!g->loading)
			core_host_state(g, m, out || was);
	}
	g->standing->arrange |= m->site != c->site || c->barred != m->barred;
	m->barred = c->barred;
	member_place(g, m, c->site, !out);
	if (out && !g->loading)
		state_barred(g, m);
}

void standing_certified(struct gossip *g, struct member *m, struct member_certificate *c)
{
	struct standing *s = g->standing;
	if (c->arrived > s->arrived)
		s->arrived = c->arrived;
	c->standing = STANDING_GOOD;
	if (!g->loading) {
		const struct issuer_use *u = use_find(s, &c->issuer);
		uint64_t before = u == NULL ? 0 : u->live;
		c->standing = judge(g, &m->id, c);
		if (!standing_bars(c->standing) && before >= quota_of(g, &c->issuer) &&
		    defence_on(g, DEFENCE_QUOTA))
			c->standing = STANDING_QUARANTINED;
		use_count(s, c);
		if (s->due_at == 0)
			s->due_at = g->now + SOON_MS;
	}
	settle(g, m);
}

/* --- the set --- */

static bool of_former_home(const struct gossip *g, const struct member *m, const struct record_key *key)
{
	return !id_equal(&m->site->id, &key->subject) && defence_on(g, DEFENCE_HOME_SITE);
}

bool standing_place(const struct gossip *g, const struct record_key *key, uint64_t *ret)
{
	enum record_class class = record_class_of(key->kind);
	const struct member *m = NULL;
	*ret = SET_PARTITION_HIDDEN;
	switch (class) {
	case RECORD_CLASS_HOST:
		m = member_find(g, &key->subject);
		if (m == NULL)
			return false;
		bool shown = standing_shown(m);
		if (key->kind == RECORD_CERTIFICATE) {
			const struct member_certificate *c = member_certificate(m, &key->writer);
			shown = c != NULL && !c->barred;
		}
		if (shown)
			*ret = m->site->partition;
		return true;
	case RECORD_CLASS_SITE:
		m = member_find(g, &key->writer);
		if (m != NULL && standing_shown(m) && !of_former_home(g, m, key))
			*ret = SET_PARTITION_SITE;
		return m != NULL;
	case RECORD_CLASS_OPERATOR:
		if (authlog_operator_key(g->log, &key->writer) != NULL)
			*ret = SET_PARTITION_OPERATOR;
		return true;
	case RECORD_CLASS_REFUSED:
		break;
	}
	return false;
}

static uint64_t place(const void *context, const struct record_key *key)
{
	uint64_t partition;
	(void)standing_place(context, key, &partition);
	return partition;
}

/* Or each move of a host would leave some behind. */
static void drop_former(struct gossip *g)
{
	struct set_entry e;
	for (size_t i = set_count(g->set); i-- > 0;) {
		bool site = set_at(g->set, i, &e) && record_class_of(e.key.kind) == RECORD_CLASS_SITE;
		const struct member *m = site ? member_find(g, &e.key.writer) : NULL;
		if (m != NULL && of_former_home(g, m, &e.key) && set_remove(g->set, &e.key))
			core_forget(g, &e.key);
	}
}

static void arrange(struct gossip *g)
{
	if (g->standing->arrange)
		drop_former(g);
	/* Without memory: at the next change. */
	if (g->standing->arrange && set_arrange(g->set, place, g) == ERR_OK)
		g->standing->arrange = false;
}

/* --- all anew --- */

struct held {
	struct member *m;
	struct member_certificate *c;
};

static int by_arrival(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int order = id_compare(&x->c->issuer, &y->c->issuer);
	if (order == 0)
		order = (x->c->arrived > y->c->arrived) - (x->c->arrived < y->c->arrived);
	return order != 0 ? order : id_compare(&x->m->id, &y->m->id);
}

/* Of each issuer in order of arrival; `ret` is the caller's to free. */
static size_t hold_all(const struct gossip *g, struct held **ret)
{
	size_t count = 0, at = 0;
	for (size_t i = 0; i < g->members.count; i++)
		count += g->members.hosts[i]->certificate_count;
	*ret = malloc((count + 1) * sizeof **ret);
	if (*ret == NULL)
		return 0;
	for (size_t i = 0; i < g->members.count; i++) {
		struct member *m = g->members.hosts[i];
		for (size_t j = 0; j < m->certificate_count; j++)
			(*ret)[at++] = (struct held){m, &m->certificates[j]};
	}
	qsort(*ret, count, sizeof **ret, by_arrival);
	return count;
}

static void judge_all(struct gossip *g)
{
	struct standing *s = g->standing;
	struct held *held;
	size_t count = hold_all(g, &held);
	const struct id *issuer = NULL;
	uint64_t live = 0;
	s->issuer_count = 0;
	for (size_t i = 0; i < count; i++) {
		struct member_certificate *c = held[i].c;
		if (issuer == NULL || !id_equal(issuer, &c->issuer))
			live = 0;
		issuer = &c->issuer;
		bool was = c->barred;
		c->standing = judge(g, &held[i].m->id, c);
		if (!standing_bars(c->standing) && live++ >= quota_of(g, issuer) &&
		    defence_on(g, DEFENCE_QUOTA))
			c->standing = STANDING_QUARANTINED;
		s->arrange |= c->barred != was;
		use_count(s, c);
		if (c->arrived > s->arrived)
			s->arrived = c->arrived;
	}
	free(held);
	for (size_t i = 0; i < g->members.count; i++)
		settle(g, g->members.hosts[i]);
}

/* --- the same machine under several keys --- */

static int by_hardware(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int order = memcmp(x->c->hardware, y->c->hardware, HARDWARE_HASH_BYTES);
	if (order == 0)
		order = (x->c->enrolled > y->c->enrolled) - (x->c->enrolled < y->c->enrolled);
	if (order == 0)
		order = (x->c->issued > y->c->issued) - (x->c->issued < y->c->issued);
	return order != 0 ? order : id_compare(&x->m->id, &y->m->id);
}

static void succeed(struct gossip *g, struct member *m, struct member *successor)
{
	if (m->successor == successor)
		return;
	m->successor = successor;
	state_site_changed(g, m->site);
}

/* By certificates alone, which issuers signed: what a host says about itself replaces nobody. */
static void pair_hardware(struct gossip *g)
{
	struct held *held;
	size_t count = 0, all = hold_all(g, &held);
	for (size_t i = 0; i < all; i++) {
		struct member *m = held[i].m;
		if (held[i].c->has_hardware && standing_talks(m) && id_equal(&held[i].c->issuer, &m->issuer))
			held[count++] = held[i];
		else if (id_equal(&held[i].c->issuer, &m->issuer))
			succeed(g, m, NULL);
	}
	qsort(held, count, sizeof *held, by_hardware);
	struct member *last = NULL;
	for (size_t i = count; i-- > 0;) {
		bool same = i + 1 < count &&
			    memcmp(held[i].c->hardware, held[i + 1].c->hardware, HARDWARE_HASH_BYTES) == 0;
		if (!same)
			last = NULL;
		succeed(g, held[i].m, last);
		if (last == NULL && standing_has_say(held[i].m))
			last = held[i].m;
	}
	free(held);
}

/* --- operators --- */

static void left_add(struct gossip *g, const struct record *r)
{
	struct standing *s = g->standing;
	wall_day day = clock_day(r->time);
	for (size_t i = 0; i < s->left_count; i++)
		if (id_equal(&s->left[i].host, &r->key.subject) &&
		    id_equal(&s->left[i].operator, & r->key.writer)) {
			s->left[i].day = day < s->left[i].day ? day : s->left[i].day;
			return;
		}
	if (s->left_count == s->left_cap) {
		size_t cap = 2 * s->left_cap + 8;
		struct decommission *left = cap > LIMIT_HOSTS ? NULL : realloc(s->left, cap * sizeof *left);
		if (left == NULL)
			return;
		s->left = left;
		s->left_cap = cap;
	}
	s->left[s->left_count++] = (struct decommission){r->key.subject, r->key.writer, day};
	standing_soon(g);
}

void standing_on_operator(struct gossip *g, const struct record *r)
{
	const struct authlog_operator *o = authlog_find_operator(g->log, &r->key.writer);
	uint8_t role = authlog_role_of(r->key.kind);
	if (role == 0 || o == NULL || o->revoked)
		return;
	if (((o->roles & role) == 0 || clock_day(r->time) > o->last_day) && !g->loading) {
		struct issue issue = {.kind = ISSUE_OUT_OF_ROLE, .subject = o->id, .other = r->key.subject};
		issue_raise(g, &issue);
	}
	if (r->key.kind == RECORD_DECOMMISSION)
		left_add(g, r);
}

void standing_off_operator(struct gossip *g, const struct record_key *key)
{
	struct standing *s = g->standing;
	for (size_t i = 0; key->kind == RECORD_DECOMMISSION && i < s->left_count; i++)
		if (id_equal(&s->left[i].host, &key->subject) &&
		    id_equal(&s->left[i].operator, & key->writer)) {
			s->left[i] = s->left[--s->left_count];
			standing_soon(g);
		}
}

/* By operators who are in force now, whatever they were when the record came. */
static void retire(struct gossip *g)
{
	const struct standing *s = g->standing;
	for (size_t i = 0; i < g->members.count; i++)
		g->members.hosts[i]->retired = false;
	for (size_t i = 0; i < s->left_count; i++) {
		const struct decommission *d = &s->left[i];
		const struct authlog_operator *o = authlog_find_operator(g->log, &d->operator);
		struct member *m = member_find(g, &d->host);
		if (m == NULL || o == NULL || o->revoked || d->day > o->last_day)
			continue;
		m->retired |= (o->roles & LOG_ROLE_DECOMMISSION) != 0;
		if (m->retired && m->state.status != HOST_LEFT)
			state_site_changed(g, m->site);
	}
}

void standing_refresh(struct gossip *g)
{
	struct standing *s = g->standing;
	s->due_at = 0;
	judge_all(g);
	s->arrange = true; /* an operator may have come or gone as well */
	arrange(g);
	pair_hardware(g);
	retire(g);
	standing_tell(g);
}

void standing_tick(struct gossip *g)
{
	struct standing *s = g->standing;
	if (s->due_at != 0 && g->now >= s->due_at) {
		s->due_at = 0;
		judge_all(g);
		pair_hardware(g);
		retire(g);
		standing_tell(g);
	}
	arrange(g);
	if (s->due_at != 0)
		core_deadline(g, s->due_at);
}
