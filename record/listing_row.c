#include "record/field.h"
#include "record/listing.h"

/* Keys of docs/protocol.md section 4, policy row and inventory row. */
enum {
	KEY_KIND = 1,
	KEY_NAME,
	KEY_NAME_OP,
	KEY_VERSION_OP,
	KEY_VERSION,
	KEY_SOURCE,
	KEY_VENDOR,
	KEY_VERDICT,
	KEY_REMARK
};
enum {
	KEY_HOSTNAME = 1,
	KEY_ASSET_IDS,
	KEY_SITE,
	KEY_ROLE,
	KEY_CRITICALITY,
	KEY_ADDRESS,
	KEY_HOURS,
	KEY_CONTACT,
	KEY_RECOVERY_KEY,
	KEY_NEEDED,
	KEY_MACHINE_REMARK
};
enum { VERDICT_APPROVED = 1, VERDICT_REFUSED = 2 };

static bool is_name_op(uint64_t op)
{
	return op == TERM_EQUAL || op == TERM_PREFIX;
}

enum err policy_row_encode(const struct policy_row *row, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (!is_name_op((uint64_t)row->name_op) || row->version_op < TERM_EQUAL)
		return ERR_RANGE;
	field_begin(&f);
	if ((unsigned)row->kind != 0)
		field_put_u64(&f, KEY_KIND, (uint64_t)row->kind, COMPONENT_KERNEL);
	field_put_text(&f, KEY_NAME, row->name, sizeof(row->name) - 1);
	if (row->name_op != TERM_EQUAL)
		field_put_u64(&f, KEY_NAME_OP, (uint64_t)row->name_op, TERM_PREFIX);
	if (row->version_op != TERM_EQUAL)
		field_put_u64(&f, KEY_VERSION_OP, (uint64_t)row->version_op, TERM_PREFIX);
	field_put_text(&f, KEY_VERSION, row->version, sizeof(row->version) - 1);
	field_put_text(&f, KEY_SOURCE, row->source, sizeof(row->source) - 1);
	field_put_text(&f, KEY_VENDOR, row->vendor, sizeof(row->vendor) - 1);
	field_put_u64(&f, KEY_VERDICT, row->refused ? VERDICT_REFUSED : VERDICT_APPROVED, VERDICT_REFUSED);
	field_put_text(&f, KEY_REMARK, row->remark, sizeof(row->remark) - 1);
	return field_finish(&f, ret, POLICY_ROW_BYTES, ret_len);
}

enum err policy_row_decode(const uint8_t *bytes, size_t len, struct policy_row *ret)
{
	struct policy_row row = {.refused = false};
	struct field_reader f;
	uint64_t kind = 0, name_op = TERM_EQUAL, version_op = TERM_EQUAL, verdict = 0;
	field_open(&f, bytes, len, LIMIT_BLOB_BYTES);
	field_get_u64(&f, KEY_KIND, UINT8_MAX, &kind);
	if (field_has(&f, KEY_KIND) && kind == 0)
		field_fail(&f, ERR_RANGE);
	field_get_text(&f, KEY_NAME, row.name, sizeof(row.name));
	field_get_u64(&f, KEY_NAME_OP, TERM_PREFIX, &name_op);
	field_get_u64(&f, KEY_VERSION_OP, TERM_PREFIX, &version_op);
	field_get_text(&f, KEY_VERSION, row.version, sizeof(row.version));
	field_get_text(&f, KEY_SOURCE, row.source, sizeof(row.source));
	field_get_text(&f, KEY_VENDOR, row.vendor, sizeof(row.vendor));
	field_read_u64(&f, mp_get(f.map, KEY_VERDICT), VERDICT_REFUSED, &verdict);
	field_get_text(&f, KEY_REMARK, row.remark, sizeof(row.remark));
	if (!is_name_op(name_op) || version_op < TERM_EQUAL || verdict < VERDICT_APPROVED)
		field_fail(&f, ERR_RANGE);
	enum err err = field_close(&f);
	if (err != ERR_OK)
		return err;
	row.kind = (enum component_kind)kind;
	row.name_op = (enum term_operator)name_op;
	row.version_op = (enum term_operator)version_op;
	row.refused = verdict == VERDICT_REFUSED;
	*ret = row;
	return ERR_OK;
}

const char *criticality_name(unsigned criticality)
{
	static const char *const names[] = {[CRITICALITY_LOW] = "low",
					    [CRITICALITY_NORMAL] = "normal",
					    [CRITICALITY_HIGH] = "high",
					    [CRITICALITY_VITAL] = "vital"};
	return criticality < sizeof(names) / sizeof(*names) ? names[criticality] : NULL;
}

bool inventory_row_is_site(const struct inventory_row *row)
{
	return row->hostname[0] == '\0' && row->asset_id_count == 0;
}

enum err inventory_row_encode(const struct inventory_row *row, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	if (row->site[0] == '\0')
		return ERR_RANGE;
	field_begin(&f);
	field_put_text(&f, KEY_HOSTNAME, row->hostname, sizeof(row->hostname) - 1);
	if (field_put_list(&f, KEY_ASSET_IDS, row->asset_id_count, LIMIT_ASSET_IDS)) {
		for (size_t i = 0; i < row->asset_id_count; i++)
			field_item_text(&f, row->asset_ids[i], sizeof(row->asset_ids[i]) - 1);
	}
	field_put_text(&f, KEY_SITE, row->site, sizeof(row->site) - 1);
	field_put_text(&f, KEY_ROLE, row->role, sizeof(row->role) - 1);
	if (row->criticality != 0)
		field_put_u64(&f, KEY_CRITICALITY, row->criticality, CRITICALITY_VITAL);
	field_put_text(&f, KEY_ADDRESS, row->address, sizeof(row->address) - 1);
	field_put_text(&f, KEY_HOURS, row->hours, sizeof(row->hours) - 1);
	field_put_text(&f, KEY_CONTACT, row->contact, sizeof(row->contact) - 1);
	field_put_text(&f, KEY_RECOVERY_KEY, row->recovery_key, sizeof(row->recovery_key) - 1);
	if (row->needed.status == READING_OK)
		field_put_u64(&f, KEY_NEEDED, row->needed.value, UINT16_MAX);
	field_put_text(&f, KEY_MACHINE_REMARK, row->remark, sizeof(row->remark) - 1);
	return field_finish(&f, ret, INVENTORY_ROW_BYTES, ret_len);
}

/* No status in place of a value: an operator knows, or does not say. */
static void get_needed(struct field_reader *f, struct reading_u64 *ret)
{
	field_get_u64(f, KEY_NEEDED, UINT16_MAX, &ret->value);
	if (field_has(f, KEY_NEEDED))
		ret->status = READING_OK;
}

enum err inventory_row_decode(const uint8_t *bytes, size_t len, struct inventory_row *ret)
{
	struct inventory_row row = {.criticality = 0};
	struct field_reader f;
	uint64_t criticality = 0;
	field_open(&f, bytes, len, LIMIT_BLOB_BYTES);
	field_get_text(&f, KEY_HOSTNAME, row.hostname, sizeof(row.hostname));
	const msgpack_object *list = field_get_list(&f, KEY_ASSET_IDS, LIMIT_ASSET_IDS, &row.asset_id_count);
	for (size_t i = 0; i < row.asset_id_count; i++)
		field_read_text(&f, mp_at(list, i), row.asset_ids[i], sizeof(row.asset_ids[i]));
	field_read_text(&f, mp_get(f.map, KEY_SITE), row.site, sizeof(row.site));
	field_get_text(&f, KEY_ROLE, row.role, sizeof(row.role));
	field_get_u64(&f, KEY_CRITICALITY, CRITICALITY_VITAL, &criticality);
	field_get_text(&f, KEY_ADDRESS, row.address, sizeof(row.address));
	field_get_text(&f, KEY_HOURS, row.hours, sizeof(row.hours));
	field_get_text(&f, KEY_CONTACT, row.contact, sizeof(row.contact));
	field_get_text(&f, KEY_RECOVERY_KEY, row.recovery_key, sizeof(row.recovery_key));
	get_needed(&f, &row.needed);
	field_get_text(&f, KEY_MACHINE_REMARK, row.remark, sizeof(row.remark));
	if (row.site[0] == '\0' || (field_has(&f, KEY_CRITICALITY) && criticality == 0))
		field_fail(&f, ERR_RANGE);
	enum err err = field_close(&f);
	if (err != ERR_OK)
		return err;
	row.criticality = (uint8_t)criticality;
	*ret = row;
	return ERR_OK;
}
