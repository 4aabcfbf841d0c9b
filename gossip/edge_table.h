/* What edge.c (edges that this node's site picked) and edge_accept.c (those that others picked) share. */
#ifndef MESH_GOSSIP_EDGE_TABLE_H
#define MESH_GOSSIP_EDGE_TABLE_H

#include "gossip/core.h"

#define ACCEPTED 16    /* far bridges accepted a member */
#define LIVE_MS  10000 /* since it was heard */

_Static_assert(EDGE_PEERS_MAX == 2 * LIMIT_EDGES_PER_SITE + ACCEPTED, "two of each pick, and the accepted");

struct pick { /* an edge of the own site */
	struct site *far;
	uint64_t score;
	struct member *end;  /* being tried, or answering */
	struct member *held; /* answered last */
	uint64_t epoch;      /* of the ranks that `rank` is one of */
	size_t tried;        /* candidates that did not answer in a row */
	unsigned missed;     /* answers of `end` in a row */
	size_t rank;         /* of `end` among the candidates */
	mono_ms asked_at;
	mono_ms next_at;
	mono_ms best_at;
	bool ours;          /* this node is its bridge … */
	mono_ms ours_since; /* … by its rank, 0: not … */
	mono_ms ours_until; /* … or was, and hands over */
	bool second;        /* it is next to the bridge */
	mono_ms look_at;
};

struct accepted {
	struct member *m;
	mono_ms heard_at;
	bool bridge; /* of that site; others look in now and then */
};

#define EDGE_NEAR_MAX 64   /* neighbours that the way of news is known for */
#define EDGE_ASKED    1024 /* counters, by a hash; a power of two */

struct edge_graph;

struct edge {
	struct pick picks[LIMIT_EDGES_PER_SITE];
	size_t pick_count;
	size_t picked_of; /* sites known when the picks were made */
	mono_ms picked_at, ranked_at;
	struct accepted accepted[ACCEPTED];
	size_t accepted_count;

	/* edge_tree.c */
	uint64_t tree_of; /* hash of the sites it was made for */
	mono_ms tree_at;  /* looked whether these are still the sites */
	struct edge_graph *graph;
	struct site *near[EDGE_NEAR_MAX];
	uint16_t near_at[EDGE_NEAR_MAX]; /* in the graph */
	size_t near_count;
	uint8_t asked_late[EDGE_ASKED]; /* by origin and far site */
	mono_ms cooled_at;
};

/* Of a member of `s` for edges with `far`, lowest first. witness_scores comes before. */
uint64_t edge_rank(const struct gossip *g, const struct site *s, const struct site *far,
		   const struct member *m);
/* How much a site picks another: lowest first. */
uint64_t edge_rendezvous(const struct site *a, const struct site *b);
/* Somebody but this node is there that has not said goodbye. */
bool edge_site_alive(const struct gossip *g, const struct site *s);
bool edge_live(const struct gossip *g, const struct member *m); /* heard a moment ago */

/* This node and `m` are the two ends of the edge between their sites; others stand in. */
bool edge_end(const struct gossip *g, const struct member *m);
/* edge_tree.c */
void edge_tree_tick(struct gossip *g);
void edge_tree_free(struct edge *e);
/* Place among the neighbours; near_count when it is none. */
size_t edge_near(const struct edge *e, const struct site *s);

#endif
