/* What the log says: grants, operators, revocations, and the hosts that allow-lists let stay. */
#include <stdlib.h>
#include <string.h>

#include "crypto/authlog.h"
#include "crypto/authlog_private.h"
#include "crypto/record.h"

uint8_t authlog_role_of(uint8_t record_kind)
{
	switch (record_kind) {
	case RECORD_INCIDENT:
	case RECORD_CLAIM:
	case RECORD_NOTE:
		return LOG_ROLE_INCIDENTS;
	case RECORD_POLICY:
		return LOG_ROLE_POLICY;
	case RECORD_INVENTORY:
		return LOG_ROLE_INVENTORY;
	case RECORD_DECOMMISSION:
		return LOG_ROLE_DECOMMISSION;
	default:
		return 0;
	}
}

const struct authlog_grant *authlog_find_grant(const struct authlog *log, const struct id *issuer)
{
	return authlog_state_grant(&log->state, issuer);
}

const struct authlog_operator *authlog_find_operator(const struct authlog *log, const struct id *op)
{
	return authlog_state_operator(&log->state, op);
}

const uint8_t *authlog_operator_key(const struct authlog *log, const struct id *op)
{
	const struct authlog_operator *operator_ = authlog_find_operator(log, op);
	return operator_ == NULL || operator_->revoked ? NULL : operator_->public_key;
}

const struct authlog_grant *authlog_grant_at(const struct authlog *log, size_t index)
{
	return index < log->state.grant_count ? log->state.grants[index] : NULL;
}

const struct authlog_operator *authlog_operator_at(const struct authlog *log, size_t index)
{
	return index < log->state.operator_count ? log->state.operators[index] : NULL;
}

const struct id *authlog_revoked_host_at(const struct authlog *log, size_t index)
{
	_Static_assert(LOG_REVOKE_HOST < LOG_REVOKE_ISSUER, "revocations of hosts come first");
	const struct log_state *s = &log->state;
	return index < s->revoked_count && s->revoked[index].what == LOG_REVOKE_HOST ? &s->revoked[index].id
										     : NULL;
}

bool authlog_host_revoked(const struct authlog *log, const struct id *host)
{
	size_t count;
	return authlog_state_revocations(&log->state, LOG_REVOKE_HOST, host, &count) != NULL;
}

/* Index of the first complete list not below `list`. */
static size_t list_place(const struct authlog *log, const struct id *list)
{
	size_t at = 0;
	while (at < log->allowed_count && id_compare(&log->allowed[at].list, list) < 0)
		at++;
	return at;
}

static const struct log_allowed *find_list(const struct authlog *log, const struct id *list)
{
	size_t at = list_place(log, list);
	return at < log->allowed_count && id_equal(&log->allowed[at].list, list) ? &log->allowed[at] : NULL;
}

static int compare_ids(const void *a, const void *b)
{
	return id_compare(a, b);
}

bool authlog_stands(const struct authlog *log, const struct id *issuer, const struct id *host, bool *ret_sure)
{
	size_t count;
	bool sure = true, stands = !authlog_host_revoked(log, host);
	const struct log_revocation *r =
	    authlog_state_revocations(&log->state, LOG_REVOKE_ISSUER, issuer, &count);
	for (size_t i = 0; stands && i < count; i++) {
		const struct log_allowed *list = find_list(log, &r[i].allow_list);
		if (id_is_zero(&r[i].allow_list))
			stands = false;
		else if (list == NULL)
			sure = false;
		else
			stands = list->count > 0 &&
				 bsearch(host, list->hosts, list->count, sizeof(*host), compare_ids) != NULL;
	}
	if (ret_sure != NULL)
		*ret_sure = sure || !stands;
	return stands;
}

const struct id *authlog_allow_list_at(const struct authlog *log, size_t index, bool *ret_complete)
{
	for (size_t i = 0; i < log->state.revoked_count; i++) {
		const struct id *list = &log->state.revoked[i].allow_list;
		if (id_is_zero(list) || index-- > 0)
			continue;
		if (ret_complete != NULL)
			*ret_complete = find_list(log, list) != NULL;
		return list;
	}
	return NULL;
}

static bool is_named(const struct authlog *log, const struct id *list)
{
	for (size_t i = 0; i < log->state.revoked_count; i++) {
		if (id_equal(&log->state.revoked[i].allow_list, list))
			return true;
	}
	return false;
}

enum err authlog_set_allowed(struct authlog *log, const struct id *list, const struct id *hosts, size_t count)
{
	if (id_is_zero(list) || !is_named(log, list))
		return ERR_NOT_FOUND;
	if (find_list(log, list) != NULL)
		return ERR_OK; /* named by its content: the same */
	if (count > LIMIT_ALLOW_HOSTS || log->allowed_hosts + count > LOG_ALLOWED_HOSTS)
		return ERR_LIMIT;
	for (size_t i = 1; i < count; i++) {
		if (id_compare(&hosts[i - 1], &hosts[i]) >= 0)
			return ERR_FORMAT;
	}
	struct log_allowed allowed = {.list = *list, .count = count};
	allowed.hosts = malloc((count > 0 ? count : 1) * sizeof(*hosts));
	if (allowed.hosts == NULL ||
	    !authlog_reserve(&log->allowed, log->allowed_count, &log->allowed_cap, sizeof(*log->allowed))) {
		free(allowed.hosts);
		return ERR_NOMEM;
	}
	if (count > 0)
		memcpy(allowed.hosts, hosts, count * sizeof(*hosts));
	size_t at = list_place(log, list);
	memmove(&log->allowed[at + 1], &log->allowed[at], (log->allowed_count - at) * sizeof(allowed));
	log->allowed[at] = allowed;
	log->allowed_count++;
	log->allowed_hosts += count;
	authlog_name_lists(log);
	return ERR_OK;
}

void authlog_drop_lists(struct authlog *log)
{
	size_t kept = 0;
	for (size_t i = 0; i < log->allowed_count; i++) {
		if (is_named(log, &log->allowed[i].list)) {
			log->allowed[kept++] = log->allowed[i];
			continue;
		}
		log->allowed_hosts -= log->allowed[i].count;
		free(log->allowed[i].hosts);
	}
	log->allowed_count = kept;
}

enum err authlog_copy_lists(const struct authlog *from, struct authlog *to)
{
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < from->allowed_count; i++)
		err = authlog_set_allowed(to, &from->allowed[i].list, from->allowed[i].hosts,
					  from->allowed[i].count);
	return err;
}

/* The lowest list that is missing, else the lowest; zero when a revocation leaves nobody. */
static struct id list_of(const struct authlog *log, const struct id *issuer)
{
	size_t count;
	const struct log_revocation *r =
	    authlog_state_revocations(&log->state, LOG_REVOKE_ISSUER, issuer, &count);
	for (size_t i = 0; i < count && !id_is_zero(&r->allow_list); i++) {
		if (find_list(log, &r[i].allow_list) == NULL)
			return r[i].allow_list;
	}
	return count > 0 ? r->allow_list : (struct id){0};
}

void authlog_name_lists(struct authlog *log)
{
	for (size_t i = 0; i < log->state.grant_count; i++) {
		struct authlog_grant *grant = log->state.grants[i];
		if (grant->revoked)
			grant->allow_list = list_of(log, &grant->issuer);
	}
}
