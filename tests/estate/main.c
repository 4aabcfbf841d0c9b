/* mesh-estate: writes a synthetic estate that `mesh --state DIR` answers from. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "tests/estate/estate.h"
#include "tests/estate/times.h"

static const char help[] =
    "usage: mesh-estate --out DIR [--hosts N] [--sites S] [--seed K] [--at TIME] [--images N]\n"
    "                   [--silent N] [--threads N] [--trouble]\n"
    "\n"
    "Writes a replica of a synthetic estate, with records that its hosts signed, for `mesh --state DIR`, "
    "and\n"
    "the truth about it in DIR/truth.json (tests/estate/README.md). One seed and time give the same "
    "records.\n"
    "\n"
    "  --out DIR     an empty folder, made where there is none\n"
    "  --hosts N     hosts that were ever enrolled (1,000)\n"
    "  --sites S     sites of very different size (20)\n"
    "  --seed K      a number; another one is another estate (1)\n"
    "  --at TIME     the moment that the replica shows: 2024-07-19T09:40Z, 09:40 (today), or ms since 1970 "
    "(now)\n"
    "  --images N    images of operating systems (300)\n"
    "  --silent N    sites that are cut off (one in a hundred)\n"
    "  --threads N   that sign (one a processor)\n"
    "  --trouble     with issues of every kind, one each\n";

static bool number(const char *flag, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (text_u64(text, min, max, ret))
		return true;
	fprintf(stderr, "mesh-estate: %s \"%s\" is no number from %" PRIu64 " to %" PRIu64 "\n", flag, text,
		min, max);
	return false;
}

struct numbers {
	uint64_t hosts, sites, images, silent, threads;
};

static bool take(const char *flag, const char *text, struct estate_options *o, struct numbers *n)
{
	static const struct {
		const char *flag;
		uint64_t min, max;
	} table[] = {{"--hosts", 1, ESTATE_HOSTS_MAX},
		     {"--sites", 1, ESTATE_SITES_MAX},
		     {"--images", ESTATE_IMAGES_MIN, ESTATE_IMAGES_MAX},
		     {"--silent", 0, ESTATE_SITES_MAX},
		     {"--threads", 1, ESTATE_THREADS_MAX},
		     {"--seed", 0, UINT64_MAX}};
	uint64_t *const to[] = {&n->hosts, &n->sites, &n->images, &n->silent, &n->threads, &o->seed};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (strcmp(flag, table[i].flag) == 0)
			return number(flag, text, table[i].min, table[i].max, to[i]);
	}
	if (strcmp(flag, "--out") == 0) {
		o->out = text;
		return true;
	}
	if (strcmp(flag, "--at") == 0 || strcmp(flag, "--now") == 0) {
		if (times_parse(text, os_clock_wall(), &o->now) && o->now >= ESTATE_NOW_MIN)
			return true;
		fprintf(stderr,
			"mesh-estate: %s \"%s\" is no time since 1974; write 2024-07-19T09:40Z, 09:40 "
			"(today, UTC), "
			"or milliseconds since 1970\n",
			flag, text);
		return false;
	}
	fprintf(stderr, "mesh-estate: unknown flag \"%s\"; mesh-estate --help lists them\n", flag);
	return false;
}

static bool judge(struct estate_options *o, const struct numbers *n)
{
	o->hosts = (size_t)n->hosts;
	o->sites = (size_t)n->sites;
	o->images = (size_t)n->images;
	o->threads = (unsigned)n->threads;
	o->silent_sites = n->silent == UINT64_MAX ? -1 : (int)n->silent;
	if (o->out == NULL)
		fprintf(stderr, "mesh-estate: --out is missing: name an empty folder\n");
	else if (o->sites > o->hosts)
		fprintf(stderr, "mesh-estate: --sites %zu is more than --hosts %zu; each site needs a host\n",
			o->sites, o->hosts);
	else if (o->trouble && o->hosts < ESTATE_TROUBLE_HOSTS)
		fprintf(stderr, "mesh-estate: --trouble needs at least --hosts %d, not %zu\n",
			ESTATE_TROUBLE_HOSTS, o->hosts);
	else
		return true;
	return false;
}

static bool parse(int argc, char **argv, struct estate_options *o)
{
	struct numbers n = {.hosts = 1000, .sites = 20, .silent = UINT64_MAX};
	for (int i = 1; i < argc; i++) {
		const char *flag = argv[i];
		if (strcmp(flag, "--trouble") == 0) {
			o->trouble = true;
			continue;
		}
		if (i + 1 == argc) {
			fprintf(stderr,
				"mesh-estate: \"%s\" is no flag, or needs a value; mesh-estate --help lists "
				"them\n",
				flag);
			return false;
		}
		if (!take(flag, argv[++i], o, &n))
			return false;
	}
	return judge(o, &n);
}

int main(int argc, char **argv)
{
	struct estate_options o = {.seed = 1, .now = os_clock_wall()};
	struct err_info info;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return 0;
		}
	}
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
