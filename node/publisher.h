/* Looks at the host on the worker's thread, at start and each interval, and publishes what changed: profile,
 * health, components, crashes, in this order. */
#ifndef MESH_NODE_PUBLISHER_H
#define MESH_NODE_PUBLISHER_H

#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "node/boot.h"
#include "node/config.h"
#include "node/crash_counts.h"
#include "node/driver.h"

struct publisher;

/* All are kept by reference and outlive the publisher. */
struct publisher_options {
	uv_loop_t *loop;
	const struct config *config;
	const struct log *log;
	struct driver *driver;
	struct store *store;
	const struct udp *udp;
	const struct id *self;
	const char *home_site;
	const struct boot *boot;
	struct crash_counts *crash_counts;
	const char *crash_counts_path;
	bool crashed;                /* the counts hold a crash that was found at this start */
	void (*done)(void *context); /* on the loop's thread, after each look: rearm timers */
	void *context;
};

/* Reads this host's last records, so that what did not change is not published again. */
enum err publisher_new(const struct publisher_options *options, struct publisher **ret);
/* When no look is under way (publisher_stop, then run the loop). NULL is fine. */
void publisher_free(struct publisher *p);

mono_ms publisher_due(const struct publisher *p);
void publisher_run(struct publisher *p, mono_ms now);
/* What a look under way finds is not published any more. */
void publisher_stop(struct publisher *p);

#endif
