#include <string.h>

#include "scenario.h"

static void faults_lossy(struct sim_faults *f)
{
	f->loss = 0.2;
}

static void faults_none(struct sim_faults *f)
{
	f->loss = 0;
}

/* The figure of the design: one in a hundred hosts stands still for up to 8 s. */
static void faults_stalls(struct sim_faults *f)
{
	f->loss = 0.2;
	f->stall_share = 0.01;
	f->stall_max_ms = 8000;
	f->clock_every_ms = 60000;
	f->clock_max_ms = 600000;
}

static void faults_hostile(struct sim_faults *f)
{
	f->duplicate = 0.02;
	f->reorder = 0.05;
	f->corrupt = 0.05;
	f->truncate = 0.05;
}

static void faults_trust(struct sim_faults *f)
{
	f->duplicate = 0.02;
	f->reorder = 0.05;
	f->corrupt = 0.01;
	f->truncate = 0.01;
	f->skew_ms = 90000;
}

static void faults_chaos(struct sim_faults *f)
{
	f->duplicate = 0.02;
	f->reorder = 0.05;
	f->corrupt = 0.01;
	f->truncate = 0.01;
	f->reorder_ms = 500;
	f->skew_ms = 90000;
	f->pause_every_ms = 8000;
	f->crash_every_ms = 12000;
	f->cut_every_ms = 30000;
	f->publish_every_ms = 2000;
	f->pause_max_ms = 12000;
	f->down_max_ms = 25000;
	f->cut_max_ms = 40000;
	f->lose_replica = 0.2;
}

const struct scenario scenarios[] = {
    {"converge", "hosts join; all replicas become equal", 12, 3, 0, NULL, scenario_converge},
    {"propagation", "urgent records to every replica of a site", 100, 1, 0, NULL, scenario_propagation},
    {"dark", "a host is killed under 20 % loss", 10, 2, 0, faults_lossy, scenario_dark},
    {"lossy", "20 % loss, and nobody is called dark or silent", 9, 3, 10, faults_lossy, scenario_lossy},
    {"cables", "one host after the other is cut off and comes back", 8, 3, 10, NULL, scenario_cables},
    {"storm", "everybody starts at once with a full replica", 100, 2, 0, NULL, scenario_storm},
    {"wan", "what crosses between sites, and how often", 40, 5, 0, faults_none, scenario_wan},
    {"takeover", "a bridge dies, and another stands in within 15 s", 12, 2, 0, NULL, scenario_takeover},
    {"stalls", "hosts that stall, clocks that jump, and 20 % loss", 30, 2, 5, faults_stalls, scenario_stalls},
    {"sweep", "hosts change what they have, and nodes drop what no record names, each when it likes", 10, 2,
     8, NULL, scenario_sweep},
    {"goodbye", "a host says goodbye, and comes back", 9, 3, 0, NULL, scenario_goodbye},
    {"silent", "two sites are cut from each other, and heal", 8, 2, 0, NULL, scenario_silent},
    {"restart", "crashes and restarts, with and without the replica", 8, 2, 0, NULL, scenario_restart},
    {"forged", "an attacker injects what nobody may accept", 8, 2, 0, faults_hostile, scenario_forged},
    {"chaos", "random faults; when they end, all agree", 12, 3, 3, faults_chaos, scenario_chaos},
    {"malicious", "a tenth of all members lies, floods, accuses, withholds", 60, 3, 0, NULL,
     scenario_malicious},
    {"accusers", "a witness of each site denounces everybody, and is not believed", 24, 3, 0, NULL,
     scenario_accusers},
    {"trust", "revocations, quotas, ends of grants and forks, while nodes are cut off", 12, 3, 0,
     faults_trust, scenario_trust},
    {"rotation", "half the estate hears a thief of the authority's key, half the rotation that ends it", 16,
     4, 0, faults_trust, scenario_rotation},
    {"idle", "what a quiet estate sends", 100, 1, 2, faults_none, scenario_idle},
};
const size_t scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

const struct scenario *scenario_find(const char *name)
{
	for (size_t i = 0; i < scenario_count; i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	return NULL;
}
