/* Policy and inventory: the record that names their rows, and the rows in their chunks. */
#include <stdlib.h>

#include "record/chunks.h"
#include "record/field.h"
#include "record/listing.h"

/* Keys of docs/protocol.md section 3, kinds 35 and 36. */
enum { KEY_ROOT = 1, KEY_ROWS, KEY_TITLE, KEY_REPLACES };

enum err listing_encode(const struct listing *l, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	field_put_bin(&f, KEY_ROOT, l->root.b, ID_BYTES);
	field_put_u64(&f, KEY_ROWS, l->rows, FIELD_U32);
	field_put_text(&f, KEY_TITLE, l->title, sizeof(l->title) - 1);
	if (field_put_list(&f, KEY_REPLACES, l->replace_count, LIMIT_REPLACES)) {
		for (size_t i = 0; i < l->replace_count; i++)
			field_item_u64(&f, l->replaces[i], UINT64_MAX);
	}
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

enum err listing_decode(const uint8_t *body, size_t len, struct listing *ret)
{
	struct listing l = {.rows = 0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	if (!field_has(&f, KEY_ROOT))
		field_fail(&f, ERR_FORMAT);
	field_get_bin(&f, KEY_ROOT, l.root.b, ID_BYTES);
	field_get_u32(&f, KEY_ROWS, FIELD_U32, &l.rows);
	field_get_text(&f, KEY_TITLE, l.title, sizeof(l.title));
	const msgpack_object *list = field_get_list(&f, KEY_REPLACES, LIMIT_REPLACES, &l.replace_count);
	for (size_t i = 0; i < l.replace_count; i++)
		field_read_u64(&f, mp_at(list, i), UINT64_MAX, &l.replaces[i]);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = l;
	return err;
}

/* --- building --- */

/* Row `index` of whatever rows they are. */
typedef enum err (*encode_row)(const void *rows, size_t index, uint8_t *ret, size_t *ret_len);

static enum err build(enum blob_type type, encode_row encode, size_t row_bytes, const void *rows,
		      size_t count, manifest_emit emit, void *context, struct id *ret_root, size_t *ret_rows)
{
	size_t slots = count > 0 ? count : 1;
	struct chunk_entry *entries = calloc(slots, sizeof(*entries));
	uint8_t *bytes = calloc(slots, row_bytes);
	enum err err = entries == NULL || bytes == NULL ? ERR_NOMEM : ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		entries[i] = (struct chunk_entry){.bytes = bytes + i * row_bytes, .input = i};
		err = encode(rows, i, bytes + i * row_bytes, &entries[i].len);
	}
	if (err == ERR_OK)
		err = chunks_build(type, entries, count, NULL, emit, context, ret_root, ret_rows);
	free(bytes);
	free(entries);
	return err;
}

static enum err encode_policy(const void *rows, size_t index, uint8_t *ret, size_t *ret_len)
{
	return policy_row_encode((const struct policy_row *)rows + index, ret, ret_len);
}

static enum err encode_inventory(const void *rows, size_t index, uint8_t *ret, size_t *ret_len)
{
	return inventory_row_encode((const struct inventory_row *)rows + index, ret, ret_len);
}

enum err policy_build(const struct policy_row *rows, size_t count, manifest_emit emit, void *context,
		      struct id *ret_root, size_t *ret_rows)
{
	return build(BLOB_POLICY, encode_policy, POLICY_ROW_BYTES, rows, count, emit, context, ret_root,
		     ret_rows);
}

enum err inventory_build(const struct inventory_row *rows, size_t count, manifest_emit emit, void *context,
			 struct id *ret_root, size_t *ret_rows)
{
	return build(BLOB_INVENTORY, encode_inventory, INVENTORY_ROW_BYTES, rows, count, emit, context,
		     ret_root, ret_rows);
}

/* --- reading --- */

struct reading {
	policy_each policy;
	inventory_each inventory;
	void *context;
	size_t bad;
};

static enum err take_policy(void *context, const uint8_t *bytes, size_t len, bool *stop)
{
	struct reading *r = context;
	struct policy_row row;
	if (policy_row_decode(bytes, len, &row) == ERR_OK)
		*stop = !r->policy(r->context, &row);
	else
		r->bad++;
	return ERR_OK;
}

static enum err take_inventory(void *context, const uint8_t *bytes, size_t len, bool *stop)
{
	struct reading *r = context;
	struct inventory_row row;
	if (inventory_row_decode(bytes, len, &row) == ERR_OK)
		*stop = !r->inventory(r->context, &row);
	else
		r->bad++;
	return ERR_OK;
}

enum err policy_read(const struct id *root, manifest_fetch fetch, void *fetch_context, policy_each each,
		     void *each_context, size_t *ret_bad)
{
	struct reading r = {.policy = each, .context = each_context};
	enum err err = chunks_read(BLOB_POLICY, root, fetch, fetch_context, take_policy, &r);
	if (ret_bad != NULL)
		*ret_bad = r.bad;
	return err;
}

enum err inventory_read(const struct id *root, manifest_fetch fetch, void *fetch_context, inventory_each each,
			void *each_context, size_t *ret_bad)
{
	struct reading r = {.inventory = each, .context = each_context};
	enum err err = chunks_read(BLOB_INVENTORY, root, fetch, fetch_context, take_inventory, &r);
	if (ret_bad != NULL)
		*ret_bad = r.bad;
	return err;
}
