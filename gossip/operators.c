/* Of each operator's records the newest 2,000 stand: highest seq, then lowest id. A rule of the records
 * alone, so nodes agree on them in whatever order they come.
 *
 * Happy path: an operator writes a few a day. Fails: a stolen key that writes without end makes its own
 * operator's older records go, and nobody else's; what is older than all that stand is refused. */
#include "gossip/operators.h"

#include <stdlib.h>

#include "gossip/blob.h"
#include "gossip/standing.h"

#define BLOB_FIRST_BYTE 1 /* its version; a record begins with 9a */

struct held {
	struct record_key key;
	uint64_t seq, id;
};

struct signer {
	struct id id;
	struct blob_owner *blobs; /* stays where it is while the list grows */
	struct held *held;
	size_t count, cap;
};

struct operators {
	struct signer *list;
	size_t count, cap;
};

enum err operators_init(struct gossip *g)
{
	g->operators = calloc(1, sizeof *g->operators);
	return g->operators == NULL ? ERR_NOMEM : ERR_OK;
}

void operators_free(struct gossip *g)
{
	for (size_t i = 0; g->operators != NULL && i < g->operators->count; i++) {
		free(g->operators->list[i].held);
		free(g->operators->list[i].blobs);
	}
	if (g->operators != NULL)
		free(g->operators->list);
	free(g->operators);
	g->operators = NULL;
}

static struct signer *find(const struct gossip *g, const struct id *id)
{
	for (size_t i = 0; i < g->operators->count; i++)
		if (id_equal(&g->operators->list[i].id, id))
			return &g->operators->list[i];
	return NULL;
}

static struct held *find_key(const struct signer *o, const struct record_key *key)
{
	for (size_t i = 0; i < o->count; i++)
		if (record_key_equal(&o->held[i].key, key))
			return &o->held[i];
	return NULL;
}

/* Of one key the lower id stands as well, so what replaces a record never ranks below it. */
static bool below(const struct held *a, const struct held *b)
{
	return a->seq != b->seq ? a->seq < b->seq : a->id > b->id;
}

static struct held *least(const struct signer *o)
{
	struct held *ret = &o->held[0];
	for (size_t i = 1; i < o->count; i++)
		if (below(&o->held[i], ret))
			ret = &o->held[i];
	return ret;
}

bool operators_room(const struct gossip *g, const struct record *r, uint64_t id)
{
	const struct signer *o =
	    record_class_of(r->key.kind) == RECORD_CLASS_OPERATOR ? find(g, &r->key.writer) : NULL;
	const struct held new = {r->key, r->seq, id};
	return o == NULL || o->count < LIMIT_OPERATOR_RECORDS || find_key(o, &r->key) != NULL ||
	       below(least(o), &new);
}

static void *grow(void *list, size_t *cap, size_t element_bytes)
{
	size_t more = *cap == 0 ? 4 : *cap * 2;
	void *grown = realloc(list, more * element_bytes);
	if (grown != NULL)
		*cap = more;
	return grown;
}

struct blob_owner *operators_blobs(struct gossip *g, const struct id *op)
{
	struct signer *o = find(g, op);
	return o != NULL ? o->blobs : NULL;
}

static struct signer *make(struct operators *all, const struct id *id)
{
	if (all->count == all->cap) {
		struct signer *list = grow(all->list, &all->cap, sizeof *list);
		if (list == NULL)
			return NULL;
		all->list = list;
	}
	struct blob_owner *blobs = calloc(1, sizeof *blobs);
	if (blobs == NULL)
		return NULL;
	blobs->lists = true;
	all->list[all->count] = (struct signer){.id = *id, .blobs = blobs};
	return &all->list[all->count++];
}

static void drop_least(struct gossip *g, struct signer *o)
{
	struct held *h = least(o);
	const struct record_key key = h->key;
	bool other = false;
	*h = o->held[--o->count];
	for (size_t i = 0; i < o->count; i++)
		other |= o->held[i].key.kind == key.kind && id_equal(&o->held[i].key.subject, &key.subject);
	set_remove(g->set, &key);
	core_forget(g, &key);
	if (!other)
		standing_off_operator(g, &key);
}

enum err operators_put(struct gossip *g, const struct record *r, uint64_t id)
{
	const struct held new = {r->key, r->seq, id};
	if (record_class_of(r->key.kind) != RECORD_CLASS_OPERATOR)
		return ERR_OK;
	struct signer *o = find(g, &r->key.writer);
	if (o == NULL)
		o = make(g->operators, &r->key.writer);
	if (o == NULL)
		return ERR_NOMEM;
	struct held *h = find_key(o, &r->key);
	if (h != NULL) {
		*h = new;
		return ERR_OK;
	}
	if (o->count == o->cap) {
		struct held *held = grow(o->held, &o->cap, sizeof *held);
		if (held == NULL)
			return ERR_NOMEM;
		o->held = held;
	}
	o->held[o->count++] = new;
	if (o->count > LIMIT_OPERATOR_RECORDS)
		drop_least(g, o);
	return ERR_OK;
}

uint64_t gossip_operator_seq(const struct gossip *g, const struct id *op)
{
	const struct signer *o = find(g, op);
	uint64_t ret = 0;
	for (size_t i = 0; o != NULL && i < o->count; i++)
		ret = o->held[i].seq > ret ? o->held[i].seq : ret;
	return ret;
}

/* Others relay what is beyond a role, as they may hold another log (accept.c); nobody is told that it was
 * said when no reader will count it. */
static enum err may_say(const struct gossip *g, const struct record *r)
{
	if (record_class_of(r->key.kind) != RECORD_CLASS_OPERATOR)
		return ERR_ARG;
	const struct authlog_operator *op = authlog_find_operator(g->log, &r->key.writer);
	if (op != NULL && op->revoked)
		return ERR_REVOKED;
	if (op == NULL || (op->roles & authlog_role_of(r->key.kind)) == 0)
		return ERR_UNTRUSTED;
	return clock_day(r->time) > op->last_day ? ERR_EXPIRED : ERR_OK;
}

enum err operators_submit(struct gossip *g, const uint8_t *bytes, size_t len)
{
	struct record r;
	if (len > 0 && bytes[0] == BLOB_FIRST_BYTE)
		return blob_hand_in(g, bytes, len);
	enum err err = record_parse(bytes, len, &r);
	if (err == ERR_OK)
		err = may_say(g, &r);
	return err == ERR_OK ? core_accept_record(g, bytes, len, NULL, 0) : err;
}
