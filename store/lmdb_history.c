/* What a commit changed about hosts' and sites' states goes into the log with it: noted as each state's row
 * is put, packed into rows of the log at the end. A conversion and what mends a file have no time, and change
 * no state. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/history.h"
#include "store/lmdb_backend.h"

#define TRIM_ROWS      16 /* a commit drops so many, or twice as many as it adds */
#define TRIM_SLACK     64 /* once it is full, a part of the log is dropped, not a row each time */
#define TRIM_SLACK_MS  CLOCK_DAY_MS
#define HISTORY_AGE_MS ((wall_ms)LIMIT_HISTORY_DAYS * CLOCK_DAY_MS)

struct history_news {
	struct history_event *events;
	size_t count, cap;
};

void lmdb_history_free(struct commit *c)
{
	if (c->history != NULL)
		free(c->history->events);
	free(c->history);
	c->history = NULL;
}

static enum err add(struct commit *c, const struct history_event *event)
{
	if (c->history == NULL)
		c->history = calloc(1, sizeof(*c->history));
	struct history_news *n = c->history;
	if (n == NULL)
		return ERR_NOMEM;
	if (n->count == n->cap) {
		size_t cap = n->cap == 0 ? 64 : n->cap * 2;
		struct history_event *more = realloc(n->events, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		n->events = more;
		n->cap = cap;
	}
	n->events[n->count++] = *event;
	return ERR_OK;
}

/* --- noting --- */

struct state {
	uint8_t status, votes, signers;
	wall_ms since;
};

/* `known`: the key with ids. */
static struct state state_of(const struct row_key *known, const uint8_t *bytes, size_t len)
{
	struct state lost = {.status = HISTORY_LOST};
	struct host_state host;
	struct site_state site;
	if (row_check(known, bytes, len) != ERR_OK)
		return lost;
	if (known->bytes[0] == TABLE_HOST_STATES)
		return row_decode_host(known, bytes, len, &host) == ERR_OK
			   ? (struct state){(uint8_t)host.status, host.votes, host.signers, host.since}
			   : lost;
	return row_decode_site(known, bytes, len, &site) == ERR_OK
		   ? (struct state){(uint8_t)site.status, 0, 0, site.since}
		   : lost;
}

enum err lmdb_history_note(struct commit *c, const struct row_key *known, const MDB_val *old,
			   const uint8_t *bytes, size_t len)
{
	bool host = known != NULL && known->bytes[0] == TABLE_HOST_STATES;
	if (c->now == 0 || known == NULL || (!host && known->bytes[0] != TABLE_SITE_STATES) ||
	    known->len != 1 + ID_BYTES)
		return ERR_OK;
	struct state was = {.status = HISTORY_NONE}, is = {.status = HISTORY_NONE, .since = c->now};
	if (old != NULL)
		was = state_of(known, old->mv_data, old->mv_size);
	if (len > 0)
		is = state_of(known, bytes, len);
	if (was.status == is.status)
		return ERR_OK;
	struct id id;
	memcpy(id.b, known->bytes + 1, ID_BYTES);
	/* Evidence by a clock that runs ahead of this one's is news all the same. */
	bool sound = is.since > 0 && is.since <= c->now;
	const struct history_event event = {.what = host ? HISTORY_HOST : HISTORY_SITE,
					    .from = was.status,
					    .to = is.status,
					    .votes = is.votes,
					    .signers = is.signers,
					    .subject = id_short(&id),
					    .since = sound ? is.since : c->now};
	return add(c, &event);
}

enum err lmdb_history_mark(struct commit *c, const struct row_key *key)
{
	enum history_what what;
	wall_ms until;
	if (c->now == 0 || history_mark_decode(key, &what, &until) != ERR_OK)
		return ERR_OK;
	/* A node that starts knows what the last commit before says. */
	if (what == HISTORY_START)
		until = c->l->meta.as_of;
	if (what == HISTORY_STOP || until > c->now)
		until = c->now;
	const struct history_event event = {
	    .what = what, .from = HISTORY_NONE, .to = HISTORY_NONE, .since = until};
	return add(c, &event);
}

/* --- writing --- */

/* A start or a pause comes before what was learned since, the end behind it. */
static int rank(const struct history_event *e)
{
	return e->what == HISTORY_STOP ? 2 : e->what == HISTORY_HOST || e->what == HISTORY_SITE ? 1 : 0;
}

static int by_time(const void *a, const void *b)
{
	const struct history_event *x = a, *y = b;
	if (rank(x) != rank(y))
		return rank(x) - rank(y);
	if (x->since != y->since)
		return x->since < y->since ? -1 : 1;
	return (x->subject > y->subject) - (x->subject < y->subject);
}

static enum err put_row(struct commit *c, const struct history_event *events, size_t count)
{
	uint8_t packed[HISTORY_ROW_EVENTS * HISTORY_EVENT_BYTES];
	struct store_history *h = &c->meta.history;
	struct row_key key = history_key(h->next);
	struct row_value value;
	for (size_t i = 0; i < count; i++)
		history_event_pack(&events[i], packed + i * HISTORY_EVENT_BYTES);
	const struct history_row row = {
	    .newest = h->newest, .noted = c->now, .count = count, .events = packed};
	history_row_encode(&key, &row, &value);
	h->next++;
	h->bytes += key.len + value.len;
	return lmdb_put(c, &key, &key, value.bytes, value.len);
}

/* --- dropping --- */

static enum err drop_first(struct commit *c, size_t value_len)
{
	struct store_history *h = &c->meta.history;
	struct row_key key = history_key(h->first++);
	uint64_t bytes = key.len + value_len;
	h->bytes -= bytes < h->bytes ? bytes : h->bytes;
	return lmdb_put(c, &key, &key, NULL, 0);
}

/* Oldest first, never the newest. By age only a little in each commit: a clock that is wrong for a moment
 * would make all of it old. */
static enum err trim(struct commit *c, size_t added)
{
	struct store_history *h = &c->meta.history;
	uint64_t limit = c->l->history_bytes;
	bool full = h->bytes > limit, aged = false;
	size_t most = 2 * added > TRIM_ROWS ? 2 * added : TRIM_ROWS;
	for (size_t i = 0; h->next - h->first > added + 1; i++) {
		struct row_key key = history_key(h->first);
		struct row_value value = {.len = 0};
		struct history_row row;
		enum err err = lmdb_get(c->txn, c->l->e.dbi, &key, &value);
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
		bool good = err == ERR_OK && row_check(&key, value.bytes, value.len) == ERR_OK &&
			    history_row_decode(value.bytes, value.len, &row) == ERR_OK;
		wall_ms slack = aged ? 0 : TRIM_SLACK_MS;
		aged = i < most && good && row.noted + HISTORY_AGE_MS + slack < c->now;
		full = full && h->bytes > limit - limit / TRIM_SLACK;
		if (good && !full && !aged)
			return ERR_OK;
		err = drop_first(c, value.len);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

enum err lmdb_history_write(struct commit *c)
{
	const struct history_news *n = c->history;
	struct store_history *h = &c->meta.history;
	enum err err = ERR_OK;
	if (n == NULL || n->count == 0)
		return ERR_OK;
	qsort(n->events, n->count, sizeof(*n->events), by_time);
	if (c->now > h->newest)
		h->newest = c->now;
	uint64_t before = h->next;
	for (size_t i = 0; i < n->count && err == ERR_OK; i += HISTORY_ROW_EVENTS) {
		size_t left = n->count - i;
		err = put_row(c, n->events + i, left < HISTORY_ROW_EVENTS ? left : HISTORY_ROW_EVENTS);
	}
	return err == ERR_OK ? trim(c, (size_t)(h->next - before)) : err;
}
