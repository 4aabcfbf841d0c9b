#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/sentence.h"
#include "cli/shown.h"
#include "cli/suspects.h"

/* Of a path the last part: what stands before it is the same for all of a product. */
static const char *short_name(const struct suspect *s)
{
	const char *last = s->name;
	for (const char *c = s->name; s->component_kind != NULL && *c != '\0'; c++) {
		if ((*c == '/' || *c == '\\') && c[1] != '\0')
			last = c + 1;
	}
	return last;
}

void suspects_name(const struct suspect *s, bool whole, char ret[SUSPECTS_NAME_BYTES])
{
	const char *name = s->name == NULL ? "?" : whole ? s->name : short_name(s);
	const char *version = s->version != NULL ? s->version : "?";
	switch (s->kind) {
	case SUSPECT_COMPONENT:
	case SUSPECT_KINDS:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s%s", name,
			 s->verdict == SUSPECT_PART ? ", any version" : "");
		break;
	case SUSPECT_VERSION:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s@%s", name, version);
		break;
	case SUSPECT_FROM:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s>=%s", name, version);
		break;
	case SUSPECT_FILE:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s%s%s #%.*s", name, s->version != NULL ? "@" : "",
			 s->version != NULL ? version : "", whole ? 64 : 8,
			 s->source != NULL ? s->source : "?");
		break;
	case SUSPECT_CHANGE:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s changed", name);
		break;
	case SUSPECT_SITE:
	case SUSPECT_MODEL:
	case SUSPECT_OS:
	case SUSPECT_KERNEL:
		snprintf(ret, SUSPECTS_NAME_BYTES, "%s %s", suspects_kind_name(s->kind), name);
		break;
	}
}

unsigned suspects_percent(uint64_t part, uint64_t all)
{
	return all == 0 ? 0 : (unsigned)((100 * part + all / 2) / all);
}

/* --- what is said of all of it --- */

static void name_safely(const struct suspect *s, char ret[4 * SUSPECTS_NAME_BYTES])
{
	char raw[SUSPECTS_NAME_BYTES];
	suspects_name(s, false, raw);
	text_escape(ret, 4 * SUSPECTS_NAME_BYTES, raw, strlen(raw));
}

void suspects_head(FILE *f, const struct suspects *all, wall_ms now)
{
	char since[SHOWN_BYTES], until[SHOWN_BYTES];
	struct sentence s = {.len = 0};
	shown_time(all->since, now, since);
	shown_time(all->until, now, until);
	sentence_add(&s, "%" PRIu64 " failed", all->failed);
	if (all->recovered > 0)
		sentence_add(&s, " (%" PRIu64 " of them up again)", all->recovered);
	sentence_add(&s, ", %" PRIu64 " survived; %" PRIu64 " candidates tried, %s to %s", all->survived,
		     all->tried, since, until);
	if (all->separate_hosts > 0)
		sentence_add(&s, "; %" PRIu64 " more hosts vanished with their site%s", all->separate_hosts,
			     shown_plural(all->separate_sites));
	shown_fill(f, s.text, 0, 0);
}

static void say_timing(struct sentence *s, const struct suspect *row)
{
	if (row->changed_failed > 0 && 10 * row->changed_failed >= row->hosts.failed_with)
		sentence_add(s,
			     " Of %" PRIu64
			     " hosts that changed it of late %u %% failed within %d min, of %" PRIu64
			     " that have it and did not, or not that they could say, %u %% failed at all.",
			     row->changed, suspects_percent(row->changed_soon, row->changed),
			     (int)(SUSPECTS_SOON_MS / CLOCK_MINUTE_MS), row->unchanged,
			     suspects_percent(row->unchanged_failed, row->unchanged));
	if (row->unreported > 0)
		sentence_add(
		    s,
		    " %" PRIu64
		    " more failed that have it in another version: they died before they could report "
		    "the change, or it does it, too.",
		    row->unreported);
	else if (row->kind == SUSPECT_COMPONENT && row->changed_failed * 2 < row->hosts.failed_with)
		sentence_add(
		    s, " No version stands out: most died before they could report a change, or none was "
		       "needed.");
}

static void put_line(FILE *f, const struct suspects *all, const struct suspect *row)
{
	char name[4 * SUSPECTS_NAME_BYTES];
	struct sentence s = {.len = 0};
	name_safely(row, name);
	sentence_add(&s, "%s: %u %% of the hosts that have it failed, of the others %u %%", name,
		     suspects_percent(row->hosts.failed_with, row->hosts.with),
		     suspects_percent(row->hosts.failed_without, row->hosts.without));
	if (row->compared)
		sentence_add(&s, "; %.3g times the risk, with 95 %% certainty %.3g to %.3g times",
			     row->risk.ratio, row->risk.low, row->risk.high);
	sentence_add(&s, ".");
	say_timing(&s, row);
	const char *comma = " Nothing in the data tells it from ", *end = "";
	for (size_t i = 0; i < all->count; i++) {
		if (all->rows[i].verdict != SUSPECT_TOGETHER || all->rows[i].of != row->line)
			continue;
		name_safely(&all->rows[i], name);
		sentence_add(&s, "%s%s", comma, name);
		comma = ", ";
		end = ".";
	}
	sentence_add(&s, "%s", end);
	fprintf(f, "%u  ", row->line);
	shown_fill(f, s.text, 3, 3);
}

static void put_doubt(FILE *f, const struct suspects *all)
{
	struct sentence s = {.len = 0};
	switch (all->outcome) {
	case SUSPECTS_NAMED:
		return;
	case SUSPECTS_QUIET:
		sentence_add(&s, "Nobody failed%s.",
			     all->separate_hosts > 0 ? " but those who vanished with their site" : "");
		break;
	case SUSPECTS_TOO_FEW:
		sentence_add(&s,
			     "CANNOT TELL: %" PRIu64 " failed; what they have in common is chance below %d.",
			     all->failed, SUSPECTS_FAILED_MIN);
		break;
	case SUSPECTS_TOO_MANY:
		sentence_add(&s, "CANNOT TELL: next to nobody survived, so there is nobody to compare with.");
		break;
	case SUSPECTS_NOTHING:
		sentence_add(&s,
			     "CANNOT TELL: nothing goes with failing more than chance would have it, %" PRIu64
			     " candidates tried.",
			     all->tried);
		break;
	}
	if (all->everywhere > 0)
		sentence_add(&s,
			     " Nor can it of the %" PRIu64
			     " components that next to all hosts have: without hosts "
			     "that lack them there is nothing to "
			     "compare with.",
			     all->everywhere);
	shown_fill(f, s.text, 0, 0);
}

void suspects_foot(FILE *f, const struct suspects *all)
{
	bool separate = false;
	for (size_t i = 0; i < all->count; i++) {
		const struct suspect *row = &all->rows[i];
		if (row->verdict == SUSPECT_STRONG || row->verdict == SUSPECT_LIKELY)
			put_line(f, all, row);
		separate = separate || row->verdict == SUSPECT_SEPARATE;
	}
	if (separate) {
		struct sentence s = {.len = 0};
		sentence_add(&s,
			     "SEPARATE: power or link. %" PRIu64
			     " site%s whose hosts vanished within seconds of each "
			     "other; these are left out of all other lines.",
			     all->separate_sites, shown_plural(all->separate_sites));
		shown_fill(f, s.text, 0, 0);
	}
	put_doubt(f, all);
	struct sentence s = {.len = 0};
	sentence_add(&s,
		     "Association, not proof. Not counted: %" PRIu64 " down before, %" PRIu64
		     " asleep, stopped or never heard",
		     all->down_before, all->away);
	if (all->unlisted > 0)
		sentence_add(&s,
			     "; of the counted ones %" PRIu64
			     " whose components cannot be read are compared in nothing",
			     all->unlisted);
	sentence_add(&s, ".");
	shown_fill(f, s.text, 0, 0);
}
