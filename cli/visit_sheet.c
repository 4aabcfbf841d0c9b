#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/html.h"
#include "cli/shown.h"
#include "cli/visit.h"
#include "os/terminal.h"

#define SITE_BYTES  (4 * LIMIT_SITE_NAME_BYTES + 1)
#define FIELD_BYTES 300
#define INDENT      8

static const struct {
	const char *words, *column;
} about[] = {{"Address", "address"},
	     {"Opening hours", "opening_hours"},
	     {"Contact", "contact"},
	     {"Recovery keys", "recovery_key"},
	     {"Remark", "remark"}};
#define ABOUT (sizeof(about) / sizeof(about[0]))

static void unenrolled(const struct visit *v, size_t machine, char *ret, size_t cap)
{
	char name[FIELD_BYTES], assets[FIELD_BYTES], role[FIELD_BYTES];
	const char *raw[] = {rows_text(&v->machines, machine, "name"),
			     rows_text(&v->machines, machine, "asset_ids"),
			     rows_text(&v->machines, machine, "role")};
	text_escape(name, sizeof(name), raw[0], strlen(raw[0]));
	text_escape(assets, sizeof(assets), raw[1], strlen(raw[1]));
	text_escape(role, sizeof(role), raw[2], strlen(raw[2]));
	snprintf(ret, cap, "%s%s%s%s%s", name, name[0] != '\0' && assets[0] != '\0' ? ", " : "", assets,
		 role[0] != '\0' ? ", " : "", role);
}

/* --- text --- */

static void text_host(FILE *f, const struct visit_host *h, size_t number)
{
	fprintf(f, "\n[ ] %2zu. %s\n", number, h->name);
	fprintf(f, "%*sRole %s, critical: %s, asset %s\n", INDENT, "", h->role, h->criticality, h->assets);
	fprintf(f, "%*sWhere %s, model %s\n", INDENT, "", h->location, h->model);
	fprintf(f, "%*sSystem %s, address %s\n", INDENT, "", h->os, h->address);
	fprintf(f, "%*s%s since %s; recovery key: %s\n", INDENT, "", h->fate, h->since, h->recovery);
	if (strcmp(h->remark, "-") != 0)
		fprintf(f, "%*sRemark %s\n", INDENT, "", h->remark);
	fprintf(f, "%*s", INDENT, "");
	shown_fill(f, h->todo, INDENT, INDENT);
	fprintf(f, "%*s", INDENT, "");
	for (size_t i = 0; visit_boxes[i] != NULL; i++)
		fprintf(f, "[ ] %s   ", visit_boxes[i]);
	fputs("________________________________\n", f);
}

void visit_text(const struct visit *v, struct answer *a)
{
	char site[SITE_BYTES], value[FIELD_BYTES], now[32], machine[4 * FIELD_BYTES];
	FILE *f = a->output.f;
	struct visit_host *h = calloc(1, sizeof(*h));
	size_t at = 0, i;
	if (h == NULL)
		return;
	text_escape(site, sizeof(site), v->site, strlen(v->site));
	os_time_text(a->now, now);
	fprintf(f, "VISIT %s%*s%s\n", site, 4, "", now);
	fprintf(f, "%zu to look after; %" PRIu64 " of %" PRIu64 " hosts are up\n\n", v->hosts.count,
		rows_u64(&v->counts, 0, "up"), rows_u64(&v->counts, 0, "hosts"));
	for (i = 0; i < ABOUT; i++) {
		visit_about(v, about[i].column, value, sizeof(value));
		fprintf(f, "%-14s %s\n", about[i].words, value);
	}
	for (i = 0; i < v->hosts.count; i++) {
		visit_host(v, i, a->now, h);
		text_host(f, h, i + 1);
	}
	free(h);
	for (bool first = true; visit_next_unenrolled(v, &at, &i); first = false) {
		if (first)
			fputs("\nIn the inventory, and never enrolled: look for these, too\n", f);
		unenrolled(v, i, machine, sizeof(machine));
		fprintf(f, "[ ] %s\n", machine);
	}
	fputs("\nDone by ______________________   Date ____________   Time ________\n\n", f);
}

/* --- HTML --- */

static const char style[] =
    "h1{margin:0}h2{margin:.4em 0}"
    "li{break-inside:avoid;border-top:1px solid #999;margin-top:.8em}dl{columns:2;margin:0}"
    "dt{font-weight:bold;float:left;clear:left;width:7em}dd{margin-left:7.5em}"
    ".box{display:inline-block;width:.8em;height:.8em;border:1px solid #000;margin-right:.5em}"
    ".line{display:inline-block;width:7cm;border-bottom:1px solid #000}.todo{background:#eee;padding:.4em}";

static void field(FILE *f, const char *words, const char *value)
{
	fprintf(f, "<dt>%s</dt><dd>", words);
	html_text(f, value);
	fputs("</dd>\n", f);
}

static void html_host(FILE *f, const struct visit_host *h)
{
	fputs("<li><h2><span class=\"box\"></span>", f);
	html_text(f, h->name);
	fputs("</h2>\n<dl>\n", f);
	field(f, "Role", h->role);
	field(f, "Critical", h->criticality);
	field(f, "Asset", h->assets);
	field(f, "Where", h->location);
	field(f, "Model", h->model);
	field(f, "System", h->os);
	field(f, "Address", h->address);
	field(f, "State", h->fate);
	field(f, "Since", h->since);
	field(f, "Recovery key", h->recovery);
	field(f, "Remark", h->remark);
	fputs("</dl>\n<p class=\"todo\">", f);
	html_text(f, h->todo);
	fputs("</p>\n<p>", f);
	for (size_t i = 0; visit_boxes[i] != NULL; i++)
		fprintf(f, "<span class=\"box\"></span>%s &nbsp; ", visit_boxes[i]);
	fputs("<span class=\"line\"></span></p></li>\n", f);
}

static void html_unenrolled(FILE *f, const struct visit *v)
{
	char machine[4 * FIELD_BYTES];
	size_t at = 0, i;
	bool any = false;
	for (; visit_next_unenrolled(v, &at, &i); any = true) {
		if (!any)
			fputs("<h2>In the inventory, and never enrolled: look for these, too</h2>\n", f);
		unenrolled(v, i, machine, sizeof(machine));
		fputs("<p><span class=\"box\"></span>", f);
		html_text(f, machine);
		fputs("</p>\n", f);
	}
}

void visit_html(const struct visit *v, struct answer *a, const struct query_coverage *coverage)
{
	char title[SITE_BYTES + 8], value[FIELD_BYTES], now[32], as_of[32];
	FILE *f = a->output.f;
	struct visit_host *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return;
	snprintf(title, sizeof(title), "Visit %s", v->site);
	os_time_text(a->now, now);
	os_time_text(coverage->as_of, as_of);
	html_begin(f, title, style);
	html_element(f, "h1", title);
	fprintf(f,
		"<p>%s; %zu to look after, %" PRIu64 " of %" PRIu64
		" hosts are up. As this machine knew it %s%s.</p>\n<dl>\n",
		now, v->hosts.count, rows_u64(&v->counts, 0, "up"), rows_u64(&v->counts, 0, "hosts"), as_of,
		coverage->complete ? "" : "; not all of the estate is known, or it is old");
	for (size_t i = 0; i < ABOUT; i++) {
		visit_about(v, about[i].column, value, sizeof(value));
		field(f, about[i].words, value);
	}
	fputs("</dl>\n<ol>\n", f);
	for (size_t i = 0; i < v->hosts.count; i++) {
		visit_host(v, i, a->now, h);
		html_host(f, h);
	}
	free(h);
	fputs("</ol>\n", f);
	html_unenrolled(f, v);
	fputs("<p>Done by <span class=\"line\"></span> Date and time <span class=\"line\"></span></p>\n", f);
	html_end(f);
}
