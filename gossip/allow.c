/* Allow-lists: the hosts that stay when their issuer is revoked (docs/protocol.md sections 4 and 5).
 *
 * Happy path: the log names a list that is not complete here; its blobs are wanted (blob.c), kept here as
 * they come, lists before what they name, and handed to the log once all are there.
 * Fails: until then the log counts all hosts of that issuer as named and new ones are refused. What turns out
 * to be no allow-list never completes, and the issue that says so stays open. */
#include "gossip/allow.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/blob.h"
#include "record/manifest.h"

#define LISTS_MAX 16 /* being completed */
#define NEEDS_MAX (1 + LIMIT_BLOB_LIST + LIMIT_BLOB_LIST * LIMIT_BLOB_LIST)
#define DEPTH_MAX 2
#define LOOK_MS   1000

struct need {
	struct id id;
	uint8_t *bytes; /* NULL: still to come */
	size_t len;
	uint8_t depth;
};

struct list {
	struct id root;
	struct need *needs;
	size_t count, cap, missing;
	bool bad;
};

struct allow {
	struct list lists[LISTS_MAX];
	size_t count;
	mono_ms look_at;
};

enum err allow_init(struct gossip *g)
{
	g->allow = calloc(1, sizeof *g->allow);
	return g->allow == NULL ? ERR_NOMEM : ERR_OK;
}

static void list_clear(struct list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->needs[i].bytes);
	free(l->needs);
	*l = (struct list){.root = l->root, .bad = l->bad};
}

void allow_free(struct gossip *g)
{
	if (g->allow == NULL)
		return;
	for (size_t i = 0; i < g->allow->count; i++)
		list_clear(&g->allow->lists[i]);
	free(g->allow);
	g->allow = NULL;
}

static struct need *find(const struct list *l, const struct id *id)
{
	for (size_t i = 0; i < l->count; i++)
		if (id_equal(&l->needs[i].id, id))
			return &l->needs[i];
	return NULL;
}

static bool need(struct list *l, const struct id *id, uint8_t depth)
{
	if (find(l, id) != NULL || l->count == NEEDS_MAX)
		return false; /* an ascending list names nothing twice */
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 4 : l->cap * 2;
		struct need *needs = realloc(l->needs, cap * sizeof *needs);
		if (needs == NULL)
			return false;
		l->needs = needs;
		l->cap = cap;
	}
	l->needs[l->count++] = (struct need){.id = *id, .depth = depth};
	l->missing++;
	return true;
}

static void give_up(struct list *l)
{
	l->bad = true;
	list_clear(l);
}

static bool grow(struct list *l, const uint8_t *bytes, size_t len, uint8_t depth)
{
	const uint8_t *ids;
	size_t count;
	if (depth >= DEPTH_MAX || blob_list(bytes, len, &ids, &count) != ERR_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		if (!need(l, &child, (uint8_t)(depth + 1)))
			return false;
	}
	return true;
}

/* The hosts below `id`, in order. False when there are too many. */
static bool collect(const struct list *l, const struct id *id, struct id *hosts, size_t *count)
{
	const struct need *n = find(l, id);
	size_t ids = (n->len - 2) / ID_BYTES;
	bool leaf = n->bytes[1] == BLOB_ALLOW_LIST;
	for (size_t i = 0; i < ids; i++) {
		struct id each;
		memcpy(each.b, n->bytes + 2 + i * ID_BYTES, ID_BYTES);
		if (leaf && *count == LIMIT_ALLOW_HOSTS)
			return false;
		if (leaf)
			hosts[(*count)++] = each;
		else if (!collect(l, &each, hosts, count))
			return false;
	}
	return true;
}

static void complete(struct gossip *g, struct list *l)
{
	struct id *hosts = malloc(LIMIT_ALLOW_HOSTS * sizeof *hosts);
	size_t count = 0;
	if (hosts == NULL)
		return; /* at the next look */
	enum err err = collect(l, &l->root, hosts, &count)
			   ? authlog_set_allowed(g->log, &l->root, hosts, count)
			   : ERR_LIMIT;
	free(hosts);
	if (err == ERR_NOMEM)
		return;
	give_up(l); /* done, or never to be */
	if (err == ERR_OK && !g->loading)
		core_on_log(g);
}

static bool take(struct gossip *g, struct list *l, const struct id *id, const uint8_t *bytes, size_t len)
{
	enum blob_type type;
	struct need *n = find(l, id);
	if (l->bad || n == NULL || n->bytes != NULL || blob_check(bytes, len, &type) != ERR_OK)
		return n != NULL;
	if ((type != BLOB_LIST && type != BLOB_ALLOW_LIST) || (len - 2) % ID_BYTES != 0) {
		give_up(l);
		return true;
	}
	n->bytes = malloc(len);
	if (n->bytes == NULL)
		return true;
	memcpy(n->bytes, bytes, len);
	n->len = len;
	l->missing--;
	if (type == BLOB_LIST && !grow(l, bytes, len, n->depth))
		give_up(l);
	else if (l->missing == 0)
		complete(g, l);
	return true;
}

bool allow_on_blob(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len)
{
	bool wanted = false;
	for (size_t i = 0; i < g->allow->count; i++)
		wanted |= take(g, &g->allow->lists[i], id, bytes, len);
	return wanted;
}

static void on_read(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	if (bytes != NULL)
		(void)allow_on_blob(g, &read->blob, bytes, len);
}

/* From the replica when it is there, from others when it is not. */
static void fetch(struct gossip *g, const struct list *l, struct member *hint)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct need *n = &l->needs[i];
		if (n->bytes != NULL)
			continue;
		struct core_read read = {.type = GOSSIP_READ_BLOB, .blob = n->id, .done = on_read};
		if (!idset_has(&g->blob->present, &n->id))
			blob_want(g, &n->id, hint, NULL, n->depth);
		else if (!g->loading && !core_read(g, &read))
			return;
	}
}

void allow_refresh(struct gossip *g, struct member *hint)
{
	struct allow *a = g->allow;
	const struct id *root;
	bool done;
	for (size_t i = 0; (root = authlog_allow_list_at(g->log, i, &done)) != NULL; i++) {
		size_t at = 0;
		while (at < a->count && !id_equal(&a->lists[at].root, root))
			at++;
		if (done || at < a->count || a->count == LISTS_MAX)
			continue;
		struct list *l = &a->lists[a->count];
		*l = (struct list){.root = *root};
		if (!need(l, root, 0))
			continue;
		a->count++;
		fetch(g, l, hint);
	}
}

void allow_tick(struct gossip *g)
{
	struct allow *a = g->allow;
	for (size_t i = 0; i < a->count;) {
		if (a->lists[i].count > 0)
			i++;
		else
			a->lists[i] = a->lists[--a->count];
	}
	if (a->count == 0)
		return;
	if (g->now >= a->look_at) {
		a->look_at = g->now + LOOK_MS;
		for (size_t i = 0; i < a->count; i++) {
			struct list *l = &a->lists[i];
			if (l->count > 0 && l->missing == 0)
				complete(g, l);
			fetch(g, l, NULL);
		}
	}
	core_deadline(g, a->look_at);
}

enum err gossip_load_allow_list(struct gossip *g, const uint8_t *bytes, size_t len)
{
	enum blob_type type;
	enum err err = blob_check(bytes, len, &type);
	if (err != ERR_OK)
		return err;
	struct id id = blob_id(bytes, len);
	return allow_on_blob(g, &id, bytes, len) ? ERR_OK : ERR_NOT_FOUND;
}
