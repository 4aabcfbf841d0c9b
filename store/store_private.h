/* Doors for tests: a smaller map, and a chosen backend. */
#ifndef MESH_STORE_PRIVATE_H
#define MESH_STORE_PRIVATE_H

#include "store/backend.h"
#include "store/store.h"

/* Takes the backend over, also on failure. */
enum err store_over(struct backend *backend, struct store **ret);

#endif
