/* 16-byte identifiers of keys (hosts, issuers, operators), sites, blobs and the estate. */
#ifndef MESH_CRYPTO_ID_H
#define MESH_CRYPTO_ID_H

#include <stdbool.h>
#include <stdint.h>

#define ID_BYTES     16
#define ID_HEX_BYTES 33
#define KEY_BYTES    32

struct id {
	uint8_t b[ID_BYTES];
};

bool id_equal(const struct id *a, const struct id *b);
int id_compare(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);
/* 32 hexadecimal digits. */
void id_hex(const struct id *id, char ret[ID_HEX_BYTES]);
bool id_unhex(struct id *ret, const char *text);
/* First 8 bytes as an integer: the short id of lists and partitions. */
uint64_t id_short(const struct id *id);

/* docs/protocol.md section 1. */
struct id id_of_key(const uint8_t public_key[KEY_BYTES]);
struct id id_of_site(const char *name);

#endif
