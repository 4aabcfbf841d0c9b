/* What follows from the entries of an authority log: grants, operators, revocations. Inside crypto/ only. */
#ifndef MESH_CRYPTO_AUTHLOG_STATE_H
#define MESH_CRYPTO_AUTHLOG_STATE_H

#include "crypto/authlog_entry.h"

struct log_revocation {
	enum log_revoke_what what;
	struct id id;
	struct id allow_list; /* issuer: blob that names the hosts which stay; zero: none stays */
};

/* Grants and operators are held by pointer: those handed out stay valid while the tables grow. */
struct log_state {
	wall_day day;
	struct authlog_grant **grants;
	size_t grant_count, grant_cap;
	struct authlog_operator **operators;
	size_t operator_count, operator_cap;
	struct log_revocation *revoked; /* ascending, so that the order of arrival leaves no trace */
	size_t revoked_count, revoked_cap;
};

void authlog_state_release(struct log_state *s);
/* `full`: else only a revocation counts. ERR_NOMEM, and nothing has changed. */
enum err authlog_state_apply(struct log_state *s, const struct log_entry *e, const struct log_body *body,
			     bool full);

struct authlog_grant *authlog_state_grant(const struct log_state *s, const struct id *issuer);
struct authlog_operator *authlog_state_operator(const struct log_state *s, const struct id *op);
/* All revocations of one id; NULL and 0 when there is none. */
const struct log_revocation *authlog_state_revocations(const struct log_state *s, enum log_revoke_what what,
						       const struct id *id, size_t *ret_count);

/* Room for one more element. */
bool authlog_reserve(void *array_pointer, size_t count, size_t *cap, size_t element_bytes);

#endif
