#include "crypto/signed.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"

#define LABEL_BYTES 16
#define COVER_BYTES (LABEL_BYTES + ID_BYTES + SIGNED_DATA_BYTES)

static struct writer cover(uint8_t buffer[COVER_BYTES], const char *label, const struct id *estate,
			   const void *data, size_t len)
{
	struct writer w = writer_of(buffer, COVER_BYTES);
	writer_bytes(&w, label, strlen(label));
	writer_bytes(&w, estate->b, ID_BYTES);
	writer_bytes(&w, data, len);
	return w;
}

void signed_make(const char *label, const struct id *estate, const void *data, size_t len,
		 const struct identity *signer, uint8_t ret[SIGNATURE_BYTES])
{
	uint8_t buffer[COVER_BYTES];
	struct writer w = cover(buffer, label, estate, data, len);
	CHECK(!w.failed);
	identity_sign(signer, w.data, w.len, ret);
}

enum err signed_check(const char *label, const struct id *estate, const void *data, size_t len,
		      const uint8_t public_key[KEY_BYTES], const uint8_t signature[SIGNATURE_BYTES])
{
	uint8_t buffer[COVER_BYTES];
	struct writer w = cover(buffer, label, estate, data, len);
	if (w.failed)
		return ERR_LIMIT;
	return signature_verify(public_key, w.data, w.len, signature);
}
