/* Blobs from the network or from disk: as is; an entry of a manifest, or a row of a policy or inventory; one
 * of these, whose blobs are the input's pieces. What decodes encodes to what decodes to the same. */
#include <string.h>

#include "base/check.h"
#include "record/listing.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

#define PIECES_MAX 64

static void check_one(const uint8_t *blob, size_t len)
{
	enum blob_type type;
	const uint8_t *ids;
	size_t count = 0;
	enum err err = blob_check(blob, len, &type), listed = blob_list(blob, len, &ids, &count);
	CHECK(len <= LIMIT_BLOB_BYTES || err != ERR_OK);
	CHECK((listed == ERR_OK) == (err == ERR_OK && type == BLOB_LIST));
	if (listed == ERR_OK)
		CHECK(ids + count * ID_BYTES == blob + len);
}

/* What this version does not know, as a kind of a newer one, it does not encode. */
#define DECODE_ROW(type, cap, data, len)                                                                     \
	do {                                                                                                 \
		static struct type first, second;                                                            \
		uint8_t bytes[cap], again[cap];                                                              \
		size_t bytes_len, again_len;                                                                 \
		if (type##_decode(data, len, &first) != ERR_OK ||                                            \
		    type##_encode(&first, bytes, &bytes_len) != ERR_OK)                                      \
			break;                                                                               \
		CHECK(type##_decode(bytes, bytes_len, &second) == ERR_OK);                                   \
		CHECK(type##_encode(&second, again, &again_len) == ERR_OK);                                  \
		CHECK(again_len == bytes_len && memcmp(again, bytes, bytes_len) == 0);                       \
	} while (0)

static void decode_rows(const uint8_t *row, size_t len)
{
	DECODE_ROW(component, COMPONENT_ENTRY_BYTES, row, len);
	DECODE_ROW(policy_row, POLICY_ROW_BYTES, row, len);
	DECODE_ROW(inventory_row, INVENTORY_ROW_BYTES, row, len);
}

/* Each piece: length u16, bytes. Piece 0 is the root; every id that a list names is another piece, by its
 * last byte: a fuzzer finds no hashes. */
struct pieces {
	struct {
		const uint8_t *bytes;
		size_t len;
	} at[PIECES_MAX];
	size_t count;
	size_t entries;
};

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	const struct pieces *p = context;
	size_t i = id->b[ID_BYTES - 1];
	if (i >= p->count)
		return ERR_NOT_FOUND;
	memcpy(ret, p->at[i].bytes, p->at[i].len);
	*ret_len = p->at[i].len;
	return ERR_OK;
}

static bool each(void *context, size_t index, uint64_t entry_id, const struct component *c)
{
	struct pieces *p = context;
	(void)entry_id;
	CHECK(index == p->entries && index < LIMIT_COMPONENTS);
	CHECK(strlen(c->name) <= LIMIT_SHORT_TEXT_BYTES);
	p->entries++;
	return true;
}

static bool each_policy(void *context, const struct policy_row *row)
{
	struct pieces *p = context;
	CHECK(strlen(row->name) <= LIMIT_SHORT_TEXT_BYTES);
	p->entries++;
	return true;
}

static bool each_machine(void *context, const struct inventory_row *row)
{
	struct pieces *p = context;
	CHECK(row->site[0] != '\0' && strlen(row->contact) <= LIMIT_CONTACT_BYTES);
	p->entries++;
	return true;
}

static void read_lists(const uint8_t *data, size_t len)
{
	struct pieces p = {.count = 0};
	struct id root = {{0}};
	while (len >= 2 && p.count < PIECES_MAX) {
		size_t n = (size_t)data[0] << 8 | data[1];
		n = n <= len - 2 ? n : len - 2;
		n = n <= LIMIT_BLOB_BYTES ? n : LIMIT_BLOB_BYTES;
		p.at[p.count].bytes = data + 2;
		p.at[p.count++].len = n;
		data += 2 + n;
		len -= 2 + n;
	}
	(void)manifest_read(&root, fetch, &p, each, &p);
	(void)policy_read(&root, fetch, &p, each_policy, &p, NULL);
	(void)inventory_read(&root, fetch, &p, each_machine, &p, NULL);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	static const size_t at[] = {3, 1, 5}; /* behind type, nothing, length and type */
	return len > 0 && at[data[0] % 3] < len ? at[data[0] % 3] : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CHECK(crypto_init() == ERR_OK);
	if (len < 1 || len > FUZZ_INPUT_BYTES)
		return 0;
	switch (data[0] % 3) {
	case FUZZ_AS_IS:
		check_one(data + 1, len - 1);
		break;
	case FUZZ_ENTRY:
		decode_rows(data + 1, len - 1);
		break;
	default:
		read_lists(data + 1, len - 1);
		break;
	}
	return 0;
}
