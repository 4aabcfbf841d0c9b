/* A strict reader of JSON (RFC 8259), for tests only: says where text stops being JSON. */
#ifndef MESH_TESTS_CLI_JSON_CHECK_H
#define MESH_TESTS_CLI_JSON_CHECK_H

#include <stddef.h>

/* Bytes of one value with white space around it, or -1 minus the offset at which it is wrong. Strings must be
 * valid UTF-8 without control characters, also C1 and bidirectional ones; keys of one object must differ. */
long json_check(const char *text, size_t len);

#endif
