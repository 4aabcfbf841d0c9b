/* One run of one attack: a simulated estate of real cores, some of whose hosts are the attacker's, and what
 * is said about it in the end.
 *
 * The world's own invariants (tests/sim/invariants.h) hold for honest nodes during each trial: whatever they
 * accept must have been published by its rightful writer. A breach of them breaks the promise of the attack,
 * too. Everything is drawn from the seed. */
#ifndef MESH_TESTS_HOSTILE_TRIAL_H
#define MESH_TESTS_HOSTILE_TRIAL_H

#include "gossip/defence.h"
#include "scenario.h"
#include "tests/hostile/peer.h"
#include "world.h"

#define TRIAL_ACTORS 64
#define TRIAL_EARS   24

struct trial;

/* A host key in the attacker's hands. */
struct actor {
	struct trial *t;
	struct node *n; /* whose key it is; NULL: nobody's */
	uint32_t site;
	struct identity *own; /* of nobody: owned */
	const struct identity *identity;
	const struct id *claimed; /* NULL: its own */
	struct peer *peer;
	uint64_t seq, instance;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len;
	/* Sees what it hears before it answers; true: no answer. */
	bool (*heard)(struct actor *a, const struct address *from, const struct datagram *d);
	void *context;
};

/* What is sent to an address where no node is. */
struct ear {
	struct address at;
	struct actor *actor; /* who listens there; NULL: it is only counted */
	uint64_t datagrams, bytes;
};

struct trial {
	uint64_t seed;
	uint64_t weakened; /* 0: all defences */
	struct world *w;
	bool broken, vain; /* vain: the attack did not take place, so nothing was shown */
	char how[512];
	struct actor actors[TRIAL_ACTORS];
	size_t actor_count;
	struct ear ears[TRIAL_EARS];
	size_t ear_count;
	void (*tap)(struct trial *t, const struct address *from, const struct address *to,
		    const uint8_t *bytes, size_t len);
	void *context;
};

struct attack {
	const char *name;
	const char *means;           /* what the attacker has, and does */
	const char *promise;         /* what honest nodes still hold */
	enum gossip_defence defence; /* DEFENCE_COUNT: below gossip/, shown against the bare library */
	void (*run)(struct trial *t);
};

/* Ends what the trial made. */
void trial_free(struct trial *t);
/* What must hold. The first breach stands. */
void trial_promise(struct trial *t, bool kept, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* What must have happened for the trial to show anything. */
void trial_need(struct trial *t, bool done, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool trial_over(const struct trial *t); /* broken or vain: go no further */

/* An estate without loss, of at most 64 hosts: i, i + sites, ... are in site i. Nobody runs yet. */
void trial_world(struct trial *t, uint32_t hosts, uint32_t sites);
/* All hosts run, save those of the mask, that the attacker takes; they know each other as if the estate had
 * stood for long. Runs until all are up: the attacker answers hellos and pings. */
void trial_begin(struct trial *t, uint64_t taken);
bool trial_honest(const struct trial *t, uint32_t node);
/* Place of a host among the witnesses of its site, 0 the best, whoever is alive. */
uint32_t trial_rank(const struct trial *t, uint32_t node);
/* By which a host is ranked that was enrolled long ago: the lowest first. */
uint64_t trial_score(const struct trial *t, const struct id *host);
void trial_run(struct trial *t, mono_ms ms);

/* A host that does not run: the attacker has its key and sits at its address. */
struct actor *actor_take(struct trial *t, uint32_t node, unsigned answers);
/* The key of a host that may run as well, used at another address. */
struct actor *actor_copy(struct trial *t, uint32_t node, const struct address *at, unsigned answers);
/* A key of his own, certified by nobody: it has the estate secret. `at` may be anyone's address. */
struct actor *actor_nobody(struct trial *t, const struct address *at);
/* The same with a certificate by this issuer for a site; who has it belongs to the estate. */
struct actor *actor_enrol(struct trial *t, const struct identity *issuer, uint32_t site, wall_day enrolled,
			  struct identity *own, const struct address *at);
/* Its certificate may be held by honest nodes, which may know its host. */
void actor_rightful(struct actor *a);
/* Claims to be a host whose certificate it has, but not its key. */
struct actor *actor_pretend(struct trial *t, uint32_t node, const struct address *at);
struct actor *actor_of(struct trial *t, uint32_t node);
struct address actor_address(uint32_t number); /* of no node */
struct ear *trial_ear(struct trial *t, const struct address *at);

/* Makes a session; the trial is vain without. */
void actor_meet(struct actor *a, uint32_t node);
void actor_meet_all(struct actor *a);
bool actor_knows(const struct actor *a, uint32_t node);
bool actor_push(struct actor *a, uint32_t node, const void *record, size_t len);
void actor_push_all(struct actor *a, const void *record, size_t len);
/* Signs with its key; `seq` 0: its next. `rightful`: honest nodes may hold it. Returns the length. */
size_t actor_sign(struct actor *a, const struct record_key *key, uint64_t seq, wall_ms time,
		  const uint8_t *body, size_t len, bool rightful, uint8_t ret[LIMIT_RECORD_BYTES]);
/* About itself, rightful: health with this many oopses. */
size_t actor_health(struct actor *a, uint64_t oopses, uint8_t ret[LIMIT_RECORD_BYTES]);
/* A roll-call of its site that gives this state to `accused` and "answers" to all others. */
size_t actor_rollcall(struct actor *a, const struct node *accused, enum rollcall_state state,
		      uint8_t ret[LIMIT_RECORD_BYTES]);

/* --- what nodes hold --- */

struct gossip_counters trial_counters(const struct trial *t, uint32_t node);
/* Highest seq of this key at a node, 0: none. */
uint64_t trial_holds(const struct trial *t, uint32_t node, const struct record_key *key, uint64_t *ret_id);
enum host_status trial_status(const struct trial *t, uint32_t by, uint32_t host);
/* Publishes news of a node and returns how long it took to all honest ones; `bound` if longer. */
mono_ms trial_news(struct trial *t, uint32_t node, enum gossip_urgency urgency, mono_ms bound);

#endif
