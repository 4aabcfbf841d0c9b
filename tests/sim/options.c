#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct sim_faults sim_faults_default(void)
{
	return (struct sim_faults){.loss = 0.05,
				   .lan_min_ms = 1,
				   .lan_max_ms = 4,
				   .wan_min_ms = 15,
				   .wan_max_ms = 45,
				   .reorder_ms = 200,
				   .skew_ms = 2000};
}

void sim_options_help(void)
{
	fputs(
	    "usage: mesh-sim [--scenario NAME] [--list] [--seed N] [--seeds COUNT] [--hosts N] [--sites N]\n"
	    "                [--loss SHARE] [--minutes M] [--json] [--twice]\n"
	    "\n"
	    "Runs the protocol core of many nodes in virtual time, with faults drawn from the seed, and "
	    "checks\n"
	    "its promises after each step. Without --scenario: all of them.\n"
	    "\n"
	    "  --seeds COUNT  that many runs, seeds N, N+1, ...; the worst of each figure is printed\n"
	    "  --twice        run each seed twice and compare the hashes over all events\n"
	    "  --json         one JSON object a line\n"
	    "\n"
	    "Exit codes: 0 all promises kept, 1 one was broken (says how to replay), 2 usage.\n",
	    stdout);
}

/* "0.05", or an error. */
static bool parse_share(const char *text, double *ret)
{
	char *end;
	double v = strtod(text, &end);
	if (end == text || *end != '\0' || !(v >= 0 && v < 1))
		return false;
	*ret = v;
	return true;
}

enum err sim_options_parse(int argc, char **argv, struct sim_options *ret, struct err_info *info)
{
	struct sim_options o = {.seed = 1, .seeds = 1};
	uint64_t hosts = 0, sites = 0, minutes = 0, seeds = 1;
	const struct {
		const char *name;
		uint64_t min, max;
		uint64_t *value;
	} numbers[] = {
	    {"--seed", 0, UINT64_MAX, &o.seed},    {"--seeds", 1, 1000000, &seeds},
	    {"--hosts", 2, SIM_HOSTS_MAX, &hosts}, {"--sites", 1, SIM_SITES_MAX, &sites},
	    {"--minutes", 1, 100000, &minutes},
	};
	const struct {
		const char *name;
		bool *value;
	} flags[] = {{"--list", &o.list}, {"--json", &o.json}, {"--twice", &o.twice}, {"--help", &o.help}};
	for (int i = 1; i < argc; i++) {
		bool known = false;
		for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]) && !known; f++)
			if ((known = strcmp(argv[i], flags[f].name) == 0))
				*flags[f].value = true;
		if (known)
			continue;
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]) && !known; n++) {
			if (strcmp(argv[i], numbers[n].name) != 0)
				continue;
			known = true;
			if (value == NULL ||
			    !text_u64(value, numbers[n].min, numbers[n].max, numbers[n].value))
				return err_set(info, ERR_USAGE,
					       "%s: \"%s\" is not a number from %llu to %llu", argv[i],
					       value == NULL ? "" : value, (unsigned long long)numbers[n].min,
					       (unsigned long long)numbers[n].max);
		}
		if (!known && strcmp(argv[i], "--scenario") == 0) {
			known = true;
			if (value == NULL)
				return err_set(info, ERR_USAGE, "--scenario: no name given; see --list");
			o.scenario = value;
		}
		if (!known && strcmp(argv[i], "--loss") == 0) {
			known = o.loss_given = true;
			if (value == NULL || !parse_share(value, &o.loss))
				return err_set(info, ERR_USAGE, "--loss: \"%s\" is not a share from 0 to 1",
					       value == NULL ? "" : value);
		}
		if (!known)
			return err_set(info, ERR_USAGE, "unknown argument \"%s\"; see --help", argv[i]);
		i++;
	}
	o.seeds = (uint32_t)seeds;
	o.hosts = (uint32_t)hosts;
	o.sites = (uint32_t)sites;
	o.minutes = (uint32_t)minutes;
	*ret = o;
	return ERR_OK;
}
