/* Authority log: the tree of entries and what follows from it (docs/protocol.md section 5).
 *
 * Happy path: authlog_append parses an entry, finds the one before it, checks the signature of the authority
 * key in force there, takes all memory it needs, then puts the entry into its place.
 * Failure: an entry that does not fit changes nothing. One whose predecessor has a successor forks the log:
 * all branches are kept, and what counts is worked out anew, for grants behind the fork end with it. */
#include "crypto/authlog.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/authlog_private.h"
#include "crypto/signed.h"

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

/* Place of the first entry not below (index, hash). */
static size_t place_of(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES])
{
	size_t low = 0, high = log->node_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct log_node *n = log->nodes[middle];
		if (n->index < index || (n->index == index && memcmp(n->hash, hash, LOG_HASH_BYTES) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct log_node *find(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES])
{
	size_t at = place_of(log, index, hash);
	if (at == log->node_count || log->nodes[at]->index != index ||
	    memcmp(log->nodes[at]->hash, hash, LOG_HASH_BYTES) != 0)
		return NULL;
	return log->nodes[at];
}

/* Finds the entry's predecessor, NULL for the genesis. */
static enum err check_place(const struct authlog *log, const struct log_entry *e, struct log_node **ret)
{
	struct log_node *before = NULL;
	if (log->node_count == 0 ? e->index > 0 : e->index == 0)
		return ERR_STALE; /* a gap, or the genesis of another estate */
	if (e->index > 0) {
		before = find(log, e->index - 1, e->before);
		if (before == NULL)
			return ERR_STALE;
	}
	if ((e->index == 0) != (e->type == LOG_GENESIS))
		return ERR_FORMAT;
	if (e->index == 0 && memcmp(e->before, no_hash, LOG_HASH_BYTES) != 0)
		return ERR_FORMAT;
	if (log->node_count >= LIMIT_LOG_ENTRIES)
		return ERR_LIMIT;
	if (before != NULL && before->successors > 0 && log->tip_count == LIMIT_LOG_BRANCHES)
		return ERR_LIMIT;
	*ret = before;
	return ERR_OK;
}

static enum err check_signatures(const struct authlog *log, const struct log_entry *e,
				 const struct log_body *body, const struct log_node *before)
{
	enum err err = log_entry_verify(e, &log->estate, before == NULL ? body->public_key : before->key);
	if (err != ERR_OK || e->type != LOG_ROTATE)
		return err;
	/* The holder of the new key must agree, or anyone's key could be put in. */
	return signed_check(LOG_ROTATE_LABEL, &log->estate, before->key, KEY_BYTES, body->public_key,
			    body->proof);
}

/* Whether a rotation that is here has retired the key in force behind `before`. Such a key forks nothing any
 * more: whoever stole it, or finds it in an old copy, comes too late. */
static bool is_sealed(const struct authlog *log, const struct log_node *before)
{
	for (size_t i = 0; i < log->node_count; i++) {
		if (log->nodes[i]->bytes[2] != LOG_ROTATE)
			continue;
		for (const struct log_node *n = log->nodes[i]->before; n != NULL; n = n->before) {
			if (n == before)
				return true;
		}
	}
	return false;
}

/* What follows from the entries held when `fork` is the first fork. */
static enum err replay(const struct authlog *log, const struct log_node *fork, struct log_state *ret)
{
	struct log_state s = {0};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < log->node_count; i++) {
		const struct log_node *n = log->nodes[i];
		struct log_entry e;
		struct log_body body;
		err = log_entry_parse(n->bytes, n->len, &e);
		if (err == ERR_OK)
			err = log_body_decode(e.type, e.body, e.body_len, &body);
		if (err == ERR_OK)
			err = authlog_state_apply(&s, &e, &body, n->index <= fork->index);
	}
	if (err == ERR_OK)
		*ret = s;
	else
		authlog_state_release(&s);
	return err;
}

/* Brings the state to what it is with the entry. Failure changes nothing. */
static enum err advance(struct authlog *log, const struct log_node *before, const struct log_entry *e,
			const struct log_body *body)
{
	bool forks = before != NULL && before->successors > 0 &&
		     (log->fork == NULL || before->index < log->fork->index);
	if (!forks)
		return authlog_state_apply(&log->state, e, body, log->fork == NULL);
	struct log_state s;
	enum err err = replay(log, before, &s);
	if (err != ERR_OK)
		return err;
	err = authlog_state_apply(&s, e, body, false);
	if (err != ERR_OK) {
		authlog_state_release(&s);
		return err;
	}
	authlog_state_release(&log->state);
	log->state = s;
	log->fork = before;
	return ERR_OK;
}

static int compare_tips(const void *a, const void *b)
{
	return memcmp((*(const struct log_node *const *)a)->hash, (*(const struct log_node *const *)b)->hash,
		      LOG_HASH_BYTES);
}

static struct authlog_head head_of(uint32_t index, const uint8_t *hash)
{
	struct authlog_head head = {.index = index};
	for (size_t i = 0; i < sizeof(head.hash); i++)
		head.hash = head.hash << 8 | hash[i];
	return head;
}

static bool heads_equal(const struct authlog_head *a, const struct authlog_head *b)
{
	return a->index == b->index && a->hash == b->hash;
}

static void set_head(struct authlog *log)
{
	uint8_t hashes[LIMIT_LOG_BRANCHES * LOG_HASH_BYTES];
	uint32_t index = 0;
	if (log->tip_count == 1) {
		log->head = head_of(log->tips[0]->index, log->tips[0]->hash);
		return;
	}
	log->before[log->before_count++ % LOG_HEADS_BEFORE] = log->head;
	for (size_t i = 0; i < log->tip_count; i++) {
		memcpy(hashes + i * LOG_HASH_BYTES, log->tips[i]->hash, LOG_HASH_BYTES);
		if (log->tips[i]->index > index)
			index = log->tips[i]->index;
	}
	log->head =
	    (struct authlog_head){index, hash_u64("mesh.fork", hashes, log->tip_count * LOG_HASH_BYTES)};
}

static struct log_node *node_new(const struct log_entry *e, const struct log_body *body,
				 const struct log_node *before, const uint8_t hash[LOG_HASH_BYTES])
{
	struct log_node *n = malloc(sizeof(*n) + e->len);
	if (n == NULL)
		return NULL;
	*n = (struct log_node){.before = before, .index = e->index, .len = e->len};
	memcpy(n->hash, hash, LOG_HASH_BYTES);
	bool sets_key = e->type == LOG_GENESIS || e->type == LOG_ROTATE;
	memcpy(n->key, sets_key ? body->public_key : before->key, KEY_BYTES);
	memcpy(n->bytes, e->bytes, e->len);
	return n;
}

/* There is room for it, and for another branch. */
static void link_node(struct authlog *log, struct log_node *n, struct log_node *before)
{
	size_t at = place_of(log, n->index, n->hash);
	memmove(&log->nodes[at + 1], &log->nodes[at], (log->node_count - at) * sizeof(*log->nodes));
	log->nodes[at] = n;
	log->node_count++;
	size_t tip = log->tip_count;
	if (before != NULL && before->successors++ == 0) {
		for (tip = 0; log->tips[tip] != before; tip++)
			CHECK(tip + 1 < log->tip_count);
	} else {
		CHECK(log->tip_count < LIMIT_LOG_BRANCHES);
		log->tip_count++;
	}
	log->tips[tip] = n;
	qsort(log->tips, log->tip_count, sizeof(*log->tips), compare_tips);
	set_head(log);
}

static enum err insert(struct authlog *log, const struct log_entry *e, const struct log_body *body,
		       struct log_node *before, const uint8_t hash[LOG_HASH_BYTES])
{
	if (!authlog_reserve(&log->nodes, log->node_count, &log->node_cap, sizeof(*log->nodes)))
		return ERR_NOMEM;
	struct log_node *n = node_new(e, body, before, hash);
	enum err err = n == NULL ? ERR_NOMEM : advance(log, before, e, body);
	if (err != ERR_OK) {
		free(n);
		return err;
	}
	if (before == NULL) {
		hash_bytes(log->estate.b, ID_BYTES, "mesh.estate", e->bytes, e->len);
		memcpy(log->name, body->name, sizeof(log->name));
	}
	link_node(log, n, before);
	authlog_name_lists(log);
	return ERR_OK;
}

/* Where an entry comes from. */
enum trust {
	NEWS,    /* anywhere */
	KEPT,    /* a log that was kept: it may have been forked before its key was retired */
	CHECKED, /* this process has checked it */
};

static enum err append(struct authlog *log, const uint8_t *entry, size_t len, enum trust trust)
{
	struct log_entry e;
	struct log_body body;
	struct log_node *before;
	uint8_t hash[LOG_HASH_BYTES];
	enum err err = log_entry_parse(entry, len, &e);
	if (err != ERR_OK)
		return err;
	hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
	if (find(log, e.index, hash) != NULL)
		return ERR_EXISTS;
	err = check_place(log, &e, &before);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &body);
	if (err == ERR_OK && trust != CHECKED)
		err = check_signatures(log, &e, &body, before);
	if (err == ERR_OK && trust == NEWS && before != NULL && before->successors > 0 &&
	    is_sealed(log, before))
		err = ERR_UNTRUSTED;
	return err == ERR_OK ? insert(log, &e, &body, before, hash) : err;
}

enum err authlog_append(struct authlog *log, const uint8_t *entry, size_t len)
{
	return append(log, entry, len, NEWS);
}

enum err authlog_append_kept(struct authlog *log, const uint8_t *entry, size_t len)
{
	return append(log, entry, len, KEPT);
}

enum err authlog_copy(const struct authlog *log, struct authlog **ret)
{
	struct authlog *copy;
	enum err err = authlog_new(&copy);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; err == ERR_OK && i < log->node_count; i++)
		err = append(copy, log->nodes[i]->bytes, log->nodes[i]->len, CHECKED);
	if (err == ERR_OK)
		err = authlog_copy_lists(log, copy);
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

bool authlog_knows_head(const struct authlog *log, struct authlog_head head)
{
	struct authlog_head empty = {0};
	if (heads_equal(&head, &log->head) || heads_equal(&head, &empty))
		return true;
	for (size_t i = 0; i < LOG_HEADS_BEFORE && i < log->before_count; i++) {
		if (heads_equal(&head, &log->before[i]))
			return true;
	}
	for (size_t i = place_of(log, head.index, no_hash);
	     i < log->node_count && log->nodes[i]->index == head.index; i++) {
		if (head_of(head.index, log->nodes[i]->hash).hash == head.hash)
			return true;
	}
	return false;
}

bool authlog_place(const struct authlog *log, const uint8_t public_key[KEY_BYTES], struct log_place *ret)
{
	const struct log_node *longest = NULL;
	for (size_t i = 0; i < log->tip_count; i++) {
		const struct log_node *tip = log->tips[i];
		if (memcmp(tip->key, public_key, KEY_BYTES) == 0 &&
		    (longest == NULL || tip->index > longest->index))
			longest = tip; /* of equals the first: tips ascend by hash */
	}
	if (longest == NULL)
		return false;
	*ret = (struct log_place){longest->index + 1, longest->hash};
	return true;
}

const uint8_t *authlog_key(const struct authlog *log)
{
	if (log->node_count == 0)
		return NULL;
	return log->fork != NULL ? log->fork->key : log->tips[0]->key;
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
