/* The authority's log and the allow-lists it names, as they are carried by hand (docs/protocol.md section 5,
 * log file): read from a file or gathered from an authority's folder. */
#ifndef MESH_CLI_BUNDLE_H
#define MESH_CLI_BUNDLE_H

#include "cli/authority_dir.h"

struct bundle_blob {
	struct id id;
	uint16_t len;
	uint8_t bytes[LIMIT_BLOB_BYTES];
};

/* Zeroed memory is empty. */
struct bundle {
	struct authlog *log; /* owned */
	/* Each after the blob, or the entry, that names it. */
	struct bundle_blob *blobs;
	size_t blob_count, blob_cap;
};

/* A log file, with or without blobs. ERR_NOT_FOUND, ERR_CORRUPT with the place. */
enum err bundle_read(const char *path, struct bundle *ret, struct err_info *info);
/* The allow-lists of `d` that `log` names; a copy of the log. ERR_NOT_FOUND names a blob that is missing. */
enum err bundle_gather(const struct authority_dir *d, const struct authlog *log, struct bundle *ret,
		       struct err_info *info);
/* A new file of mode 0600. ERR_EXISTS. */
enum err bundle_write(const struct bundle *b, const char *path, struct err_info *info);
void bundle_release(struct bundle *b);

/* How many entries of `other` `log` lacks; those that a rotation in `log` has dropped do not count. */
size_t bundle_missing(const struct authlog *log, const struct authlog *other);

#endif
