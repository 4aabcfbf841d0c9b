/* A site as a node knows it: its roster, and what its witnesses signed last. Inside gossip/ only, by way of
 * core.h. */
#ifndef MESH_GOSSIP_SITE_H
#define MESH_GOSSIP_SITE_H

#include "gossip/gossip.h"

struct member;
struct roster_past;

/* One signer's latest roll-call of a site, one part. */
struct rollcall_view {
	struct member *signer;
	uint64_t seq;
	uint64_t slot;       /* part */
	mono_ms received_at; /* less what it was late */
	int64_t clock_gap;   /* least difference of own and signer's clock at receipt */
	bool late;           /* by more than an interval */
	wall_ms received;
	bool prompt; /* came soon after it was signed: it may accuse, and take back */
	uint32_t parts;
	uint64_t roster_hash;
	uint32_t roster_count;
	uint32_t interval_s;
	uint32_t live_witnesses;
	uint64_t trie[ROLLCALL_TRIE_CHILDREN];
	struct {
		uint32_t index;
		uint64_t since_s;
	} no_answer[LIMIT_ROLLCALL_SINCE];
	size_t no_answer_count;
	size_t state_count;
	uint8_t *states; /* enum rollcall_state, owned */
};
#define SITE_VIEWS 12 /* signers and parts remembered per site */
#define SITE_DUE   8  /* hosts judged apart in a step; more: the whole site */

struct site {
	struct id id;
	uint64_t partition; /* short site id */
	char name[LIMIT_SITE_NAME_BYTES + 1];
	bool cut;                /* drill */
	size_t named, live;      /* certificates that name it; those of them that the log lets hold */
	struct id opener;        /* issuer of the first of these */
	struct member **members; /* ascending by id */
	size_t count, capacity;
	uint64_t roster_hash;     /* of members; 0: to be computed */
	struct roster_past *past; /* roster.c */
	struct rollcall_view *views;
	size_t view_count;
	uint64_t score_epoch; /* day and log head the scores of its members were made for */
	mono_ms rollcall_at;  /* receipt of its newest roll-call, 0: none by this process */
	mono_ms judge_at;     /* state.c: next look even when nothing comes in */
	mono_ms ask_at;       /* state.c: when others may be asked again for its roll-calls */
	mono_ms dispute_end;  /* state.c: until then one signer accuses a host and others do not */
	struct site_state state;
	wall_ms rollcall_saved; /* state.last_rollcall as the driver has it */
	bool state_queued;
	bool stale; /* state.c: all its hosts are to be judged again at the end of this step … */
	struct member *due[SITE_DUE]; /* … or these alone */
	size_t due_count;
	uint64_t late_to; /* edge_tree.c: bits of the own site's neighbours that get its news elsewhere */
	mono_ms
	    direct_end; /* state.c: when the proof runs out that a host of a silent site answers; 0: none */
};

/* site.c. A certificate of `issuer` that names it holds from now on, or no longer. */
void site_live(struct site *s, const struct id *issuer, bool live);
/* A certificate of this issuer may name this site: it exists, the grant names it, or the issuer has opened
 * fewer sites than are left to open. */
bool site_room(const struct gossip *g, const struct id *issuer, const char *name);
/* member.c */
struct site *site_find(const struct gossip *g, const struct id *id);
struct site *site_find_name(const struct gossip *g, const char *name);
size_t site_index_of(const struct site *s, const struct member *m); /* in the roster; count when not there */
uint64_t site_roster_hash(struct site *s);
/* roster.c. The roster that had this hash (0: nobody asked for it) and count got a host at `index`, or lost
 * it. */
void roster_note(struct site *s, uint64_t hash, size_t count, size_t index, bool added);
/* Place of a member in the present roster, or in the one of late with this hash and count. */
#define ROSTER_NOWHERE SIZE_MAX
size_t roster_index(struct site *s, uint64_t hash, size_t count, const struct member *m);

#endif
