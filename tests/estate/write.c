/* Through the real write path: hosts are drawn and signed on several threads, a batch at a time, and put and
 * committed in order. */
#include "tests/estate/write.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/set.h"
#include "record/field.h"
#include "tests/estate/parallel.h"
#include "tests/estate/trouble.h"

#define BATCH 512

struct batch {
	struct estate *e;
	size_t first;
	size_t counts[BATCH];
	struct signed_record records[BATCH][RECORDS_OF_HOST];
};

enum err write_room(struct estate *e)
{
	return store_pending(e->store) + 1 < LIMIT_BATCH_ROWS ? ERR_OK
							      : store_flush(e->store, e->at, e->info);
}

enum err write_record(struct estate *e, const struct signed_record *r, uint64_t home)
{
	struct record record;
	enum err err = write_room(e);
	if (err == ERR_OK)
		err = store_put_record(e->store, &r->key, r->bytes, r->len, r->received);
	if (err == ERR_OK)
		err = record_parse(r->bytes, r->len, &record);
	uint64_t id = record_id(e->keys.set_key, r->bytes, r->len);
	return err == ERR_OK ? set_put(e->set, &record, id, home, r->received, NULL) : err;
}

static enum err sign_one(void *context, size_t index)
{
	struct batch *b = context;
	struct host *h = &b->e->hosts[b->first + index];
	struct sayings s;
	records_draw(b->e, h, &s);
	trouble_host(b->e, h, &s);
	if (s.profile.asset_id_count > 0)
		memcpy(h->asset, s.profile.asset_ids[0], sizeof(h->asset));
	return records_sign(b->e, h, &s, b->records[index], &b->counts[index]);
}

/* An operator's word that a machine is gone for good. */
static enum err put_decommission(struct estate *e, const struct host *h)
{
	struct field_writer f;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct signed_record r = {.received = h->state.since,
				  .key = {.kind = RECORD_DECOMMISSION,
					  .writer = *identity_id(e->operator_),
					  .subject = h->id,
					  .slot = draw_mix(e->o->seed, h->number)}};
	field_begin(&f);
	field_put_text(&f, 1, "scrapped", 128);
	enum err err = field_finish(&f, body, sizeof(body), &len);
	if (err == ERR_OK)
		err = record_sign(&r.key, 1 + h->number, 1, h->state.since, body, len, &e->id, e->operator_,
				  r.bytes, &r.len);
	return err == ERR_OK ? write_record(e, &r, 0) : err;
}

static enum err put_host(struct estate *e, const struct host *h, const struct signed_record *records,
			 size_t count)
{
	enum err err = ERR_OK;
	uint64_t home = id_short(&e->sites[h->site].state.site);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		err = write_record(e, &records[i], home);
		if (err == ERR_OK)
			err = trouble_record(e, h, &records[i]);
	}
	if (err == ERR_OK && h->fate == FATE_LEFT)
		err = put_decommission(e, h);
	if (err == ERR_OK)
		err = write_room(e);
	struct host_state first = history_first(e, h);
	return err == ERR_OK ? store_put_host_state(e->store, &first) : err;
}

enum err write_hosts(struct estate *e)
{
	struct batch *b = malloc(sizeof(*b));
	enum err err = b != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t first = 0; first < e->o->hosts && err == ERR_OK; first += BATCH) {
		size_t left = e->o->hosts - first, count = left < BATCH ? left : BATCH;
		b->e = e;
		b->first = first;
		err = parallel_for(e->threads, count, sign_one, b);
		for (size_t i = 0; i < count && err == ERR_OK; i++)
			err = put_host(e, &e->hosts[first + i], b->records[i], b->counts[i]);
	}
	free(b);
	return err;
}
