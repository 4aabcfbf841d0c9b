/* What can be wrong with an estate, once each: states and issues as gossip/ would have them. */
#include <stdio.h>
#include <string.h>

#include "tests/estate/estate_private.h"

#define HOUR_MS (60 * CLOCK_MINUTE_MS)

static bool is(const struct estate *e, const struct host *h, enum estate_trouble trouble)
{
	return e->o->trouble && h->number == (size_t)trouble;
}

enum err estate_trouble_begin(struct estate *e)
{
	uint8_t seed[KEY_BYTES] = {0xbd};
	enum err err = identity_from_seed(seed, &e->bad_issuer);
	seed[0] = 0x1a;
	return err == ERR_OK ? identity_from_seed(seed, &e->late_issuer) : err;
}

const struct identity *estate_trouble_issuer(const struct estate *e, const struct host *h)
{
	if (is(e, h, ESTATE_ISSUER_REVOKED))
		return e->bad_issuer;
	return is(e, h, ESTATE_GRACE) ? e->late_issuer : e->issuer;
}

static void name(struct host *h, const char *text)
{
	h->profile.hostname.status = READING_OK;
	snprintf(h->profile.hostname.value, sizeof(h->profile.hostname.value), "%s", text);
}

static void same_hardware(struct host *h, uint8_t fill)
{
	h->certificate.has_hardware = true;
	memset(h->certificate.hardware, fill, sizeof(h->certificate.hardware));
}

static void hide(struct host *h)
{
	char text[LIMIT_HOSTNAME_BYTES + 1];
	snprintf(text, sizeof(text), ESTATE_REVOKED_NAME "-%zu", h->number);
	name(h, text);
	snprintf(h->certificate.site, sizeof(h->certificate.site), ESTATE_REVOKED_NAME);
	snprintf(h->profile.site, sizeof(h->profile.site), ESTATE_REVOKED_NAME);
	h->state.standing = STANDING_REVOKED;
}

void estate_trouble_host(struct estate *e, struct host *h)
{
	if (h->number >= ESTATE_TROUBLE_HOSTS)
		return;
	e->ids[h->number] = h->certificate.host;
	/* Whatever was drawn: what is shown of them is their trouble. */
	h->state = (struct host_state){.host = h->certificate.host,
				       .status = HOST_UP,
				       .since = e->o->now - CLOCK_DAY_MS,
				       .seen = e->o->now - CLOCK_SECOND_MS};
	switch ((enum estate_trouble)h->number) {
	case ESTATE_REVOKED:
	case ESTATE_ISSUER_REVOKED:
		hide(h);
		break;
	case ESTATE_QUARANTINED:
		h->state.standing = STANDING_QUARANTINED;
		break;
	case ESTATE_REPLACED:
		h->state.status = HOST_REPLACED; /* by whom is known when the next one is made */
		name(h, "imaged-again");
		same_hardware(h, 0x11);
		break;
	case ESTATE_SUCCESSOR:
		name(h, "imaged-again");
		same_hardware(h, 0x11);
		break;
	case ESTATE_GRACE:
		h->state.standing = STANDING_GRACE;
		break;
	case ESTATE_ENDED:
		h->state.standing = STANDING_ENDED;
		break;
	case ESTATE_TWIN:
	case ESTATE_OTHER_TWIN:
		name(h, "twin");
		same_hardware(h, 0x22);
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

enum err estate_trouble_record(struct estate *e, const struct host *h, const uint8_t *bytes, size_t len)
{
	struct record r;
	enum err err = record_parse(bytes, len, &r);
	if (err != ERR_OK || !is(e, h, ESTATE_EQUIVOCATED) || r.key.kind != RECORD_HEALTH)
		return err;
	memcpy(e->proofs[0], bytes, len);
	e->proof_len[0] = len;
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

enum err estate_trouble_issues(struct estate *e)
{
	const struct id *ids = e->ids;
	const struct id *issuer = identity_id(e->issuer), *bad = identity_id(e->bad_issuer),
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
