#include "store/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"

#define TIME_BYTES 6 /* ms since 1970, for some thousand years */
#define TIME_MAX   ((1ull << 8 * TIME_BYTES) - 1)
#define VOTES_MAX  3
/* Table, what, time: no row of the log has a key of that length. */
#define MARK_KEY_BYTES 10

/* subject u64, since 6 bytes, what 4 bits, votes 2, signers 2, from 4, to 4. */
void history_event_pack(const struct history_event *e, uint8_t ret[HISTORY_EVENT_BYTES])
{
	struct writer w = writer_of(ret, HISTORY_EVENT_BYTES);
	wall_ms since = e->since < TIME_MAX ? e->since : TIME_MAX;
	unsigned votes = e->votes < VOTES_MAX ? e->votes : VOTES_MAX;
	unsigned signers = e->signers < VOTES_MAX ? e->signers : VOTES_MAX;
	writer_u64(&w, e->subject);
	writer_u16(&w, (uint16_t)(since >> 32));
	writer_u32(&w, (uint32_t)since);
	writer_u8(&w, (uint8_t)((unsigned)e->what << 4 | votes << 2 | signers));
	writer_u8(&w, (uint8_t)(e->from << 4 | (e->to & 15)));
	CHECK(!w.failed && w.len == HISTORY_EVENT_BYTES);
}

struct history_event history_event_unpack(const uint8_t *bytes)
{
	struct reader r = reader_of(bytes, HISTORY_EVENT_BYTES);
	struct history_event e = {.subject = reader_u64(&r)};
	e.since = (wall_ms)reader_u16(&r) << 32;
	e.since |= reader_u32(&r);
	uint8_t what = reader_u8(&r), states = reader_u8(&r);
	e.what = (enum history_what)(what >> 4);
	e.votes = what >> 2 & VOTES_MAX;
	e.signers = what & VOTES_MAX;
	e.from = states >> 4;
	e.to = states & 15;
	return e;
}

struct row_key history_key(uint64_t row)
{
	struct row_key key = {.bytes = {TABLE_TRANSITIONS}};
	struct writer w = writer_of(key.bytes + 1, 8);
	writer_u64(&w, row);
	key.len = 1 + 8;
	return key;
}

/* Times in the form in which a record's row begins. */
void history_row_encode(const struct row_key *key, const struct history_row *row, struct row_value *ret)
{
	uint8_t bytes[8 + HISTORY_ROW_EVENTS * HISTORY_EVENT_BYTES];
	struct writer w = writer_of(bytes, sizeof(bytes));
	writer_u64(&w, row->newest);
	writer_bytes(&w, row->events, row->count * HISTORY_EVENT_BYTES);
	CHECK(!w.failed);
	CHECK(row_encode_record(key, bytes, w.len, row->noted, ret) == ERR_OK);
}

enum err history_row_decode(const uint8_t *bytes, size_t len, struct history_row *ret)
{
	struct history_row row;
	const uint8_t *body;
	size_t body_len;
	enum err err = row_decode_record(bytes, len, &body, &body_len, &row.noted);
	if (err != ERR_OK)
		return err;
	struct reader r = reader_of(body, body_len);
	row.newest = reader_u64(&r);
	row.count = reader_left(&r) / HISTORY_EVENT_BYTES;
	row.events = body + r.pos;
	if (r.failed || row.count == 0 || row.count > HISTORY_ROW_EVENTS ||
	    reader_left(&r) % HISTORY_EVENT_BYTES != 0)
		return ERR_FORMAT;
	*ret = row;
	return ERR_OK;
}

struct row_key history_mark_key(enum history_what what, wall_ms until)
{
	struct row_key key = {.bytes = {TABLE_TRANSITIONS, (uint8_t)what}};
	struct writer w = writer_of(key.bytes + 2, 8);
	writer_u64(&w, until);
	key.len = MARK_KEY_BYTES;
	return key;
}

enum err history_mark_decode(const struct row_key *key, enum history_what *ret_what, wall_ms *ret_until)
{
	struct reader r = reader_of(key->bytes + 2, 8);
	if (key->len != MARK_KEY_BYTES || key->bytes[1] < HISTORY_START || key->bytes[1] > HISTORY_STOP)
		return ERR_FORMAT;
	*ret_what = (enum history_what)key->bytes[1];
	*ret_until = reader_u64(&r);
	return ERR_OK;
}

/* --- reading --- */

enum err history_read(struct snapshot *s, uint64_t row, struct row_value *value, struct history_row *ret)
{
	struct row_key key = history_key(row);
	enum err err = snapshot_get(s, &key, value);
	if (err == ERR_OK && history_row_decode(value->bytes, value->len, ret) != ERR_OK)
		err = ERR_NOT_FOUND;
	return err;
}

/* Bisection over `newest`, which only grows; around what is missing step by step. */
enum err history_find(struct snapshot *s, wall_ms t, uint64_t *ret)
{
	const struct store_meta *meta = snapshot_meta(s);
	uint64_t low = meta->history.first, high = meta->history.next;
	struct row_value value;
	struct history_row row;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at = middle;
		enum err err = ERR_NOT_FOUND;
		while (err == ERR_NOT_FOUND && at < high)
			err = history_read(s, at++, &value, &row);
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
		if (err == ERR_OK && row.newest <= t)
			low = at;
		else
			high = middle;
	}
	*ret = low;
	return ERR_OK;
}

/* --- subjects --- */

static size_t slot_of(const struct history_map *m, uint64_t key)
{
	uint64_t h = key;
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdu;
	h ^= h >> 33;
	size_t slot = (size_t)h & (m->slots - 1);
	while (m->used[slot] != 0 && m->keys[slot] != key)
		slot = (slot + 1) & (m->slots - 1);
	return slot;
}

void history_map_free(struct history_map *m)
{
	free(m->keys);
	free(m->values);
	free(m->used);
	*m = (struct history_map){.count = 0};
}

void history_map_clear(struct history_map *m)
{
	if (m->count > 0)
		memset(m->used, 0, m->slots);
	m->count = 0;
}

static bool grow(struct history_map *m)
{
	struct history_map more = {.slots = m->slots == 0 ? 256 : m->slots * 2, .count = m->count};
	more.keys = malloc(more.slots * sizeof(*more.keys));
	more.values = malloc(more.slots * sizeof(*more.values));
	more.used = calloc(more.slots, 1);
	if (more.keys == NULL || more.values == NULL || more.used == NULL) {
		history_map_free(&more);
		return false;
	}
	for (size_t i = 0; i < m->slots; i++) {
		if (m->used[i] == 0)
			continue;
		size_t slot = slot_of(&more, m->keys[i]);
		more.used[slot] = 1;
		more.keys[slot] = m->keys[i];
		more.values[slot] = m->values[i];
	}
	history_map_free(m);
	*m = more;
	return true;
}

uint64_t *history_map_put(struct history_map *m, uint64_t key)
{
	if (2 * (m->count + 1) > m->slots && !grow(m))
		return NULL;
	size_t slot = slot_of(m, key);
	if (m->used[slot] == 0) {
		m->used[slot] = 1;
		m->keys[slot] = key;
		m->values[slot] = 0;
		m->count++;
	}
	return &m->values[slot];
}

uint64_t *history_map_get(const struct history_map *m, uint64_t key)
{
	if (m->count == 0)
		return NULL;
	size_t slot = slot_of(m, key);
	return m->used[slot] != 0 ? &m->values[slot] : NULL;
}
