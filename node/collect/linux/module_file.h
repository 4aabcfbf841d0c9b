/* Facts a module's file states about itself, read by libkmod.
 *
 * libkmod brings libcrypto along, which would stay in memory for good: it is loaded for a scan and unloaded
 * after it (docs/decisions/0002-libkmod-on-demand.md). */
#ifndef MESH_NODE_COLLECT_LINUX_MODULE_FILE_H
#define MESH_NODE_COLLECT_LINUX_MODULE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/reading.h"

struct module_reader;

struct module_facts {
	struct reading_text version;
	struct reading_text source;
	struct reading_text signer; /* ABSENT: not signed */
	struct reading_u64 size_bytes;
	bool in_tree;
	bool proprietary;
};

/* ERR_UNSUPPORTED when libkmod is not installed. */
enum err module_reader_open(struct module_reader **ret);
void module_reader_close(struct module_reader *reader); /* NULL is fine */

/* `path` as the process sees it (root included). False when it is no readable module. */
bool module_reader_facts(struct module_reader *reader, const char *path, struct module_facts *ret);

#endif
