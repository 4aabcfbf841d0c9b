/* Authority log: who may enrol hosts, who are operators, what is revoked (docs/protocol.md section 5).
 * Entries are hash-linked, signed by the authority key in force, and only ever appended. */
#ifndef MESH_CRYPTO_AUTHLOG_H
#define MESH_CRYPTO_AUTHLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/identity.h"

enum log_entry_type {
	LOG_GENESIS = 0,
	LOG_GRANT = 1,
	LOG_EXTEND = 2,
	LOG_OPERATOR = 3,
	LOG_REVOKE = 4,
	LOG_ROTATE = 5,
};

enum log_revoke_what {
	LOG_REVOKE_HOST = 1,
	LOG_REVOKE_ISSUER = 2,
	LOG_REVOKE_OPERATOR = 3,
};

/* Every entry begins so, no blob does: files and callers that take both tell them apart by it. */
#define LOG_ENTRY_FIRST_BYTE 0x97

struct authlog;
struct log_node;

struct authlog_head {
	uint32_t index; /* of the last entry; a rotation may take it back */
	uint64_t hash;  /* first 8 bytes of its log hash */
};

/* An issuer's grant as it stands after extensions and revocations. */
struct authlog_grant {
	struct id issuer;
	uint8_t public_key[KEY_BYTES];
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	char sites[LIMIT_GRANT_SITES][LIMIT_SITE_NAME_BYTES + 1];
	size_t site_count; /* 0: any site */
	uint32_t quota;
	wall_day last_day;
	uint16_t grace_days;
	wall_day granted; /* of the first entry that granted it; not heeded by authlog_make_grant */
	bool revoked;
	/* Revoked: blob that names the hosts which stay; zero: none stays. Where several revocations name one
	 * each, the next that is not complete here (authlog_set_allowed). */
	struct id allow_list;
};

/* A person. Roles are bits (docs/protocol.md section 5). */
enum log_role {
	LOG_ROLE_INCIDENTS = 1,
	LOG_ROLE_INVENTORY = 2,
	LOG_ROLE_POLICY = 4,
	LOG_ROLE_DECOMMISSION = 8
};
/* What an operator needs to sign records of this kind; 0: there is none, nobody may. */
uint8_t authlog_role_of(uint8_t record_kind);

struct authlog_operator {
	struct id id;
	uint8_t public_key[KEY_BYTES];
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	uint8_t roles;
	wall_day last_day;
	bool revoked;
};

enum err authlog_new(struct authlog **ret);
void authlog_free(struct authlog *log);
/* Deep copy, for tools that must not touch the original on failure. */
enum err authlog_copy(const struct authlog *log, struct authlog **ret);

/* Check and append one entry. Genesis must come first and fixes the estate id. ERR_EXISTS when the log has
 * that very entry, ERR_STALE (its predecessor is not here: a gap, or the entry is of another estate),
 * ERR_SIGNATURE, ERR_FORMAT, ERR_VERSION (a log without successors, of a draft), ERR_NOMEM.
 *
 * An entry whose predecessor has a successor already forks the log: then all branches are kept (at most
 * LIMIT_LOG_BRANCHES), and of what stands behind the first fork only revocations count, those of every
 * branch. A rotation drops all that the key which it retires has signed and that it does not stand on.
 * The same entries make the same log, in whatever order they came.
 * ERR_LIMIT: no room for one more entry or branch. ERR_UNTRUSTED: by a key that a rotation here has retired.
 * Both may be taken later, when a rotation stands on them: authlog_offer. */
enum err authlog_append(struct authlog *log, const uint8_t *entry, size_t len);

/* Well signed entries that a log could not take one by one (ERR_LIMIT, ERR_UNTRUSTED, or dropped by a
 * rotation), LIMIT_LOG_ENTRIES at most. Each source of entries (a peer that is asked, a file) has a run of
 * its own, so that none is in another's way. Zero at first; for one log, while that lasts. */
struct authlog_run {
	struct log_node **nodes; /* private */
	size_t count, cap;
};
void authlog_run_clear(struct authlog_run *run);
/* As authlog_append, but what the log refuses for now is kept in the run: a rotation that stands on such
 * entries takes them in with it, even into a log that was full. */
enum err authlog_offer(struct authlog *log, struct authlog_run *run, const uint8_t *entry, size_t len);
bool authlog_forked(const struct authlog *log);
size_t authlog_branches(const struct authlog *log); /* 1 unless forked; 0 while empty */
/* Whether this head is one that the log has, or has gone through: then its owner has nothing new. */
bool authlog_knows_head(const struct authlog *log, struct authlog_head head);

/* Public key of the authority in force, of a forked log up to the fork; NULL while empty. */
const uint8_t *authlog_key(const struct authlog *log);
/* Public key of who may sign the next rotation, likewise. */
const uint8_t *authlog_successor(const struct authlog *log);

/* Entries of all branches, in the order (index, log hash). */
size_t authlog_count(const struct authlog *log);
/* NULL when out of range; owned by the log. */
const uint8_t *authlog_entry(const struct authlog *log, size_t index, size_t *ret_len);
struct authlog_head authlog_head(const struct authlog *log); /* zeroes while empty */
const struct id *authlog_estate(const struct authlog *log);  /* zero while empty */
const char *authlog_estate_name(const struct authlog *log);
/* Of the last entry that counts in full: floor of a node's clock. So a fork from the future moves no clock.
 */
wall_day authlog_day(const struct authlog *log);

/* What is returned by pointer is valid until the next append.
 * NULL when unknown; a revoked grant is returned with `revoked` set. */
const struct authlog_grant *authlog_find_grant(const struct authlog *log, const struct id *issuer);
bool authlog_host_revoked(const struct authlog *log, const struct id *host);
/* Whether a certificate of this issuer about this host can still hold: neither is revoked, or the issuer is
 * and its allow-list names the host. Until a list is complete here its issuer's hosts count as named:
 * `ret_sure` (may be NULL) is false then, and certificates not seen before are to be refused. */
bool authlog_stands(const struct authlog *log, const struct id *issuer, const struct id *host,
		    bool *ret_sure);
/* The complete list that `list` (struct authlog_grant) names: ascending ids, copied. ERR_NOT_FOUND when no
 * revocation names it, ERR_FORMAT (not ascending), ERR_LIMIT (beyond LIMIT_ALLOW_HOSTS, or all lists together
 * beyond four times that), ERR_NOMEM. */
enum err authlog_set_allowed(struct authlog *log, const struct id *list, const struct id *hosts,
			     size_t count);
/* Lists that revocations name, one per revocation, and whether each is complete here; NULL behind the last.
 */
const struct id *authlog_allow_list_at(const struct authlog *log, size_t index, bool *ret_complete);
/* Public key of an operator who is not revoked; NULL otherwise. */
const uint8_t *authlog_operator_key(const struct authlog *log, const struct id *op);
/* NULL when unknown; a revoked operator is returned with `revoked` set. */
const struct authlog_operator *authlog_find_operator(const struct authlog *log, const struct id *op);
/* By index; grants and operators in the order of their first entries, hosts by id; NULL behind the last. */
const struct authlog_grant *authlog_grant_at(const struct authlog *log, size_t index);
const struct authlog_operator *authlog_operator_at(const struct authlog *log, size_t index);
const struct id *authlog_revoked_host_at(const struct authlog *log, size_t index);

/* Make signed entries (not appended). `authority` must be the key in force (ERR_UNTRUSTED). ret holds
 * LIMIT_LOG_ENTRY_BYTES. Of a forked log the longest branch on which that key is in force is extended, of
 * equally long ones the one whose last entry has the lowest log hash; only revocations and rotations are of
 * use there. A successor is named by its public key, and is not the key that is put in force (ERR_FORMAT). */
enum err authlog_make_genesis(const struct identity *authority, const uint8_t successor[KEY_BYTES],
			      const char *estate_name, wall_ms now, uint8_t *ret, size_t *ret_len);
enum err authlog_make_grant(const struct authlog *log, const struct identity *authority,
			    const struct authlog_grant *grant, wall_ms now, uint8_t *ret, size_t *ret_len);

/* `issuer` NULL: all grants. `last_day`, `quota` NULL: as they are; one of them must be given. */
enum err authlog_make_extend(const struct authlog *log, const struct identity *authority,
			     const struct id *issuer, const wall_day *last_day, const uint32_t *quota,
			     wall_ms now, uint8_t *ret, size_t *ret_len);
enum err authlog_make_operator(const struct authlog *log, const struct identity *authority,
			       const uint8_t public_key[KEY_BYTES], const char *name, uint8_t roles,
			       wall_day last_day, wall_ms now, uint8_t *ret, size_t *ret_len);
/* `allow_list` (may be NULL): only with LOG_REVOKE_ISSUER. */
enum err authlog_make_revoke(const struct authlog *log, const struct identity *authority,
			     enum log_revoke_what what, const struct id *id, const struct id *allow_list,
			     const char *reason, wall_ms now, uint8_t *ret, size_t *ret_len);
/* By the successor that the log names (ERR_UNTRUSTED), who names the next one. `after`: the first half of the
 * log hash (struct authlog_view) of the last entry that is to stand, ERR_NOT_FOUND; NULL: where others
 * append. */
enum err authlog_make_rotate(const struct authlog *log, const struct identity *successor,
			     const uint8_t next[KEY_BYTES], const struct id *after, wall_ms now, uint8_t *ret,
			     size_t *ret_len);
/* An entry from its msgpack body. ERR_UNTRUSTED (not the key in force, or not its successor), ERR_FORMAT,
 * ERR_LIMIT, ERR_ARG. */
enum err authlog_make_entry(const struct authlog *log, const struct identity *authority,
			    enum log_entry_type type, const uint8_t *body, size_t body_len, wall_ms now,
			    uint8_t *ret, size_t *ret_len);

/* File: each entry with a u16 length in front, of all branches, in the order of authlog_entry. Saving
 * replaces it durably. Loading checks every entry; damage of any kind is ERR_CORRUPT. ERR_VERSION. */
enum err authlog_save(const struct authlog *log, const char *path, struct err_info *info);
enum err authlog_load(const char *path, struct authlog **ret, struct err_info *info);

#endif
