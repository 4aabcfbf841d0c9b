/* Everything known of one host, in sections. For scripts it is one row with the sections inside it. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/show_fields.h"
#include "cli/show_find.h"
#include "cli/verb.h"
#include "crypto/id.h"

static const struct output_column columns[] = {
    {.name = "host", .style = OUTPUT_ID},
    {.name = "other", .style = OUTPUT_ID},
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "status_since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "seen_ms", .heading = "SEEN", .style = OUTPUT_TIME},
    {.name = "severity", .style = OUTPUT_FIXED},
    {.name = "instance", .style = OUTPUT_FIXED},
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
	bool rare; /* for people only where there are rows */
} sections[] = {
#define OF_HOST " WHERE host = ?1 "
#define OTHERS  "SELECT host, name, site, status, status_since_ms, seen_ms FROM hosts WHERE host <> ?1 AND "
    {"issues", "Issues",
     "SELECT kind, severity, since_ms, count, detail, other FROM issues WHERE subject = ?1 OR other = ?1 "
     "ORDER BY severity, kind",
     "SELECT * FROM issues WHERE subject = ?1 OR other = ?1 ORDER BY severity, kind", false},
    {"issue_proofs", "Proof: two records of one order",
     "SELECT number, record_kind AS record, seq, time_ms, instance, bytes, hash FROM issue_proofs WHERE "
     "subject = ?1 ORDER BY number",
     "SELECT * FROM issue_proofs WHERE subject = ?1 ORDER BY kind, number", true},
    {"replaced", "Took the place of",
     OTHERS "status IN ('replaced', 'left') AND replaced_by = ?1 ORDER BY host",
     OTHERS "status IN ('replaced', 'left') AND replaced_by = ?1 ORDER BY host", true},
    {"same_name", "Other hosts of this name",
     OTHERS "name = (SELECT name FROM hosts WHERE host = ?1) ORDER BY host",
     OTHERS "name = (SELECT name FROM hosts WHERE host = ?1) ORDER BY host", true},
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
     "host_components" OF_HOST "ORDER BY third_party DESC, kind, component, version",
     false},
    {"kernel_component_counts", "Components by kind", BY_KIND, BY_KIND, false},
    {"changes", "Last changes",
     "SELECT time_ms, op, component AS name, version, entry FROM changes" OF_HOST "ORDER BY time_ms DESC",
     "SELECT time_ms, op, component AS name, version, entry FROM changes" OF_HOST "ORDER BY time_ms DESC",
     false},
    {"crashes", "Last crashes", "SELECT time_ms, kind, detail FROM crashes" OF_HOST "ORDER BY time_ms DESC",
     "SELECT time_ms, kind, detail FROM crashes" OF_HOST "ORDER BY time_ms DESC", false},
    {"crash_counts", "Crashes counted",
     "SELECT kind, total, source_status AS total_status FROM crash_counts" OF_HOST "ORDER BY kind",
     "SELECT kind, total, source_status FROM crash_counts" OF_HOST "ORDER BY kind", false},
#undef OF_HOST
#undef OTHERS
#undef BY_KIND
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static const struct {
	const char *standing, *says;
} standings[] = {
    {"grace", "GRACE: its issuer's grant has ended and runs on for a while (mesh issues)\n"},
    {"quarantined", "QUARANTINED: enrolled beyond its issuer's quota, without a say (mesh issues)\n"},
    {"ended", "ENDED: its issuer's grant is over, nobody talks to it; what is shown is old (mesh issues)\n"},
    {"revoked", "REVOKED: this is what it said last, and nobody vouches for it (mesh issues)\n"},
};

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
	bool revoked = strcmp(rows_text(host, 0, "standing"), "revoked") == 0;
	/* A live node takes a revoked host for one that left: that is no news. */
	if (revoked && strcmp(rows_text(host, 0, "status"), "left") == 0)
		fprintf(a->output.f, "%s is revoked\n", name);
	else
		fprintf(a->output.f, "%s is %s%s\n", name, revoked ? "revoked, and was " : "", evidence);
	for (size_t i = 0; i < sizeof(standings) / sizeof(standings[0]); i++) {
		if (strcmp(rows_text(host, 0, "standing"), standings[i].standing) == 0)
			fputs(standings[i].says, a->output.f);
	}
}

static enum err is_empty(struct answer *a, const struct section *s, const char *host, bool *ret,
			 struct err_info *info)
{
	struct rows rows;
	enum err err = rows_fetch(a->query, s->shown, &host, 1, &rows, info);
	*ret = rows.count == 0;
	rows_release(&rows);
	return err;
}

static enum err put_section(struct answer *a, const struct section *s, const char *host,
			    struct err_info *info)
{
	struct output o;
	bool empty = false;
	enum err err = s->rare ? is_empty(a, s, host, &empty, info) : ERR_OK;
	if (err != ERR_OK || empty)
		return err;
	output_init(&o, a->output.f, a->output.format, a->output.width, a->now, columns);
	fprintf(o.f, "\n%s\n", s->heading);
	struct query_sink sink = output_sink(&o);
	err = query_run(a->query, s->shown, &host, 1, NULL, &sink, info);
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
	enum err err = show_fields(a, "hosts", profile, said);
	fputs("\nHealth\n", a->output.f);
	if (err == ERR_OK && health->count > 0)
		err = show_fields(a, "health", health, identity);
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

static enum err show(struct answer *a, const char *id, struct err_info *info)
{
	struct rows profile = {0}, health = {0};
	enum err err = rows_fetch(a->query, "SELECT * FROM hosts WHERE host = ?1", &id, 1, &profile, info);
	if (err == ERR_OK && profile.count == 0)
		err = err_set(info, ERR_NOT_FOUND, "host %s is gone from the replica; try again", id);
	if (err == ERR_OK)
		err = rows_fetch(a->query, "SELECT * FROM health WHERE host = ?1", &id, 1, &health, info);
	if (err == ERR_OK)
		err = output_for_people(&a->output) ? show_text(a, id, &profile, &health, info)
						    : show_json(a, id, &profile, &health, info);
	rows_release(&profile);
	rows_release(&health);
	return err;
}

int verb_show(struct command *c)
{
	struct answer a;
	char host[ID_HEX_BYTES];
	bool hidden = false;
	struct err_info info = {0};
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	if (a.output.format == OUTPUT_CSV) {
		err_set(&info, ERR_USAGE,
			"one host is no list: -o csv is not for show; use json, or mesh sql");
		return answer_fail(&a, &info);
	}
	if (options_has(&c->options, "revoked"))
		query_reveal(a.query);
	code = show_find(&a, c->options.operands[0], host, &hidden);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = hidden ? show_find_hidden(&a, host, &info) : show(&a, host, &info);
	if (err != ERR_OK && info.code == ERR_OK)
		err_set(&info, err, "%s", err_text(err));
	return err == ERR_OK ? answer_close(&a) : answer_fail(&a, &info);
}
