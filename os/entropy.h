/* Seeds for jitter. Not for keys: crypto/rng.h has those. */
#ifndef MESH_OS_ENTROPY_H
#define MESH_OS_ENTROPY_H

#include <stdint.h>

/* From the system's generator; early in boot, when that would wait, from clocks and process id. */
uint64_t os_entropy_seed(void);

#endif
