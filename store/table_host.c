#include "store/table_host.h"

enum { HOST_COLUMNS(TABLE_SYMBOL) };

const char *table_level_name(enum health_level level)
{
	return level == HEALTH_CRITICAL ? "critical" : level == HEALTH_WARNING ? "warning" : "ok";
}

bool table_host_column(struct table_cursor *c, int column, sqlite3_context *context)
{
	static const struct cell_source sources[] = {
	    [HOST] = {CELL_ID, GROUP_HOST, C_HOST_ID},
	    [HOST_NAME] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME},
	};
	switch (column) {
	case HOST:
	case HOST_NAME:
		return cell_from(&c->view, &sources[column], context);
	case SITE:
		cell_static(context, c->view.site->state.name);
		return true;
	default:
		return false;
	}
}
