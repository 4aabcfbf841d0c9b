/* What the vectors are about, and the file they are written to. */
#ifndef MESH_TESTS_VECTORS_WORLD_H
#define MESH_TESTS_VECTORS_WORLD_H

#include <stdio.h>

#include "crypto/hello.h"
#include "tests/unit/crypto_fixture.h"

struct world {
	struct fixture f;
	struct identity *operator_, *next; /* next: whom the rotation names */
	struct hello_transcript hello; /* of datagrams.txt */
	uint8_t reply_signature[SIGNATURE_BYTES], finish_signature[SIGNATURE_BYTES];
	const char *folder;
	FILE *out;
};

void out_begin(struct world *w, const char *file, const char *title);
void out_end(struct world *w);
void out_comment(struct world *w, const char *text);
void out_bytes(struct world *w, const void *data, size_t len, const char *name, ...)
    __attribute__((format(printf, 4, 5)));
/* Big-endian, in so many bytes. */
void out_number(struct world *w, uint64_t v, size_t bytes, const char *name, ...)
    __attribute__((format(printf, 4, 5)));

/* messages.c: messages.txt. The log has grown and the hello is signed. */
void write_messages(struct world *w);
/* sketch.c: sketch.txt. */
void write_sketch(struct world *w);

#endif
