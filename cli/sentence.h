/* A paragraph that is put together piece by piece; what does not fit is cut. */
#ifndef MESH_CLI_SENTENCE_H
#define MESH_CLI_SENTENCE_H

#include <stddef.h>

#define SENTENCE_BYTES 1600

struct sentence {
	char text[SENTENCE_BYTES]; /* zero it first */
	size_t len;
};

void sentence_add(struct sentence *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
