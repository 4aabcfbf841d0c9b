/* Entries on the way: what a log refuses for now, until a rotation stands on it. Whoever holds a stolen key
 * can fill a log, but signs no rotation: so the rotation brings what it stands on past every bound. */
#include <stdlib.h>
#include <string.h>

#include "crypto/authlog_private.h"

void authlog_run_clear(struct authlog_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		free(run->nodes[i]);
	free(run->nodes);
	*run = (struct authlog_run){0};
}

struct log_node *authlog_run_find(const struct authlog_run *run, uint32_t index,
				  const uint8_t hash[LOG_HASH_BYTES])
{
	for (size_t i = 0; i < run->count; i++)
		if (authlog_compare(run->nodes[i], index, hash) == 0)
			return run->nodes[i];
	return NULL;
}

void authlog_run_keep(struct authlog_run *run, struct log_node *n)
{
	if (run->count < LIMIT_LOG_ENTRIES && authlog_run_find(run, n->index, n->hash) == NULL &&
	    authlog_reserve(&run->nodes, run->count, &run->cap, sizeof(struct log_node *)))
		run->nodes[run->count++] = n;
	else
		free(n);
}

void authlog_run_release(struct authlog_run *run, const struct log_node *n)
{
	for (size_t i = 0; i < run->count; i++) {
		if (run->nodes[i] != n)
			continue;
		run->nodes[i] = run->nodes[--run->count];
		return;
	}
}

enum err authlog_run_path(const struct authlog *log, const struct authlog_run *run, struct log_node *last,
			  struct log_node ***ret, size_t *ret_count)
{
	size_t count = 0;
	/* One more than the run has: the rotation. */
	struct log_node **path = malloc((run->count + 1) * sizeof(struct log_node *));
	if (path == NULL)
		return ERR_NOMEM;
	struct log_node *stands_on = NULL;
	for (struct log_node *n = last; n != NULL && stands_on == NULL;) {
		struct log_entry e;
		path[run->count - 1 - count++] = n;
		n = NULL;
		if (log_entry_parse(path[run->count - count]->bytes, path[run->count - count]->len, &e) !=
		    ERR_OK)
			break;
		stands_on = authlog_find(log, e.index - 1, e.before);
		n = stands_on == NULL ? authlog_run_find(run, e.index - 1, e.before) : NULL;
	}
	if (stands_on == NULL) {
		free(path);
		return ERR_STALE;
	}
	memmove(path, path + run->count - count, count * sizeof(struct log_node *));
	path[0]->before = stands_on;
	for (size_t i = 1; i < count; i++)
		path[i]->before = path[i - 1];
	*ret = path;
	*ret_count = count;
	return ERR_OK;
}
