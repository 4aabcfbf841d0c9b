/* The replica on disk against flipped bytes and cut ends: right values, a missing row or an error; never a
 * wrong value, never a signal. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "store/store_private.h"
#include "tests/unit/replica_rows.h"
#include "tests/unit/scratch.h"

#define ROWS         40
#define ALL_ROWS     (5 * ROWS + ISSUE_PROOFS * ROWS / ROWS_PROVEN_EACH)
#define CHILD_SHARE  128
#define RANDOM_FLIPS 1500

static struct id estate, self;

static enum err open_at(const char *path, struct store **ret, bool *ret_aside)
{
	return store_open(path, &estate, &self, ret, ret_aside, NULL);
}

/* Two generations, so that pages with old rows lie about in the file. */
static void fill(const char *path)
{
	struct store *s = NULL;
	assert_int_equal(open_at(path, &s, NULL), ERR_OK);
	for (uint64_t generation = 1; generation <= 2; generation++) {
		for (uint64_t i = 0; i < ROWS; i++)
			assert_int_equal(rows_put_all(s, i, generation), ERR_OK);
		assert_int_equal(store_flush(s, ROWS_NOW, NULL), ERR_OK);
	}
	store_close(s);
}

struct tally {
	unsigned right, missing, refused, aside, wrong, stale;
};

struct scan {
	size_t rows;
	bool wrong, stale;
};

static bool scan_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct scan *scan = context;
	uint8_t expected[LIMIT_RECORD_BYTES];
	uint64_t number, generation = received - ROWS_NOW;
	memcpy(&number, bytes, 8);
	size_t expected_len = rows_content(number, generation, expected);
	if (number >= ROWS || (generation != 1 && generation != 2) || len != expected_len ||
	    memcmp(expected, bytes, len) != 0)
		scan->wrong = true;
	else if (generation == 1)
		scan->stale = true;
	scan->rows++;
	return true;
}

static bool scan_blob(void *context, const struct id *id)
{
	struct scan *scan = context;
	(void)id;
	scan->rows++;
	return true;
}

static bool scan_host(void *context, const struct host_state *state)
{
	struct scan *scan = context;
	struct host_state expected = rows_host(state->since - ROWS_NOW, state->seen - ROWS_NOW);
	if (!id_equal(&expected.host, &state->host) || state->status != expected.status ||
	    state->standing != expected.standing || !id_equal(&state->replaced_by, &expected.replaced_by) ||
	    !id_equal(&state->issuer, &expected.issuer) ||
	    memcmp(state->witnesses, expected.witnesses, sizeof(expected.witnesses)) != 0)
		scan->wrong = true;
	else if (state->seen != ROWS_NOW + 2)
		scan->stale = true;
	scan->rows++;
	return true;
}

static bool scan_site(void *context, const struct site_state *state)
{
	struct scan *scan = context;
	struct site_state expected = rows_site(state->live_witnesses, 2);
	if (!id_equal(&expected.site, &state->site) || strcmp(expected.name, state->name) != 0)
		scan->wrong = true;
	else if (state->since != expected.since)
		scan->stale = true;
	scan->rows++;
	return true;
}

static bool scan_issue(void *context, const struct issue *issue)
{
	struct scan *scan = context;
	bool right = rows_issue_right(issue, issue->last - ROWS_NOW);
	scan->rows += 1 + rows_issue_proofs(issue, &right);
	if (!right)
		scan->wrong = true;
	else if (issue->last != ROWS_NOW + 2)
		scan->stale = true;
	return true;
}

static void scan_blob_contents(struct store *s, struct scan *scan)
{
	for (uint64_t i = 0; i < ROWS; i++) {
		uint8_t expected[LIMIT_BLOB_BYTES], have[LIMIT_BLOB_BYTES];
		struct id id = rows_id(4, i);
		size_t len = 0, expected_len = rows_content(i, 0, expected);
		if (store_get_blob(s, &id, have, &len) == ERR_OK &&
		    (len != expected_len || memcmp(have, expected, len) != 0))
			scan->wrong = true;
	}
}

/* Open, read everything, write a little, close. */
static void judge(const char *path, struct tally *tally)
{
	struct store *s = NULL;
	struct scan scan = {0};
	bool aside = false;
	if (open_at(path, &s, &aside) != ERR_OK) {
		tally->refused++;
		return;
	}
	enum err err = store_each_record(s, scan_record, &scan);
	enum err err2 = store_each_blob(s, scan_blob, &scan);
	enum err err3 = store_each_host_state(s, scan_host, &scan);
	enum err err4 = store_each_site_state(s, scan_site, &scan);
	enum err err5 = store_each_issue(s, scan_issue, &scan);
	scan_blob_contents(s, &scan);
	if (scan.wrong)
		tally->wrong++;
	else if (scan.stale)
		tally->stale++;
	else if (err != ERR_OK || err2 != ERR_OK || err3 != ERR_OK || err4 != ERR_OK || err5 != ERR_OK)
		tally->refused++;
	else if (aside)
		tally->aside++;
	else if (scan.rows < ALL_ROWS)
		tally->missing++;
	else
		tally->right++;
	store_close(s);
}

struct flips {
	const char *folder, *data;
	const uint8_t *original;
	size_t len;
	const size_t *positions;
	size_t count;
	uint8_t mask; /* 0: another one each time */
	int result;   /* a pipe the tallies go to */
};

static void put_file(const char *path, const uint8_t *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0)
		_exit(9);
}

static int flip_in_child(void *context)
{
	struct flips *f = context;
	struct tally tally = {0};
	uint8_t *copy = malloc(f->len);
	if (copy == NULL)
		return 9;
	memcpy(copy, f->original, f->len);
	for (size_t i = 0; i < f->count; i++) {
		uint8_t mask = (uint8_t)(f->mask != 0 ? f->mask : 1u << (f->positions[i] % 8));
		copy[f->positions[i]] ^= mask;
		unlink(f->data);
		put_file(f->data, copy, f->len);
		judge(f->folder, &tally);
		copy[f->positions[i]] ^= mask;
	}
	free(copy);
	return write(f->result, &tally, sizeof(tally)) == sizeof(tally) ? 0 : 9;
}

/* The children keep count; what a child that died did not tell is missing from the sum. */
static struct tally flip_all(struct flips f, const size_t *positions, size_t count)
{
	struct tally sum = {0};
	for (size_t done = 0; done < count; done += f.count) {
		int ends[2];
		struct tally part;
		f.positions = positions + done;
		f.count = count - done < CHILD_SHARE ? count - done : CHILD_SHARE;
		assert_int_equal(pipe(ends), 0);
		f.result = ends[1];
		int rc = scratch_in_child(flip_in_child, &f);
		close(ends[1]);
		if (rc != 0)
			print_error("positions %zu to %zu: child ended with %d\n", positions[done],
				    positions[done + f.count - 1], rc);
		assert_int_equal(rc, 0);
		assert_int_equal(read(ends[0], &part, sizeof(part)), sizeof(part));
		close(ends[0]);
		sum.right += part.right;
		sum.missing += part.missing;
		sum.refused += part.refused;
		sum.aside += part.aside;
		sum.wrong += part.wrong;
		sum.stale += part.stale;
	}
	return sum;
}

static void report(const char *what, size_t count, const struct tally *t)
{
	print_message("             %s: %zu flips: %u without effect, %u rows missing, %u set aside, %u "
		      "refused, %u old, %u wrong\n",
		      what, count, t->right, t->missing, t->aside, t->refused, t->stale, t->wrong);
	assert_int_equal(t->right + t->missing + t->aside + t->refused, count);
	assert_int_equal(t->wrong, 0);
	assert_int_equal(t->stale, 0);
}

/* A row as it must be in the file: of each table in turn, then the proofs. False when the number has none. */
static bool expected_row(unsigned table, uint64_t n, struct row_value *ret)
{
	static uint8_t content[LIMIT_RECORD_BYTES];
	struct record_key record = rows_key(n);
	struct id blob = rows_id(4, n);
	struct host_state host = rows_host(n, 2);
	struct site_state site = rows_site(n, 2);
	struct rows_issue r;
	struct row_key at;
	enum err err;
	size_t len = rows_content(n, table == 0 ? 2 : 0, content);
	rows_issue(n, 2, &r);
	unsigned proof = table - 5;
	if (table == 0) {
		at = row_key_record(&record);
		err = row_encode_record(&at, content, len, ROWS_NOW + 2, ret);
	} else if (table == 1) {
		at = row_key_id(TABLE_BLOBS, &blob);
		err = row_encode_blob(&at, content, len, ret);
	} else if (table == 2) {
		at = row_key_id(TABLE_HOST_STATES, &host.host);
		err = row_encode_host(&at, &host, ret);
	} else if (table == 3) {
		at = row_key_id(TABLE_SITE_STATES, &site.site);
		err = row_encode_site(&at, &site, ret);
	} else if (table == 4) {
		at = row_key_issue(r.issue.kind, &r.issue.subject);
		err = row_encode_issue(&at, &r.issue, ret);
	} else if (r.issue.proof_len[proof] > 0) {
		at = row_key_proof(r.issue.kind, &r.issue.subject, proof);
		err = row_encode_proof(&at, r.issue.proof[proof], r.issue.proof_len[proof], ret);
	} else {
		return false;
	}
	assert_int_equal(err, ERR_OK);
	return true;
}

/* Every byte of every current row: checksum, version, payload. */
static size_t find_rows(const uint8_t *file, size_t len, size_t *ret_positions)
{
	size_t count = 0, rows = 0;
	struct row_value row;
	for (uint64_t i = 0; i < 7 * ROWS; i++) {
		if (!expected_row((unsigned)(i % 7), i / 7, &row))
			continue;
		/* Old pages may hold it too; the last one in the file need not be the live one, so all are
		 * hit. */
		const uint8_t *found = memmem(file, len, row.bytes, row.len);
		assert_non_null(found);
		rows++;
		for (; found != NULL;
		     found = memmem(found + 1, len - (size_t)(found + 1 - file), row.bytes, row.len)) {
			for (size_t k = 0; k < row.len; k++)
				ret_positions[count++] = (size_t)(found - file) + k;
		}
	}
	assert_int_equal(rows, ALL_ROWS);
	return count;
}

static void flipped_bytes_never_show(void **state)
{
	const char *folder = scratch_path(*state, "replica"),
		   *data = scratch_path(*state, "replica/data.mdb");
	uint8_t *file;
	size_t len;
	fill(folder);
	assert_int_equal(os_file_read(data, 1 << 26, &file, &len, NULL), ERR_OK);
	size_t *positions = malloc(len * sizeof(*positions));
	assert_non_null(positions);
	struct flips f = {.folder = folder, .data = data, .original = file, .len = len};
	size_t count = find_rows(file, len, positions);
	assert_in_range(count, ROWS * 4 * 20, len);
	struct tally t = flip_all(f, positions, count);
	report("every byte of every row", count, &t);
	assert_int_equal(t.right + t.missing, count);
	assert_true(t.missing > count / 2);

	struct prng prng;
	prng_seed(&prng, 4711);
	for (size_t i = 0; i < RANDOM_FLIPS; i++)
		positions[i] = (size_t)prng_below(&prng, len);
	t = flip_all(f, positions, RANDOM_FLIPS);
	report("anywhere in the file", RANDOM_FLIPS, &t);
	/* Page headers and first pages, where LMDB itself looks, with whole bytes turned over. */
	count = 0;
	for (size_t page = 0; page < len; page += 4096) {
		for (size_t k = 0; k < (page < 8192 ? 160 : 32); k++)
			positions[count++] = page + k;
	}
	f.mask = 0xff;
	t = flip_all(f, positions, count);
	report("page headers", count, &t);
	free(positions);
	free(file);
}

struct cut {
	const char *folder, *data;
	off_t len;
};

/* Cut under an open store: errors or right values, then a commit that may fail, and no signal. */
static int cut_while_open(void *context)
{
	struct cut *c = context;
	struct store *s = NULL;
	struct scan scan = {0};
	struct err_info info = {0};
	if (open_at(c->folder, &s, NULL) != ERR_OK)
		return 2;
	if (truncate(c->data, c->len) != 0)
		return 3;
	enum err err = store_each_record(s, scan_record, &scan);
	if (scan.wrong || scan.stale)
		return 4;
	if (err != ERR_OK && err != ERR_CORRUPT)
		return 5;
	if (err == ERR_OK && scan.rows < ROWS) {
		struct store_stats stats;
		store_stats(s, &stats);
		if (stats.damaged == 0)
			return 6;
	}
	if (rows_put_all(s, 3, 2) != ERR_OK)
		return 7;
	enum err commit = store_flush(s, ROWS_NOW, &info);
	if (err == ERR_CORRUPT && (commit != ERR_CORRUPT || info.text[0] == 0))
		return 8;
	store_close(s);
	return 0;
}

static void cut_files_are_survived(void **state)
{
	const char *folder = scratch_path(*state, "replica"),
		   *data = scratch_path(*state, "replica/data.mdb");
	uint8_t *file;
	size_t len;
	struct tally tally = {0};
	unsigned cuts = 0;
	fill(folder);
	assert_int_equal(os_file_read(data, 1 << 26, &file, &len, NULL), ERR_OK);
	const size_t odd[] = {0, 1, 15, 100, 4095, 4096, 4100, 8191, 8192, 8193};
	for (size_t i = 0; i < 30; i++) {
		size_t cut = i < 10 ? odd[i] : len * (i - 10) / 20;
		put_file(data, file, cut);
		judge(folder, &tally);
		put_file(data, file, len);
		struct cut c = {folder, data, (off_t)cut};
		assert_int_equal(scratch_in_child(cut_while_open, &c), 0);
		cuts++;
	}
	print_message("             %u cuts: %u set aside, %u refused, %u without loss, %u empty\n", cuts,
		      tally.aside, tally.refused, tally.right, tally.missing);
	assert_int_equal(tally.wrong + tally.stale + tally.refused, 0);
	assert_true(tally.aside >= 20);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(flipped_bytes_never_show, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(cut_files_are_survived, scratch_setup, scratch_teardown),
	};
	estate = rows_id(9, 1);
	self = rows_id(9, 2);
	return cmocka_run_group_tests_name("store damage", tests, NULL, NULL);
}
