/* What this process asks of its disk, remembered. The calls that liblmdb writes with are stood in for by ones
 * of the same name, which note each write to one file and each wait for the disk, and then do it.
 *
 * From the notes any moment's power cut can be played: what was waited for is there, of what was not each
 * sector may be there, or not, or in part. */
#ifndef MESH_TESTS_FAULTS_DISK_H
#define MESH_TESTS_FAULTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"

#define DISK_SECTOR_BYTES 512

enum disk_kind {
	DISK_WRITE,   /* reaches the disk sometime */
	DISK_THROUGH, /* on the disk when the call returns (O_DSYNC) */
	DISK_FLUSH,   /* everything before it is on the disk when the call returns */
};

struct disk_note {
	enum disk_kind kind;
	uint64_t offset;
	size_t len; /* 0: the file grew to `offset`, without contents */
	uint8_t *data;
};

/* From here on the file at `path` is watched; it may not exist yet. One at a time. */
void disk_watch(const char *path);
void disk_watch_end(void);
size_t disk_note_count(void);
const struct disk_note *disk_note_at(size_t index);
void disk_forget(void);

/* A disk on which the first notes were played. */
struct disk {
	uint8_t *bytes;
	size_t len, cap;
	size_t played;   /* notes */
	size_t *pending; /* writes nobody waited for yet */
	size_t pending_count, pending_cap;
};

/* Plays the notes before `moment`, which only ever grows. False: out of memory. */
bool disk_play(struct disk *d, size_t moment);

struct disk_cut {
	size_t moment;   /* the power goes while this note is being carried out */
	bool tear_bytes; /* sectors may be written in part, as no disk should; else they are whole */
};
/* The file after the cut; the caller frees it. NULL: out of memory. */
uint8_t *disk_image(const struct disk *d, const struct disk_cut *cut, struct prng *prng, size_t *ret_len);
void disk_free(struct disk *d);

#endif
