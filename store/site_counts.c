#include "store/site_counts.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"

void site_counts_add(struct site_counts *c, const struct site_fact *f)
{
	if (site_fact_hidden(f)) {
		c->hidden++;
		return;
	}
	c->by_status[f->status]++;
	if (f->status == HOST_LEFT || f->status == HOST_REPLACED)
		return;
	bool quarantined = f->standing == STANDING_QUARANTINED;
	bool never_heard = f->status == HOST_UNKNOWN && f->seen == 0 && f->published == 0;
	c->quarantined += quarantined;
	c->never_heard += never_heard;
	c->incomplete += f->published < 2 && !quarantined && !never_heard;
	c->stale += (f->status == HOST_SILENT || f->status == HOST_UNKNOWN) && !quarantined && !never_heard;
	if (f->status != HOST_UP)
		return;
	c->up_quarantined += quarantined;
	if (f->seen == 0) {
		c->up_unseen++;
		return;
	}
	if (c->seen_first == 0 || f->seen < c->seen_first)
		c->seen_first = f->seen;
	if (f->seen > c->seen_latest)
		c->seen_latest = f->seen;
}

uint64_t site_counts_hosts(const struct site_counts *c)
{
	uint64_t sum = c->hidden;
	for (size_t i = 0; i <= HOST_REPLACED; i++)
		sum += c->by_status[i];
	return sum;
}

void site_counts_encode(const struct row_key *key, const struct site_counts *c, struct row_value *ret)
{
	size_t len = strnlen(c->name, sizeof(c->name));
	CHECK(len <= LIMIT_SITE_NAME_BYTES);
	struct writer w = row_begin(ret);
	writer_u32(&w, c->hidden);
	writer_u8(&w, HOST_REPLACED + 1);
	for (size_t i = 0; i <= HOST_REPLACED; i++)
		writer_u32(&w, c->by_status[i]);
	writer_u32(&w, c->quarantined);
	writer_u32(&w, c->never_heard);
	writer_u32(&w, c->incomplete);
	writer_u32(&w, c->stale);
	writer_u32(&w, c->up_quarantined);
	writer_u32(&w, c->up_unseen);
	writer_u64(&w, c->seen_first);
	writer_u64(&w, c->seen_latest);
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, c->name, len);
	CHECK(row_end(&w, key, ret) == ERR_OK);
}

enum err site_counts_decode(const uint8_t *bytes, size_t len, struct site_counts *ret)
{
	struct site_counts c = {.hidden = 0};
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	c.hidden = reader_u32(&r);
	if (reader_u8(&r) != HOST_REPLACED + 1)
		return ERR_FORMAT;
	for (size_t i = 0; i <= HOST_REPLACED; i++)
		c.by_status[i] = reader_u32(&r);
	c.quarantined = reader_u32(&r);
	c.never_heard = reader_u32(&r);
	c.incomplete = reader_u32(&r);
	c.stale = reader_u32(&r);
	c.up_quarantined = reader_u32(&r);
	c.up_unseen = reader_u32(&r);
	c.seen_first = reader_u64(&r);
	c.seen_latest = reader_u64(&r);
	size_t name_len = reader_u8(&r);
	if (name_len > LIMIT_SITE_NAME_BYTES)
		return ERR_FORMAT;
	reader_copy(&r, c.name, name_len);
	if (!reader_done(&r))
		return ERR_FORMAT;
	*ret = c;
	return ERR_OK;
}
