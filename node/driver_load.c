#include "node/driver_load.h"

#include <string.h>

#include "record/manifest.h"

#define LIST_DEPTH 2 /* of lists in lists, section 4 of docs/protocol.md */

struct highest {
	const struct id *self;
	uint64_t seq;
};

static bool each_highest(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct highest *h = context;
	struct record r;
	(void)received;
	if (record_parse_kept(bytes, len, &r) == ERR_OK && id_equal(&r.key.writer, h->self) && r.seq > h->seq)
		h->seq = r.seq;
	return true;
}

/* A replica that cannot be read has nothing to say about the counter. */
uint64_t driver_load_highest(struct store *s, const struct id *self)
{
	struct highest h = {.self = self};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	wall_ms received;
	for (unsigned kind = 0; kind <= UINT8_MAX; kind++) {
		struct record_key key = {.kind = (uint8_t)kind, .writer = *self, .subject = *self};
		enum record_class class = record_class_of((uint8_t)kind);
		if (class == RECORD_CLASS_HOST && store_get_record(s, &key, bytes, &len, &received) == ERR_OK)
			(void)each_highest(&h, bytes, len, received);
		if (class == RECORD_CLASS_SITE)
			(void)store_each_record_of(s, (uint8_t)kind, each_highest, &h);
	}
	return h.seq;
}

struct loading {
	struct store *store;
	struct gossip *gossip;
	struct driver_load *report;
	enum err err;
};

static bool each_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct loading *l = context;
	enum err err = gossip_load_record(l->gossip, bytes, len, received);
	if (err == ERR_OK)
		l->report->records++;
	else if (err != ERR_NOMEM)
		l->report->refused++;
	else
		l->err = err;
	return l->err == ERR_OK;
}

static bool each_blob(void *context, const struct id *id)
{
	struct loading *l = context;
	l->err = gossip_load_blob(l->gossip, id);
	l->report->blobs += l->err == ERR_OK;
	return l->err == ERR_OK;
}

/* A state the core cannot use is decided anew. */
static bool each_host(void *context, const struct host_state *state)
{
	struct loading *l = context;
	return gossip_load_host_state(l->gossip, state) != ERR_NOMEM;
}

/* One that the core will not hold is never ended by it: it goes at once, and is found again if it is so. */
static bool each_issue(void *context, const struct issue *issue)
{
	struct loading *l = context;
	enum err err = gossip_load_issue(l->gossip, issue);
	struct issue gone = *issue;
	gone.over = true;
	if (err != ERR_OK && err != ERR_NOMEM)
		err = store_put_issue(l->store, &gone);
	return err != ERR_NOMEM;
}

static bool each_site(void *context, const struct site_state *state)
{
	struct loading *l = context;
	return gossip_load_site_state(l->gossip, state) != ERR_NOMEM;
}

/* A blob of an allow-list and those it names. What is missing or refused, peers will bring. */
static enum err load_list(struct loading *l, const struct id *blob, unsigned depth)
{
	uint8_t bytes[LIMIT_BLOB_BYTES];
	const uint8_t *ids;
	size_t len, count;
	enum err err = store_get_blob(l->store, blob, bytes, &len);
	if (err == ERR_OK)
		err = gossip_load_allow_list(l->gossip, bytes, len);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_OK;
	if (depth == LIST_DEPTH || blob_list(bytes, len, &ids, &count) != ERR_OK)
		return ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		err = load_list(l, &child, depth + 1);
	}
	return err;
}

/* Before the certificates, which stand or not by them. */
static enum err load_lists(struct loading *l, const struct authlog *log)
{
	const struct id *root;
	bool complete;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && (root = authlog_allow_list_at(log, i, &complete)) != NULL; i++) {
		struct id id = *root;
		if (!complete)
			err = load_list(l, &id, 0);
	}
	return err;
}

enum err driver_load_replica(struct store *s, const struct authlog *log, struct gossip *g,
			     struct driver_load *ret, struct err_info *info)
{
	struct loading l = {.store = s, .gossip = g, .report = ret};
	struct store_stats stats;
	store_stats(s, &stats);
	enum err err = gossip_load_room(g, stats.rows);
	if (err == ERR_OK)
		err = load_lists(&l, log);
	/* Before the records, or what these name would be wanted for nothing. */
	if (err == ERR_OK)
		err = store_each_blob(s, each_blob, &l);
	if (err == ERR_OK && l.err == ERR_OK)
		err = store_each_record(s, each_record, &l);
	if (err == ERR_OK && l.err == ERR_OK)
		err = store_each_host_state(s, each_host, &l);
	if (err == ERR_OK && l.err == ERR_OK)
		err = store_each_site_state(s, each_site, &l);
	if (err == ERR_OK && l.err == ERR_OK)
		err = store_each_issue(s, each_issue, &l);
	if (err == ERR_OK)
		err = l.err;
	if (err != ERR_OK)
		return err_set(info, err, "cannot load the replica: %s", err_text(err));
	return ERR_OK;
}
