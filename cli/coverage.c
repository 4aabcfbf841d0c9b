#include "cli/coverage.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"

#define SITES_LISTED 5 /* for people; scripts get all that there are */
#define SITE_SHOWN   (4 * LIMIT_SITE_NAME_BYTES + 1)

struct count {
	uint64_t n;
	const char *what;
};

static void put_counts(FILE *f, const struct query_coverage *c)
{
	const struct count counts[] = {
	    {c->up, "up"},         {c->dark, "dark"},       {c->replaced, "replaced"},
	    {c->silent, "silent"}, {c->stopped, "stopped"}, {c->asleep, "asleep"},
	    {c->left, "left"},     {c->unknown, "unknown"},
	};
	const char *separator = " (";
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].n > 0) {
			fprintf(f, "%s%" PRIu64 " %s", separator, counts[i].n, counts[i].what);
			separator = ", ";
		}
	}
	fputs(separator[0] == ',' ? ")" : "", f);
}

static void put_partial(FILE *f, uint64_t n, const char *one, const char *many)
{
	if (n > 0)
		fprintf(f, "PARTIAL: %" PRIu64 " %s\n", n, n == 1 ? one : many);
}

#define ANEW "enrol the machine anew in an empty folder: mesh enroll --token FILE --state DIR"

void coverage_self(FILE *f, const char *prefix, enum host_standing standing, bool unsure)
{
	static const char *const lines[] = {
	    [STANDING_GOOD] = NULL,
	    [STANDING_GRACE] = NULL, /* among the issues */
	    [STANDING_QUARANTINED] =
		"this host is QUARANTINED, enrolled beyond its issuer's quota: shown, without a "
		"say; raise the quota: mesh authority extend",
	    [STANDING_ENDED] =
		"this host's grant has ENDED: no other node talks to it, and what is shown is from "
		"before; extend the grant: mesh authority extend",
	    [STANDING_REVOKED] =
		"this host, or who enrolled it, is REVOKED: no other node talks to it, and what is "
		"shown is from before; " ANEW,
	};
	const char *line = standing <= STANDING_REVOKED ? lines[standing] : NULL;
	if (line == NULL && unsure)
		line = "who enrolled this host is REVOKED, and which of its hosts stay is not known here; "
		       "where no "
		       "node answers, this one does not: " ANEW;
	if (line != NULL)
		fprintf(f, "%s%s\n", prefix, line);
}

static void put_modules(FILE *f, const struct query_modules *m)
{
	const struct count counts[] = {
	    {m->unsupported,
	     "a kernel without support for loadable modules: only what is built in is listed"},
	    {m->denied, "a module list that may not be read: loaded modules are not known"},
	    {m->failed, "a module list that could not be read: loaded modules are not known"},
	    {m->unknown, "no report of modules yet"},
	};
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].n > 0)
			fprintf(f, "Modules: %" PRIu64 " host%s %s %s\n", counts[i].n,
				shown_plural(counts[i].n), counts[i].n == 1 ? "has" : "have", counts[i].what);
	}
}

/* One line, where there is something to say. */
static void put_trust(FILE *f, const struct query_coverage *c)
{
	const struct count counts[] = {
	    {c->quarantined, "quarantined"},
	    {c->revoked_hidden, "revoked and hidden"},
	};
	if (c->issues + c->quarantined + c->revoked_hidden == 0)
		return;
	fprintf(f, "Trust: %" PRIu64 " issue%s open", c->issues, shown_plural(c->issues));
	if (c->issues_critical > 0)
		fprintf(f, ", %" PRIu64 " critical", c->issues_critical);
	fputs(c->issues > 0 ? " (mesh issues)" : "", f);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (counts[i].n > 0)
			fprintf(f, "; %" PRIu64 " host%s %s", counts[i].n, shown_plural(counts[i].n),
				counts[i].what);
	}
	if (c->grants_in_grace > 0)
		fprintf(f, "; %" PRIu64 " grant%s in grace", c->grants_in_grace,
			shown_plural(c->grants_in_grace));
	fputs(c->log_forked ? "; authority log FORKED\n" : "\n", f);
}

static void put_inventory(FILE *f, const struct query_inventory *i)
{
	if (i->never_enrolled > 0)
		fprintf(f, "Never enrolled: %" PRIu64 " of %" PRIu64 " machine%s of the inventory\n",
			i->never_enrolled, i->machines, shown_plural(i->machines));
	if (i->partial)
		fputs("PARTIAL: part of the inventory is not here yet\n", f);
}

void coverage_text(FILE *f, const struct query_coverage *c, const struct coverage_modules *modules,
		   wall_ms now)
{
	char age[SHOWN_BYTES], since[SHOWN_BYTES], site[SITE_SHOWN];
	if (modules != NULL && modules->asked)
		put_modules(f, &modules->hosts);
	fprintf(f, "Coverage: %" PRIu64 " host%s", c->hosts, shown_plural(c->hosts));
	put_counts(f, c);
	shown_age(shown_seconds(c->as_of, now), age);
	fprintf(f, ", %" PRIu64 " site%s, ", c->sites, shown_plural(c->sites));
	if (c->as_of != 0)
		fprintf(f, "replica %s old\n", age);
	else
		fputs("nothing committed yet\n", f);
	bool barred = c->self_standing == STANDING_REVOKED || c->self_standing == STANDING_ENDED;
	coverage_self(f, barred ? "PARTIAL: " : "Trust: ", c->self_standing, c->self_unsure);
	if (c->as_of == 0)
		fputs("PARTIAL: the replica is new, and nothing is in it yet; is meshd running? (mesh "
		      "status)\n",
		      f);
	else if (c->stale)
		fprintf(f, "PARTIAL: the replica is %s old; is meshd running? (mesh status)\n", age);
	for (uint64_t i = 0; i < c->sites_silent && i < SITES_LISTED; i++) {
		text_escape(site, sizeof(site), c->silent_sites[i].name, strlen(c->silent_sites[i].name));
		shown_time(c->silent_sites[i].since, now, since);
		shown_age(shown_seconds(c->silent_sites[i].since, now), age);
		fprintf(f, "PARTIAL: site %s silent since %s (%s)\n", site, since, age);
	}
	if (c->sites_silent > SITES_LISTED)
		fprintf(f, "PARTIAL: %" PRIu64 " more sites silent (mesh sites)\n",
			c->sites_silent - SITES_LISTED);
	put_partial(f, c->hosts_stale, "host not heard of for three intervals of its site",
		    "hosts not heard of for three intervals of their site");
	put_partial(f, c->incomplete, "host was heard, but its records are not here yet",
		    "hosts were heard, but their records are not here yet");
	if (c->never_heard > 0)
		fprintf(f, "Never heard: %" PRIu64 " host%s enrolled, and not a word of %s yet\n",
			c->never_heard, c->never_heard == 1 ? " is" : "s are",
			c->never_heard == 1 ? "it" : "them");
	put_inventory(f, &c->inventory);
	put_partial(f, c->damaged_rows, "damaged row of the replica left out; meshd pulls it again",
		    "damaged rows of the replica left out; meshd pulls them again");
	put_partial(
	    f, c->components_left_out,
	    "host has components that nobody shares, and more than can be shown: some are left out",
	    "hosts have components that nobody shares, and more than can be shown: some are left out");
	put_trust(f, c);
}

static void put_silent_sites(struct json *j, const struct query_coverage *c, wall_ms now)
{
	size_t listed = sizeof(c->silent_sites) / sizeof(c->silent_sites[0]);
	json_begin_array(j, "silent_sites");
	for (uint64_t i = 0; i < c->sites_silent && i < listed; i++) {
		json_begin_object(j, NULL);
		json_string(j, "site", c->silent_sites[i].name);
		json_u64(j, "since_ms", c->silent_sites[i].since);
		json_u64(j, "silent_s", shown_seconds(c->silent_sites[i].since, now));
		json_end_object(j);
	}
	json_end_array(j);
}

static void put_json_modules(struct json *j, const struct query_modules *m)
{
	json_begin_object(j, "module_support");
	json_u64(j, "supported", m->supported);
	json_u64(j, "unsupported", m->unsupported);
	json_u64(j, "denied", m->denied);
	json_u64(j, "failed", m->failed);
	json_u64(j, "unknown", m->unknown);
	json_end_object(j);
}

void coverage_json(struct json *j, const char *key, const struct query_coverage *c,
		   const struct coverage_modules *modules, wall_ms now)
{
	json_begin_object(j, key);
	json_bool(j, "complete", c->complete);
	json_bool(j, "stale", c->stale);
	if (c->as_of != 0) {
		json_u64(j, "as_of_ms", c->as_of);
		json_u64(j, "age_s", shown_seconds(c->as_of, now));
	} else {
		json_null(j, "as_of_ms");
		json_null(j, "age_s");
	}
	json_string(j, "self", c->self);
	json_string(j, "self_site", c->self_site);
	json_string(j, "self_standing", host_standing_name(c->self_standing));
	json_u64(j, "hosts", c->hosts);
	json_u64(j, "up", c->up);
	json_u64(j, "silent", c->silent);
	json_u64(j, "dark", c->dark);
	json_u64(j, "stopped", c->stopped);
	json_u64(j, "asleep", c->asleep);
	json_u64(j, "left", c->left);
	json_u64(j, "replaced", c->replaced);
	json_u64(j, "unknown", c->unknown);
	json_u64(j, "fresh", c->fresh);
	json_u64(j, "never_heard", c->never_heard);
	if (c->inventory.known) {
		json_u64(j, "never_enrolled", c->inventory.never_enrolled);
		json_u64(j, "inventory_machines", c->inventory.machines);
	} else {
		json_null(j, "never_enrolled");
		json_null(j, "inventory_machines");
	}
	json_bool(j, "inventory_partial", c->inventory.partial);
	json_u64(j, "hosts_stale", c->hosts_stale);
	json_u64(j, "incomplete", c->incomplete);
	json_u64(j, "sites", c->sites);
	json_u64(j, "sites_silent", c->sites_silent);
	put_silent_sites(j, c, now);
	if (c->oldest_attested == 0) {
		json_null(j, "oldest_attested_ms");
		json_null(j, "oldest_attested_s");
	} else {
		json_u64(j, "oldest_attested_ms", c->oldest_attested);
		json_u64(j, "oldest_attested_s", shown_seconds(c->oldest_attested, now));
	}
	json_u64(j, "damaged_rows", c->damaged_rows);
	json_u64(j, "components_left_out", c->components_left_out);
	json_u64(j, "quarantined", c->quarantined);
	json_u64(j, "revoked_hidden", c->revoked_hidden);
	json_u64(j, "issues", c->issues);
	json_u64(j, "issues_critical", c->issues_critical);
	json_u64(j, "issues_warning", c->issues_warning);
	json_u64(j, "grants_in_grace", c->grants_in_grace);
	json_bool(j, "log_forked", c->log_forked);
	if (modules != NULL && modules->asked)
		put_json_modules(j, &modules->hosts);
	json_end_object(j);
}
