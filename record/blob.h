/* Layout of blobs, for this room. */
#ifndef MESH_RECORD_BLOB_H
#define MESH_RECORD_BLOB_H

#include "record/manifest.h"

#define BLOB_VERSION      1
#define BLOB_HEADER_BYTES 2

#endif
