/* What both sides of the block codec know of its bytes (drawn in store/column.h). Private to column*.c. */
#ifndef MESH_STORE_COLUMN_FORMAT_H
#define MESH_STORE_COLUMN_FORMAT_H

#include <stddef.h>

#define COLUMN_VERSION          2
#define COLUMN_VERSION_SIPHASH  1 /* its checksum is another: hash_checksum */
#define COLUMN_HEAD_BYTES       24
#define COLUMN_DESCRIPTOR_BYTES 16
#define COLUMN_CHECKSUM_BYTES   8
#define COLUMN_FLAG_DELTA       1
#define COLUMN_STORED_MAX       255 /* columns; those a newer version appended are skipped */

static inline size_t column_presence_bytes(unsigned rows)
{
	return ((size_t)rows + 63) / 64 * 8;
}

#endif
