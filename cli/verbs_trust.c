/* The part of the verb table that keeps the estate's trust: authority, tokens, certificates, enrolment. */
#include "cli/verb.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

#define OPTION_DIR                                                                                           \
	{                                                                                                    \
		.name = "dir", .value = "DIR", .words = "@dir", .help = "folder of the authority (required)" \
	}
#define OPTION_SPARE                                                                                         \
	{                                                                                                    \
		.name = "spare", .value = "DIR", .words = "@dir",                                            \
		.help = "make or find the spare copy there, from now on"                                     \
	}
#define OPTION_PASSPHRASE                                                                                    \
	{                                                                                                    \
		.name = "passphrase-file", .value = "FILE", .words = "@file",                                \
		.help = "first line opens the authority's key (default: ask)"                                \
	}
#define OPTION_CLOCK                                                                                         \
	{                                                                                                    \
		.name = "clock-is-right", .help = "sign although the last entry is more than 60 days old"    \
	}
#define OPTION_DAYS(what)                                                                                    \
	{                                                                                                    \
		.name = "days", .value = "N", .help = what                                                   \
	}
#define OPTION_UNTIL                                                                                         \
	{                                                                                                    \
		.name = "until", .value = "DATE", .help = "last day instead of --days, like 2027-12-31"      \
	}

#define CHANGE_EXIT                                                                                          \
	"done, but the spare copy could not be brought up to date, or the node not be told (standard error " \
	"says what to do; --allow-partial makes it 0)"
#define CHANGE_TEXT                                                                                          \
	"\n\nThe change is copied to the spare, if the authority has one, and handed to the node on this "   \
	"machine, if one of this estate runs here (--state names another). Before anything is signed the "   \
	"log is compared with theirs: a copy that has fallen behind is refused, because signing with it "    \
	"would fork the log. So is a clock that is behind the newest entry, or far ahead of it: nodes take " \
	"the newest entry's time for the least that it can be."

static const struct option_spec init_options[] = {
    {.name = "dir", .value = "DIR", .words = "@dir", .help = "folder to make the authority in (required)"},
    {.name = "name", .value = "NAME", .help = "name of the estate (required)"},
    {.name = "spare",
     .value = "DIR",
     .words = "@dir",
     .help = "keep a copy of the whole folder there, at best on another medium"},
    {.name = "passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the authority's key and the estate's (default: ask)"},
    {.name = "successor",
     .value = "FILE",
     .words = "@file",
     .help = "where the key of its successor goes (default: successor.key in --dir, to be moved away)"},
    {.name = "successor-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the successor's key (default: ask)"},
    {.name = "no-passphrase", .help = "leave both keys unprotected: for trials"},
    END,
};

static const struct option_spec issuer_options[] = {
    OPTION_DIR,
    {.name = "site",
     .value = "SITE",
     .repeats = true,
     .help = "site it may enrol hosts of, repeatable, at most 16 (default: any)"},
    {.name = "quota", .value = "N", .help = "hosts it may enrol (default: 1000)"},
    OPTION_DAYS("how long the grant lasts (default: 365)"),
    OPTION_UNTIL,
    {.name = "grace", .value = "DAYS", .help = "how long its hosts are heard after that (default: 30)"},
    {.name = "key-passphrase", .help = "ask for a passphrase of the issuer's key alone"},
    {.name = "key-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the issuer's key (default: the authority's passphrase)"},
    {.name = "no-key-passphrase", .help = "leave the issuer's key unprotected: nobody is asked for it"},
    OPTION_PASSPHRASE,
    OPTION_SPARE,
    OPTION_CLOCK,
    END,
};

static const struct option_spec extend_options[] = {
    OPTION_DIR,
    OPTION_DAYS("days from today on until the grant ends"),
    OPTION_UNTIL,
    {.name = "quota", .value = "N", .help = "hosts it may enrol (default: as before)"},
    {.name = "force", .help = "lower the quota although hosts are, or may be, beyond it"},
    OPTION_PASSPHRASE,
    OPTION_SPARE,
    OPTION_CLOCK,
    END,
};

static const struct option_spec operator_options[] = {
    OPTION_DIR,
    {.name = "role",
     .value = "ROLES",
     .repeats = true,
     .help = "incidents, inventory, policy, decommission, apart by commas (required)"},
    OPTION_DAYS("how long the key counts (default: 365)"),
    OPTION_UNTIL,
    {.name = "public-key",
     .value = "FILE|HEX",
     .words = "@file",
     .help = "the person's own key: a .pub file, or 64 digits (default: make one here)"},
    {.name = "key-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the person's key (default: ask)"},
    {.name = "no-key-passphrase", .help = "leave the person's key unprotected: for trials"},
    OPTION_PASSPHRASE,
    OPTION_SPARE,
    OPTION_CLOCK,
    END,
};

static const struct option_spec rotate_options[] = {
    OPTION_DIR,
    {.name = "successor",
     .value = "FILE",
     .words = "@file",
     .help = "the successor's key, which the next one's replaces there (default: successor.key in --dir)"},
    {.name = "passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line opens the successor's key (default: ask)"},
    {.name = "new-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the next successor's key (default: ask)"},
    {.name = "no-passphrase", .help = "leave the next successor's key unprotected: for trials"},
    {.name = "after",
     .value = "ENTRY",
     .help = "number or hash of the last entry that stands; all others that the replaced key has signed, on "
	     "other copies and on nodes, count no more"},
    {.name = "remove-old", .help = "make no new key; wipe the old ones that were kept"},
    OPTION_SPARE,
    OPTION_CLOCK,
    END,
};

static const struct option_spec revoke_options[] = {
    OPTION_DIR,
    {.name = "reason", .value = "TEXT", .help = "why, for those who read the log (required)"},
    {.name = "keep",
     .value = "FILE",
     .words = "@file",
     .help = "of an issuer: host ids that stay, one at the beginning of each line, as mesh hosts -o csv "
	     "prints them"},
    {.name = "keep-before",
     .value = "DATE",
     .help = "of an issuer: those of its hosts stay that the replica knows as enrolled before that day"},
    {.name = "keep-all", .help = "of an issuer: those of its hosts stay that the replica knows now"},
    {.name = "keep-none", .help = "of an issuer: none of its hosts stays"},
    OPTION_PASSPHRASE,
    OPTION_SPARE,
    OPTION_CLOCK,
    END,
};

static const struct option_spec log_options[] = {
    {.name = "dir",
     .value = "DIR",
     .words = "@dir",
     .help = "folder of the authority (default: the log of the node)"},
    {.name = "log", .value = "FILE", .words = "@file", .help = "read this log instead"},
    {.name = "out",
     .value = "FILE",
     .words = "@file",
     .help = "write log and allow-lists to a file, to be carried to a branch that is cut off"},
    {.name = "take",
     .value = "PATH",
     .words = "@file",
     .help = "bring the folder up to that other copy of it, or to that log"},
    {.name = "spare", .value = "DIR", .words = "@dir", .help = "bring the spare copy there up to date"},
    END,
};

static const struct option_spec publish_options[] = {
    {.name = "dir", .value = "DIR", .words = "@dir", .help = "folder of the authority"},
    {.name = "log",
     .value = "FILE",
     .words = "@file",
     .help = "publish a log, or what mesh authority log --out wrote: needs no authority"},
    {.name = "accept-fork",
     .help = "publish although the node knows entries that this log lacks: forks the log, until a rotation"},
    END,
};

static const struct option_spec token_create_options[] = {
    OPTION_DIR,
    {.name = "issuer", .value = "NAME", .help = "issuer whose key goes into the token (required)"},
    {.name = "site",
     .value = "SITE",
     .help = "home site of hosts that name none (default: the grant's only site)"},
    {.name = "subnet",
     .value = "CIDR=SITE",
     .repeats = true,
     .help = "home site of hosts in a subnet, like 10.1.0.0/16=berlin, repeatable"},
    {.name = "subnets",
     .value = "FILE",
     .words = "@file",
     .help = "the same from a file: lines CIDR,SITE; at most 256 in all"},
    {.name = "seed",
     .value = "ADDR:PORT",
     .repeats = true,
     .help = "node to ask first, repeatable, at most 8"},
    {.name = "days", .value = "N", .help = "how long the token may be used (default: 7)"},
    {.name = "out", .value = "FILE", .words = "@file", .help = "file to make (required)"},
    {.name = "passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line opens the issuer's key, if it is protected (default: ask)"},
    {.name = "estate-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line opens estate.key, where that is another (default: ask)"},
    END,
};

static const struct option_spec enroll_options[] = {
    {.name = "token", .value = "FILE", .words = "@file", .help = "token to enrol with (required)"},
    {.name = "site",
     .value = "SITE",
     .help = "home site (default: by the token's subnets, else the token's site)"},
    {.name = "keep-token", .help = "do not wipe the token: it is for more hosts"},
    {.name = "shared-machine",
     .help = "several hosts run on this machine: do not state its hardware in the certificate"},
    END,
};

static const struct verb verbs[] = {
    {.name = "enroll",
     .operands = "",
     .summary = "make this machine a host of the estate",
     .text =
	 "Makes the machine's own key and certificate from a token, in the state folder, and wipes the "
	 "token. No server is asked. The home site is the one of --site, else that of the most specific of "
	 "the token's subnets that one of the machine's addresses is in, else the token's own. The "
	 "certificate holds a hash of what identifies the machine's hardware, so that a machine that is "
	 "installed anew takes the place of what it was. When anything fails the token is left as it was. "
	 "It is wiped through the file that was read, also behind a link; one that could not be wiped is "
	 "refused "
	 "before anything is done, unless --keep-token says that it stays. Should the wipe itself fail, the "
	 "machine "
	 "is enrolled, and the exit code is 1.",
     .options = enroll_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh enroll --token /root/token --state /var/lib/mesh # then: systemctl start meshd\nmesh "
		 "enroll --token token --site leeds --keep-token # one token for several hosts",
     .secrets = true,
     .run = verb_enroll},
    {.name = "cert show",
     .operands = "[FILE]",
     .operands_max = 1,
     .summary = "show a host's certificate and what it is worth",
     .text =
	 "Host, home site, groups, issuer, until when the issuer's grant holds, and what the certificate is "
	 "worth: good, grace (the grant has ended), quarantined (beyond the quota), ended, revoked, or "
	 "unknown. By "
	 "the authority's log of this node, and where that lets the host stand, by its replica. Without FILE "
	 "the "
	 "certificate of the state folder.",
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = "shown, but the certificate does not stand (any more), or only by its grace "
		     "(--allow-partial makes it 0)",
     .examples = "mesh cert show # of this node\nmesh cert show /mnt/var/lib/mesh/certificate # of another, "
		 "by the log of this node",
     .run = verb_cert_show},
    {.name = "token create",
     .operands = "",
     .summary = "make a token that machines enrol with",
     .text =
	 "The token holds the issuer's key and the estate's secret: whoever reads it can enrol hosts, "
	 "within the issuer's sites, quota and days. Hand it out as you would a password. One token, in the "
	 "image of many machines, enrols all of them, up to the quota.\n\nA token is not protected itself, "
	 "as no "
	 "person is at the machines to open it. What it is made from is: the passphrase is asked for once "
	 "where the issuer's key and the estate's have the same.",
     .options = token_create_options,
     .shared = VERB_FORMAT,
     .exits = "012",
     .examples = "mesh token create --dir auth --issuer tills --seed 10.1.0.5:7946 --out t # give it to the "
		 "machines of its sites\nmesh token create --dir auth --issuer tills --subnets sites.csv "
		 "--out t # one for an image: each machine finds its site by its address",
     .secrets = true,
     .run = verb_token_create},
    {.name = "token show",
     .operands = "FILE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "show what a token is for",
     .text = "Estate, issuer, sites, quota, how long token and grant last, subnets, seeds, entries of the "
	     "authority's log. Never the keys in it. A used token is said to be one.",
     .shared = VERB_PARTIAL,
     .exits = "0123",
     .exit_partial = "shown, but nothing can be enrolled with it: used, past its days, or its issuer "
		     "revoked or ended (--allow-partial makes it 0)",
     .examples = "mesh token show token # may it still be used\nmesh token show token -o json # for scripts",
     .secrets = true,
     .run = verb_token_show},
    {.name = "authority init",
     .operands = "",
     .summary = "make the authority of a new estate",
     .text =
	 "Makes the keys that the whole estate rests on, in a folder that belongs on an offline machine "
	 "or medium, and with --spare a second copy, which every later change keeps up to date: without "
	 "a copy a lost folder means that no issuer can be added or revoked any more. The key of its "
	 "successor, the only one that can replace the authority's (mesh authority rotate), is a file of "
	 "its own with a passphrase of its own: keep it where whoever steals the folder does not find it. "
	 "What exists is never overwritten.",
     .options = init_options,
     .shared = VERB_FORMAT,
     .exits = "012",
     .examples =
	 "mesh authority init --dir auth --name shop --spare /b/auth --successor /c/key # asks for two "
	 "passphrases",
     .secrets = true,
     .run = verb_authority_init},
    {.name = "authority issuer",
     .operands = "NAME",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "grant a new issuer the right to enrol hosts",
     .text =
	 "Makes the issuer's key, issuers/NAME.key, under the authority's passphrase unless told otherwise, "
	 "and signs its grant: of which sites, how many hosts, until when. Certificates do not expire; they "
	 "hold while the grant does, and its grace after "
	 "that. Nodes learn of a new issuer from the first host that enrols with its token, or when the "
	 "log is published." CHANGE_TEXT,
     .options = issuer_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = CHANGE_EXIT,
     .examples = "mesh authority issuer tills --dir auth --site berlin --site leeds --quota 500 # two sites",
     .secrets = true,
     .run = verb_authority_issuer},
    {.name = "authority extend",
     .operands = "[NAME]",
     .operands_max = 1,
     .summary = "extend the grant of an issuer, or of all",
     .text = "One entry of the log renews every certificate of the issuer (without NAME: of all issuers), "
	     "or changes the quota. A lower one quarantines the hosts beyond it: they are counted where a "
	     "node is at "
	     "hand, and --force is asked for. mesh authority log shows how many days are left." CHANGE_TEXT,
     .options = extend_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = CHANGE_EXIT,
     .examples = "mesh authority extend --dir auth --days 365 # all grants, a year from today\nmesh "
		 "authority extend tills --dir auth --quota 2000 # more hosts",
     .secrets = true,
     .run = verb_authority_extend},
    {.name = "authority operator",
     .operands = "NAME",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "let a person say things for the estate",
     .text =
	 "Signs what a person's key may be used for. The person makes the key, with mesh operator init, and "
	 "hands over its public half (--public-key); compare the id with what the person sees. Without "
	 "--public-key a key is made here, operators/NAME.key: then more than its owner has held it. Again "
	 "for a known NAME: renews days and roles "
	 "of the same key." CHANGE_TEXT,
     .options = operator_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = CHANGE_EXIT,
     .examples =
	 "mesh authority operator jo --dir auth --role incidents --public-key jo.key.pub # the "
	 "file that mesh operator init made\nmesh authority operator jo --dir auth --role policy --days "
	 "180 # again: other roles, more days",
     .secrets = true,
     .run = verb_authority_operator},
    {.name = "authority rotate",
     .operands = "",
     .summary = "replace the authority's key",
     .text =
	 "The successor that the log names takes over, and names the next: whoever stole the authority's "
	 "key cannot. Nodes follow the log, also those that were offline through it, and drop what the "
	 "replaced key has signed besides the log as it is here: so a fork ends, and revocations of the "
	 "thief's with it. The old key is kept in old/ until --remove-old wipes it there and in the spare "
	 "copy." CHANGE_TEXT,
     .options = rotate_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = CHANGE_EXIT,
     .examples =
	 "mesh authority rotate --dir auth --successor /c/key # when people leave who knew the passphrase\n"
	 "mesh authority rotate --dir auth --after 17 # entries 18 and on are a thief's\n"
	 "mesh authority rotate --dir auth --remove-old # once nobody needs the old key",
     .secrets = true,
     .run = verb_authority_rotate},
    {.name = "authority revoke",
     .operands = "host|issuer|operator WHO",
     .operands_min = 2,
     .operands_max = 2,
     .summary = "revoke a host, an issuer or an operator, for good",
     .text =
	 "WHO is an id, the name of an issuer or operator, or, with a replica at hand (--state), a hostname. "
	 "A revoked host is hidden from answers and not talked to. Revoking an issuer takes its hosts along, "
	 "save those on the allow-list that --keep, --keep-before or --keep-all makes; it is kept in "
	 "allow-lists/ and published with the log. What was revoked cannot be granted again: use a new "
	 "key." CHANGE_TEXT,
     .options = revoke_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = CHANGE_EXIT,
     .examples =
	 "mesh authority revoke host till-17 --dir auth --reason stolen # by name, from the replica\n"
	 "mesh authority revoke issuer tills --dir auth --reason leaked --keep hosts # the ids in the "
	 "file hosts stay",
     .secrets = true,
     .run = verb_authority_revoke},
    {.name = "authority log",
     .operands = "",
     .summary = "list the authority's log, carry it, mend copies",
     .text = "Every entry: when, what, whom it is about, and of grants and operators how many days are left. "
	     "A forked log is said aloud: the key was used twice, by a copy that had fallen behind or by a "
	     "thief; what came after the fork grants nothing, revocations count. On any node it shows the "
	     "log that the node goes by.",
     .options = log_options,
     .shared = VERB_QUERY,
     .exits = "0123",
     .exit_partial = "listed, but the log is forked, or the copy named by --spare could not be brought up to "
		     "date (--allow-partial makes it 0)",
     .examples = "mesh authority log --dir auth # what was granted, and until when\nmesh authority log --dir "
		 "auth --out carry.log # for a branch that is cut off\nmesh authority log --dir auth --take "
		 "/media/usb/auth # the other copy is newer",
     .secrets = true,
     .run = verb_authority_log},
    {.name = "authority publish",
     .operands = "",
     .summary = "hand the authority's log to the node on this machine",
     .text =
	 "Entry by entry over the control socket, the allow-lists after them; what the node knows already "
	 "is passed over. From one node the log reaches all others, before anything else they exchange. "
	 "Entries prove themselves: any member of the node's group may publish a log on any machine.",
     .options = publish_options,
     .shared = VERB_STATE | VERB_FORMAT,
     .exits = "012",
     .examples = "mesh authority publish --dir auth --state /var/lib/mesh # where the authority is\nmesh "
		 "authority publish --log carry.log # on a node of a branch that is cut off",
     .secrets = true,
     .run = verb_authority_publish},
};

const struct verb *verbs_trust(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
