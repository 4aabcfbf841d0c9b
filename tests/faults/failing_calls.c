/* Every call that can fail, failed once: each allocation and each call of LMDB's on the way from opening a
 * replica over a commit to the answer of a question. The error is a clean one, nothing that was there before
 * is lost, and the same again without the failure succeeds. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/file.h"
#include "tests/faults/calls.h"
#include "tests/faults/faults.h"
#include "tests/faults/place.h"
#include "tests/faults/pool.h"
#include "tests/unit/scratch.h"

#define POOL_HOSTS 6
#define CHANGE     7 /* number of the change that is committed */

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct place place;
	uint8_t *before; /* the file */
	size_t before_len;
	uint64_t old_digest, new_digest, answers;
	uint64_t number; /* of the call that fails */
};

enum { RIGHT, NOT_REACHED, UNCLEAN, SET_ASIDE, LOST, WRONG_ANSWER, NOT_AGAIN, BROKEN };

static enum err change(const struct trial *t, struct store *s)
{
	struct prng prng;
	prng_seed(&prng, t->o->seed);
	return pool_change(&t->pool, s, CHANGE, &prng);
}

/* An error that a person can do something about, and never the verdict that the file is damaged. */
static bool is_clean(enum err err, const struct err_info *info)
{
	return calls_failed() != NULL && err != ERR_CORRUPT && err != ERR_CHECKSUM &&
	       (info == NULL || info->text[0] != '\0');
}

static int open_it(const struct trial *t, struct store **ret)
{
	struct err_info info = {0};
	uint64_t digest;
	bool aside = false;
	enum err err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, ret, &aside, &info);
	if (err != ERR_OK && !is_clean(err, &info))
		return UNCLEAN;
	if (err != ERR_OK)
		err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, ret, &aside, &info);
	if (err != ERR_OK)
		return NOT_AGAIN;
	if (aside)
		return SET_ASIDE;
	err = pool_digest(*ret, &digest);
	if (err != ERR_OK && !is_clean(err, NULL))
		return UNCLEAN;
	if (err != ERR_OK)
		err = pool_digest(*ret, &digest);
	if (err != ERR_OK)
		return NOT_AGAIN;
	return digest == t->old_digest ? RIGHT : LOST;
}

static int commit_it(const struct trial *t, struct store *s)
{
	struct err_info info = {0};
	uint64_t digest = 0;
	enum err err = change(t, s);
	if (err != ERR_OK && !is_clean(err, NULL))
		return UNCLEAN;
	if (err != ERR_OK && change(t, s) != ERR_OK)
		return NOT_AGAIN;
	err = store_flush(s, POOL_NOW + CHANGE, &info);
	if (err != ERR_OK && !is_clean(err, &info))
		return UNCLEAN;
	/* What could not be committed is still there, and asked for. */
	if (err != ERR_OK && (pool_digest(s, &digest) != ERR_OK || digest != t->new_digest))
		return LOST;
	if (err != ERR_OK && store_flush(s, POOL_NOW + CHANGE, &info) != ERR_OK)
		return NOT_AGAIN;
	err = pool_digest(s, &digest);
	if (err != ERR_OK && !is_clean(err, NULL))
		return UNCLEAN;
	if (err != ERR_OK && pool_digest(s, &digest) != ERR_OK)
		return NOT_AGAIN;
	return digest == t->new_digest ? RIGHT : LOST;
}

static int ask_it(const struct trial *t)
{
	struct err_info info = {0};
	uint64_t answers = 0;
	enum err err = pool_question_digest(t->place.state, &answers, &info);
	if (err != ERR_OK && !is_clean(err, &info))
		return UNCLEAN;
	if (err != ERR_OK && pool_question_digest(t->place.state, &answers, &info) != ERR_OK)
		return NOT_AGAIN;
	return t->answers == 0 || answers == t->answers ? RIGHT : WRONG_ANSWER;
}

static int try_one(void *context)
{
	struct trial *t = context;
	struct store *s = NULL;
	if (!calls_begin() || !place_put(&t->place, t->before, t->before_len))
		return BROKEN;
	calls_arm(t->number);
	int result = open_it(t, &s);
	if (result == RIGHT)
		result = commit_it(t, s);
	store_close(s);
	if (result == RIGHT)
		result = ask_it(t);
	(void)calls_disarm();
	if (result != RIGHT)
		fprintf(stderr, "call %" PRIu64 " (%s) failed: outcome %d\n", t->number,
			calls_failed() != NULL ? calls_failed() : "none", result);
	return result == RIGHT && calls_failed() == NULL ? NOT_REACHED : result;
}

enum { CALLS, NEW_DIGEST, ANSWERS, FACTS };

static int try_none(void *context, void *ret)
{
	struct trial *t = context;
	struct err_info info;
	struct store *s = NULL;
	uint64_t *facts = ret;
	if (!calls_begin() || !place_put(&t->place, t->before, t->before_len))
		return BROKEN;
	calls_arm(0);
	if (store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, NULL, NULL) != ERR_OK ||
	    pool_digest(s, &facts[NEW_DIGEST]) != ERR_OK || change(t, s) != ERR_OK ||
	    store_flush(s, POOL_NOW + CHANGE, NULL) != ERR_OK || pool_digest(s, &facts[NEW_DIGEST]) != ERR_OK)
		return UNCLEAN;
	store_close(s);
	if (pool_question_digest(t->place.state, &facts[ANSWERS], &info) != ERR_OK)
		return UNCLEAN;
	facts[CALLS] = calls_disarm();
	return RIGHT;
}

/* How many calls there are, and what comes out when none fails. */
static bool count_calls(struct trial *t, uint64_t *ret)
{
	uint64_t facts[FACTS];
	if (place_in_child(try_none, t, facts, sizeof(facts)) != RIGHT)
		return false;
	*ret = facts[CALLS];
	t->new_digest = facts[NEW_DIGEST];
	t->answers = facts[ANSWERS];
	return true;
}

static bool begin(struct trial *t)
{
	struct err_info info = {0};
	struct store *s = NULL;
	enum err err = place_begin(t->o->folder, "calls", POOL_HOSTS, t->o->seed, &t->place, &t->pool, &info);
	if (err == ERR_OK)
		err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, NULL, &info);
	if (err == ERR_OK)
		err = pool_put_all(&t->pool, s);
	if (err == ERR_OK)
		err = store_flush(s, POOL_NOW, &info);
	if (err == ERR_OK)
		err = pool_digest(s, &t->old_digest);
	store_close(s);
	if (err == ERR_OK)
		err = os_file_read(t->place.data, 1 << 26, &t->before, &t->before_len, &info);
	if (err != ERR_OK)
		fprintf(stderr, "%s: %s\n", err_text(err), info.text);
	return err == ERR_OK;
}

bool faults_failing_calls(const struct faults_options *o)
{
	struct trial *t = calloc(1, sizeof(*t));
	uint64_t calls = 0, tried = 0, outcomes[BROKEN + 1] = {0}, died = 0;
	if (t == NULL)
		return false;
	t->o = o;
	bool good = begin(t) && count_calls(t, &calls);
	uint64_t trials = calls < o->count ? calls : o->count;
	for (; tried < trials && good; tried++) {
		t->number = 1 + tried * calls / trials;
		int result = scratch_in_child(try_one, t);
		if (result >= RIGHT && result <= BROKEN) {
			outcomes[result]++;
		} else {
			fprintf(stderr, "call %" PRIu64 ": the process ended with %d\n", t->number, result);
			died++;
		}
		faults_progress("failing-calls", tried + 1, trials);
	}
	faults_print("failing_calls.calls", calls, "calls");
	faults_print("failing_calls.failed_once", tried, "calls");
	faults_print("failing_calls.right", outcomes[RIGHT], "calls");
	faults_print("failing_calls.unclean", outcomes[UNCLEAN] + outcomes[SET_ASIDE], "calls");
	faults_print("failing_calls.lost", outcomes[LOST] + outcomes[WRONG_ANSWER], "calls");
	faults_print("failing_calls.not_again", outcomes[NOT_AGAIN], "calls");
	faults_print("failing_calls.died", died, "processes");
	good = good && tried > 0 && outcomes[RIGHT] == tried;
	pool_free(&t->pool);
	free(t->before);
	free(t);
	return good;
}
