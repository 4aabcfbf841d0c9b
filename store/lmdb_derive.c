/* From what a batch changed to the rows of host groups: each touched host's rows are made anew from its
 * records, its state and what the authority says, all as they are in this transaction. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/derive.h"
#include "store/lmdb_backend.h"

/* More hosts at once: the whole group is made anew. */
#define REWRITE_HOSTS 20000

static bool has_issue(struct commit *c, enum issue_kind kind, const struct id *subject)
{
	struct row_key key = row_key_issue(kind, subject);
	struct row_value row;
	struct issue issue;
	return lmdb_read(c, &key, &row) == ERR_OK &&
	       row_decode_issue(&key, row.bytes, row.len, &issue) == ERR_OK;
}

static uint8_t rank_of(struct commit *c, const struct id *issuer)
{
	if (has_issue(c, ISSUE_ISSUER_REVOKED, issuer))
		return 2;
	return has_issue(c, ISSUE_GRANT_ENDED, issuer) ? 1 : 0;
}

static bool read_state(struct commit *c, const struct id *host, struct host_state *ret)
{
	struct row_key key = row_key_id(TABLE_HOST_STATES, host);
	struct row_value row;
	return lmdb_read(c, &key, &row) == ERR_OK && row_decode_host(&key, row.bytes, row.len, ret) == ERR_OK;
}

static bool read_record(struct commit *c, const struct id *host, uint8_t kind, struct row_value *row,
			struct record *ret)
{
	struct record_key record = {.kind = kind, .writer = *host, .subject = *host};
	struct row_key key = row_key_record(&record);
	const uint8_t *bytes;
	size_t len;
	wall_ms received;
	return lmdb_read(c, &key, row) == ERR_OK &&
	       row_decode_record(row->bytes, row->len, &bytes, &len, &received) == ERR_OK &&
	       record_parse(bytes, len, ret) == ERR_OK;
}

static void take_certificate(struct commit *c, const struct row_key *stored, const struct id *host,
			     const MDB_val *v, struct derive_host *h)
{
	struct row_key known;
	const uint8_t *bytes;
	size_t len;
	wall_ms received;
	struct record r;
	struct certificate certificate;
	if (host_key_known(stored, host, &known) != ERR_OK ||
	    row_check(&known, v->mv_data, v->mv_size) != ERR_OK ||
	    row_decode_record(v->mv_data, v->mv_size, &bytes, &len, &received) != ERR_OK ||
	    record_parse(bytes, len, &r) != ERR_OK || certificate_decode(&r, &certificate) != ERR_OK)
		return;
	derive_certificate(h, &certificate, rank_of(c, &certificate.issuer));
}

static enum err take_certificates(struct commit *c, uint32_t number, const struct id *host,
				  struct derive_host *h)
{
	struct row_key prefix = host_key_prefix(RECORD_CERTIFICATE, number), key;
	MDB_cursor *cursor;
	MDB_val k = {prefix.len, prefix.bytes}, v;
	uint32_t found;
	int rc = mdb_cursor_open(c->txn, c->l->e.dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", c->l->e.data_path, c->info);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK || key.len < prefix.len ||
		    memcmp(key.bytes, prefix.bytes, prefix.len) != 0)
			break;
		if (host_key_number(&key, &found) && found == number)
			take_certificate(c, &key, host, &v, h);
	}
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : lmdb_error(rc, "read", c->l->e.data_path, c->info);
}

static enum err derive_standing(struct commit *c, enum column_group group, uint32_t number,
				const struct id *host, struct column_draft *d, unsigned row)
{
	struct derive_host h = {.certified = false};
	struct row_value value;
	struct record goodbye;
	h.decided = read_state(c, host, &h.state);
	enum err err = take_certificates(c, number, host, &h);
	if (err != ERR_OK)
		return err;
	if (group == GROUP_HOST) {
		derive_host_row(&h, d, row);
		return ERR_OK;
	}
	h.revoked = has_issue(c, ISSUE_HOST_REVOKED, host);
	if (read_record(c, host, RECORD_GOODBYE, &value, &goodbye))
		h.goodbye_seq = goodbye.seq;
	derive_state_row(&h, d, row);
	return ERR_OK;
}

static enum err derive_named(struct commit *c, enum column_group group, const struct id *host,
			     struct column_draft *d, unsigned row)
{
	struct row_value value;
	struct record r;
	struct components components;
	struct host_state state;
	uint32_t manifest = 0;
	if (!read_record(c, host, RECORD_COMPONENTS, &value, &r) ||
	    components_decode(r.body, r.body_len, &components) != ERR_OK)
		return ERR_OK;
	if (group == GROUP_CHANGES) {
		derive_changes(&components, d, row);
		return ERR_OK;
	}
	if (!id_is_zero(&components.manifest)) {
		bool good = read_state(c, host, &state) && derive_counts(&state);
		enum err err = lmdb_index_manifest(c, &components.manifest, good, &manifest);
		if (err != ERR_OK)
			return err;
		manifest += manifest != INDEX_NO_ROOM;
	}
	derive_components(&r, &components, manifest, d, row);
	return ERR_OK;
}

static enum err derive_row(struct commit *c, enum column_group group, uint32_t number, struct column_draft *d,
			   unsigned row)
{
	struct row_value value;
	struct record r;
	const struct id *known = numbers_id(&c->l->hosts, number);
	column_draft_clear(d, row);
	if (known == NULL)
		return ERR_OK;
	struct id host = *known;
	switch (group) {
	case GROUP_HOST:
	case GROUP_STATE:
		return derive_standing(c, group, number, &host, d, row);
	case GROUP_COMPONENTS:
	case GROUP_CHANGES:
		return derive_named(c, group, &host, d, row);
	case GROUP_PROFILE:
		if (read_record(c, &host, RECORD_PROFILE, &value, &r))
			derive_profile(&r, d, row);
		return ERR_OK;
	case GROUP_HEALTH:
		if (read_record(c, &host, RECORD_HEALTH, &value, &r))
			derive_health(&r, d, row);
		return ERR_OK;
	case GROUP_CRASHES:
		if (read_record(c, &host, RECORD_CRASHES, &value, &r))
			derive_crashes(&r, d, row);
		return ERR_OK;
	case GROUP_ENTRY:
	case GROUP_CHUNK:
	case GROUP_MANIFEST:
	case GROUP_POLICY:
	case GROUP_INVENTORY:
		break;
	}
	CHECK(false);
	return ERR_ARG;
}

enum err lmdb_derive_row(struct commit *c, enum column_group group, uint32_t number, struct column_draft *d,
			 unsigned row)
{
	enum err err = derive_row(c, group, number, d, row);
	return err == ERR_OK ? lmdb_counts_note_draft(&c->l->counts, group, number, d, row) : err;
}

static int by_number(const void *a, const void *b)
{
	const struct touched *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

/* Each host once, ascending. */
static void settle_touched(struct commit *c)
{
	size_t kept = 0;
	if (c->touched_count > 0)
		qsort(c->touched, c->touched_count, sizeof(*c->touched), by_number);
	for (size_t i = 0; i < c->touched_count; i++) {
		if (kept > 0 && c->touched[kept - 1].number == c->touched[i].number)
			c->touched[kept - 1].groups |= c->touched[i].groups;
		else
			c->touched[kept++] = c->touched[i];
	}
	c->touched_count = kept;
}

static enum err derive_rows(struct commit *c, enum column_group group, struct column_draft *d,
			    struct block_row *changed)
{
	size_t count = 0;
	enum err err = ERR_OK;
	for (size_t i = 0; i < c->touched_count && err == ERR_OK; i++) {
		if ((c->touched[i].groups & lmdb_bit(group)) == 0)
			continue;
		unsigned row = (unsigned)count;
		changed[count++] = (struct block_row){c->touched[i].number, row};
		err = lmdb_derive_row(c, group, c->touched[i].number, d, row);
	}
	return err == ERR_OK ? lmdb_blocks_write(c, group, d, changed, count) : err;
}

static enum err rewrite(struct commit *c, enum column_group group)
{
	c->meta.ends[group] = c->l->hosts.end;
	return lmdb_blocks_rewrite(c, group);
}

static enum err derive_group(struct commit *c, enum column_group group)
{
	struct column_draft *d = NULL;
	size_t count = 0;
	for (size_t i = 0; i < c->touched_count; i++)
		count += (c->touched[i].groups & lmdb_bit(group)) != 0;
	if (count == 0)
		return ERR_OK;
	if (count > REWRITE_HOSTS)
		return rewrite(c, group);
	struct block_row *changed = malloc(count * sizeof(*changed));
	enum err err = changed != NULL ? column_draft_new(group, (unsigned)count, &d) : ERR_NOMEM;
	if (err == ERR_OK)
		err = derive_rows(c, group, d, changed);
	column_draft_free(d);
	free(changed);
	return err;
}

/* What the authority says of issuers decides for hosts that nothing else decides for; it seldom changes. */
static enum err touch_all(struct commit *c, uint32_t groups)
{
	enum err err = ERR_OK;
	for (uint32_t i = 0; i < c->l->hosts.end && err == ERR_OK; i++) {
		if (numbers_id(&c->l->hosts, i) != NULL)
			err = lmdb_touch(c, i, groups);
	}
	return err;
}

static enum err derive_groups(struct commit *c, uint32_t anew)
{
	settle_touched(c);
	enum err err = lmdb_lists(c);
	for (unsigned g = GROUP_HOST; g <= GROUP_CRASHES && err == ERR_OK; g++) {
		enum column_group group = (enum column_group)g;
		err = (anew & lmdb_bit(group)) != 0 ? rewrite(c, group) : derive_group(c, group);
	}
	if (err == ERR_OK)
		err = lmdb_machines(c);
	return err == ERR_OK ? lmdb_index_settle(c) : err;
}

/* All of it, and with it the rows that name its numbers. */
static enum err drop_index(struct commit *c, uint32_t *anew)
{
	*anew |= lmdb_bit(GROUP_COMPONENTS);
	return lmdb_index_drop(c);
}

enum err lmdb_derive(struct commit *c)
{
	const uint32_t of_index = lmdb_bit(GROUP_ENTRY) | lmdb_bit(GROUP_CHUNK) | lmdb_bit(GROUP_MANIFEST);
	enum err err = lmdb_scrub(c);
	uint32_t anew = c->l->repair;
	if (err == ERR_OK && c->issuers_changed)
		err = touch_all(c, lmdb_bit(GROUP_HOST) | lmdb_bit(GROUP_STATE));
	if (err == ERR_OK && (anew & of_index) != 0)
		err = drop_index(c, &anew);
	if (err == ERR_OK)
		err = derive_groups(c, anew);
	if (err == ERR_OK)
		err = lmdb_sweep_index(c);
	if (err != ERR_CHECKSUM)
		return err;
	err = drop_index(c, &anew);
	return err == ERR_OK ? derive_groups(c, anew) : err;
}
