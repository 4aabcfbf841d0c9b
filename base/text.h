/* Text helpers. Strings from other hosts are attacker-controlled: escape before a terminal sees them. */
#ifndef MESH_BASE_TEXT_H
#define MESH_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies with truncation, always terminates (cap >= 1). Returns false when it was cut. */
bool text_copy(char *ret, size_t cap, const char *from);

/* Replaces control bytes, DEL, invalid UTF-8, C1 controls, bidirectional overrides and characters that show
 * nothing by \xNN or \u{NNNN}. Escaping twice is escaping once.
 * Always terminates; returns the length written. */
size_t text_escape(char *ret, size_t cap, const char *from, size_t len);

/* Bytes of the well-formed UTF-8 character at `text` (RFC 3629), 0 when there is none. */
size_t text_utf8(const char *text, size_t len, uint32_t *ret_character);
/* Characters that could drive a terminal or make text read as something it is not. */
bool text_is_unsafe(uint32_t character);

/* Lower-case hexadecimal, needs 2 * len + 1 bytes. */
void text_hex(char *ret, const uint8_t *bytes, size_t len);
/* False unless `text` is exactly 2 * len hexadecimal digits. */
bool text_unhex(uint8_t *ret, size_t len, const char *text);

/* Damerau-Levenshtein distance, for "did you mean"; texts longer than 63 bytes count as far away. */
unsigned text_distance(const char *a, const char *b);

/* Decimal number within min..max, whole string; false otherwise. */
bool text_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
