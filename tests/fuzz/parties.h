/* Two nodes of the fuzz estate that know each other's exchange keys. */
#ifndef MESH_TESTS_FUZZ_PARTIES_H
#define MESH_TESTS_FUZZ_PARTIES_H

#include "tests/unit/crypto_fixture.h"

struct parties {
	struct fixture f;
	struct id id_a, id_b;
	struct keyring *a, *b;
};

/* The same keys at each call. */
void parties_make(struct parties *p);
void parties_free(struct parties *p);

#endif
