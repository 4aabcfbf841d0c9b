/* Damage of the replica's file: bits, bytes and sectors that turned, pages put elsewhere, cut ends. Whatever
 * is then told, to a question or to the node that opens it, was said before; what is not known any more is
 * missing. No damage ends a process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "store/query.h"
#include "tests/faults/disk.h"
#include "tests/faults/faults.h"
#include "tests/faults/place.h"
#include "tests/faults/pool.h"

#define POOL_HOSTS 24
#define CHANGES    30 /* so that pages of earlier states lie about */
#define PAGE_BYTES 4096

/* Columns of a table whose first one is a key; each cell is judged alone. What is put together from several
 * rows (counts, the highest of something) may differ when one of them is gone, so it is not asked for. */
static const char *const cell_questions[] = {
    ("SELECT host, name, site, current_site, os, kernel, arch, model, role, location, boot_mode, "
     "secure_boot, "
     "virtualization, agent, enrolled_day, issuer, hardware, components, manifest, level, last_boot_clean, "
     "boot_time_s, "
     "unclean_boots, oopses, address, tags, groups, status_since_ms, replaced_by, nullif(status, "
     "'unknown') "
     "FROM hosts"),
    "SELECT * FROM health",
    "SELECT site, id, since_ms, last_rollcall_ms, interval_s FROM sites",
};
/* Rows that are there or not. */
static const char *const row_questions[] = {
    "SELECT host, entry, kind, component, version, source, vendor, boot_start FROM host_components",
    "SELECT host, time_ms, op, entry FROM changes",
    "SELECT host, kind, time_ms, detail FROM crashes",
    "SELECT entry, kind, name, version, source, vendor, size_bytes, boot_start FROM components",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Hashes of everything that was ever true. */
struct truth {
	uint64_t *hashes;
	size_t count, cap;
	bool full;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct truth *truth; /* shared by taking notes and judging */
	bool noting;
	uint64_t told, wrong; /* of the image at hand */
	struct place place;
	uint8_t *original;
	size_t len;
};

enum { IMAGES, TOLD, WRONG, ANSWERED, REFUSED, OPENED, SET_ASIDE, NOT_OPENED, COUNTERS };

/* --- what is told --- */

static int compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void told(struct trial *t, uint64_t hash)
{
	struct truth *truth = t->truth;
	if (!t->noting) {
		t->told++;
		t->wrong += bsearch(&hash, truth->hashes, truth->count, sizeof(hash), compare_hashes) == NULL;
		return;
	}
	if (truth->count == truth->cap) {
		truth->cap = truth->cap == 0 ? 4096 : truth->cap * 2;
		uint64_t *grown = realloc(truth->hashes, truth->cap * sizeof(*grown));
		truth->full = grown == NULL;
		if (truth->full)
			return;
		truth->hashes = grown;
	}
	truth->hashes[truth->count++] = hash;
}

struct asking {
	struct trial *t;
	uint64_t question;
};

static bool take_cells(void *context, const struct query_value *values, size_t count)
{
	struct asking *a = context;
	uint64_t row = pool_mix_value(a->question, &values[0]);
	told(a->t, row);
	for (size_t i = 1; i < count; i++) {
		if (values[i].type != QUERY_NULL)
			told(a->t, pool_mix_value(pool_mix(row, &i, sizeof(i)), &values[i]));
	}
	return true;
}

static bool take_row(void *context, const struct query_value *values, size_t count)
{
	struct asking *a = context;
	uint64_t row = a->question;
	for (size_t i = 0; i < count; i++)
		row = pool_mix_value(row, &values[i]);
	told(a->t, row);
	return true;
}

static enum err ask(struct trial *t)
{
	struct query *q = NULL;
	struct err_info info;
	enum err err = query_open(t->place.state, POOL_NOW, &q, &info);
	for (size_t i = 0; i < COUNT(cell_questions) + COUNT(row_questions) && err == ERR_OK; i++) {
		bool cells = i < COUNT(cell_questions);
		struct asking a = {t, 1000 + i};
		const struct query_sink sink = {.row = cells ? take_cells : take_row, .context = &a};
		err = query_run(q, cells ? cell_questions[i] : row_questions[i - COUNT(cell_questions)], NULL,
				0, NULL, &sink, &info);
	}
	query_close(q);
	return err;
}

static void take_stored(void *context, uint64_t row)
{
	told(context, row);
}

/* --- damage --- */

static void turn_bytes(uint8_t *file, size_t len, size_t count, struct prng *prng)
{
	for (size_t i = 0; i < count; i++)
		file[prng_below(prng, len)] ^= (uint8_t)(1u << prng_below(prng, 8));
}

/* Returns the length it is left with. */
static size_t damage(uint8_t *file, size_t len, struct prng *prng)
{
	size_t pages = len / PAGE_BYTES;
	size_t from = (size_t)prng_below(prng, pages) * PAGE_BYTES,
	       to = (size_t)prng_below(prng, pages) * PAGE_BYTES;
	switch (prng_below(prng, 8)) {
	case 0:
		return (size_t)prng_below(prng, len);
	case 1:
		return from;
	case 2:
		turn_bytes(file, len, 2 + (size_t)prng_below(prng, 30), prng);
		return len;
	case 3:
		memset(file + from + DISK_SECTOR_BYTES * prng_below(prng, PAGE_BYTES / DISK_SECTOR_BYTES), 0,
		       DISK_SECTOR_BYTES);
		return len;
	case 4:
		memmove(file + to, file + from, PAGE_BYTES);
		return len;
	default:
		turn_bytes(file, len, 1, prng);
		return len;
	}
}

static void judge(struct trial *t, uint64_t *tally)
{
	struct store *s = NULL;
	bool aside = false;
	t->told = t->wrong = 0;
	tally[IMAGES]++;
	tally[ask(t) == ERR_OK ? ANSWERED : REFUSED]++;
	if (store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, &aside, NULL) != ERR_OK) {
		tally[NOT_OPENED]++;
	} else {
		(void)pool_each_row(s, take_stored, t);
		tally[aside ? SET_ASIDE : OPENED]++;
		store_close(s);
	}
	tally[TOLD] += t->told;
	tally[WRONG] += t->wrong > 0;
}

static bool judge_some(void *context, uint64_t first, uint64_t count, uint64_t *tally)
{
	struct trial *t = context;
	uint8_t *image = malloc(t->len);
	bool good = image != NULL;
	for (uint64_t i = first; i < first + count && good; i++) {
		struct prng prng;
		uint64_t wrong = tally[WRONG];
		prng_seed(&prng, t->o->seed << 32 ^ i);
		memcpy(image, t->original, t->len);
		good = place_put(&t->place, image, damage(image, t->len, &prng));
		if (good)
			judge(t, tally);
		if (tally[WRONG] > wrong)
			fprintf(stderr, "flips: image %llu told something that nobody said\n",
				(unsigned long long)i);
	}
	free(image);
	return good;
}

/* --- before --- */

/* One commit, and what is true after it: a page of an earlier state that got into the place of another tells
 * what was true once. */
static enum err commit_and_note(struct trial *t, uint64_t number, struct prng *prng, struct err_info *info)
{
	struct store *s = NULL;
	enum err err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, NULL, info);
	/* In the end everything is there, and as it is now. */
	if (err == ERR_OK)
		err = number <= CHANGES ? pool_change(&t->pool, s, number, prng) : pool_put_all(&t->pool, s);
	if (err == ERR_OK)
		err = store_flush(s, POOL_NOW + number, info);
	if (err == ERR_OK)
		(void)pool_each_row(s, take_stored, t);
	store_close(s);
	return err == ERR_OK ? ask(t) : err;
}

static enum err make_replica(struct trial *t, struct err_info *info)
{
	struct prng prng;
	enum err err = ERR_OK;
	prng_seed(&prng, t->o->seed);
	for (uint64_t i = 1; i <= CHANGES + 1 && err == ERR_OK; i++)
		err = commit_and_note(t, i, &prng, info);
	return err;
}

static bool begin(struct trial *t)
{
	struct err_info info = {0};
	enum err err = place_begin(t->o->folder, "flips", POOL_HOSTS, t->o->seed, &t->place, &t->pool, &info);
	t->noting = true;
	if (err == ERR_OK)
		err = make_replica(t, &info);
	t->noting = false;
	if (err == ERR_OK)
		err = os_file_read(t->place.data, 1 << 26, &t->original, &t->len, &info);
	if (err != ERR_OK)
		fprintf(stderr, "%s: %s\n", err_text(err), info.text);
	else
		qsort(t->truth->hashes, t->truth->count, sizeof(*t->truth->hashes), compare_hashes);
	return err == ERR_OK && !t->truth->full;
}

bool faults_flips(const struct faults_options *o)
{
	uint64_t sum[COUNTERS] = {0};
	struct truth truth = {0};
	struct trial *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return false;
	t->o = o;
	t->truth = &truth;
	bool good = begin(t);
	const struct place_work work = {"flips", o->count, judge_some, t};
	uint64_t died = good ? place_judge_all(&work, COUNTERS, sum) : 0;
	faults_print("flips.images", sum[IMAGES], "images");
	faults_print("flips.values_told", sum[TOLD], "values");
	faults_print("flips.wrong", sum[WRONG], "images");
	faults_print("flips.answered", sum[ANSWERED], "images");
	faults_print("flips.refused", sum[REFUSED], "images");
	faults_print("flips.opened", sum[OPENED], "images");
	faults_print("flips.set_aside", sum[SET_ASIDE], "images");
	faults_print("flips.not_opened", sum[NOT_OPENED], "images");
	faults_print("flips.died", died, "processes");
	good = good && sum[IMAGES] == o->count && sum[WRONG] + sum[NOT_OPENED] + died == 0 &&
	       sum[ANSWERED] > 0 && sum[SET_ASIDE] > 0;
	pool_free(&t->pool);
	free(truth.hashes);
	free(t->original);
	free(t);
	return good;
}
