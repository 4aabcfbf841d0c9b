/* Authority log: the chain of entries and what follows from it (docs/protocol.md section 5).
 *
 * Happy path: authlog_append parses an entry, checks that it continues the chain and carries the signature of
 * the authority key in force, takes all memory it may need, then applies it, which cannot fail.
 * Failure: an entry that does not fit changes nothing; a fork is ERR_STALE and the caller's to report.
 * Revocations are kept by id, so they hold for what is granted later, too. */
#include "crypto/authlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/authlog_entry.h"
#include "crypto/signed.h"

struct stored {
	uint8_t *bytes;
	size_t len;
};

struct revocation {
	enum log_revoke_what what;
	struct id id;
};

/* Grants and operators are held by pointer: those handed out stay valid while the tables grow. */
struct authlog {
	struct id estate;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	uint8_t authority[KEY_BYTES];
	uint8_t last_hash[LOG_HASH_BYTES];
	wall_day day;
	struct stored *entries;
	size_t entry_count, entry_cap;
	struct authlog_grant **grants;
	size_t grant_count, grant_cap;
	struct log_operator **operators;
	size_t operator_count, operator_cap;
	struct revocation *revoked; /* sorted */
	size_t revoked_count, revoked_cap;
};

enum err authlog_new(struct authlog **ret)
{
	struct authlog *log = calloc(1, sizeof(*log));
	if (log == NULL)
		return ERR_NOMEM;
	*ret = log;
	return ERR_OK;
}

void authlog_free(struct authlog *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < log->entry_count; i++)
		free(log->entries[i].bytes);
	for (size_t i = 0; i < log->grant_count; i++)
		free(log->grants[i]);
	for (size_t i = 0; i < log->operator_count; i++)
		free(log->operators[i]);
	free(log->entries);
	free(log->grants);
	free(log->operators);
	free(log->revoked);
	free(log);
}

/* Room for one more element. */
static bool reserve(void *array_pointer, size_t count, size_t *cap, size_t element_bytes)
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

static int compare_revocations(const struct revocation *a, const struct revocation *b)
{
	if (a->what != b->what)
		return a->what < b->what ? -1 : 1;
	return id_compare(&a->id, &b->id);
}

/* Index of the first revocation not below `r`. */
static size_t revocation_at(const struct authlog *log, const struct revocation *r)
{
	size_t low = 0, high = log->revoked_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_revocations(&log->revoked[middle], r) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_revoked(const struct authlog *log, enum log_revoke_what what, const struct id *id)
{
	struct revocation r = {what, *id};
	size_t at = revocation_at(log, &r);
	return at < log->revoked_count && compare_revocations(&log->revoked[at], &r) == 0;
}

static struct authlog_grant *find_grant(const struct authlog *log, const struct id *issuer)
{
	for (size_t i = 0; i < log->grant_count; i++) {
		if (id_equal(&log->grants[i]->issuer, issuer))
			return log->grants[i];
	}
	return NULL;
}

static struct log_operator *find_operator(const struct authlog *log, const struct id *op)
{
	for (size_t i = 0; i < log->operator_count; i++) {
		if (id_equal(&log->operators[i]->id, op))
			return log->operators[i];
	}
	return NULL;
}

/* All memory that applying an entry may need. */
struct spare {
	uint8_t *bytes;
	struct authlog_grant *grant;
	struct log_operator *operator_;
};

static void spare_free(struct spare *s)
{
	free(s->bytes);
	free(s->grant);
	free(s->operator_);
}

static enum err spare_take(struct authlog *log, const struct log_entry *e, struct spare *ret)
{
	struct spare s = {.bytes = malloc(e->len)};
	bool ok = s.bytes != NULL &&
		  reserve(&log->entries, log->entry_count, &log->entry_cap, sizeof(*log->entries));
	if (ok && e->type == LOG_GRANT) {
		s.grant = malloc(sizeof(*s.grant));
		ok = s.grant != NULL &&
		     reserve(&log->grants, log->grant_count, &log->grant_cap, sizeof(struct authlog_grant *));
	}
	if (ok && e->type == LOG_OPERATOR) {
		s.operator_ = malloc(sizeof(*s.operator_));
		ok = s.operator_ != NULL && reserve(&log->operators, log->operator_count, &log->operator_cap,
						    sizeof(struct log_operator *));
	}
	if (ok && e->type == LOG_REVOKE)
		ok = reserve(&log->revoked, log->revoked_count, &log->revoked_cap, sizeof(*log->revoked));
	if (!ok) {
		spare_free(&s);
		return ERR_NOMEM;
	}
	*ret = s;
	return ERR_OK;
}

/* A grant of a known issuer replaces the one before. */
static void apply_grant(struct authlog *log, const struct authlog_grant *grant, struct spare *s)
{
	struct authlog_grant *known = find_grant(log, &grant->issuer);
	if (known == NULL) {
		known = log->grants[log->grant_count++] = s->grant;
		s->grant = NULL;
	}
	*known = *grant;
	known->revoked = is_revoked(log, LOG_REVOKE_ISSUER, &grant->issuer);
}

static void apply_extend(struct authlog *log, const struct log_extend *extend)
{
	for (size_t i = 0; i < log->grant_count; i++) {
		struct authlog_grant *grant = log->grants[i];
		if (!extend->all && !id_equal(&grant->issuer, &extend->issuer))
			continue;
		if (extend->has_last_day)
			grant->last_day = extend->last_day;
		if (extend->has_quota)
			grant->quota = extend->quota;
	}
}

static void apply_operator(struct authlog *log, const struct log_operator *operator_, struct spare *s)
{
	struct log_operator *known = find_operator(log, &operator_->id);
	if (known == NULL) {
		known = log->operators[log->operator_count++] = s->operator_;
		s->operator_ = NULL;
	}
	*known = *operator_;
	known->revoked = is_revoked(log, LOG_REVOKE_OPERATOR, &operator_->id);
}

static void apply_revoke(struct authlog *log, enum log_revoke_what what, const struct id *id)
{
	struct revocation r = {what, *id};
	size_t at = revocation_at(log, &r);
	if (at < log->revoked_count && compare_revocations(&log->revoked[at], &r) == 0)
		return;
	memmove(&log->revoked[at + 1], &log->revoked[at], (log->revoked_count - at) * sizeof(r));
	log->revoked[at] = r;
	log->revoked_count++;
	struct authlog_grant *grant = what == LOG_REVOKE_ISSUER ? find_grant(log, id) : NULL;
	if (grant != NULL)
		grant->revoked = true;
	struct log_operator *operator_ = what == LOG_REVOKE_OPERATOR ? find_operator(log, id) : NULL;
	if (operator_ != NULL)
		operator_->revoked = true;
}

static void apply(struct authlog *log, const struct log_entry *e, const struct log_body *body,
		  struct spare *s)
{
	switch ((enum log_entry_type)e->type) {
	case LOG_GENESIS:
		hash_bytes(log->estate.b, ID_BYTES, "mesh.estate", e->bytes, e->len);
		memcpy(log->authority, body->public_key, KEY_BYTES);
		memcpy(log->name, body->name, sizeof(log->name));
		break;
	case LOG_GRANT:
		apply_grant(log, &body->grant, s);
		break;
	case LOG_EXTEND:
		apply_extend(log, &body->extend);
		break;
	case LOG_OPERATOR:
		apply_operator(log, &body->operator_, s);
		break;
	case LOG_REVOKE:
		apply_revoke(log, body->revoke_what, &body->revoke_id);
		break;
	case LOG_ROTATE:
		memcpy(log->authority, body->public_key, KEY_BYTES);
		break;
	}
	log->day = (wall_day)(e->time_s * CLOCK_SECOND_MS / CLOCK_DAY_MS);
	hash_bytes(log->last_hash, LOG_HASH_BYTES, "mesh.log", e->bytes, e->len);
	memcpy(s->bytes, e->bytes, e->len);
	log->entries[log->entry_count++] = (struct stored){s->bytes, e->len};
	s->bytes = NULL;
}

/* Does the entry continue the chain? */
static enum err check_place(const struct authlog *log, const struct log_entry *e)
{
	if (e->index < log->entry_count) {
		const struct stored *known = &log->entries[e->index];
		return known->len == e->len && memcmp(known->bytes, e->bytes, e->len) == 0 ? ERR_EXISTS
											   : ERR_STALE;
	}
	if (e->index > log->entry_count)
		return ERR_STALE;
	if ((e->index == 0) != (e->type == LOG_GENESIS))
		return ERR_FORMAT;
	if (memcmp(e->before, log->last_hash, LOG_HASH_BYTES) != 0)
		return e->index == 0 ? ERR_FORMAT : ERR_STALE;
	return e->index < LIMIT_LOG_ENTRIES ? ERR_OK : ERR_LIMIT;
}

static enum err check_signatures(const struct authlog *log, const struct log_entry *e,
				 const struct log_body *body)
{
	enum err err =
	    log_entry_verify(e, &log->estate, e->type == LOG_GENESIS ? body->public_key : log->authority);
	if (err != ERR_OK || e->type != LOG_ROTATE)
		return err;
	/* The holder of the new key must agree, or anyone's key could be put in. */
	return signed_check(LOG_ROTATE_LABEL, &log->estate, log->authority, KEY_BYTES, body->public_key,
			    body->proof);
}

static enum err append(struct authlog *log, const uint8_t *entry, size_t len, bool checked_before)
{
	struct log_entry e;
	struct log_body body;
	struct spare spare;
	enum err err = log_entry_parse(entry, len, &e);
	if (err == ERR_OK)
		err = check_place(log, &e);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &body);
	if (err == ERR_OK && !checked_before)
		err = check_signatures(log, &e, &body);
	if (err == ERR_OK)
		err = spare_take(log, &e, &spare);
	if (err != ERR_OK)
		return err;
	apply(log, &e, &body, &spare);
	spare_free(&spare);
	return ERR_OK;
}

enum err authlog_append(struct authlog *log, const uint8_t *entry, size_t len)
{
	return append(log, entry, len, false);
}

enum err authlog_copy(const struct authlog *log, struct authlog **ret)
{
	struct authlog *copy;
	enum err err = authlog_new(&copy);
	for (size_t i = 0; err == ERR_OK && i < log->entry_count; i++) {
		err = append(copy, log->entries[i].bytes, log->entries[i].len, true);
		if (err != ERR_OK)
			authlog_free(copy);
	}
	if (err == ERR_OK)
		*ret = copy;
	return err;
}

size_t authlog_count(const struct authlog *log)
{
	return log->entry_count;
}

const uint8_t *authlog_entry(const struct authlog *log, size_t index, size_t *ret_len)
{
	if (index >= log->entry_count)
		return NULL;
	*ret_len = log->entries[index].len;
	return log->entries[index].bytes;
}

struct authlog_head authlog_head(const struct authlog *log)
{
	struct authlog_head head = {0};
	if (log->entry_count == 0)
		return head;
	head.index = (uint32_t)(log->entry_count - 1);
	for (size_t i = 0; i < sizeof(head.hash); i++)
		head.hash = head.hash << 8 | log->last_hash[i];
	return head;
}

const struct id *authlog_estate(const struct authlog *log)
{
	return &log->estate;
}

const char *authlog_estate_name(const struct authlog *log)
{
	return log->name;
}

wall_day authlog_day(const struct authlog *log)
{
	return log->day;
}

const struct authlog_grant *authlog_find_grant(const struct authlog *log, const struct id *issuer)
{
	return find_grant(log, issuer);
}

bool authlog_host_revoked(const struct authlog *log, const struct id *host)
{
	return is_revoked(log, LOG_REVOKE_HOST, host);
}

const uint8_t *authlog_operator_key(const struct authlog *log, const struct id *op)
{
	const struct log_operator *operator_ = find_operator(log, op);
	return operator_ == NULL || operator_->revoked ? NULL : operator_->public_key;
}

const uint8_t *authlog_key(const struct authlog *log)
{
	return log->entry_count == 0 ? NULL : log->authority;
}

const uint8_t *authlog_last_hash(const struct authlog *log)
{
	return log->last_hash;
}
