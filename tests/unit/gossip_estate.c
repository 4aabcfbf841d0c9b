#include "tests/unit/gossip_estate.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define DELAY_MS 3

static struct identity *identity_numbered(uint8_t number)
{
	uint8_t seed[KEY_BYTES];
	struct identity *ret;

	memset(seed, number, sizeof(seed));
	CHECK(identity_from_seed(seed, &ret) == ERR_OK);
	return ret;
}

void estate_init(struct estate *n, uint64_t seed)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES], secret[KEY_BYTES] = {7};
	size_t len;
	struct authlog_grant grant = {.name = "test", .quota = 100, .last_day = 20900, .grace_days = 1};

	memset(n, 0, sizeof(*n));
	CHECK(crypto_init() == ERR_OK);
	prng_seed(&n->prng, seed);
	n->now = ESTATE_START;
	n->watch = SIZE_MAX;
	n->flying = malloc(ESTATE_FLYING * sizeof(*n->flying));
	CHECK(n->flying != NULL);
	n->authority = identity_numbered(200);
	n->issuer = identity_numbered(201);
	CHECK(authlog_new(&n->log) == ERR_OK);
	CHECK(authlog_make_genesis(n->authority, identity_public_key(n->issuer), "net", ESTATE_WALL, entry,
				   &len) == ERR_OK);
	CHECK(authlog_append(n->log, entry, len) == ERR_OK);
	memcpy(grant.public_key, identity_public_key(n->issuer), KEY_BYTES);
	CHECK(authlog_make_grant(n->log, n->authority, &grant, ESTATE_WALL, entry, &len) == ERR_OK);
	CHECK(authlog_append(n->log, entry, len) == ERR_OK);
	estate_keys_derive(&n->keys, authlog_estate(n->log), secret);
}

void estate_free(struct estate *n)
{
	for (size_t i = 0; i < n->count; i++) {
		gossip_free(n->nodes[i].g);
		identity_free(n->nodes[i].identity);
		authlog_free(n->nodes[i].log);
		free(n->nodes[i].records);
	}
	identity_free(n->authority);
	identity_free(n->issuer);
	authlog_free(n->log);
	free(n->flying);
}

size_t estate_add(struct estate *n, const char *site)
{
	struct estate_node *node = &n->nodes[n->count];
	struct certificate c = {.enrolled = 20600, .seq = 1};

	CHECK(n->count < ESTATE_NODES);
	node->identity = identity_numbered((uint8_t)(n->count + 1));
	node->id = *identity_id(node->identity);
	text_copy(node->site, sizeof(node->site), site);
	text_copy(c.site, sizeof(c.site), site);
	certificate_consent(&c, node->identity, identity_id(n->issuer), &n->keys.estate);
	CHECK(certificate_issue(&c, n->issuer, &n->keys.estate, 1, ESTATE_WALL, node->certificate,
				&node->certificate_len) == ERR_OK);
	CHECK(authlog_copy(n->log, &node->log) == ERR_OK);
	node->address =
	    (struct address){.ip = {127, 0, 1, (uint8_t)(n->count + 1)}, .ip_len = 4, .port = 7946};
	node->records = calloc(ESTATE_RECORDS, sizeof(*node->records));
	CHECK(node->records != NULL);
	node->seq_reserved = 2;
	return n->count++;
}

size_t estate_copy(struct estate *n, size_t of)
{
	size_t index = estate_add(n, n->nodes[of].site);
	struct estate_node *copy = &n->nodes[index];

	identity_free(copy->identity);
	copy->identity = identity_numbered((uint8_t)(of + 1));
	copy->id = n->nodes[of].id;
	memcpy(copy->certificate, n->nodes[of].certificate, sizeof(copy->certificate));
	copy->certificate_len = n->nodes[of].certificate_len;
	return index;
}

static void node_load(struct estate_node *node)
{
	for (int certificates = 1; certificates >= 0; certificates--) {
		for (size_t i = 0; i < node->record_count; i++) {
			const struct estate_record *r = &node->records[i];

			if ((r->key.kind == RECORD_CERTIFICATE) == certificates)
				CHECK(gossip_load_record(node->g, r->bytes, r->len, r->received) == ERR_OK);
		}
	}
	for (size_t i = 0; i < node->host_count; i++)
		CHECK(gossip_load_host_state(node->g, &node->hosts[i]) == ERR_OK);
	for (size_t i = 0; i < node->site_count; i++)
		CHECK(gossip_load_site_state(node->g, &node->sites[i]) == ERR_OK);
}

void estate_start(struct estate *n, size_t index)
{
	struct estate_node *node = &n->nodes[index];
	struct address seeds[ESTATE_NODES];
	size_t seed_count = 0;

	for (size_t i = 0; i < n->count; i++) {
		if (i == 0 || strcmp(n->nodes[i].site, n->nodes[i - 1].site) != 0)
			seeds[seed_count++] = n->nodes[i].address;
	}
	node->boots++;
	struct gossip_options options = {.identity = node->identity,
					 .certificate = node->certificate,
					 .certificate_len = node->certificate_len,
					 .log = node->log,
					 .keys = &n->keys,
					 .rng = crypto_rng_from_seed(&node->rng, index * 1000 + node->boots),
					 .prng_seed = prng_u64(&n->prng),
					 .instance = index * 1000 + node->boots,
					 .seq_next = node->seq_reserved,
					 .seq_reserved = node->seq_reserved,
					 .seeds = seeds,
					 .seed_count = seed_count,
					 .now = n->now,
					 .wall = ESTATE_WALL + n->now,
					 .timing = gossip_timing_default()};

	CHECK(gossip_new(&options, &node->g) == ERR_OK);
	node_load(node);
	estate_step(n, index, &(struct gossip_event){.type = GOSSIP_TICK});
}

/* --- what the driver does --- */

static void keep_record(struct estate_node *node, const struct gossip_persist *p)
{
	size_t i = 0;

	while (i < node->record_count && !record_key_equal(&node->records[i].key, &p->key))
		i++;
	CHECK(i < ESTATE_RECORDS);
	if (i == node->record_count)
		node->record_count++;
	struct estate_record *r = &node->records[i];

	r->key = p->key;
	r->len = p->len;
	r->received = p->received;
	memcpy(r->bytes, p->bytes, p->len);
}

static void keep_states(struct estate_node *node, const struct gossip_update *u)
{
	for (size_t i = 0; i < u->host_count; i++) {
		size_t j = 0;

		while (j < node->host_count && !id_equal(&node->hosts[j].host, &u->hosts[i].host))
			j++;
		CHECK(j < ESTATE_NODES);
		node->host_count += j == node->host_count;
		node->hosts[j] = u->hosts[i];
	}
	for (size_t i = 0; i < u->site_count; i++) {
		size_t j = 0;

		while (j < node->site_count && !id_equal(&node->sites[j].site, &u->sites[i].site))
			j++;
		CHECK(j < ESTATE_NODES);
		node->site_count += j == node->site_count;
		node->sites[j] = u->sites[i];
	}
}

static void fly(struct estate *n, size_t from, const struct gossip_datagram *d)
{
	if (prng_chance(&n->prng, n->loss))
		return;
	for (size_t i = 0; i < n->count; i++) {
		if (!address_equal(&n->nodes[i].address, &d->to))
			continue;
		CHECK(n->flying_count < ESTATE_FLYING);
		struct estate_datagram *f = &n->flying[n->flying_count++];

		*f = (struct estate_datagram){.at = n->now + DELAY_MS, .from = from, .to = i, .len = d->len};
		memcpy(f->bytes, d->bytes, d->len);
	}
}

static size_t answer(struct estate_node *node, const struct gossip_update *u, struct gossip_answer *answers)
{
	for (size_t i = 0; i < u->read_count; i++) {
		answers[i] = (struct gossip_answer){0};
		for (size_t j = 0; j < node->record_count && u->reads[i].type == GOSSIP_READ_RECORD; j++) {
			struct estate_record *r = &node->records[j];

			if (record_key_equal(&r->key, &u->reads[i].key))
				answers[i] = (struct gossip_answer){.bytes = r->bytes, .len = r->len};
		}
	}
	return u->read_count;
}

void estate_step(struct estate *n, size_t index, struct gossip_event *event)
{
	struct estate_node *node = &n->nodes[index];
	struct gossip_answer answers[512];
	struct gossip_event reply = {.type = GOSSIP_ANSWERS};

	for (;;) {
		struct gossip_update u;

		event->now = n->now;
		event->wall = ESTATE_WALL + n->now;
		CHECK(gossip_step(node->g, event, &u) == ERR_OK);
		node->steps++;
		if (u.reserve_seq_to)
			node->seq_reserved = u.reserve_seq_to;
		for (size_t i = 0; i < u.record_count; i++) {
			struct record r;

			CHECK(record_parse(u.records[i].bytes, u.records[i].len, &r) == ERR_OK);
			/* What is not durably reserved must never be seen. */
			CHECK(r.instance != index * 1000 + node->boots || r.seq < node->seq_reserved);
			keep_record(node, &u.records[i]);
		}
		keep_states(node, &u);
		for (size_t i = 0; i < u.datagram_count; i++)
			fly(n, index, &u.datagrams[i]);
		node->deadline = u.deadline;
		if (u.read_count == 0)
			return;
		reply.answers.count = answer(node, &u, answers);
		reply.answers.answers = answers;
		event = &reply;
	}
}

void estate_inject(struct estate *n, size_t node, const struct address *from, const uint8_t *bytes,
		   size_t len)
{
	struct gossip_event event = {.type = GOSSIP_DATAGRAM};

	event.datagram.from = *from;
	event.datagram.bytes = bytes;
	event.datagram.len = len;
	estate_step(n, node, &event);
}

/* The earliest of what is due; SIZE_MAX in *ret_node: a datagram, by its place. */
static mono_ms next(const struct estate *n, size_t *ret_node, size_t *ret_flying)
{
	mono_ms at = UINT64_MAX;

	for (size_t i = 0; i < n->flying_count; i++) {
		if (n->flying[i].at < at) {
			at = n->flying[i].at;
			*ret_flying = i;
			*ret_node = SIZE_MAX;
		}
	}
	for (size_t i = 0; i < n->count; i++) {
		if (n->nodes[i].g && n->nodes[i].deadline < at) {
			at = n->nodes[i].deadline;
			*ret_node = i;
		}
	}
	return at;
}

static bool turn(struct estate *n, mono_ms end)
{
	size_t node = SIZE_MAX, flying = 0;
	mono_ms at = next(n, &node, &flying);

	if (at > end) {
		n->now = end;
		return false;
	}
	if (at > n->now)
		n->now = at;
	if (node != SIZE_MAX) {
		estate_step(n, node, &(struct gossip_event){.type = GOSSIP_TICK});
		return true;
	}
	struct estate_datagram d = n->flying[flying];

	n->flying_count--;
	memmove(&n->flying[flying], &n->flying[flying + 1],
		(n->flying_count - flying) * sizeof(n->flying[0]));
	if (d.to == n->watch)
		n->last = d;
	if (n->nodes[d.to].g)
		estate_inject(n, d.to, &n->nodes[d.from].address, d.bytes, d.len);
	return true;
}

void estate_run(struct estate *n, mono_ms for_ms)
{
	mono_ms end = n->now + for_ms;

	while (turn(n, end))
		;
}

bool estate_until(struct estate *n, mono_ms most_ms, bool (*holds)(struct estate *n))
{
	mono_ms end = n->now + most_ms;

	do {
		if (holds(n))
			return true;
	} while (turn(n, end));
	return holds(n);
}

void estate_publish(struct estate *n, size_t index)
{
	struct estate_node *node = &n->nodes[index];
	struct profile profile = {.addresses = {node->address}, .address_count = 1};
	struct health health = {.memory_percent = {READING_OK, 40}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	struct gossip_event event = {.type = GOSSIP_LOCAL};

	event.local.kind = RECORD_PROFILE;
	event.local.body = body;
	CHECK(profile_encode(&profile, body, &event.local.len) == ERR_OK);
	estate_step(n, index, &event);
	event = (struct gossip_event){.type = GOSSIP_LOCAL};
	event.local.kind = RECORD_HEALTH;
	event.local.body = body;
	CHECK(health_encode(&health, body, &event.local.len) == ERR_OK);
	estate_step(n, index, &event);
}

void estate_kill(struct estate *n, size_t node)
{
	gossip_free(n->nodes[node].g);
	n->nodes[node].g = NULL;
}

void estate_leave(struct estate *n, size_t node, enum goodbye_reason reason)
{
	struct gossip_event event = {.type = GOSSIP_LEAVE};

	event.leave.reason = reason;
	estate_step(n, node, &event);
	estate_kill(n, node);
}

void estate_drill(struct estate *n, size_t node, const char *site, bool cut)
{
	struct gossip_event event = {.type = GOSSIP_DRILL};

	text_copy(event.drill.site, sizeof(event.drill.site), site);
	event.drill.cut = cut;
	estate_step(n, node, &event);
}

enum host_status estate_status(struct estate *n, size_t viewer, size_t host, struct host_state *ret)
{
	struct host_state state = {0};

	if (!gossip_host_state(n->nodes[viewer].g, &n->nodes[host].id, &state))
		return HOST_UNKNOWN;
	if (ret)
		*ret = state;
	return state.status;
}

struct gossip_counters estate_counters(struct estate *n, size_t node)
{
	struct gossip_status status;

	gossip_status(n->nodes[node].g, &status);
	return status.counters;
}
