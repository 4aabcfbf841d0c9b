#include "tests/faults/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "os/file.h"
#include "tests/faults/faults.h"
#include "tests/faults/pool.h"
#include "tests/unit/scratch.h"

#define CHILD_IMAGES 200

enum err place_begin(const char *folder, const char *name, size_t hosts, uint64_t seed, struct place *ret,
		     struct pool *ret_pool, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%s-pool", folder, name);
	snprintf(ret->state, sizeof(ret->state), "%s/%s", folder, name);
	snprintf(ret->replica, sizeof(ret->replica), "%s/%s/replica", folder, name);
	snprintf(ret->data, sizeof(ret->data), "%s/%s/replica/data.mdb", folder, name);
	enum err err = pool_make(path, hosts, seed, ret_pool, info);
	return err == ERR_OK ? os_dir_make(ret->state, 0700, info) : err;
}

bool place_put(const struct place *p, const uint8_t *image, size_t len)
{
	char lock[LIMIT_PATH_BYTES + 16];
	snprintf(lock, sizeof(lock), "%s/lock.mdb", p->replica);
	unlink(lock);
	unlink(p->data);
	FILE *f = fopen(p->data, "we");
	bool good = f != NULL && (len == 0 || fwrite(image, len, 1, f) == 1);
	return f != NULL && fclose(f) == 0 && good;
}

/* --- children --- */

#define RESULT_BYTES_MAX 512

struct child {
	int (*work)(void *context, void *ret);
	void *context;
	size_t len;
	int result;
};

static int work_and_tell(void *context)
{
	struct child *c = context;
	uint8_t result[RESULT_BYTES_MAX] = {0};
	int rc = c->work(c->context, result);
	return rc == 0 && write(c->result, result, c->len) != (ssize_t)c->len ? 1 : rc;
}

int place_in_child(int (*work)(void *context, void *ret), void *context, void *ret, size_t len)
{
	int ends[2];
	CHECK(len <= RESULT_BYTES_MAX);
	if (pipe(ends) != 0)
		return 1;
	struct child c = {work, context, len, ends[1]};
	int rc = scratch_in_child(work_and_tell, &c);
	if (rc == 0 && read(ends[0], ret, len) != (ssize_t)len)
		rc = 1;
	close(ends[0]);
	close(ends[1]);
	return rc;
}

struct share {
	const struct place_work *work;
	uint64_t first, count;
};

static int judge_share(void *context, void *ret)
{
	const struct share *s = context;
	uint64_t tally[PLACE_TALLY_MAX] = {0};
	bool good = s->work->judge(s->work->context, s->first, s->count, tally);
	memcpy(ret, tally, sizeof(tally));
	return good ? 0 : 1;
}

uint64_t place_judge_all(const struct place_work *w, size_t counters, uint64_t *sum)
{
	uint64_t died = 0;
	CHECK(counters <= PLACE_TALLY_MAX);
	for (uint64_t done = 0; done < w->total; done += CHILD_IMAGES) {
		uint64_t left = w->total - done, part[PLACE_TALLY_MAX];
		struct share share = {w, done, left < CHILD_IMAGES ? left : CHILD_IMAGES};
		faults_progress(w->name, done, w->total);
		int rc = place_in_child(judge_share, &share, part, sizeof(part));
		if (rc != 0) {
			fprintf(stderr,
				"%s: %" PRIu64 " to %" PRIu64 ": the process that tried them ended with %d\n",
				w->name, done, done + share.count - 1, rc);
			died++;
			continue;
		}
		for (size_t i = 0; i < counters; i++)
			sum[i] += part[i];
	}
	faults_progress(w->name, w->total, w->total);
	return died;
}
