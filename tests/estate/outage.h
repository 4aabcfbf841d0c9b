/* What went wrong, and what only looks as if it had to do with it. Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_OUTAGE_H
#define MESH_TESTS_ESTATE_OUTAGE_H

#include "tests/estate/world.h"

/* A host that crashes again and again: a round, how long it is up in it, and how long it takes to come up. */
#define OUTAGE_LOOP_MS    300000
#define OUTAGE_LOOP_UP_MS 25000
#define OUTAGE_BOOT_MS    90000

/* Names of flags' values; NULL behind the last. */
const char *outage_name(enum estate_outage outage);
const char *outage_delay_name(enum estate_delay delay);
const char *outage_exposure_name(enum exposure exposure);

/* Chooses the component that is to blame, once products are drawn. ERR_ARG names what is wrong. */
enum err outage_choose(struct estate *e);
/* Changes what became of hosts since the epoch. */
void outage_apply(struct estate *e);
/* Whether the host has the component, in some version. */
bool outage_carries(const struct estate *e, const struct host *h, uint16_t *ret_version);
/* Of driver and content: the component that did it. */
struct component outage_component(const struct estate *e, unsigned version);

/* --- confounders.c --- */

/* Updates of the operating system on the same morning; some hosts are still at it. */
void confounders_patch_day(struct estate *e, double share);
/* A driver of one hardware model came out anew; the cause mostly went to that model, too. */
void confounders_model(struct estate *e);
/* Sites lose their power, all hosts at once, or all but those behind a battery. */
void confounders_power(struct estate *e, size_t sites);

#endif
