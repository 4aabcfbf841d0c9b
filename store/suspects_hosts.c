/* Who failed, who survived, and who says nothing. A host failed when it went dark, fell silent or crashed
 * within the window, also when it is up again. Asleep, stopped, never heard, down before: not counted. */
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/text.h"
#include "store/crash_time.h"
#include "store/suspects_private.h"

static const unsigned attribute_columns[3][2] = {{C_PROFILE_MODEL_STATUS, C_PROFILE_MODEL},
						 {C_PROFILE_OS_STATUS, C_PROFILE_OS},
						 {C_PROFILE_KERNEL_STATUS, C_PROFILE_KERNEL}};

/* --- --where --- */

static bool take_wanted(void *context, const struct query_value *values, size_t count)
{
	struct suspects_engine *e = context;
	const struct roster_host *host = NULL;
	struct id id;
	if (count != 1 || values[0].type != QUERY_TEXT || !text_unhex(id.b, sizeof(id.b), values[0].text))
		return true;
	if (host_by_id(e->q, &id, true, &host) == ERR_OK && host != NULL)
		e->wanted[host->number / 8] |= (uint8_t)(1u << host->number % 8);
	return true;
}

static enum err find_wanted(struct suspects_engine *e, struct err_info *info)
{
	static const char before[] = "SELECT host FROM hosts WHERE (", after[] = "\n)";
	const struct query_sink sink = {.row = take_wanted, .context = e};
	size_t len = strlen(e->options->where);
	char *sql = malloc(sizeof(before) + len + sizeof(after));
	e->wanted = calloc((size_t)e->q->roster.end / 8 + 1, 1);
	enum err err = sql != NULL && e->wanted != NULL ? ERR_OK : ERR_NOMEM;
	if (err == ERR_OK) {
		memcpy(sql, before, sizeof(before) - 1);
		memcpy(sql + sizeof(before) - 1, e->options->where, len);
		memcpy(sql + sizeof(before) - 1 + len, after, sizeof(after));
		err = query_run(e->q, sql, NULL, 0, NULL, &sink, info);
	}
	free(sql);
	return err;
}

/* --- one host --- */

/* The first crash that may be within the window; 0: none. As late as it can have been: what it had by then,
 * it had when it crashed, and a change that came just before is not turned back. */
static enum err first_crash(struct suspects_engine *e, uint32_t number, wall_ms *ret)
{
	struct column_row row;
	size_t len = 0;
	wall_ms booted = 0;
	enum err err = columns_row(&e->q->columns, GROUP_CRASHES, number, &row);
	const uint8_t *events =
	    err == ERR_OK && row.block != NULL ? column_row_bytes(row, C_CRASHES_EVENTS, &len) : NULL;
	*ret = 0;
	if (events != NULL && len > 0)
		err = crash_booted(e->q, number, &booted);
	for (size_t at = 0; events != NULL && at + CRASH_EVENT_HEAD <= len;) {
		struct crash_time t = crash_time_at(events, len, at, booted);
		bool within = t.latest >= e->options->since && t.earliest <= e->options->until;
		if (within && crash_takes_down(t.kind) && (*ret == 0 || t.latest < *ret))
			*ret = t.latest;
		at += CRASH_EVENT_HEAD + (size_t)events[at + 9];
	}
	return err;
}

/* When a site fell silent is known to an interval of its roll-calls only. */
static bool silent_since(const struct suspects_engine *e, const struct roster_site *site, wall_ms since)
{
	return since + (wall_ms)site->state.interval_s * CLOCK_SECOND_MS >= e->options->since;
}

enum fortune { FAILED, SURVIVED, DOWN_BEFORE, AWAY };

static enum fortune fortune_of(const struct suspects_engine *e, const struct roster_host *host,
			       struct column_row state, struct suspects_host *ret)
{
	const struct suspects_options *o = e->options;
	wall_ms since = state.block != NULL ? column_row_u64(state, C_STATE_SINCE) : 0;
	bool before = since<o->since, later = since> o->until;
	ret->silent = host->status == HOST_SILENT;
	ret->last_words = true;
	ret->at = since < o->since ? o->since : since;
	switch ((enum host_status)host->status) {
	case HOST_SILENT:
		before = !silent_since(e, &e->q->roster.sites[host->site], since);
		__attribute__((fallthrough));
	case HOST_DARK:
		return before ? DOWN_BEFORE : later ? SURVIVED : FAILED;
	case HOST_UP:
		return SURVIVED;
	case HOST_STOPPED:
	case HOST_ASLEEP:
		return later ? SURVIVED : AWAY;
	case HOST_UNKNOWN:
	case HOST_LEFT:
	case HOST_REPLACED:
		break;
	}
	return AWAY;
}

static bool has_say(const struct roster_host *host)
{
	return host->standing <= STANDING_GRACE && host->status != HOST_LEFT && host->status != HOST_REPLACED;
}

static enum err add_attributes(struct suspects_engine *e, struct suspects_host *host)
{
	struct column_row row;
	enum err err = columns_row(&e->q->columns, GROUP_PROFILE, host->number, &row);
	for (size_t i = 0; i < 3; i++) {
		const unsigned *columns = attribute_columns[i];
		const char *text = NULL;
		host->attributes[i] = SUSPECTS_NONE;
		if (err == ERR_OK && row.block != NULL && column_row_u64(row, columns[0]) == READING_OK)
			text = column_row_text(row, columns[1]);
		if (text != NULL)
			err = suspects_text(&e->attributes[i], 0, text, &host->attributes[i]);
	}
	return err;
}

/* Without a list of its components a host says nothing of what it had. */
static enum err add_list(struct suspects_engine *e, struct suspects_host *host)
{
	struct column_row row;
	uint32_t manifest;
	enum err err = columns_row(&e->q->columns, GROUP_COMPONENTS, host->number, &row);
	host->manifest = SUSPECTS_NONE;
	if (err != ERR_OK || row.block == NULL)
		return err;
	if (catalogue_manifest_of(row, &manifest) && manifest < e->manifest_end &&
	    column_row_u64(row, C_COMPONENTS_MODULE_SUPPORT) == READING_OK)
		host->manifest = manifest;
	return ERR_OK;
}

static enum err take_host(struct suspects_engine *e, const struct roster_host *host)
{
	struct suspects_host *h = &e->hosts[e->host_count];
	struct column_row state;
	wall_ms crash;
	*h = (struct suspects_host){.number = host->number, .site = host->site};
	enum err err = columns_row(&e->q->columns, GROUP_STATE, host->number, &state);
	if (err == ERR_OK)
		err = first_crash(e, host->number, &crash);
	if (err != ERR_OK)
		return err;
	enum fortune fortune = fortune_of(e, host, state, h);
	if (crash != 0 && (fortune != FAILED || crash < h->at)) {
		/* It was up after that, and says what changed since. */
		e->ret->recovered += host->status != HOST_DARK && host->status != HOST_SILENT;
		fortune = FAILED;
		h->at = crash;
		h->last_words = h->silent = false;
	}
	e->ret->down_before += fortune == DOWN_BEFORE;
	e->ret->away += fortune == AWAY;
	if (fortune == DOWN_BEFORE || fortune == AWAY)
		return ERR_OK;
	h->class = fortune == FAILED ? SUSPECTS_FAILED : SUSPECTS_SURVIVED;
	err = add_attributes(e, h);
	if (err == ERR_OK)
		err = add_list(e, h);
	e->host_count++;
	return err;
}

enum err suspects_hosts(struct suspects_engine *e, struct err_info *info)
{
	struct query *q = e->q;
	enum err err = roster_load(q);
	if (err == ERR_OK)
		err = roster_sites(q);
	e->hosts = err == ERR_OK ? calloc((size_t)q->roster.end + 1, sizeof(*e->hosts)) : NULL;
	if (err == ERR_OK && e->hosts == NULL)
		err = ERR_NOMEM;
	if (err == ERR_OK && e->options->where != NULL)
		err = find_wanted(e, info);
	e->manifest_end = columns_end(&q->columns, GROUP_MANIFEST, &err);
	for (uint32_t n = 0; err == ERR_OK && n < q->roster.end; n++) {
		const struct roster_host *host = roster_at(&q->roster, n);
		bool wanted = e->wanted == NULL || catalogue_has(e->wanted, n);
		if (host != NULL && wanted && has_say(host))
			err = take_host(e, host);
	}
	return err;
}

/* --- moments --- */

static int by_time(const void *a, const void *b)
{
	wall_ms x = *(const wall_ms *)a, y = *(const wall_ms *)b;
	return (x > y) - (x < y);
}

enum err suspects_moments(struct suspects_engine *e)
{
	size_t failed = 0;
	wall_ms *times = malloc((e->host_count + 1) * sizeof(*times));
	if (times == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->host_count; i++) {
		if (e->hosts[i].class == SUSPECTS_FAILED)
			times[failed++] = e->hosts[i].at;
	}
	qsort(times, failed, sizeof(*times), by_time);
	for (size_t i = 0; i < e->host_count; i++) {
		struct suspects_host *h = &e->hosts[i];
		if (h->class != SUSPECTS_SURVIVED)
			continue;
		h->last_words = false;
		h->at = failed > 0 ? times[prng_mix(0x9e3779b97f4a7c15u + h->number) % failed]
				   : e->options->until;
	}
	free(times);
	return ERR_OK;
}
