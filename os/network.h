/* The machine's own addresses. */
#ifndef MESH_OS_NETWORK_H
#define MESH_OS_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct os_network_address {
	uint8_t bytes[16];
	uint8_t len; /* 4 or 16 */
};

/* Of interfaces that are up, in the system's order; loopback and link-local ones are left out, because they
 * say nothing of where the machine is. At most `cap`. ERR_IO. */
enum err os_network_addresses(struct os_network_address *ret, size_t cap, size_t *ret_count,
			      struct err_info *info);

#endif
