#include <stdio.h>

#include "store/table_host.h"

/* X(symbol, column, unit, group column, meaning): a reading and its status. */
#define READINGS(X)                                                                                          \
	X(BOOT_TIME, "boot_time_s", "s since 1970", BOOT_TIME, "when it booted")                             \
	X(BOOT_CLEAN, "last_boot_clean", "0 or 1", BOOT_CLEAN, "whether the boot before ended cleanly")      \
	X(STALL_CPU, "stall_cpu_percent", "percent, in tens", STALL_CPU, "tasks waited for a CPU, 5 min")    \
	X(STALL_MEMORY, "stall_memory_percent", "percent, in tens", STALL_MEMORY,                            \
	  "tasks waited for memory, 5 min")                                                                  \
	X(STALL_IO, "stall_io_percent", "percent, in tens", STALL_IO, "tasks waited for disks, 5 min")       \
	X(MEMORY, "memory_percent", "percent, in tens", MEMORY, "memory in use")                             \
	X(DISK, "disk_percent", "percent, in tens", DISK, "fullest local file system")                       \
	X(OOM_KILLS, "oom_kills", "this boot", OOM_KILLS, "processes killed for want of memory")             \
	X(OOPSES, "oopses", "this boot", OOPSES, "kernel oopses")                                            \
	X(WARNINGS, "warnings", "this boot", WARNINGS, "kernel warnings")                                    \
	X(TAINT, "taint", "bit mask", TAINT, "the kernel's taint")

#define PAIR_COLUMNS(symbol, name, unit, column, meaning)                                                    \
	{name, "INTEGER", unit, meaning "; NULL: see " name "_status"},                                      \
	    {name "_status", "TEXT", "", "ok, or why " name " is NULL"},

enum { HOST_COLUMNS(TABLE_SYMBOL) LEVEL, REASONS, CLOCK_OFF, FIRST_READING };
static const struct query_column columns[] = {
    HOST_COLUMNS(TABLE_COLUMN){"level", "TEXT", "", "ok, warning or critical"},
    {"reasons", "TEXT", "", "for the level, comma-separated; empty: none"},
    {"clock_off", "INTEGER", "0 or 1", "its clock differs from its peers' by more than the bound"},
    READINGS(PAIR_COLUMNS)};

/* Where each reading is, in the order of the columns; its status stands before it. */
static const uint8_t readings[] = {
#define READING_COLUMN(symbol, name, unit, column, meaning) C_HEALTH_##column,
    READINGS(READING_COLUMN)
#undef READING_COLUMN
};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	*ret_rows = host_row(&c->view, GROUP_HEALTH).block != NULL;
	return ERR_OK;
}

static void reasons(uint64_t set, sqlite3_context *context)
{
	static const char *const names[] = {"memory", "disk",         "pressure", "oops",
					    "oom",    "unclean boot", "clock",    "taint"};
	char text[96];
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if ((set & 1u << i) == 0)
			continue;
		int n = snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? "," : "", names[i]);
		len += n > 0 ? (size_t)n : 0;
	}
	cell_text(context, text);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	struct column_row h = host_row(&c->view, GROUP_HEALTH);
	if (table_host_column(c, number, context))
		return;
	switch (number) {
	case LEVEL:
		cell_static(context, table_level_name((enum health_level)column_row_u64(h, C_HEALTH_LEVEL)));
		return;
	case REASONS:
		reasons(column_row_u64(h, C_HEALTH_REASONS), context);
		return;
	case CLOCK_OFF:
		cell_flag(context, column_row_u64(h, C_HEALTH_CLOCK_OFF) != 0);
		return;
	default:
		break;
	}
	size_t index = (size_t)(number - FIRST_READING);
	bool status = index % 2 == 1;
	const struct cell_source source = {status ? CELL_STATUS : CELL_READING, GROUP_HEALTH,
					   (uint8_t)(readings[index / 2] - status)};
	(void)cell_from(&c->view, &source, context);
}

const struct table table_health = {
    .info =
	TABLE_INFO("health", "What a host last said of its health; no row before it said anything.", columns),
    .by_host = true,
    .filters = {[FILTER_HOST] = HOST + 1, [FILTER_NAME] = HOST_NAME + 1, [FILTER_SITE] = SITE + 1},
    .count = count,
    .column = column,
};
