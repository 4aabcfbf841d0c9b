/* The tree of entries: which of them a log holds, and what follows from them (docs/protocol.md section 5,
 * Forks).
 *
 * Happy path: an entry, or a rotation with those it stands on, is put among the others in the order (index,
 * hash); what the rotation ends and does not stand on is left out; from what is left follow branches, first
 * fork and state. Fails: beyond a bound, or without memory, the marks are taken back and nothing has changed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/authlog.h"
#include "crypto/authlog_private.h"

/* What a log is to be. */
struct plan {
	struct log_node **nodes;
	size_t count, dropped;
	size_t tip_count;
	const struct log_node *fork;
};

int authlog_compare(const struct log_node *n, uint32_t index, const uint8_t hash[LOG_HASH_BYTES])
{
	if (n->index != index)
		return n->index < index ? -1 : 1;
	return memcmp(n->hash, hash, LOG_HASH_BYTES);
}

size_t authlog_at(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES])
{
	size_t low = 0, high = log->node_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (authlog_compare(log->nodes[middle], index, hash) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct log_node *authlog_find(const struct authlog *log, uint32_t index, const uint8_t hash[LOG_HASH_BYTES])
{
	size_t at = authlog_at(log, index, hash);
	return at < log->node_count && authlog_compare(log->nodes[at], index, hash) == 0 ? log->nodes[at]
											 : NULL;
}

static bool is_rotation(const struct log_node *n)
{
	return n->before != NULL && n->reign == n;
}

/* Marks what stands before a rotation in the reign that it ends, and returns where that was marked already.
 */
static struct log_node *lead(const struct log_node *rotation)
{
	struct log_node *n = rotation->before;
	const struct log_node *reign = n->reign;
	while (n != NULL && n->reign == reign && !n->leads) {
		n->leads = true;
		n = n->before;
	}
	return n;
}

static void unlead(const struct log_node *rotation, const struct log_node *until)
{
	for (struct log_node *n = rotation->before; n != until; n = n->before)
		n->leads = false;
}

static bool is_dropped(const struct log_node *n, const struct log_node *rotation)
{
	return rotation != NULL && n->reign == rotation->before->reign && !n->leads;
}

static void count_successors(struct log_node *const *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		nodes[i]->successors = 0;
	for (size_t i = 0; i < count; i++)
		if (nodes[i]->before != NULL)
			nodes[i]->before->successors++;
}

/* Old and new entries, merged in their order. */
static void merge(const struct authlog *log, struct log_node *const *fresh, size_t count,
		  const struct log_node *rotation, struct plan *p)
{
	size_t next = 0;
	for (size_t i = 0; i < log->node_count; i++) {
		struct log_node *n = log->nodes[i];
		while (next < count && authlog_compare(n, fresh[next]->index, fresh[next]->hash) > 0)
			p->nodes[p->count++] = fresh[next++];
		if (is_dropped(n, rotation))
			p->dropped++;
		else
			p->nodes[p->count++] = n;
	}
	while (next < count)
		p->nodes[p->count++] = fresh[next++];
}

static enum err draw(const struct authlog *log, struct log_node *const *fresh, size_t count,
		     const struct log_node *rotation, struct plan *p)
{
	p->nodes = malloc((log->node_count + count) * sizeof(struct log_node *));
	if (p->nodes == NULL)
		return ERR_NOMEM;
	merge(log, fresh, count, rotation, p);
	if (p->count > LIMIT_LOG_ENTRIES)
		return ERR_LIMIT;
	count_successors(p->nodes, p->count);
	for (size_t i = 0; i < p->count; i++) {
		p->tip_count += p->nodes[i]->successors == 0;
		if (p->fork == NULL && p->nodes[i]->successors > 1)
			p->fork = p->nodes[i];
	}
	return p->tip_count <= LIMIT_LOG_BRANCHES ? ERR_OK : ERR_LIMIT;
}

static enum err apply(struct log_state *s, const struct log_node *n, bool full)
{
	struct log_entry e;
	struct log_body body;
	enum err err = log_entry_parse(n->bytes, n->len, &e);
	if (err == ERR_OK)
		err = log_body_decode(e.type, e.body, e.body_len, &body);
	return err == ERR_OK ? authlog_state_apply(s, &e, &body, full) : err;
}

enum err authlog_replay(struct log_node *const *nodes, size_t count, const struct log_node *fork,
			struct log_state *ret)
{
	struct log_state s = {0};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = apply(&s, nodes[i], fork == NULL || nodes[i]->index <= fork->index);
	if (err == ERR_OK)
		*ret = s;
	else
		authlog_state_release(&s);
	return err;
}

/* Anew only where what counted so far may not count any more. */
static enum err advance(struct authlog *log, const struct plan *p, const struct log_node *first, size_t count)
{
	struct log_state s;
	if (count == 1 && p->dropped == 0 && p->fork == log->fork)
		return apply(&log->state, first, p->fork == NULL);
	enum err err = authlog_replay(p->nodes, p->count, p->fork, &s);
	if (err != ERR_OK)
		return err;
	authlog_state_release(&log->state);
	log->state = s;
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

static void set_head(struct authlog *log)
{
	uint8_t hashes[LIMIT_LOG_BRANCHES * LOG_HASH_BYTES];
	uint32_t index = 0;
	if (log->tip_count == 1) {
		log->head = head_of(log->tips[0]->index, log->tips[0]->hash);
		return;
	}
	for (size_t i = 0; i < log->tip_count; i++) {
		memcpy(hashes + i * LOG_HASH_BYTES, log->tips[i]->hash, LOG_HASH_BYTES);
		if (log->tips[i]->index > index)
			index = log->tips[i]->index;
	}
	log->head =
	    (struct authlog_head){index, hash_u64("mesh.fork", hashes, log->tip_count * LOG_HASH_BYTES)};
}

static void drop(const struct authlog *log, struct authlog_run *run, const struct log_node *rotation)
{
	for (size_t i = 0; i < log->node_count; i++) {
		struct log_node *n = log->nodes[i];
		if (!is_dropped(n, rotation))
			continue;
		n->before = NULL;
		if (run != NULL)
			authlog_run_keep(run, n);
		else
			free(n);
	}
}

static void commit(struct authlog *log, struct authlog_run *run, const struct plan *p,
		   const struct log_node *rotation)
{
	/* Heads that no entry bears would look like news when a peer shows them. */
	if (log->tip_count > 1 || p->tip_count > 1 || p->dropped > 0)
		log->before[log->before_count++ % LOG_HEADS_BEFORE] = log->head;
	drop(log, run, rotation);
	if (rotation != NULL)
		rotation->before->reign->retired = true;
	free(log->nodes);
	log->nodes = p->nodes;
	log->node_count = p->count;
	log->fork = p->fork;
	log->tip_count = 0;
	for (size_t i = 0; i < p->count; i++)
		if (p->nodes[i]->successors == 0)
			log->tips[log->tip_count++] = p->nodes[i];
	CHECK(log->tip_count == p->tip_count);
	qsort(log->tips, log->tip_count, sizeof(*log->tips), compare_tips);
	set_head(log);
	if (p->dropped > 0)
		authlog_drop_lists(log);
	authlog_name_lists(log);
}

enum err authlog_insert(struct authlog *log, struct authlog_run *run, struct log_node *const *fresh,
			size_t count)
{
	const struct log_node *rotation = is_rotation(fresh[count - 1]) ? fresh[count - 1] : NULL;
	const struct log_node *marked = rotation != NULL ? lead(rotation) : NULL;
	struct plan p = {0};
	enum err err = draw(log, fresh, count, rotation, &p);
	if (err == ERR_OK)
		err = advance(log, &p, fresh[0], count);
	if (err == ERR_OK) {
		commit(log, run, &p, rotation);
		return ERR_OK;
	}
	if (rotation != NULL)
		unlead(rotation, marked);
	count_successors(log->nodes, log->node_count);
	free(p.nodes);
	return err;
}
