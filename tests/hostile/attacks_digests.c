/* What insiders say about what there is: ids, digests, log heads, blobs. */
#include <stdio.h>
#include <string.h>

#include "record/manifest.h"
#include "tests/hostile/attacks.h"

#define HOSTS  8
#define SITES  2
#define THIEF  7
#define SECOND 1000

static struct actor *insider(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	actor_meet_all(actor_of(t, THIEF));
	return actor_of(t, THIEF);
}

/* --- ids --- */

static void ids_of_nothing(struct trial *t)
{
	struct actor *a = insider(t);
	uint64_t id = 1;
	for (int round = 0; round < 5 && !trial_over(t); round++) {
		/* More than the table of wishes holds, to each node of its site. */
		for (uint32_t n = 1; n < HOSTS; n += SITES) {
			for (int i = 0; i < 10; i++) {
				uint64_t ids[WIRE_IDS];
				for (size_t k = 0; k < WIRE_IDS; k++)
					ids[k] = id++ * 0x9e3779b97f4a7c15;
				peer_announce(a->peer, &t->w->nodes[n].id, ids, WIRE_IDS);
			}
		}
		trial_run(t, 10);
		mono_ms took = trial_news(t, 1, GOSSIP_ROUTINE, 20 * SECOND);
		trial_promise(t, took <= 2 * SECOND, "routine news take %u ms", (unsigned)took);
	}
	trial_need(t, peer_heard(a->peer, WIRE_PULL) > 0, "nobody asked for them");
}

#define CROWD       20
#define DROPPERS    5
#define TRUSTED_FOR 15 /* records */

static bool announce_first(struct actor *a, const struct address *from, const struct datagram *d)
{
	struct wire_ids ids;
	(void)from;
	if (d->type == WIRE_ANNOUNCE && wire_ids_decode(d->message, d->len, &ids) == ERR_OK)
		for (uint32_t i = 0; i < a->t->w->node_count; i++)
			if (trial_honest(a->t, i) && actor_knows(a, i))
				peer_announce(a->peer, &a->t->w->nodes[i].id, ids.ids, ids.count);
	return false;
}

/* They say that they have what they heard of, before anyone else can, and hand nothing over. */
static void selective_dropping(struct trial *t)
{
	trial_world(t, CROWD, 1);
	trial_begin(t, (1u << DROPPERS) - 1);
	for (uint32_t i = 0; i < DROPPERS; i++) {
		actor_meet_all(actor_of(t, i));
		actor_of(t, i)->heard = announce_first;
	}
	mono_ms worst = 0;
	for (uint32_t i = 0; i < TRUSTED_FOR + 20 && !trial_over(t); i++) {
		mono_ms took = trial_news(t, DROPPERS + i % (CROWD - DROPPERS), GOSSIP_ROUTINE, 10 * SECOND);
		/* At first they are believed. */
		worst = i >= TRUSTED_FOR && took > worst ? took : worst;
		trial_run(t, 500);
	}
	uint64_t dropped = 0;
	for (uint32_t i = 0; i < DROPPERS; i++)
		dropped += peer_heard(actor_of(t, i)->peer, WIRE_PULL);
	trial_need(t, dropped > 0, "nobody pulled from them");
	trial_promise(t, worst <= 3 * SECOND, "routine news took up to %u ms", (unsigned)worst);
}

/* --- digests --- */

static bool lie_in_walks(struct actor *a, const struct address *from, const struct datagram *d)
{
	struct prng prng;
	uint8_t message[WIRE_MESSAGE_BYTES];
	(void)from;
	prng_seed(&prng, d->nonce);
	if (d->type == WIRE_SYNC_ROOTS) {
		struct wire_node node = {.echo = d->nonce, .partition = id_short(&a->t->w->site_ids[0])};
		for (size_t i = 0; i < WIRE_CHILDREN; i++)
			node.hashes[i] = prng_u64(&prng);
		peer_say(a->peer, &d->source, WIRE_SYNC_NODE, message, wire_node_encode(&node, message));
	}
	if (d->type == WIRE_SYNC_NODE) {
		struct wire_leaf leaf = {
		    .echo = d->nonce, .partition = id_short(&a->t->w->site_ids[0]), .last = UINT64_MAX};
		for (size_t i = 0; i < 64; i++)
			leaf.ids[leaf.count++] = (i + 1) * (UINT64_MAX / 80) + prng_below(&prng, 1000);
		peer_say(a->peer, &d->source, WIRE_SYNC_LEAF, message, wire_leaf_encode(&leaf, message));
	}
	return d->type >= WIRE_SYNC_ROOTS && d->type <= WIRE_SYNC_LEAF;
}

static void digest_lies(struct trial *t)
{
	struct actor *a = insider(t);
	const uint32_t hit = 1;
	uint64_t before = trial_counters(t, hit).walks_started;
	a->heard = lie_in_walks;
	for (uint64_t i = 1; i <= 600 && !trial_over(t); i++) {
		peer_claim_root(a->peer, i * 0x9e3779b97f4a7c15);
		peer_ping(a->peer, &t->w->nodes[hit].id);
		trial_run(t, 50);
	}
	uint64_t walks = trial_counters(t, hit).walks_started - before;
	trial_need(t, walks > 3, "it did not walk");
	/* After 2 s, and 2, 4, 8, 16. */
	trial_promise(t, walks <= 9, "%u walks in 30 s with one who always differs", (unsigned)walks);
	struct gossip_counters c = trial_counters(t, hit);
	trial_promise(t, c.exchanges_vain > 0, "nobody counted that its tries lead to nothing");
	trial_promise(t, c.pulls_given_up > 0, "nobody counted the ids that it did not hand over");
	mono_ms took = trial_news(t, 0, GOSSIP_ROUTINE, 20 * SECOND);
	trial_promise(t, took <= 3 * SECOND, "routine news take %u ms", (unsigned)took);
}

/* --- the log --- */

/* A revocation of the helper's host, that one honest node has, must come to all others, whoever boasts. */
static void withheld_revocation(struct trial *t)
{
	struct actor *a = insider(t);
	struct node *first = &t->w->nodes[0];
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	peer_claim_head(a->peer, (struct authlog_head){LIMIT_LOG_ENTRIES - 1, 0x1bad});
	/* They all believe it has more. */
	for (int i = 0; i < 100; i++) {
		for (uint32_t n = 0; n < HOSTS; n++)
			if (trial_honest(t, n))
				peer_ping(a->peer, &t->w->nodes[n].id);
		trial_run(t, 20);
	}
	if (trial_over(t))
		return;
	CHECK(authlog_make_revoke(t->w->estate.log, t->w->estate.authority, LOG_REVOKE_HOST,
				  &t->w->nodes[THIEF].id, NULL, "stolen", world_wall(t->w), entry,
				  &len) == ERR_OK);
	CHECK(authlog_append(t->w->estate.log, entry, len) == ERR_OK);
	node_log(t->w, first, entry, len);
	for (int i = 0; i < 1000 && !trial_over(t); i++) {
		for (uint32_t n = 0; n < HOSTS; n++)
			if (trial_honest(t, n))
				peer_ping(a->peer, &t->w->nodes[n].id);
		trial_run(t, 20);
	}
	trial_need(t, peer_heard(a->peer, WIRE_LOG_PULL) > 0, "nobody asked it for the log");
	for (uint32_t n = 0; n < HOSTS; n++)
		trial_promise(t,
			      !trial_honest(t, n) ||
				  authlog_host_revoked(t->w->nodes[n].log, &t->w->nodes[THIEF].id),
			      "host %u does not know after 20 s", n);
}

/* --- blobs --- */

static bool wrong_blobs(struct actor *a, const struct address *from, const struct datagram *d)
{
	static const uint8_t junk[] = {1, BLOB_COMPONENTS, 0x90};
	struct wire_pack pack;
	(void)from;
	if (d->type != WIRE_BLOB_PULL)
		return false;
	wire_pack_blobs(&pack, d->nonce);
	CHECK(wire_pack_add(&pack, junk, sizeof(junk)));
	peer_say(a->peer, &d->source, WIRE_BLOBS, pack.bytes, pack.len);
	return true;
}

static size_t name_manifest(struct actor *a, const struct id *manifest, uint32_t entries,
			    uint8_t ret[LIMIT_RECORD_BYTES])
{
	const struct record_key key = {.kind = RECORD_COMPONENTS, .subject = *identity_id(a->identity)};
	const struct components c = {
	    .manifest = *manifest, .module_support = READING_OK, .entry_count = entries};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	CHECK(components_encode(&c, body, &len) == ERR_OK);
	return actor_sign(a, &key, 0, world_wall(a->t->w), body, len, true, ret);
}

static void blob_lies(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	a->heard = wrong_blobs;
	actor_push_all(a, bytes, name_manifest(a, &(struct id){{7}}, 8, bytes));
	trial_run(t, 20 * SECOND);
	trial_need(t, peer_heard(a->peer, WIRE_BLOB_PULL) > 0, "nobody asked it for the blob");
	uint64_t refused = 0, wrong = 0;
	for (uint32_t n = 0; n < HOSTS && !trial_over(t); n++) {
		struct gossip_status s;
		if (!trial_honest(t, n))
			continue;
		gossip_status(t->w->nodes[n].g, &s);
		trial_promise(t, s.blobs <= t->w->registry.blob_count,
			      "host %u keeps what it did not ask for", n);
		wrong += s.counters.blobs_wrong;
		refused += s.counters.blobs_refused;
	}
	trial_promise(t, wrong > 0, "nobody counted the wrong answers");
	trial_promise(t, refused == 0, "%u wrong answers count as if nobody had asked", (unsigned)refused);
}

#define LISTS  24 /* about as many as the largest manifest has */
#define LEAVES 63

/* List i of 63 blobs that nobody has; `i` LISTS: the root over them. */
static size_t empty_list(uint8_t salt, size_t i, uint8_t ret[LIMIT_BLOB_BYTES])
{
	ret[0] = 1;
	ret[1] = BLOB_LIST;
	size_t count = i == LISTS ? LISTS : LEAVES;
	for (size_t k = 0; k < count; k++) {
		struct id id = {{salt, (uint8_t)i, (uint8_t)k, 1}};
		if (i == LISTS) {
			uint8_t list[LIMIT_BLOB_BYTES];
			size_t len = empty_list(salt, k, list);
			id = blob_id(list, len);
		}
		memcpy(ret + 2 + k * ID_BYTES, id.b, ID_BYTES);
	}
	return 2 + count * ID_BYTES;
}

static bool empty_manifest(struct actor *a, const struct address *from, const struct datagram *d)
{
	struct wire_blob_pull pull;
	(void)from;
	if (d->type != WIRE_BLOB_PULL || wire_blob_pull_decode(d->message, d->len, &pull) != ERR_OK)
		return false;
	for (size_t b = 0; b < pull.count; b++) {
		for (size_t i = 0; i <= LISTS; i++) {
			uint8_t list[LIMIT_BLOB_BYTES];
			size_t len = empty_list((uint8_t)(1 + a->n->index), i, list);
			struct id id = blob_id(list, len);
			struct wire_pack pack;
			if (!id_equal(&id, &pull.blobs[b]))
				continue;
			wire_pack_blobs(&pack, d->nonce);
			CHECK(wire_pack_add(&pack, list, len));
			peer_say(a->peer, &d->source, WIRE_BLOBS, pack.bytes, pack.len);
		}
	}
	return true;
}

#define NEW_COMPONENTS 24

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct trial *t = context;
	registry_add_blob(&t->w->registry, id, blob, len);
	node_publish_blob(t->w, &t->w->nodes[0], blob, len);
	return ERR_OK;
}

/* Host 0 gets new drivers. Returns how long it took until all honest nodes have its manifest. */
static mono_ms new_manifest(struct trial *t, mono_ms bound)
{
	static struct component all[NEW_COMPONENTS];
	struct components c = {.module_support = READING_OK, .entry_count = NEW_COMPONENTS};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t entries, len;
	size_t first = t->w->registry.blob_count;
	for (unsigned i = 0; i < NEW_COMPONENTS; i++) {
		all[i].kind = COMPONENT_MODULE;
		snprintf(all[i].name, sizeof(all[i].name), "new_module_%02u", i);
	}
	CHECK(manifest_build(all, NEW_COMPONENTS, NULL, emit, t, &c.manifest, &entries) == ERR_OK);
	CHECK(components_encode(&c, body, &len) == ERR_OK);
	node_publish(t->w, &t->w->nodes[0], RECORD_COMPONENTS, GOSSIP_ROUTINE, body, len);
	for (mono_ms took = 0; took < bound && !trial_over(t); took += 100) {
		bool all_have = true;
		for (uint32_t n = 0; n < HOSTS; n++)
			for (size_t b = first; b < t->w->registry.blob_count && trial_honest(t, n); b++)
				all_have &= replica_has_blob(&t->w->nodes[n].replica, (uint32_t)b);
		if (all_have)
			return took;
		trial_run(t, 100);
	}
	return bound;
}

/* Whose record says that it has so many entries. */
static void name_nothing(struct trial *t, uint32_t node, uint32_t entries)
{
	struct actor *a = actor_of(t, node);
	uint8_t list[LIMIT_BLOB_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t len = empty_list((uint8_t)(1 + node), LISTS, list);
	struct id root = blob_id(list, len);
	actor_meet_all(a);
	a->heard = empty_manifest;
	for (size_t k = 0; k <= LISTS; k++) {
		len = empty_list((uint8_t)(1 + node), k, list);
		struct id id = blob_id(list, len);
		registry_add_blob(&t->w->registry, &id, list, len);
	}
	actor_push_all(a, bytes, name_manifest(a, &root, entries, bytes));
}

static size_t wanted_by(struct trial *t, uint32_t node)
{
	struct gossip_status s;
	gossip_status(t->w->nodes[node].g, &s);
	return s.blobs_wanted;
}

static void manifests_of_nothing(struct trial *t)
{
	trial_world(t, HOSTS, 1);
	trial_begin(t, 0xf0);
	for (uint32_t i = 4; i < HOSTS; i++)
		name_nothing(t, i, LIMIT_COMPONENTS);
	trial_run(t, 120 * SECOND);
	if (trial_over(t))
		return;
	trial_need(t, wanted_by(t, 1) > 1500, "host 1 wants only %zu blobs", wanted_by(t, 1));
	mono_ms took = new_manifest(t, 30 * SECOND);
	trial_promise(t, took <= 10 * SECOND, "a new manifest took %u ms", (unsigned)took);
}

static void manifest_too_large(struct trial *t)
{
	struct actor *a = insider(t);
	size_t most = 0;
	if (!trial_over(t))
		name_nothing(t, a->n->index, 4);
	for (unsigned i = 0; i < 60 && !trial_over(t); i++) {
		trial_run(t, SECOND);
		most = wanted_by(t, 1) > most ? wanted_by(t, 1) : most;
	}
	trial_need(t, peer_heard(a->peer, WIRE_BLOB_PULL) > 0, "nobody asked it for the manifest");
	trial_promise(t, most <= 20, "host 1 wants %zu blobs", most);
	trial_promise(t, trial_counters(t, 1).blobs_wrong > 0, "nobody counted its lists");
}

const struct attack attacks_digests[] = {
    {"ids_of_nothing", "an insider announces thousands of ids that do not exist",
     "routine news of others arrive within 2 s", DEFENCE_PULL_ROOM, ids_of_nothing},
    {"selective_dropping", "a quarter of a site says at once that it has what is new, and hands nothing over",
     "once they are known for it, routine news arrive within 3 s", DEFENCE_PULL_ELSEWHERE,
     selective_dropping},
    {"digest_lies", "an insider shows another set root at each turn, and hashes and ids that do not exist",
     "nine walks in half a minute at most, and the news of others", DEFENCE_WALK_PACE, digest_lies},
    {"withheld_revocations", "a stolen host boasts of a longer log at each turn, and hands nothing over",
     "its revocation reaches all within 20 s", DEFENCE_LOG_CLAIM, withheld_revocation},
    {"blob_lies", "an insider answers with other blobs than were asked for", "nobody keeps them",
     DEFENCE_BLOB_ASKED, blob_lies},
    {"manifests_of_nothing", "four insiders publish manifests of thousands of blobs that do not exist",
     "a new manifest of another is everywhere within 10 s", DEFENCE_BLOB_SHARE, manifests_of_nothing},
    {"manifest_too_large", "an insider's manifest of four components names fifteen hundred blobs",
     "nobody fetches more than four components can need", DEFENCE_BLOB_GROWTH, manifest_too_large},
    {0},
};
