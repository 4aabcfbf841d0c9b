/* Outages: a version of a component, or of a content file, that takes down hosts it came to.
 *
 * Each host that has the component and is up when its turn comes takes the bad version somewhere in the
 * window, and crashes after the delay. What it could report before is in the replica; with no delay that is
 * nothing. Some crash over and over, some were repaired since, and some of those went down again. All draws
 * of a host come from its own stream and do not depend on the moment shown: with another --at the same outage
 * is seen earlier or later. */
#include "tests/estate/outage.h"

#include <string.h>

#include "tests/estate/software.h"

#define SURVIVORS 0.02 /* took the bad version and live */
#define LOOPS     0.04
#define RELAPSES  0.12 /* of the repaired */

const char *outage_name(enum estate_outage outage)
{
	static const char *const names[] = {"none", "driver", "content", "power", "patchday"};
	return (size_t)outage < sizeof(names) / sizeof(*names) ? names[outage] : NULL;
}

const char *outage_delay_name(enum estate_delay delay)
{
	static const char *const names[] = {"0s", "5s", "minutes", "hour"};
	return (size_t)delay < sizeof(names) / sizeof(*names) ? names[delay] : NULL;
}

const char *outage_exposure_name(enum exposure exposure)
{
	static const char *const names[] = {
	    [EXPOSURE_NONE] = "without",      [EXPOSURE_MISSED] = "not-hit", [EXPOSURE_AT_RISK] = "at-risk",
	    [EXPOSURE_SURVIVED] = "survived", [EXPOSURE_ARMED] = "armed",    [EXPOSURE_HIT] = "hit"};
	return names[exposure];
}

enum err outage_choose(struct estate *e)
{
	static const struct {
		const char *name;
		enum family family;
	} drivers[] = {{"edr_sensor", FAMILY_WINDOWS},
		       {"dlp_filter", FAMILY_WINDOWS},
		       {"edr_sensor", FAMILY_LINUX},
		       {"vpn_tap", FAMILY_WINDOWS},
		       {"igdkmdn64", FAMILY_WINDOWS}};
	const struct estate_options *o = e->o;
	size_t pick = (size_t)(o->seed % (sizeof(drivers) / sizeof(*drivers)));
	e->cause_family = FAMILY_WINDOWS;
	e->companion = e->confounder_model = NO_HOST;
	if (o->outage == ESTATE_CONTENT)
		e->cause = PRODUCT_CONTENT + CONTENT_BAD_CHANNEL;
	if (o->outage != ESTATE_DRIVER)
		return ERR_OK;
	const char *name = o->component != NULL ? o->component : drivers[pick].name;
	unsigned both = FAMILY_WINDOWS | FAMILY_LINUX;
	if (products_find(e, name, o->component != NULL ? both : drivers[pick].family, &e->cause) != ERR_OK)
		return err_set(e->info, ERR_ARG,
			       "no third-party component is called \"%s\"; mesh components lists an estate's",
			       name);
	e->cause_family = (enum family)products_at(e, e->cause)->family;
	if ((o->confounders & ESTATE_TOGETHER) != 0)
		products_add_companion(e);
	return ERR_OK;
}

struct component outage_component(const struct estate *e, unsigned version)
{
	if (e->cause >= PRODUCT_CONTENT)
		return software_content_file(e, e->cause_family, e->cause - PRODUCT_CONTENT, version);
	return software_product(e, e->cause, version);
}

bool outage_carries(const struct estate *e, const struct host *h, uint16_t *ret_version)
{
	if (e->o->outage == ESTATE_DRIVER)
		return software_find(&h->software, e->cause, ret_version);
	*ret_version = (uint16_t)content_version(e, h->software.release, CONTENT_BAD_CHANNEL);
	return images_family(e, h->software.image) == e->cause_family &&
	       software_has_channel(e, &h->software, CONTENT_BAD_CHANNEL);
}

static void note(struct host *h, size_t product, unsigned from, unsigned to, wall_ms at)
{
	if (h->update_count < UPDATES_MAX)
		h->updates[h->update_count++] =
		    (struct update){(uint16_t)product, (uint16_t)from, (uint16_t)to, at};
}

/* The host has another version from `at` on, and had time to say so. */
static void change(const struct estate *e, struct host *h, bool bad, unsigned from, wall_ms at)
{
	bool together = (e->o->confounders & ESTATE_TOGETHER) != 0;
	if (e->o->outage == ESTATE_DRIVER) {
		unsigned to = bad ? VERSION_BAD : VERSION_GOOD;
		software_put(&h->software, e->cause, to);
		note(h, e->cause, from, to, at);
		if (e->companion != NO_HOST) {
			software_put(&h->software, e->companion, to);
			note(h, e->companion, from, to, at);
		}
		return;
	}
	unsigned before = h->software.release;
	h->software.release = bad ? CONTENT_BAD : CONTENT_GOOD;
	for (size_t i = CONTENT_COMPANION_CHANNEL; i <= CONTENT_BAD_CHANNEL; i++) {
		if (!software_has_channel(e, &h->software, i) || (i != CONTENT_BAD_CHANNEL && !together))
			continue;
		note(h, PRODUCT_CONTENT + i, content_version(e, before, i),
		     content_version(e, h->software.release, i), at);
	}
}

struct strike {
	double luck;
	wall_ms arrives, crashes, repaired, relapses;
	bool survives, reports, loops, relapse, loop_reports;
	double repair;
};

static struct strike draw_strike(const struct estate *e, const struct host *h)
{
	const struct estate_options *o = e->o;
	struct prng p = draw_stream(e, STREAM_OUTAGE, h->number);
	struct strike s = {.luck = prng_unit(&p)};
	uint64_t after = 0;
	s.arrives = o->from + (wall_ms)(prng_unit(&p) * (double)(o->to - o->from));
	double spread = prng_unit(&p), quick = prng_unit(&p);
	switch (o->delay) {
	case ESTATE_DELAY_NONE:
		after = (uint64_t)(spread * 800);
		s.reports = false;
		break;
	case ESTATE_DELAY_SECONDS:
		after = 3000 + (uint64_t)(spread * 5000);
		s.reports = quick < 0.5;
		break;
	case ESTATE_DELAY_MINUTES:
		after = CLOCK_MINUTE_MS + (uint64_t)(spread * 9.0 * (double)CLOCK_MINUTE_MS);
		s.reports = quick < 0.97;
		break;
	case ESTATE_DELAY_HOUR:
		after = 20 * CLOCK_MINUTE_MS + (uint64_t)(spread * 50.0 * (double)CLOCK_MINUTE_MS);
		s.reports = quick < 0.99;
		break;
	}
	s.crashes = s.arrives + after;
	s.survives = prng_chance(&p, SURVIVORS) != 0;
	s.loops = prng_chance(&p, LOOPS) != 0;
	s.loop_reports = prng_chance(&p, 0.5) != 0;
	s.repair = prng_unit(&p);
	/* People come in the hours after the cause was found. */
	s.repaired =
	    (s.crashes > o->to ? s.crashes : o->to) + draw_span(&p, 20 * CLOCK_MINUTE_MS, 48 * HOUR_MS);
	s.relapse = prng_chance(&p, RELAPSES) != 0;
	s.relapses = s.repaired + draw_span(&p, 4 * CLOCK_MINUTE_MS, 2 * HOUR_MS);
	return s;
}

static void blow(struct host *h, wall_ms at, enum crash_kind kind, const char *detail)
{
	if (h->crash_count == CRASHES_MAX) {
		memmove(&h->crashes[0], &h->crashes[1], (CRASHES_MAX - 1) * sizeof(h->crashes[0]));
		h->crash_count--;
	}
	h->crashes[h->crash_count].at = at;
	h->crashes[h->crash_count].kind = kind;
	h->crashes[h->crash_count++].detail = detail;
}

/* What the host finds out about its own end when it is up again: an unclean boot is dated by the last note of
 * the boot that crashed that it ran, which each makes every ten minutes. */
static void remember(const struct estate *e, struct host *h, wall_ms booted, wall_ms crash)
{
	const char *culprit = e->o->outage == ESTATE_DRIVER ? products_at(e, e->cause)->name : "edr_sensor";
	wall_ms noted = booted < crash ? crash - (crash - booted) % CRASH_NOTED_MS : crash;
	blow(h, noted, CRASH_UNCLEAN_BOOT, "");
	blow(h, crash, e->cause_family == FAMILY_WINDOWS ? CRASH_BLUE_SCREEN : CRASH_PANIC, culprit);
	h->unclean = true;
}

/* Up for half a minute every five, as of now. */
static void loop(const struct estate *e, struct host *h, const struct strike *s)
{
	h->fate = FATE_LOOP;
	if (e->o->now < s->crashes + OUTAGE_BOOT_MS)
		return;
	uint64_t rounds = (e->o->now - s->crashes - OUTAGE_BOOT_MS) / OUTAGE_LOOP_MS;
	for (uint64_t i = rounds > 4 ? rounds - 4 : 0; i <= rounds; i++) {
		wall_ms up = s->crashes + i * OUTAGE_LOOP_MS + OUTAGE_BOOT_MS - OUTAGE_LOOP_MS;
		remember(e, h, i == 0 ? h->booted : up, i == 0 ? s->crashes : up + OUTAGE_LOOP_UP_MS);
	}
	h->back = h->booted = s->crashes + OUTAGE_BOOT_MS + rounds * OUTAGE_LOOP_MS;
	if (h->back + OUTAGE_LOOP_UP_MS <= e->o->now)
		h->died_again = h->back + OUTAGE_LOOP_UP_MS;
}

static void repair(struct estate *e, struct host *h, const struct strike *s, unsigned before)
{
	remember(e, h, h->booted, s->crashes);
	h->back = h->booted = s->repaired;
	change(e, h, false, s->reports ? VERSION_BAD : before, s->repaired + 4000);
	h->repaired = true;
	h->fate = FATE_UP;
	if (!s->relapse || s->relapses > e->o->now)
		return;
	h->relapsed = true;
	h->fate = FATE_CRASH;
	h->died_again = s->relapses;
}

static void strike(struct estate *e, struct host *h, const struct strike *s, uint16_t version)
{
	wall_ms now = e->o->now;
	h->arrived = s->arrives;
	if (s->survives || s->reports || s->crashes > now ||
	    (s->loops && s->loop_reports && s->crashes + OUTAGE_BOOT_MS + OUTAGE_LOOP_UP_MS < now)) {
		change(e, h, true, version, s->arrives);
		/* Unless its list is not here, or cannot be read. */
		h->reported =
		    !h->incomplete && (h->software.modules == READING_OK || e->o->outage == ESTATE_CONTENT);
	}
	if (s->survives || s->crashes > now) {
		h->exposure = s->survives ? EXPOSURE_SURVIVED : EXPOSURE_ARMED;
		return;
	}
	h->exposure = EXPOSURE_HIT;
	h->died = s->crashes;
	h->fate = FATE_CRASH;
	if (s->loops) {
		loop(e, h, s);
	} else if (s->repair < e->o->repaired && s->repaired < now) {
		repair(e, h, s, version);
	}
}

/* Whether the rollout reaches the host: a share of all, or mostly those of one model. */
static double chance_of(const struct estate *e, const struct host *h)
{
	double share = e->o->share;
	if ((e->o->confounders & ESTATE_MODEL) == 0)
		return share;
	double often = share * 3 > 0.9 ? 0.9 : share * 3;
	return h->model == e->confounder_model ? (often > share ? often : share) : share / 4;
}

static void expose(struct estate *e, struct host *h)
{
	uint16_t version;
	if (!outage_carries(e, h, &version))
		return;
	struct strike s = draw_strike(e, h);
	bool off = h->fate == FATE_ASLEEP || h->fate == FATE_STOPPED;
	bool there = h->fate == FATE_UP && host_alive(h, s.arrives) && h->number != 0 &&
		     !(e->o->trouble && h->number < ESTATE_TROUBLE_HOSTS);
	h->exposure = off ? EXPOSURE_AT_RISK : EXPOSURE_MISSED;
	if (h->fate == FATE_LEFT || h->fate == FATE_REPLACED || h->fate == FATE_FAULT)
		h->exposure = EXPOSURE_NONE;
	if (there && s.luck < chance_of(e, h) && s.arrives <= e->o->now)
		strike(e, h, &s, version);
}

/* The good release, for whoever lives. */
static void heal(const struct estate *e, struct host *h)
{
	struct prng p = draw_stream(e, STREAM_OUTAGE, UINT32_MAX + (uint64_t)h->number);
	wall_ms at = e->o->to + draw_wait(&p, 25.0 * (double)CLOCK_MINUTE_MS);
	if (h->software.release != 0 && h->fate == FATE_UP && h->back == 0 && at <= e->o->now &&
	    h->exposure != EXPOSURE_ARMED)
		change(e, h, false, 0, at);
}

void outage_apply(struct estate *e)
{
	const struct estate_options *o = e->o;
	bool blames = o->outage == ESTATE_DRIVER || o->outage == ESTATE_CONTENT;
	if ((o->confounders & ESTATE_MODEL) != 0)
		confounders_model(e);
	if (o->outage == ESTATE_POWER)
		confounders_power(e, 1 + (size_t)(o->share * (double)(o->sites - 1)));
	else if ((o->confounders & ESTATE_POWER_CUT) != 0)
		confounders_power(e, 1 + o->sites / 100);
	for (size_t i = 0; blames && i < o->hosts; i++)
		expose(e, &e->hosts[i]);
	for (size_t i = 0; o->outage == ESTATE_CONTENT && i < o->hosts; i++)
		heal(e, &e->hosts[i]);
	if (o->outage == ESTATE_PATCHDAY)
		confounders_patch_day(e, o->share);
	else if ((o->confounders & ESTATE_PATCH_DAY) != 0)
		confounders_patch_day(e, 0.5);
}
