/* Records from the network or from disk: record_parse, then the decoder of the kind; as is, or kind, slot and
 * a body from the input in an envelope that is right. Whatever parses packs and unpacks its key, and a body
 * that decodes encodes to what decodes again. */
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "record/body.h"
#include "record/operator.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

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
	case RECORD_INCIDENT:
		DECODE(incident, r);
		break;
	case RECORD_CLAIM:
		DECODE(claim, r);
		break;
	case RECORD_NOTE:
		DECODE(note, r);
		break;
	case RECORD_POLICY:
	case RECORD_INVENTORY:
		DECODE(listing, r);
		break;
	case RECORD_DECOMMISSION:
		DECODE(decommission, r);
		break;
	default:
		break;
	}
}

static void read_one(const uint8_t *data, size_t len)
{
	struct record r;
	struct record_key key;
	uint8_t packed[RECORD_KEY_BYTES];
	if (record_parse(data, len, &r) != ERR_OK)
		return;
	CHECK(r.bytes == data && r.len == len && r.body_len == len - RECORD_ENVELOPE_BYTES && r.seq != 0);
	record_key_pack(&r.key, packed);
	CHECK(record_key_unpack(packed, sizeof(packed), &key) == ERR_OK && record_key_equal(&key, &r.key));
	decode_body(&r);
}

/* First byte: kind; second: slot; the rest: body. Decoding a body asks for no signature, so none is made. */
static void put_right(const uint8_t *data, size_t len)
{
	static const uint8_t zero[SIGNATURE_BYTES];
	uint8_t bytes[RECORD_BODY_OFFSET + FUZZ_INPUT_BYTES + 2 + SIGNATURE_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));
	if (len < 2)
		return;
	writer_bytes(&w, "\x9a\x01", 2);
	writer_u8(&w, data[0]);
	for (int i = 0; i < 2; i++) {
		writer_bytes(&w, "\xc4\x10", 2);
		writer_bytes(&w, zero, ID_BYTES);
	}
	for (uint8_t i = 0; i < 4; i++) {
		writer_u8(&w, 0xcf);
		writer_u64(&w, i == 0 ? data[1] : i);
	}
	writer_bytes(&w, data + 2, len - 2);
	writer_bytes(&w, "\xc4\x40", 2);
	writer_bytes(&w, zero, SIGNATURE_BYTES);
	CHECK(!w.failed);
	read_one(bytes, w.len);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	size_t at = len > 0 && data[0] % 2 == FUZZ_AS_IS ? 1 + RECORD_BODY_OFFSET : 3;
	return at < len ? at : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CHECK(crypto_init() == ERR_OK);
	if (len < 1 || len > FUZZ_INPUT_BYTES)
		return 0;
	if (data[0] % 2 == FUZZ_AS_IS)
		read_one(data + 1, len - 1);
	else
		put_right(data + 1, len - 1);
	return 0;
}
