/* What signatures cover: label ‖ estate id ‖ data, inside crypto/ only. A label keeps a signature of one kind
 * from standing for another, the estate id keeps it in its estate. */
#ifndef MESH_CRYPTO_SIGNED_H
#define MESH_CRYPTO_SIGNED_H

#include "crypto/identity.h"

#define SIGNED_DATA_BYTES 1024

void signed_make(const char *label, const struct id *estate, const void *data, size_t len,
		 const struct identity *signer, uint8_t ret[SIGNATURE_BYTES]);
/* ERR_SIGNATURE; ERR_LIMIT when data is longer than SIGNED_DATA_BYTES. */
enum err signed_check(const char *label, const struct id *estate, const void *data, size_t len,
		      const uint8_t public_key[KEY_BYTES], const uint8_t signature[SIGNATURE_BYTES]);

#endif
