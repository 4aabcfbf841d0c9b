/* Columns say what the records say, whatever came in which order: a synthetic estate is changed at random,
 * and after each stretch of commits every row of every group is compared with what is derived of the rows
 * that lie beside it; hosts, issuers and revocations with the roster, the index with the catalogue. */
#include "base/prng.h"
#include "store/column_table.h"
#include "store/derive.h"
#include "store/query_private.h"
#include "store/store.h"
#include "tests/unit/oracle.h"
#include "tests/unit/query_estate.h"

#define ESTATE_HOSTS 400
#define STRETCHES    14
#define COMMITS      60

struct fixture {
	const char *state, *replica;
	struct store *store;
	struct prng prng;
	struct id estate, self;
	struct {
		struct record_key key;
		uint8_t bytes[LIMIT_RECORD_BYTES];
		size_t len;
		bool there;
	} * records;
	size_t record_count, host_count;
	struct host_state *hosts;
	struct {
		struct id id;
		uint8_t bytes[LIMIT_BLOB_BYTES];
		size_t len;
	} * blobs;
	size_t blob_count;
};

static bool take_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct fixture *f = context;
	struct record r;
	(void)received;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	f->records = realloc(f->records, (f->record_count + 1) * sizeof(*f->records));
	assert_non_null(f->records);
	memcpy(f->records[f->record_count].bytes, bytes, len);
	f->records[f->record_count].len = len;
	f->records[f->record_count].there = true;
	f->records[f->record_count++].key = r.key;
	return true;
}

static bool take_state(void *context, const struct host_state *state)
{
	struct fixture *f = context;
	f->hosts = realloc(f->hosts, (f->host_count + 1) * sizeof(*f->hosts));
	assert_non_null(f->hosts);
	f->hosts[f->host_count++] = *state;
	return true;
}

static bool take_blob(void *context, const struct id *id)
{
	struct fixture *f = context;
	f->blobs = realloc(f->blobs, (f->blob_count + 1) * sizeof(*f->blobs));
	assert_non_null(f->blobs);
	f->blobs[f->blob_count].id = *id;
	assert_int_equal(
	    store_get_blob(f->store, id, f->blobs[f->blob_count].bytes, &f->blobs[f->blob_count].len),
	    ERR_OK);
	f->blob_count++;
	return true;
}

static void make(struct fixture *f, struct scratch *s)
{
	struct snapshot *snapshot;
	struct err_info info = {0};
	*f = (struct fixture){.state = scratch_path(s, "estate"),
			      .replica = scratch_path(s, "estate/replica")};
	prng_seed(&f->prng, 99);
	struct estate_options o = {
	    .hosts = ESTATE_HOSTS, .sites = 9, .seed = 5, .out = f->state, .now = NOW, .trouble = true};
	assert_int_equal(estate_write(&o, &info), ERR_OK);
	assert_int_equal(snapshot_open(f->state, &snapshot, &info), ERR_OK);
	f->estate = snapshot_meta(snapshot)->estate;
	f->self = snapshot_meta(snapshot)->self;
	snapshot_close(snapshot);
	assert_int_equal(store_open(f->replica, &f->estate, &f->self, &f->store, NULL, &info), ERR_OK);
	assert_int_equal(store_each_record(f->store, take_record, f), ERR_OK);
	assert_int_equal(store_each_host_state(f->store, take_state, f), ERR_OK);
	assert_int_equal(store_each_blob(f->store, take_blob, f), ERR_OK);
}

static void end(struct fixture *f)
{
	store_close(f->store);
	free(f->records);
	free(f->hosts);
	free(f->blobs);
}

static void put_issue(struct fixture *f, enum issue_kind kind, const struct id *subject, bool over)
{
	struct issue issue = {.kind = kind, .subject = *subject, .since = NOW, .last = NOW, .over = over};
	assert_int_equal(store_put_issue(f->store, &issue), ERR_OK);
}

static void change_one(struct fixture *f)
{
	size_t at = (size_t)prng_below(&f->prng, f->record_count);
	struct host_state *h = &f->hosts[prng_below(&f->prng, f->host_count)];
	switch (prng_below(&f->prng, 12)) {
	case 0:
	case 1:
		assert_int_equal(store_drop_record(f->store, &f->records[at].key), ERR_OK);
		f->records[at].there = false;
		break;
	case 2:
	case 3:
	case 4:
		h->seen += 1000;
		h->status = (enum host_status)prng_below(&f->prng, 8);
		h->standing = (enum host_standing)prng_below(&f->prng, 4);
		h->witnesses[0] = prng_below(&f->prng, 3);
		assert_int_equal(store_put_host_state(f->store, h), ERR_OK);
		break;
	case 5:
		put_issue(f, ISSUE_HOST_REVOKED, &h->host, prng_chance(&f->prng, 0.5));
		break;
	case 6:
		if (prng_chance(&f->prng, 0.1))
			put_issue(f, prng_chance(&f->prng, 0.5) ? ISSUE_ISSUER_REVOKED : ISSUE_GRANT_ENDED,
				  &h->issuer, prng_chance(&f->prng, 0.7));
		break;
	default:
		for (size_t i = 0; i < f->record_count; i++, at = (at + 1) % f->record_count) {
			if (f->records[at].there && prng_chance(&f->prng, 0.7))
				continue;
			assert_int_equal(store_put_record(f->store, &f->records[at].key, f->records[at].bytes,
							  f->records[at].len, NOW),
					 ERR_OK);
			f->records[at].there = true;
			break;
		}
	}
}

/* --- comparing --- */

struct checked {
	struct snapshot *snapshot;
	struct oracle_roster roster;
	struct oracle_catalogue *catalogue;
	struct column_table *tables[COLUMN_GROUP_LAST + 1];
	size_t rows[COLUMN_GROUP_LAST + 1];
	size_t entries;
};

static bool read_record(struct checked *c, const struct id *host, uint8_t kind, struct row_value *row,
			struct record *ret)
{
	struct record_key record = {.kind = kind, .writer = *host, .subject = *host};
	struct row_key key = row_key_record(&record);
	const uint8_t *bytes;
	size_t len;
	wall_ms received;
	return snapshot_get(c->snapshot, &key, row) == ERR_OK &&
	       row_decode_record(row->bytes, row->len, &bytes, &len, &received) == ERR_OK &&
	       record_parse(bytes, len, ret) == ERR_OK;
}

static struct column_row row_of(struct checked *c, enum column_group group, uint32_t number)
{
	struct column_row row;
	assert_int_equal(column_table_row(c->tables[group], number, &row), ERR_OK);
	c->rows[group] += row.block != NULL;
	return row;
}

/* Numbers of the index differ from those of a decode: their ids are compared. */
static void check_manifest(struct checked *c, uint32_t manifest, const struct id *root)
{
	struct oracle_manifest view;
	struct id id;
	size_t chunks_len = 0, entries_len = 0, at = 0;
	bool known = oracle_manifest(c->catalogue, root, &view) == ERR_OK;
	struct column_row m = row_of(c, GROUP_MANIFEST, manifest);
	assert_non_null(m.block);
	assert_true(column_row_id(m, C_MANIFEST_ID, &id) && id_equal(&id, root));
	const uint8_t *chunks = column_row_bytes(m, C_MANIFEST_CHUNKS, &chunks_len);
	if (!known) {
		assert_int_equal(chunks_len, 0);
		assert_int_equal(column_row_u64(m, C_MANIFEST_COMPLETE), 0);
		return;
	}
	assert_int_equal(column_row_u64(m, C_MANIFEST_COMPLETE), view.complete);
	assert_int_equal(column_row_u64(m, C_MANIFEST_ENTRIES), view.entry_count);
	assert_int_equal(chunks_len / 4, view.chunk_count);
	for (size_t i = 0; i < chunks_len / 4; i++) {
		struct column_row chunk = row_of(c, GROUP_CHUNK, (uint32_t)column_le(chunks + 4 * i, 4));
		size_t count;
		assert_non_null(chunk.block);
		const uint32_t *refs = oracle_chunk(c->catalogue, view.chunks[i], &count);
		const uint8_t *entries = column_row_bytes(chunk, C_CHUNK_ENTRIES, &entries_len);
		assert_int_equal(entries_len / 4, count);
		for (size_t k = 0; k < count; k++, at++) {
			struct column_row e = row_of(c, GROUP_ENTRY, (uint32_t)column_le(entries + 4 * k, 4));
			const struct oracle_entry *expected = oracle_at(c->catalogue, refs[k]);
			assert_non_null(e.block);
			assert_true(column_row_u64(e, C_ENTRY_ID) == expected->id);
			assert_string_equal(column_row_text(e, C_ENTRY_NAME),
					    oracle_text(c->catalogue, expected->name));
			assert_int_equal(column_row_u64(e, C_ENTRY_FLAGS), expected->flags);
			c->entries++;
		}
	}
}

static void check_row(struct checked *c, enum column_group group, const struct id *host, uint32_t number)
{
	static const uint8_t kinds[] = {[GROUP_PROFILE] = RECORD_PROFILE,
					[GROUP_HEALTH] = RECORD_HEALTH,
					[GROUP_COMPONENTS] = RECORD_COMPONENTS,
					[GROUP_CHANGES] = RECORD_COMPONENTS,
					[GROUP_CRASHES] = RECORD_CRASHES};
	struct column_draft *d;
	struct row_value value;
	struct record r;
	struct components components;
	struct column_row row = row_of(c, group, number);
	assert_int_equal(column_draft_new(group, 1, &d), ERR_OK);
	bool there = read_record(c, host, kinds[group], &value, &r);
	if (there && group == GROUP_PROFILE)
		derive_profile(&r, d, 0);
	else if (there && group == GROUP_HEALTH)
		derive_health(&r, d, 0);
	else if (there && group == GROUP_CRASHES)
		derive_crashes(&r, d, 0);
	else if (there) {
		assert_int_equal(components_decode(r.body, r.body_len, &components), ERR_OK);
		uint32_t manifest = row.block != NULL && group == GROUP_COMPONENTS
					? (uint32_t)column_row_u64(row, C_COMPONENTS_MANIFEST)
					: 0;
		if (group == GROUP_CHANGES)
			derive_changes(&components, d, 0);
		else
			derive_components(&r, &components, manifest, d, 0);
		if (manifest != 0)
			check_manifest(c, manifest - 1, &components.manifest);
		assert_int_equal(manifest == 0 && group == GROUP_COMPONENTS,
				 id_is_zero(&components.manifest) && group == GROUP_COMPONENTS);
	}
	if (row.block == NULL)
		assert_false(column_draft_marked(d, 0));
	else
		assert_true(column_draft_equal(d, 0, row.block, row.row));
	column_draft_free(d);
}

static void check_standing(struct checked *c, const struct id *host, uint32_t number)
{
	const struct oracle_host *expected = oracle_find_any(&c->roster, host);
	struct column_row certified = row_of(c, GROUP_HOST, number), state = row_of(c, GROUP_STATE, number);
	struct id id;
	assert_int_equal(expected != NULL, certified.block != NULL);
	assert_int_equal(expected != NULL, state.block != NULL);
	if (expected == NULL)
		return;
	assert_true(column_row_id(certified, C_HOST_ID, &id) && id_equal(&id, host));
	assert_true(column_row_id(certified, C_HOST_ISSUER, &id) && id_equal(&id, &expected->issuer));
	assert_int_equal(column_row_u64(certified, C_HOST_SEQ), expected->seq);
	assert_int_equal(column_row_u64(certified, C_HOST_ENROLLED), expected->enrolled);
	assert_string_equal(column_row_text(certified, C_HOST_SITE),
			    c->roster.sites[expected->site].state.name);
	assert_int_equal(column_row_u64(state, C_STATE_DECIDED), expected->decided);
	assert_int_equal(column_row_u64(state, C_STATE_STATUS), expected->state.status);
	assert_int_equal(column_row_u64(state, C_STATE_STANDING), expected->state.standing);
	assert_int_equal(column_row_u64(state, C_STATE_SEEN), expected->state.seen);
	assert_int_equal(column_row_u64(state, C_STATE_SINCE), expected->state.since);
}

/* --- site counts and names --- */

static bool has_record(struct checked *c, const struct id *host, uint8_t kind)
{
	struct row_value value;
	struct record r;
	return read_record(c, host, kind, &value, &r);
}

static size_t rows_of(struct checked *c, enum store_table table)
{
	const uint8_t prefix[] = {(uint8_t)table};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len, count = 0;
	assert_int_equal(snapshot_scan_open(c->snapshot, prefix, 1, &scan), ERR_OK);
	while (snapshot_scan_next(&scan, &key, &bytes, &len) == ERR_OK)
		count++;
	snapshot_scan_close(&scan);
	return count;
}

static void add_fact(struct checked *c, const struct oracle_host *host, struct site_counts *sites)
{
	struct site_fact fact = {
	    .seen = host->state.seen,
	    .status = (uint8_t)host->state.status,
	    .standing = (uint8_t)host->state.standing,
	};
	fact.published =
	    (uint8_t)(has_record(c, &host->id, RECORD_PROFILE) + has_record(c, &host->id, RECORD_COMPONENTS));
	site_counts_add(&sites[host->site], &fact);
}

/* As counted of the records. */
static void check_counts(struct checked *c)
{
	struct site_counts *sites = calloc(c->roster.site_total + 1, sizeof(*sites));
	const struct store_meta *meta = snapshot_meta(c->snapshot);
	assert_non_null(sites);
	for (size_t i = 0; i < c->roster.host_count; i++)
		add_fact(c, &c->roster.hosts[i], sites);
	for (size_t i = 0; i < c->roster.hidden_count; i++)
		add_fact(c, &c->roster.hidden[i], sites);
	for (size_t i = 0; i < c->roster.site_total; i++) {
		struct row_key key = row_key_id(TABLE_SITE_COUNTS, &c->roster.sites[i].state.site);
		struct row_value have, expected;
		memcpy(sites[i].name, c->roster.sites[i].state.name, sizeof(sites[i].name));
		assert_int_equal(snapshot_get(c->snapshot, &key, &have), ERR_OK);
		site_counts_encode(&key, &sites[i], &expected);
		assert_int_equal(have.len, expected.len);
		assert_memory_equal(have.bytes, expected.bytes, have.len);
	}
	assert_int_equal(rows_of(c, TABLE_SITE_COUNTS), c->roster.site_total);
	assert_true(meta->counts_there);
	assert_int_equal(meta->counted, c->roster.host_count + c->roster.hidden_count);
	free(sites);
}

static size_t check_name(struct checked *c, uint32_t number)
{
	struct column_row profile = row_of(c, GROUP_PROFILE, number);
	const char *name = profile.block != NULL ? column_row_text(profile, C_PROFILE_NAME) : NULL;
	struct row_value value;
	if (name == NULL)
		return 0;
	struct row_key key = row_key_name(row_name_hash(name, strlen(name)), number);
	assert_int_equal(snapshot_get(c->snapshot, &key, &value), ERR_OK);
	return 1;
}

static void open_again(struct fixture *f)
{
	struct err_info info = {0};
	bool aside = true;
	assert_int_equal(store_open(f->replica, &f->estate, &f->self, &f->store, &aside, &info), ERR_OK);
	assert_false(aside);
}

/* LMDB wants a file opened once a process: the store is closed meanwhile, so that what it knows by heart is
 * read again, too. */
static void check_all(struct fixture *f, struct checked *ret)
{
	static struct checked c;
	struct err_info info = {0};
	struct store_stats stats;
	size_t known = 0, names = 0;
	store_stats(f->store, &stats);
	assert_int_equal(stats.rebuilt, 0);
	store_close(f->store);
	c = (struct checked){.entries = 0};
	assert_int_equal(snapshot_open(f->state, &c.snapshot, &info), ERR_OK);
	assert_int_equal(oracle_roster_load(c.snapshot, &c.roster, &info), ERR_OK);
	assert_int_equal(oracle_catalogue_new(c.snapshot, ORACLE_ENTRIES_MAX, &c.catalogue), ERR_OK);
	for (unsigned g = COLUMN_GROUP_FIRST; g <= COLUMN_GROUP_LAST; g++)
		assert_int_equal(column_table_open(c.snapshot, (enum column_group)g, &c.tables[g]), ERR_OK);
	for (size_t i = 0; i < f->host_count; i++) {
		uint32_t number;
		if (snapshot_number(c.snapshot, &f->hosts[i].host, &number) != ERR_OK)
			continue;
		known++;
		names += check_name(&c, number);
		check_standing(&c, &f->hosts[i].host, number);
		for (unsigned g = GROUP_PROFILE; g <= GROUP_CRASHES; g++)
			check_row(&c, (enum column_group)g, &f->hosts[i].host, number);
	}
	assert_true(known > f->host_count * 9 / 10);
	check_counts(&c);
	assert_int_equal(rows_of(&c, TABLE_NAMES), names);
	assert_int_equal(snapshot_damaged(c.snapshot), 0);
	for (unsigned g = COLUMN_GROUP_FIRST; g <= COLUMN_GROUP_LAST; g++)
		column_table_close(c.tables[g]);
	oracle_roster_free(&c.roster);
	oracle_catalogue_free(c.catalogue);
	snapshot_close(c.snapshot);
	*ret = c;
	open_again(f);
}

static void columns_say_what_records_say(void **state)
{
	struct fixture f;
	struct checked c;
	make(&f, *state);
	check_all(&f, &c);
	assert_true(c.rows[GROUP_PROFILE] > ESTATE_HOSTS / 2 && c.entries > ESTATE_HOSTS * 10);
	for (int i = 0; i < STRETCHES; i++) {
		for (int k = 0; k < COMMITS; k++) {
			for (uint64_t n = 1 + prng_below(&f.prng, i % 3 == 0 ? 120 : 6); n > 0; n--)
				change_one(&f);
			assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
		}
		check_all(&f, &c);
	}
	end(&f);
}

/* Blobs before records, records before blobs, one by one and back to front. */
static void manifests_come_in_any_order(void **state)
{
	struct fixture f;
	struct checked before, c;
	struct err_info info = {0};
	make(&f, *state);
	check_all(&f, &before);
	for (int order = 0; order < 3; order++) {
		store_close(f.store);
		char data[LIMIT_PATH_BYTES];
		snprintf(data, sizeof(data), "%s/data.mdb", f.replica);
		assert_int_equal(remove(data), 0);
		assert_int_equal(store_open(f.replica, &f.estate, &f.self, &f.store, NULL, &info), ERR_OK);
		for (size_t i = 0; i < f.blob_count && order == 0; i++)
			assert_int_equal(
			    store_put_blob(f.store, &f.blobs[i].id, f.blobs[i].bytes, f.blobs[i].len),
			    ERR_OK);
		assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
		for (size_t i = 0; i < f.host_count; i++)
			assert_int_equal(store_put_host_state(f.store, &f.hosts[i]), ERR_OK);
		for (size_t i = 0; i < f.record_count; i++)
			assert_int_equal(store_put_record(f.store, &f.records[i].key, f.records[i].bytes,
							  f.records[i].len, NOW),
					 ERR_OK);
		assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
		for (size_t k = 0; k < f.blob_count && order > 0; k++) {
			size_t i = order == 1 ? k : f.blob_count - 1 - k;
			assert_int_equal(
			    store_put_blob(f.store, &f.blobs[i].id, f.blobs[i].bytes, f.blobs[i].len),
			    ERR_OK);
			if (k % 50 == 0)
				assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
			if (k == f.blob_count / 2 && order == 2) {
				assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
				store_close(f.store);
				assert_int_equal(
				    store_open(f.replica, &f.estate, &f.self, &f.store, NULL, &info), ERR_OK);
			}
		}
		assert_int_equal(store_flush(f.store, NOW, NULL), ERR_OK);
		check_all(&f, &c);
		assert_int_equal(c.entries, before.entries);
	}
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(columns_say_what_records_say, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(manifests_come_in_any_order, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests_name("store blocks", tests, NULL, NULL);
}
