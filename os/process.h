/* Own process: resource use and memory frugality. */
#ifndef MESH_OS_PROCESS_H
#define MESH_OS_PROCESS_H

#include <stdint.h>

#include "base/err.h"

struct os_usage {
	uint64_t rss_kib;
	uint64_t private_kib;   /* pages of this process alone, also those of files it maps (the replica) */
	uint64_t anonymous_kib; /* pages of no file: what the process costs beside the replica's map */
	uint64_t cpu_us;        /* user and system since start */
};

/* ERR_UNSUPPORTED where the system does not tell. */
enum err os_process_usage(struct os_usage *ret);
/* Ask the allocator for one arena and early return of free memory. */
void os_process_be_small(void);
/* For a process that is to hold keys, before it does: no core dump, and no tracing by others of its user. */
void os_process_hide(void);
/* Ends the process with exit code 1 and `message` on standard error once it has used `seconds` more of
 * processor time: for work that nothing else can interrupt. `message` must stay as it is. Without effect
 * where the system has no such timer. */
void os_process_end_after(unsigned seconds, const char *message);
/* Process id, for lock files and logs. */
uint64_t os_process_id(void);

#endif
