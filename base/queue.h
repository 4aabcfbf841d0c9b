/* Bounded first-in-first-out ring of fixed-size elements, allocated once. */
#ifndef MESH_BASE_QUEUE_H
#define MESH_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct queue {
	uint8_t *slots;
	size_t element_bytes;
	size_t capacity;
	size_t first;
	size_t count;
};

/* ERR_NOMEM. Free with queue_free. */
enum err queue_init(struct queue *q, size_t element_bytes, size_t capacity);
void queue_free(struct queue *q);
/* Copies the element in; false when full. */
bool queue_push(struct queue *q, const void *element);
/* Copies the oldest element out; false when empty. */
bool queue_pop(struct queue *q, void *ret_element);
/* Oldest element in place, NULL when empty. Valid until the next push or pop. */
void *queue_peek(struct queue *q);

#endif
