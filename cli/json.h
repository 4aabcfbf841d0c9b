/* JSON to a stream: one value a line at the outer level, everything escaped. Keys are ours, values are
 * hostile. */
#ifndef MESH_CLI_JSON_H
#define MESH_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH 8

struct json {
	FILE *f;
	unsigned depth;
	bool filled[JSON_DEPTH + 1]; /* whether this level has an element already */
};

/* In arrays, and for the outermost value, `key` is NULL. */
void json_begin_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_begin_array(struct json *j, const char *key);
void json_end_array(struct json *j);
/* Elements of the arrays and objects of one line stand on it; a new line is begun before this element. */
void json_new_line(struct json *j);

void json_null(struct json *j, const char *key);
void json_bool(struct json *j, const char *key, bool v);
void json_i64(struct json *j, const char *key, int64_t v);
void json_u64(struct json *j, const char *key, uint64_t v);
/* null when not finite: JSON has no such numbers. */
void json_real(struct json *j, const char *key, double v);
/* Invalid UTF-8 becomes U+FFFD; control, C1 and bidirectional characters are written as \uNNNN. */
void json_text(struct json *j, const char *key, const char *text, size_t len);
void json_string(struct json *j, const char *key, const char *text); /* NULL gives null */

#endif
