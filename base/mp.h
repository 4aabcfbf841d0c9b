/* msgpack for hostile bytes: a strict pre-scan before msgpack-c sees them, and typed access after.
 *
 * The pre-scan accepts one canonical encoding only: smallest integer and length forms (except where
 * docs/protocol.md fixes a width, which crypto/record.h checks itself), no floats, no extension types, map
 * keys that are non-negative integers in ascending order, nesting up to LIMIT_MSGPACK_DEPTH, element counts
 * that the bytes left can hold, nothing after the end. So five bytes that announce four billion elements cost
 * nothing, and two encodings of one value cannot exist. */
#ifndef MESH_BASE_MP_H
#define MESH_BASE_MP_H

#include <msgpack/object.h>
#include <msgpack/pack.h>
#include <msgpack/unpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Pre-scan of one value. ERR_SHORT, ERR_TRAILING or ERR_FORMAT. */
enum err mp_check(const uint8_t *data, size_t len);

/* As mp_check, but bytes may follow; returns the value's length. */
enum err mp_check_prefix(const uint8_t *data, size_t len, size_t *ret_len);

struct mp_doc {
	msgpack_unpacked unpacked;
};

/* Pre-scan, then unpack. The document copies nothing of `data`: strings and binaries point into it, so
 * `data` must outlive the document. Close it with mp_close. */
enum err mp_open(struct mp_doc *doc, const uint8_t *data, size_t len);
void mp_close(struct mp_doc *doc);
const msgpack_object *mp_root(const struct mp_doc *doc);

/* Value of an integer key; NULL when `map` is no map or has no such key. */
const msgpack_object *mp_get(const msgpack_object *map, uint64_t key);
/* Element of an array; NULL when `array` is none or is shorter. */
const msgpack_object *mp_at(const msgpack_object *array, size_t index);
/* Number of elements; 0 when `array` is none (or NULL). */
size_t mp_count(const msgpack_object *array);
/* Each returns false, and leaves its outputs, when `o` is NULL or has another type or is out of range. */
bool mp_u64(const msgpack_object *o, uint64_t max, uint64_t *ret);
bool mp_i64(const msgpack_object *o, int64_t *ret);
bool mp_bool(const msgpack_object *o, bool *ret);
/* Copies up to cap-1 bytes and terminates; false when longer, or when it holds a zero byte. */
bool mp_str(const msgpack_object *o, char *ret, size_t cap);
/* Copies exactly `len` bytes of a binary. */
bool mp_bin(const msgpack_object *o, void *ret, size_t len);
bool mp_bin_ref(const msgpack_object *o, const uint8_t **ret, size_t *ret_len);

/* Writes into a fixed buffer; `failed` is sticky. */
struct mp_writer {
	msgpack_packer packer;
	uint8_t *data;
	size_t cap;
	size_t len;
	bool failed;
};

/* `w` must not move between its calls (the packer points to it). */
void mp_writer_init(struct mp_writer *w, void *data, size_t cap);
void mp_put_map(struct mp_writer *w, size_t count);
void mp_put_array(struct mp_writer *w, size_t count);
void mp_put_u64(struct mp_writer *w, uint64_t v);
void mp_put_i64(struct mp_writer *w, int64_t v);
void mp_put_bool(struct mp_writer *w, bool v);
void mp_put_str(struct mp_writer *w, const char *text);
void mp_put_bin(struct mp_writer *w, const void *data, size_t len);
/* Bytes that are msgpack already. */
void mp_put_raw(struct mp_writer *w, const void *data, size_t len);

#endif
