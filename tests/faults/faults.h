/* Long trials of the replica: one function each, on folders of its own. Each prints its figures as JSON lines
 * and returns whether everything held. */
#ifndef MESH_TESTS_FAULTS_FAULTS_H
#define MESH_TESTS_FAULTS_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct faults_options {
	uint64_t count; /* images, cycles, flips */
	uint64_t seed;
	const char *mesh;   /* the program; readers only */
	const char *folder; /* scratch, exists, empty */
};

/* {"bench": "faults", "metric": ..., "value": ..., "unit": ...} */
void faults_print(const char *metric, uint64_t value, const char *unit);
/* On a terminal only. */
void faults_progress(const char *what, uint64_t done, uint64_t of);

bool faults_power_cut(const struct faults_options *o);
/* `count`: at most so many, evenly spread over all calls. */
bool faults_failing_calls(const struct faults_options *o);
bool faults_flips(const struct faults_options *o);
bool faults_kill(const struct faults_options *o);
bool faults_readers(const struct faults_options *o);

#endif
