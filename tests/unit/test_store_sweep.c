/* Retention: what nothing refers to goes, what something refers to never does. Hosts change their manifests
 * at random, and back, while looks and commits fall in between; which blobs are needed is told by a walk of
 * the test's own. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "crypto/hash.h"
#include "record/body.h"
#include "record/manifest.h"
#include "store/column_table.h"
#include "store/host_key.h"
#include "store/store.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

#define HOSTS      12
#define COMPONENTS 24
#define BLOBS_MAX  65536
#define SLICE      5
#define LOOKS_GONE 5 /* two of them, and one for each list above */

struct known_blob {
	struct id id;
	uint8_t bytes[LIMIT_BLOB_BYTES];
	size_t len;
	bool present;  /* as the core would know */
	unsigned idle; /* looks that found it unreferred to, in a row */
	bool needed;
	uint32_t next; /* of its chain */
	uint64_t entries[64];
	size_t entry_count;
};

struct known_host {
	struct identity *identity;
	unsigned versions[COMPONENTS];
	struct components body;
	bool there;
	uint64_t seq;
};

struct trial {
	struct scratch *scratch;
	bool memory;
	struct store *store;
	struct prng prng;
	struct known_host hosts[HOSTS];
	struct id policy; /* an operator's record names it; zero: there is none */
	uint64_t policy_seq;
	struct id root; /* the log names it */
	struct known_blob *blobs;
	size_t blob_count;
	uint32_t heads[65536]; /* of chains of blobs by the first bytes of their ids; + 1 */
	uint64_t dropped;
};

static void open_trial(struct trial *t)
{
	struct id estate = rows_id(9, 1), self = rows_id(9, 2);
	struct err_info info = {0};
	bool aside = false;
	enum err err = t->memory ? store_open_memory(&estate, &self, &t->store)
				 : store_open(scratch_path(t->scratch, "s/replica"), &estate, &self,
					      &t->store, &aside, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	assert_false(aside);
}

static void begin(struct trial *t, void *scratch, bool memory)
{
	*t = (struct trial){.scratch = scratch, .memory = memory};
	prng_seed(&t->prng, memory ? 1 : 2);
	t->blobs = calloc(BLOBS_MAX, sizeof(*t->blobs));
	assert_non_null(t->blobs);
	for (unsigned i = 0; i < HOSTS; i++) {
		uint8_t seed[KEY_BYTES] = {(uint8_t)(i + 1), 7};
		assert_int_equal(identity_from_seed(seed, &t->hosts[i].identity), ERR_OK);
	}
	open_trial(t);
}

static void end(struct trial *t)
{
	store_close(t->store);
	for (unsigned i = 0; i < HOSTS; i++)
		identity_free(t->hosts[i].identity);
	free(t->blobs);
}

/* --- what a node does --- */

static void flush(struct trial *t)
{
	assert_int_equal(store_flush(t->store, ROWS_NOW, NULL), ERR_OK);
}

static uint32_t *head_of(struct trial *t, const struct id *id)
{
	return &t->heads[(size_t)id->b[0] << 8 | id->b[1]];
}

static struct known_blob *find_blob(struct trial *t, const struct id *id)
{
	for (uint32_t at = *head_of(t, id); at != 0; at = t->blobs[at - 1].next)
		if (id_equal(&t->blobs[at - 1].id, id))
			return &t->blobs[at - 1];
	return NULL;
}

static struct known_blob *know_blob(struct trial *t, const uint8_t *bytes, size_t len)
{
	struct id id = blob_id(bytes, len);
	struct known_blob *b = find_blob(t, &id);
	if (b == NULL) {
		assert_true(t->blob_count < BLOBS_MAX);
		b = &t->blobs[t->blob_count++];
		*b = (struct known_blob){.id = id, .len = len, .next = *head_of(t, &id)};
		memcpy(b->bytes, bytes, len);
		*head_of(t, &id) = (uint32_t)t->blob_count;
	}
	if (!b->present)
		assert_int_equal(store_put_blob(t->store, &id, bytes, len), ERR_OK);
	b->present = true;
	return b;
}

static struct component component_of(unsigned number, unsigned version)
{
	struct component c = {.kind = COMPONENT_MODULE};
	snprintf(c.name, sizeof(c.name), "module-%u", number);
	c.version.status = READING_OK;
	snprintf(c.version.value, sizeof(c.version.value), "1.%u", version);
	return c;
}

static uint64_t entry_of(unsigned number, unsigned version)
{
	struct component c = component_of(number, version);
	uint8_t bytes[COMPONENT_ENTRY_BYTES];
	size_t len;
	assert_int_equal(component_encode(&c, bytes, &len), ERR_OK);
	return component_entry_id(bytes, len);
}

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	(void)id;
	know_blob(context, blob, len);
	return ERR_OK;
}

static void put_host(struct trial *t, struct known_host *h)
{
	struct component components[COMPONENTS];
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t body_len, len, entries;
	struct record_key key = {.kind = RECORD_COMPONENTS,
				 .writer = *identity_id(h->identity),
				 .subject = *identity_id(h->identity)};
	struct id estate = rows_id(9, 1);
	for (unsigned i = 0; i < COMPONENTS; i++)
		components[i] = component_of(i, h->versions[i]);
	assert_int_equal(manifest_build(components, COMPONENTS, NULL, emit, t, &h->body.manifest, &entries),
			 ERR_OK);
	h->body.entry_count = (uint32_t)entries;
	h->body.module_support = READING_OK;
	assert_int_equal(components_encode(&h->body, body, &body_len), ERR_OK);
	assert_int_equal(
	    record_sign(&key, ++h->seq, 1, ROWS_NOW, body, body_len, &estate, h->identity, bytes, &len),
	    ERR_OK);
	assert_int_equal(store_put_record(t->store, &key, bytes, len, ROWS_NOW), ERR_OK);
	h->there = true;
}

/* One component becomes another version, and the record says so. */
static void change_host(struct trial *t, struct known_host *h, unsigned versions)
{
	unsigned at = (unsigned)prng_below(&t->prng, COMPONENTS);
	unsigned version = (unsigned)prng_below(&t->prng, versions);
	struct components *b = &h->body;
	if (b->change_count == LIMIT_CHANGES)
		b->change_count--;
	memmove(b->changes + 1, b->changes, b->change_count * sizeof(*b->changes));
	b->changes[0] =
	    (struct component_change){entry_of(at, h->versions[at]), ROWS_NOW / 1000, CHANGE_REMOVED};
	b->change_count++;
	h->versions[at] = version;
	put_host(t, h);
}

static void drop_host(struct trial *t, struct known_host *h)
{
	struct record_key key = {.kind = RECORD_COMPONENTS,
				 .writer = *identity_id(h->identity),
				 .subject = *identity_id(h->identity)};
	assert_int_equal(store_drop_record(t->store, &key), ERR_OK);
	h->there = false;
}

static struct id list_of(struct trial *t, const struct id *ids, size_t count)
{
	uint8_t bytes[LIMIT_BLOB_BYTES] = {1, BLOB_LIST};
	for (size_t i = 0; i < count; i++)
		memcpy(bytes + 2 + i * ID_BYTES, ids[i].b, ID_BYTES);
	return know_blob(t, bytes, 2 + count * ID_BYTES)->id;
}

/* A tree of depth two over chunks of its own type, and, with some malice, over a manifest of a host. */
static struct id tree_of(struct trial *t, uint8_t type)
{
	struct id leaves[3], lists[2];
	for (unsigned i = 0; i < 3; i++) {
		uint8_t leaf[] = {1, type, 0x91, (uint8_t)prng_below(&t->prng, 100)};
		leaves[i] = know_blob(t, leaf, sizeof(leaf))->id;
	}
	struct known_host *victim = &t->hosts[prng_below(&t->prng, HOSTS)];
	if (victim->there && prng_chance(&t->prng, 0.5))
		leaves[2] = victim->body.manifest;
	lists[0] = list_of(t, leaves, 1);
	lists[1] = list_of(t, leaves + 1, 2);
	return list_of(t, lists, 2);
}

static void put_policy(struct trial *t)
{
	uint8_t body[20] = {0x81, 1, 0xc4, ID_BYTES}, bytes[LIMIT_RECORD_BYTES];
	size_t len;
	struct identity *operator= t->hosts[0].identity;
	struct record_key key = {.kind = RECORD_POLICY, .writer = *identity_id(operator), .slot = 5};
	struct id estate = rows_id(9, 1);
	t->policy = tree_of(t, BLOB_POLICY);
	memcpy(body + 4, t->policy.b, ID_BYTES);
	assert_int_equal(record_sign(&key, ++t->policy_seq, 1, ROWS_NOW, body, sizeof(body),
				     &estate, operator, bytes, &len),
			 ERR_OK);
	assert_int_equal(store_put_record(t->store, &key, bytes, len, ROWS_NOW), ERR_OK);
}

static void drop_slice(struct trial *t)
{
	struct id due[SLICE];
	size_t count = store_sweep_due(t->store, due, SLICE);
	for (size_t i = 0; i < count; i++) {
		struct known_blob *b = find_blob(t, &due[i]);
		assert_non_null(b);
		assert_int_equal(store_drop_blob(t->store, &due[i]), ERR_OK);
		b->present = false;
		t->dropped++;
	}
}

/* --- what should be --- */

static bool is_list(const struct known_blob *b)
{
	return b->bytes[1] == BLOB_LIST;
}

static void need(struct trial *t, const struct id *id, unsigned depth)
{
	struct known_blob *b = find_blob(t, id);
	if (b == NULL)
		return;
	b->needed = true;
	for (size_t i = 2; is_list(b) && depth < 2 && i < b->len; i += ID_BYTES) {
		struct id child;
		memcpy(child.b, b->bytes + i, ID_BYTES);
		need(t, &child, depth + 1);
	}
}

static bool take_entry(void *context, size_t index, uint64_t entry, const struct component *c)
{
	struct known_blob *b = context;
	(void)index;
	(void)c;
	b->entries[b->entry_count++] = entry;
	return b->entry_count < 64;
}

static enum err fetch_one(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	const struct known_blob *b = context;
	if (id_equal(id, &b->id)) {
		memcpy(ret, b->bytes, b->len);
		*ret_len = b->len;
		return ERR_OK;
	}
	ret[0] = 1;
	ret[1] = BLOB_LIST;
	memcpy(ret + 2, b->id.b, ID_BYTES);
	*ret_len = 2 + ID_BYTES;
	return ERR_OK;
}

static bool has_entry(struct known_blob *b, uint64_t entry)
{
	struct id list = {{1}};
	if (b->bytes[1] != BLOB_COMPONENTS)
		return false;
	if (b->entry_count == 0)
		(void)manifest_read(&list, fetch_one, b, take_entry, b);
	for (size_t i = 0; i < b->entry_count; i++)
		if (b->entries[i] == entry)
			return true;
	return false;
}

static void tell_needed(struct trial *t)
{
	for (size_t i = 0; i < t->blob_count; i++)
		t->blobs[i].needed = false;
	need(t, &t->policy, 0);
	need(t, &t->root, 0);
	for (unsigned h = 0; h < HOSTS; h++) {
		const struct known_host *host = &t->hosts[h];
		if (!host->there)
			continue;
		need(t, &host->body.manifest, 0);
		for (size_t k = 0; k < host->body.change_count; k++)
			for (size_t i = 0; i < t->blob_count; i++)
				if (t->blobs[i].present &&
				    has_entry(&t->blobs[i], host->body.changes[k].entry))
					t->blobs[i].needed = true;
	}
}

static void check_needed(struct trial *t)
{
	uint8_t bytes[LIMIT_BLOB_BYTES];
	size_t len;
	tell_needed(t);
	for (size_t i = 0; i < t->blob_count; i++) {
		struct known_blob *b = &t->blobs[i];
		enum err err = store_get_blob(t->store, &b->id, bytes, &len);
		assert_int_equal(err, b->present ? ERR_OK : ERR_NOT_FOUND);
		assert_true(b->present || !b->needed || !is_list(b));
		/* What is here has all below it here. */
		for (size_t k = 2; b->present && is_list(b) && k < b->len; k += ID_BYTES) {
			struct id child;
			memcpy(child.b, b->bytes + k, ID_BYTES);
			assert_true(find_blob(t, &child)->present);
		}
	}
}

/* A host's manifest is whole at any time. */
static void check_whole(struct trial *t)
{
	for (unsigned h = 0; h < HOSTS; h++) {
		if (!t->hosts[h].there)
			continue;
		const struct known_blob *root = find_blob(t, &t->hosts[h].body.manifest);
		assert_true(root != NULL && root->present);
		for (size_t i = 2; i < root->len; i += ID_BYTES) {
			struct id child;
			memcpy(child.b, root->bytes + i, ID_BYTES);
			assert_true(find_blob(t, &child)->present);
		}
	}
}

static void look(struct trial *t, bool changes_within)
{
	if (!store_sweep_wanted(t->store))
		return;
	store_sweep_begin(t->store);
	if (changes_within)
		change_host(t, &t->hosts[prng_below(&t->prng, HOSTS)], 3);
	enum err err = store_sweep_look(t->store, &t->root, 1);
	assert_int_equal(err, ERR_OK);
	if (changes_within)
		change_host(t, &t->hosts[prng_below(&t->prng, HOSTS)], 3);
	store_sweep_end(t->store, err);
}

/* --- tests --- */

static void act(struct trial *t)
{
	struct known_host *h = &t->hosts[prng_below(&t->prng, HOSTS)];
	switch (prng_below(&t->prng, 10)) {
	case 0:
		drop_host(t, h);
		break;
	case 1:
		put_policy(t);
		break;
	case 2:
		t->root = tree_of(t, BLOB_ALLOW_LIST + 1);
		break;
	case 3:
	case 4:
		flush(t);
		break;
	case 5:
		look(t, prng_chance(&t->prng, 0.5));
		break;
	case 6:
	case 7:
		drop_slice(t);
		break;
	default:
		change_host(t, h, 3); /* so few that former manifests come again */
		break;
	}
}

static void check_over(void **state, bool memory)
{
	static struct trial t;
	begin(&t, *state, memory);
	for (unsigned i = 0; i < HOSTS; i++)
		put_host(&t, &t.hosts[i]);
	for (unsigned i = 0; i < 3000; i++) {
		act(&t);
		check_whole(&t);
		if (i % 50 == 0)
			check_needed(&t);
		if (i % 700 == 699 && !memory) {
			flush(&t);
			store_close(t.store);
			open_trial(&t);
		}
	}
	assert_true(t.dropped > 100);
	/* In quiet, all that is not needed goes. */
	for (unsigned i = 0; i < LOOKS_GONE; i++) {
		flush(&t);
		look(&t, false);
		for (unsigned k = 0; k < 2000; k++)
			drop_slice(&t);
	}
	flush(&t);
	check_needed(&t);
	tell_needed(&t);
	for (size_t i = 0; i < t.blob_count; i++)
		assert_int_equal(t.blobs[i].present, t.blobs[i].present && t.blobs[i].needed);
	for (unsigned i = 0; i < 2; i++)
		look(&t, false);
	assert_false(store_sweep_wanted(t.store));
	end(&t);
}

static void over_memory(void **state)
{
	check_over(state, true);
}

static void over_lmdb(void **state)
{
	check_over(state, false);
}

/* --- the index, and what it keeps --- */

static struct column_table *table_of(struct snapshot *snapshot, enum column_group group)
{
	struct column_table *t;
	assert_int_equal(column_table_open(snapshot, group, &t), ERR_OK);
	return t;
}

static size_t rows_of(struct column_table *t)
{
	size_t count = 0;
	for (uint32_t i = 0; i < column_table_end(t); i++) {
		struct column_row row;
		assert_int_equal(column_table_row(t, i, &row), ERR_OK);
		count += row.block != NULL;
	}
	return count;
}

static bool names_entry(struct column_table *entries, uint64_t id)
{
	for (uint32_t i = 0; i < column_table_end(entries); i++) {
		struct column_row row;
		assert_int_equal(column_table_row(entries, i, &row), ERR_OK);
		if (row.block != NULL && column_row_u64(row, C_ENTRY_ID) == id)
			return true;
	}
	return false;
}

/* No more rows than there are blobs, `exactly` as many, and an entry for each change. Closes the store
 * meanwhile. */
static void check_index(struct trial *t, bool exactly)
{
	struct snapshot *snapshot;
	struct err_info info = {0};
	size_t manifests = 0, chunks = 0;
	flush(t);
	store_close(t->store);
	assert_int_equal(snapshot_open(scratch_path(t->scratch, "s"), &snapshot, &info), ERR_OK);
	for (size_t i = 0; i < t->blob_count; i++) {
		manifests += t->blobs[i].present && is_list(&t->blobs[i]);
		chunks += t->blobs[i].present && t->blobs[i].bytes[1] == BLOB_COMPONENTS;
	}
	struct column_table *m = table_of(snapshot, GROUP_MANIFEST), *c = table_of(snapshot, GROUP_CHUNK),
			    *e = table_of(snapshot, GROUP_ENTRY);
	assert_true(rows_of(m) <= manifests && rows_of(c) <= chunks);
	assert_true(!exactly || (rows_of(m) == manifests && rows_of(c) == chunks));
	for (unsigned h = 0; h < HOSTS; h++) {
		for (size_t k = 0; k < t->hosts[h].body.change_count && t->hosts[h].there; k++)
			assert_true(names_entry(e, t->hosts[h].body.changes[k].entry));
		for (unsigned i = 0; i < COMPONENTS && t->hosts[h].there; i++)
			assert_true(names_entry(e, entry_of(i, t->hosts[h].versions[i])));
	}
	assert_int_equal(snapshot_damaged(snapshot), 0);
	column_table_close(m);
	column_table_close(c);
	column_table_close(e);
	snapshot_close(snapshot);
	open_trial(t);
}

static void sweep_all(struct trial *t)
{
	flush(t);
	look(t, false);
	for (size_t before = SIZE_MAX; before != t->dropped;) {
		before = t->dropped;
		drop_slice(t);
	}
	flush(t);
}

/* Writes nonsense over the first block of chunks. */
static void damage_index(struct trial *t)
{
	struct row_key key = row_key_block(GROUP_CHUNK, 0);
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	MDB_val k = {key.len, key.bytes}, v = {9, (void *)"nonsense!"};
	store_close(t->store);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_mapsize(env, 1 << 28), 0);
	assert_int_equal(mdb_env_open(env, scratch_path(t->scratch, "s/replica"), 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	open_trial(t);
}

static uint32_t highest_number(struct trial *t)
{
	struct snapshot *snapshot;
	struct err_info info = {0};
	uint32_t highest = 0;
	flush(t);
	store_close(t->store);
	assert_int_equal(snapshot_open(scratch_path(t->scratch, "s"), &snapshot, &info), ERR_OK);
	for (unsigned g = GROUP_ENTRY; g <= GROUP_MANIFEST; g++)
		highest =
		    snapshot_meta(snapshot)->ends[g] > highest ? snapshot_meta(snapshot)->ends[g] : highest;
	snapshot_close(snapshot);
	open_trial(t);
	return highest;
}

/* A thousand new manifests each, and the replica has the size that it had after the first few. */
static void a_thousand_changes_take_no_room(void **state)
{
	static struct trial t;
	struct store_stats stats;
	uint64_t early = 0, early_rows = 0, swept = 0;
	uint32_t early_number = 0;
	begin(&t, *state, false);
	for (unsigned i = 0; i < HOSTS; i++)
		put_host(&t, &t.hosts[i]);
	for (unsigned round = 1; round <= 1000; round++) {
		for (unsigned i = 0; i < HOSTS; i++)
			change_host(&t, &t.hosts[i], UINT32_MAX);
		if (round % 10 != 0)
			continue;
		sweep_all(&t);
		store_stats(t.store, &stats);
		if (round % 250 == 0)
			check_index(&t, false);
		if (round == 250) {
			early = stats.file_bytes;
			early_rows = stats.rows;
			early_number = highest_number(&t);
		}
		if (round % 250 == 0)
			print_message("%4u rounds: %llu bytes, %llu rows\n", round,
				      (unsigned long long)stats.file_bytes, (unsigned long long)stats.rows);
		swept += stats.swept;
	}
	assert_true(swept > 0);
	/* Deltas add up to their own bound meanwhile, which is not reached at once. */
	assert_true(stats.file_bytes <= early * 2);
	assert_true(stats.rows <= early_rows + early_rows / 10);
	assert_true(t.blob_count > 20 * stats.rows);
	assert_true(highest_number(&t) <= early_number + early_number / 10);
	for (unsigned i = 0; i < LOOKS_GONE; i++)
		sweep_all(&t);
	check_index(&t, true);
	/* What is kept for the past alone survives when all of the index is made anew. */
	damage_index(&t);
	store_stats(t.store, &stats);
	assert_true(stats.rebuilt > 0);
	check_index(&t, true);
	end(&t);
}

/* --- numbers of hosts --- */

static void put_state(struct trial *t, uint64_t number)
{
	struct host_state s = rows_host(number, 1);
	assert_int_equal(store_put_host_state(t->store, &s), ERR_OK);
}

static bool number_of(struct trial *t, const struct id *host, uint32_t *ret)
{
	struct snapshot *snapshot;
	struct err_info info = {0};
	flush(t);
	store_close(t->store);
	assert_int_equal(snapshot_open(scratch_path(t->scratch, "s"), &snapshot, &info), ERR_OK);
	bool known = snapshot_number(snapshot, host, ret) == ERR_OK;
	assert_int_equal(snapshot_damaged(snapshot), 0);
	snapshot_close(snapshot);
	open_trial(t);
	return known;
}

static void a_number_is_free_when_nothing_is_left(void **state)
{
	static struct trial t;
	uint32_t first, other, number;
	begin(&t, *state, false);
	for (unsigned i = 0; i < HOSTS; i++)
		put_host(&t, &t.hosts[i]);
	const struct id *host = identity_id(t.hosts[3].identity);
	struct record_key goodbye = {.kind = RECORD_GOODBYE, .writer = *host, .subject = *host};
	uint8_t bytes[200] = {0};
	assert_int_equal(store_put_record(t.store, &goodbye, bytes, sizeof(bytes), ROWS_NOW), ERR_OK);
	assert_true(number_of(&t, host, &first));
	drop_host(&t, &t.hosts[3]);
	assert_true(number_of(&t, host, &number));
	assert_int_equal(number, first);
	/* The last of its rows goes, and comes again in the same commit. */
	assert_int_equal(store_drop_record(t.store, &goodbye), ERR_OK);
	assert_int_equal(store_put_record(t.store, &goodbye, bytes, sizeof(bytes), ROWS_NOW), ERR_OK);
	assert_true(number_of(&t, host, &number));
	assert_int_equal(number, first);
	assert_int_equal(store_drop_record(t.store, &goodbye), ERR_OK);
	assert_false(number_of(&t, host, &number));
	/* Another host takes it, and none of the two shows the other's rows. */
	put_state(&t, 77);
	struct id next = rows_host(77, 1).host;
	assert_true(number_of(&t, &next, &other));
	assert_int_equal(other, first);
	put_host(&t, &t.hosts[3]);
	assert_true(number_of(&t, host, &number));
	assert_int_not_equal(number, first);
	check_index(&t, true);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(over_memory, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(over_lmdb, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_thousand_changes_take_no_room, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_number_is_free_when_nothing_is_left, scratch_setup,
					    scratch_teardown),
	};
	if (crypto_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("store sweep", tests, NULL, NULL);
}
