/* Rows of site counts and of names (store/site_counts.h). The committing thread knows of every host what they
 * are made of, so that a commit writes those that changed and reads no block.
 *
 * Happy path: what a commit derives of a host is noted; sites with a changed host are counted anew at its
 * end. Fails: after a commit that failed all is loaded again, like numbers and index; rows that are damaged,
 * or are not what the hosts' blocks say, are all made anew by the next commit. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/lmdb_backend.h"

static const uint8_t tables[] = {TABLE_SITE_COUNTS, TABLE_NAMES};

void lmdb_counts_clear(struct counts_state *s)
{
	free(s->facts);
	numbers_clear(&s->sites);
	free(s->by_number);
	free(s->changed);
	*s = (struct counts_state){.cap = 0};
}

static bool has(const struct host_fact *f, enum column_group group)
{
	return (f->has & lmdb_bit(group)) != 0;
}

static bool is_certified(const struct host_fact *f)
{
	return has(f, GROUP_HOST) && has(f, GROUP_STATE);
}

static struct site_fact fact_of(const struct host_fact *f)
{
	return (struct site_fact){.seen = f->seen,
				  .status = f->status,
				  .standing = f->standing,
				  .published = (uint8_t)(has(f, GROUP_PROFILE) + has(f, GROUP_COMPONENTS))};
}

/* --- what is known of hosts --- */

static enum err make_room(struct counts_state *s, uint32_t number)
{
	uint32_t cap = s->cap == 0 ? 1024 : s->cap;
	if (number < s->cap)
		return ERR_OK;
	while (cap <= number)
		cap *= 2;
	struct host_fact *more = realloc(s->facts, cap * sizeof(*more));
	if (more == NULL)
		return ERR_NOMEM;
	memset(more + s->cap, 0, (cap - s->cap) * sizeof(*more));
	s->facts = more;
	s->cap = cap;
	return ERR_OK;
}

static enum err number_of_site(struct counts_state *s, const char *name, size_t len, uint32_t *ret)
{
	char text[LIMIT_SITE_NAME_BYTES + 1] = "";
	memcpy(text, name, len < LIMIT_SITE_NAME_BYTES ? len : LIMIT_SITE_NAME_BYTES);
	struct id id = id_of_site(text);
	if (numbers_find(&s->sites, &id, ret))
		return ERR_OK;
	*ret = numbers_free(&s->sites);
	if (*ret >= s->site_cap) {
		uint32_t cap = s->site_cap == 0 ? 64 : 2 * s->site_cap;
		struct counted_site *more = realloc(s->by_number, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		s->by_number = more;
		s->site_cap = cap;
	}
	s->by_number[*ret] = (struct counted_site){.dirty = true};
	memcpy(s->by_number[*ret].counts.name, text, sizeof(text));
	return numbers_put(&s->sites, &id, *ret);
}

static void touch_site(struct counts_state *s, const struct host_fact *f)
{
	if (has(f, GROUP_HOST))
		s->by_number[f->site].dirty = true;
}

static enum err note_name(struct counts_state *s, uint32_t number, uint32_t hash)
{
	enum err err = hash == 0 ? ERR_OK
				 : lmdb_reserve((void **)&s->changed, &s->changed_cap, s->changed_count,
						sizeof(*s->changed));
	if (err == ERR_OK && hash != 0)
		s->changed[s->changed_count++] = (struct changed_name){hash, number};
	return err;
}

/* From one state of knowledge of a host to another. */
static enum err change(struct counts_state *s, uint32_t number, const struct host_fact *now)
{
	struct host_fact *was = &s->facts[number];
	enum err err = ERR_OK;
	if (was->name != now->name) {
		err = note_name(s, number, was->name);
		if (err == ERR_OK)
			err = note_name(s, number, now->name);
	}
	if (was->site != now->site || was->has != now->has || was->status != now->status ||
	    was->standing != now->standing || was->seen != now->seen) {
		touch_site(s, was);
		touch_site(s, now);
	}
	*was = *now;
	return err;
}

/* The row of a group, as it stands in a block or in a draft. */
struct noted {
	bool there;
	const char *text; /* site, or name */
	size_t len;
	uint64_t seen, status, standing;
};

static enum err note(struct counts_state *s, enum column_group group, uint32_t number, const struct noted *n)
{
	enum err err = make_room(s, number);
	if (err != ERR_OK)
		return err;
	struct host_fact now = s->facts[number];
	now.has = n->there ? now.has | lmdb_bit(group) : now.has & ~lmdb_bit(group);
	if (group == GROUP_HOST) {
		now.site = 0;
		if (n->there)
			err = number_of_site(s, n->text != NULL ? n->text : "", n->len, &now.site);
	} else if (group == GROUP_STATE) {
		now.seen = n->seen;
		now.status = (uint8_t)(n->status <= HOST_REPLACED ? n->status : HOST_UNKNOWN);
		now.standing = (uint8_t)n->standing;
	} else if (group == GROUP_PROFILE) {
		now.name = n->text != NULL ? row_name_hash(n->text, n->len) : 0;
	}
	return err == ERR_OK ? change(s, number, &now) : err;
}

enum err lmdb_counts_note_draft(struct counts_state *s, enum column_group group, uint32_t number,
				const struct column_draft *d, unsigned row)
{
	struct noted n = {.there = column_draft_marked(d, row)};
	if ((COUNTED_GROUPS & lmdb_bit(group)) == 0)
		return ERR_OK;
	if (n.there && group == GROUP_HOST)
		n.text = column_draft_text(d, row, C_HOST_SITE, &n.len);
	else if (n.there && group == GROUP_PROFILE)
		n.text = column_draft_text(d, row, C_PROFILE_NAME, &n.len);
	else if (n.there && group == GROUP_STATE) {
		n.seen = column_draft_u64(d, row, C_STATE_SEEN);
		n.status = column_draft_u64(d, row, C_STATE_STATUS);
		n.standing = column_draft_u64(d, row, C_STATE_STANDING);
	}
	return note(s, group, number, &n);
}

enum err lmdb_counts_note_row(struct counts_state *s, enum column_group group, uint32_t number,
			      struct column_row row)
{
	struct noted n = {.there = row.block != NULL};
	if (n.there && group == GROUP_HOST)
		n.text = (const char *)column_row_bytes(row, C_HOST_SITE, &n.len);
	else if (n.there && group == GROUP_PROFILE)
		n.text = (const char *)column_row_bytes(row, C_PROFILE_NAME, &n.len);
	else if (n.there && group == GROUP_STATE) {
		n.seen = column_row_u64(row, C_STATE_SEEN);
		n.status = column_row_u64(row, C_STATE_STATUS);
		n.standing = column_row_u64(row, C_STATE_STANDING);
	}
	return note(s, group, number, &n);
}

/* --- rows --- */

/* Counts of the sites that have changed. */
static void count(struct counts_state *s)
{
	for (uint32_t i = 0; i < s->sites.end; i++) {
		struct counted_site *site = &s->by_number[i];
		if (numbers_id(&s->sites, i) == NULL || !site->dirty)
			continue;
		struct site_counts none = {.hidden = 0};
		memcpy(none.name, site->counts.name, sizeof(none.name));
		site->counts = none;
		site->named = false;
	}
	for (uint32_t n = 0; n < s->cap; n++) {
		const struct host_fact *f = &s->facts[n];
		if (!has(f, GROUP_HOST) || !s->by_number[f->site].dirty)
			continue;
		s->by_number[f->site].named = true;
		struct site_fact fact = fact_of(f);
		if (is_certified(f))
			site_counts_add(&s->by_number[f->site].counts, &fact);
	}
}

static enum err put_site(struct commit *c, const struct id *id, const struct site_counts *counts)
{
	struct row_key key = row_key_id(TABLE_SITE_COUNTS, id);
	MDB_val k = {key.len, key.bytes}, v;
	struct row_value row;
	if (site_counts_hosts(counts) == 0)
		return lmdb_put(c, &key, &key, NULL, 0);
	site_counts_encode(&key, counts, &row);
	/* Often nothing that is counted has changed. */
	if (mdb_get(c->txn, c->l->e.dbi, &k, &v) == 0 && v.mv_size == row.len &&
	    memcmp(v.mv_data, row.bytes, row.len) == 0)
		return ERR_OK;
	return lmdb_put(c, &key, &key, row.bytes, row.len);
}

static enum err put_sites(struct commit *c)
{
	struct counts_state *s = &c->l->counts;
	enum err err = ERR_OK;
	uint64_t counted = 0;
	count(s);
	for (uint32_t i = 0; i < s->sites.end && err == ERR_OK; i++) {
		const struct id *id = numbers_id(&s->sites, i);
		struct counted_site *site = &s->by_number[i];
		if (id == NULL)
			continue;
		counted += site_counts_hosts(&site->counts);
		if (!site->dirty)
			continue;
		err = put_site(c, id, &site->counts);
		site->dirty = false;
		if (!site->named)
			numbers_drop(&s->sites, i);
	}
	c->meta.counted = (uint32_t)counted;
	c->meta.counts_there = true;
	return err;
}

static int by_key(const void *a, const void *b)
{
	const struct changed_name *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static void encode_name(const struct row_key *key, struct row_value *ret)
{
	struct writer w = row_begin(ret);
	CHECK(row_end(&w, key, ret) == ERR_OK);
}

static enum err put_names(struct commit *c)
{
	struct counts_state *s = &c->l->counts;
	enum err err = ERR_OK;
	if (s->changed_count > 0)
		qsort(s->changed, s->changed_count, sizeof(*s->changed), by_key);
	for (size_t i = 0; i < s->changed_count && err == ERR_OK; i++) {
		const struct changed_name *n = &s->changed[i];
		if (i > 0 && by_key(n, n - 1) == 0)
			continue;
		struct row_key key = row_key_name(n->hash, n->number);
		struct row_value row = {.len = 0};
		if (s->facts[n->number].name == n->hash)
			encode_name(&key, &row);
		err = lmdb_put(c, &key, &key, row.bytes, row.len);
	}
	s->changed_count = 0;
	return err;
}

/* Everything there is. */
static enum err touch_all(struct commit *c)
{
	struct counts_state *s = &c->l->counts;
	enum err err = ERR_OK;
	for (size_t i = 0; i < sizeof(tables) && err == ERR_OK; i++)
		err = lmdb_drop_rows(c, (struct row_key){.bytes = {tables[i]}, .len = 1});
	for (uint32_t i = 0; i < s->sites.end; i++)
		s->by_number[i].dirty = true;
	s->changed_count = 0;
	for (uint32_t n = 0; n < s->cap && err == ERR_OK; n++)
		err = note_name(s, n, s->facts[n].name);
	return err;
}

enum err lmdb_counts_settle(struct commit *c)
{
	enum err err = ERR_OK;
	if ((c->l->repair & REPAIR_COUNTS) != 0 || !c->meta.counts_there)
		err = touch_all(c);
	if (err == ERR_OK)
		err = put_sites(c);
	return err == ERR_OK ? put_names(c) : err;
}

/* --- what there should be --- */

void lmdb_counts_sum(struct counts_state *s, uint64_t *ret_rows, uint64_t *ret_digest)
{
	struct row_key key;
	struct row_value row;
	count(s);
	s->changed_count = 0;
	*ret_rows = *ret_digest = 0;
	for (uint32_t i = 0; i < s->sites.end; i++) {
		const struct id *id = numbers_id(&s->sites, i);
		if (id == NULL || site_counts_hosts(&s->by_number[i].counts) == 0)
			continue;
		key = row_key_id(TABLE_SITE_COUNTS, id);
		site_counts_encode(&key, &s->by_number[i].counts, &row);
		s->by_number[i].dirty = false;
		*ret_rows += 1;
		*ret_digest += row_checksum(row.bytes);
	}
	for (uint32_t n = 0; n < s->cap; n++) {
		if (s->facts[n].name == 0)
			continue;
		key = row_key_name(s->facts[n].name, n);
		encode_name(&key, &row);
		*ret_rows += 1;
		*ret_digest += row_checksum(row.bytes);
	}
}
