#include "record/state.h"

const char *host_status_name(enum host_status status)
{
	switch (status) {
	case HOST_UNKNOWN:
		return "unknown";
	case HOST_UP:
		return "up";
	case HOST_SILENT:
		return "silent";
	case HOST_DARK:
		return "dark";
	case HOST_STOPPED:
		return "stopped";
	case HOST_ASLEEP:
		return "asleep";
	case HOST_LEFT:
		return "left";
	case HOST_REPLACED:
		return "replaced";
	}
	return "unknown";
}

const char *site_status_name(enum site_status status)
{
	switch (status) {
	case SITE_UNKNOWN:
		return "unknown";
	case SITE_REPORTING:
		return "reporting";
	case SITE_SILENT:
		return "silent";
	}
	return "unknown";
}
