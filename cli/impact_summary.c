/* All classes beside the most frequent roles; and what became of those that were hit. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/impact.h"
#include "cli/shown.h"

#define ROLE_BYTES 96 /* of a heading */

static const char *const fate_names[] = {
#define IMPACT_FATE_NAME(symbol, name, words) name,
    IMPACT_FATES(IMPACT_FATE_NAME)
#undef IMPACT_FATE_NAME
};

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

/* Hosts of a role, by class. */
struct role {
	char *name;
	uint64_t hosts, of_class[IMPACT_CLASS_COUNT];
};
#define ROLES_MAX 256 /* beyond that they are "other" */

struct adding {
	struct impact_summary *s;
	struct site site; /* at hand */
	struct role *roles;
	size_t role_count, role; /* role: of the host before, most often that of the next */
	bool no_memory;
};

static const char *text_of(const struct query_value *v)
{
	return v->type == QUERY_TEXT ? v->text : "";
}

static struct role *role_of(struct adding *adding, const char *name)
{
	struct role *roles = adding->roles;
	if (adding->role < adding->role_count && strcmp(roles[adding->role].name, name) == 0)
		return &roles[adding->role];
	size_t i = 0;
	while (i < adding->role_count && strcmp(roles[i].name, name) != 0)
		i++;
	if (i == ROLES_MAX)
		return NULL;
	if (i == adding->role_count) {
		roles[i] = (struct role){.name = strdup(name)};
		adding->no_memory |= roles[i].name == NULL;
		if (adding->no_memory)
			return NULL;
		adding->role_count++;
	}
	adding->role = i;
	return &roles[i];
}

/* Hit: by its class, or it fell and is something else since. */
static void add_fate(struct impact_summary *s, const char *class, const char *today, bool fell)
{
	bool loops = strcmp(class, "loop") == 0;
	bool hit = fell || loops || strcmp(class, "down") == 0 || strcmp(class, "recovered") == 0;
	size_t fate = 0;
	if (!hit || strcmp(class, "later") == 0)
		return;
	if (strcmp(today, "up") == 0)
		fate = loops ? IMPACT_FATE_LOOPS : IMPACT_FATE_BACK;
	else
		while (fate < IMPACT_FATE_COUNT - 1 && strcmp(fate_names[fate], today) != 0)
			fate++;
	s->hit++;
	s->fates[fate]++;
}

static wall_ms time_of(const struct query_value *v)
{
	return v->type == QUERY_INTEGER && v->integer > 0 ? (wall_ms)v->integer : 0;
}

static void add_times(struct impact_tally *t, size_t class, const struct query_value *since,
		      const struct query_value *died)
{
	bool recovered = class == IMPACT_RECOVERED;
	wall_ms first = time_of(recovered ? &died[0] : since), last = time_of(recovered ? &died[1] : since);
	t->first = first != 0 && (t->first == 0 || first < t->first) ? first : t->first;
	t->last = last > t->last ? last : t->last;
}

enum {
	AT_SITE,
	AT_CLASS,
	AT_VALUE,
	AT_SINCE,
	AT_TODAY,
	AT_FELL,
	AT_NO_HISTORY,
	AT_CRASH,
	AT_CRASH_LATEST,
	AT_COUNT
};

/* They come site by site, so that nothing has to be sorted. */
static bool add_host(void *context, const struct query_value *values, size_t count)
{
	struct adding *adding = context;
	struct impact_summary *s = adding->s;
	struct site *site = &adding->site;
	if (count != AT_COUNT)
		return false;
	const char *name = text_of(&values[AT_SITE]), *word = text_of(&values[AT_CLASS]);
	add_fate(s, word, values[AT_TODAY].type == QUERY_TEXT ? values[AT_TODAY].text : "dark",
		 values[AT_FELL].type != QUERY_NULL);
	s->later += strcmp(word, "later") == 0;
	if (strcmp(word, "later") == 0 || strcmp(word, "gone") == 0)
		return true;
	size_t class = class_of(word);
	struct impact_tally *t = &s->tallies[class];
	s->no_history += values[AT_NO_HISTORY].type != QUERY_NULL;
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
	add_times(t, class, &values[AT_SINCE], &values[AT_CRASH]);
	struct role *role =
	    values[AT_VALUE].type == QUERY_TEXT ? role_of(adding, text_of(&values[AT_VALUE])) : NULL;
	if (role != NULL) {
		role->hosts++;
		role->of_class[class]++;
	}
	return !adding->no_memory;
}

static int most_hosts(const void *a, const void *b)
{
	const struct role *x = a, *y = b;
	return x->hosts != y->hosts ? (x->hosts < y->hosts ? 1 : -1) : strcmp(x->name, y->name);
}

static void take_roles(struct adding *adding)
{
	struct impact_summary *s = adding->s;
	if (adding->role_count > 0)
		qsort(adding->roles, adding->role_count, sizeof(*adding->roles), most_hosts);
	for (size_t i = 0; i < adding->role_count; i++) {
		if (i >= IMPACT_VALUES) {
			free(adding->roles[i].name);
			continue;
		}
		s->values[i] = adding->roles[i].name;
		for (size_t class = 0; class < IMPACT_CLASS_COUNT; class ++)
			s->tallies[class].of_value[i] = adding->roles[i].of_class[class];
	}
	free(adding->roles);
}

enum err impact_summarize(const struct impact *i, struct answer *a, struct impact_summary *ret,
			  struct err_info *info)
{
	static const struct query_limits limits = {.timeout_ms = 60000};
	struct adding adding = {.s = ret, .roles = calloc(ROLES_MAX, sizeof(*adding.roles))};
	const struct query_sink sink = {.row = add_host, .context = &adding};
	struct question *q = calloc(1, sizeof(*q));
	enum err err = q != NULL && adding.roles != NULL ? ERR_OK : err_set(info, ERR_NOMEM, "out of memory");
	if (err == ERR_OK) {
		impact_judge(i, a->command, q);
		/* Each text costs something, and they are many: whoever is down now, and did not fall
		 * otherwise, is dark. */
		question_add(q, "SELECT site, class, value, since_ms, ");
		question_add(q, i->at != 0 ? "today" : "iif(fell, today, NULL)");
		question_add(q, ", fell, no_history, crash_earliest, crash_latest FROM judged ORDER BY site");
		err = q->failed ? err_set(info, ERR_LIMIT, "the conditions are longer than %d bytes",
					  LIMIT_SQL_BYTES)
				: query_run(a->query, q->sql, q->parameters, q->parameter_count, &limits,
					    &sink, info);
	}
	end_site(ret, &adding.site);
	take_roles(&adding);
	free(q);
	return err == ERR_OK && adding.no_memory ? err_set(info, ERR_NOMEM, "out of memory") : err;
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

static void explain(const struct answer *a, const struct impact *i, const struct impact_summary *s,
		    size_t class, char *ret, size_t cap)
{
	const struct impact_tally *t = &s->tallies[class];
	char first[SHOWN_BYTES], last[SHOWN_BYTES];
	shown_time(t->first, a->now, first);
	shown_time(t->last, a->now, last);
	bool timed = class == IMPACT_DOWN || class == IMPACT_UNREPORTED || class == IMPACT_OTHERWISE ||
		     class == IMPACT_RECOVERED;
	if (class == IMPACT_SILENT)
		snprintf(ret, cap, "%" PRIu64 " site%s, since %s", t->sites, shown_plural(t->sites), first);
	else if (class == IMPACT_CANNOT_TELL && i->at != 0)
		snprintf(ret, cap, "%" PRIu64 " without history then, others denied or not here yet",
			 s->no_history);
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

static size_t put_cells(const struct impact *i, const struct impact_summary *s, const struct answer *a,
			size_t class, char *evidence, size_t cap, struct query_value *cells)
{
	const struct impact_tally *t = &s->tallies[class];
	bool people = output_for_people(&a->output);
	uint64_t other = t->hosts;
	size_t count = 0;
	explain(a, i, s, class, evidence, cap);
	cells[count++] = text(people ? classes[class].words : classes[class].name);
	cells[count++] = number(t->hosts);
	for (size_t k = 0; people && k < IMPACT_VALUES && s->values[k] != NULL; k++) {
		cells[count++] = number(t->of_value[k]);
		other -= t->of_value[k];
	}
	if (people && s->values[0] != NULL)
		cells[count++] = number(other);
	cells[count++] = number(t->sites);
	cells[count++] = moment(t->first);
	cells[count++] = moment(t->last);
	cells[count++] = text(evidence);
	return count;
}

enum err impact_summary_put(const struct impact *i, const struct impact_summary *s, struct answer *a)
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
		count = put_cells(i, s, a, class, evidence, sizeof(evidence), cells);
		more = sink.row(sink.context, cells, count);
	}
	return output_finish_rows(&a->output);
}
