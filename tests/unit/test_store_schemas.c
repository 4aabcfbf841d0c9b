/* Replicas of other schemas: newer ones are refused and left as they are, older ones are read and taken over.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cursor.h"
#include "base/prng.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "store/store_private.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

static struct id estate, self;

static enum err open_at(const char *path, struct store **ret, bool *ret_aside)
{
	return store_open(path, &estate, &self, ret, ret_aside, NULL);
}

static void strangers_are_refused(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	struct id other = rows_id(9, 77);
	struct store *s = NULL, *second = NULL;
	struct err_info info = {0};
	struct stat st;
	assert_int_equal(open_at(folder, &s, NULL), ERR_OK);
	assert_int_equal(store_open(folder, &estate, &self, &second, NULL, &info), ERR_BUSY);
	assert_non_null(strstr(info.text, folder));
	assert_int_equal(rows_put_all(s, 1, 2), ERR_OK);
	store_close(s);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(stat(scratch_path(*state, "replica/data.mdb"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(store_open(folder, &other, &self, &second, NULL, &info), ERR_ESTATE);
	assert_non_null(strstr(info.text, folder));
	assert_null(second);
}

/* The meta row is edited in the file, checksum included, as a program of another schema would have left it.
 * The caller frees what the file holds now. */
static void make_schema(struct scratch *s, uint32_t schema, uint8_t **ret_file, size_t *ret_len)
{
	const char *folder = scratch_path(s, "replica"), *data = scratch_path(s, "replica/data.mdb");
	struct backend *b;
	struct row_key key = row_key_first(TABLE_META);
	struct row_value now, other;
	struct store_meta meta;
	assert_int_equal(backend_lmdb_open(folder, 1 << 20, &estate, &self, NULL, &b, NULL, NULL), ERR_OK);
	assert_int_equal(b->ops->get(b, &key, &now), ERR_OK);
	b->ops->close(b);
	assert_int_equal(row_decode_meta(now.bytes, now.len, &meta), ERR_OK);
	assert_int_equal(meta.as_of, ROWS_NOW);
	assert_int_equal(meta.schema, STORE_SCHEMA);
	meta.schema = schema;
	row_encode_meta(&key, &meta, &other);
	assert_int_equal(os_file_read(data, 1 << 26, ret_file, ret_len, NULL), ERR_OK);
	uint8_t *at = memmem(*ret_file, *ret_len, now.bytes, now.len);
	assert_non_null(at);
	memcpy(at, other.bytes, other.len);
	scratch_write(data, *ret_file, *ret_len, 0640);
}

static void newer_schemas_are_refused(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	struct store *s = NULL;
	struct err_info info = {0};
	uint8_t *file;
	size_t len;
	assert_int_equal(open_at(folder, &s, NULL), ERR_OK);
	assert_int_equal(rows_put_all(s, 1, 1), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	store_close(s);
	s = NULL;
	make_schema(*state, STORE_SCHEMA + 1, &file, &len);
	assert_int_equal(store_open(folder, &estate, &self, &s, NULL, &info), ERR_VERSION);
	assert_non_null(strstr(info.text, "schema 6"));
	assert_true(scratch_holds(scratch_path(*state, "replica/data.mdb"), file, len));
	free(file);
}

/* A host state as schema 1 had it: no standing, nothing of its successor. */
static void put_old_host(struct row_set *batch, const struct host_state *state)
{
	struct row_key key = row_key_id(TABLE_HOST_STATES, &state->host);
	uint8_t covered[128], row[128];
	struct writer w = writer_of(covered, sizeof(covered));
	writer_u8(&w, (uint8_t)key.len);
	writer_bytes(&w, key.bytes, key.len);
	size_t body = w.len;
	writer_u8(&w, 1);
	writer_u8(&w, (uint8_t)state->status);
	writer_u64(&w, state->since);
	writer_u64(&w, state->seen);
	writer_u8(&w, state->votes);
	writer_u8(&w, state->signers);
	for (size_t i = 0; i < LIMIT_WITNESSES; i++)
		writer_u64(&w, state->witnesses[i]);
	struct writer out = writer_of(row, sizeof(row));
	writer_u64(&out, hash_checksum(covered, w.len));
	writer_bytes(&out, covered + body, w.len - body);
	assert_int_equal(row_set_put(batch, &key, row, out.len), ERR_OK);
}

struct old_hosts {
	size_t count;
	bool right;
};

static bool see_old_host(void *context, const struct host_state *state)
{
	struct old_hosts *h = context;
	struct host_state expected = rows_host(state->since - ROWS_NOW, 1);
	h->count++;
	h->right = h->right && id_equal(&state->host, &expected.host) && state->status == expected.status &&
		   state->standing == STANDING_GOOD && id_is_zero(&state->replaced_by) &&
		   id_is_zero(&state->issuer) && state->seen == expected.seen && state->votes == 1 &&
		   state->signers == 2 &&
		   memcmp(state->witnesses, expected.witnesses, sizeof(expected.witnesses)) == 0;
	return true;
}

static void older_schemas_are_read_and_taken_over(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	struct old_hosts hosts = {.right = true};
	struct row_set batch = {0};
	struct backend *b;
	struct store *s = NULL;
	bool aside = true;
	uint8_t *file;
	size_t len;
	assert_int_equal(backend_lmdb_open(folder, 1 << 20, &estate, &self, NULL, &b, NULL, NULL), ERR_OK);
	for (uint64_t i = 0; i < 20; i++) {
		struct host_state host = rows_host(i, 1);
		put_old_host(&batch, &host);
	}
	assert_int_equal(b->ops->commit(b, &batch, ROWS_NOW, NULL), ERR_OK);
	b->ops->close(b);
	row_set_clear(&batch);
	make_schema(*state, 1, &file, &len);
	free(file);

	assert_int_equal(open_at(folder, &s, &aside), ERR_OK);
	assert_false(aside);
	assert_int_equal(store_each_host_state(s, see_old_host, &hosts), ERR_OK);
	assert_true(hosts.right);
	assert_int_equal(hosts.count, 20);
	struct store_stats stats;
	store_stats(s, &stats);
	assert_int_equal(stats.damaged, 0);
	/* The first commit makes it the schema of now, with rows of both. */
	assert_int_equal(rows_put_all(s, 30, 2), ERR_OK);
	assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	store_close(s);
	make_schema(*state, STORE_SCHEMA, &file, &len); /* which it has */
	free(file);
	assert_int_equal(open_at(folder, &s, &aside), ERR_OK);
	assert_false(aside);
	store_stats(s, &stats);
	assert_int_equal(stats.rows, 25);
	store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(strangers_are_refused, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(newer_schemas_are_refused, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(older_schemas_are_read_and_taken_over, scratch_setup,
					    scratch_teardown),
	};
	estate = rows_id(9, 1);
	self = rows_id(9, 2);
	return cmocka_run_group_tests_name("store schemas", tests, NULL, NULL);
}
