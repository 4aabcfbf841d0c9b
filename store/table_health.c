#include <stddef.h>
#include <stdio.h>

#include "store/table_host.h"

/* X(symbol, column, unit, member, meaning): a reading and its status. */
#define READINGS(X)                                                                                          \
	X(BOOT_TIME, "boot_time_s", "s since 1970", boot_time_s, "when it booted")                           \
	X(BOOT_CLEAN, "last_boot_clean", "0 or 1", last_boot_clean, "whether the boot before ended cleanly") \
	X(STALL_CPU, "stall_cpu_percent", "percent, in tens", stall_cpu_percent,                             \
	  "tasks waited for a CPU, 5 min")                                                                   \
	X(STALL_MEMORY, "stall_memory_percent", "percent, in tens", stall_memory_percent,                    \
	  "tasks waited for memory, 5 min")                                                                  \
	X(STALL_IO, "stall_io_percent", "percent, in tens", stall_io_percent,                                \
	  "tasks waited for disks, 5 min")                                                                   \
	X(MEMORY, "memory_percent", "percent, in tens", memory_percent, "memory in use")                     \
	X(DISK, "disk_percent", "percent, in tens", disk_percent, "fullest local file system")               \
	X(OOM_KILLS, "oom_kills", "this boot", oom_kills, "processes killed for want of memory")             \
	X(OOPSES, "oopses", "this boot", oopses, "kernel oopses")                                            \
	X(WARNINGS, "warnings", "this boot", warnings, "kernel warnings")                                    \
	X(TAINT, "taint", "bit mask", taint, "the kernel's taint")

#define PAIR_COLUMNS(symbol, name, unit, member, meaning)                                                    \
	{name, "INTEGER", unit, meaning "; NULL: see " name "_status"},                                      \
	    {name "_status", "TEXT", "", "ok, or why " name " is NULL"},

enum { HOST_COLUMNS(TABLE_SYMBOL) LEVEL, REASONS, CLOCK_OFF, FIRST_READING };
static const struct query_column columns[] = {
    HOST_COLUMNS(TABLE_COLUMN){"level", "TEXT", "", "ok, warning or critical"},
    {"reasons", "TEXT", "", "for the level, comma-separated; empty: none"},
    {"clock_off", "INTEGER", "0 or 1", "its clock differs from its peers' by more than the bound"},
    READINGS(PAIR_COLUMNS)};

/* Where each reading is, in the order of the columns. */
static const size_t readings[] = {
#define READING_OFFSET(symbol, name, unit, member, meaning) offsetof(struct health, member),
    READINGS(READING_OFFSET)
#undef READING_OFFSET
};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	*ret_rows = host_health(c->view) != NULL;
	return ERR_OK;
}

static void reasons(const struct health *h, sqlite3_context *context)
{
	static const char *const names[] = {"memory", "disk",         "pressure", "oops",
					    "oom",    "unclean boot", "clock",    "taint"};
	char text[96];
	size_t len = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if ((h->reasons & 1u << i) == 0)
			continue;
		int n = snprintf(text + len, sizeof(text) - len, "%s%s", len > 0 ? "," : "", names[i]);
		len += n > 0 ? (size_t)n : 0;
	}
	cell_text(context, text);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct health *h = &c->view->health;
	if (table_host_column(c, number, context))
		return;
	switch (number) {
	case LEVEL:
		cell_text(context, h->level == HEALTH_CRITICAL  ? "critical"
				   : h->level == HEALTH_WARNING ? "warning"
								: "ok");
		return;
	case REASONS:
		reasons(h, context);
		return;
	case CLOCK_OFF:
		cell_flag(context, h->clock_off);
		return;
	default:
		break;
	}
	size_t index = (size_t)(number - FIRST_READING);
	const struct reading_u64 *r =
	    (const struct reading_u64 *)(const void *)((const uint8_t *)h + readings[index / 2]);
	if (index % 2 == 0)
		cell_reading(context, r);
	else
		cell_status(context, r->status);
}

const struct table table_health = {
    .info =
	TABLE_INFO("health", "What a host last said of its health; no row before it said anything.", columns),
    .by_host = true,
    .host_column = HOST,
    .name_column = HOST_NAME,
    .count = count,
    .column = column,
};
