/* DIR/truth.json: what really happened, for tests and figures (README.md). Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_TRUTH_H
#define MESH_TESTS_ESTATE_TRUTH_H

#include "tests/estate/world.h"

const char *truth_fate_name(enum fate fate);
enum err truth_write(struct estate *e);

#endif
