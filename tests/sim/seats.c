#include "seats.h"

#include "base/cursor.h"
#include "crypto/certificate.h"

#define SENIOR_DAYS 7

uint64_t seats_score(const struct world *w, const struct id *host)
{
	struct authlog_head head = authlog_head(w->estate.log);
	uint8_t data[ID_BYTES + 16];
	struct writer out = writer_of(data, sizeof(data));
	writer_bytes(&out, host->b, ID_BYTES);
	writer_u32(&out, clock_day(world_wall(w)));
	writer_u32(&out, head.index);
	writer_u64(&out, head.hash);
	return hash_u64("mesh.witness", data, sizeof(data)) >> 1;
}

static uint64_t score_of(const struct world *w, const struct node *n)
{
	struct certificate c;
	struct record r;
	CHECK(record_parse(n->certificate, n->certificate_len, &r) == ERR_OK &&
	      certificate_decode(&r, &c) == ERR_OK);
	bool young = c.enrolled + SENIOR_DAYS > clock_day(world_wall(w));
	return seats_score(w, &n->id) | (young ? 1ull << 63 : 0);
}

uint32_t seats_rank(const struct world *w, uint32_t node)
{
	const struct node *n = &w->nodes[node];
	uint64_t score = score_of(w, n);
	uint32_t better = 0;
	for (uint32_t i = n->site; i < w->node_count; i += w->site_count)
		better += score_of(w, &w->nodes[i]) < score;
	return better;
}

static bool there(const struct node *n)
{
	return n->g != NULL || n->puppet.hear != NULL;
}

uint32_t seats_live(const struct world *w, uint32_t site)
{
	uint32_t live = 0;
	for (uint32_t i = site; i < w->node_count; i += w->site_count)
		live += there(&w->nodes[i]);
	return live;
}

uint32_t seats_puppets(const struct world *w, uint32_t site)
{
	uint64_t before = 0;
	uint32_t puppets = 0;
	for (int seat = 0; seat < LIMIT_WITNESSES; seat++) {
		const struct node *best = NULL;
		uint64_t best_score = UINT64_MAX;
		for (uint32_t i = site; i < w->node_count; i += w->site_count) {
			uint64_t score = score_of(w, &w->nodes[i]);
			if (there(&w->nodes[i]) && score > before && score < best_score) {
				best = &w->nodes[i];
				best_score = score;
			}
		}
		puppets += best != NULL && best->puppet.hear != NULL;
		before = best_score;
	}
	return puppets;
}
