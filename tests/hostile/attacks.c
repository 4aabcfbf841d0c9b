#include "tests/hostile/attacks.h"

const struct attack *attack_at(size_t index)
{
	const struct attack *const groups[] = {attacks_records, attacks_liveness, attacks_datagrams,
					       attacks_digests, attacks_sketch,   attacks_trust,
					       attacks_bytes};
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (const struct attack *a = groups[i]; a->name != NULL; a++)
			if (index-- == 0)
				return a;
	return NULL;
}
