#include <string.h>

#include "record/field.h"
#include "record/operator.h"

/* Keys of docs/protocol.md section 3, kind 32. */
enum { KEY_OP = 1, KEY_INCIDENT, KEY_TEXT, KEY_MATCH, KEY_GOOD };

#define TERM_PARTS 3

/* Without the array's header, which is one byte for so few. */
static void put_terms(struct field_writer *f, uint64_t key, const struct term *terms, size_t count,
		      size_t max_bytes)
{
	if (!field_put_list(f, key, count, LIMIT_TERMS))
		return;
	size_t start = f->w.len;
	for (size_t i = 0; i < count; i++) {
		field_item_tuple(f, TERM_PARTS);
		field_item_u64(f, terms[i].field, UINT8_MAX);
		field_item_u64(f, terms[i].op, UINT8_MAX);
		field_item_text(f, terms[i].value, sizeof(terms[i].value) - 1);
	}
	if (f->w.len - start > max_bytes && f->err == ERR_OK)
		f->err = ERR_RANGE;
}

/* An opening record names none, a closing one names one and says nothing of what matches. */
static bool is_sound(const struct incident *i)
{
	if (i->op == INCIDENT_CLOSE)
		return i->incident != 0 && i->match_count == 0 && i->good_count == 0;
	return i->op == INCIDENT_OPEN && i->incident == 0;
}

enum err incident_encode(const struct incident *i, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (!is_sound(i))
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_OP, (uint64_t)i->op, INCIDENT_CLOSE);
	field_put_u64(&f, KEY_INCIDENT, i->incident, UINT64_MAX);
	field_put_text(&f, KEY_TEXT, i->text, sizeof(i->text) - 1);
	put_terms(&f, KEY_MATCH, i->match, i->match_count, LIMIT_MATCH_BYTES);
	put_terms(&f, KEY_GOOD, i->good, i->good_count, LIMIT_GOOD_BYTES);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static size_t term_bytes(const struct term *t)
{
	size_t len = strlen(t->value);
	return 1u + (t->field > 127 ? 2u : 1u) + (t->op > 127 ? 2u : 1u) + (len > 31 ? 2u : 1u) + len;
}

static void get_terms(struct field_reader *f, uint64_t key, struct term *terms, size_t *count,
		      size_t max_bytes)
{
	const msgpack_object *list = field_get_list(f, key, LIMIT_TERMS, count);
	size_t bytes = 0;
	for (size_t i = 0; i < *count; i++) {
		const msgpack_object *o = field_read_tuple(f, list, i, TERM_PARTS);
		uint64_t field = 0, op = 0;
		field_read_u64(f, mp_at(o, 0), UINT8_MAX, &field);
		field_read_u64(f, mp_at(o, 1), UINT8_MAX, &op);
		field_read_text(f, mp_at(o, 2), terms[i].value, sizeof(terms[i].value));
		terms[i].field = (uint8_t)field;
		terms[i].op = (uint8_t)op;
		bytes += term_bytes(&terms[i]);
	}
	if (bytes > max_bytes)
		field_fail(f, ERR_RANGE);
}

enum err incident_decode(const uint8_t *body, size_t len, struct incident *ret)
{
	struct incident i = {.incident = 0};
	struct field_reader f;
	uint64_t op = 0;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_read_u64(&f, mp_get(f.map, KEY_OP), INCIDENT_CLOSE, &op);
	field_get_u64(&f, KEY_INCIDENT, UINT64_MAX, &i.incident);
	field_get_text(&f, KEY_TEXT, i.text, sizeof(i.text));
	get_terms(&f, KEY_MATCH, i.match, &i.match_count, LIMIT_MATCH_BYTES);
	get_terms(&f, KEY_GOOD, i.good, &i.good_count, LIMIT_GOOD_BYTES);
	i.op = (enum incident_op)op;
	if (!is_sound(&i))
		field_fail(&f, ERR_RANGE);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = i;
	return err;
}
