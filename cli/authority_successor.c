#include "cli/authority_successor.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/guarded.h"
#include "os/file.h"

#define NEXT_SUFFIX ".next"

bool authority_public_of(const char *path, uint8_t ret[KEY_BYTES])
{
	uint8_t *data;
	size_t len;
	bool protected;
	if (crypto_guarded_read(path, KEY_FILE_BYTES, &data, &len, NULL) != ERR_OK)
		return false;
	enum err err = key_file_public(data, len, KEY_AUTHORITY, &protected, ret);
	crypto_guarded_free(data, len);
	return err == ERR_OK;
}

enum err authority_successor_file(const struct command *c, const struct authority_dir *d,
				  char ret[LIMIT_PATH_BYTES], struct err_info *info)
{
	const char *named = options_value(&c->options, "successor");
	const char *path = named != NULL ? named : d->successor;
	if (strlen(path) + sizeof(NEXT_SUFFIX) > LIMIT_PATH_BYTES || path[0] == '\0')
		return err_set(info, ERR_USAGE, "the path of --successor is empty or too long");
	text_copy(ret, LIMIT_PATH_BYTES, path);
	return ERR_OK;
}

enum err authority_successor_make(const char *path, const char *passphrase, struct identity **ret,
				  struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *successor = NULL;
	enum err err = identity_generate(&rng, &successor);
	if (err != ERR_OK)
		return err_set(info, err, "cannot make a key: %s", err_text(err));
	err = identity_save(successor, KEY_AUTHORITY, path, passphrase, &rng, info);
	if (err == ERR_OK)
		*ret = successor;
	else
		identity_free(successor);
	return err;
}

static void next_of(const char *path, char ret[LIMIT_PATH_BYTES])
{
	snprintf(ret, LIMIT_PATH_BYTES, "%.*s" NEXT_SUFFIX, (int)(LIMIT_PATH_BYTES - sizeof(NEXT_SUFFIX)),
		 path);
}

enum err authority_successor_make_next(const char *path, const char *passphrase, struct identity **ret,
				       struct err_info *info)
{
	char next[LIMIT_PATH_BYTES];
	next_of(path, next);
	enum err err = os_file_exists(next) ? os_file_wipe(next, info) : ERR_OK;
	return err == ERR_OK ? authority_successor_make(next, passphrase, ret, info) : err;
}

static bool is_named(const char *path, const struct authlog *log)
{
	uint8_t key[KEY_BYTES];
	return authority_public_of(path, key) && memcmp(key, authlog_successor(log), KEY_BYTES) == 0;
}

enum err authority_successor_settle(const char *path, const struct authlog *log, struct err_info *info)
{
	char next[LIMIT_PATH_BYTES];
	uint8_t *data;
	size_t len;
	next_of(path, next);
	if (!is_named(next, log))
		return ERR_OK;
	enum err err = crypto_guarded_read(next, KEY_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = os_file_replace(path, data, len, 0600, info);
	crypto_guarded_free(data, len);
	return err == ERR_OK ? os_file_wipe(next, info) : err;
}

enum err authority_successor_check(const char *path, const struct authlog *log, struct err_info *info)
{
	char hex[ID_HEX_BYTES];
	struct id id = id_of_key(authlog_successor(log));
	id_hex(&id, hex);
	if (is_named(path, log))
		return ERR_OK;
	if (!os_file_exists(path))
		return err_set(
		    info, ERR_NOT_FOUND,
		    "there is no \"%s\": only the successor that the log names, %.8s, can replace the "
		    "authority's key; name its file with --successor",
		    path, hex);
	return err_set(info, ERR_UNTRUSTED,
		       "\"%s\" is not the key of the successor that the log names, %.8s; name its file with "
		       "--successor",
		       path, hex);
}
