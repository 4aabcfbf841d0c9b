/* Answers to BLOB_PULL. The blobs are read from the replica; nothing is kept about who asked but the datagram
 * being filled. */
#include <stdlib.h>

#include "gossip/blob.h"

#define READ_LAST 1u /* core_read.note: the answer is complete */

static void answer_send(struct gossip *g)
{
	struct blob *b = g->blob;
	if (b->answer_to != NULL && b->answer->count > 0)
		core_send(g, b->answer_to, WIRE_BLOBS, b->answer->bytes, b->answer->len, NULL);
	b->answer_to = NULL;
}

static void answer_start(struct gossip *g, struct member *to, uint64_t echo)
{
	struct blob *b = g->blob;
	answer_send(g);
	b->answer_to = to;
	b->answer_echo = echo;
	wire_pack_blobs(b->answer, echo);
}

static void on_read(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	struct blob *b = g->blob;
	if (b->answer == NULL)
		b->answer = malloc(sizeof *b->answer);
	if (b->answer == NULL)
		return;
	if (bytes == NULL) {
		idset_remove(&b->present, &read->blob); /* its row was lost: others have it */
		blob_want(g, &read->blob, NULL, NULL, 0);
	} else if (len > 0 && len <= LIMIT_BLOB_BYTES) {
		if (b->answer_to != read->to || b->answer_echo != read->echo)
			answer_start(g, read->to, read->echo);
		if (!wire_pack_add(b->answer, bytes, len)) {
			answer_start(g, read->to, read->echo);
			(void)wire_pack_add(b->answer, bytes, len);
		}
	}
	if ((read->note & READ_LAST) != 0)
		answer_send(g);
}

/* Kept so that a new manifest runs through the estate as fast as its record, not at the pace of retries. */
static void wait_for(struct gossip *g, struct member *m, const struct id *id)
{
	struct blob *b = g->blob;
	if (b->waiters == NULL)
		b->waiters = calloc(BLOB_WAITERS, sizeof *b->waiters);
	for (size_t i = 0; b->waiters != NULL && i < BLOB_WAITERS; i++)
		if (b->waiters[i].peer == m && id_equal(&b->waiters[i].id, id))
			return;
	if (b->waiters != NULL)
		b->waiters[b->waiter_next++ % BLOB_WAITERS] = (struct waiter){.id = *id, .peer = m};
}

void blob_serve(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len)
{
	struct blob *b = g->blob;
	for (size_t i = 0; b->waiters != NULL && i < BLOB_WAITERS; i++) {
		struct waiter *w = &b->waiters[i];
		if (w->peer == NULL || !id_equal(&w->id, id))
			continue;
		struct wire_pack pack;
		wire_pack_blobs(&pack, 0);
		if (wire_pack_add(&pack, bytes, len))
			core_send(g, w->peer, WIRE_BLOBS, pack.bytes, pack.len, NULL);
		w->peer = NULL;
	}
}

void blob_on_pull(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_blob_pull body;
	if (wire_blob_pull_decode(d->message, d->len, &body) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	size_t count = 0;
	bool coming = false;
	for (size_t i = 0; i < body.count; i++) {
		if (idset_has(&g->blob->present, &body.blobs[i])) {
			body.blobs[count++] = body.blobs[i];
		} else if (blob_wanted(g, &body.blobs[i])) {
			wait_for(g, m, &body.blobs[i]);
			coming = true;
		}
	}
	if (count == 0 && coming)
		return;
	if (count == 0) { /* so that it asks elsewhere at once */
		struct wire_pack none;
		wire_pack_blobs(&none, d->nonce);
		core_send(g, m, WIRE_BLOBS, none.bytes, none.len, NULL);
		return;
	}
	size_t room = core_read_room(g);
	count = count < room ? count : room;
	for (size_t i = 0; i < count; i++) {
		struct core_read read = {.type = GOSSIP_READ_BLOB,
					 .blob = body.blobs[i],
					 .done = on_read,
					 .to = m,
					 .echo = d->nonce,
					 .note = i + 1 == count ? READ_LAST : 0};
		if (!core_read(g, &read))
			break;
	}
}
