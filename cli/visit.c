/* Happy path: the hosts of the site that are down, what the inventory says of them and of the site; then as
 * rows for scripts, as text, or as a page for a browser and a printer. */
#include "cli/visit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/impact_target.h"
#include "cli/shown.h"
#include "cli/verb.h"

const char *const visit_boxes[] = {"found", "mended", "up again", NULL};

static const struct output_column columns[] = {{.name = NULL}};
static const char *const names[] = {"host",        "name",      "role",
				    "model",       "location",  "os",
				    "address",     "fate",      "status_since_ms",
				    "criticality", "asset_ids", "recovery_key",
				    "remark",      "todo"};
#define COLUMNS (sizeof(names) / sizeof(names[0]))

/* --- asking --- */

static enum err fetch(struct answer *a, struct question *q, struct rows *ret, struct err_info *info)
{
	if (q->failed)
		return err_set(info, ERR_LIMIT, "the condition of --where is longer than %d bytes",
			       LIMIT_SQL_BYTES);
	return rows_fetch(a->query, q->sql, q->parameters, q->parameter_count, ret, info);
}

/* What is down first, of that what a person has to mend; in roles together. */
static void ask_hosts(const struct visit *v, const struct impact_target *target, const struct command *c,
		      struct question *q)
{
	question_add(q,
		     "SELECT host, name, role, model, location, os, address, status, status_since_ms, fate, "
		     "change_before, change_others, change_boot_start, ");
	if (target != NULL) {
		question_add(q, "host IN (SELECT host FROM host_components WHERE ");
		impact_target_name(target, q);
		question_bind(q, " AND site = ", v->site, ")");
	} else {
		question_add(q, "NULL");
	}
	question_bind(q, " AS has FROM hosts WHERE hosts.site = ", v->site, " AND hosts.status IN ");
	question_add(q, target != NULL ? "('dark', 'silent', 'stopped', 'asleep')" : "('dark', 'silent')");
	if (target != NULL)
		question_add(q, " AND (has OR hosts.status IN ('dark', 'silent'))");
	if (options_has(&c->options, "where")) {
		question_add(q, " AND (");
		question_add(q, options_value(&c->options, "where"));
		question_add(q, "\n)");
	}
	question_add(q, " ORDER BY CASE fate WHEN 'crash' THEN 0 WHEN 'unknown' THEN 1 WHEN 'power-or-link' "
			"THEN 2 ELSE 3 END, role, name, host");
}

static enum err ask(struct answer *a, struct visit *v, struct err_info *info)
{
	struct impact_target *target = calloc(1, sizeof(*target));
	struct question *q = calloc(1, sizeof(*q));
	enum err err = target != NULL && q != NULL ? ERR_OK : err_set(info, ERR_NOMEM, "out of memory");
	if (err == ERR_OK && v->component != NULL)
		err = impact_target_named(v->component, target, info);
	if (err == ERR_OK)
		err = answer_check_site(a->query, v->site, info);
	if (err == ERR_OK) {
		ask_hosts(v, v->component != NULL ? target : NULL, a->command, q);
		err = fetch(a, q, &v->hosts, info);
	}
	if (err == ERR_OK) {
		*q = (struct question){.len = 0};
		question_bind(
		    q,
		    "SELECT host, name, asset_ids, role, criticality, recovery_key, remark, enrolled "
		    "FROM inventory WHERE about = 'machine' AND site = ",
		    v->site, " ORDER BY name, asset_ids");
		err = fetch(a, q, &v->machines, info);
	}
	if (err == ERR_OK) {
		*q = (struct question){.len = 0};
		question_bind(q,
			      "SELECT role, criticality, address, opening_hours, contact, recovery_key, "
			      "needed, remark FROM inventory WHERE about = 'site' AND site = ",
			      v->site, "");
		err = fetch(a, q, &v->about, info);
	}
	if (err == ERR_OK)
		err = rows_fetch(a->query, "SELECT hosts, up FROM sites WHERE site = ?1", &v->site, 1,
				 &v->counts, info);
	free(q);
	free(target);
	return err;
}

/* --- one host --- */

static void put(char *ret, size_t cap, const char *text)
{
	if (text[0] == '\0')
		text_copy(ret, cap, "-");
	else
		text_escape(ret, cap, text, strlen(text));
}
#define PUT(field, rows, row, column) put(field, sizeof(field), rows_text(rows, row, column))

/* Row of the inventory that is the host; SIZE_MAX: none. */
static size_t machine_of(const struct visit *v, const char *host)
{
	for (size_t i = 0; i < v->machines.count; i++) {
		if (strcmp(rows_text(&v->machines, i, "host"), host) == 0)
			return i;
	}
	return SIZE_MAX;
}

static void name_todo(const struct visit *v, size_t row, char ret[VISIT_TODO_BYTES])
{
	const struct rows *r = &v->hosts;
	const char *fate = rows_text(r, row, "fate"), *change = rows_text(r, row, "change_before");
	const char *raw = v->component != NULL ? v->component : change;
	char what[300];
	bool boot = rows_u64(r, row, "change_boot_start") != 0;
	bool without = v->component != NULL && rows_u64(r, row, "has") == 0;
	put(what, sizeof(what), raw);
	if (strcmp(fate, "power-or-link") == 0)
		snprintf(ret, VISIT_TODO_BYTES,
			 "Check power, switch and line of the site first; it comes back by itself.");
	else if (strcmp(fate, "stopped") == 0 || strcmp(fate, "asleep") == 0)
		snprintf(ret, VISIT_TODO_BYTES,
			 "DO NOT SWITCH IT ON as it is: it has %s. Mend it like the others, or leave it off.",
			 what);
	else if (strcmp(fate, "crash") != 0 || without)
		snprintf(ret, VISIT_TODO_BYTES,
			 "Look at power, cable and screen, and write down what it shows%s%s.",
			 without ? "; its last words do not list " : "", without ? what : "");
	else if (v->component == NULL && raw[0] != '\0' && rows_u64(r, row, "change_others") == 0)
		snprintf(
		    ret, VISIT_TODO_BYTES,
		    "Start it in safe mode or from a recovery medium; mend what the incident names; start "
		    "it again. (%s changed before it crashed; that alone proves nothing.)",
		    what);
	else if (raw[0] == '\0')
		snprintf(ret, VISIT_TODO_BYTES,
			 "Start it in safe mode or from a recovery medium; mend what the incident names; "
			 "start it again.");
	else
		snprintf(
		    ret, VISIT_TODO_BYTES,
		    "Start it in safe mode or from a recovery medium%s; remove or replace %s%s; start it "
		    "again.",
		    boot ? " (it loads before repair can get in otherwise)" : "", what,
		    v->component == NULL ? ", as others crashed after that change, too" : "");
}

void visit_host(const struct visit *v, size_t row, wall_ms now, struct visit_host *ret)
{
	const struct rows *r = &v->hosts;
	const char *host = rows_text(r, row, "host");
	size_t machine = machine_of(v, host);
	wall_ms since = rows_u64(r, row, "status_since_ms");
	PUT(ret->name, r, row, "name");
	if (strcmp(ret->name, "-") == 0)
		snprintf(ret->name, sizeof(ret->name), "%.8s", host);
	PUT(ret->role, r, row, "role");
	PUT(ret->model, r, row, "model");
	PUT(ret->location, r, row, "location");
	PUT(ret->os, r, row, "os");
	PUT(ret->address, r, row, "address");
	ret->fate = rows_text(r, row, "fate");
	ret->criticality = "-";
	text_copy(ret->since, sizeof(ret->since), "-");
	if (since != 0)
		shown_time(since, now, ret->since);
	put(ret->assets, sizeof(ret->assets), "");
	put(ret->remark, sizeof(ret->remark), "");
	visit_about(v, "recovery_key", ret->recovery, sizeof(ret->recovery));
	if (machine != SIZE_MAX) {
		ret->criticality = rows_text(&v->machines, machine, "criticality");
		PUT(ret->assets, &v->machines, machine, "asset_ids");
		PUT(ret->recovery, &v->machines, machine, "recovery_key");
		PUT(ret->remark, &v->machines, machine, "remark");
	}
	name_todo(v, row, ret->todo);
}

void visit_about(const struct visit *v, const char *column, char *ret, size_t cap)
{
	put(ret, cap, "");
	for (size_t i = v->about.count; i-- > 0;) {
		const char *text = rows_text(&v->about, i, column);
		if (text[0] != '\0')
			put(ret, cap, text);
	}
}

bool visit_next_unenrolled(const struct visit *v, size_t *at, size_t *ret)
{
	while (*at < v->machines.count) {
		size_t i = (*at)++;
		const struct query_value *enrolled = rows_find(&v->machines, i, "enrolled");
		if (enrolled->type == QUERY_INTEGER && enrolled->integer == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* --- rows for scripts: as they came, unescaped --- */

static struct query_value text_or_null(const char *s)
{
	return s[0] != '\0' && strcmp(s, "-") != 0
		   ? (struct query_value){.type = QUERY_TEXT, .text = s, .text_len = strlen(s)}
		   : (struct query_value){.type = QUERY_NULL};
}

static enum err put_rows(const struct visit *v, struct answer *a)
{
	struct query_sink sink = output_sink(&a->output);
	struct visit_host *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return ERR_NOMEM;
	bool more = sink.columns(sink.context, names, COLUMNS);
	for (size_t row = 0; row < v->hosts.count && more; row++) {
		const struct rows *r = &v->hosts, *m = &v->machines;
		size_t machine = machine_of(v, rows_text(r, row, "host"));
		bool listed = machine != SIZE_MAX;
		visit_host(v, row, a->now, h);
		struct query_value values[COLUMNS];
		for (size_t i = 0; i < COLUMNS; i++) {
			const struct query_value *cell = rows_find(r, row, names[i]);
			if (cell == NULL && listed)
				cell = rows_find(m, machine, names[i]);
			values[i] = cell != NULL ? *cell : (struct query_value){.type = QUERY_NULL};
		}
		if (!listed)
			values[11] = text_or_null(h->recovery);
		values[COLUMNS - 1] = text_or_null(h->todo);
		more = sink.row(sink.context, values, COLUMNS);
	}
	free(h);
	return output_finish_rows(&a->output);
}

/* --- the verb --- */

static int show(const struct visit *v, struct answer *a)
{
	const struct query_coverage *coverage;
	struct err_info info = {0};
	enum err err = ERR_OK;
	bool html = options_has(&a->command->options, "html");
	if (html) {
		/* The page has the coverage inside it. */
		err = answer_coverage(a, &coverage, &info);
		if (err == ERR_OK)
			visit_html(v, a, coverage);
		a->quiet = true;
	} else if (output_for_people(&a->output)) {
		visit_text(v, a);
	} else {
		err = put_rows(v, a);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err == ERR_IO) { /* told once, by main */
		(void)answer_close(a);
		return MESH_EXIT_ERROR;
	}
	return err == ERR_OK ? answer_close(a) : answer_fail(a, &info);
}

int verb_visit(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct visit v = {.site = c->options.operands[0],
			  .component = options_value(&c->options, "component")};
	if (options_has(&c->options, "html") && options_has(&c->options, "output"))
		return command_fail(c, MESH_EXIT_USAGE, "--html and -o exclude each other");
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	code = ask(&a, &v, &info) == ERR_OK ? show(&v, &a) : answer_fail(&a, &info);
	rows_release(&v.hosts);
	rows_release(&v.machines);
	rows_release(&v.about);
	rows_release(&v.counts);
	return code;
}
