/* Authority log: entries come in, one by one (docs/protocol.md section 5). What follows from all of them
 * together is in authlog_tree.c.
 *
 * Happy path: authlog_offer parses an entry, finds the one before it, checks the signature of the authority
 * key in force there (of a rotation: of the successor named there), and puts the entry into its place.
 * Failure: an entry that does not fit changes nothing. What is well signed and has no room, or no say any
 * more, waits in the source's run for a rotation that stands on it. */
#include "crypto/authlog.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/authlog_private.h"

static const uint8_t no_hash[LOG_HASH_BYTES];

enum err authlog_new(struct authlog **ret)
{
	struct authlog *log = calloc(1, sizeof(*log));
	if (log == NULL)
		return ERR_NOMEM;
	*ret = log;
	return ERR_OK;
}

void authlog_free(struct authlog *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < log->node_count; i++)
		free(log->nodes[i]);
	free(log->nodes);
	for (size_t i = 0; i < log->allowed_count; i++)
		free(log->allowed[i].hosts);
	free(log->allowed);
	authlog_state_release(&log->state);
	free(log);
}

/* Finds the entry's predecessor, NULL for the genesis. `ret_waits`: it is in the run. */
static enum err check_place(const struct authlog *log, const struct authlog_run *run,
			    const struct log_entry *e, struct log_node **ret, bool *ret_waits)
{
	struct log_node *before = NULL;
	bool waits = false;
	if (log->node_count == 0 ? e->index > 0 : e->index == 0)
		return ERR_STALE; /* a gap, or the genesis of another estate */
	if (e->index > 0) {
		before = authlog_find(log, e->index - 1, e->before);
		waits = before == NULL && run != NULL;
		if (waits)
			before = authlog_run_find(run, e->index - 1, e->before);
		if (before == NULL)
			return ERR_STALE;
	}
	if ((e->index == 0) != (e->type == LOG_GENESIS))
		return ERR_FORMAT;
	if (e->index == 0 && memcmp(e->before, no_hash, LOG_HASH_BYTES) != 0)
		return ERR_FORMAT;
	if (e->index >= LIMIT_LOG_ENTRIES)
		return ERR_LIMIT;
	*ret = before;
	*ret_waits = waits;
	return ERR_OK;
}

static enum err check_signature(const struct authlog *log, const struct log_entry *e,
				const struct log_body *body, const struct log_node *before)
{
	const uint8_t *signer = body->public_key;
	if (before != NULL)
		signer = e->type == LOG_ROTATE ? before->successor : before->key;
	/* A rotation puts its signer in force, and nobody else. */
	if (e->type == LOG_ROTATE && memcmp(body->public_key, signer, KEY_BYTES) != 0)
		return ERR_SIGNATURE;
	return log_entry_verify(e, &log->estate, signer);
}

static struct log_node *node_new(const struct log_entry *e, const struct log_body *body,
				 struct log_node *before, const uint8_t hash[LOG_HASH_BYTES])
{
	struct log_node *n = malloc(sizeof(*n) + e->len);
	if (n == NULL)
		return NULL;
	*n = (struct log_node){.before = before, .index = e->index, .len = e->len};
	bool begins = e->type == LOG_GENESIS || e->type == LOG_ROTATE;
	n->reign = begins ? n : before->reign;
	memcpy(n->hash, hash, LOG_HASH_BYTES);
	memcpy(n->key, begins ? body->public_key : before->key, KEY_BYTES);
	memcpy(n->successor, begins ? body->successor : before->successor, KEY_BYTES);
	memcpy(n->bytes, e->bytes, e->len);
	return n;
}

/* With what it stands on, which waited for it. */
static enum err insert_with_run(struct authlog *log, struct authlog_run *run, struct log_node *rotation)
{
	struct log_node **path;
	size_t count;
	enum err err = authlog_run_path(log, run, rotation->before, &path, &count);
	if (err != ERR_OK)
		return err;
	path[count] = rotation;
	err = authlog_insert(log, run, path, count + 1);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		authlog_run_release(run, path[i]);
	free(path);
	return err;
}

/* A node that was taken is the log's, another one the run's, or gone. */
static enum err take(struct authlog *log, struct authlog_run *run, struct log_node *n, bool waits)
{
	bool rotates = n->reign == n;
	enum err err;
	if (!rotates && n->before->reign->retired)
		err = ERR_UNTRUSTED;
	else if (!rotates && waits)
		err = ERR_LIMIT;
	else if (waits)
		err = insert_with_run(log, run, n);
	else
		err = authlog_insert(log, run, &n, 1);
	struct log_node *known = run != NULL ? authlog_run_find(run, n->index, n->hash) : NULL;
	if (err == ERR_OK && known != NULL) {
		authlog_run_release(run, known);
		free(known);
	}
	if (err == ERR_OK)
		return ERR_OK;
	if (run != NULL && !rotates && (err == ERR_LIMIT || err == ERR_UNTRUSTED))
		authlog_run_keep(run, n);
	else
		free(n);
	return err;
}

enum err authlog_offer(struct authlog *log, struct authlog_run *run, const uint8_t *entry, size_t len)
{
	struct log_entry e;
	struct log_body body;
	struct log_node *before;
	bool waits;
	uint8_t hash[LOG_HASH_BYTES];
	enum err err = log_entry_parse(entry, len, &e);
	if (err != ERR_OK)
		return err;
	hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
	if (authlog_find(log, e.index, hash) != NULL)
		return ERR_EXISTS;
	err = check_place(log, run, &e, &before, &waits);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &body);
	if (err == ERR_OK)
		err = check_signature(log, &e, &body, before);
	if (err != ERR_OK)
		return err;
	struct log_node *n = node_new(&e, &body, before, hash);
	if (n == NULL)
		return ERR_NOMEM;
	err = take(log, run, n, waits);
	if (err == ERR_OK && before == NULL) {
		hash_bytes(log->estate.b, ID_BYTES, "mesh.estate", entry, len);
		memcpy(log->name, body.name, sizeof(log->name));
	}
	return err;
}

enum err authlog_append(struct authlog *log, const uint8_t *entry, size_t len)
{
	return authlog_offer(log, NULL, entry, len);
}

/* The same entry of the copy; NULL of NULL. */
static struct log_node *twin(const struct authlog *copy, const struct log_node *n)
{
	return n == NULL ? NULL : authlog_find(copy, n->index, n->hash);
}

/* Tables as they are; the entries' pointers become those of their twins, who come in the same order. */
static enum err copy_nodes(const struct authlog *log, struct authlog *copy)
{
	copy->nodes = malloc((log->node_count > 0 ? log->node_count : 1) * sizeof(struct log_node *));
	if (copy->nodes == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < log->node_count; i++) {
		const struct log_node *from = log->nodes[i];
		struct log_node *n = malloc(sizeof(*n) + from->len);
		if (n == NULL)
			return ERR_NOMEM;
		memcpy(n, from, sizeof(*n) + from->len);
		copy->nodes[copy->node_count++] = n;
		n->before = twin(copy, from->before);
		n->reign = twin(copy, from->reign);
	}
	for (size_t i = 0; i < log->tip_count; i++)
		copy->tips[copy->tip_count++] = twin(copy, log->tips[i]);
	copy->fork = twin(copy, log->fork);
	return ERR_OK;
}

enum err authlog_copy(const struct authlog *log, struct authlog **ret)
{
	struct authlog *copy;
	enum err err = authlog_new(&copy);
	if (err != ERR_OK)
		return err;
	copy->estate = log->estate;
	memcpy(copy->name, log->name, sizeof(copy->name));
	copy->head = log->head;
	memcpy(copy->before, log->before, sizeof(copy->before));
	copy->before_count = log->before_count;
	err = copy_nodes(log, copy);
	if (err == ERR_OK)
		err = authlog_replay(copy->nodes, copy->node_count, copy->fork, &copy->state);
	if (err == ERR_OK)
		err = authlog_copy_lists(log, copy);
	if (err == ERR_OK)
		authlog_name_lists(copy);
	if (err == ERR_OK)
		*ret = copy;
	else
		authlog_free(copy);
	return err;
}

bool authlog_forked(const struct authlog *log)
{
	return log->fork != NULL;
}

size_t authlog_branches(const struct authlog *log)
{
	return log->tip_count;
}

static bool heads_equal(const struct authlog_head *a, const struct authlog_head *b)
{
	return a->index == b->index && a->hash == b->hash;
}

bool authlog_knows_head(const struct authlog *log, struct authlog_head head)
{
	struct authlog_head empty = {0};
	if (heads_equal(&head, &log->head) || heads_equal(&head, &empty))
		return true;
	for (size_t i = 0; i < LOG_HEADS_BEFORE && i < log->before_count; i++) {
		if (heads_equal(&head, &log->before[i]))
			return true;
	}
	for (size_t i = authlog_at(log, head.index, no_hash);
	     i < log->node_count && log->nodes[i]->index == head.index; i++) {
		uint64_t first = 0;
		for (size_t k = 0; k < sizeof(first); k++)
			first = first << 8 | log->nodes[i]->hash[k];
		if (first == head.hash)
			return true;
	}
	return false;
}

const struct log_node *authlog_place(const struct authlog *log, const uint8_t public_key[KEY_BYTES],
				     bool rotates)
{
	const struct log_node *longest = NULL;
	for (size_t i = 0; i < log->tip_count; i++) {
		const struct log_node *tip = log->tips[i];
		if (memcmp(rotates ? tip->successor : tip->key, public_key, KEY_BYTES) == 0 &&
		    (longest == NULL || tip->index > longest->index))
			longest = tip; /* of equals the first: tips ascend by hash */
	}
	return longest;
}

const uint8_t *authlog_key(const struct authlog *log)
{
	if (log->node_count == 0)
		return NULL;
	return log->fork != NULL ? log->fork->key : log->tips[0]->key;
}

const uint8_t *authlog_successor(const struct authlog *log)
{
	if (log->node_count == 0)
		return NULL;
	return log->fork != NULL ? log->fork->successor : log->tips[0]->successor;
}

size_t authlog_count(const struct authlog *log)
{
	return log->node_count;
}

const uint8_t *authlog_entry(const struct authlog *log, size_t index, size_t *ret_len)
{
	if (index >= log->node_count)
		return NULL;
	*ret_len = log->nodes[index]->len;
	return log->nodes[index]->bytes;
}

struct authlog_head authlog_head(const struct authlog *log)
{
	return log->head;
}

const struct id *authlog_estate(const struct authlog *log)
{
	return &log->estate;
}

const char *authlog_estate_name(const struct authlog *log)
{
	return log->name;
}

wall_day authlog_day(const struct authlog *log)
{
	return log->state.day;
}
