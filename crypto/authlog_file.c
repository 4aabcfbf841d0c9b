#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/authlog_private.h"
#include "os/file.h"

#define LENGTH_BYTES 2
#define FILE_BYTES   ((size_t)LIMIT_LOG_ENTRIES * (LENGTH_BYTES + LIMIT_LOG_ENTRY_BYTES))

enum err authlog_save(const struct authlog *log, const char *path, struct err_info *info)
{
	size_t size = 0, len;
	for (size_t i = 0; i < authlog_count(log); i++) {
		authlog_entry(log, i, &len);
		size += LENGTH_BYTES + len;
	}
	if (size == 0)
		return err_set(
		    info, ERR_ARG,
		    "will not write \"%s\": the authority log has no entry; create the estate first", path);
	uint8_t *data = malloc(size);
	if (data == NULL)
		return err_set(info, ERR_NOMEM, "cannot write \"%s\": out of memory; free some and try again",
			       path);
	struct writer w = writer_of(data, size);
	for (size_t i = 0; i < authlog_count(log); i++) {
		const uint8_t *entry = authlog_entry(log, i, &len);
		writer_u16(&w, (uint16_t)len);
		writer_bytes(&w, entry, len);
	}
	CHECK(!w.failed && w.len == size);
	enum err err = os_file_replace(path, data, size, 0600, info);
	free(data);
	return err;
}

/* What is wrong with entry `index`; damage has one code, the text says which. */
static enum err tell(struct err_info *info, enum err err, const char *path, size_t index)
{
	if (err == ERR_NOMEM)
		return err_set(info, err, "cannot read \"%s\": out of memory; free some and try again", path);
	if (err == ERR_VERSION)
		return err_set(
		    info, err,
		    "authority log \"%s\" is of a version that this one does not read (entry %zu; "
		    "logs of drafts named no successor of the authority's key): make the estate anew: "
		    "mesh authority init",
		    path, index);
	return err_set(
	    info, ERR_CORRUPT,
	    "authority log \"%s\" is damaged at entry %zu: %s; move the file away and fetch the log "
	    "from another node or a token",
	    path, index, err_text(err));
}

enum err authlog_load(const char *path, struct authlog **ret, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	struct authlog *log = NULL;
	struct authlog_run run = {0};
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	size_t index = 0;
	struct reader r = reader_of(data, len);
	err = authlog_new(&log);
	if (err == ERR_OK && len == 0)
		err = ERR_SHORT;
	while (err == ERR_OK && reader_left(&r) > 0) {
		size_t entry_len = reader_u16(&r);
		const uint8_t *entry = reader_bytes(&r, entry_len);
		err = r.failed ? ERR_SHORT : authlog_offer(log, &run, entry, entry_len);
		/* In a file the entries before a second rotation may stand behind the first. */
		if (err == ERR_UNTRUSTED)
			err = ERR_OK;
		index++;
	}
	if (err == ERR_OK && run.count > 0)
		err = ERR_UNTRUSTED;
	authlog_run_clear(&run);
	free(data);
	if (err != ERR_OK) {
		authlog_free(log);
		return tell(info, err, path, index == 0 ? 0 : index - 1);
	}
	*ret = log;
	return ERR_OK;
}
