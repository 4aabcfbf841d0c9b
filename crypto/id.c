#include "crypto/id.h"

#include <string.h>

#include "base/text.h"
#include "crypto/hash.h"

bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_BYTES) == 0;
}

int id_compare(const struct id *a, const struct id *b)
{
	return memcmp(a->b, b->b, ID_BYTES);
}

bool id_is_zero(const struct id *id)
{
	static const struct id zero;
	return id_equal(id, &zero);
}

void id_hex(const struct id *id, char ret[ID_HEX_BYTES])
{
	text_hex(ret, id->b, ID_BYTES);
}

bool id_unhex(struct id *ret, const char *text)
{
	struct id id;
	if (!text_unhex(id.b, ID_BYTES, text))
		return false;
	*ret = id;
	return true;
}

uint64_t id_short(const struct id *id)
{
	uint64_t v = 0;
	for (size_t i = 0; i < sizeof(v); i++)
		v = v << 8 | id->b[i];
	return v;
}

struct id id_of_key(const uint8_t public_key[KEY_BYTES])
{
	struct id id;
	hash_bytes(id.b, ID_BYTES, "mesh.id", public_key, KEY_BYTES);
	return id;
}

struct id id_of_site(const char *name)
{
	struct id id;
	hash_bytes(id.b, ID_BYTES, "mesh.site", name, strlen(name));
	return id;
}
