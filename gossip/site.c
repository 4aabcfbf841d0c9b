/* Which sites there are: those that certificates name.
 *
 * Happy path: an issuer's first certificate for a site opens it. Fails: who invents sites leaves at least as
 * many to others as he takes; his further certificates are refused, like those beyond a quota. A site that
 * nobody's certificate names any more gives way when its place is needed (member.c). */
#include "gossip/core.h"

void site_live(struct site *s, const struct id *issuer, bool live)
{
	if (live && s->live == 0)
		s->opener = *issuer;
	s->live = live ? s->live + 1 : s->live - 1;
}

/* So that who invents sites leaves room for those of others, however many of them do. */
bool site_room(const struct gossip *g, const struct id *issuer, const char *name)
{
	const struct authlog_grant *grant = authlog_find_grant(g->log, issuer);
	const struct site *known = site_find_name(g, name);
	size_t used = 0, opened = 0;

	if ((known && known->live > 0) || (grant && grant->site_count > 0))
		return true;
	for (size_t i = 0; i < g->members.site_count; i++) {
		const struct site *s = g->members.sites[i];

		used += s->live > 0;
		opened += s->live > 0 && id_equal(&s->opener, issuer);
	}
	return opened < LIMIT_SITES - used;
}
