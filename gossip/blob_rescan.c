/* What the table of wanted blobs had no room for, or what was given up: the records that name them are read
 * again, some at a time. */
#include "gossip/blob.h"

#define RESCAN_READS 64
#define PAUSE_MS     250
#define SLOW_MS      2000   /* while there is hardly room */
#define GAP_MS       5000   /* between two scans where there is room … */
#define FULL_MS      60000  /* … where there is not … */
#define AGAIN_MS     600000 /* … and for what was given up */

static void on_rescan(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	struct record r;
	(void)read;
	g->blob->rescanning--;
	if (bytes == NULL || record_parse(bytes, len, &r) != ERR_OK)
		return;
	struct blob_owner *owner = blob_owner_of(g, &r.key);
	if (owner != NULL && (g->blob->rescan_again || !owner->vain))
		blob_named(g, &r, owner, NULL);
}

/* Whether one begins now, or when. */
static bool rescan_begin(struct gossip *g)
{
	struct blob *b = g->blob;
	mono_ms wait = !b->overflow ? AGAIN_MS : b->count < BLOB_WANTED / 4 ? GAP_MS : FULL_MS;
	if (b->rescanned_at != 0 && g->now < b->rescanned_at + wait) {
		core_deadline(g, b->rescanned_at + wait);
		return false;
	}
	b->rescan_again = !b->overflow;
	b->overflow = b->given_up = false;
	b->rescan_at = 1;
	return true;
}

/* Reads of the next records. */
static void rescan_some(struct gossip *g)
{
	struct blob *b = g->blob;
	struct set_entry e;
	for (size_t looked = 0; b->rescanning < RESCAN_READS && looked < 16 * RESCAN_READS; looked++) {
		if (!set_at(g->set, b->rescan_at - 1, &e)) {
			b->rescan_at = 0;
			b->rescanned_at = g->now;
			return;
		}
		struct core_read ask = {.type = GOSSIP_READ_RECORD, .key = e.key, .done = on_rescan};
		if (blob_owner_of(g, &e.key) != NULL) {
			if (!core_read(g, &ask))
				break;
			b->rescanning++;
		}
		b->rescan_at++;
	}
	core_deadline(g, b->rescan_due);
}

void blob_rescan(struct gossip *g)
{
	struct blob *b = g->blob;
	if (b->rescan_at == 0 && !rescan_begin(g))
		return;
	if (b->rescanning > 0)
		return;
	/* Not within the step that brings the answers, or one event would read the whole set. */
	if (g->now < b->rescan_due) {
		core_deadline(g, b->rescan_due);
		return;
	}
	b->rescan_due = g->now + (b->count > BLOB_WANTED / 2 ? SLOW_MS : PAUSE_MS);
	rescan_some(g);
}
