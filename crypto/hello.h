/* Mutual proof of identity and exchange keys (docs/protocol.md section 7, HELLO, REPLY, FINISH).
 * Stateless functions; gossip/hello.c keeps the little state there is. */
#ifndef MESH_CRYPTO_HELLO_H
#define MESH_CRYPTO_HELLO_H

#include "crypto/authlog.h"
#include "crypto/certificate.h"
#include "crypto/keyring.h"

#define HELLO_NONCE_BYTES 16

/* What the signatures cover: both all but the last three, the responder's those as well. */
struct hello_transcript {
	struct id estate;
	struct id initiator;
	struct id responder;
	uint8_t ni[HELLO_NONCE_BYTES];
	uint8_t nr[HELLO_NONCE_BYTES];
	wall_day initiator_day;
	uint8_t initiator_key[KEY_BYTES];
	wall_day responder_day;
	uint8_t responder_key[KEY_BYTES];
	uint8_t flags; /* of the HELLO */
	struct authlog_head initiator_head;
	struct authlog_head responder_head;
};

enum hello_role { HELLO_SIGN_REPLY, HELLO_SIGN_FINISH };

void hello_sign(const struct hello_transcript *t, enum hello_role role, const struct identity *signer,
		uint8_t ret[SIGNATURE_BYTES]);
/* ERR_SIGNATURE. */
enum err hello_verify(const struct hello_transcript *t, enum hello_role role,
		      const uint8_t public_key[KEY_BYTES], const uint8_t signature[SIGNATURE_BYTES]);

#endif
