#include "base/reading.h"

const char *reading_status_name(enum reading_status status)
{
	switch (status) {
	case READING_UNKNOWN:
		return "unknown";
	case READING_OK:
		return "ok";
	case READING_ABSENT:
		return "absent";
	case READING_DENIED:
		return "denied";
	case READING_UNSUPPORTED:
		return "unsupported";
	case READING_FAILED:
		return "failed";
	}
	/* A status from a newer writer is one we know nothing of. */
	return "unknown";
}
