/* What changed of late on a host: content files several times a day, products that update themselves every
 * few weeks, and what the outage brought. */
#include "tests/estate/changes.h"

#include <stdlib.h>
#include <string.h>

#include "tests/estate/software.h"

struct list {
	struct update updates[CONTENT_RELEASES + UPDATES_MAX + PICKS_MAX];
	size_t count;
};

static void add(struct list *l, size_t product, unsigned from, unsigned to, wall_ms at)
{
	l->updates[l->count++] = (struct update){(uint16_t)product, (uint16_t)from, (uint16_t)to, at};
}

static void add_content(const struct estate *e, const struct host *h, struct list *l, wall_ms until)
{
	unsigned last = h->software.release < CONTENT_RELEASES ? h->software.release : CONTENT_RELEASES;
	wall_ms next = until;
	for (unsigned release = last; release > 1 && release + LIMIT_CHANGES / 2 > last; release--) {
		wall_ms at = content_taken(e, h, release);
		size_t channel = content_channel(e, release);
		unsigned version = content_version(e, release, channel);
		/* Whoever was late took several at once. */
		if (at > next)
			at = next;
		next = at;
		if (software_has_channel(e, &h->software, channel))
			add(l, PRODUCT_CONTENT + channel, version - 1, version, at);
	}
}

static void add_products(const struct estate *e, const struct host *h, struct list *l, wall_ms until)
{
	struct prng p = draw_stream(e, STREAM_SOFTWARE, UINT32_MAX + (uint64_t)h->number);
	for (size_t i = 0; i < h->software.count; i++) {
		const struct pick *pick = &h->software.picks[i];
		const struct product *product = products_at(e, pick->product);
		wall_ms ago = draw_span(&p, HOUR_MS, 60 * CLOCK_DAY_MS);
		bool recent = product->rollout ? prng_chance(&p, 0.6) : prng_chance(&p, 0.04);
		if (!recent || pick->version < VERSION_NEWEST ||
		    pick->version + 1u >= product->count + VERSION_NEWEST || until - ago < h->enrolled ||
		    e->epoch < ago || e->epoch - ago > until)
			continue;
		add(l, pick->product, pick->version + 1u, pick->version, e->epoch - ago);
	}
}

static int newest_first(const void *a, const void *b)
{
	const struct update *left = a, *right = b;
	if (left->at != right->at)
		return left->at < right->at ? 1 : -1;
	return (left->product > right->product) - (left->product < right->product);
}

static void put(const struct estate *e, const struct host *h, const struct update *u, unsigned version,
		enum change_op op, struct components *c)
{
	if (version == NO_VERSION)
		return;
	struct component component = software_component(e, h, u->product, version);
	if (c->change_count < LIMIT_CHANGES)
		c->changes[c->change_count++] =
		    (struct component_change){software_entry(&component), u->at / 1000, op};
	c->changes_total++;
}

void changes_list(const struct estate *e, const struct host *h, wall_ms until, struct components *ret)
{
	struct list l = {.count = 0};
	const struct manifest_set *set = manifests_at(e, h->set);
	bool is_linux = images_family(e, h->software.image) == FAMILY_LINUX;
	ret->manifest = set->root;
	ret->entry_count = set->entries;
	ret->module_support = (enum reading_status)h->software.modules;
	memcpy(ret->loaded, set->loaded, sizeof(ret->loaded));
	ret->taint = (struct reading_u64){READING_OK, set->tainted ? 4097 : 0};
	ret->ebpf_programs = (struct reading_u64){.status = READING_DENIED};
	if (!is_linux)
		ret->taint = ret->ebpf_programs = (struct reading_u64){.status = READING_UNSUPPORTED};
	if (h->software.pending.version != 0 && h->software.modules == READING_OK) {
		struct component c =
		    software_product(e, h->software.pending.product, h->software.pending.version);
		ret->pending[ret->pending_count++] = software_entry(&c);
	}
	if (h->software.release != 0)
		add_content(e, h, &l, until);
	if (h->software.modules == READING_OK)
		add_products(e, h, &l, until);
	for (size_t i = 0; i < h->update_count; i++) {
		bool hidden = h->software.modules != READING_OK && h->updates[i].product < PRODUCT_CONTENT;
		if (h->updates[i].at <= until && !hidden)
			l.updates[l.count++] = h->updates[i];
	}
	qsort(l.updates, l.count, sizeof(*l.updates), newest_first);
	for (size_t i = 0; i < l.count; i++) {
		put(e, h, &l.updates[i], l.updates[i].to, CHANGE_ADDED, ret);
		put(e, h, &l.updates[i], l.updates[i].from, CHANGE_REMOVED, ret);
	}
	ret->changes_total += until / CLOCK_DAY_MS - clock_day(h->enrolled);
}
