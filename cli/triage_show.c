#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"
#include "cli/triage.h"
#include "cli/verb.h"

#define REASONS_BYTES 512
#define GAPS_SHOWN    5 /* sites named for a gap */
#define PERSONS_MAX   1000
#define MINUTES_MAX   1440

#define COLUMNS_OF(X)                                                                                        \
	X("order", "#", OUTPUT_PLAIN, false)                                                                 \
	X("site", NULL, OUTPUT_FIXED, false)                                                                 \
	X("action", "DO", OUTPUT_FIXED, false)                                                               \
	X("down", NULL, OUTPUT_PLAIN, false)                                                                 \
	X("wave", NULL, OUTPUT_NUMBER, false)                                                                \
	X("persons", NULL, OUTPUT_NUMBER, true)                                                              \
	X("start_ms", "FROM", OUTPUT_TIME, false)                                                            \
	X("end_ms", "TO", OUTPUT_TIME, false)                                                                \
	X("why", NULL, OUTPUT_PLAIN, false)                                                                  \
	X("crash", NULL, OUTPUT_PLAIN, true)                                                                 \
	X("power_or_link", "POWER", OUTPUT_PLAIN, true)                                                      \
	X("unknown", NULL, OUTPUT_PLAIN, true)                                                               \
	X("alive", NULL, OUTPUT_PLAIN, true)                                                                 \
	X("hosts", NULL, OUTPUT_PLAIN, true)                                                                 \
	X("role", NULL, OUTPUT_PLAIN, true)                                                                  \
	X("needed", NULL, OUTPUT_NUMBER, true)                                                               \
	X("role_up", "UP", OUTPUT_NUMBER, true)                                                              \
	X("missing", NULL, OUTPUT_NUMBER, true)                                                              \
	X("criticality", NULL, OUTPUT_FIXED, true)                                                           \
	X("critical_down", NULL, OUTPUT_PLAIN, true)                                                         \
	X("boot_start", "BOOT-START", OUTPUT_YESNO, true)                                                    \
	X("opens_ms", "OPENS", OUTPUT_TIME, true)                                                            \
	X("opening_hours", NULL, OUTPUT_PLAIN, true)                                                         \
	X("unlisted", NULL, OUTPUT_PLAIN, true)                                                              \
	X("gaps", NULL, OUTPUT_PLAIN, true)

#define COLUMN_OUTPUT(n, h, s, w) {.name = n, .heading = h, .style = s, .only_wide = w},
#define COLUMN_NAME(n, h, s, w)   n,
static const struct output_column columns[] = {COLUMNS_OF(COLUMN_OUTPUT){.name = NULL}};
static const char *const names[] = {COLUMNS_OF(COLUMN_NAME)};
#define COLUMNS (sizeof(names) / sizeof(names[0]))

/* --- words --- */

static void add(char text[REASONS_BYTES], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char text[REASONS_BYTES], const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;
	if (len > 0 && len + 2 < REASONS_BYTES) {
		memcpy(text + len, ", ", 3);
		len += 2;
	}
	va_start(args, format);
	(void)vsnprintf(text + len, REASONS_BYTES - len, format, args);
	va_end(args);
}

/* In the order in which they count. */
static void name_reasons(const struct triage_site *s, wall_ms now, char text[REASONS_BYTES])
{
	char opens[SHOWN_BYTES];
	text[0] = '\0';
	if (s->action == TRIAGE_CALL)
		add(text, "power or link");
	if (s->action == TRIAGE_LOOK)
		add(text, "nothing tells why");
	if (triage_missing(s) > 0)
		add(text, "cannot trade: %" PRIu64 " %s up of %" PRIu64 " needed", s->role_up, s->role,
		    s->needed);
	if (s->criticality != TRIAGE_NORMAL)
		add(text, "%s", triage_criticality_name(s->criticality));
	if (s->critical > 0)
		add(text, "%" PRIu64 " critical down", s->critical);
	if (s->boot_start)
		add(text, "boot-start: a person must go");
	if (s->opens > now) {
		shown_time(s->opens, now, opens);
		add(text, "opens %s", opens);
	} else if (s->opens != 0) {
		add(text, "open");
	}
	if (s->alive > 0)
		add(text, "%" PRIu64 " alive to help", s->alive);
	else
		add(text, "nobody alive there");
	if (s->needed_known && triage_missing(s) == 0)
		add(text, "can trade");
}

static void name_gaps(unsigned gaps, char text[REASONS_BYTES])
{
	text[0] = '\0';
	if (gaps & TRIAGE_NO_SITE)
		add(text, "no row about the site");
	if (gaps & TRIAGE_NO_NEEDED)
		add(text, "not what it needs to trade");
	if (gaps & TRIAGE_NO_HOURS)
		add(text, "no opening hours");
	if (gaps & TRIAGE_ODD_HOURS)
		add(text, "opening hours not understood");
	if (gaps & TRIAGE_NO_MACHINE)
		add(text, "machines that are down are not in it");
}

/* --- rows --- */

static struct query_value number(bool known, uint64_t v)
{
	return known ? (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)v}
		     : (struct query_value){.type = QUERY_NULL};
}

static struct query_value text(const char *s)
{
	return s != NULL && s[0] != '\0'
		   ? (struct query_value){.type = QUERY_TEXT, .text = s, .text_len = strlen(s)}
		   : (struct query_value){.type = QUERY_NULL};
}

static bool put_site(const struct query_sink *sink, const struct triage_site *s, size_t order, wall_ms now)
{
	char why[REASONS_BYTES], gaps[REASONS_BYTES];
	name_reasons(s, now, why);
	name_gaps(s->gaps, gaps);
	const struct query_value values[COLUMNS] = {
	    number(true, order),
	    text(s->name),
	    text(triage_action_name(s->action)),
	    number(true, s->crash + s->power + s->unknown),
	    number(s->wave != 0, s->wave),
	    number(s->wave != 0, s->persons),
	    number(s->wave != 0, s->start),
	    number(s->wave != 0, s->end),
	    text(why),
	    number(true, s->crash),
	    number(true, s->power),
	    number(true, s->unknown),
	    number(true, s->alive),
	    number(true, s->size),
	    text(s->role),
	    number(s->needed_known, s->needed),
	    number(s->needed_known, s->role_up),
	    number(s->needed_known, triage_missing(s)),
	    text(triage_criticality_name(s->criticality)),
	    number(true, s->critical),
	    number(true, s->boot_start),
	    number(s->opens != 0, s->opens),
	    text(s->opening),
	    number(true, s->unlisted),
	    text(gaps),
	};
	return sink->row(sink->context, values, COLUMNS);
}

/* Without a team its columns are not there. */
static bool put_plain(const struct query_sink *sink, const struct triage *t, wall_ms now)
{
	static const char *const plain[] = {"order", "site", "action", "down", "why"};
	bool more = sink->columns(sink->context, plain, 5);
	for (size_t i = 0; i < t->count && more; i++) {
		char why[REASONS_BYTES];
		const struct triage_site *s = &t->sites[i];
		name_reasons(s, now, why);
		const struct query_value values[] = {
		    number(true, i + 1), text(s->name), text(triage_action_name(s->action)),
		    number(true, s->crash + s->power + s->unknown), text(why)};
		more = sink->row(sink->context, values, 5);
	}
	return more;
}

static enum err put_rows(struct answer *a, const struct triage *t, bool team)
{
	struct query_sink sink = output_sink(&a->output);
	if (!team && a->output.format == OUTPUT_TABLE) {
		(void)put_plain(&sink, t, a->now);
		return output_finish_rows(&a->output);
	}
	bool more = sink.columns(sink.context, names, COLUMNS);
	for (size_t i = 0; i < t->count && more; i++)
		more = put_site(&sink, &t->sites[i], i + 1, a->now);
	return output_finish_rows(&a->output);
}

static void put_gap(const struct answer *a, const struct triage *t, unsigned gap)
{
	char words[REASONS_BYTES], name[4 * LIMIT_SITE_NAME_BYTES + 1];
	FILE *f = a->output.f;
	size_t count = 0;
	for (size_t i = 0; i < t->count; i++)
		count += (t->sites[i].gaps & gap) != 0;
	if (count == 0)
		return;
	name_gaps(gap, words);
	fprintf(f, "Inventory: %s: %zu site%s (", words, count, shown_plural(count));
	for (size_t i = 0, shown = 0; i < t->count && shown <= GAPS_SHOWN; i++) {
		if ((t->sites[i].gaps & gap) == 0)
			continue;
		text_escape(name, sizeof(name), t->sites[i].name, strlen(t->sites[i].name));
		fprintf(f, "%s%s", shown > 0 ? ", " : "", shown == GAPS_SHOWN ? "..." : name);
		shown++;
	}
	fputs(")\n", f);
}

static void put_foot(const struct answer *a, const struct triage *t)
{
	uint64_t crash = 0, stuck = 0;
	if (!output_for_people(&a->output))
		return;
	for (size_t i = 0; i < t->count; i++) {
		crash += t->sites[i].crash;
		stuck += triage_missing(&t->sites[i]) > 0;
	}
	fprintf(a->output.f,
		"%" PRIu64 " host%s down at %zu site%s, %" PRIu64 " to mend by hand; %" PRIu64
		" site%s cannot trade\n",
		t->hosts, shown_plural(t->hosts), t->count, shown_plural(t->count), crash, stuck,
		shown_plural(stuck));
	for (unsigned gap = TRIAGE_NO_SITE; gap <= TRIAGE_NO_MACHINE; gap <<= 1)
		put_gap(a, t, gap);
}

/* --- the verb --- */

static enum err read_team(const struct command *c, struct triage_team *ret, struct err_info *info)
{
	enum err err = command_number(c, "team", 1, PERSONS_MAX, 0, &ret->persons, info);
	if (err == ERR_OK)
		err = command_number(c, "minutes", 1, MINUTES_MAX, 15, &ret->minutes, info);
	if (err == ERR_OK)
		err = command_number(c, "travel", 0, MINUTES_MAX, 45, &ret->travel, info);
	return err;
}

static int show(struct answer *a, struct triage *t, const struct triage_team *team)
{
	int failed;
	enum err err = team->persons > 0 ? triage_plan(t, team, a->now) : ERR_OK;
	if (err == ERR_OK)
		err = put_rows(a, t, team->persons > 0);
	if (!answer_stands(a, err, &failed))
		return failed;
	put_foot(a, t);
	return answer_close(a);
}

int verb_triage(struct command *c)
{
	struct answer a;
	struct triage t = {.count = 0};
	struct triage_team team;
	struct err_info info = {0};
	if (read_team(c, &team, &info) != ERR_OK)
		return command_report(c, &info);
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = triage_make(&a, &t, &info);
	code = err == ERR_OK ? show(&a, &t, &team) : answer_fail(&a, &info);
	triage_release(&t);
	return code;
}
