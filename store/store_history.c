#include "store/history.h"
#include "store/store_private.h"

enum err store_put_mark(struct store *s, enum store_mark mark, wall_ms until)
{
	/* All of it is in the key: two pauses of one batch are two. */
	static const uint8_t there = 1;
	static const enum history_what whats[] = {[STORE_MARK_START] = HISTORY_START,
						  [STORE_MARK_PAUSE] = HISTORY_PAUSE,
						  [STORE_MARK_STOP] = HISTORY_STOP};
	struct row_key key = history_mark_key(whats[mark], mark == STORE_MARK_PAUSE ? until : 0);
	return store_put_row(s, &key, &there, sizeof(there));
}
