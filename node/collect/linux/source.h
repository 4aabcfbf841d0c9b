/* Reading /proc, /sys and /etc below a root folder, with the reason kept when nothing can be read. */
#ifndef MESH_NODE_COLLECT_LINUX_SOURCE_H
#define MESH_NODE_COLLECT_LINUX_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/reading.h"

/* root + path into ret; false when too long. */
bool source_path(char ret[LIMIT_PATH_BYTES], const char *root, const char *path);

/* First cap-1 bytes of a file, terminated; files of /proc may be longer than anyone wants. `ret_len` may be
 * NULL. */
enum reading_status source_head(const char *root, const char *path, char *ret, size_t cap, size_t *ret_len);

/* First line without its newline. An empty one is ABSENT. */
struct reading_text source_text(const char *root, const char *path);

/* Whole decimal number. `missing` is what a missing file means: ABSENT or UNSUPPORTED. */
struct reading_u64 source_u64(const char *root, const char *path, enum reading_status missing);

/* The number behind `key` at the start of a line ("MemTotal:", "oom_kill "); ABSENT when no line has it. */
struct reading_u64 source_keyed_u64(const char *text, const char *key);

/* Entries of a folder; false from `each` stops. */
enum reading_status source_list(const char *root, const char *path,
				bool (*each)(void *context, const char *name), void *context);

bool source_exists(const char *root, const char *path);

/* What an errno of open or read means. */
enum reading_status source_status(int error);

#endif
