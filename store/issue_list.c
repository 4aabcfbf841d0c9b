/* The issues of the replica and what their proofs say, read when first asked for. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "store/query_private.h"

/* Room for one more. */
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

static enum err take_issue(struct issue_list *list, const struct row_key *key, const uint8_t *bytes,
			   size_t len)
{
	struct issue issue;
	if (row_decode_issue(key, bytes, len, &issue) != ERR_OK)
		return ERR_OK;
	enum err err = reserve((void **)&list->issues, &list->cap, list->count, sizeof(issue));
	if (err == ERR_OK)
		list->issues[list->count++] = issue;
	return err;
}

/* What a proof says is read as it is: whether it proves anything was checked by who put it there. */
static enum err take_proof(struct issue_list *list, const struct row_key *key, const uint8_t *bytes,
			   size_t len)
{
	struct issue_proof proof = {.kind = (enum issue_kind)key->bytes[1]};
	const uint8_t *record;
	size_t record_len;
	struct record r;
	if (key->len != 3 + ID_BYTES || row_decode_proof(bytes, len, &record, &record_len) != ERR_OK ||
	    record_parse(record, record_len, &r) != ERR_OK)
		return ERR_OK;
	memcpy(proof.subject.b, key->bytes + 2, ID_BYTES);
	proof.index = key->bytes[2 + ID_BYTES];
	proof.key = r.key;
	proof.seq = r.seq;
	proof.instance = r.instance;
	proof.time = r.time;
	proof.hash = hash_u64("mesh-proof", record, record_len);
	proof.len = record_len;
	enum err err = reserve((void **)&list->proofs, &list->proof_cap, list->proof_count, sizeof(proof));
	if (err == ERR_OK)
		list->proofs[list->proof_count++] = proof;
	return err;
}

static enum err scan(struct query *q, enum store_table table,
		     enum err (*take)(struct issue_list *list, const struct row_key *key,
				      const uint8_t *bytes, size_t len))
{
	const uint8_t prefix[] = {(uint8_t)table};
	struct snapshot_scan s;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, prefix, sizeof(prefix), &s);
	if (err != ERR_OK)
		return err;
	while (err == ERR_OK && (err = snapshot_scan_next(&s, &key, &bytes, &len)) == ERR_OK)
		err = take(&q->issues, &key, bytes, len);
	snapshot_scan_close(&s);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err query_issues(struct query *q, const struct issue_list **ret)
{
	enum err err = ERR_OK;
	if (!q->issues.loaded) {
		err = scan(q, TABLE_ISSUES, take_issue);
		if (err == ERR_OK)
			err = scan(q, TABLE_PROOFS, take_proof);
		if (err != ERR_OK) {
			issue_list_free(&q->issues);
			return err;
		}
		q->issues.loaded = true;
	}
	*ret = &q->issues;
	return ERR_OK;
}

void issue_list_free(struct issue_list *list)
{
	free(list->issues);
	free(list->proofs);
	*list = (struct issue_list){.loaded = false};
}

const struct issue *issue_list_find(const struct issue_list *list, enum issue_kind kind,
				    const struct id *subject)
{
	size_t low = 0, high = list->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct issue *i = &list->issues[middle];
		if (i->kind < kind || (i->kind == kind && id_compare(&i->subject, subject) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < list->count && list->issues[low].kind == kind &&
		     id_equal(&list->issues[low].subject, subject);
	return found ? &list->issues[low] : NULL;
}
