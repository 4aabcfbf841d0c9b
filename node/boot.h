/* How the last boot of this host ended. A panic leaves no counter, so the node keeps {boot id, clean stop,
 * last alive} itself: a new boot id without a clean stop before it is an unclean boot. A power cut looks the
 * same. */
#ifndef MESH_NODE_BOOT_H
#define MESH_NODE_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/reading.h"

#define BOOT_ID_BYTES 64

struct boot {
	char id[BOOT_ID_BYTES + 1];    /* of the running boot */
	struct reading_u64 last_clean; /* of the boot before: 0 or 1; unknown on the first */
	uint64_t unclean;              /* boots that did not end cleanly, since enrolment */
	uint64_t alive_s;              /* when the node last wrote that it runs */
	uint64_t last_clean_s;         /* when it last stopped cleanly, 0: never */
	bool stopped;                  /* cleanly */
};

struct boot_news {
	bool unclean;    /* the boot before crashed, and this is the first look at it */
	bool same;       /* as of the last look: this host was not started anew */
	bool lost;       /* the file was damaged: nothing is known of the boot before */
	uint64_t died_s; /* unclean: when it was last known alive */
};
/* Reads the file and takes in that boot `id` runs now. A missing or damaged file starts over. ERR_DENIED,
 * ERR_IO. */
enum err boot_load(const char *path, const char *id, struct boot *ret, struct boot_news *ret_news,
		   struct err_info *info);

/* Writes it, fsynced, with `alive_s` set to now. */
enum err boot_save(const char *path, struct boot *boot, uint64_t now_s, struct err_info *info);

#endif
