/* False alarms of a run by kind: what lives was called dark or silent, and what was wrong with those
 * concerned.
 *
 * Concerned are the host (or the site's hosts), who called it so, and the witnesses whose word it took. A
 * stall explains more than a clock; with neither the alarm is plain. Hosts that were down, just up, or cut
 * off a moment ago are no false alarm. */
#ifndef MESH_TESTS_SIM_ALARMS_H
#define MESH_TESTS_SIM_ALARMS_H

#include "record/state.h"
#include "report.h"

struct world;
struct node;

enum alarm_cause { ALARM_PLAIN, ALARM_STALL, ALARM_CLOCK, ALARM_CAUSES };

struct alarms {
	uint64_t dark[ALARM_CAUSES], silent[ALARM_CAUSES];
	/* Honest hosts of sites with puppets (villains) in them, called dark. Where two of the three seats
	 * are theirs, or one while under three hosts live, they can: the stated bound. Elsewhere they must
	 * not, and there it counts from a host's very start. */
	uint64_t league, framed;
};

/* A host that nothing happened to for so long has no business being called dark. */
#define ALARM_CALM_MS 20000

/* `n` has just called `host` dark, or `site` silent. */
void alarms_dark(struct world *w, const struct node *n, const struct node *host,
		 const struct host_state *state);
void alarms_silent(struct world *w, const struct node *n, uint32_t site);
uint64_t alarms_total(const struct alarms *a);
void alarms_put(const struct alarms *a, const char *bench, struct report *r);

#endif
