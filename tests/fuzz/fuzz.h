/* A fuzz target is a file that defines LLVMFuzzerTestOneInput. With -Dfuzz=true libFuzzer drives it;
 * otherwise driver.c does, over the committed corpus and a number of seeded mutations.
 *
 * Macs, checksums and signatures stop mutated input early. So the first byte of an input is the target's
 * mode: 0 takes the rest as it is, others put right what only a key holder could. */
#ifndef MESH_TESTS_FUZZ_FUZZ_H
#define MESH_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_INPUT_BYTES 8192
#define FUZZ_SEED        7u /* of the estate that targets and corpus share */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum fuzz_mode { FUZZ_AS_IS = 0, FUZZ_PUT_RIGHT = 1, FUZZ_KEY_FILE = 2, FUZZ_MODES = 3 };

#endif
