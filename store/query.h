/* Questions: read-only SQL over a replica on disk, whether or not its daemon runs (docs/tables.md).
 * Everything the verbs show comes through here. Damaged rows are left out and counted, never served. */
#ifndef MESH_STORE_QUERY_H
#define MESH_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "record/state.h"

struct query;

/* `state` is a node's state folder (it holds replica/). ERR_NOT_FOUND (no replica: enrol, start meshd),
 * ERR_DENIED (names the group to join), ERR_VERSION, ERR_CORRUPT. `now` is what ages are counted from. */
enum err query_open(const char *state, wall_ms now, struct query **ret, struct err_info *info);
void query_close(struct query *q);
/* Before the first question: revoked hosts, which no table but hidden_hosts shows, are in all of them. Counts
 * of sites, components and coverage leave them out as ever. */
void query_reveal(struct query *q);

enum query_type { QUERY_NULL, QUERY_INTEGER, QUERY_REAL, QUERY_TEXT };

struct query_value {
	enum query_type type;
	int64_t integer;
	double real;
	const char *text; /* UTF-8, hostile: escape before a terminal sees it. Valid during the call */
	size_t text_len;
};

/* Called once with the columns (values NULL), then per row. Return false to stop. */
struct query_sink {
	bool (*columns)(void *context, const char *const *names, size_t count);
	bool (*row)(void *context, const struct query_value *values, size_t count);
	void *context;
};

struct query_limits {
	uint64_t steps;      /* 0: LIMIT_SQL_STEPS */
	uint32_t timeout_ms; /* 0: none */
};

/* One statement, read-only by authorizer and engine. Parameters are bound to ?1, ?2, … as text. ERR_SQL with
 * the engine's message and position, ERR_DENIED for anything that would write, attach or load (with the
 * reason), ERR_TIMEOUT when the step or time budget is used up. `sql` may be anything. limits may be NULL. */
enum err query_run(struct query *q, const char *sql, const char *const *parameters, size_t count,
		   const struct query_limits *limits, const struct query_sink *sink, struct err_info *info);

/* What should exist, by the inventories in force. */
struct query_inventory {
	bool known;   /* there is one; else all else is zero */
	bool partial; /* some of its rows are not here */
	uint64_t machines, never_enrolled;
};

/* What every answer states about itself. */
struct query_coverage {
	wall_ms as_of; /* last commit of the replica; 0: none yet */
	bool stale;    /* the replica is older than a minute: the daemon is stopped or stuck */
	char self[33]; /* host id in hexadecimal */
	char self_site[LIMIT_SITE_NAME_BYTES + 1];
	uint64_t hosts; /* known: certified, neither left nor replaced nor revoked */
	/* By status; add up to hosts + left + replaced. */
	uint64_t up, silent, dark, stopped, asleep, left, replaced, unknown;
	enum host_standing self_standing; /* of the host that answers; bad ones mean that it gets no news */
	bool self_unsure;                 /* its issuer is revoked, and the list of who stays is not here */
	uint64_t quarantined;             /* of the hosts: shown, without a say */
	uint64_t revoked_hidden;          /* certified, revoked, in none of the counts */
	uint64_t fresh; /* up and attested within three intervals of their site (at least 60 s), or known to
			   be down by evidence */
	uint64_t
	    never_heard; /* certified, and not a word or sign of it yet: whoever has a token makes such */
	uint64_t hosts_stale; /* neither fresh nor never heard nor quarantined */
	uint64_t incomplete;  /* heard, not quarantined, but without profile or components yet */
	struct query_inventory inventory;
	uint64_t sites, sites_silent;
	wall_ms oldest_attested; /* over hosts counted as up; 0: none */
	uint64_t damaged_rows;
	uint64_t components_left_out; /* hosts: the question met more components than it may hold */
	uint64_t issues;              /* open: rows of the table issues */
	uint64_t issues_critical, issues_warning;
	uint64_t grants_in_grace; /* issuers whose grant has ended and runs on */
	bool log_forked;          /* the authority log: no new grant counts any more */
	struct {
		char name[LIMIT_SITE_NAME_BYTES + 1];
		wall_ms since;
	} silent_sites[16]; /* the first 16 */
	bool complete;      /* exit code 0; otherwise 3 */
};
enum err query_coverage(struct query *q, struct query_coverage *ret, struct err_info *info);

/* What hosts that are counted (neither left nor replaced nor revoked) say of loadable modules. */
struct query_modules {
	uint64_t supported, unsupported, denied, failed;
	uint64_t unknown; /* has not said anything of it yet */
};
enum err query_modules(struct query *q, struct query_modules *ret, struct err_info *info);
/* From now on the tables components and files, and query_modules, count only the hosts whose ids are in the
 * first column of what `sql` answers; with NULL all again. Errors as of query_run. */
enum err query_count_only(struct query *q, const char *sql, struct err_info *info);

/* Rows of the policies in force; 0: there is none, so nothing is approved or refused. */
enum err query_policy(struct query *q, uint64_t *ret_rows, struct err_info *info);

/* What this node knew at a moment gone by (docs/store.md, the log of transitions). */
enum query_watch {
	QUERY_WATCH_OK,
	QUERY_WATCH_ALONE,   /* no other host was up: this node may itself have been cut off */
	QUERY_WATCH_OFF,     /* it did not run, or was suspended */
	QUERY_WATCH_BEFORE,  /* the log begins later */
	QUERY_WATCH_DAMAGED, /* rows of the log are lost */
	QUERY_WATCH_AFTER,   /* the replica is older */
};
const char *query_watch_name(enum query_watch watch);

struct query_point {
	enum query_watch watch; /* but for the first two nothing below is known */
	/* Hosts with a state then, by status, revoked ones left out. */
	uint64_t by_status[HOST_REPLACED + 1];
	uint64_t lost; /* they had a state, but it is lost with a damaged row */
	bool sites_known;
	uint64_t sites_silent;
	/* Since the point before; what came and went in between is in it. Not known of the first one. */
	bool changes_known;
	uint64_t went_dark, went_silent, came_up;
};

struct query_log {
	wall_ms as_of;  /* the last commit of the replica */
	wall_ms begins; /* the oldest row of the log; 0: it is empty */
	bool dropped;   /* there were older ones */
};

/* How many hosts were what at each of `times` (ascending), counted back from today's states. `site`: home of
 * the hosts today; NULL: all. With `count` 0 only what the log is. ERR_NOT_FOUND for a site that no host
 * calls home. */
enum err query_history(struct query *q, const char *site, const wall_ms *times, size_t count,
		       struct query_point *ret, struct query_log *ret_log, struct err_info *info);

/* The tables and their columns: name, SQL type, unit, meaning of NULL. For docs/tables.md and completion. */
struct query_column {
	const char *name, *type, *unit, *meaning;
};
struct query_table {
	const char *name, *meaning;
	const struct query_column *columns;
	size_t column_count;
};
/* By index from 0; NULL behind the last. */
const struct query_table *query_table_at(size_t index);

#endif
