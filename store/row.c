#include "store/row.h"

#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"

struct row_key row_key_first(enum store_table table)
{
	return (struct row_key){.bytes = {(uint8_t)table}, .len = 1};
}

struct row_key row_key_record(const struct record_key *key)
{
	struct row_key ret = {.bytes = {TABLE_RECORDS}, .len = ROW_KEY_BYTES};
	record_key_pack(key, ret.bytes + 1);
	return ret;
}

struct row_key row_key_id(enum store_table table, const struct id *id)
{
	struct row_key ret = {.bytes = {(uint8_t)table}, .len = 1 + ID_BYTES};
	memcpy(ret.bytes + 1, id->b, ID_BYTES);
	return ret;
}

struct row_key row_key_issue(enum issue_kind kind, const struct id *subject)
{
	struct row_key ret = {.bytes = {TABLE_ISSUES, (uint8_t)kind}, .len = 2 + ID_BYTES};
	memcpy(ret.bytes + 2, subject->b, ID_BYTES);
	return ret;
}

struct row_key row_key_proof(enum issue_kind kind, const struct id *subject, unsigned index)
{
	struct row_key ret = row_key_issue(kind, subject);
	ret.bytes[0] = TABLE_PROOFS;
	ret.bytes[ret.len++] = (uint8_t)index;
	return ret;
}

static struct row_key key_of_group(enum store_table table, enum column_group group, uint64_t number,
				   unsigned bytes)
{
	struct row_key ret = {.bytes = {(uint8_t)table, (uint8_t)group}, .len = 2};
	while (bytes > 0)
		ret.bytes[ret.len++] = (uint8_t)(number >> 8 * --bytes);
	return ret;
}

struct row_key row_key_block(enum column_group group, uint32_t block)
{
	return key_of_group(TABLE_BLOCKS, group, block, 4);
}

struct row_key row_key_delta(enum column_group group, uint64_t commit)
{
	return key_of_group(TABLE_DELTAS, group, commit, 8);
}

struct row_key row_key_name(uint32_t hash, uint32_t host)
{
	struct row_key ret = {.bytes = {TABLE_NAMES}, .len = 9};
	for (unsigned i = 0; i < 4; i++) {
		ret.bytes[1 + i] = (uint8_t)(hash >> (24 - 8 * i));
		ret.bytes[5 + i] = (uint8_t)(host >> (24 - 8 * i));
	}
	return ret;
}

uint32_t row_name_hash(const char *name, size_t len)
{
	uint32_t hash = (uint32_t)hash_checksum(name, len);
	return hash != 0 ? hash : 1;
}

enum err row_key_of(const uint8_t *bytes, size_t len, struct row_key *ret)
{
	if (len == 0 || len > ROW_KEY_BYTES)
		return ERR_FORMAT;
	memcpy(ret->bytes, bytes, len);
	ret->len = len;
	return ERR_OK;
}

int row_key_compare(const struct row_key *a, const struct row_key *b)
{
	int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static uint64_t checksum_of(const struct row_key *key, const uint8_t *body, size_t len)
{
	/* The key's length is covered too, so that no byte can move between key and payload. */
	uint8_t data[1 + ROW_KEY_BYTES + ROW_BYTES];
	CHECK(len <= ROW_BYTES);
	data[0] = (uint8_t)key->len;
	memcpy(data + 1, key->bytes, key->len);
	memcpy(data + 1 + key->len, body, len);
	return hash_checksum(data, 1 + key->len + len);
}

uint64_t row_checksum(const uint8_t *bytes)
{
	struct reader r = reader_of(bytes, 8);
	return reader_u64(&r);
}

enum err row_check(const struct row_key *key, const uint8_t *bytes, size_t len)
{
	if (len < ROW_HEADER_BYTES || len > ROW_BYTES)
		return ERR_CHECKSUM;
	return checksum_of(key, bytes + 8, len - 8) == row_checksum(bytes) ? ERR_OK : ERR_CHECKSUM;
}

/* The checksum's place is left open until the payload is there. */
static struct writer row_begin_version(struct row_value *row, uint8_t version)
{
	struct writer w = writer_of(row->bytes, sizeof(row->bytes));
	writer_zeros(&w, 8);
	writer_u8(&w, version);
	return w;
}

struct writer row_begin(struct row_value *row)
{
	return row_begin_version(row, STORE_ROW_VERSION);
}

enum err row_end(struct writer *w, const struct row_key *key, struct row_value *row)
{
	if (w->failed)
		return ERR_LIMIT;
	struct writer head = writer_of(row->bytes, 8);
	writer_u64(&head, checksum_of(key, row->bytes + 8, w->len - 8));
	row->len = w->len;
	return ERR_OK;
}

enum err row_encode_record(const struct row_key *key, const uint8_t *bytes, size_t len, wall_ms received,
			   struct row_value *ret)
{
	if (len == 0 || len > LIMIT_RECORD_BYTES)
		return ERR_LIMIT;
	struct writer w = row_begin(ret);
	writer_u64(&w, received);
	writer_bytes(&w, bytes, len);
	return row_end(&w, key, ret);
}

static enum err encode_bytes(const struct row_key *key, const uint8_t *bytes, size_t len, size_t max,
			     struct row_value *ret)
{
	if (len == 0 || len > max)
		return ERR_LIMIT;
	struct writer w = row_begin(ret);
	writer_bytes(&w, bytes, len);
	return row_end(&w, key, ret);
}

enum err row_encode_blob(const struct row_key *key, const uint8_t *bytes, size_t len, struct row_value *ret)
{
	return encode_bytes(key, bytes, len, LIMIT_BLOB_BYTES, ret);
}

enum err row_encode_proof(const struct row_key *key, const uint8_t *bytes, size_t len, struct row_value *ret)
{
	return encode_bytes(key, bytes, len, LIMIT_RECORD_BYTES, ret);
}

enum err row_encode_issue(const struct row_key *key, const struct issue *issue, struct row_value *ret)
{
	size_t len = strnlen(issue->detail, sizeof(issue->detail));
	if (len > LIMIT_ISSUE_DETAIL_BYTES)
		return ERR_LIMIT;
	struct writer w = row_begin(ret);
	writer_bytes(&w, issue->other.b, ID_BYTES);
	writer_u64(&w, issue->since);
	writer_u64(&w, issue->last);
	writer_u64(&w, issue->count);
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, issue->detail, len);
	return row_end(&w, key, ret);
}

enum err row_encode_host(const struct row_key *key, const struct host_state *state, struct row_value *ret)
{
	struct writer w = row_begin_version(ret, STORE_HOST_ROW_VERSION);
	writer_u8(&w, (uint8_t)state->status);
	writer_u8(&w, (uint8_t)state->standing);
	writer_bytes(&w, state->issuer.b, ID_BYTES);
	writer_bytes(&w, state->replaced_by.b, ID_BYTES);
	writer_u64(&w, state->since);
	writer_u64(&w, state->seen);
	writer_u8(&w, state->votes);
	writer_u8(&w, state->signers);
	for (size_t i = 0; i < LIMIT_WITNESSES; i++)
		writer_u64(&w, state->witnesses[i]);
	return row_end(&w, key, ret);
}

enum err row_encode_site(const struct row_key *key, const struct site_state *state, struct row_value *ret)
{
	size_t len = strnlen(state->name, sizeof(state->name));
	if (len > LIMIT_SITE_NAME_BYTES)
		return ERR_LIMIT;
	struct writer w = row_begin(ret);
	writer_u8(&w, (uint8_t)state->status);
	writer_u64(&w, state->since);
	writer_u64(&w, state->last_rollcall);
	writer_u32(&w, state->interval_s);
	writer_u32(&w, state->live_witnesses);
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, state->name, len);
	return row_end(&w, key, ret);
}

enum err row_encode_operator(const struct row_key *key, const struct operator_state *state,
			     struct row_value *ret)
{
	size_t len = strnlen(state->name, sizeof(state->name));
	if (len > LIMIT_SHORT_TEXT_BYTES)
		return ERR_LIMIT;
	struct writer w = row_begin(ret);
	writer_u8(&w, state->roles);
	writer_u8(&w, state->revoked);
	writer_u32(&w, state->last_day);
	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, state->name, len);
	return row_end(&w, key, ret);
}

void row_encode_number(const struct row_key *key, uint32_t number, struct row_value *ret)
{
	struct writer w = row_begin(ret);
	writer_u32(&w, number);
	CHECK(row_end(&w, key, ret) == ERR_OK);
}

void row_encode_meta(const struct row_key *key, const struct store_meta *meta, struct row_value *ret)
{
	struct writer w = row_begin(ret);
	writer_u32(&w, meta->schema);
	writer_bytes(&w, meta->estate.b, ID_BYTES);
	writer_bytes(&w, meta->self.b, ID_BYTES);
	writer_u64(&w, meta->as_of);
	writer_u64(&w, meta->rows);
	writer_u64(&w, meta->digest);
	writer_u8(&w, meta->digest_known);
	writer_u64(&w, meta->commit);
	writer_u8(&w, meta->migrating);
	writer_u8(&w, COLUMN_GROUP_LAST);
	for (unsigned i = COLUMN_GROUP_FIRST; i <= COLUMN_GROUP_LAST; i++)
		writer_u32(&w, meta->ends[i]);
	for (unsigned i = 0; i < STORE_LISTS; i++)
		writer_u64(&w, meta->lists[i]);
	writer_u64(&w, meta->history.first);
	writer_u64(&w, meta->history.next);
	writer_u64(&w, meta->history.bytes);
	writer_u64(&w, meta->history.newest);
	writer_u64(&w, meta->machines);
	writer_u64(&w, meta->never_enrolled);
	writer_u8(&w, meta->counts_there);
	writer_u32(&w, meta->counted);
	CHECK(row_end(&w, key, ret) == ERR_OK);
}

/* Of any version from 1 to `newest`. */
static enum err payload_up_to(const uint8_t *bytes, size_t len, uint8_t newest, struct reader *ret)
{
	if (len < ROW_HEADER_BYTES)
		return ERR_FORMAT;
	if (bytes[8] < 1 || bytes[8] > newest)
		return ERR_VERSION;
	*ret = reader_of(bytes + ROW_HEADER_BYTES, len - ROW_HEADER_BYTES);
	return ERR_OK;
}

enum err row_payload(const uint8_t *bytes, size_t len, struct reader *ret)
{
	return payload_up_to(bytes, len, STORE_ROW_VERSION, ret);
}

enum err row_decode_record(const uint8_t *bytes, size_t len, const uint8_t **ret_record, size_t *ret_len,
			   wall_ms *ret_received)
{
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	wall_ms received = reader_u64(&r);
	size_t left = reader_left(&r);
	const uint8_t *record = reader_bytes(&r, left);
	if (record == NULL || left == 0 || left > LIMIT_RECORD_BYTES)
		return ERR_FORMAT;
	*ret_record = record;
	*ret_len = left;
	*ret_received = received;
	return ERR_OK;
}

static enum err decode_bytes(const uint8_t *bytes, size_t len, size_t max, const uint8_t **ret,
			     size_t *ret_len)
{
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	size_t left = reader_left(&r);
	if (left == 0 || left > max)
		return ERR_FORMAT;
	*ret_len = left;
	*ret = reader_bytes(&r, left);
	return ERR_OK;
}

enum err row_decode_blob(const uint8_t *bytes, size_t len, const uint8_t **ret_blob, size_t *ret_len)
{
	return decode_bytes(bytes, len, LIMIT_BLOB_BYTES, ret_blob, ret_len);
}

enum err row_decode_proof(const uint8_t *bytes, size_t len, const uint8_t **ret_record, size_t *ret_len)
{
	return decode_bytes(bytes, len, LIMIT_RECORD_BYTES, ret_record, ret_len);
}

enum err row_decode_issue(const struct row_key *key, const uint8_t *bytes, size_t len, struct issue *ret)
{
	struct issue issue = {0};
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	reader_copy(&r, issue.other.b, ID_BYTES);
	issue.since = reader_u64(&r);
	issue.last = reader_u64(&r);
	issue.count = reader_u64(&r);
	size_t detail_len = reader_u8(&r);
	if (detail_len > LIMIT_ISSUE_DETAIL_BYTES || key->len != 2 + ID_BYTES)
		return ERR_FORMAT;
	issue.kind = (enum issue_kind)key->bytes[1];
	if (issue_kind_name(issue.kind) == NULL)
		return ERR_VERSION;
	reader_copy(&r, issue.detail, detail_len);
	if (!reader_done(&r))
		return ERR_FORMAT;
	memcpy(issue.subject.b, key->bytes + 2, ID_BYTES);
	*ret = issue;
	return ERR_OK;
}

enum err row_decode_host(const struct row_key *key, const uint8_t *bytes, size_t len, struct host_state *ret)
{
	struct host_state state = {0};
	struct reader r;
	uint8_t standing = STANDING_GOOD;
	enum err err = payload_up_to(bytes, len, STORE_HOST_ROW_VERSION, &r);
	if (err != ERR_OK)
		return err;
	uint8_t status = reader_u8(&r);
	if (bytes[8] >= 2) {
		standing = reader_u8(&r);
		reader_copy(&r, state.issuer.b, ID_BYTES);
		reader_copy(&r, state.replaced_by.b, ID_BYTES);
	}
	state.since = reader_u64(&r);
	state.seen = reader_u64(&r);
	state.votes = reader_u8(&r);
	state.signers = reader_u8(&r);
	for (size_t i = 0; i < LIMIT_WITNESSES; i++)
		state.witnesses[i] = reader_u64(&r);
	if (!reader_done(&r) || status > HOST_REPLACED || standing > STANDING_REVOKED ||
	    key->len != 1 + ID_BYTES)
		return ERR_FORMAT;
	state.status = (enum host_status)status;
	state.standing = (enum host_standing)standing;
	memcpy(state.host.b, key->bytes + 1, ID_BYTES);
	*ret = state;
	return ERR_OK;
}

enum err row_decode_site(const struct row_key *key, const uint8_t *bytes, size_t len, struct site_state *ret)
{
	struct site_state state = {0};
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	uint8_t status = reader_u8(&r);
	state.since = reader_u64(&r);
	state.last_rollcall = reader_u64(&r);
	state.interval_s = reader_u32(&r);
	state.live_witnesses = reader_u32(&r);
	size_t name_len = reader_u8(&r);
	if (status > SITE_SILENT || name_len > LIMIT_SITE_NAME_BYTES || key->len != 1 + ID_BYTES)
		return ERR_FORMAT;
	reader_copy(&r, state.name, name_len);
	if (!reader_done(&r))
		return ERR_FORMAT;
	state.status = (enum site_status)status;
	memcpy(state.site.b, key->bytes + 1, ID_BYTES);
	*ret = state;
	return ERR_OK;
}

enum err row_decode_operator(const struct row_key *key, const uint8_t *bytes, size_t len,
			     struct operator_state *ret)
{
	struct operator_state state = {.roles = 0};
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	state.roles = reader_u8(&r);
	uint8_t revoked = reader_u8(&r);
	state.last_day = reader_u32(&r);
	size_t name_len = reader_u8(&r);
	if (revoked > 1 || name_len > LIMIT_SHORT_TEXT_BYTES || key->len != 1 + ID_BYTES)
		return ERR_FORMAT;
	reader_copy(&r, state.name, name_len);
	if (!reader_done(&r))
		return ERR_FORMAT;
	state.revoked = revoked == 1;
	memcpy(state.id.b, key->bytes + 1, ID_BYTES);
	*ret = state;
	return ERR_OK;
}

enum err row_decode_number(const uint8_t *bytes, size_t len, uint32_t *ret)
{
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	uint32_t number = reader_u32(&r);
	if (!reader_done(&r))
		return ERR_FORMAT;
	*ret = number;
	return ERR_OK;
}

enum err row_decode_meta(const uint8_t *bytes, size_t len, struct store_meta *ret)
{
	struct store_meta meta = {0};
	struct reader r;
	enum err err = row_payload(bytes, len, &r);
	if (err != ERR_OK)
		return err;
	meta.schema = reader_u32(&r);
	reader_copy(&r, meta.estate.b, ID_BYTES);
	reader_copy(&r, meta.self.b, ID_BYTES);
	meta.as_of = reader_u64(&r);
	meta.rows = reader_u64(&r);
	meta.digest = reader_u64(&r);
	meta.digest_known = reader_u8(&r) == 1;
	/* A newer schema may have appended fields; its number must be readable all the same. */
	if (r.failed)
		return ERR_FORMAT;
	if (meta.schema >= STORE_SCHEMA_BLOCKS) {
		meta.commit = reader_u64(&r);
		meta.migrating = reader_u8(&r) != 0;
		unsigned groups = reader_u8(&r);
		for (unsigned i = COLUMN_GROUP_FIRST; i <= groups && i <= COLUMN_GROUP_LAST; i++)
			meta.ends[i] = reader_u32(&r);
		for (unsigned i = 0; i < STORE_LISTS && meta.schema >= STORE_SCHEMA_LISTS; i++)
			meta.lists[i] = reader_u64(&r);
		if (reader_left(&r) > 0) {
			meta.history.first = reader_u64(&r);
			meta.history.next = reader_u64(&r);
			meta.history.bytes = reader_u64(&r);
			meta.history.newest = reader_u64(&r);
			meta.machines = reader_u64(&r);
			meta.never_enrolled = reader_u64(&r);
		}
		if (reader_left(&r) > 0) {
			meta.counts_there = reader_u8(&r) == 1;
			meta.counted = reader_u32(&r);
		}
		if (r.failed)
			return ERR_FORMAT;
	}
	*ret = meta;
	return ERR_OK;
}
