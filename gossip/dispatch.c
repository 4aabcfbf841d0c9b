/* Each datagram to the module that its type belongs to.
 *
 * Fails: what is not let in is counted and dropped (filter.c); a type that is not known is dropped. */
#include "gossip/blob.h"
#include "gossip/core.h"
#include "gossip/logsync.h"
#include "gossip/standing.h"
#include "gossip/sync.h"

static void dispatch_paired(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct member *m = member_find(g, &d->source);

	if (!m || m == g->self || !standing_talks(m)) {
		g->counters.dropped_source++;
		return;
	}
	if (m->site->cut) {
		g->counters.dropped_drill++;
		return;
	}
	if (!filter_allows(g, m))
		return;
	if (member_proven_at(m, from))
		g->asker_left = SIZE_MAX;
	member_heard(g, m, from);
	switch (d->type) {
	case WIRE_PING:
	case WIRE_ACK:
	case WIRE_PING_REQ:
	case WIRE_PING_ACK:
	case WIRE_SUSPECT:
		probe_on_message(g, m, from, d);
		break;
	case WIRE_ROLLCALL_PULL:
		rollcall_on_pull(g, m, d);
		break;
	case WIRE_PUSH:
	case WIRE_ANNOUNCE:
	case WIRE_PULL:
	case WIRE_RECORDS:
		spread_on_message(g, m, d);
		break;
	case WIRE_SYNC_ROOTS:
	case WIRE_SYNC_NODE:
	case WIRE_SYNC_LEAF:
		sync_on_message(g, m, d);
		break;
	case WIRE_SKETCH_PULL:
	case WIRE_SKETCH:
	case WIRE_SKETCH_OFFER:
		sync_sketch_on_message(g, m, d);
		break;
	case WIRE_LOG_PULL:
	case WIRE_LOG_ENTRIES:
		logsync_on_message(g, m, from, d);
		break;
	case WIRE_BLOB_PULL:
	case WIRE_BLOBS:
		blob_on_message(g, m, d);
		break;
	default: /* docs/protocol.md section 11: a type that is not known is dropped */
		g->counters.dropped_schema++;
	}
}

static void dispatch_hello(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct member *m = member_find(g, &d->source);

	if (m && m->site->cut) {
		g->counters.dropped_drill++;
		return;
	}
	switch (d->type) {
	case WIRE_HELLO:
	case WIRE_HELLO_REPLY:
	case WIRE_HELLO_FINISH:
	case WIRE_COOKIE:
		hello_on_message(g, from, d);
		break;
	case WIRE_LOG_PULL:
		if (!hello_log_allows(g))
			return;
		__attribute__((fallthrough));
	case WIRE_LOG_ENTRIES:
		logsync_on_message(g, NULL, from, d);
		break;
	case WIRE_BEACON: /* boot beacons are later work */
		break;
	default:
		g->counters.dropped_schema++;
	}
}

void core_on_datagram(struct gossip *g, const struct gossip_event *event)
{
	const struct address *from = &event->datagram.from;
	struct datagram d;

	g->asker = *from;
	g->asker_left = event->datagram.len;
	g->counters.datagrams_in++;
	g->counters.bytes_in += event->datagram.len;
	enum err err = filter_open(g, event->datagram.bytes, event->datagram.len, &d);

	if (!err && d.paired) {
		dispatch_paired(g, from, &d);
	} else if (!err) {
		dispatch_hello(g, from, &d);
	} else if (err == ERR_UNKNOWN_SOURCE || err == ERR_SEAL) {
		/* Someone of the estate: one of us may have lost the other's key. */
		struct id source = keyring_source(event->datagram.bytes);

		hello_on_unknown(g, &source, from);
	}
}
