/* bench-reload STATE: a node's start over the replica in STATE, from the file to a core that knows all of it:
 * opening with all checks, own sequence, records, blobs, states, issues; no signature is checked again. One
 * JSON object a line, the best of five. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/credentials.h"
#include "node/driver_load.h"

#define ROUNDS 5

static double clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print(const char *metric, double value, const char *unit)
{
	printf("{\"bench\": \"replica\", \"metric\": \"replica.%s\", \"value\": %.3f, \"unit\": \"%s\"}\n",
	       metric, value, unit);
}

static void must(enum err err, const struct err_info *info)
{
	if (err == ERR_OK)
		return;
	fprintf(stderr, "bench-reload: %s: %s\n", err_text(err), info->text);
	exit(1);
}

struct figures {
	double open_cpu_s, cpu_s, s;
	size_t hosts, records;
};

static void start(const char *state, const char *replica, struct figures *best)
{
	struct credentials c = {0};
	struct store *store;
	struct gossip *g;
	struct driver_load load = {0};
	struct gossip_status status;
	struct err_info info = {0};
	must(credentials_load(state, &c, &info), &info);
	struct gossip_options o = {.identity = c.identity,
				   .certificate = c.certificate_bytes,
				   .certificate_len = c.certificate_len,
				   .log = c.log,
				   .keys = c.keys,
				   .rng = crypto_rng_system(),
				   .seq_next = 1,
				   .now = 1000,
				   .timing = gossip_timing_default()};
	double began = clock_of(CLOCK_MONOTONIC), worked = clock_of(CLOCK_PROCESS_CPUTIME_ID);
	must(store_open(replica, authlog_estate(c.log), identity_id(c.identity), &store, NULL, &info), &info);
	double opened = clock_of(CLOCK_PROCESS_CPUTIME_ID) - worked;
	(void)driver_load_highest(store, identity_id(c.identity));
	o.wall = c.certificate.enrolled * CLOCK_DAY_MS;
	must(gossip_new(&o, &g), &info);
	must(driver_load_replica(store, c.log, g, &load, &info), &info);
	worked = clock_of(CLOCK_PROCESS_CPUTIME_ID) - worked;
	began = clock_of(CLOCK_MONOTONIC) - began;
	gossip_status(g, &status);
	if (best->cpu_s == 0 || worked < best->cpu_s)
		*best = (struct figures){opened, worked, began, status.hosts, load.records};
	gossip_free(g);
	store_close(store);
	credentials_release(&c);
}

int main(int argc, char **argv)
{
	struct figures best = {0};
	char replica[LIMIT_PATH_BYTES];
	if (argc != 2) {
		fprintf(stderr, "usage: bench-reload STATE (a state folder as mesh-estate writes it)\n");
		return 2;
	}
	if (crypto_init() != ERR_OK)
		return 1;
	snprintf(replica, sizeof(replica), "%s/replica", argv[1]);
	for (int i = 0; i < ROUNDS; i++)
		start(argv[1], replica, &best);
	print("start_hosts", (double)best.hosts, "hosts");
	print("start_records", (double)best.records, "records");
	print("start_open_cpu_s", best.open_cpu_s, "s");
	print("start_cpu_s", best.cpu_s, "s");
	print("start_s", best.s, "s");
	return 0;
}
