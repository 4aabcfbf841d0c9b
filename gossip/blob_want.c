/* The table of blobs that are wanted, and who may have how much of it.
 *
 * Happy path: a components record names a manifest that is not here: it is wanted, then what it names.
 * Fails: a host can name what does not exist, and a thief may have many hosts. So a manifest names no more
 * blobs than its record says entries; one host has a bounded share of the table, a smaller one where more
 * than half is in use; in a full one whoever has most gives way; and what nobody handed over in ten minutes
 * goes. The records are read again for what was left out (blob_rescan.c). What the log waits for has no owner
 * and gives way to nobody. New blobs on one host's behalf are bounded over time, too; likewise those of an
 * operator's policies and inventories, which may be larger. */
#include <stdlib.h>
#include <string.h>

#include "gossip/blob.h"
#include "gossip/operators.h"
#include "record/manifest.h"
#include "record/operator.h"

#define OWNER_MAX        512 /* of one host's; the rest of a larger manifest is wanted as these come */
#define OWNER_LEAST      16
#define SHARE_MS         20000                      /* a new blob every 20 s … */
#define SHARE_BURST      (1552ull * SHARE_MS)       /* … and a whole manifest at once */
#define LIST_SHARE_MS    2000                       /* of an operator's lists: a new one every 2 s … */
#define LIST_SHARE_BURST (16384ull * LIST_SHARE_MS) /* … and an inventory of the largest estate at once */
#define LEAVES(n)        ((n) / 2 + 16)             /* chunks that n entries are cut into, at most */

/* --- the table --- */

struct wanted *blob_find(struct blob *b, const struct id *id)
{
	for (size_t i = 0; i < b->count; i++)
		if (id_equal(&b->wanted[i].id, id))
			return &b->wanted[i];
	return NULL;
}

bool blob_wanted(const struct gossip *g, const struct id *id)
{
	return blob_find(g->blob, id) != NULL;
}

void blob_wake(struct blob *b, mono_ms at)
{
	if (at < b->next_at)
		b->next_at = at;
}

void blob_drop(struct blob *b, struct wanted *w)
{
	free(w->list);
	if (w->owner != NULL)
		w->owner->wanted--;
	*w = b->wanted[--b->count];
	if (b->count == 0) {
		free(b->wanted);
		b->wanted = NULL;
		b->cap = 0;
	}
}

static bool grow(struct blob *b)
{
	size_t cap = b->cap == 0 ? 16 : b->cap * 2;
	struct wanted *wanted = cap > BLOB_WANTED ? NULL : realloc(b->wanted, cap * sizeof *wanted);
	if (wanted == NULL)
		return false;
	b->wanted = wanted;
	b->cap = cap;
	return true;
}

/* --- shares --- */

static size_t owner_bound(const struct blob *b)
{
	if (b->count <= BLOB_WANTED / 2)
		return OWNER_MAX;
	size_t bound = OWNER_MAX * (BLOB_WANTED - b->count) / (BLOB_WANTED / 2);
	return bound > OWNER_LEAST ? bound : OWNER_LEAST;
}

static bool owner_full(const struct gossip *g, const struct blob_owner *owner)
{
	return owner != NULL && owner->wanted >= owner_bound(g->blob) && defence_on(g, DEFENCE_BLOB_SHARE);
}

/* In a full table whoever has most gives way; `owner` NULL: to the log in any case. */
static bool make_room(struct gossip *g, const struct blob_owner *owner)
{
	struct blob *b = g->blob;
	struct wanted *victim = NULL;
	if (!defence_on(g, DEFENCE_BLOB_SHARE))
		return false;
	for (size_t i = b->count; i-- > 0;) {
		struct wanted *w = &b->wanted[i];
		if (w->owner == NULL)
			continue;
		bool more = victim == NULL || w->owner->wanted > victim->owner->wanted;
		/* Rather what a list names than the list: it will name it again. */
		if (more || (w->owner == victim->owner && victim->list != NULL && w->list == NULL))
			victim = w;
	}
	if (victim == NULL || (owner != NULL && victim->owner->wanted <= owner->wanted + 1u))
		return false;
	b->overflow = true;
	blob_drop(b, victim);
	return true;
}

static bool share_used_up(const struct gossip *g, const struct blob_owner *owner)
{
	return owner != NULL && owner->until > g->now + (owner->lists ? LIST_SHARE_BURST : SHARE_BURST) &&
	       defence_on(g, DEFENCE_BLOB_GROWTH);
}

void blob_share_use(struct gossip *g, struct blob_owner *owner)
{
	if (owner != NULL)
		owner->until = (owner->until > g->now ? owner->until : g->now) +
			       (owner->lists ? LIST_SHARE_MS : SHARE_MS);
}

/* --- wanting --- */

void blob_want(struct gossip *g, const struct id *id, struct member *hint, struct blob_owner *owner,
	       uint8_t depth)
{
	struct blob *b = g->blob;
	if (id_is_zero(id) || idset_has(&b->present, id) || blob_find(b, id) != NULL)
		return;
	if (owner_full(g, owner) || share_used_up(g, owner)) {
		b->given_up = true;
		return;
	}
	if (b->count == b->cap && !grow(b) && !make_room(g, owner)) {
		b->overflow = true;
		return;
	}
	if (b->count == 0)
		b->next_at = UINT64_MAX;
	bool again = owner != NULL && owner->vain;
	b->wanted[b->count++] = (struct wanted){.id = *id,
						.hint = hint == g->self ? NULL : hint,
						.owner = owner,
						.since = g->now,
						.until = g->now + (again ? BLOB_AGAIN_MS : BLOB_VAIN_MS),
						.next_at = g->now,
						.again = again,
						.depth = depth};
	if (owner != NULL)
		owner->wanted++;
	blob_wake(b, g->now);
}

void blob_want_children(struct gossip *g, const uint8_t *list, size_t len, struct member *hint,
			struct blob_owner *owner, uint8_t depth)
{
	const uint8_t *ids = NULL;
	size_t count = 0;
	if (blob_list(list, len, &ids, &count) != ERR_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		blob_want(g, &child, hint, owner, depth);
	}
}

size_t blob_missing(const struct blob *b, const uint8_t *list, size_t len)
{
	const uint8_t *ids = NULL;
	size_t count = 0, missing = 0;
	if (blob_list(list, len, &ids, &count) != ERR_OK)
		return 0;
	for (size_t i = 0; i < count; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		missing += !idset_has(&b->present, &child);
	}
	return missing;
}

/* --- manifests --- */

/* Blobs that a manifest of so many entries may name: its chunks, and the lists above them. */
static uint16_t names_of(uint32_t entries)
{
	uint32_t leaves = LEAVES(entries < LIMIT_COMPONENTS ? entries : LIMIT_COMPONENTS);
	return (uint16_t)(leaves + leaves / LIMIT_BLOB_LIST + 1);
}

bool blob_allows(struct gossip *g, struct wanted *w, const uint8_t *list, size_t len)
{
	const uint8_t *ids = NULL;
	size_t count = 0;
	/* How many rows an operator lists, nobody promised; its share bounds it. */
	if (w->owner == NULL || w->owner->lists || !defence_on(g, DEFENCE_BLOB_GROWTH))
		return true;
	if (blob_list(list, len, &ids, &count) != ERR_OK || count > w->owner->names)
		return false;
	w->owner->names = (uint16_t)(w->owner->names - count);
	return true;
}

/* What others' manifests name too, reading their records again tells. */
void blob_forget(struct gossip *g, struct blob_owner *owner)
{
	struct blob *b = g->blob;
	for (size_t i = b->count; owner != NULL && i-- > 0;) {
		if (b->wanted[i].owner != owner)
			continue;
		blob_drop(b, &b->wanted[i]);
		b->overflow = true;
	}
}

/* Two hosts have one manifest: whoever claimed it first may have claimed it to be small. */
static void take_over(struct gossip *g, struct wanted *w, struct blob_owner *owner, uint16_t names)
{
	if (w->owner == NULL || w->owner->lists || w->owner == owner || w->list != NULL ||
	    share_used_up(g, owner) || (names <= w->owner->names && !share_used_up(g, w->owner)))
		return;
	w->owner->wanted--;
	w->owner = owner;
	owner->wanted++;
	owner->names = names;
}

/* At start most are: a look at where the manifest stands in the body (docs/protocol.md, kind 4, key 1) spares
 * decoding all of it. */
static bool loads_present(const struct gossip *g, const struct record *r)
{
	static const uint8_t head[] = {1, 0xc4, ID_BYTES};
	struct id id;
	if (!g->loading || r->body_len < 1 + sizeof head + ID_BYTES ||
	    memcmp(r->body + 1, head, sizeof head) != 0)
		return false;
	memcpy(id.b, r->body + 1 + sizeof head, ID_BYTES);
	return idset_has(&g->blob->present, &id);
}

struct blob_owner *blob_owner_of(struct gossip *g, const struct record_key *key)
{
	if (key->kind == RECORD_POLICY || key->kind == RECORD_INVENTORY)
		return operators_blobs(g, &key->writer);
	struct member *m = key->kind == RECORD_COMPONENTS ? member_find(g, &key->writer) : NULL;
	return m != NULL ? &m->blobs : NULL;
}

void blob_on_record(struct gossip *g, const struct record *r, struct member *from)
{
	if (r->key.kind == RECORD_COMPONENTS && loads_present(g, r))
		return;
	struct blob_owner *owner = blob_owner_of(g, &r->key);
	if (owner == NULL)
		return;
	owner->vain = false;
	blob_named(g, r, owner, from);
}

/* Each of an operator's records names a root of its own. */
static void list_named(struct gossip *g, const struct record *r, struct blob_owner *owner,
		       struct member *from)
{
	struct listing l;
	if (listing_decode(r->body, r->body_len, &l) == ERR_OK)
		blob_want(g, &l.root, from, owner, 0);
}

void blob_named(struct gossip *g, const struct record *r, struct blob_owner *owner, struct member *from)
{
	struct components c;
	if (owner->lists) {
		list_named(g, r, owner, from);
		return;
	}
	if (components_decode(r->body, r->body_len, &c) != ERR_OK)
		return;
	struct wanted *w = blob_find(g->blob, &c.manifest);
	if (w != NULL && w->owner == owner)
		return;
	blob_forget(g, owner); /* of its manifest before */
	w = blob_find(g->blob, &c.manifest);
	if (w != NULL) {
		take_over(g, w, owner, names_of(c.entry_count));
		return;
	}
	owner->names = names_of(c.entry_count);
	blob_want(g, &c.manifest, from, owner, 0);
}

void blob_give_up(struct gossip *g)
{
	struct blob *b = g->blob;
	for (size_t i = b->count; i-- > 0;) {
		if (b->wanted[i].owner == NULL || g->now < b->wanted[i].until ||
		    !defence_on(g, DEFENCE_BLOB_SHARE))
			continue;
		b->wanted[i].owner->vain = true;
		blob_drop(b, &b->wanted[i]);
		b->given_up = true;
		g->counters.blobs_given_up++;
	}
}

/* --- what the replica drops --- */

static int by_id(const void *a, const void *b)
{
	return id_compare(a, b);
}

static void keep(struct id *blobs, bool *kept, size_t count, const uint8_t *child)
{
	struct id id;
	memcpy(id.b, child, ID_BYTES);
	const struct id *found = bsearch(&id, blobs, count, sizeof *blobs, by_id);
	if (found != NULL)
		kept[found - blobs] = true;
}

size_t gossip_forget_blobs(struct gossip *g, struct id *blobs, size_t count)
{
	struct blob *b = g->blob;
	bool *kept = count > 0 ? calloc(count, sizeof *kept) : NULL;
	size_t forgotten = 0;
	if (kept == NULL)
		return 0;
	qsort(blobs, count, sizeof *blobs, by_id);
	for (size_t i = 0; i < b->count; i++) {
		const uint8_t *ids = NULL;
		size_t named = 0;
		keep(blobs, kept, count, b->wanted[i].id.b);
		if (b->wanted[i].list == NULL ||
		    blob_list(b->wanted[i].list, b->wanted[i].list_len, &ids, &named) != ERR_OK)
			continue;
		for (size_t k = 0; k < named; k++)
			keep(blobs, kept, count, ids + k * ID_BYTES);
	}
	for (size_t i = 0; i < count; i++) {
		if (kept[i])
			continue;
		idset_remove(&b->present, &blobs[i]);
		blobs[forgotten++] = blobs[i];
	}
	free(kept);
	return forgotten;
}
