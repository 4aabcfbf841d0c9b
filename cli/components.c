/* Kernel components by version. Counted over all hosts, or over those that match --where. What policies say,
 * how many versions there are and which way a version goes are views of the same list. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/verb.h"

static const struct output_column columns[] = {
    {.name = "name"},
    {.name = "version"},
    {.name = "kind", .style = OUTPUT_FIXED},
    {.name = "vendor"},
    {.name = "hosts_up", .heading = "UP"},
    {.name = "hosts_dark", .heading = "DARK"},
    {.name = "hosts_other", .heading = "OTHER"},
    {.name = "loaded_on", .heading = "LOADED"},
    {.name = "approval", .style = OUTPUT_FIXED},
    {.name = "gained_7d", .heading = "+7 DAYS"},
    {.name = "lost_7d", .heading = "-7 DAYS"},
    {.name = "source", .only_wide = true},
    {.name = "boot_start", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "out_of_tree", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "unsigned", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "proprietary", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "third_party", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "entry", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = NULL},
};

#define DETAILS                                                                                              \
	"version_status, vendor_status, source, source_status, boot_start, out_of_tree, unsigned, "          \
	"proprietary, "                                                                                      \
	"third_party, entry"

/* Behind --hosts: one row a host and component. */
static const struct output_column host_columns[] = {
    {.name = "name"},
    {.name = "version"},
    {.name = "host_name", .heading = "HOST"},
    {.name = "site"},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "loaded", .style = OUTPUT_YESNO},
    {.name = "approval", .style = OUTPUT_FIXED},
    {.name = "kind", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = "vendor", .only_wide = true},
    {.name = "pending", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "host", .style = OUTPUT_ID, .only_wide = true},
    {.name = "entry", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = NULL},
};

/* Which components: conditions over the table components, under the name c. */
static void choose(struct question *q, const struct options *o)
{
	const char *name = options_value(o, "name");
	if (!options_has(o, "all"))
		question_add(q, " AND c.third_party = 1");
	if (options_has(o, "unsigned"))
		question_add(q, " AND c.unsigned = 1");
	if (options_has(o, "boot-start"))
		question_add(q, " AND c.boot_start = 1");
	if (options_has(o, "unapproved"))
		question_add(q, " AND c.approval <> 'approved'");
	if (options_has(o, "multi-version"))
		question_add(
		    q, " AND (c.kind, c.name) IN (SELECT kind, name FROM components WHERE hosts > 0 "
		       "AND version IS NOT NULL GROUP BY kind, name HAVING count(DISTINCT version) > 1)");
	if (name != NULL)
		question_bind(q, strpbrk(name, "*?[") != NULL ? " AND c.name GLOB " : " AND c.name = ", name,
			      "");
}

/* For questions over hosts: what is chosen, found first. */
static void pick(struct question *q, const struct options *o)
{
	question_add(q, "WITH picked AS MATERIALIZED (SELECT c.entry AS picked_entry, c.approval FROM "
			"components c WHERE c.hosts > 0");
	choose(q, o);
	question_add(q, ") ");
}
static void ask_hosts(struct question *q, const struct command *c)
{
	bool judged = options_has(&c->options, "unapproved");
	pick(q, &c->options);
	question_add(q, "SELECT component AS name, version, host_name, site, status, loaded, ");
	question_add(q, judged ? "approval, " : "");
	question_add(q, "kind, vendor, pending, host, entry FROM host_components h ");
	/* In this order: the hosts are gone through once. */
	question_add(q, judged ? "CROSS JOIN picked p ON p.picked_entry = h.entry " : "");
	question_add(q, "WHERE h.entry IN (SELECT picked_entry FROM picked) AND status NOT IN ('left', "
			"'replaced')");
	question_where(q, c);
	question_add(q, " ORDER BY name, version, site, host_name, host");
}

static void ask(struct question *q, const struct command *c)
{
	const struct options *o = &c->options;
	if (options_has(o, "hosts")) {
		ask_hosts(q, c);
		return;
	}
	question_add(q, "SELECT name, version, kind, vendor, hosts, hosts_up, hosts_dark, hosts_other, "
			"loaded_on, ");
	if (options_has(o, "unapproved"))
		question_add(q, "approval, ");
	if (options_has(o, "trend"))
		question_add(q, "gained_7d, lost_7d, ");
	question_add(q, DETAILS " FROM components c WHERE ");
	/* What only hosts have that do not count is listed for the whole estate, but not for a part of it. */
	question_add(q, options_has(o, "where") ? "hosts > 0" : "1");
	choose(q, o);
	question_add(q, options_has(o, "multi-version")
			    ? " ORDER BY third_party DESC, kind, name, hosts DESC, version"
			    : " ORDER BY third_party DESC, hosts DESC, kind, name, version");
}

/* The hosts that match --where, if it was given: all that is counted is counted over them. */
static enum err count_matching(struct answer *a, struct err_info *info)
{
	if (!options_has(&a->command->options, "where"))
		return ERR_OK;
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	question_hosts(q, a->command);
	enum err err = q->failed
			   ? err_set(info, ERR_LIMIT, "the condition of --where is longer than %d bytes",
				     LIMIT_SQL_BYTES)
			   : query_count_only(a->query, q->sql, info);
	free(q);
	return err;
}

/* Without a policy nothing is approved, and nothing refused: that is no empty list. */
static enum err check_policy(struct answer *a, struct err_info *info)
{
	uint64_t rows;
	if (!options_has(&a->command->options, "unapproved"))
		return ERR_OK;
	enum err err = query_policy(a->query, &rows, info);
	if (err == ERR_OK && rows == 0) {
		a->partial = true;
		a->remark = "No policy is in force here, so nothing is approved or refused.\n";
	}
	return err;
}

/* An empty list says how much there is beside it. */
static enum err remark_on_empty(struct answer *a, char *remark, size_t cap, struct err_info *info)
{
	struct rows rows;
	if (a->output.rows > 0 || a->remark != NULL)
		return ERR_OK;
	if (options_has(&a->command->options, "unapproved") ||
	    options_has(&a->command->options, "multi-version")) {
		a->remark = "None.\n";
		return ERR_OK;
	}
	if (options_has(&a->command->options, "all")) {
		a->remark = "No such component is known.\n";
		return ERR_OK;
	}
	enum err err = query_count_only(a->query, NULL, info);
	if (err != ERR_OK)
		return err;
	err = rows_fetch(a->query, "SELECT count(*) AS n FROM components", NULL, 0, &rows, info);
	if (err == ERR_OK && rows.count > 0) {
		uint64_t n = rows_u64(&rows, 0, "n");
		snprintf(remark, cap,
			 "No such third-party component is known; --all searches all %" PRIu64
			 " component%s.\n",
			 n, shown_plural(n));
		a->remark = remark;
	}
	rows_release(&rows);
	return err;
}

int verb_components(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	char remark[160];
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	if (options_has(&c->options, "trend") &&
	    (options_has(&c->options, "where") || options_has(&c->options, "hosts"))) {
		free(q);
		return command_fail(c, MESH_EXIT_USAGE,
				    "--trend counts all hosts of a version: leave out --where and --hosts");
	}
	ask(q, c);
	int code = answer_open(c, options_has(&c->options, "hosts") ? host_columns : columns, &a);
	if (code == MESH_EXIT_COMPLETE && count_matching(&a, &info) != ERR_OK)
		code = answer_fail(&a, &info);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_question(&a, q);
	free(q);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	a.modules.asked = true;
	enum err err = query_modules(a.query, &a.modules.hosts, &info);
	if (err == ERR_OK)
		err = check_policy(&a, &info);
	if (err == ERR_OK)
		err = remark_on_empty(&a, remark, sizeof(remark), &info);
	return err == ERR_OK ? answer_close(&a) : answer_fail(&a, &info);
}
