/* Early warning: a version spreads and its adopters go down. Computed here, from this node's replica; other
 * programs are run by whoever runs this one, never by meshd. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/alerts.h"
#include "cli/shown.h"
#include "cli/steps.h"
#include "cli/suspects.h"
#include "cli/verb.h"
#include "cli/when.h"
#include "os/run.h"

#define EXEC_TIMEOUT_S     30
#define EXEC_TIMEOUT_MAX_S 3600

static const struct output_column columns[] = {
    {.name = "level", .style = OUTPUT_FIXED},
    {.name = "component"},
    {.name = "with_it", .heading = "DOWN WITH IT", .style = OUTPUT_FIXED},
    {.name = "without_it", .heading = "WITHOUT IT", .style = OUTPUT_FIXED},
    {.name = "first_down", .heading = "FIRST DOWN", .style = OUTPUT_FIXED},
    {.name = "lead", .heading = "LEAD TIME", .style = OUTPUT_FIXED},
    {.name = "adopters_up", .heading = "UP WITH IT", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "others_up", .heading = "UP WITH ANOTHER", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "relative_risk", .heading = "RISK IN MODEL", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = NULL},
};
static const char *const people_names[] = {"level", "component",   "with_it",   "without_it",   "first_down",
					   "lead",  "adopters_up", "others_up", "relative_risk"};
#define PEOPLE (sizeof(people_names) / sizeof(people_names[0]))

static struct query_value text_value(const char *text)
{
	return (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

static struct query_value number_value(uint64_t n)
{
	return (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)n};
}

static void name_side(uint64_t failed, uint64_t all, char ret[SHOWN_BYTES])
{
	snprintf(ret, SHOWN_BYTES, "%" PRIu64 "/%" PRIu64 " %u%%", failed, all,
		 suspects_percent(failed, all));
}

static bool put_for_people(const struct query_sink *sink, const struct alert *a, bool whole, wall_ms now)
{
	const struct suspect *s = &a->what;
	char name[SUSPECTS_NAME_BYTES], with[SHOWN_BYTES], without[SHOWN_BYTES], first[SHOWN_BYTES];
	char lead[ALERTS_LEAD_BYTES], risk[SHOWN_BYTES];
	suspects_name(s, whole, name);
	name_side(s->hosts.failed_with, s->hosts.with, with);
	name_side(s->hosts.failed_without, s->hosts.without, without);
	shown_time(s->spread.first_failed, now, first);
	alerts_lead(a, lead);
	snprintf(risk, sizeof(risk), "%.3g (%.3g to %.3g)", s->spread.risk.ratio, s->spread.risk.low,
		 s->spread.risk.high);
	struct query_value values[PEOPLE] = {text_value(s->verdict == SUSPECT_STRONG ? "ALARM" : "WARNING"),
					     text_value(name),
					     text_value(with),
					     text_value(without),
					     text_value(first),
					     text_value(lead),
					     number_value(s->spread.adopters_up),
					     number_value(s->spread.others_up),
					     text_value(risk)};
	return sink->row(sink->context, values, PEOPLE);
}

static enum err put_rows(struct answer *a, const struct alerts *all)
{
	struct query_sink sink = output_sink(&a->output);
	bool people = output_for_people(&a->output), whole = a->output.format == OUTPUT_WIDE;
	bool more = people ? sink.columns(sink.context, people_names, PEOPLE)
			   : sink.columns(sink.context, alerts_names, ALERTS_FIELDS);
	for (size_t i = 0; i < all->count && more; i++) {
		struct query_value values[ALERTS_FIELDS];
		if (people) {
			more = put_for_people(&sink, &all->list[i], whole, a->now);
			continue;
		}
		alerts_values(&all->list[i], values);
		more = sink.row(sink.context, values, ALERTS_FIELDS);
	}
	return output_finish_rows(&a->output);
}

static void put_summary(struct json *j, const struct alerts *all)
{
	json_begin_object(j, "summary");
	json_u64(j, "alerts", all->count);
	json_u64(j, "until_ms", all->until);
	json_u64(j, "failed", all->failed);
	json_u64(j, "survived", all->survived);
	json_u64(j, "separate_hosts", all->separate_hosts);
	json_string(j, "outcome", suspects_outcome_name(all->outcome));
	json_end_object(j);
}

static void put_end(struct output *o, const struct alerts *all, wall_ms now)
{
	struct json line = {.f = o->f};
	if (output_for_people(o)) {
		alerts_text(o->f, all, now);
	} else if (o->format == OUTPUT_JSON) {
		json_new_line(&o->json);
		put_summary(&o->json, all);
	} else if (o->format == OUTPUT_JSONL) {
		json_begin_object(&line, NULL);
		put_summary(&line, all);
		json_end_object(&line);
		fputc('\n', o->f);
	}
}

/* --- one round --- */

struct rounds {
	struct command *c;
	const char *program; /* NULL: none */
	unsigned timeout_s;
	struct alerts_told told;
};

/* Now, or the last commit where that is longer ago: what happened since nobody here knows. */
static enum err read_until(struct answer *a, wall_ms *ret, struct err_info *info)
{
	const char *until = options_value(&a->command->options, "until");
	const struct query_coverage *coverage;
	if (until != NULL)
		return when_parse(until, a->now, ret, info);
	enum err err = answer_coverage(a, &coverage, info);
	if (err == ERR_OK)
		*ret = coverage->stale && coverage->as_of < a->now ? coverage->as_of : a->now;
	return err;
}

static int show(struct answer *a, const struct alerts *all)
{
	int failed;
	enum err err = put_rows(a, all);
	if (!answer_stands(a, err, &failed))
		return failed;
	put_end(&a->output, all, a->now);
	return answer_close(a);
}

static int run_round(struct rounds *r)
{
	struct answer a;
	struct alerts all = {.count = 0};
	struct alerts_news news = {.count = 0};
	struct err_info info = {0};
	wall_ms until;
	int code = answer_open(r->c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = read_until(&a, &until, &info);
	if (err == ERR_OK)
		err = alerts_find(a.query, until, options_value(&r->c->options, "where"), &all, &info);
	if (err == ERR_OK && r->program != NULL)
		err = alerts_news(&a, &all, &r->told, &news, &info);
	code = err == ERR_OK ? show(&a, &all) : answer_fail(&a, &info);
	alerts_free(&all);
	/* The replica is closed before another program runs. */
	fflush(r->c->out);
	if (code != MESH_EXIT_ERROR && code != MESH_EXIT_USAGE &&
	    !alerts_run(r->c, r->program, r->timeout_s, &news))
		code = MESH_EXIT_ERROR;
	alerts_news_free(&news);
	return code;
}

static enum err read_rounds(const struct command *c, struct rounds *ret, uint64_t *ret_every_ms,
			    unsigned *ret_count, struct err_info *info)
{
	const char *every = options_value(&c->options, "every");
	enum err err =
	    command_number(c, "exec-timeout", 1, EXEC_TIMEOUT_MAX_S, EXEC_TIMEOUT_S, &ret->timeout_s, info);
	*ret_every_ms = 0;
	ret->program = options_value(&c->options, "exec");
	if (err == ERR_OK && every != NULL)
		err = steps_parse(every, ret_every_ms, info);
	if (err == ERR_OK)
		err = command_number(c, "rounds", 1, 1000000, 0, ret_count, info);
	if (err == ERR_OK && every == NULL && *ret_count > 0)
		err = err_set(info, ERR_USAGE, "--rounds needs --every");
	if (err == ERR_OK && every != NULL && options_has(&c->options, "until"))
		err = err_set(info, ERR_USAGE, "--until is one moment: leave out --every");
	if (err == ERR_OK && ret->program != NULL && ret->program[0] != '/')
		err = err_set(info, ERR_USAGE, "--exec takes the whole path of a program, not \"%s\"",
			      ret->program);
	return err;
}

int verb_alerts(struct command *c)
{
	struct rounds r = {.c = c};
	struct err_info info = {0};
	uint64_t every_ms;
	unsigned count;
	enum err err = read_rounds(c, &r, &every_ms, &count, &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	int code = run_round(&r);
	for (unsigned i = 1; every_ms > 0 && (count == 0 || i < count) && !ferror(c->out); i++) {
		os_run_pause(every_ms);
		/* A replica that is just being replaced comes back. */
		code = run_round(&r);
	}
	alerts_told_free(&r.told);
	return code;
}
