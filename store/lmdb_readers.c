/* Who reads an old state: pages that changed since cannot be used again, so the file grows by what is
 * written. Readers that were killed are found and cleared; of those that live the one that holds most is
 * named. */
#include <inttypes.h>
#include <stdio.h>

#include "store/lmdb_backend.h"

struct oldest {
	uint64_t last; /* commit that everyone could read */
	uint64_t pid, txn;
};

/* A line of LMDB's list: process, thread, and the commit that is read; "-" for none, and a head. */
static int take_line(const char *line, void *context)
{
	struct oldest *o = context;
	uint64_t pid, txn;
	if (sscanf(line, "%" SCNu64 " %*s %" SCNu64, &pid, &txn) != 2 || txn >= o->last)
		return 0;
	if (o->pid == 0 || txn < o->txn || (txn == o->txn && pid < o->pid))
		*o = (struct oldest){o->last, pid, txn};
	return 0;
}

static struct oldest find(const struct lmdb *l)
{
	MDB_envinfo info;
	struct oldest o = {.last = mdb_env_info(l->e.env, &info) == 0 ? info.me_last_txnid : 0};
	(void)mdb_reader_list(l->e.env, take_line, &o);
	return o;
}

void lmdb_readers_look(struct lmdb *l, wall_ms now)
{
	int dead = 0;
	struct oldest o = find(l);
	if (o.pid != 0 && mdb_reader_check(l->e.env, &dead) == 0 && dead > 0)
		o = find(l);
	bool same = o.pid != 0 && o.pid == l->reader.pid && o.txn == l->reader_txn;
	wall_ms since = same ? l->reader.since : now;
	l->reader_txn = o.txn;
	l->reader = (struct store_reader){.pid = o.pid};
	if (o.pid != 0)
		l->reader = (struct store_reader){o.pid, since, o.last - o.txn};
}
