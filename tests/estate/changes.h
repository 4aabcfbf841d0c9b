/* A host's list of components, and what changed in it of late. Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_CHANGES_H
#define MESH_TESTS_ESTATE_CHANGES_H

#include "tests/estate/world.h"

void changes_list(const struct estate *e, const struct host *h, wall_ms until, struct components *ret);

#endif
