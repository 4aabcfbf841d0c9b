/* Everything known of one host, in sections. For scripts it is one row with the sections inside it. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "crypto/id.h"

#define CANDIDATES_MAX 10

static const struct output_column columns[] = {
    {.name = "name"},
    {.name = "time_ms", .heading = "TIME", .style = OUTPUT_TIME},
    {.name = "loaded", .style = OUTPUT_YESNO},
    {.name = "boot_start", .style = OUTPUT_YESNO},
    {.name = "unsigned", .style = OUTPUT_YESNO},
    {.name = "out_of_tree", .style = OUTPUT_YESNO},
    {.name = "pending", .style = OUTPUT_YESNO},
    {.name = "proprietary", .style = OUTPUT_YESNO},
    {.name = "third_party", .style = OUTPUT_YESNO},
    {.name = "loaded_count", .heading = "LOADED"},
    {.name = "pending_count", .heading = "PENDING"},
    {.name = NULL},
};

/* Sections of many rows: their name in JSON, heading and question for people, question for scripts. */
static const struct section {
	const char *key, *heading, *shown, *whole;
} sections[] = {
#define OF_HOST " WHERE host = ?1 "
#define BY_KIND                                                                                              \
	"SELECT kind, count(*) AS components, sum(loaded) AS loaded_count, sum(pending) AS pending_count "   \
	"FROM "                                                                                              \
	"host_components" OF_HOST "GROUP BY kind ORDER BY kind"
    {"kernel_components", "Third-party components",
     "SELECT component AS name, version, version_status, kind, vendor, vendor_status, loaded, boot_start, "
     "unsigned, "
     "out_of_tree FROM host_components" OF_HOST "AND third_party = 1 ORDER BY kind, component, version",
     "SELECT kind, component AS name, version, version_status, source, source_status, vendor, vendor_status, "
     "loaded, pending, boot_start, out_of_tree, unsigned, proprietary, third_party, entry FROM "
     "host_components" OF_HOST "ORDER BY third_party DESC, kind, component, version"},
    {"kernel_component_counts", "Components by kind", BY_KIND, BY_KIND},
    {"changes", "Last changes",
     "SELECT time_ms, op, component AS name, version, entry FROM changes" OF_HOST "ORDER BY time_ms DESC",
     "SELECT time_ms, op, component AS name, version, entry FROM changes" OF_HOST "ORDER BY time_ms DESC"},
    {"crashes", "Last crashes", "SELECT time_ms, kind, detail FROM crashes" OF_HOST "ORDER BY time_ms DESC",
     "SELECT time_ms, kind, detail FROM crashes" OF_HOST "ORDER BY time_ms DESC"},
    {"crash_counts", "Crashes counted",
     "SELECT kind, total, source_status AS total_status FROM crash_counts" OF_HOST "ORDER BY kind",
     "SELECT kind, total, source_status FROM crash_counts" OF_HOST "ORDER BY kind"},
#undef OF_HOST
#undef BY_KIND
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static bool is_hex(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

static int refuse(struct answer *a, const struct rows *found, const char *typed)
{
	char shown[128], name[4 * LIMIT_HOSTNAME_BYTES + 1];
	struct err_info info;
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	if (found->count == 0) {
		err_set(&info, ERR_NOT_FOUND, "no host \"%s\" is known here; mesh hosts lists them", shown);
		return answer_fail(a, &info);
	}
	FILE *f = a->command->err;
	err_set(&info, ERR_ARG, "\"%s\" may be any of %zu hosts; name one by its id", shown, found->count);
	int code = answer_fail(a, &info);
	for (size_t i = 0; i < found->count && i < CANDIDATES_MAX; i++) {
		const char *raw = rows_text(found, i, "name");
		text_escape(name, sizeof(name), raw, strlen(raw));
		fprintf(f, "  %s  %s", rows_text(found, i, "host"), name);
		raw = rows_text(found, i, "site");
		text_escape(name, sizeof(name), raw, strlen(raw));
		fprintf(f, "  %s  %s\n", name, rows_text(found, i, "status"));
	}
	if (found->count > CANDIDATES_MAX)
		fprintf(f, "  and %zu more\n", found->count - CANDIDATES_MAX);
	return code;
}

/* The one host that `typed` means. An exit code; the answer is closed when it is not 0. */
static int resolve(struct answer *a, const char *typed, char ret_host[ID_HEX_BYTES])
{
#define FROM_HOSTS "SELECT host, name, site, status FROM hosts WHERE "
	struct rows found;
	struct err_info info = {0};
	enum err err = rows_fetch(a->query, FROM_HOSTS "host = lower(?1) OR name = ?1 ORDER BY host", &typed,
				  1, &found, &info);
	if (err == ERR_OK && found.count == 0 && is_hex(typed)) {
		rows_release(&found);
		err = rows_fetch(a->query, FROM_HOSTS "substr(host, 1, length(?1)) = lower(?1) ORDER BY host",
				 &typed, 1, &found, &info);
	}
#undef FROM_HOSTS
	int code = MESH_EXIT_COMPLETE;
	if (err != ERR_OK)
		code = answer_fail(a, &info);
	else if (found.count != 1)
		code = refuse(a, &found, typed);
	else
		text_copy(ret_host, ID_HEX_BYTES, rows_text(&found, 0, "host"));
	rows_release(&found);
	return code;
}

/* A column X with a column X_status beside it holds a value or the reason why there is none. */
static bool is_status_of_another(const struct rows *r, size_t column)
{
	const char *name = r->names[column];
	size_t len = strlen(name), suffix = strlen("_status");
	for (size_t i = 0; len > suffix && i < r->columns; i++) {
		if (strlen(r->names[i]) == len - suffix && strncmp(r->names[i], name, len - suffix) == 0)
			return strcmp(name + len - suffix, "_status") == 0;
	}
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);
	return len >= n && strcmp(text + len - n, end) == 0;
}

/* "since enrolment", "this boot": what a count covers, by the table's own description. */
static const char *span_of(const char *table, const char *column)
{
	const struct query_table *t;
	for (size_t i = 0; (t = query_table_at(i)) != NULL; i++) {
		for (size_t k = 0; strcmp(t->name, table) == 0 && k < t->column_count; k++) {
			const char *unit = t->columns[k].unit;
			if (strcmp(t->columns[k].name, column) == 0 &&
			    (strncmp(unit, "since ", 6) == 0 || strncmp(unit, "this ", 5) == 0))
				return unit;
		}
	}
	return "";
}

/* What a field's number means, by how its name ends. */
enum meaning { TIME_MS, TIME_S, AGE_S, PERCENT, DAY, YESNO };
static const struct {
	const char *end;
	enum meaning as;
} meanings[] = {
    {"_ms", TIME_MS},       {"_time_s", TIME_S},   {"age_s", AGE_S},     {"_percent", PERCENT}, {"_day", DAY},
    {"secure_boot", YESNO}, {"boot_clean", YESNO}, {"clock_off", YESNO}, {"complete", YESNO},
};
#define MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

static void put_number(const struct answer *a, const char *table, const char *name, int64_t v,
		       char ret[SHOWN_BYTES])
{
	uint64_t n = v > 0 ? (uint64_t)v : 0;
	size_t i = 0;
	while (i < MEANINGS && !ends_with(name, meanings[i].end))
		i++;
	if (i == MEANINGS || v < 0) {
		const char *span = span_of(table, name);
		snprintf(ret, SHOWN_BYTES, "%" PRId64 "%s%s", v, *span != '\0' ? " " : "", span);
		return;
	}
	switch (meanings[i].as) {
	case TIME_MS:
		shown_time(n, a->now, ret);
		break;
	case TIME_S:
		shown_time(n < UINT64_MAX / CLOCK_SECOND_MS ? n * CLOCK_SECOND_MS : UINT64_MAX, a->now, ret);
		break;
	case AGE_S:
		shown_age(n, ret);
		break;
	case PERCENT:
		/* Published in tens, so that noise is no news. */
		snprintf(ret, SHOWN_BYTES, "about %" PRIu64 " %%", n);
		break;
	case DAY:
		shown_day(n, ret);
		break;
	case YESNO:
		snprintf(ret, SHOWN_BYTES, "%s", n != 0 ? "yes" : "no");
		break;
	}
}

/* The field's name as words, without its unit: the value shows that. */
static void put_label(struct table *t, const char *name)
{
	static const char *const units[] = {"_ms", "_s", "_percent", "_day"};
	char label[64];
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ends_with(name, units[i])) {
			len -= strlen(units[i]);
			break;
		}
	}
	snprintf(label, sizeof(label), "  %.*s", (int)len, name);
	for (char *c = label; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : *c;
	table_cell(t, label, strlen(label));
}

static void put_value(struct table *t, const struct answer *a, const char *table, const char *name,
		      const struct query_value *v, const char *status)
{
	char text[SHOWN_BYTES];
	switch (v->type) {
	case QUERY_NULL:
		table_cell(t, status, strlen(status));
		return;
	case QUERY_TEXT:
		table_cell(t, v->text_len > 0 ? v->text : "-", v->text_len > 0 ? v->text_len : 1);
		return;
	case QUERY_REAL:
		snprintf(text, sizeof(text), "%.6g", v->real);
		break;
	case QUERY_INTEGER:
		put_number(a, table, name, v->integer, text);
		break;
	}
	table_cell(t, text, strlen(text));
}

/* Name and value of a row of `table`, a line each. `skip` lists columns that were said already. */
static enum err put_fields(const struct answer *a, const char *table, const struct rows *r,
			   const char *const *skip)
{
	static const char *const headings[] = {"", ""};
	static const enum table_align aligns[] = {TABLE_FIXED, TABLE_TEXT};
	struct table *t = table_new(headings, aligns, 2);
	if (t == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; r->count > 0 && i < r->columns; i++) {
		char partner[64];
		bool skipped = is_status_of_another(r, i);
		for (size_t k = 0; skip[k] != NULL; k++)
			skipped = skipped || strcmp(skip[k], r->names[i]) == 0;
		if (skipped)
			continue;
		snprintf(partner, sizeof(partner), "%s_status", r->names[i]);
		const char *status = rows_text(r, 0, partner);
		put_label(t, r->names[i]);
		put_value(t, a, table, r->names[i], rows_cell(r, 0, i), status[0] != '\0' ? status : "-");
	}
	enum err err =
	    table_print(t, a->output.f, a->output.format == OUTPUT_WIDE ? 0 : a->output.width, false);
	table_free(t);
	return err;
}

/* "till-17 is dark: two of two witnesses ...": the evidence begins with the state. */
static void put_title(const struct answer *a, const struct rows *host)
{
	char name[4 * LIMIT_HOSTNAME_BYTES + 1], evidence[512];
	const char *raw = rows_text(host, 0, "name");
	if (raw[0] == '\0')
		raw = "This host";
	text_escape(name, sizeof(name), raw, strlen(raw));
	raw = rows_text(host, 0, "evidence");
	if (raw[0] == '\0')
		raw = rows_text(host, 0, "status");
	text_escape(evidence, sizeof(evidence), raw, strlen(raw));
	fprintf(a->output.f, "%s is %s\n", name, evidence);
}

static enum err put_section(struct answer *a, const struct section *s, const char *host,
			    struct err_info *info)
{
	struct output o;
	output_init(&o, a->output.f, a->output.format, a->output.width, a->now, columns);
	fprintf(o.f, "\n%s\n", s->heading);
	struct query_sink sink = output_sink(&o);
	enum err err = query_run(a->query, s->shown, &host, 1, NULL, &sink, info);
	if (err == ERR_OK && o.rows == 0)
		fputs("  none\n", o.f);
	else if (err == ERR_OK)
		err = output_finish_rows(&o);
	output_release(&o);
	return err;
}

static enum err show_text(struct answer *a, const char *host, const struct rows *profile,
			  const struct rows *health, struct err_info *info)
{
	static const char *const said[] = {"name", "status", "evidence", NULL};
	static const char *const identity[] = {"host", "host_name", "site", NULL};
	put_title(a, profile);
	enum err err = put_fields(a, "hosts", profile, said);
	fputs("\nHealth\n", a->output.f);
	if (err == ERR_OK && health->count > 0)
		err = put_fields(a, "health", health, identity);
	else
		fputs("  never reported\n", a->output.f);
	for (size_t i = 0; err == ERR_OK && i < SECTIONS; i++)
		err = put_section(a, &sections[i], host, info);
	fputc('\n', a->output.f);
	return err;
}

static void put_object(struct json *j, const struct rows *r, size_t row)
{
	for (size_t i = 0; i < r->columns; i++)
		output_json_value(j, r->names[i], rows_cell(r, row, i),
				  output_column_find(columns, r->names[i])->style);
}

static enum err show_json(struct answer *a, const char *host, const struct rows *profile,
			  const struct rows *health, struct err_info *info)
{
	struct json *j = &a->output.json;
	enum err err = ERR_OK;
	if (a->output.format == OUTPUT_JSON) {
		json_begin_object(j, NULL);
		json_begin_array(j, "rows");
		json_new_line(j);
	}
	json_begin_object(j, NULL);
	put_object(j, profile, 0);
	if (health->count > 0) {
		json_begin_object(j, "health");
		put_object(j, health, 0);
		json_end_object(j);
	} else {
		json_null(j, "health");
	}
	for (size_t i = 0; err == ERR_OK && i < SECTIONS; i++) {
		struct rows rows;
		err = rows_fetch(a->query, sections[i].whole, &host, 1, &rows, info);
		json_begin_array(j, sections[i].key);
		for (size_t k = 0; err == ERR_OK && k < rows.count; k++) {
			json_begin_object(j, NULL);
			put_object(j, &rows, k);
			json_end_object(j);
		}
		json_end_array(j);
		rows_release(&rows);
	}
	json_end_object(j);
	if (a->output.format == OUTPUT_JSON) {
		json_end_array(j);
	} else {
		fputc('\n', a->output.f);
		j->filled[0] = false;
	}
	return err;
}

int verb_show(struct command *c)
{
	struct answer a;
	char host[ID_HEX_BYTES];
	const char *id = host;
	struct rows profile = {0}, health = {0};
	struct err_info info = {0};
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	if (a.output.format == OUTPUT_CSV) {
		err_set(&info, ERR_USAGE,
			"one host is no list: -o csv is not for show; use json, or mesh sql");
		return answer_fail(&a, &info);
	}
	code = resolve(&a, c->options.operands[0], host);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = rows_fetch(a.query, "SELECT * FROM hosts WHERE host = ?1", &id, 1, &profile, &info);
	if (err == ERR_OK && profile.count == 0)
		err = err_set(&info, ERR_NOT_FOUND, "host %s is gone from the replica; try again", host);
	if (err == ERR_OK)
		err = rows_fetch(a.query, "SELECT * FROM health WHERE host = ?1", &id, 1, &health, &info);
	if (err == ERR_OK)
		err = output_for_people(&a.output) ? show_text(&a, id, &profile, &health, &info)
						   : show_json(&a, id, &profile, &health, &info);
	rows_release(&profile);
	rows_release(&health);
	if (err != ERR_OK && info.code == ERR_OK)
		err_set(&info, err, "%s", err_text(err));
	return err == ERR_OK ? answer_close(&a) : answer_fail(&a, &info);
}
