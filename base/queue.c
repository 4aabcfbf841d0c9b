#include "base/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum err queue_init(struct queue *q, size_t element_bytes, size_t capacity)
{
	CHECK(element_bytes > 0 && capacity > 0);
	if (capacity > SIZE_MAX / element_bytes)
		return ERR_NOMEM;
	uint8_t *slots = calloc(capacity, element_bytes);
	if (slots == NULL)
		return ERR_NOMEM;
	*q = (struct queue){.slots = slots, .element_bytes = element_bytes, .capacity = capacity};
	return ERR_OK;
}

void queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	free(q->slots);
	*q = (struct queue){0};
}

static uint8_t *slot_at(struct queue *q, size_t index)
{
	return q->slots + (q->first + index) % q->capacity * q->element_bytes;
}

bool queue_push(struct queue *q, const void *element)
{
	if (q->count == q->capacity)
		return false;
	memcpy(slot_at(q, q->count), element, q->element_bytes);
	q->count++;
	return true;
}

bool queue_pop(struct queue *q, void *ret_element)
{
	if (q->count == 0)
		return false;
	memcpy(ret_element, slot_at(q, 0), q->element_bytes);
	q->first = (q->first + 1) % q->capacity;
	q->count--;
	return true;
}

void *queue_peek(struct queue *q)
{
	return q->count > 0 ? slot_at(q, 0) : NULL;
}
