/* Datagrams at a node that knows one peer: keyring_open, as is and with the mac put right. FUZZ_SEAL seals
 * the input and demands that it opens at the peer, and there alone; FUZZ_MESSAGE takes a message apart as it
 * stands inside. */
#include <sodium.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/parties.h"

static void put_right(const struct fixture *f, uint8_t *bytes, size_t len)
{
	uint8_t covered[LIMIT_DATAGRAM_BYTES];
	if (len < DATAGRAM_HEADER_BYTES || len > LIMIT_DATAGRAM_BYTES)
		return;
	memcpy(covered, bytes, 44);
	memcpy(covered + 44, bytes + DATAGRAM_HEADER_BYTES, len - DATAGRAM_HEADER_BYTES);
	crypto_shorthash_siphash24(bytes + 44, covered, len - 8, f->keys.mac_key);
}

static void open_one(struct parties *p, const uint8_t *bytes, size_t len)
{
	struct datagram d, before;
	memset(&d, 0x5a, sizeof(d));
	before = d;
	enum err err = keyring_open(p->a, bytes, len, &d);
	if (err == ERR_OK) {
		CHECK(d.len + 68 == len);
		return;
	}
	if (err == ERR_UNKNOWN_SOURCE)
		before.source = d.source;
	CHECK(memcmp(&d, &before, sizeof(d)) == 0);
}

static void seal_one(struct parties *p, const uint8_t *message, size_t len)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t sealed;
	uint64_t nonce;
	struct datagram d;
	enum err err = keyring_seal(p->a, &p->id_b, 16, message, len, bytes, &sealed, &nonce);
	CHECK(err == (len > DATAGRAM_MESSAGE_BYTES ? ERR_LIMIT : ERR_OK));
	if (err != ERR_OK)
		return;
	CHECK(keyring_open(p->b, bytes, sealed, &d) == ERR_OK);
	CHECK(d.len == len && memcmp(d.message, message, len) == 0 && d.nonce == nonce);
	CHECK(keyring_open(p->a, bytes, sealed, &d) != ERR_OK);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	(void)data;
	return len; /* no msgpack before the seal */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct parties p;
	uint8_t bytes[FUZZ_INPUT_BYTES];
	if (p.a == NULL)
		parties_make(&p);
	if (len < 1 || len > sizeof(bytes))
		return 0;
	memcpy(bytes, data + 1, len - 1);
	switch (data[0] % 4) {
	case FUZZ_AS_IS:
		open_one(&p, data + 1, len - 1);
		break;
	case FUZZ_PUT_RIGHT:
		put_right(&p.f, bytes, len - 1);
		open_one(&p, bytes, len - 1);
		break;
	case FUZZ_SEAL:
		seal_one(&p, data + 1, len - 1);
		break;
	default:
		message_check(data + 1, len - 1);
		break;
	}
	return 0;
}
