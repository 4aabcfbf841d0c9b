/* Token text as is; token binary with its checksum and base64 put right. A token that decodes encodes to one
 * that says the same. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

#define LINE_BYTES 76

static void decode_text(const char *text, size_t len)
{
	struct token t, again;
	struct err_info info = {0};
	char *encoded;
	size_t encoded_len;
	enum err err = token_decode(text, len, &t, &info);
	if (err != ERR_OK) {
		CHECK(info.code == err && info.text[0] != '\0');
		return;
	}
	CHECK(token_encode(&t, &encoded, &encoded_len) == ERR_OK);
	CHECK(token_decode(encoded, encoded_len, &again, NULL) == ERR_OK);
	CHECK(again.subnet_count == t.subnet_count && again.seed_count == t.seed_count &&
	      again.last_day == t.last_day && strcmp(again.site, t.site) == 0);
	crypto_guarded_free(encoded, encoded_len);
	token_release(&t);
	token_release(&again);
}

static void decode_binary(const uint8_t *data, size_t len)
{
	static char coded[2 * FUZZ_INPUT_BYTES], text[3 * FUZZ_INPUT_BYTES];
	uint8_t binary[FUZZ_INPUT_BYTES], checksum[16];
	size_t n = 0;
	memcpy(binary, data, len);
	if (len >= 10) {
		hash_bytes(checksum, sizeof(checksum), "mesh.token", binary, len - 10);
		memcpy(binary + len - 8, checksum, 8);
	}
	sodium_bin2base64(coded, sizeof(coded), binary, len, sodium_base64_VARIANT_ORIGINAL);
	memcpy(text, "mesh-token-1\n", 13);
	n += 13;
	for (size_t i = 0; coded[i] != '\0'; i++) {
		text[n++] = coded[i];
		if (i % LINE_BYTES == LINE_BYTES - 1)
			text[n++] = '\n';
	}
	decode_text(text, n);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	return len > 1 && data[0] % 2 == FUZZ_PUT_RIGHT ? 1 : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CHECK(crypto_init() == ERR_OK);
	if (len < 1 || len > FUZZ_INPUT_BYTES)
		return 0;
	if (data[0] % 2 == FUZZ_AS_IS)
		decode_text((const char *)data + 1, len - 1);
	else
		decode_binary(data + 1, len - 1);
	return 0;
}
