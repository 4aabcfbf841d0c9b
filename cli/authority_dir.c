#include "cli/authority_dir.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "os/terminal.h"

#define KEY_SUFFIX ".key"

enum err authority_required(const struct command *c, const char *name, const char **ret,
			    struct err_info *info)
{
	const char *value = options_value(&c->options, name);
	if (value == NULL || value[0] == '\0')
		return err_set(info, ERR_USAGE, "option --%s is missing", name);
	*ret = value;
	return ERR_OK;
}

enum err authority_dir_name(const struct command *c, struct authority_dir *ret, struct err_info *info)
{
	const char *folder;
	enum err err = authority_required(c, "dir", &folder, info);
	if (err != ERR_OK)
		return err;
	/* Room for the longest name below it. */
	if (strlen(folder) + LIMIT_SHORT_TEXT_BYTES + 32 > LIMIT_PATH_BYTES)
		return err_set(info, ERR_USAGE, "the path of --dir is too long");
	text_copy(ret->folder, LIMIT_PATH_BYTES, folder);
	os_path_join(ret->key, LIMIT_PATH_BYTES, folder, "authority.key");
	os_path_join(ret->estate, LIMIT_PATH_BYTES, folder, "estate.key");
	os_path_join(ret->log, LIMIT_PATH_BYTES, folder, "authority.log");
	os_path_join(ret->issuers, LIMIT_PATH_BYTES, folder, "issuers");
	os_path_join(ret->lock, LIMIT_PATH_BYTES, folder, "lock");
	return ERR_OK;
}

enum err authority_dir_issuer(const struct authority_dir *d, const char *name, char *ret, size_t cap,
			      struct err_info *info)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char file[LIMIT_SHORT_TEXT_BYTES + sizeof(KEY_SUFFIX)];
	size_t len = strlen(name);
	if (len == 0 || len > LIMIT_SHORT_TEXT_BYTES || name[0] == '.' || name[0] == '-' ||
	    strspn(name, allowed) != len) {
		char shown[128];
		text_escape(shown, sizeof(shown), name, len);
		return err_set(
		    info, ERR_USAGE,
		    "issuer name \"%s\": 1 to %d letters, digits, dots, dashes and underscores are "
		    "allowed, beginning with a letter or digit",
		    shown, LIMIT_SHORT_TEXT_BYTES);
	}
	snprintf(file, sizeof(file), "%s" KEY_SUFFIX, name);
	enum err err = os_path_join(ret, cap, d->issuers, file);
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
	enum err err = authority_dir_check(d, info);
	if (err == ERR_OK)
		err = authlog_load(d->log, &log, info);
	if (err == ERR_OK && authlog_count(log) == 0) {
		authlog_free(log);
		return err_set(info, ERR_CORRUPT, "\"%s\" is empty; restore it from the spare copy", d->log);
	}
	if (err == ERR_OK)
		*ret = log;
	return err;
}

static enum err read_passphrase(const char *path, char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read_secret(path, PASSPHRASE_BYTES - 1, &data, &len, info);
	if (err != ERR_OK)
		return err;
	size_t line = strcspn((char *)data, "\r\n");
	if (line == 0) {
		err = err_set(info, ERR_ARG, "the first line of \"%s\" is empty; write a passphrase into it",
			      path);
	} else {
		memcpy(ret, data, line);
		ret[line] = '\0';
	}
	crypto_wipe(data, len);
	free(data);
	return err;
}

enum err authority_passphrase(const struct command *c, const char *prompt, bool twice,
			      char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	char again[PASSPHRASE_BYTES];
	const char *file = options_value(&c->options, "passphrase-file");
	if (file != NULL)
		return read_passphrase(file, ret, info);
	enum err err = os_terminal_secret(prompt, ret, PASSPHRASE_BYTES, info);
	if (err == ERR_UNSUPPORTED)
		return err_set(info, err,
			       "a passphrase is needed and there is no terminal to ask on; give it "
			       "with --passphrase-file");
	if (err == ERR_OK && ret[0] == '\0')
		err = err_set(info, ERR_ARG, "the passphrase is empty; nothing was changed");
	if (err != ERR_OK || !twice)
		return err;
	err = os_terminal_secret("Again: ", again, sizeof(again), info);
	if (err == ERR_OK && strcmp(ret, again) != 0)
		err = err_set(info, ERR_ARG, "the two passphrases differ; nothing was changed");
	crypto_wipe(again, sizeof(again));
	return err;
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
