#include "node/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "os/file.h"

#define FILE_BYTES   512
#define CHECK_DOMAIN "mesh.boot.file"
#define CHECK_LINE   "check = "

/* Takes the value of the line "name = value\n" at *at and moves on. */
static bool take(char **at, const char *name, char *ret, size_t cap)
{
	char *p = *at;
	size_t len = strlen(name);
	if (strncmp(p, name, len) != 0 || strncmp(p + len, " = ", 3) != 0)
		return false;
	p += len + 3;
	char *end = strchr(p, '\n');
	if (end == NULL || (size_t)(end - p) >= cap)
		return false;
	memcpy(ret, p, (size_t)(end - p));
	ret[end - p] = '\0';
	*at = end + 1;
	return true;
}

static bool take_u64(char **at, const char *name, uint64_t max, uint64_t *ret)
{
	char text[24];
	return take(at, name, text, sizeof(text)) && text_u64(text, 0, max, ret);
}

static bool parse(char *text, size_t len, struct boot *ret)
{
	struct boot b = {0};
	char *check = strstr(text, CHECK_LINE);
	char sum[24];
	uint64_t stopped, last_clean;
	if (strlen(text) != len || check == NULL)
		return false;
	snprintf(sum, sizeof(sum), "%016" PRIx64 "\n", hash_u64(CHECK_DOMAIN, text, (size_t)(check - text)));
	if (strcmp(check + strlen(CHECK_LINE), sum) != 0)
		return false;
	char *at = text;
	if (!take(&at, "boot", b.id, sizeof(b.id)) || !take_u64(&at, "stopped", 1, &stopped) ||
	    !take_u64(&at, "last_clean", 2, &last_clean) ||
	    !take_u64(&at, "unclean", UINT64_MAX, &b.unclean) ||
	    !take_u64(&at, "alive_s", UINT64_MAX, &b.alive_s) ||
	    !take_u64(&at, "last_clean_s", UINT64_MAX, &b.last_clean_s) || at != check)
		return false;
	b.stopped = stopped != 0;
	if (last_clean < 2)
		b.last_clean = (struct reading_u64){READING_OK, last_clean};
	*ret = b;
	return true;
}

/* What the file says becomes what boot `id` knows. */
static void turn(struct boot *b, const char *id, struct boot_news *news)
{
	news->same = strcmp(b->id, id) == 0;
	if (!news->same) {
		news->unclean = !b->stopped;
		news->died_s = b->alive_s;
		b->last_clean = (struct reading_u64){READING_OK, b->stopped};
		b->unclean += !b->stopped;
		text_copy(b->id, sizeof(b->id), id);
	}
	b->stopped = false;
}

enum err boot_load(const char *path, const char *id, struct boot *ret, struct boot_news *ret_news,
		   struct err_info *info)
{
	struct boot b = {0};
	struct boot_news news = {0};
	uint8_t *data = NULL;
	size_t len;
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_LIMIT)
		return err;
	if (err == ERR_OK && parse((char *)data, len, &b)) {
		turn(&b, id, &news);
	} else {
		news.lost = err != ERR_NOT_FOUND;
		text_copy(b.id, sizeof(b.id), id);
	}
	free(data);
	*ret = b;
	*ret_news = news;
	return ERR_OK;
}

enum err boot_save(const char *path, struct boot *boot, uint64_t now_s, struct err_info *info)
{
	char text[FILE_BYTES];
	struct boot b = *boot;
	b.alive_s = now_s;
	if (b.stopped)
		b.last_clean_s = now_s;
	uint64_t last_clean = b.last_clean.status == READING_OK ? b.last_clean.value : 2;
	int n = snprintf(text, sizeof(text),
			 "boot = %s\nstopped = %d\nlast_clean = %" PRIu64 "\nunclean = %" PRIu64
			 "\nalive_s = %" PRIu64 "\nlast_clean_s = %" PRIu64 "\n",
			 b.id, b.stopped, last_clean, b.unclean, b.alive_s, b.last_clean_s);
	uint64_t sum = hash_u64(CHECK_DOMAIN, text, (size_t)n);
	n += snprintf(text + n, sizeof(text) - (size_t)n, CHECK_LINE "%016" PRIx64 "\n", sum);
	enum err err = os_file_replace(path, text, (size_t)n, 0600, info);
	if (err == ERR_OK)
		*boot = b;
	return err;
}
