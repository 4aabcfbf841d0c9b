/* What log, certificates and day make wrong, as issues: found anew as a whole at each change. */
#include <inttypes.h>
#include <stdio.h>

#include "gossip/issue.h"
#include "gossip/standing.h"

struct tally {
	uint64_t revoked, grace, ended, over;
};

static struct tally tally_of(const struct gossip *g, const struct id *issuer)
{
	struct tally t = {0};
	for (size_t i = 0; i < g->members.count; i++) {
		const struct member *m = g->members.hosts[i];
		const struct member_certificate *c = member_certificate(m, issuer);
		if (c == NULL)
			continue;
		t.revoked += c->standing == STANDING_REVOKED;
		t.grace += c->standing == STANDING_GRACE;
		t.ended += c->standing == STANDING_ENDED;
		t.over += c->standing == STANDING_QUARANTINED;
	}
	return t;
}

static bool list_missing(const struct gossip *g, const struct id *list)
{
	const struct id *named;
	bool complete;
	for (size_t i = 0; (named = authlog_allow_list_at(g->log, i, &complete)) != NULL; i++)
		if (id_equal(named, list))
			return !complete;
	return false;
}

/* An id says nothing to who has to act: the name in the log does. */
static void raise_named(struct gossip *g, const struct authlog_grant *grant, struct issue *issue)
{
	issue->subject = grant->issuer;
	snprintf(issue->detail, sizeof(issue->detail), "issuer %s, quota %" PRIu32, grant->name,
		 grant->quota);
	issue_raise(g, issue);
}

static void raise_issuer(struct gossip *g, const struct authlog_grant *grant)
{
	const struct tally t = tally_of(g, &grant->issuer);
	const uint64_t counts[] = {t.grace, t.ended, t.over};
	const enum issue_kind kinds[] = {ISSUE_GRANT_IN_GRACE, ISSUE_GRANT_ENDED, ISSUE_OVER_QUOTA};
	if (grant->revoked)
		raise_named(g, grant,
			    &(struct issue){.kind = ISSUE_ISSUER_REVOKED,
					    .other = grant->allow_list,
					    .count = t.revoked});
	if (grant->revoked && list_missing(g, &grant->allow_list))
		raise_named(g, grant,
			    &(struct issue){.kind = ISSUE_ALLOW_LIST_MISSING, .other = grant->allow_list});
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (counts[i] > 0)
			raise_named(g, grant, &(struct issue){.kind = kinds[i], .count = counts[i]});
}

void standing_tell(struct gossip *g)
{
	const struct authlog_grant *grant;
	const struct authlog_operator *o;
	const struct id *host;
	issue_begin(g);
	if (authlog_forked(g->log))
		issue_raise(g, &(struct issue){.kind = ISSUE_LOG_FORKED,
					       .subject = g->keys.estate,
					       .count = authlog_branches(g->log)});
	for (size_t i = 0; (grant = authlog_grant_at(g->log, i)) != NULL; i++)
		raise_issuer(g, grant);
	for (size_t i = 0; (o = authlog_operator_at(g->log, i)) != NULL; i++)
		if (o->revoked)
			issue_raise(g, &(struct issue){.kind = ISSUE_OPERATOR_REVOKED, .subject = o->id});
	for (size_t i = 0; (host = authlog_revoked_host_at(g->log, i)) != NULL; i++)
		issue_raise(g, &(struct issue){.kind = ISSUE_HOST_REVOKED, .subject = *host});
	for (size_t i = 0; i < g->members.count; i++) {
		const struct member *m = g->members.hosts[i];
		if (m->state.standing == STANDING_QUARANTINED)
			issue_raise(g, &(struct issue){
					   .kind = ISSUE_QUARANTINED, .subject = m->id, .other = m->issuer});
		if (m->duplicate_of != NULL)
			issue_raise(g, &(struct issue){.kind = ISSUE_DUPLICATE_HARDWARE,
						       .subject = m->id,
						       .other = m->duplicate_of->id});
	}
	issue_settle(g);
}
