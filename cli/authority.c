/* The authority of an estate: its keys and its log. The log is written last, so a folder with one is whole.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_dir.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/hash.h"
#include "os/clock.h"
#include "os/file.h"

#define QUOTA_DEFAULT 1000
#define DAYS_DEFAULT  365
#define GRACE_DAYS    30

static enum err check_estate_name(const char *name, struct err_info *info)
{
	char shown[2 * LIMIT_SHORT_TEXT_BYTES];
	size_t len = strlen(name), escaped = text_escape(shown, sizeof(shown), name, len);
	if (len > LIMIT_SHORT_TEXT_BYTES || escaped != len)
		return err_set(info, ERR_USAGE,
			       "estate name \"%s\": at most %d bytes without control characters are allowed",
			       shown, LIMIT_SHORT_TEXT_BYTES);
	return ERR_OK;
}

static enum err refuse_existing(const struct authority_dir *d, struct err_info *info)
{
	const char *const files[] = {d->key, d->estate, d->log};
	for (size_t i = 0; i < 3; i++) {
		if (os_file_exists(files[i]))
			return err_set(
			    info, ERR_EXISTS,
			    "\"%s\" exists: an authority is never overwritten; name another folder "
			    "with --dir",
			    files[i]);
	}
	return ERR_OK;
}

static enum err choose_passphrase(const struct command *c, char ret[PASSPHRASE_BYTES], struct err_info *info)
{
	bool none = options_has(&c->options, "no-passphrase");
	ret[0] = '\0';
	if (none && options_has(&c->options, "passphrase-file"))
		return err_set(info, ERR_USAGE, "--no-passphrase and --passphrase-file exclude each other");
	if (none)
		return ERR_OK;
	return authority_passphrase(c, "Passphrase for the authority's key: ", true, ret, info);
}

static enum err save_estate_key(const struct authority_dir *d, const struct crypto_rng *rng,
				struct err_info *info)
{
	uint8_t secret[KEY_BYTES], file[KEY_FILE_BYTES];
	rng->fill(rng->context, secret, sizeof(secret));
	enum err err = key_file_encode(KEY_ESTATE_SECRET, secret, NULL, rng, file);
	if (err == ERR_OK)
		err = os_file_create(d->estate, file, sizeof(file), 0600, info);
	else
		err_set(info, err, "cannot make the estate's key: %s", err_text(err));
	crypto_wipe(secret, sizeof(secret));
	crypto_wipe(file, sizeof(file));
	return err;
}

static enum err save_genesis(const struct authority_dir *d, const struct identity *authority,
			     const char *name, char ret_estate[ID_HEX_BYTES], struct err_info *info)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	struct authlog *log = NULL;
	enum err err = authlog_new(&log);
	if (err == ERR_OK)
		err = authlog_make_genesis(authority, name, os_clock_wall(), entry, &len);
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err != ERR_OK)
		err_set(info, err, "cannot make the authority's log: %s", err_text(err));
	else
		err = authlog_save(log, d->log, info);
	if (err == ERR_OK)
		id_hex(authlog_estate(log), ret_estate);
	authlog_free(log);
	return err;
}

/* What was made before a failure goes again: it has signed nothing yet. */
static void undo(const struct authority_dir *d)
{
	os_file_wipe(d->key, NULL);
	os_file_wipe(d->estate, NULL);
}

static enum err make_authority(const struct authority_dir *d, const char *name, const char *passphrase,
			       char ret_estate[ID_HEX_BYTES], struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *authority = NULL;
	enum err err = identity_generate(&rng, &authority);
	if (err != ERR_OK)
		return err_set(info, err, "cannot make a key: %s", err_text(err));
	err = identity_save(authority, KEY_AUTHORITY, d->key, passphrase, &rng, info);
	/* Somebody else's file is not ours to undo. */
	bool ours = err == ERR_OK;
	if (err == ERR_OK)
		err = save_estate_key(d, &rng, info);
	if (err == ERR_OK)
		err = save_genesis(d, authority, name, ret_estate, info);
	if (err != ERR_OK && ours)
		undo(d);
	identity_free(authority);
	return err;
}

int verb_authority_init(struct command *c)
{
	struct authority_dir d;
	struct err_info info = {0};
	struct os_lock *lock = NULL;
	const char *name;
	char passphrase[PASSPHRASE_BYTES] = "", estate[ID_HEX_BYTES];
	enum err err = authority_dir_name(c, &d, &info);
	if (err == ERR_OK)
		err = authority_required(c, "name", &name, &info);
	if (err == ERR_OK)
		err = check_estate_name(name, &info);
	if (err == ERR_OK)
		err = refuse_existing(&d, &info);
	if (err == ERR_OK)
		err = choose_passphrase(c, passphrase, &info);
	if (err == ERR_OK)
		err = os_dir_make(d.folder, 0700, &info);
	if (err == ERR_OK)
		err = os_lock_take(d.lock, &lock, &info);
	if (err == ERR_OK)
		err = refuse_existing(&d, &info);
	if (err == ERR_OK)
		err = make_authority(&d, name, passphrase, estate, &info);
	crypto_wipe(passphrase, sizeof(passphrase));
	if (lock != NULL)
		os_lock_release(lock);
	if (err != ERR_OK)
		return command_report(c, &info);
	fprintf(c->out,
		"Made the authority of estate \"%s\" in \"%s\".\nEstate id %s\n"
		"Keep a spare copy of the folder elsewhere, and both of them offline.%s\n"
		"Next: mesh authority issuer NAME --dir %s\n",
		name, d.folder, estate,
		options_has(&c->options, "no-passphrase")
		    ? " Its key has no passphrase: whoever reads it owns the estate."
		    : "",
		d.folder);
	return MESH_EXIT_COMPLETE;
}

static enum err read_grant(const struct command *c, struct authlog_grant *ret, struct err_info *info)
{
	unsigned quota, days;
	const char *site;
	*ret = (struct authlog_grant){.grace_days = GRACE_DAYS};
	enum err err = command_number(c, "quota", 1, LIMIT_HOSTS, QUOTA_DEFAULT, &quota, info);
	if (err == ERR_OK)
		err = command_number(c, "days", 1, 36500, DAYS_DEFAULT, &days, info);
	while (err == ERR_OK && (site = options_nth(&c->options, "site", ret->site_count)) != NULL) {
		if (ret->site_count == LIMIT_GRANT_SITES)
			return err_set(info, ERR_USAGE, "more than %d sites; make a second issuer",
				       LIMIT_GRANT_SITES);
		err = authority_check_site(site, info);
		text_copy(ret->sites[ret->site_count++], LIMIT_SITE_NAME_BYTES + 1, site);
	}
	if (err != ERR_OK)
		return err;
	ret->quota = quota;
	ret->last_day = clock_day(os_clock_wall()) + days;
	text_copy(ret->name, sizeof(ret->name), c->options.operands[0]);
	return ERR_OK;
}

/* Tries without a passphrase first: an unprotected key asks for none. */
static enum err open_authority(const struct command *c, const struct authority_dir *d, struct identity **ret,
			       struct err_info *info)
{
	char passphrase[PASSPHRASE_BYTES];
	enum err err = identity_load(d->key, KEY_AUTHORITY, NULL, ret, info);
	if (err != ERR_SEAL)
		return err;
	err = authority_passphrase(c, "Passphrase of the authority's key: ", false, passphrase, info);
	if (err == ERR_OK)
		err = identity_load(d->key, KEY_AUTHORITY, passphrase, ret, info);
	crypto_wipe(passphrase, sizeof(passphrase));
	return err;
}

/* A key that a crash left without its grant is taken up again. */
static enum err take_issuer_key(const struct authority_dir *d, const char *path, const struct authlog *log,
				struct identity **ret, struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *issuer = NULL;
	enum err err;
	if (os_file_exists(path)) {
		err = identity_load(path, KEY_ISSUER, NULL, &issuer, info);
		if (err == ERR_OK && authlog_find_grant(log, identity_id(issuer)) != NULL)
			err = err_set(info, ERR_EXISTS, "\"%s\" exists already; choose another name", path);
	} else {
		err = os_dir_make(d->issuers, 0700, info);
		if (err == ERR_OK && identity_generate(&rng, &issuer) != ERR_OK)
			err = err_set(info, ERR_NOMEM, "cannot make a key: %s", err_text(ERR_NOMEM));
		if (err == ERR_OK)
			err = identity_save(issuer, KEY_ISSUER, path, NULL, &rng, info);
	}
	if (err == ERR_OK)
		*ret = issuer;
	else
		identity_free(issuer);
	return err;
}

static enum err append_grant(const struct authority_dir *d, struct authlog *log,
			     const struct identity *authority, const struct authlog_grant *grant,
			     struct err_info *info)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	enum err err = authlog_make_grant(log, authority, grant, os_clock_wall(), entry, &len);
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err == ERR_SIGNATURE)
		return err_set(info, err,
			       "\"%s\" is not the key that \"%s\" belongs to; restore both from one "
			       "copy",
			       d->key, d->log);
	if (err != ERR_OK)
		return err_set(info, err, "cannot append to \"%s\": %s", d->log, err_text(err));
	return authlog_save(log, d->log, info);
}

static enum err grant_issuer(const struct command *c, const struct authority_dir *d, const char *path,
			     struct authlog_grant *grant, struct err_info *info)
{
	struct authlog *log = NULL;
	struct identity *authority = NULL, *issuer = NULL;
	enum err err = authority_dir_load_log(d, &log, info);
	if (err == ERR_OK)
		err = open_authority(c, d, &authority, info);
	if (err == ERR_OK)
		err = take_issuer_key(d, path, log, &issuer, info);
	if (err == ERR_OK) {
		memcpy(grant->public_key, identity_public_key(issuer), KEY_BYTES);
		grant->issuer = *identity_id(issuer);
		err = append_grant(d, log, authority, grant, info);
	}
	identity_free(authority);
	identity_free(issuer);
	authlog_free(log);
	return err;
}

int verb_authority_issuer(struct command *c)
{
	struct authority_dir d;
	struct authlog_grant grant;
	struct err_info info = {0};
	struct os_lock *lock = NULL;
	char path[LIMIT_PATH_BYTES], day[SHOWN_BYTES];
	enum err err = authority_dir_name(c, &d, &info);
	if (err == ERR_OK)
		err = authority_dir_issuer(&d, c->options.operands[0], path, sizeof(path), &info);
	if (err == ERR_OK)
		err = read_grant(c, &grant, &info);
	/* A lock file would be the first trace of an authority that is not there. */
	if (err == ERR_OK)
		err = authority_dir_check(&d, &info);
	if (err == ERR_OK)
		err = os_lock_take(d.lock, &lock, &info);
	if (err == ERR_OK)
		err = grant_issuer(c, &d, path, &grant, &info);
	if (lock != NULL)
		os_lock_release(lock);
	if (err != ERR_OK)
		return command_report(c, &info);
	shown_day(grant.last_day, day);
	fprintf(c->out, "Issuer \"%s\" may enrol %u hosts of ", grant.name, (unsigned)grant.quota);
	for (size_t i = 0; i < grant.site_count; i++)
		fprintf(c->out, "%s%s", i == 0 ? "" : ", ", grant.sites[i]);
	fprintf(c->out,
		"%s until %s.\nIts key is \"%s\".\nNext: mesh token --dir %s --issuer %s --out FILE\n",
		grant.site_count == 0 ? "any site" : "", day, path, d.folder, grant.name);
	return MESH_EXIT_COMPLETE;
}
