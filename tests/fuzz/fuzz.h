/* A fuzz target is a file that defines LLVMFuzzerTestOneInput. With -Dfuzz=true libFuzzer drives it;
 * otherwise driver.c does, over the committed corpus and a number of seeded mutations.
 *
 * Macs, checksums and signatures stop mutated input early. So the first byte of an input is the target's
 * mode: 0 takes the rest as it is, others put right what only a key holder could, or go straight to a
 * decoder. */
#ifndef MESH_TESTS_FUZZ_FUZZ_H
#define MESH_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_INPUT_BYTES 8192
#define FUZZ_SEED        7u /* of the estate that targets and corpus share */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum fuzz_mode {
	FUZZ_AS_IS = 0,
	FUZZ_PUT_RIGHT = 1,
	/* datagram: seal the rest and open it again */
	FUZZ_SEAL = 2,
	/* datagram: type, then a message as it stands inside the seal */
	FUZZ_MESSAGE = 3,
	/* key file: sealed under a passphrase */
	FUZZ_SEALED = 2,
	/* log: several entries, each after any of those before it */
	FUZZ_BRANCHES = 2,
	/* blob: a component entry; a manifest of the blobs in the input */
	FUZZ_ENTRY = 1,
	FUZZ_MANIFEST = 2,
	/* csv: an inventory; a policy */
	FUZZ_INVENTORY = 0,
	FUZZ_POLICY = 1,
};

#endif
