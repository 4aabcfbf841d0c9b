/* mesh-faults: long trials of the replica, as commands. scripts/faults runs them all. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "tests/faults/faults.h"
#include "tests/unit/scratch.h"

static const struct {
	const char *name;
	bool (*run)(const struct faults_options *o);
	uint64_t count;
	const char *what;
} trials[] = {
    {"power-cut", faults_power_cut, 20000, "images of a file as a power cut may leave it"},
    {"failing-calls", faults_failing_calls, 100000, "each allocation and call of LMDB's, failed once"},
    {"flips", faults_flips, 20000, "a damaged file, asked and opened"},
    {"kill", faults_kill, 20000, "kill -9 of a writer, with a reader beside it"},
    {"readers", faults_readers, 3000, "commits, three times: alone, among 100 mesh sql, alone"},
};

#define TRIALS (sizeof(trials) / sizeof(*trials))

void faults_print(const char *metric, uint64_t value, const char *unit)
{
	printf("{\"bench\": \"faults\", \"metric\": \"%s\", \"value\": %" PRIu64 ", \"unit\": \"%s\"}\n",
	       metric, value, unit);
	fflush(stdout);
}

void faults_progress(const char *what, uint64_t done, uint64_t of)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 "%s", what, done, of, done == of ? "\n" : "");
}

static int usage(FILE *to, int code)
{
	fprintf(to, "usage: mesh-faults TRIAL [--count N] [--seed K] [--mesh PROGRAM]\n");
	for (size_t i = 0; i < TRIALS; i++)
		fprintf(to, "  %-14s %s (--count %" PRIu64 ")\n", trials[i].name, trials[i].what,
			trials[i].count);
	return code;
}

int main(int argc, char **argv)
{
	size_t chosen = 0;
	while (argc > 1 && chosen < TRIALS && strcmp(trials[chosen].name, argv[1]) != 0)
		chosen++;
	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (argc < 2 || chosen == TRIALS || argc % 2 != 0)
		return usage(stderr, 2);
	struct faults_options o = {.count = trials[chosen].count, .seed = 1};
	for (int i = 2; i < argc; i += 2) {
		bool count = strcmp(argv[i], "--count") == 0;
		if (strcmp(argv[i], "--mesh") == 0) {
			o.mesh = argv[i + 1];
		} else if ((!count && strcmp(argv[i], "--seed") != 0) ||
			   !text_u64(argv[i + 1], count, 10000000, count ? &o.count : &o.seed)) {
			fprintf(stderr, "mesh-faults: \"%s %s\" is no flag with a number up to 10000000\n",
				argv[i], argv[i + 1]);
			return usage(stderr, 2);
		}
	}
	if (strcmp(trials[chosen].name, "readers") == 0 && (o.mesh == NULL || access(o.mesh, X_OK) != 0)) {
		fprintf(stderr, "mesh-faults: readers needs the program mesh: --mesh build/cli/mesh\n");
		return 2;
	}
	void *state = NULL;
	if (crypto_init() != ERR_OK)
		return 1;
	if (scratch_setup(&state) != 0) {
		perror("mesh-faults: no folder to work in");
		return 1;
	}
	o.folder = ((struct scratch *)state)->folder;
	bool good = trials[chosen].run(&o);
	if (!good)
		fprintf(stderr, "mesh-faults %s --count %" PRIu64 " --seed %" PRIu64 ": did not hold\n",
			trials[chosen].name, o.count, o.seed);
	scratch_teardown(&state);
	return good ? 0 : 1;
}
