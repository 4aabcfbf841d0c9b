#include "cli/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/authlog_view.h"
#include "os/file.h"
#include "record/manifest.h"

#define LENGTH_BYTES 2
/* A list of LIMIT_ALLOW_HOSTS has 1,041 leaves and 18 lists: three such, or many short ones. */
#define BLOBS_MAX  4096
#define FILE_BYTES ((size_t)(LIMIT_LOG_ENTRIES + BLOBS_MAX) * (LENGTH_BYTES + LIMIT_BLOB_BYTES))

static enum err add_blob(struct bundle *b, const uint8_t *bytes, size_t len)
{
	enum blob_type type;
	enum err err = blob_check(bytes, len, &type);
	if (err != ERR_OK)
		return err;
	if (b->blob_count == BLOBS_MAX)
		return ERR_LIMIT;
	if (b->blob_count == b->blob_cap) {
		size_t cap = b->blob_cap == 0 ? 16 : 2 * b->blob_cap;
		void *grown = realloc(b->blobs, cap * sizeof(*b->blobs));
		if (grown == NULL)
			return ERR_NOMEM;
		b->blobs = grown;
		b->blob_cap = cap;
	}
	struct bundle_blob *blob = &b->blobs[b->blob_count++];
	blob->id = blob_id(bytes, len);
	blob->len = (uint16_t)len;
	memcpy(blob->bytes, bytes, len);
	return ERR_OK;
}

enum err bundle_read(const char *path, struct bundle *ret, struct err_info *info)
{
	uint8_t *data;
	size_t len, place = 0;
	struct bundle b = {0};
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	struct authlog_run run = {0};
	struct reader r = reader_of(data, len);
	err = authlog_new(&b.log);
	for (; err == ERR_OK && reader_left(&r) > 0; place++) {
		size_t item_len = reader_u16(&r);
		const uint8_t *item = reader_bytes(&r, item_len);
		if (r.failed || item_len == 0)
			err = ERR_SHORT;
		else if (item[0] == LOG_ENTRY_FIRST_BYTE)
			err = authlog_offer(b.log, &run, item, item_len);
		else
			err = add_blob(&b, item, item_len);
		/* Entries before a second rotation may stand behind the first. */
		if (err == ERR_UNTRUSTED)
			err = ERR_OK;
	}
	free(data);
	if (err == ERR_OK && run.count > 0)
		err = ERR_UNTRUSTED;
	authlog_run_clear(&run);
	if (err == ERR_OK && authlog_count(b.log) == 0)
		err = ERR_SHORT;
	if (err == ERR_OK) {
		*ret = b;
		return ERR_OK;
	}
	bundle_release(&b);
	if (err == ERR_NOMEM)
		return err_set(info, err, "%s", err_text(err));
	return err_set(info, ERR_CORRUPT,
		       "\"%s\" is no authority's log, or it is damaged (item %zu: %s); copy it again from "
		       "where it came",
		       path, place, err_text(err));
}

static enum err gather(const struct authority_dir *d, const struct id *id, unsigned depth, struct bundle *b,
		       struct err_info *info)
{
	char hex[ID_HEX_BYTES], path[LIMIT_PATH_BYTES];
	uint8_t *bytes;
	size_t len, count;
	const uint8_t *ids;
	id_hex(id, hex);
	os_path_join(path, sizeof(path), d->lists, hex);
	enum err err = os_file_read(path, LIMIT_BLOB_BYTES, &bytes, &len, info);
	if (err == ERR_NOT_FOUND)
		return err_set(info, err,
			       "\"%s\", part of an allow-list that the log names, is missing; restore it "
			       "from the spare copy",
			       path);
	if (err != ERR_OK)
		return err;
	struct id found = blob_id(bytes, len);
	if (!id_equal(&found, id))
		err = err_set(info, ERR_CORRUPT, "\"%s\" is damaged; restore it from the spare copy", path);
	size_t at = b->blob_count;
	if (err == ERR_OK) {
		err = add_blob(b, bytes, len);
		if (err != ERR_OK)
			err_set(info, err, "\"%s\" cannot be used: %s", path, err_text(err));
	}
	free(bytes);
	if (err != ERR_OK || depth == 0 ||
	    blob_list(b->blobs[at].bytes, b->blobs[at].len, &ids, &count) != ERR_OK)
		return err;
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		struct id child;
		/* Anew each time: the blobs move as they grow. */
		memcpy(child.b, b->blobs[at].bytes + 2 + i * ID_BYTES, ID_BYTES);
		err = gather(d, &child, depth - 1, b, info);
	}
	return err;
}

enum err bundle_gather(const struct authority_dir *d, const struct authlog *log, struct bundle *ret,
		       struct err_info *info)
{
	struct bundle b = {0};
	struct authlog_view v;
	enum err err = authlog_copy(log, &b.log);
	if (err != ERR_OK)
		return err_set(info, err, "%s", err_text(err));
	for (size_t i = 0; err == ERR_OK && i < authlog_count(log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(log, i, &len);
		if (authlog_view(entry, len, &v) == ERR_OK && !id_is_zero(&v.allow_list))
			err = gather(d, &v.allow_list, 2, &b, info);
	}
	if (err == ERR_OK)
		*ret = b;
	else
		bundle_release(&b);
	return err;
}

enum err bundle_write(const struct bundle *b, const char *path, struct err_info *info)
{
	size_t size = 0, len;
	for (size_t i = 0; i < authlog_count(b->log); i++) {
		authlog_entry(b->log, i, &len);
		size += LENGTH_BYTES + len;
	}
	for (size_t i = 0; i < b->blob_count; i++)
		size += LENGTH_BYTES + b->blobs[i].len;
	uint8_t *data = malloc(size);
	if (data == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	struct writer w = writer_of(data, size);
	for (size_t i = 0; i < authlog_count(b->log); i++) {
		const uint8_t *entry = authlog_entry(b->log, i, &len);
		writer_u16(&w, (uint16_t)len);
		writer_bytes(&w, entry, len);
	}
	for (size_t i = 0; i < b->blob_count; i++) {
		writer_u16(&w, b->blobs[i].len);
		writer_bytes(&w, b->blobs[i].bytes, b->blobs[i].len);
	}
	CHECK(!w.failed && w.len == size);
	enum err err = os_file_create(path, data, size, 0600, info);
	free(data);
	return err;
}

void bundle_release(struct bundle *b)
{
	authlog_free(b->log);
	free(b->blobs);
	*b = (struct bundle){0};
}

size_t bundle_missing(const struct authlog *log, const struct authlog *other)
{
	struct authlog *both;
	struct authlog_run run = {0};
	size_t len, missing = 0;
	const uint8_t *entry;
	/* Without memory: as if all were. */
	if (authlog_copy(log, &both) != ERR_OK)
		return authlog_count(other);
	for (size_t i = 0; (entry = authlog_entry(other, i, &len)) != NULL; i++) {
		enum err err = authlog_offer(both, &run, entry, len);
		missing += err != ERR_EXISTS && err != ERR_UNTRUSTED;
	}
	authlog_run_clear(&run);
	authlog_free(both);
	return missing;
}
