/* Configuration of meshd: an INI file checked against one table of keys, from which docs/configuration.md and
 * the packaged example are generated too. */
#ifndef MESH_NODE_CONFIG_H
#define MESH_NODE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/log.h"
#include "record/body.h"

#define CONFIG_DEFAULT_FILE "/etc/mesh/meshd.conf"
#define CONFIG_LIST_ITEMS   8

struct config_texts {
	char items[CONFIG_LIST_ITEMS][LIMIT_SHORT_TEXT_BYTES + 1];
	size_t count;
};

struct config_addresses {
	struct address items[CONFIG_LIST_ITEMS];
	size_t count;
};

struct config {
	struct address listen;
	struct config_addresses advertise;
	struct config_addresses seeds;
	char state[LIMIT_PATH_BYTES]; /* empty: os_path_default_state */
	char control_group[LIMIT_SHORT_TEXT_BYTES + 1];
	char site[LIMIT_SHORT_TEXT_BYTES + 1]; /* empty: the certificate's */
	char hostname[LIMIT_SHORT_TEXT_BYTES + 1];
	char role[LIMIT_SHORT_TEXT_BYTES + 1];
	char location[LIMIT_SHORT_TEXT_BYTES + 1];
	struct config_texts tags;
	struct config_texts asset_ids;
	bool only_gets_out;
	uint64_t commit_min_s;
	uint64_t disk_mb_per_day;
	uint64_t collect_interval_s;
	char collect_root[LIMIT_PATH_BYTES];
	uint64_t log_level; /* enum log_level */
	bool drill;
};

/* Every key at its default. */
void config_default(struct config *ret);

/* Reads `path` over the defaults. ERR_NOT_FOUND, ERR_DENIED, ERR_LIMIT (file or line too long), ERR_FORMAT
 * (malformed line, unknown or repeated key), ERR_RANGE (bad value). The text names file, line, value and what
 * is allowed. */
enum err config_load(const char *path, struct config *ret, struct err_info *info);
/* The same from memory; `name` stands for the file in messages. */
enum err config_parse(const char *text, size_t len, const char *name, struct config *ret,
		      struct err_info *info);

/* Sets one key as the command line does. ERR_RANGE, ERR_NOT_FOUND. */
enum err config_set(struct config *config, const char *section, const char *key, const char *value,
		    struct err_info *info);

/* The whole configuration as a file config_load accepts; keys at their default say so. */
void config_print(const struct config *config, FILE *out);
/* docs/configuration.md. */
void config_print_doc(FILE *out);
/* The packaged meshd.conf: every key, commented out, at its default. */
void config_print_example(FILE *out);

#endif
