#include "heap.h"

#include <stdlib.h>

#include "memory.h"

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct heap *h, size_t i, size_t j)
{
	struct sim_event e = h->events[i];
	h->events[i] = h->events[j];
	h->events[j] = e;
}

void heap_free(struct heap *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->events[i].bytes);
	free(h->events);
	*h = (struct heap){.count = 0};
}

void heap_push(struct heap *h, const struct sim_event *event)
{
	h->events = sim_grow(h->events, h->count, &h->capacity, sizeof(*h->events));
	size_t i = h->count++;
	h->events[i] = *event;
	h->events[i].order = h->order++;
	for (; i > 0 && before(&h->events[i], &h->events[(i - 1) / 2]); i = (i - 1) / 2)
		swap(h, i, (i - 1) / 2);
}

const struct sim_event *heap_peek(const struct heap *h)
{
	return h->count > 0 ? &h->events[0] : NULL;
}

bool heap_pop(struct heap *h, struct sim_event *ret)
{
	if (h->count == 0)
		return false;
	*ret = h->events[0];
	h->events[0] = h->events[--h->count];
	for (size_t i = 0;;) {
		size_t least = i, child = 2 * i + 1;
		if (child < h->count && before(&h->events[child], &h->events[least]))
			least = child;
		if (child + 1 < h->count && before(&h->events[child + 1], &h->events[least]))
			least = child + 1;
		if (least == i)
			return true;
		swap(h, i, least);
		i = least;
	}
}
