/* Bodies of what operators sign (docs/protocol.md section 3, Operator kinds): plain structs, encoders and
 * decoders, as in record/body.h. A record of theirs has a random slot and is never changed: what closes or
 * replaces it is another one that names its slot. */
#ifndef MESH_RECORD_OPERATOR_H
#define MESH_RECORD_OPERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "crypto/id.h"

/* A term: a field, an operator, a value. Numbers that this version does not know are kept. */
enum term_operator {
	TERM_EQUAL = 1,
	TERM_NOT_EQUAL = 2,
	TERM_LESS = 3,
	TERM_LESS_EQUAL = 4,
	TERM_MORE = 5,
	TERM_MORE_EQUAL = 6,
	TERM_PREFIX = 7,
};
#define TERM_FIELD_KIND         1
#define TERM_FIELD_NAME         2
#define TERM_FIELD_VERSION      3
#define TERM_FIELD_COMPONENT_TO 31 /* fields from 32 on are the host's */
#define TERM_FIELD_STATUS       36

struct term {
	uint8_t field;
	uint8_t op; /* enum term_operator */
	char value[LIMIT_SHORT_TEXT_BYTES + 1];
};
/* "version", "host"; NULL for a number that is none. */
const char *term_field_name(unsigned field);
/* "=", ">=", "begins with"; NULL likewise. */
const char *term_operator_name(unsigned op);
/* Whether the operator holds between a field that is text and a value (docs/protocol.md section 3,
 * comparing). False for an operator that is none. */
bool term_holds(unsigned op, const char *field, const char *value);
/* "name = 'csagent' and version >= '7.11'", with quotes inside a value doubled; unknown numbers as "field 99"
 * and "operator 9". Empty for none. Cut where `cap` ends. */
void terms_text(const struct term *terms, size_t count, char *ret, size_t cap);
#define TERMS_TEXT_BYTES 1536 /* whatever the terms: the longest value is all quotes */

enum incident_op { INCIDENT_OPEN = 1, INCIDENT_CLOSE = 2 };
struct incident {
	enum incident_op op;
	uint64_t incident; /* close: slot of the record that opened it; open: 0 */
	char text[LIMIT_NOTE_BYTES + 1];
	struct term match[LIMIT_TERMS];
	size_t match_count; /* 0: nothing matches yet */
	struct term good[LIMIT_TERMS];
	size_t good_count; /* 0: up, and no match */
};

enum claim_op { CLAIM_CLAIM = 1, CLAIM_DONE = 2, CLAIM_RELEASE = 3, CLAIM_BLOCKED = 4 };
const char *claim_op_name(enum claim_op op);
enum claim_scope { CLAIM_HOST = 1, CLAIM_SITE = 2 }; /* what the record's subject is */

struct claim {
	uint64_t incident; /* slot */
	enum claim_op op;
	enum claim_scope scope;
	char text[LIMIT_REASON_BYTES + 1];
};

struct note {
	uint64_t incident; /* slot; 0: of none */
	char text[LIMIT_NOTE_BYTES + 1];
};

/* Policy and inventory: rows in blobs (record/listing.h). In force are all that no other one replaces. */
struct listing {
	struct id root;
	uint32_t rows;
	char title[LIMIT_SHORT_TEXT_BYTES + 1];
	uint64_t replaces[LIMIT_REPLACES]; /* slots */
	size_t replace_count;
};

struct decommission {
	char reason[LIMIT_REASON_BYTES + 1];
};

/* As those of record/body.h: ERR_FORMAT for a wrong type or a field that must be there and is not, ERR_RANGE
 * beyond a limit. Encoders write into LIMIT_RECORD_BODY_BYTES. */
enum err incident_encode(const struct incident *i, uint8_t *ret, size_t *ret_len);
enum err incident_decode(const uint8_t *body, size_t len, struct incident *ret);
enum err claim_encode(const struct claim *c, uint8_t *ret, size_t *ret_len);
enum err claim_decode(const uint8_t *body, size_t len, struct claim *ret);
enum err note_encode(const struct note *n, uint8_t *ret, size_t *ret_len);
enum err note_decode(const uint8_t *body, size_t len, struct note *ret);
enum err listing_encode(const struct listing *l, uint8_t *ret, size_t *ret_len);
enum err listing_decode(const uint8_t *body, size_t len, struct listing *ret);
enum err decommission_encode(const struct decommission *d, uint8_t *ret, size_t *ret_len);
enum err decommission_decode(const uint8_t *body, size_t len, struct decommission *ret);

#endif
