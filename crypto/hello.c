#include "crypto/hello.h"

#include "base/check.h"
#include "base/cursor.h"

/* Longest label ‖ estate ‖ id I ‖ id R ‖ Ni ‖ Nr ‖ day I ‖ key I ‖ day R ‖ key R ‖ flags ‖ head I ‖ head R.
 */
#define TRANSCRIPT_BYTES (32 + 3 * ID_BYTES + 2 * HELLO_NONCE_BYTES + 2 * (4 + KEY_BYTES) + 1 + 2 * 12)

static void head_pack(struct writer *w, const struct authlog_head *head)
{
	writer_u32(w, head->index);
	writer_u64(w, head->hash);
}

static size_t transcript_pack(const struct hello_transcript *t, enum hello_role role,
			      uint8_t ret[TRANSCRIPT_BYTES])
{
	static const char reply[] = "mesh hello reply 1";
	static const char finish[] = "mesh hello finish 1";
	struct writer w = writer_of(ret, TRANSCRIPT_BYTES);
	if (role == HELLO_SIGN_REPLY)
		writer_bytes(&w, reply, sizeof(reply) - 1);
	else
		writer_bytes(&w, finish, sizeof(finish) - 1);
	writer_bytes(&w, t->estate.b, ID_BYTES);
	writer_bytes(&w, t->initiator.b, ID_BYTES);
	writer_bytes(&w, t->responder.b, ID_BYTES);
	writer_bytes(&w, t->ni, HELLO_NONCE_BYTES);
	writer_bytes(&w, t->nr, HELLO_NONCE_BYTES);
	writer_u32(&w, t->initiator_day);
	writer_bytes(&w, t->initiator_key, KEY_BYTES);
	writer_u32(&w, t->responder_day);
	writer_bytes(&w, t->responder_key, KEY_BYTES);
	/* The responder keeps nothing, so only the initiator can tell at the end what its HELLO said. */
	if (role == HELLO_SIGN_REPLY) {
		writer_u8(&w, t->flags);
		head_pack(&w, &t->initiator_head);
		head_pack(&w, &t->responder_head);
	}
	CHECK(!w.failed);
	return w.len;
}

void hello_sign(const struct hello_transcript *t, enum hello_role role, const struct identity *signer,
		uint8_t ret[SIGNATURE_BYTES])
{
	uint8_t bytes[TRANSCRIPT_BYTES];
	size_t len = transcript_pack(t, role, bytes);
	identity_sign(signer, bytes, len, ret);
}

enum err hello_verify(const struct hello_transcript *t, enum hello_role role,
		      const uint8_t public_key[KEY_BYTES], const uint8_t signature[SIGNATURE_BYTES])
{
	/* The key must be of whom the transcript names, whatever the caller compared. */
	struct id id = id_of_key(public_key);
	if (!id_equal(&id, role == HELLO_SIGN_REPLY ? &t->responder : &t->initiator))
		return ERR_SIGNATURE;
	uint8_t bytes[TRANSCRIPT_BYTES];
	size_t len = transcript_pack(t, role, bytes);
	return signature_verify(public_key, bytes, len, signature);
}
