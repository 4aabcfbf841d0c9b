#include "node/turn.h"

bool turn_wait(struct turn *t, struct control_call *call)
{
	if (t->count == LIMIT_CONTROL_CLIENTS)
		return false;
	t->waiting[t->count++] = call;
	return true;
}

void turn_forget(struct turn *t, const struct control_call *call)
{
	size_t kept = 0;
	for (size_t i = 0; i < t->count; i++)
		if (t->waiting[i] != call)
			t->waiting[kept++] = t->waiting[i];
	t->count = kept;
}

mono_ms turn_due(const struct turn *t)
{
	return t->count > 0 ? t->again_at : UINT64_MAX;
}

struct control_call *turn_take(struct turn *t)
{
	return t->count > 0 ? t->waiting[--t->count] : NULL;
}

void turn_made(struct turn *t, mono_ms began, mono_ms ended)
{
	mono_ms pause = (ended - began) * (TURN_SHARE - 1);
	t->again_at = ended + (pause < TURN_PAUSE_MAX_MS ? pause : TURN_PAUSE_MAX_MS);
}
