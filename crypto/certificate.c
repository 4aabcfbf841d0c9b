#include "crypto/certificate.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mp.h"
#include "crypto/hash.h"
#include "crypto/signed.h"

enum {
	FIELD_PUBLIC_KEY = 1,
	FIELD_SITE = 2,
	FIELD_GROUPS = 3,
	FIELD_ENROLLED = 4,
	FIELD_HARDWARE = 5,
	FIELD_CONSENT = 6,
	FIELDS_MIN = 5 /* hardware may be missing */
};

#define CONSENT_LABEL "mesh enrol 1"
#define CONSENT_BYTES (ID_BYTES + ID_BYTES + 4 + 8 + HARDWARE_HASH_BYTES)

/* docs/protocol.md section 3: what the host signs. */
static void consent_data(const struct certificate *c, const struct id *issuer, uint8_t ret[CONSENT_BYTES])
{
	static const uint8_t none[HARDWARE_HASH_BYTES];
	struct writer w = writer_of(ret, CONSENT_BYTES);
	struct id site = id_of_site(c->site);
	writer_bytes(&w, issuer->b, ID_BYTES);
	writer_bytes(&w, site.b, ID_BYTES);
	writer_u32(&w, c->enrolled);
	writer_u64(&w, c->seq);
	writer_bytes(&w, c->has_hardware ? c->hardware : none, HARDWARE_HASH_BYTES);
}

void certificate_consent(struct certificate *c, const struct identity *host, const struct id *issuer,
			 const struct id *estate)
{
	uint8_t data[CONSENT_BYTES];
	memcpy(c->public_key, identity_public_key(host), KEY_BYTES);
	consent_data(c, issuer, data);
	signed_make(CONSENT_LABEL, estate, data, sizeof(data), host, c->consent);
}

static bool terminated(const char *text, size_t cap)
{
	return memchr(text, '\0', cap) != NULL;
}

enum err certificate_issue(const struct certificate *c, const struct identity *issuer,
			   const struct id *estate, uint64_t instance, wall_ms now, uint8_t *ret,
			   size_t *ret_len)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	uint8_t record[LIMIT_RECORD_BYTES];
	size_t len;
	struct record_key key = {.kind = RECORD_CERTIFICATE, .subject = id_of_key(c->public_key)};
	struct mp_writer w;
	if (!terminated(c->site, sizeof(c->site)) || c->site[0] == '\0' || c->group_count > LIMIT_GROUPS)
		return ERR_ARG;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, FIELDS_MIN + c->has_hardware);
	mp_put_u64(&w, FIELD_PUBLIC_KEY);
	mp_put_bin(&w, c->public_key, KEY_BYTES);
	mp_put_u64(&w, FIELD_SITE);
	mp_put_str(&w, c->site);
	mp_put_u64(&w, FIELD_GROUPS);
	mp_put_array(&w, c->group_count);
	for (size_t i = 0; i < c->group_count; i++) {
		if (!terminated(c->groups[i], sizeof(c->groups[i])))
			return ERR_ARG;
		mp_put_str(&w, c->groups[i]);
	}
	mp_put_u64(&w, FIELD_ENROLLED);
	mp_put_u64(&w, c->enrolled);
	if (c->has_hardware) {
		mp_put_u64(&w, FIELD_HARDWARE);
		mp_put_bin(&w, c->hardware, HARDWARE_HASH_BYTES);
	}
	mp_put_u64(&w, FIELD_CONSENT);
	mp_put_bin(&w, c->consent, SIGNATURE_BYTES);
	if (w.failed)
		return ERR_LIMIT;
	enum err err = record_sign(&key, c->seq, instance, now, body, w.len, estate, issuer, record, &len);
	if (err != ERR_OK)
		return err;
	if (len > LIMIT_CERTIFICATE_BYTES)
		return ERR_LIMIT;
	memcpy(ret, record, len);
	*ret_len = len;
	return ERR_OK;
}

static bool read_groups(const msgpack_object *groups, struct certificate *ret)
{
	if (groups == NULL)
		return true; /* unknown: in none */
	if (groups->type != MSGPACK_OBJECT_ARRAY || mp_count(groups) > LIMIT_GROUPS)
		return false;
	ret->group_count = mp_count(groups);
	for (size_t i = 0; i < ret->group_count; i++) {
		if (!mp_str(mp_at(groups, i), ret->groups[i], sizeof(ret->groups[i])))
			return false;
	}
	return true;
}

static bool read_body(const msgpack_object *map, struct certificate *ret)
{
	uint64_t enrolled;
	if (!mp_bin(mp_get(map, FIELD_PUBLIC_KEY), ret->public_key, KEY_BYTES) ||
	    !identity_key_sound(ret->public_key) ||
	    !mp_str(mp_get(map, FIELD_SITE), ret->site, sizeof(ret->site)) || ret->site[0] == '\0' ||
	    !read_groups(mp_get(map, FIELD_GROUPS), ret) ||
	    !mp_u64(mp_get(map, FIELD_ENROLLED), UINT32_MAX, &enrolled) ||
	    !mp_bin(mp_get(map, FIELD_CONSENT), ret->consent, SIGNATURE_BYTES))
		return false;
	ret->enrolled = (wall_day)enrolled;
	ret->has_hardware = mp_get(map, FIELD_HARDWARE) != NULL;
	return !ret->has_hardware || mp_bin(mp_get(map, FIELD_HARDWARE), ret->hardware, HARDWARE_HASH_BYTES);
}

enum err certificate_decode(const struct record *r, struct certificate *ret)
{
	if (r->len > LIMIT_CERTIFICATE_BYTES)
		return ERR_LIMIT;
	if (r->key.kind != RECORD_CERTIFICATE || r->key.slot != 0)
		return ERR_FORMAT;
	struct certificate c = {
	    .host = r->key.subject, .issuer = r->key.writer, .seq = r->seq, .time = r->time};
	struct mp_doc doc;
	enum err err = mp_open(&doc, r->body, r->body_len);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_FORMAT;
	bool ok = read_body(mp_root(&doc), &c);
	mp_close(&doc);
	if (!ok)
		return ERR_FORMAT;
	struct id host = id_of_key(c.public_key);
	if (!id_equal(&host, &c.host))
		return ERR_FORMAT;
	*ret = c;
	return ERR_OK;
}

static bool covers(const struct authlog_grant *grant, const char *site)
{
	for (size_t i = 0; i < grant->site_count; i++) {
		if (strcmp(grant->sites[i], site) == 0)
			return true;
	}
	return grant->site_count == 0;
}

enum err certificate_verify(const struct record *r, const struct authlog *log, wall_day today,
			    struct certificate *ret)
{
	struct certificate c;
	uint8_t data[CONSENT_BYTES];
	enum err err = certificate_decode(r, &c);
	if (err != ERR_OK)
		return err;
	const struct authlog_grant *grant = authlog_find_grant(log, &c.issuer);
	if (grant == NULL)
		return ERR_UNTRUSTED;
	err = record_verify(r, authlog_estate(log), grant->public_key);
	if (err != ERR_OK)
		return err;
	consent_data(&c, &c.issuer, data);
	err = signed_check(CONSENT_LABEL, authlog_estate(log), data, sizeof(data), c.public_key, c.consent);
	if (err != ERR_OK)
		return err;
	if (!authlog_stands(log, &c.issuer, &c.host, NULL))
		return ERR_REVOKED;
	if (!covers(grant, c.site))
		return ERR_UNTRUSTED;
	/* Last, so that who may accept an ended grant knows that all else holds. */
	wall_day floor = authlog_day(log);
	if ((uint64_t)(today > floor ? today : floor) > (uint64_t)grant->last_day + grant->grace_days)
		return ERR_EXPIRED;
	*ret = c;
	return ERR_OK;
}
