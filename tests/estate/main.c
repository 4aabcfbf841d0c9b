/* mesh-estate: writes a synthetic estate that `mesh --state DIR` answers from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "tests/estate/estate.h"

#define USAGE "usage: mesh-estate --hosts N --sites S --seed K --out DIR [--now MS] [--trouble]\n"

static bool number(const char *flag, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (text_u64(text, min, max, ret))
		return true;
	fprintf(stderr, "mesh-estate: %s \"%s\" is no number from %" PRIu64 " to %" PRIu64 "\n", flag, text,
		min, max);
	return false;
}

static bool parse(int argc, char **argv, struct estate_options *o)
{
	uint64_t hosts = 1000, sites = 20, now = os_clock_wall();
	for (int i = 1; i < argc; i += 2) {
		const char *flag = argv[i], *text = i + 1 < argc ? argv[i + 1] : NULL;
		bool ok = true;
		if (strcmp(flag, "--trouble") == 0) {
			o->trouble = true;
			i--;
			continue;
		}
		if (text == NULL) {
			fprintf(stderr, "mesh-estate: \"%s\" needs a value\n" USAGE, flag);
			return false;
		}
		if (strcmp(flag, "--hosts") == 0)
			ok = number(flag, text, 1, ESTATE_HOSTS_MAX, &hosts);
		else if (strcmp(flag, "--sites") == 0)
			ok = number(flag, text, 1, ESTATE_SITES_MAX, &sites);
		else if (strcmp(flag, "--seed") == 0)
			ok = number(flag, text, 0, UINT64_MAX, &o->seed);
		else if (strcmp(flag, "--now") == 0)
			ok = number(flag, text, 100 * CLOCK_DAY_MS, INT64_MAX, &now);
		else if (strcmp(flag, "--out") == 0)
			o->out = text;
		else {
			fprintf(stderr, "mesh-estate: unknown flag \"%s\"\n" USAGE, flag);
			ok = false;
		}
		if (!ok)
			return false;
	}
	if (o->out == NULL) {
		fprintf(stderr, "mesh-estate: --out is missing: name an empty folder\n" USAGE);
		return false;
	}
	if (sites > hosts) {
		fprintf(stderr,
			"mesh-estate: --sites %" PRIu64 " is more than --hosts %" PRIu64
			"; each site needs a host\n",
			sites, hosts);
		return false;
	}
	if (o->trouble && hosts < ESTATE_TROUBLE_HOSTS) {
		fprintf(stderr, "mesh-estate: --trouble needs at least --hosts %d\n", ESTATE_TROUBLE_HOSTS);
		return false;
	}
	o->hosts = (size_t)hosts;
	o->sites = (size_t)sites;
	o->now = now;
	return true;
}

int main(int argc, char **argv)
{
	struct estate_options o = {.seed = 1};
	struct err_info info;
	if (!parse(argc, argv, &o))
		return 2;
	mono_ms start = os_clock_mono();
	if (estate_write(&o, &info) != ERR_OK) {
		fprintf(stderr, "mesh-estate: %s\n", info.text);
		return 1;
	}
	printf("%zu hosts in %zu sites written to \"%s\" in %" PRIu64 " ms\n", o.hosts, o.sites, o.out,
	       os_clock_mono() - start);
	return 0;
}
