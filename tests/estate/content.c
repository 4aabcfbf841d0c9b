/* The sensor's content files. A release comes every few hours and changes one channel; each host takes it a
 * little later, so at any time most have the newest and some the ones before. */
#include "tests/estate/software.h"

#define BETWEEN_MS (7 * HOUR_MS)

wall_ms content_time(const struct estate *e, unsigned release)
{
	return e->epoch - (CONTENT_RELEASES - release) * BETWEEN_MS - 40 * CLOCK_MINUTE_MS -
	       draw_mix(e->o->seed, release) % (3 * HOUR_MS);
}

size_t content_channel(const struct estate *e, unsigned release)
{
	if (release > CONTENT_RELEASES)
		return CONTENT_BAD_CHANNEL;
	return (size_t)(draw_mix(e->o->seed + 1, release) % CONTENT_CHANNELS);
}

unsigned content_version(const struct estate *e, unsigned release, size_t channel)
{
	unsigned version = 3 + (unsigned)(draw_mix(channel, 3) % 40);
	bool together = (e->o->confounders & ESTATE_TOGETHER) != 0;
	for (unsigned i = 1; i <= release; i++)
		version += content_channel(e, i) == channel ||
			   (together && i > CONTENT_RELEASES && channel == CONTENT_COMPANION_CHANNEL);
	return version;
}

wall_ms content_taken(const struct estate *e, const struct host *h, unsigned release)
{
	struct prng p;
	prng_seed(&p, draw_mix(draw_mix(e->o->seed, h->number), 1000 + release));
	/* One in forty is late by days. */
	double mean = prng_chance(&p, 0.025) ? 2.0 * (double)CLOCK_DAY_MS : 25.0 * (double)CLOCK_MINUTE_MS;
	return content_time(e, release) + draw_wait(&p, mean);
}

unsigned content_release_of(const struct estate *e, const struct host *h, wall_ms t)
{
	for (unsigned release = CONTENT_RELEASES; release > 1; release--) {
		if (content_taken(e, h, release) <= t)
			return release;
	}
	return 1;
}
