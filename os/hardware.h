/* What identifies the machine under the operating system, so that it is known again after it was installed
 * anew. Not the machine id: an installation makes a new one, and clones of an image share one. */
#ifndef MESH_OS_HARDWARE_H
#define MESH_OS_HARDWARE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OS_HARDWARE_BYTES 128

/* Identifying text without a terminator, to be hashed, never shown (docs/protocol.md section 3). Of the first
 * source that has one: DMI product UUID, DMI serial numbers, the device tree's serial number, else the lowest
 * address that a physical network card has for good. Well-known fillers ("To be filled by O.E.M.", all
 * zeroes, all ff) count for nothing. `root` is put in front of all paths, "" in production. ERR_NOT_FOUND:
 * nothing identifies it, or it is a container, which sees its host's; ERR_DENIED: what would may not be read.
 */
enum err os_hardware_id(const char *root, uint8_t ret[OS_HARDWARE_BYTES], size_t *ret_len);

#endif
