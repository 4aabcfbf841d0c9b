/* What it costs two nodes to become equal: `bench-reconcile [HOSTS]`. Nothing changed; a dozen changed
 * records, many times over; a thousand changed ones in an estate of so many hosts (50,000). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "gossip/wire.h"
#include "tests/unit/spread_net.h"

#define TRIALS     300
#define DOZEN      12
#define MANY       1000
#define SITE_HOSTS 100
#define BOUND_MS   60000

static const char *const one_site[] = {"north", "north", "north", "north", "north", "north"};

static void row(const char *metric, double value, const char *unit)
{
	printf("{\"bench\": \"reconcile\", \"metric\": \"reconcile.%s\", \"value\": %g, \"unit\": \"%s\"}\n",
	       metric, value, unit);
}

static void load(struct net *n, size_t node, uint64_t from, uint64_t to, uint64_t seq)
{
	uint8_t note[LIMIT_RECORD_BYTES];
	for (uint64_t slot = from; slot < to; slot++)
		net_load(n, node, note, net_note(n, slot, seq, note));
}

/* Two nodes that know each other; of so many records one of them has the newer version, by turns. */
static void differ(struct net *n, uint64_t changed, uint64_t from)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t other = 0; other < 2; other++)
			net_load(n, i, n->nodes[other].certificate, n->nodes[other].certificate_len);
	for (size_t i = 0; i < 2; i++)
		for (uint64_t k = 0; k < changed; k++)
			load(n, i, from + k, from + k + 1, 1 + (k + i) % 2);
}

static bool equal_roots(struct net *n)
{
	return net_status(n, 0).estate_root == net_status(n, 1).estate_root;
}

static void begin(struct net *n)
{
	net_init(n, 2, one_site);
	for (size_t i = 0; i < 2; i++)
		net_start(n, i, 0);
}

static uint64_t bytes_of(const struct net *n, unsigned first, unsigned last)
{
	uint64_t sum = 0;
	for (unsigned type = first; type <= last; type++)
		sum += n->bytes[type];
	return sum;
}

static uint64_t acks(const struct net *n)
{
	return net_status(n, 0).counters.acks_in + net_status(n, 1).counters.acks_in;
}

/* A PING and its ACK. */
static void in_sync(void)
{
	static struct net n;
	begin(&n);
	differ(&n, 0, 0);
	CHECK(net_run(&n, BOUND_MS, equal_roots));
	uint64_t bytes = bytes_of(&n, WIRE_PING, WIRE_ACK), exchanges = acks(&n);
	net_run(&n, BOUND_MS, NULL);
	row("in_sync_pair_bytes",
	    (double)(bytes_of(&n, WIRE_PING, WIRE_ACK) - bytes) / (double)(acks(&n) - exchanges), "B");
	net_free(&n);
}

static void dozen(void)
{
	size_t settled = 0;
	uint64_t metadata = 0;
	for (uint64_t trial = 0; trial < TRIALS; trial++) {
		static struct net n;
		begin(&n);
		differ(&n, DOZEN, trial * DOZEN);
		CHECK(net_run(&n, BOUND_MS, equal_roots));
		struct gossip_counters a = net_status(&n, 0).counters, b = net_status(&n, 1).counters;
		settled +=
		    a.sketch_blocks_in + b.sketch_blocks_in == 1 && a.walks_started + b.walks_started == 0;
		metadata += bytes_of(&n, WIRE_SYNC_ROOTS, WIRE_SKETCH_OFFER) + n.bytes[WIRE_PULL];
		net_free(&n);
	}
	row("one_sketch_share_12_changes", (double)settled / TRIALS, "share");
	row("metadata_bytes_12_changes", (double)metadata / TRIALS, "B");
}

/* --- an estate; what is only loaded needs no signature --- */

static int by_id(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

struct host {
	struct id id;
	uint8_t key[KEY_BYTES];
};

static void load_host(struct net *n, const struct host *h, size_t number)
{
	uint8_t bytes[LIMIT_RECORD_BYTES], body[] = {0x80};
	size_t len = n->nodes[0].certificate_len;
	memcpy(bytes, n->nodes[0].certificate, len);
	memcpy(bytes + 23, h->id.b, ID_BYTES);
	memcpy(bytes + 79, h->key, KEY_BYTES);
	char site[8];
	snprintf(site, sizeof site, "s%04u", (unsigned)(number / SITE_HOSTS) % 10000);
	memcpy(bytes + 113, site, 5);
	for (size_t i = 0; i < 2; i++)
		CHECK(gossip_load_record(n->nodes[i].g, bytes, len, NET_WALL) == ERR_OK);
	for (uint8_t kind = RECORD_PROFILE; kind <= RECORD_CRASHES; kind++) {
		struct record_key key = {.kind = kind, .subject = h->id};
		CHECK(record_sign(&key, kind, 1, NET_WALL, body, sizeof body, &n->keys.estate, n->issuer,
				  bytes, &len) == ERR_OK);
		memcpy(bytes + 5, h->id.b, ID_BYTES);
		for (size_t i = 0; i < 2; i++)
			CHECK(gossip_load_record(n->nodes[i].g, bytes, len, NET_WALL) == ERR_OK);
	}
}

static void estate(size_t hosts)
{
	static struct net n;
	struct prng prng;
	struct host *all = calloc(hosts, sizeof *all);
	CHECK(all != NULL);
	prng_seed(&prng, 50000);
	begin(&n);
	for (size_t i = 0; i < hosts; i++) {
		for (size_t k = 0; k < KEY_BYTES; k++)
			all[i].key[k] = (uint8_t)prng_u64(&prng);
		all[i].id = id_of_key(all[i].key);
	}
	qsort(all, hosts, sizeof *all, by_id);
	for (size_t i = 0; i < hosts; i++)
		load_host(&n, &all[i], i);
	free(all);
	differ(&n, MANY, 0);
	mono_ms since = n.now;
	CHECK(net_run(&n, BOUND_MS, equal_roots));
	struct gossip_status a = net_status(&n, 0), b = net_status(&n, 1);
	fprintf(stderr, "%zu records each; %u ms; sketches: %u blocks; %u walks; %u stale\n", a.records,
		(unsigned)(n.now - since),
		(unsigned)(a.counters.sketch_blocks_in + b.counters.sketch_blocks_in),
		(unsigned)(a.counters.walks_started + b.counters.walks_started),
		(unsigned)(a.counters.records_stale + b.counters.records_stale));
	uint64_t payload = a.counters.payload_bytes_in + b.counters.payload_bytes_in;
	/* All that is said to find, name and ask for what differs. */
	row("metadata_bytes_1000_changes",
	    (double)(bytes_of(&n, WIRE_SYNC_ROOTS, WIRE_SKETCH_OFFER) + n.bytes[WIRE_PULL]), "B");
	/* Seals and headers of the datagrams that bring it. */
	row("carriage_bytes_1000_changes", (double)(n.bytes[WIRE_RECORDS] - payload), "B");
	row("sketch_blocks_1000_changes", (double)(a.counters.sketch_blocks_in + b.counters.sketch_blocks_in),
	    "blocks");
	net_free(&n);
}

int main(int argc, char **argv)
{
	uint64_t hosts = 50000;
	if (argc > 2 || (argc == 2 && !text_u64(argv[1], 1, LIMIT_HOSTS - 2, &hosts))) {
		fputs("usage: bench-reconcile [HOSTS]\n", stderr);
		return 2;
	}
	in_sync();
	dozen();
	estate(hosts);
	return 0;
}
