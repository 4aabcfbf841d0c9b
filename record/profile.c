#include <string.h>

#include "record/body.h"
#include "record/field.h"

/* Keys of docs/protocol.md section 3, kind 2. */
enum {
	KEY_HOSTNAME = 1,
	KEY_SITE,
	KEY_LOCATION,
	KEY_TAGS,
	KEY_ROLE,
	KEY_OS,
	KEY_KERNEL,
	KEY_ARCH,
	KEY_MODEL,
	KEY_BOOT_MODE,
	KEY_SECURE_BOOT,
	KEY_HARDWARE,
	KEY_ASSET_IDS,
	KEY_AGENT,
	KEY_ADDRESSES,
	KEY_VIRTUALIZATION,
	KEY_FLAGS,
};

#define ARCH_BYTES           16
#define BOOT_MODE_BYTES      8
#define VIRTUALIZATION_BYTES 16

#define TEXT_BYTES(array) (sizeof(array) - 1)

static void put_addresses(struct field_writer *f, const struct profile *p)
{
	if (!field_put_list(f, KEY_ADDRESSES, p->address_count, LIMIT_ADDRESSES))
		return;
	for (size_t i = 0; i < p->address_count; i++) {
		const struct address *a = &p->addresses[i];
		if (a->ip_len != 4 && a->ip_len != 16) {
			f->err = ERR_RANGE;
			return;
		}
		uint8_t bytes[18];
		memcpy(bytes, a->ip, a->ip_len);
		bytes[a->ip_len] = (uint8_t)(a->port >> 8);
		bytes[a->ip_len + 1] = (uint8_t)a->port;
		field_item_bin(f, bytes, a->ip_len + 2u);
	}
}

enum err profile_encode(const struct profile *p, uint8_t *ret, size_t *ret_len)
{
	struct field_writer f;
	field_begin(&f);
	field_put_reading_text(&f, KEY_HOSTNAME, &p->hostname, LIMIT_HOSTNAME_BYTES);
	field_put_text(&f, KEY_SITE, p->site, TEXT_BYTES(p->site));
	field_put_reading_text(&f, KEY_LOCATION, &p->location, LIMIT_SHORT_TEXT_BYTES);
	if (field_put_list(&f, KEY_TAGS, p->tag_count, LIMIT_TAGS))
		for (size_t i = 0; i < p->tag_count; i++)
			field_item_text(&f, p->tags[i], LIMIT_TAG_BYTES);
	field_put_text(&f, KEY_ROLE, p->role, TEXT_BYTES(p->role));
	field_put_reading_text(&f, KEY_OS, &p->os, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_KERNEL, &p->kernel, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_ARCH, &p->arch, ARCH_BYTES);
	field_put_reading_text(&f, KEY_MODEL, &p->model, LIMIT_SHORT_TEXT_BYTES);
	field_put_reading_text(&f, KEY_BOOT_MODE, &p->boot_mode, BOOT_MODE_BYTES);
	field_put_reading(&f, KEY_SECURE_BOOT, &p->secure_boot, 1);
	if (p->hardware_hash_status == READING_OK)
		field_put_bin(&f, KEY_HARDWARE, p->hardware_hash, sizeof(p->hardware_hash));
	else
		field_put_status(&f, KEY_HARDWARE, p->hardware_hash_status);
	if (field_put_list(&f, KEY_ASSET_IDS, p->asset_id_count, LIMIT_ASSET_IDS))
		for (size_t i = 0; i < p->asset_id_count; i++)
			field_item_text(&f, p->asset_ids[i], TEXT_BYTES(p->asset_ids[i]));
	field_put_text(&f, KEY_AGENT, p->agent, TEXT_BYTES(p->agent));
	put_addresses(&f, p);
	field_put_reading_text(&f, KEY_VIRTUALIZATION, &p->virtualization, VIRTUALIZATION_BYTES);
	if (p->flags != 0)
		field_put_u64(&f, KEY_FLAGS, p->flags, UINT8_MAX);
	return field_finish(&f, ret, LIMIT_RECORD_BODY_BYTES, ret_len);
}

static void get_addresses(struct field_reader *f, struct profile *p)
{
	const msgpack_object *list = field_get_list(f, KEY_ADDRESSES, LIMIT_ADDRESSES, &p->address_count);
	for (size_t i = 0; i < p->address_count; i++) {
		const uint8_t *bytes;
		size_t len;
		if (!mp_bin_ref(mp_at(list, i), &bytes, &len)) {
			field_fail(f, ERR_FORMAT);
			return;
		}
		if (len != 6 && len != 18) {
			field_fail(f, ERR_RANGE);
			return;
		}
		struct address *a = &p->addresses[i];
		a->ip_len = (uint8_t)(len - 2);
		memcpy(a->ip, bytes, a->ip_len);
		a->port = (uint16_t)(bytes[len - 2] << 8 | bytes[len - 1]);
	}
}

enum err profile_decode(const uint8_t *body, size_t len, struct profile *ret)
{
	struct profile p = {0};
	struct field_reader f;
	field_open(&f, body, len, LIMIT_RECORD_BODY_BYTES);
	field_get_reading_text(&f, KEY_HOSTNAME, LIMIT_HOSTNAME_BYTES, &p.hostname);
	field_get_text(&f, KEY_SITE, p.site, sizeof(p.site));
	field_get_reading_text(&f, KEY_LOCATION, LIMIT_SHORT_TEXT_BYTES, &p.location);
	const msgpack_object *tags = field_get_list(&f, KEY_TAGS, LIMIT_TAGS, &p.tag_count);
	for (size_t i = 0; i < p.tag_count; i++)
		field_read_text(&f, mp_at(tags, i), p.tags[i], sizeof(p.tags[i]));
	field_get_text(&f, KEY_ROLE, p.role, sizeof(p.role));
	field_get_reading_text(&f, KEY_OS, LIMIT_SHORT_TEXT_BYTES, &p.os);
	field_get_reading_text(&f, KEY_KERNEL, LIMIT_SHORT_TEXT_BYTES, &p.kernel);
	field_get_reading_text(&f, KEY_ARCH, ARCH_BYTES, &p.arch);
	field_get_reading_text(&f, KEY_MODEL, LIMIT_SHORT_TEXT_BYTES, &p.model);
	field_get_reading_text(&f, KEY_BOOT_MODE, BOOT_MODE_BYTES, &p.boot_mode);
	field_get_reading(&f, KEY_SECURE_BOOT, 1, &p.secure_boot);
	field_get_reading_bin(&f, KEY_HARDWARE, p.hardware_hash, sizeof(p.hardware_hash),
			      &p.hardware_hash_status);
	const msgpack_object *assets = field_get_list(&f, KEY_ASSET_IDS, LIMIT_ASSET_IDS, &p.asset_id_count);
	for (size_t i = 0; i < p.asset_id_count; i++)
		field_read_text(&f, mp_at(assets, i), p.asset_ids[i], sizeof(p.asset_ids[i]));
	field_get_text(&f, KEY_AGENT, p.agent, sizeof(p.agent));
	get_addresses(&f, &p);
	field_get_reading_text(&f, KEY_VIRTUALIZATION, VIRTUALIZATION_BYTES, &p.virtualization);
	field_get_u32(&f, KEY_FLAGS, UINT8_MAX, &p.flags);
	enum err err = field_close(&f);
	if (err == ERR_OK)
		*ret = p;
	return err;
}
