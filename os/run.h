/* Runs another program, for the command line alone: meshd starts none, and nothing of this is linked into it.
 */
#ifndef MESH_OS_RUN_H
#define MESH_OS_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OS_RUN_INPUT_BYTES  32768 /* longest input */
#define OS_RUN_OUTPUT_BYTES 8192  /* as much of the output is kept */

struct os_run_result {
	int code;   /* exit code; -1 unless it exited */
	int signal; /* that ended it; 0: none */
	bool timed_out;
	char output[OS_RUN_OUTPUT_BYTES]; /* standard output and standard error, as they came; any bytes */
	size_t output_len;
	bool output_cut; /* there was more */
};

/* Starts `path` (whole) without a shell and without arguments, in a process group of its own, gives it
 * `input`, and waits. After `timeout_ms` the group is killed. ERR_NOT_FOUND, ERR_DENIED where it cannot be
 * started; ERR_LIMIT for an input that is too long. */
enum err os_run(const char *path, const char *input, size_t input_len, uint64_t timeout_ms,
		struct os_run_result *ret, struct err_info *info);
/* Sleeps; sooner awake only by a signal. */
void os_run_pause(uint64_t ms);

#endif
