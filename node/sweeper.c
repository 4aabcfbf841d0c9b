/* Happy path: a look every two hours, if anything was put that may have made something superfluous; what that
 * one and the one before found is dropped, so many with each commit.
 * Fails: while the replica cannot be committed nothing is looked for; a look that failed counts for none. */
#include "node/sweeper.h"

#include <inttypes.h>
#include <stdlib.h>

#define FIRST_MS    (10 * CLOCK_MINUTE_MS)
#define INTERVAL_MS (120 * CLOCK_MINUTE_MS) /* the grace: longer than any row waits for its commit */
#define RETRY_MS    CLOCK_MINUTE_MS
#define SLICE       2048 /* blobs in one commit: up to so many pages are rewritten */

struct sweeper {
	struct sweeper_options options;
	mono_ms due;
	uint64_t commits; /* before the last slice */
	bool sliced;
	bool looking;
	bool fresh;       /* what it found is being dropped */
	struct id *roots; /* that the log names, as of the look */
	size_t root_count;
	enum err result;
	uint64_t dropped; /* since the look */
	struct id slice[SLICE];
};

enum err sweeper_new(const struct sweeper_options *options, mono_ms now, struct sweeper **ret)
{
	struct sweeper *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return ERR_NOMEM;
	s->options = *options;
	s->due = now + FIRST_MS;
	*ret = s;
	return ERR_OK;
}

void sweeper_free(struct sweeper *s)
{
	if (s == NULL)
		return;
	free(s->roots);
	free(s);
}

mono_ms sweeper_due(const struct sweeper *s)
{
	return s->looking ? UINT64_MAX : s->due;
}

/* The core changes its log while the look goes on. */
static enum err take_roots(struct sweeper *s)
{
	const struct id *root;
	bool complete;
	size_t count = 0;
	while (authlog_allow_list_at(s->options.authority_log, count, &complete) != NULL)
		count++;
	struct id *roots = realloc(s->roots, (count + 1) * sizeof(*roots));
	if (roots == NULL)
		return ERR_NOMEM;
	s->roots = roots;
	for (s->root_count = 0; s->root_count < count; s->root_count++) {
		root = authlog_allow_list_at(s->options.authority_log, s->root_count, &complete);
		roots[s->root_count] = *root;
	}
	return ERR_OK;
}

static void look(void *context)
{
	struct sweeper *s = context;
	s->result = store_sweep_look(s->options.store, s->roots, s->root_count);
}

static void on_looked(void *context)
{
	struct sweeper *s = context;
	s->looking = false;
	store_sweep_end(s->options.store, s->result);
	s->fresh = true;
	s->sliced = false;
	s->due = 0;
	s->options.done(s->options.context);
}

static void begin(struct sweeper *s, mono_ms now)
{
	s->due = now + RETRY_MS;
	if (committer_error(s->options.committer)[0] != '\0' || take_roots(s) != ERR_OK)
		return;
	store_sweep_begin(s->options.store);
	enum err err = committer_aside(s->options.committer, look, on_looked, s);
	if (err != ERR_OK)
		store_sweep_end(s->options.store, err);
	s->looking = err == ERR_OK;
}

static uint64_t commits_of(const struct sweeper *s)
{
	struct store_stats stats;
	store_stats(s->options.store, &stats);
	return stats.commits;
}

/* False: nothing is left to drop. */
static bool drop_slice(struct sweeper *s, mono_ms now)
{
	const struct sweeper_options *o = &s->options;
	size_t count = store_sweep_due(o->store, s->slice, SLICE);
	if (count == 0)
		return false;
	/* First, so that a record that names one again makes the core want it again. */
	count = o->forget(o->context, s->slice, count);
	for (size_t i = 0; i < count; i++)
		s->dropped += store_drop_blob(o->store, &s->slice[i]) == ERR_OK;
	if (count > 0)
		committer_note(o->committer, now, false);
	s->commits = commits_of(s);
	s->sliced = true;
	return true;
}

static void rest(struct sweeper *s, mono_ms now)
{
	if (s->dropped > 0)
		log_line(s->options.log, LOG_INFO,
			 "replica: %" PRIu64 " blobs that nothing refers to dropped", s->dropped);
	s->dropped = 0;
	s->fresh = false;
	s->due = now + INTERVAL_MS - RETRY_MS;
}

void sweeper_run(struct sweeper *s, mono_ms now)
{
	if (now < sweeper_due(s))
		return;
	s->due = now + RETRY_MS;
	if (s->fresh) {
		bool waits = s->sliced && commits_of(s) == s->commits;
		if (!waits && !drop_slice(s, now))
			rest(s, now);
	} else if (store_sweep_wanted(s->options.store)) {
		begin(s, now);
	} else {
		rest(s, now);
	}
}
