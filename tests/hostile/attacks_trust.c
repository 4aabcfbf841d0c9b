/* Keys that were stolen, and certificates that should not be: what the authority log settles. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "record/manifest.h"
#include "tests/hostile/attacks.h"

#define HOSTS  8
#define SITES  2
#define THIEF  7 /* of site-1, certified by the second issuer, like all odd hosts */
#define HIT    0
#define SECOND 1000
#define MINUTE 60000

/* An entry of the estate's log, given to one honest node. */
static void log_add(struct trial *t, uint8_t *entry, size_t len, enum err err)
{
	CHECK(err == ERR_OK);
	CHECK(authlog_append(t->w->estate.log, entry, len) == ERR_OK);
	if (!trial_over(t))
		node_log(t->w, &t->w->nodes[HIT], entry, len);
}

static void revoke(struct trial *t, enum log_revoke_what what, const struct id *id, const struct id *allowed)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	enum err err = authlog_make_revoke(t->w->estate.log, t->w->estate.authority, what, id, allowed,
					   "stolen", world_wall(t->w), entry, &len);
	log_add(t, entry, len, err);
}

/* A third issuer, for hosts of site-0 only. */
static struct identity *grant(struct trial *t, uint32_t quota)
{
	struct identity *issuer = estate_identity(t->seed, (1u << 27) + 1);
	struct authlog_grant g = {.issuer = *identity_id(issuer),
				  .quota = quota,
				  .last_day = clock_day(world_wall(t->w)) + 30,
				  .site_count = 1};
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	memcpy(g.public_key, identity_public_key(issuer), KEY_BYTES);
	text_copy(g.name, sizeof(g.name), "third");
	text_copy(g.sites[0], sizeof(g.sites[0]), t->w->site_names[0]);
	enum err err =
	    authlog_make_grant(t->w->estate.log, t->w->estate.authority, &g, world_wall(t->w), entry, &len);
	log_add(t, entry, len, err);
	trial_run(t, 5 * SECOND);
	return issuer;
}

static void revoked_host(struct trial *t)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_of(t, THIEF);
	actor_meet_all(a);
	revoke(t, LOG_REVOKE_HOST, &t->w->nodes[THIEF].id, NULL);
	trial_run(t, 10 * SECOND);
	for (uint32_t i = 0; i < HOSTS - 1 && !trial_over(t); i++)
		trial_need(t, authlog_host_revoked(t->w->nodes[i].log, &t->w->nodes[THIEF].id),
			   "host %u has not heard of the revocation", i);
	uint64_t acks = peer_heard(a->peer, WIRE_ACK);
	size_t len = actor_health(a, 1, bytes);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	actor_push_all(a, bytes, len);
	for (uint32_t i = 0; i < HOSTS - 1; i++)
		peer_ping(a->peer, &t->w->nodes[i].id);
	trial_run(t, 2 * SECOND);
	trial_promise(t, peer_heard(a->peer, WIRE_ACK) == acks, "it is answered");
	for (uint32_t i = 0; i < HOSTS - 1 && !trial_over(t); i++)
		trial_promise(t, trial_holds(t, i, &r.key, NULL) != r.seq, "host %u takes its records", i);
}

static int id_order(const void *a, const void *b)
{
	return id_compare(a, b);
}

/* Of the odd hosts all but the thief's are honest: the list says so. */
static struct id allow(struct trial *t)
{
	struct id ids[] = {t->w->nodes[1].id, t->w->nodes[3].id, t->w->nodes[5].id};
	uint8_t blob[LIMIT_BLOB_BYTES] = {1, BLOB_ALLOW_LIST};
	qsort(ids, 3, sizeof(ids[0]), id_order);
	memcpy(blob + 2, ids, sizeof(ids));
	struct id list = blob_id(blob, 2 + sizeof(ids));
	registry_add_blob(&t->w->registry, &list, blob, 2 + sizeof(ids));
	revoke(t, LOG_REVOKE_ISSUER, identity_id(t->w->estate.second_issuer), &list);
	if (!trial_over(t))
		node_log(t->w, &t->w->nodes[HIT], blob, 2 + sizeof(ids));
	return list;
}

static void stolen_issuer(struct trial *t)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record own, late;
	struct address at = actor_address(1);
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_of(t, THIEF);
	actor_meet_all(a);
	allow(t);
	trial_run(t, 20 * SECOND);
	/* One enrolled after the list was made, and one that it leaves out. */
	struct actor *b = actor_enrol(t, t->w->estate.second_issuer, 1, 20000, NULL, &at);
	CHECK(record_parse(b->certificate, b->certificate_len, &late) == ERR_OK);
	size_t len = actor_health(a, 1, bytes);
	CHECK(record_parse(bytes, len, &own) == ERR_OK);
	actor_push_all(a, b->certificate, b->certificate_len);
	actor_push_all(a, bytes, len);
	trial_run(t, 2 * SECOND);
	for (uint32_t i = 0; i < HOSTS - 1 && !trial_over(t); i++) {
		trial_promise(t, trial_holds(t, i, &late.key, NULL) == 0, "host %u takes a new host", i);
		trial_promise(t, trial_holds(t, i, &own.key, NULL) != own.seq, "host %u listens to the thief",
			      i);
		for (uint32_t h = 0; h < HOSTS - 1; h++)
			trial_promise(t, trial_status(t, i, h) == HOST_UP, "host %u calls %u %s", i, h,
				      host_status_name(trial_status(t, i, h)));
	}
}

#define QUOTA  3
#define SYBILS 12

static void sybil_quota(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 0);
	struct identity *issuer = grant(t, QUOTA);
	struct actor *sybils[SYBILS];
	for (uint32_t i = 0; i < SYBILS; i++) {
		/* Each with a session to one host: all bring their own certificate. */
		struct address at = actor_address(i);
		sybils[i] = actor_enrol(t, issuer, 0, 20000, NULL, &at);
		actor_rightful(sybils[i]);
		peer_hello(sybils[i]->peer, &t->w->nodes[HIT].id, &t->w->nodes[HIT].address);
		trial_run(t, 500);
	}
	trial_run(t, 30 * SECOND);
	for (uint32_t i = 0; i < HOSTS && !trial_over(t); i++) {
		uint32_t known = 0, good = 0;
		for (uint32_t s = 0; s < SYBILS; s++) {
			struct host_state state;
			if (!gossip_host_state(t->w->nodes[i].g, identity_id(sybils[s]->identity), &state))
				continue;
			known++;
			good += state.standing == STANDING_GOOD;
		}
		trial_need(t, known > QUOTA, "host %u knows %u of them", i, known);
		trial_promise(t, good <= QUOTA, "%u of them have a say at host %u, the quota is %u", good, i,
			      QUOTA);
	}
	identity_free(issuer);
}

static void not_taken(struct trial *t, const struct actor *a)
{
	struct record r;
	CHECK(record_parse(a->certificate, a->certificate_len, &r) == ERR_OK);
	for (uint32_t i = 0; i < HOSTS && !trial_over(t); i++)
		trial_promise(t, trial_holds(t, i, &r.key, NULL) == 0, "host %u takes the certificate", i);
}

/* The token of one branch, used to enrol a host of another. */
static void foreign_certificate(struct trial *t)
{
	struct address at = actor_address(1);
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 0);
	struct identity *issuer = grant(t, 100);
	struct actor *a = actor_enrol(t, issuer, 1, 20000, NULL, &at);
	struct actor *home = actor_enrol(t, issuer, 0, 20000, NULL, &at);
	actor_rightful(home);
	for (uint32_t i = 0; i < HOSTS && !trial_over(t); i++) {
		peer_hello(a->peer, &t->w->nodes[i].id, &t->w->nodes[i].address);
		peer_hello(home->peer, &t->w->nodes[i].id, &t->w->nodes[i].address);
		trial_run(t, 200);
	}
	not_taken(t, a);
	struct record r;
	CHECK(record_parse(home->certificate, home->certificate_len, &r) == ERR_OK);
	trial_need(t, trial_holds(t, HIT, &r.key, NULL) != 0, "the issuer enrols nobody");
	identity_free(issuer);
}

/* With the estate secret, and a certificate by nobody the log knows. */
static void own_issuer(struct trial *t)
{
	struct address at = actor_address(1);
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 0);
	struct identity *issuer = estate_identity(t->seed, (1u << 27) + 2);
	struct actor *a = actor_enrol(t, issuer, 1, 20000, NULL, &at);
	for (uint32_t i = 0; i < HOSTS && !trial_over(t); i++) {
		peer_hello(a->peer, &t->w->nodes[i].id, &t->w->nodes[i].address);
		trial_run(t, 200);
	}
	trial_run(t, 2 * SECOND);
	not_taken(t, a);
	identity_free(issuer);
}

#define REISSUED 600

/* The issuer's key, used to certify one host again and again. */
static void certificate_flood(struct trial *t)
{
	struct address at = {0};
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_of(t, THIEF);
	actor_meet(a, HIT);
	struct actor *flooded = actor_enrol(t, t->w->estate.first_issuer, 0, 20000, NULL, &at);
	actor_rightful(flooded);
	uint64_t before = trial_counters(t, HIT).records_accepted;
	for (uint64_t i = 0; i < REISSUED && !trial_over(t); i++) {
		struct certificate c = {.enrolled = 20000, .seq = 2 + i};
		uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
		struct record r;
		size_t len;
		text_copy(c.site, sizeof(c.site), t->w->site_names[0]);
		certificate_consent(&c, flooded->identity, identity_id(t->w->estate.first_issuer),
				    &t->w->estate.keys.estate);
		CHECK(certificate_issue(&c, t->w->estate.first_issuer, &t->w->estate.keys.estate, 1,
					world_wall(t->w), bytes, &len) == ERR_OK);
		CHECK(record_parse(bytes, len, &r) == ERR_OK);
		registry_add(&t->w->registry, &r, t->w->now);
		actor_push(a, HIT, bytes, len);
		trial_run(t, 20);
	}
	uint64_t taken = trial_counters(t, HIT).records_accepted - before;
	trial_need(t, taken > 0, "none came in");
	trial_promise(t, taken <= REISSUED / 2, "%u certificates of one host in 12 s are carried on",
		      (unsigned)taken);
}

/* A copy of a running host's key. */
static void clone(struct trial *t)
{
	const uint32_t victim = 1;
	struct address at = actor_address(5);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct gossip_status s = {.cloned = false};
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_copy(t, victim, &at, PEER_CALM), *helper = actor_of(t, THIEF);
	actor_meet(helper, HIT);
	for (int i = 0; i < 12 && !trial_over(t); i++) {
		gossip_status(t->w->nodes[victim].g, &s);
		a->seq = s.seq_next + 5;
		size_t len = actor_health(a, (uint64_t)i, bytes);
		actor_push(helper, HIT, bytes, len);
		trial_run(t, 15 * SECOND);
	}
	if (!trial_over(t))
		gossip_status(t->w->nodes[victim].g, &s);
	trial_need(t, s.seq_next > 100, "the copy's records never came to the host itself");
	trial_promise(t, s.cloned, "a host that shares its key does not know");
}

static uint64_t edge_score(const struct trial *t, uint32_t node)
{
	struct authlog_head head = authlog_head(t->w->estate.log);
	uint32_t site = t->w->nodes[node].site;
	uint8_t data[3 * ID_BYTES + 16];
	struct writer out = writer_of(data, sizeof(data));
	writer_bytes(&out, t->w->site_ids[site].b, ID_BYTES);
	writer_bytes(&out, t->w->site_ids[1 - site].b, ID_BYTES);
	writer_bytes(&out, t->w->nodes[node].id.b, ID_BYTES);
	writer_u32(&out, clock_day(world_wall(t->w)));
	writer_u32(&out, head.index);
	writer_u64(&out, head.hash);
	return hash_u64("mesh.bridge", data, sizeof(data));
}

/* Of a site, neither the bridge nor the one next to it. */
static uint32_t far_from_edges(const struct trial *t, uint32_t site)
{
	for (uint32_t i = site; i < HOSTS; i += SITES) {
		unsigned before = 0;
		for (uint32_t k = site; k < HOSTS; k += SITES)
			before += edge_score(t, k) < edge_score(t, i);
		if (before == 2)
			return i;
	}
	return site;
}

/* All others of its site are the attacker's; they show the log as it was. */
static void eclipse(struct trial *t)
{
	uint64_t taken = 0;
	trial_world(t, HOSTS, SITES);
	uint32_t victim = far_from_edges(t, 1), friend = far_from_edges(t, 0);
	for (uint32_t i = 1; i < HOSTS; i += SITES)
		if (i != victim)
			taken |= 1ull << i;
	trial_begin(t, taken);
	for (uint32_t i = 1; i < HOSTS; i += SITES)
		if (i != victim)
			peer_claim_head(actor_of(t, i)->peer, authlog_head(t->w->estate.log));
	/* It carried edges while it looked for its site; they end when nothing comes. Ranks change with the
	 * log: so that it does not come to carry one, it reaches one host of the other site only. */
	for (int lost = 1; lost >= 0; lost--) {
		for (uint32_t i = 0; i < HOSTS; i += SITES) {
			net_link(t->w, victim, i, lost || i != friend, 0);
			net_link(t->w, i, victim, lost || i != friend, 0);
		}
		trial_run(t, 20 * SECOND);
	}
	const struct id *revoked = &t->w->nodes[victim == 1 ? 3 : 1].id;
	revoke(t, LOG_REVOKE_HOST, revoked, NULL);
	trial_run(t, MINUTE);
	trial_need(t, trial_over(t) || !authlog_host_revoked(t->w->nodes[victim].log, revoked),
		   "it was not cut off");
	for (int i = 0; i < 120 && !trial_over(t); i++) {
		if (authlog_host_revoked(t->w->nodes[victim].log, revoked))
			return;
		trial_run(t, MINUTE);
	}
	trial_promise(t, false, "it has not heard of a revocation after two hours");
}

const struct attack attacks_trust[] = {
    {"revoked_host", "a stolen host goes on after it was revoked", "it is neither answered nor believed",
     DEFENCE_REVOCATION, revoked_host},
    {"stolen_issuer", "a stolen issuer, revoked with a list of the hosts that stay, enrols more",
     "those listed are up, its own is not listened to, its new one is refused", DEFENCE_REVOCATION,
     stolen_issuer},
    {"sybil_quota", "a stolen token enrols four times its quota", "those beyond the quota have no say",
     DEFENCE_QUOTA, sybil_quota},
    {"foreign_certificate", "a token for one site certifies a host of another",
     "nobody takes the certificate", DEFENCE_CERTIFICATE, foreign_certificate},
    {"own_issuer", "with the estate secret, and a certificate by a key that is no issuer",
     "nobody takes the certificate", DEFENCE_CERTIFICATE, own_issuer},
    {"certificate_flood", "a stolen issuer certifies one host 600 times in 12 s",
     "the estate carries a few of these", DEFENCE_ORIGIN_SHARE, certificate_flood},
    {"clone", "a host's key is copied and used elsewhere at the same time", "the host says so", DEFENCE_CLONE,
     clone},
    {"eclipse", "all members of a site but one show the log as it was before a revocation",
     "that one hears of it within two hours", DEFENCE_COMPARE, eclipse},
    {0},
};
