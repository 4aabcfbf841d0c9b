/* What one run of the simulator is made of. Everything random in it comes from `seed`. */
#ifndef MESH_TESTS_SIM_OPTIONS_H
#define MESH_TESTS_SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

#define SIM_HOSTS_MAX 4096
#define SIM_SITES_MAX 500

/* Shares are 0..1 of datagrams, times in ms. */
struct sim_faults {
	double loss;
	double duplicate;
	double reorder; /* share that is held back for up to reorder_ms more */
	double corrupt; /* one to eight bits flipped */
	double truncate;
	uint32_t lan_min_ms, lan_max_ms;
	uint32_t wan_min_ms, wan_max_ms;
	uint32_t reorder_ms;
	uint32_t skew_ms; /* clocks are off by up to this, either way */
	/* Chaos only: how often, on average, something happens to some host or some pair of sites. */
	uint32_t pause_every_ms, crash_every_ms, cut_every_ms, publish_every_ms;
	uint32_t pause_max_ms, down_max_ms, cut_max_ms;
	/* Stalls only: share of the hosts that stand still at any time, and how often a clock jumps by how
	 * much. */
	double stall_share;
	uint32_t stall_max_ms, clock_every_ms, clock_max_ms;
	double lose_replica; /* share of crashes after which the replica is empty */
};

struct sim_options {
	const char *scenario; /* NULL: all */
	bool list, json, twice, help;
	uint64_t seed;
	uint32_t seeds;
	/* 0: the scenario's own */
	uint32_t hosts, sites, minutes;
	bool loss_given;
	double loss;
};

/* A calm LAN and a WAN of tens of milliseconds; 5 % loss. */
struct sim_faults sim_faults_default(void);

/* ERR_USAGE; `info` says which argument and what would be right. */
enum err sim_options_parse(int argc, char **argv, struct sim_options *ret, struct err_info *info);
void sim_options_help(void);

#endif
