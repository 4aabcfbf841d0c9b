/* What an insider offers at the gate for records. */
#include <string.h>

#include "tests/hostile/attacks.h"

#define HOSTS  8
#define SITES  2
#define HONEST 7
#define THIEF  7 /* of site-1 */
#define VICTIM 0

/* docs/protocol.md section 2. */
#define WRITER_AT  5
#define SUBJECT_AT 23
#define SEQ_AT     49

static struct actor *insider(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_of(t, THIEF);
	actor_meet_all(a);
	return a;
}

static size_t goodbye(struct actor *a, const struct id *subject, bool rightful,
		      uint8_t ret[LIMIT_RECORD_BYTES])
{
	const struct record_key key = {.kind = RECORD_GOODBYE, .subject = *subject};
	const struct goodbye body = {.reason = GOODBYE_STOPPED};
	uint8_t bytes[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	CHECK(goodbye_encode(&body, bytes, &len) == ERR_OK);
	return actor_sign(a, &key, 0, world_wall(a->t->w), bytes, len, rightful, ret);
}

static void nobody_holds(struct trial *t, const struct record_key *key, uint64_t seq)
{
	for (uint32_t i = 0; i < HONEST && !trial_over(t); i++)
		trial_promise(t, trial_holds(t, i, key, NULL) != seq, "host %u holds it", i);
}

static void forged_goodbye(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len = goodbye(a, &t->w->nodes[VICTIM].id, false, bytes);
	memcpy(bytes + WRITER_AT, t->w->nodes[VICTIM].id.b, ID_BYTES);
	actor_push_all(a, bytes, len);
	trial_run(t, 5000);
	for (uint32_t i = 0; i < HONEST; i++)
		trial_promise(t, trial_status(t, i, VICTIM) == HOST_UP, "host %u calls the victim %s", i,
			      host_status_name(trial_status(t, i, VICTIM)));
}

static void highest_sequence(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	if (trial_over(t))
		return;
	const struct sim_record *real = host_publish_health(t->w, &t->w->nodes[VICTIM], GOSSIP_URGENT);
	memcpy(bytes, real->bytes, real->len);
	memset(bytes + SEQ_AT, 0xff, 8);
	bytes[SEQ_AT] = 0x7f;
	actor_push_all(a, bytes, real->len);
	trial_run(t, 5000);
	nobody_holds(t, &real->key, INT64_MAX);
	trial_promise(t, trial_news(t, VICTIM, GOSSIP_URGENT, 5000) < 5000,
		      "the victim is not heard any more");
}

/* The second issuer's key was stolen as well: what it writes into a certificate is its word, not the host's.
 */
static void certificate_counter(struct trial *t)
{
	struct actor *a = insider(t);
	struct node *victim = &t->w->nodes[VICTIM];
	struct certificate c = {.enrolled = 20000, .seq = INT64_MAX};
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct record r;
	size_t len;
	memcpy(c.site, t->w->site_names[victim->site], sizeof(c.site));
	certificate_consent(&c, victim->identity, identity_id(t->w->estate.second_issuer),
			    &t->w->estate.keys.estate);
	CHECK(certificate_issue(&c, t->w->estate.second_issuer, &t->w->estate.keys.estate, 1,
				world_wall(t->w), bytes, &len) == ERR_OK);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	registry_add(&t->w->registry, &r, t->w->now);
	actor_push_all(a, bytes, len);
	trial_run(t, 2000);
	trial_need(t, trial_holds(t, 1, &r.key, NULL) == INT64_MAX, "the certificate was not accepted");
	if (trial_over(t))
		return;
	node_leave(t->w, victim, GOODBYE_STOPPED);
	trial_run(t, 5000);
	for (uint32_t i = 1; i < HONEST; i++)
		trial_promise(t, trial_status(t, i, VICTIM) == HOST_STOPPED,
			      "host %u did not take the victim's goodbye: %s", i,
			      host_status_name(trial_status(t, i, VICTIM)));
}

static void about_another(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	size_t len = goodbye(a, &t->w->nodes[VICTIM].id, false, bytes);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	actor_push_all(a, bytes, len);
	trial_run(t, 2000);
	nobody_holds(t, &r.key, r.seq);
}

static void foreign_rollcall(struct trial *t)
{
	struct actor *a = insider(t);
	const struct record_key key = {.kind = RECORD_ROLLCALL, .subject = t->w->site_ids[0]};
	uint8_t own[LIMIT_RECORD_BYTES], bytes[LIMIT_RECORD_BYTES];
	struct record r;
	CHECK(record_parse(own, actor_rollcall(a, NULL, ROLLCALL_ANSWERS, own), &r) == ERR_OK);
	size_t len = actor_sign(a, &key, 0, world_wall(t->w), r.body, r.body_len, false, bytes);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	actor_push_all(a, bytes, len);
	trial_run(t, 2000);
	nobody_holds(t, &r.key, r.seq);
}

static void false_operator(struct trial *t)
{
	struct actor *a = insider(t);
	const struct record_key key = {
	    .kind = RECORD_DECOMMISSION, .subject = t->w->nodes[VICTIM].id, .slot = 4711};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	size_t len = actor_sign(a, &key, 0, world_wall(t->w), (const uint8_t *)"\x80", 1, false, bytes);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	actor_push_all(a, bytes, len);
	trial_run(t, 2000);
	nobody_holds(t, &r.key, r.seq);
}

static void equivocation(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record_key key = {
	    .kind = RECORD_HEALTH, .writer = t->w->nodes[THIEF].id, .subject = t->w->nodes[THIEF].id};
	uint64_t ids[HONEST] = {0};
	for (uint64_t oopses = 0; oopses < 2; oopses++) {
		a->seq = 5000;
		size_t len = actor_health(a, oopses, bytes);
		for (uint32_t i = 0; i < HONEST; i++)
			if (i % 2 == oopses)
				actor_push(a, i, bytes, len);
	}
	trial_run(t, 60000);
	for (uint32_t i = 0; i < HONEST && !trial_over(t); i++)
		trial_need(t, trial_holds(t, i, &key, &ids[i]) == 5001, "host %u has neither", i);
	for (uint32_t i = 1; i < HONEST; i++)
		trial_promise(t, ids[i] == ids[0], "hosts 0 and %u hold different ones after a minute", i);
}

static void old_news(struct trial *t)
{
	struct actor *a = insider(t);
	if (trial_over(t))
		return;
	struct node *victim = &t->w->nodes[VICTIM];
	const struct sim_record *old = host_publish_health(t->w, victim, GOSSIP_URGENT);
	trial_run(t, 2000);
	const struct sim_record *new =
	    trial_over(t) ? NULL : host_publish_health(t->w, victim, GOSSIP_URGENT);
	trial_run(t, 2000);
	if (new == NULL)
		return;
	actor_push_all(a, old->bytes, old->len);
	trial_run(t, 3000);
	for (uint32_t i = 0; i < HONEST && !trial_over(t); i++)
		trial_promise(t, trial_holds(t, i, &new->key, NULL) == new->seq, "host %u went back", i);
}

static void from_the_future(struct trial *t)
{
	struct actor *a = insider(t);
	const struct record_key key = {.kind = RECORD_HEALTH, .subject = t->w->nodes[THIEF].id};
	const struct health h = {.boot = 1};
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t len;
	CHECK(health_encode(&h, body, &len) == ERR_OK);
	len = actor_sign(a, &key, 0, world_wall(t->w) + 36500 * CLOCK_DAY_MS, body, len, true, bytes);
	actor_push_all(a, bytes, len);
	trial_run(t, 3000);
	for (uint32_t i = 0; i < HONEST && !trial_over(t); i++) {
		struct host_state s;
		trial_need(t,
			   trial_holds(t, i, &(struct record_key){RECORD_HEALTH, key.subject, key.subject, 0},
				       NULL) == a->seq,
			   "host %u did not take it", i);
		CHECK(gossip_host_state(t->w->nodes[i].g, &key.subject, &s));
		trial_promise(t, s.seen <= node_wall(t->w, &t->w->nodes[i]),
			      "host %u believes to have heard it in a hundred years", i);
	}
}

#define FORGERIES 300

static void forgeries(struct trial *t)
{
	struct actor *a = insider(t);
	uint64_t before = trial_counters(t, 1).verifications;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	for (uint64_t i = 0; i < FORGERIES && !trial_over(t); i++) {
		size_t len = goodbye(a, &t->w->nodes[VICTIM].id, false, bytes);
		memcpy(bytes + WRITER_AT, t->w->nodes[VICTIM].id.b, ID_BYTES);
		actor_push(a, 1, bytes, len);
		trial_run(t, 5);
	}
	uint64_t spent = trial_counters(t, 1).verifications - before;
	trial_need(t, trial_counters(t, 1).records_bad_signature > 0, "no forgery got that far");
	/* Some are for what honest hosts publish meanwhile. */
	trial_promise(t, spent < FORGERIES / 10, "%u forgeries cost %u verifications", FORGERIES,
		      (unsigned)spent);
}

#define FLOOD_SECONDS 20
#define FLOOD_EVERY   5 /* ms */

static void flood_of_records(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	uint64_t before = trial_counters(t, 1).records_accepted;
	for (uint32_t i = 0; i < FLOOD_SECONDS * 1000 / FLOOD_EVERY && !trial_over(t); i++) {
		size_t len = actor_health(a, i, bytes);
		actor_push(a, 1, bytes, len);
		trial_run(t, FLOOD_EVERY);
	}
	uint64_t accepted = trial_counters(t, 1).records_accepted - before;
	trial_need(t, accepted > 15, "the flood did not come in");
	/* docs/protocol.md section 9: twenty at once, one each five seconds; and what honest hosts publish. */
	trial_promise(t, accepted < 20 + FLOOD_SECONDS / 5 + 100, "%u of its records were carried on",
		      (unsigned)accepted);
	trial_promise(t, trial_news(t, VICTIM, GOSSIP_URGENT, 5000) < 2000, "the news of others wait");
}

static void orphan_flood(struct trial *t)
{
	struct actor *a = insider(t);
	struct actor *late = actor_enrol(t, t->w->estate.first_issuer, 1, 20000, NULL, &(struct address){0});
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	for (uint8_t i = 0; i < 100; i++) {
		size_t len = actor_health(a, i, bytes);
		memset(bytes + WRITER_AT, i, ID_BYTES);
		memset(bytes + SUBJECT_AT, i, ID_BYTES);
		actor_push(a, 1, bytes, len);
	}
	trial_run(t, 1000);
	trial_need(t, trial_counters(t, 1).records_orphan >= 100, "they are no orphans");
	actor_rightful(late);
	size_t len = actor_health(late, 1, bytes);
	actor_push(a, 1, bytes, len);
	trial_run(t, 50);
	actor_push(a, 1, late->certificate, late->certificate_len);
	trial_run(t, 50);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	trial_promise(t, trial_holds(t, 1, &r.key, NULL) == r.seq,
		      "a record that came before its certificate was thrown away");
}

const struct attack attacks_records[] = {
    {"forged_goodbye", "a stolen host signs a goodbye in another's name", "the other is up everywhere",
     DEFENCE_SIGNATURE, forged_goodbye},
    {"highest_sequence", "an insider relays a real record with the highest sequence number put in",
     "nobody holds it, and the host's own news go on", DEFENCE_SIGNATURE, highest_sequence},
    {"certificate_counter", "a stolen issuer certifies a host anew, with the highest counter there is",
     "the host's records and its goodbye count as before", DEFENCE_HOST_COUNTER, certificate_counter},
    {"about_another", "a stolen host signs a goodbye about another, in its own name", "nobody holds it",
     DEFENCE_OWN_SUBJECT, about_another},
    {"foreign_rollcall", "a stolen host signs a roll-call of another site", "nobody holds it",
     DEFENCE_HOME_SITE, foreign_rollcall},
    {"false_operator", "a stolen host decommissions another, as operators do", "nobody holds it",
     DEFENCE_OPERATOR, false_operator},
    {"equivocation", "a host gives two records of one order to different nodes",
     "all agree on one of them within a minute", DEFENCE_FORK_ORDER, equivocation},
    {"old_news", "an insider brings a superseded record again", "the newer one stands", DEFENCE_ORDER,
     old_news},
    {"from_the_future", "a host dates its records a hundred years ahead",
     "when it was last heard is told by the receiver's clock", DEFENCE_RECEIPT_TIME, from_the_future},
    {"forgeries", "an insider hands on forged records without end",
     "they cost one verification in ten seconds", DEFENCE_LIAR, forgeries},
    {"flood_of_records", "a host publishes valid records without end",
     "the estate carries 20, and one each 5 seconds; others' news do not wait", DEFENCE_ORIGIN_SHARE,
     flood_of_records},
    {"orphan_flood", "an insider pushes records of hosts that do not exist",
     "a record that is ahead of its certificate is kept for it", DEFENCE_ORPHAN_ROOM, orphan_flood},
    {0},
};
