/* What `mesh inventory import` and `mesh policy set` have in common: a file of rows, checked as a whole,
 * signed, in the place of earlier ones. */
#ifndef MESH_CLI_LISTING_IMPORT_H
#define MESH_CLI_LISTING_IMPORT_H

#include "cli/command.h"
#include "cli/csv.h"

struct listing_import {
	struct csv_table csv;
	uint64_t *replaces; /* owned */
	size_t replace_count;
	uint64_t others; /* records that stand beside it */
	size_t records;
	bool dry;
};

struct listing_import_form {
	uint8_t kind;      /* RECORD_POLICY or RECORD_INVENTORY */
	const char *table; /* of the replica, where those in force are */
	const char *done;  /* "imported": what did not happen to a file with faults */
	enum err (*parse)(const uint8_t *text, size_t len, struct csv_table *ret);
	int (*report)(struct command *c, const struct listing_import *i);
};

/* Reads the file that the first operand names; the options dry-run, replace, title and the signer's decide.
 */
int listing_import(struct command *c, const struct listing_import_form *form);

#endif
