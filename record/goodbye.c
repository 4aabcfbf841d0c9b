#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 6. */
enum { KEY_REASON = 1, KEY_BACK };

enum err goodbye_encode(const struct goodbye *g, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (g->reason < GOODBYE_STOPPED)
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_REASON, (uint64_t)g->reason, GOODBYE_RESTARTING);
	if (g->back_s != 0)
		field_put_u64(&f, KEY_BACK, g->back_s, FIELD_U32);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err goodbye_decode(const uint8_t *body, size_t len, struct goodbye *ret)
{
	struct goodbye g = {.back_s = 0};
	struct field_reader f;
	uint64_t reason = 0;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	/* Without a reason it says nothing. */
	field_read_u64(&f, mp_get(f.map, KEY_REASON), GOODBYE_RESTARTING, &reason);
	if (reason < GOODBYE_STOPPED)
		field_fail(&f, ERR_RANGE);
	field_get_u64(&f, KEY_BACK, FIELD_U32, &g.back_s);
	enum err err = field_close(&f);
	if (err != ERR_OK)
		return err;
	g.reason = (enum goodbye_reason)reason;
	*ret = g;
	return ERR_OK;
}
