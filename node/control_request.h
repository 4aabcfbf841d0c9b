/* What a client of the control socket sends: length, then a msgpack map (node/control.h). It comes from
 * whoever may use the socket, and is hostile like anything else that is read. */
#ifndef MESH_NODE_CONTROL_REQUEST_H
#define MESH_NODE_CONTROL_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "node/control.h"

#define CONTROL_ARGUMENTS 4
/* Room for what is the longest: an entry of the authority log, or a blob, in hexadecimal. */
#define CONTROL_ARGUMENT_BYTES (2 * LIMIT_LOG_ENTRY_BYTES + 1)
#define CONTROL_FRAME_BYTES    4

struct control_request {
	char verb[32];
	char arguments[CONTROL_ARGUMENTS][CONTROL_ARGUMENT_BYTES]; /* "" beyond argument_count */
	size_t argument_count;
};

enum control_frame {
	CONTROL_FRAME_PART,      /* more of it must come */
	CONTROL_FRAME_TOO_LONG,  /* over LIMIT_CONTROL_REQUEST_BYTES: said by its length alone */
	CONTROL_FRAME_MALFORMED, /* whole, and no request */
	CONTROL_FRAME_REQUEST,
};

/* The first frame of what came. `ret` is set for a REQUEST; ret_used, the bytes of the frame, when it is
 * whole. */
enum control_frame control_frame_read(const uint8_t *data, size_t len, struct control_request *ret,
				      size_t *ret_used);

#endif
