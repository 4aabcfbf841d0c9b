/* All attacks, by what they are aimed at. */
#ifndef MESH_TESTS_HOSTILE_ATTACKS_H
#define MESH_TESTS_HOSTILE_ATTACKS_H

#include "tests/hostile/trial.h"

extern const struct attack attacks_records[]; /* the gate for records */
extern const struct attack attacks_liveness[];
extern const struct attack attacks_datagrams[];
extern const struct attack attacks_digests[];
extern const struct attack attacks_sketch[];
extern const struct attack attacks_trust[];
extern const struct attack attacks_bytes[];

/* NULL behind the last. */
const struct attack *attack_at(size_t index);

#endif
