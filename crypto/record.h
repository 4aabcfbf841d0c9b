/* Record envelope: signed bytes with fields at fixed offsets (docs/protocol.md section 2). */
#ifndef MESH_CRYPTO_RECORD_H
#define MESH_CRYPTO_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/hash.h"
#include "crypto/identity.h"

#define RECORD_ENVELOPE_BYTES 141
#define RECORD_BODY_OFFSET    75

enum record_kind {
	RECORD_CERTIFICATE = 1,
	RECORD_PROFILE = 2,
	RECORD_HEALTH = 3,
	RECORD_COMPONENTS = 4,
	RECORD_CRASHES = 5,
	RECORD_GOODBYE = 6,
	RECORD_ROLLCALL = 16,
	RECORD_REACH = 17,
	RECORD_INCIDENT = 32,
	RECORD_CLAIM = 33,
	RECORD_NOTE = 34,
	RECORD_POLICY = 35,
	RECORD_INVENTORY = 36,
	RECORD_DECOMMISSION = 37,
};

/* Who may sign a kind. */
enum record_class { RECORD_CLASS_REFUSED, RECORD_CLASS_HOST, RECORD_CLASS_SITE, RECORD_CLASS_OPERATOR };
enum record_class record_class_of(uint8_t kind);

struct record_key {
	uint8_t kind;
	struct id writer;
	struct id subject;
	uint64_t slot;
};

/* A parsed record: views into the caller's bytes, nothing copied but the fixed fields. */
struct record {
	struct record_key key;
	uint64_t seq;
	uint64_t instance;
	wall_ms time;
	const uint8_t *body;
	size_t body_len;
	const uint8_t *bytes;
	size_t len;
};

/* Structure only (lengths, fixed bytes, the kind's slots, canonical body map). ERR_SHORT, ERR_LIMIT,
 * ERR_VERSION, ERR_FORMAT. */
enum err record_parse(const uint8_t *bytes, size_t len, struct record *ret);

/* Of bytes that passed record_parse before and were kept since: the body is not looked at again. Its decoder
 * does, so nothing worse than an error comes of a body that is none. */
enum err record_parse_kept(const uint8_t *bytes, size_t len, struct record *ret);

/* ERR_SIGNATURE. */
enum err record_verify(const struct record *r, const struct id *estate, const uint8_t public_key[KEY_BYTES]);

/* Encode and sign. `ret` holds LIMIT_RECORD_BYTES. ERR_LIMIT when the body is too long, ERR_FORMAT when it is
 * not a canonical map, ERR_ARG for a seq of 0 or above INT64_MAX, or a slot the kind does not have. The
 * writer is the signer's id. */
enum err record_sign(const struct record_key *key, uint64_t seq, uint64_t instance, wall_ms time,
		     const uint8_t *body, size_t body_len, const struct id *estate,
		     const struct identity *signer, uint8_t *ret, size_t *ret_len);

bool record_key_equal(const struct record_key *a, const struct record_key *b);
/* Record id and key hash of section 1, under the estate's set key. */
uint64_t record_id(const uint8_t set_key[KEY_BYTES], const uint8_t *bytes, size_t len);
uint64_t record_key_hash(const uint8_t set_key[KEY_BYTES], const struct record_key *key);
/* 41 bytes: kind, writer, subject, slot; sorts by them. For storage keys. */
#define RECORD_KEY_BYTES 41
void record_key_pack(const struct record_key *key, uint8_t ret[RECORD_KEY_BYTES]);
enum err record_key_unpack(const uint8_t *data, size_t len, struct record_key *ret);

#endif
