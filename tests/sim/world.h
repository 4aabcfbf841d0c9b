/* One simulated estate: nodes that run the real protocol core, a network with faults, and one virtual clock.
 *
 * Happy path: world_new, then a scenario starts nodes and calls world_run_until. Each event is taken from the
 * heap, handed to its node's core, and the update is carried out in the order gossip.h documents; after each
 * step the promises of invariants.h are checked. A broken one ends the run (world_fail) with what is needed
 * to replay it: everything random comes from the seed. */
#ifndef MESH_TESTS_SIM_WORLD_H
#define MESH_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "alarms.h"
#include "base/prng.h"
#include "estate.h"
#include "gossip/gossip.h"
#include "heap.h"
#include "options.h"
#include "registry.h"
#include "replica.h"

#define SIM_START_MS     10000
#define SIM_UDP_IP_BYTES 28
#define SIM_PORT         7946

struct world;

/* Somebody who plays a host that does not run: hears what comes to its address. */
struct puppet {
	void (*hear)(void *context, const struct address *from, const uint8_t *bytes, size_t len);
	void *context;
};

struct node {
	uint32_t index, site;
	struct id id;
	struct identity *identity;
	struct address address;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len;

	/* survives a crash */
	struct authlog *log;
	uint64_t seq_reserved;
	uint64_t last_seq; /* highest it ever signed */
	struct replica replica;

	struct puppet puppet; /* hear NULL: nobody */

	/* running */
	struct gossip *g; /* NULL: down */
	uint32_t life;    /* counts starts */
	struct crypto_rng_seeded rng;
	uint64_t instance;
	mono_ms base;        /* its monotonic clock less the world's */
	int64_t skew;        /* its wall clock less the true one */
	mono_ms tick_queued; /* world's time of the earliest tick in the heap; UINT64_MAX: none */
	mono_ms tick_at;
	mono_ms stepped_at; /* many steps in one millisecond mean it spins */
	uint32_t steps_now;
	mono_ms commit_at;
	uint64_t *seen; /* highest seq its set had, by key number */
	size_t seen_count, seen_capacity;
	size_t unlisted;        /* steps since its whole set was checked */
	mono_ms *dark_at;       /* when it pronounced a host dark, by index */
	uint64_t *dark_own_seq; /* that host's highest own seq then */

	/* ground truth */
	mono_ms changed_at;   /* came up or went down */
	mono_ms disturbed_at; /* last moment of a pause or a cut of its own */
	mono_ms clock_set_at; /* last time its wall clock jumped, 0: never */
	mono_ms paused_until;
	uint32_t backlog; /* datagrams waiting for the end of the pause */
	bool isolated;
	uint32_t turn;    /* varies what it publishes */
	uint32_t version; /* of one of its components */
	uint64_t bytes_sent, datagrams_sent;
	struct sim_budget {
		mono_ms at;
		uint64_t sent[2], level[2]; /* bytes so far, and thousandths of them above the rate: all but
					       catching up, catching up */
	} budget;
};

struct link {
	uint32_t from, to;
	double loss;
	uint32_t extra_ms;
};
#define SIM_LINKS_MAX 64

/* One record whose way is followed. */
struct track {
	uint64_t id;
	mono_ms since;
	mono_ms *at; /* by node: 0 not yet */
	size_t reached;
};

struct attacker;

/* What hosts that run the core sent, by message type. */
struct traffic {
	uint64_t datagrams, bytes;
};

struct world {
	const char *scenario;
	uint64_t seed;
	uint32_t minutes;
	struct sim_faults faults;
	struct estate estate;
	struct registry registry;
	struct heap heap;
	mono_ms now;
	wall_ms wall_jump;       /* days that passed at once */
	struct prng net, choice; /* faults of the network; what the scenario does */
	struct node *nodes;
	uint32_t node_count, site_count;
	struct sim_map nodes_by_id;
	char (*site_names)[LIMIT_SITE_NAME_BYTES + 1];
	struct id *site_ids;
	bool *cut;          /* [from site][to site] */
	mono_ms *healed_at; /* the same: when a cut ended last */
	struct link links[SIM_LINKS_MAX];
	size_t link_count;
	struct track track;
	struct attacker *attacker; /* sees and may inject; NULL: none */
	/* Sees each datagram as it is sent, to whatever address (may be NULL). */
	void (*tap)(void *context, const struct address *from, const struct address *to, const uint8_t *bytes,
		    size_t len);
	void *tap_context;
	uint64_t weakened; /* for cores of the build that heeds it */
	uint64_t
	    poison; /* id of a record that nodes which start from now on are told to leave out; 0: none */
	struct sim_map strangers; /* hosts beyond `nodes` that someone certified; by short id */
	uint32_t stranger_count;
	uint64_t steps, delivered, dropped;
	uint64_t whole_sets; /* steps after which a node's whole set was listed and checked */
	struct traffic traffic[256];
	uint64_t wan_bytes[SIM_SITES_MAX]; /* sent to other sites, by site, with headers */
	uint64_t trace;                    /* hash over all events and what came of them */
	uint64_t false_dark, false_silent; /* verdicts on hosts and sites nothing was wrong with */
	struct alarms alarms;              /* all that were false, by kind */
	bool failed;
	char failure[512];
	void (*progress)(void *context, const struct world *w);
	void *progress_context;
};

/* Hosts i, i + sites, ... are of site i. No node runs yet. */
struct world *world_new(const char *scenario, uint64_t seed, uint32_t hosts, uint32_t sites,
			const struct sim_faults *faults);
void world_free(struct world *w);
/* False when a promise was broken. */
bool world_run_until(struct world *w, mono_ms until);
bool world_run_for(struct world *w, mono_ms duration);
/* Until `done` holds, looked at every `slice` ms. False when a promise was broken, or not within `bound`. */
bool world_run_while(struct world *w, mono_ms slice, mono_ms bound,
		     bool (*done)(struct world *w, void *context), void *context);
/* The first failure stands. `n` may be NULL. */
void world_fail(struct world *w, const struct node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void world_trace(struct world *w, const void *data, size_t len);
wall_ms world_wall(const struct world *w);
struct node *world_find(struct world *w, const struct id *id);
/* A host that is none of the nodes has a certificate: replicas may name it. */
void world_stranger(struct world *w, const struct id *id);
bool world_is_stranger(const struct world *w, const struct id *id);

/* --- net.c --- */

struct address net_address(uint32_t index);
void net_send(struct world *w, const struct address *from, const struct address *to, const uint8_t *bytes,
	      size_t len);
/* As it is, without faults. */
void net_inject(struct world *w, const struct address *from, uint32_t to, const uint8_t *bytes, size_t len,
		mono_ms delay);
void net_cut(struct world *w, uint32_t site_a, uint32_t site_b, bool cut); /* both ways */
void net_isolate(struct world *w, struct node *n, bool isolated);
void net_link(struct world *w, uint32_t from, uint32_t to, double loss, uint32_t extra_ms);

/* --- node.c --- */

/* With what its replica and files hold. `publish`: speaks about its host, as meshd does at each start. */
void node_start(struct world *w, struct node *n, bool publish);
void node_crash(struct world *w, struct node *n, bool lose_replica);
void node_leave(struct world *w, struct node *n, enum goodbye_reason reason);
void node_pause(struct world *w, struct node *n, mono_ms duration);
/* Its wall clock jumps by `forward` - `back` ms. */
void node_set_clock(struct world *w, struct node *n, mono_ms forward, mono_ms back);
void node_deliver(struct world *w, struct node *n, struct sim_event *event);
void node_tick(struct world *w, struct node *n, const struct sim_event *event);
void node_commit(struct world *w, struct node *n, const struct sim_event *event);
void node_drill(struct world *w, struct node *n, uint32_t site, bool cut);
mono_ms node_mono(const struct world *w, const struct node *n);
wall_ms node_wall(const struct world *w, const struct node *n);
/* Returns the record that the body became; NULL ends the run. */
const struct sim_record *node_publish(struct world *w, struct node *n, uint8_t kind,
				      enum gossip_urgency urgency, const uint8_t *body, size_t len);
/* The administrator hands this node an entry of the estate's log, which must not have it yet. */
void node_log(struct world *w, struct node *n, const uint8_t *entry, size_t len);
void node_publish_blob(struct world *w, struct node *n, const uint8_t *bytes, size_t len);

/* --- host.c: what the simulated hosts say about themselves --- */

void host_publish_all(struct world *w, struct node *n);
const struct sim_record *host_publish_health(struct world *w, struct node *n, enum gossip_urgency urgency);
void host_publish_components(struct world *w, struct node *n);
const struct sim_record *host_publish_crash(struct world *w, struct node *n);
/* Puts every host's records into every replica, as if the estate had run for long. */
void host_preload(struct world *w);

#endif
