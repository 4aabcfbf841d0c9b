/* Drives one core, as node/ does in production: events in, updates carried out in the documented order. */
#include <stdlib.h>
#include <string.h>

#include "attacker.h"
#include "crypto/hash.h"
#include "invariants.h"
#include "world.h"

#define COMMIT_URGENT_MS  1000
#define COMMIT_ROUTINE_MS 5000
/* A socket buffer's worth. */
#define BACKLOG_DATAGRAMS 256
/* Steps of one node in one millisecond. */
#define SPIN_STEPS 5000
/* Reads that lead to reads. */
#define READ_ROUNDS 64

mono_ms node_mono(const struct world *w, const struct node *n)
{
	return w->now + n->base;
}

wall_ms node_wall(const struct world *w, const struct node *n)
{
	return (wall_ms)((int64_t)world_wall(w) + n->skew);
}

static void schedule(struct world *w, struct node *n, mono_ms deadline)
{
	mono_ms at = deadline > n->base ? deadline - n->base : 0;
	n->tick_at = at > w->now ? at : w->now;
	if (n->tick_at >= n->tick_queued)
		return;
	n->tick_queued = n->tick_at;
	heap_push(&w->heap,
		  &(struct sim_event){.at = n->tick_at, .kind = SIM_TICK, .node = n->index, .life = n->life});
}

static void store_records(struct world *w, struct node *n, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->record_count && !w->failed; i++) {
		const struct sim_record *s =
		    registry_find_bytes(&w->registry, u->records[i].bytes, u->records[i].len);
		replica_put(&n->replica, s, u->records[i].received);
		if (s->id == w->track.id && w->track.at[n->index] == 0) {
			w->track.at[n->index] = w->now;
			w->track.reached++;
		}
	}
	for (size_t i = 0; i < u->blob_count && !w->failed; i++) {
		const struct gossip_blob *b = &u->blobs[i];
		struct id derived;
		hash_bytes(derived.b, sizeof(derived.b), "mesh.blob", b->bytes, b->len);
		uint32_t index = sim_map_get(&w->registry.blobs_by_id, id_short(&derived));
		if (!id_equal(&derived, &b->id) || index == SIM_MAP_NONE)
			world_fail(w, n, "keeps a blob that nobody published, or under another id");
		else
			replica_put_blob(&n->replica, index);
	}
}

static void store_states(struct world *w, struct node *n, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->host_count; i++) {
		const struct node *host = world_find(w, &u->hosts[i].host);
		if (host != NULL) /* else a stranger */
			replica_put_host(&n->replica, host->index, &u->hosts[i]);
	}
	for (size_t i = 0; i < u->site_count; i++)
		for (uint32_t s = 0; s < w->site_count; s++)
			if (id_equal(&w->site_ids[s], &u->sites[i].site)) {
				n->replica.sites[s].pending = u->sites[i];
				n->replica.sites[s].has_pending = true;
			}
	n->replica.dirty |= u->site_count > 0;
}

static void plan_commit(struct world *w, struct node *n, bool urgent)
{
	mono_ms at = w->now + (urgent ? COMMIT_URGENT_MS : COMMIT_ROUTINE_MS);
	if (!n->replica.dirty || (n->commit_at > w->now && n->commit_at <= at))
		return;
	n->commit_at = at;
	heap_push(&w->heap,
		  &(struct sim_event){.at = at, .kind = SIM_COMMIT, .node = n->index, .life = n->life});
}

/* In the order of gossip.h. */
static void carry_out(struct world *w, struct node *n, const struct gossip_update *u)
{
	if (u->reserve_seq_to != 0) {
		if (u->reserve_seq_to <= n->seq_reserved)
			world_fail(w, n, "reserves seqs that were reserved already");
		n->seq_reserved = u->reserve_seq_to;
	}
	invariants_update(w, n, u);
	if (w->failed)
		return;
	store_records(w, n, u);
	if (!w->failed)
		invariants_states(w, n, u);
	if (w->failed)
		return;
	store_states(w, n, u);
	plan_commit(w, n, u->urgent);
	for (size_t i = 0; i < u->datagram_count; i++) {
		const struct gossip_datagram *d = &u->datagrams[i];
		if (d->len == 0 || d->len > LIMIT_DATAGRAM_BYTES) {
			world_fail(w, n, "sends a datagram of %u bytes", d->len);
			return;
		}
		world_trace(w, d->bytes, d->len);
		net_send(w, &n->address, &d->to, d->bytes, d->len);
	}
}

/* What the replica answers to the reads of an update, whose memory the next step may reuse. */
static struct gossip_answer *answer(struct world *w, struct node *n, const struct gossip_update *u)
{
	struct gossip_answer *answers = sim_alloc(u->read_count, sizeof(*answers));
	for (size_t i = 0; i < u->read_count; i++) {
		const struct gossip_read *read = &u->reads[i];
		if (read->type == GOSSIP_READ_BLOB) {
			uint32_t index = sim_map_get(&w->registry.blobs_by_id, id_short(&read->blob));
			if (index == SIM_MAP_NONE || !replica_has_blob(&n->replica, index))
				continue;
			answers[i].bytes = w->registry.blobs[index]->bytes;
			answers[i].len = w->registry.blobs[index]->len;
			continue;
		}
		uint8_t packed[RECORD_KEY_BYTES];
		record_key_pack(&read->key, packed);
		uint32_t number = sim_map_get(&w->registry.keys, hash_checksum(packed, sizeof(packed)));
		const struct sim_record *s = number == SIM_MAP_NONE ? NULL : replica_get(&n->replica, number);
		if (s != NULL) {
			answers[i].bytes = s->bytes;
			answers[i].len = s->len;
		}
	}
	return answers;
}

/* One event, and the answers to what the core reads on account of it. */
static void step(struct world *w, struct node *n, struct gossip_event *event)
{
	struct gossip_answer *answers = NULL;
	for (unsigned round = 0; !w->failed; round++) {
		struct gossip_update u;
		n->steps_now = n->stepped_at == w->now ? n->steps_now + 1 : 0;
		n->stepped_at = w->now;
		event->now = node_mono(w, n);
		event->wall = node_wall(w, n);
		w->steps++;
		enum err err = gossip_step(n->g, event, &u);
		free(answers);
		answers = NULL;
		if (err != ERR_OK) {
			world_fail(w, n, "gossip_step refuses an event of type %d: %s", (int)event->type,
				   err_text(err));
			break;
		}
		carry_out(w, n, &u);
		if (w->failed)
			break;
		invariants_node(w, n);
		if (event->type != GOSSIP_LEAVE)
			schedule(w, n, u.deadline);
		if (n->steps_now > SPIN_STEPS || round > READ_ROUNDS)
			world_fail(w, n, "does not come to rest: %u steps in one millisecond", n->steps_now);
		if (u.read_count == 0)
			break;
		answers = answer(w, n, &u);
		*event = (struct gossip_event){.type = GOSSIP_ANSWERS, .answers = {answers, u.read_count}};
	}
	free(answers);
}

static int record_order(const void *a, const void *b)
{
	const struct sim_record *const *left = a, *const *right = b;
	uint8_t l[RECORD_KEY_BYTES], r[RECORD_KEY_BYTES];
	record_key_pack(&(*left)->key, l);
	record_key_pack(&(*right)->key, r);
	return memcmp(l, r, sizeof(l));
}

static void load(struct world *w, struct node *n)
{
	const struct replica *r = &n->replica;
	const struct sim_record **records = sim_alloc(r->row_count, sizeof(const struct sim_record *));
	size_t count = 0;
	for (size_t i = 0; i < r->row_count; i++)
		if (r->rows[i].pending != NULL)
			records[count++] = r->rows[i].pending;
	/* Certificates first, as the store gives them. */
	qsort(records, count, sizeof(*records), record_order);
	for (size_t i = 0; i < count && !w->failed; i++) {
		enum err err = gossip_load_record(n->g, records[i]->bytes, records[i]->len,
						  r->rows[records[i]->key_number].received);
		if (err != ERR_OK)
			world_fail(w, n, "does not load a record of kind %u from its replica: %s",
				   records[i]->key.kind, err_text(err));
	}
	free(records);
	for (uint32_t i = 0; i < r->blob_count; i++)
		if (replica_has_blob(r, i))
			CHECK(gossip_load_blob(n->g, &w->registry.blobs[i]->id) == ERR_OK);
	for (size_t i = 0; i < r->host_count; i++)
		if (r->hosts[i].has_pending)
			gossip_load_host_state(n->g, &r->hosts[i].pending);
	for (size_t i = 0; i < r->site_count; i++)
		if (r->sites[i].has_pending)
			gossip_load_site_state(n->g, &r->sites[i].pending);
}

void node_start(struct world *w, struct node *n, bool publish)
{
	CHECK(n->g == NULL);
	/* Two of its own site, one of the next. */
	struct address seeds[3] = {
	    net_address(n->site),
	    net_address(n->site + w->site_count < w->node_count ? n->site + w->site_count : n->site),
	    net_address((n->site + 1) % w->site_count)};
	uint64_t life = n->life++;
	uint64_t own = w->seed * 1000003 + n->index * 8191ull + life * 131;
	n->base = life == 0 ? 0 : 1000 + prng_below(&w->choice, 1000000);
	n->tick_queued = UINT64_MAX;
	n->commit_at = 0;
	n->paused_until = 0;
	n->backlog = 0;
	n->changed_at = w->now;
	n->budget = (struct sim_budget){.at = w->now};
	n->instance = prng_u64(&w->choice);
	struct gossip_options options = {.identity = n->identity,
					 .certificate = n->certificate,
					 .certificate_len = n->certificate_len,
					 .log = n->log,
					 .keys = &w->estate.keys,
					 .rng = crypto_rng_from_seed(&n->rng, own),
					 .prng_seed = own ^ 0x5eed,
					 .instance = n->instance,
					 .seq_next = n->seq_reserved,
					 .seq_reserved = n->seq_reserved,
					 .seeds = seeds,
					 .seed_count = 3,
					 .now = node_mono(w, n),
					 .wall = node_wall(w, n),
					 .timing = gossip_timing_default(),
					 .weakened = w->weakened,
					 .poison = &w->poison,
					 .poison_count = w->poison != 0};
	enum err err = gossip_new(&options, &n->g);
	if (err != ERR_OK) {
		world_fail(w, n, "gossip_new: %s", err_text(err));
		return;
	}
	load(w, n);
	invariants_started(w, n);
	if (!w->failed)
		step(w, n, &(struct gossip_event){.type = GOSSIP_TICK});
	if (publish && !w->failed)
		host_publish_all(w, n);
}

static void down(struct world *w, struct node *n)
{
	gossip_free(n->g);
	n->g = NULL;
	n->changed_at = w->now;
	n->paused_until = 0;
}

void node_crash(struct world *w, struct node *n, bool lose_replica)
{
	CHECK(n->g != NULL);
	down(w, n);
	replica_crash(&n->replica);
	if (lose_replica)
		replica_wipe(&n->replica);
}

void node_leave(struct world *w, struct node *n, enum goodbye_reason reason)
{
	step(w, n, &(struct gossip_event){.type = GOSSIP_LEAVE, .leave = {reason}});
	replica_commit(&n->replica);
	down(w, n);
}

void node_pause(struct world *w, struct node *n, mono_ms duration)
{
	n->paused_until = w->now + duration;
	n->backlog = 0;
}

void node_set_clock(struct world *w, struct node *n, mono_ms forward, mono_ms back)
{
	n->skew += (int64_t)forward - (int64_t)back;
	n->clock_set_at = w->now;
}

void node_deliver(struct world *w, struct node *n, struct sim_event *event)
{
	if (n->puppet.hear != NULL) {
		w->delivered++;
		n->puppet.hear(n->puppet.context, &event->from, event->bytes, event->len);
		return;
	}
	if (n->g == NULL) {
		w->dropped++;
		return;
	}
	if (w->now < n->paused_until) {
		if (n->backlog++ >= BACKLOG_DATAGRAMS) {
			w->dropped++;
			return;
		}
		struct sim_event later = *event;
		later.at = n->paused_until;
		heap_push(&w->heap, &later);
		event->bytes = NULL;
		return;
	}
	w->delivered++;
	world_trace(w, event->bytes, event->len);
	step(w, n,
	     &(struct gossip_event){.type = GOSSIP_DATAGRAM,
				    .datagram = {event->from, event->bytes, event->len}});
}

void node_tick(struct world *w, struct node *n, const struct sim_event *event)
{
	if (n->g == NULL || event->life != n->life)
		return;
	if (event->at == n->tick_queued)
		n->tick_queued = UINT64_MAX;
	if (w->now < n->paused_until)
		schedule(w, n, n->paused_until + n->base);
	else if (w->now < n->tick_at)
		schedule(w, n, n->tick_at + n->base);
	else
		step(w, n, &(struct gossip_event){.type = GOSSIP_TICK});
}

void node_commit(struct world *w, struct node *n, const struct sim_event *event)
{
	if (n->g != NULL && event->life == n->life && n->replica.dirty)
		replica_commit(&n->replica);
	(void)w;
}

void node_drill(struct world *w, struct node *n, uint32_t site, bool cut)
{
	struct gossip_event e = {.type = GOSSIP_DRILL, .drill = {.cut = cut}};
	memcpy(e.drill.site, w->site_names[site], sizeof(e.drill.site));
	step(w, n, &e);
}

const struct sim_record *node_publish(struct world *w, struct node *n, uint8_t kind,
				      enum gossip_urgency urgency, const uint8_t *body, size_t len)
{
	size_t before = w->registry.record_count;
	step(w, n, &(struct gossip_event){.type = GOSSIP_LOCAL, .local = {kind, urgency, body, len}});
	for (size_t i = before; i < w->registry.record_count; i++)
		if (w->registry.records[i]->key.kind == kind)
			return w->registry.records[i];
	if (!w->failed)
		world_fail(w, n, "published a record of kind %u, and the core made none", kind);
	return NULL;
}

void node_publish_blob(struct world *w, struct node *n, const uint8_t *bytes, size_t len)
{
	step(w, n, &(struct gossip_event){.type = GOSSIP_BLOB, .blob = {bytes, len}});
}

void node_log(struct world *w, struct node *n, const uint8_t *entry, size_t len)
{
	step(w, n, &(struct gossip_event){.type = GOSSIP_LOG, .log = {entry, len}});
}
