/* Power cuts. A replica is written for a while on a disk that remembers (disk.h); then, for many moments, the
 * file is put back as a cut at that moment could have left it, and opened: it must hold exactly what was
 * committed by then, or that and the commit under way.
 *
 * The same writing without waiting for the disk (MDB_NOSYNC) must show damage, or the trial would prove
 * nothing. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "tests/faults/calls.h"
#include "tests/faults/disk.h"
#include "tests/faults/faults.h"
#include "tests/faults/pool.h"
#include "tests/unit/scratch.h"

#define POOL_HOSTS   24
#define COMMITS      240
#define CHILD_IMAGES 250
#define ASKED_EACH   4 /* of so many images, one is asked questions before a store opens it */

/* What the disk held after each commit. */
struct moment {
	size_t notes; /* written by then */
	uint64_t digest, answers;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct moment moments[COMMITS + 1];
	char state[LIMIT_PATH_BYTES], replica[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
	bool unsynced, tear_bytes;
	struct prng prng;
};

struct tally {
	uint64_t images, asked;
	uint64_t right;
	uint64_t set_aside; /* found damaged when opened: a node fills it again from its peers */
	uint64_t lost;      /* opened, but not what was committed */
	uint64_t wrong_answers, failed;
};

/* --- writing --- */

struct ask {
	struct trial *t;
	int result;
};

static int ask_in_child(void *context)
{
	struct ask *ask = context;
	struct err_info info;
	uint64_t answers;
	if (pool_question_digest(ask->t->state, &answers, &info) != ERR_OK) {
		fprintf(stderr, "a question failed: %s\n", info.text);
		return 1;
	}
	return write(ask->result, &answers, sizeof(answers)) == sizeof(answers) ? 0 : 2;
}

/* By another process, as LMDB wants it. */
static bool ask(struct trial *t, uint64_t *ret)
{
	int ends[2];
	if (pipe(ends) != 0)
		return false;
	struct ask work = {t, ends[1]};
	bool good =
	    scratch_in_child(ask_in_child, &work) == 0 && read(ends[0], ret, sizeof(*ret)) == sizeof(*ret);
	close(ends[0]);
	close(ends[1]);
	return good;
}

static enum err commit(struct trial *t, struct store *s, size_t number)
{
	enum err err = number == 1 ? pool_put_all(&t->pool, s) : ERR_OK;
	if (err == ERR_OK && number > 0)
		err = pool_change(&t->pool, s, number, &t->prng);
	if (err == ERR_OK && number > 0)
		err = store_flush(s, POOL_NOW + number, NULL);
	t->moments[number].notes = disk_note_count();
	if (err == ERR_OK)
		err = pool_digest(s, &t->moments[number].digest);
	return err == ERR_OK && !ask(t, &t->moments[number].answers) ? ERR_IO : err;
}

static bool write_all(struct trial *t)
{
	struct store *s = NULL;
	struct err_info info = {.text = "no reason given"};
	calls_open_flags = t->unsynced ? MDB_NOSYNC | MDB_NOMETASYNC : 0;
	disk_watch(t->data);
	enum err err = store_open(t->replica, &t->pool.estate, &t->pool.self, &s, NULL, &info);
	for (size_t i = 0; i <= COMMITS && err == ERR_OK; i++)
		err = commit(t, s, i);
	disk_watch_end();
	store_close(s);
	calls_open_flags = 0;
	if (err != ERR_OK)
		fprintf(stderr, "writing failed: %s (%s)\n", err_text(err), info.text);
	return err == ERR_OK;
}

/* --- judging --- */

static bool put_image(struct trial *t, const uint8_t *image, size_t len)
{
	char lock[LIMIT_PATH_BYTES + 16];
	snprintf(lock, sizeof(lock), "%s/lock.mdb", t->replica);
	unlink(lock);
	unlink(t->data);
	FILE *f = fopen(t->data, "we");
	bool good = f != NULL && (len == 0 || fwrite(image, len, 1, f) == 1);
	return f != NULL && fclose(f) == 0 && good;
}

/* The commit that was whole when the cut came; the next may be there as well. */
static size_t committed(const struct trial *t, size_t moment)
{
	size_t number = 0;
	while (number < COMMITS && t->moments[number + 1].notes <= moment)
		number++;
	return number;
}

static bool is_one_of(const struct trial *t, size_t number, uint64_t digest, bool answers)
{
	for (size_t i = number; i <= number + 1 && i <= COMMITS; i++) {
		if (digest == (answers ? t->moments[i].answers : t->moments[i].digest))
			return true;
	}
	return false;
}

static void judge(struct trial *t, size_t number, bool asked, struct tally *tally)
{
	struct store *s = NULL;
	struct err_info info;
	uint64_t digest;
	bool aside = false;
	tally->images++;
	if (asked) {
		enum err err = pool_question_digest(t->state, &digest, &info);
		tally->asked += err == ERR_OK;
		tally->wrong_answers += err == ERR_OK && !is_one_of(t, number, digest, true);
	}
	if (store_open(t->replica, &t->pool.estate, &t->pool.self, &s, &aside, NULL) != ERR_OK) {
		tally->failed++;
		return;
	}
	if (aside)
		tally->set_aside++;
	else if (pool_digest(s, &digest) == ERR_OK && is_one_of(t, number, digest, false))
		tally->right++;
	else
		tally->lost++;
	store_close(s);
}

struct share {
	struct trial *t;
	size_t first, count, total; /* images of all */
	int result;
};

static int judge_in_child(void *context)
{
	struct share *share = context;
	struct trial *t = share->t;
	struct tally tally = {0};
	struct disk disk = {0};
	/* Nothing before the first commit: until then there is no replica. */
	size_t from = t->moments[0].notes, notes = disk_note_count() - from;
	for (size_t i = share->first; i < share->first + share->count; i++) {
		struct disk_cut cut = {from + (size_t)((uint64_t)i * notes / share->total), t->tear_bytes};
		size_t len;
		prng_seed(&t->prng, t->o->seed << 32 ^ i);
		if (!disk_play(&disk, cut.moment))
			return 1;
		uint8_t *image = disk_image(&disk, &cut, &t->prng, &len);
		if (image == NULL || !put_image(t, image, len))
			return 1;
		free(image);
		judge(t, committed(t, cut.moment), i % ASKED_EACH == 0, &tally);
	}
	disk_free(&disk);
	return write(share->result, &tally, sizeof(tally)) == sizeof(tally) ? 0 : 2;
}

/* In children, as what a damaged file does to LMDB may end one. */
static bool judge_all(struct trial *t, const char *what, size_t total, struct tally *sum)
{
	bool good = true;
	for (size_t done = 0; done < total; done += CHILD_IMAGES) {
		int ends[2];
		struct tally part;
		size_t count = total - done < CHILD_IMAGES ? total - done : CHILD_IMAGES;
		faults_progress(what, done, total);
		if (pipe(ends) != 0)
			return false;
		struct share share = {t, done, count, total, ends[1]};
		int rc = scratch_in_child(judge_in_child, &share);
		good = rc == 0 && read(ends[0], &part, sizeof(part)) == sizeof(part) && good;
		close(ends[0]);
		close(ends[1]);
		if (rc != 0) {
			fprintf(stderr, "%s: images %zu to %zu: the process that opened them ended with %d\n",
				what, done, done + count - 1, rc);
			continue;
		}
		for (size_t i = 0; i < sizeof(part) / sizeof(uint64_t); i++)
			((uint64_t *)sum)[i] += ((uint64_t *)&part)[i];
	}
	faults_progress(what, total, total);
	return good;
}

static bool run(const struct faults_options *o, const char *name, bool unsynced, bool tear_bytes,
		size_t images, struct tally *ret)
{
	char path[LIMIT_PATH_BYTES];
	struct err_info info;
	struct trial *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return false;
	t->o = o;
	t->unsynced = unsynced;
	t->tear_bytes = tear_bytes;
	prng_seed(&t->prng, o->seed);
	snprintf(path, sizeof(path), "%s/%s-pool", o->folder, name);
	snprintf(t->state, sizeof(t->state), "%s/%s", o->folder, name);
	snprintf(t->replica, sizeof(t->replica), "%s/%s/replica", o->folder, name);
	snprintf(t->data, sizeof(t->data), "%s/%s/replica/data.mdb", o->folder, name);
	enum err err = pool_make(path, POOL_HOSTS, o->seed, &t->pool, &info);
	if (err == ERR_OK)
		err = os_dir_make(t->state, 0700, &info);
	if (err != ERR_OK)
		fprintf(stderr, "%s\n", info.text);
	bool good = err == ERR_OK && write_all(t) && judge_all(t, name, images, ret);
	disk_forget();
	pool_free(&t->pool);
	free(t);
	return good;
}

bool faults_power_cut(const struct faults_options *o)
{
	struct tally synced = {0}, torn = {0}, unsynced = {0};
	size_t images = (size_t)o->count, few = images / 10 + 1;
	bool good = run(o, "power-cut", false, false, images, &synced);
	good = run(o, "torn-bytes", false, true, few, &torn) && good;
	(void)run(o, "unsynced", true, false, few, &unsynced);
	faults_print("power_cut.images", synced.images, "images");
	faults_print("power_cut.right", synced.right, "images");
	faults_print("power_cut.corrupt", synced.set_aside + synced.failed, "images");
	faults_print("power_cut.lost", synced.lost, "images");
	faults_print("power_cut.asked", synced.asked, "images");
	faults_print("power_cut.wrong_answers", synced.wrong_answers, "images");
	faults_print("power_cut.torn_bytes_images", torn.images, "images");
	faults_print("power_cut.torn_bytes_set_aside", torn.set_aside, "images");
	faults_print("power_cut.torn_bytes_wrong", torn.lost + torn.failed + torn.wrong_answers, "images");
	faults_print("power_cut.nosync_images", unsynced.images, "images");
	faults_print("power_cut.nosync_damaged", unsynced.images - unsynced.right, "images");
	return good && synced.right == images && synced.wrong_answers == 0 &&
	       torn.right + torn.set_aside == torn.images && torn.wrong_answers == 0 && unsynced.images > 0 &&
	       unsynced.right < unsynced.images;
}
