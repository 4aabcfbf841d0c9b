/* HELLO, HELLO_REPLY, HELLO_FINISH, COOKIE and BEACON: what passes under the hello key. */
#include <assert.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "gossip/wire.h"

#define WIRE_ADDRESS_BYTES 19
#define BEACON_CONTEXT     "mesh beacon 1"

static_assert(16 + 16 + 4 + 32 + 12 + 16 + 1 + 2 + LIMIT_CERTIFICATE_BYTES <= WIRE_MESSAGE_BYTES,
	      "HELLO fits");
static_assert(16 + 16 + 4 + 32 + 12 + WIRE_ADDRESS_BYTES + 2 + LIMIT_CERTIFICATE_BYTES + SIGNATURE_BYTES <=
		  WIRE_MESSAGE_BYTES,
	      "HELLO_REPLY fits");

static void put_head(struct writer *w, const struct authlog_head *head)
{
	writer_u32(w, head->index);
	writer_u64(w, head->hash);
}

static struct authlog_head get_head(struct reader *r)
{
	struct authlog_head head = {.index = reader_u32(r)};
	head.hash = reader_u64(r);
	return head;
}

static void put_certificate(struct writer *w, const uint8_t *certificate, size_t len)
{
	CHECK(len > 0 && len <= LIMIT_CERTIFICATE_BYTES);
	writer_u16(w, (uint16_t)len);
	writer_bytes(w, certificate, len);
}

static void get_certificate(struct reader *r, const uint8_t **ret, size_t *ret_len)
{
	*ret_len = reader_u16(r);
	if (*ret_len == 0 || *ret_len > LIMIT_CERTIFICATE_BYTES)
		r->failed = true;
	*ret = reader_bytes(r, *ret_len);
}

static void put_address(struct writer *w, const struct address *a)
{
	CHECK(a->ip_len == 4 || a->ip_len == 16);
	writer_u8(w, (uint8_t)(a->ip_len + 2));
	writer_bytes(w, a->ip, a->ip_len);
	writer_u16(w, a->port);
	writer_zeros(w, WIRE_ADDRESS_BYTES - 3u - a->ip_len);
}

/* Fails unless everything that is left is zero. */
static void get_padding(struct reader *r, size_t len)
{
	const uint8_t *at = reader_bytes(r, len);
	for (size_t i = 0; at != NULL && i < len; i++)
		if (at[i] != 0)
			r->failed = true;
}

static struct address get_address(struct reader *r)
{
	struct address a = {0};
	uint8_t len = reader_u8(r);
	if (len != 6 && len != 18) {
		r->failed = true;
		return a;
	}
	a.ip_len = (uint8_t)(len - 2);
	reader_copy(r, a.ip, a.ip_len);
	a.port = reader_u16(r);
	get_padding(r, WIRE_ADDRESS_BYTES - 3u - a.ip_len);
	return a;
}

static enum err done(const struct reader *r)
{
	return reader_done(r) ? ERR_OK : ERR_FORMAT;
}

size_t wire_hello_encode(const struct wire_hello *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->ni, sizeof m->ni);
	writer_bytes(&w, m->responder.b, ID_BYTES);
	writer_u32(&w, m->day);
	writer_bytes(&w, m->key, KEY_BYTES);
	put_head(&w, &m->head);
	writer_bytes(&w, m->cookie, sizeof m->cookie);
	writer_u8(&w, m->flags);
	put_certificate(&w, m->certificate, m->certificate_len);
	writer_zeros(&w, writer_left(&w));
	CHECK(!w.failed);
	return w.len;
}

enum err wire_hello_decode(const uint8_t *data, size_t len, struct wire_hello *ret)
{
	if (len != WIRE_MESSAGE_BYTES)
		return ERR_FORMAT;
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->ni, sizeof ret->ni);
	reader_copy(&r, ret->responder.b, ID_BYTES);
	ret->day = reader_u32(&r);
	reader_copy(&r, ret->key, KEY_BYTES);
	ret->head = get_head(&r);
	reader_copy(&r, ret->cookie, sizeof ret->cookie);
	ret->flags = reader_u8(&r);
	get_certificate(&r, &ret->certificate, &ret->certificate_len);
	get_padding(&r, reader_left(&r));
	return done(&r);
}

size_t wire_hello_reply_encode(const struct wire_hello_reply *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->ni, sizeof m->ni);
	writer_bytes(&w, m->nr, sizeof m->nr);
	writer_u32(&w, m->day);
	writer_bytes(&w, m->key, KEY_BYTES);
	put_head(&w, &m->head);
	put_address(&w, &m->observed);
	put_certificate(&w, m->certificate, m->certificate_len);
	writer_bytes(&w, m->signature, SIGNATURE_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_hello_reply_decode(const uint8_t *data, size_t len, struct wire_hello_reply *ret)
{
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->ni, sizeof ret->ni);
	reader_copy(&r, ret->nr, sizeof ret->nr);
	ret->day = reader_u32(&r);
	reader_copy(&r, ret->key, KEY_BYTES);
	ret->head = get_head(&r);
	ret->observed = get_address(&r);
	get_certificate(&r, &ret->certificate, &ret->certificate_len);
	reader_copy(&r, ret->signature, SIGNATURE_BYTES);
	return done(&r);
}

size_t wire_hello_finish_encode(const struct wire_hello_finish *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->ni, sizeof m->ni);
	writer_bytes(&w, m->nr, sizeof m->nr);
	writer_u32(&w, m->day);
	writer_bytes(&w, m->key, KEY_BYTES);
	put_certificate(&w, m->certificate, m->certificate_len);
	writer_bytes(&w, m->signature, SIGNATURE_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_hello_finish_decode(const uint8_t *data, size_t len, struct wire_hello_finish *ret)
{
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->ni, sizeof ret->ni);
	reader_copy(&r, ret->nr, sizeof ret->nr);
	ret->day = reader_u32(&r);
	reader_copy(&r, ret->key, KEY_BYTES);
	get_certificate(&r, &ret->certificate, &ret->certificate_len);
	reader_copy(&r, ret->signature, SIGNATURE_BYTES);
	return done(&r);
}

size_t wire_cookie_encode(const struct wire_cookie *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	writer_bytes(&w, m->ni, sizeof m->ni);
	writer_bytes(&w, m->cookie, sizeof m->cookie);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_cookie_decode(const uint8_t *data, size_t len, struct wire_cookie *ret)
{
	struct reader r = reader_of(data, len);
	reader_copy(&r, ret->ni, sizeof ret->ni);
	reader_copy(&r, ret->cookie, sizeof ret->cookie);
	return done(&r);
}

static void put_beacon(struct writer *w, const struct wire_beacon *m)
{
	writer_u64(w, m->instance);
	writer_u32(w, m->clean_stop_s);
	writer_bytes(w, m->manifest.b, ID_BYTES);
	writer_u64(w, m->time);
}

void wire_beacon_signed(const struct wire_beacon *m, const struct id *estate, const struct id *host,
			uint8_t ret[WIRE_BEACON_SIGNED_BYTES])
{
	struct writer w = writer_of(ret, WIRE_BEACON_SIGNED_BYTES);
	writer_bytes(&w, BEACON_CONTEXT, strlen(BEACON_CONTEXT));
	writer_bytes(&w, estate->b, ID_BYTES);
	writer_bytes(&w, host->b, ID_BYTES);
	put_beacon(&w, m);
	CHECK(!w.failed && w.len == WIRE_BEACON_SIGNED_BYTES);
}

size_t wire_beacon_encode(const struct wire_beacon *m, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct writer w = writer_of(ret, WIRE_MESSAGE_BYTES);
	put_beacon(&w, m);
	writer_bytes(&w, m->signature, SIGNATURE_BYTES);
	CHECK(!w.failed);
	return w.len;
}

enum err wire_beacon_decode(const uint8_t *data, size_t len, struct wire_beacon *ret)
{
	struct reader r = reader_of(data, len);
	ret->instance = reader_u64(&r);
	ret->clean_stop_s = reader_u32(&r);
	reader_copy(&r, ret->manifest.b, ID_BYTES);
	ret->time = reader_u64(&r);
	reader_copy(&r, ret->signature, SIGNATURE_BYTES);
	return done(&r);
}
