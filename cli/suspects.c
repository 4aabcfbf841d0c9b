/* What the hosts that went down have in common. The rows come from store/suspects.h; here they become a
 * table with a sentence for each line that matters, or fields for scripts. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/suspects.h"
#include "cli/verb.h"
#include "cli/when.h"

#define SINCE_DEFAULT "24h"
#define LN_10         2.302585092994046

/* For people the figures of a side stand together. */
static const struct output_column columns[] = {
    {.name = "line", .heading = "#", .style = OUTPUT_FIXED},
    {.name = "candidate"},
    {.name = "with_it", .heading = "FAILED WITH IT", .style = OUTPUT_FIXED},
    {.name = "without_it", .heading = "WITHOUT IT", .style = OUTPUT_FIXED},
    {.name = "verdict", .style = OUTPUT_FIXED},
    {.name = "relative_risk", .heading = "RELATIVE RISK", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = "p", .heading = "P", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = "p_corrected", .heading = "CORRECTED P", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = NULL},
};
static const char *const people_names[] = {"line",    "candidate",     "with_it", "without_it",
					   "verdict", "relative_risk", "p",       "p_corrected"};
static const char *const script_names[] = {"line",
					   "of",
					   "verdict",
					   "kind",
					   "component_kind",
					   "name",
					   "version",
					   "source",
					   "failed_with",
					   "with",
					   "failed_without",
					   "without",
					   "relative_risk",
					   "risk_low",
					   "risk_high",
					   "log10_p",
					   "log10_p_corrected",
					   "changed",
					   "changed_failed",
					   "changed_failed_soon",
					   "unchanged",
					   "unchanged_failed",
					   "failed_unreported"};
#define PEOPLE (sizeof(people_names) / sizeof(people_names[0]))
#define SCRIPT (sizeof(script_names) / sizeof(script_names[0]))

static struct query_value text_value(const char *text)
{
	if (text == NULL)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

static struct query_value number_value(uint64_t n)
{
	return (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)n};
}

static struct query_value real_value(double v, bool known)
{
	if (!known)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_REAL, .real = v};
}

/* --- rows for people --- */

static void name_side(uint64_t failed, uint64_t all, char ret[SHOWN_BYTES])
{
	if (all == 0)
		snprintf(ret, SHOWN_BYTES, "-");
	else
		snprintf(ret, SHOWN_BYTES, "%" PRIu64 "/%" PRIu64 " %u%%", failed, all,
			 suspects_percent(failed, all));
}

/* A probability from its logarithm, however small. */
static void name_p(double ln, char ret[SHOWN_BYTES])
{
	double log10 = ln / LN_10, whole = floor(log10);
	if (ln > -4.6)
		snprintf(ret, SHOWN_BYTES, "%.2f", exp(ln));
	else
		snprintf(ret, SHOWN_BYTES, "%.1fe%.0f", pow(10, log10 - whole), whole);
}

/* Whether there is another component that cannot be told from this line's. */
static bool has_company(const struct suspects *all, unsigned line)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->rows[i].verdict == SUSPECT_TOGETHER && all->rows[i].of == line)
			return true;
	}
	return false;
}

static void name_verdict(const struct suspects *all, const struct suspect *s, char ret[SHOWN_BYTES])
{
	const char *which = has_company(all, s->line) ? ", not sure which" : "";
	switch (s->verdict) {
	case SUSPECT_STRONG:
		snprintf(ret, SHOWN_BYTES, "STRONG%s", which);
		break;
	case SUSPECT_LIKELY:
		snprintf(ret, SHOWN_BYTES, "LIKELY%s", which);
		break;
	case SUSPECT_PART:
		snprintf(ret, SHOWN_BYTES, "some died unreported");
		break;
	case SUSPECT_TOGETHER:
		snprintf(ret, SHOWN_BYTES, "CANNOT TELL from %u", s->of);
		break;
	case SUSPECT_SEPARATE:
		snprintf(ret, SHOWN_BYTES, "SEPARATE: all at once");
		break;
	case SUSPECT_ONLY_WITH:
		snprintf(ret, SHOWN_BYTES, "only with %u", s->of);
		break;
	case SUSPECT_EXPLAINED:
		snprintf(ret, SHOWN_BYTES, "explained by %u", s->of);
		break;
	case SUSPECT_MAYBE:
		snprintf(ret, SHOWN_BYTES, "may be chance");
		break;
	case SUSPECT_EVERYWHERE:
		snprintf(ret, SHOWN_BYTES, "CANNOT TELL: all have it");
		break;
	case SUSPECT_NO_DIFFERENCE:
	case SUSPECT_VERDICTS:
		snprintf(ret, SHOWN_BYTES, "no difference");
		break;
	}
}

static bool put_for_people(const struct query_sink *sink, const struct suspects *all, const struct suspect *s,
			   bool whole)
{
	char line[12] = "", name[SUSPECTS_NAME_BYTES], candidate[SUSPECTS_NAME_BYTES + 2], with[SHOWN_BYTES];
	char without[SHOWN_BYTES], verdict[SHOWN_BYTES], risk[SHOWN_BYTES] = "-", p[SHOWN_BYTES];
	char corrected[SHOWN_BYTES];
	if (s->line != 0)
		snprintf(line, sizeof(line), "%u", s->line);
	suspects_name(s, whole, name);
	snprintf(candidate, sizeof(candidate), "%s%s", s->line == 0 ? "  " : "", name);
	name_side(s->hosts.failed_with, s->hosts.with, with);
	name_side(s->hosts.failed_without, s->hosts.without, without);
	name_verdict(all, s, verdict);
	if (s->compared)
		snprintf(risk, sizeof(risk), "%.3g (%.3g to %.3g)", s->risk.ratio, s->risk.low, s->risk.high);
	name_p(s->ln_p, p);
	name_p(s->ln_corrected, corrected);
	struct query_value values[PEOPLE] = {text_value(line),    text_value(candidate), text_value(with),
					     text_value(without), text_value(verdict),   text_value(risk),
					     text_value(p),       text_value(corrected)};
	return sink->row(sink->context, values, PEOPLE);
}

/* --- rows for scripts --- */

static bool put_for_scripts(const struct query_sink *sink, const struct suspect *s)
{
	bool timed = s->line != 0 && s->changed + s->unchanged > 0;
	struct query_value none = {.type = QUERY_NULL};
	struct query_value values[SCRIPT] = {
	    s->line != 0 ? number_value(s->line) : none,
	    s->of != 0 ? number_value(s->of) : none,
	    text_value(suspects_verdict_name(s->verdict)),
	    text_value(suspects_kind_name(s->kind)),
	    text_value(s->component_kind),
	    text_value(s->name),
	    text_value(s->version),
	    text_value(s->source),
	    number_value(s->hosts.failed_with),
	    number_value(s->hosts.with),
	    number_value(s->hosts.failed_without),
	    number_value(s->hosts.without),
	    real_value(s->risk.ratio, s->compared),
	    real_value(s->risk.low, s->compared),
	    real_value(s->risk.high, s->compared),
	    real_value(s->ln_p / LN_10, true),
	    real_value(s->ln_corrected / LN_10, true),
	    timed ? number_value(s->changed) : none,
	    timed ? number_value(s->changed_failed) : none,
	    timed ? number_value(s->changed_soon) : none,
	    timed ? number_value(s->unchanged) : none,
	    timed ? number_value(s->unchanged_failed) : none,
	    timed ? number_value(s->unreported) : none,
	};
	return sink->row(sink->context, values, SCRIPT);
}

static enum err put_rows(struct answer *a, const struct suspects *all)
{
	struct query_sink sink = output_sink(&a->output);
	bool people = output_for_people(&a->output), whole = a->output.format == OUTPUT_WIDE;
	bool more = people ? sink.columns(sink.context, people_names, PEOPLE)
			   : sink.columns(sink.context, script_names, SCRIPT);
	for (size_t i = 0; i < all->count && more; i++)
		more = people ? put_for_people(&sink, all, &all->rows[i], whole)
			      : put_for_scripts(&sink, &all->rows[i]);
	return output_finish_rows(&a->output);
}

/* --- what is said of all of it --- */

static void put_summary(struct json *j, const struct suspects *all)
{
	json_begin_object(j, "summary");
	json_string(j, "outcome", suspects_outcome_name(all->outcome));
	json_u64(j, "since_ms", all->since);
	json_u64(j, "until_ms", all->until);
	json_u64(j, "failed", all->failed);
	json_u64(j, "failed_up_again", all->recovered);
	json_u64(j, "survived", all->survived);
	json_u64(j, "separate_hosts", all->separate_hosts);
	json_u64(j, "separate_sites", all->separate_sites);
	json_u64(j, "down_before", all->down_before);
	json_u64(j, "away", all->away);
	json_u64(j, "without_list", all->unlisted);
	json_u64(j, "tried", all->tried);
	json_u64(j, "everywhere", all->everywhere);
	json_end_object(j);
}

/* Behind the rows; in csv there is no place for it. */
static void put_end(struct output *o, const struct suspects *all)
{
	struct json line = {.f = o->f};
	switch (o->format) {
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		suspects_foot(o->f, all);
		break;
	case OUTPUT_JSON:
		json_new_line(&o->json);
		put_summary(&o->json, all);
		break;
	case OUTPUT_JSONL:
		json_begin_object(&line, NULL);
		put_summary(&line, all);
		json_end_object(&line);
		fputc('\n', o->f);
		break;
	case OUTPUT_CSV:
		break;
	}
}

/* --- the verb --- */

static enum err read_window(const struct command *c, wall_ms now, struct suspects_options *ret,
			    struct err_info *info)
{
	const char *since = options_value(&c->options, "since"), *until = options_value(&c->options, "until");
	ret->until = now;
	enum err err = when_parse(since != NULL ? since : SINCE_DEFAULT, now, &ret->since, info);
	if (err == ERR_OK && until != NULL)
		err = when_parse(until, now, &ret->until, info);
	if (err == ERR_OK && ret->until <= ret->since)
		err = err_set(info, ERR_USAGE, "--until is not after --since%s",
			      since == NULL ? ", which is 24 hours ago unless it is given" : "");
	return err;
}

static int show(struct answer *a, const struct suspects *all)
{
	int failed;
	bool people = output_for_people(&a->output);
	if (people)
		suspects_head(a->output.f, all, a->now);
	enum err err = put_rows(a, all);
	if (!answer_stands(a, err, &failed))
		return failed;
	put_end(&a->output, all);
	return answer_close(a);
}

int verb_suspects(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct suspects all = {0};
	struct suspects_options options = {.where = options_value(&c->options, "where")};
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = read_window(c, a.now, &options, &info);
	if (err == ERR_OK)
		err = suspects_find(a.query, &options, &all, &info);
	code = err == ERR_OK ? show(&a, &all) : answer_fail(&a, &info);
	suspects_free(&all);
	return code;
}
