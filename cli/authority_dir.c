#include "cli/authority_dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"
#include "os/clock.h"
#include "os/file.h"

#define KEY_SUFFIX     ".key"
#define LOG_FILE_BYTES ((size_t)LIMIT_LOG_ENTRIES * (2 + LIMIT_LOG_ENTRY_BYTES))

enum err authority_required(const struct command *c, const char *name, const char **ret,
			    struct err_info *info)
{
	const char *value = options_value(&c->options, name);
	if (value == NULL || value[0] == '\0')
		return err_set(info, ERR_USAGE, "option --%s is missing", name);
	*ret = value;
	return ERR_OK;
}

enum err authority_dir_of(const char *folder, struct authority_dir *ret, struct err_info *info)
{
	/* Room for the longest name below it. */
	if (strlen(folder) + LIMIT_SHORT_TEXT_BYTES + 64 > LIMIT_PATH_BYTES)
		return err_set(info, ERR_USAGE, "the path of the authority's folder is too long");
	text_copy(ret->folder, LIMIT_PATH_BYTES, folder);
	os_path_join(ret->key, LIMIT_PATH_BYTES, folder, "authority.key");
	os_path_join(ret->next, LIMIT_PATH_BYTES, folder, "authority.key.next");
	os_path_join(ret->old, LIMIT_PATH_BYTES, folder, "old");
	os_path_join(ret->successor, LIMIT_PATH_BYTES, folder, "successor.key");
	os_path_join(ret->estate, LIMIT_PATH_BYTES, folder, "estate.key");
	os_path_join(ret->log, LIMIT_PATH_BYTES, folder, "authority.log");
	os_path_join(ret->issuers, LIMIT_PATH_BYTES, folder, "issuers");
	os_path_join(ret->operators, LIMIT_PATH_BYTES, folder, "operators");
	os_path_join(ret->lists, LIMIT_PATH_BYTES, folder, "allow-lists");
	os_path_join(ret->spare, LIMIT_PATH_BYTES, folder, "spare");
	os_path_join(ret->lock, LIMIT_PATH_BYTES, folder, "lock");
	return ERR_OK;
}

enum err authority_dir_name(const struct command *c, struct authority_dir *ret, struct err_info *info)
{
	const char *folder;
	enum err err = authority_required(c, "dir", &folder, info);
	return err == ERR_OK ? authority_dir_of(folder, ret, info) : err;
}

enum err authority_dir_key(const char *folder, const char *what, const char *name, char *ret, size_t cap,
			   struct err_info *info)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char file[LIMIT_SHORT_TEXT_BYTES + sizeof(KEY_SUFFIX)];
	size_t len = strlen(name);
	if (len == 0 || len > LIMIT_SHORT_TEXT_BYTES || name[0] == '.' || name[0] == '-' ||
	    strspn(name, allowed) != len) {
		char shown[128];
		text_escape(shown, sizeof(shown), name, len);
		return err_set(info, ERR_USAGE,
			       "%s name \"%s\": 1 to %d letters, digits, dots, dashes and underscores are "
			       "allowed, beginning with a letter or digit",
			       what, shown, LIMIT_SHORT_TEXT_BYTES);
	}
	snprintf(file, sizeof(file), "%s" KEY_SUFFIX, name);
	enum err err = os_path_join(ret, cap, folder, file);
	return err == ERR_OK ? ERR_OK : err_set(info, err, "the path of --dir is too long");
}

enum err authority_dir_check(const struct authority_dir *d, struct err_info *info)
{
	if (os_file_exists(d->log))
		return ERR_OK;
	return err_set(info, ERR_NOT_FOUND,
		       "there is no authority in \"%s\"; name its folder with --dir, or make one: mesh "
		       "authority init",
		       d->folder);
}

enum err authority_dir_load_log(const struct authority_dir *d, struct authlog **ret, struct err_info *info)
{
	struct authlog *log = NULL;
	uint8_t *data;
	size_t len;
	enum err err = authority_dir_check(d, info);
	/* Whoever could write it could hold revocations back. */
	if (err == ERR_OK)
		err = os_file_read_private(d->log, LOG_FILE_BYTES, &data, &len, info);
	if (err == ERR_OK) {
		free(data);
		err = authlog_load(d->log, &log, info);
	}
	if (err == ERR_CORRUPT)
		return err_set(info, err,
			       "\"%s\" is damaged; restore the folder from its spare copy: mesh authority "
			       "log --dir SPARE shows whether that one is whole",
			       d->log);
	if (err == ERR_OK)
		*ret = log;
	return err;
}

enum err authority_last_day(const struct command *c, unsigned fallback, wall_day *ret, struct err_info *info)
{
	const char *until = options_value(&c->options, "until");
	wall_day day, today = clock_day(os_clock_wall());
	unsigned days;
	if (until != NULL && options_value(&c->options, "days") != NULL)
		return err_set(info, ERR_USAGE, "--days and --until exclude each other");
	if (until == NULL && options_value(&c->options, "days") == NULL && fallback == 0)
		return ERR_NOT_FOUND;
	if (until == NULL) {
		enum err err = command_number(c, "days", 1, 36500, fallback, &days, info);
		if (err == ERR_OK)
			*ret = today + days;
		return err;
	}
	if (!shown_day_parse(until, &day) || day < today || day > today + 36500) {
		char shown[64];
		text_escape(shown, sizeof(shown), until, strlen(until));
		return err_set(info, ERR_USAGE, "--until %s: a date from today on is needed, like 2027-12-31",
			       shown);
	}
	*ret = day;
	return ERR_OK;
}

enum err authority_check_site(const char *site, struct err_info *info)
{
	char shown[128];
	size_t len = strlen(site);
	size_t escaped = text_escape(shown, sizeof(shown), site, len);
	if (len == 0 || len > LIMIT_SITE_NAME_BYTES || escaped != len)
		return err_set(info, ERR_USAGE,
			       "site name \"%s\": 1 to %d bytes without control characters are allowed",
			       shown, LIMIT_SITE_NAME_BYTES);
	return ERR_OK;
}
