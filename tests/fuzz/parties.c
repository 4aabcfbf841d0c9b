#include "tests/fuzz/parties.h"

#include "base/check.h"
#include "tests/fuzz/fuzz.h"

void parties_make(struct parties *p)
{
	fixture_make(&p->f, FUZZ_SEED);
	p->id_a = *identity_id(p->f.host);
	p->id_b = *identity_id(p->f.other);
	CHECK(keyring_new(&p->id_a, &p->f.keys, &p->f.rng, FIXTURE_DAY, &p->a) == ERR_OK);
	CHECK(keyring_new(&p->id_b, &p->f.keys, &p->f.rng, FIXTURE_DAY, &p->b) == ERR_OK);
	CHECK(keyring_learn(p->a, &p->id_b, FIXTURE_DAY, keyring_public(p->b), false) == ERR_OK);
	CHECK(keyring_learn(p->b, &p->id_a, FIXTURE_DAY, keyring_public(p->a), false) == ERR_OK);
}

void parties_free(struct parties *p)
{
	keyring_free(p->a);
	keyring_free(p->b);
	fixture_release(&p->f);
}
