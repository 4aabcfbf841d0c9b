/* What hosts say of themselves: profile, health, crashes, goodbye; and their certificates. */
#include "tests/estate/records.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/estate/changes.h"
#include "tests/estate/software.h"
#include "tests/estate/trouble.h"

static struct reading_u64 value(uint64_t v)
{
	return (struct reading_u64){READING_OK, v};
}

static struct reading_u64 without(enum reading_status status)
{
	return (struct reading_u64){.status = status};
}

wall_ms records_until(const struct estate *e, const struct host *h)
{
	wall_ms until = e->o->now, cut = e->sites[h->site].cut;
	if (h->died_again != 0)
		until = h->died_again;
	else if (h->died != 0 && h->back == 0)
		until = h->died;
	if (cut != 0 && until > cut)
		until = cut;
	return until < e->o->now ? until : e->o->now;
}

/* What identifies the machine: its own, or that of the host whose place it took. */
static void hardware_hash(const struct estate *e, const struct host *h, uint8_t ret[HARDWARE_HASH_BYTES])
{
	uint64_t x = draw_mix(e->o->seed ^ 0x4857, h->predecessor != NO_HOST ? h->predecessor : h->number);
	for (size_t i = 0; i < HARDWARE_HASH_BYTES; i++)
		ret[i] = (uint8_t)(x >> 8 * i);
}

static void draw_certificate(const struct estate *e, const struct host *h, struct certificate *c)
{
	const struct site *s = &e->sites[h->site];
	*c = (struct certificate){.seq = 1, .enrolled = clock_day(h->enrolled), .group_count = 2};
	/* Inside a container nothing says what machine it is. */
	c->has_hardware = draw_mix(e->o->seed, h->number) % 24 != 0;
	text_copy(c->site, sizeof(c->site), s->name);
	text_copy(c->groups[0], sizeof(c->groups[0]), names_site_kind(s->kind));
	text_copy(c->groups[1], sizeof(c->groups[1]), names_role(h->role));
	hardware_hash(e, h, c->hardware);
}

static void draw_place(const struct host *h, struct profile *p, struct prng *r)
{
	if (h->role == ROLE_SERVER || h->role == ROLE_DB)
		p->location = draw_known("row %c, rack %u", 'A' + (int)prng_below(r, 8),
					 1 + (unsigned)prng_below(r, 40));
	else if (h->role == ROLE_TILL)
		p->location = draw_known("till %u", 1 + (unsigned)prng_below(r, 24));
	else if (h->role != ROLE_LAPTOP)
		p->location = draw_known("floor %u", (unsigned)prng_below(r, 5));
	snprintf(p->tags[0], sizeof(p->tags[0]), "ring-%u", (unsigned)(draw_zipf(r, 4)));
	p->tag_count = 1;
	if (prng_chance(r, 0.2))
		snprintf(p->tags[p->tag_count++], sizeof(p->tags[0]), "pci-scope");
	snprintf(p->asset_ids[0], sizeof(p->asset_ids[0]), "A%07u", (unsigned)prng_below(r, 10000000));
	p->asset_id_count = prng_chance(r, 0.9) ? 1 : 0;
}

static void draw_profile(const struct estate *e, const struct host *h, struct profile *p, struct prng *r)
{
	const struct model *m = &hardware_models[h->model];
	const struct site *s = &e->sites[h->site];
	char name[LIMIT_HOSTNAME_BYTES + 1];
	names_host(s, h, name);
	p->hostname = draw_known("%s", name);
	text_copy(p->site, sizeof(p->site), s->name);
	draw_place(h, p, r);
	text_copy(p->role, sizeof(p->role), names_role(h->role));
	p->os = images_os(e, h->software.image);
	p->kernel = images_kernel(e, h->software.image, h->software.level);
	p->arch = draw_known("%s", m->arch);
	p->model = draw_known("%s", m->name);
	bool old = draw_mix(h->model, 21) % 5 == 0;
	p->boot_mode = draw_known(old ? "bios" : "uefi");
	p->secure_boot = old ? without(READING_UNSUPPORTED) : value(prng_chance(r, 0.8) != 0);
	p->hardware_hash_status =
	    m->family == FAMILY_LINUX && prng_chance(r, 0.4) ? READING_DENIED : READING_OK;
	hardware_hash(e, h, p->hardware_hash);
	text_copy(p->agent, sizeof(p->agent), prng_chance(r, 0.93) ? "0.1.0" : "0.0.9");
	p->addresses[0] = (struct address){.ip = {10, (uint8_t)(h->site / 4),
						  (uint8_t)(h->site % 4 * 64 + h->number / 250 % 64),
						  (uint8_t)(1 + h->number % 250)},
					   .ip_len = 4,
					   .port = 7946};
	p->address_count = 1;
	p->virtualization = (struct reading_text){.status = READING_ABSENT};
	if (m->virtualization != NULL)
		p->virtualization = draw_known("%s", m->virtualization);
	p->flags = h->role == ROLE_LAPTOP && prng_chance(r, 0.5) ? PROFILE_ONLY_GETS_OUT : 0;
}

/* What only Linux has a source for. */
static void draw_linux_health(const struct host *h, struct health *v, struct prng *r)
{
	v->stall_cpu_percent = value(10 * draw_zipf(r, 5));
	v->stall_memory_percent = value(prng_chance(r, 0.03) ? 10 : 0);
	v->stall_io_percent = value(10 * (draw_zipf(r, 8) / 2));
	v->oom_kills = value(prng_chance(r, 0.02) ? 1 + prng_below(r, 4) : 0);
	v->oopses = value(prng_chance(r, 0.004) ? 1 : 0);
	v->warnings = value(prng_chance(r, 0.1) ? 1 + prng_below(r, 3) : 0);
	v->taint = value(prng_chance(r, 0.5) ? 4096 : 0);
	/* Kernels before 6.2 do not count, some are built without pressure figures. */
	if (draw_mix(h->software.image, 31) % 3 == 0)
		v->oopses = v->warnings = without(READING_UNSUPPORTED);
	if (draw_mix(h->software.image, 32) % 9 == 0)
		v->stall_cpu_percent = v->stall_memory_percent = v->stall_io_percent =
		    without(READING_UNSUPPORTED);
}

static void judge_health(struct health *v)
{
	if (v->disk_percent.value >= 90)
		v->reasons |= HEALTH_REASON_DISK;
	if (v->memory_percent.value >= 90)
		v->reasons |= HEALTH_REASON_MEMORY;
	if (v->oom_kills.value > 0)
		v->reasons |= HEALTH_REASON_OOM;
	if (v->last_boot_clean.status == READING_OK && v->last_boot_clean.value == 0)
		v->reasons |= HEALTH_REASON_UNCLEAN_BOOT;
	v->level = v->reasons != 0 ? HEALTH_WARNING : HEALTH_OK;
	if (v->oopses.value > 0) {
		v->reasons |= HEALTH_REASON_OOPS;
		v->level = HEALTH_CRITICAL;
	}
}

static void draw_health(const struct estate *e, const struct host *h, struct health *v, struct prng *r)
{
	v->boot = draw_mix(draw_mix(e->o->seed, h->number), h->booted) | 1;
	v->boot_time_s = value(h->booted / 1000);
	v->last_boot_clean = value(h->unclean ? 0 : prng_chance(r, 0.97) != 0);
	v->memory_percent = value(10 * (2 + prng_below(r, 7) + (prng_chance(r, 0.02) ? 1 : 0)));
	v->disk_percent = value(10 * (1 + prng_below(r, 8) + (prng_chance(r, 0.03) ? 1 : 0)));
	if (images_family(e, h->software.image) == FAMILY_LINUX) {
		draw_linux_health(h, v, r);
	} else {
		v->stall_cpu_percent = v->stall_memory_percent = v->stall_io_percent = v->oom_kills =
		    v->oopses = v->warnings = v->taint = without(READING_UNSUPPORTED);
	}
	if (h->broken_health) {
		v->disk_percent = without(READING_FAILED);
		v->memory_percent = without(READING_FAILED);
	}
	judge_health(v);
}

static void add_crash(struct crashes *c, wall_ms at, enum crash_kind kind, const char *detail)
{
	uint32_t day = (uint32_t)clock_day(at);
	if (c->event_count < LIMIT_CRASH_EVENTS) {
		size_t place = 0;
		while (place < c->event_count && c->events[place].time_s > at / 1000)
			place++;
		memmove(&c->events[place + 1], &c->events[place],
			(c->event_count - place) * sizeof(*c->events));
		c->events[place] = (struct crash_event){.time_s = at / 1000, .kind = kind};
		text_copy(c->events[place].detail, sizeof(c->events[place].detail), detail);
		c->event_count++;
	}
	c->totals[kind]++;
	if (day >= c->first_day && day < c->first_day + c->day_count)
		c->per_day[day - c->first_day]++;
}

static void draw_sources(const struct estate *e, const struct host *h, struct crashes *c, struct prng *r)
{
	bool is_linux = images_family(e, h->software.image) == FAMILY_LINUX;
	for (int kind = CRASH_UNCLEAN_BOOT; kind < CRASH_KINDS; kind++)
		c->sources[kind] = is_linux ? READING_OK : READING_UNSUPPORTED;
	c->sources[CRASH_UNCLEAN_BOOT] = READING_OK;
	c->sources[CRASH_CORE_DUMP] = prng_chance(r, 0.9) ? READING_OK : READING_DENIED;
	c->sources[CRASH_BLUE_SCREEN] = is_linux               ? READING_UNSUPPORTED
					: prng_chance(r, 0.96) ? READING_OK
							       : READING_DENIED;
	if (is_linux)
		c->sources[CRASH_PANIC] = prng_chance(r, 0.3) ? READING_OK : READING_DENIED;
	if (is_linux && draw_mix(h->software.image, 31) % 3 == 0)
		c->sources[CRASH_OOPS] = c->sources[CRASH_WARNING] = READING_UNSUPPORTED;
	if (h->broken_health)
		c->sources[CRASH_CORE_DUMP] = READING_FAILED;
}

/* Ordinary bad luck: most never crash, some did once, a few do all the time. */
static void draw_crashes(const struct estate *e, const struct host *h, wall_ms until, struct crashes *c,
			 struct prng *r)
{
	static const char *const culprits[] = {"nvlddmkm", "igdkmdn64", "rt640x64", "nvidia",
					       "storport", "ntoskrnl",  ""};
	size_t events = prng_chance(r, 0.08) ? 1 + prng_below(r, 2) : prng_chance(r, 0.003) ? 12 : 0;
	bool is_linux = images_family(e, h->software.image) == FAMILY_LINUX;
	draw_sources(e, h, c, r);
	c->first_day = clock_day(until) - (LIMIT_CRASH_DAYS - 1);
	c->day_count = LIMIT_CRASH_DAYS;
	for (size_t i = 0; i < events; i++) {
		enum crash_kind kind = prng_chance(r, 0.5) ? CRASH_UNCLEAN_BOOT
				       : is_linux          ? CRASH_CORE_DUMP
							   : CRASH_BLUE_SCREEN;
		const char *culprit = kind == CRASH_BLUE_SCREEN ? culprits[prng_below(r, 7)] : "";
		if (is_linux && prng_chance(r, 0.2))
			kind = CRASH_OOPS;
		wall_ms age = prng_below(r, 60 * CLOCK_DAY_MS);
		if (c->sources[kind] == READING_OK && until - age > h->enrolled)
			add_crash(c, until - age, kind, culprit);
	}
	for (size_t i = 0; i < h->crash_count; i++) {
		if (c->sources[h->crashes[i].kind] == READING_OK)
			add_crash(c, h->crashes[i].at, h->crashes[i].kind, h->crashes[i].detail);
	}
}

void records_draw(const struct estate *e, const struct host *h, struct sayings *ret)
{
	struct prng r = draw_stream(e, STREAM_RECORDS, h->number);
	wall_ms until = records_until(e, h), boot = h->booted + 2000 < until ? h->booted + 2000 : until;
	memset(ret, 0, sizeof(*ret));
	draw_certificate(e, h, &ret->certificate);
	ret->at[RECORD_CERTIFICATE] = h->enrolled;
	if (h->fate == FATE_NEVER_HEARD)
		return;
	draw_profile(e, h, &ret->profile, &r);
	draw_health(e, h, &ret->health, &r);
	draw_crashes(e, h, until, &ret->crashes, &r);
	ret->at[RECORD_PROFILE] = boot;
	ret->at[RECORD_HEALTH] = boot + prng_below(&r, until - boot + 1);
	/* An unclean boot is news by itself. */
	if (h->unclean)
		ret->at[RECORD_HEALTH] = boot;
	ret->at[RECORD_CRASHES] = h->enrolled + 5000;
	if (ret->crashes.event_count > 0)
		ret->at[RECORD_CRASHES] = ret->crashes.events[0].time_s * 1000 + CLOCK_MINUTE_MS;
	if (ret->at[RECORD_CRASHES] < boot && h->crash_count > 0)
		ret->at[RECORD_CRASHES] = boot;
	if (ret->at[RECORD_CRASHES] > until)
		ret->at[RECORD_CRASHES] = until;
	if (!h->incomplete) {
		changes_list(e, h, until, &ret->components);
		ret->at[RECORD_COMPONENTS] = boot;
		if (ret->components.change_count > 0 && ret->components.changes[0].time_s * 1000 > boot)
			ret->at[RECORD_COMPONENTS] = ret->components.changes[0].time_s * 1000;
	}
	if ((h->fate == FATE_ASLEEP || h->fate == FATE_STOPPED) && h->died <= until) {
		ret->goodbye.reason = h->fate == FATE_ASLEEP ? GOODBYE_ASLEEP : GOODBYE_STOPPED;
		ret->at[RECORD_GOODBYE] = h->died;
	}
}

static enum err encode(const struct sayings *s, uint8_t kind, uint8_t *body, size_t *len)
{
	switch (kind) {
	case RECORD_PROFILE:
		return profile_encode(&s->profile, body, len);
	case RECORD_HEALTH:
		return health_encode(&s->health, body, len);
	case RECORD_COMPONENTS:
		return components_encode(&s->components, body, len);
	case RECORD_CRASHES:
		return crashes_encode(&s->crashes, body, len);
	default:
		return goodbye_encode(&s->goodbye, body, len);
	}
}

static enum err sign_certificate(const struct estate *e, const struct host *h, const struct sayings *s,
				 struct signed_record *ret)
{
	struct certificate c = s->certificate;
	struct record record;
	const struct identity *issuer = trouble_issuer(e, h);
	certificate_consent(&c, h->identity, identity_id(issuer), &e->id);
	enum err err = certificate_issue(&c, issuer, &e->id, draw_mix(h->enrolled, h->number),
					 s->at[RECORD_CERTIFICATE], ret->bytes, &ret->len);
	if (err == ERR_OK)
		err = record_parse(ret->bytes, ret->len, &record);
	ret->key = record.key;
	ret->received = s->at[RECORD_CERTIFICATE] + 2000;
	return err;
}

/* Kinds in the order in which they were said; a goodbye comes last. */
static size_t order_of(const struct sayings *s, uint8_t ret[RECORDS_OF_HOST])
{
	size_t count = 0;
	for (uint8_t kind = RECORD_PROFILE; kind <= RECORD_GOODBYE; kind++) {
		if (s->at[kind] == 0)
			continue;
		size_t place = count++;
		for (; place > 0 && s->at[ret[place - 1]] > s->at[kind]; place--)
			ret[place] = ret[place - 1];
		ret[place] = kind;
	}
	return count;
}

enum err records_sign(struct estate *e, struct host *h, const struct sayings *s,
		      struct signed_record ret[RECORDS_OF_HOST], size_t *ret_count)
{
	uint8_t order[RECORDS_OF_HOST], body[LIMIT_RECORD_BODY_BYTES];
	size_t len, count = order_of(s, order);
	struct prng r = draw_stream(e, STREAM_RECORDS, UINT32_MAX + (uint64_t)h->number);
	uint64_t seq = 1, instance = draw_mix(h->booted, h->number);
	wall_ms before = s->at[RECORD_CERTIFICATE];
	enum err err = sign_certificate(e, h, s, &ret[0]);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		struct signed_record *to = &ret[i + 1];
		wall_ms at = s->at[order[i]];
		/* It has said more meanwhile, that was said anew since. */
		seq += 1 + (at > before ? at - before : 0) / (6 * HOUR_MS);
		before = at;
		to->key = (struct record_key){.kind = order[i], .writer = h->id, .subject = h->id};
		to->received = at + 100 + prng_below(&r, 2000);
		if (to->received > e->o->now)
			to->received = e->o->now;
		err = encode(s, order[i], body, &len);
		if (err == ERR_OK)
			err = record_sign(&to->key, seq, instance, at, body, len, &e->id, h->identity,
					  to->bytes, &to->len);
	}
	h->seq = seq;
	*ret_count = count + 1;
	return err;
}
