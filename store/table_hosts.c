#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/fates.h"
#include "store/table_host.h"

#define EVIDENCE_BYTES    640
#define CHANGE_TEXT_BYTES (2 * LIMIT_SHORT_TEXT_BYTES + 2)

#define COLUMNS(X)                                                                                           \
	X(HOST, "host", "TEXT", "", "host id, 32 hexadecimal digits")                                        \
	X(NAME, "name", "TEXT", "", "hostname; NULL: not published yet, or see name_status")                 \
	X(NAME_STATUS, "name_status", "TEXT", "", "ok, or why name is NULL")                                 \
	X(SITE, "site", "TEXT", "", "home site, from the certificate")                                       \
	X(CURRENT_SITE, "current_site", "TEXT", "", "where it is now; NULL: not said")                       \
	X(STATUS, "status", "TEXT", "", "up, silent, dark, stopped, asleep, left, replaced or unknown")      \
	X(STATUS_SINCE, "status_since_ms", "INTEGER", "ms since 1970", "NULL: unknown")                      \
	X(SEEN, "seen_ms", "INTEGER", "ms since 1970",                                                       \
	  "last sign of life, of its own or by a roll-call; NULL: none yet")                                 \
	X(AGE, "age_s", "INTEGER", "s", "since seen_ms; NULL: never seen")                                   \
	X(STANDING, "standing", "TEXT", "",                                                                  \
	  "what its certificate is worth: good, grace (its issuer's grant has ended), quarantined (beyond "  \
	  "the quota), ended (not talked to) or revoked (only shown with --revoked); NULL: not decided yet") \
	X(REPLACED_BY, "replaced_by", "TEXT", "",                                                            \
	  "id of the later host on the same hardware; NULL: not replaced")                                   \
	X(EVIDENCE, "evidence", "TEXT", "", "what the status rests on, one sentence")                        \
	X(FATE, "fate", "TEXT", "",                                                                          \
	  "up, crash, power-or-link, stopped, asleep, left, replaced or unknown: what most likely became "   \
	  "of it (docs/outage.md)")                                                                          \
	X(CHANGE_BEFORE, "change_before", "TEXT", "",                                                        \
	  "component and version that changed on it within two hours before it vanished; NULL: none is "     \
	  "known, or it did not vanish")                                                                     \
	X(CHANGE_BEFORE_MS, "change_before_ms", "INTEGER", "ms since 1970", "when; NULL: likewise")          \
	X(CHANGE_OTHERS, "change_others", "INTEGER", "hosts",                                                \
	  "more that vanished minutes after the same change; NULL: fewer than two, which says nothing")      \
	X(CHANGE_BOOT_START, "change_boot_start", "INTEGER", "0 or 1",                                       \
	  "that component starts before repair can get in; NULL: likewise")                                  \
	X(OS, "os", "TEXT", "", "operating system; NULL: see os_status")                                     \
	X(OS_STATUS, "os_status", "TEXT", "", "ok, or why os is NULL")                                       \
	X(KERNEL, "kernel", "TEXT", "", "kernel release; NULL: see kernel_status")                           \
	X(KERNEL_STATUS, "kernel_status", "TEXT", "", "ok, or why kernel is NULL")                           \
	X(ARCH, "arch", "TEXT", "", "architecture; NULL: unknown")                                           \
	X(MODEL, "model", "TEXT", "", "hardware model; NULL: see model_status")                              \
	X(MODEL_STATUS, "model_status", "TEXT", "", "ok, or why model is NULL")                              \
	X(ROLE, "role", "TEXT", "", "NULL: none given")                                                      \
	X(LOCATION, "location", "TEXT", "", "NULL: none given")                                              \
	X(BOOT_MODE, "boot_mode", "TEXT", "", "bios or uefi; NULL: see boot_mode_status")                    \
	X(BOOT_MODE_STATUS, "boot_mode_status", "TEXT", "", "ok, or why boot_mode is NULL")                  \
	X(SECURE_BOOT, "secure_boot", "INTEGER", "0 or 1", "NULL: see secure_boot_status")                   \
	X(SECURE_BOOT_STATUS, "secure_boot_status", "TEXT", "", "ok, or why secure_boot is NULL")            \
	X(VIRTUALIZATION, "virtualization", "TEXT", "", "container or hypervisor; NULL: see its status")     \
	X(VIRTUALIZATION_STATUS, "virtualization_status", "TEXT", "",                                        \
	  "ok, absent (bare metal), or why NULL")                                                            \
	X(AGENT, "agent", "TEXT", "", "version of meshd; NULL: unknown")                                     \
	X(ENROLLED, "enrolled_day", "INTEGER", "days since 1970", "")                                        \
	X(ISSUER, "issuer", "TEXT", "", "id of the issuer of its certificate")                               \
	X(HARDWARE, "hardware", "TEXT", "",                                                                  \
	  "hash of what identifies the machine, from the certificate; NULL: none stated")                    \
	X(COMPONENTS, "components", "INTEGER", "entries", "in its manifest; NULL: not published yet")        \
	X(MANIFEST, "manifest", "TEXT", "", "blob id of its manifest; NULL: not published yet")              \
	X(MODULE_SUPPORT, "module_support", "TEXT", "",                                                      \
	  "loadable modules: supported, unsupported, denied, failed or unknown")                             \
	X(LEVEL, "level", "TEXT", "", "health: ok, warning or critical; NULL: not published yet")            \
	X(BOOT_CLEAN, "last_boot_clean", "INTEGER", "0 or 1",                                                \
	  "whether the boot before ended with a clean stop; NULL: see last_boot_clean_status")               \
	X(BOOT_CLEAN_STATUS, "last_boot_clean_status", "TEXT", "", "ok, or why last_boot_clean is NULL")     \
	X(BOOT_TIME, "boot_time_s", "INTEGER", "s since 1970", "NULL: see boot_time_s_status")               \
	X(BOOT_TIME_STATUS, "boot_time_s_status", "TEXT", "", "ok, or why boot_time_s is NULL")              \
	X(UNCLEAN_BOOTS, "unclean_boots", "INTEGER", "since enrolment", "NULL: see unclean_boots_status")    \
	X(UNCLEAN_BOOTS_STATUS, "unclean_boots_status", "TEXT", "", "ok, or why unclean_boots is NULL")      \
	X(OOPSES, "oopses", "INTEGER", "since enrolment", "kernel oopses; NULL: see oopses_status")          \
	X(OOPSES_STATUS, "oopses_status", "TEXT", "", "ok, or why oopses is NULL")                           \
	X(CRASH_EVENTS, "crash_events", "INTEGER", "events",                                                 \
	  "rows it has in table crashes (at most 16); NULL: not published yet")                              \
	X(ADDRESS, "address", "TEXT", "", "first address and port it listens on; NULL: not said")            \
	X(SEQ, "seq", "INTEGER", "", "highest counter of its own records")                                   \
	X(TAGS, "tags", "TEXT", "", "comma-separated; NULL: not published yet")                              \
	X(GROUPS, "groups", "TEXT", "", "from the certificate, comma-separated; NULL: not readable")         \
	X(COMPLETE, "complete", "INTEGER", "0 or 1", "whether profile and components are there")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Columns that are those of a group, as they are. */
static const struct cell_source sources[] = {
    [HOST] = {CELL_ID, GROUP_HOST, C_HOST_ID},
    [NAME] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME},
    [NAME_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_NAME_STATUS},
    [CURRENT_SITE] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_CURRENT_SITE},
    [STATUS_SINCE] = {CELL_TIME, GROUP_STATE, C_STATE_SINCE},
    [REPLACED_BY] = {CELL_ID, GROUP_STATE, C_STATE_REPLACED_BY},
    [OS] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_OS},
    [OS_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_OS_STATUS},
    [KERNEL] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_KERNEL},
    [KERNEL_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_KERNEL_STATUS},
    [ARCH] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_ARCH},
    [MODEL] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_MODEL},
    [MODEL_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_MODEL_STATUS},
    [ROLE] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_ROLE},
    [LOCATION] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_LOCATION},
    [BOOT_MODE] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_BOOT_MODE},
    [BOOT_MODE_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_BOOT_MODE_STATUS},
    [SECURE_BOOT] = {CELL_READING, GROUP_PROFILE, C_PROFILE_SECURE_BOOT},
    [SECURE_BOOT_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_SECURE_BOOT_STATUS},
    [VIRTUALIZATION] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_VIRTUALIZATION},
    [VIRTUALIZATION_STATUS] = {CELL_STATUS, GROUP_PROFILE, C_PROFILE_VIRTUALIZATION_STATUS},
    [AGENT] = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_AGENT},
    [ENROLLED] = {CELL_NUMBER, GROUP_HOST, C_HOST_ENROLLED},
    [ISSUER] = {CELL_ID, GROUP_HOST, C_HOST_ISSUER},
    [HARDWARE] = {CELL_HEX, GROUP_HOST, C_HOST_HARDWARE},
    [BOOT_CLEAN] = {CELL_READING, GROUP_HEALTH, C_HEALTH_BOOT_CLEAN},
    [BOOT_CLEAN_STATUS] = {CELL_STATUS, GROUP_HEALTH, C_HEALTH_BOOT_CLEAN_STATUS},
    [BOOT_TIME] = {CELL_READING, GROUP_HEALTH, C_HEALTH_BOOT_TIME},
    [BOOT_TIME_STATUS] = {CELL_STATUS, GROUP_HEALTH, C_HEALTH_BOOT_TIME_STATUS},
    [UNCLEAN_BOOTS] = {CELL_READING, GROUP_CRASHES, C_CRASHES_TOTAL_1},
    [UNCLEAN_BOOTS_STATUS] = {CELL_STATUS, GROUP_CRASHES, C_CRASHES_SOURCE_1},
    [OOPSES] = {CELL_READING, GROUP_CRASHES, C_CRASHES_TOTAL_2},
    [OOPSES_STATUS] = {CELL_STATUS, GROUP_CRASHES, C_CRASHES_SOURCE_2},
    [CRASH_EVENTS] = {CELL_NUMBER, GROUP_CRASHES, C_CRASHES_EVENT_COUNT},
    [TAGS] = {CELL_EVER_TEXT, GROUP_PROFILE, C_PROFILE_TAGS},
    [GROUPS] = {CELL_EVER_TEXT, GROUP_HOST, C_HOST_GROUPS},
    [COMPLETE] = {CELL_OTHER, 0, 0},
};

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	(void)c;
	*ret_rows = 1;
	return ERR_OK;
}

static uint64_t seconds_before(wall_ms then, wall_ms now)
{
	return now > then ? (now - then) / 1000 : 0;
}

static uint64_t state_u64(struct table_cursor *c, unsigned column)
{
	struct column_row state = host_row(&c->view, GROUP_STATE);
	return state.block != NULL ? column_row_u64(state, column) : 0;
}

/* NULL for a host that is neither dark nor silent. */
static const struct fate *fate_of(struct table_cursor *c)
{
	const struct fates *fates = NULL;
	enum host_status status = (enum host_status)c->view.host->status;
	if (status != HOST_DARK && status != HOST_SILENT)
		return NULL;
	enum err err = fates_load(c->q, &fates);
	if (err != ERR_OK)
		c->view.err = err;
	return err == ERR_OK ? fates_find(fates, c->view.host->number) : NULL;
}

static struct column_row change_before(struct table_cursor *c, const struct fate *fate)
{
	struct column_row entry = {.block = NULL};
	if (fate != NULL && fate->changed != 0)
		c->view.err = catalogue_find(c->q, fate->entry, &entry);
	return entry;
}

/* Component and version. */
static bool change_text(struct table_cursor *c, const struct fate *fate, char *text, size_t size)
{
	struct column_row entry = change_before(c, fate);
	const char *name = entry.block != NULL ? column_row_text(entry, C_ENTRY_NAME) : NULL;
	if (name == NULL)
		return false;
	const char *version = column_row_u64(entry, C_ENTRY_VERSION_STATUS) == READING_OK
				  ? column_row_text(entry, C_ENTRY_VERSION)
				  : NULL;
	snprintf(text, size, "%s%s%s", name, version != NULL ? " " : "", version != NULL ? version : "");
	return true;
}

static void fate_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	char text[CHANGE_TEXT_BYTES];
	const struct fate *fate = fate_of(c);
	struct column_row entry;
	switch (number) {
	case FATE:
		cell_static(context, fates_name(fate != NULL ? (enum host_fate)fate->fate
							     : fates_of(NULL, c->view.host)));
		break;
	case CHANGE_BEFORE:
		if (change_text(c, fate, text, sizeof(text)))
			cell_text(context, text);
		break;
	case CHANGE_BEFORE_MS:
		if (fate != NULL)
			cell_time(context, fate->changed);
		break;
	case CHANGE_OTHERS:
		if (fate != NULL && fate->reason == FATE_CHANGE)
			cell_u64(context, fate->others);
		break;
	default:
		entry = change_before(c, fate);
		if (entry.block != NULL)
			cell_flag(context,
				  (column_row_u64(entry, C_ENTRY_FLAGS) & COMPONENT_BOOT_START) != 0);
	}
}

/* ", no goodbye, last boot unclean, X 1.2 changed 4 min before: likely crash, ..." */
static void add_fate(struct table_cursor *c, char *text, size_t size)
{
	char change[CHANGE_TEXT_BYTES], verdict[160];
	const struct fate *fate = fate_of(c);
	if (fate == NULL)
		return;
	struct column_row health = host_row(&c->view, GROUP_HEALTH);
	bool unclean = health.block != NULL &&
		       column_row_u64(health, C_HEALTH_BOOT_CLEAN_STATUS) == READING_OK &&
		       column_row_u64(health, C_HEALTH_BOOT_CLEAN) == 0;
	size_t len = strlen(text);
	len +=
	    (size_t)snprintf(text + len, size - len, ", no goodbye%s", unclean ? ", last boot unclean" : "");
	if (len < size && change_text(c, fate, change, sizeof(change))) {
		const char *name =
		    strrchr(change, '\\') != NULL ? strrchr(change, '\\') : strrchr(change, '/');
		uint64_t before = seconds_before(fate->changed, fate->since);
		len += (size_t)snprintf(
		    text + len, size - len, ", %s changed %llu %s before", name != NULL ? name + 1 : change,
		    (unsigned long long)(before < 120 ? before : before / 60), before < 120 ? "s" : "min");
	}
	fates_verdict(fate, verdict, sizeof(verdict));
	if (len < size)
		snprintf(text + len, size - len, ": %s", verdict);
}

static void dark_evidence(struct table_cursor *c, char *text, size_t size)
{
	unsigned votes = (unsigned)state_u64(c, C_STATE_VOTES),
		 signers = (unsigned)state_u64(c, C_STATE_SIGNERS);
	wall_ms seen = state_u64(c, C_STATE_SEEN);
	if (seen == 0)
		snprintf(text, size, "dark: %u of %u witnesses say so, no sign of life on record", votes,
			 signers);
	else
		snprintf(text, size, "dark: %u of %u witnesses say so, last sign of life %llu s before",
			 votes, signers,
			 (unsigned long long)seconds_before(seen, state_u64(c, C_STATE_SINCE)));
}

static void replaced_evidence(struct table_cursor *c, char *text, size_t size)
{
	struct column_row state = host_row(&c->view, GROUP_STATE);
	char successor[ID_HEX_BYTES] = "";
	struct id id;
	bool known =
	    state.block != NULL && column_row_id(state, C_STATE_REPLACED_BY, &id) && !id_is_zero(&id);
	if (known)
		id_hex(&id, successor);
	snprintf(text, size, "replaced: its hardware was enrolled again with a new key%s%.12s",
		 known ? ", as " : "", successor);
}

static void evidence(struct table_cursor *c, sqlite3_context *context)
{
	char text[EVIDENCE_BYTES];
	switch ((enum host_status)c->view.host->status) {
	case HOST_UP:
		snprintf(text, sizeof(text), "up: last sign of life %llu s ago",
			 (unsigned long long)seconds_before(host_attested(&c->view), c->q->now));
		break;
	case HOST_SILENT:
		snprintf(text, sizeof(text),
			 "silent: nothing is heard from its site, last sign of life %llu s before",
			 (unsigned long long)seconds_before(state_u64(c, C_STATE_SEEN),
							    state_u64(c, C_STATE_SINCE)));
		add_fate(c, text, sizeof(text));
		break;
	case HOST_DARK:
		dark_evidence(c, text, sizeof(text));
		add_fate(c, text, sizeof(text));
		break;
	case HOST_STOPPED:
		snprintf(text, sizeof(text), "stopped: it said goodbye");
		break;
	case HOST_ASLEEP:
		snprintf(text, sizeof(text), "asleep: it said that it suspends");
		break;
	case HOST_LEFT:
		snprintf(text, sizeof(text), "left: %s",
			 roster_revoked(c->view.host) ? "its key was revoked"
						      : "an operator decommissioned it");
		break;
	case HOST_REPLACED:
		replaced_evidence(c, text, sizeof(text));
		break;
	case HOST_UNKNOWN:
		snprintf(text, sizeof(text), "unknown: certified, but nothing vouches for it yet");
		break;
	}
	cell_text(context, text);
}

static void first_address(struct host_view *v, sqlite3_context *context)
{
	struct column_row profile = host_row(v, GROUP_PROFILE);
	const char *all = profile.block != NULL ? column_row_text(profile, C_PROFILE_ADDRESSES) : NULL;
	if (all != NULL)
		sqlite3_result_text(context, all, (int)strcspn(all, ","), SQLITE_STATIC);
}

static void components_column(struct host_view *v, int column, sqlite3_context *context)
{
	struct column_row row = host_row(v, GROUP_COMPONENTS), manifest;
	uint32_t number;
	struct id id;
	bool published = catalogue_manifest_of(row, &number);
	uint64_t support =
	    row.block != NULL ? column_row_u64(row, C_COMPONENTS_MODULE_SUPPORT) : READING_UNKNOWN;
	if (column == MODULE_SUPPORT)
		cell_static(context, support == READING_OK
					 ? "supported"
					 : reading_status_name((enum reading_status)support));
	else if (column == COMPONENTS && published)
		cell_u64(context, column_row_u64(row, C_COMPONENTS_ENTRY_COUNT));
	else if (column == COMPLETE)
		cell_flag(context, published && host_row(v, GROUP_PROFILE).block != NULL);
	if (column != MANIFEST || !published)
		return;
	v->err = columns_row(&v->q->columns, GROUP_MANIFEST, number, &manifest);
	if (v->err == ERR_OK && manifest.block != NULL && column_row_id(manifest, C_MANIFEST_ID, &id))
		cell_id(context, &id);
}

static void level(struct host_view *v, sqlite3_context *context)
{
	struct column_row health = host_row(v, GROUP_HEALTH);
	if (health.block != NULL)
		cell_static(context,
			    table_level_name((enum health_level)column_row_u64(health, C_HEALTH_LEVEL)));
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct roster_host *host = c->view.host;
	wall_ms attested;
	if (cell_from(&c->view, &sources[number], context))
		return;
	switch (number) {
	case SITE:
		cell_static(context, c->view.site->state.name);
		break;
	case STATUS:
		cell_static(context, host_status_name((enum host_status)host->status));
		break;
	case SEEN:
		cell_time(context, host_attested(&c->view));
		break;
	case AGE:
		attested = host_attested(&c->view);
		if (attested != 0)
			cell_u64(context, seconds_before(attested, c->q->now));
		break;
	case STANDING:
		if (host->decided || roster_revoked(host))
			cell_static(context, host_standing_name((enum host_standing)host->standing));
		break;
	case EVIDENCE:
		evidence(c, context);
		break;
	case FATE:
	case CHANGE_BEFORE:
	case CHANGE_BEFORE_MS:
	case CHANGE_OTHERS:
	case CHANGE_BOOT_START:
		fate_column(c, number, context);
		break;
	case LEVEL:
		level(&c->view, context);
		break;
	case ADDRESS:
		first_address(&c->view, context);
		break;
	case SEQ:
		cell_u64(context, host_seq(&c->view));
		break;
	default:
		components_column(&c->view, number, context);
	}
}

const struct table table_hosts = {
    .info = TABLE_INFO("hosts", "One row a host that was ever certified, dead ones included.", columns),
    .by_host = true,
    .filters = {[FILTER_HOST] = HOST + 1,
		[FILTER_NAME] = NAME + 1,
		[FILTER_SITE] = SITE + 1,
		[FILTER_STATUS] = STATUS + 1},
    .sources = sources,
    .count = count,
    .column = column,
};
