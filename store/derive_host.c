/* Who is in the estate, under which certificate, and who is hidden: decided once, when something of it
 * changes, so that no question has to. */
#include <string.h>

#include "store/derive.h"

bool derive_counts(const struct host_state *state)
{
	return state->status != HOST_LEFT && state->status != HOST_REPLACED &&
	       state->standing <= STANDING_GRACE;
}

static bool is_named(const struct derive_host *h, const struct id *issuer)
{
	return h->decided && id_equal(&h->state.issuer, issuer);
}

/* Whether `c` comes before the one that counts so far. */
static bool comes_first(const struct derive_host *h, const struct certificate *c, uint8_t rank)
{
	if (is_named(h, &c->issuer) || is_named(h, &h->certificate.issuer))
		return is_named(h, &c->issuer);
	if (rank != h->rank)
		return rank < h->rank;
	return id_compare(&c->issuer, &h->certificate.issuer) < 0;
}

void derive_certificate(struct derive_host *h, const struct certificate *c, uint8_t rank)
{
	if (h->certified && !comes_first(h, c, rank))
		return;
	h->certified = true;
	h->certificate = *c;
	h->rank = rank;
}

/* Lists of short texts, as the tables show them. */
static void put_joined(struct column_draft *d, unsigned row, unsigned column, const char *texts, size_t size,
		       size_t count)
{
	char all[LIMIT_GROUPS * (LIMIT_GROUP_BYTES + 1) + 1];
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		size_t bytes = strlen(texts + i * size);
		if (len + bytes + 2 > sizeof(all))
			break;
		if (i > 0)
			all[len++] = ',';
		memcpy(all + len, texts + i * size, bytes);
		len += bytes;
	}
	column_put_bytes(d, row, column, all, len);
}

void derive_host_row(const struct derive_host *h, struct column_draft *d, unsigned row)
{
	const struct certificate *c = &h->certificate;
	column_draft_clear(d, row);
	if (!h->certified)
		return;
	column_draft_mark(d, row);
	column_put_id(d, row, C_HOST_ID, &c->host);
	column_put_id(d, row, C_HOST_ISSUER, &c->issuer);
	column_put_u64(d, row, C_HOST_SEQ, c->seq);
	column_put_u64(d, row, C_HOST_ENROLLED, c->enrolled);
	column_put_text(d, row, C_HOST_SITE, c->site);
	if (c->group_count > 0)
		put_joined(d, row, C_HOST_GROUPS, c->groups[0], sizeof(c->groups[0]), c->group_count);
	if (c->has_hardware)
		column_put_bytes(d, row, C_HOST_HARDWARE, c->hardware, sizeof(c->hardware));
	column_put_u64(d, row, C_HOST_ISSUER_RANK, h->rank);
}

static void put_witnesses(const struct host_state *s, struct column_draft *d, unsigned row)
{
	uint8_t bytes[LIMIT_WITNESSES * 8];
	bool any = false;
	for (size_t i = 0; i < LIMIT_WITNESSES; i++) {
		any = any || s->witnesses[i] != 0;
		for (unsigned k = 0; k < 8; k++)
			bytes[8 * i + k] = (uint8_t)(s->witnesses[i] >> 8 * k);
	}
	if (any)
		column_put_bytes(d, row, C_STATE_WITNESSES, bytes, sizeof(bytes));
}

void derive_state_row(const struct derive_host *h, struct column_draft *d, unsigned row)
{
	const struct host_state *s = &h->state;
	enum host_standing standing = h->decided ? s->standing : STANDING_GOOD;
	column_draft_clear(d, row);
	if (!h->certified)
		return;
	/* Who was revoked stays hidden also when its state is the one row that got damaged. */
	if (h->revoked || (!h->decided && h->rank == 2))
		standing = STANDING_REVOKED;
	column_draft_mark(d, row);
	column_put_u64(d, row, C_STATE_DECIDED, h->decided);
	column_put_u64(d, row, C_STATE_STANDING, standing);
	column_put_u64(d, row, C_STATE_GOODBYE_SEQ, h->goodbye_seq);
	if (!h->decided)
		return;
	column_put_u64(d, row, C_STATE_STATUS, s->status);
	column_put_u64(d, row, C_STATE_SINCE, s->since);
	column_put_u64(d, row, C_STATE_SEEN, s->seen);
	column_put_u64(d, row, C_STATE_VOTES, s->votes);
	column_put_u64(d, row, C_STATE_SIGNERS, s->signers);
	put_witnesses(s, d, row);
	if (!id_is_zero(&s->replaced_by))
		column_put_id(d, row, C_STATE_REPLACED_BY, &s->replaced_by);
}
