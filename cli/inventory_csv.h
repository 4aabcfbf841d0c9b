/* The file of `mesh inventory import`: comma- or semicolon-separated, with a header (docs/operations.md). */
#ifndef MESH_CLI_INVENTORY_CSV_H
#define MESH_CLI_INVENTORY_CSV_H

#include "record/listing.h"

#define INVENTORY_FAULTS_SHOWN 20
#define INVENTORY_FILE_BYTES   (64 * 1024 * 1024)

struct inventory_fault {
	size_t line;     /* from 1 */
	char column[32]; /* "": of the whole line */
	char text[160];
};

struct inventory_csv {
	struct inventory_row *rows; /* owned */
	size_t count, cap;
	size_t *lines; /* where each row begins */
	struct inventory_fault faults[INVENTORY_FAULTS_SHOWN];
	size_t fault_count; /* all of them */
	bool failed;        /* no memory */
};

/* Of what does not parse each fault is noted with line and column. ERR_NOMEM. Release also after an error. */
enum err inventory_csv_parse(const uint8_t *text, size_t len, struct inventory_csv *ret);
void inventory_csv_release(struct inventory_csv *csv);

#endif
