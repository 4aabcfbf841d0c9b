/* A value read from a host, or the reason why there is none. The five stay distinct from the collector to
 * the last column: a zero is a value, never a stand-in. */
#ifndef MESH_BASE_READING_H
#define MESH_BASE_READING_H

#include <stdint.h>

#include "base/limits.h"

enum reading_status {
	READING_UNKNOWN = 0, /* never reported */
	READING_OK = 1,
	READING_ABSENT = 2,      /* the thing is not there (no swap, no pstore entry) */
	READING_DENIED = 3,      /* may not be read by this user */
	READING_UNSUPPORTED = 4, /* this kernel or system has no such source */
	READING_FAILED = 5,      /* should have worked and did not */
};

struct reading_u64 {
	enum reading_status status;
	uint64_t value; /* only with READING_OK */
};

struct reading_text {
	enum reading_status status;
	char value[LIMIT_SHORT_TEXT_BYTES + 1]; /* only with READING_OK */
};

/* "unknown", "ok", "absent", "denied", "unsupported", "failed". */
const char *reading_status_name(enum reading_status status);

#endif
