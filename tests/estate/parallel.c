#include "tests/estate/parallel.h"

#include <pthread.h>
#include <unistd.h>

struct part {
	enum err (*each)(void *context, size_t index);
	void *context;
	size_t first, step, count, failed; /* count: none failed */
	enum err err;
};

unsigned parallel_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);
	return count < 1 ? 1 : count > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)count;
}

static void *work(void *context)
{
	struct part *p = context;
	for (size_t i = p->first; i < p->count && p->err == ERR_OK; i += p->step) {
		p->err = p->each(p->context, i);
		p->failed = i;
	}
	return NULL;
}

enum err parallel_for(unsigned threads, size_t count, enum err (*each)(void *context, size_t index),
		      void *context)
{
	struct part parts[PARALLEL_MAX];
	pthread_t ids[PARALLEL_MAX];
	unsigned started = 0;
	size_t first = count;
	enum err err = ERR_OK;
	for (; started < threads; started++) {
		parts[started] = (struct part){each, context, started, threads, count, 0, ERR_OK};
		if (pthread_create(&ids[started], NULL, work, &parts[started]) != 0) {
			err = ERR_NOMEM;
			break;
		}
	}
	for (unsigned i = 0; i < started; i++) {
		pthread_join(ids[i], NULL);
		if (parts[i].err != ERR_OK && parts[i].failed < first) {
			first = parts[i].failed;
			err = parts[i].err;
		}
	}
	return err;
}
