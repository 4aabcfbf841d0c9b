/* Changes of msgpack that leave it well-formed: an element more or less with its count, another value in a
 * place. Bytes changed at random seldom do both at once, and what does not is refused before a decoder sees
 * it. */
#ifndef MESH_TESTS_FUZZ_MUTATE_H
#define MESH_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"

/* Changes the value that `data` (of `cap` bytes, `len` used) begins with; what follows it is kept. Returns
 * the new length; `len` where nothing could be changed. */
size_t mutate_msgpack(struct prng *p, uint8_t *data, size_t len, size_t cap);

/* Of the target: where msgpack begins in an input; `len` when nowhere. */
size_t fuzz_body_at(const uint8_t *data, size_t len);

#endif
