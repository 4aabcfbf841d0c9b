#include "tests/unit/spread_net.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/certificate.h"
#include "record/manifest.h"

#define LATENCY_MS   2
#define IP_UDP_BYTES 28

static struct identity *identity_at(uint8_t number)
{
	uint8_t seed[KEY_BYTES] = {number, 0x5a};
	struct identity *identity = NULL;
	CHECK(identity_from_seed(seed, &identity) == ERR_OK);
	return identity;
}

static void log_add(struct net *n, const uint8_t *entry, size_t len, enum err err)
{
	CHECK(err == ERR_OK);
	CHECK(authlog_append(n->log, entry, len) == ERR_OK);
}

static void make_log(struct net *n)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0;
	struct authlog_grant grant = {.issuer = *identity_id(n->issuer),
				      .name = "issuer",
				      .quota = 70000,
				      .last_day = clock_day(NET_WALL) + 100,
				      .grace_days = 30};
	memcpy(grant.public_key, identity_public_key(n->issuer), KEY_BYTES);
	CHECK(authlog_new(&n->log) == ERR_OK);
	enum err err =
	    authlog_make_genesis(n->authority, identity_public_key(n->issuer), "net", NET_WALL, entry, &len);
	log_add(n, entry, len, err);
	err = authlog_make_grant(n->log, n->authority, &grant, NET_WALL, entry, &len);
	log_add(n, entry, len, err);
	for (size_t i = 0; i < NET_OPS; i++) {
		err = authlog_make_operator(n->log, n->authority, identity_public_key(n->ops[i]), "op", 15,
					    grant.last_day, NET_WALL, entry, &len);
		log_add(n, entry, len, err);
	}
	for (int i = 0; i < 12; i++) { /* more than one datagram of them */
		err = authlog_make_extend(n->log, n->authority, NULL, &(wall_day){grant.last_day + 1}, NULL,
					  NET_WALL, entry, &len);
		log_add(n, entry, len, err);
	}
}

void net_init(struct net *n, size_t nodes, const char *const sites[])
{
	static const uint8_t secret[KEY_BYTES] = {7};
	memset(n, 0, sizeof *n);
	CHECK(crypto_init() == ERR_OK && nodes <= NET_NODES);
	n->now = NET_START;
	prng_seed(&n->prng, 42);
	n->authority = identity_at(201);
	n->issuer = identity_at(202);
	for (size_t i = 0; i < NET_OPS; i++)
		n->ops[i] = identity_at((uint8_t)(203 + i));
	make_log(n);
	estate_keys_derive(&n->keys, authlog_estate(n->log), secret);
	n->node_count = nodes;
	for (size_t i = 0; i < nodes; i++) {
		struct net_node *node = &n->nodes[i];
		struct certificate c = {.enrolled = clock_day(NET_WALL) - 30, .seq = 1};
		node->identity = identity_at((uint8_t)(i + 1));
		node->address =
		    (struct address){.ip = {127, 0, 0, (uint8_t)(i + 1)}, .ip_len = 4, .port = 7946};
		text_copy(c.site, sizeof c.site, sites[i]);
		certificate_consent(&c, node->identity, identity_id(n->issuer), &n->keys.estate);
		CHECK(certificate_issue(&c, n->issuer, &n->keys.estate, 1, NET_WALL, node->certificate,
					&node->certificate_len) == ERR_OK);
	}
}

static void node_free(struct net_node *node)
{
	gossip_free(node->g);
	authlog_free(node->log);
	identity_free(node->identity);
	for (size_t i = 0; i < node->row_count; i++)
		free(node->rows[i].bytes);
	free(node->rows);
	free(node->slots);
}

void net_free(struct net *n)
{
	for (size_t i = 0; i < n->node_count; i++)
		node_free(&n->nodes[i]);
	authlog_free(n->log);
	identity_free(n->authority);
	identity_free(n->issuer);
	for (size_t i = 0; i < NET_OPS; i++)
		identity_free(n->ops[i]);
	free(n->flying);
}

/* --- replica --- */

static uint64_t row_hash(const struct record_key *key, const struct id *blob)
{
	uint8_t packed[RECORD_KEY_BYTES];
	if (blob != NULL)
		return id_short(blob);
	record_key_pack(key, packed);
	return hash_checksum(packed, sizeof packed);
}

static uint32_t *row_slot(struct net_node *node, const struct record_key *key, const struct id *blob)
{
	size_t at = row_hash(key, blob) & (node->slot_cap - 1);
	for (;; at = (at + 1) & (node->slot_cap - 1)) {
		if (node->slots[at] == 0)
			return &node->slots[at];
		const struct net_row *row = &node->rows[node->slots[at] - 1];
		if (blob != NULL ? row->is_blob && id_equal(&row->blob, blob)
				 : !row->is_blob && record_key_equal(&row->key, key))
			return &node->slots[at];
	}
}

static struct net_row *row_put(struct net_node *node, const struct record_key *key, const struct id *blob)
{
	if (node->slots == NULL) { /* more rows than any test makes */
		node->slot_cap = 32768;
		node->row_cap = node->slot_cap / 2;
		node->slots = calloc(node->slot_cap, sizeof *node->slots);
		node->rows = calloc(node->row_cap, sizeof *node->rows);
		CHECK(node->slots != NULL && node->rows != NULL);
	}
	uint32_t *slot = row_slot(node, key, blob);
	if (*slot == 0) {
		CHECK(node->row_count < node->row_cap);
		*slot = (uint32_t)++node->row_count;
	}
	struct net_row *row = &node->rows[*slot - 1];
	row->is_blob = blob != NULL;
	if (blob != NULL)
		row->blob = *blob;
	else
		row->key = *key;
	return row;
}

static void row_fill(struct net_row *row, const uint8_t *bytes, size_t len)
{
	free(row->bytes);
	row->bytes = malloc(len);
	CHECK(row->bytes != NULL);
	memcpy(row->bytes, bytes, len);
	row->len = len;
}

/* --- steps --- */

static void fly(struct net *n, const struct address *from, const struct gossip_datagram *d)
{
	n->sent++;
	n->bytes[d->bytes[1]] += d->len + IP_UDP_BYTES;
	if (prng_chance(&n->prng, n->loss)) {
		n->lost++;
		return;
	}
	if (n->count == n->cap) {
		size_t cap = n->cap == 0 ? 64 : n->cap * 2;
		struct net_datagram *ring = malloc(cap * sizeof *ring);
		CHECK(ring != NULL);
		for (size_t i = 0; i < n->count; i++)
			ring[i] = n->flying[(n->first + i) % n->cap];
		free(n->flying);
		n->flying = ring;
		n->first = 0;
		n->cap = cap;
	}
	struct net_datagram *f = &n->flying[(n->first + n->count++) % n->cap];
	*f = (struct net_datagram){.at = n->now + LATENCY_MS, .from = *from, .to = d->to, .len = d->len};
	memcpy(f->bytes, d->bytes, d->len);
	if (n->flip != 0 && prng_below(&n->prng, n->flip) == 0) {
		f->bytes[prng_below(&n->prng, f->len)] ^= (uint8_t)(1u << prng_below(&n->prng, 8));
		n->flipped++;
	}
}

static void carry_out(struct net *n, struct net_node *node, const struct gossip_update *u)
{
	node->log_entries += u->log_entry_count;
	for (size_t i = 0; i < u->record_count; i++) {
		/* What is handed to the replica proves itself: never anything forged or bent. */
		struct record r;
		CHECK(record_parse(u->records[i].bytes, u->records[i].len, &r) == ERR_OK);
		row_fill(row_put(node, &r.key, NULL), u->records[i].bytes, u->records[i].len);
	}
	for (size_t i = 0; i < u->blob_count; i++) {
		struct id id = blob_id(u->blobs[i].bytes, u->blobs[i].len);
		CHECK(id_equal(&id, &u->blobs[i].id));
		row_fill(row_put(node, NULL, &id), u->blobs[i].bytes, u->blobs[i].len);
	}
	for (size_t i = 0; i < u->datagram_count; i++)
		fly(n, &node->address, &u->datagrams[i]);
	node->deadline = u->deadline;
}

void net_step(struct net *n, size_t at, struct gossip_event *event)
{
	struct net_node *node = &n->nodes[at];
	struct gossip_update u;
	event->now = n->now;
	event->wall = NET_WALL + n->now;
	CHECK(gossip_step(node->g, event, &u) == ERR_OK);
	carry_out(n, node, &u);
	while (u.read_count > 0) {
		struct gossip_answer *answers = calloc(u.read_count, sizeof *answers);
		CHECK(answers != NULL);
		for (size_t i = 0; i < u.read_count; i++) {
			bool blob = u.reads[i].type == GOSSIP_READ_BLOB;
			uint32_t slot = *row_slot(node, &u.reads[i].key, blob ? &u.reads[i].blob : NULL);
			if (slot != 0)
				answers[i] = (struct gossip_answer){node->rows[slot - 1].bytes,
								    node->rows[slot - 1].len};
		}
		struct gossip_event answer = {.type = GOSSIP_ANSWERS,
					      .now = n->now,
					      .wall = event->wall,
					      .answers = {answers, u.read_count}};
		CHECK(gossip_step(node->g, &answer, &u) == ERR_OK);
		free(answers);
		carry_out(n, node, &u);
	}
}

void net_start(struct net *n, size_t at, size_t log_entries)
{
	struct net_node *node = &n->nodes[at];
	CHECK(authlog_new(&node->log) == ERR_OK);
	for (size_t i = 0; i < authlog_count(n->log) && (log_entries == 0 || i < log_entries); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(n->log, i, &len);
		CHECK(authlog_append(node->log, entry, len) == ERR_OK);
	}
	struct gossip_options o = {.identity = node->identity,
				   .certificate = node->certificate,
				   .certificate_len = node->certificate_len,
				   .log = node->log,
				   .keys = &n->keys,
				   .rng = crypto_rng_from_seed(&node->rng, at + 1),
				   .prng_seed = at + 1,
				   .instance = at + 1,
				   .seq_next = 2,
				   .seq_reserved = 2,
				   .seeds = &n->nodes[0].address,
				   .seed_count = at == 0 ? 0 : 1,
				   .now = n->now,
				   .wall = NET_WALL + n->now,
				   .timing = gossip_timing_default()};
	CHECK(gossip_new(&o, &node->g) == ERR_OK);
	node->deadline = n->now;
}

void net_load(struct net *n, size_t at, const uint8_t *bytes, size_t len)
{
	struct record r;
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	CHECK(gossip_load_record(n->nodes[at].g, bytes, len, NET_WALL) == ERR_OK);
	row_fill(row_put(&n->nodes[at], &r.key, NULL), bytes, len);
}

size_t net_note(struct net *n, uint64_t slot, uint64_t seq, uint8_t *ret)
{
	CHECK(slot < NET_OPS * NET_NOTES);
	const struct identity *op = n->ops[slot / NET_NOTES];
	struct record_key key = {
	    .kind = RECORD_NOTE, .writer = *identity_id(op), .subject = n->keys.estate, .slot = slot};
	static const uint8_t body[] = {0x81, 0x02, 0xa4, 'n', 'o', 't', 'e'};
	size_t len = 0;
	CHECK(record_sign(&key, seq, 1, NET_WALL, body, sizeof body, &n->keys.estate, op, ret, &len) ==
	      ERR_OK);
	return len;
}

static void deliver(struct net *n)
{
	struct net_datagram d = n->flying[n->first];
	n->first = (n->first + 1) % n->cap;
	n->count--;
	for (size_t i = 0; i < n->node_count; i++) {
		if (n->nodes[i].g == NULL || !address_equal(&n->nodes[i].address, &d.to))
			continue;
		struct gossip_event event = {.type = GOSSIP_DATAGRAM, .datagram = {d.from, d.bytes, d.len}};
		net_step(n, i, &event);
	}
}

bool net_run(struct net *n, mono_ms ms, bool (*done)(struct net *n))
{
	mono_ms until = n->now + ms;
	while (done == NULL || !done(n)) {
		mono_ms next = n->count > 0 ? n->flying[n->first].at : until + 1;
		size_t node = n->node_count;
		for (size_t i = 0; i < n->node_count; i++)
			if (n->nodes[i].g != NULL && n->nodes[i].deadline < next) {
				next = n->nodes[i].deadline;
				node = i;
			}
		if (next > until)
			return false;
		n->now = next > n->now ? next : n->now;
		if (node == n->node_count)
			deliver(n);
		else
			net_step(n, node, &(struct gossip_event){.type = GOSSIP_TICK});
	}
	return true;
}

struct gossip_status net_status(const struct net *n, size_t node)
{
	struct gossip_status s;
	gossip_status(n->nodes[node].g, &s);
	return s;
}

bool net_agree(struct net *n)
{
	struct gossip_status first = net_status(n, 0);
	for (size_t i = 0; i < n->node_count; i++) {
		struct gossip_status s = net_status(n, i);
		if (s.estate_root != first.estate_root || s.blobs != first.blobs || s.blobs_wanted > 0 ||
		    s.log_head.index != first.log_head.index || s.hosts != n->node_count)
			return false;
	}
	return true;
}
