/* One commit at a time: `due` passes, the filling batch is frozen, a worker writes it, the loop thaws it.
 * When the batch fills up faster than the disk takes it the loop waits for the worker: better late than lost.
 */
#include "node/committer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "node/pace.h"
#include "os/clock.h"

#define NEVER        PACE_NEVER
#define RETRY_MS     5000
#define RETRY_MAX_MS 60000
#define MB           1000000ull
#define WAITERS      LIMIT_CONTROL_CLIENTS

struct waiter {
	committer_wait done;
	void *context;
	bool in_flight; /* what it waits for is in the frozen batch */
};

struct committer {
	struct committer_options options;
	uv_work_t work;
	bool queued; /* from uv_queue_work to its last callback, of a commit or what runs aside */
	struct {
		void (*work)(void *context);
		void (*done)(void *context);
		void *context;
	} aside;
	bool frozen; /* a batch waits to be thawed */
	bool closed;
	uv_mutex_t mutex;
	uv_cond_t written;
	bool finished; /* under mutex: the worker is done with the frozen batch */
	enum err result;
	struct err_info info;
	struct pace pace;
	bool all; /* the frozen batch is all there was, not the urgent rows alone */
	mono_ms last_mono;
	wall_ms last;
	uint64_t written_bytes;
	mono_ms retry_due; /* after a failure nothing else counts */
	uint32_t failures; /* in a row */
	char error[ERR_TEXT_BYTES];
	struct waiter waiters[WAITERS];
};

enum err committer_new(const struct committer_options *options, struct committer **ret)
{
	struct committer *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	c->options = *options;
	c->last_mono = os_clock_mono();
	pace_init(&c->pace, options->disk_mb_per_day * MB, options->commit_min_s, c->last_mono);
	if (uv_mutex_init(&c->mutex) != 0) {
		free(c);
		return ERR_NOMEM;
	}
	if (uv_cond_init(&c->written) != 0) {
		uv_mutex_destroy(&c->mutex);
		free(c);
		return ERR_NOMEM;
	}
	*ret = c;
	return ERR_OK;
}

void committer_free(struct committer *c)
{
	if (c == NULL)
		return;
	CHECK(!c->queued && !c->frozen);
	uv_cond_destroy(&c->written);
	uv_mutex_destroy(&c->mutex);
	free(c);
}

static void answer(struct committer *c, bool in_flight_only, enum err result, const char *text)
{
	for (size_t i = 0; i < WAITERS; i++) {
		struct waiter w = c->waiters[i];
		if (w.done == NULL || (in_flight_only && !w.in_flight))
			continue;
		c->waiters[i].done = NULL;
		w.done(w.context, result, text);
	}
}

static bool anyone_waits(const struct committer *c)
{
	for (size_t i = 0; i < WAITERS; i++)
		if (c->waiters[i].done != NULL)
			return true;
	return false;
}

static void pay(struct committer *c, mono_ms now)
{
	struct store_stats stats;
	store_stats(c->options.store, &stats);
	uint64_t bytes = stats.written_bytes - c->written_bytes;
	c->written_bytes = stats.written_bytes;
	pace_wrote(&c->pace, now, c->all, bytes, store_pending(c->options.store) > 0);
}

static void note_failure(struct committer *c, mono_ms now)
{
	uint64_t wait = (uint64_t)RETRY_MS << (c->failures < 4 ? c->failures : 4);
	c->failures++;
	c->retry_due = now + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
	if (strcmp(c->error, c->info.text) != 0)
		log_line(c->options.log, LOG_ERROR, "replica not committed, will be tried again: %s",
			 c->info.text);
	text_copy(c->error, sizeof(c->error), c->info.text);
}

static void note_success(struct committer *c, mono_ms now)
{
	if (c->failures > 0)
		log_line(c->options.log, LOG_INFO, "replica committed again");
	c->failures = 0;
	c->error[0] = '\0';
	c->last_mono = now;
	c->last = os_clock_wall();
	pay(c, now);
	if (anyone_waits(c))
		pace_hurry(&c->pace, now);
}

static void work_aside(uv_work_t *work)
{
	struct committer *c = work->data;
	c->aside.work(c->aside.context);
}

static void on_aside(uv_work_t *work, int status)
{
	struct committer *c = work->data;
	(void)status;
	c->queued = false;
	c->aside.done(c->aside.context);
}

enum err committer_aside(struct committer *c, void (*work)(void *context), void (*done)(void *context),
			 void *context)
{
	if (c->queued || c->frozen || c->closed)
		return ERR_BUSY;
	c->aside.work = work;
	c->aside.done = done;
	c->aside.context = context;
	c->work.data = c;
	CHECK(uv_queue_work(c->options.loop, &c->work, work_aside, on_aside) == 0);
	c->queued = true;
	return ERR_OK;
}

/* Loop's thread, when the worker is done with the frozen batch. */
static void settle(struct committer *c)
{
	mono_ms now = os_clock_mono();
	c->frozen = false;
	store_thaw(c->options.store, c->result);
	if (c->result == ERR_OK)
		note_success(c, now);
	else
		note_failure(c, now);
	answer(c, true, c->result, c->result == ERR_OK ? "" : c->error);
}

static void write_batch(uv_work_t *work)
{
	struct committer *c = work->data;
	c->info.text[0] = '\0';
	enum err result = store_commit(c->options.store, os_clock_wall(), &c->info);
	if (result != ERR_OK && c->info.text[0] == '\0')
		err_set(&c->info, result, "%s", err_text(result));
	uv_mutex_lock(&c->mutex);
	c->result = result;
	c->finished = true;
	uv_cond_signal(&c->written);
	uv_mutex_unlock(&c->mutex);
}

static void on_written(uv_work_t *work, int status)
{
	struct committer *c = work->data;
	(void)status;
	c->queued = false;
	if (c->frozen)
		settle(c);
	if (!c->closed)
		c->options.done(c->options.context, c->result);
}

static void start(struct committer *c, mono_ms now)
{
	/* Whoever waits, waits for everything; so does a retry, whose rows were merged back. */
	c->all = c->failures > 0 || pace_takes_all(&c->pace, now);
	pace_begin(&c->pace, c->all);
	enum err err = c->all ? store_freeze(c->options.store) : store_freeze_urgent(c->options.store);
	if (err == ERR_NOT_FOUND && c->all)
		answer(c, false, ERR_OK, "");
	if (err != ERR_OK)
		return;
	for (size_t i = 0; i < WAITERS; i++)
		c->waiters[i].in_flight = c->all;
	c->frozen = true;
	c->finished = false;
	c->work.data = c;
	CHECK(uv_queue_work(c->options.loop, &c->work, write_batch, on_written) == 0);
	c->queued = true;
}

void committer_note(struct committer *c, mono_ms now, bool urgent)
{
	if (!c->closed)
		pace_note(&c->pace, now, urgent);
}

mono_ms committer_due(const struct committer *c)
{
	if (c->queued || c->closed)
		return NEVER;
	return c->failures > 0 ? c->retry_due : pace_due(&c->pace);
}

void committer_run(struct committer *c, mono_ms now)
{
	if (now >= committer_due(c))
		start(c, now);
}

enum err committer_request(struct committer *c, mono_ms now, committer_wait done, void *context)
{
	for (size_t i = 0; i < WAITERS; i++) {
		if (c->waiters[i].done != NULL)
			continue;
		c->waiters[i] = (struct waiter){.done = done, .context = context};
		pace_hurry(&c->pace, now);
		c->retry_due = now;
		return ERR_OK;
	}
	return ERR_BUSY;
}

void committer_forget(struct committer *c, void *context)
{
	for (size_t i = 0; i < WAITERS; i++)
		if (c->waiters[i].context == context)
			c->waiters[i].done = NULL;
}

static void wait_for_worker(struct committer *c)
{
	if (!c->frozen)
		return;
	uv_mutex_lock(&c->mutex);
	while (!c->finished)
		uv_cond_wait(&c->written, &c->mutex);
	uv_mutex_unlock(&c->mutex);
	settle(c);
}

enum err committer_make_room(struct committer *c, mono_ms now)
{
	wait_for_worker(c);
	if (c->failures > 0)
		return ERR_LIMIT;
	/* The work request may still wait for its last callback: then this thread writes. */
	if (c->queued)
		return store_flush(c->options.store, os_clock_wall(), &c->info);
	pace_hurry(&c->pace, now);
	start(c, now);
	return ERR_OK;
}

enum err committer_flush(struct committer *c, struct err_info *info)
{
	wait_for_worker(c);
	c->closed = true;
	enum err err = store_pending(c->options.store) > 0
			   ? store_flush(c->options.store, os_clock_wall(), info)
			   : ERR_OK;
	answer(c, false, err, err == ERR_OK ? "" : "the node stops");
	return err;
}

const char *committer_error(const struct committer *c)
{
	return c->error;
}

wall_ms committer_last(const struct committer *c)
{
	return c->last;
}

mono_ms committer_last_mono(const struct committer *c)
{
	return c->last_mono;
}
