/* What one step hands to the driver.
 *
 * Happy path: modules queue copies during the step, update_finish points the update at them, the next step's
 * update_reset forgets them. Bytes live in chunks, lists in vectors; both grow on demand up to the limits of
 * base/limits.h and shrink again after quiet steps.
 * Fails: a full queue or no memory makes the queueing function return false; nothing else changes. States are
 * never lost: they wait in the dirty lists until there is room. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/issue.h"

#define CHUNK_BYTES     8192
#define CHUNKS_MAX      256 /* 2 MiB: a full update of datagrams and records */
#define QUIET_STEPS     256
#define AWAITING_MAX    4096
#define STATES_PER_STEP 512
#define READS_PER_STEP  512
#define LOG_PER_STEP    256
#define BLOBS_PER_STEP  256
#define VECTOR_KEEP     16

struct chunk {
	struct chunk *next;
	size_t used;
	_Alignas(16) uint8_t bytes[CHUNK_BYTES];
};

struct vector {
	void *data;
	size_t element_bytes, count, capacity, max;
};

struct update {
	struct chunk *chunks; /* the one being filled first */
	size_t chunk_count;
	unsigned quiet; /* steps in a row that needed little */
	bool urgent;
	struct vector datagrams, records, forgotten, blobs, log, hosts, sites;
	struct vector reads;                    /* struct gossip_read, for the driver */
	struct vector awaiting;                 /* struct core_read, oldest first */
	struct vector dirty_hosts, dirty_sites; /* pointers */
};

static void *vector_add(struct vector *v)
{
	if (v->count == v->max)
		return NULL;
	if (v->count == v->capacity) {
		size_t capacity = v->capacity ? v->capacity * 2 : 4;

		if (capacity > v->max)
			capacity = v->max;
		void *data = realloc(v->data, capacity * v->element_bytes);

		if (!data)
			return NULL;
		v->data = data;
		v->capacity = capacity;
	}
	return (uint8_t *)v->data + v->element_bytes * v->count++;
}

static void vector_drop_first(struct vector *v, size_t count)
{
	v->count -= count;
	memmove(v->data, (uint8_t *)v->data + count * v->element_bytes, v->count * v->element_bytes);
}

static void vector_release(struct vector *v)
{
	free(v->data);
	v->data = NULL;
	v->count = v->capacity = 0;
}

enum err update_init(struct gossip *g)
{
	struct update *u = calloc(1, sizeof(*u));

	if (!u)
		return ERR_NOMEM;
	u->datagrams =
	    (struct vector){.element_bytes = sizeof(struct gossip_datagram), .max = LIMIT_UPDATE_DATAGRAMS};
	u->records =
	    (struct vector){.element_bytes = sizeof(struct gossip_persist), .max = LIMIT_UPDATE_RECORDS};
	u->forgotten =
	    (struct vector){.element_bytes = sizeof(struct record_key), .max = LIMIT_UPDATE_RECORDS};
	u->blobs = (struct vector){.element_bytes = sizeof(struct gossip_blob), .max = BLOBS_PER_STEP};
	u->log = (struct vector){.element_bytes = sizeof(struct gossip_log_entry), .max = LOG_PER_STEP};
	u->hosts = (struct vector){.element_bytes = sizeof(struct host_state), .max = STATES_PER_STEP};
	u->sites = (struct vector){.element_bytes = sizeof(struct site_state), .max = STATES_PER_STEP};
	u->reads = (struct vector){.element_bytes = sizeof(struct gossip_read), .max = READS_PER_STEP};
	u->awaiting = (struct vector){.element_bytes = sizeof(struct core_read), .max = AWAITING_MAX};
	u->dirty_hosts = (struct vector){.element_bytes = sizeof(struct member *), .max = LIMIT_HOSTS};
	u->dirty_sites = (struct vector){.element_bytes = sizeof(struct site *), .max = LIMIT_SITES};
	g->update = u;
	return ERR_OK;
}

static void chunks_free(struct update *u, bool all)
{
	while (u->chunks && (all || u->chunk_count > 1)) {
		struct chunk *next = u->chunks->next;

		free(u->chunks);
		u->chunks = next;
		u->chunk_count--;
	}
}

static struct vector *update_vectors(struct update *u, size_t i)
{
	struct vector *all[] = {&u->datagrams,   &u->records,     &u->blobs,    &u->log,
				&u->hosts,       &u->sites,       &u->reads,    &u->awaiting,
				&u->dirty_hosts, &u->dirty_sites, &u->forgotten};

	return i < sizeof(all) / sizeof(all[0]) ? all[i] : NULL;
}

void update_free(struct gossip *g)
{
	struct update *u = g->update;

	if (!u)
		return;
	for (size_t i = 0; update_vectors(u, i); i++)
		vector_release(update_vectors(u, i));
	chunks_free(u, true);
	free(u);
	g->update = NULL;
}

/* After a burst the memory goes back, once it is over for sure. */
static void update_shrink(struct update *u)
{
	chunks_free(u, false);
	for (size_t i = 0; update_vectors(u, i); i++) {
		struct vector *v = update_vectors(u, i);

		if (v->count == 0 && v->capacity > VECTOR_KEEP)
			vector_release(v);
	}
}

void update_reset(struct gossip *g)
{
	struct update *u = g->update;

	u->quiet = u->chunk_count > 1 ? 0 : u->quiet + 1;
	/* One chunk stays: keeping all would let one burst set the footprint for ever. */
	if (u->chunk_count > 1)
		chunks_free(u, false);
	if (u->chunks)
		u->chunks->used = 0;
	u->datagrams.count = u->records.count = u->blobs.count = u->log.count = 0;
	u->forgotten.count = 0;
	u->hosts.count = u->sites.count = u->reads.count = 0;
	u->urgent = false;
	if (u->quiet >= QUIET_STEPS) {
		update_shrink(u);
		u->quiet = 0;
	}
}

/* Memory that lives until the next step; NULL when there is no more. */
static void *scratch_take(struct gossip *g, size_t len)
{
	struct update *u = g->update;

	len = (len + 15) & ~(size_t)15;
	CHECK(len <= CHUNK_BYTES);
	if (!u->chunks || u->chunks->used + len > CHUNK_BYTES) {
		if (u->chunk_count == CHUNKS_MAX)
			return NULL;
		struct chunk *chunk = malloc(sizeof(*chunk));

		if (!chunk)
			return NULL;
		chunk->next = u->chunks;
		chunk->used = 0;
		u->chunks = chunk;
		u->chunk_count++;
	}
	void *ret = u->chunks->bytes + u->chunks->used;

	u->chunks->used += len;
	return ret;
}

static uint8_t *scratch_copy(struct gossip *g, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = scratch_take(g, len);

	if (copy)
		memcpy(copy, bytes, len);
	return copy;
}

bool core_room_for_records(const struct gossip *g, size_t count)
{
	return g->update->records.count + count <= LIMIT_UPDATE_RECORDS;
}

bool core_persist(struct gossip *g, const struct record *r, wall_ms received, enum gossip_urgency urgency)
{
	uint8_t *copy = scratch_copy(g, r->bytes, r->len);
	struct gossip_persist *p = copy ? vector_add(&g->update->records) : NULL;

	if (!p)
		return false;
	*p = (struct gossip_persist){
	    .bytes = copy, .len = r->len, .key = r->key, .received = received, .urgency = urgency};
	return true;
}

void core_forget(struct gossip *g, const struct record_key *key)
{
	struct record_key *k = vector_add(&g->update->forgotten);

	/* Without room its row stays, and is left out when it is loaded. */
	if (k)
		*k = *key;
}

const struct gossip_persist *update_persisted(const struct gossip *g, const struct record_key *key)
{
	const struct gossip_persist *records = g->update->records.data;

	for (size_t i = g->update->records.count; i-- > 0;) {
		if (record_key_equal(&records[i].key, key))
			return &records[i];
	}
	return NULL;
}

bool core_blob(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = scratch_copy(g, bytes, len);
	struct gossip_blob *b = copy ? vector_add(&g->update->blobs) : NULL;

	if (!b)
		return false;
	*b = (struct gossip_blob){.id = *id, .bytes = copy, .len = len};
	return true;
}

bool core_log_entry(struct gossip *g, const uint8_t *bytes, size_t len)
{
	uint8_t *copy = scratch_copy(g, bytes, len);
	struct gossip_log_entry *e = copy ? vector_add(&g->update->log) : NULL;

	if (!e)
		return false;
	*e = (struct gossip_log_entry){.bytes = copy, .len = len};
	return true;
}

bool core_datagram(struct gossip *g, const struct address *to, const uint8_t *bytes, size_t len,
		   enum gossip_class c)
{
	uint8_t *copy = scratch_copy(g, bytes, len);
	struct gossip_datagram *d = copy ? vector_add(&g->update->datagrams) : NULL;

	if (!d)
		return false;
	*d = (struct gossip_datagram){.to = *to, .len = (uint16_t)len, .bytes = copy};
	budget_spend(g, c,
		     budget_datagram_bytes(len - DATAGRAM_HEADER_BYTES - DATAGRAM_TAG_BYTES, to->ip_len));
	g->counters.datagrams_out++;
	g->counters.bytes_out += len;
	return true;
}

void core_host_state(struct gossip *g, struct member *m, bool urgent)
{
	g->update->urgent |= urgent;
	if (m->state_queued)
		return;
	struct member **slot = vector_add(&g->update->dirty_hosts);

	if (slot) {
		*slot = m;
		m->state_queued = true;
	}
}

void core_site_state(struct gossip *g, struct site *s, bool urgent)
{
	g->update->urgent |= urgent;
	if (s->state_queued)
		return;
	struct site **slot = vector_add(&g->update->dirty_sites);

	if (slot) {
		*slot = s;
		s->state_queued = true;
	}
}

size_t core_read_room(const struct gossip *g)
{
	size_t waiting = AWAITING_MAX - g->update->awaiting.count;
	size_t now = READS_PER_STEP - g->update->reads.count;

	return waiting < now ? waiting : now;
}

bool core_read(struct gossip *g, const struct core_read *read)
{
	struct update *u = g->update;

	if (core_read_room(g) == 0)
		return false;
	struct core_read *waiting = vector_add(&u->awaiting);

	if (!waiting)
		return false;
	struct gossip_read *asked = vector_add(&u->reads);

	if (!asked) {
		u->awaiting.count--;
		return false;
	}
	*waiting = *read;
	*asked = (struct gossip_read){.type = read->type, .key = read->key, .blob = read->blob};
	return true;
}

void update_answers(struct gossip *g, const struct gossip_answer *answers, size_t count)
{
	struct vector *awaiting = &g->update->awaiting;

	/* `done` may ask for more, which can move the vector: take each out by value. */
	if (count > awaiting->count)
		count = awaiting->count;
	for (size_t i = 0; i < count; i++) {
		struct core_read read = ((struct core_read *)awaiting->data)[i];

		read.done(g, &read, answers[i].bytes, answers[i].bytes ? answers[i].len : 0);
	}
	if (count)
		vector_drop_first(awaiting, count);
}

void update_unanswered(struct gossip *g)
{
	g->update->awaiting.count = 0;
}

static void take_states(struct update *u)
{
	size_t hosts = 0, sites = 0;

	while (hosts < u->dirty_hosts.count) {
		struct host_state *state = vector_add(&u->hosts);

		if (!state)
			break;
		struct member *m = ((struct member **)u->dirty_hosts.data)[hosts++];

		*state = m->state;
		state->issuer = m->issuer;
		m->state_queued = false;
	}
	if (hosts)
		vector_drop_first(&u->dirty_hosts, hosts);
	while (sites < u->dirty_sites.count) {
		struct site_state *state = vector_add(&u->sites);

		if (!state)
			break;
		struct site *s = ((struct site **)u->dirty_sites.data)[sites++];

		*state = s->state;
		s->state_queued = false;
	}
	if (sites)
		vector_drop_first(&u->dirty_sites, sites);
}

/* What came back in this step stays. */
static void keep_held(struct gossip *g)
{
	struct vector *v = &g->update->forgotten;
	struct record_key *keys = v->data;
	struct set_entry held;
	size_t count = 0;

	for (size_t i = 0; i < v->count; i++) {
		if (!set_find(g->set, &keys[i], &held))
			keys[count++] = keys[i];
	}
	v->count = count;
}

void update_finish(struct gossip *g, struct gossip_update *ret)
{
	struct update *u = g->update;

	take_states(u);
	keep_held(g);
	if (u->dirty_hosts.count > 0 || u->dirty_sites.count > 0)
		core_deadline(g, g->now);
	const struct issue *issues;
	size_t issue_count;
	issue_take(g, &issues, &issue_count);
	*ret = (struct gossip_update){
	    .issues = issues,
	    .issue_count = issue_count,
	    .reserve_seq_to = g->seq_reserve_to,
	    .log_entries = u->log.data,
	    .log_entry_count = u->log.count,
	    .records = u->records.data,
	    .record_count = u->records.count,
	    .blobs = u->blobs.data,
	    .blob_count = u->blobs.count,
	    .hosts = u->hosts.data,
	    .host_count = u->hosts.count,
	    .forgotten = u->forgotten.data,
	    .forgotten_count = u->forgotten.count,
	    .sites = u->sites.data,
	    .site_count = u->sites.count,
	    .urgent = u->urgent,
	    .datagrams = u->datagrams.data,
	    .datagram_count = u->datagrams.count,
	    .reads = u->reads.data,
	    .read_count = u->reads.count,
	    .deadline = g->deadline,
	};
	g->seq_reserve_to = 0;
	g->promised = g->deadline;
}
