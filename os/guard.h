/* Runs code that touches a memory-mapped file and turns SIGBUS or SIGSEGV in it into an error: a truncated or
 * damaged map must not kill the process. What `work` held when it faulted is lost, so the caller gives up
 * the whole map afterwards. One guard at a time per thread. */
#ifndef MESH_OS_GUARD_H
#define MESH_OS_GUARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Install the handlers once per process, before the first os_guard_run. Faults outside a guarded run keep
 * their default effect. */
enum err os_guard_install(struct err_info *info);

/* Returns what `work` returns, or ERR_CORRUPT when it faulted. */
enum err os_guard_run(enum err (*work)(void *context), void *context);

/* From within `work`: leave it as if it had faulted, for foreign code whose assertion failed. Returns only
 * when this thread runs no guarded work. */
void os_guard_leave(void);

/* Maps that are read outside of guarded runs, too, in place: a page that is not there any more (SIGBUS) is
 * then read as zeros, and `faulted` is set. Whoever reads there looks at it before believing what came of it,
 * and gives the map up. Checks of what is mapped belong into guarded runs. */
#define OS_GUARD_MAPS 32 /* at once, in a process */
/* False when there are too many: then the map may not be read outside. `start` is the start of a page. */
bool os_guard_lend(const void *start, size_t bytes, atomic_bool *faulted);
/* Before it is unmapped. */
void os_guard_take_back(const void *start);

#endif
