/* Which blobs nobody refers to any more. Private to store/; what it promises is in store.h.
 *
 * A look goes through the committed rows: from each record that names a blob, and from the roots that the
 * caller knows (the authority log's), to all that is named below; what hosts list as changed, or as pending,
 * keeps the chunk that has it. What two looks in a row did not reach is due, unless a list that is still here
 * names it: so a blob that is here has all below it here, whatever is deleted first, or a crash falls
 * between. Fails: where a row is damaged, nobody can tell what it named; nothing is due, and the row is
 * handed over to be dropped, so that it comes again. */
#ifndef MESH_STORE_SWEEP_H
#define MESH_STORE_SWEEP_H

#include "store/backend.h"
#include "store/numbers.h"

#define SWEEP_DAMAGED 64 /* rows that one look hands over */

struct sweep {
	struct id *unreached; /* of the last look, ascending */
	size_t unreached_count;
	struct id *due; /* ascending */
	size_t due_count;
	struct row_key damaged[SWEEP_DAMAGED];
	size_t damaged_count;
};

void sweep_clear(struct sweep *s);
/* ERR_NOMEM, or why the rows cannot be read: as if there had been no look before. */
enum err sweep_look(struct sweep *s, struct backend *b, const struct id *roots, size_t root_count);
/* A row that is put after the look, or was not committed yet: what it names is not due. */
void sweep_spare(struct sweep *s, const struct row_key *key, const uint8_t *bytes, size_t len);
void sweep_spare_all(struct sweep *s, const struct row_set *rows);
/* Takes up to `max` that are due. */
size_t sweep_take(struct sweep *s, struct id *ret, size_t max);

#endif
