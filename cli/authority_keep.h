/* The hosts that stay when their issuer is revoked: gathered, then made an allow-list (docs/protocol.md
 * section 4) in the authority's folder. */
#ifndef MESH_CLI_AUTHORITY_KEEP_H
#define MESH_CLI_AUTHORITY_KEEP_H

#include "cli/authority_dir.h"

/* Zeroed memory is empty. */
struct keep {
	struct id *hosts; /* owned, ascending, each once */
	size_t count;
	struct id list; /* blob that names them */
	bool list_made;
};

/* Exactly one of --keep, --keep-before, --keep-all and --keep-none with an issuer, none otherwise. ERR_USAGE.
 */
enum err keep_check(const struct command *c, bool issuer, struct err_info *info);
/* From the file of --keep, or of the issuer's hosts in the replica. */
enum err keep_gather(const struct command *c, const struct id *issuer, struct keep *ret,
		     struct err_info *info);
/* Makes and saves the blobs; nothing when no host stays. */
enum err keep_save(struct keep *keep, const struct authority_dir *d, struct err_info *info);
void keep_release(struct keep *keep);

#endif
