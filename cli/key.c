/* Key files in the hands of a person: making an own one, what a file says, another passphrase. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/fields.h"
#include "cli/passphrase.h"
#include "cli/verb.h"
#include "crypto/guarded.h"
#include "os/file.h"

#define PUBLIC_SUFFIX ".pub"
#define PUBLIC_DIGITS (2 * KEY_BYTES)
#define CERTIFICATE   "certificate" /* beside the keys of a node */

/* --- operator init --- */

static enum err name_public(const char *path, char ret[LIMIT_PATH_BYTES], struct err_info *info)
{
	if (path[0] == '\0')
		return err_set(info, ERR_USAGE, "FILE is empty; name a file to make");
	int n = snprintf(ret, LIMIT_PATH_BYTES, "%s" PUBLIC_SUFFIX, path);
	if (n < 0 || n >= LIMIT_PATH_BYTES)
		return err_set(info, ERR_USAGE, "the path of FILE is too long");
	/* Before a passphrase is asked for twice. */
	for (int i = 0; i < 2; i++) {
		const char *file = i == 0 ? path : ret;
		if (os_file_exists(file))
			return err_set(info, ERR_EXISTS,
				       "\"%s\" exists: a key is never overwritten; name another file", file);
	}
	return ERR_OK;
}

static enum err save_public(const struct identity *person, const char *path, struct err_info *info)
{
	char line[PUBLIC_DIGITS + 2];
	text_hex(line, identity_public_key(person), KEY_BYTES);
	line[PUBLIC_DIGITS] = '\n';
	return os_file_create(path, line, PUBLIC_DIGITS + 1, 0644, info);
}

static enum err make_person(const struct command *c, const char *path, const char *public_path,
			    struct identity **ret, struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *person = NULL;
	char *passphrase = passphrase_new();
	enum err err = passphrase_choose(c, "passphrase-file", "no-passphrase",
					 "Passphrase for your key: ", passphrase, info);
	if (err == ERR_OK && identity_generate(&rng, &person) != ERR_OK)
		err = err_set(info, ERR_NOMEM, "cannot make a key: %s", err_text(ERR_NOMEM));
	if (err == ERR_OK)
		err = identity_save(person, KEY_OPERATOR, path, passphrase, &rng, info);
	if (err == ERR_OK) {
		err = save_public(person, public_path, info);
		/* Nobody knows it yet. */
		if (err != ERR_OK)
			os_file_wipe(path, NULL);
	}
	passphrase_free(passphrase);
	if (err == ERR_OK)
		*ret = person;
	else
		identity_free(person);
	return err;
}

int verb_operator_init(struct command *c)
{
	struct err_info info = {0};
	struct identity *person = NULL;
	struct fields f = {0};
	const char *path = c->options.operands[0];
	char public_path[LIMIT_PATH_BYTES], hex[ID_HEX_BYTES], key[PUBLIC_DIGITS + 1];
	char text[3 * LIMIT_PATH_BYTES];
	bool bare = options_has(&c->options, "no-passphrase");
	enum err err = name_public(path, public_path, &info);
	if (err == ERR_OK)
		err = make_person(c, path, public_path, &person, &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	id_hex(identity_id(person), hex);
	text_hex(key, identity_public_key(person), KEY_BYTES);
	fields_text(&f, "operator", hex);
	fields_text(&f, "public_key", key);
	fields_text(&f, "key_file", path);
	fields_text(&f, "public_key_file", public_path);
	fields_flag(&f, "protected", !bare);
	snprintf(
	    text, sizeof(text),
	    "Made your key \"%s\"%s. Keep it here.\nId %s\nPublic key %s\n"
	    "Next: send \"%s\" to whoever holds the authority, and tell the id by another way. There: mesh "
	    "authority operator NAME --dir DIR --role ROLES --public-key FILE\n",
	    path, bare ? ", without a passphrase: whoever reads it can speak for you" : "", hex, key,
	    public_path);
	int code = fields_answer(c, &f, text, false);
	identity_free(person);
	return code;
}

/* --- key show --- */

int verb_key_show(struct command *c)
{
	struct err_info info = {0};
	struct key_file_facts facts;
	struct fields f = {0};
	char hex[ID_HEX_BYTES], key[PUBLIC_DIGITS + 1], text[512];
	const char *kind;
	if (key_file_inspect(c->options.operands[0], &facts, &info) != ERR_OK)
		return command_report(c, &info);
	struct id id = id_of_key(facts.public_key);
	/* The estate's secret is no key pair. */
	bool pair = facts.purpose != KEY_ESTATE_SECRET;
	kind = key_file_purpose_name(facts.purpose);
	id_hex(&id, hex);
	text_hex(key, facts.public_key, KEY_BYTES);
	fields_text(&f, "kind", kind);
	fields_text(&f, "id", pair ? hex : NULL);
	fields_text(&f, "public_key", pair ? key : NULL);
	fields_flag(&f, "protected", facts.protected);
	snprintf(text, sizeof(text), "Kind        %s\n%s%s%s%s%s%sPassphrase  %s\n", kind,
		 pair ? "Id          " : "", pair ? hex : "", pair ? "\n" : "", pair ? "Public key  " : "",
		 pair ? key : "", pair ? "\n" : "", facts.protected ? "yes" : "none");
	return fields_answer(c, &f, text, false);
}

/* --- key passphrase --- */

/* A node opens its keys with nobody there to ask. */
static enum err refuse_nodes(const char *path, enum key_purpose purpose, struct err_info *info)
{
	char beside[LIMIT_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
	int n = snprintf(beside, sizeof(beside), "%.*s" CERTIFICATE, folder, path);
	if (n < 0 || (size_t)n >= sizeof(beside))
		return err_set(info, ERR_USAGE, "the path \"%.64s...\" is too long", path);
	if (purpose != KEY_HOST && !os_file_exists(beside))
		return ERR_OK;
	return err_set(
	    info, ERR_ARG,
	    "\"%s\" is a key of a node, which starts with nobody there to ask for a passphrase; it is "
	    "protected by the rights of its file",
	    path);
}

struct opened {
	size_t count;
	enum key_purpose purposes[OPTIONS_MAX_OPERANDS];
	uint8_t (*seeds)[KEY_BYTES]; /* guarded */
};

static enum err open_all(const struct command *c, struct opened *o, struct err_info *info)
{
	char *passphrase = passphrase_new();
	enum err err = ERR_OK;
	if (passphrase == NULL || o->seeds == NULL)
		err = err_set(info, ERR_NOMEM, "no memory for keys");
	for (size_t i = 0; err == ERR_OK && i < o->count; i++) {
		const char *path = c->options.operands[i];
		char prompt[LIMIT_PATH_BYTES + 32];
		struct key_file_facts facts;
		snprintf(prompt, sizeof(prompt), "Passphrase of %s: ", path);
		err = key_file_inspect(path, &facts, info);
		if (err == ERR_OK)
			err = refuse_nodes(path, facts.purpose, info);
		if (err != ERR_OK)
			break;
		o->purposes[i] = facts.purpose;
		err = passphrase_load_seed(c, path, facts.purpose, "passphrase-file", prompt, passphrase,
					   o->seeds[i], info);
	}
	passphrase_free(passphrase);
	return err;
}

/* What stood in the old file may have been plain: it is wiped once the new one has its place. */
static enum err save_one(const struct opened *o, size_t i, const char *path, const char *passphrase,
			 const struct crypto_rng *rng, struct err_info *info)
{
	struct os_secret *old = NULL;
	enum err err = os_secret_open(path, true, &old, info);
	/* What a link leads to is replaced, not the link. */
	if (err == ERR_OK)
		err = key_file_save(o->purposes[i], o->seeds[i], os_secret_name(old), passphrase, true, rng,
				    info);
	if (err == ERR_OK)
		err = os_secret_wipe(old, NULL, 0, info);
	os_secret_close(old);
	return err;
}

static enum err save_all(const struct command *c, const struct opened *o, struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	char *passphrase = passphrase_new();
	enum err err = passphrase_choose(c, "new-passphrase-file", "no-passphrase",
					 "New passphrase: ", passphrase, info);
	for (size_t i = 0; err == ERR_OK && i < o->count; i++)
		err = save_one(o, i, c->options.operands[i], passphrase, &rng, info);
	passphrase_free(passphrase);
	return err;
}

int verb_key_passphrase(struct command *c)
{
	struct err_info info = {0};
	struct fields f = {0};
	char text[256];
	struct opened o = {.count = c->options.operand_count,
			   .seeds = crypto_guarded_new(OPTIONS_MAX_OPERANDS * KEY_BYTES)};
	bool bare = options_has(&c->options, "no-passphrase");
	enum err err = open_all(c, &o, &info);
	if (err == ERR_OK)
		err = save_all(c, &o, &info);
	crypto_guarded_free(o.seeds, OPTIONS_MAX_OPERANDS * KEY_BYTES);
	if (err != ERR_OK)
		return command_report(c, &info);
	fields_number(&f, "files", (int64_t)o.count);
	fields_flag(&f, "protected", !bare);
	snprintf(text, sizeof(text), "%zu key file%s %s. Copies made before keep the old passphrase.\n",
		 o.count, o.count == 1 ? "" : "s",
		 bare ? "without a passphrase now: whoever reads them can use them"
		      : "under the new passphrase");
	return fields_answer(c, &f, text, false);
}
