/* Not for keys (crypto/rng.h has those): seeds for jitter. */
#ifndef MESH_OS_ENTROPY_H
#define MESH_OS_ENTROPY_H
#include <stdint.h>
uint64_t os_entropy_seed(void);
#endif
