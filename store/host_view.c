#include <stdlib.h>
#include <string.h>

#include "store/table.h"

void host_view_start(struct host_view *v, struct query *q, const struct roster_host *host)
{
	v->q = q;
	v->host = host;
	v->site = &q->roster.sites[host->site];
	v->err = ERR_OK;
	v->tried = 0;
}

uint64_t host_seq(struct host_view *v)
{
	static const struct {
		enum column_group group;
		unsigned column;
	} seqs[] = {
	    {GROUP_HOST, C_HOST_SEQ},
	    {GROUP_STATE, C_STATE_GOODBYE_SEQ},
	    {GROUP_PROFILE, C_PROFILE_SEQ},
	    {GROUP_HEALTH, C_HEALTH_SEQ},
	    {GROUP_COMPONENTS, C_COMPONENTS_SEQ},
	    {GROUP_CRASHES, C_CRASHES_SEQ},
	};
	uint64_t highest = 0;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		struct column_row row = host_row(v, seqs[i].group);
		uint64_t seq = row.block != NULL ? column_row_u64(row, seqs[i].column) : 0;
		if (seq > highest)
			highest = seq;
	}
	return highest;
}

wall_ms host_attested(struct host_view *v)
{
	struct column_row state = host_row(v, GROUP_STATE);
	wall_ms rollcall = v->site->state.last_rollcall;
	wall_ms seen = state.block != NULL ? column_row_u64(state, C_STATE_SEEN) : 0;
	return v->host->status == HOST_UP && rollcall > seen ? rollcall : seen;
}

static enum err is_of(struct query *q, uint32_t number, const struct id *id, bool *ret)
{
	struct column_row row;
	struct id there;
	enum err err = columns_row(&q->columns, GROUP_HOST, number, &row);
	*ret = err == ERR_OK && row.block != NULL && column_row_id(row, C_HOST_ID, &there) &&
	       id_equal(&there, id);
	return err;
}

enum err host_by_id(struct query *q, const struct id *id, bool any, const struct roster_host **ret)
{
	uint32_t number = q->told - 1;
	bool found = false;
	enum err err = q->told != 0 ? is_of(q, number, id, &found) : ERR_OK;
	*ret = NULL;
	if (err == ERR_OK && !found) {
		err = snapshot_number(q->snapshot, id, &number);
		/* A number that was given to another host since is no answer. */
		if (err == ERR_OK)
			err = is_of(q, number, id, &found);
	}
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	return found ? roster_host(q, number, any, ret) : ERR_OK;
}

enum err host_list_add(struct host_list *list, uint32_t number)
{
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 4 : 2 * list->cap;
		uint32_t *more = realloc(list->numbers, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		list->numbers = more;
		list->cap = cap;
	}
	list->numbers[list->count++] = number;
	return ERR_OK;
}

enum err host_list_named(struct query *q, const char *name, struct host_list *list)
{
	struct row_key first = row_key_name(row_name_hash(name, strlen(name)), 0), key;
	size_t prefix_len = first.len - sizeof(uint32_t);
	struct snapshot_scan scan;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, first.bytes, prefix_len, &scan);
	if (err != ERR_OK)
		return err;
	while (err == ERR_OK && (err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		uint32_t number = 0;
		for (size_t i = prefix_len; i < key.len; i++)
			number = number << 8 | key.bytes[i];
		if (key.len == first.len)
			err = host_list_add(list, number);
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool cell_from(struct host_view *v, const struct cell_source *source, sqlite3_context *context)
{
	if (source->form == CELL_OTHER)
		return false;
	struct column_row row = host_row(v, (enum column_group)source->group);
	bool there = row.block != NULL;
	size_t len = 0;
	struct id id;
	const uint8_t *bytes = NULL;
	if (there &&
	    (source->form == CELL_TEXT || source->form == CELL_EVER_TEXT || source->form == CELL_HEX))
		bytes = column_row_bytes(row, source->column, &len);
	switch ((enum cell_form)source->form) {
	case CELL_EVER_TEXT:
		if (there && bytes == NULL)
			cell_static(context, "");
		__attribute__((fallthrough));
	case CELL_TEXT:
		/* Without its length: SQLite then knows that a zero follows, and need not copy it for one. */
		if (bytes != NULL)
			cell_static(context, (const char *)bytes);
		break;
	case CELL_ID:
		if (there && column_row_id(row, source->column, &id))
			cell_id(context, &id);
		if (source->group == GROUP_HOST && source->column == C_HOST_ID)
			v->q->told = v->host->number + 1;
		break;
	case CELL_HEX:
		if (bytes != NULL)
			cell_hex(context, bytes, len);
		break;
	case CELL_NUMBER:
		if (there)
			cell_u64(context, column_row_u64(row, source->column));
		break;
	case CELL_TIME:
		if (there)
			cell_time(context, column_row_u64(row, source->column));
		break;
	case CELL_READING:
		if (there && column_row_u64(row, source->column - 1u) == READING_OK)
			cell_u64(context, column_row_u64(row, source->column));
		break;
	case CELL_STATUS:
		cell_status(context, there ? (enum reading_status)column_row_u64(row, source->column)
					   : READING_UNKNOWN);
		break;
	case CELL_OTHER:
		break;
	}
	return true;
}
