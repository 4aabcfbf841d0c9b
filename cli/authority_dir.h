/* Files of an authority's folder, and the small checks that its verbs share. */
#ifndef MESH_CLI_AUTHORITY_DIR_H
#define MESH_CLI_AUTHORITY_DIR_H

#include "base/clock.h"
#include "cli/command.h"
#include "crypto/authlog.h"
#include "crypto/identity.h"

struct authority_dir {
	char folder[LIMIT_PATH_BYTES];
	char key[LIMIT_PATH_BYTES];       /* authority.key: protected by a passphrase */
	char next[LIMIT_PATH_BYTES];      /* authority.key.next: while a rotation is under way */
	char old[LIMIT_PATH_BYTES];       /* old/ID.key: rotated ones */
	char successor[LIMIT_PATH_BYTES]; /* successor.key, unless it is kept where it belongs: elsewhere */
	char estate[LIMIT_PATH_BYTES];    /* estate.key */
	char log[LIMIT_PATH_BYTES];       /* authority.log */
	char issuers[LIMIT_PATH_BYTES];
	char operators[LIMIT_PATH_BYTES];
	char lists[LIMIT_PATH_BYTES]; /* allow-lists/BLOB: named by revocations */
	char spare[LIMIT_PATH_BYTES]; /* where the spare copy is, one line */
	char lock[LIMIT_PATH_BYTES];
};

/* The paths below a folder. ERR_USAGE when it is too long. */
enum err authority_dir_of(const char *folder, struct authority_dir *ret, struct err_info *info);
/* The same of --dir. ERR_USAGE. */
enum err authority_dir_name(const struct command *c, struct authority_dir *ret, struct err_info *info);
/* "FOLDER/NAME.key"; ERR_USAGE when NAME could not be a file name everywhere. `what`: issuer or operator. */
enum err authority_dir_key(const char *folder, const char *what, const char *name, char *ret, size_t cap,
			   struct err_info *info);
/* ERR_NOT_FOUND, and how to make one, unless there is an authority. */
enum err authority_dir_check(const struct authority_dir *d, struct err_info *info);
/* Likewise; refuses a file that others may read or write, and checks every entry. */
enum err authority_dir_load_log(const struct authority_dir *d, struct authlog **ret, struct err_info *info);

/* The value of an option that a verb cannot do without. ERR_USAGE. */
enum err authority_required(const struct command *c, const char *name, const char **ret,
			    struct err_info *info);
/* ERR_USAGE unless `site` can be a site's name. */
enum err authority_check_site(const char *site, struct err_info *info);
/* The last day that --days (from today on) or --until names; without both `fallback` days from today on, or,
 * when that is 0, ERR_NOT_FOUND. ERR_USAGE. */
enum err authority_last_day(const struct command *c, unsigned fallback, wall_day *ret, struct err_info *info);

#endif
