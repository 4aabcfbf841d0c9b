#include <string.h>

#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 16. */
enum {
	KEY_PARTS = 1,
	KEY_ROSTER,
	KEY_STATES,
	KEY_TRIE,
	KEY_NO_ANSWER,
	KEY_BEACONS,
	KEY_INTERVAL,
	KEY_LIVE_WITNESSES,
	KEY_GUESTS,
	KEY_ROSTER_COUNT,
};

#define STATE_BITS   3
#define STATES_BYTES ((LIMIT_ROLLCALL_HOSTS * STATE_BITS + 7) / 8)

static void put_states(struct field_writer *f, const struct rollcall *r)
{
	uint8_t bits[STATES_BYTES] = {0};
	for (size_t i = 0; i < r->state_count; i++) {
		if (r->states[i] > ROLLCALL_LEFT)
			f->err = ERR_RANGE;
		for (size_t bit = 0; bit < STATE_BITS; bit++) {
			size_t at = i * STATE_BITS + bit;
			if (r->states[i] & 4u >> bit)
				bits[at / 8] = (uint8_t)(bits[at / 8] | 0x80u >> at % 8);
		}
	}
	field_put_bin(f, KEY_STATES, bits, (r->state_count * STATE_BITS + 7) / 8);
}

static void put_trie(struct field_writer *f, const struct rollcall *r)
{
	uint8_t bytes[ROLLCALL_TRIE_CHILDREN * 8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(r->trie[i / 8] >> (56 - 8 * (i % 8)));
	field_put_bin(f, KEY_TRIE, bytes, sizeof(bytes));
}

enum err rollcall_encode(const struct rollcall *r, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (r->state_count > LIMIT_ROLLCALL_HOSTS)
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_PARTS, r->parts, UINT16_MAX);
	field_put_short(&f, KEY_ROSTER, r->roster_hash);
	put_states(&f, r);
	put_trie(&f, r);
	if (field_put_list(&f, KEY_NO_ANSWER, r->no_answer_count, LIMIT_ROLLCALL_SINCE)) {
		for (size_t i = 0; i < r->no_answer_count; i++) {
			field_item_tuple(&f, 2);
			field_item_u64(&f, r->no_answer[i].index, UINT16_MAX);
			field_item_u64(&f, r->no_answer[i].since_s, FIELD_U32);
		}
	}
	if (field_put_list(&f, KEY_BEACONS, r->beacon_count, LIMIT_ROLLCALL_BEACONS)) {
		for (size_t i = 0; i < r->beacon_count; i++) {
			field_item_tuple(&f, 3);
			field_item_u64(&f, r->beacons[i].index, UINT16_MAX);
			field_item_u64(&f, r->beacons[i].boots, UINT16_MAX);
			field_item_u64(&f, r->beacons[i].last_s, FIELD_U32);
		}
	}
	field_put_u64(&f, KEY_INTERVAL, r->interval_s, UINT16_MAX);
	field_put_u64(&f, KEY_LIVE_WITNESSES, r->live_witnesses, INT8_MAX);
	if (field_put_list(&f, KEY_GUESTS, r->guest_count, LIMIT_ROLLCALL_GUESTS))
		for (size_t i = 0; i < r->guest_count; i++)
			field_item_short(&f, r->guests[i]);
	field_put_u64(&f, KEY_ROSTER_COUNT, r->roster_count, UINT16_MAX);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static void get_states(struct field_reader *f, struct rollcall *r)
{
	const uint8_t *bits;
	size_t len;
	field_get_bin_ref(f, KEY_STATES, STATES_BYTES, &bits, &len);
	size_t held = len * 8 / STATE_BITS;
	/* The last byte's spare bits may look like a host or two more. */
	r->state_count = held < r->roster_count ? held : r->roster_count;
	for (size_t at = 0; at < len * 8; at++) {
		bool set = (bits[at / 8] & 0x80u >> at % 8) != 0;
		size_t i = at / STATE_BITS;
		if (i < r->state_count)
			r->states[i] = (uint8_t)(r->states[i] << 1 | set);
		else if (set)
			field_fail(f, ERR_RANGE);
	}
}

static void get_trie(struct field_reader *f, struct rollcall *r)
{
	uint8_t bytes[ROLLCALL_TRIE_CHILDREN * 8] = {0};
	field_get_bin(f, KEY_TRIE, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		r->trie[i / 8] = r->trie[i / 8] << 8 | bytes[i];
}

static void get_lists(struct field_reader *f, struct rollcall *r)
{
	const msgpack_object *list =
	    field_get_list(f, KEY_NO_ANSWER, LIMIT_ROLLCALL_SINCE, &r->no_answer_count);
	for (size_t i = 0; i < r->no_answer_count; i++) {
		const msgpack_object *o = field_read_tuple(f, list, i, 2);
		field_read_u32(f, mp_at(o, 0), UINT16_MAX, &r->no_answer[i].index);
		field_read_u64(f, mp_at(o, 1), FIELD_U32, &r->no_answer[i].since_s);
	}
	list = field_get_list(f, KEY_BEACONS, LIMIT_ROLLCALL_BEACONS, &r->beacon_count);
	for (size_t i = 0; i < r->beacon_count; i++) {
		const msgpack_object *o = field_read_tuple(f, list, i, 3);
		field_read_u32(f, mp_at(o, 0), UINT16_MAX, &r->beacons[i].index);
		field_read_u32(f, mp_at(o, 1), UINT16_MAX, &r->beacons[i].boots);
		field_read_u64(f, mp_at(o, 2), FIELD_U32, &r->beacons[i].last_s);
	}
	list = field_get_list(f, KEY_GUESTS, LIMIT_ROLLCALL_GUESTS, &r->guest_count);
	for (size_t i = 0; i < r->guest_count; i++)
		field_read_short(f, mp_at(list, i), &r->guests[i]);
}

enum err rollcall_decode(const uint8_t *body, size_t len, struct rollcall *ret)
{
	static const uint8_t required[] = {KEY_PARTS,    KEY_ROSTER,         KEY_STATES,      KEY_TRIE,
					   KEY_INTERVAL, KEY_LIVE_WITNESSES, KEY_ROSTER_COUNT};
	struct rollcall r = {.parts = 0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	for (size_t i = 0; i < sizeof(required); i++)
		if (!field_has(&f, required[i]))
			field_fail(&f, ERR_FORMAT);
	field_get_u32(&f, KEY_PARTS, UINT16_MAX, &r.parts);
	field_get_short(&f, KEY_ROSTER, &r.roster_hash);
	field_get_u32(&f, KEY_ROSTER_COUNT, UINT16_MAX, &r.roster_count);
	get_states(&f, &r);
	get_trie(&f, &r);
	get_lists(&f, &r);
	field_get_u32(&f, KEY_INTERVAL, UINT16_MAX, &r.interval_s);
	field_get_u32(&f, KEY_LIVE_WITNESSES, INT8_MAX, &r.live_witnesses);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = r;
	return err;
}
