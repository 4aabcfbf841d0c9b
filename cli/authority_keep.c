#include "cli/authority_keep.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/rows.h"
#include "cli/shown.h"
#include "os/clock.h"
#include "os/file.h"
#include "record/allow_list.h"

#define FILE_BYTES ((size_t)LIMIT_ALLOW_HOSTS * 64)

static const char *const ways[] = {"keep", "keep-before", "keep-all", "keep-none"};

enum err keep_check(const struct command *c, bool issuer, struct err_info *info)
{
	wall_day day;
	unsigned given = 0;
	const char *before = options_value(&c->options, "keep-before");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		given += options_has(&c->options, ways[i]);
	if (!issuer && given > 0)
		return err_set(info, ERR_USAGE, "--keep and its like are for issuers");
	if (issuer && given == 0)
		return err_set(info, ERR_USAGE,
			       "say which of the issuer's hosts stay: --keep FILE, --keep-before DATE, "
			       "--keep-all or --keep-none");
	if (given > 1)
		return err_set(info, ERR_USAGE,
			       "--keep, --keep-before, --keep-all and --keep-none exclude each other");
	if (before != NULL && !shown_day_parse(before, &day)) {
		char shown[64];
		text_escape(shown, sizeof(shown), before, strlen(before));
		return err_set(info, ERR_USAGE, "--keep-before %s: a date is needed, like 2027-05-03", shown);
	}
	return ERR_OK;
}

static int by_id(const void *a, const void *b)
{
	return id_compare(a, b);
}

static void sort_once(struct keep *k)
{
	size_t kept = 0;
	qsort(k->hosts, k->count, sizeof(*k->hosts), by_id);
	for (size_t i = 0; i < k->count; i++) {
		if (kept == 0 || !id_equal(&k->hosts[kept - 1], &k->hosts[i]))
			k->hosts[kept++] = k->hosts[i];
	}
	k->count = kept;
}

/* The first word of each line that is not empty, a remark or the heading of `mesh hosts -o csv`. */
static enum err read_lines(const char *path, const uint8_t *data, struct keep *k, struct err_info *info)
{
	size_t number = 0;
	for (const char *line = (const char *)data; *line != '\0';) {
		size_t len = strcspn(line, "\n"), word = strcspn(line, " \t\r\n,;");
		char hex[ID_HEX_BYTES];
		number++;
		bool heading = number == 1 && word == 4 && memcmp(line, "host", 4) == 0;
		if (word > 0 && line[0] != '#' && !heading) {
			bool whole = word == ID_HEX_BYTES - 1;
			snprintf(hex, sizeof(hex), "%.*s", whole ? (int)word : 0, line);
			if (k->count == LIMIT_ALLOW_HOSTS)
				return err_set(info, ERR_LIMIT, "\"%s\" names more than %d hosts", path,
					       LIMIT_ALLOW_HOSTS);
			if (!id_unhex(&k->hosts[k->count], hex))
				return err_set(info, ERR_FORMAT,
					       "\"%s\" line %zu does not begin with a host id of 32 digits; "
					       "mesh hosts -o csv lists them so",
					       path, number);
			k->count++;
		}
		line += len + (line[len] == '\n');
	}
	return ERR_OK;
}

static enum err from_file(const char *path, struct keep *k, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = read_lines(path, data, k, info);
	free(data);
	return err;
}

static enum err from_rows(const struct rows *r, struct keep *k, struct err_info *info)
{
	for (size_t i = 0; i < r->count; i++) {
		if (k->count == LIMIT_ALLOW_HOSTS)
			return err_set(info, ERR_LIMIT, "more than %d hosts would stay", LIMIT_ALLOW_HOSTS);
		if (id_unhex(&k->hosts[k->count], rows_text(r, i, "host")))
			k->count++;
	}
	return ERR_OK;
}

/* Hosts that have no say now get none by the list: who guesses a token's quota away would else stay. */
static enum err from_replica(const struct command *c, const struct id *issuer, struct keep *k,
			     struct err_info *info)
{
	struct query *q;
	struct rows found;
	char state[LIMIT_PATH_BYTES], hex[ID_HEX_BYTES], day[24];
	const char *before = options_value(&c->options, "keep-before");
	const char *const parameters[] = {hex, day};
	wall_day last = UINT32_MAX;
	if (before != NULL)
		(void)shown_day_parse(before, &last);
	snprintf(day, sizeof(day), "%lu", (unsigned long)last);
	id_hex(issuer, hex);
	enum err err = command_state(c, state, sizeof(state), info);
	if (err == ERR_OK)
		err = query_open(state, os_clock_wall(), &q, info);
	if (err != ERR_OK)
		return err;
	err =
	    rows_fetch(q,
		       "SELECT host FROM hosts WHERE issuer = ?1 AND enrolled_day < CAST(?2 AS INTEGER) AND "
		       "ifnull(standing, 'good') IN ('good', 'grace')",
		       parameters, 2, &found, info);
	if (err == ERR_OK)
		err = from_rows(&found, k, info);
	rows_release(&found);
	query_close(q);
	return err;
}

enum err keep_gather(const struct command *c, const struct id *issuer, struct keep *ret,
		     struct err_info *info)
{
	const char *file = options_value(&c->options, "keep");
	struct keep k = {0};
	if (options_has(&c->options, "keep-none"))
		return ERR_OK;
	k.hosts = calloc(LIMIT_ALLOW_HOSTS, sizeof(*k.hosts));
	if (k.hosts == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	enum err err = file != NULL ? from_file(file, &k, info) : from_replica(c, issuer, &k, info);
	if (err == ERR_OK && k.count == 0)
		err = err_set(info, ERR_NOT_FOUND, "no host would stay; if that is meant, say --keep-none");
	if (err != ERR_OK) {
		keep_release(&k);
		return err;
	}
	sort_once(&k);
	*ret = k;
	return ERR_OK;
}

struct saving {
	const struct authority_dir *dir;
	struct err_info *info;
};

/* Content-addressed: what is there already is the same. */
static enum err save_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	const struct saving *s = context;
	char hex[ID_HEX_BYTES], path[LIMIT_PATH_BYTES];
	id_hex(id, hex);
	if (os_path_join(path, sizeof(path), s->dir->lists, hex) != ERR_OK)
		return err_set(s->info, ERR_LIMIT, "the path of --dir is too long");
	return os_file_replace(path, blob, len, 0600, s->info);
}

enum err keep_save(struct keep *keep, const struct authority_dir *d, struct err_info *info)
{
	struct saving s = {d, info};
	if (keep->count == 0)
		return ERR_OK;
	enum err err = os_dir_make(d->lists, 0700, info);
	if (err != ERR_OK)
		return err;
	err = allow_list_build(keep->hosts, keep->count, save_blob, &s, &keep->list);
	if (err == ERR_FORMAT || err == ERR_NOMEM)
		return err_set(info, err, "cannot make the allow-list: %s", err_text(err));
	keep->list_made = err == ERR_OK;
	return err;
}

void keep_release(struct keep *keep)
{
	free(keep->hosts);
	*keep = (struct keep){0};
}
