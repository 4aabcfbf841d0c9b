#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "cli/alerts.h"
#include "cli/sentence.h"
#include "cli/shown.h"
#include "cli/suspects.h"

#define LN_10 2.302585092994046

void alerts_lead(const struct alert *a, char ret[ALERTS_LEAD_BYTES])
{
	char low[SHOWN_BYTES], high[SHOWN_BYTES];
	snprintf(ret, ALERTS_LEAD_BYTES, "-");
	if (!a->lead_known)
		return;
	shown_age(a->lead_low_s, low);
	shown_age(a->lead_high_s, high);
	if (strcmp(low, high) == 0)
		snprintf(ret, ALERTS_LEAD_BYTES, "%s", low);
	else
		snprintf(ret, ALERTS_LEAD_BYTES, "%s to %s", low, high);
}

static void say_spread(struct sentence *s, const struct alert *a, wall_ms now)
{
	const struct suspect_spread *p = &a->what.spread;
	char first[SHOWN_BYTES], lead[ALERTS_LEAD_BYTES];
	if (p->adopted > 0) {
		shown_time(p->first_adopted, now, first);
		sentence_add(s, " %" PRIu64 " host%s told of taking it, the first at %s.", p->adopted,
			     shown_plural(p->adopted), first);
	} else {
		sentence_add(
		    s, " No host told of taking it: they died before they could, or have had it longer.");
	}
	if (p->died_untold > 0)
		sentence_add(s, " %" PRIu64 " more of the component went down without a word of the change.",
			     p->died_untold);
	sentence_add(s, " Up with it: %" PRIu64 ".", p->adopters_up);
	if (a->what.kind != SUSPECT_COMPONENT)
		sentence_add(s, " Up with another version: %" PRIu64 ".", p->others_up);
	alerts_lead(a, lead);
	if (a->lead_known)
		sentence_add(s, " At this rate half of these have it in %s.", lead);
	else
		sentence_add(s, " It does not spread any more, or has nowhere left to go.");
}

static void put_alert(FILE *f, const struct alert *a, wall_ms now)
{
	char raw[SUSPECTS_NAME_BYTES], name[4 * SUSPECTS_NAME_BYTES], first[SHOWN_BYTES];
	const struct suspect *w = &a->what;
	struct sentence s = {.len = 0};
	suspects_name(w, false, raw);
	text_escape(name, sizeof(name), raw, strlen(raw));
	shown_time(w->spread.first_failed, now, first);
	sentence_add(
	    &s,
	    "%s: hosts that have it go down %.3g times as often as others of the same model, with 95 %% "
	    "certainty "
	    "%.3g to %.3g times; the first at %s.",
	    name, w->spread.risk.ratio, w->spread.risk.low, w->spread.risk.high, first);
	say_spread(&s, a, now);
	if (a->together > 0)
		sentence_add(&s, " %u other components cannot be told from it yet (mesh suspects).",
			     a->together);
	shown_fill(f, s.text, 0, 0);
}

void alerts_text(FILE *f, const struct alerts *all, wall_ms now)
{
	struct sentence s = {.len = 0};
	for (size_t i = 0; i < all->count; i++)
		put_alert(f, &all->list[i], now);
	if (all->count == 0)
		sentence_add(&s,
			     "No alert: %" PRIu64 " hosts failed within a day and %" PRIu64
			     " did not, and no component goes with it.",
			     all->failed, all->survived);
	else
		sentence_add(
		    &s, "Association, not proof. Stop what spreads it first; mesh suspects has the whole "
			"comparison.");
	if (all->separate_hosts > 0)
		sentence_add(&s, " %" PRIu64 " more vanished with their site (power or link).",
			     all->separate_hosts);
	shown_fill(f, s.text, 0, 0);
}

/* --- fields --- */

const char *const alerts_names[ALERTS_FIELDS] = {"level",           "kind",
						 "component_kind",  "name",
						 "version",         "source",
						 "failed_with",     "with",
						 "failed_without",  "without",
						 "relative_risk",   "risk_low",
						 "risk_high",       "log10_p",
						 "model_risk",      "model_risk_low",
						 "model_risk_high", "model_log10_p",
						 "first_down_ms",   "last_down_ms",
						 "adopted",         "first_adopted_ms",
						 "last_adopted_ms", "adopters_up",
						 "others_up",       "died_untold",
						 "lead_low_s",      "lead_high_s",
						 "together"};

static struct query_value text_value(const char *text)
{
	if (text == NULL)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

static struct query_value number_value(uint64_t n, bool known)
{
	if (!known)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)n};
}

static struct query_value real_value(double v, bool known)
{
	if (!known)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_REAL, .real = v};
}

void alerts_values(const struct alert *a, struct query_value ret[ALERTS_FIELDS])
{
	const struct suspect *w = &a->what;
	const struct suspect_spread *s = &w->spread;
	const struct query_value values[ALERTS_FIELDS] = {
	    text_value(w->verdict == SUSPECT_STRONG ? "alarm" : "warning"),
	    text_value(suspects_kind_name(w->kind)),
	    text_value(w->component_kind),
	    text_value(w->name),
	    text_value(w->version),
	    text_value(w->source),
	    number_value(w->hosts.failed_with, true),
	    number_value(w->hosts.with, true),
	    number_value(w->hosts.failed_without, true),
	    number_value(w->hosts.without, true),
	    real_value(w->risk.ratio, w->compared),
	    real_value(w->risk.low, w->compared),
	    real_value(w->risk.high, w->compared),
	    real_value(w->ln_corrected / LN_10, true),
	    real_value(s->risk.ratio, s->compared),
	    real_value(s->risk.low, s->compared),
	    real_value(s->risk.high, s->compared),
	    real_value(s->ln_p / LN_10, true),
	    number_value(s->first_failed, s->first_failed != 0),
	    number_value(s->last_failed, s->last_failed != 0),
	    number_value(s->adopted, true),
	    number_value(s->first_adopted, s->first_adopted != 0),
	    number_value(s->last_adopted, s->last_adopted != 0),
	    number_value(s->adopters_up, true),
	    number_value(s->others_up, true),
	    number_value(s->died_untold, true),
	    number_value(a->lead_low_s, a->lead_known),
	    number_value(a->lead_high_s, a->lead_known),
	    number_value(a->together, true),
	};
	memcpy(ret, values, sizeof(values));
}
