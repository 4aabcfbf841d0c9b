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
#include "tests/faults/pool.h"
#include "tests/unit/scratch.h"

#define POOL_HOSTS 6
#define CHANGE     7 /* number of the change that is committed */

struct trial {
	const struct faults_options *o;
	struct pool pool;
	char state[LIMIT_PATH_BYTES], replica[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
	uint8_t *before; /* the file */
	size_t before_len;
	uint64_t old_digest, new_digest, answers;
	uint64_t number; /* of the call that fails */
};

enum { RIGHT, NOT_REACHED, UNCLEAN, SET_ASIDE, LOST, WRONG_ANSWER, NOT_AGAIN, BROKEN };

static bool put_file(const struct trial *t)
{
	char lock[LIMIT_PATH_BYTES + 16];
	snprintf(lock, sizeof(lock), "%s/lock.mdb", t->replica);
	unlink(lock);
	FILE *f = fopen(t->data, "we");
	bool good = f != NULL && fwrite(t->before, t->before_len, 1, f) == 1;
	return f != NULL && fclose(f) == 0 && good;
}

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
	enum err err = store_open(t->replica, &t->pool.estate, &t->pool.self, ret, &aside, &info);
	if (err != ERR_OK && !is_clean(err, &info))
		return UNCLEAN;
	if (err != ERR_OK)
		err = store_open(t->replica, &t->pool.estate, &t->pool.self, ret, &aside, &info);
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
	enum err err = pool_question_digest(t->state, &answers, &info);
	if (err != ERR_OK && !is_clean(err, &info))
		return UNCLEAN;
	if (err != ERR_OK && pool_question_digest(t->state, &answers, &info) != ERR_OK)
		return NOT_AGAIN;
	return t->answers == 0 || answers == t->answers ? RIGHT : WRONG_ANSWER;
}

static int try_one(void *context)
{
	struct trial *t = context;
	struct store *s = NULL;
	if (!calls_begin() || !put_file(t))
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

/* How many calls there are, and what comes out when none fails. */
struct first {
	struct trial *t;
	int result;
};

static int try_none(void *context)
{
	struct first *first = context;
	struct trial *t = first->t;
	struct err_info info;
	struct store *s = NULL;
	uint64_t facts[3] = {0};
	if (!calls_begin() || !put_file(t))
		return BROKEN;
	calls_arm(0);
	if (store_open(t->replica, &t->pool.estate, &t->pool.self, &s, NULL, NULL) != ERR_OK ||
	    pool_digest(s, &facts[1]) != ERR_OK || change(t, s) != ERR_OK ||
	    store_flush(s, POOL_NOW + CHANGE, NULL) != ERR_OK || pool_digest(s, &facts[1]) != ERR_OK)
		return UNCLEAN;
	store_close(s);
	if (pool_question_digest(t->state, &facts[2], &info) != ERR_OK)
		return UNCLEAN;
	facts[0] = calls_disarm();
	return write(first->result, facts, sizeof(facts)) == sizeof(facts) ? RIGHT : BROKEN;
}

static bool count_calls(struct trial *t, uint64_t *ret)
{
	int ends[2];
	uint64_t facts[3];
	if (pipe(ends) != 0)
		return false;
	struct first first = {t, ends[1]};
	bool good = scratch_in_child(try_none, &first) == RIGHT &&
		    read(ends[0], facts, sizeof(facts)) == sizeof(facts);
	close(ends[0]);
	close(ends[1]);
	if (good) {
		*ret = facts[0];
		t->new_digest = facts[1];
		t->answers = facts[2];
	}
	return good;
}

static bool begin(struct trial *t)
{
	char path[LIMIT_PATH_BYTES];
	struct err_info info = {0};
	struct store *s = NULL;
	snprintf(path, sizeof(path), "%s/calls-pool", t->o->folder);
	snprintf(t->state, sizeof(t->state), "%s/calls", t->o->folder);
	snprintf(t->replica, sizeof(t->replica), "%s/calls/replica", t->o->folder);
	snprintf(t->data, sizeof(t->data), "%s/calls/replica/data.mdb", t->o->folder);
	enum err err = pool_make(path, POOL_HOSTS, t->o->seed, &t->pool, &info);
	if (err == ERR_OK)
		err = os_dir_make(t->state, 0700, &info);
	if (err == ERR_OK)
		err = store_open(t->replica, &t->pool.estate, &t->pool.self, &s, NULL, &info);
	if (err == ERR_OK)
		err = pool_put_all(&t->pool, s);
	if (err == ERR_OK)
		err = store_flush(s, POOL_NOW, &info);
	if (err == ERR_OK)
		err = pool_digest(s, &t->old_digest);
	store_close(s);
	if (err == ERR_OK)
		err = os_file_read(t->data, 1 << 26, &t->before, &t->before_len, &info);
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
