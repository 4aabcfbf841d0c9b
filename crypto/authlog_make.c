/* Making entries: what the authority's tools sign. Each is checked as a reader would before it leaves. */
#include <string.h>

#include "base/mp.h"
#include "crypto/authlog.h"
#include "crypto/authlog_private.h"

/* `before` NULL: a genesis. */
static enum err sign(const struct authlog *log, const struct log_node *before, const struct identity *signer,
		     struct log_entry e, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	struct log_body decoded;
	static const uint8_t no_hash[LOG_HASH_BYTES];
	e.index = before == NULL ? 0 : before->index + 1;
	e.before = before == NULL ? no_hash : before->hash;
	e.time_s = now / CLOCK_SECOND_MS;
	if (e.index >= LIMIT_LOG_ENTRIES || (e.type != LOG_ROTATE && log->node_count >= LIMIT_LOG_ENTRIES))
		return ERR_LIMIT;
	enum err err = log_entry_sign(&e, authlog_estate(log), signer, entry, &len);
	if (err == ERR_OK)
		err = log_entry_parse(entry, len, &e);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &decoded);
	if (err != ERR_OK)
		return err;
	memcpy(ret, entry, len);
	*ret_len = len;
	return ERR_OK;
}

enum err authlog_make_entry(const struct authlog *log, const struct identity *authority,
			    enum log_entry_type type, const uint8_t *body, size_t body_len, wall_ms now,
			    uint8_t *ret, size_t *ret_len)
{
	const struct log_node *before = NULL;
	if ((log->node_count == 0) != (type == LOG_GENESIS))
		return ERR_ARG;
	if (log->node_count > 0)
		before = authlog_place(log, identity_public_key(authority), type == LOG_ROTATE);
	if (log->node_count > 0 && before == NULL)
		return ERR_UNTRUSTED;
	struct log_entry e = {.type = (uint8_t)type, .body = body, .body_len = body_len};
	return sign(log, before, authority, e, now, ret, ret_len);
}

/* The body is whole, or it was longer than any entry. */
static enum err make(const struct authlog *log, const struct identity *authority, enum log_entry_type type,
		     const struct mp_writer *body, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	if (body->failed)
		return ERR_LIMIT;
	return authlog_make_entry(log, authority, type, body->data, body->len, now, ret, ret_len);
}

enum err authlog_make_genesis(const struct identity *authority, const uint8_t successor[KEY_BYTES],
			      const char *estate_name, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	struct authlog *empty;
	enum err err = authlog_new(&empty);
	if (err != ERR_OK)
		return err;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 3);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, identity_public_key(authority), KEY_BYTES);
	mp_put_u64(&w, 2);
	mp_put_str(&w, estate_name);
	mp_put_u64(&w, 3);
	mp_put_bin(&w, successor, KEY_BYTES);
	err = make(empty, authority, LOG_GENESIS, &w, now, ret, ret_len);
	authlog_free(empty);
	return err;
}

static void put_sites(struct mp_writer *w, const struct authlog_grant *grant)
{
	mp_put_array(w, grant->site_count);
	for (size_t i = 0; i < grant->site_count; i++)
		mp_put_str(w, grant->sites[i]);
}

enum err authlog_make_grant(const struct authlog *log, const struct identity *authority,
			    const struct authlog_grant *grant, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	if (grant->site_count > LIMIT_GRANT_SITES)
		return ERR_ARG;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 6);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, grant->public_key, KEY_BYTES);
	mp_put_u64(&w, 2);
	put_sites(&w, grant);
	mp_put_u64(&w, 3);
	mp_put_u64(&w, grant->quota);
	mp_put_u64(&w, 4);
	mp_put_u64(&w, grant->last_day);
	mp_put_u64(&w, 5);
	mp_put_str(&w, grant->name);
	mp_put_u64(&w, 6);
	mp_put_u64(&w, grant->grace_days);
	return make(log, authority, LOG_GRANT, &w, now, ret, ret_len);
}

enum err authlog_make_extend(const struct authlog *log, const struct identity *authority,
			     const struct id *issuer, const wall_day *last_day, const uint32_t *quota,
			     wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	if (last_day == NULL && quota == NULL)
		return ERR_ARG;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, (size_t)(issuer != NULL) + (last_day != NULL) + (quota != NULL));
	if (issuer != NULL) {
		mp_put_u64(&w, 1);
		mp_put_bin(&w, issuer->b, ID_BYTES);
	}
	if (last_day != NULL) {
		mp_put_u64(&w, 2);
		mp_put_u64(&w, *last_day);
	}
	if (quota != NULL) {
		mp_put_u64(&w, 3);
		mp_put_u64(&w, *quota);
	}
	return make(log, authority, LOG_EXTEND, &w, now, ret, ret_len);
}

enum err authlog_make_operator(const struct authlog *log, const struct identity *authority,
			       const uint8_t public_key[KEY_BYTES], const char *name, uint8_t roles,
			       wall_day last_day, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 4);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, public_key, KEY_BYTES);
	mp_put_u64(&w, 2);
	mp_put_str(&w, name);
	mp_put_u64(&w, 3);
	mp_put_u64(&w, roles);
	mp_put_u64(&w, 4);
	mp_put_u64(&w, last_day);
	return make(log, authority, LOG_OPERATOR, &w, now, ret, ret_len);
}

enum err authlog_make_revoke(const struct authlog *log, const struct identity *authority,
			     enum log_revoke_what what, const struct id *id, const struct id *allow_list,
			     const char *reason, wall_ms now, uint8_t *ret, size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	if (allow_list != NULL && what != LOG_REVOKE_ISSUER)
		return ERR_ARG;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, allow_list == NULL ? 3 : 4);
	mp_put_u64(&w, 1);
	mp_put_u64(&w, (uint64_t)what);
	mp_put_u64(&w, 2);
	mp_put_bin(&w, id->b, ID_BYTES);
	if (allow_list != NULL) {
		mp_put_u64(&w, 3);
		mp_put_bin(&w, allow_list->b, ID_BYTES);
	}
	mp_put_u64(&w, 4);
	mp_put_str(&w, reason);
	return make(log, authority, LOG_REVOKE, &w, now, ret, ret_len);
}

enum err authlog_make_rotate(const struct authlog *log, const struct identity *successor,
			     const uint8_t next[KEY_BYTES], const struct id *after, wall_ms now, uint8_t *ret,
			     size_t *ret_len)
{
	uint8_t body[LOG_BODY_BYTES];
	struct mp_writer w;
	const uint8_t *own = identity_public_key(successor);
	const struct log_node *before = after == NULL ? authlog_place(log, own, true) : NULL;
	for (size_t i = 0; after != NULL && i < log->node_count && before == NULL; i++)
		if (memcmp(log->nodes[i]->hash, after->b, ID_BYTES) == 0)
			before = log->nodes[i];
	if (after != NULL && before == NULL)
		return ERR_NOT_FOUND;
	if (before == NULL || memcmp(before->successor, own, KEY_BYTES) != 0)
		return ERR_UNTRUSTED;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 2);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, own, KEY_BYTES);
	mp_put_u64(&w, 2);
	mp_put_bin(&w, next, KEY_BYTES);
	struct log_entry e = {.type = LOG_ROTATE, .body = body, .body_len = w.len};
	return sign(log, before, successor, e, now, ret, ret_len);
}
