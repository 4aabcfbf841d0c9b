/* What a record refers to: blobs, and what is in them. Whoever looks for what nobody needs any more asks
 * here, so a kind of record that comes to name a blob is to be added here. */
#ifndef MESH_RECORD_REFS_H
#define MESH_RECORD_REFS_H

#include "crypto/record.h"

#define RECORD_REF_ENTRIES (LIMIT_CHANGES + LIMIT_PENDING)

struct record_refs {
	struct id root;                       /* a blob, and with it all that it names; zero: none */
	uint64_t entries[RECORD_REF_ENTRIES]; /* component entries by id, whatever manifest has them */
	size_t entry_count;
};

/* Whether records of the kind refer to anything. */
bool record_refs_kind(uint8_t kind);
/* Of a record whose body is no body of its kind: nothing. */
void record_refs(const struct record *r, struct record_refs *ret);

#endif
