/* The log's own layout, for the files authlog*.c. */
#ifndef MESH_CRYPTO_AUTHLOG_PRIVATE_H
#define MESH_CRYPTO_AUTHLOG_PRIVATE_H

#include "crypto/authlog_state.h"

#define LOG_HEADS_BEFORE  8                               /* heads of the forked log that are remembered */
#define LOG_ALLOWED_HOSTS (4 * (size_t)LIMIT_ALLOW_HOSTS) /* over all lists: 4 MiB */

/* An entry in its place. */
struct log_node {
	const struct log_node *before; /* NULL: genesis */
	uint32_t index;
	unsigned successors;
	uint8_t hash[LOG_HASH_BYTES];
	uint8_t key[KEY_BYTES]; /* of the authority, in force for its successors */
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
	size_t node_count, node_cap;
	const struct log_node *tips[LIMIT_LOG_BRANCHES]; /* last entries of the branches, ascending by hash */
	size_t tip_count;
	const struct log_node *fork; /* the first with several successors; NULL: not forked */
	struct authlog_head head;
	struct authlog_head before[LOG_HEADS_BEFORE]; /* of the forked log: a ring */
	size_t before_count;                          /* ever */
	struct log_state state;
	struct log_allowed *allowed;
	size_t allowed_count, allowed_cap, allowed_hosts;
};

/* As authlog_append, for the entries of a log that was written whole: a fork that came before the rotation
 * which retired its key stays. */
enum err authlog_append_kept(struct authlog *log, const uint8_t *entry, size_t len);

/* Grants say which list is to be looked for. */
void authlog_name_lists(struct authlog *log);
enum err authlog_copy_lists(const struct authlog *from, struct authlog *to);

/* Where the holder of a key appends. False: it is in force on no branch. */
struct log_place {
	uint32_t index;
	const uint8_t *before; /* LOG_HASH_BYTES */
};
bool authlog_place(const struct authlog *log, const uint8_t public_key[KEY_BYTES], struct log_place *ret);

#endif
