/* Rosters of late: a roll-call is a bit map over the roster that its signer had, and while hosts are enrolled
 * or moved, signer and reader seldom have the same one.
 *
 * Happy path: each change of a site's roster notes what the roster was before; a roll-call over one of those
 * is read by counting back through the changes since. Fails: one over a roster that this node never had, or
 * longer ago than it remembers, says nothing about single hosts. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"

#define CHANGES 64 /* remembered: a host a second, for as long as a roll-call is on its way */

struct roster_change {
	uint64_t hash; /* of the roster before; 0: nobody asked for it */
	size_t count;  /* hosts before */
	size_t index;
	bool added;
};

struct roster_past {
	struct roster_change changes[CHANGES]; /* a ring */
	uint64_t made;
};

uint64_t site_roster_hash(struct site *s)
{
	if (s->roster_hash == 0) {
		uint8_t *ids = malloc(s->count * ID_BYTES);

		if (!ids)
			return 0;
		for (size_t i = 0; i < s->count; i++)
			memcpy(ids + i * ID_BYTES, s->members[i]->id.b, ID_BYTES);
		s->roster_hash = hash_u64("mesh.roster", ids, s->count * ID_BYTES);
		free(ids);
	}
	return s->roster_hash;
}

void roster_note(struct site *s, uint64_t hash, size_t count, size_t index, bool added)
{
	/* Before anyone asked for its hash nobody can have signed over it. */
	if (!s->past && hash == 0)
		return;
	if (!s->past)
		s->past = calloc(1, sizeof(*s->past));
	if (!s->past)
		return;
	s->past->changes[s->past->made++ % CHANGES] =
	    (struct roster_change){.hash = hash, .count = count, .index = index, .added = added};
}

size_t roster_index(struct site *s, uint64_t hash, size_t count, const struct member *m)
{
	size_t index = site_index_of(s, m);

	if (index == s->count || (hash == site_roster_hash(s) && count == s->count))
		return index == s->count ? ROSTER_NOWHERE : index;
	for (uint64_t i = 0; s->past && i < CHANGES && i < s->past->made; i++) {
		const struct roster_change *c = &s->past->changes[(s->past->made - 1 - i) % CHANGES];

		if (c->added && c->index == index)
			return ROSTER_NOWHERE;
		if (c->added && c->index < index)
			index--;
		else if (!c->added && c->index <= index)
			index++;
		if (c->hash == hash && c->count == count)
			return index;
	}
	return ROSTER_NOWHERE;
}
