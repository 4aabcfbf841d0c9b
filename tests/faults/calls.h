/* Calls that can fail, counted, and one of them made to fail: allocations of our own code and of SQLite, and
 * every call of LMDB's that returns an error. Linked in place of the real ones (--wrap, see meson.build). */
#ifndef MESH_TESTS_FAULTS_CALLS_H
#define MESH_TESTS_FAULTS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* Before SQLite's first use in the process. */
bool calls_begin(void);
/* From now on calls are counted from 1; the one of that number fails. 0: none. */
void calls_arm(uint64_t number);
/* Stops; returns how many were counted. */
uint64_t calls_disarm(void);
/* Name of the call that failed; NULL when it was not reached. */
const char *calls_failed(void);

/* Added to the flags of every mdb_env_open: power_cut.c has it not wait for the disk. */
extern unsigned calls_open_flags;

#endif
