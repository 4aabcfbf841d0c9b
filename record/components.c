#include <string.h>

#include "base/check.h"
#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 4. */
enum {
	KEY_MANIFEST = 1,
	KEY_ENTRIES,
	KEY_MODULE_SUPPORT,
	KEY_TAINT,
	KEY_LOADED,
	KEY_PENDING,
	KEY_CHANGES,
	KEY_EBPF,
	KEY_CHANGES_TOTAL,
};

const char *change_op_name(enum change_op op)
{
	switch (op) {
	case CHANGE_ADDED:
		return "added";
	case CHANGE_REMOVED:
		return "removed";
	case CHANGE_LOADED:
		return "loaded";
	case CHANGE_UNLOADED:
		return "unloaded";
	}
	return "unknown";
}

bool components_loaded(const struct components *c, size_t index)
{
	return index < LIMIT_COMPONENTS && (c->loaded[index / 8] & 0x80u >> index % 8) != 0;
}

void components_set_loaded(struct components *c, size_t index)
{
	CHECK(index < LIMIT_COMPONENTS);
	c->loaded[index / 8] = (uint8_t)(c->loaded[index / 8] | 0x80u >> index % 8);
}

static void put_changes(struct field_writer *f, const struct components *c)
{
	if (!field_put_list(f, KEY_CHANGES, c->change_count, LIMIT_CHANGES))
		return;
	for (size_t i = 0; i < c->change_count; i++) {
		field_item_tuple(f, 3);
		field_item_short(f, c->changes[i].entry);
		field_item_u64(f, c->changes[i].time_s, FIELD_U32);
		if (c->changes[i].op < CHANGE_ADDED)
			f->err = ERR_RANGE;
		field_item_u64(f, (uint64_t)c->changes[i].op, CHANGE_UNLOADED);
	}
}

enum err components_encode(const struct components *c, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (c->entry_count > LIMIT_COMPONENTS)
		return ERR_RANGE;
	/* Entries beyond the last loaded one need no bits. */
	size_t loaded = (c->entry_count + 7) / 8;
	while (loaded > 0 && c->loaded[loaded - 1] == 0)
		loaded--;
	field_begin(&f);
	if (!id_is_zero(&c->manifest))
		field_put_bin(&f, KEY_MANIFEST, c->manifest.b, ID_BYTES);
	field_put_u64(&f, KEY_ENTRIES, c->entry_count, LIMIT_COMPONENTS);
	field_put_status(&f, KEY_MODULE_SUPPORT, c->module_support);
	field_put_reading(&f, KEY_TAINT, &c->taint, UINT64_MAX);
	if (loaded > 0)
		field_put_bin(&f, KEY_LOADED, c->loaded, loaded);
	if (field_put_list(&f, KEY_PENDING, c->pending_count, LIMIT_PENDING))
		for (size_t i = 0; i < c->pending_count; i++)
			field_item_short(&f, c->pending[i]);
	put_changes(&f, c);
	field_put_reading(&f, KEY_EBPF, &c->ebpf_programs, FIELD_U32);
	field_put_u64(&f, KEY_CHANGES_TOTAL, c->changes_total, FIELD_U32);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static void get_changes(struct field_reader *f, struct components *c)
{
	const msgpack_object *list = field_get_list(f, KEY_CHANGES, LIMIT_CHANGES, &c->change_count);
	for (size_t i = 0; i < c->change_count; i++) {
		const msgpack_object *o = field_read_tuple(f, list, i, 3);
		uint64_t op = 0;
		field_read_short(f, mp_at(o, 0), &c->changes[i].entry);
		field_read_u64(f, mp_at(o, 1), FIELD_U32, &c->changes[i].time_s);
		field_read_u64(f, mp_at(o, 2), CHANGE_UNLOADED, &op);
		if (op < CHANGE_ADDED)
			field_fail(f, ERR_RANGE);
		c->changes[i].op = (enum change_op)op;
	}
}

enum err components_decode(const uint8_t *body, size_t len, struct components *ret)
{
	struct components c = {0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_get_bin(&f, KEY_MANIFEST, c.manifest.b, ID_BYTES);
	field_get_u32(&f, KEY_ENTRIES, LIMIT_COMPONENTS, &c.entry_count);
	if (field_has(&f, KEY_MODULE_SUPPORT))
		field_read_status(&f, mp_get(f.map, KEY_MODULE_SUPPORT), &c.module_support);
	field_get_reading(&f, KEY_TAINT, UINT64_MAX, &c.taint);
	const uint8_t *loaded;
	size_t loaded_len;
	field_get_bin_ref(&f, KEY_LOADED, COMPONENTS_LOADED_BYTES, &loaded, &loaded_len);
	if (loaded_len > 0)
		memcpy(c.loaded, loaded, loaded_len);
	const msgpack_object *pending = field_get_list(&f, KEY_PENDING, LIMIT_PENDING, &c.pending_count);
	for (size_t i = 0; i < c.pending_count; i++)
		field_read_short(&f, mp_at(pending, i), &c.pending[i]);
	get_changes(&f, &c);
	field_get_reading(&f, KEY_EBPF, FIELD_U32, &c.ebpf_programs);
	field_get_u64(&f, KEY_CHANGES_TOTAL, FIELD_U32, &c.changes_total);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = c;
	return err;
}
