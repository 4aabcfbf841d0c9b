/* Where a trial works, and how it looks at damage: in children, as what a damaged file does may end one. */
#ifndef MESH_TESTS_FAULTS_PLACE_H
#define MESH_TESTS_FAULTS_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

struct pool;

struct place {
	char state[LIMIT_PATH_BYTES], replica[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
};

/* "<folder>/<name>", empty, for a state; and a pool of rows from an estate in "<folder>/<name>-pool", which
 * the caller frees, also on an error. */
enum err place_begin(const char *folder, const char *name, size_t hosts, uint64_t seed, struct place *ret,
		     struct pool *ret_pool, struct err_info *info);
/* The replica becomes these bytes, and nobody has it open. */
bool place_put(const struct place *p, const uint8_t *image, size_t len);

/* Runs `work` in a child, which returns 0 and `len` bytes, or what went wrong. Returns that, minus the signal
 * that ended it, or 1 when nothing came back. */
int place_in_child(int (*work)(void *context, void *ret), void *context, void *ret, size_t len);

/* What is done with numbers 0 to total - 1, a few hundred of them a child; it counts into an array. */
struct place_work {
	const char *name;
	uint64_t total;
	bool (*judge)(void *context, uint64_t first, uint64_t count, uint64_t *tally);
	void *context;
};
#define PLACE_TALLY_MAX 16
/* Adds up the tallies of `counters` numbers; returns how many children ended before their work did. */
uint64_t place_judge_all(const struct place_work *w, size_t counters, uint64_t *sum);

#endif
