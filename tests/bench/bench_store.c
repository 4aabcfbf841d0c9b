/* bench-store STATE WORK: writing a replica. Takes all rows of the replica in STATE, puts them into a new one
 * in WORK as fast as it takes them, opens that as a node does, and lives through a part of a day with four
 * changes a host, paced as meshd paces them. One JSON object a line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "base/prng.h"
#include "node/pace.h"
#include "store/snapshot.h"
#include "store/store.h"

#define DAY_PARTS    2 /* one of them is lived through */
#define CHANGES      4 /* a host and day */
#define BUDGET       1000000000ull
#define WARM_MS      3600000ull      /* not counted */
#define STAMP_MS     45000           /* node/meshd.c */
#define STAMPS_STATE 10              /* node/driver.c */
#define SEEN_MS      60000           /* gossip/state.c: so stale may `seen` be, and … */
#define SEEN_HOST    500             /* … so much more for each host */
#define ROLLCALL_MS  (600 * 1000ull) /* of a site, in quiet times, of an estate of 500 */

struct row_of_record {
	struct record_key key;
	size_t len;
	uint8_t *bytes;
};

struct row_of_blob {
	struct id id;
	size_t len;
	uint8_t *bytes;
};

struct rows {
	struct store *s;
	struct id estate, self;
	struct row_of_record *records;
	struct row_of_blob *blobs;
	struct host_state *hosts;
	struct site_state *sites;
	size_t record_count, blob_count, host_count, site_count;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double processor(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const char *metric, double value, const char *unit)
{
	printf("{\"bench\": \"replica\", \"metric\": \"replica.%s\", \"value\": %.3f, \"unit\": \"%s\"}\n",
	       metric, value, unit);
	fflush(stdout);
}

static void must(enum err err, const char *what)
{
	if (err == ERR_OK)
		return;
	fprintf(stderr, "bench-store: %s: %s\n", what, err_text(err));
	exit(1);
}

/* --- taking all rows --- */

/* Room doubles at each power of two. */
static void *more(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	void *bigger = realloc(array, (count == 0 ? 1 : count * 2) * size);
	CHECK(bigger != NULL);
	return bigger;
}

static uint8_t *copy_of(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len);
	CHECK(copy != NULL);
	memcpy(copy, bytes, len);
	return copy;
}

static bool take_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct rows *r = context;
	struct record parsed;
	(void)received;
	must(record_parse(bytes, len, &parsed), "a record");
	r->records = more(r->records, r->record_count, sizeof(*r->records));
	r->records[r->record_count++] = (struct row_of_record){parsed.key, len, copy_of(bytes, len)};
	return true;
}

static bool take_blob(void *context, const struct id *id)
{
	struct rows *r = context;
	uint8_t bytes[LIMIT_BLOB_BYTES];
	size_t len;
	must(store_get_blob(r->s, id, bytes, &len), "a blob");
	r->blobs = more(r->blobs, r->blob_count, sizeof(*r->blobs));
	r->blobs[r->blob_count++] = (struct row_of_blob){*id, len, copy_of(bytes, len)};
	return true;
}

static bool take_host(void *context, const struct host_state *state)
{
	struct rows *r = context;
	r->hosts = more(r->hosts, r->host_count, sizeof(*r->hosts));
	r->hosts[r->host_count++] = *state;
	return true;
}

static bool take_site(void *context, const struct site_state *state)
{
	struct rows *r = context;
	r->sites = more(r->sites, r->site_count, sizeof(*r->sites));
	r->sites[r->site_count++] = *state;
	return true;
}

static void take_each(struct rows *r)
{
	must(store_each_record(r->s, take_record, r), "reading");
	must(store_each_blob(r->s, take_blob, r), "reading");
	must(store_each_host_state(r->s, take_host, r), "reading");
	must(store_each_site_state(r->s, take_site, r), "reading");
}

/* By host, in the order of ids, which is none: as hosts come in over the net. */
static int by_host(const void *a, const void *b)
{
	const struct row_of_record *x = a, *y = b;
	int order = id_compare(&x->key.subject, &y->key.subject);
	return order != 0 ? order : (int)x->key.kind - (int)y->key.kind;
}

static void take_all(struct rows *r, const char *state)
{
	char path[LIMIT_PATH_BYTES];
	struct err_info info;
	struct snapshot *snapshot;
	must(snapshot_open(state, &snapshot, &info), state);
	r->estate = snapshot_meta(snapshot)->estate;
	r->self = snapshot_meta(snapshot)->self;
	snapshot_close(snapshot);
	snprintf(path, sizeof(path), "%s/replica", state);
	must(store_open(path, &r->estate, &r->self, &r->s, NULL, &info), path);
	take_each(r);
	store_close(r->s);
	qsort(r->records, r->record_count, sizeof(*r->records), by_host);
}

/* --- putting them --- */

static void put_record(struct rows *r, const struct row_of_record *row, wall_ms now)
{
	enum err err = store_put_record(r->s, &row->key, row->bytes, row->len, now);
	if (err == ERR_LIMIT) {
		must(store_flush(r->s, now, NULL), "committing");
		err = store_put_record(r->s, &row->key, row->bytes, row->len, now);
	}
	must(err, "putting a record");
}

static void ingest(struct rows *r, const char *work, wall_ms now)
{
	struct store_stats stats;
	must(store_open(work, &r->estate, &r->self, &r->s, NULL, NULL), work);
	double begin = seconds(), records, cpu;
	for (size_t i = 0; i < r->blob_count; i++) {
		if (store_pending(r->s) + 1 >= LIMIT_BATCH_ROWS)
			must(store_flush(r->s, now, NULL), "committing");
		must(store_put_blob(r->s, &r->blobs[i].id, r->blobs[i].bytes, r->blobs[i].len), "a blob");
	}
	must(store_flush(r->s, now, NULL), "committing");
	records = seconds();
	cpu = processor();
	for (size_t i = 0; i < r->record_count; i++)
		put_record(r, &r->records[i], now);
	must(store_flush(r->s, now, NULL), "committing");
	double end = seconds();
	cpu = processor() - cpu;
	for (size_t i = 0; i < r->host_count; i++) {
		if (store_pending(r->s) + 1 >= LIMIT_BATCH_ROWS)
			must(store_flush(r->s, now, NULL), "committing");
		must(store_put_host_state(r->s, &r->hosts[i]), "a state");
	}
	for (size_t i = 0; i < r->site_count; i++)
		must(store_put_site_state(r->s, &r->sites[i]), "a site");
	must(store_flush(r->s, now, NULL), "committing");
	store_stats(r->s, &stats);
	print("ingest_per_s", (double)r->record_count / (end - records), "records/s");
	print("ingest_cpu_us", cpu * 1e6 / (double)r->record_count, "us/record");
	print("ingest_s", seconds() - begin, "s");
	print("ingest_written_bytes", (double)stats.written_bytes, "bytes");
	print("ingest_file_bytes", (double)stats.file_bytes, "bytes");
	store_close(r->s);
}

/* --- opening --- */

static bool see_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	(void)bytes;
	(void)received;
	*(uint64_t *)context += len;
	return true;
}

static bool see_blob(void *context, const struct id *id)
{
	*(uint64_t *)context += id->b[0];
	return true;
}

static bool see_host(void *context, const struct host_state *state)
{
	*(uint64_t *)context += state->status;
	return true;
}

static void reload(struct rows *r, const char *work)
{
	double best = 1e9, opening = 0, cpu = 1e9;
	for (int round = 0; round < 5; round++) {
		uint64_t sum = 0;
		double begin = seconds(), worked = processor();
		must(store_open(work, &r->estate, &r->self, &r->s, NULL, NULL), work);
		double opened = seconds();
		must(store_each_record(r->s, see_record, &sum), "reading");
		must(store_each_blob(r->s, see_blob, &sum), "reading");
		must(store_each_host_state(r->s, see_host, &sum), "reading");
		double end = seconds();
		worked = processor() - worked;
		cpu = worked < cpu ? worked : cpu;
		if (end - begin < best) {
			best = end - begin;
			opening = opened - begin;
		}
		store_close(r->s);
	}
	print("reload_open_s", opening, "s");
	print("reload_cpu_s", cpu, "s");
	print("reload_s", best, "s");
}

/* --- a day --- */

struct day {
	struct rows *r;
	struct prng prng;
	struct pace pace;
	uint64_t written, commits, routine, urgent_bytes;
	uint64_t by_kind[16];
};

static uint8_t draw_kind(struct day *d)
{
	double dice = prng_unit(&d->prng);
	return dice < 0.82   ? RECORD_HEALTH
	       : dice < 0.94 ? RECORD_COMPONENTS
	       : dice < 0.99 ? RECORD_PROFILE
			     : RECORD_CRASHES;
}

/* The same record received again: as many bytes change as with a new one. */
static void change_one(struct day *d, mono_ms now)
{
	struct rows *r = d->r;
	uint8_t kind = draw_kind(d);
	size_t at = (size_t)prng_below(&d->prng, r->record_count);
	while (r->records[at].key.kind != kind)
		at = (at + 1) % r->record_count;
	bool urgent = kind == RECORD_CRASHES;
	store_hurry(r->s, urgent);
	put_record(r, &r->records[at], now);
	pace_note(&d->pace, now, urgent);
	d->by_kind[kind]++;
}

static void save_seen(struct day *d, mono_ms now)
{
	store_hurry(d->r->s, false);
	for (size_t i = 0; i < d->r->host_count; i++) {
		d->r->hosts[i].seen = now;
		if (store_pending(d->r->s) + 1 >= LIMIT_BATCH_ROWS)
			must(store_flush(d->r->s, now, NULL), "committing");
		must(store_put_host_state(d->r->s, &d->r->hosts[i]), "a state");
	}
	pace_note(&d->pace, now, false);
}

/* One site's newest roll-call, and its state. */
static void rollcall(struct day *d, mono_ms now)
{
	struct rows *r = d->r;
	struct site_state *site = &r->sites[prng_below(&d->prng, r->site_count)];
	size_t at = (size_t)prng_below(&d->prng, r->record_count);
	store_hurry(r->s, false);
	for (size_t i = 0; i < r->record_count; i++, at = (at + 1) % r->record_count) {
		if (r->records[at].key.kind != RECORD_ROLLCALL)
			continue;
		put_record(r, &r->records[at], now);
		break;
	}
	site->last_rollcall = now;
	must(store_put_site_state(r->s, site), "a site");
	pace_note(&d->pace, now, false);
}

static void commit_due(struct day *d, mono_ms now)
{
	struct store_stats stats;
	if (now < pace_due(&d->pace))
		return;
	bool all = pace_takes_all(&d->pace, now);
	pace_begin(&d->pace, all);
	enum err err = all ? store_freeze(d->r->s) : store_freeze_urgent(d->r->s);
	if (err == ERR_OK) {
		err = store_commit(d->r->s, now, NULL);
		store_thaw(d->r->s, err);
	}
	if (err != ERR_NOT_FOUND)
		must(err, "committing");
	store_stats(d->r->s, &stats);
	pace_wrote(&d->pace, now, all, stats.written_bytes - d->written, store_pending(d->r->s) > 0);
	d->urgent_bytes += all ? 0 : stats.written_bytes - d->written;
	d->written = stats.written_bytes;
	d->commits++;
	d->routine += all;
}

/* In the part that is lived through all hosts' `seen` are saved once; in a day, some times. */
static double measure_seen(struct day *d, mono_ms now, double times)
{
	struct store_stats before, after;
	must(store_flush(d->r->s, now, NULL), "committing");
	store_stats(d->r->s, &before);
	save_seen(d, now);
	must(store_flush(d->r->s, now, NULL), "committing");
	store_stats(d->r->s, &after);
	double bytes = (double)(after.written_bytes - before.written_bytes);
	d->written = after.written_bytes;
	/* Paid for like everything else, over the day. */
	d->pace.bytes_per_day -= (uint64_t)(bytes * times);
	return bytes;
}

static void live(struct rows *r, const char *work)
{
	struct day d = {.r = r};
	struct store_stats stats;
	uint64_t changes = r->host_count * CHANGES, seen_ms = SEEN_MS + r->host_count * SEEN_HOST;
	uint64_t stamps = 0;
	mono_ms stamp = 0, span = CLOCK_DAY_MS / DAY_PARTS;
	prng_seed(&d.prng, 1);
	pace_init(&d.pace, BUDGET, 5, 0);
	must(store_open(work, &r->estate, &r->self, &r->s, NULL, NULL), work);
	/* In steps of a tenth of a second, each with its part of the day's changes. */
	double due = 0, calls = 0;
	uint64_t before = 0;
	double by_seen = 0, seen_times = (double)CLOCK_DAY_MS / (double)seen_ms;
	for (mono_ms now = 0; now < WARM_MS + span; now += 100) {
		for (due += (double)changes * 100 / CLOCK_DAY_MS; due >= 1; due--)
			change_one(&d, now);
		for (calls += (double)r->site_count * 100 / ROLLCALL_MS; calls >= 1; calls--)
			rollcall(&d, now);
		if (now >= stamp) {
			store_hurry(r->s, true);
			if (stamps++ % STAMPS_STATE == 0)
				must(store_put_host_state(r->s, &r->hosts[0]), "a state");
			store_stamp(r->s);
			pace_note(&d.pace, now, true);
			stamp = now + STAMP_MS;
		}
		if (now == 0)
			by_seen = measure_seen(&d, now, seen_times);
		if (now == WARM_MS) {
			before = d.written;
			d.urgent_bytes = d.commits = d.routine = 0;
		}
		commit_due(&d, now);
	}
	store_stats(r->s, &stats);
	print("write_bytes_day", (double)(d.written - before) * DAY_PARTS + by_seen * seen_times, "bytes");
	print("write_bytes_seen_day", by_seen * seen_times, "bytes");
	print("write_bytes_urgent_day", (double)d.urgent_bytes * DAY_PARTS, "bytes");
	print("commits_day", (double)d.commits * DAY_PARTS, "commits");
	print("routine_commits_day", (double)d.routine * DAY_PARTS, "commits");
	print("bytes_after_day", (double)stats.file_bytes, "bytes");
	store_close(r->s);
}

int main(int argc, char **argv)
{
	struct rows r = {.record_count = 0};
	if (argc != 3) {
		fprintf(stderr,
			"usage: bench-store STATE WORK (a state folder as mesh-estate writes it; a folder "
			"to write in)\n");
		return 2;
	}
	must(crypto_init(), "libsodium");
	take_all(&r, argv[1]);
	ingest(&r, argv[2], 1800000000000ull);
	reload(&r, argv[2]);
	live(&r, argv[2]);
	return 0;
}
