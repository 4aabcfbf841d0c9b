/* kill -9, again and again, of a process that writes a replica while another asks it. What was committed must
 * be there each time, nobody repairs anything, the reader never sees time go back, and no number of the
 * host's own counter is used twice. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/seq.h"
#include "store/query.h"
#include "tests/faults/faults.h"
#include "tests/faults/place.h"
#include "tests/faults/pool.h"

#define POOL_HOSTS        24
#define SEQ_BLOCK         8
#define ALIVE_US          3000 /* at most, after the replica was opened */
#define OPENING_US        1500
#define OPENING_SHARE     0.2 /* of the kills fall into the opening */
#define READER_KILL_SHARE 0.05

/* What outlives a kill: in memory shared by all. */
struct ledger {
	_Atomic uint64_t acked, acked_digest; /* the last commit that returned */
	_Atomic uint64_t begun, begun_digest; /* the last one that was called */
	_Atomic uint64_t sent;                /* highest number used */
	_Atomic uint64_t in_flight_kept, questions;
	_Atomic uint64_t lost, set_aside, reused, reader_errors, went_back;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct ledger *ledger;
	struct place place;
	char counter[LIMIT_PATH_BYTES];
	struct prng prng;
};

/* --- the writer --- */

static int complain(const char *what, enum err err, const struct err_info *info)
{
	fprintf(stderr, "kill: %s: %s: %s\n", what, err_text(err), info->text);
	return 1;
}

/* What is there is the last commit that returned, or the one that was under way. */
static uint64_t check_contents(struct ledger *l, struct store *s)
{
	uint64_t digest = 0;
	enum err err = pool_digest(s, &digest);
	if (err == ERR_OK && digest == l->acked_digest)
		return l->acked;
	if (err == ERR_OK && l->begun == l->acked + 1 && digest == l->begun_digest) {
		l->in_flight_kept++;
		l->acked_digest = digest;
		l->acked = l->begun;
		return l->acked;
	}
	l->lost++;
	l->acked_digest = digest;
	return l->acked;
}

/* A number is used only after the block that it lies in was saved. */
static enum err use_number(struct trial *t, uint64_t *next, uint64_t *reserved)
{
	enum err err = ERR_OK;
	if (*next >= *reserved) {
		err = seq_save(t->counter, *reserved + SEQ_BLOCK, NULL);
		if (err == ERR_OK)
			*reserved += SEQ_BLOCK;
	}
	if (err != ERR_OK)
		return err;
	if (*next <= t->ledger->sent)
		t->ledger->reused++;
	t->ledger->sent = (*next)++;
	return ERR_OK;
}

static enum err one_commit(struct trial *t, struct store *s, uint64_t number, struct err_info *info)
{
	struct ledger *l = t->ledger;
	struct prng prng;
	uint64_t digest = 0;
	prng_seed(&prng, t->o->seed << 32 ^ number);
	enum err err = pool_change(&t->pool, s, number, &prng);
	if (err == ERR_OK)
		err = pool_digest(s, &digest);
	l->begun_digest = digest;
	l->begun = number;
	if (err == ERR_OK)
		err = store_flush(s, POOL_NOW + number, info);
	if (err == ERR_OK) {
		l->acked_digest = digest;
		l->acked = number;
	}
	return err;
}

/* Writes until it is killed. */
static int write_on(struct trial *t, int opened)
{
	struct store *s = NULL;
	struct err_info info = {0};
	bool aside = false;
	uint64_t reserved = 1;
	enum err err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, &aside, &info);
	if (err != ERR_OK)
		return complain("opening", err, &info);
	if (aside)
		t->ledger->set_aside++;
	uint64_t number = check_contents(t->ledger, s);
	err = seq_load(t->counter, &reserved, &info);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return complain("the counter", err, &info);
	uint64_t next = reserved;
	if (write(opened, "o", 1) != 1)
		return 1;
	while (err == ERR_OK || err == ERR_NOT_FOUND) {
		err = one_commit(t, s, ++number, &info);
		if (err == ERR_OK)
			err = use_number(t, &next, &reserved);
	}
	return complain("writing", err, &info);
}

/* --- the reader --- */

static bool take_newest(void *context, const struct query_value *values, size_t count)
{
	if (count == 2 && values[1].type == QUERY_INTEGER)
		*(int64_t *)context = values[1].integer;
	return true;
}

static _Noreturn void read_on(struct trial *t)
{
	struct ledger *l = t->ledger;
	int64_t before = 0;
	for (;;) {
		struct query *q = NULL;
		struct err_info info = {0};
		int64_t newest = before;
		const struct query_sink sink = {.row = take_newest, .context = &newest};
		enum err err = query_open(t->place.state, POOL_NOW, &q, &info);
		if (err == ERR_OK)
			err = query_run(
			    q, "SELECT (SELECT count(*) FROM hosts), max(last_rollcall_ms) FROM sites", NULL,
			    0, NULL, &sink, &info);
		query_close(q);
		if (err == ERR_OK)
			l->questions++;
		else {
			l->reader_errors++;
			(void)complain("reading", err, &info);
		}
		/* One commit back may be: see take_over in store/lmdb_env.c. */
		if (newest + 1 < before)
			l->went_back++;
		before = newest;
	}
}

/* --- the killer --- */

static pid_t begin_reader(struct trial *t)
{
	pid_t pid = fork();
	if (pid == 0)
		read_on(t);
	return pid;
}

static void rest_us(uint64_t us)
{
	const struct timespec time = {0, (long)(us * 1000)};
	nanosleep(&time, NULL);
}

/* False when the writer ended by itself. */
static bool kill_one(struct trial *t)
{
	int ends[2], status;
	char byte;
	if (pipe(ends) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		_exit(write_on(t, ends[1]));
	}
	close(ends[1]);
	if (prng_chance(&t->prng, OPENING_SHARE)) {
		rest_us(prng_below(&t->prng, OPENING_US));
	} else if (read(ends[0], &byte, 1) == 1) {
		rest_us(prng_below(&t->prng, ALIVE_US));
	}
	close(ends[0]);
	return pid > 0 && kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status);
}

static uint64_t kill_all(struct trial *t)
{
	uint64_t done = 0;
	pid_t reader = begin_reader(t);
	for (; done < t->o->count && kill_one(t); done++) {
		if (done % 100 == 0)
			faults_progress("kill", done, t->o->count);
		if (prng_chance(&t->prng, READER_KILL_SHARE)) {
			kill(reader, SIGKILL);
			waitpid(reader, NULL, 0);
			reader = begin_reader(t);
		}
	}
	kill(reader, SIGKILL);
	waitpid(reader, NULL, 0);
	faults_progress("kill", done, done);
	return done;
}

/* The first commit, which the reader needs. */
static bool begin(struct trial *t)
{
	struct err_info info = {0};
	struct store *s = NULL;
	uint64_t digest = 0;
	enum err err = place_begin(t->o->folder, "kill", POOL_HOSTS, t->o->seed, &t->place, &t->pool, &info);
	snprintf(t->counter, sizeof(t->counter), "%s/kill/seq", t->o->folder);
	if (err == ERR_OK)
		err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &s, NULL, &info);
	if (err == ERR_OK)
		err = one_commit(t, s, 1, &info);
	if (err == ERR_OK)
		err = pool_digest(s, &digest);
	store_close(s);
	if (err != ERR_OK)
		(void)complain("the first commit", err, &info);
	return err == ERR_OK && digest == t->ledger->acked_digest;
}

bool faults_kill(const struct faults_options *o)
{
	struct trial t = {.o = o};
	prng_seed(&t.prng, o->seed);
	t.ledger = mmap(NULL, sizeof(*t.ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.ledger == MAP_FAILED)
		return false;
	struct ledger *l = t.ledger;
	uint64_t done = begin(&t) ? kill_all(&t) : 0;
	faults_print("kill.cycles", done, "kills");
	faults_print("kill.commits", l->acked, "commits");
	faults_print("kill.in_flight_kept", l->in_flight_kept, "commits");
	faults_print("kill.lost", l->lost, "commits");
	faults_print("kill.set_aside", l->set_aside, "files");
	faults_print("kill.numbers_used", l->sent, "numbers");
	faults_print("kill.numbers_reused", l->reused, "numbers");
	faults_print("kill.questions", l->questions, "questions");
	faults_print("kill.reader_errors", l->reader_errors, "questions");
	faults_print("kill.went_back", l->went_back, "questions");
	bool good = done == o->count && l->questions > 0 && l->acked > 1 &&
		    l->lost + l->set_aside + l->reused + l->reader_errors + l->went_back == 0;
	munmap(t.ledger, sizeof(*t.ledger));
	pool_free(&t.pool);
	return good;
}
