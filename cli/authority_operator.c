/* People who may say things for the estate: their keys and what those are for. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_change.h"
#include "cli/passphrase.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/guarded.h"
#include "os/clock.h"
#include "os/file.h"

#define DAYS_DEFAULT   365
#define PUBLIC_DIGITS  (2 * KEY_BYTES)
#define ROLES_BYTES    64
#define KEY_TEXT_BYTES 1024

static const struct {
	const char *name;
	uint8_t bit;
} roles[] = {
    {"incidents", LOG_ROLE_INCIDENTS},
    {"inventory", LOG_ROLE_INVENTORY},
    {"policy", LOG_ROLE_POLICY},
    {"decommission", LOG_ROLE_DECOMMISSION},
};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

static enum err read_roles(const struct command *c, uint8_t *ret, struct err_info *info)
{
	const char *list;
	uint8_t bits = 0;
	for (size_t n = 0; (list = options_nth(&c->options, "role", n)) != NULL; n++) {
		while (*list != '\0') {
			size_t len = strcspn(list, ","), i = 0;
			while (i < ROLES &&
			       (strlen(roles[i].name) != len || memcmp(roles[i].name, list, len) != 0))
				i++;
			if (i == ROLES) {
				char shown[64];
				text_escape(shown, sizeof(shown), list, len);
				return err_set(info, ERR_USAGE,
					       "there is no role \"%s\"; use: incidents, inventory, policy, "
					       "decommission",
					       shown);
			}
			bits |= roles[i].bit;
			list += len + (list[len] == ',');
		}
	}
	if (bits == 0)
		return err_set(info, ERR_USAGE, "option --role is missing");
	*ret = bits;
	return ERR_OK;
}

static void list_roles(uint8_t bits, char ret[ROLES_BYTES])
{
	size_t len = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < ROLES; i++) {
		if (bits & roles[i].bit)
			len += (size_t)snprintf(ret + len, ROLES_BYTES - len, "%s%s", len > 0 ? ", " : "",
						roles[i].name);
	}
}

/* The public part of a key file. */
static enum err read_key_file(const char *path, uint8_t ret[KEY_BYTES], struct err_info *info)
{
	uint8_t *data;
	size_t len;
	bool protected;
	enum err err = crypto_guarded_read(path, KEY_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = key_file_public(data, len, KEY_OPERATOR, &protected, ret);
	crypto_guarded_free(data, len);
	if (err != ERR_OK)
		return err_set(info, err, "\"%s\" is no operator's key file (%s)", path, err_text(err));
	return ERR_OK;
}

/* 64 digits, a file that holds them, or a key file. */
static enum err read_public_key(const char *typed, uint8_t ret[KEY_BYTES], struct err_info *info)
{
	uint8_t *data;
	size_t len;
	if (text_unhex(ret, KEY_BYTES, typed))
		return ERR_OK;
	if (key_file_looks(typed))
		return read_key_file(typed, ret, info);
	enum err err = os_file_read(typed, KEY_TEXT_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	bool is_text = len >= PUBLIC_DIGITS && strcspn((char *)data, "\r\n \t") == PUBLIC_DIGITS;
	if (is_text)
		data[PUBLIC_DIGITS] = '\0';
	is_text = is_text && text_unhex(ret, KEY_BYTES, (char *)data);
	free(data);
	return is_text ? ERR_OK
		       : err_set(info, ERR_FORMAT,
				 "\"%s\" is neither a key file nor begins with the %d digits of a public key",
				 typed, PUBLIC_DIGITS);
}

static enum err make_key(const struct command *c, const struct authority_dir *d, const char *path,
			 uint8_t ret[KEY_BYTES], struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *person = NULL;
	char *passphrase = passphrase_new();
	enum err err = passphrase_choose(c, "key-passphrase-file", "no-key-passphrase",
					 "Passphrase for the person's key: ", passphrase, info);
	if (err == ERR_OK)
		err = os_dir_make(d->operators, 0700, info);
	if (err == ERR_OK && identity_generate(&rng, &person) != ERR_OK)
		err = err_set(info, ERR_NOMEM, "cannot make a key: %s", err_text(ERR_NOMEM));
	if (err == ERR_OK)
		err = identity_save(person, KEY_OPERATOR, path, passphrase, &rng, info);
	if (err == ERR_OK)
		memcpy(ret, identity_public_key(person), KEY_BYTES);
	passphrase_free(passphrase);
	identity_free(person);
	return err;
}

/* The key that counts under a name; NULL when none does. */
static const uint8_t *known_key(const struct authority_change *ch, const char *name)
{
	struct id id;
	return authority_change_who(ch, true, name, &id, NULL, NULL) == ERR_OK
		   ? authlog_operator_key(ch->log, &id)
		   : NULL;
}

/* Where the person's key comes from; `ret_path` is left empty when no file holds it here. */
static enum err find_key(const struct authority_change *ch, const char *name, uint8_t ret[KEY_BYTES],
			 char ret_path[LIMIT_PATH_BYTES], struct err_info *info)
{
	const struct command *c = ch->command;
	const char *given = options_value(&c->options, "public-key");
	char path[LIMIT_PATH_BYTES];
	struct id id;
	const struct authlog *log = ch->log;
	enum err err = authority_dir_key(ch->dir.operators, "operator", name, path, sizeof(path), info);
	if (err != ERR_OK)
		return err;
	const uint8_t *known = known_key(ch, name);
	if (given != NULL)
		err = read_public_key(given, ret, info);
	else if (known != NULL)
		memcpy(ret, known, KEY_BYTES);
	else if (os_file_exists(path))
		err = read_key_file(path, ret, info);
	else
		err = make_key(c, &ch->dir, path, ret, info);
	if (err != ERR_OK)
		return err;
	text_copy(ret_path, LIMIT_PATH_BYTES, given == NULL && os_file_exists(path) ? path : "");
	id = id_of_key(ret);
	if (authlog_find_operator(log, &id) != NULL && authlog_find_operator(log, &id)->revoked)
		return err_set(
		    info, ERR_REVOKED,
		    "the key of operator \"%s\" was revoked, for good; choose another name, or give "
		    "another key",
		    name);
	return ERR_OK;
}

static int report(struct authority_change *ch, const char *name, const uint8_t key[KEY_BYTES], uint8_t bits,
		  wall_day last_day, const char *path, bool known)
{
	char day[SHOWN_BYTES], hex[ID_HEX_BYTES], list[ROLES_BYTES], text[LIMIT_PATH_BYTES + 512];
	struct fields f = {0};
	struct id id = id_of_key(key);
	id_hex(&id, hex);
	shown_day(last_day, day);
	list_roles(bits, list);
	fields_text(&f, "operator", hex);
	fields_text(&f, "name", name);
	fields_text(&f, "roles", list);
	fields_text(&f, "last_day", day);
	fields_text(&f, "key_file", path[0] != '\0' ? path : NULL);
	int n = snprintf(text, sizeof(text), "Operator \"%s\" may say: %s; until %s.\nId %s\n", name, list,
			 day, hex);
	if (known)
		snprintf(text + n, sizeof(text) - (size_t)n, "It is the same key as before.\n");
	else if (path[0] != '\0')
		snprintf(text + n, sizeof(text) - (size_t)n,
			 "The key is \"%s\": hand it over, and its passphrase by another way.\n", path);
	else
		snprintf(text + n, sizeof(text) - (size_t)n,
			 "It must be the id that the person was shown; else revoke it.\n");
	return authority_change_finish(ch, &f, text);
}

int verb_authority_operator(struct command *c)
{
	struct authority_change ch;
	struct err_info info = {0};
	const char *name = c->options.operands[0];
	uint8_t bits = 0, key[KEY_BYTES], entry[LIMIT_LOG_ENTRY_BYTES];
	char path[LIMIT_PATH_BYTES] = "";
	size_t len = 0;
	wall_day last_day;
	bool known = false, other = false;
	enum err err = authority_dir_key("", "operator", name, path, sizeof(path), &info);
	if (err == ERR_OK)
		err = read_roles(c, &bits, &info);
	if (err == ERR_OK)
		err = authority_last_day(c, DAYS_DEFAULT, &last_day, &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	err = authority_change_open(c, &ch, &info);
	if (err == ERR_OK)
		err = authority_change_unlock(&ch, false, &info);
	if (err == ERR_OK)
		err = find_key(&ch, name, key, path, &info);
	if (err == ERR_OK) {
		struct id id = id_of_key(key);
		known = authlog_find_operator(ch.log, &id) != NULL;
		other = known_key(&ch, name) != NULL && memcmp(known_key(&ch, name), key, KEY_BYTES) != 0;
		err = authlog_make_operator(ch.log, ch.key, key, name, bits, last_day, os_clock_wall(), entry,
					    &len);
		err = authority_change_add(&ch, err, entry, len, &info);
	}
	int code =
	    err == ERR_OK ? report(&ch, name, key, bits, last_day, path, known) : command_report(c, &info);
	if (err == ERR_OK && other)
		command_fail(c, 0,
			     "note: another key is known as \"%s\" and counts, too; if it is lost: mesh authority "
			     "revoke operator ID --dir %s --reason lost; mesh authority log --dir %s has its id",
			     name, ch.dir.folder, ch.dir.folder);
	authority_change_close(&ch);
	return code;
}
