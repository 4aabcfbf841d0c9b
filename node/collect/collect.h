/* What a node reads from its own host. One interface; collect/linux and collect/windows fill it.
 *
 * Collectors read below `root` ("" on a live system, a captured tree in tests), never run a program, never
 * block on a dead network file system, and keep absent, denied, unsupported, failed and zero apart
 * (base/reading.h). They may run on a worker thread: nothing is shared but the struct they are given. */
#ifndef MESH_NODE_COLLECT_COLLECT_H
#define MESH_NODE_COLLECT_COLLECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "record/body.h"
#include "record/manifest.h"

/* Hostname, OS, kernel, arch, model, boot mode, Secure Boot, hardware-id hash, virtualization. What an
 * operator configures (site, role, tags, location, asset ids) and addresses are left as they are. */
void collect_profile(const char *root, struct profile *ret);

/* Everything but refutations, level, reasons and last_boot_clean. Values are quantised so that noise does not
 * publish: percentages to steps of 10, with the previous value (may be NULL) kept while the new one is within
 * 7 of it. */
void collect_health(const char *root, const struct health *previous, struct health *ret);

/* Level and reasons from the values; the thresholds are those of level.c, on every system. */
void collect_health_level(struct health *h);

struct collected_components {
	struct component *items; /* owned; release with collect_components_release */
	bool *loaded;            /* per item */
	bool *pending;           /* per item: on disk for the next boot, another version is loaded */
	size_t count;
	enum reading_status module_support;
	struct reading_u64 taint;
	struct reading_u64 ebpf_programs;
};
/* Kernel itself, loaded modules, built-ins that declare a version, third-party modules on disk (DKMS,
 * updates/, extra/), configured for boot. ERR_NOMEM, ERR_LIMIT (cut at LIMIT_COMPONENTS, the rest is counted
 * in the text of info). */
enum err collect_components(const char *root, struct collected_components *ret, struct err_info *info);
void collect_components_release(struct collected_components *c);

/* Raw counters as sources show them now; node/crash_counts.c turns them into monotonic totals. */
struct crash_sources {
	uint64_t boot;                       /* boot id hash: counters restart with it */
	struct reading_u64 oopses, warnings; /* since boot */
	struct reading_u64 oom_kills;        /* since boot */
	struct reading_u64 core_dumps;       /* files present now: they age out */
	struct reading_u64 newest_core_dump_s;
	struct reading_u64 pstore_panics; /* entries present now */
	struct reading_u64 blue_screens;  /* in the system log; UNSUPPORTED where there is no such thing */
};
void collect_crashes(const char *root, struct crash_sources *ret);

#endif
