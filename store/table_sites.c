#include "store/fates.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(SITE, "site", "TEXT", "", "name")                                                                  \
	X(ID, "id", "TEXT", "", "site id, 32 hexadecimal digits")                                            \
	X(STATUS, "status", "TEXT", "", "reporting, silent or unknown")                                      \
	X(FATE, "fate", "TEXT", "",                                                                          \
	  "of a silent site, what most likely became of it: crash, power-or-link or unknown; NULL: not "     \
	  "silent")                                                                                          \
	X(EVIDENCE, "evidence", "TEXT", "", "what that rests on; NULL: likewise")                            \
	X(SINCE, "since_ms", "INTEGER", "ms since 1970", "of the status; NULL: unknown")                     \
	X(ROLLCALL, "last_rollcall_ms", "INTEGER", "ms since 1970", "receipt; NULL: none yet")               \
	X(INTERVAL, "interval_s", "INTEGER", "s", "between roll-calls; NULL: unknown")                       \
	X(WITNESSES, "witnesses", "INTEGER", "hosts",                                                        \
	  "live ones, as the newest roll-call counts them; NULL: none yet")                                  \
	X(HOSTS, "hosts", "INTEGER", "hosts", "at home here, left and replaced ones not counted")            \
	X(UP, "up", "INTEGER", "hosts", "of them up")                                                        \
	X(DARK, "dark", "INTEGER", "hosts", "of them dark")                                                  \
	X(STOPPED, "stopped", "INTEGER", "hosts", "of them stopped or asleep")                               \
	X(SILENT_HOSTS, "silent_hosts", "INTEGER", "hosts", "of them silent")                                \
	X(UNKNOWN, "unknown", "INTEGER", "hosts", "of them without any evidence yet")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	enum err err = roster_sites(c->q);
	if (err == ERR_OK)
		*ret_rows = c->q->roster.site_count;
	return err;
}

static void count_column(const struct roster_site *site, int number, sqlite3_context *context)
{
	const uint32_t *n = site->counts.by_status;
	switch (number) {
	case HOSTS:
		cell_u64(context, n[HOST_UNKNOWN] + n[HOST_UP] + n[HOST_SILENT] + n[HOST_DARK] +
				      n[HOST_STOPPED] + n[HOST_ASLEEP]);
		break;
	case UP:
		cell_u64(context, n[HOST_UP]);
		break;
	case DARK:
		cell_u64(context, n[HOST_DARK]);
		break;
	case STOPPED:
		cell_u64(context, n[HOST_STOPPED] + n[HOST_ASLEEP]);
		break;
	case SILENT_HOSTS:
		cell_u64(context, n[HOST_SILENT]);
		break;
	default:
		cell_u64(context, n[HOST_UNKNOWN]);
	}
}

static void fate_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	char text[160];
	const struct fates *fates;
	enum err err = fates_load(c->q, &fates);
	if (err != ERR_OK) {
		(void)query_fail(c->q, err);
		return;
	}
	const struct fate *fate = fates_site(fates, (uint32_t)c->row);
	if (number == FATE)
		cell_static(context,
			    fates_name(fate != NULL ? (enum host_fate)fate->fate : HOST_FATE_UNKNOWN));
	if (number == FATE || fate == NULL)
		return;
	fates_verdict(fate, text, sizeof(text));
	cell_text(context, text);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct roster_site *site = &c->q->roster.sites[c->row];
	switch (number) {
	case SITE:
		cell_static(context, site->state.name);
		break;
	case ID:
		cell_id(context, &site->state.site);
		break;
	case STATUS:
		cell_static(context, site_status_name(site->state.status));
		break;
	case FATE:
	case EVIDENCE:
		if (site->state.status == SITE_SILENT)
			fate_column(c, number, context);
		break;
	case SINCE:
		cell_time(context, site->state.since);
		break;
	case ROLLCALL:
		cell_time(context, site->state.last_rollcall);
		break;
	case INTERVAL:
		cell_time(context, site->state.interval_s);
		break;
	case WITNESSES:
		cell_time(context, site->state.live_witnesses);
		break;
	default:
		count_column(site, number, context);
	}
}

const struct table table_sites = {
    .info = TABLE_INFO("sites", "One row a site that a host calls home.", columns),
    .count = count,
    .column = column,
};
