#include "crypto/authlog_entry.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/mp.h"
#include "crypto/signed.h"

#define LABEL         "mesh log 1"
#define HEAD_ARRAY_7  0x97
#define HEAD_BIN_8    0xc4
#define HEAD_U32      0xce
#define HEAD_U64      0xcf
#define ENTRY_VERSION 1
#define BODY_OFFSET   51
#define TRAILER_BYTES (2 + SIGNATURE_BYTES)
#define DAY_S         86400ull

_Static_assert(BODY_OFFSET + TRAILER_BYTES == LOG_ENTRY_ENVELOPE_BYTES, "envelope");
_Static_assert(LIMIT_LOG_ENTRY_BYTES <= SIGNED_DATA_BYTES, "signature cover");

static void expect(struct reader *r, uint8_t byte)
{
	if (reader_u8(r) != byte)
		r->failed = true;
}

enum err log_entry_parse(const uint8_t *bytes, size_t len, struct log_entry *ret)
{
	/* The shortest body is an empty map of one byte. */
	if (len < LOG_ENTRY_ENVELOPE_BYTES + 1)
		return ERR_SHORT;
	if (len > LIMIT_LOG_ENTRY_BYTES)
		return ERR_LIMIT;
	struct log_entry e = {.bytes = bytes,
			      .len = len,
			      .body = bytes + BODY_OFFSET,
			      .body_len = len - LOG_ENTRY_ENVELOPE_BYTES};
	struct reader r = reader_of(bytes, len);
	expect(&r, HEAD_ARRAY_7);
	if (!r.failed && reader_u8(&r) != ENTRY_VERSION)
		return ERR_VERSION;
	e.type = reader_u8(&r);
	expect(&r, HEAD_U32);
	e.index = reader_u32(&r);
	expect(&r, HEAD_BIN_8);
	expect(&r, LOG_HASH_BYTES);
	e.before = reader_bytes(&r, LOG_HASH_BYTES);
	expect(&r, HEAD_U64);
	e.time_s = reader_u64(&r);
	reader_bytes(&r, e.body_len);
	expect(&r, HEAD_BIN_8);
	expect(&r, SIGNATURE_BYTES);
	reader_bytes(&r, SIGNATURE_BYTES);
	if (!reader_done(&r) || e.type > LOG_ROTATE || e.time_s / DAY_S > UINT32_MAX ||
	    mp_check(e.body, e.body_len) != ERR_OK)
		return ERR_FORMAT;
	*ret = e;
	return ERR_OK;
}

enum err log_entry_verify(const struct log_entry *e, const struct id *estate,
			  const uint8_t public_key[KEY_BYTES])
{
	return signed_check(LABEL, estate, e->bytes, e->len - TRAILER_BYTES, public_key,
			    e->bytes + e->len - SIGNATURE_BYTES);
}

enum err log_entry_sign(const struct log_entry *e, const struct id *estate, const struct identity *authority,
			uint8_t *ret, size_t *ret_len)
{
	if (e->body_len > LOG_BODY_BYTES)
		return ERR_LIMIT;
	struct writer w = writer_of(ret, LIMIT_LOG_ENTRY_BYTES);
	writer_u8(&w, HEAD_ARRAY_7);
	writer_u8(&w, ENTRY_VERSION);
	writer_u8(&w, e->type);
	writer_u8(&w, HEAD_U32);
	writer_u32(&w, e->index);
	writer_u8(&w, HEAD_BIN_8);
	writer_u8(&w, LOG_HASH_BYTES);
	writer_bytes(&w, e->before, LOG_HASH_BYTES);
	writer_u8(&w, HEAD_U64);
	writer_u64(&w, e->time_s);
	CHECK(w.len == BODY_OFFSET);
	writer_bytes(&w, e->body, e->body_len);
	uint8_t signature[SIGNATURE_BYTES];
	signed_make(LABEL, estate, w.data, w.len, authority, signature);
	writer_u8(&w, HEAD_BIN_8);
	writer_u8(&w, SIGNATURE_BYTES);
	writer_bytes(&w, signature, sizeof(signature));
	CHECK(!w.failed);
	*ret_len = w.len;
	return ERR_OK;
}

static bool read_u32(const msgpack_object *o, uint32_t *ret)
{
	uint64_t v;
	if (!mp_u64(o, UINT32_MAX, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* A text that may be missing, and then is empty. */
static bool read_text(const msgpack_object *o, char *ret, size_t cap)
{
	return o == NULL || mp_str(o, ret, cap);
}

static bool read_sites(const msgpack_object *o, struct authlog_grant *ret)
{
	if (o == NULL)
		return true; /* any */
	if (o->type != MSGPACK_OBJECT_ARRAY || mp_count(o) > LIMIT_GRANT_SITES)
		return false;
	ret->site_count = mp_count(o);
	for (size_t i = 0; i < ret->site_count; i++) {
		if (!mp_str(mp_at(o, i), ret->sites[i], sizeof(ret->sites[i])) || ret->sites[i][0] == '\0')
			return false;
	}
	return true;
}

static bool read_key_at(const msgpack_object *map, uint64_t key, uint8_t ret[KEY_BYTES])
{
	return mp_bin(mp_get(map, key), ret, KEY_BYTES) && identity_key_sound(ret);
}

/* The public key that all bodies with one have first. */
static bool read_key(const msgpack_object *map, uint8_t ret[KEY_BYTES])
{
	return read_key_at(map, 1, ret);
}

/* A key that is its own successor could not be replaced by anybody but its thief. */
static bool read_successor(const msgpack_object *map, uint64_t key, struct log_body *ret)
{
	return read_key(map, ret->public_key) && read_key_at(map, key, ret->successor) &&
	       memcmp(ret->public_key, ret->successor, KEY_BYTES) != 0;
}

static bool read_grant(const msgpack_object *map, struct authlog_grant *ret)
{
	uint64_t grace = 0;
	if (!read_key(map, ret->public_key) || !read_sites(mp_get(map, 2), ret) ||
	    !read_u32(mp_get(map, 3), &ret->quota) || !read_u32(mp_get(map, 4), &ret->last_day) ||
	    !read_text(mp_get(map, 5), ret->name, sizeof(ret->name)) ||
	    (mp_get(map, 6) != NULL && !mp_u64(mp_get(map, 6), UINT16_MAX, &grace)))
		return false;
	ret->grace_days = (uint16_t)grace;
	ret->issuer = id_of_key(ret->public_key);
	return true;
}

static bool read_extend(const msgpack_object *map, struct log_extend *ret)
{
	const msgpack_object *issuer = mp_get(map, 1);
	ret->all = issuer == NULL;
	ret->has_last_day = mp_get(map, 2) != NULL;
	ret->has_quota = mp_get(map, 3) != NULL;
	return (ret->all || mp_bin(issuer, ret->issuer.b, ID_BYTES)) &&
	       (!ret->has_last_day || read_u32(mp_get(map, 2), &ret->last_day)) &&
	       (!ret->has_quota || read_u32(mp_get(map, 3), &ret->quota));
}

static bool read_operator(const msgpack_object *map, struct authlog_operator *ret)
{
	uint64_t roles;
	if (!read_key(map, ret->public_key) || !read_text(mp_get(map, 2), ret->name, sizeof(ret->name)) ||
	    !mp_u64(mp_get(map, 3), UINT8_MAX, &roles) || !read_u32(mp_get(map, 4), &ret->last_day))
		return false;
	ret->roles = (uint8_t)roles;
	ret->id = id_of_key(ret->public_key);
	return true;
}

static bool read_revoke(const msgpack_object *map, struct log_body *ret)
{
	uint64_t what;
	struct id allow_list = {0};
	char reason[LOG_REASON_BYTES + 1];
	if (!mp_u64(mp_get(map, 1), LOG_REVOKE_OPERATOR, &what) || what < LOG_REVOKE_HOST ||
	    !mp_bin(mp_get(map, 2), ret->revoke_id.b, ID_BYTES) ||
	    (mp_get(map, 3) != NULL && !mp_bin(mp_get(map, 3), allow_list.b, ID_BYTES)) ||
	    !read_text(mp_get(map, 4), reason, sizeof(reason)))
		return false;
	ret->revoke_what = (enum log_revoke_what)what;
	if (ret->revoke_what == LOG_REVOKE_ISSUER)
		ret->allow_list = allow_list;
	return true;
}

static bool read_body(const msgpack_object *map, struct log_body *ret)
{
	switch ((enum log_entry_type)ret->type) {
	case LOG_GENESIS:
		return read_successor(map, 3, ret) && mp_str(mp_get(map, 2), ret->name, sizeof(ret->name)) &&
		       ret->name[0] != '\0';
	case LOG_GRANT:
		return read_grant(map, &ret->grant);
	case LOG_EXTEND:
		return read_extend(map, &ret->extend);
	case LOG_OPERATOR:
		return read_operator(map, &ret->operator_);
	case LOG_REVOKE:
		return read_revoke(map, ret);
	case LOG_ROTATE:
		return read_successor(map, 2, ret);
	}
	return false;
}

enum err log_body_decode(uint8_t type, const uint8_t *body, size_t len, struct log_body *ret)
{
	struct log_body decoded = {.type = type};
	struct mp_doc doc;
	enum err err = mp_open(&doc, body, len);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_FORMAT;
	bool map = mp_root(&doc)->type == MSGPACK_OBJECT_MAP;
	bool ok = map && read_body(mp_root(&doc), &decoded);
	bool draft = map && type == LOG_GENESIS && mp_get(mp_root(&doc), 3) == NULL;
	mp_close(&doc);
	if (!ok)
		return draft ? ERR_VERSION : ERR_FORMAT;
	*ret = decoded;
	return ERR_OK;
}
