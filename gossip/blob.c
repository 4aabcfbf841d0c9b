/* Blobs: each replica holds all that its records name (docs/protocol.md section 4).
 *
 * Happy path: a components record names a manifest that is not here; it is asked of whoever sent the record,
 * then its chunks; a list is handed to the replica after everything it names, so a blob that is present is
 * present with all below it, also after a crash between.
 * Fails: what does not come is asked for elsewhere, after a second at first, then less and less often, and
 * given up for a while in the end (blob_want.c). Only what was asked for is accepted, and only under its own
 * hash. */
#include <stdlib.h>
#include <string.h>

#include "gossip/allow.h"
#include "gossip/blob.h"
#include "record/manifest.h"

#define RETRY_MS        1000
#define RETRY_NONE_MS   250 /* the peer said that it has none */
#define RETRY_MAX_MS    240000
#define BACKOFF_DIVISOR 8
#define HINT_TRIES      3 /* of whoever must have it, as datagrams get lost */
#define BLOBS_MAX       (4 * LIMIT_HOSTS)
#define DEPTH_MAX       2     /* of lists below a root */
#define AGAIN_MS        30000 /* between tries for what was given up before */
#define FEW             (2 * BLOBS_PER_PULL)
#define BLOBS_PER_PULL  16
#define PULLS_PER_TICK  4
#define OUTSTANDING_MAX (BLOBS_PER_PULL * PULLS_PER_TICK)

enum err blob_init(struct gossip *g)
{
	g->blob = calloc(1, sizeof *g->blob);
	if (g->blob == NULL)
		return ERR_NOMEM;
	idset_init(&g->blob->present, BLOBS_MAX);
	return ERR_OK;
}

void blob_free(struct gossip *g)
{
	struct blob *b = g->blob;
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->count; i++)
		free(b->wanted[i].list);
	free(b->wanted);
	free(b->answer);
	free(b->waiters);
	idset_free(&b->present);
	free(b);
	g->blob = NULL;
}

/* --- what is here --- */

static bool list_complete(const struct blob *b, const uint8_t *list, size_t len)
{
	const uint8_t *ids = NULL;
	size_t count = 0;
	return blob_list(list, len, &ids, &count) == ERR_OK && blob_missing(b, list, len) == 0;
}

enum err blob_load(struct gossip *g, const struct id *blob)
{
	struct wanted *w = blob_find(g->blob, blob);
	enum err err = idset_add(&g->blob->present, blob);
	if (err == ERR_OK && w != NULL)
		blob_drop(g->blob, w);
	g->blob->unsettled = true;
	return err;
}

enum err blob_local(struct gossip *g, const uint8_t *bytes, size_t len)
{
	enum blob_type type;
	enum err err = blob_check(bytes, len, &type);
	if (err != ERR_OK)
		return err;
	struct id id = blob_id(bytes, len);
	if (idset_has(&g->blob->present, &id))
		return ERR_OK;
	if (!core_blob(g, &id, bytes, len))
		return ERR_NOMEM;
	blob_serve(g, &id, bytes, len);
	return blob_load(g, &id);
}

void blob_count(const struct gossip *g, size_t *ret_present, size_t *ret_wanted)
{
	*ret_present = g->blob->present.count;
	*ret_wanted = g->blob->count;
}

/* Hand a blob to the replica; false when there is no room this step. */
static bool settle(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len)
{
	struct blob *b = g->blob;
	if (idset_add(&b->present, id) != ERR_OK)
		return false;
	if (!core_blob(g, id, bytes, len)) {
		idset_remove(&b->present, id);
		return false;
	}
	blob_serve(g, id, bytes, len);
	struct wanted *w = blob_find(b, id);
	if (w != NULL) {
		blob_share_use(g, w->owner);
		blob_drop(b, w);
	}
	return true;
}

/* Lists whose last missing child came follow it, and so on upwards. */
static void settle_lists(struct gossip *g)
{
	struct blob *b = g->blob;
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < b->count; i++) {
			struct wanted w = b->wanted[i];
			if (w.list == NULL || !list_complete(b, w.list, w.list_len) ||
			    !settle(g, &w.id, w.list, w.list_len))
				continue;
			again = true;
			break;
		}
	}
	b->unsettled = false;
}

/* --- asking --- */

static bool askable(const struct gossip *g, const struct member *m)
{
	return m != NULL && m != g->self && m->session && member_reachable(g, m);
}

/* Who to ask next: whoever named it, else a random peer, of the own site or across an edge. */
static struct member *choose(struct gossip *g, const struct wanted *w)
{
	if (askable(g, w->hint))
		return w->hint;
	struct member *edges[8], *peers[8];
	size_t edge_count = edge_peers(g, edges, sizeof edges / sizeof edges[0]);
	size_t count = member_pick(g, NULL, sizeof peers / sizeof peers[0], peers);
	/* A bridge is where it gets into the site: every other try goes abroad. */
	if (edge_count > 0 && (count == 0 || prng_below(&g->prng, 2) == 0)) {
		struct member *m = edges[prng_below(&g->prng, edge_count)];
		if (askable(g, m))
			return m;
	}
	for (size_t i = 0; i < count; i++)
		if (askable(g, peers[i]) && peers[i] != w->asked)
			return peers[i];
	return count > 0 && askable(g, peers[0]) ? peers[0] : NULL;
}

/* In proportion to how long it has been wanted: while it may still be on its way to this site, soon. */
static mono_ms backoff(struct gossip *g, mono_ms least, const struct wanted *w)
{
	mono_ms wait = (g->now - w->since) / BACKOFF_DIVISOR;
	if (w->again && least < AGAIN_MS)
		least = AGAIN_MS;
	wait = wait < least ? least : wait > RETRY_MAX_MS ? RETRY_MAX_MS : wait;
	return g->now + core_jitter(g, wait, 0.25);
}

static uint8_t tried(const struct wanted *w)
{
	return (uint8_t)(w->tries < UINT8_MAX ? w->tries + 1 : w->tries);
}

static bool due(const struct gossip *g, const struct wanted *w)
{
	return w->list == NULL && w->next_at <= g->now;
}

static void mark_asked(struct gossip *g, struct wanted *w, struct member *m)
{
	w->asked = m;
	w->tries = tried(w);
	if (w->tries >= HINT_TRIES)
		w->hint = NULL;
	w->next_at = backoff(g, RETRY_MS, w);
}

/* One BLOB_PULL: what is due first decides whom, others that are due and have no better idea join in. */
static size_t pull_from(struct gossip *g, size_t begin)
{
	struct blob *b = g->blob;
	struct wire_blob_pull body = {0};
	struct member *m = choose(g, &b->wanted[begin]);
	if (m == NULL) {
		b->wanted[begin].hint = NULL;
		b->wanted[begin].next_at = backoff(g, RETRY_MS, &b->wanted[begin]);
		return 0;
	}
	for (size_t i = begin; i < b->count && body.count < BLOBS_PER_PULL; i++) {
		struct wanted *w = &b->wanted[i];
		if (!due(g, w) || (i > begin && askable(g, w->hint) && w->hint != m))
			continue;
		mark_asked(g, w, m);
		body.blobs[body.count++] = w->id;
	}
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (core_send(g, m, WIRE_BLOB_PULL, message, wire_blob_pull_encode(&body, message), NULL))
		g->counters.blob_pulls_out++;
	return body.count;
}

static size_t outstanding(const struct gossip *g)
{
	size_t count = 0;
	for (size_t i = 0; i < g->blob->count; i++) {
		const struct wanted *w = &g->blob->wanted[i];
		count += w->list == NULL && w->asked != NULL && w->tries == 1 && w->next_at > g->now;
	}
	return count;
}

struct asking {
	size_t pulls, blobs;
};

/* Whose turn it is first: what the log waits for, then manifests that lack little, then what is new. What
 * nobody has must not keep these waiting. */
enum turn { TURN_LOG, TURN_FEW, TURN_NEW, TURN_AGAIN, TURNS };

static enum turn turn_of(const struct wanted *w)
{
	if (w->owner == NULL)
		return TURN_LOG;
	if (w->tries > 0)
		return TURN_AGAIN;
	return w->owner->wanted <= FEW ? TURN_FEW : TURN_NEW;
}

static void ask_some(struct gossip *g, enum turn turn, struct asking *a)
{
	const struct blob *b = g->blob;
	/* Begins anywhere, so that all of a kind have the same chance. */
	size_t begin = (size_t)prng_below(&g->prng, b->count);
	for (size_t n = 0; n < b->count && a->pulls < PULLS_PER_TICK; n++) {
		size_t i = (begin + n) % b->count;
		if (turn != TURN_LOG && a->blobs >= OUTSTANDING_MAX)
			return;
		if (!due(g, &b->wanted[i]) || turn_of(&b->wanted[i]) != turn)
			continue;
		size_t sent = pull_from(g, i);
		a->blobs += sent;
		a->pulls += sent > 0;
	}
}

/* A list whose chunks come is not in vain; some of them may have found no room. */
static void look_after(struct gossip *g, struct wanted *w)
{
	struct blob *b = g->blob;
	size_t missing = blob_missing(b, w->list, w->list_len);
	if (missing < w->missing)
		w->until = g->now + BLOB_VAIN_MS;
	w->missing = missing;
	w->next_at = backoff(g, RETRY_MS, w);
	w->tries = tried(w);
	struct wanted list = *w; /* the table may move */
	blob_want_children(g, list.list, list.list_len, NULL, list.owner, (uint8_t)(list.depth + 1));
	b->unsettled = true;
}

static void ask_due(struct gossip *g)
{
	struct blob *b = g->blob;
	struct asking a = {.blobs = outstanding(g)};
	blob_give_up(g);
	for (enum turn turn = TURN_LOG; turn < TURNS && b->count > 0; turn++)
		ask_some(g, turn, &a);
	b->next_at = UINT64_MAX;
	for (size_t i = 0; i < b->count; i++) {
		if (b->wanted[i].list != NULL && b->wanted[i].next_at <= g->now)
			look_after(g, &b->wanted[i]);
		/* Left over by the bounds: soon, or when answers make room. */
		mono_ms at = b->wanted[i].next_at;
		blob_wake(b, at > g->now ? at : g->now + RETRY_NONE_MS);
	}
}

void blob_tick(struct gossip *g)
{
	struct blob *b = g->blob;
	if (b->unsettled)
		settle_lists(g);
	if (b->count > 0 && b->next_at <= g->now)
		ask_due(g);
	if (b->overflow || b->given_up || b->rescan_at > 0)
		blob_rescan(g);
	if (b->count > 0)
		core_deadline(g, b->next_at);
}

/* --- what comes --- */

/* What was wanted is here, from `m` (NULL: from the administrator). */
static void take(struct gossip *g, struct member *m, struct wanted *w, enum blob_type type,
		 const struct wire_item *item)
{
	struct blob *b = g->blob;
	struct id id = w->id;
	(void)allow_on_blob(g, &id, item->bytes, item->len);
	w = blob_find(b, &id);
	if (type != BLOB_LIST || list_complete(b, item->bytes, item->len)) {
		settle(g, &id, item->bytes, item->len);
		return;
	}
	if (w == NULL || w->depth >= DEPTH_MAX)
		return; /* deeper than a manifest goes: never complete */
	if (!blob_allows(g, w, item->bytes, item->len)) {
		g->counters.blobs_wrong++;
		blob_forget(g, w->owner);
		return;
	}
	w->list = malloc(item->len);
	if (w->list == NULL)
		return;
	memcpy(w->list, item->bytes, item->len);
	w->list_len = item->len;
	w->missing = blob_missing(b, item->bytes, item->len);
	w->until = g->now + (w->again ? BLOB_AGAIN_MS : BLOB_VAIN_MS);
	w->tries = 0;
	w->next_at = g->now + RETRY_MS * 8;
	blob_want_children(g, item->bytes, item->len, m, w->owner, (uint8_t)(w->depth + 1));
}

/* A blob tells its id by its hash alone, so one that is not the right one answers whatever was asked. */
static bool owes(const struct blob *b, const struct member *m)
{
	for (size_t i = 0; i < b->count; i++)
		if (b->wanted[i].list == NULL && b->wanted[i].asked == m)
			return true;
	return false;
}

static void refuse(struct gossip *g, const struct member *m, const struct wanted *w)
{
	if (w != NULL ? w->list == NULL && w->asked != NULL : owes(g->blob, m))
		g->counters.blobs_wrong++;
	else if (w == NULL)
		g->counters.blobs_refused++;
}

static void accept(struct gossip *g, struct member *m, const struct wire_item *item)
{
	struct blob *b = g->blob;
	enum blob_type type;
	struct id id = blob_id(item->bytes, item->len);
	struct wanted *w = blob_find(b, &id);
	if (!defence_on(g, DEFENCE_BLOB_ASKED) && b->count > 0)
		w = &b->wanted[0];
	if (w == NULL || w->list != NULL || w->asked == NULL ||
	    blob_check(item->bytes, item->len, &type) != ERR_OK) {
		/* Of a second answer to one question nothing is wrong. */
		if (!idset_has(&b->present, &id))
			refuse(g, m, w);
		return;
	}
	g->counters.blobs_in++;
	take(g, m, w, type, item);
}

enum err blob_hand_in(struct gossip *g, const uint8_t *bytes, size_t len)
{
	enum blob_type type;
	enum err err = blob_check(bytes, len, &type);
	if (err != ERR_OK)
		return err;
	struct id id = blob_id(bytes, len);
	struct wanted *w = blob_find(g->blob, &id);
	if (idset_has(&g->blob->present, &id) || (w != NULL && w->list != NULL))
		return ERR_EXISTS;
	if (w == NULL)
		return ERR_NOT_FOUND;
	take(g, NULL, w, type, &(struct wire_item){bytes, len});
	g->blob->unsettled = true;
	blob_wake(g->blob, g->now);
	return ERR_OK;
}

static void on_blobs(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct blob *b = g->blob;
	struct wire_items items;
	if (wire_items_decode(WIRE_BLOBS, d->message, d->len, &items) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	for (size_t i = 0; i < items.count; i++)
		accept(g, m, &items.items[i]);
	b->unsettled = true;
	for (size_t i = 0; items.count == 0 && i < b->count; i++) {
		struct wanted *w = &b->wanted[i];
		if (w->list != NULL || w->asked != m)
			continue;
		w->hint = NULL;
		w->tries = tried(w); /* not outstanding any more */
		w->next_at = backoff(g, RETRY_NONE_MS, w);
		blob_wake(b, w->next_at);
	}
	/* There is room for more questions. */
	if (b->count > 0)
		blob_wake(b, g->now);
}

void blob_on_message(struct gossip *g, struct member *m, const struct datagram *d)
{
	if (d->type == WIRE_BLOB_PULL)
		blob_on_pull(g, m, d);
	else
		on_blobs(g, m, d);
}
