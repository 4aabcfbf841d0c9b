/* What a host's certificates are worth now, and what follows from it (docs/protocol.md section 9). */
#ifndef MESH_GOSSIP_STANDING_H
#define MESH_GOSSIP_STANDING_H

#include "gossip/core.h"

/* One issuer's word about a host. */
struct member_certificate {
	struct id issuer;
	struct site *site;
	wall_day enrolled;
	wall_ms issued;  /* its time */
	wall_ms arrived; /* here, the first of this issuer about this host */
	uint8_t hardware[HARDWARE_HASH_BYTES];
	bool has_hardware;
	enum host_standing standing;
	bool barred; /* by the log alone nobody would take it: it is in no set */
};
#define MEMBER_CERTIFICATES 8 /* issuers that vouch for one host */

/* Of that issuer; NULL when it has none. */
struct member_certificate *member_certificate(const struct member *m, const struct id *issuer);
/* Into the roster of `site`, or out of any. */
void member_place(struct gossip *g, struct member *m, struct site *site, bool rostered);

enum err standing_init(struct gossip *g);
void standing_free(struct gossip *g);
/* The log, the day, an allow-list or a grant changed: all is found anew. */
void standing_refresh(struct gossip *g);
void standing_tick(struct gossip *g);
/* standing_issues.c */
void standing_tell(struct gossip *g);
/* Something that issues are about changed: they are found anew at the end of this step. */
void standing_soon(struct gossip *g);

/* Certificates of this issuer about this host are taken: it is known, or the issuer has room, and no
 * allow-list that could exclude it is still missing. */
bool standing_room(const struct gossip *g, const struct id *issuer, const struct id *host);
/* The order in which certificates come in, as a time that is later than that of the one before. */
wall_ms standing_arrival(const struct gossip *g);
/* A certificate of `m` is new or says something else. */
void standing_certified(struct gossip *g, struct member *m, struct member_certificate *c);

/* Neither revoked nor ended: sessions, datagrams; in rosters. */
bool standing_talks(const struct member *m);
/* ... and not in quarantine: witness, bridge, signer whose roll-call counts, relay, pushed to. */
bool standing_has_say(const struct member *m);

/* Its records are compared in the set, and new ones taken. Follows from log and certificates, not from the
 * day: clocks that differ must not part the sets. */
bool standing_shown(const struct member *m);
/* Partition of a record; false when its host is not known, or its kind is refused. */
bool standing_place(const struct gossip *g, const struct record_key *key, uint64_t *ret);
/* An operator's record: decommissions count, and what is out of role is flagged. */
void standing_on_operator(struct gossip *g, const struct record *r);
/* The last of its kind and subject that this operator's records had is no longer kept. */
void standing_off_operator(struct gossip *g, const struct record_key *key);

#endif
