/* The counter that orders this host's records, reserved in blocks in a small fsynced file before use
 * (docs/protocol.md section 5), so that a crash skips numbers but never uses one twice. */
#ifndef MESH_NODE_SEQ_H
#define MESH_NODE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* How far a node jumps that cannot tell which numbers it has used. */
#define SEQ_JUMP 1048576u

/* All below *ret_reserved may have been used. ERR_NOT_FOUND, ERR_CHECKSUM, ERR_DENIED, ERR_IO. */
enum err seq_load(const char *path, uint64_t *ret_reserved, struct err_info *info);
/* Durable when it returns ERR_OK. ERR_DISK_FULL, ERR_DENIED, ERR_IO. */
enum err seq_save(const char *path, uint64_t reserved, struct err_info *info);

/* Where to go on, given what seq_load returned, the enrolment's seq and the highest own seq of the replica
 * (0: none). Jumps when the file is lost or damaged although records were made, or is older than the replica:
 * ret_jumped says so. */
uint64_t seq_start(enum err loaded, uint64_t reserved, uint64_t certificate, uint64_t highest,
		   bool *ret_jumped);

#endif
