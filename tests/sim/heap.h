/* Events to come, ordered by time; those of one time in the order they were put in. */
#ifndef MESH_TESTS_SIM_HEAP_H
#define MESH_TESTS_SIM_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "record/body.h"

enum sim_event_kind { SIM_DELIVER, SIM_TICK, SIM_COMMIT };

struct sim_event {
	mono_ms at;
	uint64_t order; /* set by heap_push */
	enum sim_event_kind kind;
	uint32_t node;
	uint32_t life; /* of the node when it was put in: ticks and commits of an earlier life are void */
	struct address from;
	uint16_t len;
	uint8_t *bytes; /* SIM_DELIVER: owned by the event */
};

struct heap {
	struct sim_event *events;
	size_t count, capacity;
	uint64_t order;
};

void heap_free(struct heap *h);
void heap_push(struct heap *h, const struct sim_event *event);
/* NULL when empty. */
const struct sim_event *heap_peek(const struct heap *h);
/* False when empty; the bytes are the caller's to free. */
bool heap_pop(struct heap *h, struct sim_event *ret);

#endif
