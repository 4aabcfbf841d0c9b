/* What operators approve and refuse, entry by entry: by the rows of all policies in force (docs/protocol.md
 * section 4, policy row). Rows that ask for one name are found by it; there are few others. */
#include <stdlib.h>
#include <string.h>

#include "store/query_lists.h"

struct rule {
	const char *name, *version, *source, *vendor; /* NULL: any */
	uint8_t kind;                                 /* 0: any */
	uint8_t name_op, version_op;
	bool refused;
};

struct rules {
	struct rule *list; /* first those of one name, by name */
	size_t count, named;
};

static bool is_named(const struct rule *r)
{
	return r->name != NULL && r->name_op == TERM_EQUAL;
}

static int by_name(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;
	if (is_named(x) != is_named(y))
		return is_named(x) ? -1 : 1;
	return is_named(x) ? strcmp(x->name, y->name) : 0;
}

static enum err load_rules(struct query *q, struct rules *ret)
{
	const struct operator_list *list;
	enum err err = operator_list_load(q, &list);
	uint32_t end = columns_end(&q->columns, GROUP_POLICY, &err);
	if (err != ERR_OK)
		return err;
	ret->list = calloc((size_t)end + 1, sizeof(*ret->list));
	if (ret->list == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < end && err == ERR_OK; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_POLICY, n, &row);
		if (err != ERR_OK || row.block == NULL)
			continue;
		ret->list[ret->count++] =
		    (struct rule){.name = column_row_text(row, C_POLICY_NAME),
				  .version = column_row_text(row, C_POLICY_VERSION),
				  .source = column_row_text(row, C_POLICY_SOURCE),
				  .vendor = column_row_text(row, C_POLICY_VENDOR),
				  .kind = (uint8_t)column_row_u64(row, C_POLICY_KIND),
				  .name_op = (uint8_t)column_row_u64(row, C_POLICY_NAME_OP),
				  .version_op = (uint8_t)column_row_u64(row, C_POLICY_VERSION_OP),
				  .refused = column_row_u64(row, C_POLICY_REFUSED) != 0};
	}
	qsort(ret->list, ret->count, sizeof(*ret->list), by_name);
	while (ret->named < ret->count && is_named(&ret->list[ret->named]))
		ret->named++;
	return err;
}

static const char *known(struct column_row entry, unsigned status, unsigned value)
{
	return column_row_u64(entry, status) == READING_OK ? column_row_text(entry, value) : NULL;
}

/* What a row asks for and the entry does not say, the row does not fit. */
static bool fits(const struct rule *r, struct column_row entry, const char *name)
{
	const char *version = known(entry, C_ENTRY_VERSION_STATUS, C_ENTRY_VERSION);
	const char *source = known(entry, C_ENTRY_SOURCE_STATUS, C_ENTRY_SOURCE);
	const char *vendor = known(entry, C_ENTRY_VENDOR_STATUS, C_ENTRY_VENDOR);
	return (r->kind == 0 || r->kind == column_row_u64(entry, C_ENTRY_KIND)) &&
	       (r->name == NULL || term_holds(r->name_op, name, r->name)) &&
	       (r->version == NULL || (version != NULL && term_holds(r->version_op, version, r->version))) &&
	       (r->source == NULL || (source != NULL && strcmp(source, r->source) == 0)) &&
	       (r->vendor == NULL || (vendor != NULL && strcmp(vendor, r->vendor) == 0));
}

static size_t first_named(const struct rules *rules, const char *name)
{
	size_t first = 0, last = rules->named;
	while (first < last) {
		size_t middle = first + (last - first) / 2;
		if (strcmp(rules->list[middle].name, name) < 0)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

static enum approval judge(const struct rules *rules, struct column_row entry)
{
	const char *name = column_row_text(entry, C_ENTRY_NAME);
	enum approval found = APPROVAL_NONE;
	if (name == NULL)
		return found;
	for (size_t i = first_named(rules, name); i < rules->count && found != APPROVAL_REFUSED; i++) {
		const struct rule *r = &rules->list[i];
		if (i < rules->named && strcmp(r->name, name) != 0)
			i = rules->named - 1;
		else if (fits(r, entry, name))
			found = r->refused ? APPROVAL_REFUSED : APPROVAL_APPROVED;
	}
	return found;
}

enum err query_approvals(struct query *q, const uint8_t **ret, bool *ret_any)
{
	struct catalogue *c = &q->catalogue;
	struct rules rules = {NULL, 0, 0};
	enum err err = c->approvals == NULL ? load_rules(q, &rules) : ERR_OK;
	if (err == ERR_OK && c->approvals == NULL) {
		uint32_t end = columns_end(&q->columns, GROUP_ENTRY, &err);
		c->approvals = calloc((size_t)end + 1, 1);
		c->rules = rules.count;
		if (err == ERR_OK && c->approvals == NULL)
			err = ERR_NOMEM;
		for (uint32_t n = 0; n < end && err == ERR_OK && rules.count > 0; n++) {
			struct column_row entry;
			err = columns_row(&q->columns, GROUP_ENTRY, n, &entry);
			if (err == ERR_OK && entry.block != NULL)
				c->approvals[n] = (uint8_t)judge(&rules, entry);
		}
	}
	free(rules.list);
	if (err != ERR_OK) {
		free(c->approvals);
		c->approvals = NULL;
		return err;
	}
	*ret = c->approvals;
	*ret_any = c->rules > 0;
	return ERR_OK;
}

enum err query_policy(struct query *q, uint64_t *ret_rows, struct err_info *info)
{
	const uint8_t *approvals;
	bool any;
	enum err err = query_approvals(q, &approvals, &any);
	if (err != ERR_OK)
		return snapshot_error(q->snapshot, err, info);
	*ret_rows = q->catalogue.rules;
	return ERR_OK;
}
