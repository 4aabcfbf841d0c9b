/* Record envelope (docs/protocol.md section 2).
 *
 * Happy path: record_sign lays the fixed fields, the body and the signature out; record_parse checks every
 * fixed byte, then the body's msgpack, and hands out views; record_verify checks the signature.
 * Failure: parsing trusts nothing and allocates nothing; each deviation is an error, never a guess. */
#include "crypto/record.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/mp.h"
#include "crypto/signed.h"

#define LABEL          "mesh record 1"
#define HEAD_ARRAY_10  0x9a
#define HEAD_BIN_8     0xc4
#define HEAD_U64       0xcf
#define RECORD_VERSION 1
#define KIND_LAST      0x7f
#define TRAILER_BYTES  (2 + SIGNATURE_BYTES)

_Static_assert(RECORD_BODY_OFFSET + TRAILER_BYTES == RECORD_ENVELOPE_BYTES, "envelope");
_Static_assert(RECORD_ENVELOPE_BYTES + LIMIT_RECORD_BODY_BYTES == LIMIT_RECORD_BYTES, "body");
_Static_assert(LIMIT_RECORD_BYTES <= SIGNED_DATA_BYTES, "signature cover");

enum record_class record_class_of(uint8_t kind)
{
	if (kind >= 1 && kind <= 15)
		return RECORD_CLASS_HOST;
	if (kind >= 16 && kind <= 31)
		return RECORD_CLASS_SITE;
	if (kind >= 32 && kind <= 47)
		return RECORD_CLASS_OPERATOR;
	return RECORD_CLASS_REFUSED;
}

/* Free slots would let one host fill every replica with records of its own. */
static bool slot_fits(const struct record_key *key)
{
	switch (record_class_of(key->kind)) {
	case RECORD_CLASS_HOST:
		return key->slot == 0;
	case RECORD_CLASS_SITE:
		return key->slot < (key->kind == RECORD_ROLLCALL ? LIMIT_ROLLCALL_PARTS : 1);
	case RECORD_CLASS_OPERATOR:
	case RECORD_CLASS_REFUSED:
		break;
	}
	return true;
}

/* Far below where a counter would begin again, however much is added to it. */
static bool seq_fits(uint64_t seq)
{
	return seq != 0 && seq <= INT64_MAX;
}

/* A msgpack map in its canonical form. */
static bool is_map(const uint8_t *body, size_t len)
{
	return len > 0 && ((body[0] & 0xf0) == 0x80 || body[0] == 0xde) && mp_check(body, len) == ERR_OK;
}

static void expect(struct reader *r, uint8_t byte)
{
	if (reader_u8(r) != byte)
		r->failed = true;
}

static void read_id(struct reader *r, struct id *ret)
{
	expect(r, HEAD_BIN_8);
	expect(r, ID_BYTES);
	reader_copy(r, ret->b, ID_BYTES);
}

static uint64_t read_u64(struct reader *r)
{
	expect(r, HEAD_U64);
	return reader_u64(r);
}

static enum err parse(const uint8_t *bytes, size_t len, bool kept, struct record *ret)
{
	/* The shortest body is an empty map of one byte. */
	if (len < RECORD_ENVELOPE_BYTES + 1)
		return ERR_SHORT;
	if (len > LIMIT_RECORD_BYTES)
		return ERR_LIMIT;
	struct record record = {.bytes = bytes,
				.len = len,
				.body = bytes + RECORD_BODY_OFFSET,
				.body_len = len - RECORD_ENVELOPE_BYTES};
	struct reader r = reader_of(bytes, len);
	expect(&r, HEAD_ARRAY_10);
	if (!r.failed && reader_u8(&r) != RECORD_VERSION)
		return ERR_VERSION;
	record.key.kind = reader_u8(&r);
	read_id(&r, &record.key.writer);
	read_id(&r, &record.key.subject);
	record.key.slot = read_u64(&r);
	record.seq = read_u64(&r);
	record.instance = read_u64(&r);
	record.time = read_u64(&r);
	reader_bytes(&r, record.body_len);
	expect(&r, HEAD_BIN_8);
	expect(&r, SIGNATURE_BYTES);
	reader_bytes(&r, SIGNATURE_BYTES);
	if (!reader_done(&r) || record.key.kind > KIND_LAST || !seq_fits(record.seq) ||
	    !slot_fits(&record.key) || (!kept && !is_map(record.body, record.body_len)))
		return ERR_FORMAT;
	*ret = record;
	return ERR_OK;
}

enum err record_parse(const uint8_t *bytes, size_t len, struct record *ret)
{
	return parse(bytes, len, false, ret);
}

enum err record_parse_kept(const uint8_t *bytes, size_t len, struct record *ret)
{
	return parse(bytes, len, true, ret);
}

enum err record_verify(const struct record *r, const struct id *estate, const uint8_t public_key[KEY_BYTES])
{
	/* The key must be of whom the record names, whatever the caller compared. */
	struct id id = id_of_key(public_key);
	if (!id_equal(&id, &r->key.writer))
		return ERR_SIGNATURE;
	return signed_check(LABEL, estate, r->bytes, r->len - TRAILER_BYTES, public_key,
			    r->bytes + r->len - SIGNATURE_BYTES);
}

static void write_id(struct writer *w, const struct id *id)
{
	writer_u8(w, HEAD_BIN_8);
	writer_u8(w, ID_BYTES);
	writer_bytes(w, id->b, ID_BYTES);
}

static void write_u64(struct writer *w, uint64_t v)
{
	writer_u8(w, HEAD_U64);
	writer_u64(w, v);
}

enum err record_sign(const struct record_key *key, uint64_t seq, uint64_t instance, wall_ms time,
		     const uint8_t *body, size_t body_len, const struct id *estate,
		     const struct identity *signer, uint8_t *ret, size_t *ret_len)
{
	if (body_len > LIMIT_RECORD_BODY_BYTES)
		return ERR_LIMIT;
	if (!seq_fits(seq) || key->kind > KIND_LAST || !slot_fits(key))
		return ERR_ARG;
	if (!is_map(body, body_len))
		return ERR_FORMAT;
	struct writer w = writer_of(ret, LIMIT_RECORD_BYTES);
	writer_u8(&w, HEAD_ARRAY_10);
	writer_u8(&w, RECORD_VERSION);
	writer_u8(&w, key->kind);
	write_id(&w, identity_id(signer));
	write_id(&w, &key->subject);
	write_u64(&w, key->slot);
	write_u64(&w, seq);
	write_u64(&w, instance);
	write_u64(&w, time);
	CHECK(w.len == RECORD_BODY_OFFSET);
	writer_bytes(&w, body, body_len);
	uint8_t signature[SIGNATURE_BYTES];
	signed_make(LABEL, estate, w.data, w.len, signer, signature);
	writer_u8(&w, HEAD_BIN_8);
	writer_u8(&w, SIGNATURE_BYTES);
	writer_bytes(&w, signature, sizeof(signature));
	CHECK(!w.failed);
	*ret_len = w.len;
	return ERR_OK;
}

bool record_key_equal(const struct record_key *a, const struct record_key *b)
{
	return a->kind == b->kind && a->slot == b->slot && id_equal(&a->subject, &b->subject) &&
	       id_equal(&a->writer, &b->writer);
}

uint64_t record_id(const uint8_t set_key[KEY_BYTES], const uint8_t *bytes, size_t len)
{
	return hash_keyed_u64(set_key, "mesh.record", bytes, len);
}

uint64_t record_key_hash(const uint8_t set_key[KEY_BYTES], const struct record_key *key)
{
	uint8_t packed[RECORD_KEY_BYTES];
	record_key_pack(key, packed);
	return hash_keyed_u64(set_key, "mesh.key", packed, sizeof(packed));
}

void record_key_pack(const struct record_key *key, uint8_t ret[RECORD_KEY_BYTES])
{
	struct writer w = writer_of(ret, RECORD_KEY_BYTES);
	writer_u8(&w, key->kind);
	writer_bytes(&w, key->writer.b, ID_BYTES);
	writer_bytes(&w, key->subject.b, ID_BYTES);
	writer_u64(&w, key->slot);
	CHECK(!w.failed && w.len == RECORD_KEY_BYTES);
}

enum err record_key_unpack(const uint8_t *data, size_t len, struct record_key *ret)
{
	struct record_key key;
	struct reader r = reader_of(data, len);
	key.kind = reader_u8(&r);
	reader_copy(&r, key.writer.b, ID_BYTES);
	reader_copy(&r, key.subject.b, ID_BYTES);
	key.slot = reader_u64(&r);
	if (r.failed)
		return ERR_SHORT;
	if (!reader_done(&r) || key.kind > KIND_LAST)
		return ERR_FORMAT;
	*ret = key;
	return ERR_OK;
}
