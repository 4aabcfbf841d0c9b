/* The one gate for records: what is not signed by whom it must be signed by does not get past it.
 *
 * Happy path: parse, order against the set, authority of the signer by the kind's class, room in this update,
 * one signature check, then set, replica and the hooks of the modules.
 * Fails: everything else is counted and refused. A record whose writer's certificate is not known yet is kept
 * as an orphan (at most 64, the oldest gives way) and tried again when a certificate or a log entry arrives.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/blob.h"
#include "gossip/clone.h"
#include "gossip/core.h"
#include "gossip/issue.h"
#include "gossip/logsync.h"
#include "gossip/operators.h"
#include "gossip/share.h"
#include "gossip/standing.h"

#define ORPHANS          64
#define LIAR_MS          10000 /* for which a peer that handed on a forgery is not listened to; doubles … */
#define LIAR_DOUBLINGS   5
#define LIAR_FORGIVEN_MS 3600000 /* … until it was honest for so long */
#define ORPHANS_OF_ONE   16      /* that one bearer may have kept while others need room */

struct orphan {
	uint8_t *bytes;
	size_t len;
	struct member *from;
};

struct accept {
	struct orphan orphans[ORPHANS];
	size_t count;
	bool retry; /* a certificate came in */
};

static size_t orphans_of(const struct accept *a, const struct member *from)
{
	size_t count = 0;

	for (size_t i = 0; i < a->count; i++)
		count += a->orphans[i].from == from;
	return count;
}

/* The oldest of whoever has most, and more than its share, gives way; else the oldest. */
static void orphan_drop(struct accept *a, const struct member *from)
{
	const struct member *most = from;
	size_t at = 0;

	for (size_t i = 0; i < a->count; i++) {
		if (orphans_of(a, a->orphans[i].from) > orphans_of(a, most))
			most = a->orphans[i].from;
	}
	for (size_t i = a->count; orphans_of(a, most) > ORPHANS_OF_ONE && i-- > 0;) {
		if (a->orphans[i].from == most)
			at = i;
	}
	free(a->orphans[at].bytes);
	a->count--;
	memmove(&a->orphans[at], &a->orphans[at + 1], sizeof(a->orphans[0]) * (a->count - at));
}

static void orphan_keep(struct gossip *g, const struct record *r, struct member *from)
{
	g->counters.records_orphan++;
	if (!g->accept) {
		g->accept = calloc(1, sizeof(*g->accept));
		if (!g->accept)
			return;
	}
	struct accept *a = g->accept;

	for (size_t i = 0; i < a->count; i++) {
		if (a->orphans[i].len == r->len && memcmp(a->orphans[i].bytes, r->bytes, r->len) == 0)
			return;
	}
	uint8_t *copy = malloc(r->len);

	if (!copy)
		return;
	memcpy(copy, r->bytes, r->len);
	if (a->count == ORPHANS && !defence_on(g, DEFENCE_ORPHAN_ROOM)) {
		free(copy);
		return;
	}
	if (a->count == ORPHANS)
		orphan_drop(a, from);
	a->orphans[a->count++] = (struct orphan){.bytes = copy, .len = r->len, .from = from};
}

void accept_orphans(struct gossip *g)
{
	if (g->accept)
		g->accept->retry = true;
	core_deadline(g, g->now);
}

void accept_tick(struct gossip *g)
{
	struct accept *a = g->accept;

	if (!a || !a->retry)
		return;
	/* Those still without a certificate are kept anew by core_accept_record. */
	struct orphan again[ORPHANS];
	size_t count = a->count;

	memcpy(again, a->orphans, sizeof(again));
	a->count = 0;
	a->retry = false;
	for (size_t i = 0; i < count; i++) {
		core_accept_record(g, again[i].bytes, again[i].len, again[i].from, CORE_HOPS_PULLED);
		free(again[i].bytes);
	}
	if (a->count == 0 && !a->retry) {
		free(a);
		g->accept = NULL;
	}
}

void accept_free(struct gossip *g)
{
	if (!g->accept)
		return;
	for (size_t i = 0; i < g->accept->count; i++)
		free(g->accept->orphans[i].bytes);
	free(g->accept);
	g->accept = NULL;
}

/* Who must have signed it, by its class. ERR_NOT_FOUND: the writer's certificate is not here yet. */
static enum err accept_authority(const struct gossip *g, const struct record *r, const uint8_t **ret_key)
{
	enum record_class class = record_class_of(r->key.kind);

	if (class == RECORD_CLASS_OPERATOR && defence_on(g, DEFENCE_OPERATOR)) {
		*ret_key = authlog_operator_key(g->log, &r->key.writer);
		return *ret_key ? ERR_OK : ERR_UNTRUSTED;
	}
	if (class == RECORD_CLASS_REFUSED)
		return ERR_UNTRUSTED;
	if (class == RECORD_CLASS_HOST && !id_equal(&r->key.writer, &r->key.subject) &&
	    defence_on(g, DEFENCE_OWN_SUBJECT))
		return ERR_UNTRUSTED;
	if (authlog_host_revoked(g->log, &r->key.writer) && defence_on(g, DEFENCE_REVOCATION))
		return ERR_UNTRUSTED;
	const struct member *m = member_find(g, &r->key.writer);

	if (!m)
		return ERR_NOT_FOUND;
	if (!standing_shown(m))
		return ERR_UNTRUSTED;
	if (class == RECORD_CLASS_SITE && !id_equal(&m->site->id, &r->key.subject) &&
	    defence_on(g, DEFENCE_HOME_SITE))
		return ERR_UNTRUSTED;
	*ret_key = m->public_key;
	return ERR_OK;
}

static enum err accept_certificate(struct gossip *g, const struct record *r)
{
	struct certificate c;
	struct member *m;

	/* What is beyond the quota by far is not worth a check. */
	if (!standing_room(g, &r->key.writer, &r->key.subject)) {
		g->counters.records_untrusted++;
		return ERR_RANGE;
	}
	g->counters.verifications++;
	enum err err = certificate_verify(r, g->log, clock_day(g->wall), &c);

	if (err && !defence_on(g, DEFENCE_CERTIFICATE))
		err = certificate_decode(r, &c);
	if (err == ERR_SIGNATURE)
		g->counters.records_bad_signature++;
	else if (err)
		g->counters.records_untrusted++;
	if (err == ERR_EXPIRED) /* all else holds: taken, and judged by the day (standing.c) */
		err = certificate_decode(r, &c);
	if (err)
		return err;
	if (!site_room(g, &c.issuer, c.site)) {
		g->counters.records_untrusted++;
		return ERR_RANGE;
	}
	return member_add(g, &c, standing_arrival(g), &m);
}

/* Who relays has verified, so a wrong signature is its bearer's lie, and the next ones are not worth a check.
 */
static bool is_liar(const struct gossip *g, const struct member *from)
{
	if (!from || !from->lied_at || !defence_on(g, DEFENCE_LIAR))
		return false;
	unsigned doublings = from->lies < LIAR_DOUBLINGS ? from->lies : LIAR_DOUBLINGS;

	return g->now - from->lied_at < (mono_ms)LIAR_MS << doublings;
}

static void lied(struct gossip *g, struct member *from)
{
	struct issue issue = {.kind = ISSUE_BAD_SIGNATURES, .subject = from->id};

	if (from->lied_at && g->now - from->lied_at < LIAR_FORGIVEN_MS)
		from->lies = (uint8_t)(from->lies + (from->lies < UINT8_MAX));
	else
		from->lies = 0;
	from->lied_at = g->now;
	issue_raise(g, &issue);
}

static enum err accept_signature(struct gossip *g, const struct record *r, struct member *from)
{
	const uint8_t *key = NULL;

	if (r->key.kind == RECORD_CERTIFICATE)
		return accept_certificate(g, r);
	enum err err = accept_authority(g, r, &key);

	if (err == ERR_NOT_FOUND) {
		orphan_keep(g, r, from);
		return ERR_UNTRUSTED;
	}
	if (err) {
		g->counters.records_untrusted++;
		return err;
	}
	g->counters.verifications++;
	err = defence_on(g, DEFENCE_SIGNATURE) ? record_verify(r, &g->keys.estate, key) : ERR_OK;
	if (err)
		g->counters.records_bad_signature++;
	return err;
}

static enum err accept_order(struct gossip *g, const struct record *r, uint64_t id, bool *ret_fork)
{
	/* Proof is kept once; a certificate's fork is its issuer's doing, and changes what the host is. */
	bool prove = r->key.kind != RECORD_CERTIFICATE && clone_unproved(g, r, id);

	*ret_fork = false;
	switch (set_order_of(g->set, &r->key, r->seq, id)) {
	case SET_SAME:
		g->counters.records_duplicate++;
		return ERR_EXISTS;
	case SET_OLDER:
		if (!defence_on(g, DEFENCE_ORDER) && set_remove(g->set, &r->key))
			return ERR_OK;
		g->counters.records_stale++;
		return ERR_STALE;
	case SET_FORK_STANDS:
		g->counters.records_forked++;
		*ret_fork = prove;
		return prove ? ERR_OK : ERR_STALE;
	case SET_FORK_WINS:
		g->counters.records_forked++;
		*ret_fork = prove;
		return defence_on(g, DEFENCE_FORK_ORDER) ? ERR_OK : ERR_STALE;
	case SET_NEW:
	case SET_NEWER:
		return ERR_OK;
	}
	return ERR_FORMAT;
}

static enum err put(struct gossip *g, const struct record *r, uint64_t id, uint64_t home, wall_ms received)
{
	enum err err = set_put(g->set, r, id, home, received, NULL);

	if (!err) {
		err = operators_put(g, r, id);
		if (err)
			set_remove(g->set, &r->key);
	}
	return err;
}

/* Into the set and towards the replica: both or neither. */
static enum err accept_put(struct gossip *g, const struct record *r, uint64_t id, enum gossip_urgency urgency)
{
	uint64_t home;
	wall_ms received = g->wall;
	const struct member *m = member_find(g, &r->key.subject);

	if (!standing_place(g, &r->key, &home))
		return ERR_UNTRUSTED;
	/* Its place in the order of arrival must outlive this process. */
	if (r->key.kind == RECORD_CERTIFICATE && m && member_certificate(m, &r->key.writer))
		received = member_certificate(m, &r->key.writer)->arrived;
	enum err err = put(g, r, id, home, received);

	if (!err && !core_persist(g, r, received, urgency)) {
		set_remove(g->set, &r->key);
		err = ERR_NOMEM;
	}
	return err;
}

static void accept_hooks(struct gossip *g, const struct record *r, uint64_t id, struct member *from,
			 unsigned hops, enum gossip_urgency urgency)
{
	struct member *writer = member_find(g, &r->key.writer);

	if (writer && r->key.kind != RECORD_CERTIFICATE)
		clone_on_record(g, writer, r, hops < CORE_HOPS_PULLED);
	member_on_record(g, r, g->wall, hops < CORE_HOPS_PULLED);
	if (id_equal(&r->key.writer, &g->self->id))
		own_keep(g, r);
	if (r->key.kind == RECORD_ROLLCALL)
		rollcall_on_record(g, r, g->wall, from, hops < CORE_HOPS_PULLED);
	if (r->key.kind == RECORD_CERTIFICATE)
		accept_orphans(g);
	standing_on_operator(g, r);
	blob_on_record(g, r, from);
	spread_on_record(g, r, id, from, hops, urgency);
}

/* A record that was being applied in two crashes is not applied a third time. */
static bool is_poison(struct gossip *g, const struct record *r, uint64_t id)
{
	struct issue issue = {.kind = ISSUE_POISON_RECORD, .subject = r->key.writer, .count = 1};
	bool poison = false;

	for (size_t i = 0; i < g->poison_count; i++)
		poison |= g->poison[i] == id;
	if (!poison || !defence_on(g, DEFENCE_POISON))
		return false;
	snprintf(issue.detail, sizeof(issue.detail), "kind %u, counter %" PRIu64 ", id %016" PRIx64,
		 r->key.kind, r->seq, id);
	issue_raise(g, &issue);
	return true;
}

/* As a defect would, for the test of what saves a node from it. */
static void crash_in_tests(const uint8_t *bytes, size_t len)
{
	(void)bytes, (void)len;
#ifdef MESH_WEAKEN
	if (memmem(bytes, len, CORE_POISON, strlen(CORE_POISON)))
		abort();
#endif
}

static void applying(struct gossip *g, uint64_t id)
{
	if (g->applying)
		*g->applying = id;
}

static enum err accept_record(struct gossip *g, const uint8_t *bytes, size_t len, uint64_t id,
			      struct member *from, unsigned hops)
{
	struct record r;
	bool fork;
	enum err err = record_parse(bytes, len, &r);

	if (err) {
		g->counters.dropped_schema++;
		return err;
	}
	if (is_poison(g, &r, id))
		return ERR_RANGE;
	crash_in_tests(bytes, len);
	err = accept_order(g, &r, id, &fork);
	if (err)
		return err;
	if (!operators_room(g, &r, id)) {
		g->counters.records_stale++;
		return ERR_STALE;
	}
	if (!core_room_for_records(g, 1))
		return ERR_LIMIT;
	if (from && logsync_waits(g, from))
		return ERR_LIMIT;
	if (is_liar(g, from)) {
		g->counters.records_untrusted++;
		return ERR_UNTRUSTED;
	}
	bool fresh = !set_find(g->set, &r.key, &(struct set_entry){0});

	if (share_used_up(g, &r, fresh) || !share_verify(g, hops == CORE_HOPS_PULLED)) {
		g->counters.dropped_rate++;
		return ERR_BUSY;
	}
	err = accept_signature(g, &r, from);
	if (err == ERR_SIGNATURE && from)
		lied(g, from);
	if (err)
		return err;
	if (fork && clone_forked(g, &r, id)) {
		share_use(g, &r, fresh);
		return ERR_BUSY;
	}
	/* Pushed ones are fresh news; what is pulled or reconciled was not worth a push to its writer. */
	bool urgent = hops < CORE_HOPS_PULLED && share_urgent(g, &r);
	enum gossip_urgency urgency = urgent ? GOSSIP_URGENT : GOSSIP_ROUTINE;

	if (id_equal(&r.key.writer, &g->self->id))
		own_met(g, &r);
	err = accept_put(g, &r, id, urgency);
	if (err)
		return err;
	g->counters.records_accepted++;
	share_use(g, &r, fresh);
	accept_hooks(g, &r, id, from, hops, urgency);
	return ERR_OK;
}

enum err core_accept_record(struct gossip *g, const uint8_t *bytes, size_t len, struct member *from,
			    unsigned hops)
{
	uint64_t before = g->applying ? *g->applying : 0;

	uint64_t id = record_id(g->keys.set_key, bytes, len);

	applying(g, id);
	enum err err = accept_record(g, bytes, len, id, from, hops);

	applying(g, before);
	return err;
}

enum err accept_own(struct gossip *g, const struct record *r, enum gossip_urgency urgency)
{
	uint64_t id = record_id(g->keys.set_key, r->bytes, r->len);
	enum set_order order = set_order_of(g->set, &r->key, r->seq, id);

	/* Somebody who has this key went ahead: others would not take it either. */
	if (order == SET_OLDER || order == SET_FORK_STANDS)
		return ERR_STALE;
	enum err err = accept_put(g, r, id, urgency);

	if (!err)
		accept_hooks(g, r, id, NULL, 0, urgency);
	return err;
}

/* Bytes of the own replica were checked when they came in. */
static enum err load_record(struct gossip *g, const uint8_t *bytes, size_t len, uint64_t id, wall_ms received)
{
	struct record r;
	struct certificate c;
	struct member *m;
	uint64_t home;
	enum err err = record_parse_kept(bytes, len, &r);

	if (!err && is_poison(g, &r, id))
		return ERR_RANGE;
	crash_in_tests(bytes, len);

	if (!err && r.key.kind == RECORD_CERTIFICATE) {
		err = certificate_decode(&r, &c);
		if (!err)
			err = member_add(g, &c, received, &m);
	}
	if (err)
		return err;
	if (!standing_place(g, &r.key, &home))
		return ERR_UNTRUSTED;
	if (record_class_of(r.key.kind) == RECORD_CLASS_SITE && !member_find(g, &r.key.writer))
		return ERR_UNTRUSTED;
	if (!operators_room(g, &r, id))
		return ERR_LIMIT;
	err = put(g, &r, id, home, received);
	if (err)
		return err;
	member_on_record(g, &r, received, false);
	if (id_equal(&r.key.writer, &g->self->id)) {
		own_keep(g, &r);
		/* The seq file is durable before use, so this only helps where it was lost. */
		if (r.seq >= g->seq_next && r.seq - g->seq_next <= OWN_JUMP_MAX)
			g->seq_next = r.seq + 1;
	}
	if (r.key.kind == RECORD_ROLLCALL)
		rollcall_on_record(g, &r, received, NULL, false);
	standing_on_operator(g, &r);
	blob_on_record(g, &r, NULL);
	return ERR_OK;
}

enum err gossip_load_record(struct gossip *g, const uint8_t *bytes, size_t len, wall_ms received)
{
	uint64_t id = record_id(g->keys.set_key, bytes, len);

	applying(g, id);
	enum err err = load_record(g, bytes, len, id, received);

	applying(g, 0);
	return err;
}

enum err gossip_load_blob(struct gossip *g, const struct id *blob)
{
	return blob_load(g, blob);
}
