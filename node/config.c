#include "node/config.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "node/config_keys.h"
#include "os/file.h"

/* inih splits longer lines in two without a word, so they are refused before. */
#define LINE_BYTES 190

/* Further away than this, a name is no spelling mistake. */
#define SUGGEST_DISTANCE 4

#define VALUE_BYTES (LIMIT_PATH_BYTES + 64)

static void *field(struct config *config, const struct config_key *key)
{
	return (char *)config + key->offset;
}

static bool is_separator(char c, enum config_type type)
{
	return c == ',' || (type == CONFIG_ADDRESSES && (c == ' ' || c == '\t'));
}

/* Next item of a list, blanks around it taken off. False at the end. */
static bool next_item(const char **at, enum config_type type, char *ret, size_t cap)
{
	const char *p = *at;
	while (*p != '\0' && (is_separator(*p, type) || *p == ' ' || *p == '\t'))
		p++;
	if (*p == '\0')
		return false;
	const char *end = p;
	while (*end != '\0' && !is_separator(*end, type))
		end++;
	*at = end;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	size_t len = (size_t)(end - p) < cap ? (size_t)(end - p) : cap - 1;
	memcpy(ret, p, len);
	ret[len] = '\0';
	return true;
}

static bool set_texts(struct config_texts *list, const struct config_key *key, const char *value)
{
	struct config_texts found = {.count = 0};
	char item[VALUE_BYTES];
	while (next_item(&value, key->type, item, sizeof(item))) {
		if (found.count == key->items || strlen(item) > key->max)
			return false;
		text_copy(found.items[found.count++], sizeof(found.items[0]), item);
	}
	*list = found;
	return true;
}

static bool set_addresses(struct config_addresses *list, const struct config_key *key, const char *value)
{
	struct config_addresses found = {.count = 0};
	char item[VALUE_BYTES];
	while (next_item(&value, key->type, item, sizeof(item))) {
		if (found.count == key->max || address_parse(item, &found.items[found.count]) != ERR_OK)
			return false;
		found.count++;
	}
	*list = found;
	return true;
}

static bool set_level(uint64_t *ret, const char *value)
{
	for (unsigned level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		if (strcmp(value, log_level_name((enum log_level)level)) == 0) {
			*ret = level;
			return true;
		}
	}
	return false;
}

static bool set_bool(bool *ret, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;
	if (!yes && strcmp(value, "no") != 0)
		return false;
	*ret = yes;
	return true;
}

static bool set_text(char *ret, size_t max, const char *value)
{
	/* Control bytes would end up in records and tables. */
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return strlen(value) <= max && text_copy(ret, max + 1, value);
}

static bool set_value(struct config *config, const struct config_key *key, const char *value)
{
	void *to = field(config, key);
	switch (key->type) {
	case CONFIG_NUMBER:
		return text_u64(value, key->min, key->max, to);
	case CONFIG_BOOL:
		return set_bool(to, value);
	case CONFIG_PATH:
		return (*value == '\0' || *value == '/') && set_text(to, key->max, value);
	case CONFIG_TEXT:
		return set_text(to, key->max, value);
	case CONFIG_LEVEL:
		return set_level(to, value);
	case CONFIG_ADDRESS:
		return address_parse(value, to) == ERR_OK;
	case CONFIG_ADDRESSES:
		return set_addresses(to, key, value);
	case CONFIG_TEXTS:
		return set_texts(to, key, value);
	}
	CHECK(false);
}

/* Names the key that was probably meant, or the keys of the section, or the sections. */
static void suggest(const char *section, const char *name, char *ret, size_t cap)
{
	const struct config_key *best = NULL;
	unsigned best_distance = SUGGEST_DISTANCE;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		/* The right name in a wrong section is the likelier mistake. */
		unsigned d = 2 * text_distance(name, k->name) + (strcmp(section, k->section) != 0);
		if (d < 2 * SUGGEST_DISTANCE && (best == NULL || d < best_distance)) {
			best = k;
			best_distance = d;
		}
	}
	if (best != NULL)
		snprintf(ret, cap, "did you mean \"%s\" in [%s]?", best->name, best->section);
	else
		snprintf(ret, cap, "`meshd --check-config` lists the keys there are");
}

static size_t find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < config_key_count; i++)
		if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
			return i;
	return config_key_count;
}

/* `where` is put in front of the message: "file:line: ". */
static enum err set_key(struct config *config, const char *where, size_t index, const char *value,
			struct err_info *info)
{
	const struct config_key *key = &config_keys[index];
	char allowed[160];
	if (set_value(config, key, value))
		return ERR_OK;
	config_allowed(key, allowed, sizeof(allowed));
	return err_set(info, ERR_RANGE, "%s[%s] %s = \"%.100s\" is not allowed: it takes %s", where,
		       key->section, key->name, value, allowed);
}

static enum err unknown_key(const char *where, const char *section, const char *name, struct err_info *info)
{
	char hint[128];
	suggest(section, name, hint, sizeof(hint));
	if (*section == '\0')
		return err_set(info, ERR_FORMAT, "%skey \"%s\" stands before any [section]: %s", where, name,
			       hint);
	return err_set(info, ERR_FORMAT, "%sunknown key \"%s\" in [%s]: %s", where, name, section, hint);
}

enum err config_set(struct config *config, const char *section, const char *key, const char *value,
		    struct err_info *info)
{
	size_t index = find_key(section, key);
	if (index == config_key_count)
		return unknown_key("", section, key, info);
	return set_key(config, "", index, value, info);
}

struct parse {
	const char *at, *end;
	const char *name;
	unsigned line;
	unsigned seen[64]; /* line of each key, 0: not yet */
	struct config *config;
	struct err_info *info;
	enum err err; /* the first one */
};

/* inih's way to ask for a line: as fgets. Counts lines, because the handler is not told which it is in. */
static char *read_line(char *ret, int cap, void *context)
{
	struct parse *p = context;
	if (p->at == p->end || p->err != ERR_OK)
		return NULL;
	const char *stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
	size_t len = stop != NULL ? (size_t)(stop - p->at) : (size_t)(p->end - p->at);
	p->line++;
	if (len > LINE_BYTES || len + 2 > (size_t)cap) {
		p->err = err_set(p->info, ERR_LIMIT, "%s:%u: line of %zu bytes, at most %d are allowed",
				 p->name, p->line, len, LINE_BYTES);
		return NULL;
	}
	if (memchr(p->at, '\0', len) != NULL) {
		p->err =
		    err_set(p->info, ERR_FORMAT, "%s:%u: zero byte: is this a text file?", p->name, p->line);
		return NULL;
	}
	/* Leading blanks would make inih take the line for the rest of the value before. */
	const char *from = p->at;
	p->at += stop != NULL ? len + 1 : len;
	while (len > 0 && (*from == ' ' || *from == '\t')) {
		from++;
		len--;
	}
	memcpy(ret, from, len);
	memcpy(ret + len, "\n", 2);
	return ret;
}

static int on_key(void *context, const char *section, const char *name, const char *value)
{
	struct parse *p = context;
	char where[LIMIT_PATH_BYTES];
	if (p->err != ERR_OK)
		return 1;
	snprintf(where, sizeof(where), "%.300s:%u: ", p->name, p->line);
	size_t index = find_key(section, name);
	if (index == config_key_count)
		p->err = unknown_key(where, section, name, p->info);
	else if (p->seen[index] != 0)
		p->err = err_set(p->info, ERR_FORMAT,
				 "%skey \"%s\" in [%s] was set in line %u already: keep one of the two",
				 where, name, section, p->seen[index]);
	else
		p->err = set_key(p->config, where, index, value, p->info);
	if (index < config_key_count)
		p->seen[index] = p->line;
	return 1;
}

enum err config_parse(const char *text, size_t len, const char *name, struct config *ret,
		      struct err_info *info)
{
	struct config *config = malloc(sizeof(*config));
	if (config == NULL)
		return err_set(info, ERR_NOMEM, "out of memory reading \"%s\"", name);
	struct parse p = {.at = text, .end = text + len, .name = name, .config = config, .info = info};
	CHECK(config_key_count <= sizeof(p.seen) / sizeof(p.seen[0]));
	config_default(config);
	int line = ini_parse_stream(read_line, &p, on_key, &p);
	/* What follows from a malformed line is not worth a message. */
	if (line > 0 && (p.err == ERR_OK || (unsigned)line < p.line))
		p.err = err_set(info, ERR_FORMAT,
				"%s:%d: neither \"[section]\" nor \"key = value\" nor a comment", name, line);
	if (p.err == ERR_OK)
		*ret = *config;
	free(config);
	return p.err;
}

enum err config_load(const char *path, struct config *ret, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read(path, LIMIT_CONFIG_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = config_parse((const char *)data, len, path, ret, info);
	free(data);
	return err;
}

void config_default(struct config *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < config_key_count; i++)
		CHECK(set_value(ret, &config_keys[i], config_keys[i].fallback));
}
