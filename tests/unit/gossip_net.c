#include "tests/unit/gossip_net.h"

#include <stdlib.h>
#include <string.h>

#include "record/manifest.h"

#define WIRE_MAX 8192
#define SLICE_MS 50

static wall_ms wall(const struct net *n)
{
	return n->wall + n->now;
}

static void replica_put(struct net_node *node, const struct gossip_read *what, const uint8_t *bytes,
			size_t len, wall_ms received)
{
	size_t i = 0;
	while (i < node->row_count &&
	       (node->rows[i].what.type != what->type || !id_equal(&node->rows[i].what.blob, &what->blob) ||
		!record_key_equal(&node->rows[i].what.key, &what->key)))
		i++;
	CHECK(i < NET_ROWS);
	node->row_count += i == node->row_count;
	node->rows[i].what = *what;
	node->rows[i].received = received;
	node->rows[i].len = len;
	memcpy(node->rows[i].bytes, bytes, len);
}

static void replica_drop(struct net_node *node, const struct record_key *key)
{
	for (size_t i = 0; i < node->row_count; i++)
		if (node->rows[i].what.type == GOSSIP_READ_RECORD &&
		    record_key_equal(&node->rows[i].what.key, key))
			node->rows[i--] = node->rows[--node->row_count];
}

static struct gossip_answer replica_get(const struct net_node *node, const struct gossip_read *what)
{
	for (size_t i = 0; i < node->row_count; i++) {
		const struct net_row *row = &node->rows[i];
		if (row->what.type == what->type &&
		    (what->type == GOSSIP_READ_BLOB ? id_equal(&row->what.blob, &what->blob)
						    : record_key_equal(&row->what.key, &what->key)))
			return (struct gossip_answer){row->bytes, row->len};
	}
	return (struct gossip_answer){NULL, 0};
}

static void issue_put(struct net_node *node, const struct issue *issue)
{
	size_t i = 0;
	while (i < node->issue_count &&
	       (node->issues[i].kind != issue->kind || !id_equal(&node->issues[i].subject, &issue->subject)))
		i++;
	CHECK(i < NET_ISSUES);
	node->issue_updates++;
	if (issue->over && i < node->issue_count) {
		node->issues[i] = node->issues[--node->issue_count];
	} else if (!issue->over) {
		node->issue_count += i == node->issue_count;
		node->issues[i] = *issue;
		memset(node->issues[i].proof, 0, sizeof(node->issues[i].proof));
	}
}

static void carry_out(struct net *n, struct net_node *node, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->record_count; i++) {
		struct gossip_read what = {.type = GOSSIP_READ_RECORD, .key = u->records[i].key};
		replica_put(node, &what, u->records[i].bytes, u->records[i].len, u->records[i].received);
	}
	for (size_t i = 0; i < u->forgotten_count; i++)
		replica_drop(node, &u->forgotten[i]);
	for (size_t i = 0; i < u->blob_count; i++) {
		struct gossip_read what = {.type = GOSSIP_READ_BLOB, .blob = u->blobs[i].id};
		replica_put(node, &what, u->blobs[i].bytes, u->blobs[i].len, 0);
	}
	for (size_t i = 0; i < u->issue_count; i++)
		issue_put(node, &u->issues[i]);
	for (size_t i = 0; i < u->datagram_count; i++) {
		CHECK(n->wire_count < WIRE_MAX);
		struct net_datagram *d = &n->wire[n->wire_count++];
		*d = (struct net_datagram){
		    .from = node->address, .to = u->datagrams[i].to, .len = u->datagrams[i].len};
		memcpy(d->bytes, u->datagrams[i].bytes, d->len);
	}
}

static void step(struct net *n, struct net_node *node, struct gossip_event *event)
{
	struct gossip_update u;
	struct gossip_answer answers[512];
	event->now = n->now;
	event->wall = wall(n);
	CHECK(gossip_step(node->g, event, &u) == ERR_OK);
	carry_out(n, node, &u);
	while (u.read_count > 0) {
		for (size_t i = 0; i < u.read_count; i++)
			answers[i] = replica_get(node, &u.reads[i]);
		struct gossip_event reply = {.type = GOSSIP_ANSWERS,
					     .now = n->now,
					     .wall = wall(n),
					     .answers = {answers, u.read_count}};
		CHECK(gossip_step(node->g, &reply, &u) == ERR_OK);
		carry_out(n, node, &u);
	}
}

static void deliver(struct net *n)
{
	for (size_t at = 0; at < n->wire_count; at++) {
		struct net_datagram d = n->wire[at];
		if (n->tap != NULL && !n->tap(n, &d))
			continue;
		for (size_t i = 0; i < NET_NODES; i++) {
			struct net_node *node = &n->nodes[i];
			struct gossip_event event = {.type = GOSSIP_DATAGRAM,
						     .datagram = {d.from, d.bytes, d.len}};
			if (node->g != NULL && !node->deaf && address_equal(&node->address, &d.to))
				step(n, node, &event);
		}
	}
	n->wire_count = 0;
}

struct net *net_new(void)
{
	struct net *n = calloc(1, sizeof(*n));
	CHECK(n != NULL);
	n->wire = malloc(WIRE_MAX * sizeof(*n->wire));
	CHECK(n->wire != NULL);
	n->now = 10000;
	n->wall = FIXTURE_NOW;
	fixture_make(&n->f, 7);
	for (size_t i = 0; i < NET_NODES; i++) {
		struct net_node *node = &n->nodes[i];
		CHECK(identity_generate(&n->f.rng, &node->identity) == ERR_OK);
		CHECK(authlog_copy(n->f.log, &node->log) == ERR_OK);
		node->address =
		    (struct address){.ip = {10, 0, 0, (uint8_t)(i + 1)}, .ip_len = 4, .port = 7946};
		node->certificate_len = fixture_certificate(&n->f, node->identity, node->certificate);
	}
	return n;
}

void net_free(struct net *n)
{
	for (size_t i = 0; i < NET_NODES; i++) {
		gossip_free(n->nodes[i].g);
		identity_free(n->nodes[i].identity);
		authlog_free(n->nodes[i].log);
	}
	fixture_release(&n->f);
	free(n->wire);
	free(n);
}

void net_start(struct net *n, size_t at, const struct address *seed)
{
	struct net_node *node = &n->nodes[at];
	gossip_free(node->g);
	node->seq += 1000;
	struct gossip_options o = {.identity = node->identity,
				   .certificate = node->certificate,
				   .certificate_len = node->certificate_len,
				   .log = node->log,
				   .keys = &n->f.keys,
				   .rng = crypto_rng_from_seed(&node->seeded, node->seq + at),
				   .prng_seed = at + 1,
				   .instance = node->seq + at,
				   .seq_next = node->seq,
				   .seeds = seed,
				   .seed_count = seed != NULL,
				   .now = n->now,
				   .wall = wall(n),
				   .timing = gossip_timing_default()};
	if (at == 0) {
		o.applying = n->applying;
		o.poison = n->poison;
		o.poison_count = n->poison_count;
	}
	CHECK(gossip_new(&o, &node->g) == ERR_OK);
	for (size_t i = 0; i < node->row_count; i++)
		if (node->rows[i].what.type == GOSSIP_READ_RECORD)
			(void)gossip_load_record(node->g, node->rows[i].bytes, node->rows[i].len,
						 node->rows[i].received);
	for (size_t i = 0; i < node->issue_count; i++)
		CHECK(gossip_load_issue(node->g, &node->issues[i]) == ERR_OK);
	struct gossip_event tick = {.type = GOSSIP_TICK};
	step(n, node, &tick);
	deliver(n);
}

static void publish_profile(struct net *n, size_t node)
{
	struct profile p = {.address_count = 1, .addresses = {n->nodes[node].address}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	CHECK(profile_encode(&p, body, &len) == ERR_OK);
	net_publish(n, node, RECORD_PROFILE, body, len);
}

void net_meet(struct net *n)
{
	for (size_t i = 0; i < NET_NODES; i++)
		net_start(n, i, i > 0 ? &n->nodes[0].address : NULL);
	for (size_t i = 0; i < NET_NODES; i++)
		publish_profile(n, i);
	net_run(n, 20000);
	for (size_t i = 0; i < NET_NODES; i++)
		for (size_t j = 0; j < NET_NODES; j++)
			CHECK(i == j || (net_member(n, i, j) != NULL && net_member(n, i, j)->session));
}

struct net *net_met(void)
{
	struct net *n = net_new();
	net_meet(n);
	return n;
}

void net_run(struct net *n, mono_ms ms)
{
	for (mono_ms end = n->now + ms; n->now < end;) {
		n->now += SLICE_MS;
		for (size_t i = 0; i < NET_NODES; i++) {
			struct gossip_event tick = {.type = GOSSIP_TICK};
			if (n->nodes[i].g != NULL)
				step(n, &n->nodes[i], &tick);
		}
		deliver(n);
	}
}

void net_inject(struct net *n, size_t to, const struct address *from, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_DATAGRAM, .datagram = {*from, bytes, len}};
	step(n, &n->nodes[to], &event);
	deliver(n);
}

size_t net_seal(struct net *n, size_t from, size_t to, enum wire_type type, const void *message, size_t len,
		uint8_t ret[LIMIT_DATAGRAM_BYTES])
{
	size_t sealed;
	CHECK(keyring_seal(n->nodes[from].g->keyring, net_id(n, to), (uint8_t)type, message, len, ret,
			   &sealed, NULL) == ERR_OK);
	return sealed;
}

void net_say(struct net *n, size_t from, size_t to, enum wire_type type, const void *message, size_t len)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t sealed = net_seal(n, from, to, type, message, len, bytes);
	net_inject(n, to, &n->nodes[from].address, bytes, sealed);
}

void net_publish(struct net *n, size_t node, uint8_t kind, const uint8_t *body, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_LOCAL, .local = {kind, GOSSIP_URGENT, body, len}};
	step(n, &n->nodes[node], &event);
	deliver(n);
}

struct id net_blob(struct net *n, size_t node, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_BLOB, .blob = {bytes, len}};
	step(n, &n->nodes[node], &event);
	deliver(n);
	return blob_id(bytes, len);
}

const struct gossip_counters *net_counters(const struct net *n, size_t node)
{
	return &n->nodes[node].g->counters;
}

const struct id *net_id(const struct net *n, size_t node)
{
	return identity_id(n->nodes[node].identity);
}

struct member *net_member(const struct net *n, size_t node, size_t other)
{
	return member_find(n->nodes[node].g, net_id(n, other));
}

bool net_has(const struct net *n, size_t node, const struct record_key *key, uint64_t seq)
{
	struct set_entry e;
	return set_find(n->nodes[node].g->set, key, &e) && e.seq >= seq;
}

enum err net_log(struct net *n, size_t node, const uint8_t *bytes, size_t len)
{
	struct gossip_update u;
	struct gossip_event event = {.type = GOSSIP_LOG, .now = n->now, .wall = wall(n), .log = {bytes, len}};
	enum err err = gossip_step(n->nodes[node].g, &event, &u);
	if (err == ERR_OK)
		carry_out(n, &n->nodes[node], &u);
	deliver(n);
	return err;
}

void net_grant(struct net *n, size_t node, const struct authlog_grant *grant)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_grant(n->nodes[node].log, n->f.authority, grant, FIXTURE_NOW, entry, &len) ==
	      ERR_OK);
	CHECK(net_log(n, node, entry, len) == ERR_OK);
}

void net_revoke(struct net *n, size_t node, enum log_revoke_what what, const struct id *id,
		const struct id *allow_list)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_revoke(n->nodes[node].log, n->f.authority, what, id, allow_list, "", FIXTURE_NOW,
				  entry, &len) == ERR_OK);
	CHECK(net_log(n, node, entry, len) == ERR_OK);
}

const struct issue *net_issue(const struct net *n, size_t node, enum issue_kind kind,
			      const struct id *subject)
{
	for (size_t i = 0; i < n->nodes[node].issue_count; i++)
		if (n->nodes[node].issues[i].kind == kind &&
		    id_equal(&n->nodes[node].issues[i].subject, subject))
			return &n->nodes[node].issues[i];
	return NULL;
}

enum host_standing net_standing(const struct net *n, size_t node, const struct id *host)
{
	struct host_state state;
	CHECK(gossip_host_state(n->nodes[node].g, host, &state));
	return state.standing;
}

void net_push(struct net *n, size_t from, size_t to, const uint8_t *record, size_t len)
{
	struct wire_pack pack;
	wire_pack_push(&pack, 0);
	CHECK(wire_pack_add(&pack, record, len));
	net_say(n, from, to, WIRE_PUSH, pack.bytes, pack.len);
}

void net_days(struct net *n, unsigned count)
{
	n->wall += count * CLOCK_DAY_MS;
	net_run(n, 1000);
}
