/* The log's own layout, for the files authlog*.c. */
#ifndef MESH_CRYPTO_AUTHLOG_PRIVATE_H
#define MESH_CRYPTO_AUTHLOG_PRIVATE_H

#include "crypto/authlog_state.h"

#define LOG_HEADS_BEFORE  8                               /* heads of forks and of what was dropped */
#define LOG_ALLOWED_HOSTS (4 * (size_t)LIMIT_ALLOW_HOSTS) /* over all lists: 4 MiB */

/* An entry in its place. */
struct log_node {
	struct log_node *before; /* NULL: genesis, or not in the log */
	struct log_node *reign;  /* the genesis or rotation that put `key` in force; its own of these */
	uint32_t index;
	unsigned successors;
	bool leads;   /* to a rotation that ends its reign */
	bool retired; /* a genesis or rotation whose reign was ended */
	uint8_t hash[LOG_HASH_BYTES];
	uint8_t key[KEY_BYTES];       /* of the authority, in force for its successors */
	uint8_t successor[KEY_BYTES]; /* may sign the next rotation */
	size_t len;
	uint8_t bytes[];
};

/* A complete allow-list. */
struct log_allowed {
	struct id list;
	struct id *hosts; /* ascending */
	size_t count;
};

struct authlog {
	struct id estate;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	struct log_node **nodes; /* ascending by (index, hash), whatever the order of arrival */
	size_t node_count;
	const struct log_node *tips[LIMIT_LOG_BRANCHES]; /* last entries of the branches, ascending by hash */
	size_t tip_count;
	const struct log_node *fork; /* the first with several successors; NULL: not forked */
	struct authlog_head head;
	struct authlog_head before[LOG_HEADS_BEFORE]; /* that no entry bears: a ring */
	size_t before_count;                          /* ever */
	struct log_state state;
	struct log_allowed *allowed;
	size_t allowed_count, allowed_cap, allowed_hosts;
};

/* The entry with that index and hash; NULL when it is not here. */
struct log_node *authlog_find(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES]);
/* Place of the first entry not below (index, hash). */
size_t authlog_at(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES]);

/* authlog_tree.c: takes `count` entries (>= 1), each behind the one before, the first behind one of the log.
 * None but the last may be a rotation. What the rotation drops goes to the run, or is freed when that is
 * NULL. ERR_LIMIT, ERR_NOMEM: nothing has changed, and the entries stay the caller's. */
enum err authlog_insert(struct authlog *log, struct authlog_run *run, struct log_node *const *fresh,
			size_t count);
/* What counts of `nodes` when `fork` is the first fork. */
enum err authlog_replay(struct log_node *const *nodes, size_t count, const struct log_node *fork,
			struct log_state *ret);
/* Places of an entry among others by (index, hash). */
int authlog_compare(const struct log_node *n, uint32_t index, const uint8_t hash[LOG_HASH_BYTES]);

/* authlog_run.c */
struct log_node *authlog_run_find(const struct authlog_run *run, uint32_t index,
				  const uint8_t hash[LOG_HASH_BYTES]);
/* Takes the node in; frees it when there is no room, or it is there. */
void authlog_run_keep(struct authlog_run *run, struct log_node *n);
/* The entries up to `last`, which is in the run, from the first that stands on one of the log. ERR_STALE:
 * there is none such. */
enum err authlog_run_path(const struct authlog *log, const struct authlog_run *run, struct log_node *last,
			  struct log_node ***ret, size_t *ret_count);
/* No longer the run's; not freed. */
void authlog_run_release(struct authlog_run *run, const struct log_node *n);

/* Grants say which list is to be looked for. */
void authlog_name_lists(struct authlog *log);
/* Lists that no revocation names any more go. */
void authlog_drop_lists(struct authlog *log);
enum err authlog_copy_lists(const struct authlog *from, struct authlog *to);

/* Behind which entry the holder of a key appends, or as a successor rotates. NULL: on no branch. */
const struct log_node *authlog_place(const struct authlog *log, const uint8_t public_key[KEY_BYTES],
				     bool rotates);

#endif
