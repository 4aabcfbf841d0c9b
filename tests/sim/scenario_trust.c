/* Who counts: revocations, rotation, quotas, grants that end, forks, while nodes are down or cut off. */
#include <string.h>

#include "scenario.h"

#define SETTLE_BOUND_MS 120000
#define NEXT_SUCCESSOR  (1u << 25) /* index of the key after the successor's */

/* Signed by the key in force, known to the world, handed in at `n`. */
struct signing {
	struct world *w;
	const struct identity *authority;
};

static void publish(struct signing *s, struct node *n, const uint8_t *entry, size_t len)
{
	CHECK(authlog_append(s->w->estate.log, entry, len) == ERR_OK);
	if (!s->w->failed)
		node_log(s->w, n, entry, len);
}

static void revoke(struct signing *s, struct node *n, const struct id *host)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_revoke(s->w->estate.log, s->authority, LOG_REVOKE_HOST, host, NULL, "",
				  world_wall(s->w), entry, &len) == ERR_OK);
	publish(s, n, entry, len);
}

static void rotate(struct signing *s, struct node *n, const struct identity *next)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_rotate(s->w->estate.log, s->w->estate.successor, identity_public_key(next), NULL,
				  world_wall(s->w), entry, &len) == ERR_OK);
	publish(s, n, entry, len);
	s->authority = s->w->estate.successor;
}

static void extend(struct signing *s, struct node *n, const struct id *issuer, const wall_day *last,
		   const uint32_t *quota)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_extend(s->w->estate.log, s->authority, issuer, last, quota, world_wall(s->w),
				  entry, &len) == ERR_OK);
	publish(s, n, entry, len);
}

static enum host_standing standing_of(const struct node *by, const struct node *host)
{
	struct host_state s = {.standing = STANDING_ENDED};
	(void)gossip_host_state(by->g, &host->id, &s);
	return s.standing;
}

static uint32_t count_standing(const struct world *w, const struct node *by, enum host_standing standing)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->node_count; i++)
		count += standing_of(by, &w->nodes[i]) == standing;
	return count;
}

/* One log, and one judgement of everybody. */
static void expect_level(struct world *w, const char *when)
{
	struct authlog_head wanted = authlog_head(w->estate.log);
	const struct node *first = NULL;
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		const struct node *n = &w->nodes[i];
		if (n->g == NULL)
			continue;
		first = first == NULL ? n : first;
		struct authlog_head head = authlog_head(n->log);
		if (head.index != wanted.index || head.hash != wanted.hash)
			world_fail(w, n, "%s it has not the whole log", when);
		for (uint32_t h = 0; h < w->node_count; h++)
			if (standing_of(n, &w->nodes[h]) != standing_of(first, &w->nodes[h]))
				world_fail(w, n, "%s it calls host %u %s, others %s", when, h,
					   host_standing_name(standing_of(n, &w->nodes[h])),
					   host_standing_name(standing_of(first, &w->nodes[h])));
	}
}

static mono_ms settle(struct world *w, const char *when)
{
	mono_ms took = judge_settle(w, SETTLE_BOUND_MS, when);
	expect_level(w, when);
	return took;
}

static void cut_site(struct world *w, uint32_t site, bool cut)
{
	for (uint32_t s = 0; s < w->site_count; s++)
		if (s != site)
			net_cut(w, s, site, cut);
}

static bool log_everywhere(struct world *w, void *unused)
{
	struct authlog_head wanted = authlog_head(w->estate.log);
	(void)unused;
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].g != NULL && authlog_head(w->nodes[i].log).hash != wanted.hash)
			return false;
	return true;
}

#define TELL_BOUND_MS 5000

/* With all links up, in spite of what they lose. */
static void tell(struct signing *s, struct report *r)
{
	struct world *w = s->w;
	for (uint8_t i = 0; i < 10 && !w->failed; i++) {
		mono_ms since = w->now;
		revoke(s, &w->nodes[i % w->node_count], &(struct id){{i, 9}});
		if (!world_run_while(w, 20, TELL_BOUND_MS, log_everywhere, NULL) && !w->failed)
			world_fail(w, NULL, "a revocation does not reach all in %.0f s",
				   judge_seconds(TELL_BOUND_MS));
		report_put(r, "trust", "revocation_everywhere", judge_seconds(w->now - since), "s");
		world_run_for(w, 1000);
	}
}

/* A stolen host is revoked, and the authority's key changed, while a site is cut off and a node is down. */
static void revoke_and_rotate(struct signing *s, const struct identity *next, struct report *r)
{
	struct world *w = s->w;
	uint32_t last = w->site_count - 1;
	struct node *stolen = &w->nodes[0], *away = &w->nodes[w->site_count + last];
	node_crash(w, stolen, false);
	node_crash(w, away, false);
	cut_site(w, last, true);
	revoke(s, &w->nodes[w->site_count], &stolen->id);
	rotate(s, &w->nodes[w->site_count], next);
	revoke(s, &w->nodes[w->site_count], &(struct id){{1, 2, 3}});
	world_run_for(w, 20000);
	cut_site(w, last, false);
	if (!w->failed)
		node_start(w, away, true);
	report_put(r, "trust", "revoked_while_cut", judge_seconds(settle(w, "after the cut healed")), "s");
	for (uint32_t i = 1; i < w->node_count && !w->failed; i++)
		if (standing_of(&w->nodes[i], stolen) != STANDING_REVOKED)
			world_fail(w, &w->nodes[i], "does not call the stolen host revoked");
}

/* Who is over the quota is each node's own finding; how many are, is not. */
static void exceed_quota(struct signing *s, struct report *r)
{
	struct world *w = s->w;
	const struct id *issuer = identity_id(w->estate.second_issuer);
	uint32_t quota = w->node_count / 2 - 1;
	extend(s, &w->nodes[1], issuer, NULL, &quota);
	world_run_for(w, 15000);
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		if (w->nodes[i].g != NULL &&
		    count_standing(w, &w->nodes[i], STANDING_QUARANTINED) != w->node_count / 2 - quota)
			world_fail(w, &w->nodes[i], "%u hosts are beyond the quota by its count",
				   count_standing(w, &w->nodes[i], STANDING_QUARANTINED));
	quota = 100000;
	extend(s, &w->nodes[1], issuer, NULL, &quota);
	report_put(r, "trust", "quota_raised", judge_seconds(settle(w, "after the quota was raised")), "s");
}

/* Cut off until its grants and their grace are long over; the others have an extension. */
static void outlive_grant(struct signing *s, struct report *r)
{
	struct world *w = s->w;
	uint32_t last = w->site_count - 1;
	wall_day until = clock_day(world_wall(w)) + 2000;
	cut_site(w, last, true);
	extend(s, &w->nodes[1], NULL, &until, NULL);
	world_run_for(w, 5000);
	w->wall_jump += 485 * CLOCK_DAY_MS; /* 365, 30 of grace, 90 */
	world_run_for(w, 20000);
	for (uint32_t i = 1; i < w->node_count && !w->failed; i++) {
		const struct node *n = &w->nodes[i];
		enum host_standing wanted = n->site == last ? STANDING_ENDED : STANDING_GOOD;
		if (standing_of(n, &w->nodes[1]) != wanted)
			world_fail(w, n, "after months it calls host 1 %s",
				   host_standing_name(standing_of(n, &w->nodes[1])));
	}
	cut_site(w, last, false);
	report_put(r, "trust", "back_after_months", judge_seconds(settle(w, "after months alone")), "s");
}

static void fork_log(struct signing *s, struct report *r)
{
	struct world *w = s->w;
	uint8_t a[LIMIT_LOG_ENTRY_BYTES], b[LIMIT_LOG_ENTRY_BYTES];
	const struct id hosts[2] = {{{7}}, {{8}}};
	size_t a_len, b_len;
	CHECK(authlog_make_revoke(w->estate.log, s->authority, LOG_REVOKE_HOST, &hosts[0], NULL, "",
				  world_wall(w), a, &a_len) == ERR_OK);
	CHECK(authlog_make_revoke(w->estate.log, s->authority, LOG_REVOKE_HOST, &hosts[1], NULL, "",
				  world_wall(w), b, &b_len) == ERR_OK);
	publish(s, &w->nodes[1], a, a_len);
	publish(s, &w->nodes[2], b, b_len);
	report_put(r, "trust", "forked", judge_seconds(settle(w, "after the log forked")), "s");
	for (uint32_t i = 1; i < w->node_count && !w->failed; i++)
		if (!authlog_forked(w->nodes[i].log) || !authlog_host_revoked(w->nodes[i].log, &hosts[0]) ||
		    !authlog_host_revoked(w->nodes[i].log, &hosts[1]))
			world_fail(w, &w->nodes[i], "does not know both branches");
}

void scenario_trust(struct world *w, struct report *r)
{
	struct signing s = {w, w->estate.authority};
	struct identity *next = estate_identity(w->seed, NEXT_SUCCESSOR);
	CHECK(w->site_count >= 3 && w->node_count >= 3 * w->site_count);
	judge_start_all(w, true, 2000);
	settle(w, "after the first start");
	if (!w->failed)
		tell(&s, r);
	if (!w->failed)
		revoke_and_rotate(&s, next, r);
	if (!w->failed)
		exceed_quota(&s, r);
	if (!w->failed)
		outlive_grant(&s, r);
	if (!w->failed)
		fork_log(&s, r);
	identity_free(next);
}
