/* All classes beside the most frequent roles. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/impact.h"
#include "cli/shown.h"

#define ROLE_BYTES 96 /* of a heading */

static const struct {
	const char *name, *words, *evidence;
} classes[] = {
#define IMPACT_CLASS(symbol, name, words, evidence) {name, words, evidence},
    IMPACT_CLASSES(IMPACT_CLASS)
#undef IMPACT_CLASS
};

/* --- adding up --- */

struct site {
	bool begun, has, up;
	char name[LIMIT_SITE_NAME_BYTES + 1];
	bool seen[IMPACT_CLASS_COUNT];
};

static size_t class_of(const char *name)
{
	size_t class = 0;
	while (class < IMPACT_CLASS_COUNT - 1 && strcmp(classes[class].name, name) != 0)
		class ++;
	return class;
}

static void end_site(struct impact_summary *s, const struct site *site)
{
	s->sites_with += site->has;
	s->sites_gone += site->has && !site->up;
}

struct adding {
	struct impact_summary *s;
	struct site site; /* at hand */
};

static const char *text_of(const struct query_value *v)
{
	return v->type == QUERY_TEXT ? v->text : "";
}

/* A host: site, class, value, since_ms. They come site by site, so that nothing has to be sorted. */
static bool add_host(void *context, const struct query_value *values, size_t count)
{
	struct adding *adding = context;
	struct impact_summary *s = adding->s;
	struct site *site = &adding->site;
	if (count != 4)
		return false;
	const char *name = text_of(&values[0]), *value = text_of(&values[2]);
	size_t class = class_of(text_of(&values[1]));
	struct impact_tally *t = &s->tallies[class];
	wall_ms since = values[3].type == QUERY_INTEGER ? (wall_ms)values[3].integer : 0;
	if (!site->begun || strcmp(site->name, name) != 0) {
		end_site(s, site);
		*site = (struct site){.begun = true};
		(void)text_copy(site->name, sizeof(site->name), name);
	}
	t->sites += !site->seen[class];
	site->seen[class] = true;
	site->has |= class < IMPACT_WITHOUT && class != IMPACT_UNREPORTED;
	site->up |= class == IMPACT_RECOVERED || class == IMPACT_NOT_HIT;
	t->hosts++;
	t->first = since != 0 && (t->first == 0 || since < t->first) ? since : t->first;
	t->last = since > t->last ? since : t->last;
	for (size_t i = 0; i < IMPACT_VALUES; i++)
		t->of_value[i] += s->values[i] != NULL && strcmp(s->values[i], value) == 0;
	return true;
}

static enum err find_values(struct answer *a, struct impact_summary *s, struct err_info *info)
{
	struct rows rows;
	enum err err = rows_fetch(a->query,
				  "SELECT role FROM hosts WHERE role IS NOT NULL AND "
				  "status NOT IN ('left', 'replaced') "
				  "GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 3",
				  NULL, 0, &rows, info);
	for (size_t i = 0; i < IMPACT_VALUES && err == ERR_OK && i < rows.count; i++) {
		s->values[i] = strdup(rows_text(&rows, i, "role"));
		if (s->values[i] == NULL)
			err = err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	rows_release(&rows);
	return err;
}

enum err impact_summarize(const struct impact *i, struct answer *a, struct impact_summary *ret,
			  struct err_info *info)
{
	static const struct query_limits limits = {.timeout_ms = 60000};
	struct adding adding = {.s = ret};
	const struct query_sink sink = {.row = add_host, .context = &adding};
	struct question *q = calloc(1, sizeof(*q));
	enum err err = q != NULL ? find_values(a, ret, info) : err_set(info, ERR_NOMEM, "out of memory");
	if (err == ERR_OK) {
		impact_judge(i, a->command, q);
		question_add(q, "SELECT site, class, value, since_ms FROM judged ORDER BY site");
		err = q->failed ? err_set(info, ERR_LIMIT, "the conditions are longer than %d bytes",
					  LIMIT_SQL_BYTES)
				: query_run(a->query, q->sql, q->parameters, q->parameter_count, &limits,
					    &sink, info);
	}
	end_site(ret, &adding.site);
	free(q);
	return err;
}

void impact_summary_release(struct impact_summary *s)
{
	for (size_t i = 0; i < IMPACT_VALUES; i++)
		free(s->values[i]);
}

void impact_magnitude(const struct impact_summary *s, uint64_t *ret_confirmed, uint64_t *ret_likely)
{
	*ret_confirmed = s->tallies[IMPACT_DOWN].hosts + s->tallies[IMPACT_LOOP].hosts;
	*ret_likely = *ret_confirmed + s->tallies[IMPACT_UNREPORTED].hosts + s->tallies[IMPACT_SILENT].hosts;
}

/* --- rows --- */

static void explain(const struct answer *a, size_t class, const struct impact_tally *t, char *ret, size_t cap)
{
	char first[SHOWN_BYTES], last[SHOWN_BYTES];
	shown_time(t->first, a->now, first);
	shown_time(t->last, a->now, last);
	bool timed = class == IMPACT_DOWN || class == IMPACT_UNREPORTED || class == IMPACT_OTHERWISE;
	if (class == IMPACT_SILENT)
		snprintf(ret, cap, "%" PRIu64 " site%s, since %s", t->sites, shown_plural(t->sites), first);
	else if (timed && t->hosts > 0 && t->first > 0)
		snprintf(ret, cap, "%s, %s to %s", classes[class].evidence, first, last);
	else
		snprintf(ret, cap, "%s", classes[class].evidence);
}

static struct query_value number(uint64_t v)
{
	return (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)v};
}

static struct query_value moment(wall_ms t)
{
	return (struct query_value){.type = t == 0 ? QUERY_NULL : QUERY_INTEGER, .integer = (int64_t)t};
}

static struct query_value text(const char *t)
{
	return (struct query_value){.type = QUERY_TEXT, .text = t, .text_len = strlen(t)};
}

/* People get columns for the roles; programs ask for these with --by role, as columns that always are there.
 */
static size_t put_heads(const struct impact_summary *s, bool people, char roles[IMPACT_VALUES][ROLE_BYTES],
			const char **heads)
{
	size_t count = 0;
	heads[count++] = "class";
	heads[count++] = "hosts";
	for (size_t i = 0; people && i < IMPACT_VALUES && s->values[i] != NULL; i++) {
		text_escape(roles[i], ROLE_BYTES, s->values[i], strlen(s->values[i]));
		heads[count++] = roles[i];
	}
	if (people && s->values[0] != NULL)
		heads[count++] = "other";
	heads[count++] = "sites";
	heads[count++] = "first_ms";
	heads[count++] = "last_ms";
	heads[count++] = "evidence";
	return count;
}

static size_t put_cells(const struct impact_summary *s, const struct answer *a, size_t class, char *evidence,
			size_t cap, struct query_value *cells)
{
	const struct impact_tally *t = &s->tallies[class];
	bool people = output_for_people(&a->output);
	uint64_t other = t->hosts;
	size_t count = 0;
	explain(a, class, t, evidence, cap);
	cells[count++] = text(people ? classes[class].words : classes[class].name);
	cells[count++] = number(t->hosts);
	for (size_t i = 0; people && i < IMPACT_VALUES && s->values[i] != NULL; i++) {
		cells[count++] = number(t->of_value[i]);
		other -= t->of_value[i];
	}
	if (people && s->values[0] != NULL)
		cells[count++] = number(other);
	cells[count++] = number(t->sites);
	cells[count++] = moment(t->first);
	cells[count++] = moment(t->last);
	cells[count++] = text(evidence);
	return count;
}

enum err impact_summary_put(const struct impact_summary *s, struct answer *a)
{
	struct query_sink sink = output_sink(&a->output);
	char roles[IMPACT_VALUES][ROLE_BYTES], evidence[160];
	const char *heads[IMPACT_VALUES + 8];
	struct query_value cells[IMPACT_VALUES + 8];
	bool people = output_for_people(&a->output);
	size_t count = put_heads(s, people, roles, heads);
	bool more = sink.columns(sink.context, heads, count);
	for (size_t class = 0; more && class < IMPACT_CLASS_COUNT; class ++) {
		if (people && class > 0 && s->tallies[class].hosts == 0)
			continue;
		count = put_cells(s, a, class, evidence, sizeof(evidence), cells);
		more = sink.row(sink.context, cells, count);
	}
	return output_finish_rows(&a->output);
}
