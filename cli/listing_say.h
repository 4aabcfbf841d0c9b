/* Lists that operators sign, policy and inventory: rows into blobs, in memory until they are handed in. */
#ifndef MESH_CLI_LISTING_SAY_H
#define MESH_CLI_LISTING_SAY_H

#include "cli/signer.h"
#include "record/listing.h"

struct listing_rows {
	uint8_t kind;     /* RECORD_POLICY or RECORD_INVENTORY */
	const void *list; /* of struct policy_row or inventory_row; may be NULL without rows */
	size_t count;
};

/* Signs and hands in all rows, as many records as they take, of which the last replaces `replaces`. What the
 * old ones say counts until the new rows are there. ret_records: how many. Errors of signer_say; what was
 * handed in stands then, and the same import once more completes and replaces it. */
enum err listing_say(struct signer *s, const struct listing_rows *rows, const char *title,
		     const uint64_t *replaces, size_t replace_count, size_t *ret_records,
		     struct err_info *info);

#endif
