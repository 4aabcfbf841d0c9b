/* Retention as the node does it: a real loop, committer and replica; the hours are the test's own. */
#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "node/sweeper.h"
#include "os/clock.h"
#include "record/manifest.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

#define BLOBS 3000 /* more than one slice */
#define HOUR  (60 * CLOCK_MINUTE_MS)

struct node {
	uv_loop_t loop;
	struct store *store;
	struct committer *committer;
	struct sweeper *sweeper;
	struct fixture crypto;
	mono_ms now;
	struct id kept; /* the core waits for it */
	size_t forgotten;
	unsigned looks;
};

static struct id make_blob(unsigned number, uint8_t ret[6], size_t *ret_len)
{
	const uint8_t bytes[] = {1, 200, (uint8_t)number, (uint8_t)(number >> 8), 3, 4};
	memcpy(ret, bytes, sizeof(bytes));
	*ret_len = sizeof(bytes);
	return blob_id(bytes, sizeof(bytes));
}

static void put_blob(struct node *n, unsigned number)
{
	uint8_t bytes[6];
	size_t len;
	struct id id = make_blob(number, bytes, &len);
	assert_int_equal(store_put_blob(n->store, &id, bytes, len), ERR_OK);
}

static bool has_blob(struct node *n, unsigned number)
{
	uint8_t bytes[6], have[LIMIT_BLOB_BYTES];
	size_t len, have_len;
	struct id id = make_blob(number, bytes, &len);
	return store_get_blob(n->store, &id, have, &have_len) == ERR_OK;
}

static size_t forget(void *context, struct id *blobs, size_t count)
{
	struct node *n = context;
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (!id_equal(&blobs[i], &n->kept))
			blobs[kept++] = blobs[i];
	n->forgotten += kept;
	return kept;
}

static void on_looked(void *context)
{
	struct node *n = context;
	n->looks++;
}

static void on_committed(void *context, enum err result)
{
	(void)context;
	assert_int_equal(result, ERR_OK);
}

static void begin(struct node *n, struct scratch *s)
{
	struct id estate = rows_id(9, 1), self = rows_id(9, 2);
	*n = (struct node){.now = os_clock_mono()};
	fixture_make(&n->crypto, 3);
	assert_int_equal(uv_loop_init(&n->loop), 0);
	assert_int_equal(store_open(scratch_path(s, "replica"), &estate, &self, &n->store, NULL, NULL),
			 ERR_OK);
	struct committer_options c = {.loop = &n->loop,
				      .store = n->store,
				      .log = NULL,
				      .commit_min_s = 5,
				      .disk_mb_per_day = 1000,
				      .done = on_committed,
				      .context = n};
	assert_int_equal(committer_new(&c, &n->committer), ERR_OK);
	struct sweeper_options o = {.store = n->store,
				    .committer = n->committer,
				    .authority_log = n->crypto.log,
				    .log = NULL,
				    .forget = forget,
				    .done = on_looked,
				    .context = n};
	assert_int_equal(sweeper_new(&o, n->now, &n->sweeper), ERR_OK);
}

static void end(struct node *n)
{
	assert_int_equal(committer_flush(n->committer, NULL), ERR_OK);
	uv_run(&n->loop, UV_RUN_DEFAULT);
	sweeper_free(n->sweeper);
	committer_free(n->committer);
	store_close(n->store);
	assert_int_equal(uv_loop_close(&n->loop), 0);
	fixture_release(&n->crypto);
}

/* Whatever is due within the time, as meshd's timer does it. */
static void pass(struct node *n, mono_ms time)
{
	mono_ms until = n->now + time;
	for (;;) {
		mono_ms due = sweeper_due(n->sweeper), commit = committer_due(n->committer);
		due = due < commit ? due : commit;
		if (due > until)
			break;
		n->now = due > n->now ? due : n->now;
		sweeper_run(n->sweeper, n->now);
		committer_run(n->committer, n->now);
		uv_run(&n->loop, UV_RUN_DEFAULT);
	}
	n->now = until;
}

static void what_two_looks_found_goes(void **state)
{
	struct node n;
	struct store_stats stats;
	uint8_t bytes[6];
	size_t len;
	begin(&n, *state);
	for (unsigned i = 0; i < BLOBS; i++)
		put_blob(&n, i);
	n.kept = make_blob(7, bytes, &len);
	committer_note(n.committer, n.now, false);
	pass(&n, HOUR);
	assert_int_equal(n.looks, 1);
	assert_true(has_blob(&n, 0));
	/* One that came later has its grace. */
	put_blob(&n, BLOBS);
	committer_note(n.committer, n.now, false);
	pass(&n, 2 * HOUR);
	assert_int_equal(n.looks, 2);
	assert_int_equal(n.forgotten, BLOBS - 1);
	for (unsigned i = 0; i < BLOBS; i++)
		assert_int_equal(has_blob(&n, i), i == 7);
	assert_true(has_blob(&n, BLOBS));
	store_stats(n.store, &stats);
	assert_int_equal(stats.swept, BLOBS - 1);
	/* Two commits of puts, two of slices at least. */
	assert_true(stats.commits >= 4);
	n.kept = (struct id){{0}};
	pass(&n, 6 * HOUR);
	assert_false(has_blob(&n, BLOBS) || has_blob(&n, 7));
	end(&n);
}

/* Nothing was put: nobody looks. */
static void an_idle_replica_is_left_alone(void **state)
{
	struct node n;
	begin(&n, *state);
	pass(&n, 48 * HOUR);
	assert_true(n.looks <= 1);
	end(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_two_looks_found_goes, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(an_idle_replica_is_left_alone, scratch_setup, scratch_teardown),
	};
	if (crypto_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests_name("sweeper", tests, NULL, NULL);
}
