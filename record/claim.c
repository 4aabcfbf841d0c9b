/* Claims, notes and decommissions: a few words about a host, a site or the estate. */
#include "record/field.h"
#include "record/operator.h"

/* Keys of docs/protocol.md section 3, kinds 33, 34 and 37. */
enum { KEY_INCIDENT = 1, KEY_OP, KEY_SCOPE, KEY_TEXT };
enum { KEY_NOTE_INCIDENT = 1, KEY_NOTE_TEXT };
enum { KEY_REASON = 1 };

const char *claim_op_name(enum claim_op op)
{
	switch (op) {
	case CLAIM_CLAIM:
		return "claim";
	case CLAIM_DONE:
		return "done";
	case CLAIM_RELEASE:
		return "release";
	case CLAIM_BLOCKED:
		return "blocked";
	}
	return "unknown";
}

enum err claim_encode(const struct claim *c, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (c->incident == 0 || c->op < CLAIM_CLAIM || c->scope < CLAIM_HOST)
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_INCIDENT, c->incident, UINT64_MAX);
	field_put_u64(&f, KEY_OP, (uint64_t)c->op, CLAIM_BLOCKED);
	field_put_u64(&f, KEY_SCOPE, (uint64_t)c->scope, CLAIM_SITE);
	field_put_text(&f, KEY_TEXT, c->text, sizeof(c->text) - 1);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err claim_decode(const uint8_t *body, size_t len, struct claim *ret)
{
	struct claim c = {.incident = 0};
	struct field_reader f;
	uint64_t op = 0, scope = 0;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_read_u64(&f, mp_get(f.map, KEY_INCIDENT), UINT64_MAX, &c.incident);
	field_read_u64(&f, mp_get(f.map, KEY_OP), CLAIM_BLOCKED, &op);
	field_read_u64(&f, mp_get(f.map, KEY_SCOPE), CLAIM_SITE, &scope);
	field_get_text(&f, KEY_TEXT, c.text, sizeof(c.text));
	if (c.incident == 0 || op < CLAIM_CLAIM || scope < CLAIM_HOST)
		field_fail(&f, ERR_RANGE);
	c.op = (enum claim_op)op;
	c.scope = (enum claim_scope)scope;
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = c;
	return err;
}

enum err note_encode(const struct note *n, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (n->text[0] == '\0')
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_NOTE_INCIDENT, n->incident, UINT64_MAX);
	field_put_text(&f, KEY_NOTE_TEXT, n->text, sizeof(n->text) - 1);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err note_decode(const uint8_t *body, size_t len, struct note *ret)
{
	struct note n = {.incident = 0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_get_u64(&f, KEY_NOTE_INCIDENT, UINT64_MAX, &n.incident);
	field_read_text(&f, mp_get(f.map, KEY_NOTE_TEXT), n.text, sizeof(n.text));
	if (n.text[0] == '\0')
		field_fail(&f, ERR_RANGE);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = n;
	return err;
}

enum err decommission_encode(const struct decommission *d, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	field_put_text(&f, KEY_REASON, d->reason, sizeof(d->reason) - 1);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err decommission_decode(const uint8_t *body, size_t len, struct decommission *ret)
{
	struct decommission d = {.reason = ""};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_get_text(&f, KEY_REASON, d.reason, sizeof(d.reason));
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = d;
	return err;
}
