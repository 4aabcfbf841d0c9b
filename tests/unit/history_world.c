#include "tests/unit/history_world.h"

void world_reopen(struct world *w)
{
	struct err_info info = {0};
	bool aside = true;
	store_close(w->store);
	assert_int_equal(store_open(w->replica, &w->meta.estate, &w->meta.self, &w->store, &aside, &info),
			 ERR_OK);
	assert_false(aside);
}

void world_commit(struct world *w)
{
	struct err_info info = {0};
	if (store_pending(w->store) > 0)
		w->oracle.as_of = w->t;
	assert_int_equal(store_flush(w->store, w->t, &info), ERR_OK);
}

void world_begin(struct world *w, enum store_mark mark, wall_ms until)
{
	assert_int_equal(store_put_mark(w->store, mark, until), ERR_OK);
	oracle_begin(&w->oracle, w->t, until);
	world_commit(w);
}

static bool take_host(void *context, const struct query_value *values, size_t count)
{
	struct world *w = context;
	struct oracle *o = &w->oracle;
	assert_int_equal(count, 3);
	assert_true(o->hosts < ORACLE_HOSTS);
	assert_true(id_unhex(&w->ids[o->hosts], values[0].text));
	o->site[o->hosts] = strdup(values[1].text);
	for (int s = HOST_UNKNOWN; s <= HOST_REPLACED; s++) {
		if (strcmp(values[2].text, host_status_name((enum host_status)s)) == 0)
			o->status[o->hosts] = s;
	}
	o->hosts++;
	return true;
}

struct world *world_make(struct scratch *s)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct query_sink sink = {take_columns, take_host, w};
	struct snapshot *snapshot;
	struct err_info info;
	w->folder = strdup(scratch_path(s, "estate"));
	w->replica = strdup(scratch_path(s, "estate/replica"));
	make_estate(w->folder);
	assert_int_equal(snapshot_open(w->folder, &snapshot, &info), ERR_OK);
	w->meta = *snapshot_meta(snapshot);
	snapshot_close(snapshot);
	struct query *q = open_query(w->folder);
	assert_int_equal(query_run(q, "SELECT host, site, status FROM hosts", NULL, 0, NULL, &sink, &info),
			 ERR_OK);
	query_close(q);
	assert_int_equal(w->oracle.hosts, HOSTS);
	prng_seed(&w->p, 11);
	w->t = NOW + 60 * CLOCK_MINUTE_MS;
	world_reopen(w);
	world_begin(w, STORE_MARK_START, NOW);
	return w;
}

void world_free(struct world *w)
{
	store_close(w->store);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		free((char *)(uintptr_t)w->oracle.site[i]);
	free((char *)(uintptr_t)w->folder);
	free((char *)(uintptr_t)w->replica);
	free(w);
}

void world_put(struct world *w, size_t host, enum host_status status, wall_ms since)
{
	struct host_state state = {.host = w->ids[host], .status = status, .since = since};
	if (status == HOST_DARK) {
		state.votes = 2;
		state.signers = 3;
	}
	assert_int_equal(store_put_host_state(w->store, &state), ERR_OK);
}

/* Some hosts become something else, or are put again as they are; one may change twice before the commit. */
void world_change(struct world *w)
{
	static const enum host_status often[] = {HOST_UP,     HOST_UP,      HOST_DARK,
						 HOST_DARK,   HOST_SILENT,  HOST_STOPPED,
						 HOST_ASLEEP, HOST_UNKNOWN, HOST_LEFT};
	int last[ORACLE_HOSTS];
	wall_ms since[ORACLE_HOSTS];
	w->t += prng_below(&w->p, 90000);
	for (size_t i = 0; i < w->oracle.hosts; i++)
		last[i] = -1;
	for (size_t n = prng_below(&w->p, 12); n > 0; n--) {
		size_t host = prng_below(&w->p, w->oracle.hosts);
		enum host_status status = often[prng_below(&w->p, sizeof(often) / sizeof(*often))];
		last[host] = (int)status;
		since[host] = prng_below(&w->p, 10) == 0 ? 0 : w->t + 20000 - prng_below(&w->p, 300000);
		world_put(w, host, status, since[host]);
	}
	/* Of one commit in the order of their times, which are of different hosts. */
	for (size_t i = 0; i < w->oracle.hosts; i++) {
		if (last[i] >= 0)
			oracle_put(&w->oracle, i, last[i], since[i], w->t);
	}
	world_commit(w);
}

struct store_history world_log(const struct world *w)
{
	struct snapshot *s;
	assert_int_equal(snapshot_open(w->folder, &s, NULL), ERR_OK);
	struct store_history h = snapshot_meta(s)->history;
	snapshot_close(s);
	return h;
}
