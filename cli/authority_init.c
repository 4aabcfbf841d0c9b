/* A new authority: its keys, its successor's and its log. The log is written last, so a folder with one is
 * whole. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_spare.h"
#include "cli/authority_successor.h"
#include "cli/fields.h"
#include "cli/passphrase.h"
#include "cli/verb.h"
#include "crypto/guarded.h"
#include "os/clock.h"
#include "os/file.h"

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

/* What is asked for and typed before anything is made. */
struct founding {
	const char *name;
	char successor[LIMIT_PATH_BYTES]; /* the file for its key */
	char *passphrase, *successor_passphrase;
};

static enum err refuse_existing(const struct authority_dir *d, struct err_info *info)
{
	const char *const files[] = {d->key, d->estate, d->log};
	for (size_t i = 0; i < 3; i++) {
		if (os_file_exists(files[i]))
			return err_set(info, ERR_EXISTS,
				       "\"%s\" exists: an authority is never overwritten; name another "
				       "folder",
				       files[i]);
	}
	return ERR_OK;
}

/* Under the passphrase of the authority's key: one to know for whoever makes tokens, too. */
static enum err save_estate_key(const struct authority_dir *d, const char *passphrase,
				const struct crypto_rng *rng, struct err_info *info)
{
	uint8_t *secret = crypto_guarded_new(KEY_BYTES);
	if (secret == NULL)
		return err_set(info, ERR_NOMEM, "no memory for the estate's key");
	rng->fill(rng->context, secret, KEY_BYTES);
	enum err err = key_file_save(KEY_ESTATE_SECRET, secret, d->estate, passphrase, false, rng, info);
	crypto_guarded_free(secret, KEY_BYTES);
	return err;
}

static enum err save_genesis(const struct authority_dir *d, const struct identity *authority,
			     const struct identity *successor, const char *name, struct authlog **ret,
			     struct err_info *info)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	struct authlog *log = NULL;
	enum err err = authlog_new(&log);
	if (err == ERR_OK)
		err = authlog_make_genesis(authority, identity_public_key(successor), name, os_clock_wall(),
					   entry, &len);
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err != ERR_OK)
		err_set(info, err, "cannot make the authority's log: %s", err_text(err));
	else
		err = authlog_save(log, d->log, info);
	if (err == ERR_OK)
		*ret = log;
	else
		authlog_free(log);
	return err;
}

/* What was made before a failure goes again: it has signed nothing yet. */
static void undo(const struct authority_dir *d, const char *successor)
{
	os_file_wipe(d->key, NULL);
	os_file_wipe(d->estate, NULL);
	if (successor != NULL)
		os_file_wipe(successor, NULL);
}

static enum err make_authority(const struct authority_dir *d, const struct founding *p, struct authlog **ret,
			       struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *authority = NULL, *successor = NULL;
	enum err err = identity_generate(&rng, &authority);
	if (err != ERR_OK)
		return err_set(info, err, "cannot make a key: %s", err_text(err));
	err = identity_save(authority, KEY_AUTHORITY, d->key, p->passphrase, &rng, info);
	/* Somebody else's file is not ours to undo. */
	bool ours = err == ERR_OK;
	if (err == ERR_OK)
		err = authority_successor_make(p->successor, p->successor_passphrase, &successor, info);
	if (err == ERR_OK)
		err = save_estate_key(d, p->passphrase, &rng, info);
	if (err == ERR_OK)
		err = save_genesis(d, authority, successor, p->name, ret, info);
	if (err != ERR_OK && ours)
		undo(d, successor != NULL ? p->successor : NULL);
	identity_free(authority);
	identity_free(successor);
	return err;
}

/* What went wrong is said with the way to mend it: the authority itself is whole. */
static enum err make_spare(struct command *c, const struct authority_dir *d, const struct authlog *log,
			   struct authority_spare *ret)
{
	struct err_info info = {0};
	enum err err = authority_spare_find(c, d, log, ret, &info);
	if (err == ERR_OK)
		authority_spare_update(d, ret);
	if (err == ERR_OK && ret->condition != SPARE_BEHIND)
		return ERR_OK;
	command_fail(c, 0,
		     "the authority was made, but not its spare copy: %s; then: mesh authority log --dir %s "
		     "--spare DIR",
		     err == ERR_OK ? ret->why.text : info.text, d->folder);
	return ERR_IO;
}

static int report(struct command *c, const struct authority_dir *d, const struct founding *p,
		  const struct authlog *log, const struct authority_spare *spare)
{
	char estate[ID_HEX_BYTES], text[5 * LIMIT_PATH_BYTES];
	struct fields f = {0};
	bool bare = options_has(&c->options, "no-passphrase");
	id_hex(authlog_estate(log), estate);
	fields_text(&f, "estate", estate);
	fields_text(&f, "name", p->name);
	fields_text(&f, "folder", d->folder);
	fields_flag(&f, "protected", !bare);
	fields_text(&f, "spare", authority_spare_name(spare->condition));
	fields_text(&f, "spare_folder", spare->folder[0] != '\0' ? spare->folder : NULL);
	fields_text(&f, "successor_file", p->successor);
	int n = snprintf(text, sizeof(text), "Made the authority of estate \"%s\" in \"%s\".\nEstate id %s\n",
			 p->name, d->folder, estate);
	n += snprintf(
	    text + n, sizeof(text) - (size_t)n,
	    "The successor's key is in \"%s\": it alone can replace the authority's, when that is lost or "
	    "stolen. Keep it apart from the folder and its copies.\n",
	    p->successor);
	snprintf(text + n, sizeof(text) - (size_t)n,
		 "%s%s%sKeep all offline.%s\nNext: mesh authority issuer NAME --dir %s\n",
		 spare->condition == SPARE_CURRENT
		     ? "Spare copy in \""
		     : "No spare copy was made: a lost folder is lost for good. ",
		 spare->folder,
		 spare->condition == SPARE_CURRENT ? "\", kept up to date by every change. "
						   : "Make one: --spare DIR. ",
		 bare ? " Its keys have no passphrase: whoever reads them owns the estate." : "", d->folder);
	return fields_answer(c, &f, text, false);
}

/* Before anything is made: the folder for the copy is somebody else's. */
static enum err refuse_spare(const struct command *c, struct err_info *info)
{
	const char *folder = options_value(&c->options, "spare");
	char self[LIMIT_PATH_BYTES], other[LIMIT_PATH_BYTES];
	struct authority_dir copy;
	if (folder == NULL)
		return ERR_OK;
	enum err err = os_path_absolute(options_value(&c->options, "dir"), self, sizeof(self), info);
	if (err == ERR_OK)
		err = os_path_absolute(folder, other, sizeof(other), info);
	if (err == ERR_OK && strcmp(self, other) == 0)
		return err_set(info, ERR_USAGE, "the spare copy cannot be the folder itself (\"%s\")",
			       folder);
	if (err == ERR_OK)
		err = authority_dir_of(folder, &copy, info);
	return err == ERR_OK ? refuse_existing(&copy, info) : err;
}

/* Two passphrases: whoever learns one must not have both keys. */
static enum err ask(struct command *c, const struct authority_dir *d, struct founding *p,
		    struct err_info *info)
{
	enum err err = authority_required(c, "name", &p->name, info);
	if (err == ERR_OK)
		err = check_estate_name(p->name, info);
	if (err == ERR_OK)
		err = refuse_existing(d, info);
	if (err == ERR_OK)
		err = authority_successor_file(c, d, p->successor, info);
	if (err == ERR_OK && os_file_exists(p->successor))
		err = err_set(info, ERR_EXISTS,
			      "\"%s\" exists: a key is never overwritten; name another file with "
			      "--successor",
			      p->successor);
	if (err == ERR_OK)
		err = refuse_spare(c, info);
	if (err == ERR_OK)
		err = passphrase_choose(c, "passphrase-file", "no-passphrase",
					"Passphrase for the authority's key: ", p->passphrase, info);
	if (err == ERR_OK)
		err = passphrase_choose(
		    c, "successor-passphrase-file", "no-passphrase",
		    "Passphrase for the successor's key, another one: ", p->successor_passphrase, info);
	return err;
}

int verb_authority_init(struct command *c)
{
	struct authority_dir d;
	struct err_info info = {0};
	struct os_lock *lock = NULL;
	struct authlog *log = NULL;
	struct authority_spare spare = {0};
	struct founding p = {.passphrase = passphrase_new(), .successor_passphrase = passphrase_new()};
	enum err err = authority_dir_name(c, &d, &info);
	if (err == ERR_OK)
		err = ask(c, &d, &p, &info);
	if (err == ERR_OK)
		err = os_dir_make(d.folder, 0700, &info);
	if (err == ERR_OK)
		err = os_lock_take(d.lock, &lock, &info);
	if (err == ERR_OK)
		err = refuse_existing(&d, &info);
	if (err == ERR_OK)
		err = make_authority(&d, &p, &log, &info);
	passphrase_free(p.passphrase);
	passphrase_free(p.successor_passphrase);
	int code = err == ERR_OK ? MESH_EXIT_COMPLETE : command_report(c, &info);
	if (err == ERR_OK && make_spare(c, &d, log, &spare) != ERR_OK)
		code = MESH_EXIT_ERROR;
	else if (err == ERR_OK)
		code = report(c, &d, &p, log, &spare);
	authlog_free(log);
	if (lock != NULL)
		os_lock_release(lock);
	return code;
}
