/* The spare copy of an authority's folder: where it is, whether it can be reached, bringing it up to date.
 *
 * The folder's file `spare` names the copy, and the copy's names the folder: whichever of the two is used,
 * the other is brought along. A copy counts as reached when it holds a log of the same estate: an empty mount
 * point gets no keys. */
#ifndef MESH_CLI_AUTHORITY_SPARE_H
#define MESH_CLI_AUTHORITY_SPARE_H

#include "cli/authority_dir.h"

enum spare_condition {
	SPARE_NONE,    /* the authority has no spare copy */
	SPARE_REACHED, /* there, and not ahead */
	SPARE_CURRENT, /* brought up to date */
	SPARE_BEHIND,  /* it cannot be reached or written: `why` */
};

struct authority_spare {
	enum spare_condition condition;
	char folder[LIMIT_PATH_BYTES]; /* absolute; empty with SPARE_NONE */
	struct err_info why;
};

/* By --spare (which is made when there is nothing yet) or by the folder's file. ERR_STALE: the copy knows
 * entries that `log` lacks. ERR_ESTATE, ERR_USAGE, and why the copy of --spare cannot be used; one that is
 * only remembered and cannot be reached is no error. */
enum err authority_spare_find(const struct command *c, const struct authority_dir *d,
			      const struct authlog *log, struct authority_spare *ret, struct err_info *info);
/* Copies what differs, the log last. */
void authority_spare_update(const struct authority_dir *d, struct authority_spare *spare);
/* Copies what the folder `from` has and `d` lacks or has otherwise; for a folder that has fallen behind. */
enum err authority_spare_copy(const struct authority_dir *from, const struct authority_dir *to,
			      struct err_info *info);
/* "current", "behind" or "none", for scripts. */
const char *authority_spare_name(enum spare_condition condition);

#endif
