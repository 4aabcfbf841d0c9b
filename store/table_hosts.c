#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

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

static void evidence(struct table_cursor *c, sqlite3_context *context)
{
	const struct host_state *s = &c->view->host->state;
	char text[160], successor[ID_HEX_BYTES];
	unsigned long long gap = seconds_before(s->seen, s->since);
	unsigned long long ago = seconds_before(host_attested(&c->q->roster, c->view->host), c->q->now);
	switch (s->status) {
	case HOST_UP:
		snprintf(text, sizeof(text), "up: last sign of life %llu s ago", ago);
		break;
	case HOST_SILENT:
		snprintf(text, sizeof(text),
			 "silent: nothing is heard from its site, last sign of life %llu s before", gap);
		break;
	case HOST_DARK:
		if (s->seen == 0)
			snprintf(text, sizeof(text),
				 "dark: %u of %u witnesses say so, no sign of life on record",
				 (unsigned)s->votes, (unsigned)s->signers);
		else
			snprintf(text, sizeof(text),
				 "dark: %u of %u witnesses say so, last sign of life %llu s before",
				 (unsigned)s->votes, (unsigned)s->signers, gap);
		break;
	case HOST_STOPPED:
		snprintf(text, sizeof(text), "stopped: it said goodbye");
		break;
	case HOST_ASLEEP:
		snprintf(text, sizeof(text), "asleep: it said that it suspends");
		break;
	case HOST_LEFT:
		snprintf(text, sizeof(text), "left: %s",
			 s->standing == STANDING_REVOKED ? "its key was revoked"
							 : "an operator decommissioned it");
		break;
	case HOST_REPLACED:
		id_hex(&s->replaced_by, successor);
		snprintf(
		    text, sizeof(text), "replaced: its hardware was enrolled again with a new key%s%.12s",
		    id_is_zero(&s->replaced_by) ? "" : ", as ", id_is_zero(&s->replaced_by) ? "" : successor);
		break;
	case HOST_UNKNOWN:
		snprintf(text, sizeof(text), "unknown: certified, but nothing vouches for it yet");
		break;
	}
	cell_text(context, text);
}

static void joined(sqlite3_context *context, const char *texts, size_t size, size_t texts_count)
{
	char all[LIMIT_TAGS * (LIMIT_TAG_BYTES + 1) + 1] = "";
	size_t len = 0;
	for (size_t i = 0; i < texts_count; i++) {
		int n = snprintf(all + len, sizeof(all) - len, "%s%s", i > 0 ? "," : "", texts + i * size);
		len += n > 0 ? (size_t)n : 0;
		if (len >= sizeof(all))
			break;
	}
	cell_text(context, all);
}

/* Columns of the roster: no record is read. */
static bool state_column(struct table_cursor *c, int column, sqlite3_context *context)
{
	const struct roster_host *host = c->view->host;
	wall_ms attested;
	switch (column) {
	case HOST:
		cell_id(context, &host->id);
		return true;
	case SITE:
		cell_text(context, c->view->site->state.name);
		return true;
	case STATUS:
		cell_text(context, host_status_name(host->state.status));
		return true;
	case STATUS_SINCE:
		cell_time(context, host->state.since);
		return true;
	case SEEN:
		cell_time(context, host_attested(&c->q->roster, host));
		return true;
	case AGE:
		attested = host_attested(&c->q->roster, host);
		if (attested != 0)
			cell_u64(context, seconds_before(attested, c->q->now));
		return true;
	case EVIDENCE:
		evidence(c, context);
		return true;
	case STANDING:
		if (host->decided || roster_revoked(host))
			cell_text(context, host_standing_name(host->state.standing));
		return true;
	case REPLACED_BY:
		if (!id_is_zero(&host->state.replaced_by))
			cell_id(context, &host->state.replaced_by);
		return true;
	case ENROLLED:
		cell_u64(context, host->enrolled);
		return true;
	case ISSUER:
		cell_id(context, &host->issuer);
		return true;
	case SEQ:
		cell_u64(context, host_seq(c->view));
		return true;
	default:
		return false;
	}
}

static const struct reading_text *text_of(const struct profile *p, int column)
{
	switch (column) {
	case NAME:
	case NAME_STATUS:
		return &p->hostname;
	case OS:
	case OS_STATUS:
		return &p->os;
	case KERNEL:
	case KERNEL_STATUS:
		return &p->kernel;
	case ARCH:
		return &p->arch;
	case MODEL:
	case MODEL_STATUS:
		return &p->model;
	case LOCATION:
		return &p->location;
	case BOOT_MODE:
	case BOOT_MODE_STATUS:
		return &p->boot_mode;
	case VIRTUALIZATION:
	case VIRTUALIZATION_STATUS:
		return &p->virtualization;
	default:
		return NULL;
	}
}

static bool is_status(int column)
{
	return column == NAME_STATUS || column == OS_STATUS || column == KERNEL_STATUS ||
	       column == MODEL_STATUS || column == BOOT_MODE_STATUS || column == VIRTUALIZATION_STATUS ||
	       column == SECURE_BOOT_STATUS || column == BOOT_CLEAN_STATUS || column == BOOT_TIME_STATUS ||
	       column == UNCLEAN_BOOTS_STATUS || column == OOPSES_STATUS;
}

static bool profile_column(struct host_view *v, int column, sqlite3_context *context)
{
	static const struct profile none;
	const struct reading_text *text = text_of(&none, column);
	if (text == NULL && column != CURRENT_SITE && column != ROLE && column != SECURE_BOOT &&
	    column != SECURE_BOOT_STATUS && column != AGENT && column != ADDRESS && column != TAGS)
		return false;
	const struct profile *p = host_profile(v);
	bool known = p != NULL;
	char address[64];
	if (!known)
		p = &none;
	text = text_of(p, column);
	if (text != NULL && is_status(column))
		cell_status(context, text->status);
	else if (text != NULL)
		cell_reading_text(context, text);
	else if (column == CURRENT_SITE)
		cell_known_text(context, p->site);
	else if (column == ROLE)
		cell_known_text(context, p->role);
	else if (column == AGENT)
		cell_known_text(context, p->agent);
	else if (column == SECURE_BOOT)
		cell_reading(context, &p->secure_boot);
	else if (column == SECURE_BOOT_STATUS)
		cell_status(context, p->secure_boot.status);
	else if (column == TAGS && known)
		joined(context, p->tags[0], sizeof(p->tags[0]), p->tag_count);
	else if (column == ADDRESS && p->address_count > 0) {
		address_text(&p->addresses[0], address);
		cell_text(context, address);
	}
	return true;
}

static const char *support_name(const struct components *c)
{
	if (c == NULL)
		return "unknown";
	return c->module_support == READING_OK ? "supported" : reading_status_name(c->module_support);
}

static const char *level_name(enum health_level level)
{
	return level == HEALTH_CRITICAL ? "critical" : level == HEALTH_WARNING ? "warning" : "ok";
}

static bool health_column(struct host_view *v, int column, sqlite3_context *context)
{
	static const struct health none;
	if (column != LEVEL && column != BOOT_CLEAN && column != BOOT_CLEAN_STATUS && column != BOOT_TIME &&
	    column != BOOT_TIME_STATUS)
		return false;
	const struct health *h = host_health(v);
	if (column == LEVEL) {
		if (h != NULL)
			cell_text(context, level_name(h->level));
		return true;
	}
	if (h == NULL)
		h = &none;
	bool clean = column == BOOT_CLEAN || column == BOOT_CLEAN_STATUS;
	const struct reading_u64 *r = clean ? &h->last_boot_clean : &h->boot_time_s;
	if (is_status(column))
		cell_status(context, r->status);
	else
		cell_reading(context, r);
	return true;
}

static bool crash_column(struct host_view *v, int column, sqlite3_context *context)
{
	static const struct crashes none;
	if (column != UNCLEAN_BOOTS && column != UNCLEAN_BOOTS_STATUS && column != OOPSES &&
	    column != OOPSES_STATUS && column != CRASH_EVENTS)
		return false;
	const struct crashes *c = host_crashes(v);
	if (column == CRASH_EVENTS) {
		if (c != NULL)
			cell_u64(context, c->event_count);
		return true;
	}
	if (c == NULL)
		c = &none;
	bool boots = column == UNCLEAN_BOOTS || column == UNCLEAN_BOOTS_STATUS;
	enum crash_kind kind = boots ? CRASH_UNCLEAN_BOOT : CRASH_OOPS;
	if (is_status(column))
		cell_status(context, c->sources[kind]);
	else if (c->sources[kind] == READING_OK)
		cell_u64(context, c->totals[kind]);
	return true;
}

static void components_column(struct host_view *v, int column, sqlite3_context *context)
{
	const struct components *c = host_components(v);
	bool published = c != NULL && !id_is_zero(&c->manifest);
	if (column == MODULE_SUPPORT)
		cell_text(context, support_name(c));
	else if (column == COMPONENTS && published)
		cell_u64(context, c->entry_count);
	else if (column == MANIFEST && published)
		cell_id(context, &c->manifest);
	else if (column == COMPLETE)
		cell_flag(context, published && host_profile(v) != NULL);
}

static void certificate_column(struct host_view *v, int number, sqlite3_context *context)
{
	const struct certificate *c = host_certificate(v);
	char hex[2 * HARDWARE_HASH_BYTES + 1];
	if (c == NULL)
		return;
	if (number == GROUPS) {
		joined(context, c->groups[0], sizeof(c->groups[0]), c->group_count);
	} else if (c->has_hardware) {
		text_hex(hex, c->hardware, sizeof(c->hardware));
		cell_text(context, hex);
	}
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	if (number == GROUPS || number == HARDWARE) {
		certificate_column(c->view, number, context);
		return;
	}
	if (!state_column(c, number, context) && !profile_column(c->view, number, context) &&
	    !health_column(c->view, number, context) && !crash_column(c->view, number, context))
		components_column(c->view, number, context);
}

const struct table table_hosts = {
    .info = TABLE_INFO("hosts", "One row a host that was ever certified, dead ones included.", columns),
    .by_host = true,
    .host_column = HOST,
    .name_column = NAME,
    .count = count,
    .column = column,
};
