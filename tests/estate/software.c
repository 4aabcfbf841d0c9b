/* What one host runs: its image, the driver of its model, what rolls out host by host, and now and then
 * something that hardly anyone else has. */
#include "tests/estate/software.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

void software_put(struct software *s, size_t product, unsigned version)
{
	size_t place = 0;
	while (place < s->count && s->picks[place].product < product)
		place++;
	if (place < s->count && s->picks[place].product == product) {
		s->picks[place].version = (uint16_t)version;
		return;
	}
	if (s->count == PICKS_MAX)
		return;
	memmove(&s->picks[place + 1], &s->picks[place], (s->count - place) * sizeof(struct pick));
	s->picks[place] = (struct pick){(uint16_t)product, (uint16_t)version};
	s->count++;
}

void software_drop(struct software *s, size_t product)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->picks[i].product != product)
			continue;
		s->count--;
		memmove(&s->picks[i], &s->picks[i + 1], (s->count - i) * sizeof(struct pick));
		s->picks[s->count] = (struct pick){0, 0};
		return;
	}
}

bool software_find(const struct software *s, size_t product, uint16_t *ret_version)
{
	for (size_t i = 0; i < s->count; i++) {
		if (s->picks[i].product == product) {
			*ret_version = s->picks[i].version;
			return true;
		}
	}
	return false;
}

/* What updates itself does so ring by ring: most hosts have the newest, a few lag far behind with all of it.
 */
static unsigned draw_lag(struct prng *p)
{
	double dice = prng_unit(p);
	return dice < 0.64 ? 0 : dice < 0.88 ? 1 : 2 + (unsigned)draw_zipf(p, 12);
}

static unsigned rolled_out(const struct product *product, unsigned lag)
{
	return VERSION_NEWEST + (lag < product->count ? lag : product->count - 1);
}

/* Whether the product is meant for the host's image; the sensor goes by host, as installing it can fail. */
static bool has(const struct host *h, size_t index, const struct product *product, struct prng *p)
{
	if (product->content)
		return prng_chance(p, product->share) != 0;
	return (double)(draw_mix(h->software.image, index) % 1000) < product->share * 1000;
}

static void draw_products(struct estate *e, struct host *h, struct prng *p)
{
	const struct image *image = &e->images[h->software.image];
	struct software *s = &h->software;
	enum family family = images_family(e, s->image);
	for (size_t i = 0; i < image->pick_count; i++)
		software_put(s, image->picks[i].product, image->picks[i].version);
	unsigned lag = draw_lag(p);
	for (size_t i = 0; i < products_count(e); i++) {
		const struct product *product = products_at(e, i);
		if (!product->rollout || product->family != family || (product->roles & 1u << h->role) == 0 ||
		    !has(h, i, product, p))
			continue;
		software_put(s, i, rolled_out(product, lag));
		/* Some run without any content. */
		if (product->content && !prng_chance(p, 0.15))
			s->release = 1;
	}
	size_t own = products_of_model(e, h->model);
	if (own != NO_HOST) {
		struct prng image_prng;
		prng_seed(&image_prng, draw_mix(s->image, own));
		software_put(s, own, products_version(e, own, &image_prng));
	}
	/* Somebody was here by hand. */
	if (image->pick_count > 0 && prng_chance(p, 0.08)) {
		size_t odd = image->picks[prng_below(p, image->pick_count)].product;
		software_put(s, odd, products_version(e, odd, p));
	}
	/* An update that waits for the next boot. */
	if (image->pick_count > 0 && prng_chance(p, 0.03)) {
		const struct pick *old = &s->picks[prng_below(p, s->count)];
		if (old->version > VERSION_NEWEST)
			s->pending = (struct pick){old->product, (uint16_t)(old->version - 1)};
	}
	for (size_t more = prng_chance(p, 0.1) ? 1 + prng_below(p, 3) : 0; more > 0; more--) {
		size_t rare = products_of_tail(e, family, p);
		software_put(s, rare, products_version(e, rare, p));
	}
}

void software_draw(struct estate *e, struct host *h, wall_ms t)
{
	struct prng p = draw_stream(e, STREAM_SOFTWARE, h->number);
	h->software = (struct software){.image = h->software.image,
					.level = e->images[h->software.image].level,
					.modules = h->software.modules};
	draw_products(e, h, &p);
	if (e->o->trouble && (h->number == ESTATE_REVOKED || h->number == ESTATE_ISSUER_REVOKED)) {
		size_t secret;
		CHECK(products_find(e, ESTATE_REVOKED_COMPONENT, images_family(e, h->software.image),
				    &secret) == ERR_OK);
		software_put(&h->software, secret, VERSION_NEWEST);
	}
	uint16_t version;
	if (e->companion != NO_HOST && software_find(&h->software, e->cause, &version))
		software_put(&h->software, e->companion, version);
	if (h->software.release != 0)
		h->software.release = (uint16_t)content_release_of(e, h, t);
}

struct component software_content_file(const struct estate *e, enum family family, size_t channel,
				       unsigned version)
{
	static const unsigned numbers[CONTENT_CHANNELS] = {201, 213, 222, 235, 240, 247, 251,
							   258, 263, 270, 277, 285, 291, 299};
	uint64_t h = draw_mix(draw_mix(e->o->seed, channel), version << 2 | family);
	struct component c = {.kind = COMPONENT_CONTENT_FILE,
			      .version = draw_known("%08u", version),
			      .source = draw_known("%016" PRIx64 "%016" PRIx64, h, draw_mix(h, 9)),
			      .vendor = {.status = READING_ABSENT},
			      .size_bytes = {READING_OK, 4096 + h % 40000},
			      .flags = COMPONENT_THIRD_PARTY};
	snprintf(c.name, sizeof(c.name),
		 family == FAMILY_WINDOWS ? "C:\\Windows\\System32\\drivers\\EdrSensor\\C-%08u.sys"
					  : "/opt/edr/content/C-%08u.dat",
		 numbers[channel]);
	return c;
}

struct component software_product(const struct estate *e, size_t index, unsigned version)
{
	const struct product *p = products_at(e, index);
	uint64_t h = draw_mix(draw_mix(index, 11), version);
	unsigned minor = p->count + VERSION_NEWEST - version;
	struct component c = {.kind = p->kind,
			      .version = draw_known("%u.%u.%u", 1 + (unsigned)(draw_mix(index, 1) % 12),
						    minor, (unsigned)(h % 900)),
			      .source = draw_known("%016" PRIx64, h),
			      .vendor = {.status = READING_ABSENT},
			      .size_bytes = {READING_OK, 65536 + h % 900 * 4096},
			      .flags = p->flags | COMPONENT_THIRD_PARTY};
	text_copy(c.name, sizeof(c.name), p->name);
	if (p->vendor != NULL)
		c.vendor = draw_known("%s", p->vendor);
	if (p->kind == COMPONENT_EBPF)
		c.version.status = READING_ABSENT;
	return c;
}

struct component software_component(const struct estate *e, const struct host *h, size_t product,
				    unsigned version)
{
	if (product >= PRODUCT_KERNEL)
		return inbox_kernel(e, h->software.image, version);
	if (product >= PRODUCT_CONTENT)
		return software_content_file(e, images_family(e, h->software.image),
					     product - PRODUCT_CONTENT, version);
	return software_product(e, product, version);
}

bool software_has_channel(const struct estate *e, const struct software *s, size_t channel)
{
	bool together = (e->o->confounders & ESTATE_TOGETHER) != 0;
	uint16_t version = NO_VERSION;
	if (s->release == 0)
		return false;
	if (channel != CONTENT_BAD_CHANNEL && !(together && channel == CONTENT_COMPANION_CHANNEL))
		return draw_mix(s->image, 900 + channel) % 10 < 8;
	for (size_t i = 0; i < s->count; i++) {
		if (products_at(e, s->picks[i].product)->content)
			version = s->picks[i].version;
	}
	return version <= VERSION_NEWEST + 1;
}

size_t software_list(const struct estate *e, const struct software *s, struct component *ret)
{
	size_t count = inbox_list(e, s, ret);
	enum family family = images_family(e, s->image);
	for (size_t i = 0; i < s->count; i++) {
		/* Without the list of modules only what lies on the disk is known. */
		const struct product *p = products_at(e, s->picks[i].product);
		if (s->modules == READING_OK || p->kind == COMPONENT_CONTENT_FILE)
			ret[count++] = software_product(e, s->picks[i].product, s->picks[i].version);
	}
	for (size_t i = 0; i < CONTENT_CHANNELS; i++) {
		if (!software_has_channel(e, s, i))
			continue;
		ret[count++] = software_content_file(e, family, i, content_version(e, s->release, i));
	}
	if (s->pending.version != 0 && s->modules == READING_OK)
		ret[count++] = software_product(e, s->pending.product, s->pending.version);
	return count;
}

bool software_loaded(const struct component *c)
{
	/* Windows lists what is installed, Linux what is loaded. */
	uint64_t h = c->size_bytes.value / 4096 + (uint64_t)c->name[0];
	if (c->kind == COMPONENT_DRIVER && (c->flags & (COMPONENT_BOOT_START | COMPONENT_THIRD_PARTY)) == 0)
		return h % 5 != 0;
	return true;
}

uint64_t software_entry(const struct component *c)
{
	uint8_t bytes[COMPONENT_ENTRY_BYTES];
	size_t len;
	return component_encode(c, bytes, &len) == ERR_OK ? component_entry_id(bytes, len) : 0;
}
