/* One node: made, loaded, stepped, freed. The way of an event is told at the top of core.h.
 *
 * Fails: a wrong datagram is counted and dropped (filter.c). A step never fails for what others sent. */
#include <stdlib.h>
#include <string.h>

#include "crypto/guarded.h"
#include "gossip/allow.h"
#include "gossip/blob.h"
#include "gossip/clone.h"
#include "gossip/compare.h"
#include "gossip/core.h"
#include "gossip/issue.h"
#include "gossip/logsync.h"
#include "gossip/member_find.h"
#include "gossip/operators.h"
#include "gossip/spread.h"
#include "gossip/standing.h"
#include "gossip/sync.h"
#include "record/manifest.h"

#define SLOT_MS          100  /* wake-ups are rounded up to it */
#define PAUSE_MS         2000 /* a tick later than this: the node was paused */
#define IDLE_DEADLINE_MS 5000

#ifdef MESH_WEAKEN
/* So that a test can see which binaries hold this build: only those of tests/hostile may. */
__attribute__((used)) static const char core_weakened[] = "mesh core with switches for its defences";
#endif

struct gossip_timing gossip_timing_default(void)
{
	return (struct gossip_timing){.probe_ms = 1000,
				      .probe_idle_ms = 2000,
				      .ack_ms = 500,
				      .rollcall_min_ms = 5000,
				      .rollcall_max_ms = 60000,
				      .hello_retry_ms = 1000,
				      .edge_retry_ms = 3000,
				      .sync_ms = 2000};
}

/* So a clock that is far behind does no harm. */
wall_day core_day(const struct gossip *g)
{
	wall_day today = clock_day(g->wall);

	return today > authlog_day(g->log) ? today : authlog_day(g->log);
}

static enum err copy_of(const void *from, size_t len, void *ret_copy)
{
	void *copy = len ? malloc(len) : NULL;

	if (len && !copy)
		return ERR_NOMEM;
	if (len)
		memcpy(copy, from, len);
	memcpy(ret_copy, &copy, sizeof(copy));
	return ERR_OK;
}

static enum err core_copy(struct gossip *g, const struct gossip_options *o)
{
	enum err err = copy_of(o->certificate, o->certificate_len, &g->certificate);

	if (!err)
		err = copy_of(o->poison, o->poison_count * sizeof(*o->poison), &g->poison);
	if (!err)
		err = copy_of(o->seeds, o->seed_count * sizeof(*o->seeds), &g->seeds);
	g->certificate_len = o->certificate_len;
	g->poison_count = o->poison_count;
	g->seed_count = o->seed_count;
	return err;
}

/* That the certificate does not hold may be the log's fault: an extension, or a rotation, was missed. */
static enum err core_self(struct gossip *g)
{
	struct record r;
	struct certificate c;
	enum err err = record_parse(g->certificate, g->certificate_len, &r);

	if (!err)
		err = certificate_verify(&r, g->log, clock_day(g->wall), &c);
	if (err == ERR_EXPIRED || err == ERR_REVOKED || err == ERR_UNTRUSTED)
		err = certificate_decode(&r, &c);
	if (!err && !id_equal(&c.host, identity_id(g->identity)))
		err = ERR_UNTRUSTED;
	if (!err)
		err = member_add(g, &c, g->wall, &g->self);
	if (!err && g->seq_next <= c.seq)
		g->seq_next = c.seq + 1;
	return err;
}

static enum err core_modules(struct gossip *g)
{
	enum err (*const inits[])(struct gossip *) = {
	    update_init,   hello_init, probe_init,       witness_init, edge_init,
	    spread_init,   sync_init,  sync_sketch_init, logsync_init, blob_init,
	    standing_init, issue_init, allow_init,       compare_init, operators_init};
	enum err err = set_new(g->keys.set_key, &g->set);

	for (size_t i = 0; !err && i < sizeof(inits) / sizeof(inits[0]); i++)
		err = inits[i](g);
	return err;
}

enum err gossip_new(const struct gossip_options *o, struct gossip **ret)
{
	if (!o->identity || !o->log || !o->certificate || o->certificate_len == 0 ||
	    o->certificate_len > LIMIT_CERTIFICATE_BYTES || !o->rng.fill)
		return ERR_ARG;
	bool plain = crypto_rng_is_seeded(&o->rng);
	struct gossip *g = plain ? calloc(1, sizeof(*g)) : crypto_guarded_new(sizeof(*g));

	if (!g)
		return ERR_NOMEM;
	g->guarded = !plain;
	g->timing = o->timing;
	g->identity = o->identity;
	g->log = o->log;
	g->keys = *o->keys;
	g->applying = o->applying;
	g->rng = o->rng;
	prng_seed(&g->prng, o->prng_seed);
	g->instance = o->instance;
	g->seq_next = o->seq_next ? o->seq_next : 1;
	g->seq_reserved = o->seq_reserved;
	g->now = o->now;
	g->wall = o->wall;
	g->hearing_at = o->now;
	g->loading = true;
#ifdef MESH_WEAKEN
	g->weakened = o->weakened;
#endif

	enum err err = core_copy(g, o);

	if (!err)
		err = keyring_new(identity_id(o->identity), o->keys, &o->rng, core_day(g), &g->keyring);
	if (!err)
		err = core_modules(g);
	if (!err)
		err = core_self(g);
	if (err) {
		gossip_free(g);
		return err;
	}
	allow_refresh(g, NULL);
	*ret = g;
	return ERR_OK;
}

void gossip_free(struct gossip *g)
{
	if (!g)
		return;
	void (*const frees[])(struct gossip *) = {
	    clone_free,  compare_free, allow_free,   issue_free,       standing_free,
	    blob_free,   logsync_free, sync_free,    sync_sketch_free, spread_free,
	    edge_free,   witness_free, probe_free,   operators_free,   hello_free,
	    accept_free, own_free,     members_free, update_free};

	for (size_t i = 0; i < sizeof(frees) / sizeof(frees[0]); i++)
		frees[i](g);
	set_free(g->set);
	keyring_free(g->keyring);
	free(g->seeds);
	free(g->poison);
	free(g->certificate);
	g->guarded ? crypto_guarded_free(g, sizeof(*g)) : free(g);
}

/* --- services --- */

void core_deadline(struct gossip *g, mono_ms at)
{
	if (at < g->now)
		at = g->now;
	else
		at = (at + SLOT_MS - 1) / SLOT_MS * SLOT_MS;
	if (at < g->deadline)
		g->deadline = at;
}

mono_ms core_jitter(struct gossip *g, mono_ms base, double share)
{
	double factor = 1.0 - share + 2.0 * share * prng_unit(&g->prng);

	return (mono_ms)((double)base * factor);
}

bool core_send(struct gossip *g, struct member *m, enum wire_type type, const void *message, size_t len,
	       uint64_t *ret_nonce)
{
	return core_send_as(g, m, budget_class_of(type), type, message, len, ret_nonce);
}

bool core_send_as(struct gossip *g, struct member *m, enum gossip_class c, enum wire_type type,
		  const void *message, size_t len, uint64_t *ret_nonce)
{
	if (m->address.ip_len == 0 || m == g->self)
		return false;
	if (m->session && !m->address_proven) {
		member_check(g, m, &m->address);
		return false;
	}
	return core_send_to_as(g, m, &m->address, c, type, message, len, ret_nonce);
}

/* Nobody gets more than he sent at an address that is only alleged to be his. */
static bool reply_allowed(struct gossip *g, const struct address *to, size_t len)
{
	if (!address_equal(to, &g->asker) || !defence_on(g, DEFENCE_AMPLIFICATION))
		return true;
	if (len > g->asker_left)
		return false;
	g->asker_left -= g->asker_left == SIZE_MAX ? 0 : len;
	return true;
}

/* Before it costs anything. */
static bool budget_open(struct gossip *g, enum gossip_class c, const struct address *to, size_t len)
{
	bool open = budget_allows(g, c, budget_datagram_bytes(len, to->ip_len));

	g->counters.held_back[c] += !open;
	return open;
}

bool core_send_to(struct gossip *g, struct member *m, const struct address *to, enum wire_type type,
		  const void *message, size_t len, uint64_t *ret_nonce)
{
	return core_send_to_as(g, m, to, budget_class_of(type), type, message, len, ret_nonce);
}

bool core_send_to_as(struct gossip *g, struct member *m, const struct address *to, enum gossip_class c,
		     enum wire_type type, const void *message, size_t len, uint64_t *ret_nonce)
{
	uint8_t sealed[LIMIT_DATAGRAM_BYTES];
	size_t sealed_len;

	if (m == g->self || m->site->cut || !standing_talks(m))
		return false;
	if (!m->session) {
		hello_start(g, m, false);
		return false;
	}
	if (!budget_open(g, c, to, len))
		return false;
	enum err err =
	    keyring_seal(g->keyring, &m->id, (uint8_t)type, message, len, sealed, &sealed_len, ret_nonce);

	if (err == ERR_UNKNOWN_SOURCE) {
		/* The keyring let go of the peer unused for longest. */
		m->session = false;
		hello_start(g, m, false);
		return false;
	}
	return CHECK_SOFT(!err) && reply_allowed(g, to, sealed_len) &&
	       core_datagram(g, to, sealed, sealed_len, c);
}

bool core_send_hello(struct gossip *g, const struct address *to, enum wire_type type, const void *message,
		     size_t len, uint64_t *ret_nonce)
{
	uint8_t sealed[LIMIT_DATAGRAM_BYTES];
	size_t sealed_len;
	/* Looks at every member: only while a drill is on. */
	struct member *m = g->cut_count > 0 ? member_at_address(g, to) : NULL;

	if ((m && m->site->cut) || !budget_open(g, GOSSIP_CLASS_HELLO, to, len))
		return false;
	enum err err =
	    keyring_seal_hello(g->keyring, (uint8_t)type, message, len, sealed, &sealed_len, ret_nonce);

	return CHECK_SOFT(!err) && reply_allowed(g, to, sealed_len) &&
	       core_datagram(g, to, sealed, sealed_len, GOSSIP_CLASS_HELLO);
}

void core_on_log(struct gossip *g)
{
	allow_refresh(g, NULL);
	standing_refresh(g);
	spread_reconsider(g);
	accept_orphans(g);
	/* Refused at the start, when its grant had ended. */
	core_accept_record(g, g->certificate, g->certificate_len, NULL, CORE_HOPS_PULLED);
	for (size_t i = 0; i < g->members.site_count; i++) {
		g->members.sites[i]->score_epoch = 0;
		state_site_changed(g, g->members.sites[i]); /* a host may be revoked */
	}
}

/* --- events --- */

static void on_drill(struct gossip *g, const char *name, bool cut)
{
	struct site *s = site_find_name(g, name);

	if (!s || s->cut == cut)
		return;
	s->cut = cut;
	g->cut_count = cut ? g->cut_count + 1 : g->cut_count - 1;
}

/* The clock moves on; a gap says that what was not heard in it proves nothing. */
enum err gossip_load_room(struct gossip *g, size_t records)
{
	return set_reserve(g->set, records);
}

static void core_time(struct gossip *g, const struct gossip_event *event)
{
	if (event->now > g->now)
		g->now = event->now;
	g->wall = event->wall;

	wall_day today = core_day(g);

	if (today > keyring_day(g->keyring)) {
		keyring_set_day(g->keyring, today);
		if (!g->loading)
			standing_refresh(g); /* grants end with the day */
	}
	if (!g->loading && g->now > g->promised + PAUSE_MS) {
		g->hearing_at = g->now;
		probe_restart(g);
		witness_restart(g);
	}
}

static void core_first_step(struct gossip *g)
{
	g->loading = false;
	member_sort_all(g);
	g->hearing_at = g->now;
	standing_refresh(g);
	state_spoke(g, g->self);
	/* A replica that is new does not hold it yet. */
	core_accept_record(g, g->certificate, g->certificate_len, NULL, 0);
}

static enum err core_event(struct gossip *g, const struct gossip_event *event)
{
	switch (event->type) {
	case GOSSIP_TICK:
		return ERR_OK;
	case GOSSIP_DATAGRAM:
		core_on_datagram(g, event);
		return ERR_OK;
	case GOSSIP_LOCAL:
		return own_local(g, event->local.kind, event->local.body, event->local.len,
				 event->local.urgency);
	case GOSSIP_BLOB:
		return blob_local(g, event->blob.bytes, event->blob.len);
	case GOSSIP_ANSWERS:
		update_answers(g, event->answers.answers, event->answers.count);
		return ERR_OK;
	case GOSSIP_LOG:
		return logsync_local(g, event->log.bytes, event->log.len);
	case GOSSIP_SUBMIT:
		return operators_submit(g, event->submit.bytes, event->submit.len);
	case GOSSIP_DRILL:
		on_drill(g, event->drill.site, event->drill.cut);
		return ERR_OK;
	case GOSSIP_LEAVE:
		return own_leave(g, event->leave.reason);
	}
	return ERR_ARG;
}

static void core_tick(struct gossip *g)
{
	allow_tick(g);
	standing_tick(g);
	logsync_tick(g);
	compare_tick(g);
	accept_tick(g);
	own_tick(g);
	hello_tick(g);
	probe_tick(g);
	witness_tick(g);
	rollcall_tick(g);
	edge_tick(g);
	spread_tick(g);
	sync_tick(g);
	sync_sketch_tick(g);
	blob_tick(g);
	state_tick(g);
	issue_tick(g);
}

/* What can be wrong with an event is found before anything changes. */
static enum err core_check(const struct gossip_event *event)
{
	enum blob_type type;

	switch (event->type) {
	case GOSSIP_LOCAL:
		return own_check(event->local.kind, event->local.body, event->local.len);
	case GOSSIP_BLOB:
		return blob_check(event->blob.bytes, event->blob.len, &type);
	default:
		return ERR_OK;
	}
}

enum err gossip_step(struct gossip *g, const struct gossip_event *event, struct gossip_update *ret_update)
{
	*ret_update = (struct gossip_update){.deadline = g->promised};
	enum err err = core_check(event);

	if (err)
		return err;
	update_reset(g);
	if (event->type != GOSSIP_ANSWERS)
		update_unanswered(g);
	g->asker = (struct address){0};
	core_time(g, event);
	g->deadline = g->now + IDLE_DEADLINE_MS;
	if (g->loading)
		core_first_step(g);
	err = core_event(g, event);
	if (err) {
		update_reset(g);
		return err;
	}
	if (!g->leaving)
		core_tick(g);
	update_finish(g, ret_update);
	return ERR_OK;
}
