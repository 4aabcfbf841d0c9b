#include "record/refs.h"

#include "record/body.h"
#include "record/field.h"

#define KEY_ROOT 1 /* of policy and inventory */

bool record_refs_kind(uint8_t kind)
{
	return kind == RECORD_COMPONENTS || kind == RECORD_POLICY || kind == RECORD_INVENTORY;
}

static void components_refs(const struct record *r, struct record_refs *ret)
{
	struct components c;
	if (components_decode(r->body, r->body_len, &c) != ERR_OK)
		return;
	ret->root = c.manifest;
	for (size_t i = 0; i < c.change_count; i++)
		ret->entries[ret->entry_count++] = c.changes[i].entry;
	for (size_t i = 0; i < c.pending_count; i++)
		ret->entries[ret->entry_count++] = c.pending[i];
}

void record_refs(const struct record *r, struct record_refs *ret)
{
	struct id root = {{0}};
	struct field_reader f;
	*ret = (struct record_refs){.entry_count = 0};
	if (r->key.kind == RECORD_COMPONENTS) {
		components_refs(r, ret);
	} else if (record_refs_kind(r->key.kind)) {
		field_open(&f, r->body, r->body_len, LIMIT_RECORD_BODY_BYTES);
		field_get_bin(&f, KEY_ROOT, root.b, ID_BYTES);
		if (field_close(&f) == ERR_OK)
			ret->root = root;
	}
}
