/* Commits of the replica off the loop's thread: urgent news within a second, the rest as the disk budget
 * allows. A commit that fails (disk full) is retried and reported; the node keeps running. */
#ifndef MESH_NODE_COMMITTER_H
#define MESH_NODE_COMMITTER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "store/store.h"

struct committer;

struct committer_options {
	uv_loop_t *loop;
	struct store *store;
	const struct log *log;
	uint64_t commit_min_s;
	uint64_t disk_mb_per_day;
	/* On the loop's thread after each commit: rearm timers; ERR_CORRUPT means the replica must be
	 * opened anew. */
	void (*done)(void *context, enum err result);
	void *context;
};

enum err committer_new(const struct committer_options *options, struct committer **ret);
/* After committer_flush, and after the loop has run its last callbacks. NULL is fine. */
void committer_free(struct committer *c);

/* Rows were put. */
void committer_note(struct committer *c, mono_ms now, bool urgent);
/* When committer_run has something to do; UINT64_MAX: nothing. */
mono_ms committer_due(const struct committer *c);
void committer_run(struct committer *c, mono_ms now);

/* Calls `done` when all that was put before is durable, or could not be made so. ERR_BUSY: too many wait. */
typedef void (*committer_wait)(void *context, enum err result, const char *text);
enum err committer_request(struct committer *c, mono_ms now, committer_wait done, void *context);
void committer_forget(struct committer *c, void *context);

/* Runs `work` on a worker in a commit's stead, then `done` on the loop's thread. ERR_BUSY: one is under way.
 */
enum err committer_aside(struct committer *c, void (*work)(void *context), void (*done)(void *context),
			 void *context);

/* The filling batch is full: commit it now, waiting for a commit under way. */
enum err committer_make_room(struct committer *c, mono_ms now);
/* Wait for a commit under way, commit the rest on this thread; nothing is started afterwards. */
enum err committer_flush(struct committer *c, struct err_info *info);

/* Text of the commit that failed last, "" when the last one succeeded. */
const char *committer_error(const struct committer *c);
wall_ms committer_last(const struct committer *c);      /* 0: none yet */
mono_ms committer_last_mono(const struct committer *c); /* of the last success, or of the start */

#endif
