/* Incidents, claims, notes, and who signed which list: read from the records when first asked for, as they
 * are few. */
#include <stdlib.h>
#include <string.h>

#include "store/query_lists.h"
#include "store/table.h"

/* Room for one more of `size` bytes each. */
static enum err reserve(void **rows, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return ERR_OK;
	size_t wanted = *cap == 0 ? 16 : *cap * 2;
	void *grown = realloc(*rows, wanted * size);
	if (grown == NULL)
		return ERR_NOMEM;
	*rows = grown;
	*cap = wanted;
	return ERR_OK;
}
#define RESERVE(list, name)                                                                                  \
	reserve((void **)&(list)->name##s, &(list)->name##_cap, (list)->name##_count,                        \
		sizeof(*(list)->name##s))

const struct operator_state *operator_list_find(const struct operator_list *list, const struct id *id)
{
	size_t low = 0, high = list->operator_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_compare(&list->operators[middle].id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < list->operator_count && id_equal(&list->operators[low].id, id) ? &list->operators[low]
										    : NULL;
}

void operator_list_name_cell(const struct operator_list *list, const struct id *id, sqlite3_context *context)
{
	const struct operator_state *o = operator_list_find(list, id);
	if (o != NULL)
		cell_known_text(context, o->name);
}

/* --- loading --- */

struct loading {
	struct query *q;
	struct operator_list *list;
	struct id estate;
};

static enum err take_operator(struct loading *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct operator_state state;
	if (row_decode_operator(key, bytes, len, &state) != ERR_OK)
		return ERR_OK;
	enum err err = RESERVE(l->list, operator);
	if (err == ERR_OK)
		l->list->operators[l->list->operator_count++] = state;
	return err;
}

static enum err take_incident(struct operator_list *list, const struct saying *by, const struct record *r)
{
	struct incident_row row = {.by = *by};
	enum err err;
	if (incident_decode(r->body, r->body_len, &row.body) != ERR_OK)
		return ERR_OK;
	if (row.body.op == INCIDENT_OPEN) {
		err = RESERVE(list, incident);
		if (err == ERR_OK)
			list->incidents[list->incident_count++] = row;
	} else {
		err = RESERVE(list, closing);
		if (err == ERR_OK)
			list->closings[list->closing_count++] = row;
	}
	return err;
}

static enum err take_claim(struct operator_list *list, const struct saying *by, const struct record *r)
{
	struct claim_row row = {.by = *by};
	if (claim_decode(r->body, r->body_len, &row.body) != ERR_OK)
		return ERR_OK;
	enum err err = RESERVE(list, claim);
	if (err == ERR_OK)
		list->claims[list->claim_count++] = row;
	return err;
}

static enum err take_note(struct operator_list *list, const struct saying *by, const struct record *r)
{
	struct note_row row = {.by = *by};
	if (note_decode(r->body, r->body_len, &row.body) != ERR_OK)
		return ERR_OK;
	enum err err = RESERVE(list, note);
	if (err == ERR_OK)
		list->notes[list->note_count++] = row;
	return err;
}

static enum err take_list(struct loading *l, const struct saying *by, const struct record *r)
{
	struct list_row row = {.by = *by, .kind = r->key.kind};
	struct row_value root;
	if (listing_decode(r->body, r->body_len, &row.body) != ERR_OK)
		return ERR_OK;
	struct row_key at = row_key_id(TABLE_BLOBS, &row.body.root);
	enum err err = snapshot_get(l->q->snapshot, &at, &root);
	row.here = err == ERR_OK;
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = RESERVE(l->list, list);
	if (err == ERR_OK)
		l->list->lists[l->list->list_count++] = row;
	return err;
}

static enum err take_record(struct loading *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	struct record r;
	(void)key;
	if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK ||
	    record_parse(record, record_len, &r) != ERR_OK)
		return ERR_OK;
	const struct operator_state *o = operator_list_find(l->list, &r.key.writer);
	if (o == NULL || !state_operator_may(o, r.key.kind, r.time))
		return ERR_OK;
	const struct saying by = {r.key.writer, r.key.subject, r.key.slot, r.seq, r.time};
	switch (r.key.kind) {
	case RECORD_INCIDENT:
		return id_equal(&r.key.subject, &l->estate) ? take_incident(l->list, &by, &r) : ERR_OK;
	case RECORD_CLAIM:
		return take_claim(l->list, &by, &r);
	case RECORD_POLICY:
	case RECORD_INVENTORY:
		return id_equal(&r.key.subject, &l->estate) ? take_list(l, &by, &r) : ERR_OK;
	default:
		return take_note(l->list, &by, &r);
	}
}

static enum err scan(struct query *q, struct loading *l, const uint8_t *prefix, size_t prefix_len,
		     enum err (*take)(struct loading *l, const struct row_key *key, const uint8_t *bytes,
				      size_t len))
{
	struct snapshot_scan s;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, prefix, prefix_len, &s);
	if (err != ERR_OK)
		return err;
	while (err == ERR_OK && (err = snapshot_scan_next(&s, &key, &bytes, &len)) == ERR_OK)
		err = take(l, &key, bytes, len);
	snapshot_scan_close(&s);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- what follows from them together --- */

/* Of several closings the one with the earliest time is shown; any one closes it. */
static void close_incidents(struct operator_list *list)
{
	for (size_t i = 0; i < list->incident_count; i++) {
		struct incident_row *incident = &list->incidents[i];
		for (size_t k = 0; k < list->closing_count; k++) {
			const struct incident_row *closing = &list->closings[k];
			if (closing->body.incident == incident->by.slot &&
			    (incident->closed_by == NULL || closing->by.time < incident->closed_by->by.time))
				incident->closed_by = closing;
		}
	}
}

static int by_subject(const void *a, const void *b)
{
	const struct claim_row *x = a, *y = b;
	int order = (x->body.incident > y->body.incident) - (x->body.incident < y->body.incident);
	if (order == 0)
		order = (x->body.scope > y->body.scope) - (x->body.scope < y->body.scope);
	if (order == 0)
		order = id_compare(&x->by.subject, &y->by.subject);
	if (order == 0)
		order = id_compare(&x->by.signer, &y->by.signer);
	if (order == 0)
		order = (x->by.seq > y->by.seq) - (x->by.seq < y->by.seq);
	return order != 0 ? order : (x->by.slot > y->by.slot) - (x->by.slot < y->by.slot);
}

static void judge_claims(struct operator_list *list)
{
	if (list->claim_count > 0)
		qsort(list->claims, list->claim_count, sizeof(*list->claims), by_subject);
	for (size_t i = 0; i < list->claim_count; i++) {
		struct claim_row *c = &list->claims[i], *next = c + 1;
		c->stands = i + 1 == list->claim_count || c->body.incident != next->body.incident ||
			    c->body.scope != next->body.scope ||
			    !id_equal(&c->by.subject, &next->by.subject) ||
			    !id_equal(&c->by.signer, &next->by.signer);
	}
}

static int by_slot(const void *a, const void *b)
{
	const struct list_row *x = a, *y = b;
	int order = (x->kind > y->kind) - (x->kind < y->kind);
	if (order == 0)
		order = (x->by.slot > y->by.slot) - (x->by.slot < y->by.slot);
	return order != 0 ? order : id_compare(&x->by.signer, &y->by.signer);
}

/* The rows of that kind and slot, of whatever signers, are replaced by `other`. */
static void replace_slot(struct operator_list *list, const struct list_row *other, uint64_t slot)
{
	size_t low = 0, high = list->list_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct list_row *row = &list->lists[middle];
		if (row->kind < other->kind || (row->kind == other->kind && row->by.slot < slot))
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list->list_count; low++) {
		struct list_row *row = &list->lists[low];
		if (row->kind != other->kind || row->by.slot != slot)
			break;
		if (row != other && (row->replaced_by == NULL || other->by.time < row->replaced_by->by.time))
			row->replaced_by = other;
	}
}

/* As store/lmdb_lists.c decides which rows are in force. */
static void replace_lists(struct operator_list *list)
{
	if (list->list_count > 0)
		qsort(list->lists, list->list_count, sizeof(*list->lists), by_slot);
	for (size_t i = 0; i < list->list_count; i++) {
		const struct list_row *other = &list->lists[i];
		for (size_t k = 0; other->here && k < other->body.replace_count; k++)
			replace_slot(list, other, other->body.replaces[k]);
	}
}

void operator_list_free(struct operator_list *list)
{
	if (list == NULL)
		return;
	free(list->operators);
	free(list->incidents);
	free(list->closings);
	free(list->claims);
	free(list->notes);
	free(list->lists);
	free(list);
}

enum err operator_list_load(struct query *q, const struct operator_list **ret)
{
	static const uint8_t operators[] = {TABLE_OPERATORS},
			     kinds[][2] = {{TABLE_RECORDS, RECORD_INCIDENT},
					   {TABLE_RECORDS, RECORD_CLAIM},
					   {TABLE_RECORDS, RECORD_NOTE},
					   {TABLE_RECORDS, RECORD_POLICY},
					   {TABLE_RECORDS, RECORD_INVENTORY}};
	if (q->operators == NULL) {
		struct loading l = {
		    .q = q, .list = calloc(1, sizeof(*l.list)), .estate = snapshot_meta(q->snapshot)->estate};
		if (l.list == NULL)
			return ERR_NOMEM;
		enum err err = scan(q, &l, operators, sizeof(operators), take_operator);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && err == ERR_OK; i++)
			err = scan(q, &l, kinds[i], sizeof(kinds[i]), take_record);
		if (err != ERR_OK) {
			operator_list_free(l.list);
			return err;
		}
		close_incidents(l.list);
		judge_claims(l.list);
		replace_lists(l.list);
		q->operators = l.list;
	}
	*ret = q->operators;
	return ERR_OK;
}
