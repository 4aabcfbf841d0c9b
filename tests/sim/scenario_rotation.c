/* The authority's key is stolen. Half the sites hear the thief first, who fills the log's branches and
 * revokes every host; the others hear the owner, and the successor's rotation. When they meet, the rotation
 * holds everywhere. */
#include "scenario.h"

#define SETTLE_BOUND_MS 120000
#define AGREE_BOUND_MS  90000
#define NEXT_SUCCESSOR  (1u << 25) /* index of the key after the successor's */

struct made {
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
};

static struct made revocation(const struct world *w, const struct authlog *log, const struct id *host)
{
	struct made m;
	CHECK(authlog_make_revoke(log, w->estate.authority, LOG_REVOKE_HOST, host, NULL, "", world_wall(w),
				  m.bytes, &m.len) == ERR_OK);
	return m;
}

static void owner_says(struct world *w, struct node *n, const struct made *m)
{
	CHECK(authlog_append(w->estate.log, m->bytes, m->len) == ERR_OK);
	if (!w->failed)
		node_log(w, n, m->bytes, m->len);
}

static bool is_robbed(const struct node *n)
{
	return n->site % 2 == 1;
}

/* To all whom he reaches: who believes him that everybody is revoked tells nobody. */
static void thief_says(struct world *w, struct authlog *branch, const struct made *m)
{
	CHECK(authlog_append(branch, m->bytes, m->len) == ERR_OK);
	w->estate.stolen++;
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		if (is_robbed(&w->nodes[i]))
			node_log(w, &w->nodes[i], m->bytes, m->len);
}

/* As many branches as a log holds, from below the second issuer's grant, which so ends with its hosts; and on
 * one of them everybody is revoked. */
static void steal(struct world *w)
{
	struct authlog *branch = NULL;
	for (uint8_t i = 0; i < LIMIT_LOG_BRANCHES; i++) {
		authlog_free(branch);
		CHECK(authlog_copy(i == 0 ? w->estate.log : w->estate.short_log, &branch) == ERR_OK);
		struct made m = revocation(w, branch, &(struct id){{i, 0xee}});
		thief_says(w, branch, &m);
	}
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct made m = revocation(w, branch, &w->nodes[i].id);
		thief_says(w, branch, &m);
	}
	authlog_free(branch);
}

/* A stolen host is revoked, then the key changed; the successor's first word extends all grants. */
static void own(struct world *w, struct node *n, const struct identity *next)
{
	struct made m;
	wall_day until = clock_day(world_wall(w)) + 500;
	for (uint8_t i = 0; i < 3; i++) {
		m = revocation(w, w->estate.log, &(struct id){{i, 0x0b}});
		owner_says(w, n, &m);
	}
	CHECK(authlog_make_rotate(w->estate.log, w->estate.successor, identity_public_key(next), NULL,
				  world_wall(w), m.bytes, &m.len) == ERR_OK);
	owner_says(w, n, &m);
	CHECK(authlog_make_extend(w->estate.log, w->estate.successor, NULL, &until, NULL, world_wall(w),
				  m.bytes, &m.len) == ERR_OK);
	owner_says(w, n, &m);
}

static void cut_halves(struct world *w, bool cut)
{
	for (uint32_t a = 0; a < w->site_count; a++)
		for (uint32_t b = a + 1; b < w->site_count; b++)
			if (a % 2 != b % 2)
				net_cut(w, a, b, cut);
}

static bool one_log(struct world *w, void *unused)
{
	struct authlog_head wanted = authlog_head(w->estate.log);
	(void)unused;
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct authlog_head head = authlog_head(w->nodes[i].log);
		if (w->nodes[i].g != NULL && (head.index != wanted.index || head.hash != wanted.hash))
			return false;
	}
	return true;
}

static uint32_t count_bad(const struct world *w, const struct node *by)
{
	uint32_t bad = 0;
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct host_state s = {.standing = STANDING_ENDED};
		(void)gossip_host_state(by->g, &w->nodes[i].id, &s);
		bad += s.standing != STANDING_GOOD;
	}
	return bad;
}

/* What each half goes by before they meet: the test is of no use unless they differ. */
static void check_halves(struct world *w)
{
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		const struct node *n = &w->nodes[i];
		bool robbed = is_robbed(n);
		if (authlog_forked(n->log) != robbed || (count_bad(w, n) > 0) != robbed)
			world_fail(w, n, "has %zu branches and calls %u hosts bad before the halves meet",
				   authlog_branches(n->log), count_bad(w, n));
	}
}

static void check_all(struct world *w, struct report *r)
{
	mono_ms since = w->now;
	if (!world_run_while(w, 100, AGREE_BOUND_MS, one_log, NULL) && !w->failed) {
		for (uint32_t i = 0; i < w->node_count; i++)
			if (authlog_head(w->nodes[i].log).hash != authlog_head(w->estate.log).hash)
				world_fail(w, &w->nodes[i],
					   "has not the rotation's log %.0f s after the halves met",
					   judge_seconds(AGREE_BOUND_MS));
	}
	report_put(r, "rotation", "one_log", judge_seconds(w->now - since), "s");
	mono_ms took = judge_settle(w, SETTLE_BOUND_MS, "after the rotation won");
	report_put(r, "rotation", "all_talk", judge_seconds(took), "s");
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		const struct node *n = &w->nodes[i];
		struct id owners = {{1, 0x0b}}, thiefs = {{1, 0xee}};
		if (authlog_forked(n->log) || count_bad(w, n) > 0 || !authlog_host_revoked(n->log, &owners) ||
		    authlog_host_revoked(n->log, &thiefs))
			world_fail(w, n, "calls %u hosts bad when all is over", count_bad(w, n));
	}
}

void scenario_rotation(struct world *w, struct report *r)
{
	struct identity *next = estate_identity(w->seed, NEXT_SUCCESSOR);
	CHECK(w->site_count >= 4 && w->node_count >= w->site_count);
	judge_start_all(w, true, 2000);
	judge_settle(w, SETTLE_BOUND_MS, "after the first start");
	cut_halves(w, true);
	if (!w->failed)
		steal(w);
	/* Node 0 is of site 0. */
	if (!w->failed)
		own(w, &w->nodes[0], next);
	world_run_for(w, 20000);
	if (!w->failed)
		check_halves(w);
	/* A restart brings back what was there. */
	if (!w->failed)
		node_crash(w, &w->nodes[w->site_count + 1], false);
	if (!w->failed)
		node_start(w, &w->nodes[w->site_count + 1], true);
	cut_halves(w, false);
	if (!w->failed)
		check_all(w, r);
	identity_free(next);
}
