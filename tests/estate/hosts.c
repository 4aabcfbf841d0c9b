/* Hosts: what each is for, what it runs, and what became of it in quiet times. */
#include <stdlib.h>
#include <string.h>

#include "crypto/rng.h"
#include "tests/estate/parallel.h"
#include "tests/estate/software.h"

static enum role draw_role(enum site_kind kind, struct prng *p)
{
	static const unsigned parts[SITE_KINDS][ROLES] = {
	    [SITE_DATA_CENTRE] = {[ROLE_SERVER] = 73, [ROLE_DB] = 24, [ROLE_DESKTOP] = 3},
	    [SITE_OFFICE] = {[ROLE_LAPTOP] = 62, [ROLE_DESKTOP] = 26, [ROLE_SERVER] = 9, [ROLE_KIOSK] = 3},
	    [SITE_WAREHOUSE] =
		{[ROLE_DESKTOP] = 42, [ROLE_KIOSK] = 26, [ROLE_LAPTOP] = 24, [ROLE_SERVER] = 8},
	    [SITE_SHOP] = {[ROLE_TILL] = 61,
			   [ROLE_KIOSK] = 14,
			   [ROLE_DESKTOP] = 11,
			   [ROLE_LAPTOP] = 9,
			   [ROLE_SERVER] = 5},
	};
	unsigned at = (unsigned)prng_below(p, 100);
	enum role role = 0;
	while (at >= parts[kind][role])
		at -= parts[kind][role++];
	return role;
}

static void draw_machine(struct estate *e, struct host *h, struct prng *p)
{
	/* The first one of each site is its server. */
	h->role = h->number < e->o->sites ? ROLE_SERVER : draw_role(e->sites[h->site].kind, p);
	h->software.image = (uint16_t)images_pick(e, h->role, p);
	struct prng by_image;
	prng_seed(&by_image, draw_mix(e->o->seed, h->software.image));
	/* Tills and kiosks have an image for each model. */
	bool fixed = h->role == ROLE_TILL || h->role == ROLE_KIOSK;
	h->model = hardware_pick(h->role, images_family(e, h->software.image),
				 images_arch(e, h->software.image), fixed ? &by_image : p);
}

/* Servers stay up for weeks, the others are switched off at night or over the weekend. */
static wall_ms draw_uptime(const struct host *h, struct prng *p)
{
	if (h->role == ROLE_SERVER || h->role == ROLE_DB)
		return draw_span(p, CLOCK_DAY_MS / 2, 90 * CLOCK_DAY_MS);
	return draw_span(p, HOUR_MS / 4, h->role == ROLE_LAPTOP ? 6 * CLOCK_DAY_MS : 20 * CLOCK_DAY_MS);
}

static void draw_host(struct estate *e, size_t number)
{
	struct prng p = draw_stream(e, STREAM_HOST, number);
	struct host *h = &e->hosts[number];
	h->number = number;
	h->predecessor = h->successor = NO_HOST;
	h->fate = FATE_UP;
	h->software.modules = READING_OK;
	draw_machine(e, h, &p);
	h->enrolled = e->epoch - draw_span(&p, 9 * CLOCK_DAY_MS, 900 * CLOCK_DAY_MS);
	h->booted = e->epoch - draw_uptime(h, &p);
	/* Asleep in the bag, some for weeks. */
	double asleep = h->role == ROLE_LAPTOP ? 0.3 : h->role == ROLE_DESKTOP ? 0.06 : 0;
	if (number >= e->o->sites && prng_chance(&p, asleep)) {
		h->fate = FATE_ASLEEP;
		h->died = e->epoch - draw_span(&p, 2 * CLOCK_MINUTE_MS, 25 * CLOCK_DAY_MS);
		h->booted -= e->epoch - h->died;
	}
}

static enum err make_key(void *context, size_t index)
{
	struct estate *e = context;
	struct host *h = &e->hosts[index];
	struct crypto_rng_seeded state;
	struct prng p = draw_stream(e, STREAM_KEYS, index);
	struct crypto_rng rng = crypto_rng_from_seed(&state, prng_u64(&p));
	enum err err = identity_generate(&rng, &h->identity);
	if (err == ERR_OK)
		h->id = *identity_id(h->identity);
	return err;
}

/* --- what is rare: so many of all hosts, rounded down, so that small estates have none of it --- */

static void vanish(struct estate *e, struct host *h, enum fate fate, struct prng *p)
{
	h->fate = fate;
	h->died = e->epoch - draw_span(p, 10 * CLOCK_MINUTE_MS, 30 * CLOCK_DAY_MS);
	h->booted = h->died - draw_uptime(h, p);
}

static void be_fault(struct estate *e, struct host *h, struct prng *p)
{
	vanish(e, h, FATE_FAULT, p);
}

static void be_stopped(struct estate *e, struct host *h, struct prng *p)
{
	vanish(e, h, FATE_STOPPED, p);
}

static void be_left(struct estate *e, struct host *h, struct prng *p)
{
	vanish(e, h, FATE_LEFT, p);
	h->died -= 2 * CLOCK_DAY_MS;
}

static void be_never_heard(struct estate *e, struct host *h, struct prng *p)
{
	h->fate = FATE_NEVER_HEARD;
	h->enrolled = e->epoch - draw_span(p, HOUR_MS, 60 * CLOCK_DAY_MS);
}

static void be_denied(struct estate *e, struct host *h, struct prng *p)
{
	(void)e;
	(void)p;
	h->software.modules = READING_DENIED;
}

static void be_unsupported(struct estate *e, struct host *h, struct prng *p)
{
	(void)e;
	(void)p;
	h->software.modules = READING_UNSUPPORTED;
}

static void be_failed(struct estate *e, struct host *h, struct prng *p)
{
	(void)e;
	if (prng_chance(p, 0.5))
		h->software.modules = READING_FAILED;
	h->broken_health = true;
}

static void be_incomplete(struct estate *e, struct host *h, struct prng *p)
{
	(void)p;
	h->incomplete = true;
	h->enrolled = h->booted = e->epoch - 40 * CLOCK_SECOND_MS;
}

/* Imaged again, with a new key: the next host of its kind at the site takes its place and its name. */
static void be_replaced(struct estate *e, struct host *h, struct prng *p)
{
	for (size_t i = h->number + 1; i < e->o->hosts && e->sites[h->site].cut == 0; i++) {
		struct host *other = &e->hosts[i];
		if (other->site != h->site || other->role != h->role || other->fate != FATE_UP ||
		    other->predecessor != NO_HOST)
			continue;
		vanish(e, h, FATE_REPLACED, p);
		h->successor = i;
		other->predecessor = h->number;
		other->model = h->model;
		other->software.image = h->software.image;
		other->enrolled = h->died + draw_span(p, HOUR_MS / 2, 4 * HOUR_MS);
		if (other->enrolled > e->epoch - CLOCK_MINUTE_MS) {
			h->died -= 5 * HOUR_MS;
			other->enrolled -= 5 * HOUR_MS;
		}
		other->booted = other->enrolled;
		if (h->booted >= h->died)
			h->booted = h->died - HOUR_MS;
		return;
	}
}

static const struct rarity {
	double share;
	void (*be)(struct estate *e, struct host *h, struct prng *p);
} rare[] = {
    {0.012, be_stopped},     {0.008, be_left},         {0.004, be_replaced},
    {0.003, be_fault},       {0.0015, be_never_heard}, {0.004, be_denied},
    {0.003, be_unsupported}, {0.002, be_failed},       {0.001, be_incomplete},
};

/* From the last site backwards, so that the largest ones stay. */
static void cut_sites(struct estate *e)
{
	struct prng p = draw_stream(e, STREAM_STATES, NO_HOST);
	size_t count = e->o->silent_sites < 0 ? e->o->sites / 100 : (size_t)e->o->silent_sites;
	for (size_t i = 1; i <= count && i < e->o->sites; i++)
		e->sites[e->o->sites - i].cut = e->epoch - draw_span(&p, 2 * HOUR_MS, 3 * CLOCK_DAY_MS);
}

static enum err draw_rare(struct estate *e)
{
	struct prng p = draw_stream(e, STREAM_FATES, 0);
	size_t count = e->o->hosts, next = 0;
	uint32_t *order = calloc(count, sizeof(*order));
	if (order == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		size_t other = (size_t)prng_below(&p, i + 1);
		order[i] = order[other];
		order[other] = (uint32_t)i;
	}
	for (size_t i = 0; i < sizeof(rare) / sizeof(*rare); i++) {
		for (size_t left = (size_t)(rare[i].share * (double)count); left > 0 && next < count;
		     next++) {
			struct host *h = &e->hosts[order[next]];
			/* The first of a site, and whoever has a part to play already, stay as they are. */
			if (h->number < e->o->sites || (e->o->trouble && h->number < ESTATE_TROUBLE_HOSTS) ||
			    h->fate != FATE_UP || h->predecessor != NO_HOST)
				continue;
			rare[i].be(e, h, &p);
			left--;
		}
	}
	free(order);
	return ERR_OK;
}

static void finish(struct estate *e, struct host *h)
{
	wall_ms cut = e->sites[h->site].cut;
	if (e->o->trouble && h->number < ESTATE_TROUBLE_HOSTS) {
		h->fate = FATE_UP;
		h->died = 0;
	}
	if (cut != 0 && h->fate == FATE_UP)
		h->fate = FATE_LINK;
	wall_ms until = h->died != 0 ? h->died : e->epoch;
	if (cut != 0 && until > cut)
		until = cut;
	if (h->booted > until)
		h->booted = until - HOUR_MS;
	if (h->booted < h->enrolled)
		h->enrolled = h->booted - HOUR_MS;
	software_draw(e, h, until);
}

enum err hosts_make(struct estate *e)
{
	for (size_t i = 0; i < e->o->hosts; i++)
		draw_host(e, i);
	cut_sites(e);
	enum err err = draw_rare(e);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < e->o->hosts; i++)
		finish(e, &e->hosts[i]);
	return parallel_for(e->threads, e->o->hosts, make_key, e);
}

bool host_alive(const struct host *h, wall_ms t)
{
	if (h->fate == FATE_NEVER_HEARD || h->enrolled > t)
		return false;
	if (h->died == 0 || t < h->died)
		return true;
	return h->back != 0 && t >= h->back && (h->died_again == 0 || t < h->died_again);
}
