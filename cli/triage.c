/* Happy path: the hosts that are down make the list of sites; what the inventory says of sites and machines,
 * how many are up there and in the role that counts is added; then the sites are put in order. */
#include "cli/triage.h"

#include <stdlib.h>
#include <string.h>

#include "cli/impact_target.h"

static const char *const criticalities[] = {"low", "normal", "high", "vital"};

const char *triage_criticality_name(enum triage_criticality criticality)
{
	return criticalities[criticality];
}

const char *triage_action_name(enum triage_action action)
{
	static const char *const names[] = {"go", "call", "look"};
	return names[action];
}

uint64_t triage_missing(const struct triage_site *s)
{
	return s->needed_known && s->role_up < s->needed ? s->needed - s->role_up : 0;
}

static enum triage_criticality criticality_of(const char *name)
{
	for (unsigned i = TRIAGE_LOW; i <= TRIAGE_VITAL; i++) {
		if (strcmp(name, criticalities[i]) == 0)
			return (enum triage_criticality)i;
	}
	return TRIAGE_NORMAL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct triage_site *)a)->name, ((const struct triage_site *)b)->name);
}

static struct triage_site *find(const struct triage *t, const char *name)
{
	struct triage_site key;
	memcpy(&key.name, &name, sizeof(key.name));
	return t->count > 0 ? bsearch(&key, t->sites, t->count, sizeof(key), by_name) : NULL;
}

/* --- asking --- */

struct asking {
	struct answer *a;
	struct triage *t;
	const struct impact_target *target; /* NULL: whatever is down */
	enum err err;
};

typedef void (*take_row)(struct asking *k, const struct rows *rows, size_t row);

static enum err ask(struct asking *k, struct question *q, take_row take, struct err_info *info)
{
	struct rows rows = {0};
	enum err err = q->failed
			   ? err_set(info, ERR_LIMIT, "the condition of --where is longer than %d bytes",
				     LIMIT_SQL_BYTES)
			   : rows_fetch(k->a->query, q->sql, q->parameters, q->parameter_count, &rows, info);
	for (size_t i = 0; err == ERR_OK && i < rows.count; i++) {
		take(k, &rows, i);
		if (k->err != ERR_OK)
			err = err_set(info, k->err, "%s", err_text(k->err));
	}
	rows_release(&rows);
	return err;
}

/* The hosts that are meant: down, and with the component where one is named. */
static void add_down(const struct asking *k, struct question *q)
{
	question_add(q, "hosts.status IN ('dark', 'silent')");
	if (options_has(&k->a->command->options, "where")) {
		question_add(q, " AND (");
		question_add(q, options_value(&k->a->command->options, "where"));
		question_add(q, "\n)");
	}
	if (k->target == NULL)
		return;
	question_add(q, " AND host IN (SELECT host FROM host_components WHERE ");
	impact_target_name(k->target, q);
	question_add(q, ")");
}

static void take_down(struct asking *k, const struct rows *rows, size_t row)
{
	struct triage *t = k->t;
	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
		struct triage_site *more = realloc(t->sites, cap * sizeof(*more));
		if (more == NULL) {
			k->err = ERR_NOMEM;
			return;
		}
		t->sites = more;
		t->cap = cap;
	}
	struct triage_site *s = &t->sites[t->count];
	*s = (struct triage_site){.name = strdup(rows_text(rows, row, "site")),
				  .crash = rows_u64(rows, row, "crash"),
				  .power = rows_u64(rows, row, "power"),
				  .unknown = rows_u64(rows, row, "unknown"),
				  .boot_start = rows_u64(rows, row, "boot_start") != 0,
				  .criticality = TRIAGE_LOW,
				  .gaps = TRIAGE_NO_SITE};
	if (s->name == NULL) {
		k->err = ERR_NOMEM;
		return;
	}
	s->unlisted = s->crash + s->power + s->unknown;
	s->action = s->crash > 0 ? TRIAGE_GO : s->power > 0 ? TRIAGE_CALL : TRIAGE_LOOK;
	t->hosts += s->unlisted;
	t->count++;
}

static void take_size(struct asking *k, const struct rows *rows, size_t row)
{
	struct triage_site *s = find(k->t, rows_text(rows, row, "site"));
	if (s == NULL)
		return;
	s->alive = rows_u64(rows, row, "up");
	s->size = rows_u64(rows, row, "hosts");
}

static char *copy(const struct rows *rows, size_t row, const char *column)
{
	const char *text = rows_text(rows, row, column);
	return text[0] != '\0' ? strdup(text) : NULL;
}

/* The first row about a site that says a thing counts. */
static void take_site(struct asking *k, const struct rows *rows, size_t row)
{
	struct triage_site *s = find(k->t, rows_text(rows, row, "site"));
	const struct query_value *needed = rows_find(rows, row, "needed");
	struct hours hours;
	if (s == NULL)
		return;
	s->gaps &= ~(unsigned)TRIAGE_NO_SITE;
	enum triage_criticality criticality = criticality_of(rows_text(rows, row, "criticality"));
	s->criticality = criticality > s->criticality ? criticality : s->criticality;
	if (!s->needed_known && needed->type == QUERY_INTEGER && rows_text(rows, row, "role")[0] != '\0') {
		s->needed_known = true;
		s->needed = rows_u64(rows, row, "needed");
		s->role = copy(rows, row, "role");
	}
	if (s->opening == NULL)
		s->opening = copy(rows, row, "opening_hours");
	if (s->opening != NULL && hours_parse(s->opening, &hours)) {
		s->hours_known = true;
		s->opens = hours_open(&hours, k->a->now);
	}
}

static void take_role(struct asking *k, const struct rows *rows, size_t row)
{
	struct triage_site *s = find(k->t, rows_text(rows, row, "site"));
	if (s != NULL && s->role != NULL && strcmp(s->role, rows_text(rows, row, "role")) == 0)
		s->role_up = rows_u64(rows, row, "hosts");
}

static void take_machine(struct asking *k, const struct rows *rows, size_t row)
{
	struct triage_site *s = find(k->t, rows_text(rows, row, "site"));
	enum triage_criticality criticality = criticality_of(rows_text(rows, row, "criticality"));
	uint64_t hosts = rows_u64(rows, row, "hosts");
	if (s == NULL)
		return;
	s->unlisted -= hosts < s->unlisted ? hosts : s->unlisted;
	s->critical += criticality >= TRIAGE_HIGH ? hosts : 0;
	s->criticality = criticality > s->criticality ? criticality : s->criticality;
}

static enum err ask_all(struct asking *k, struct question *q, struct err_info *info)
{
	*q = (struct question){.len = 0};
	question_add(q, "SELECT site, sum(fate = 'crash') AS crash, sum(fate = 'power-or-link') AS power, "
			"sum(fate = 'unknown') AS unknown, max(change_others IS NOT NULL AND "
			"coalesce(change_boot_start, 0)) AS boot_start "
			"FROM hosts WHERE ");
	add_down(k, q);
	question_add(q, " GROUP BY site");
	enum err err = ask(k, q, take_down, info);
	if (err != ERR_OK || k->t->count == 0)
		return err;
	qsort(k->t->sites, k->t->count, sizeof(*k->t->sites), by_name);
	*q = (struct question){.len = 0};
	question_add(q, "SELECT site, hosts, up FROM sites");
	err = ask(k, q, take_size, info);
	*q = (struct question){.len = 0};
	question_add(q, "SELECT site, role, needed, criticality, opening_hours FROM inventory WHERE about = "
			"'site'");
	if (err == ERR_OK)
		err = ask(k, q, take_site, info);
	*q = (struct question){.len = 0};
	question_add(q, "SELECT site, role, count(*) AS hosts FROM hosts WHERE hosts.status = 'up' AND role "
			"IS NOT NULL GROUP BY site, role");
	if (err == ERR_OK)
		err = ask(k, q, take_role, info);
	*q = (struct question){.len = 0};
	question_add(q, "SELECT h.site, i.criticality, count(DISTINCT h.host) AS hosts FROM inventory i JOIN "
			"(SELECT host, site FROM hosts WHERE ");
	add_down(k, q);
	question_add(q, ") h ON h.host = i.host WHERE i.host_status IN ('dark', 'silent') GROUP BY 1, 2");
	return err == ERR_OK ? ask(k, q, take_machine, info) : err;
}

static enum err ask_boot_start(struct asking *k, struct question *q, struct err_info *info)
{
	struct rows rows = {0};
	*q = (struct question){.len = 0};
	question_add(q, "SELECT max(boot_start) AS boot_start FROM host_components WHERE ");
	impact_target_name(k->target, q);
	enum err err = rows_fetch(k->a->query, q->sql, q->parameters, q->parameter_count, &rows, info);
	bool boot = err == ERR_OK && rows.count > 0 && rows_u64(&rows, 0, "boot_start") != 0;
	for (size_t i = 0; i < k->t->count && boot; i++)
		k->t->sites[i].boot_start = k->t->sites[i].crash > 0;
	rows_release(&rows);
	return err;
}

/* --- the order --- */

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int by_urgency(const void *a, const void *b)
{
	const struct triage_site *x = a, *y = b;
	int order = compare(x->action, y->action);
	if (order == 0) /* what cannot trade before what can */
		order = compare(triage_missing(y) > 0, triage_missing(x) > 0);
	if (order == 0)
		order = compare(y->criticality, x->criticality);
	if (order == 0) /* open, or soon; not known last */
		order = compare(x->opens - 1, y->opens - 1);
	if (order == 0) /* that trades again after the fewest repairs */
		order = compare(triage_missing(x), triage_missing(y));
	if (order == 0)
		order = compare(y->crash + y->power + y->unknown, x->crash + x->power + x->unknown);
	if (order == 0) /* somebody is there who can help */
		order = compare(y->alive > 0, x->alive > 0);
	return order != 0 ? order : strcmp(x->name, y->name);
}

static void find_gaps(struct triage_site *s)
{
	bool row = (s->gaps & TRIAGE_NO_SITE) == 0;
	s->gaps |= row && !s->needed_known ? TRIAGE_NO_NEEDED : 0;
	s->gaps |= row && s->opening == NULL ? TRIAGE_NO_HOURS : 0;
	s->gaps |= s->opening != NULL && !s->hours_known ? TRIAGE_ODD_HOURS : 0;
	s->gaps |= s->unlisted > 0 ? TRIAGE_NO_MACHINE : 0;
}

enum err triage_make(struct answer *a, struct triage *ret, struct err_info *info)
{
	struct impact_target *target = calloc(1, sizeof(*target));
	struct question *q = calloc(1, sizeof(*q));
	struct asking k = {.a = a, .t = ret};
	*ret = (struct triage){.count = 0};
	enum err err = target != NULL && q != NULL ? ERR_OK : err_set(info, ERR_NOMEM, "out of memory");
	if (err == ERR_OK && a->command->options.operand_count > 0) {
		err = impact_target_parse(a->command, target, info);
		k.target = target;
	}
	if (err == ERR_OK)
		err = ask_all(&k, q, info);
	if (err == ERR_OK && k.target != NULL)
		err = ask_boot_start(&k, q, info);
	free(target);
	free(q);
	for (size_t i = 0; i < ret->count; i++)
		find_gaps(&ret->sites[i]);
	if (ret->count > 0)
		qsort(ret->sites, ret->count, sizeof(*ret->sites), by_urgency);
	return err;
}

void triage_release(struct triage *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->sites[i].name);
		free(t->sites[i].role);
		free(t->sites[i].opening);
	}
	free(t->sites);
	*t = (struct triage){.count = 0};
}

/* --- who goes where --- */

#define MINUTE_MS    (60 * CLOCK_SECOND_MS)
#define STAY_MINUTES 240 /* where one person takes longer, another one comes along */

struct person {
	wall_ms free;
	unsigned visits;
};

static int by_free(const void *a, const void *b)
{
	const struct person *x = a, *y = b;
	return compare(x->free, y->free);
}

static void send(struct triage_site *s, struct person *team, const struct triage_team *o)
{
	uint64_t minutes = s->crash * o->minutes, persons = (minutes + STAY_MINUTES - 1) / STAY_MINUTES;
	persons = persons > o->persons ? o->persons : persons;
	s->persons = (unsigned)persons;
	s->start = s->end = 0;
	for (unsigned i = 0; i < persons; i++) {
		wall_ms there = team[i].free + o->travel * MINUTE_MS;
		there = s->opens > there ? s->opens : there;
		s->start = s->start == 0 || there < s->start ? there : s->start;
		team[i].free = there + (minutes + persons - 1) / persons * MINUTE_MS;
		s->end = team[i].free > s->end ? team[i].free : s->end;
		team[i].visits++;
		s->wave = team[i].visits > s->wave ? team[i].visits : s->wave;
	}
}

enum err triage_plan(struct triage *t, const struct triage_team *o, wall_ms now)
{
	struct person *team = calloc(o->persons, sizeof(*team));
	if (team == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < o->persons; i++)
		team[i].free = now;
	for (size_t i = 0; i < t->count; i++) {
		if (t->sites[i].action != TRIAGE_GO)
			continue;
		qsort(team, o->persons, sizeof(*team), by_free);
		send(&t->sites[i], team, o);
	}
	free(team);
	return ERR_OK;
}
