/* Checksum of large blocks: finds accidents, keeps nobody out. */
#ifndef MESH_BASE_CHECKSUM_H
#define MESH_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* XXH3 of 64 bits with its own secret and no seed: the same on every machine, so it may be stored. Six times
 * as fast as crypto/hash.h's hash_checksum where there are kilobytes of it. */
uint64_t checksum_bytes(const void *data, size_t len);

#endif
