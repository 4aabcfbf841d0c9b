/* Client side of a local stream socket (Unix-domain on Linux, named pipe on Windows): whole messages with a
 * 4-byte big-endian length in front. Blocking, with a timeout. */
#ifndef MESH_OS_LOCAL_H
#define MESH_OS_LOCAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Send one request and read one reply. ret_reply is malloc'd, the caller frees it. ERR_NOT_FOUND
 * (nobody listens), ERR_BUSY (too many clients wait), ERR_DENIED, ERR_TIMEOUT, ERR_LIMIT (reply longer than
 * max_reply_bytes), ERR_IO. */
enum err os_local_call(const char *path, const void *request, size_t len, size_t max_reply_bytes,
		       unsigned timeout_ms, uint8_t **ret_reply, size_t *ret_len, struct err_info *info);

#endif
