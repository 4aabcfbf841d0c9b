/* The key of the authority's successor: a key file of its own, kept apart from the authority's folder and its
 * copies, for it alone can replace the authority's key.
 *
 * A rotation makes the next one beside it first (FILE.next), so that there is a named successor's file at
 * every moment; authority_successor_settle puts it in place once the log names it. */
#ifndef MESH_CLI_AUTHORITY_SUCCESSOR_H
#define MESH_CLI_AUTHORITY_SUCCESSOR_H

#include "cli/authority_dir.h"

/* The file of --successor, else successor.key in the folder. ERR_USAGE when the path is too long. */
enum err authority_successor_file(const struct command *c, const struct authority_dir *d,
				  char ret[LIMIT_PATH_BYTES], struct err_info *info);
/* Makes a key and its file, which must not exist. */
enum err authority_successor_make(const char *path, const char *passphrase, struct identity **ret,
				  struct err_info *info);
/* FILE.next, for the key that is to be named. One of an attempt that signed nothing is wiped. */
enum err authority_successor_make_next(const char *path, const char *passphrase, struct identity **ret,
				       struct err_info *info);
/* Finishes a rotation that a crash cut short, or this one: FILE.next replaces FILE when the log names it. */
enum err authority_successor_settle(const char *path, const struct authlog *log, struct err_info *info);
/* Whether the file holds the key that the log names. ERR_NOT_FOUND, ERR_UNTRUSTED, and what to do. */
enum err authority_successor_check(const char *path, const struct authlog *log, struct err_info *info);
/* Public key of a key file of an authority or successor; false when there is none. */
bool authority_public_of(const char *path, uint8_t ret[KEY_BYTES]);

#endif
