/* libFuzzer's hook: every second change is one of msgpack, where the target says that there is some. */
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t cap);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t cap, unsigned seed)
{
	struct prng p;
	prng_seed(&p, seed);
	size_t at = fuzz_body_at(data, len);
	if (at >= len || prng_below(&p, 2) == 0)
		return LLVMFuzzerMutate(data, len, cap);
	return at + mutate_msgpack(&p, data + at, len - at, cap - at);
}
