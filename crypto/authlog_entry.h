/* One entry of the authority log: envelope and bodies, inside crypto/ only. */
#ifndef MESH_CRYPTO_AUTHLOG_ENTRY_H
#define MESH_CRYPTO_AUTHLOG_ENTRY_H

#include "crypto/authlog_view.h"

#define LOG_HASH_BYTES           32
#define LOG_ENTRY_ENVELOPE_BYTES 117
#define LOG_BODY_BYTES           (LIMIT_LOG_ENTRY_BYTES - LOG_ENTRY_ENVELOPE_BYTES)

/* A parsed entry: views into the caller's bytes. */
struct log_entry {
	uint8_t type;
	uint32_t index;
	const uint8_t *before; /* LOG_HASH_BYTES: hash of the entry before */
	uint64_t time_s;
	const uint8_t *body;
	size_t body_len;
	const uint8_t *bytes;
	size_t len;
};

/* Structure only. ERR_SHORT, ERR_LIMIT, ERR_VERSION, ERR_FORMAT. */
enum err log_entry_parse(const uint8_t *bytes, size_t len, struct log_entry *ret);
/* ERR_SIGNATURE. `estate` is zero for entry 0. */
enum err log_entry_verify(const struct log_entry *e, const struct id *estate,
			  const uint8_t public_key[KEY_BYTES]);
/* Encode and sign; e's type, index, before, time_s and body are read. ERR_LIMIT. */
enum err log_entry_sign(const struct log_entry *e, const struct id *estate, const struct identity *authority,
			uint8_t *ret, size_t *ret_len);

struct log_extend {
	bool all;
	struct id issuer; /* unless all */
	bool has_last_day;
	wall_day last_day;
	bool has_quota;
	uint32_t quota;
};

struct log_body {
	uint8_t type;
	uint8_t public_key[KEY_BYTES];         /* genesis, rotate */
	uint8_t successor[KEY_BYTES];          /* genesis, rotate: who may sign the next rotation */
	char name[LIMIT_SHORT_TEXT_BYTES + 1]; /* genesis */
	struct authlog_grant grant;
	struct log_extend extend;
	struct authlog_operator operator_;
	enum log_revoke_what revoke_what;
	struct id revoke_id;
	struct id allow_list; /* revoke: zero: none */
};

/* ERR_FORMAT, ERR_NOMEM. ERR_VERSION: a genesis that names no successor, as a draft of the format had it.
 * Fields that are not known are skipped. */
enum err log_body_decode(uint8_t type, const uint8_t *body, size_t len, struct log_body *ret);

#endif
