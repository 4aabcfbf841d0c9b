#include "invariants.h"

#include <stdlib.h>
#include <string.h>

#include "attacker.h"
#include "crypto/hash.h"
#include "gossip/wire.h"

/* Steps for each record after which a sketch is built anew, so that it costs little beside them. */
#define SKETCH_WORK 50

/* What a step changed is checked after each. Beyond that, bounds and the whole set are gone through: after
 * each step of small worlds; in larger ones after so many of a node that a step has to pay for so many
 * records. */
#define SMALL_SET      600
#define RECORDS_A_STEP 8

static void check_own(struct world *w, struct node *n, const struct record *r)
{
	if (record_verify(r, &w->estate.keys.estate, identity_public_key(n->identity)) != ERR_OK)
		world_fail(w, n, "a record in its own name that its key did not sign, kind %u", r->key.kind);
	else if (r->seq <= n->last_seq)
		world_fail(w, n, "signed seq %llu after %llu: a counter was used again",
			   (unsigned long long)r->seq, (unsigned long long)n->last_seq);
	else if (r->seq >= n->seq_reserved)
		world_fail(w, n, "signed seq %llu with only those below %llu reserved",
			   (unsigned long long)r->seq, (unsigned long long)n->seq_reserved);
	n->last_seq = r->seq;
	registry_add(&w->registry, r, w->now);
}

static uint64_t *seen_of(struct node *n, const struct sim_record *s)
{
	while (s->key_number >= n->seen_count) {
		n->seen = sim_grow(n->seen, n->seen_count, &n->seen_capacity, sizeof(*n->seen));
		n->seen_count++;
	}
	return &n->seen[s->key_number];
}

static void check_order(struct world *w, struct node *n, const struct sim_record *s)
{
	uint64_t *seen = seen_of(n, s);
	if (s->seq < *seen)
		world_fail(w, n, "record of kind %u went back from seq %llu to %llu", s->key.kind,
			   (unsigned long long)*seen, (unsigned long long)s->seq);
	*seen = s->seq;
}

static void check_records(struct world *w, struct node *n, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->record_count && !w->failed; i++) {
		const struct gossip_persist *p = &u->records[i];
		struct record r;
		enum err err = record_parse(p->bytes, p->len, &r);
		if (err != ERR_OK || !record_key_equal(&r.key, &p->key)) {
			world_fail(w, n, "persists what is no record, or under another key: %s",
				   err_text(err));
			return;
		}
		const struct sim_record *s = registry_find_bytes(&w->registry, p->bytes, p->len);
		if (s == NULL && id_equal(&r.key.writer, &n->id)) {
			check_own(w, n, &r);
			s = registry_find_bytes(&w->registry, p->bytes, p->len);
		}
		if (s == NULL)
			world_fail(w, n, "accepted a record of kind %u that nobody published", r.key.kind);
		else
			check_order(w, n, s);
	}
}

static const struct sim_record *held(struct world *w, const struct node *n, uint8_t kind,
				     const struct id *writer, const struct id *subject)
{
	struct record_key key = {.kind = kind, .writer = *writer, .subject = *subject};
	uint8_t packed[RECORD_KEY_BYTES];
	record_key_pack(&key, packed);
	uint32_t number = sim_map_get(&w->registry.keys, hash_checksum(packed, sizeof(packed)));
	return number == SIM_MAP_NONE ? NULL : replica_get(&n->replica, number);
}

/* Highest seq among the records that `host` signed and the node holds, and that of its goodbye. */
static uint64_t own_seq(struct world *w, const struct node *n, const struct node *host, uint64_t *ret_goodbye)
{
	static const uint8_t kinds[] = {RECORD_PROFILE, RECORD_HEALTH,   RECORD_COMPONENTS, RECORD_CRASHES,
					RECORD_GOODBYE, RECORD_ROLLCALL, RECORD_REACH};
	uint64_t highest = 0;
	*ret_goodbye = 0;
	for (size_t i = 0; i < sizeof(kinds); i++) {
		const struct id *subject = kinds[i] < RECORD_ROLLCALL ? &host->id : &w->site_ids[host->site];
		const struct sim_record *s = held(w, n, kinds[i], &host->id, subject);
		if (s == NULL)
			continue;
		if (s->seq > highest)
			highest = s->seq;
		if (kinds[i] == RECORD_GOODBYE)
			*ret_goodbye = s->seq;
	}
	return highest;
}

static bool undisturbed(const struct world *w, const struct node *n)
{
	return n->g != NULL && !n->isolated && w->now >= n->changed_at + ALARM_CALM_MS &&
	       w->now >= n->disturbed_at + ALARM_CALM_MS && w->now >= n->paused_until + ALARM_CALM_MS;
}

static void check_host_state(struct world *w, struct node *n, const struct host_state *state)
{
	struct node *host = world_find(w, &state->host);
	if (host == NULL && world_is_stranger(w, &state->host))
		return;
	if (host == NULL) {
		world_fail(w, n, "reports a host of no certificate");
		return;
	}
	const struct replica_state *row = &n->replica.hosts[host->index];
	enum host_status before = row->has_pending ? row->pending.status : HOST_UNKNOWN;
	uint64_t goodbye, seq = own_seq(w, n, host, &goodbye);
	/* Of itself it knows; and whose key was stolen does speak. */
	bool knows = host == n || attacker_is(w, host) || host->puppet.hear != NULL;
	bool gone = !knows && (before == HOST_STOPPED || before == HOST_ASLEEP);
	bool still = state->status == HOST_STOPPED || state->status == HOST_ASLEEP;
	if (gone && !still && state->status < HOST_LEFT && seq <= goodbye)
		world_fail(w, n, "made host %u %s from %s without a record newer than its goodbye",
			   host->index, host_status_name(state->status), host_status_name(before));
	if (!knows && before == HOST_DARK && state->status != HOST_DARK && !still && host->g == NULL &&
	    host->changed_at < n->dark_at[host->index] && seq <= n->dark_own_seq[host->index])
		world_fail(w, n, "made host %u %s from dark, but it is down and has said nothing since",
			   host->index, host_status_name(state->status));
	if (state->status == HOST_DARK && before != HOST_DARK) {
		n->dark_at[host->index] = w->now;
		n->dark_own_seq[host->index] = seq;
		alarms_dark(w, n, host, state);
		if (undisturbed(w, host) && undisturbed(w, n))
			w->false_dark++;
		if (state->votes == 0 || state->votes > state->signers || state->signers > 3)
			world_fail(w, n, "calls host %u dark by %u of %u witnesses", host->index,
				   state->votes, state->signers);
	}
}

static void check_site_state(struct world *w, struct node *n, const struct site_state *state)
{
	for (uint32_t i = 0; i < w->site_count; i++) {
		if (!id_equal(&w->site_ids[i], &state->site))
			continue;
		const struct replica_site *row = &n->replica.sites[i];
		bool was = row->has_pending && row->pending.status == SITE_SILENT;
		if (state->status != SITE_SILENT || was)
			return;
		alarms_silent(w, n, i);
		size_t at = (size_t)n->site * w->site_count + i;
		if (w->cut[at] || w->now < w->healed_at[at] + ALARM_CALM_MS || !undisturbed(w, n))
			return;
		for (uint32_t h = 0; h < w->node_count; h++) {
			if (w->nodes[h].site == i && undisturbed(w, &w->nodes[h])) {
				w->false_silent++;
				return;
			}
		}
		return;
	}
	world_fail(w, n, "reports a site of no certificate");
}

/* In any stretch of time no more than rate and burst of docs/protocol.md section 9, and no datagram that is
 * not counted, or counted as catching up when it is not. */
static void check_budget(struct world *w, struct node *n, const struct gossip_update *u)
{
	static const uint64_t rate[2] = {LIMIT_BUDGET_RATE_BYTES, LIMIT_CATCH_UP_RATE_BYTES},
			      burst[2] = {LIMIT_BUDGET_BURST_BYTES, LIMIT_CATCH_UP_BURST_BYTES};
	const struct gossip_counters *c = gossip_counted(n->g);
	uint64_t sent[2] = {0, c->sent[GOSSIP_CLASS_CATCH_UP]}, real = 0, bulk = 0;
	for (size_t i = 0; i < GOSSIP_CLASS_CATCH_UP; i++)
		sent[0] += c->sent[i];
	for (size_t i = 0; i < u->datagram_count; i++) {
		uint8_t type = u->datagrams[i].bytes[1];
		real += u->datagrams[i].len + SIM_UDP_IP_BYTES;
		if (type == WIRE_PULL || type == WIRE_RECORDS || type >= WIRE_BLOB_PULL ||
		    (type >= WIRE_SYNC_ROOTS && type < WIRE_LOG_PULL))
			bulk += u->datagrams[i].len + SIM_UDP_IP_BYTES;
	}
	if (sent[0] + sent[1] - n->budget.sent[0] - n->budget.sent[1] != real ||
	    sent[1] - n->budget.sent[1] > bulk)
		world_fail(w, n, "sent %llu bytes and counts others", (unsigned long long)real);
	for (int i = 0; i < 2; i++) {
		uint64_t gone = (w->now - n->budget.at) * rate[i];
		uint64_t *level = &n->budget.level[i];
		*level = (*level > gone ? *level - gone : 0) + (sent[i] - n->budget.sent[i]) * 1000;
		n->budget.sent[i] = sent[i];
		if (*level > burst[i] * 1000)
			world_fail(w, n, "sends %llu bytes %s beyond %llu a second",
				   (unsigned long long)(*level / 1000), i == 0 ? "" : "of catching up",
				   (unsigned long long)rate[i]);
	}
	n->budget.at = w->now;
}

void invariants_update(struct world *w, struct node *n, const struct gossip_update *u)
{
	if (u->datagram_count > LIMIT_UPDATE_DATAGRAMS || u->record_count > LIMIT_UPDATE_RECORDS)
		world_fail(w, n, "an update of %zu datagrams and %zu records", u->datagram_count,
			   u->record_count);
	size_t made = authlog_count(w->estate.log) + w->estate.stolen;
	if (authlog_count(n->log) > made)
		world_fail(w, n, "authority log has %zu entries; %zu were ever made", authlog_count(n->log),
			   made);
	check_budget(w, n, u);
	check_records(w, n, u);
}

void invariants_states(struct world *w, struct node *n, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->host_count && !w->failed; i++)
		check_host_state(w, n, &u->hosts[i]);
	for (size_t i = 0; i < u->site_count && !w->failed; i++)
		check_site_state(w, n, &u->sites[i]);
}

static void check_set(struct world *w, struct node *n)
{
	struct gossip_entry e;
	for (size_t i = 0; gossip_entry_at(n->g, i, &e) && !w->failed; i++) {
		const struct sim_record *s = registry_find(&w->registry, e.id);
		if (s == NULL || s->seq != e.seq || !record_key_equal(&s->key, &e.key))
			world_fail(w, n, "its set holds a record of kind %u that nobody published",
				   e.key.kind);
		else
			check_order(w, n, s);
	}
}

void invariants_node(struct world *w, struct node *n)
{
	struct gossip_status s;
	size_t held = n->seen_count;
	if (held > SMALL_SET && ++n->unlisted < held / RECORDS_A_STEP)
		return;
	n->unlisted = 0;
	w->whole_sets++;
	gossip_status(n->g, &s);
	if (s.records > w->registry.key_count)
		world_fail(w, n, "%zu records in its set; only %zu keys exist", s.records,
			   w->registry.key_count);
	if (s.hosts > w->node_count + w->stranger_count || s.sites > w->site_count ||
	    s.sessions > LIMIT_SESSIONS)
		world_fail(w, n, "knows %zu hosts, %zu sites and %zu sessions", s.hosts, s.sites, s.sessions);
	if (s.blobs > w->registry.blob_count)
		world_fail(w, n, "holds %zu blobs; only %zu exist", s.blobs, w->registry.blob_count);
	check_set(w, n);
	if (w->steps % (s.records * SKETCH_WORK + 1) == 0 && !gossip_sketch_sound(n->g))
		world_fail(w, n, "its sketch is not that of the %zu records of its set", s.records);
}

void invariants_started(struct world *w, struct node *n)
{
	(void)w;
	for (size_t i = 0; i < n->seen_count; i++) {
		const struct sim_record *s = replica_get(&n->replica, (uint32_t)i);
		n->seen[i] = s != NULL ? s->seq : 0;
	}
}
