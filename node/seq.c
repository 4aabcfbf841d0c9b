#include "node/seq.h"

#include <stdlib.h>

#include "base/cursor.h"
#include "crypto/hash.h"
#include "os/file.h"

#define FILE_BYTES   24
#define BODY_BYTES   16
#define CHECK_DOMAIN "mesh.seq"

enum err seq_load(const char *path, uint64_t *ret_reserved, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err == ERR_LIMIT)
		return err_set(info, ERR_CHECKSUM, "\"%s\" is longer than %d bytes", path, FILE_BYTES);
	if (err != ERR_OK)
		return err;
	struct reader r = reader_of(data, len);
	uint64_t reserved = reader_u64(&r);
	uint64_t zero = reader_u64(&r);
	uint64_t sum = reader_u64(&r);
	bool good =
	    reader_done(&r) && zero == 0 && reserved != 0 && sum == hash_u64(CHECK_DOMAIN, data, BODY_BYTES);
	free(data);
	if (!good)
		return err_set(info, ERR_CHECKSUM, "\"%s\" is damaged", path);
	*ret_reserved = reserved;
	return ERR_OK;
}

enum err seq_save(const char *path, uint64_t reserved, struct err_info *info)
{
	uint8_t data[FILE_BYTES];
	struct writer w = writer_of(data, sizeof(data));
	writer_u64(&w, reserved);
	writer_u64(&w, 0);
	writer_u64(&w, hash_u64(CHECK_DOMAIN, data, BODY_BYTES));
	return os_file_replace(path, data, w.len, 0600, info);
}

uint64_t seq_start(enum err loaded, uint64_t reserved, uint64_t certificate, uint64_t highest,
		   bool *ret_jumped)
{
	uint64_t known = highest > certificate ? highest : certificate;
	/* Never ran: nothing above the certificate's own number was used. */
	bool fresh = loaded == ERR_NOT_FOUND && highest <= certificate;
	/* The replica is ahead of a file put back from a copy: other numbers may have been used too. */
	bool behind = loaded == ERR_OK && reserved <= highest;
	*ret_jumped = behind || (loaded != ERR_OK && !fresh);
	if (*ret_jumped)
		return known + SEQ_JUMP;
	return loaded == ERR_OK && reserved > known ? reserved : known + 1;
}
