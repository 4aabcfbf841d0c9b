/* Links and their faults. Every datagram draws the same number of random values whatever becomes of it, so
 * that a change of one share does not turn a run into another one altogether. */
#include <string.h>

#include "attacker.h"
#include "world.h"

struct address net_address(uint32_t index)
{
	return (struct address){.ip = {10, (uint8_t)(index >> 16), (uint8_t)(index >> 8), (uint8_t)index},
				.ip_len = 4,
				.port = SIM_PORT};
}

static struct node *node_at(struct world *w, const struct address *a)
{
	uint32_t index = (uint32_t)a->ip[1] << 16 | (uint32_t)a->ip[2] << 8 | a->ip[3];
	return index < w->node_count && address_equal(a, &w->nodes[index].address) ? &w->nodes[index] : NULL;
}

void net_cut(struct world *w, uint32_t site_a, uint32_t site_b, bool cut)
{
	w->cut[site_a * w->site_count + site_b] = w->cut[site_b * w->site_count + site_a] = cut;
	w->healed_at[site_a * w->site_count + site_b] = w->now;
	w->healed_at[site_b * w->site_count + site_a] = w->now;
}

void net_isolate(struct world *w, struct node *n, bool isolated)
{
	(void)w;
	n->isolated = isolated;
	n->disturbed_at = w->now;
}

void net_link(struct world *w, uint32_t from, uint32_t to, double loss, uint32_t extra_ms)
{
	for (size_t i = 0; i < w->link_count; i++) {
		if (w->links[i].from == from && w->links[i].to == to) {
			w->links[i].loss = loss;
			w->links[i].extra_ms = extra_ms;
			return;
		}
	}
	CHECK(w->link_count < SIM_LINKS_MAX);
	w->links[w->link_count++] = (struct link){from, to, loss, extra_ms};
}

void net_inject(struct world *w, const struct address *from, uint32_t to, const uint8_t *bytes, size_t len,
		mono_ms delay)
{
	struct sim_event e = {.at = w->now + delay,
			      .kind = SIM_DELIVER,
			      .node = to,
			      .from = *from,
			      .len = (uint16_t)len,
			      .bytes = sim_copy(bytes, len)};
	heap_push(&w->heap, &e);
}

/* One copy on its way, perhaps damaged. */
static void carry(struct world *w, const struct node *from, const struct node *to, const uint8_t *bytes,
		  size_t len)
{
	const struct sim_faults *f = &w->faults;
	uint8_t copy[LIMIT_DATAGRAM_BYTES];
	bool wan = from->site != to->site;
	double loss = f->loss;
	mono_ms least = wan ? f->wan_min_ms : f->lan_min_ms, most = wan ? f->wan_max_ms : f->lan_max_ms;
	mono_ms delay = least + prng_below(&w->net, most - least + 1);
	uint64_t held = prng_below(&w->net, f->reorder_ms + 1);
	double draw_loss = prng_unit(&w->net), draw_hold = prng_unit(&w->net);
	double draw_corrupt = prng_unit(&w->net), draw_cut = prng_unit(&w->net);
	uint64_t where = prng_u64(&w->net);
	for (size_t i = 0; i < w->link_count; i++) {
		if (w->links[i].from == from->index && w->links[i].to == to->index) {
			loss = w->links[i].loss;
			delay += w->links[i].extra_ms;
		}
	}
	if (draw_loss < loss || from->isolated || to->isolated ||
	    w->cut[from->site * w->site_count + to->site]) {
		w->dropped++;
		return;
	}
	if (draw_hold < f->reorder)
		delay += held;
	memcpy(copy, bytes, len);
	if (draw_cut < f->truncate)
		len = where % len;
	if (draw_corrupt < f->corrupt && len > 0)
		for (uint64_t bits = where >> 32; bits > 0; bits >>= 4)
			copy[(where + bits) % len] ^= (uint8_t)(1u << bits % 8);
	net_inject(w, &from->address, to->index, copy, len, delay);
}

void net_send(struct world *w, const struct address *from_address, const struct address *to_address,
	      const uint8_t *bytes, size_t len)
{
	struct node *from = node_at(w, from_address), *to = node_at(w, to_address);
	CHECK(from != NULL && len > 0 && len <= LIMIT_DATAGRAM_BYTES);
	from->bytes_sent += len + SIM_UDP_IP_BYTES;
	from->datagrams_sent++;
	if (from->puppet.hear == NULL) {
		w->traffic[bytes[1]].datagrams++;
		w->traffic[bytes[1]].bytes += len + SIM_UDP_IP_BYTES;
	}
	attacker_sees(w, from_address, to_address, bytes, len);
	if (w->tap != NULL)
		w->tap(w->tap_context, from_address, to_address, bytes, len);
	if (to == NULL) {
		w->dropped++;
		return;
	}
	if (from->site != to->site)
		w->wan_bytes[from->site] += len + SIM_UDP_IP_BYTES;
	bool twice = prng_chance(&w->net, w->faults.duplicate) != 0;
	carry(w, from, to, bytes, len);
	if (twice)
		carry(w, from, to, bytes, len);
}
