/* Between spread.c (telling), pull.c (asking and answering) and sync.c (what the walk finds). */
#ifndef MESH_GOSSIP_SPREAD_H
#define MESH_GOSSIP_SPREAD_H

#include "gossip/core.h"

#define PULL_VAIN_MOST 6 /* member.pull_vain from which on it is asked last */

#define SPREAD_KEPT 64   /* records whose bytes are at hand for those who pull them */
#define SPREAD_SEEN 1024 /* ids that need not be pulled again; a power of two */

struct news {
	uint64_t id;
	struct member *from;       /* NULL: own */
	const struct site *origin; /* NULL: not known */
	mono_ms late_at;           /* when it is announced over the edges that it does not take at once */
};

struct news_queue {
	struct news *items;
	size_t count, cap;
};

struct kept {
	uint64_t id;
	uint8_t *bytes;
	size_t len;
};

struct pull {
	uint64_t id;
	struct member *peer;  /* asked, or to be asked */
	struct member *other; /* has it as well, may be NULL */
	mono_ms at;           /* asked, or queued */
	bool asked;
	bool catch_up; /* found by a walk: others have it for long */
	uint8_t tries;
};

struct spread {
	struct news_queue news; /* for the own site, and over edges at once */
	mono_ms flush_at;       /* valid while there is news */
	struct news_queue late; /* over the other edges */
	mono_ms late_at;        /* valid while there is any */

	struct pull *pulls;
	size_t pull_count, pull_cap;
	size_t catching_up; /* pulls with catch_up */
	bool progress;      /* a record found by a walk was accepted since the last walk began */
	mono_ms expire_at;  /* valid while there are pulls */

	struct kept kept[SPREAD_KEPT];
	size_t kept_next;
	uint64_t seen[SPREAD_SEEN];
	bool quiet; /* the record at the gate was found by a walk */

	struct member *answer_to; /* RECORDS being filled by reads, NULL: none */
	uint64_t answer_echo;
	enum gossip_class answer_class;
	struct wire_pack *answer;
};

/* Ask `m` for those of these ids that are missing and not asked for yet. */
void pull_want(struct gossip *g, struct member *m, const uint64_t *ids, size_t count, bool catch_up);
void pull_arrived(struct gossip *g, uint64_t id);
void pull_on_pull(struct gossip *g, struct member *m, const struct datagram *d);
/* RECORDS with these that the set holds, at the expense of this class; `entries` is left in another order. */
void pull_answer(struct gossip *g, struct member *m, enum gossip_class c, uint64_t echo,
		 struct set_entry *entries, size_t count);
void pull_on_records(struct gossip *g, struct member *m, const struct datagram *d);
void pull_tick(struct gossip *g);
void pull_free(struct spread *s);

/* The site where a record entered the estate; NULL: not known. */
const struct site *spread_origin(const struct gossip *g, const struct record_key *key);
const struct kept *spread_kept(const struct spread *s, uint64_t id);
/* Held, or known to be worth nothing: superseded, or refused for ever. */
bool spread_knows(const struct gossip *g, uint64_t id);
void spread_refused(struct gossip *g, uint64_t id, enum err err);
/* The log says something else: what was refused may be taken now. */
void spread_reconsider(struct gossip *g);

/* sync.c: all that a walk found was asked for and has come, or not; something new was among it. */
void sync_drained(struct gossip *g, struct member *m);

#endif
