#include "record/state.h"

#include "crypto/authlog.h"

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

const char *host_standing_name(enum host_standing standing)
{
	switch (standing) {
	case STANDING_GOOD:
		return "good";
	case STANDING_GRACE:
		return "grace";
	case STANDING_QUARANTINED:
		return "quarantined";
	case STANDING_ENDED:
		return "ended";
	case STANDING_REVOKED:
		return "revoked";
	}
	return "unknown";
}

const char *issue_kind_name(enum issue_kind kind)
{
	switch (kind) {
#define ISSUE_NAME(symbol, value, name)                                                                      \
	case ISSUE_##symbol:                                                                                 \
		return name;
		ISSUE_TABLE(ISSUE_NAME)
#undef ISSUE_NAME
	}
	return NULL;
}

bool state_operator_may(const struct operator_state *state, uint8_t record_kind, wall_ms time)
{
	return !state->revoked && (state->roles & authlog_role_of(record_kind)) != 0 &&
	       clock_day(time) <= state->last_day;
}
