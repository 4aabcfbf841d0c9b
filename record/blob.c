#include "record/blob.h"
#include "base/mp.h"
#include "crypto/hash.h"

enum err blob_check(const uint8_t *blob, size_t len, enum blob_type *ret_type)
{
	if (len < BLOB_HEADER_BYTES)
		return ERR_FORMAT;
	if (len > LIMIT_BLOB_BYTES)
		return ERR_LIMIT;
	if (blob[0] != BLOB_VERSION)
		return ERR_VERSION;
	const uint8_t *content = blob + BLOB_HEADER_BYTES;
	size_t content_len = len - BLOB_HEADER_BYTES;
	switch (blob[1]) {
	case BLOB_LIST:
	case BLOB_ALLOW_LIST:
		if (content_len % ID_BYTES != 0)
			return ERR_FORMAT;
		break;
	case BLOB_COMPONENTS:
	case BLOB_POLICY:
	case BLOB_INVENTORY:
	case BLOB_CATALOGUE:
		if (mp_check(content, content_len) != ERR_OK)
			return ERR_FORMAT;
		break;
	default:
		/* Newer types are kept and relayed. */
		break;
	}
	*ret_type = (enum blob_type)blob[1];
	return ERR_OK;
}

struct id blob_id(const uint8_t *blob, size_t len)
{
	struct id id;
	hash_bytes(id.b, sizeof(id.b), "mesh.blob", blob, len);
	return id;
}

enum err blob_list(const uint8_t *blob, size_t len, const uint8_t **ret_ids, size_t *ret_count)
{
	enum blob_type type;
	enum err err = blob_check(blob, len, &type);
	if (err != ERR_OK)
		return err;
	if (type != BLOB_LIST)
		return ERR_FORMAT;
	*ret_ids = blob + BLOB_HEADER_BYTES;
	*ret_count = (len - BLOB_HEADER_BYTES) / ID_BYTES;
	return ERR_OK;
}
