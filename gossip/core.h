/* Private header of the room: the whole node, and what its modules offer each other.
 *
 * The way of an event through gossip_step (core.c):
 *   time      clock.now/wall move on; a jump of more than 2 s restarts the node's own judgements
 *   dispatch  datagram: mac, replay and rate filter, open, drill, then X_on_message of its type's module;
 *             records in it pass core_accept_record, the one gate, which calls the X_on_record hooks
 *   tick      X_tick of each module, in the order of core.c; each asks for its next wake-up by core_deadline
 *   finish    update.c hands over what the modules queued
 *
 * Nothing here keeps pointers into an event or into a datagram after the step. Members and sites keep their
 * place in memory and are never removed while the node lives. Where memory runs out, work is dropped, as if a
 * datagram were lost; only core_publish and gossip_new report it. */
#ifndef MESH_GOSSIP_CORE_H
#define MESH_GOSSIP_CORE_H

#include "base/check.h"
#include "base/cursor.h"
#include "base/prng.h"
#include "crypto/certificate.h"
#include "crypto/hello.h"
#include "crypto/keyring.h"
#include "gossip/blob_owner.h"
#include "gossip/budget.h"
#include "gossip/defence.h"
#include "gossip/edge.h"
#include "gossip/filter.h"
#include "gossip/gossip.h"
#include "gossip/pace.h"
#include "gossip/set.h"
#include "gossip/site.h"
#include "gossip/wire.h"

/* --- member.c: hosts and sites --- */

struct member_certificate; /* standing.h */

struct core_bucket { /* begins full */
	bool used;
	uint32_t millitokens;
	mono_ms at;
};

enum core_clock { CORE_CLOCK_UNKNOWN, CORE_CLOCK_FINE, CORE_CLOCK_OFF };

struct member {
	struct id id;
	uint64_t short_id;                       /* first 8 of id */
	struct site *site;                       /* home, from the certificate that counts */
	struct id issuer;                        /* of that certificate */
	struct member_certificate *certificates; /* ascending by issuer */
	uint8_t certificate_count;
	bool rostered;               /* among the members of `site`: it is neither revoked nor ended */
	bool barred;                 /* no certificate of it is one that the log lets hold */
	bool retired;                /* an operator in force has decommissioned it */
	struct member *successor;    /* enrolled later on the same hardware, or NULL */
	struct member *duplicate_of; /* as live, on the same hardware, or NULL */
	mono_ms replaced_at;         /* when this process called it replaced */
	uint8_t public_key[KEY_BYTES];
	wall_day enrolled;

	/* order: all kinds of one host share a counter */
	uint64_t seq_max;     /* of any record it signed; 0: none */
	uint64_t instance;    /* of that record */
	uint64_t goodbye_seq; /* 0: none */
	enum goodbye_reason goodbye_reason;
	wall_ms goodbye_received;
	mono_ms record_at; /* receipt of its newest record by this process, 0: none */
	wall_ms record_wall;

	/* address: the best known first */
	struct address address; /* ip_len 0: none */
	bool address_proven;    /* an answer to a nonce of ours came from it … */
	mono_ms proven_at;      /* … last then */
	mono_ms stays_asked_at; /* asked there, because it was seen elsewhere; 0: not */
	uint8_t address_next;   /* next of `published` to try */
	uint8_t published_count;
	struct address published[LIMIT_ADDRESSES]; /* by its profile */

	/* session and direct evidence */
	bool session;
	bool suspected;                /* SWIM's hint, not a verdict */
	mono_ms heard_at;              /* last sealed datagram from it, 0: never */
	mono_ms answered_at;           /* last ACK or hello reply */
	struct core_bucket rate, asks; /* of its datagrams; of answers to its PINGs */
	uint8_t unheeded;              /* hello replies since the last ACK */
	mono_ms hello_hint_at;         /* last hello tried because it seems to have lost our key */
	mono_ms hello_at;              /* last HELLO sent */
	mono_ms hello_next_at;         /* backoff */
	uint8_t hello_tries;
	mono_ms ping_at; /* last PING sent; nonces of the last two */
	uint64_t ping_nonces[2];
	uint32_t rtt_ms;
	mono_ms sync_at;       /* sync.c: last walk started with it */
	uint8_t sync_vain;     /* pace.c: walks with it since one brought something */
	uint16_t sync_found;   /* what the last one brought */
	uint8_t pull_vain;     /* pull.c: named what it did not hand over, of late */
	mono_ms log_asked_at;  /* logsync.c: asked for entries that have not come, 0: none */
	mono_ms log_until;     /* logsync.c: until then its records wait for its log */
	mono_ms signed_until;  /* share.c: its records so far use up its share up to then, … */
	mono_ms rolled_until;  /* … its roll-calls, … */
	mono_ms urged_until;   /* … and those that were passed on as urgent */
	mono_ms hearsay_until; /* probe.c: the names it gave use up its share up to then */
	mono_ms lied_at;       /* handed on a record with a wrong signature, 0: never */
	uint8_t lies;          /* one after the other */
	struct blob_owner blobs;
	uint64_t root;          /* its estate root as last heard */
	uint64_t ping_instance; /* of its boot, by its last PING; 0: none */
	uint64_t ping_before;   /* the one before */
	mono_ms ping_changed_at;
	uint32_t key,
	    key_before; /* clone.c: of exchange keys it proved, the last that it answered with; 0: none */
	mono_ms key_at; /* that one was learned */
	mono_ms key_other_at;     /* another was proven after it, 0: none */
	uint64_t instance_before; /* clone.c: by its records, the one before `instance` */
	enum core_clock clock;    /* by what it pushed */
	int64_t clock_gap_s;

	struct host_state state; /* as handed to the driver last (or to be) */
	mono_ms accused_at;      /* when the newest statement came in that keeps it dark */
	mono_ms lone_at;         /* since when the only known signer accuses it and it says nothing, 0: not */
	struct refutation refuted[LIMIT_REFUTATIONS]; /* by its health record */
	uint8_t refuted_count;
	uint64_t score;     /* witness rank, lower is better; valid while site->score_epoch is */
	mono_ms vouched_at; /* when a signer last said in this run that it answers, soon after it was so */
	wall_ms seen_saved; /* state.seen as the driver has it */
	bool state_queued;
	struct suspect *suspect; /* witness.c: being judged here, or NULL */

	/* sync_sketch.c */
	mono_ms sketch_after;        /* no sketch of it is asked for before */
	mono_ms sketch_served_until; /* blocks for it use up its share up to then */
	uint8_t sketch_failures;     /* sketches of it that came to nothing */
	bool sketch_settled;         /* the last one named all that differed, and no walk has begun since */
};

struct members {
	struct member **hosts; /* ascending by id; in the order they came while loading */
	size_t count, capacity;
	struct member **slots; /* member_find.c */
	size_t slot_cap;
	uint64_t salt;
	struct site **sites; /* ascending by id */
	size_t site_count, site_capacity;
	size_t site_live; /* with members */
};

void members_free(struct gossip *g);
struct member *member_find(const struct gossip *g, const struct id *id);
struct member *member_at_address(const struct gossip *g, const struct address *address);
/* Finds or adds. `arrived`: when the certificate came in. ERR_NOMEM, ERR_LIMIT. */
enum err member_add(struct gossip *g, const struct certificate *c, wall_ms arrived, struct member **ret);
/* `fresh`: it was pushed here, so its writer has just signed it; what was pulled may be long past. */
void member_on_record(struct gossip *g, const struct record *r, wall_ms received, bool fresh);
/* What its profile says (address.c, as the four below). */
void member_published(struct member *m, const struct record *r);
/* An answer to a nonce that went to `asked` came from `from`: where they are one, that is where it is. */
void member_proved(struct gossip *g, struct member *m, const struct address *asked,
		   const struct address *from);
bool member_proven_at(const struct member *m, const struct address *address);
/* PINGs it there, for proof, unless it was asked a moment ago. */
bool member_check(struct gossip *g, struct member *m, const struct address *at);
/* A sealed datagram came from `m` at `from`. */
void member_heard(struct gossip *g, struct member *m, const struct address *from);
/* It says which run of it this is. One key used by two nodes at once shows here: every peer hears two
 * numbers. */
void member_instance(struct gossip *g, struct member *m, uint64_t instance, const struct address *from);
bool member_goodbye(const struct member *m); /* in force */
/* May be talked to: not this node, neither revoked nor ended, not gone with a goodbye, its site not cut, and
 * an address is known. */
bool member_reachable(const struct gossip *g, const struct member *m);
/* Up to `count` different live members of the own site in random order, `except` (may be NULL) left out.
 * Returns how many. */
size_t member_pick(struct gossip *g, const struct member *except, size_t count, struct member **ret);

/* --- update.c: what this step hands to the driver; all copies live until the next step --- */

struct update;
enum err update_init(struct gossip *g);
void update_free(struct gossip *g);
void update_reset(struct gossip *g);
void update_finish(struct gossip *g, struct gossip_update *ret);

/* Every queue: false when full or out of memory; the caller drops the work or tries again in a later step. */
bool core_room_for_records(const struct gossip *g, size_t count);
bool core_persist(struct gossip *g, const struct record *r, wall_ms received, enum gossip_urgency urgency);
void core_forget(struct gossip *g, const struct record_key *key); /* its row goes, unless it comes back */
bool core_blob(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len);
bool core_log_entry(struct gossip *g, const uint8_t *bytes, size_t len);
/* Sealed already. */
bool core_datagram(struct gossip *g, const struct address *to, const uint8_t *bytes, size_t len,
		   enum gossip_class c);
void core_host_state(struct gossip *g, struct member *m, bool urgent);
void core_site_state(struct gossip *g, struct site *s, bool urgent);
/* A record of this update; NULL when it is not in it. */
const struct gossip_persist *update_persisted(const struct gossip *g, const struct record_key *key);

/* A read of the replica; its answer comes with a later event. `done` gets NULL bytes when it is not there any
 * more. What `done` needs is copied into the read. */
struct core_read {
	enum gossip_read_type type;
	struct record_key key;
	struct id blob;
	void (*done)(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len);
	struct member *to;
	uint64_t echo;
	uint64_t id;   /* record id asked for */
	uint32_t note; /* the module's own */
};
bool core_read(struct gossip *g, const struct core_read *read);
size_t core_read_room(const struct gossip *g);
void update_answers(struct gossip *g, const struct gossip_answer *answers, size_t count);
/* The driver could not answer: later answers must not be taken for those of these reads. */
void update_unanswered(struct gossip *g);

/* --- core.c: services --- */

/* The clock's day, but not before that of the newest log entry. */
wall_day core_day(const struct gossip *g);
/* A wake-up is wanted at `at`. Rounded up to slots of 100 ms, so that timers share wake-ups. */
void core_deadline(struct gossip *g, mono_ms at);
/* base ± share (0..1) of it. */
mono_ms core_jitter(struct gossip *g, mono_ms base, double share);
/* What is sent while a datagram is handled, to where it came from, is no more than it was, until that address
 * is proven.
 * Seals under the pair key and queues, for the member's proven address; where none is proven a PING takes its
 * place. Without a session it starts a hello and returns false; false as well when the peer is cut off, its
 * address unknown, the queue full or the class's budget used up. ret_nonce may be NULL. */
bool core_send(struct gossip *g, struct member *m, enum wire_type type, const void *message, size_t len,
	       uint64_t *ret_nonce);
/* Of another class than that of its type. */
bool core_send_as(struct gossip *g, struct member *m, enum gossip_class c, enum wire_type type,
		  const void *message, size_t len, uint64_t *ret_nonce);
bool core_send_to_as(struct gossip *g, struct member *m, const struct address *to, enum gossip_class c,
		     enum wire_type type, const void *message, size_t len, uint64_t *ret_nonce);
/* As core_send, to any address: for questions that prove it, and answers no larger than what they answer. */
bool core_send_to(struct gossip *g, struct member *m, const struct address *to, enum wire_type type,
		  const void *message, size_t len, uint64_t *ret_nonce);
/* Under the hello key, to an address. */
bool core_send_hello(struct gossip *g, const struct address *to, enum wire_type type, const void *message,
		     size_t len, uint64_t *ret_nonce);

/* accept.c. The one gate for records from outside, and own ones: structure, class rule, order, then the
 * signature, once. On ERR_OK it is in the set, queued for the replica, and every hook has seen it. `from` may
 * be NULL; `hops` as the PUSH had it, 255 for records that were pulled or came by reconciliation. ERR_EXISTS:
 * that very record is there. ERR_STALE: a newer one is. ERR_UNTRUSTED: signer not authorised, or not known
 * yet (kept as an orphan). ERR_SIGNATURE, ERR_FORMAT, ERR_VERSION. ERR_LIMIT: no room this step. ERR_BUSY:
 * its writer has signed more than its share of late. */
#define CORE_HOPS_PULLED 255
enum err core_accept_record(struct gossip *g, const uint8_t *bytes, size_t len, struct member *from,
			    unsigned hops);
/* Test builds end the process when they apply a record with this text in it. */
#define CORE_POISON "poison for tests"
/* Signs and publishes an own record: next seq, set, replica, spread. ERR_NOMEM, ERR_LIMIT, ERR_FORMAT. */
enum err core_publish(struct gossip *g, uint8_t kind, const struct id *subject, uint64_t slot,
		      const uint8_t *body, size_t len, enum gossip_urgency urgency);
/* Records whose writer's certificate was missing are tried again. */
void accept_orphans(struct gossip *g);
void accept_tick(struct gossip *g);
void accept_free(struct gossip *g);
/* A record this node signed just now. */
enum err accept_own(struct gossip *g, const struct record *r, enum gossip_urgency urgency);
/* own.c: what this host says about itself. ERR_ARG for a kind that is not the driver's, ERR_LIMIT,
 * ERR_FORMAT. */
enum err own_check(uint8_t kind, const uint8_t *body, size_t len);
enum err own_local(struct gossip *g, uint8_t kind, const uint8_t *body, size_t len,
		   enum gossip_urgency urgency);
enum err own_leave(struct gossip *g, enum goodbye_reason reason);
void own_tick(struct gossip *g);
/* Further ahead is no counter of this host, whoever signed it. */
#define OWN_JUMP_MAX (1ull << 32)
/* A verified record of this host that it did not sign in this run and that is not behind its counter. */
void own_met(struct gossip *g, const struct record *r);
void own_keep(struct gossip *g, const struct record *r); /* its body, for later */
/* `alone`: it takes another to call this host dark. */
void own_refute(struct gossip *g, uint64_t signer, uint64_t seq, bool alone);
void own_free(struct gossip *g);

void core_on_datagram(struct gossip *g, const struct gossip_event *event); /* dispatch.c */

/* --- hello.c --- */

enum err hello_init(struct gossip *g);
void hello_free(struct gossip *g);
void hello_tick(struct gossip *g);
void hello_on_message(struct gossip *g, const struct address *from, const struct datagram *d);
/* Start (or leave alone) a hello; `now`: even when the backoff says later. */
void hello_start(struct gossip *g, struct member *m, bool now);
/* A datagram that names `source` could not be opened: perhaps that host lost or changed its key. */
/* Whether one more LOG_PULL of a stranger may be answered in this second. */
bool hello_log_allows(struct gossip *g);
void hello_on_unknown(struct gossip *g, const struct id *source, const struct address *from);

/* --- probe.c: SWIM inside the own site --- */

enum err probe_init(struct gossip *g);
void probe_free(struct gossip *g);
void probe_tick(struct gossip *g);
/* PING, ACK, PING_REQ, PING_ACK, SUSPECT. */
void probe_on_message(struct gossip *g, struct member *m, const struct address *from,
		      const struct datagram *d);
/* It answered something this node asked: liveness proven. */
void probe_answered(struct gossip *g, struct member *m);
/* Something in the own site changed: probe at the fast pace again. */
void probe_hurry(struct gossip *g);
/* PING now; without a session a hello takes its place. False when the budget does not allow it. */
bool probe_ping(struct gossip *g, struct member *m);
/* PING an address the member seems to have moved to. False when nothing was sent. */
bool probe_ping_at(struct gossip *g, struct member *m, const struct address *to);
void probe_restart(struct gossip *g);

/* --- witness.c: ranking, judging suspects; rollcall.c: signing and reading roll-calls --- */

enum err witness_init(struct gossip *g);
void witness_free(struct gossip *g);
void witness_tick(struct gossip *g);
void witness_suspect(struct gossip *g, struct member *m); /* a hint */
void witness_heard(struct gossip *g, struct member *m);   /* it answered, or spoke */
void witness_hears(struct gossip *g);                     /* a sealed datagram came in */
void witness_restart(struct gossip *g);
/* Known for a week: its certificate, its issuer, and both here. */
bool witness_senior(const struct gossip *g, const struct member *m, wall_day day);
/* Brings `score` of its members up to date. */
void witness_scores(const struct gossip *g, struct site *s);
/* The three best-ranked of `s` for which `eligible` holds. Returns how many. */
size_t witness_rank(struct gossip *g, struct site *s,
		    bool (*eligible)(struct gossip *g, const struct site *s, const struct member *m),
		    struct member *ret[LIMIT_WITNESSES]);
/* Puts `m` into its place among `count` of them; returns how many there are then. */
size_t witness_place(const struct gossip *g, struct member *m, struct member *ret[LIMIT_WITNESSES],
		     size_t count);
bool witness_self(struct gossip *g); /* this node is among the live best three of its site */
size_t witness_live(struct gossip *g, struct member *ret[LIMIT_WITNESSES]);
/* What this node would sign about `m`. Unknown also while doubts are looked into: then it neither
 * accuses nor contradicts those who do. */
enum rollcall_state witness_judgement(struct gossip *g, const struct member *m, wall_ms *ret_since);
bool witness_doubts(const struct member *m);
void rollcall_tick(struct gossip *g);
/* A witness other than this node says it does not answer, and it has not spoken since. */
bool rollcall_accused(struct gossip *g, const struct member *m);
void rollcall_changed(struct gossip *g);
void rollcall_on_record(struct gossip *g, const struct record *r, wall_ms received, struct member *from,
			bool fresh);
/* Asks a few peers for newer roll-calls of this site (rollcall_pull.c). */
void rollcall_ask(struct gossip *g, const struct site *s);
void rollcall_on_pull(struct gossip *g, struct member *m, const struct datagram *d);
/* The interval readers go by: what this node computes, stretched by what the signers say. */
mono_ms rollcall_patience_ms(const struct gossip *g, const struct site *s);
/* For how long a roll-call of the site makes its signer a current one. */
mono_ms rollcall_current_ms(const struct gossip *g, const struct site *s);
/* What a roll-call says about a host; unknown also when it is over another roster. */
enum rollcall_state rollcall_says(struct site *s, const struct rollcall_view *v, const struct member *m);

/* --- state.c --- */

void state_tick(struct gossip *g);
/* The host spoke after this statement against it, or answered it by name. */
bool state_void(const struct member *m, const struct rollcall_view *v);
void state_site_changed(struct gossip *g, struct site *s); /* judge its hosts again at the end of the step */
void state_host_changed(struct gossip *g, struct member *m); /* likewise this one: a record, an answer */
void state_spoke(struct gossip *g, struct member *m);        /* a new record, or a direct answer */
/* This node has heard the estate for three intervals and may pronounce others dark or silent. */
bool state_settled(const struct gossip *g, const struct site *s);
/* Three signers of the site at most, best-ranked first, whose roll-calls still count. */
size_t state_signers(struct gossip *g, struct site *s, struct member *ret[LIMIT_WITNESSES]);
void state_leave(struct gossip *g, enum goodbye_reason reason);
/* It is revoked, or its grant has ended: nobody looks after it any more. */
void state_barred(struct gossip *g, struct member *m);

/* --- spread.c: new records, pushed, announced, pulled --- */

enum err spread_init(struct gossip *g);
void spread_free(struct gossip *g);
void spread_tick(struct gossip *g);
/* PUSH, ANNOUNCE, PULL, RECORDS. */
void spread_on_message(struct gossip *g, struct member *m, const struct datagram *d);
/* A record entered the set (own: from == NULL). */
void spread_on_record(struct gossip *g, const struct record *r, uint64_t id, struct member *from,
		      unsigned hops, enum gossip_urgency urgency);

/* The log grew, or an allow-list is complete: standing is found anew, and certificates that were not trusted
 * may be now. */
void core_on_log(struct gossip *g);

/* --- the node --- */

struct core_rate {
	uint64_t source; /* of an IP address */
	struct core_bucket bucket;
};
#define CORE_RATE_SLOTS 128
#define CORE_NONCES     512 /* of hellos let in of late */

struct core_own { /* last own body per host kind, for refutations and for speaking up after a restart */
	uint8_t *body;
	size_t len;
};

#define CORE_STRANGERS 64

struct gossip {
	struct gossip_timing timing;
	const struct identity *identity;
	struct authlog *log;
	struct estate_keys keys;
	uint8_t cookie_secret[KEY_BYTES]; /* of the nonces that prove addresses */
	volatile uint64_t *applying;      /* gossip_options */
	uint64_t *poison;
	size_t poison_count;
	struct keyring *keyring;
	struct prng prng;
	struct crypto_rng rng;
	uint8_t *certificate; /* own record */
	size_t certificate_len;
	struct member *self;
	uint64_t instance;

	mono_ms now;
	wall_ms wall;
	mono_ms deadline;      /* being collected in this step */
	mono_ms promised;      /* deadline of the update before */
	struct address asker;  /* where the datagram came from that is being handled; ip_len 0: none */
	size_t asker_left;     /* bytes that may go back there */
	mono_ms acked_at;      /* last ACK of anyone, 0: none */
	mono_ms hearing_at;    /* since when this process hears without a gap */
	bool leaving, guarded; /* guarded: this memory, for it holds keys */
	bool loading;          /* between gossip_new and the first step */

	uint64_t seq_next, seq_reserved, seq_reserve_to;
	mono_ms speak_at;  /* when it publishes anew by itself; 0: not decided */
	bool spoken;       /* published since start */
	mono_ms jumped_at; /* when it first met own records from the future, 0: never */
	bool cloned;
	struct core_own own[16]; /* by host kind */
	struct refutation refutations[LIMIT_REFUTATIONS];
	size_t refutation_count;
	struct core_answered {
		mono_ms until; /* no answer to that signer alone before */
		uint8_t times;
	} answered[LIMIT_REFUTATIONS];
	bool refute;           /* an accusation is not answered yet */
	mono_ms refuted_until; /* own.c: refutations so far use up their share up to then */

	struct address *seeds;
	size_t seed_count;

	struct {
		bool begun;
		bool changed; /* since it was signed last; due_at: when to sign */
		mono_ms due_at, first_at, again_at;
		mono_ms failed_until; /* signing is not tried again before */
		uint64_t signed_content;
	} roll;

	uint64_t verified_until_us[2];     /* share.c: signature checks, pushed and asked for */
	mono_ms strangers[CORE_STRANGERS]; /* share.c: of issuers and operators */
	struct gossip_counters counters;
	struct core_rate rates[CORE_RATE_SLOTS]; /* those that share a slot share its allowance */
	mono_ms derivations_at;                  /* last refill */
	uint64_t nonces[CORE_NONCES];            /* each in the place its value says */
	size_t cut_count;                        /* sites cut by drills */
	struct set *set;
	struct members members;
	struct update *update;
	struct accept *accept;
	struct hello *hello;
	struct probe *probe;
	struct witness *witness;
	struct edge *edge;
	struct spread *spread;
	struct sync *sync;
	struct pace pace;
	struct budget budget;
	struct sketches *sketches;
	struct logsync *logsync;
	struct blob *blob;
	struct issues *issues;
	struct standing *standing;
	struct allow *allow;
	struct operators *operators;
	struct clone *clone; /* NULL: nothing is being proved */
	struct compare *compare;
#ifdef MESH_WEAKEN
	uint64_t weakened;
#endif
};

/* Always, but in the build for tests (gossip/defence.h). */
static inline bool defence_on(const struct gossip *g, enum gossip_defence d)
{
#ifdef MESH_WEAKEN
	return (g->weakened >> d & 1) == 0;
#else
	(void)g;
	(void)d;
	return true;
#endif
}

#endif
