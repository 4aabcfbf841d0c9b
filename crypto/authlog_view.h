/* One entry of the authority log taken apart, for people and tools. What follows from all of them together is
 * the log's to say (crypto/authlog.h). */
#ifndef MESH_CRYPTO_AUTHLOG_VIEW_H
#define MESH_CRYPTO_AUTHLOG_VIEW_H

#include "crypto/authlog.h"

#define LOG_REASON_BYTES 128

struct authlog_view {
	uint32_t index;
	enum log_entry_type type;
	uint64_t time_s;
	struct id hash;    /* first half of the entry's log hash: names it */
	struct id subject; /* issuer, operator, authority put in force, or what is revoked; zero: all issuers
			    */
	struct id successor;                   /* of a genesis or rotation: who may sign the next one */
	char name[LIMIT_SHORT_TEXT_BYTES + 1]; /* of the estate, issuer or operator; else empty */
	char sites[LIMIT_GRANT_SITES][LIMIT_SITE_NAME_BYTES + 1];
	size_t site_count; /* of a grant; 0: any */
	bool has_quota, has_last_day;
	uint32_t quota;
	wall_day last_day;
	uint16_t grace_days; /* of a grant */
	uint8_t roles;       /* of an operator: bits of enum log_role */
	enum log_revoke_what what;
	struct id allow_list;              /* of a revoked issuer; zero: none */
	char reason[LOG_REASON_BYTES + 1]; /* of a revocation */
};

/* Layout only: signatures were checked when the log took it. ERR_SHORT, ERR_LIMIT, ERR_VERSION, ERR_FORMAT.
 */
enum err authlog_view(const uint8_t *entry, size_t len, struct authlog_view *ret);

#endif
