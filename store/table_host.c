#include "store/table_host.h"

enum { HOST_COLUMNS(TABLE_SYMBOL) };

bool table_host_column(struct table_cursor *c, int column, sqlite3_context *context)
{
	const struct profile *profile;
	switch (column) {
	case HOST:
		cell_id(context, &c->view->host->id);
		return true;
	case HOST_NAME:
		profile = host_profile(c->view);
		if (profile != NULL)
			cell_reading_text(context, &profile->hostname);
		return true;
	case SITE:
		cell_text(context, c->view->site->state.name);
		return true;
	default:
		return false;
	}
}
