/* A hundred processes that ask, all the time, while another writes as fast as it can. Pages that an answer
 * still needs cannot be used again, so the file grows; when the answers are given it must stop growing. */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/faults/faults.h"
#include "tests/faults/place.h"
#include "tests/faults/pool.h"

#define POOL_HOSTS 300
#define READERS    100
/* A hundred answers take two cores a second; the rest is what is written meanwhile. */
#define GROWTH_MAX (64 * 1024 * 1024)

struct ledger {
	_Atomic uint64_t asked, failed;
	_Atomic bool stop;
};

struct trial {
	const struct faults_options *o;
	struct pool pool;
	struct ledger *ledger;
	struct store *store;
	uint64_t commits;
	struct place place;
};

/* One real `mesh sql`. */
static bool ask(const struct trial *t)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL)
			_exit(9);
		execl(t->o->mesh, "mesh", "sql",
		      "SELECT h.site, h.status, count(*), max(h.seen_ms) FROM hosts h "
		      "JOIN host_components c USING (host) GROUP BY 1, 2",
		      "--state", t->place.state, "--allow-partial", "-o", "json", (char *)NULL);
		_exit(9);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Says once that it has asked. */
static _Noreturn void keep_asking(struct trial *t, int has_asked)
{
	for (bool said = false; !t->ledger->stop; said = true) {
		if (ask(t))
			t->ledger->asked++;
		else
			t->ledger->failed++;
		if (!said && write(has_asked, "a", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static uint64_t file_bytes(const struct trial *t)
{
	struct stat st;
	return stat(t->place.data, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static bool write_on(struct trial *t, const char *what, struct prng *prng)
{
	enum err err = ERR_OK;
	struct err_info info = {0};
	for (uint64_t i = 0; i < t->o->count && err == ERR_OK; i++) {
		t->commits++;
		for (unsigned k = 0; k < 8 && err == ERR_OK; k++)
			err = pool_change(&t->pool, t->store, t->commits, prng);
		if (err == ERR_OK)
			err = store_flush(t->store, POOL_NOW + t->commits, &info);
		/* The map was full; it has grown, and what was to be written is still there. */
		if (err == ERR_LIMIT)
			err = store_flush(t->store, POOL_NOW + t->commits, &info);
		if (i % 10 == 0)
			faults_progress(what, i, t->o->count);
	}
	faults_progress(what, t->o->count, t->o->count);
	if (err != ERR_OK)
		fprintf(stderr, "readers: writing: %s: %s\n", err_text(err), info.text);
	return err == ERR_OK;
}

static bool write_among_readers(struct trial *t, struct prng *prng)
{
	pid_t readers[READERS];
	int ends[2], status;
	char byte;
	t->ledger->stop = false;
	if (pipe(ends) != 0)
		return false;
	for (size_t i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (readers[i] == 0)
			keep_asking(t, ends[1]);
	}
	close(ends[1]);
	bool good = write_on(t, "writing among readers", prng);
	/* However fast the writer was, each of them has asked. */
	for (size_t i = 0; i < READERS && good; i++)
		good = read(ends[0], &byte, 1) == 1;
	t->ledger->stop = true;
	for (size_t i = 0; i < READERS; i++)
		good = readers[i] > 0 && waitpid(readers[i], &status, 0) == readers[i] && status == 0 && good;
	close(ends[0]);
	return good;
}

static bool begin(struct trial *t)
{
	struct err_info info = {0};
	enum err err =
	    place_begin(t->o->folder, "readers", POOL_HOSTS, t->o->seed, &t->place, &t->pool, &info);
	if (err == ERR_OK)
		err = store_open(t->place.replica, &t->pool.estate, &t->pool.self, &t->store, NULL, &info);
	if (err == ERR_OK)
		err = pool_put_all(&t->pool, t->store);
	if (err == ERR_OK)
		err = store_flush(t->store, POOL_NOW, &info);
	if (err != ERR_OK)
		fprintf(stderr, "readers: %s: %s\n", err_text(err), info.text);
	return err == ERR_OK;
}

bool faults_readers(const struct faults_options *o)
{
	struct trial t = {.o = o};
	struct prng prng;
	prng_seed(&prng, o->seed);
	t.ledger = mmap(NULL, sizeof(*t.ledger), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.ledger == MAP_FAILED)
		return false;
	bool good = begin(&t) && write_on(&t, "writing alone", &prng);
	uint64_t alone = file_bytes(&t);
	good = good && write_among_readers(&t, &prng);
	uint64_t among = file_bytes(&t);
	good = good && write_on(&t, "writing alone again", &prng);
	uint64_t after = file_bytes(&t);
	faults_print("readers.commits", t.commits, "commits");
	faults_print("readers.asked", t.ledger->asked, "questions");
	faults_print("readers.failed", t.ledger->failed, "questions");
	faults_print("readers.file_alone", alone, "bytes");
	faults_print("readers.file_among", among, "bytes");
	faults_print("readers.file_after", after, "bytes");
	good = good && t.ledger->asked >= READERS && t.ledger->failed == 0 && among - alone <= GROWTH_MAX &&
	       after <= among;
	store_close(t.store);
	pool_free(&t.pool);
	munmap(t.ledger, sizeof(*t.ledger));
	return good;
}
