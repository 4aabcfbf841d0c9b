/* The table of configuration keys, for config.c and config_print.c only. */
#ifndef MESH_NODE_CONFIG_KEYS_H
#define MESH_NODE_CONFIG_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "node/config.h"

enum config_type {
	CONFIG_NUMBER,    /* uint64_t, min..max */
	CONFIG_BOOL,      /* yes or no */
	CONFIG_TEXT,      /* at most max bytes, in an array of LIMIT_SHORT_TEXT_BYTES + 1 */
	CONFIG_PATH,      /* absolute, in an array of LIMIT_PATH_BYTES */
	CONFIG_LEVEL,     /* name of an enum log_level */
	CONFIG_ADDRESS,   /* one ip:port */
	CONFIG_ADDRESSES, /* at most max, separated by blanks or commas */
	CONFIG_TEXTS,     /* at most `items`, each of at most max bytes, separated by commas */
};

struct config_key {
	const char *section, *name;
	enum config_type type;
	uint64_t min, max;
	size_t items;
	const char *unit;     /* NULL: none */
	const char *fallback; /* default, as the file would spell it; "" is none */
	size_t offset;        /* of the value in struct config */
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The range in words, as messages and the page show it. */
void config_allowed(const struct config_key *key, char *ret, size_t cap);

#endif
