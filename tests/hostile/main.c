/* mesh-hostile: each attack is tried twice, against all defences, where its promise must hold, and without
 * the one that is there for it, where the promise must break. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/hostile/attacks.h"

static const char *const defences[] = {
#define DEFENCE_TEXT(symbol, what) what,
    DEFENCE_TABLE(DEFENCE_TEXT)
#undef DEFENCE_TEXT
};

static const char *defence_text(const struct attack *a)
{
	return a->defence < DEFENCE_COUNT ? defences[a->defence]
					  : "below gossip/: the library alone breaks it";
}

/* Who stands where is drawn: in one world in a few an attack finds nobody to try it on, or does no harm even
 * without its defence. Then the next one is tried; a promise that breaks is never excused. */
#define DRAWS 8

enum verdict { AS_IT_MUST, BROKE, NOTHING_SHOWN };

static enum verdict try_one(const struct attack *a, uint64_t seed, bool weak)
{
	struct trial t = {.seed = seed, .weakened = !weak ? 0 : 1};
	if (weak && a->defence < DEFENCE_COUNT)
		t.weakened = 1ull << a->defence;
	a->run(&t);
	if (!t.vain && !t.broken && t.w != NULL && t.w->failed) {
		t.broken = true;
		text_copy(t.how, sizeof(t.how), t.w->failure);
	}
	trial_free(&t);
	if (t.vain)
		printf("vain    %s, %s, seed %" PRIu64 ": the attack did not take place: %s\n", a->name,
		       weak ? "weakened" : "defended", seed, t.how);
	else if (t.broken && !weak)
		printf("FAILED  %s, seed %" PRIu64 ": %s\n", a->name, seed, t.how);
	else if (!t.broken && weak)
		printf("vain    %s, seed %" PRIu64 ": held without the defence as well: \"%s\"\n", a->name,
		       seed, defence_text(a));
	else if (weak)
		printf("ok      %s: breaks without \"%s\" (%s)\n", a->name, defence_text(a), t.how);
	else
		printf("ok      %s: %s\n", a->name, a->promise);
	fflush(stdout);
	if (t.vain || (weak && !t.broken))
		return NOTHING_SHOWN;
	return t.broken == weak ? AS_IT_MUST : BROKE;
}

static bool try_both(const struct attack *a, uint64_t seed, unsigned draws)
{
	for (unsigned i = 0; i < draws; i++) {
		enum verdict with = try_one(a, seed + i, false);
		if (with == BROKE)
			return false;
		if (with == AS_IT_MUST && try_one(a, seed + i, true) == AS_IT_MUST)
			return true;
	}
	printf("FAILED  %s: shown by none of %u draws\n", a->name, draws);
	return false;
}

/* False when a defence can be left out that no attack needs. */
static bool list(FILE *out)
{
	const struct attack *a;
	uint64_t needed = 0;
	fprintf(out, "| scenario | the attacker | what honest nodes hold | defence |\n|---|---|---|---|\n");
	for (size_t i = 0; (a = attack_at(i)) != NULL; i++) {
		fprintf(out, "| `%s` | %s | %s | %s |\n", a->name, a->means, a->promise, defence_text(a));
		needed |= a->defence < DEFENCE_COUNT ? 1ull << a->defence : 0;
	}
	for (unsigned i = 0; i < DEFENCE_COUNT; i++)
		if ((needed >> i & 1) == 0)
			fprintf(stderr, "mesh-hostile: no attack on \"%s\"\n", defences[i]);
	return needed == (1ull << DEFENCE_COUNT) - 1;
}

static int usage(FILE *out, int code)
{
	fputs("usage: mesh-hostile [--list] [--scenario NAME] [--seed N]\n\n"
	      "Tries attacks on the protocol core, each with all defences and without its own. Exit codes: 0 "
	      "all\n"
	      "held and broke as they must, 1 not so, 2 usage.\n",
	      out);
	return code;
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	const struct attack *a;
	uint64_t seed = 1;
	unsigned draws = DRAWS;
	bool good = true, found = false;
	for (int i = 1; i < argc; i += 2) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--list") == 0)
			return list(stdout) ? 0 : 1;
		if (strcmp(argv[i], "--help") == 0)
			return usage(stdout, 0);
		if (value != NULL && strcmp(argv[i], "--scenario") == 0)
			only = value;
		else if (value == NULL || strcmp(argv[i], "--seed") != 0 ||
			 !text_u64(value, 0, UINT64_MAX, &seed))
			return usage(stderr, 2);
		else
			draws = 1;
	}
	for (size_t i = 0; (a = attack_at(i)) != NULL; i++) {
		if (only != NULL && strcmp(only, a->name) != 0)
			continue;
		found = true;
		good = try_both(a, seed, draws) && good;
	}
	if (!found) {
		fprintf(stderr, "mesh-hostile: no scenario \"%s\"; see --list\n", only);
		return 2;
	}
	return good ? 0 : 1;
}
