/* Test vectors: files of lines `name = hexadecimal`, `#` for comments (docs/protocol.md section 12). */
#ifndef MESH_TESTS_VECTORS_VECTORS_H
#define MESH_TESTS_VECTORS_VECTORS_H

#include "crypto/rng.h"

#include <stddef.h>
#include <stdint.h>

struct vectors;

/* From the source tree; a file that is missing or malformed ends the program. */
struct vectors *vectors_load(const char *file);
void vectors_free(struct vectors *v);
/* A name that is missing ends the program. */
const uint8_t *vectors_get(const struct vectors *v, const char *name, size_t *ret_len);
/* The name is made as printf makes it; a value of another length ends the program. */
const uint8_t *vectors_sized(const struct vectors *v, size_t len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Big-endian, one to eight bytes. */
uint64_t vectors_u64(const struct vectors *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands out given bytes, so that keys and nonces of the vectors can be drawn again. */
struct scripted_rng {
	const uint8_t *bytes;
	size_t left;
};
struct crypto_rng scripted_rng(struct scripted_rng *state);

#endif
