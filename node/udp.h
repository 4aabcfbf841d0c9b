/* The node's one UDP socket on libuv. Nothing is queued: a datagram the system does not take at once is lost,
 * as the network might have lost it, and counted. A flood is taken in many at a time. */
#ifndef MESH_NODE_UDP_H
#define MESH_NODE_UDP_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/err.h"
#include "record/body.h"

struct udp;

/* `bytes` is valid during the call. Datagrams longer than LIMIT_DATAGRAM_BYTES never get here. */
typedef void (*udp_receive)(void *context, const struct address *from, const uint8_t *bytes, size_t len);

/* ERR_BUSY (port taken: says which and what to do), ERR_ARG (not an address of this host), ERR_DENIED. */
enum err udp_open(uv_loop_t *loop, const struct address *listen, udp_receive receive, void *context,
		  struct udp **ret, struct err_info *info);
void udp_send(struct udp *udp, const struct address *to, const uint8_t *bytes, size_t len);

/* Address in force (a port 0 was chosen by the system). */
void udp_address(const struct udp *udp, struct address *ret);
/* Addresses others may reach this host at: the one listened on, or those of its interfaces, with the port. */
size_t udp_reachable(const struct udp *udp, struct address *ret, size_t cap);

struct udp_counters {
	uint64_t not_sent; /* refused by the system */
	uint64_t too_long; /* received, longer than any datagram of ours */
};
struct udp_counters udp_counters(const struct udp *udp);

/* Frees it once the loop has run. NULL is fine. */
void udp_close(struct udp *udp);

#endif
