/* One change of an authority: everything that is compared before something is signed, and brought along
 * after.
 *
 * Happy path: authority_change_open (lock, log, copies), authority_change_unlock (the key), one or more of
 * authority_change_add (each is durable before the next), authority_change_finish (spare copy, node, answer).
 * Fails: before the first entry nothing is changed. After it the change stands; what could not be brought
 * along is said, with exit code 3. */
#ifndef MESH_CLI_AUTHORITY_CHANGE_H
#define MESH_CLI_AUTHORITY_CHANGE_H

#include "cli/authority_node.h"
#include "cli/authority_spare.h"
#include "cli/fields.h"

struct authority_change {
	struct command *command;
	struct authority_dir dir;
	struct os_lock *lock;
	struct authlog *log;
	struct identity *key; /* NULL until unlocked */
	char *passphrase;     /* what unlocked it, guarded; empty when it has none, NULL until then */
	struct authority_spare spare;
	struct authority_node node;
};

/* Release with authority_change_close, also after an error. ERR_STALE: another copy is ahead (with --after it
 * may be). */
enum err authority_change_open(struct command *c, struct authority_change *ret, struct err_info *info);
/* The authority's key, which must be the one in force (ERR_UNTRUSTED). ERR_STALE: the log is forked, and what
 * is to be signed is no revocation. */
enum err authority_change_unlock(struct authority_change *ch, bool revoking, struct err_info *info);
/* Appends an entry that was made with `made` as its outcome, and saves the log. */
enum err authority_change_add(struct authority_change *ch, enum err made, const uint8_t *entry, size_t len,
			      struct err_info *info);
/* After a rotation was signed: the new key takes the place of the old one, which goes to old/. What a crash
 * cut short is finished by the next authority_change_open. */
enum err authority_change_settle(const struct authority_change *ch, struct err_info *info);
/* Brings spare copy and node along and answers: `text` for people, `f` for scripts. Returns the exit code. */
int authority_change_finish(struct authority_change *ch, struct fields *f, const char *text);
void authority_change_close(struct authority_change *ch);

/* The issuer or operator of that name (the latest that is not revoked, else the latest) or id. ERR_NOT_FOUND
 * names the verb that lists them. `ret_name` may be NULL. */
enum err authority_change_who(const struct authority_change *ch, bool op, const char *typed,
			      struct id *ret_id, char ret_name[LIMIT_SHORT_TEXT_BYTES + 1],
			      struct err_info *info);

#endif
