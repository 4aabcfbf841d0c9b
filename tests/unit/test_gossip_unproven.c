/* Addresses that nobody has proven: whatever comes from there, no more goes back. Each type of message, by a
 * stranger, by a holder of the estate secret, by a peer in session who names another address; whole, and cut
 * off everywhere. With --json: the worst ratio, for scripts/bench. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/gossip_net.h"

static const struct address nowhere = {.ip = {203, 0, 113, 9}, .ip_len = 4, .port = 53};
static bool json;

struct answers {
	size_t bytes;  /* to nowhere */
	size_t others; /* to anyone else */
};

static bool count(struct net *n, const struct net_datagram *d)
{
	struct answers *a = n->context;
	if (address_equal(&d->to, &nowhere))
		a->bytes += d->len;
	else
		a->others += d->len;
	return !address_equal(&d->to, &nowhere);
}

static size_t seal_hello(struct net *n, size_t from, uint8_t type, const void *message, size_t len,
			 uint8_t ret[LIMIT_DATAGRAM_BYTES])
{
	size_t sealed;
	CHECK(keyring_seal_hello(n->nodes[from].g->keyring, type, message, len, ret, &sealed, NULL) ==
	      ERR_OK);
	return sealed;
}

/* What goes back to where these bytes came from, in this step and the three seconds after it. */
static size_t answered(struct net *n, const uint8_t *bytes, size_t len)
{
	struct answers a = {0};
	n->tap = count;
	n->context = &a;
	net_inject(n, 0, &nowhere, bytes, len);
	net_run(n, 3000);
	n->tap = NULL;
	return a.bytes;
}

static size_t whole(struct net *n, uint8_t type, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	struct gossip *g = n->nodes[1].g;
	struct wire_pack pack;
	struct set_entry e;
	struct wire_ids ids = {0};
	CHECK(set_at(g->set, 0, &e));
	for (size_t i = 0; ids.count < WIRE_IDS && set_at(g->set, i, &e); i++)
		ids.ids[ids.count++] = e.id;
	memset(ret, 0, WIRE_MESSAGE_BYTES);
	switch (type) {
	case WIRE_HELLO: {
		struct wire_hello m = {.ni = {1},
				       .day = keyring_day(g->keyring),
				       .head = {.index = 4000},
				       .certificate = n->nodes[1].certificate,
				       .certificate_len = n->nodes[1].certificate_len};
		memcpy(m.key, keyring_public(g->keyring), KEY_BYTES);
		return wire_hello_encode(&m, ret);
	}
	case WIRE_PING:
		return wire_ping_encode(&(struct wire_ping){.head = {.index = 4000}, .root = 9}, ret);
	case WIRE_ACK:
		return wire_ack_encode(&(struct wire_ack){.echo = 1, .root = 9}, ret);
	case WIRE_PING_REQ:
		return wire_ping_req_encode(&(struct wire_ping_req){.target = *net_id(n, 2)}, ret);
	case WIRE_PING_ACK:
		return wire_ping_ack_encode(&(struct wire_ping_ack){.echo = 1, .target = *net_id(n, 2)}, ret);
	case WIRE_SUSPECT:
		return wire_suspect_encode(&(struct wire_suspect){.count = 1, .hosts = {*net_id(n, 2)}}, ret);
	case WIRE_ROLLCALL_PULL: /* it has none */
		return wire_rollcall_pull_encode(
		    &(struct wire_rollcall_pull){.site = n->nodes[0].g->self->site->id}, ret);
	case WIRE_PUSH:
		wire_pack_push(&pack, 0);
		CHECK(wire_pack_add(&pack, n->nodes[1].certificate, n->nodes[1].certificate_len));
		memcpy(ret, pack.bytes, pack.len);
		return pack.len;
	case WIRE_ANNOUNCE:
	case WIRE_PULL:
		return wire_ids_encode(&ids, ret);
	case WIRE_SYNC_ROOTS:
		return wire_roots_encode(&(struct wire_roots){.estate_root = 9, .last = UINT64_MAX}, ret);
	case WIRE_SYNC_NODE:
		return wire_node_encode(
		    &(struct wire_node){.partition = n->nodes[0].g->self->site->partition}, ret);
	case WIRE_SYNC_LEAF:
		return wire_leaf_encode(&(struct wire_leaf){.partition = n->nodes[0].g->self->site->partition,
							    .last = UINT64_MAX},
					ret);
	case WIRE_SKETCH_PULL:
		return wire_sketch_pull_encode(
		    &(struct wire_sketch_pull){.estate_root = 9, .count = LIMIT_SKETCH_BLOCKS}, ret);
	case WIRE_SKETCH:
		return wire_sketch_encode(&(struct wire_sketch){.estate_root = 9}, ret);
	case WIRE_SKETCH_OFFER:
		return wire_offer_encode(&(struct wire_offer){.count = 2, .ids = {1, 2}}, ret);
	case WIRE_LOG_PULL:
		return wire_log_pull_encode(0, false, ret);
	case WIRE_BLOB_PULL:
		return wire_blob_pull_encode(&(struct wire_blob_pull){.count = 1}, ret);
	case WIRE_HELLO_REPLY:
		return 300;
	case WIRE_HELLO_FINISH:
		return 270;
	case WIRE_COOKIE:
		return 32;
	case WIRE_BEACON:
		return 100;
	default: /* RECORDS, LOG_ENTRIES, BLOBS: an echo and no item, or what is no type */
		return type == WIRE_LOG_ENTRIES ? 13 : 9;
	}
}

static void worse(double *worst, uint8_t *ret_type, uint8_t type, size_t out, size_t in)
{
	if ((double)out / (double)in > *worst) {
		*worst = (double)out / (double)in;
		*ret_type = type;
	}
}

static double worst_of(uint8_t *ret_type)
{
	double worst = 0;
	for (unsigned type = 0; type < 256; type++) {
		uint8_t message[WIRE_MESSAGE_BYTES], bytes[LIMIT_DATAGRAM_BYTES];
		struct net *n = net_met();
		/* A session peer at an address of its choice; once more when the first was let in a second
		 * ago. */
		size_t len = whole(n, (uint8_t)type, message);
		size_t sealed = net_seal(n, 1, 0, (enum wire_type)type, message, len, bytes);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		n->nodes[1].deaf = true; /* it has left where it was: now it is asked where it seems to be */
		net_run(n, 2000);
		sealed = net_seal(n, 1, 0, (enum wire_type)type, message, len, bytes);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		/* The estate secret is enough for these. */
		sealed = seal_hello(n, 2, (uint8_t)type, message, len, bytes);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		size_t padded = type == WIRE_LOG_PULL ? wire_log_pull_encode(0, true, message) : 0;
		sealed = seal_hello(n, 2, (uint8_t)type, message, padded, bytes);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		/* A stranger's, and what node 0 cannot open any more. */
		bytes[44] ^= 1;
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		sealed = net_seal(n, 1, 0, (enum wire_type)type, message, 0, bytes);
		net_start(n, 0, NULL);
		worse(&worst, ret_type, (uint8_t)type, answered(n, bytes, sealed), sealed);
		net_free(n);
	}
	return worst;
}

static void nobody_gets_more_than_he_sent(void **state)
{
	uint8_t type = 0;
	(void)state;
	double worst = worst_of(&type);
	if (json)
		printf("{\"bench\": \"amplification\", \"metric\": \"amplification.worst_ratio\", \"value\": "
		       "%.3f, "
		       "\"unit\": \"bytes per byte\"}\n",
		       worst);
	assert_true(worst > 0); /* some are answered */
	assert_true(worst <= 1);
}

static const uint8_t types[] = {
    WIRE_HELLO,     WIRE_PING,        WIRE_ACK,        WIRE_PING_REQ,     WIRE_PING_ACK,      WIRE_SUSPECT,
    WIRE_PUSH,      WIRE_PULL,        WIRE_SYNC_ROOTS, WIRE_SYNC_NODE,    WIRE_SYNC_LEAF,     WIRE_LOG_PULL,
    WIRE_BLOB_PULL, WIRE_SKETCH_PULL, WIRE_SKETCH,     WIRE_SKETCH_OFFER, WIRE_ROLLCALL_PULL,
};

/* From the peer's own, proven address: what is cut off changes nothing and is not answered. */
static void what_is_cut_off_changes_nothing(void **state)
{
	struct net *n = net_met();
	(void)state;
	n->nodes[1].deaf = n->nodes[2].deaf = true;
	for (size_t i = 0; i < sizeof(types); i++) {
		uint8_t message[WIRE_MESSAGE_BYTES], bytes[LIMIT_DATAGRAM_BYTES];
		size_t len = whole(n, types[i], message);
		for (size_t cut = 0; cut <= len; cut++) {
			uint64_t schema = net_counters(n, 0)->dropped_schema,
				 out = net_counters(n, 0)->datagrams_out;
			struct gossip_counters before = *net_counters(n, 0);
			size_t sealed =
			    types[i] == WIRE_HELLO
				? seal_hello(n, 1, types[i], message, cut, bytes)
				: net_seal(n, 1, 0, (enum wire_type)types[i], message, cut, bytes);
			n->now += 3; /* below what one host may send */
			net_inject(n, 0, &n->nodes[1].address, bytes, sealed);
			/* What is whole is taken for what it is. */
			assert_int_equal(net_counters(n, 0)->dropped_schema, schema + (cut < len));
			if (cut == len)
				break;
			assert_int_equal(net_counters(n, 0)->records_accepted, before.records_accepted);
			/* Its own timers may have said something; an answer is none of these. */
			assert_true(net_counters(n, 0)->datagrams_out - out <=
				    net_counters(n, 0)->probes_out - before.probes_out +
					net_counters(n, 0)->hellos_out - before.hellos_out + 8);
		}
	}
	net_free(n);
}

int main(int argc, char **argv)
{
	json = argc > 1 && strcmp(argv[1], "--json") == 0;
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nobody_gets_more_than_he_sent),
	    cmocka_unit_test(what_is_cut_off_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
