/* The part of the verb table for those who hold a key file: a person's own, or one of the authority's folder.
 */
#include "cli/verb.h"

#define END                                                                                                  \
	{                                                                                                    \
		.name = NULL                                                                                 \
	}

static const struct option_spec operator_init_options[] = {
    {.name = "passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects the key (default: ask)"},
    {.name = "no-passphrase", .help = "leave the key unprotected: for trials"},
    END,
};

static const struct option_spec passphrase_options[] = {
    {.name = "passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line opens the keys, where they are protected (default: ask)"},
    {.name = "new-passphrase-file",
     .value = "FILE",
     .words = "@file",
     .help = "first line protects them from now on (default: ask)"},
    {.name = "no-passphrase", .help = "leave them unprotected from now on: nobody is asked for them"},
    END,
};

static const struct verb verbs[] = {
    {.name = "operator init",
     .operands = "FILE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "make your own key, to say things for the estate",
     .text =
	 "Makes your key in FILE, under a passphrase that only you know, and its public half in FILE.pub. "
	 "The public half goes to whoever holds the authority, by any way: it is no secret. There it is "
	 "signed into the authority's log, with what you may say and until when (mesh authority "
	 "operator). Tell each other the id by another way, so that nobody slips in a key between you. "
	 "FILE itself never leaves your machine, and is never overwritten.",
     .options = operator_init_options,
     .shared = VERB_FORMAT,
     .exits = "012",
     .examples = "mesh operator init jo.key # then send jo.key.pub to the authority",
     .secrets = true,
     .run = verb_operator_init},
    {.name = "key show",
     .operands = "FILE",
     .operands_min = 1,
     .operands_max = 1,
     .summary = "show what kind of key a file holds, and its id",
     .text = "Kind, id, public key, and whether a passphrase protects it: what the file says without being "
	     "opened. Never the key itself.",
     .shared = VERB_FORMAT,
     .exits = "012",
     .examples = "mesh key show jo.key # the id to tell the authority",
     .secrets = true,
     .run = verb_key_show},
    {.name = "key passphrase",
     .operands = "FILE...",
     .operands_min = 1,
     .operands_max = 16,
     .summary = "change the passphrase of key files, or take it off",
     .text =
	 "Opens each FILE and writes it anew under another passphrase, all of them under the same. Each file "
	 "is replaced whole or not at all; where one cannot be opened, none is changed. For a person's key, "
	 "or "
	 "for those of an authority's folder: estate.key and issuers/*.key have the authority's passphrase "
	 "of "
	 "the day they were made, also after mesh authority rotate. A spare copy follows with the next "
	 "change, "
	 "or: mesh authority log --dir DIR --spare DIR. A node's own keys are refused: it starts with nobody "
	 "there to ask. Old copies of the files keep the old passphrase.",
     .options = passphrase_options,
     .shared = VERB_FORMAT,
     .exits = "012",
     .examples =
	 "mesh key passphrase jo.key # asks for the old one, then for the new one\nmesh key passphrase "
	 "auth/estate.key auth/issuers/tills.key --no-passphrase # a machine makes tokens unattended",
     .secrets = true,
     .run = verb_key_passphrase},
};

const struct verb *verbs_keys(size_t *ret_count)
{
	*ret_count = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}
