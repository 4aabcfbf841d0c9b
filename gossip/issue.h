/* What is wrong with the data itself: one row of a kind and subject, told to the driver when it begins, when
 * it ends, and about once a minute while it changes. */
#ifndef MESH_GOSSIP_ISSUE_H
#define MESH_GOSSIP_ISSUE_H

#include "gossip/core.h"

enum err issue_init(struct gossip *g);
void issue_free(struct gossip *g);
void issue_tick(struct gossip *g);

/* `found` names kind and subject, and what else is known: other, count (0: one more than before), detail,
 * proofs, which are copied. Times are set here. Where the table is full, the oldest event gives way. */
void issue_raise(struct gossip *g, const struct issue *found);
void issue_end(struct gossip *g, enum issue_kind kind, const struct id *subject);
bool issue_open(const struct gossip *g, enum issue_kind kind, const struct id *subject);

/* Those that follow from log and certificates are found anew as a whole: what was not raised between the two
 * has ended. */
void issue_begin(struct gossip *g);
void issue_settle(struct gossip *g);

/* For the update of this step; valid until the next. */
void issue_take(struct gossip *g, const struct issue **ret, size_t *ret_count);

#endif
