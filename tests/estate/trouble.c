/* What can be wrong with an estate, once each: states and issues as gossip/ would have them. */
#include "tests/estate/trouble.h"

#include <stdio.h>
#include <string.h>

static bool is(const struct estate *e, const struct host *h, enum estate_trouble trouble)
{
	return e->o->trouble && h->number == (size_t)trouble;
}

enum err trouble_begin(struct estate *e)
{
	uint8_t seed[KEY_BYTES] = {0xbd};
	enum err err = identity_from_seed(seed, &e->bad_issuer);
	seed[0] = 0x1a;
	return err == ERR_OK ? identity_from_seed(seed, &e->late_issuer) : err;
}

const struct identity *trouble_issuer(const struct estate *e, const struct host *h)
{
	if (is(e, h, ESTATE_ISSUER_REVOKED))
		return e->bad_issuer;
	return is(e, h, ESTATE_GRACE) ? e->late_issuer : e->issuers[e->sites[h->site].kind];
}

static void name(struct sayings *s, const char *text)
{
	s->profile.hostname = draw_known("%s", text);
}

static void same_hardware(struct sayings *s, uint8_t fill)
{
	s->certificate.has_hardware = true;
	memset(s->certificate.hardware, fill, sizeof(s->certificate.hardware));
}

static void hide(struct host *h, struct sayings *s)
{
	char text[LIMIT_HOSTNAME_BYTES + 1];
	snprintf(text, sizeof(text), ESTATE_REVOKED_NAME "-%zu", h->number);
	name(s, text);
	snprintf(s->certificate.site, sizeof(s->certificate.site), ESTATE_REVOKED_NAME);
	snprintf(s->profile.site, sizeof(s->profile.site), ESTATE_REVOKED_NAME);
	h->state.standing = STANDING_REVOKED;
}

void trouble_host(struct estate *e, struct host *h, struct sayings *s)
{
	if (!e->o->trouble || h->number >= ESTATE_TROUBLE_HOSTS)
		return;
	e->ids[h->number] = h->id;
	/* Whatever was drawn: what is shown of them is their trouble. */
	h->state = (struct host_state){.host = h->id,
				       .status = HOST_UP,
				       .since = e->o->now - CLOCK_DAY_MS,
				       .seen = e->o->now - CLOCK_SECOND_MS};
	switch ((enum estate_trouble)h->number) {
	case ESTATE_REVOKED:
	case ESTATE_ISSUER_REVOKED:
		hide(h, s);
		break;
	case ESTATE_QUARANTINED:
		h->state.standing = STANDING_QUARANTINED;
		break;
	case ESTATE_REPLACED:
		h->state.status = HOST_REPLACED; /* by whom is known when the next one is made */
		name(s, "imaged-again");
		same_hardware(s, 0x11);
		break;
	case ESTATE_SUCCESSOR:
		name(s, "imaged-again");
		same_hardware(s, 0x11);
		break;
	case ESTATE_GRACE:
		h->state.standing = STANDING_GRACE;
		break;
	case ESTATE_ENDED:
		h->state.standing = STANDING_ENDED;
		break;
	case ESTATE_TWIN:
	case ESTATE_OTHER_TWIN:
		name(s, "twin");
		same_hardware(s, 0x22);
		break;
	default:
		break;
	}
}

static enum err put(struct estate *e, struct issue issue)
{
	if (issue.since == 0)
		issue.since = e->o->now - HOUR_MS;
	if (issue.last == 0)
		issue.last = e->o->now - CLOCK_MINUTE_MS;
	if (issue.count == 0)
		issue.count = 1;
	return store_put_issue(e->store, &issue);
}

enum err trouble_record(struct estate *e, const struct host *h, const struct signed_record *record)
{
	struct record r;
	if (!is(e, h, ESTATE_EQUIVOCATED) || record->key.kind != RECORD_HEALTH)
		return ERR_OK;
	enum err err = record_parse(record->bytes, record->len, &r);
	if (err != ERR_OK)
		return err;
	memcpy(e->proofs[0], record->bytes, record->len);
	e->proof_len[0] = record->len;
	return record_sign(&r.key, r.seq, r.instance + 1, r.time + CLOCK_SECOND_MS, r.body, r.body_len,
			   &e->id, h->identity, e->proofs[1], &e->proof_len[1]);
}

static enum err put_replaced(struct estate *e)
{
	struct host_state state = {.host = e->ids[ESTATE_REPLACED],
				   .status = HOST_REPLACED,
				   .replaced_by = e->ids[ESTATE_SUCCESSOR],
				   .since = e->o->now - HOUR_MS,
				   .seen = e->o->now - 2 * HOUR_MS};
	return store_put_host_state(e->store, &state);
}

enum err trouble_issues(struct estate *e)
{
	const struct id *ids = e->ids;
	const struct id *issuer = identity_id(e->issuers[SITE_SHOP]), *bad = identity_id(e->bad_issuer),
			*late = identity_id(e->late_issuer);
	struct id operator_, list;
	memset(operator_.b, 0x0e, sizeof(operator_.b));
	memset(list.b, 0xa1, sizeof(list.b));
	const struct issue issues[] = {
	    {.kind = ISSUE_HOST_REVOKED, .subject = ids[ESTATE_REVOKED], .detail = "laptop lost"},
	    {.kind = ISSUE_ISSUER_REVOKED, .subject = *bad, .detail = "token leaked"},
	    {.kind = ISSUE_OPERATOR_REVOKED, .subject = operator_, .detail = "left"},
	    {.kind = ISSUE_QUARANTINED, .subject = ids[ESTATE_QUARANTINED], .other = *issuer},
	    {.kind = ISSUE_OVER_QUOTA, .subject = *issuer},
	    {.kind = ISSUE_GRANT_IN_GRACE, .subject = *late},
	    {.kind = ISSUE_GRANT_ENDED, .subject = *issuer},
	    {.kind = ISSUE_ALLOW_LIST_MISSING, .subject = *bad, .other = list},
	    {.kind = ISSUE_LOG_FORKED, .subject = e->id, .count = 2},
	    {.kind = ISSUE_CLONED,
	     .subject = ids[ESTATE_CLONED],
	     .detail = "instances 00000000000000a1 and 00000000000000b2"},
	    {.kind = ISSUE_RESTORED, .subject = ids[ESTATE_RESTORED]},
	    {.kind = ISSUE_EQUIVOCATION,
	     .subject = ids[ESTATE_EQUIVOCATED],
	     .proof = {e->proofs[0], e->proofs[1]},
	     .proof_len = {e->proof_len[0], e->proof_len[1]}},
	    {.kind = ISSUE_DUPLICATE_HARDWARE, .subject = ids[ESTATE_TWIN], .other = ids[ESTATE_OTHER_TWIN]},
	    {.kind = ISSUE_CLOCK_OFF, .subject = ids[ESTATE_SELF]},
	    /* Hostile text gets as far as the terminal. */
	    {.kind = ISSUE_BAD_SIGNATURES, .subject = ids[ESTATE_FORGER], .detail = "\033[31mred"},
	    {.kind = ISSUE_POISON_RECORD, .subject = ids[ESTATE_POISONER]},
	    {.kind = ISSUE_OUT_OF_ROLE, .subject = operator_},
	};
	enum err err = ERR_OK;
	for (size_t i = 0; i < sizeof(issues) / sizeof(issues[0]) && err == ERR_OK; i++)
		err = put(e, issues[i]);
	return err == ERR_OK ? put_replaced(e) : err;
}
