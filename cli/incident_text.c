/* One page about an incident: as text, as JSON, as HTML. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/html.h"
#include "cli/incident.h"
#include "cli/shown.h"

#define NAMED_MAX  10 /* collisions and blocked hosts that a page names */
#define LINE_BYTES 1024

/* --- text --- */

static void put_escaped(FILE *f, const char *text)
{
	char shown[4 * TERMS_TEXT_BYTES];
	text_escape(shown, sizeof(shown), text, strlen(text));
	fputs(shown, f);
}

static void put_line(FILE *f, const char *label, const char *text)
{
	fprintf(f, "%-9s", label);
	put_escaped(f, text);
	fputc('\n', f);
}

static void put_who(FILE *f, const char *label, const char *who, wall_ms at, wall_ms now)
{
	char when[SHOWN_BYTES];
	shown_time(at, now, when);
	fprintf(f, "%-9s%s by ", label, when);
	put_escaped(f, who[0] != '\0' ? who : "an operator without a name");
	fputc('\n', f);
}

static void put_head(FILE *f, const struct incident_work *w)
{
	const struct incident_head *h = &w->head;
	fprintf(f, "Incident %s, %s: ", h->id, h->open ? "open" : "CLOSED");
	put_escaped(f, h->text[0] != '\0' ? h->text : "(no text)");
	fputc('\n', f);
	put_who(f, "Opened", h->opened_by, h->opened, w->now);
	if (!h->open) {
		put_who(f, "Closed", h->closed_by, h->closed, w->now);
		put_line(f, "", h->closed_text);
	}
	put_line(f, "Match",
		 h->match.count > 0 ? h->match_text : "(none yet: only what is claimed is listed)");
	put_line(f, "Good", h->good.count > 0 ? h->good_text : "(up, and no match)");
	fputc('\n', f);
}

static void put_matrix(FILE *f, const struct incident_work *w)
{
	fprintf(f, "%-18s %8s   %-14s %8s %8s %8s\n", "PROVEN", "HOSTS", "SAID: NOTHING", "CLAIMED",
		"BLOCKED", "DONE");
	for (size_t i = 0; i < INCIDENT_STATE_COUNT; i++) {
		const uint64_t *n = w->counts[i];
		fprintf(f, "%-18s %8" PRIu64 "   %14" PRIu64 " %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n",
			incident_state_words((enum incident_state)i),
			incident_count(w, (enum incident_state)i), n[SAID_NOTHING], n[SAID_CLAIMED],
			n[SAID_BLOCKED], n[SAID_DONE]);
	}
	fprintf(f, "%zu hosts on the list.", w->listed);
	if (w->relapsed > 0)
		fprintf(f, " %" PRIu64 " came back and went down again.", w->relapsed);
	if (w->before > 0)
		fprintf(f, " %" PRIu64 " more match, and were down before it began.", w->before);
	fputs("\n\n", f);
}

static void put_named(FILE *f, const struct incident_work *w)
{
	size_t blocked = 0, shown = 0;
	for (size_t i = 0; i < w->listed; i++)
		blocked += w->hosts[i].blocked != NULL && w->hosts[i].said == SAID_BLOCKED;
	if (w->collision_count > 0)
		fprintf(f, "COLLISIONS: %zu taken by several\n", w->collision_count);
	for (size_t i = 0; i < w->collision_count && i < NAMED_MAX; i++) {
		fprintf(f, "  %s", w->collisions[i].site ? "site " : "");
		put_escaped(f, w->collisions[i].about);
		fputs(": ", f);
		put_escaped(f, w->collisions[i].who);
		fputc('\n', f);
	}
	if (blocked > 0)
		fprintf(f, "BLOCKED: %zu\n", blocked);
	for (size_t i = 0; i < w->listed && shown < NAMED_MAX; i++) {
		const struct incident_host *h = &w->hosts[i];
		if (h->blocked == NULL || h->said != SAID_BLOCKED)
			continue;
		shown++;
		fputs("  ", f);
		put_escaped(f, h->name[0] != '\0' ? h->name : h->host);
		fputs(" (", f);
		put_escaped(f, h->site);
		fputs("): ", f);
		put_escaped(f, h->blocked[0] != '\0' ? h->blocked : "no reason given");
		fputc('\n', f);
	}
	if (w->collision_count > 0 || blocked > 0)
		fputs("Others by mesh incident show --hosts.\n\n", f);
}

void incident_text(FILE *f, const struct incident_work *w, const struct burn *b)
{
	char line[LINE_BYTES];
	put_head(f, w);
	put_matrix(f, w);
	put_named(f, w);
	incident_burn_chart(f, b, w->now);
	incident_burn_words(b, w->now, line, sizeof(line));
	fprintf(f, "%s.\n", line);
}

/* --- JSON --- */

static void put_burn(struct json *j, const struct burn *b)
{
	static const char *const forecasts[] = {"reached", "range", "unknown"};
	json_new_line(j);
	json_begin_object(j, "forecast");
	json_string(j, "is", forecasts[b->forecast]);
	json_u64(j, "percent", BURN_SHARE);
	json_real(j, "hosts_an_hour", b->rate);
	if (b->low != 0)
		json_u64(j, "from_ms", b->low);
	else
		json_null(j, "from_ms");
	if (b->high_known)
		json_u64(j, "to_ms", b->high);
	else
		json_null(j, "to_ms");
	json_end_object(j);
	json_new_line(j);
	json_begin_array(j, "burn_down");
	for (size_t i = 0; i < b->count; i++) {
		json_begin_object(j, NULL);
		json_u64(j, "at_ms", b->points[i].at);
		json_u64(j, "hit", b->points[i].hit);
		json_u64(j, "proven_back", b->points[i].back);
		json_u64(j, "said_done", b->points[i].done);
		json_end_object(j);
	}
	json_end_array(j);
}

void incident_json(struct json *j, const struct incident_work *w, const struct burn *b)
{
	const struct incident_head *h = &w->head;
	json_new_line(j);
	json_begin_object(j, "incident");
	json_string(j, "incident", h->id);
	json_string(j, "text", h->text);
	json_string(j, "opened_by", h->opened_by);
	json_u64(j, "opened_ms", h->opened);
	json_bool(j, "open", h->open);
	json_string(j, "match", h->match_text);
	json_string(j, "good", h->good_text);
	json_u64(j, "hosts", w->listed);
	json_u64(j, "relapsed", w->relapsed);
	json_u64(j, "down_before", w->before);
	json_end_object(j);
	json_new_line(j);
	json_begin_object(j, "counts");
	for (size_t i = 0; i < INCIDENT_STATE_COUNT; i++) {
		json_begin_object(j, incident_state_name((enum incident_state)i));
		for (size_t k = 0; k < INCIDENT_SAID_COUNT; k++)
			json_u64(j, incident_said_name((enum incident_said)k), w->counts[i][k]);
		json_end_object(j);
	}
	json_end_object(j);
	json_new_line(j);
	json_begin_array(j, "collisions");
	for (size_t i = 0; i < w->collision_count; i++) {
		json_begin_object(j, NULL);
		json_string(j, "about", w->collisions[i].site ? "site" : "host");
		json_string(j, "name", w->collisions[i].about);
		json_string(j, "operators", w->collisions[i].who);
		json_end_object(j);
	}
	json_end_array(j);
	put_burn(j, b);
}

/* --- HTML --- */

static void html_matrix(FILE *f, const struct incident_work *w)
{
	fputs("<table><tr><th>Proven by the hosts<th class=n>Hosts<th class=n>Nobody has it<th "
	      "class=n>Claimed<th class=n>"
	      "Blocked<th class=n>Said to be done</tr>\n",
	      f);
	for (size_t i = 0; i < INCIDENT_STATE_COUNT; i++) {
		fputs("<tr><td>", f);
		html_text(f, incident_state_words((enum incident_state)i));
		fprintf(f, "<td class=n>%" PRIu64, incident_count(w, (enum incident_state)i));
		for (size_t k = 0; k < INCIDENT_SAID_COUNT; k++)
			fprintf(f, "<td class=n>%" PRIu64, w->counts[i][k]);
		fputs("</tr>\n", f);
	}
	fprintf(f,
		"</table>\n<p>%zu hosts on the list. %" PRIu64 " came back and went down again. %" PRIu64
		" more match, and were down before it began. What people said and what hosts prove are two "
		"things, and "
		"are not added up.</p>\n",
		w->listed, w->relapsed, w->before);
}

static void html_sites(FILE *f, const struct incident_work *w)
{
	size_t sites = 0, left_out = 0;
	fputs("<h2>Sites with hosts still to come back</h2>\n<table><tr><th>Site<th class=n>To come<th "
	      "class=n>Back</tr>\n",
	      f);
	for (size_t i = 0, next; i < w->listed; i = next) {
		size_t back = 0;
		for (next = i; next < w->listed && strcmp(w->hosts[next].site, w->hosts[i].site) == 0; next++)
			back += w->hosts[next].state == INCIDENT_BACK;
		if (back == next - i)
			continue;
		if (sites++ >= NAMED_MAX) {
			left_out++;
			continue;
		}
		fputs("<tr><td>", f);
		html_text(f, w->hosts[i].site);
		fprintf(f, "<td class=n>%zu<td class=n>%zu</tr>\n", next - i - back, back);
	}
	fputs("</table>\n", f);
	if (left_out > 0)
		fprintf(f, "<p>and %zu more sites</p>\n", left_out);
}

void incident_html(FILE *f, const struct incident_work *w, const struct burn *b,
		   const struct query_coverage *coverage)
{
	char line[LINE_BYTES], when[SHOWN_BYTES], as_of[SHOWN_BYTES];
	const struct incident_head *h = &w->head;
	html_begin(f, h->text[0] != '\0' ? h->text : h->id, "");
	html_element(f, "h1", h->text[0] != '\0' ? h->text : h->id);
	shown_time(h->opened, w->now, when);
	fprintf(f, "<p>Incident %s, %s. Opened %s by ", h->id, h->open ? "open" : "closed", when);
	html_text(f, h->opened_by);
	fputs(".<br>Hosts that match: ", f);
	html_text(f, h->match_text[0] != '\0' ? h->match_text : "those that are claimed");
	fputs("<br>Good: ", f);
	html_text(f, h->good_text[0] != '\0' ? h->good_text : "up, and no match");
	fputs("</p>\n", f);
	html_matrix(f, w);
	incident_burn_words(b, w->now, line, sizeof(line));
	fputs("<h2>Progress</h2>\n<p>", f);
	html_text(f, line);
	fputs(".</p>\n<pre>", f);
	incident_burn_chart(f, b, w->now);
	fputs("</pre>\n", f);
	html_sites(f, w);
	if (w->collision_count > 0)
		fprintf(f, "<p>%zu hosts or sites are taken by several people.</p>\n", w->collision_count);
	shown_time(coverage->as_of, w->now, as_of);
	fprintf(f,
		"<p><small>As one host of the estate knew it at %s: %" PRIu64 " hosts, %" PRIu64
		" of %" PRIu64 " sites reporting%s.</small></p>\n",
		as_of, coverage->hosts, coverage->sites - coverage->sites_silent, coverage->sites,
		coverage->complete ? "" : "; PARTIAL: not everything is known");
	html_end(f);
}
