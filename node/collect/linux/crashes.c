/* Raw counters of what went wrong. Folders are counted, names are not kept: core files carry commands and
 * users. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "node/collect/collect.h"
#include "node/collect/linux/source.h"

struct folder_count {
	const char *root;
	const char *path;
	const char *prefix;
	uint64_t count;
	uint64_t newest_s;
};

static bool count_entry(void *context, const char *name)
{
	struct folder_count *c = context;
	if (strncmp(name, c->prefix, strlen(c->prefix)) != 0)
		return true;
	c->count++;
	char inside[LIMIT_PATH_BYTES], full[LIMIT_PATH_BYTES];
	struct stat st;
	int n = snprintf(inside, sizeof(inside), "%s/%s", c->path, name);
	if (n > 0 && n < (int)sizeof(inside) && source_path(full, c->root, inside) && stat(full, &st) == 0 &&
	    st.st_mtime > 0 && (uint64_t)st.st_mtime > c->newest_s)
		c->newest_s = (uint64_t)st.st_mtime;
	return true;
}

static struct reading_u64 count_folder(const char *root, const char *path, const char *prefix,
				       struct reading_u64 *ret_newest_s)
{
	struct folder_count c = {root, path, prefix, 0, 0};
	struct reading_u64 r = {source_list(root, path, count_entry, &c), 0};
	r.value = r.status == READING_OK ? c.count : 0;
	if (ret_newest_s) {
		ret_newest_s->status = r.status == READING_OK && c.count == 0 ? READING_ABSENT : r.status;
		ret_newest_s->value = c.newest_s;
	}
	return r;
}

/* systemd empties the kernel's store into its own folder at boot; either may hold the evidence. */
static struct reading_u64 read_panics(const char *root)
{
	struct reading_u64 saved = count_folder(root, "/var/lib/systemd/pstore", "", NULL);
	struct reading_u64 kernel = count_folder(root, "/sys/fs/pstore", "dmesg-", NULL);
	if (saved.status == READING_OK && kernel.status == READING_OK)
		return (struct reading_u64){READING_OK, saved.value + kernel.value};
	if (saved.status == READING_OK || kernel.status == READING_DENIED)
		return saved.status == READING_OK ? saved : kernel;
	return kernel.status == READING_ABSENT ? (struct reading_u64){READING_UNSUPPORTED, 0} : kernel;
}

void collect_crashes(const char *root, struct crash_sources *ret)
{
	struct health health = {0};
	collect_health(root, NULL, &health);
	ret->boot = health.boot;
	ret->oopses = health.oopses;
	ret->warnings = health.warnings;
	ret->oom_kills = health.oom_kills;
	ret->core_dumps = count_folder(root, "/var/lib/systemd/coredump", "core.", &ret->newest_core_dump_s);
	ret->pstore_panics = read_panics(root);
	ret->blue_screens = (struct reading_u64){READING_UNSUPPORTED, 0};
}
