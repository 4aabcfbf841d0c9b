#include "crypto/hash.h"
#include "record/field.h"
#include "record/manifest.h"

/* Keys of docs/protocol.md section 4, component entry. */
enum { KEY_KIND = 1, KEY_NAME, KEY_VERSION, KEY_SOURCE, KEY_VENDOR, KEY_SIZE, KEY_FLAGS };

const char *component_kind_name(enum component_kind kind)
{
	switch (kind) {
	case COMPONENT_MODULE:
		return "module";
	case COMPONENT_BUILTIN:
		return "builtin";
	case COMPONENT_DRIVER:
		return "driver";
	case COMPONENT_FILTER:
		return "filter";
	case COMPONENT_EBPF:
		return "ebpf";
	case COMPONENT_EXTENSION:
		return "extension";
	case COMPONENT_CONTENT_FILE:
		return "content-file";
	case COMPONENT_KERNEL:
		return "kernel";
	}
	return "unknown";
}

enum err component_encode(const struct component *c, uint8_t ret[COMPONENT_ENTRY_BYTES], size_t *ret_len)
{
	struct field_writer f;
	if (c->kind < COMPONENT_MODULE || c->name[0] == '\0')
		return ERR_RANGE;
	field_begin(&f);
	field_put_u64(&f, KEY_KIND, (uint64_t)c->kind, COMPONENT_KERNEL);
	field_put_text(&f, KEY_NAME, c->name, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_VERSION, &c->version, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_SOURCE, &c->source, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_VENDOR, &c->vendor, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading(&f, KEY_SIZE, &c->size_bytes, UINT64_MAX);
	if (c->flags != 0)
		field_put_u64(&f, KEY_FLAGS, c->flags, UINT16_MAX);
	return field_finish(&f, ret, COMPONENT_ENTRY_BYTES, ret_len);
}

enum err component_decode(const uint8_t *entry, size_t len, struct component *ret)
{
	struct component c = {.flags = 0};
	struct field_reader f;
	uint64_t kind = 0;
	field_open(&f, entry, len, LIMIT_BLOB_BYTES);
	field_read_u64(&f, mp_get(f.map, KEY_KIND), UINT8_MAX, &kind);
	if (kind < COMPONENT_MODULE)
		field_fail(&f, ERR_RANGE);
	field_read_text(&f, mp_get(f.map, KEY_NAME), c.name, sizeof(c.name));
	if (c.name[0] == '\0')
		field_fail(&f, ERR_RANGE);
	field_get_reading_text(&f, KEY_VERSION, LIMIT_SHORT_TEXT_BYTES, &c.version);
	field_get_reading_text(&f, KEY_SOURCE, LIMIT_SHORT_TEXT_BYTES, &c.source);
	field_get_reading_text(&f, KEY_VENDOR, LIMIT_SHORT_TEXT_BYTES, &c.vendor);
	field_get_reading(&f, KEY_SIZE, UINT64_MAX, &c.size_bytes);
	field_get_u32(&f, KEY_FLAGS, UINT16_MAX, &c.flags);
	enum err err = field_close(&f);
	if (err != ERR_OK)
		return err;
	c.kind = (enum component_kind)kind;
	*ret = c;
	return ERR_OK;
}

uint64_t component_entry_id(const uint8_t *entry, size_t len)
{
	return hash_u64("mesh.entry", entry, len);
}
