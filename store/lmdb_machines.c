/* How many machines of the inventory were never enrolled: every answer says so, and to find out takes as long
 * as several answers. So it is counted by the commit after which it may be another number: seldom. */
#include <string.h>

#include "record/body.h"
#include "store/lmdb_backend.h"
#include "store/machine_list.h"

static bool profile_of(const uint8_t *row, size_t len, struct profile *ret)
{
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	struct record r;
	return row_decode_record(row, len, &record, &record_len, &received) == ERR_OK &&
	       record_parse(record, record_len, &r) == ERR_OK &&
	       profile_decode(r.body, r.body_len, ret) == ERR_OK;
}

/* By what the inventory knows hosts. */
static bool is_other(const struct profile *a, const struct profile *b)
{
	bool other =
	    strcmp(a->hostname.value, b->hostname.value) != 0 || a->asset_id_count != b->asset_id_count;
	for (size_t i = 0; i < a->asset_id_count && !other; i++)
		other = strcmp(a->asset_ids[i], b->asset_ids[i]) != 0;
	return other;
}

static bool is_news(const struct row *row, const struct row_value *old)
{
	struct profile was, is;
	struct host_state state_was, state_is;
	if (row->key.bytes[0] == TABLE_HOST_STATES)
		return row_decode_host(&row->key, old->bytes, old->len, &state_was) != ERR_OK ||
		       row_decode_host(&row->key, row->bytes, row->len, &state_is) != ERR_OK ||
		       (state_was.standing == STANDING_REVOKED) != (state_is.standing == STANDING_REVOKED);
	return row->key.bytes[1] == RECORD_PROFILE &&
	       (!profile_of(old->bytes, old->len, &was) || !profile_of(row->bytes, row->len, &is) ||
		is_other(&was, &is));
}

void lmdb_machines_note(struct commit *c, const struct row *row)
{
	struct row_value old;
	bool of_record = row->key.bytes[0] == TABLE_RECORDS;
	if (c->machines_changed || c->meta.lists[1] == 0 ||
	    (of_record && row->key.bytes[1] != RECORD_PROFILE && row->key.bytes[1] != RECORD_CERTIFICATE))
		return;
	c->machines_changed = row->len == 0 || lmdb_read(c, &row->key, &old) != ERR_OK || is_news(row, &old);
}

static enum err count(struct commit *c)
{
	static const enum column_group groups[] = {GROUP_INVENTORY, GROUP_PROFILE, GROUP_STATE};
	struct lmdb_source source = {c->l, c->txn};
	struct column_table *tables[3] = {NULL};
	struct machine_list *list = NULL;
	enum err err = ERR_OK;
	for (size_t i = 0; i < 3 && err == ERR_OK; i++)
		err = lmdb_table_open(&source, groups[i], c->meta.ends[groups[i]], &tables[i]);
	const struct machine_tables of = {tables[0], tables[1], tables[2]};
	if (err == ERR_OK)
		err = machine_list_new(&of, &list);
	if (err == ERR_OK)
		err = machine_list_count(list, &c->meta.machines, &c->meta.never_enrolled);
	machine_list_free(list);
	for (size_t i = 0; i < 3; i++)
		column_table_close(tables[i]);
	return err;
}

enum err lmdb_machines(struct commit *c)
{
	const uint32_t sources = lmdb_bit(GROUP_PROFILE) | lmdb_bit(GROUP_STATE);
	if (!c->machines_changed && !c->issuers_changed && (c->l->repair & sources) == 0)
		return ERR_OK;
	c->meta.machines = c->meta.never_enrolled = 0;
	return c->meta.lists[1] != 0 ? count(c) : ERR_OK;
}
