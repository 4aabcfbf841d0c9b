/* Shares: each record goes through the whole estate, is verified and written by every node. What one signer
 * can make of that is bounded, whoever it is: a host, an issuer, an operator.
 *
 * Happy path: hosts speak on change, a few times a day. Fails: who says more is not listened to for a while;
 * the latest stands, and the walk brings it later, so that nothing that lasts is lost. Beyond some urgent
 * ones a minute the rest is passed on as routine. The first record under a key is free where quotas bound how
 * many keys there are: a newcomer takes them all at once. */
#include "gossip/share.h"

#include "gossip/evidence.h"

#define HOST_MS           20000  /* of time that a host's record uses up … */
#define HOST_BURST_MS     400000 /* … and twenty at once */
#define ROLL_MS           100    /* a witness signs at each change of its site, in parts */
#define ROLL_BURST_MS     20000
#define ISSUER_MS         1000 /* a certificate in the place of another */
#define ISSUER_BURST_MS   50000
#define OPERATOR_MS       100
#define OPERATOR_BURST_MS 1000000
#define URGENT_MS         60000
#define PUSHED_US         435 /* a check takes about 109: a quarter of a core for what nobody asked for … */
#define ASKED_US          145 /* … and three quarters for what was, a newcomer's catch-up above all */
#define VERIFY_BURST_US   1000000
#define URGENT_BURST_MS   480000

struct share {
	mono_ms *until;
	mono_ms cost, burst;
	bool free;
};

/* Signers share a place by chance; then they share its allowance, which only a flood notices. */
static mono_ms *stranger(struct gossip *g, const struct id *id)
{
	return &g->strangers[id_short(id) % CORE_STRANGERS];
}

/* A roll-call that may count. Any other is worth no more than its writer's words about itself. */
static bool rolls(struct gossip *g, const struct record *r, struct member *m)
{
	return record_class_of(r->key.kind) == RECORD_CLASS_SITE &&
	       (r->key.kind != RECORD_ROLLCALL || evidence_may_sign(g, m->site, m) ||
		!defence_on(g, DEFENCE_IDLE_SIGNER));
}

static struct share share_of(struct gossip *g, const struct record *r, bool fresh)
{
	struct member *m = member_find(g, &r->key.writer);

	if (r->key.kind == RECORD_CERTIFICATE)
		return (struct share){stranger(g, &r->key.writer), ISSUER_MS, ISSUER_BURST_MS, fresh};
	if (record_class_of(r->key.kind) == RECORD_CLASS_OPERATOR)
		return (struct share){stranger(g, &r->key.writer), OPERATOR_MS, OPERATOR_BURST_MS, false};
	if (!m || m == g->self)
		return (struct share){.free = true};
	if (rolls(g, r, m))
		return (struct share){&m->rolled_until, ROLL_MS, ROLL_BURST_MS, false};
	return (struct share){&m->signed_until, HOST_MS, HOST_BURST_MS, fresh};
}

bool share_used_up(const struct gossip *g, const struct record *r, bool fresh)
{
	const struct share s = share_of((struct gossip *)g, r, fresh); /* looks only */

	return !s.free && *s.until > g->now + s.burst && defence_on(g, DEFENCE_ORIGIN_SHARE);
}

static void use(const struct gossip *g, const struct share *s)
{
	if (!s->free)
		*s->until = (*s->until > g->now ? *s->until : g->now) + s->cost;
}

void share_use(struct gossip *g, const struct record *r, bool fresh)
{
	const struct share s = share_of(g, r, fresh);

	use(g, &s);
}

bool share_urgent(struct gossip *g, const struct record *r)
{
	struct member *m = member_find(g, &r->key.writer);

	/* Roll-calls are bounded as such, and what they tell cannot wait. */
	if (!m || m == g->self || record_class_of(r->key.kind) == RECORD_CLASS_OPERATOR || rolls(g, r, m) ||
	    r->key.kind == RECORD_CERTIFICATE || !defence_on(g, DEFENCE_ORIGIN_SHARE))
		return true;
	const struct share s = {&m->urged_until, URGENT_MS, URGENT_BURST_MS, false};

	if (*s.until > g->now + s.burst)
		return false;
	use(g, &s);
	return true;
}

bool share_verify(struct gossip *g, bool asked)
{
	uint64_t *until = &g->verified_until_us[asked];
	uint64_t now = g->now * 1000;

	if (*until > now + VERIFY_BURST_US)
		return false;
	*until = (*until > now ? *until : now) + (asked ? ASKED_US : PUSHED_US);
	return true;
}
