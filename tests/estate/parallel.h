/* The same work for each of many, on several threads. */
#ifndef MESH_TESTS_ESTATE_PARALLEL_H
#define MESH_TESTS_ESTATE_PARALLEL_H

#include <stddef.h>

#include "base/err.h"

#define PARALLEL_MAX 16
/* Processors, at most PARALLEL_MAX. */
unsigned parallel_processors(void);
/* Calls `each` for 0 to count - 1, in any order, and returns the first error in the order of indices.
 * ERR_NOMEM when no thread can be made. */
enum err parallel_for(unsigned threads, size_t count, enum err (*each)(void *context, size_t index),
		      void *context);

#endif
