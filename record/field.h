/* Fields of a record body: a msgpack map with integer keys whose values are numbers, texts, binaries, lists,
 * or, where a host could not read one, the reason as a negative integer (docs/protocol.md section 1).
 *
 * Both sides have a sticky error, so that an encoder or decoder is a list of its fields and one check at the
 * end. Keys are put in ascending order. */
#ifndef MESH_RECORD_FIELD_H
#define MESH_RECORD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/mp.h"
#include "base/reading.h"

/* Largest value that has four bytes on the wire: counts, seconds, days. */
#define FIELD_U32 UINT32_MAX

struct field_writer {
	struct mp_writer w;
	size_t count;
	enum err err;
	uint8_t data[LIMIT_RECORD_BODY_BYTES];
};

/* `f` must not move until field_finish. */
void field_begin(struct field_writer *f);
void field_put_u64(struct field_writer *f, uint64_t key, uint64_t value, uint64_t max);
/* Left out when unknown. */
void field_put_reading(struct field_writer *f, uint64_t key, const struct reading_u64 *r, uint64_t max);
void field_put_reading_text(struct field_writer *f, uint64_t key, const struct reading_text *r, size_t max);
/* Left out when empty. `max` is in bytes, without the terminator. */
void field_put_text(struct field_writer *f, uint64_t key, const char *text, size_t max);
void field_put_bin(struct field_writer *f, uint64_t key, const void *data, size_t len);
/* Eight bytes that start an id. */
void field_put_short(struct field_writer *f, uint64_t key, uint64_t id);
/* The key alone: the value's parts follow. */
void field_put_status(struct field_writer *f, uint64_t key, enum reading_status status);
/* Starts a list of `count` items; left out (false) when there are none. */
bool field_put_list(struct field_writer *f, uint64_t key, size_t count, size_t max);
bool field_put_map(struct field_writer *f, uint64_t key, size_t count, size_t max);
/* Inside a list or map. */
void field_item_u64(struct field_writer *f, uint64_t value, uint64_t max);
void field_item_text(struct field_writer *f, const char *text, size_t max);
void field_item_short(struct field_writer *f, uint64_t id);
void field_item_bin(struct field_writer *f, const void *data, size_t len);
void field_item_tuple(struct field_writer *f, size_t count);
void field_item_status(struct field_writer *f, enum reading_status status);
/* Writes the map into `ret` (`cap` bytes). ERR_RANGE when a field or the whole was beyond its limit. */
enum err field_finish(struct field_writer *f, uint8_t *ret, size_t cap, size_t *ret_len);

struct field_reader {
	struct mp_doc doc;
	const msgpack_object *map;
	enum err err;
};

/* Close with field_close, also after a failure. A missing field leaves its output. */
void field_open(struct field_reader *f, const uint8_t *data, size_t len, size_t max);
enum err field_close(struct field_reader *f);
/* Sets the error, if none is set yet. */
void field_fail(struct field_reader *f, enum err err);

void field_get_u64(struct field_reader *f, uint64_t key, uint64_t max, uint64_t *ret);
void field_get_u32(struct field_reader *f, uint64_t key, uint32_t max, uint32_t *ret);
void field_get_reading(struct field_reader *f, uint64_t key, uint64_t max, struct reading_u64 *ret);
void field_get_reading_text(struct field_reader *f, uint64_t key, size_t max, struct reading_text *ret);
/* `cap` counts the terminator. */
void field_get_text(struct field_reader *f, uint64_t key, char *ret, size_t cap);
void field_get_short(struct field_reader *f, uint64_t key, uint64_t *ret);
/* Exactly `len` bytes. */
void field_get_bin(struct field_reader *f, uint64_t key, void *ret, size_t len);
/* As field_get_bin, or why there is no value. */
void field_get_reading_bin(struct field_reader *f, uint64_t key, void *ret, size_t len,
			   enum reading_status *ret_status);
/* Points into the body; NULL and 0 when missing. */
void field_get_bin_ref(struct field_reader *f, uint64_t key, size_t max, const uint8_t **ret,
		       size_t *ret_len);
/* NULL, and a count of 0, when missing or in error. */
const msgpack_object *field_get_list(struct field_reader *f, uint64_t key, size_t max, size_t *ret_count);
/* Map with small integer keys. */
const msgpack_object *field_get_map(struct field_reader *f, uint64_t key, size_t *ret_count);
bool field_has(const struct field_reader *f, uint64_t key);

/* Elements of a list; NULL is ERR_FORMAT. */
void field_read_u64(struct field_reader *f, const msgpack_object *o, uint64_t max, uint64_t *ret);
void field_read_u32(struct field_reader *f, const msgpack_object *o, uint32_t max, uint32_t *ret);
void field_read_text(struct field_reader *f, const msgpack_object *o, char *ret, size_t cap);
void field_read_short(struct field_reader *f, const msgpack_object *o, uint64_t *ret);
/* The element, checked to be an array of exactly `count`; NULL otherwise. */
const msgpack_object *field_read_tuple(struct field_reader *f, const msgpack_object *list, size_t index,
				       size_t count);
/* A status, where 1 says "readable". */
void field_read_status(struct field_reader *f, const msgpack_object *o, enum reading_status *ret);

#endif
