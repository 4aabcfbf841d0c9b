/* Between blob.c (wanting, asking, accepting) and blob_answer.c. */
#ifndef MESH_GOSSIP_BLOB_H
#define MESH_GOSSIP_BLOB_H

#include "gossip/core.h"
#include "gossip/idset.h"

/* --- for all --- */

enum err blob_init(struct gossip *g);
void blob_free(struct gossip *g);
void blob_tick(struct gossip *g);
/* BLOB_PULL, BLOBS. */
void blob_on_message(struct gossip *g, struct member *m, const struct datagram *d);
void blob_on_record(struct gossip *g, const struct record *r, struct member *from);
/* A blob this host publishes. ERR_FORMAT, ERR_NOMEM, ERR_LIMIT. */
enum err blob_local(struct gossip *g, const uint8_t *bytes, size_t len);
/* One that is wanted, handed in by the administrator. ERR_FORMAT, ERR_EXISTS, ERR_NOT_FOUND. */
enum err blob_hand_in(struct gossip *g, const uint8_t *bytes, size_t len);
enum err blob_load(struct gossip *g, const struct id *blob);
void blob_count(const struct gossip *g, size_t *ret_present, size_t *ret_wanted);

/* --- among the files of blobs --- */

struct wanted {
	struct id id;
	struct member *hint;      /* named it, tried first; NULL afterwards */
	struct blob_owner *owner; /* who names it; NULL: the log, or a row that was lost */
	struct member *asked;     /* NULL: not asked since next_at was set */
	mono_ms since;            /* wanted */
	mono_ms until;            /* given up then, unless something of it comes */
	mono_ms next_at;          /* ask, or ask again */
	bool again;               /* was given up before */
	uint8_t tries;
	uint8_t depth;
	uint8_t *list; /* a list that came before what it names, owned; NULL: still to come */
	size_t list_len;
	size_t missing; /* of what it names, at the last look */
};
#define BLOB_VAIN_MS  600000 /* nobody handed it over for so long: given up */
#define BLOB_AGAIN_MS 120000 /* likewise when it was given up before */

/* A peer that asked for what was not here yet. */
struct waiter {
	struct id id;
	struct member *peer; /* NULL: none, or served */
};
#define BLOB_WAITERS 128
#define BLOB_WANTED  4096

struct blob {
	struct idset present;
	struct wanted *wanted;
	size_t count, cap;
	mono_ms next_at;  /* earliest of `wanted`; valid while there are any */
	bool unsettled;   /* something became present that a list may have waited for */
	bool overflow;    /* something was named that the table had no room for */
	bool given_up;    /* something was wanted in vain, or its owner's share was used up */
	size_t rescan_at; /* place in the set, 0: none under way */
	mono_ms rescan_due, rescanned_at;
	bool rescan_again; /* the one under way is for what was given up */
	size_t rescanning; /* reads on their way */

	struct waiter *waiters; /* BLOB_WAITERS, the oldest gives way; NULL: none yet */
	size_t waiter_next;

	struct member *answer_to; /* BLOBS being filled by reads, NULL: none */
	uint64_t answer_echo;
	size_t answered;
	struct wire_pack *answer;
};

/* blob_want.c. `depth`: lists above it. Nothing happens when it is present or wanted already, or when its
 * owner (may be NULL) has its share. */
void blob_want(struct gossip *g, const struct id *id, struct member *hint, struct blob_owner *owner,
	       uint8_t depth);
void blob_want_children(struct gossip *g, const uint8_t *list, size_t len, struct member *hint,
			struct blob_owner *owner, uint8_t depth);
bool blob_wanted(const struct gossip *g, const struct id *id);
struct wanted *blob_find(struct blob *b, const struct id *id);
void blob_drop(struct blob *b, struct wanted *w);
void blob_wake(struct blob *b, mono_ms at);
size_t blob_missing(const struct blob *b, const uint8_t *list, size_t len);
/* A list came: false when the manifest would name more than its record says. */
bool blob_allows(struct gossip *g, struct wanted *w, const uint8_t *list, size_t len);
/* All that is wanted of this owner's. */
void blob_forget(struct gossip *g, struct blob_owner *owner);
/* A new blob of its manifest was taken. */
void blob_share_use(struct gossip *g, struct blob_owner *owner);
void blob_give_up(struct gossip *g);
/* Who answers for what a record names; NULL: it names nothing, or nobody knows who wrote it. */
struct blob_owner *blob_owner_of(struct gossip *g, const struct record_key *key);
/* A record of this owner's. */
void blob_named(struct gossip *g, const struct record *r, struct blob_owner *owner, struct member *from);
/* It came: those who asked for it in the meantime get it. */
void blob_serve(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len);
void blob_on_pull(struct gossip *g, struct member *m, const struct datagram *d);

/* blob_rescan.c; while something had no room, or was given up. */
void blob_rescan(struct gossip *g);

#endif
