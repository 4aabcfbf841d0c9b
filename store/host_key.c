#include "store/host_key.h"

#include <string.h>

#define NUMBER_BYTES      4
#define STATE_BYTES       (1 + NUMBER_BYTES)
#define RECORD_BYTES      (2 + NUMBER_BYTES)
#define CERTIFICATE_BYTES (RECORD_BYTES + ID_BYTES)

static void put_number(struct row_key *key, uint32_t number)
{
	for (unsigned shift = 32; shift > 0; shift -= 8)
		key->bytes[key->len++] = (uint8_t)(number >> (shift - 8));
}

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

bool host_key_of(const struct row_key *key, struct id *ret_host)
{
	struct record_key record;
	if (key->bytes[0] == TABLE_HOST_STATES && key->len == 1 + ID_BYTES) {
		memcpy(ret_host->b, key->bytes + 1, ID_BYTES);
		return !id_is_zero(ret_host);
	}
	if (key->bytes[0] != TABLE_RECORDS ||
	    record_key_unpack(key->bytes + 1, key->len - 1, &record) != ERR_OK ||
	    record_class_of(record.kind) != RECORD_CLASS_HOST || record.slot != 0 ||
	    id_is_zero(&record.subject))
		return false;
	*ret_host = record.subject;
	return record.kind == RECORD_CERTIFICATE || id_equal(&record.writer, &record.subject);
}

struct row_key host_key_stored(const struct row_key *key, uint32_t number)
{
	struct row_key ret = {.bytes = {key->bytes[0]}, .len = 1};
	if (key->bytes[0] == TABLE_RECORDS)
		ret.bytes[ret.len++] = key->bytes[1];
	put_number(&ret, number);
	if (key->bytes[0] == TABLE_RECORDS && key->bytes[1] == RECORD_CERTIFICATE) {
		memcpy(ret.bytes + ret.len, key->bytes + 2, ID_BYTES);
		ret.len += ID_BYTES;
	}
	return ret;
}

bool host_key_number(const struct row_key *stored, uint32_t *ret)
{
	size_t state = stored->bytes[0] == TABLE_HOST_STATES ? STATE_BYTES : 0;
	size_t record = stored->bytes[0] != TABLE_RECORDS || stored->len < 2 ? 0
			: stored->bytes[1] == RECORD_CERTIFICATE             ? CERTIFICATE_BYTES
									     : RECORD_BYTES;
	if (stored->len != state && stored->len != record)
		return false;
	*ret = number_at(stored->bytes + (state != 0 ? 1 : 2));
	return true;
}

enum err host_key_known(const struct row_key *stored, const struct id *host, struct row_key *ret)
{
	uint32_t number;
	if (!host_key_number(stored, &number)) {
		*ret = *stored;
		return ERR_OK;
	}
	if (host == NULL)
		return ERR_NOT_FOUND;
	if (stored->bytes[0] == TABLE_HOST_STATES) {
		*ret = row_key_id(TABLE_HOST_STATES, host);
		return ERR_OK;
	}
	struct record_key record = {.kind = stored->bytes[1], .writer = *host, .subject = *host};
	if (record.kind == RECORD_CERTIFICATE)
		memcpy(record.writer.b, stored->bytes + RECORD_BYTES, ID_BYTES);
	*ret = row_key_record(&record);
	return ERR_OK;
}

bool host_key_fence(size_t index, struct row_key *ret)
{
	struct row_key key = {.bytes = {TABLE_RECORDS, (uint8_t)(1 + index / 2)}, .len = 2};
	if (index / 2 == RECORD_GOODBYE)
		key = row_key_first(TABLE_HOST_STATES);
	else if (index / 2 > RECORD_GOODBYE)
		return false;
	if (index % 2 == 1)
		put_number(&key, UINT32_MAX);
	*ret = key;
	return true;
}

bool host_key_is_fence(const struct row_key *stored)
{
	size_t head = stored->bytes[0] == TABLE_RECORDS ? 2 : 1;
	if (stored->bytes[0] != TABLE_RECORDS && stored->bytes[0] != TABLE_HOST_STATES)
		return false;
	return stored->len == head ||
	       (stored->len == head + NUMBER_BYTES && number_at(stored->bytes + head) == UINT32_MAX);
}

struct row_key host_key_prefix(uint8_t kind, uint32_t number)
{
	struct row_key ret = {.bytes = {TABLE_RECORDS, kind}, .len = 2};
	put_number(&ret, number);
	return ret;
}
