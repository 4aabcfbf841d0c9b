/* What `mesh impact` says around its rows: the magnitude, what became of those that were hit, and how far the
 * node's own history reaches. */
#include <inttypes.h>

#include "cli/impact.h"
#include "cli/sentence.h"
#include "cli/shown.h"

static const struct {
	const char *name, *words;
} fates[] = {
#define IMPACT_FATE(symbol, name, words) {name, words},
    IMPACT_FATES(IMPACT_FATE)
#undef IMPACT_FATE
};

static void put_fates(const struct impact_summary *s, struct answer *a)
{
	struct sentence line = {.len = 0};
	if (s->hit == 0)
		return;
	sentence_add(&line, "Of %" PRIu64 " hit", s->hit);
	const char *before = ": ";
	for (size_t fate = 0; fate < IMPACT_FATE_COUNT; fate++) {
		if (s->fates[fate] == 0)
			continue;
		sentence_add(&line, "%s%" PRIu64 " %s", before, s->fates[fate], fates[fate].words);
		before = ", ";
	}
	sentence_add(&line, " now.");
	shown_fill(a->output.f, line.text, 0, 0);
}

void impact_head(const struct impact *i, const struct impact_summary *s, struct answer *a)
{
	uint64_t confirmed, likely;
	FILE *f = a->output.f;
	char from[SHOWN_BYTES], to[SHOWN_BYTES], at[SHOWN_BYTES];
	impact_magnitude(s, &confirmed, &likely);
	shown_time(i->at, a->now, at);
	if (i->at != 0)
		fprintf(f, "As of %s, by all that is known now.\n", at);
	fprintf(f, "DOWN %" PRIu64 " confirmed, up to %" PRIu64 " likely.", confirmed, likely);
	if (s->sites_with > 0)
		fprintf(f, " At %" PRIu64 " of %" PRIu64 " sites with it, no host that has it %s up.",
			s->sites_gone, s->sites_with, i->at != 0 ? "was" : "is");
	fputc('\n', f);
	put_fates(s, a);
	shown_time(i->from, a->now, from);
	shown_time(i->to, a->now, to);
	if (i->windowed)
		fprintf(f, "Window: %s to %s.\n", from, to);
	fputc('\n', f);
}

static void add_reach(const struct impact *i, struct answer *a, struct sentence *s)
{
	char begins[SHOWN_BYTES];
	shown_time(i->log.begins, a->now, begins);
	if (i->log.begins == 0)
		sentence_add(s, "This node has no log of transitions");
	else
		sentence_add(s, "The log of this node begins %s%s", begins,
			     i->log.dropped ? " (what was older has been dropped)" : "");
}

static void add_watch(const struct impact *i, struct sentence *s)
{
	static const char *const words[] = {
	    [QUERY_WATCH_OK] = "",
	    [QUERY_WATCH_ALONE] = " No other host was up then: this node may have been cut off itself.",
	    [QUERY_WATCH_OFF] = " It did not run then, or was suspended.",
	    [QUERY_WATCH_BEFORE] = " That is later.",
	    [QUERY_WATCH_DAMAGED] = " What it says of that time is damaged.",
	    [QUERY_WATCH_AFTER] = " The replica is older than that: this is its last word."};
	sentence_add(s, "%s", words[i->watch]);
}

void impact_foot(const struct impact *i, const struct impact_summary *s, struct answer *a)
{
	struct sentence line = {.len = 0};
	bool behind = i->windowed && (i->log.begins == 0 || i->log.begins > i->from);
	if (i->at == 0 && !behind)
		return;
	add_reach(i, a, &line);
	sentence_add(&line, ".");
	if (i->at != 0)
		add_watch(i, &line);
	if (behind)
		sentence_add(&line,
			     " Who vanished in the window before that, came back, and told of no crash, "
			     "is not among those hit.");
	if (s->no_history > 0)
		sentence_add(&line,
			     " Without history: %" PRIu64
			     " host%s whose state, components or crashes then are not "
			     "known; counted under cannot tell.",
			     s->no_history, shown_plural(s->no_history));
	if (s->later > 0)
		sentence_add(&line, " Enrolled later, and not counted: %" PRIu64 " host%s.", s->later,
			     shown_plural(s->later));
	if (i->at != 0)
		sentence_add(&line, " Site, role and model are today's.");
	shown_fill(a->output.f, line.text, 0, 0);
}

static void put_time(struct json *j, const char *key, wall_ms t)
{
	if (t != 0)
		json_u64(j, key, t);
	else
		json_null(j, key);
}

void impact_json(const struct impact *i, const struct impact_summary *s, struct answer *a)
{
	struct json *j = &a->output.json;
	uint64_t confirmed, likely;
	impact_magnitude(s, &confirmed, &likely);
	json_new_line(j);
	json_begin_object(j, "magnitude");
	json_u64(j, "confirmed", confirmed);
	json_u64(j, "likely", likely);
	json_u64(j, "sites_with", s->sites_with);
	json_u64(j, "sites_gone", s->sites_gone);
	if (i->windowed) {
		json_u64(j, "from_ms", i->from);
		json_u64(j, "to_ms", i->to);
	}
	json_end_object(j);
	json_new_line(j);
	json_begin_object(j, "fates");
	json_u64(j, "hit", s->hit);
	for (size_t fate = 0; fate < IMPACT_FATE_COUNT; fate++)
		json_u64(j, fates[fate].name, s->fates[fate]);
	json_end_object(j);
	if (i->at == 0 && !i->windowed)
		return;
	json_new_line(j);
	json_begin_object(j, "history");
	put_time(j, "log_begins_ms", i->log.begins);
	json_bool(j, "log_dropped", i->log.dropped);
	if (i->at != 0) {
		json_u64(j, "at_ms", i->at);
		json_string(j, "watch", query_watch_name(i->watch));
		json_u64(j, "without_history", s->no_history);
		json_u64(j, "not_known_yet", s->later);
	}
	json_end_object(j);
}
