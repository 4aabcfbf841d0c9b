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

#include "tests/faults/calls.h"
#include "tests/faults/disk.h"
#include "tests/faults/faults.h"
#include "tests/faults/place.h"
#include "tests/faults/pool.h"

#define POOL_HOSTS 24
#define COMMITS    240
#define ASKED_EACH 4 /* of so many images, one is asked questions before a store opens it */

/* What the disk held after each commit. */
struct moment {
	size_t notes; /* written by then */
	uint64_t digest, answers;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct moment moments[COMMITS + 1];
	struct place place;
	uint64_t images;
	bool unsynced, tear_bytes;
	struct prng prng;
};

enum {
	IMAGES,
	ASKED,
	RIGHT,
	SET_ASIDE, /* found damaged when opened: a node fills it again from its peers */
	LOST,      /* opened, but not what was committed */
	WRONG_ANSWERS,
	NOT_OPENED,
	COUNTERS
};

/* --- writing --- */

static int ask_in_child(void *context, void *ret)
{
	struct trial *t = context;
	struct err_info info;
	if (pool_question_digest(t->place.state, ret, &info) == ERR_OK)
		return 0;
	fprintf(stderr, "a question failed: %s\n", info.text);
	return 1;
}

/* By another process, as LMDB wants it. */
static bool ask(struct trial *t, uint64_t *ret)
{
	return place_in_child(ask_in_child, t, ret, sizeof(*ret)) == 0;
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
	disk_watch(t->place.data);
	enum err err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, NULL, &info);
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

static void judge(struct trial *t, size_t number, bool asked, uint64_t *tally)
{
	struct store *s = NULL;
	struct err_info info;
	uint64_t digest;
	bool aside = false;
	tally[IMAGES]++;
	if (asked && pool_question_digest(t->place.state, &digest, &info) == ERR_OK) {
		tally[ASKED]++;
		tally[WRONG_ANSWERS] += !is_one_of(t, number, digest, true);
	}
	if (store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, &aside, NULL) != ERR_OK) {
		tally[NOT_OPENED]++;
		return;
	}
	if (aside)
		tally[SET_ASIDE]++;
	else if (pool_digest(s, &digest) == ERR_OK && is_one_of(t, number, digest, false))
		tally[RIGHT]++;
	else
		tally[LOST]++;
	store_close(s);
}

static bool judge_some(void *context, uint64_t first, uint64_t count, uint64_t *tally)
{
	struct trial *t = context;
	struct disk disk = {0};
	bool good = true;
	/* Nothing before the first commit: until then there is no replica. */
	size_t from = t->moments[0].notes, notes = disk_note_count() - from;
	for (uint64_t i = first; i < first + count && good; i++) {
		struct disk_cut cut = {from + (size_t)(i * notes / t->images), t->tear_bytes};
		size_t len;
		prng_seed(&t->prng, t->o->seed << 32 ^ i);
		uint8_t *image =
		    disk_play(&disk, cut.moment) ? disk_image(&disk, &cut, &t->prng, &len) : NULL;
		good = image != NULL && place_put(&t->place, image, len);
		free(image);
		if (good)
			judge(t, committed(t, cut.moment), i % ASKED_EACH == 0, tally);
	}
	disk_free(&disk);
	return good;
}

static bool run(const struct faults_options *o, const char *name, bool unsynced, bool tear_bytes,
		uint64_t images, uint64_t *sum)
{
	struct err_info info;
	struct trial *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return false;
	t->o = o;
	t->images = images;
	t->unsynced = unsynced;
	t->tear_bytes = tear_bytes;
	prng_seed(&t->prng, o->seed);
	enum err err = place_begin(o->folder, name, POOL_HOSTS, o->seed, &t->place, &t->pool, &info);
	if (err != ERR_OK)
		fprintf(stderr, "%s: %s\n", err_text(err), info.text);
	const struct place_work work = {name, images, judge_some, t};
	bool good = err == ERR_OK && write_all(t) && place_judge_all(&work, COUNTERS, sum) == 0;
	disk_forget();
	pool_free(&t->pool);
	free(t);
	return good;
}

bool faults_power_cut(const struct faults_options *o)
{
	uint64_t synced[COUNTERS] = {0}, torn[COUNTERS] = {0}, unsynced[COUNTERS] = {0};
	uint64_t images = o->count, few = images / 10 + 1;
	bool good = run(o, "power-cut", false, false, images, synced);
	good = run(o, "torn-bytes", false, true, few, torn) && good;
	(void)run(o, "unsynced", true, false, few, unsynced);
	faults_print("power_cut.images", synced[IMAGES], "images");
	faults_print("power_cut.right", synced[RIGHT], "images");
	faults_print("power_cut.corrupt", synced[SET_ASIDE] + synced[NOT_OPENED], "images");
	faults_print("power_cut.lost", synced[LOST], "images");
	faults_print("power_cut.asked", synced[ASKED], "images");
	faults_print("power_cut.wrong_answers", synced[WRONG_ANSWERS], "images");
	faults_print("power_cut.torn_bytes_images", torn[IMAGES], "images");
	faults_print("power_cut.torn_bytes_set_aside", torn[SET_ASIDE], "images");
	faults_print("power_cut.torn_bytes_wrong", torn[LOST] + torn[NOT_OPENED] + torn[WRONG_ANSWERS],
		     "images");
	faults_print("power_cut.nosync_images", unsynced[IMAGES], "images");
	faults_print("power_cut.nosync_damaged", unsynced[IMAGES] - unsynced[RIGHT], "images");
	return good && synced[RIGHT] == images && synced[WRONG_ANSWERS] == 0 &&
	       torn[RIGHT] + torn[SET_ASIDE] == torn[IMAGES] && torn[WRONG_ANSWERS] == 0 &&
	       unsynced[IMAGES] > 0 && unsynced[RIGHT] < unsynced[IMAGES];
}
