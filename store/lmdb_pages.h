/* The structure of a replica's file, page by page, before LMDB may write to it. LMDB moves the contents of a
 * page by the offsets it finds there: a flipped bit in one would have it write past its buffers. */
#ifndef MESH_STORE_LMDB_PAGES_H
#define MESH_STORE_LMDB_PAGES_H

#include <stdint.h>

#include "base/err.h"

/* After lmdb_check_file, while nobody writes. Both tables (free pages and rows) are walked from their roots:
 * each page is where it says, lies in one place of one tree, and is tiled by its nodes; free pages are in no
 * tree. ERR_CORRUPT, ERR_IO, ERR_NOMEM. */
enum err lmdb_check_pages(const char *path, uint64_t size, struct err_info *info);

#endif
