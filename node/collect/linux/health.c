/* How this machine is. Values are coarse on purpose: a record is published only when its bytes change. */
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "crypto/hash.h"
#include "node/collect/collect.h"
#include "node/collect/linux/source.h"

#define PERCENT_STEP 10
#define PERCENT_STAY 7 /* a new value this near to the published one changes nothing */

static struct reading_u64 quantised(struct reading_u64 exact, const struct reading_u64 *previous)
{
	if (exact.status != READING_OK)
		return exact;
	if (previous && previous->status == READING_OK) {
		uint64_t a = exact.value, b = previous->value;
		if ((a > b ? a - b : b - a) <= PERCENT_STAY)
			return *previous;
	}
	exact.value = (exact.value + PERCENT_STEP / 2) / PERCENT_STEP * PERCENT_STEP;
	if (exact.value > 100)
		exact.value = 100;
	return exact;
}

/* "some avg10=0.00 avg60=0.00 avg300=1.23 total=5": the five-minute share. */
static struct reading_u64 read_pressure(const char *root, const char *path)
{
	char text[512];
	struct reading_u64 r = {source_head(root, path, text, sizeof(text), NULL), 0};
	if (r.status == READING_ABSENT)
		r.status = READING_UNSUPPORTED;
	if (r.status != READING_OK)
		return r;
	const char *share = strstr(text, "avg300=");
	if (!share) {
		r.status = READING_FAILED;
		return r;
	}
	double percent = strtod(share + 7, NULL);
	r.value = percent < 0 || percent > 100 ? 100 : (uint64_t)(percent + 0.5);
	return r;
}

static struct reading_u64 read_memory(const char *root)
{
	char text[4096];
	struct reading_u64 r = {source_head(root, "/proc/meminfo", text, sizeof(text), NULL), 0};
	if (r.status != READING_OK)
		return r;
	struct reading_u64 total = source_keyed_u64(text, "MemTotal:");
	struct reading_u64 available = source_keyed_u64(text, "MemAvailable:");
	if (total.status != READING_OK || available.status != READING_OK || total.value == 0 ||
	    available.value > total.value) {
		r.status = READING_FAILED;
		return r;
	}
	r.value = (total.value - available.value) * 100 / total.value;
	return r;
}

/* Only file systems that cannot hang on a dead server. */
static bool is_local(const char *type)
{
	static const char *const local[] = {"ext2", "ext3", "ext4", "xfs",  "btrfs", "f2fs",
					    "zfs",  "jfs",  "vfat", "ntfs", "ntfs3", "overlay"};
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		if (strcmp(type, local[i]) == 0)
			return true;
	}
	return false;
}

static struct reading_u64 read_disk(const char *root)
{
	struct reading_u64 r = {READING_ABSENT, 0};
	char path[LIMIT_PATH_BYTES], line[1024];
	if (!source_path(path, root, "/proc/self/mounts"))
		return (struct reading_u64){READING_FAILED, 0};
	FILE *mounts = setmntent(path, "re");
	if (!mounts)
		return (struct reading_u64){READING_FAILED, 0};
	struct mntent entry;
	while (getmntent_r(mounts, &entry, line, sizeof(line))) {
		struct statvfs fs;
		if (!is_local(entry.mnt_type) || !source_path(path, root, entry.mnt_dir) ||
		    statvfs(path, &fs) != 0 || fs.f_blocks == 0 || (fs.f_flag & ST_RDONLY))
			continue;
		/* As df counts: what root keeps in reserve is neither used nor to be had. */
		uint64_t used = fs.f_blocks - fs.f_bfree;
		uint64_t usable = used + fs.f_bavail;
		uint64_t percent = usable == 0 ? 100 : used * 100 / usable;
		if (r.status != READING_OK || percent > r.value)
			r = (struct reading_u64){READING_OK, percent};
	}
	endmntent(mounts);
	return r;
}

static struct reading_u64 read_oom_kills(const char *root)
{
	char text[16384];
	struct reading_u64 r = {source_head(root, "/proc/vmstat", text, sizeof(text), NULL), 0};
	if (r.status != READING_OK)
		return r;
	r = source_keyed_u64(text, "oom_kill ");
	if (r.status == READING_ABSENT)
		r.status = READING_UNSUPPORTED;
	return r;
}

static uint64_t read_boot(const char *root)
{
	struct reading_text id = source_text(root, "/proc/sys/kernel/random/boot_id");
	return id.status == READING_OK ? hash_u64("mesh.boot", id.value, strlen(id.value)) : 0;
}

static struct reading_u64 read_boot_time(const char *root)
{
	/* btime comes after one line per processor and a long interrupt line. */
	size_t cap = 256 * 1024;
	char *text = malloc(cap);
	if (!text)
		return (struct reading_u64){READING_FAILED, 0};
	struct reading_u64 r = {source_head(root, "/proc/stat", text, cap, NULL), 0};
	if (r.status == READING_OK)
		r = source_keyed_u64(text, "btime ");
	free(text);
	return r;
}

void collect_health(const char *root, const struct health *previous, struct health *ret)
{
	const struct health *p = previous;
	ret->boot = read_boot(root);
	/* btime is derived from the wall clock and may wobble by a second. */
	ret->boot_time_s = p && p->boot == ret->boot && p->boot_time_s.status == READING_OK
			       ? p->boot_time_s
			       : read_boot_time(root);
	ret->stall_cpu_percent =
	    quantised(read_pressure(root, "/proc/pressure/cpu"), p ? &p->stall_cpu_percent : NULL);
	ret->stall_memory_percent =
	    quantised(read_pressure(root, "/proc/pressure/memory"), p ? &p->stall_memory_percent : NULL);
	ret->stall_io_percent =
	    quantised(read_pressure(root, "/proc/pressure/io"), p ? &p->stall_io_percent : NULL);
	ret->memory_percent = quantised(read_memory(root), p ? &p->memory_percent : NULL);
	ret->disk_percent = quantised(read_disk(root), p ? &p->disk_percent : NULL);
	ret->oom_kills = read_oom_kills(root);
	ret->oopses = source_u64(root, "/sys/kernel/oops_count", READING_UNSUPPORTED);
	ret->warnings = source_u64(root, "/sys/kernel/warn_count", READING_UNSUPPORTED);
	ret->taint = source_u64(root, "/proc/sys/kernel/tainted", READING_UNSUPPORTED);
}
