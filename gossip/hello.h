/* Private to hello.c (initiator, timers) and hello_answer.c (responder). */
#ifndef MESH_GOSSIP_HELLO_H
#define MESH_GOSSIP_HELLO_H

#include "gossip/core.h"

struct pending {
	struct member *m; /* NULL: whoever is at `to` */
	struct id responder;
	struct address to;
	uint8_t ni[HELLO_NONCE_BYTES];
	uint8_t cookie[WIRE_COOKIE_SIZE];
	struct authlog_head head; /* as it said: the REPLY's signature covers it */
	mono_ms sent_at;
	mono_ms started_at;
	unsigned resends;
	unsigned replies; /* looked at */
};

struct seed {
	bool met; /* a hello with it was completed in this run */
	unsigned tries;
	mono_ms next_at;
};

struct hello {
	struct pending *pending;
	size_t count, capacity;
	struct seed *seeds;
	mono_ms second_at;                  /* start of the second being counted */
	unsigned fresh, returned, finished; /* hellos without and with a cookie, and FINISHes, in it */
	unsigned cookies, logs;
	mono_ms seeds_at;   /* next look at the seeds */
	mono_ms renewed_at; /* own keys, because nobody heeded them; 0: never */
	mono_ms silence_at; /* last question why nobody answers; 0: never */
};

/* The session stands: both ends have proved themselves. */
void hello_done(struct gossip *g, struct member *m);
/* The peer's certificate, as a member. NULL: not trusted (yet); then its log, of which `head` (may be NULL)
 * tells, may say more. */
struct member *hello_member(struct gossip *g, const struct id *source, const uint8_t *certificate, size_t len,
			    const struct address *from, const struct authlog_head *head);
void hello_on_hello(struct gossip *g, const struct address *from, const struct datagram *d);
void hello_on_finish(struct gossip *g, const struct address *from, const struct datagram *d);

#endif
