#include "crypto/authlog_view.h"

#include <string.h>

#include "base/mp.h"
#include "base/text.h"
#include "crypto/authlog_entry.h"

static void view_grant(const struct authlog_grant *g, struct authlog_view *ret)
{
	ret->subject = g->issuer;
	text_copy(ret->name, sizeof(ret->name), g->name);
	memcpy(ret->sites, g->sites, sizeof(ret->sites));
	ret->site_count = g->site_count;
	ret->has_quota = ret->has_last_day = true;
	ret->quota = g->quota;
	ret->last_day = g->last_day;
	ret->grace_days = g->grace_days;
}

static void view_extend(const struct log_extend *e, struct authlog_view *ret)
{
	if (!e->all)
		ret->subject = e->issuer;
	ret->has_quota = e->has_quota;
	ret->has_last_day = e->has_last_day;
	ret->quota = e->quota;
	ret->last_day = e->last_day;
}

/* What the log itself does not keep: the reason, which says nothing to a machine. */
static enum err view_revoke(const struct log_entry *e, const struct log_body *body, struct authlog_view *ret)
{
	struct mp_doc doc;
	enum err err = mp_open(&doc, e->body, e->body_len);
	if (err != ERR_OK)
		return err;
	ret->what = body->revoke_what;
	ret->subject = body->revoke_id;
	ret->allow_list = body->allow_list;
	(void)mp_str(mp_get(mp_root(&doc), 4), ret->reason, sizeof(ret->reason));
	mp_close(&doc);
	return ERR_OK;
}

enum err authlog_view(const uint8_t *entry, size_t len, struct authlog_view *ret)
{
	struct log_entry e;
	struct log_body body;
	struct authlog_view v = {0};
	enum err err = log_entry_parse(entry, len, &e);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &body);
	if (err != ERR_OK)
		return err;
	v.index = e.index;
	v.type = (enum log_entry_type)e.type;
	v.time_s = e.time_s;
	uint8_t hash[LOG_HASH_BYTES];
	hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
	memcpy(v.hash.b, hash, ID_BYTES);
	switch (v.type) {
	case LOG_GENESIS:
		text_copy(v.name, sizeof(v.name), body.name);
		v.subject = id_of_key(body.public_key);
		v.successor = id_of_key(body.successor);
		break;
	case LOG_ROTATE:
		v.subject = id_of_key(body.public_key);
		v.successor = id_of_key(body.successor);
		break;
	case LOG_GRANT:
		view_grant(&body.grant, &v);
		break;
	case LOG_EXTEND:
		view_extend(&body.extend, &v);
		break;
	case LOG_OPERATOR:
		v.subject = body.operator_.id;
		text_copy(v.name, sizeof(v.name), body.operator_.name);
		v.roles = body.operator_.roles;
		v.has_last_day = true;
		v.last_day = body.operator_.last_day;
		break;
	case LOG_REVOKE:
		err = view_revoke(&e, &body, &v);
		break;
	}
	if (err == ERR_OK)
		*ret = v;
	return err;
}
