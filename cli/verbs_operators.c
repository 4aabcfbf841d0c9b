/* The part of the verb table for operators: what people say about the estate, signed. */
#include "cli/signer.h"
#include "cli/verb.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

#define HOW_SAID                                                                                             \
	"It is signed with your key and handed to the meshd of this machine, which must run; from there it " \
	"spreads like all news. The authority gives keys their roles (mesh authority operator). MESH_KEY "   \
	"names the key where --key does not."

static const struct option_spec import_options[] = {
    {.name = "dry-run", .help = "check the file only: no key, no meshd, nothing is said"},
    {.name = "replace",
     .value = "WHICH",
     .words = "own all none",
     .help = "earlier imports that this one replaces: your own (default), everybody's, none"},
    {.name = "title", .value = "TEXT", .help = "name of this import (default: the file's)"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec set_options[] = {
    {.name = "dry-run", .help = "check the file only: no key, no meshd, nothing is said"},
    {.name = "replace",
     .value = "WHICH",
     .words = "own all none",
     .help = "policies in force that this one replaces: your own (default), everybody's, none"},
    {.name = "title", .value = "TEXT", .help = "name of this policy (default: the file's)"},
    SIGNER_OPTIONS,
    END,
};

static const struct option_spec inventory_options[] = {
    {.name = "site", .value = "SITE", .help = "only rows of this site"},
    {.name = "missing", .help = "only machines that were never enrolled"},
    END,
};

static const struct verb verbs[] = {
    {.name = "inventory import",
     .operands = "FILE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "say which machines should exist, from a CSV file",
     .text =
	 "The first line of FILE names its columns, in any order; site must be among them: name (hostname), "
	 "asset_ids (asset tag or serial number, at most two, apart by a comma), site, role, criticality "
	 "(low, "
	 "normal, high, vital), address, opening_hours, contact, recovery_key (where it is kept, never the "
	 "key), "
	 "needed (machines of the role that the site needs to trade), remark. Commas or semicolons separate, "
	 "quotes as in RFC 4180, UTF-8. A row with neither name nor asset_ids is about its whole site, and "
	 "gives "
	 "what the rows of its machines leave out.\n\n"
	 "What does not parse is named by line and column, and then nothing is imported. An asset id, else "
	 "the "
	 "name, links a row to a host; machines to which no host is linked are counted in every answer as "
	 "never "
	 "enrolled. The rows of an earlier import stand until those that replace them are there. " HOW_SAID,
     .options = import_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh inventory import estate.csv --dry-run # is it well made\n"
		 "mesh inventory import estate.csv --key jo.key # replaces your earlier import",
     .secrets = true,
     .run = verb_inventory_import},
    {.name = "inventory show",
     .operands = "",
     .summary = "list which machines should exist, and what became of them",
     .text =
	 "The rows of all inventories in force. STATE is that of the host that a row is linked to, "
	 "\"never enrolled\" where there is none, \"one of several\" where it cannot be told which it is, "
	 "and "
	 "\"(site)\" in a row about a whole site. Wide output adds address, opening hours, contact, where "
	 "the recovery key is kept, and who signed it.",
     .options = inventory_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh inventory show --site leeds -o wide # address, hours, contact\n"
		 "mesh inventory show --missing -o csv # what was never enrolled",
     .run = verb_inventory_show},
    {.name = "policy set",
     .operands = "FILE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "say what may run in kernel mode, from a CSV file",
     .text =
	 "The first line of FILE names its columns, in any order: verdict (approved or refused; approved "
	 "where it "
	 "is left out), kind (module, builtin, driver, filter, ebpf, extension, content-file, kernel), name, "
	 "name_op (= or begins with), version, version_op (=, !=, <, <=, >, >= "
	 "or begins with), source (source version, or hash of the file), vendor, remark. Operators that are "
	 "left "
	 "out mean =. Commas or semicolons separate, quotes as in RFC 4180, UTF-8. A row asks for what it "
	 "gives, "
	 "and needs a name, a vendor, a source or a kind. What mesh policy show -o csv writes can be edited "
	 "and "
	 "set again: its other columns are passed over.\n\n"
	 "A component is approved when a row that approves it fits and none that refuses it does, of all "
	 "policies in force; mesh components --unapproved lists what is left. A row "
	 "that does not parse, that says the same as an earlier one or the opposite is named by line and "
	 "column, and "
	 "then nothing is set. The rows of an earlier policy stand until those that replace them are "
	 "there. " HOW_SAID,
     .options = set_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh policy set kernel.csv --dry-run # is it well made\n"
		 "mesh policy set kernel.csv --key jo.key # replaces your earlier policy",
     .secrets = true,
     .run = verb_policy_set},
    {.name = "policy show",
     .operands = "",
     .summary = "list what operators approve and refuse",
     .text =
	 "The rows of all policies in force, which operators signed. A dash asks for nothing: a row with "
	 "only a vendor is about all that this vendor made. A component is approved when a row that approves "
	 "it fits and none that refuses it does; mesh components --unapproved lists what is not. Wide output "
	 "adds the operator's id, the source that a row asks for, and the record that it stands in.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples =
	 "mesh policy show # what is approved, what refused\nmesh policy show -o csv # for a spreadsheet",
     .run = verb_policy_show},
    {.name = "policy history",
     .operands = "",
     .summary = "list who signed which policy, and what became of it",
     .text = "Every policy that an operator signed, the newest first, by the clock of who signed it. STATE "
	     "is \"in "
	     "force\", \"replaced\" (by which and of whom stands beside it), or \"waiting\" until its rows "
	     "are on "
	     "this node; until then it counts for nothing here. A large policy is several records, which add "
	     "up. What "
	     "revoked operators signed is not listed. Rows of those in force: mesh policy show.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .examples = "mesh policy history # who changed what is approved, and when\n"
		 "mesh sql \"SELECT * FROM lists WHERE kind = 'inventory'\" # the same of inventories",
     .run = verb_policy_history},
};

const struct verb *verbs_operators(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
