/* The part of the verb table for those who mend: what is down and why, in which order, and where. */
#include "cli/hours.h"
#include "cli/verb.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

static const struct option_spec states_options[] = {
    {.name = "fate",
     .value = "FATE",
     .words = "crash power-or-link unknown stopped asleep up left replaced",
     .help = "the hosts that met this fate, each with its evidence"},
    {.name = "site", .value = "SITE", .help = "only hosts whose home is this site, listed"},
    {.name = "hosts", .help = "list what is down, each host with its evidence"},
    {.name = "sites", .help = "the silent sites instead, with what became of them and why"},
    {.name = "limit", .value = "N", .help = "list the first N hosts (default: 20, in table and wide)"},
    {.name = "all", .help = "list all of them"},
    END,
};

static const struct option_spec triage_options[] = {
    {.name = "team", .value = "N", .help = "people who can go: who goes where in which wave, and when"},
    {.name = "minutes", .value = "N", .help = "that one needs for a host (default: 15)"},
    {.name = "travel", .value = "N", .help = "minutes to a site (default: 45)"},
    END,
};

static const struct option_spec visit_options[] = {
    {.name = "html", .help = "a page for a browser instead of text"},
    {.name = "component",
     .value = "COMPONENT",
     .help = "what is to blame; else what changed on the host before it crashed"},
    END,
};

static const struct verb verbs[] = {
    {.name = "states",
     .operands = "",
     .summary = "what became of the hosts that are down, and the evidence",
     .text =
	 "Classes every host by what most likely became of it, from what this machine's replica knows: crash "
	 "(it told of crashes shortly before, it had a change that others vanished after, or far more than "
	 "usual vanished one by one around then), power-or-link (most of its site vanished within the same "
	 "seconds), unknown (nothing tells why, or it was never heard), stopped, asleep, up, left and "
	 "replaced. The rules are in docs/outage.md; they are likely, not proven.\n\n"
	 "Without options it counts. --fate, --site and --hosts list hosts, each with since when and the "
	 "evidence in a sentence; --sites lists sites that fell silent.",
     .options = states_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh states # how many are down, and why\n"
		 "mesh states --fate unknown # nothing tells why these are down\n"
		 "mesh states --sites # crashed one by one, or power and link all at once\n"
		 "mesh states --site berlin -o json # for a script",
     .run = verb_states},
    {.name = "triage",
     .operands = "[COMPONENT]",
     .operands_max = 1,
     .summary = "in which order sites are mended, and why",
     .text =
	 "Sites with hosts that are dark or silent, the one to begin with first. DO: go, where hosts crashed "
	 "and a person has to mend them; call, where only power or link is lost; look, where nothing tells "
	 "why. With COMPONENT only hosts that have it count, in whatever version.\n\n"
	 "In that order it counts: what to do; sites that have fewer machines up than they need to trade "
	 "(needed and role of the site's row in the inventory); criticality of the site or of the most "
	 "critical "
	 "machine that is down; what is open or opens first; what trades again after the fewest repairs; "
	 "hosts down; whether somebody is up there who can help. What the inventory does not say is listed "
	 "below, and in JSON in the field gaps.\n\n"
	 "--team makes waves: whoever is free first goes to the next site, not before it opens; a second "
	 "person comes along where one would stay longer than four hours. Opening hours are understood "
	 "as " HOURS_FORMS ", in the local time of this machine.",
     .options = triage_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh triage # where to begin\n"
		 "mesh triage csagent --team 12 # twelve people, in waves with hours\n"
		 "mesh triage --where \"site LIKE 'leeds%'\" -o json # of some sites, for a script",
     .run = verb_triage},
    {.name = "visit",
     .operands = "SITE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "the sheet that a technician takes along to a site",
     .text =
	 "What is down at a site, each host with its role, place, model, state, where its recovery key is "
	 "(never the key), what to do with it, and boxes to tick; machines of the inventory that never "
	 "enrolled; and of the site address, opening hours and contact. Printable as it is; --html makes a "
	 "page by itself for a browser and a printer, which loads nothing from elsewhere.\n\n"
	 "With --component also hosts are listed that are off or asleep and have it: they are not to be "
	 "switched on.",
     .options = visit_options,
     .shared = VERB_QUERY | VERB_WHERE,
     .exits = "0123",
     .examples = "mesh visit leeds # as text\n"
		 "mesh visit leeds --component C-00000291.sys --html >leeds.html # to print\n"
		 "mesh visit leeds -o json # for another tool",
     .run = verb_visit},
};

const struct verb *verbs_repair(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
