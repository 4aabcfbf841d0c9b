/* Damage of the replica's file: bits, bytes and sectors that turned, pages put elsewhere, cut ends. Whatever
 * is then told, to a question or to the node that opens it, was said before; what is not known any more is
 * missing. No damage ends a process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "os/file.h"
#include "store/query.h"
#include "tests/faults/disk.h"
#include "tests/faults/faults.h"
#include "tests/faults/pool.h"
#include "tests/unit/scratch.h"

#define POOL_HOSTS   24
#define CHANGES      30 /* so that pages of earlier states lie about */
#define CHILD_IMAGES 200
#define PAGE_BYTES   4096

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
	bool sorted, full;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct truth *truth; /* shared by taking notes and judging */
	bool noting;
	uint64_t told, wrong; /* of the image at hand */
	char state[LIMIT_PATH_BYTES], replica[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
	uint8_t *original;
	size_t len;
};

struct tally {
	uint64_t images, told, wrong, answered, refused, opened, set_aside, failed;
};

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

static uint64_t mix(uint64_t before, const void *bytes, size_t len)
{
	struct {
		uint64_t before, now;
	} both = {before, hash_checksum(bytes, len)};
	return hash_checksum(&both, sizeof(both));
}

static uint64_t mix_value(uint64_t before, const struct query_value *v)
{
	uint64_t hash = mix(before, &v->type, sizeof(v->type));
	if (v->type == QUERY_INTEGER)
		return mix(hash, &v->integer, sizeof(v->integer));
	return v->type == QUERY_TEXT ? mix(hash, v->text, v->text_len) : hash;
}

struct asking {
	struct trial *t;
	uint64_t question;
};

static bool take_cells(void *context, const struct query_value *values, size_t count)
{
	struct asking *a = context;
	uint64_t row = mix_value(a->question, &values[0]);
	told(a->t, row);
	for (size_t i = 1; i < count; i++) {
		if (values[i].type != QUERY_NULL)
			told(a->t, mix_value(mix(row, &i, sizeof(i)), &values[i]));
	}
	return true;
}

static bool take_row(void *context, const struct query_value *values, size_t count)
{
	struct asking *a = context;
	uint64_t row = a->question;
	for (size_t i = 0; i < count; i++)
		row = mix_value(row, &values[i]);
	told(a->t, row);
	return true;
}

static enum err ask(struct trial *t)
{
	struct query *q = NULL;
	struct err_info info;
	enum err err = query_open(t->state, POOL_NOW, &q, &info);
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

static bool take_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	told(context, mix(mix(1, bytes, len), &received, sizeof(received)));
	return true;
}

static bool take_blob(void *context, const struct id *id)
{
	told(context, mix(2, id->b, ID_BYTES));
	return true;
}

static bool take_host(void *context, const struct host_state *h)
{
	uint64_t facts[] = {h->status, h->standing, h->since, h->seen, h->votes, h->signers};
	told(context, mix(mix(3, h->host.b, ID_BYTES), facts, sizeof(facts)));
	return true;
}

static bool take_site(void *context, const struct site_state *s)
{
	uint64_t facts[] = {s->status, s->since, s->last_rollcall, s->interval_s, s->live_witnesses};
	told(context, mix(mix(4, s->name, strlen(s->name)), facts, sizeof(facts)));
	return true;
}

static void read_all(struct trial *t, struct store *s)
{
	(void)store_each_record(s, take_record, t);
	(void)store_each_blob(s, take_blob, t);
	(void)store_each_host_state(s, take_host, t);
	(void)store_each_site_state(s, take_site, t);
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

static bool put_image(const struct trial *t, const uint8_t *image, size_t len)
{
	char lock[LIMIT_PATH_BYTES + 16];
	snprintf(lock, sizeof(lock), "%s/lock.mdb", t->replica);
	unlink(lock);
	unlink(t->data);
	FILE *f = fopen(t->data, "we");
	bool good = f != NULL && (len == 0 || fwrite(image, len, 1, f) == 1);
	return f != NULL && fclose(f) == 0 && good;
}

static void judge(struct trial *t, struct tally *tally)
{
	struct store *s = NULL;
	bool aside = false;
	t->told = t->wrong = 0;
	tally->images++;
	if (ask(t) == ERR_OK)
		tally->answered++;
	else
		tally->refused++;
	if (store_open(t->replica, &t->pool.estate, &t->pool.self, &s, &aside, NULL) != ERR_OK) {
		tally->failed++;
	} else {
		read_all(t, s);
		tally->set_aside += aside;
		tally->opened += !aside;
		store_close(s);
	}
	tally->told += t->told;
	tally->wrong += t->wrong > 0;
}

struct share {
	struct trial *t;
	uint64_t first, count;
	int result;
};

static int judge_in_child(void *context)
{
	struct share *share = context;
	struct trial *t = share->t;
	struct tally tally = {0};
	uint8_t *image = malloc(t->len);
	if (image == NULL)
		return 1;
	for (uint64_t i = share->first; i < share->first + share->count; i++) {
		struct prng prng;
		uint64_t wrong = tally.wrong;
		prng_seed(&prng, t->o->seed << 32 ^ i);
		memcpy(image, t->original, t->len);
		if (!put_image(t, image, damage(image, t->len, &prng)))
			return 1;
		judge(t, &tally);
		if (tally.wrong > wrong)
			fprintf(stderr, "flips: image %llu told something that nobody said\n",
				(unsigned long long)i);
	}
	free(image);
	return write(share->result, &tally, sizeof(tally)) == sizeof(tally) ? 0 : 2;
}

static uint64_t judge_all(struct trial *t, struct tally *sum)
{
	uint64_t died = 0;
	for (uint64_t done = 0; done < t->o->count; done += CHILD_IMAGES) {
		int ends[2];
		struct tally part;
		uint64_t left = t->o->count - done;
		faults_progress("flips", done, t->o->count);
		if (pipe(ends) != 0)
			return died + 1;
		struct share share = {t, done, left < CHILD_IMAGES ? left : CHILD_IMAGES, ends[1]};
		int rc = scratch_in_child(judge_in_child, &share);
		if (rc == 0 && read(ends[0], &part, sizeof(part)) == sizeof(part)) {
			for (size_t i = 0; i < sizeof(part) / sizeof(uint64_t); i++)
				((uint64_t *)sum)[i] += ((uint64_t *)&part)[i];
		} else {
			fprintf(stderr, "flips: images from %llu: the process ended with %d\n",
				(unsigned long long)done, rc);
			died++;
		}
		close(ends[0]);
		close(ends[1]);
	}
	faults_progress("flips", t->o->count, t->o->count);
	return died;
}

/* --- before --- */

/* One commit, and what is true after it: a page of an earlier state that got into the place of another tells
 * what was true once. */
static enum err commit_and_note(struct trial *t, uint64_t number, struct prng *prng, struct err_info *info)
{
	struct store *s = NULL;
	enum err err = store_open(t->replica, &t->pool.estate, &t->pool.self, &s, NULL, info);
	/* In the end everything is there, and as it is now. */
	if (err == ERR_OK)
		err = number <= CHANGES ? pool_change(&t->pool, s, number, prng) : pool_put_all(&t->pool, s);
	if (err == ERR_OK)
		err = store_flush(s, POOL_NOW + number, info);
	if (err == ERR_OK)
		read_all(t, s);
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
	char path[LIMIT_PATH_BYTES];
	struct err_info info = {0};
	snprintf(path, sizeof(path), "%s/flips-pool", t->o->folder);
	snprintf(t->state, sizeof(t->state), "%s/flips", t->o->folder);
	snprintf(t->replica, sizeof(t->replica), "%s/flips/replica", t->o->folder);
	snprintf(t->data, sizeof(t->data), "%s/flips/replica/data.mdb", t->o->folder);
	enum err err = pool_make(path, POOL_HOSTS, t->o->seed, &t->pool, &info);
	if (err == ERR_OK)
		err = os_dir_make(t->state, 0700, &info);
	t->noting = true;
	if (err == ERR_OK)
		err = make_replica(t, &info);
	t->noting = false;
	if (err == ERR_OK)
		err = os_file_read(t->data, 1 << 26, &t->original, &t->len, &info);
	if (err != ERR_OK)
		fprintf(stderr, "%s: %s\n", err_text(err), info.text);
	else
		qsort(t->truth->hashes, t->truth->count, sizeof(*t->truth->hashes), compare_hashes);
	return err == ERR_OK && !t->truth->full;
}

bool faults_flips(const struct faults_options *o)
{
	struct tally sum = {0};
	struct truth truth = {0};
	struct trial *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return false;
	t->o = o;
	t->truth = &truth;
	bool good = begin(t);
	uint64_t died = good ? judge_all(t, &sum) : 0;
	faults_print("flips.images", sum.images, "images");
	faults_print("flips.values_told", sum.told, "values");
	faults_print("flips.wrong", sum.wrong, "images");
	faults_print("flips.answered", sum.answered, "images");
	faults_print("flips.refused", sum.refused, "images");
	faults_print("flips.opened", sum.opened, "images");
	faults_print("flips.set_aside", sum.set_aside, "images");
	faults_print("flips.not_opened", sum.failed, "images");
	faults_print("flips.died", died, "processes");
	good = good && sum.images == o->count && sum.wrong + sum.failed + died == 0 && sum.answered > 0 &&
	       sum.set_aside > 0;
	pool_free(&t->pool);
	free(truth.hashes);
	free(t->original);
	free(t);
	return good;
}
