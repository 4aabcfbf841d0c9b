/* What the table of wanted blobs had no room for: the records that name them are read again, some at a time.
 */
#include "gossip/blob.h"

#define RESCAN_READS 64
#define PAUSE_MS     250

static void on_rescan(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	struct record r;
	(void)read;
	g->blob->rescanning--;
	if (bytes != NULL && record_parse(bytes, len, &r) == ERR_OK)
		blob_on_record(g, &r, NULL);
}

/* Read the components records again, some at a time, for what the table had no room for. */
void blob_rescan(struct gossip *g)
{
	struct blob *b = g->blob;
	struct set_entry e;
	if (b->overflow && b->rescan_at == 0 && b->count < BLOB_WANTED / 4) {
		b->overflow = false;
		b->rescan_at = 1;
	}
	if (b->rescan_at == 0 || b->rescanning > 0 || b->count > BLOB_WANTED / 2)
		return;
	/* Not within the step that brings the answers, or one event would read the whole set. */
	if (g->now < b->rescan_due) {
		core_deadline(g, b->rescan_due);
		return;
	}
	b->rescan_due = g->now + PAUSE_MS;
	size_t looked = 0;
	for (; b->rescanning < RESCAN_READS && looked < 16 * RESCAN_READS; looked++) {
		if (!set_at(g->set, b->rescan_at - 1, &e)) {
			b->rescan_at = 0;
			return;
		}
		struct core_read ask = {.type = GOSSIP_READ_RECORD, .key = e.key, .done = on_rescan};
		if (e.key.kind == RECORD_COMPONENTS) {
			if (!core_read(g, &ask))
				break;
			b->rescanning++;
		}
		b->rescan_at++;
	}
	core_deadline(g, b->rescan_due);
}
