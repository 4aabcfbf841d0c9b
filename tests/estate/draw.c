/* What a host says of itself, but for its components. */
#include <stdio.h>
#include <string.h>

#include "tests/estate/estate_private.h"

static struct reading_text known(const char *text)
{
	struct reading_text r = {.status = READING_OK};
	snprintf(r.value, sizeof(r.value), "%s", text);
	return r;
}

static struct reading_u64 value(uint64_t v)
{
	return (struct reading_u64){READING_OK, v};
}

static void draw_profile(struct estate *e, struct host *h)
{
	static const char *const roles[] = {"server", "till", "desktop", "db", "kiosk"};
	const struct image *image = &estate_images[h->image];
	struct profile *p = &h->profile;
	char name[LIMIT_HOSTNAME_BYTES + 1];
	snprintf(name, sizeof(name), "%.24s-%05zu", e->sites[h->site].name, h->number);
	p->hostname = known(name);
	memcpy(p->site, e->sites[h->site].name, sizeof(p->site));
	p->location = known("rack 4");
	snprintf(p->tags[0], sizeof(p->tags[0]), "ring-%u", (unsigned)prng_below(&e->prng, 4));
	p->tag_count = 1;
	snprintf(p->role, sizeof(p->role), "%s",
		 strncmp(image->model, "Till", 4) == 0 ? "till" : roles[prng_below(&e->prng, 5)]);
	p->os = known(image->os);
	p->kernel = known(image->kernel);
	p->arch = known(image->arch);
	p->model = known(image->model);
	p->boot_mode = known(h->image == 6 ? "bios" : "uefi");
	p->secure_boot = h->image == 6 ? (struct reading_u64){.status = READING_UNSUPPORTED}
				       : value(prng_chance(&e->prng, 0.7) != 0);
	p->hardware_hash_status = READING_OK;
	for (size_t i = 0; i < sizeof(p->hardware_hash); i++)
		p->hardware_hash[i] = (uint8_t)prng_u64(&e->prng);
	snprintf(p->agent, sizeof(p->agent), "0.1.0");
	p->addresses[0] = (struct address){
	    .ip = {10, (uint8_t)(h->site % 256), (uint8_t)(h->number / 250), (uint8_t)(1 + h->number % 250)},
	    .ip_len = 4,
	    .port = 7946};
	p->address_count = 1;
	p->virtualization = (struct reading_text){.status = READING_ABSENT};
}

static void draw_health(struct estate *e, struct host *h)
{
	struct health *v = &h->health;
	v->boot = prng_u64(&e->prng) | 1;
	v->boot_time_s = value(e->o->now / 1000 - 86400 - prng_below(&e->prng, 86400 * 40));
	v->last_boot_clean = value(prng_chance(&e->prng, 0.97) != 0);
	v->stall_cpu_percent = value(10 * prng_below(&e->prng, 3));
	v->stall_memory_percent = value(0);
	v->stall_io_percent = value(10 * prng_below(&e->prng, 2));
	v->memory_percent = value(10 * (2 + prng_below(&e->prng, 7)));
	v->disk_percent = value(10 * (1 + prng_below(&e->prng, 9)));
	v->oom_kills = value(prng_chance(&e->prng, 0.02) != 0);
	v->oopses = value(prng_chance(&e->prng, 0.01) != 0);
	v->warnings = value(prng_below(&e->prng, 2));
	v->taint = value(0);
	if (v->disk_percent.value >= 90) {
		v->level = HEALTH_WARNING;
		v->reasons |= HEALTH_REASON_DISK;
	}
	if (v->oopses.value > 0) {
		v->level = HEALTH_CRITICAL;
		v->reasons |= HEALTH_REASON_OOPS;
	}
}

static void draw_crashes(struct estate *e, struct host *h)
{
	struct crashes *c = &h->crashes;
	for (int kind = CRASH_UNCLEAN_BOOT; kind <= CRASH_CORE_DUMP; kind++)
		c->sources[kind] = READING_OK;
	c->sources[CRASH_PANIC] = READING_DENIED;
	c->sources[CRASH_BLUE_SCREEN] = READING_UNSUPPORTED;
	c->first_day = clock_day(e->o->now) - 13;
	c->day_count = LIMIT_CRASH_DAYS;
	for (size_t i = prng_chance(&e->prng, 0.08) ? 1 + prng_below(&e->prng, 3) : 0; i > 0; i--) {
		struct crash_event *event = &c->events[c->event_count++];
		event->kind = prng_chance(&e->prng, 0.5) ? CRASH_UNCLEAN_BOOT : CRASH_OOPS;
		event->time_s = e->o->now / 1000 - prng_below(&e->prng, 86400 * 10);
		if (event->kind == CRASH_OOPS)
			snprintf(event->detail, sizeof(event->detail), "edr_sensor");
		c->totals[event->kind]++;
		c->per_day[13 - (e->o->now / 1000 - event->time_s) / 86400]++;
	}
}

static void draw_state(struct estate *e, struct host *h)
{
	struct host_state *s = &h->state;
	wall_ms now = e->o->now;
	double dice = prng_unit(&e->prng);
	s->host = h->certificate.host;
	s->status = HOST_UP;
	s->seen = now - 1000 * prng_below(&e->prng, 5);
	s->since = now - CLOCK_DAY_MS - 1000 * prng_below(&e->prng, 86400);
	if (dice < 0.02) {
		s->status = HOST_DARK;
		s->since = now - 60000 - 1000 * prng_below(&e->prng, 86400);
		s->seen = s->since - 12000;
		s->votes = s->signers = 2;
		s->witnesses[0] = prng_u64(&e->prng);
		s->witnesses[1] = prng_u64(&e->prng);
	} else if (dice < 0.035) {
		s->status = dice < 0.03 ? HOST_STOPPED : HOST_ASLEEP;
		s->since = s->seen = now - 60000 - 1000 * prng_below(&e->prng, 86400);
	} else if (e->sites[h->site].silent) {
		s->status = HOST_SILENT;
		s->since = s->seen = now - 20 * CLOCK_MINUTE_MS;
	}
}

void estate_draw(struct estate *e, struct host *h)
{
	h->image = (size_t)prng_below(&e->prng, estate_image_count);
	draw_profile(e, h);
	draw_health(e, h);
	draw_crashes(e, h);
	draw_state(e, h);
}
