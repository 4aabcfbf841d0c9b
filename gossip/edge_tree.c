/* Which way news of a site take to the others.
 *
 * Happy path: what edges there are follows from the ids of the sites alone, so each end of one knows the
 * whole graph. News of a site go the shortest way to each other site; where several are as short, a hash says
 * which. So of all edges of a site one brings them at once, and the others tell of them later, when they are
 * known. The graph is worked out anew when a site comes or goes, a few sites a tick. Fails: where a site
 * cannot be reached by those who should, or an end holds things back, the other end asks for what it was told
 * of later; after a few of these, news of that site cross this edge at once, too. */
#include <stdlib.h>
#include <string.h>

#include "gossip/edge_table.h"

#define SITES_A_TICK 16
#define ASKED_STEP   4  /* for what was asked for after it was told of late; … */
#define ASKED_MOST   32 /* … so much at most, … */
#define ASKED_ENOUGH 8  /* … and from here on news cross at once */
#define COOL_MS      20000
#define FAR_AWAY     UINT16_MAX

struct edge_graph {                    /* while it is worked out */
	uint32_t count, rows, origins; /* sites; of them those done */
	uint32_t self;
	struct site **sites;
	uint16_t *picks;      /* LIMIT_EDGES_PER_SITE of each; the site itself where there are fewer */
	uint32_t *first_edge; /* into edges, by site; one more for the end */
	uint16_t *edges;
	uint16_t *distance, *queue;
};

static void graph_free(struct edge *e)
{
	struct edge_graph *graph = e->graph;

	if (!graph)
		return;
	free(graph->sites);
	free(graph->picks);
	free(graph->first_edge);
	free(graph->edges);
	free(graph->distance);
	free(graph->queue);
	free(graph);
	e->graph = NULL;
}

void edge_tree_free(struct edge *e)
{
	graph_free(e);
}

/* Over the sites that may have edges, in any order. */
static uint64_t sites_hash(const struct gossip *g)
{
	uint64_t hash = 0;

	for (size_t i = 0; i < g->members.site_count; i++) {
		if (edge_site_alive(g, g->members.sites[i]))
			hash += g->members.sites[i]->partition * 0x9e3779b97f4a7c15u;
	}
	return hash;
}

static bool graph_begin(struct gossip *g)
{
	size_t n = g->members.site_count;
	struct edge_graph *graph = calloc(1, sizeof(*graph));

	g->edge->graph = graph;
	if (!graph)
		return false;
	graph->sites = calloc(n, sizeof(struct site *));
	graph->picks = calloc(n * LIMIT_EDGES_PER_SITE, sizeof(uint16_t));
	graph->first_edge = calloc(n + 1, sizeof(uint32_t));
	graph->edges = calloc(n * LIMIT_EDGES_PER_SITE * 2, sizeof(uint16_t));
	graph->distance = calloc(n, sizeof(uint16_t));
	graph->queue = calloc(n, sizeof(uint16_t));
	if (!graph->sites || !graph->picks || !graph->first_edge || !graph->edges || !graph->distance ||
	    !graph->queue)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct site *s = g->members.sites[i];

		if (s == g->self->site)
			graph->self = graph->count;
		if (s == g->self->site || edge_site_alive(g, s))
			graph->sites[graph->count++] = s;
	}
	return true;
}

static void graph_row(struct edge_graph *graph, uint32_t row)
{
	uint16_t *picks = graph->picks + (size_t)row * LIMIT_EDGES_PER_SITE;
	uint64_t scores[LIMIT_EDGES_PER_SITE];
	size_t count = 0;

	for (uint32_t i = 0; i < graph->count; i++) {
		uint64_t score = i == row ? 0 : edge_rendezvous(graph->sites[row], graph->sites[i]);
		size_t place = count;

		if (i == row)
			continue;
		while (place > 0 && scores[place - 1] > score)
			place--;
		if (place == LIMIT_EDGES_PER_SITE)
			continue;
		count += count < LIMIT_EDGES_PER_SITE;
		memmove(scores + place + 1, scores + place, (count - place - 1) * sizeof(*scores));
		memmove(picks + place + 1, picks + place, (count - place - 1) * sizeof(*picks));
		scores[place] = score;
		picks[place] = (uint16_t)i;
	}
	for (; count < LIMIT_EDGES_PER_SITE; count++)
		picks[count] = (uint16_t)row;
}

/* An edge picked from both ends is in it twice, which does no harm. */
static void graph_edges(struct edge_graph *graph)
{
	uint32_t *fill = graph->first_edge;

	for (uint32_t i = 0; i < graph->count * LIMIT_EDGES_PER_SITE; i++) {
		uint32_t from = i / LIMIT_EDGES_PER_SITE, to = graph->picks[i];

		if (from != to) {
			fill[from + 1]++;
			fill[to + 1]++;
		}
	}
	for (uint32_t i = 0; i < graph->count; i++)
		fill[i + 1] += fill[i];
	uint32_t total = fill[graph->count];

	for (uint32_t i = graph->count * LIMIT_EDGES_PER_SITE; i-- > 0;) {
		uint32_t from = i / LIMIT_EDGES_PER_SITE, to = graph->picks[i];

		if (from != to) {
			graph->edges[--fill[from + 1]] = (uint16_t)to;
			graph->edges[--fill[to + 1]] = (uint16_t)from;
		}
	}
	memmove(fill, fill + 1, graph->count * sizeof(*fill)); /* each stood one place too late */
	fill[graph->count] = total;
}

static void measure(struct edge_graph *graph, uint32_t origin)
{
	uint32_t head = 0, tail = 0;

	memset(graph->distance, 0xff, graph->count * sizeof(*graph->distance));
	graph->distance[origin] = 0;
	graph->queue[tail++] = (uint16_t)origin;
	while (head < tail) {
		uint32_t at = graph->queue[head++];

		for (uint32_t i = graph->first_edge[at]; i < graph->first_edge[at + 1]; i++) {
			uint32_t next = graph->edges[i];

			if (graph->distance[next] != FAR_AWAY)
				continue;
			graph->distance[next] = (uint16_t)(graph->distance[at] + 1);
			graph->queue[tail++] = (uint16_t)next;
		}
	}
}

/* Do news of `origin`, from which distances were measured, come to `far` by way of the own site? */
static bool comes_by_self(const struct edge_graph *graph, uint32_t origin, uint32_t far)
{
	uint16_t nearest = FAR_AWAY;
	uint64_t lowest = UINT64_MAX;
	bool ret = true;

	for (uint32_t i = graph->first_edge[far]; i < graph->first_edge[far + 1]; i++) {
		uint32_t by = graph->edges[i];
		uint64_t lot =
		    prng_mix(graph->sites[origin]->partition ^
			     prng_mix(graph->sites[by]->partition ^ prng_mix(graph->sites[far]->partition)));

		if (graph->distance[by] > nearest || (graph->distance[by] == nearest && lot >= lowest))
			continue;
		nearest = graph->distance[by];
		lowest = lot;
		ret = by == graph->self;
	}
	return ret || nearest == FAR_AWAY;
}

static void graph_end(struct gossip *g)
{
	struct edge *e = g->edge;
	const struct edge_graph *graph = e->graph;

	e->near_count = 0;
	for (uint32_t i = graph->first_edge[graph->self];
	     i < graph->first_edge[graph->self + 1] && e->near_count < EDGE_NEAR_MAX; i++) {
		struct site *s = graph->sites[graph->edges[i]];

		if (edge_near(e, s) == e->near_count) {
			e->near_at[e->near_count] = graph->edges[i];
			e->near[e->near_count++] = s;
		}
	}
	for (size_t i = 0; i < g->members.site_count; i++)
		g->members.sites[i]->late_to = 0;
}

static void graph_origin(struct edge *e, uint32_t origin)
{
	struct edge_graph *graph = e->graph;
	uint64_t late = 0;

	measure(graph, origin);
	for (size_t i = 0; i < e->near_count; i++) {
		if (e->near_at[i] != origin && !comes_by_self(graph, origin, e->near_at[i]))
			late |= 1ull << i;
	}
	graph->sites[origin]->late_to = late;
}

static void graph_work(struct gossip *g)
{
	struct edge_graph *graph = g->edge->graph;

	for (int i = 0; i < SITES_A_TICK && graph->rows < graph->count; i++) {
		graph_row(graph, graph->rows++);
		if (graph->rows == graph->count) {
			graph_edges(graph);
			graph_end(g);
			return;
		}
	}
	for (int i = 0; i < SITES_A_TICK && graph->origins < graph->count; i++)
		graph_origin(g->edge, graph->origins++);
	if (graph->origins == graph->count)
		graph_free(g->edge);
}

void edge_tree_tick(struct gossip *g)
{
	struct edge *e = g->edge;

	if (g->now - e->cooled_at >= COOL_MS) {
		e->cooled_at = g->now;
		for (size_t i = 0; i < EDGE_ASKED; i++)
			e->asked_late[i] /= 2;
	}
	if (!e->graph) {
		uint64_t hash = e->tree_at == e->picked_at ? e->tree_of : sites_hash(g);

		e->tree_at = e->picked_at;
		if (hash == e->tree_of)
			return;
		e->tree_of = hash;
		if (!graph_begin(g)) {
			graph_free(e);
			return; /* news cross more often */
		}
	}
	graph_work(g);
	if (e->graph)
		core_deadline(g, g->now + 1);
}

size_t edge_near(const struct edge *e, const struct site *s)
{
	size_t i = 0;

	while (i < e->near_count && e->near[i] != s)
		i++;
	return i;
}

static uint8_t *asked_late(struct edge *e, const struct site *origin, const struct site *far)
{
	return &e->asked_late[prng_mix(origin->partition ^ prng_mix(far->partition)) % EDGE_ASKED];
}

bool edge_at_once(const struct gossip *g, const struct site *origin, const struct member *m)
{
	struct edge *e = g->edge;
	size_t near = origin ? edge_near(e, m->site) : e->near_count;
	bool late = near < e->near_count && (origin->late_to >> near & 1) != 0;

	if (!late && edge_end(g, m))
		return true;
	return origin && *asked_late(e, origin, m->site) >= ASKED_ENOUGH;
}

void edge_asked(struct gossip *g, const struct site *origin, const struct member *m)
{
	uint8_t *asked;

	if (!origin || edge_at_once(g, origin, m))
		return;
	asked = asked_late(g->edge, origin, m->site);
	if (*asked < ASKED_MOST)
		*asked += ASKED_STEP;
}
