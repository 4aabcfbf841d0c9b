/* What the simulated hosts say about themselves: enough of each kind to have something to spread. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "record/manifest.h"
#include "world.h"

/* Hosts of one image share a manifest. */
#define IMAGES     3
#define COMPONENTS 24

/* Written before the estate was preloaded; a host's own counter goes on from here. */
#define PRELOAD_SEQS 64

struct emit {
	struct world *w;
	struct node *n; /* NULL: only registered */
};

static enum err emit_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct emit *e = context;
	registry_add_blob(&e->w->registry, id, blob, len);
	if (e->n != NULL)
		node_publish_blob(e->w, e->n, blob, len);
	return ERR_OK;
}

static size_t components_body(struct world *w, struct node *n, struct node *publisher, uint8_t *ret)
{
	struct component components[COMPONENTS];
	struct components body = {.module_support = READING_OK};
	struct emit e = {w, publisher};
	size_t entries, len;
	memset(components, 0, sizeof(components));
	for (unsigned i = 0; i < COMPONENTS; i++) {
		components[i].kind = COMPONENT_MODULE;
		snprintf(components[i].name, sizeof(components[i].name), "module_%02u", i);
		components[i].version.status = READING_OK;
		snprintf(components[i].version.value, sizeof(components[i].version.value), "%u.%u",
			 n->index % IMAGES, i == 7 ? i + n->version : i);
	}
	CHECK(manifest_build(components, COMPONENTS, NULL, emit_blob, &e, &body.manifest, &entries) ==
	      ERR_OK);
	body.entry_count = (uint32_t)entries;
	CHECK(components_encode(&body, ret, &len) == ERR_OK);
	return len;
}

static size_t profile_body(const struct world *w, const struct node *n, uint8_t *ret)
{
	struct profile p = {.address_count = 1};
	size_t len;
	p.hostname.status = p.kernel.status = READING_OK;
	snprintf(p.hostname.value, sizeof(p.hostname.value), "host-%u", n->index);
	text_copy(p.kernel.value, sizeof(p.kernel.value), "6.1.0-42-amd64");
	text_copy(p.site, sizeof(p.site), w->site_names[n->site]);
	text_copy(p.agent, sizeof(p.agent), "0.1.0");
	p.addresses[0] = n->address;
	CHECK(profile_encode(&p, ret, &len) == ERR_OK);
	return len;
}

static size_t health_body(struct node *n, uint8_t *ret)
{
	struct health h = {.boot = n->instance | 1};
	size_t len;
	h.memory_percent = (struct reading_u64){READING_OK, n->turn % 101};
	h.disk_percent = (struct reading_u64){READING_OK, n->index % 101};
	h.oopses = (struct reading_u64){READING_OK, n->turn++};
	CHECK(health_encode(&h, ret, &len) == ERR_OK);
	return len;
}

static size_t crashes_body(const struct world *w, struct node *n, uint8_t *ret)
{
	struct crashes c = {.event_count = 1};
	size_t len;
	c.totals[CRASH_OOPS] = ++n->turn;
	c.sources[CRASH_OOPS] = READING_OK;
	c.events[0] = (struct crash_event){world_wall(w) / 1000, CRASH_OOPS, "module_07"};
	CHECK(crashes_encode(&c, ret, &len) == ERR_OK);
	return len;
}

void host_publish_all(struct world *w, struct node *n)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = profile_body(w, n, body);
	node_publish(w, n, RECORD_PROFILE, GOSSIP_ROUTINE, body, len);
	if (w->failed)
		return;
	len = components_body(w, n, n, body);
	if (w->failed)
		return;
	node_publish(w, n, RECORD_COMPONENTS, GOSSIP_ROUTINE, body, len);
	if (!w->failed)
		host_publish_health(w, n, GOSSIP_ROUTINE);
}

const struct sim_record *host_publish_health(struct world *w, struct node *n, enum gossip_urgency urgency)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = health_body(n, body);
	return node_publish(w, n, RECORD_HEALTH, urgency, body, len);
}

void host_publish_components(struct world *w, struct node *n)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = components_body(w, n, n, body);
	if (!w->failed)
		node_publish(w, n, RECORD_COMPONENTS, GOSSIP_ROUTINE, body, len);
}

const struct sim_record *host_publish_crash(struct world *w, struct node *n)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = crashes_body(w, n, body);
	return node_publish(w, n, RECORD_CRASHES, GOSSIP_URGENT, body, len);
}

static void preload_record(struct world *w, struct node *n, uint8_t kind, const uint8_t *body, size_t len)
{
	struct record_key key = {.kind = kind, .writer = n->id, .subject = n->id};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	CHECK(record_sign(&key, ++n->last_seq, 1, SIM_WALL_START, body, len, &w->estate.keys.estate,
			  n->identity, bytes, &len) == ERR_OK);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	registry_add(&w->registry, &r, w->now);
}

void host_preload(struct world *w)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		n->seq_reserved = PRELOAD_SEQS;
		len = profile_body(w, n, body);
		preload_record(w, n, RECORD_PROFILE, body, len);
		len = components_body(w, n, NULL, body);
		preload_record(w, n, RECORD_COMPONENTS, body, len);
		len = health_body(n, body);
		preload_record(w, n, RECORD_HEALTH, body, len);
	}
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		authlog_free(n->log);
		CHECK(authlog_copy(w->estate.log, &n->log) == ERR_OK);
		for (size_t r = 0; r < w->registry.record_count; r++) {
			const struct sim_record *record = w->registry.records[r];
			wall_ms age = record->key.kind == RECORD_CERTIFICATE ? 20 * CLOCK_DAY_MS : 0;
			replica_put(&n->replica, record, world_wall(w) - age);
		}
		for (uint32_t b = 0; b < w->registry.blob_count; b++)
			replica_put_blob(&n->replica, b);
		replica_commit(&n->replica);
	}
}
