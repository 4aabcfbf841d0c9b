/* What happens at the same time as an outage and is not to blame for it. */
#include "tests/estate/outage.h"
#include "tests/estate/software.h"

#define AROUND_MS (3 * HOUR_MS)

enum { NUMBER_MODEL = ESTATE_HOSTS_MAX * 4, NUMBER_POWER, NUMBER_PATCHES };

static bool bystander(const struct estate *e, const struct host *h)
{
	return h->number != 0 && !(e->o->trouble && h->number < ESTATE_TROUBLE_HOSTS);
}

static void note(struct host *h, size_t product, unsigned from, unsigned to, wall_ms at)
{
	if (h->update_count < UPDATES_MAX)
		h->updates[h->update_count++] =
		    (struct update){(uint16_t)product, (uint16_t)from, (uint16_t)to, at};
}

void confounders_patch_day(struct estate *e, double share)
{
	for (size_t i = 0; i < e->o->hosts; i++) {
		struct host *h = &e->hosts[i];
		struct prng p = draw_stream(e, STREAM_OUTAGE, NUMBER_PATCHES + i);
		wall_ms at = e->o->from - AROUND_MS + prng_below(&p, AROUND_MS + e->o->to - e->o->from);
		bool lucky = prng_chance(&p, share) != 0;
		if (!lucky || !bystander(e, h) || images_family(e, h->software.image) != FAMILY_WINDOWS ||
		    at > e->o->now || at < h->booted || !host_alive(h, at) || e->sites[h->site].cut != 0)
			continue;
		if (e->o->now - at < 2 * CLOCK_MINUTE_MS && h->fate == FATE_UP && h->back == 0) {
			h->fate = FATE_STOPPED; /* still at it */
			h->died = at;
			continue;
		}
		note(h, PRODUCT_KERNEL, h->software.level, h->software.level + 1u, at);
		h->software.level++;
		if (h->back == 0)
			h->booted = at + CLOCK_MINUTE_MS < e->o->now ? at + CLOCK_MINUTE_MS : at;
		if (h->died != 0 && h->back == 0 && h->booted > h->died)
			h->booted = at;
	}
}

/* The model of most hosts that have the component; by the seed the second or third. */
static size_t choose_model(const struct estate *e)
{
	size_t counts[64] = {0}, best = NO_HOST;
	uint16_t version;
	for (size_t i = 0; i < e->o->hosts; i++)
		counts[e->hosts[i].model] += outage_carries(e, &e->hosts[i], &version);
	for (uint64_t rank = 0; rank <= e->o->seed % 3; rank++) {
		size_t top = NO_HOST;
		for (size_t i = 0; i < hardware_model_count; i++) {
			if (products_of_model(e, i) != NO_HOST && counts[i] > 0 &&
			    (top == NO_HOST || counts[i] > counts[top]))
				top = i;
		}
		if (top == NO_HOST)
			break;
		best = top;
		counts[top] = 0;
	}
	return best;
}

void confounders_model(struct estate *e)
{
	e->confounder_model = choose_model(e);
	for (size_t i = 0; e->confounder_model != NO_HOST && i < e->o->hosts; i++) {
		struct host *h = &e->hosts[i];
		struct prng p = draw_stream(e, STREAM_OUTAGE, NUMBER_MODEL + ESTATE_HOSTS_MAX * 4 + i);
		size_t driver = products_of_model(e, e->confounder_model);
		wall_ms at = e->o->from - HOUR_MS / 4 - prng_below(&p, 5 * HOUR_MS);
		uint16_t version;
		if (h->model != e->confounder_model || !prng_chance(&p, 0.7) || h->fate != FATE_UP ||
		    !host_alive(h, at) || !software_find(&h->software, driver, &version))
			continue;
		note(h, driver, version, VERSION_GOOD, at);
		software_put(&h->software, driver, VERSION_GOOD);
	}
}

static void cut_power(struct estate *e, struct site *s)
{
	struct prng p = draw_stream(e, STREAM_SITES, 1 + (uint64_t)(s - e->sites));
	wall_ms at = e->o->from + prng_below(&p, e->o->to - e->o->from + 1);
	bool battery = prng_chance(&p, 0.3) != 0;
	s->power_cut = at;
	if (at > e->o->now)
		return;
	for (size_t i = 0; i < e->o->hosts; i++) {
		struct host *h = &e->hosts[i];
		wall_ms gone = at + prng_below(&p, 1500);
		bool server = h->role == ROLE_SERVER || h->role == ROLE_DB;
		if (&e->sites[h->site] != s || h->fate != FATE_UP || !host_alive(h, at) ||
		    (battery && server))
			continue;
		h->fate = FATE_POWER;
		h->died = gone;
	}
}

void confounders_power(struct estate *e, size_t sites)
{
	struct prng p = draw_stream(e, STREAM_OUTAGE, NUMBER_POWER);
	for (size_t tries = 0; sites > 0 && tries < 40 * e->o->sites; tries++) {
		/* Not that of the replica's own host, which looks on. */
		struct site *s = &e->sites[prng_below(&p, e->o->sites)];
		if (s == &e->sites[e->hosts[0].site] || s->cut != 0 || s->power_cut != 0)
			continue;
		cut_power(e, s);
		sites--;
	}
}
