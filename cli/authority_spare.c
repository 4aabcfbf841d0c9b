#include "cli/authority_spare.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/bundle.h"
#include "crypto/guarded.h"
#include "os/file.h"

#define FILE_BYTES ((size_t)LIMIT_LOG_ENTRIES * (2 + LIMIT_LOG_ENTRY_BYTES))

const char *authority_spare_name(enum spare_condition condition)
{
	switch (condition) {
	case SPARE_NONE:
		return "none";
	case SPARE_REACHED:
	case SPARE_CURRENT:
		return "current";
	case SPARE_BEHIND:
		return "behind";
	}
	return "none";
}

/* Where the copy was last; false when the authority has none. */
static bool read_place(const struct authority_dir *d, char ret[LIMIT_PATH_BYTES])
{
	uint8_t *data;
	size_t len;
	if (os_file_read_private(d->spare, LIMIT_PATH_BYTES - 1, &data, &len, NULL) != ERR_OK)
		return false;
	data[strcspn((char *)data, "\r\n")] = '\0';
	bool named = data[0] == '/' && text_copy(ret, LIMIT_PATH_BYTES, (char *)data);
	free(data);
	return named;
}

static enum err write_place(const struct authority_dir *d, const char *folder, struct err_info *info)
{
	char line[LIMIT_PATH_BYTES + 1], known[LIMIT_PATH_BYTES];
	if (read_place(d, known) && strcmp(known, folder) == 0)
		return ERR_OK;
	int len = snprintf(line, sizeof(line), "%s\n", folder);
	return os_file_replace(d->spare, line, len > 0 ? (size_t)len : 0, 0600, info);
}

static enum err copy_file(const char *from, const char *to, struct err_info *info)
{
	uint8_t *data, *known = NULL;
	size_t len, known_len = 0;
	enum err err = crypto_guarded_read(from, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	bool same = crypto_guarded_read(to, FILE_BYTES, &known, &known_len, NULL) == ERR_OK &&
		    known_len == len && memcmp(known, data, len) == 0;
	if (!same)
		err = os_file_replace(to, data, len, 0600, info);
	crypto_guarded_free(known, known_len);
	crypto_guarded_free(data, len);
	return err;
}

struct copying {
	const char *from, *to;
	enum err err;
	struct err_info *info;
};

static bool copy_entry(void *context, const char *name)
{
	struct copying *c = context;
	char from[LIMIT_PATH_BYTES], to[LIMIT_PATH_BYTES];
	if (os_path_join(from, sizeof(from), c->from, name) != ERR_OK ||
	    os_path_join(to, sizeof(to), c->to, name) != ERR_OK)
		c->err = err_set(c->info, ERR_LIMIT, "a path below \"%s\" is too long", c->from);
	else
		c->err = copy_file(from, to, c->info);
	return c->err == ERR_OK;
}

static enum err copy_folder(const char *from, const char *to, struct err_info *info)
{
	struct copying c = {.from = from, .to = to, .info = info};
	if (!os_file_exists(from))
		return ERR_OK;
	enum err err = os_dir_make(to, 0700, info);
	if (err == ERR_OK)
		err = os_dir_list(from, copy_entry, &c, info);
	return err == ERR_OK ? c.err : err;
}

enum err authority_spare_copy(const struct authority_dir *from, const struct authority_dir *to,
			      struct err_info *info)
{
	enum err err = copy_folder(from->old, to->old, info);
	if (err == ERR_OK)
		err = copy_folder(from->issuers, to->issuers, info);
	if (err == ERR_OK)
		err = copy_folder(from->operators, to->operators, info);
	if (err == ERR_OK)
		err = copy_folder(from->lists, to->lists, info);
	if (err == ERR_OK)
		err = copy_file(from->key, to->key, info);
	if (err == ERR_OK)
		err = copy_file(from->estate, to->estate, info);
	/* A folder with a log is whole. */
	if (err == ERR_OK)
		err = copy_file(from->log, to->log, info);
	return err;
}

/* ERR_NOT_FOUND: nothing is there yet. */
static enum err compare(const struct command *c, const struct authority_dir *d, const struct authlog *log,
			const char *folder, struct err_info *info)
{
	struct authority_dir other;
	struct authlog *theirs = NULL;
	enum err err = authority_dir_of(folder, &other, info);
	if (err == ERR_OK)
		err = authority_dir_load_log(&other, &theirs, info);
	if (err != ERR_OK)
		return err;
	size_t missing = bundle_missing(log, theirs);
	if (!id_equal(authlog_estate(theirs), authlog_estate(log)))
		err = err_set(info, ERR_ESTATE,
			      "the spare copy in \"%s\" is of another estate (\"%s\"); name the right folder "
			      "with --spare",
			      folder, authlog_estate_name(theirs));
	else if (missing > 0 && !options_has(&c->options, "after"))
		err = err_set(info, ERR_STALE,
			      "the copy in \"%s\" has %zu entr%s of the log that \"%s\" lacks: to sign now "
			      "would fork the log; bring this folder up to it: mesh authority log --dir %s "
			      "--take %s",
			      folder, missing, missing == 1 ? "y" : "ies", d->folder, d->folder, folder);
	authlog_free(theirs);
	return err;
}

static bool refuse_entry(void *context, const char *name)
{
	(void)name;
	*(bool *)context = true;
	return false;
}

/* A new copy goes into a folder that is not there or empty. */
static enum err begin_copy(const char *folder, struct err_info *info)
{
	bool filled = false;
	enum err err = os_dir_make(folder, 0700, info);
	if (err == ERR_OK)
		err = os_dir_check_writable(folder, info);
	if (err == ERR_OK)
		err = os_dir_list(folder, refuse_entry, &filled, info);
	if (err == ERR_OK && filled)
		return err_set(info, ERR_EXISTS,
			       "\"%s\" holds other files; name an empty folder for the spare copy", folder);
	return err;
}

enum err authority_spare_find(const struct command *c, const struct authority_dir *d,
			      const struct authlog *log, struct authority_spare *ret, struct err_info *info)
{
	const char *named = options_value(&c->options, "spare");
	char self[LIMIT_PATH_BYTES];
	struct authority_spare s = {.condition = SPARE_REACHED};
	enum err err = os_path_absolute(d->folder, self, sizeof(self), info);
	if (err == ERR_OK && named != NULL)
		err = os_path_absolute(named, s.folder, sizeof(s.folder), info);
	if (err != ERR_OK)
		return err;
	if (named == NULL && !read_place(d, s.folder)) {
		*ret = (struct authority_spare){.condition = SPARE_NONE};
		return ERR_OK;
	}
	if (strcmp(s.folder, self) == 0)
		return err_set(info, ERR_USAGE, "the spare copy cannot be the folder itself (\"%s\")", self);
	err = compare(c, d, log, s.folder, &s.why);
	if (err == ERR_NOT_FOUND && named != NULL)
		err = begin_copy(s.folder, &s.why);
	if (err == ERR_STALE || err == ERR_ESTATE || (err != ERR_OK && named != NULL)) {
		*info = s.why;
		return err;
	}
	if (err == ERR_NOT_FOUND)
		err_set(&s.why, err, "there is no authority (is its medium missing?)");
	if (err != ERR_OK)
		s.condition = SPARE_BEHIND;
	*ret = s;
	return ERR_OK;
}

void authority_spare_update(const struct authority_dir *d, struct authority_spare *spare)
{
	struct authority_dir to;
	char self[LIMIT_PATH_BYTES];
	if (spare->condition != SPARE_REACHED)
		return;
	enum err err = authority_dir_of(spare->folder, &to, &spare->why);
	if (err == ERR_OK)
		err = os_path_absolute(d->folder, self, sizeof(self), &spare->why);
	if (err == ERR_OK)
		err = authority_spare_copy(d, &to, &spare->why);
	if (err == ERR_OK)
		err = write_place(&to, self, &spare->why);
	if (err == ERR_OK)
		err = write_place(d, spare->folder, &spare->why);
	spare->condition = err == ERR_OK ? SPARE_CURRENT : SPARE_BEHIND;
}
