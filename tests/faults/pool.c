#include "tests/faults/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "store/query.h"
#include "store/snapshot.h"
#include "tests/estate/estate.h"

/* --- taking over --- */

struct filler {
	struct pool *p;
	struct store *s;
	size_t records, blobs, hosts, sites; /* room */
	enum err err;
};

/* Room for one more; the new element is zero. */
static void *more(struct filler *f, void *array, size_t *count, size_t *room, size_t element)
{
	uint8_t **elements = array;
	if (*count == *room) {
		size_t bigger = *room == 0 ? 64 : *room * 2;
		uint8_t *grown = realloc(*elements, bigger * element);
		if (grown == NULL) {
			f->err = ERR_NOMEM;
			return NULL;
		}
		*elements = grown;
		*room = bigger;
	}
	void *at = *elements + (*count)++ * element;
	memset(at, 0, element);
	return at;
}

static bool take_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct filler *f = context;
	struct record parsed;
	(void)received;
	f->err = record_parse(bytes, len, &parsed);
	if (f->err != ERR_OK)
		return false;
	struct pool_record *r = more(f, &f->p->records, &f->p->record_count, &f->records, sizeof(*r));
	if (r == NULL)
		return false;
	r->key = parsed.key;
	r->len = len;
	memcpy(r->bytes, bytes, len);
	return true;
}

static bool take_blob(void *context, const struct id *id)
{
	struct filler *f = context;
	struct pool_blob *b = more(f, &f->p->blobs, &f->p->blob_count, &f->blobs, sizeof(*b));
	if (b == NULL)
		return false;
	b->id = *id;
	f->err = store_get_blob(f->s, id, b->bytes, &b->len);
	return f->err == ERR_OK;
}

static bool take_host(void *context, const struct host_state *state)
{
	struct filler *f = context;
	struct host_state *h = more(f, &f->p->hosts, &f->p->host_count, &f->hosts, sizeof(*h));
	if (h != NULL)
		*h = *state;
	return h != NULL;
}

static bool take_site(void *context, const struct site_state *state)
{
	struct filler *f = context;
	struct site_state *s = more(f, &f->p->sites, &f->p->site_count, &f->sites, sizeof(*s));
	if (s != NULL)
		*s = *state;
	return s != NULL;
}

static enum err take_all(struct pool *p, struct store *s)
{
	struct filler f = {.p = p, .s = s};
	enum err err = store_each_record(s, take_record, &f);
	if (err == ERR_OK && f.err == ERR_OK)
		err = store_each_blob(s, take_blob, &f);
	if (err == ERR_OK && f.err == ERR_OK)
		err = store_each_host_state(s, take_host, &f);
	if (err == ERR_OK && f.err == ERR_OK)
		err = store_each_site_state(s, take_site, &f);
	return err == ERR_OK ? f.err : err;
}

enum err pool_make(const char *folder, size_t hosts, uint64_t seed, struct pool *ret, struct err_info *info)
{
	const struct estate_options o = {
	    .hosts = hosts, .sites = 3, .seed = seed, .out = folder, .now = POOL_NOW};
	char path[LIMIT_PATH_BYTES];
	struct snapshot *snapshot = NULL;
	struct store *s = NULL;
	*ret = (struct pool){0};
	enum err err = estate_write(&o, info);
	if (err == ERR_OK)
		err = snapshot_open(folder, &snapshot, info);
	if (err != ERR_OK)
		return err;
	ret->estate = snapshot_meta(snapshot)->estate;
	ret->self = snapshot_meta(snapshot)->self;
	snapshot_close(snapshot);
	snprintf(path, sizeof(path), "%s/replica", folder);
	err = store_open(path, &ret->estate, &ret->self, &s, NULL, info);
	if (err == ERR_OK)
		err = take_all(ret, s);
	store_close(s);
	return err;
}

void pool_free(struct pool *p)
{
	free(p->records);
	free(p->blobs);
	free(p->hosts);
	free(p->sites);
	*p = (struct pool){0};
}

/* --- change --- */

enum err pool_put_all(const struct pool *p, struct store *s)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < p->record_count && err == ERR_OK; i++)
		err =
		    store_put_record(s, &p->records[i].key, p->records[i].bytes, p->records[i].len, POOL_NOW);
	for (size_t i = 0; i < p->blob_count && err == ERR_OK; i++)
		err = store_put_blob(s, &p->blobs[i].id, p->blobs[i].bytes, p->blobs[i].len);
	for (size_t i = 0; i < p->host_count && err == ERR_OK; i++)
		err = store_put_host_state(s, &p->hosts[i]);
	return err;
}

static enum err change_one(const struct pool *p, struct store *s, uint64_t number, struct prng *prng)
{
	const struct pool_record *r = &p->records[prng_below(prng, p->record_count)];
	struct host_state host = p->hosts[prng_below(prng, p->host_count)];
	struct site_state site = p->sites[prng_below(prng, p->site_count)];
	const struct pool_blob *b = &p->blobs[prng_below(prng, p->blob_count)];
	switch (prng_below(prng, 8)) {
	case 0:
		return store_drop_record(s, &r->key);
	case 1:
	case 2:
		host.since = POOL_NOW + number;
		host.status = prng_chance(prng, 0.5) ? HOST_UP : HOST_DARK;
		return store_put_host_state(s, &host);
	case 3:
		return store_put_blob(s, &b->id, b->bytes, b->len);
	case 4:
		site.since = POOL_NOW + number;
		return store_put_site_state(s, &site);
	default:
		return store_put_record(s, &r->key, r->bytes, r->len, POOL_NOW + number);
	}
}

enum err pool_change(const struct pool *p, struct store *s, uint64_t number, struct prng *prng)
{
	struct site_state mark = p->sites[0];
	uint64_t changes = 1 + prng_below(prng, 16);
	enum err err = ERR_OK;
	for (uint64_t i = 0; i < changes && err == ERR_OK; i++)
		err = change_one(p, s, number, prng);
	mark.last_rollcall = POOL_NOW + number;
	return err == ERR_OK ? store_put_site_state(s, &mark) : err;
}

/* --- digests --- */

uint64_t pool_mix(uint64_t before, const void *bytes, size_t len)
{
	struct {
		uint64_t before, now;
	} both = {before, hash_checksum(bytes, len)};
	return hash_checksum(&both, sizeof(both));
}

uint64_t pool_mix_value(uint64_t before, const struct query_value *v)
{
	uint64_t hash = pool_mix(before, &v->type, sizeof(v->type));
	if (v->type == QUERY_INTEGER)
		return pool_mix(hash, &v->integer, sizeof(v->integer));
	return v->type == QUERY_TEXT ? pool_mix(hash, v->text, v->text_len) : hash;
}

struct rows {
	struct store *s;
	void (*take)(void *context, uint64_t row);
	void *context;
	enum err err; /* the first */
};

static bool row_of_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct rows *r = context;
	r->take(r->context, pool_mix(pool_mix(1, bytes, len), &received, sizeof(received)));
	return true;
}

static bool row_of_blob(void *context, const struct id *id)
{
	struct rows *r = context;
	uint8_t bytes[LIMIT_BLOB_BYTES];
	size_t len;
	enum err err = store_get_blob(r->s, id, bytes, &len);
	if (err == ERR_OK)
		r->take(r->context, pool_mix(pool_mix(2, id->b, ID_BYTES), bytes, len));
	else if (r->err == ERR_OK)
		r->err = err;
	return true;
}

static bool row_of_host(void *context, const struct host_state *h)
{
	struct rows *r = context;
	uint64_t facts[] = {h->status, h->standing, h->since, h->seen, h->votes, h->signers};
	uint64_t row = pool_mix(pool_mix(3, h->host.b, ID_BYTES), h->issuer.b, ID_BYTES);
	row = pool_mix(row, facts, sizeof(facts));
	r->take(r->context, pool_mix(row, h->witnesses, sizeof(h->witnesses)));
	return true;
}

static bool row_of_site(void *context, const struct site_state *s)
{
	struct rows *r = context;
	uint64_t facts[] = {s->status, s->since, s->last_rollcall, s->interval_s, s->live_witnesses};
	r->take(r->context, pool_mix(pool_mix(4, s->name, strlen(s->name)), facts, sizeof(facts)));
	return true;
}

enum err pool_each_row(struct store *s, void (*take)(void *context, uint64_t row), void *context)
{
	struct rows r = {s, take, context, ERR_OK};
	enum err err = store_each_record(s, row_of_record, &r);
	if (err == ERR_OK)
		err = store_each_blob(s, row_of_blob, &r);
	if (err == ERR_OK)
		err = store_each_host_state(s, row_of_host, &r);
	if (err == ERR_OK)
		err = store_each_site_state(s, row_of_site, &r);
	return err == ERR_OK ? r.err : err;
}

/* Rows come in an order that tells where they are kept: a sum is the same for all. */
static void add_row(void *context, uint64_t row)
{
	*(uint64_t *)context += row;
}

enum err pool_digest(struct store *s, uint64_t *ret)
{
	uint64_t sum = 0;
	enum err err = pool_each_row(s, add_row, &sum);
	if (err == ERR_OK)
		*ret = sum;
	return err;
}

static bool mix_row(void *context, const struct query_value *values, size_t count)
{
	uint64_t *digest = context;
	for (size_t i = 0; i < count; i++)
		*digest = pool_mix_value(*digest, &values[i]);
	return true;
}

enum err pool_question_digest(const char *state, uint64_t *ret, struct err_info *info)
{
	static const char *const questions[] = {
	    "SELECT * FROM hosts ORDER BY host",
	    "SELECT host, kind, component, entry, loaded FROM host_components ORDER BY 1, 2, 3, 4, 5",
	    "SELECT host, time_ms, op, entry FROM changes ORDER BY 1, 2, 3, 4",
	    "SELECT * FROM health ORDER BY host",
	    "SELECT host, kind, time_ms, detail FROM crashes ORDER BY 1, 2, 3, 4",
	    "SELECT site, status, since_ms, last_rollcall_ms, hosts, up FROM sites ORDER BY 1",
	};
	uint64_t digest = 0;
	const struct query_sink sink = {.row = mix_row, .context = &digest};
	struct query *q = NULL;
	enum err err = query_open(state, POOL_NOW, &q, info);
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions) && err == ERR_OK; i++)
		err = query_run(q, questions[i], NULL, 0, NULL, &sink, info);
	query_close(q);
	if (err == ERR_OK)
		*ret = digest;
	return err;
}
