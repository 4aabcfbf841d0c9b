/* Rows of what operators list: policy and inventory. */
#include "store/derive.h"

void derive_policy(const struct id *signer, uint64_t slot, const struct policy_row *p, struct column_draft *d,
		   unsigned row)
{
	column_draft_clear(d, row);
	column_draft_mark(d, row);
	column_put_id(d, row, C_POLICY_OPERATOR, signer);
	column_put_u64(d, row, C_POLICY_SLOT, slot);
	column_put_u64(d, row, C_POLICY_KIND, (uint64_t)p->kind);
	column_put_text(d, row, C_POLICY_NAME, p->name);
	column_put_u64(d, row, C_POLICY_NAME_OP, (uint64_t)p->name_op);
	column_put_u64(d, row, C_POLICY_VERSION_OP, (uint64_t)p->version_op);
	column_put_text(d, row, C_POLICY_VERSION, p->version);
	column_put_text(d, row, C_POLICY_SOURCE, p->source);
	column_put_text(d, row, C_POLICY_VENDOR, p->vendor);
	column_put_u64(d, row, C_POLICY_REFUSED, p->refused);
	column_put_text(d, row, C_POLICY_REMARK, p->remark);
}

void derive_inventory(const struct id *signer, uint64_t slot, const struct inventory_row *i,
		      struct column_draft *d, unsigned row)
{
	column_draft_clear(d, row);
	column_draft_mark(d, row);
	column_put_id(d, row, C_INVENTORY_OPERATOR, signer);
	column_put_u64(d, row, C_INVENTORY_SLOT, slot);
	column_put_text(d, row, C_INVENTORY_NAME, i->hostname);
	column_put_text(d, row, C_INVENTORY_ASSET_1, i->asset_ids[0]);
	column_put_text(d, row, C_INVENTORY_ASSET_2, i->asset_ids[1]);
	column_put_text(d, row, C_INVENTORY_SITE, i->site);
	column_put_text(d, row, C_INVENTORY_ROLE, i->role);
	column_put_u64(d, row, C_INVENTORY_CRITICALITY, i->criticality);
	column_put_text(d, row, C_INVENTORY_ADDRESS, i->address);
	column_put_text(d, row, C_INVENTORY_HOURS, i->hours);
	column_put_text(d, row, C_INVENTORY_CONTACT, i->contact);
	column_put_text(d, row, C_INVENTORY_RECOVERY_KEY, i->recovery_key);
	column_put_u64(d, row, C_INVENTORY_NEEDED_STATUS, i->needed.status);
	column_put_u64(d, row, C_INVENTORY_NEEDED, i->needed.value);
	column_put_text(d, row, C_INVENTORY_REMARK, i->remark);
}
