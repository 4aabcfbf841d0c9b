/* The synthetic estate that figures are measured on: the same from the same seed, and real to the last
 * signature. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "record/body.h"
#include "record/manifest.h"
#include "record/operator.h"
#include "store/store.h"
#include "tests/estate/estate.h"
#include "tests/unit/scratch.h"

#define NOW   1800000000000ull
#define HOSTS 700
#define SITES 12

struct look {
	struct store *store;
	struct authlog *log;
	uint64_t rows, digest;
	/* Certificates come first, by issuer; everything else is looked up in them. */
	struct certificate *certificates;
	size_t certificate_count;
	size_t kinds[64];
};

static void mix(struct look *l, const void *bytes, size_t len)
{
	uint64_t parts[2] = {l->digest, hash_checksum(bytes, len)};
	l->digest = hash_checksum(parts, sizeof(parts));
	l->rows++;
}

static bool mix_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	mix(context, bytes, len);
	mix(context, &received, sizeof(received));
	return true;
}

static bool mix_blob(void *context, const struct id *id)
{
	struct look *l = context;
	uint8_t blob[LIMIT_BLOB_BYTES];
	size_t len;
	assert_int_equal(store_get_blob(l->store, id, blob, &len), ERR_OK);
	mix(l, blob, len);
	return true;
}

static bool mix_host(void *context, const struct host_state *state)
{
	const uint64_t numbers[] = {state->status, state->standing, state->since,       state->seen,
				    state->votes,  state->signers,  state->witnesses[0]};
	mix(context, &state->host, sizeof(state->host));
	mix(context, numbers, sizeof(numbers));
	return true;
}

static bool mix_site(void *context, const struct site_state *state)
{
	const uint64_t numbers[] = {state->status, state->since, state->last_rollcall, state->interval_s};
	mix(context, state->name, strlen(state->name));
	mix(context, numbers, sizeof(numbers));
	return true;
}

static void look_open(struct look *l, const char *folder)
{
	char path[LIMIT_PATH_BYTES];
	const struct id self = {.b = {1}};
	*l = (struct look){.digest = 1};
	snprintf(path, sizeof(path), "%s/authority.log", folder);
	assert_int_equal(authlog_load(path, &l->log, NULL), ERR_OK);
	snprintf(path, sizeof(path), "%s/replica", folder);
	assert_int_equal(store_open(path, authlog_estate(l->log), &self, &l->store, NULL, NULL), ERR_OK);
	l->certificates = calloc(HOSTS + 1, sizeof(*l->certificates));
	assert_non_null(l->certificates);
}

static void look_close(struct look *l)
{
	store_close(l->store);
	authlog_free(l->log);
	free(l->certificates);
}

static uint64_t digest_of(const char *folder)
{
	struct look l;
	look_open(&l, folder);
	assert_int_equal(store_each_record(l.store, mix_record, &l), ERR_OK);
	assert_int_equal(store_each_blob(l.store, mix_blob, &l), ERR_OK);
	assert_int_equal(store_each_host_state(l.store, mix_host, &l), ERR_OK);
	assert_int_equal(store_each_site_state(l.store, mix_site, &l), ERR_OK);
	assert_true(l.rows > HOSTS * 8);
	look_close(&l);
	return l.digest;
}

static struct estate_options options(const char *folder)
{
	return (struct estate_options){.hosts = HOSTS,
				       .sites = SITES,
				       .seed = 5,
				       .out = folder,
				       .now = NOW,
				       .silent_sites = 1,
				       .outage = ESTATE_CONTENT,
				       .delay = ESTATE_DELAY_SECONDS,
				       .share = 0.5,
				       .repaired = 0.3,
				       .from = NOW - 180 * CLOCK_MINUTE_MS,
				       .to = NOW - 100 * CLOCK_MINUTE_MS,
				       .confounders = ESTATE_PATCH_DAY};
}

static void one_seed_makes_one_estate(void **state)
{
	char folders[4][64];
	uint64_t digests[4];
	for (size_t i = 0; i < 4; i++) {
		struct err_info info = {0};
		snprintf(folders[i], sizeof(folders[i]), "%s",
			 scratch_path(*state, i == 0   ? "a"
					      : i == 1 ? "b"
					      : i == 2 ? "c"
						       : "d"));
		struct estate_options o = options(folders[i]);
		/* Threads are no part of it, all else is. */
		o.threads = i == 1 ? 5 : 1;
		o.seed = i == 2 ? 6 : 5;
		o.delay = i == 3 ? ESTATE_DELAY_NONE : o.delay;
		if (estate_write(&o, &info) != ERR_OK)
			fail_msg("%s", info.text);
		digests[i] = digest_of(folders[i]);
	}
	assert_true(digests[0] == digests[1]);
	assert_true(digests[0] != digests[2]);
	assert_true(digests[0] != digests[3]);
}

static const struct certificate *certificate_of(const struct look *l, const struct id *host)
{
	for (size_t i = 0; i < l->certificate_count; i++) {
		if (id_equal(&l->certificates[i].host, host))
			return &l->certificates[i];
	}
	return NULL;
}

static void check_body(const struct record *r)
{
	union {
		struct profile profile;
		struct health health;
		struct components components;
		struct crashes crashes;
		struct goodbye goodbye;
		struct rollcall rollcall;
		struct incident incident;
		struct claim claim;
		struct note note;
		struct listing inventory;
	} body;
	switch (r->key.kind) {
	case RECORD_PROFILE:
		assert_int_equal(profile_decode(r->body, r->body_len, &body.profile), ERR_OK);
		break;
	case RECORD_HEALTH:
		assert_int_equal(health_decode(r->body, r->body_len, &body.health), ERR_OK);
		break;
	case RECORD_COMPONENTS:
		assert_int_equal(components_decode(r->body, r->body_len, &body.components), ERR_OK);
		/* Newest first, and nothing from the future. */
		for (size_t i = 0; i < body.components.change_count; i++) {
			assert_true(body.components.changes[i].time_s <= r->time / 1000);
			assert_true(i == 0 || body.components.changes[i].time_s <=
						  body.components.changes[i - 1].time_s);
		}
		break;
	case RECORD_CRASHES:
		assert_int_equal(crashes_decode(r->body, r->body_len, &body.crashes), ERR_OK);
		break;
	case RECORD_GOODBYE:
		assert_int_equal(goodbye_decode(r->body, r->body_len, &body.goodbye), ERR_OK);
		break;
	case RECORD_ROLLCALL:
		assert_int_equal(rollcall_decode(r->body, r->body_len, &body.rollcall), ERR_OK);
		assert_true(body.rollcall.live_witnesses > 0);
		break;
	case RECORD_DECOMMISSION:
		break;
	case RECORD_INCIDENT:
		assert_int_equal(incident_decode(r->body, r->body_len, &body.incident), ERR_OK);
		assert_true(body.incident.op == INCIDENT_OPEN && body.incident.match_count > 0);
		break;
	case RECORD_CLAIM:
		assert_int_equal(claim_decode(r->body, r->body_len, &body.claim), ERR_OK);
		break;
	case RECORD_NOTE:
		assert_int_equal(note_decode(r->body, r->body_len, &body.note), ERR_OK);
		break;
	case RECORD_INVENTORY:
		assert_int_equal(listing_decode(r->body, r->body_len, &body.inventory), ERR_OK);
		assert_true(body.inventory.rows > 0);
		break;
	default:
		fail_msg("a record of kind %u", r->key.kind);
	}
}

static bool check_record(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	struct look *l = context;
	struct record r;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_true(r.key.kind < 64 && r.time <= received && received <= NOW);
	l->kinds[r.key.kind]++;
	if (r.key.kind == RECORD_CERTIFICATE) {
		assert_true(l->certificate_count < HOSTS);
		struct certificate *c = &l->certificates[l->certificate_count++];
		assert_int_equal(certificate_verify(&r, l->log, clock_day(NOW), c), ERR_OK);
		return true;
	}
	const struct certificate *c = certificate_of(l, &r.key.writer);
	const uint8_t *key = c != NULL ? c->public_key : authlog_operator_key(l->log, &r.key.writer);
	assert_non_null(key);
	assert_int_equal(record_verify(&r, authlog_estate(l->log), key), ERR_OK);
	assert_true(c == NULL || r.seq > c->seq);
	check_body(&r);
	return true;
}

/* The last word of who stopped is its goodbye; who vanished is accused by hosts of its own site. */
static bool check_state(void *context, const struct host_state *state)
{
	struct look *l = context;
	const struct certificate *c = certificate_of(l, &state->host);
	uint64_t goodbye = 0;
	assert_non_null(c);
	assert_true(state->seen <= NOW && state->since <= NOW);
	for (uint8_t kind = RECORD_PROFILE; kind <= RECORD_GOODBYE; kind++) {
		struct record_key key = {.kind = kind, .writer = state->host, .subject = state->host};
		uint8_t bytes[LIMIT_RECORD_BYTES];
		struct record r;
		size_t len;
		wall_ms received;
		if (store_get_record(l->store, &key, bytes, &len, &received) != ERR_OK)
			continue;
		assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
		assert_true(kind != RECORD_GOODBYE || r.seq > goodbye);
		if (kind == RECORD_GOODBYE || r.seq > goodbye)
			goodbye = kind == RECORD_GOODBYE ? r.seq : goodbye > r.seq ? goodbye : r.seq;
		if (kind == RECORD_GOODBYE)
			l->kinds[0] += state->status != HOST_STOPPED && state->status != HOST_ASLEEP;
	}
	for (size_t i = 0; state->status == HOST_DARK && i < state->votes; i++) {
		bool found = false;
		for (size_t k = 0; k < l->certificate_count && !found; k++)
			found = id_short(&l->certificates[k].host) == state->witnesses[i] &&
				strcmp(l->certificates[k].site, c->site) == 0;
		assert_true(found);
	}
	return true;
}

static void every_signature_holds(void **state)
{
	char folder[64];
	struct look l;
	snprintf(folder, sizeof(folder), "%s", scratch_path(*state, "estate"));
	struct estate_options o = options(folder);
	assert_int_equal(estate_write(&o, NULL), ERR_OK);
	look_open(&l, folder);
	assert_int_equal(store_each_record(l.store, check_record, &l), ERR_OK);
	assert_int_equal(l.kinds[RECORD_CERTIFICATE], HOSTS);
	assert_in_range(l.kinds[RECORD_PROFILE], HOSTS - 5, HOSTS);
	assert_in_range(l.kinds[RECORD_COMPONENTS], HOSTS - 10, HOSTS);
	assert_true(l.kinds[RECORD_GOODBYE] > 0 && l.kinds[RECORD_DECOMMISSION] > 0);
	assert_true(l.kinds[RECORD_INVENTORY] == 1 && l.kinds[RECORD_INCIDENT] == 1 &&
		    l.kinds[RECORD_CLAIM] > 2);
	assert_in_range(l.kinds[RECORD_ROLLCALL], SITES, SITES * 3);
	assert_int_equal(store_each_host_state(l.store, check_state, &l), ERR_OK);
	assert_int_equal(l.kinds[0], 0);
	look_close(&l);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(one_seed_makes_one_estate),
	    TEST(every_signature_holds),
	};
	return cmocka_run_group_tests_name("estate", tests, NULL, NULL);
}
