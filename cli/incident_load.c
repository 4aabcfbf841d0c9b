/* The work list of an incident: hosts that match, or did and were hit, or that somebody claimed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/incident.h"

const char *incident_state_name(enum incident_state state)
{
#define INCIDENT_NAME(symbol, name, words, meaning) name,
	static const char *const names[] = {INCIDENT_STATES(INCIDENT_NAME)};
	return names[state];
}

const char *incident_state_words(enum incident_state state)
{
#define INCIDENT_WORDS(symbol, name, words, meaning) words,
	static const char *const words[] = {INCIDENT_STATES(INCIDENT_WORDS)};
	return words[state];
}

const char *incident_said_name(enum incident_said said)
{
	static const char *const names[] = {"nothing", "claimed", "blocked", "done"};
	return names[said];
}

uint64_t incident_count(const struct incident_work *w, enum incident_state state)
{
	uint64_t ret = 0;
	for (size_t i = 0; i < INCIDENT_SAID_COUNT; i++)
		ret += w->counts[state][i];
	return ret;
}

/* --- which incident --- */

static void copy_text(const struct rows *r, const char *column, char *ret, size_t cap)
{
	text_copy(ret, cap, rows_text(r, 0, column));
}

/* A term of a later version cannot be told by this one: the incident then lists nothing of itself. */
static void read_terms(const char *text, struct terms *ret)
{
	struct err_info info;
	if (text[0] != '\0' && terms_parse(text, ret, &info) != ERR_OK)
		*ret = (struct terms){.count = 1};
}

static void read_head(const struct rows *r, struct incident_head *h)
{
	*h = (struct incident_head){.opened = rows_u64(r, 0, "opened_ms"),
				    .closed = rows_u64(r, 0, "closed_ms"),
				    .open = rows_u64(r, 0, "open") != 0};
	copy_text(r, "incident", h->id, sizeof(h->id));
	h->slot = strtoull(h->id, NULL, 16);
	copy_text(r, "text", h->text, sizeof(h->text));
	copy_text(r, "opened_by", h->opened_by, sizeof(h->opened_by));
	copy_text(r, "closed_by", h->closed_by, sizeof(h->closed_by));
	copy_text(r, "closed_text", h->closed_text, sizeof(h->closed_text));
	copy_text(r, "matches", h->match_text, sizeof(h->match_text));
	copy_text(r, "good", h->good_text, sizeof(h->good_text));
	read_terms(h->match_text, &h->match);
	read_terms(h->good_text, &h->good);
}

enum err incident_find(struct query *q, const char *typed, struct incident_head *ret, struct err_info *info)
{
	const char *const parameters[] = {typed};
	struct rows rows = {0};
	char shown[64];
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	enum err err = rows_fetch(q, "SELECT * FROM incidents WHERE substr(incident, 1, length(?1)) = ?1",
				  parameters, 1, &rows, info);
	if (err == ERR_OK && (rows.count == 0 || typed[0] == '\0'))
		err = err_set(info, ERR_NOT_FOUND,
			      "no incident \"%s\" is known here; mesh incident list names them", shown);
	/* One slot may have been opened by several. */
	for (size_t i = 1; err == ERR_OK && i < rows.count; i++) {
		if (strcmp(rows_text(&rows, i, "incident"), rows_text(&rows, 0, "incident")) != 0)
			err = err_set(info, ERR_USAGE,
				      "several incidents begin with \"%s\"; give more digits", shown);
	}
	if (err == ERR_OK)
		read_head(&rows, ret);
	rows_release(&rows);
	return err;
}

/* --- hosts --- */

static char *copy_cell(struct incident_work *w, const struct query_value *v)
{
	char *ret = calloc(1, v->type == QUERY_TEXT ? v->text_len + 1 : 1);
	if (ret == NULL)
		w->failed = true;
	else if (v->type == QUERY_TEXT)
		memcpy(ret, v->text, v->text_len);
	return ret;
}

static int8_t truth(const struct query_value *v)
{
	return v->type == QUERY_INTEGER ? v->integer != 0 : -1;
}

enum { AT_HOST, AT_NAME, AT_SITE, AT_ROLE, AT_STATUS, AT_SINCE, AT_MATCH, AT_DURABLE, AT_GOOD };

static bool no_columns(void *context, const char *const *names, size_t count)
{
	(void)context, (void)names, (void)count;
	return true;
}

static bool on_host(void *context, const struct query_value *v, size_t count)
{
	struct incident_work *w = context;
	(void)count;
	if (w->host_count == w->host_cap) {
		size_t cap = w->host_cap == 0 ? 256 : 2 * w->host_cap;
		struct incident_host *hosts = realloc(w->hosts, cap * sizeof(*hosts));
		if (hosts == NULL) {
			w->failed = true;
			return false;
		}
		w->hosts = hosts;
		w->host_cap = cap;
	}
	struct incident_host *h = &w->hosts[w->host_count++];
	*h = (struct incident_host){
	    .match = truth(&v[AT_MATCH]), .durable = truth(&v[AT_DURABLE]), .good = truth(&v[AT_GOOD])};
	text_copy(h->host, sizeof(h->host), v[AT_HOST].type == QUERY_TEXT ? v[AT_HOST].text : "");
	h->name = copy_cell(w, &v[AT_NAME]);
	h->site = copy_cell(w, &v[AT_SITE]);
	h->role = copy_cell(w, &v[AT_ROLE]);
	h->status = copy_cell(w, &v[AT_STATUS]);
	h->since = v[AT_SINCE].type == QUERY_INTEGER ? (wall_ms)v[AT_SINCE].integer : 0;
	return !w->failed;
}

/* "NAME AS (hosts with components that match, and whether they do)". */
static void with_components(struct question *q, const char *name, const struct terms *t)
{
	question_add(q, name);
	question_add(q, "_e AS MATERIALIZED (SELECT entry, ");
	terms_entry_sql(t, q);
	question_add(q, " AS t FROM components), ");
	question_add(q, name);
	question_add(q, " AS MATERIALIZED (SELECT h.host AS host, CASE WHEN max(x.t AND ");
	terms_installed_sql(t, q);
	/* In this order: the hosts are gone through once. */
	question_add(q, ") THEN 1 ELSE NULL END AS t FROM host_components h CROSS JOIN ");
	question_add(q, name);
	question_add(q, "_e x ON x.entry = h.entry WHERE h.entry IN (SELECT entry FROM ");
	question_add(q, name);
	question_add(q, "_e WHERE coalesce(t, 1)) GROUP BY h.host)");
}

/* Whether all terms hold of the host: without a component that matches 0, unless one may be there that is not
 * listed, or cannot be told. */
static void judge(struct question *q, const char *name, const struct terms *t)
{
	if (terms_of_component(t)) {
		question_add(q, "(CASE WHEN ");
		question_add(q, name);
		question_add(q, ".host IS NOT NULL THEN ");
		question_add(q, name);
		question_add(q, ".t WHEN hosts.components IS NULL OR hosts.module_support IN ('denied', "
				"'failed', 'unknown') "
				"THEN NULL ELSE 0 END AND ");
		terms_host_sql(t, q);
		question_add(q, ")");
	} else {
		terms_host_sql(t, q);
	}
}

static void ask_hosts(const struct incident_head *head, const struct terms *durable, struct question *q)
{
	const struct terms *all[] = {&head->match, durable, &head->good};
	static const char *const names[] = {"m", "d", "g"};
	bool first = true;
	for (size_t i = 0; i < 3; i++) {
		if (!terms_of_component(all[i]))
			continue;
		question_add(q, first ? "WITH " : ", ");
		with_components(q, names[i], all[i]);
		first = false;
	}
	question_add(
	    q, " SELECT hosts.host, hosts.name, hosts.site, hosts.role, hosts.status, hosts.status_since_ms");
	for (size_t i = 0; i < 3; i++) {
		question_add(q, ", ");
		if (i == 2 && all[i]->count == 0)
			question_add(q, "NOT "), judge(q, "m", &head->match);
		else
			judge(q, names[i], all[i]);
	}
	question_add(q, " FROM hosts");
	for (size_t i = 0; i < 3; i++) {
		if (!terms_of_component(all[i]))
			continue;
		question_add(q, " LEFT JOIN ");
		question_add(q, names[i]);
		question_add(q, " ON ");
		question_add(q, names[i]);
		question_add(q, ".host = hosts.host");
	}
	question_add(q, " WHERE hosts.status NOT IN ('left', 'replaced') ORDER BY hosts.host");
}

static enum err load_hosts(struct query *query, struct incident_work *w, struct err_info *info)
{
	struct terms durable;
	struct query_sink sink = {no_columns, on_host, w};
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	/* The same parameter in two places is two of them. */
	terms_durable(&w->head.match, &durable);
	ask_hosts(&w->head, &durable, q);
	enum err err = q->failed
			   ? err_set(info, ERR_LIMIT, "the incident's terms are too long")
			   : query_run(query, q->sql, q->parameters, q->parameter_count, NULL, &sink, info);
	free(q);
	return err == ERR_OK && w->failed ? err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : err;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct incident_host *)a)->host, ((const struct incident_host *)b)->host);
}

/* NULL when it is not among the hosts that count. */
static struct incident_host *find_host(const struct incident_work *w, const struct query_value *v)
{
	struct incident_host key = {.host = ""};
	if (v->type != QUERY_TEXT || !text_copy(key.host, sizeof(key.host), v->text) || w->host_count == 0)
		return NULL;
	return bsearch(&key, w->hosts, w->host_count, sizeof(key), by_id);
}

/* --- who was hit --- */

static void was_hit(struct incident_host *h, wall_ms at)
{
	if (at != 0 && (h->hit == 0 || at < h->hit))
		h->hit = at;
}

static bool is_down(const char *status)
{
	return strcmp(status, "dark") == 0 || strcmp(status, "silent") == 0;
}

/* In the order of events: host, status it came into, since when. */
static bool on_transition(void *context, const struct query_value *v, size_t count)
{
	struct incident_work *w = context;
	struct incident_host *h = find_host(w, &v[0]);
	(void)count;
	wall_ms at = v[2].type == QUERY_INTEGER ? (wall_ms)v[2].integer : 0;
	if (h == NULL || v[1].type != QUERY_TEXT || at < w->from)
		return true;
	if (is_down(v[1].text)) {
		h->relapses += h->hit != 0 && h->back != 0;
		h->back = 0;
		was_hit(h, at);
	} else if (strcmp(v[1].text, "up") == 0 && h->hit != 0) {
		h->back = at;
	}
	return true;
}

static bool on_crash(void *context, const struct query_value *v, size_t count)
{
	struct incident_host *h = find_host(context, &v[0]);
	(void)count;
	if (h != NULL && v[1].type == QUERY_INTEGER)
		was_hit(h, (wall_ms)v[1].integer);
	return true;
}

static enum err load_hits(struct query *query, struct incident_work *w, struct err_info *info)
{
	char from[24], now[24];
	const char *const parameters[] = {from, now};
	struct query_sink transitions = {no_columns, on_transition, w}, crashes = {no_columns, on_crash, w};
	snprintf(from, sizeof(from), "%" PRIu64, w->from);
	snprintf(now, sizeof(now), "%" PRIu64, w->now);
	enum err err = query_run(
	    query,
	    "SELECT host, to_status, coalesce(since_ms, noted_ms) FROM transitions WHERE kind = 'host' "
	    "AND noted_ms >= CAST(?1 AS INTEGER) AND to_status IN ('up', 'dark', 'silent') AND "
	    "noted_ms <= CAST(?2 AS INTEGER) + 60000 ORDER BY seq",
	    parameters, 2, NULL, &transitions, info);
	if (err == ERR_OK)
		err = query_run(
		    query,
		    "SELECT host, min(time_ms) FROM crashes WHERE kind IN ('unclean-boot', 'oops', 'panic', "
		    "'blue-screen') AND time_ms >= CAST(?1 AS INTEGER) AND time_ms <= CAST(?2 AS INTEGER) "
		    "GROUP BY host",
		    parameters, 2, NULL, &crashes, info);
	for (size_t i = 0; err == ERR_OK && i < w->host_count; i++) {
		struct incident_host *h = &w->hosts[i];
		if (is_down(h->status) && h->since >= w->from)
			was_hit(h, h->since);
	}
	return err;
}

/* --- what it comes to --- */

static enum incident_state state_of(const struct incident_host *h)
{
	if (is_down(h->status))
		return INCIDENT_DOWN;
	if (strcmp(h->status, "up") != 0)
		return INCIDENT_OFF;
	if (h->good == 1)
		return INCIDENT_BACK;
	return h->good == 0 ? INCIDENT_BAD : INCIDENT_UNSURE;
}

static void classify(struct incident_work *w, struct incident_host *h)
{
	bool claimed = h->said != SAID_NOTHING, matched = w->head.match.count > 0 && h->match == 1;
	bool was = w->head.match.count > 0 && h->hit != 0 && (h->durable == 1 || h->match == -1);
	h->state = state_of(h);
	/* What is up and good, and was never down, is not hit. */
	h->listed = claimed || (h->state == INCIDENT_BACK ? was : matched || was);
	if (h->listed && !claimed && h->state == INCIDENT_DOWN && h->hit == 0 && h->since != 0) {
		h->listed = false;
		w->before++;
	}
	if (!h->listed)
		return;
	h->back = h->state != INCIDENT_BACK ? 0 : h->back != 0 ? h->back : h->since;
	w->listed++;
	w->counts[h->state][h->said]++;
	w->relapsed += h->relapses > 0;
}

static int in_order(const void *a, const void *b)
{
	const struct incident_host *x = a, *y = b;
	int order = (int)y->listed - (int)x->listed;
	if (order == 0)
		order = strcmp(x->site, y->site);
	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->host, y->host);
}

enum err incident_load(struct query *q, const char *typed, wall_ms now, struct incident_work *ret,
		       struct err_info *info)
{
	*ret = (struct incident_work){.now = now};
	enum err err = incident_find(q, typed, &ret->head, info);
	if (err != ERR_OK)
		return err;
	ret->from = ret->head.opened > INCIDENT_BEFORE_MS ? ret->head.opened - INCIDENT_BEFORE_MS : 0;
	err = load_hosts(q, ret, info);
	if (err == ERR_OK)
		err = load_hits(q, ret, info);
	if (err == ERR_OK)
		err = incident_load_said(q, ret, info);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < ret->host_count; i++)
		classify(ret, &ret->hosts[i]);
	if (ret->host_count > 0)
		qsort(ret->hosts, ret->host_count, sizeof(*ret->hosts), in_order);
	return ERR_OK;
}

void incident_release(struct incident_work *w)
{
	for (size_t i = 0; i < w->host_count; i++) {
		struct incident_host *h = &w->hosts[i];
		free(h->name);
		free(h->site);
		free(h->role);
		free(h->status);
		free(h->who);
		free(h->who_ids);
		free(h->blocked);
	}
	for (size_t i = 0; i < w->collision_count; i++) {
		free(w->collisions[i].about);
		free(w->collisions[i].who);
	}
	free(w->hosts);
	free(w->collisions);
	*w = (struct incident_work){.now = 0};
}
