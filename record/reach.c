#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 17. */
enum { KEY_EDGES = 1, KEY_SENT };

enum err reach_encode(const struct reach *r, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	if (field_put_list(&f, KEY_EDGES, r->edge_count, LIMIT_REACH_EDGES)) {
		for (size_t i = 0; i < r->edge_count; i++) {
			field_item_tuple(&f, 3);
			field_item_short(&f, r->edges[i].site);
			field_item_u64(&f, r->edges[i].reached, 1);
			field_item_u64(&f, r->edges[i].since_s, FIELD_U32);
		}
	}
	field_put_u64(&f, KEY_SENT, r->sent_bytes, FIELD_U32);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err reach_decode(const uint8_t *body, size_t len, struct reach *ret)
{
	struct reach r = {.edge_count = 0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	const msgpack_object *edges = field_get_list(&f, KEY_EDGES, LIMIT_REACH_EDGES, &r.edge_count);
	for (size_t i = 0; i < r.edge_count; i++) {
		const msgpack_object *o = field_read_tuple(&f, edges, i, 3);
		uint64_t reached = 0;
		field_read_short(&f, mp_at(o, 0), &r.edges[i].site);
		field_read_u64(&f, mp_at(o, 1), 1, &reached);
		field_read_u64(&f, mp_at(o, 2), FIELD_U32, &r.edges[i].since_s);
		r.edges[i].reached = reached == 1;
	}
	field_get_u64(&f, KEY_SENT, FIELD_U32, &r.sent_bytes);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = r;
	return err;
}
