/* The part of the verb table for incidents: the shared, signed work list. */
#include "cli/incident.h"
#include "cli/signer.h"
#include "cli/verb.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

#define WHICH "INCIDENT is its id, or the beginning of it (mesh incident list). "
#define HOW_SAID                                                                                             \
	"It is signed with your key (role incidents) and handed to the meshd of this machine, which must "   \
	"run; from there it spreads like all news. Nothing said is ever overwritten: what operators on "     \
	"both sides of a cut say stands side by side once it is healed, and of one operator the later word " \
	"counts."

static const struct option_spec open_options[] = {
    {.name = "match",
     .value = "TERMS",
     .repeats = true,
     .help = "which hosts it is about, at most eight terms, repeatable: " TERMS_FORMS},
    {.name = "good",
     .value = "TERMS",
     .repeats = true,
     .help = "when a host is good again, likewise (default: it is up, and does not match)"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec claim_options[] = {
    {.name = "site", .value = "SITE", .help = "the whole site: all hosts of it that are on the list"},
    {.name = "text", .value = "TEXT", .help = "a few words (at most 128 bytes)"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec note_options[] = {
    {.name = "host", .value = "HOST", .help = "about this host"},
    {.name = "site", .value = "SITE", .help = "about this site"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec close_options[] = {
    {.name = "text", .value = "TEXT", .help = "why, or how it went"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec list_options[] = {
    {.name = "all", .help = "closed ones, too"},
    END,
};

static const struct option_spec show_options[] = {
    {.name = "hosts", .help = "the hosts on the list instead of how many they are"},
    {.name = "site", .value = "SITE", .help = "those of one site"},
    END,
};

static const struct option_spec report_options[] = {
    {.name = "html", .help = "a page that stands alone: nothing is fetched, nothing runs"},
    END,
};

static const struct verb verbs[] = {
    {.name = "incident open",
     .operands = "TEXT",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "open an incident: what matches, what good looks like",
     .text =
	 "An incident is a question that stays open for all operators, with a work list. TEXT says in words "
	 "what "
	 "it is (at most 320 bytes). A host matches when all terms of --match hold: those on components of "
	 "one and "
	 "the same component of it, the others of the host itself. Without --match nothing is listed but "
	 "what "
	 "people claim.\n\n"
	 "Fields of a component: kind, name, version, source, vendor, size, flags, entry, loaded, pending, "
	 "changed; "
	 "of a host: host, hostname, site, current-site, status, status-since, os, kernel, arch, model, "
	 "role, "
	 "location, tag, group, boot-mode, secure-boot, virtualization, level, unclean-boots, "
	 "last-boot-clean, "
	 "modules. Versions are compared by their numbers: 7.9 is less than 7.11. Never SQL.\n\n" HOW_SAID,
     .options = open_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident open 'bad agent' --match 'name = csagent' # more by --match\n"
		 "mesh incident open Leeds --match 'site = leeds' --good 'status = up' # a site",
     .secrets = true,
     .run = verb_incident_open},
    {.name = "incident list",
     .operands = "",
     .summary = "list open incidents, what is claimed and said to be done",
     .text = "CLAIMS counts hosts and sites that somebody has taken on, DONE those of which somebody says "
	     "they are "
	     "done. What hosts prove themselves: mesh incident show.",
     .options = list_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh incident list # open ones\nmesh incident list --all -o json # also closed ones",
     .run = verb_incident_list},
    {.name = "incident show",
     .operands = "INCIDENT",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "show what is proven, what is said, the burn-down",
     .text = WHICH
     "On its list are hosts that match and are down or not good; that were down or crashed since a day "
     "before it was opened and still have a component of the name, kind and vendor that match, or may have; "
     "and "
     "that somebody claimed, alone or with their site.\n\n"
     "Rows say what hosts prove, columns what people said; they are never added up. Proven back is a host "
     "that "
     "was hit, is up and good by its own word. Collisions are hosts or sites that several operators have. "
     "Relapses came back and went down again. The chart shows hosts still to come back, as is known now; "
     "below "
     "it, when 97 % may be back: a range, from how many came back in all and lately. What was down before "
     "this "
     "node kept its log counts from when it was opened.",
     .options = show_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh incident show 4f0a # how far it is\n"
		 "mesh incident show 4f0a --hosts -o csv # the work list, for a spreadsheet\n"
		 "mesh incident show 4f0a -o json # hosts, counts, collisions, burn_down, forecast",
     .run = verb_incident_show},
    {.name = "incident claim",
     .operands = "INCIDENT [HOST...]",
     .operands_min = 1,
     .operands_max = OPTIONS_MAX_OPERANDS,
     .summary = "take on hosts or a site of an incident",
     .text = WHICH
     "Others see that you have it. Where somebody else has it as well you are told: talk. " HOW_SAID,
     .options = claim_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident claim 4f0a till-17 till-18 # two hosts\n"
		 "mesh incident claim 4f0a --site leeds --text 'there at 10' # all of a site",
     .secrets = true,
     .run = verb_incident_claim},
    {.name = "incident done",
     .operands = "INCIDENT [HOST...]",
     .operands_min = 1,
     .operands_max = OPTIONS_MAX_OPERANDS,
     .summary = "say that hosts or a site are done",
     .text = WHICH "What you say and what the host proves stand side by side. " HOW_SAID,
     .options = claim_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident done 4f0a till-17 # it was mended",
     .secrets = true,
     .run = verb_incident_done},
    {.name = "incident block",
     .operands = "INCIDENT [HOST...]",
     .operands_min = 1,
     .operands_max = OPTIONS_MAX_OPERANDS,
     .summary = "say that hosts or a site cannot be done now, and why",
     .text =
	 WHICH "No key, no access: --text says what is missing, and it is listed until it is done. " HOW_SAID,
     .options = claim_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident block 4f0a till-17 --text 'no recovery key' # somebody has to find it",
     .secrets = true,
     .run = verb_incident_block},
    {.name = "incident release",
     .operands = "INCIDENT [HOST...]",
     .operands_min = 1,
     .operands_max = OPTIONS_MAX_OPERANDS,
     .summary = "give back what you took on: your word no longer counts",
     .text = WHICH "Takes back your own claim, done or block. " HOW_SAID,
     .options = claim_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident release 4f0a till-17 # somebody else may take it",
     .secrets = true,
     .run = verb_incident_release},
    {.name = "incident note",
     .operands = "INCIDENT TEXT",
     .operands_min = 2,
     .operands_max = 2,
     .summary = "write something down about an incident, host or site",
     .text = WHICH "At most 320 bytes. The table notes has them (mesh sql). " HOW_SAID,
     .options = note_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident note 4f0a 'key is in the safe' --site leeds # for whoever goes there",
     .secrets = true,
     .run = verb_incident_note},
    {.name = "incident close",
     .operands = "INCIDENT",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "close an incident, for good",
     .text = WHICH "It stays to be shown and reported; nothing more can be claimed in it. " HOW_SAID,
     .options = close_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh incident close 4f0a --text '97 % back, the rest by post' # the end",
     .secrets = true,
     .run = verb_incident_close},
    {.name = "report",
     .operands = "INCIDENT",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "one page about an incident, for management",
     .text = WHICH
     "What mesh incident show says, on a page: text, or with --html one to print or send. It states "
     "when it was made and what was not known.",
     .options = report_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh report 4f0a # as text\nmesh report 4f0a --html >outage.html # to print or send",
     .run = verb_report},
};

const struct verb *verbs_incidents(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
