/* Feeds the protocol core and carries out its updates, in the order gossip/gossip.h demands. The only place
 * where core, replica, socket and seq file meet. */
#ifndef MESH_NODE_DRIVER_H
#define MESH_NODE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "crypto/credentials.h"
#include "gossip/gossip.h"
#include "node/committer.h"
#include "node/poison.h"
#include "node/udp.h"
#include "store/store.h"

struct driver;

/* All are kept by reference and outlive the driver. */
struct driver_options {
	const struct credentials *credentials;
	struct store *store;
	struct committer *committer;
	struct udp *udp;
	const struct log *log;
	const char *seq_path;
	const char *authority_log_path;
	const struct address *seeds;
	size_t seed_count;
	uint64_t instance;
	const struct poison *poison;
};

/* Loads what the replica holds and finds the seq to go on from. ERR_NOMEM, why the own certificate does not
 * verify, or why the seq file can't be read or written. */
enum err driver_new(const struct driver_options *options, struct driver **ret, struct err_info *info);
void driver_free(struct driver *d); /* NULL is fine */

/* When driver_tick is due. */
mono_ms driver_due(const struct driver *d);
void driver_tick(struct driver *d, mono_ms now);
/* False: nobody of the estate made it, so it was counted and nothing else was done. */
bool driver_datagram(struct driver *d, const struct address *from, const uint8_t *bytes, size_t len);
/* Publish a record or a blob of this host. */
enum err driver_publish(struct driver *d, uint8_t kind, enum gossip_urgency urgency, const uint8_t *body,
			size_t len);
enum err driver_publish_blob(struct driver *d, const uint8_t *bytes, size_t len);
/* Hand in an entry of the authority log or a blob of an allow-list, and make it durable. As the verb "log" of
 * node/control.h. */
enum err driver_log(struct driver *d, const uint8_t *bytes, size_t len);
/* Hand in a record that an operator signed, or a blob that one waits for. As the verb "submit". */
enum err driver_submit(struct driver *d, const uint8_t *bytes, size_t len);
void driver_drill(struct driver *d, const char *site, bool cut);
/* Say goodbye. Nothing may be stepped afterwards. */
void driver_leave(struct driver *d, enum goodbye_reason reason);
/* gossip_forget_blobs: those whose rows may go come first. */
size_t driver_forget_blobs(struct driver *d, struct id *blobs, size_t count);
/* Ask for a commit, which renews the replica's age although nothing happened. */
void driver_stamp(struct driver *d);

const struct gossip *driver_gossip(const struct driver *d);
/* Why the seq file could not be written, "" when it could; nothing is sent meanwhile. */
const char *driver_error(const struct driver *d);

struct driver_load {
	uint64_t records, refused, blobs;
	uint64_t seq_start;
	bool seq_jumped;
};
const struct driver_load *driver_load_report(const struct driver *d);

#endif
