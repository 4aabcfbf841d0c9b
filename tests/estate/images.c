/* Images: a release of an operating system at a level of patches, made for a role. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/estate/software.h"

#define TILL   (1u << ROLE_TILL)
#define KIOSK  (1u << ROLE_KIOSK)
#define SERVER (1u << ROLE_SERVER | 1u << ROLE_DB)
#define CLIENT (1u << ROLE_LAPTOP | 1u << ROLE_DESKTOP)

static const struct base {
	const char *os, *kernel; /* the level goes in */
	enum family family;
	const char *arch;
	unsigned roles, weight, first, step; /* level n is number first + n * step */
} bases[] = {
    {"Windows 11 Enterprise 23H2", "10.0.22631.%u", FAMILY_WINDOWS, "x86_64", CLIENT, 40, 2861, 214},
    {"Windows 11 Enterprise 24H2", "10.0.26100.%u", FAMILY_WINDOWS, "x86_64", CLIENT, 25, 1742, 288},
    {"Windows 10 Enterprise 22H2", "10.0.19045.%u", FAMILY_WINDOWS, "x86_64", CLIENT, 18, 3693, 183},
    {"Windows 10 IoT Enterprise LTSC 2021", "10.0.19044.%u", FAMILY_WINDOWS, "x86_64", TILL | KIOSK, 55, 3570,
     176},
    {"Windows 11 IoT Enterprise LTSC 2024", "10.0.26100.%u", FAMILY_WINDOWS, "x86_64", TILL | KIOSK, 20, 1742,
     288},
    {"Windows Server 2022 Standard", "10.0.20348.%u", FAMILY_WINDOWS, "x86_64", SERVER, 26, 2031, 119},
    {"Windows Server 2019 Standard", "10.0.17763.%u", FAMILY_WINDOWS, "x86_64", SERVER, 14, 5122, 142},
    {"Windows Server 2025 Datacenter", "10.0.26100.%u", FAMILY_WINDOWS, "x86_64", SERVER, 6, 1742, 288},
    {"Debian GNU/Linux 12 (bookworm)", "6.1.0-%u-amd64", FAMILY_LINUX, "x86_64", SERVER | CLIENT, 18, 13, 1},
    {"Ubuntu 22.04.5 LTS", "5.15.0-%u-generic", FAMILY_LINUX, "x86_64", SERVER | CLIENT, 12, 91, 3},
    {"Ubuntu 24.04.1 LTS", "6.8.0-%u-generic", FAMILY_LINUX, "x86_64", SERVER | CLIENT, 10, 31, 2},
    {"Rocky Linux 9.4 (Blue Onyx)", "5.14.0-427.%u.1.el9_4.x86_64", FAMILY_LINUX, "x86_64", SERVER, 14, 13,
     3},
    {"Red Hat Enterprise Linux 8.10 (Ootpa)", "4.18.0-553.%u.1.el8_10.x86_64", FAMILY_LINUX, "x86_64", SERVER,
     9, 5, 4},
    {"SUSE Linux Enterprise Server 15 SP6", "6.4.0-150600.23.%u-default", FAMILY_LINUX, "x86_64",
     SERVER | TILL, 10, 7, 5},
    {"Debian GNU/Linux 12 (bookworm)", "6.1.0-%u-arm64", FAMILY_LINUX, "aarch64", TILL | KIOSK, 12, 13, 1},
};
#define BASES  (sizeof(bases) / sizeof(*bases))
#define LEVELS 12

static size_t pick_base(enum role role, struct prng *p)
{
	unsigned sum = 0;
	for (size_t i = 0; i < BASES; i++)
		sum += (bases[i].roles & 1u << role) != 0 ? bases[i].weight : 0;
	unsigned at = (unsigned)prng_below(p, sum);
	for (size_t i = 0;; i++) {
		unsigned weight = (bases[i].roles & 1u << role) != 0 ? bases[i].weight : 0;
		if (at < weight)
			return i;
		at -= weight;
	}
}

/* Products that are part of an image, each in a version of its own. */
static void bake(struct estate *e, struct image *image, struct prng *p)
{
	for (size_t i = 0; i < products_count(e) && image->pick_count < PICKS_MAX / 2; i++) {
		const struct product *product = products_at(e, i);
		if (product->family != bases[image->base].family || product->rollout ||
		    (product->roles & 1u << image->role) == 0 || !prng_chance(p, product->share))
			continue;
		image->picks[image->pick_count++] =
		    (struct pick){(uint16_t)i, (uint16_t)products_version(e, i, p)};
	}
}

enum err images_make(struct estate *e)
{
	struct prng p = draw_stream(e, STREAM_IMAGES, 0);
	size_t count = e->o->images == 0 ? ESTATE_IMAGES : e->o->images;
	e->images = calloc(count, sizeof(*e->images));
	if (e->images == NULL)
		return ERR_NOMEM;
	e->image_count = count;
	for (size_t i = 0; i < count; i++) {
		struct image *image = &e->images[i];
		image->role = (enum role)(i % ROLES);
		image->base = (uint16_t)pick_base(image->role, &p);
		/* Most are up to date or nearly so; a few have been forgotten. */
		image->level = (uint16_t)(LEVELS - 1 - draw_zipf(&p, LEVELS));
		image->edition = (uint16_t)(i / ROLES);
		bake(e, image, &p);
	}
	return ERR_OK;
}

size_t images_pick(const struct estate *e, enum role role, struct prng *p)
{
	size_t first = (size_t)role % e->image_count;
	return first + draw_zipf(p, (e->image_count - first + ROLES - 1) / ROLES) * ROLES;
}

enum family images_family(const struct estate *e, size_t image)
{
	return bases[e->images[image].base].family;
}

const char *images_arch(const struct estate *e, size_t image)
{
	return bases[e->images[image].base].arch;
}

struct reading_text images_os(const struct estate *e, size_t image)
{
	return draw_known("%s", bases[e->images[image].base].os);
}

struct reading_text images_kernel(const struct estate *e, size_t image, unsigned level)
{
	const struct base *base = &bases[e->images[image].base];
	struct reading_text r = {.status = READING_OK};
	const char *at = base->kernel;
	size_t len = 0;
	for (; *at != '%'; at++)
		r.value[len++] = *at;
	snprintf(r.value + len, sizeof(r.value) - len, "%u%s", base->first + level * base->step, at + 2);
	return r;
}
