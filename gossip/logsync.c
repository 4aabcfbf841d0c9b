/* The authority log: whoever has more is asked for the rest. Entries prove themselves, so they may come from
 * anyone, also under the hello key, before the two trust each other.
 *
 * Happy path: a head with a higher index shows up (PING, ACK, hello); LOG_PULL asks from the first entry that
 * is missing; LOG_ENTRIES brings them in order, each is checked by authlog_append and queued for the disk;
 * records whose signer was not known are tried again.
 * Fails: what is lost is asked for again when the head shows up again, at most once a second, and not of one
 * who just failed to make it good; heads keep coming, so there is no timer. Under the hello key the request
 * is padded, so that the answer is not larger. */
#include <stdlib.h>

#include "gossip/core.h"

#define ASK_MS      1000
#define VAIN_MS     30000 /* before who was asked in vain is asked again */
#define ANSWERS_MAX 8     /* datagrams in answer to one, to a proven peer */

struct ask {
	uint64_t nonce;   /* of the last LOG_PULL */
	mono_ms asked_at; /* valid when asked */
	bool asked;
	uint32_t wanted; /* index that the head named */
};

struct logsync {
	struct ask peer, stranger; /* apart, so that strangers are in no peer's way */
};

enum err logsync_init(struct gossip *g)
{
	g->logsync = calloc(1, sizeof *g->logsync);
	return g->logsync == NULL ? ERR_NOMEM : ERR_OK;
}

void logsync_free(struct gossip *g)
{
	free(g->logsync);
	g->logsync = NULL;
}

static struct ask *ask_of(struct gossip *g, const struct member *m)
{
	return m != NULL ? &g->logsync->peer : &g->logsync->stranger;
}

static void ask(struct gossip *g, struct member *m, const struct address *from)
{
	struct ask *l = ask_of(g, m);
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t len = wire_log_pull_encode((uint32_t)authlog_count(g->log), m == NULL, message);
	uint64_t nonce = 0;
	bool sent = m != NULL ? core_send(g, m, WIRE_LOG_PULL, message, len, &nonce)
			      : core_send_hello(g, from, WIRE_LOG_PULL, message, len, &nonce);
	if (!sent)
		return;
	l->nonce = nonce;
	l->asked = true;
	l->asked_at = g->now;
	if (m != NULL)
		m->log_asked_at = g->now;
}

void logsync_on_head(struct gossip *g, struct member *m, const struct address *from, struct authlog_head head)
{
	struct ask *l = ask_of(g, m);
	if (head.index <= authlog_head(g->log).index || head.index >= LIMIT_LOG_ENTRIES)
		return;
	if (l->asked && g->now < l->asked_at + ASK_MS)
		return;
	/* A head is only a claim: one that was not made good must not keep honest ones from being asked. */
	if (m != NULL && m->log_asked_at != 0 && g->now < m->log_asked_at + VAIN_MS &&
	    defence_on(g, DEFENCE_LOG_CLAIM))
		return;
	l->wanted = head.index;
	ask(g, m, from);
}

static void on_pull(struct gossip *g, struct member *m, const struct address *from, const struct datagram *d)
{
	uint32_t first;
	if (wire_log_pull_decode(d->message, d->len, m == NULL, &first) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	size_t index = first;
	size_t answers = m == NULL ? 1 : ANSWERS_MAX;
	while (answers-- > 0 && index < authlog_count(g->log)) {
		struct wire_pack pack;
		wire_pack_log(&pack, d->nonce, (uint32_t)index);
		for (size_t len; index < authlog_count(g->log); index++) {
			const uint8_t *entry = authlog_entry(g->log, index, &len);
			if (!wire_pack_add(&pack, entry, len))
				break;
		}
		if (m != NULL)
			core_send(g, m, WIRE_LOG_ENTRIES, pack.bytes, pack.len, NULL);
		else
			core_send_hello(g, from, WIRE_LOG_ENTRIES, pack.bytes, pack.len, NULL);
	}
}

static bool append(struct gossip *g, const struct wire_items *items)
{
	bool grown = false;
	for (size_t i = 0; i < items->count; i++) {
		if ((uint64_t)items->first + i != authlog_count(g->log))
			continue;
		const struct wire_item *item = &items->items[i];
		if (authlog_append(g->log, item->bytes, item->len) != ERR_OK)
			break;
		/* Not on disk for lack of room: asked for again after a restart. */
		core_log_entry(g, item->bytes, item->len);
		grown = true;
	}
	return grown;
}

static void on_entries(struct gossip *g, struct member *m, const struct address *from,
		       const struct datagram *d)
{
	struct ask *l = ask_of(g, m);
	struct wire_items items;
	if (wire_items_decode(WIRE_LOG_ENTRIES, d->message, d->len, &items) != ERR_OK || !l->asked ||
	    items.echo != l->nonce) {
		g->counters.dropped_schema++;
		return;
	}
	if (!append(g, &items))
		return;
	core_on_log(g);
	if (m != NULL)
		m->log_asked_at = 0;
	if (authlog_head(g->log).index < l->wanted && m == NULL)
		ask(g, m, from); /* one datagram a time: go on */
	else if (authlog_head(g->log).index >= l->wanted)
		l->asked = false;
}

enum err logsync_local(struct gossip *g, const uint8_t *bytes, size_t len)
{
	enum err err = authlog_append(g->log, bytes, len);
	if (err != ERR_OK)
		return err;
	core_log_entry(g, bytes, len);
	core_on_log(g);
	return ERR_OK;
}

void logsync_on_message(struct gossip *g, struct member *m, const struct address *from,
			const struct datagram *d)
{
	if (d->type == WIRE_LOG_PULL)
		on_pull(g, m, from, d);
	else
		on_entries(g, m, from, d);
}
