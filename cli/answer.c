#include "cli/answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/terminal.h"

#define TERMINAL_COLUMNS 80
#define TIMEOUT_MS       60000
#define WHERE_SHOWN      120 /* a longer condition is cut in what is said of it */

static const struct query_limits usual = {.timeout_ms = TIMEOUT_MS};

/* The output that the options ask for. */
static void begin_output(struct answer *a, const struct output_column *columns)
{
	struct command *c = a->command;
	const char *name = options_value(&c->options, "output");
	enum output_format format = OUTPUT_TABLE;
	int width = os_is_terminal(c->out) ? os_terminal_columns(TERMINAL_COLUMNS) : 0;
	/* The parser let only formats through. */
	CHECK(name == NULL || output_format_parse(name, &format));
	output_init(&a->output, c->out, format, width, a->now, columns);
}

/* The replica that the options name. */
static enum err open_replica(const struct command *c, wall_ms now, struct query **ret, struct err_info *info)
{
	char state[LIMIT_PATH_BYTES];
	enum err err = command_state(c, state, sizeof(state), info);
	if (err != ERR_OK)
		return err;
	return query_open(state, now, ret, info);
}

/* The engine looks at the clock between its steps, and one step over long texts may take for ever. */
static void bound(const struct query_limits *limits)
{
	os_process_end_after(limits->timeout_ms / CLOCK_SECOND_MS + 1,
			     "mesh: the question took too much processor time; narrow it (WHERE, LIMIT), or "
			     "make its texts shorter\n");
}

/* By itself first, so that a condition cannot close the parentheses it is put in and mean something else. */
static enum err check_where(const struct command *c, struct query *query, struct err_info *info)
{
	static const struct query_sink nothing = {0};
	const char *where = options_value(&c->options, "where");
	struct err_info why = {0};
	char shown[WHERE_SHOWN];
	if (where == NULL)
		return ERR_OK;
	text_escape(shown, sizeof(shown), where, strlen(where));
	bound(&usual);
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	/* The condition comes last, so that what is said of its end speaks of nothing else. */
	question_add(q, "SELECT 1 FROM (SELECT * FROM hosts LIMIT 0) AS hosts WHERE ");
	question_add(q, where);
	enum err err = q->failed ? err_set(&why, ERR_LIMIT, "longer than %d bytes", LIMIT_SQL_BYTES)
				 : query_run(query, q->sql, NULL, 0, NULL, &nothing, &why);
	free(q);
	/* Its characters are counted from the beginning of the whole question. */
	char *at = strstr(why.text, " (at character ");
	if (at != NULL)
		*at = '\0';
	if (err != ERR_OK)
		err_set(info, err, "--where \"%s\" is no condition over the table hosts: %s", shown,
			why.text);
	return err;
}

static int open_answer(struct command *c, const struct output_column *columns, bool live, struct answer *ret)
{
	struct err_info info = {0};
	*ret = (struct answer){.command = c, .now = os_clock_wall()};
	if (open_replica(c, ret->now, &ret->query, &info) != ERR_OK) {
		if (!live)
			return command_report(c, &info);
		ret->query = NULL;
		ret->missing = info;
	}
	if (ret->query != NULL && check_where(c, ret->query, &info) != ERR_OK) {
		query_close(ret->query);
		return command_report(c, &info);
	}
	begin_output(ret, columns);
	return MESH_EXIT_COMPLETE;
}

int answer_open(struct command *c, const struct output_column *columns, struct answer *ret)
{
	return open_answer(c, columns, false, ret);
}

int answer_open_live(struct command *c, const struct output_column *columns, struct answer *ret)
{
	return open_answer(c, columns, true, ret);
}

void answer_open_bare(struct command *c, const struct output_column *columns, struct answer *ret)
{
	*ret = (struct answer){.command = c, .now = os_clock_wall(), .bare = true};
	begin_output(ret, columns);
}

static void release(struct answer *a)
{
	output_release(&a->output);
	if (a->query != NULL)
		query_close(a->query);
	a->query = NULL;
}

int answer_fail(struct answer *a, const struct err_info *info)
{
	release(a);
	return command_report(a->command, info);
}

static int add_rows(struct answer *a, const char *sql, const char *const *parameters, size_t count,
		    const struct query_limits *limits)
{
	struct err_info info = {0};
	struct query_sink sink = output_sink(&a->output);
	bound(limits);
	enum err err = query_run(a->query, sql, parameters, count, limits, &sink, &info);
	return err == ERR_OK ? MESH_EXIT_COMPLETE : answer_fail(a, &info);
}

bool answer_stands(struct answer *a, enum err err, int *ret)
{
	struct err_info info = {0};
	if (err == ERR_OK)
		return true;
	/* An output that cannot be written is told once, by main. */
	if (err == ERR_IO) {
		release(a);
		*ret = MESH_EXIT_ERROR;
		return false;
	}
	err_set(&info, err, "%s", err_text(err));
	*ret = answer_fail(a, &info);
	return false;
}

int answer_finish(struct answer *a)
{
	int failed;
	return answer_stands(a, output_finish_rows(&a->output), &failed) ? MESH_EXIT_COMPLETE : failed;
}

int answer_query(struct answer *a, const char *sql, const char *const *parameters, size_t count,
		 const struct query_limits *limits)
{
	int code = add_rows(a, sql, parameters, count, limits != NULL ? limits : &usual);
	return code == MESH_EXIT_COMPLETE ? answer_finish(a) : code;
}

enum err answer_coverage(struct answer *a, const struct query_coverage **ret, struct err_info *info)
{
	enum err err = a->covered ? ERR_OK : query_coverage(a->query, &a->coverage, info);
	a->covered = err == ERR_OK;
	*ret = &a->coverage;
	return err;
}

static void put_coverage(struct answer *a, const struct query_coverage *coverage)
{
	struct output *o = &a->output;
	switch (o->format) {
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		if (a->counts != NULL)
			host_counts_text(o->f, a->counts);
		if (coverage != NULL)
			coverage_text(o->f, coverage, &a->modules, a->now);
		else if (!a->bare)
			fprintf(o->f, "Coverage: none; %s\n", a->missing.text);
		break;
	case OUTPUT_CSV:
		/* A line of another shape would break what reads the file. */
		fflush(o->f);
		if (a->counts != NULL)
			host_counts_text(a->command->err, a->counts);
		if (coverage != NULL)
			coverage_text(a->command->err, coverage, &a->modules, a->now);
		break;
	case OUTPUT_JSON:
	case OUTPUT_JSONL:
		if (o->format == OUTPUT_JSON)
			json_new_line(&o->json);
		else
			json_begin_object(&o->json, NULL);
		if (coverage != NULL)
			coverage_json(&o->json, "coverage", coverage, &a->modules, a->now);
		else
			json_null(&o->json, "coverage");
		if (a->counts != NULL && o->format == OUTPUT_JSON)
			json_new_line(&o->json);
		if (a->counts != NULL)
			host_counts_json(&o->json, a->counts);
		json_end_object(&o->json);
		fputc('\n', o->f);
		break;
	}
}

int answer_close(struct answer *a)
{
	struct command *c = a->command;
	const struct query_coverage *coverage = NULL;
	struct err_info info = {0};
	if (a->query != NULL && answer_coverage(a, &coverage, &info) != ERR_OK)
		return answer_fail(a, &info);
	if (a->remark != NULL && output_for_people(&a->output))
		fputs(a->remark, a->output.f);
	if (!a->quiet)
		put_coverage(a, coverage);
	release(a);
	if ((a->bare && !a->partial) || (coverage != NULL && coverage->complete && !a->partial) ||
	    options_has(&c->options, "allow-partial"))
		return MESH_EXIT_COMPLETE;
	return MESH_EXIT_PARTIAL;
}

int answer_add(struct answer *a, const struct question *q)
{
	struct err_info info;
	if (q->failed) {
		err_set(&info, ERR_LIMIT, "the condition of --where is longer than %d bytes",
			LIMIT_SQL_BYTES);
		return answer_fail(a, &info);
	}
	return add_rows(a, q->sql, q->parameters, q->parameter_count, &usual);
}

int answer_question(struct answer *a, const struct question *q)
{
	int code = answer_add(a, q);
	return code == MESH_EXIT_COMPLETE ? answer_finish(a) : code;
}

enum err answer_check_site(struct query *q, const char *site, struct err_info *info)
{
	struct rows found;
	char shown[4 * LIMIT_SITE_NAME_BYTES + 1];
	enum err err = rows_fetch(q, "SELECT 1 FROM sites WHERE site = ?1", &site, 1, &found, info);
	bool known = found.count > 0;
	rows_release(&found);
	if (err != ERR_OK || known)
		return err;
	text_escape(shown, sizeof(shown), site, strlen(site));
	return err_set(info, ERR_NOT_FOUND, "no site \"%s\" is known here; mesh sites lists them", shown);
}
