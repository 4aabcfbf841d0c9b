/* The one table of verbs, and look-ups in it. Those of the worst day are in verbs_outage.c and
 * verbs_repair.c, those that keep the estate's trust in verbs_trust.c and verbs_keys.c. */
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "cli/verb.h"
#include "cli/when.h"
#include "record/state.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

#define WHY_NO_VALUE                                                                                         \
	"In place of a value stands why there is none: absent (the thing is not there), denied (meshd may "  \
	"not read it), unsupported (this kernel or machine cannot tell), failed, or unknown (not told yet)."

static const struct option_spec shared_help[] = {
    {.name = "help", .letter = 'h', .help = "show this help"},
    END,
};

static const struct option_spec shared_state[] = {
    {.name = "state",
     .value = "DIR",
     .words = "@dir",
     .help = "state folder of the node (default: MESH_STATE, else /var/lib/mesh when it exists, else "
	     "~/.local/state/mesh)"},
    END,
};

static const struct option_spec shared_query[] = {
    {.name = "state",
     .value = "DIR",
     .words = "@dir",
     .help = "state folder of the node (default: MESH_STATE, else /var/lib/mesh when it exists, else "
	     "~/.local/state/mesh)"},
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .words = OUTPUT_FORMATS,
     .help = "table (default), wide, json, jsonl or csv"},
    {.name = "allow-partial", .help = "exit with 0 also when the answer is stale or partial"},
    END,
};

static const struct option_spec shared_watch[] = {
    {.name = "watch",
     .value = "SECONDS",
     .help = "answer again every so many seconds, until interrupted; on a terminal in one place"},
    END,
};

static const struct option_spec shared_format[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FORMAT",
     .words = OUTPUT_FORMATS,
     .help = "table (default), wide, json, jsonl or csv"},
    END,
};

static const struct option_spec shared_where[] = {
    {.name = "where",
     .value = "SQL",
     .help = "only hosts for which this condition over the table hosts holds"},
    END,
};

static const struct option_spec hosts_options[] = {
    {.name = "site", .value = "SITE", .help = "only hosts whose home is this site"},
    {.name = "status",
     .value = "STATUS",
     .words = "up silent dark stopped asleep left replaced unknown",
     .help = "only hosts in this state"},
    {.name = "standing",
     .value = "STANDING",
     .words = "good grace quarantined ended",
     .help = "only hosts whose certificate is worth this"},
    {.name = "limit", .value = "N", .help = "show the first N hosts (default: 20, in table and wide)"},
    {.name = "all", .help = "show every host (the default in json, jsonl and csv)"},
    END,
};

#define ISSUE_WORD(symbol, value, name) name " "

static const struct option_spec issues_options[] = {
    {.name = "severity",
     .value = "SEVERITY",
     .words = "info warning critical",
     .help = "only issues of this severity"},
    {.name = "kind", .value = "KIND", .words = ISSUE_TABLE(ISSUE_WORD), .help = "only issues of this kind"},
    END,
};

static const struct option_spec show_options[] = {
    {.name = "revoked", .help = "show the last words of a revoked host too"},
    END,
};

static const struct option_spec components_options[] = {
    {.name = "all", .help = "every component, not only those of third parties"},
    {.name = "name", .value = "NAME", .help = "only components of this name (* and ? match)"},
    {.name = "unsigned", .help = "only unsigned ones"},
    {.name = "boot-start", .help = "only those that start before a repair could get in"},
    {.name = "unapproved", .help = "only those that no policy approves, and those that one refuses"},
    {.name = "multi-version", .help = "only those of which hosts have several versions"},
    {.name = "trend", .help = "how many hosts told within seven days that they gained or lost it"},
    {.name = "hosts", .help = "a row for each host that has one"},
    END,
};

static const struct option_spec history_options[] = {
    {.name = "since", .value = "TIME", .help = "from then on (default: an hour before the end): " WHEN_FORMS},
    {.name = "until", .value = "TIME", .help = "up to then (default: the last commit of the replica)"},
    {.name = "step", .value = "STEP", .help = "between rows: 30s, 1m, 2h, 1d (default: at most 60 rows)"},
    {.name = "site", .value = "SITE", .help = "only hosts whose home is this site today"},
    END,
};

static const struct option_spec sql_options[] = {
    {.name = "param", .value = "VALUE", .repeats = true, .help = "value of ?1, ?2, and so on, repeatable"},
    {.name = "file", .value = "FILE", .words = "@file", .help = "read the question from a file"},
    {.name = "timeout", .value = "SECONDS", .help = "give up after this long (default: 60)"},
    {.name = "schema", .help = "show the tables and their columns"},
    END,
};

static const struct option_spec export_options[] = {
    {.name = "dir", .value = "DIR", .words = "@dir", .help = "every table, into files in this new folder"},
    {.name = "format",
     .value = "FORMAT",
     .words = "jsonl csv",
     .help = "of these files: jsonl (default) or csv"},
    {.name = "timeout", .value = "SECONDS", .help = "give up on a table after this long (default: 600)"},
    END,
};

static const struct option_spec help_options[] = {
    {.name = "man", .help = "print the manual page as roff"},
    {.name = "completion", .value = "SHELL", .words = "bash", .help = "print completion for a shell (bash)"},
    END,
};

static const struct verb verbs_ask[] = {
    {.name = "hosts",
     .operands = "",
     .summary = "count hosts, and list the first, those in trouble before all",
     .text =
	 "The hosts that were ever enrolled, from this machine's replica: also those that are down, and also "
	 "while meshd is stopped. A table shows the first 20, and below it how many there are: dark ones, "
	 "then "
	 "silent, unknown, stopped and asleep ones, those that are up, replaced ones, those that left; among "
	 "these by site and name. --limit and --all show more. For scripts (json, jsonl, csv) all hosts "
	 "come, "
	 "in the same order, unless --limit is given; json has the counts by state in the field counts, "
	 "jsonl "
	 "in its last line.\n\nA host is up, dark (vanished; witnesses of its site say so), silent (its "
	 "whole site is), stopped or asleep (it said so), left, replaced or unknown, SINCE then. SEEN is how "
	 "long ago its last sign of life was. Times are local.\n\nBehind the state stands what is wrong with "
	 "its certificate: grace (its issuer's grant has ended and runs on for a while), quarantined (beyond "
	 "its issuer's quota: it has no say) or ended (nobody talks to it any more). Revoked hosts are "
	 "hidden; "
	 "mesh issues names them.\n\n" WHY_NO_VALUE,
     .options = hosts_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh hosts # how many are in which state, and the first in trouble\n"
		 "mesh hosts --status dark --all # all that is down\n"
		 "mesh hosts --site berlin -o csv # one site, for a spreadsheet\n"
		 "mesh hosts --where \"kernel LIKE '6.1.%'\" # by any column of the table hosts",
     .run = verb_hosts},
    {.name = "show",
     .operands = "HOST",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "show everything known about one host",
     .text =
	 "A host's last words: its state and the evidence for it, what is wrong with its data, profile, "
	 "health, kernel components, last changes and crashes. HOST is a whole name, an id, or the beginning "
	 "of an id. Of hosts with one name that was replaced is left aside; several others are listed. Of a "
	 "revoked host only why and since when it is hidden, unless --revoked asks for its last words, which "
	 "nobody vouches for.\n\n" WHY_NO_VALUE " Shares in percent are published in tens.",
     .options = show_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh show till-17 # by name\nmesh show 4f0a91 -o json # by the beginning of its id",
     .run = verb_show},
    {.name = "components",
     .operands = "",
     .summary = "list kernel components by version, with counts of hosts",
     .text =
	 "What runs in kernel mode anywhere in the estate, with hosts by state. Without options only "
	 "what third "
	 "parties made. Hosts whose kernel has no loadable modules, or whose list may not be read, are "
	 "counted below the list. OTHER counts the hosts that are neither up nor dark, LOADED those on "
	 "which it is loaded. The options that narrow the list go together.\n\n"
	 "Policies are lists that operators sign (mesh policy set, mesh policy show). A component is "
	 "approved when a row that approves it fits and none that refuses it does; APPROVAL tells refused "
	 "ones from those that no row is about. Where no policy is in force the answer is partial.\n\n"
	 "A host tells its last 16 changes, so +7 DAYS and -7 DAYS are the least that there "
	 "was.\n\n" WHY_NO_VALUE,
     .options = components_options,
     .exit_partial =
	 "stale or partial, or --unapproved where no policy is in force; --allow-partial makes it 0",
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples =
	 "mesh components # third-party components\n"
	 "mesh components --all --name 'nf_*' # every version of some\n"
	 "mesh components --all --where \"site = 'berlin'\" # of some hosts\n"
	 "mesh components --multi-version --trend # one product, several versions, which way they go\n"
	 "mesh components --unapproved --hosts # who has what nobody approved",
     .run = verb_components},
    {.name = "sites",
     .operands = "",
     .summary = "list sites, when they last reported, their hosts by state",
     .text =
	 "A site reports by the roll-calls of its witnesses, at most three of its hosts, which probe the "
	 "others. "
	 "It is silent when nothing was heard of it for three of its roll-call intervals. Wide output adds "
	 "when its last roll-call came in (HEARD), the interval (EVERY), and how many witnesses are left.",
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh sites # silent ones are marked\nmesh sites -o json # the same for scripts",
     .run = verb_sites},
    {.name = "history",
     .operands = "",
     .summary = "show how many hosts were up, dark, silent over time",
     .text =
	 "One row a step, at round local times with their offset from UTC, from the log that this node keeps "
	 "of every change of state: hosts as they were at that moment, and in +DARK and +UP how many became "
	 "so "
	 "since the row before. A change counts from when the evidence says it happened, not from when word "
	 "of "
	 "it came here. Revoked hosts are left out. A step of a day begins at local midnight.\n\n"
	 "WATCH says how this node knows. ok: it watched. alone: no other host was up, so it may itself have "
	 "been cut off. off: meshd was not running, was suspended, or heard nobody while others were up. "
	 "before: the log begins "
	 "later. damaged: a row of the log is lost, and what was before cannot be counted. after: the "
	 "replica "
	 "is older. Where it is none of the first two nothing is known, and nothing is shown: unknown is not "
	 "zero. Any row but ok makes the answer partial.\n\n"
	 "Wide output adds hosts that were unknown, had left or were replaced, and silent sites. The changes "
	 "themselves are the table transitions (mesh sql --schema).",
     .options = history_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh history # the last hour\n"
		 "mesh history --since 06:00 --until 08:00 --step 1m # when it went dark, by the minute\n"
		 "mesh history --since 7d --site berlin -o csv # one site, for a spreadsheet",
     .run = verb_history},
    {.name = "issues",
     .operands = "",
     .summary = "list what is wrong with the data itself, and what to do",
     .text =
	 "Keys that were revoked, copied or misused, hosts beyond a quota, grants that end, a forked "
	 "authority log, clocks that are off: one line each as long as it lasts, the worst first, and "
	 "below them what each kind means and what to do about it. SUBJECT is the id of the host, issuer, "
	 "operator or estate it is about. COUNT counts what wide output says.",
     .options = issues_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh issues # an empty list is good news\n"
		 "mesh issues --severity critical -o json # for an alarm\n"
		 "mesh issues --where \"site = 'berlin'\" # of the hosts of a site",
     .run = verb_issues},
    {.name = "sql",
     .operands = "[QUESTION | -]",
     .operands_max = 1,
     .summary = "ask the replica a question in SQL",
     .text = "One SELECT over the tables that --schema lists. Reading only: whatever would write, attach or "
	     "load is "
	     "refused, and a question that takes too long is stopped. \"-\" reads the question from standard "
	     "input.",
     .options = sql_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples =
	 "mesh sql 'SELECT kernel, count(*) FROM hosts GROUP BY kernel' # group by anything\n"
	 "mesh sql 'SELECT name FROM hosts WHERE site = ?1' --param berlin # values apart from the text\n"
	 "mesh sql --schema # tables and columns",
     .run = verb_sql},
    {.name = "export",
     .operands = "[TABLE]",
     .operands_max = 1,
     .summary = "write whole tables as jsonl or csv, for other tools",
     .text =
	 "One TABLE goes to standard output, as jsonl unless -o says otherwise. With --dir all of them go "
	 "into files of their own, TABLE.jsonl or TABLE.csv, from one and the same state of the replica; "
	 "no file is ever written over, and coverage.json comes last: a folder that has it is whole. "
	 "mesh sql --schema lists the tables and what their columns mean.",
     .options = export_options,
     .shared = VERB_QUERY | VERB_ONCE,
     .exits = "0123",
     .examples = "mesh export hosts -o csv >hosts.csv # one table, for a spreadsheet\n"
		 "mesh export --dir estate-today # all of them, to carry away",
     .run = verb_export},
    {.name = "status",
     .operands = "",
     .summary = "show this node: identity, roles, traffic, cost",
     .text = "Asks the running meshd. When it is stopped, says so, shows what the replica knows and exits "
	     "with 3.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh status # is it running, whom does it see",
     .run = verb_status},
    {.name = "doctor",
     .operands = "",
     .summary = "what is wrong with this node, and how to mend it",
     .text =
	 "Looks at meshd, the replica, trust, peers, collectors, and what others sent that was refused. Each "
	 "check is ok, a note (nothing to do), a warning, a failure, or unknown where it could not be made. "
	 "Checks of input that found nothing are left out for people. Exits with 3 where something is worse "
	 "than a note, or the answer is partial. Works while meshd is stopped, and says so.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh doctor # before anything else when an answer looks odd\n"
		 "mesh doctor -o jsonl # for the monitoring that is there already",
     .run = verb_doctor},
    {.name = "peers",
     .operands = "",
     .summary = "list the nodes that this node talks to",
     .text =
	 "Asks the running meshd; without it there is no answer. SESSION: keys were exchanged, and datagrams "
	 "pass. WITNESS: it probes its site and signs which hosts answer. EDGE: it carries news between two "
	 "sites. RTT MS: round-trip time in milliseconds.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh peers # sessions, round-trip times, edges to other sites",
     .run = verb_peers},
    {.name = "drill",
     .operands = "cut|heal SITE",
     .operands_min = 2,
     .operands_max = 2,
     .summary = "exercise: cut this node off from a site, or heal it",
     .text = "The running meshd drops all traffic with hosts of the site until it is healed or restarted. "
	     "Only where "
	     "its configuration says \"enabled = yes\" under [drill].",
     .shared = VERB_STATE,
     .exits = "012",
     .examples =
	 "mesh drill cut leeds # from here on, leeds is out of reach\nmesh drill heal leeds # and back",
     .run = verb_drill},
};

static const struct verb verbs_about[] = {
    {.name = "help",
     .operands = "[VERB]",
     .operands_max = 2,
     .summary = "show help on a verb, its manual page, or shell completion",
     .text = "Help, manual pages and completion come from the one table of verbs that also parses the "
	     "command line.",
     .options = help_options,
     .exits = "012",
     .examples = "mesh help components # the same as: mesh components --help\n"
		 "mesh help --man hosts | man -l - # the manual page",
     .run = verb_help},
    {.name = "version",
     .operands = "",
     .summary = "show the version",
     .text = "The version of this program.",
     .exits = "012",
     .examples = "mesh version # name and number",
     .run = verb_version},
};

const struct verb *verb_at(size_t index)
{
	size_t count;
	if (index < sizeof(verbs_ask) / sizeof(verbs_ask[0]))
		return &verbs_ask[index];
	index -= sizeof(verbs_ask) / sizeof(verbs_ask[0]);
	const struct verb *outage = verbs_outage(&count);
	if (index < count)
		return &outage[index];
	index -= count;
	const struct verb *repair = verbs_repair(&count);
	if (index < count)
		return &repair[index];
	index -= count;
	const struct verb *trust = verbs_trust(&count);
	if (index < count)
		return &trust[index];
	index -= count;
	const struct verb *keys = verbs_keys(&count);
	if (index < count)
		return &keys[index];
	index -= count;
	const struct verb *incidents = verbs_incidents(&count);
	if (index < count)
		return &incidents[index];
	index -= count;
	const struct verb *operators = verbs_operators(&count);
	if (index < count)
		return &operators[index];
	index -= count;
	return index < sizeof(verbs_about) / sizeof(verbs_about[0]) ? &verbs_about[index] : NULL;
}

const struct verb *verb_find(const char *name)
{
	const struct verb *v;
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		if (strcmp(v->name, name) == 0)
			return v;
	}
	return NULL;
}

bool verb_second_words(const char *first, char *ret, size_t cap)
{
	size_t len = strlen(first), used = 0;
	const struct verb *v;
	ret[0] = '\0';
	for (size_t i = 0; (v = verb_at(i)) != NULL; i++) {
		const char *name = v->name;
		if (strncmp(name, first, len) != 0 || name[len] != ' ')
			continue;
		int n = snprintf(ret + used, cap - used, "%s%s", used > 0 ? " or " : "", name + len + 1);
		used += n > 0 ? (size_t)n : 0;
		if (used >= cap)
			break;
	}
	return used > 0;
}

size_t verb_option_sets(const struct verb *v, const struct option_spec *ret[OPTIONS_MAX_SETS])
{
	size_t n = 0;
	if (v->options != NULL)
		ret[n++] = v->options;
	if (v->shared & VERB_WHERE)
		ret[n++] = shared_where;
	if (v->shared & VERB_QUERY)
		ret[n++] = shared_query;
	else if (v->shared & VERB_STATE)
		ret[n++] = shared_state;
	if ((v->shared & VERB_QUERY) && !(v->shared & VERB_ONCE))
		ret[n++] = shared_watch;
	if (v->shared & VERB_FORMAT)
		ret[n++] = shared_format;
	if (v->shared & VERB_PARTIAL)
		ret[n++] = &shared_query[1]; /* without --state */
	ret[n++] = shared_help;
	return n;
}

const char *verb_exit_text(const struct verb *v, char code)
{
	if (code == '3' && v != NULL && v->exit_partial != NULL)
		return v->exit_partial;
	switch (code) {
	case '0':
		return "complete";
	case '1':
		return "error; the reason is on standard error";
	case '2':
		return "the command line is wrong";
	case '3':
		return "answered, but stale or partial (--allow-partial makes it 0)";
	default:
		return "";
	}
}
