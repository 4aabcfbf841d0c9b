/* Records from the network or from disk: record_parse, then the decoder of the kind. Whatever parses packs
 * and unpacks its key, and a body that decodes encodes to what decodes again. */
#include <string.h>

#include "base/check.h"
#include "crypto/certificate.h"
#include "record/body.h"
#include "tests/fuzz/fuzz.h"

/* Decode, encode, decode: an encoder writes what its decoder takes. */
#define DECODE(name, r)                                                                                      \
	do {                                                                                                 \
		static struct name first, second;                                                            \
		uint8_t body[LIMIT_RECORD_BODY_BYTES];                                                       \
		size_t body_len;                                                                             \
		if (name##_decode((r)->body, (r)->body_len, &first) == ERR_OK &&                             \
		    name##_encode(&first, body, &body_len) == ERR_OK)                                        \
			CHECK(name##_decode(body, body_len, &second) == ERR_OK);                             \
	} while (0)

static void decode_body(const struct record *r)
{
	switch (r->key.kind) {
	case RECORD_PROFILE:
		DECODE(profile, r);
		break;
	case RECORD_HEALTH:
		DECODE(health, r);
		break;
	case RECORD_COMPONENTS:
		DECODE(components, r);
		break;
	case RECORD_CRASHES:
		DECODE(crashes, r);
		break;
	case RECORD_GOODBYE:
		DECODE(goodbye, r);
		break;
	case RECORD_ROLLCALL:
		DECODE(rollcall, r);
		break;
	case RECORD_REACH:
		DECODE(reach, r);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct record r;
	struct record_key key;
	struct certificate c;
	uint8_t packed[RECORD_KEY_BYTES];
	CHECK(crypto_init() == ERR_OK);
	if (record_parse(data, len, &r) != ERR_OK)
		return 0;
	CHECK(r.bytes == data && r.len == len && r.body_len == len - RECORD_ENVELOPE_BYTES && r.seq != 0);
	record_key_pack(&r.key, packed);
	CHECK(record_key_unpack(packed, sizeof(packed), &key) == ERR_OK && record_key_equal(&key, &r.key));
	if (certificate_decode(&r, &c) == ERR_OK)
		CHECK(strlen(c.site) > 0 && strlen(c.site) <= LIMIT_SITE_NAME_BYTES &&
		      c.group_count <= LIMIT_GROUPS);
	decode_body(&r);
	return 0;
}
