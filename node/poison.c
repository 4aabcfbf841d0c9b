/* Page: u64 in the machine's own order. File: u64 hash of the version that wrote it, u8 count, as many of
 * (u64 record id, u32 runs that ended in it), oldest first, first 8 of H("mesh.poison", 16, all that). */
#include "node/poison.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "os/file.h"

#define CHECK_DOMAIN "mesh.poison"
#define ENTRY_BYTES  12
#define FILE_BYTES   (8 + 1 + POISON_RECORDS * ENTRY_BYTES + 8)

struct entries {
	size_t count;
	struct {
		uint64_t id;
		uint32_t crashes;
	} at[POISON_RECORDS];
};

static uint64_t version(void)
{
	return hash_u64("mesh.version", MESH_VERSION, strlen(MESH_VERSION));
}

static bool parse(const uint8_t *data, size_t len, struct entries *ret)
{
	struct reader r = reader_of(data, len);
	struct entries e = {0};
	uint64_t by = reader_u64(&r);
	e.count = reader_u8(&r);
	if (e.count > POISON_RECORDS)
		return false;
	for (size_t i = 0; i < e.count; i++) {
		e.at[i].id = reader_u64(&r);
		e.at[i].crashes = reader_u32(&r);
	}
	uint64_t sum = reader_u64(&r);
	if (!reader_done(&r) || sum != hash_u64(CHECK_DOMAIN, data, len - sizeof(sum)))
		return false;
	if (by == version())
		*ret = e;
	return true;
}

static enum err load(const char *file, struct entries *ret, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read(file, FILE_BYTES, &data, &len, info);
	if (err == ERR_NOT_FOUND || err == ERR_LIMIT)
		return ERR_OK;
	if (err != ERR_OK)
		return err;
	(void)parse(data, len, ret);
	free(data);
	return ERR_OK;
}

static enum err save(const char *file, const struct entries *e, struct err_info *info)
{
	uint8_t data[FILE_BYTES];
	struct writer w = writer_of(data, sizeof(data));
	writer_u64(&w, version());
	writer_u8(&w, (uint8_t)e->count);
	for (size_t i = 0; i < e->count; i++) {
		writer_u64(&w, e->at[i].id);
		writer_u32(&w, e->at[i].crashes);
	}
	writer_u64(&w, hash_u64(CHECK_DOMAIN, data, w.len));
	return os_file_replace(file, data, w.len, 0600, info);
}

static uint32_t suspect(struct entries *e, uint64_t id)
{
	size_t i = 0;
	while (i < e->count && e->at[i].id != id)
		i++;
	if (i == POISON_RECORDS)
		memmove(&e->at[0], &e->at[1], --i * sizeof(e->at[0]));
	if (i == e->count || e->at[i].id != id) {
		e->at[i].id = id;
		e->at[i].crashes = 0;
	}
	e->count = e->count > i ? e->count : i + 1;
	return ++e->at[i].crashes;
}

enum err poison_open(const char *page, const char *file, bool same_boot, struct poison *ret,
		     struct err_info *info)
{
	struct poison p = {0};
	struct entries e = {0};
	void *map = NULL;
	enum err err = os_file_map(page, sizeof(*p.applying), 0600, &map, info);
	if (err != ERR_OK)
		return err;
	p.applying = map;
	err = load(file, &e, info);
	if (err == ERR_OK && *p.applying != 0 && same_boot) {
		p.last = *p.applying;
		p.last_crashes = suspect(&e, p.last);
		/* Durable before the page forgets it. */
		err = save(file, &e, info);
	}
	if (err != ERR_OK) {
		poison_close(&p);
		return err;
	}
	*p.applying = 0;
	for (size_t i = 0; i < e.count; i++)
		if (e.at[i].crashes >= POISON_CRASHES)
			p.ids[p.count++] = e.at[i].id;
	*ret = p;
	return ERR_OK;
}

void poison_close(struct poison *p)
{
	/* `volatile` is for those who write; it is ordinary memory. */
	os_file_unmap((void *)(uintptr_t)p->applying, sizeof(*p->applying));
	p->applying = NULL;
}
