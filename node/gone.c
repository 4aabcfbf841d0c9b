/* Happy path: the states of hosts say who was revoked, and since when; the log says whether it still is so (a
 * rotation may have ended that branch); then certificates, records, roll-calls and state go.
 * Fails: with a host too many, or a batch that is full, the rest goes at the next start. */
#include "node/gone.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/record.h"

struct gone {
	struct store *store;
	const struct authlog *log;
	const struct id *self;
	wall_ms now;
	struct id *hosts; /* ascending once they are complete */
	size_t count;
	enum err err;
};

static int by_id(const void *a, const void *b)
{
	return id_compare(a, b);
}

static struct id *find(const struct gone *g, const struct id *host)
{
	return bsearch(host, g->hosts, g->count, sizeof(*g->hosts), by_id);
}

static bool each_state(void *context, const struct host_state *state)
{
	struct gone *g = context;
	if (state->standing == STANDING_REVOKED && g->now >= state->since + GONE_DAYS * CLOCK_DAY_MS &&
	    !id_equal(&state->host, g->self))
		g->hosts[g->count++] = state->host;
	return g->count < GONE_HOSTS_MAX;
}

/* Certificates come first. */
static bool each_certificate(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct gone *g = context;
	struct record r;
	bool sure = true;
	(void)received;
	if (record_parse(bytes, len, &r) != ERR_OK)
		return true;
	if (r.key.kind != RECORD_CERTIFICATE)
		return false;
	struct id *host = find(g, &r.key.subject);
	if (host == NULL || (!authlog_stands(g->log, &r.key.writer, &r.key.subject, &sure) && sure))
		return true;
	g->count--;
	memmove(host, host + 1, (size_t)(g->hosts + g->count - host) * sizeof(*host));
	return g->count > 0;
}

static bool each_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct gone *g = context;
	struct record r;
	(void)received;
	if (record_parse(bytes, len, &r) != ERR_OK || record_class_of(r.key.kind) == RECORD_CLASS_OPERATOR)
		return true;
	if (find(g, &r.key.writer) != NULL ||
	    (r.key.kind == RECORD_CERTIFICATE && find(g, &r.key.subject) != NULL))
		g->err = store_drop_record(g->store, &r.key);
	return g->err == ERR_OK;
}

static enum err drop_all(struct gone *g)
{
	enum err err = store_each_record(g->store, each_record, g);
	if (err == ERR_OK)
		err = g->err;
	for (size_t i = 0; i < g->count && err == ERR_OK; i++)
		err = store_drop_host_state(g->store, &g->hosts[i]);
	return err == ERR_LIMIT ? ERR_OK : err;
}

enum err gone_drop(struct store *s, const struct authlog *log, const struct id *self, wall_ms now,
		   size_t *ret_hosts)
{
	struct gone g = {.store = s, .log = log, .self = self, .now = now};
	g.hosts = malloc(GONE_HOSTS_MAX * sizeof(*g.hosts));
	enum err err = g.hosts != NULL ? store_each_host_state(s, each_state, &g) : ERR_NOMEM;
	if (err == ERR_OK && g.count > 0) {
		qsort(g.hosts, g.count, sizeof(*g.hosts), by_id);
		err = store_each_record(s, each_certificate, &g);
	}
	if (err == ERR_OK && g.count > 0)
		err = drop_all(&g);
	if (err == ERR_OK)
		*ret_hosts = g.count;
	free(g.hosts);
	return err;
}
