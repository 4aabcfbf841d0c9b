/* A scriptable malicious peer: it holds keys, its own or stolen ones, and makes sessions with honest nodes
 * over a conversation of its own, built on the public codecs. It can say anything to anyone, from any
 * address, and answers only what it is told to.
 *
 * It does no I/O and reads no clock: what it sends goes through `send`, so that the same peer drives cores in
 * virtual time and daemons over sockets. Single-threaded; one peer is one conversation under one host key. */
#ifndef MESH_TESTS_HOSTILE_PEER_H
#define MESH_TESTS_HOSTILE_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/authlog.h"
#include "crypto/keyring.h"
#include "crypto/record.h"
#include "gossip/wire.h"

struct peer;

/* What it answers by itself; hellos it says are always finished. */
enum peer_answers {
	PEER_HELLOS = 1, /* REPLY */
	PEER_PINGS = 2,  /* ACK, with the asker's own root: "nothing to tell apart" */
	PEER_PULLS = 4,  /* RECORDS, of what peer_hold was given */
	PEER_LOG = 8,    /* LOG_ENTRIES, of its log */
};
#define PEER_QUIET 0u
#define PEER_CALM  (PEER_HELLOS | PEER_PINGS)

/* Borrowed, save `keys` and `address`. */
struct peer_options {
	const struct identity *identity;
	const struct id *claimed;   /* the source it names; NULL: its own */
	const uint8_t *certificate; /* NULL: it has none, and can do no more than send */
	size_t certificate_len;
	struct estate_keys keys;
	const struct authlog *log; /* whose head it shows */
	struct address address;
	wall_day today;
	uint64_t seed;
	unsigned answers; /* enum peer_answers */
	void (*send)(void *context, const struct address *from, const struct address *to,
		     const uint8_t *bytes, size_t len);
	/* Each datagram it could open, first; true: no answer of its own is wanted. May be NULL. */
	bool (*heard)(void *context, struct peer *p, const struct address *from, const struct datagram *d);
	void *context;
};

struct peer *peer_new(const struct peer_options *o);
void peer_free(struct peer *p);
void peer_set_answers(struct peer *p, unsigned answers);
/* Shown in PING and ACK from now on, instead of the log's and the asker's. */
void peer_claim_head(struct peer *p, struct authlog_head head);
void peer_claim_root(struct peer *p, uint64_t root);
const struct id *peer_id(const struct peer *p);
const struct address *peer_address(const struct peer *p);

/* What comes to its address. */
void peer_hear(struct peer *p, const struct address *from, const uint8_t *bytes, size_t len);

/* Begins a session; it stands when the other's REPLY is heard. */
void peer_hello(struct peer *p, const struct id *to, const struct address *at);
bool peer_in_session(const struct peer *p, const struct id *with);

/* Seals under the pair key; false without a session. `ret` holds LIMIT_DATAGRAM_BYTES. */
bool peer_seal(struct peer *p, const struct id *to, uint8_t type, const void *message, size_t len,
	       uint8_t *ret, size_t *ret_len);
/* Seals and sends to where the session was made, from its own address or another. */
bool peer_say(struct peer *p, const struct id *to, uint8_t type, const void *message, size_t len);
bool peer_say_from(struct peer *p, const struct address *from, const struct id *to, uint8_t type,
		   const void *message, size_t len);
/* Under the hello key: needs the estate secret only. */
void peer_say_hello(struct peer *p, const struct address *from, const struct address *to, uint8_t type,
		    const void *message, size_t len);
bool peer_push(struct peer *p, const struct id *to, const void *record, size_t len);
bool peer_ping(struct peer *p, const struct id *to);
bool peer_announce(struct peer *p, const struct id *to, const uint64_t *ids, size_t count);
/* A record it hands out to those who pull it. */
void peer_hold(struct peer *p, const void *record, size_t len);

/* How often it heard a type, since it was made. */
uint64_t peer_heard(const struct peer *p, uint8_t type);

#endif
