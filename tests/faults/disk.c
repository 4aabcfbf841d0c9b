#include "tests/faults/disk.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"

/* Interposed calls have nowhere else to keep this: the one exception to "no globals", in a test. */
static struct {
	bool on;
	char path[4096];
	struct disk_note *notes;
	size_t count, cap;
} watch;

void disk_watch(const char *path)
{
	CHECK(strlen(path) < sizeof(watch.path));
	memcpy(watch.path, path, strlen(path) + 1);
	watch.on = true;
}

void disk_watch_end(void)
{
	watch.on = false;
}

size_t disk_note_count(void)
{
	return watch.count;
}

const struct disk_note *disk_note_at(size_t index)
{
	CHECK(index < watch.count);
	return &watch.notes[index];
}

void disk_forget(void)
{
	for (size_t i = 0; i < watch.count; i++)
		free(watch.notes[i].data);
	free(watch.notes);
	watch.notes = NULL;
	watch.count = watch.cap = 0;
}

static bool is_watched(int fd)
{
	struct stat file, named;
	return watch.on && fstat(fd, &file) == 0 && stat(watch.path, &named) == 0 &&
	       file.st_ino == named.st_ino && file.st_dev == named.st_dev;
}

/* A note that is lost would make every image a lie. */
static void take_note(enum disk_kind kind, uint64_t offset, const void *data, size_t len)
{
	if (watch.count == watch.cap) {
		watch.cap = watch.cap == 0 ? 1024 : watch.cap * 2;
		watch.notes = realloc(watch.notes, watch.cap * sizeof(*watch.notes));
		CHECK(watch.notes != NULL);
	}
	struct disk_note note = {kind, offset, len, NULL};
	if (len > 0) {
		note.data = malloc(len);
		CHECK(note.data != NULL);
		memcpy(note.data, data, len);
	}
	watch.notes[watch.count++] = note;
}

static enum disk_kind kind_of(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	return flags >= 0 && (flags & O_DSYNC) != 0 ? DISK_THROUGH : DISK_WRITE;
}

/* --- the calls that are stood in for; noted before they are done, so that a cut may fall into each --- */

/* By their names in the library: with 64-bit offsets, the C name may stand for another one. */
ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t offset) __asm__("pwrite");
ssize_t disk_pwrite64(int fd, const void *data, size_t len, off_t offset) __asm__("pwrite64");
ssize_t disk_write(int fd, const void *data, size_t len) __asm__("write");
ssize_t disk_writev(int fd, const struct iovec *parts, int count) __asm__("writev");
int disk_fdatasync(int fd) __asm__("fdatasync");
int disk_fsync(int fd) __asm__("fsync");
int disk_ftruncate(int fd, off_t len) __asm__("ftruncate");
int disk_ftruncate64(int fd, off_t len) __asm__("ftruncate64");
int disk_fallocate(int fd, off_t offset, off_t len) __asm__("posix_fallocate");
int disk_fallocate64(int fd, off_t offset, off_t len) __asm__("posix_fallocate64");

static void *real(const char *name)
{
	void *call = dlsym(RTLD_NEXT, name);
	CHECK(call != NULL);
	return call;
}

ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t offset)
{
	ssize_t (*call)(int, const void *, size_t, off_t) = real("pwrite");
	if (is_watched(fd))
		take_note(kind_of(fd), (uint64_t)offset, data, len);
	return call(fd, data, len, offset);
}

ssize_t disk_pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return disk_pwrite(fd, data, len, offset);
}

ssize_t disk_write(int fd, const void *data, size_t len)
{
	ssize_t (*call)(int, const void *, size_t) = real("write");
	if (is_watched(fd))
		take_note(kind_of(fd), (uint64_t)lseek(fd, 0, SEEK_CUR), data, len);
	return call(fd, data, len);
}

ssize_t disk_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t (*call)(int, const struct iovec *, int) = real("writev");
	if (is_watched(fd)) {
		uint64_t at = (uint64_t)lseek(fd, 0, SEEK_CUR);
		for (int i = 0; i < count; i++) {
			take_note(kind_of(fd), at, parts[i].iov_base, parts[i].iov_len);
			at += parts[i].iov_len;
		}
	}
	return call(fd, parts, count);
}

static int flush(int fd, const char *name)
{
	int (*call)(int) = real(name);
	if (is_watched(fd))
		take_note(DISK_FLUSH, 0, NULL, 0);
	return call(fd);
}

int disk_fdatasync(int fd)
{
	return flush(fd, "fdatasync");
}

int disk_fsync(int fd)
{
	return flush(fd, "fsync");
}

int disk_ftruncate(int fd, off_t len)
{
	int (*call)(int, off_t) = real("ftruncate");
	if (is_watched(fd))
		take_note(DISK_WRITE, (uint64_t)len, NULL, 0);
	return call(fd, len);
}

int disk_ftruncate64(int fd, off_t len)
{
	return disk_ftruncate(fd, len);
}

int disk_fallocate(int fd, off_t offset, off_t len)
{
	int (*call)(int, off_t, off_t) = real("posix_fallocate");
	if (is_watched(fd))
		take_note(DISK_WRITE, (uint64_t)(offset + len), NULL, 0);
	return call(fd, offset, len);
}

int disk_fallocate64(int fd, off_t offset, off_t len)
{
	return disk_fallocate(fd, offset, len);
}

/* --- playing --- */

static bool reach(uint8_t **bytes, size_t *len, size_t *cap, size_t end)
{
	if (end > *cap || *bytes == NULL) {
		size_t bigger = *cap == 0 ? 1 << 20 : *cap;
		while (bigger < end)
			bigger *= 2;
		uint8_t *grown = realloc(*bytes, bigger);
		if (grown == NULL)
			return false;
		*bytes = grown;
		*cap = bigger;
	}
	if (end > *len) {
		memset(*bytes + *len, 0, end - *len);
		*len = end;
	}
	return true;
}

static bool apply(struct disk *d, const struct disk_note *n)
{
	if (!reach(&d->bytes, &d->len, &d->cap, n->offset + n->len))
		return false;
	if (n->len > 0)
		memcpy(d->bytes + n->offset, n->data, n->len);
	return true;
}

static bool postpone(struct disk *d, size_t index)
{
	if (d->pending_count == d->pending_cap) {
		d->pending_cap = d->pending_cap == 0 ? 64 : d->pending_cap * 2;
		size_t *grown = realloc(d->pending, d->pending_cap * sizeof(*grown));
		if (grown == NULL)
			return false;
		d->pending = grown;
	}
	d->pending[d->pending_count++] = index;
	return true;
}

bool disk_play(struct disk *d, size_t moment)
{
	for (; d->played < moment; d->played++) {
		const struct disk_note *n = disk_note_at(d->played);
		bool done = true;
		switch (n->kind) {
		case DISK_WRITE:
			done = postpone(d, d->played);
			break;
		case DISK_THROUGH:
			done = apply(d, n);
			break;
		case DISK_FLUSH:
			for (size_t i = 0; i < d->pending_count && done; i++)
				done = apply(d, disk_note_at(d->pending[i]));
			d->pending_count = 0;
			break;
		}
		if (!done)
			return false;
	}
	return true;
}

/* Some of the write's sectors, `share` of them; a torn one is new up to some byte and old behind it. */
static bool apply_some(struct disk *image, const struct disk_note *n, double share, bool tear_bytes,
		       struct prng *prng)
{
	if (n->len == 0)
		return !prng_chance(prng, share) || apply(image, n);
	for (size_t done = 0; done < n->len;) {
		size_t sector = DISK_SECTOR_BYTES - (n->offset + done) % DISK_SECTOR_BYTES;
		if (sector > n->len - done)
			sector = n->len - done;
		size_t part = prng_chance(prng, share) ? sector : 0;
		if (tear_bytes && prng_chance(prng, 0.25))
			part = (size_t)prng_below(prng, sector + 1);
		struct disk_note some = {n->kind, n->offset + done, part, n->data + done};
		if (part > 0 && !apply(image, &some))
			return false;
		done += sector;
	}
	return true;
}

uint8_t *disk_image(const struct disk *d, const struct disk_cut *cut, struct prng *prng, size_t *ret_len)
{
	static const double shares[] = {0, 0.05, 0.5, 0.95, 1};
	double share = shares[prng_below(prng, sizeof(shares) / sizeof(*shares))];
	const struct disk_note *now = disk_note_at(cut->moment);
	struct disk image = {0};
	CHECK(d->played == cut->moment);
	bool good = reach(&image.bytes, &image.len, &image.cap, d->len);
	if (good && d->len > 0)
		memcpy(image.bytes, d->bytes, d->len);
	for (size_t i = 0; i < d->pending_count && good; i++)
		good = apply_some(&image, disk_note_at(d->pending[i]), share, cut->tear_bytes, prng);
	if (good && now->kind != DISK_FLUSH)
		good = apply_some(&image, now, share, cut->tear_bytes, prng);
	if (!good) {
		free(image.bytes);
		return NULL;
	}
	*ret_len = image.len;
	return image.bytes;
}

void disk_free(struct disk *d)
{
	free(d->bytes);
	free(d->pending);
	*d = (struct disk){0};
}
