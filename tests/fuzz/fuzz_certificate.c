/* Certificates: as is, and a body of the fuzzer's that the issuer signed, with and without the consent of the
 * host. What is refused leaves the output as it was; what verifies decodes, and says a site and no more
 * groups than there may be. */
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

static void read_one(const struct fixture *f, const uint8_t *bytes, size_t len)
{
	struct record r;
	struct certificate c, before, verified;
	memset(&c, 0x5a, sizeof(c));
	before = verified = c;
	if (record_parse(bytes, len, &r) != ERR_OK)
		return;
	enum err decoded = certificate_decode(&r, &c);
	enum err err = certificate_verify(&r, f->log, FIXTURE_DAY, &verified);
	if (decoded != ERR_OK) {
		CHECK(err != ERR_OK && memcmp(&c, &before, sizeof(c)) == 0);
		return;
	}
	CHECK(len <= LIMIT_CERTIFICATE_BYTES && c.group_count <= LIMIT_GROUPS);
	CHECK(strlen(c.site) > 0 && strlen(c.site) <= LIMIT_SITE_NAME_BYTES);
	if (err != ERR_OK)
		CHECK(memcmp(&verified, &before, sizeof(verified)) == 0);
	else
		CHECK(id_equal(&verified.issuer, identity_id(f->issuer)) && verified.seq == r.seq);
}

/* Signed by the issuer; the host consents to what it says, where the host is ours. */
static void put_right(const struct fixture *f, const uint8_t *data, size_t len)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES], public_key[KEY_BYTES];
	size_t bytes_len;
	struct mp_doc doc;
	struct record r;
	struct certificate c;
	struct record_key key = {.kind = RECORD_CERTIFICATE, .subject = *identity_id(f->host)};
	if (len > sizeof(body))
		return;
	memcpy(body, data, len);
	if (mp_open(&doc, body, len) == ERR_OK) {
		if (mp_bin(mp_get(mp_root(&doc), 1), public_key, sizeof(public_key)))
			key.subject = id_of_key(public_key);
		mp_close(&doc);
	}
	for (int round = 0; round < 2; round++) {
		if (record_sign(&key, 1, 42, FIXTURE_NOW, body, len, authlog_estate(f->log), f->issuer, bytes,
				&bytes_len) != ERR_OK)
			return;
		read_one(f, bytes, bytes_len);
		if (record_parse(bytes, bytes_len, &r) != ERR_OK || certificate_decode(&r, &c) != ERR_OK ||
		    !id_equal(&c.host, identity_id(f->host)))
			return;
		uint8_t *consent = memmem(body, len, c.consent, SIGNATURE_BYTES);
		certificate_consent(&c, f->host, identity_id(f->issuer), authlog_estate(f->log));
		memcpy(consent, c.consent, SIGNATURE_BYTES);
	}
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	size_t at = len > 0 && data[0] % 2 == FUZZ_AS_IS ? 1 + RECORD_BODY_OFFSET : 1;
	return at < len ? at : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fixture f;
	if (f.log == NULL)
		fixture_make(&f, FUZZ_SEED);
	if (len < 1)
		return 0;
	if (data[0] % 2 == FUZZ_AS_IS)
		read_one(&f, data + 1, len - 1);
	else
		put_right(&f, data + 1, len - 1);
	return 0;
}
