#include "crypto/authlog_state.h"

#include <stdlib.h>
#include <string.h>

void authlog_state_release(struct log_state *s)
{
	for (size_t i = 0; i < s->grant_count; i++)
		free(s->grants[i]);
	for (size_t i = 0; i < s->operator_count; i++)
		free(s->operators[i]);
	free(s->grants);
	free(s->operators);
	free(s->revoked);
	*s = (struct log_state){0};
}

bool authlog_reserve(void *array_pointer, size_t count, size_t *cap, size_t element_bytes)
{
	void *array;
	if (count < *cap)
		return true;
	size_t wanted = *cap == 0 ? 4 : *cap * 2;
	memcpy(&array, array_pointer, sizeof(array));
	array = realloc(array, wanted * element_bytes);
	if (array == NULL)
		return false;
	memcpy(array_pointer, &array, sizeof(array));
	*cap = wanted;
	return true;
}

struct authlog_grant *authlog_state_grant(const struct log_state *s, const struct id *issuer)
{
	for (size_t i = 0; i < s->grant_count; i++) {
		if (id_equal(&s->grants[i]->issuer, issuer))
			return s->grants[i];
	}
	return NULL;
}

struct authlog_operator *authlog_state_operator(const struct log_state *s, const struct id *op)
{
	for (size_t i = 0; i < s->operator_count; i++) {
		if (id_equal(&s->operators[i]->id, op))
			return s->operators[i];
	}
	return NULL;
}

static int compare(const struct log_revocation *a, const struct log_revocation *b)
{
	if (a->what != b->what)
		return a->what < b->what ? -1 : 1;
	int order = id_compare(&a->id, &b->id);
	return order != 0 ? order : id_compare(&a->allow_list, &b->allow_list);
}

/* Index of the first revocation not below `r`. */
static size_t place_of(const struct log_state *s, const struct log_revocation *r)
{
	size_t low = 0, high = s->revoked_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&s->revoked[middle], r) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct log_revocation *authlog_state_revocations(const struct log_state *s, enum log_revoke_what what,
						       const struct id *id, size_t *ret_count)
{
	struct log_revocation lowest = {.what = what, .id = *id};
	size_t first = place_of(s, &lowest), end = first;
	while (end < s->revoked_count && s->revoked[end].what == what && id_equal(&s->revoked[end].id, id))
		end++;
	*ret_count = end - first;
	return end > first ? &s->revoked[first] : NULL;
}

static bool is_revoked(const struct log_state *s, enum log_revoke_what what, const struct id *id)
{
	size_t count;
	return authlog_state_revocations(s, what, id, &count) != NULL;
}

/* A grant of a known issuer replaces the one before. */
static enum err apply_grant(struct log_state *s, const struct authlog_grant *grant, wall_day day)
{
	struct authlog_grant *known = authlog_state_grant(s, &grant->issuer);
	wall_day granted = known == NULL ? day : known->granted;
	if (known == NULL) {
		if (!authlog_reserve(&s->grants, s->grant_count, &s->grant_cap, sizeof(*s->grants)))
			return ERR_NOMEM;
		known = malloc(sizeof(*known));
		if (known == NULL)
			return ERR_NOMEM;
		s->grants[s->grant_count++] = known;
	}
	*known = *grant;
	known->granted = granted;
	known->revoked = is_revoked(s, LOG_REVOKE_ISSUER, &grant->issuer);
	return ERR_OK;
}

static void apply_extend(struct log_state *s, const struct log_extend *extend)
{
	for (size_t i = 0; i < s->grant_count; i++) {
		struct authlog_grant *grant = s->grants[i];
		if (!extend->all && !id_equal(&grant->issuer, &extend->issuer))
			continue;
		if (extend->has_last_day)
			grant->last_day = extend->last_day;
		if (extend->has_quota)
			grant->quota = extend->quota;
	}
}

static enum err apply_operator(struct log_state *s, const struct authlog_operator *operator_)
{
	struct authlog_operator *known = authlog_state_operator(s, &operator_->id);
	if (known == NULL) {
		if (!authlog_reserve(&s->operators, s->operator_count, &s->operator_cap,
				     sizeof(*s->operators)))
			return ERR_NOMEM;
		known = malloc(sizeof(*known));
		if (known == NULL)
			return ERR_NOMEM;
		s->operators[s->operator_count++] = known;
	}
	*known = *operator_;
	known->revoked = is_revoked(s, LOG_REVOKE_OPERATOR, &operator_->id);
	return ERR_OK;
}

/* Kept by id, so that it holds for what is granted later, too. */
static enum err apply_revoke(struct log_state *s, const struct log_revocation *r)
{
	size_t at = place_of(s, r);
	if (at < s->revoked_count && compare(&s->revoked[at], r) == 0)
		return ERR_OK;
	if (!authlog_reserve(&s->revoked, s->revoked_count, &s->revoked_cap, sizeof(*s->revoked)))
		return ERR_NOMEM;
	memmove(&s->revoked[at + 1], &s->revoked[at], (s->revoked_count - at) * sizeof(*r));
	s->revoked[at] = *r;
	s->revoked_count++;
	struct authlog_grant *grant = r->what == LOG_REVOKE_ISSUER ? authlog_state_grant(s, &r->id) : NULL;
	if (grant != NULL)
		grant->revoked = true;
	struct authlog_operator *operator_ =
	    r->what == LOG_REVOKE_OPERATOR ? authlog_state_operator(s, &r->id) : NULL;
	if (operator_ != NULL)
		operator_->revoked = true;
	return ERR_OK;
}

enum err authlog_state_apply(struct log_state *s, const struct log_entry *e, const struct log_body *body,
			     bool full)
{
	enum err err = ERR_OK;
	if (!full && e->type != LOG_REVOKE)
		return ERR_OK;
	switch ((enum log_entry_type)e->type) {
	case LOG_GRANT:
		err = apply_grant(s, &body->grant, (wall_day)(e->time_s * CLOCK_SECOND_MS / CLOCK_DAY_MS));
		break;
	case LOG_EXTEND:
		apply_extend(s, &body->extend);
		break;
	case LOG_OPERATOR:
		err = apply_operator(s, &body->operator_);
		break;
	case LOG_REVOKE:
		err = apply_revoke(
		    s, &(struct log_revocation){body->revoke_what, body->revoke_id, body->allow_list});
		break;
	case LOG_GENESIS:
	case LOG_ROTATE:
		/* They say who signs, which is a matter of each branch. */
		break;
	}
	if (err == ERR_OK && full)
		s->day = (wall_day)(e->time_s * CLOCK_SECOND_MS / CLOCK_DAY_MS);
	return err;
}
