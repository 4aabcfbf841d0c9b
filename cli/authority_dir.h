/* Files of an authority's folder, and the small checks that its verbs share. */
#ifndef MESH_CLI_AUTHORITY_DIR_H
#define MESH_CLI_AUTHORITY_DIR_H

#include "base/clock.h"
#include "cli/command.h"
#include "crypto/authlog.h"
#include "crypto/identity.h"

#define PASSPHRASE_BYTES 1024

struct authority_dir {
	char folder[LIMIT_PATH_BYTES];
	char key[LIMIT_PATH_BYTES];    /* authority.key: protected by a passphrase */
	char estate[LIMIT_PATH_BYTES]; /* estate.key */
	char log[LIMIT_PATH_BYTES];    /* authority.log */
	char issuers[LIMIT_PATH_BYTES];
	char lock[LIMIT_PATH_BYTES];
};

/* From --dir. ERR_USAGE. */
enum err authority_dir_name(const struct command *c, struct authority_dir *ret, struct err_info *info);
/* "issuers/NAME.key"; ERR_USAGE when NAME could not be a file name everywhere. */
enum err authority_dir_issuer(const struct authority_dir *d, const char *name, char *ret, size_t cap,
			      struct err_info *info);
/* ERR_NOT_FOUND, and how to make one, unless there is an authority. */
enum err authority_dir_check(const struct authority_dir *d, struct err_info *info);
/* Likewise; checks every entry. */
enum err authority_dir_load_log(const struct authority_dir *d, struct authlog **ret, struct err_info *info);

/* From --passphrase-file, or asked on the terminal (`twice`: and compared). The caller wipes it. */
enum err authority_passphrase(const struct command *c, const char *prompt, bool twice,
			      char ret[PASSPHRASE_BYTES], struct err_info *info);
/* The value of an option that a verb cannot do without. ERR_USAGE. */
enum err authority_required(const struct command *c, const char *name, const char **ret,
			    struct err_info *info);
/* ERR_USAGE unless `site` can be a site's name. */
enum err authority_check_site(const char *site, struct err_info *info);

#endif
