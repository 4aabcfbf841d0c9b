/* Blobs of an inventory, in memory until they are handed in. */
#ifndef MESH_CLI_INVENTORY_H
#define MESH_CLI_INVENTORY_H

#include "cli/signer.h"
#include "record/listing.h"

/* Signs and hands in all rows, as many records as they take, of which the last replaces `replaces`. What the
 * old ones say counts until the new rows are there. ret_records: how many. Errors of signer_say; what was
 * handed in stands then, and the same import once more completes and replaces it. */
enum err inventory_say(struct signer *s, const struct inventory_row *rows, size_t count, const char *title,
		       const uint64_t *replaces, size_t replace_count, size_t *ret_records,
		       struct err_info *info);

#endif
