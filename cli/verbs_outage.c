/* The part of the verb table for the day of an outage. */
#include "cli/impact.h"
#include "cli/verb.h"
#include "cli/when.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

#define CLASS_WORD(symbol, name, words, evidence) name " "

static const struct option_spec impact_options[] = {
    {.name = "window",
     .value = "FROM..TO",
     .help = "when it came out: who vanished in it, or up to two hours after it, counts as down by it"},
    {.name = "at",
     .value = "TIME",
     .help = "as of then, as far as the log of this node and what hosts told of their changes reach back"},
    {.name = "by",
     .value = "FIELD",
     .words = "site current_site role model os kernel location",
     .help = "a row for each value of this column of hosts, the hardest hit first"},
    {.name = "class",
     .value = "CLASS",
     .words = IMPACT_CLASSES(CLASS_WORD),
     .help = "the hosts of this class instead of how many they are"},
    {.name = "sql",
     .value = "SQL",
     .help = "instead of COMPONENT: a condition over the table host_components"},
    END,
};

static const struct option_spec suspects_options[] = {
    {.name = "since", .value = "TIME", .help = "hosts that failed since then (default: 24h): " WHEN_FORMS},
    {.name = "until", .value = "TIME", .help = "and not after that (default: now)"},
    END,
};

static const struct option_spec alerts_options[] = {
    {.name = "until", .value = "TIME", .help = "as of then (default: now): " WHEN_FORMS},
    {.name = "every", .value = "TIME", .help = "again and again, after so long each time: 30s, 5m"},
    {.name = "rounds", .value = "N", .help = "with --every: so many times, then end"},
    {.name = "exec",
     .value = "PROGRAM",
     .words = "@file",
     .help = "run this program once for each alert, with JSON on its standard input"},
    {.name = "exec-timeout", .value = "SECONDS", .help = "end that program after this long (default: 30)"},
    END,
};

static const struct verb verbs[] = {
    {.name = "impact",
     .operands = "[COMPONENT[@VERSION]]",
     .operands_max = 1,
     .summary = "who has a component, and what became of these hosts",
     .text =
	 "Counts hosts that have the component, in that version if one is given, by what became of them; "
	 "content files go by the name of the file or by their path, and * and ? match. VERSION is one "
	 "version, FROM..TO, or begins with >, >=, < or <=. What is down is a range: confirmed are hosts "
	 "that "
	 "vanished without a goodbye or crash again and again; likely are besides those of silent sites, and "
	 "those that listed another version and vanished in the window, as a kernel can crash before the "
	 "change is reported. \"Not hit\" is not \"safe\". "
	 "Without --window every host that is down counts, and crashes of the last seven days do. "
	 "Below the magnitude stands what became of those that were hit; with --window also of those "
	 "that vanished in it by the log of this node, and came back without a word of it. A crash that a "
	 "host told of is known to lie between two times (-o wide); who may have crashed in the window "
	 "counts, unless witnesses missed the host before.\n\n"
	 "--at tells what was so at that time, by all that is known now: states from the log of "
	 "transitions, components from the last 16 changes of each host. Hosts of which neither reaches "
	 "back are counted under cannot tell, and named as such.\n\n"
	 "Times are 06:09 (the last time it was that), \"2026-11-22 06:09\", with Z or +02:00 for another "
	 "clock than this machine's, or 90m, 2h, 3d ago.",
     .options = impact_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh impact csagent --window 06:09..07:27 # the whole picture\n"
		 "mesh impact 'csagent@>=7.11' --by site # where\n"
		 "mesh impact csagent --window 06:09..07:27 --at 06:40 # how big it was half an hour in\n"
		 "mesh impact C-00000291.sys --where \"role = 'till'\" # a content file, on tills",
     .run = verb_impact},
    {.name = "suspects",
     .operands = "",
     .summary = "find what the hosts that went down have in common",
     .text =
	 "Compares hosts that failed in a window of time with those that survived it: went dark, fell "
	 "silent, "
	 "or "
	 "crashed and are up again. Candidates are components, versions, files by their hash, recent "
	 "changes, "
	 "sites, hardware models, operating systems and kernels. Hosts that are down count by their last "
	 "words.\n\n"
	 "Lines come in this order: what is to blame (STRONG, LIKELY), below it what cannot be told from it; "
	 "sites whose hosts vanished all at once, by power or link (SEPARATE), which count for nothing else; "
	 "what is explained by a line, or does something only together with it; what changed on many hosts "
	 "and made no difference. Where no line is to blame, it says why. Wide output adds relative risk "
	 "with "
	 "its 95 % interval, Fisher's exact test, and that corrected for the number of candidates.",
     .options = suspects_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh suspects --since 06:00 # of a bad morning\n"
		 "mesh suspects --since 2h --where \"os LIKE 'Windows%'\" # among some hosts\n"
		 "mesh suspects --since 06:00 -o wide # with probabilities",
     .run = verb_suspects},
    {.name = "alerts",
     .operands = "",
     .summary = "warn early of what spreads and takes hosts down",
     .text =
	 "Compares hosts that failed within the last hour, and within the last day, with those that did not, "
	 "as "
	 "mesh suspects does, and warns of a component whose hosts go down more than others of the same "
	 "hardware model: ALARM is past doubt, WARNING is not chance. LEAD TIME is how long, at the rate "
	 "that it "
	 "spreads, until half of the hosts that have the component in another version (where no version is "
	 "named: that are still up with it) are reached, as a range. Every node can ask, from its own "
	 "replica; "
	 "where that is stale, the answer is as of its last commit.\n\n"
	 "With --exec PROGRAM is started without a shell and without arguments, as the user who runs mesh, "
	 "once "
	 "for each alert; again by the same process only when the version becomes known or a warning becomes "
	 "an "
	 "alarm. It reads one JSON object: alert (as a row of -o json), until_ms, coverage. What it writes "
	 "is "
	 "shown escaped on standard error. When it fails or takes too long the exit code is 1. meshd itself "
	 "never starts a program.",
     .options = alerts_options,
     .shared = VERB_QUERY | VERB_WHERE | VERB_ONCE, /* --every knows what was told */
     .exits = "0123",
     .examples = "mesh alerts # is something going on\n"
		 "mesh alerts --every 1m -o jsonl # for a screen or a log\n"
		 "mesh alerts --every 1m --exec /usr/local/bin/page-us >/dev/null # tell people",
     .run = verb_alerts},
};

const struct verb *verbs_outage(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
