/* A message as it stands inside a datagram's seal (docs/protocol.md section 7). */
#ifndef MESH_TESTS_FUZZ_MESSAGE_H
#define MESH_TESTS_FUZZ_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

/* First byte: type; the rest: the message. There is one encoding of what a message says, so what decodes must
 * encode to the same bytes, but for flags that are not stated. */
void message_check(const uint8_t *data, size_t len);

#endif
