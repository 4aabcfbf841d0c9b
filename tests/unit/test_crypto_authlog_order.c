/* Random sets of entries, with forks and with rotations by successors who may be thieves, too: whatever the
 * order they come in, and whoever was restarted in between, there is one log, and it is the one that the
 * document describes, worked out here anew from the whole set. */
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "crypto/authlog_entry.h"
#include "tests/unit/log_fixture.h"
#include "tests/unit/scratch.h"

#define SETS    70
#define ORDERS  6
#define ENTRIES 26
#define KEYS    6
#define HOSTS   12

static struct identity *keys[KEYS];

struct item {
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	uint8_t hash[LOG_HASH_BYTES];
	uint32_t index;
	int before, reign; /* items */
	enum log_entry_type type;
	uint8_t key, next;   /* of a reign */
	uint8_t host, grant; /* revoked, granted; else 0 */
	bool holds;
};

struct set {
	struct item items[ENTRIES];
	size_t count;
	struct id estate;
	struct prng prng;
	bool rivals; /* a reign may be ended twice */
};

static int make_keys(void **state)
{
	for (uint8_t i = 0; i < KEYS; i++) {
		uint8_t seed[KEY_BYTES] = {i, 77};
		assert_int_equal(identity_from_seed(seed, &keys[i]), ERR_OK);
	}
	return scratch_setup(state);
}

static int drop_keys(void **state)
{
	for (size_t i = 0; i < KEYS; i++)
		identity_free(keys[i]);
	return scratch_teardown(state);
}

/* --- sets --- */

static size_t body_of(struct set *s, struct item *m, uint8_t *body)
{
	struct mp_writer w;
	mp_writer_init(&w, body, LOG_BODY_BYTES);
	switch (m->type) {
	case LOG_GENESIS:
		mp_put_map(&w, 3);
		mp_put_u64(&w, 1);
		mp_put_bin(&w, identity_public_key(keys[m->key]), KEY_BYTES);
		mp_put_u64(&w, 2);
		mp_put_str(&w, "order");
		mp_put_u64(&w, 3);
		mp_put_bin(&w, identity_public_key(keys[m->next]), KEY_BYTES);
		break;
	case LOG_ROTATE:
		mp_put_map(&w, 2);
		mp_put_u64(&w, 1);
		mp_put_bin(&w, identity_public_key(keys[m->key]), KEY_BYTES);
		mp_put_u64(&w, 2);
		mp_put_bin(&w, identity_public_key(keys[m->next]), KEY_BYTES);
		break;
	case LOG_GRANT:
		mp_put_map(&w, 3);
		mp_put_u64(&w, 1);
		mp_put_bin(&w, identity_public_key(keys[m->grant]), KEY_BYTES);
		mp_put_u64(&w, 3);
		mp_put_u64(&w, prng_below(&s->prng, 1000));
		mp_put_u64(&w, 4);
		mp_put_u64(&w, FIXTURE_DAY + 9);
		break;
	default:
		mp_put_map(&w, 2);
		mp_put_u64(&w, 1);
		mp_put_u64(&w, LOG_REVOKE_HOST);
		mp_put_u64(&w, 2);
		mp_put_bin(&w, &(struct id){{m->host}}, ID_BYTES);
	}
	return w.len;
}

static bool is_ended(const struct set *s, int reign)
{
	bool ended = false;
	for (size_t i = 1; i < s->count && !ended; i++)
		ended = s->items[i].type == LOG_ROTATE && s->items[s->items[i].before].reign == reign;
	return ended;
}

static void add(struct set *s, int before)
{
	static const uint8_t none[LOG_HASH_BYTES];
	struct item *m = &s->items[s->count];
	uint64_t die = prng_below(&s->prng, 100);
	*m = (struct item){.before = before,
			   .type = die < 16   ? LOG_ROTATE
				   : die < 36 ? LOG_GRANT
					      : LOG_REVOKE};
	const struct item *b = before < 0 ? NULL : &s->items[before];
	const struct item *r = b == NULL ? NULL : &s->items[b->reign];
	if (b == NULL)
		m->type = LOG_GENESIS;
	else if (m->type == LOG_ROTATE && !s->rivals && is_ended(s, b->reign))
		m->type = LOG_REVOKE;
	m->index = b == NULL ? 0 : b->index + 1;
	bool begins = m->type == LOG_GENESIS || m->type == LOG_ROTATE;
	m->reign = begins ? (int)s->count : b->reign;
	if (begins) {
		m->key = r == NULL ? 0 : r->next;
		m->next = (uint8_t)((m->key + 1 + prng_below(&s->prng, KEYS - 1)) % KEYS);
	}
	m->host = m->type == LOG_REVOKE ? (uint8_t)(1 + prng_below(&s->prng, HOSTS)) : 0;
	m->grant = m->type == LOG_GRANT ? (uint8_t)(1 + prng_below(&s->prng, KEYS - 1)) : 0;
	uint8_t body[LOG_BODY_BYTES];
	struct log_entry e = {.type = (uint8_t)m->type,
			      .index = m->index,
			      .before = b == NULL ? none : b->hash,
			      .time_s = FIXTURE_NOW / 1000 + prng_below(&s->prng, 9) * 86400,
			      .body = body,
			      .body_len = body_of(s, m, body)};
	const struct identity *signer = keys[begins ? m->key : r->key];
	assert_int_equal(log_entry_sign(&e, &s->estate, signer, m->bytes, &m->len), ERR_OK);
	hash_bytes(m->hash, sizeof(m->hash), "mesh.log", m->bytes, m->len);
	if (b == NULL)
		hash_bytes(s->estate.b, ID_BYTES, "mesh.estate", m->bytes, m->len);
	s->count++;
}

/* By the document: of a reign that a rotation ends, what stands before one. */
static void find_held(struct set *s)
{
	bool ended[ENTRIES] = {false}, leads[ENTRIES] = {false};
	for (size_t i = 1; i < s->count; i++) {
		if (s->items[i].type != LOG_ROTATE)
			continue;
		ended[s->items[s->items[i].before].reign] = true;
		for (int k = s->items[i].before; k >= 0; k = s->items[k].before)
			leads[k] = true;
	}
	for (size_t i = 0; i < s->count; i++)
		s->items[i].holds = !ended[s->items[i].reign] || leads[i];
}

static size_t followers(const struct set *s, size_t of)
{
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += s->items[i].holds && s->items[i].before == (int)of;
	return count;
}

static size_t tips(const struct set *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += s->items[i].holds && followers(s, i) == 0;
	return count;
}

/* Within the bounds, so that nothing is refused for good. */
static void make_set(struct set *s, uint64_t seed)
{
	do {
		*s = (struct set){.rivals = seed % 2 == 0};
		prng_seed(&s->prng, seed);
		seed += 1000002;
		add(s, -1);
		/* Long branches, short ones, and some that begin far below. */
		while (s->count < ENTRIES)
			add(s, (int)(prng_below(&s->prng, 4) > 0
					 ? s->count - 1 - prng_below(&s->prng, s->count < 3 ? 1 : 3)
					 : prng_below(&s->prng, s->count)));
		find_held(s);
	} while (tips(s) > LIMIT_LOG_BRANCHES);
}

/* --- logs --- */

static void restart(struct authlog **log, struct authlog_run *run, const char *path)
{
	struct err_info info = {0};
	struct authlog *back;
	authlog_run_clear(run);
	if (authlog_count(*log) == 0)
		return;
	assert_int_equal(authlog_save(*log, path, &info), ERR_OK);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	log_assert_same(*log, back);
	authlog_free(*log);
	*log = back;
}

/* In an order of its own, as often as it takes; what a peer tells again comes in another order again. */
static struct authlog *drink(struct set *s, bool restarts, const char *path)
{
	struct authlog *log;
	struct authlog_run run = {0};
	assert_int_equal(authlog_new(&log), ERR_OK);
	size_t order[ENTRIES], idle = 0;
	for (size_t i = 0; i < s->count; i++)
		order[i] = i;
	for (unsigned round = 0; idle < 2; round++) {
		idle++;
		for (size_t i = s->count; i > 1; i--) {
			size_t k = prng_below(&s->prng, i), kept = order[i - 1];
			order[i - 1] = order[k];
			order[k] = kept;
		}
		for (size_t i = 0; i < s->count; i++) {
			const struct item *m = &s->items[order[i]];
			size_t waiting = run.count;
			enum err err = authlog_offer(log, &run, m->bytes, m->len);
			if (err == ERR_OK || run.count > waiting)
				idle = 0;
			if (restarts && round < 4 && prng_below(&s->prng, s->count) == 0)
				restart(&log, &run, path);
		}
	}
	authlog_run_clear(&run);
	return log;
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(a, b, LOG_HASH_BYTES);
}

static struct authlog_head head_of(const struct set *s)
{
	uint8_t hashes[LIMIT_LOG_BRANCHES][LOG_HASH_BYTES];
	struct authlog_head head = {0};
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++) {
		if (!s->items[i].holds || followers(s, i) > 0)
			continue;
		memcpy(hashes[count++], s->items[i].hash, LOG_HASH_BYTES);
		if (s->items[i].index > head.index)
			head.index = s->items[i].index;
	}
	qsort(hashes, count, LOG_HASH_BYTES, by_hash);
	for (size_t i = 0; i < 8; i++)
		head.hash = head.hash << 8 | hashes[0][i];
	if (count > 1)
		head.hash = hash_u64("mesh.fork", hashes, count * LOG_HASH_BYTES);
	return head;
}

/* What the log says is what follows from the set, worked out here. */
static void check(const struct set *s, const struct authlog *log, uint64_t seed)
{
	size_t held = 0;
	uint32_t fork = UINT32_MAX;
	for (size_t i = 0; i < s->count; i++) {
		held += s->items[i].holds;
		if (s->items[i].holds && followers(s, i) > 1 && s->items[i].index < fork)
			fork = s->items[i].index;
	}
	struct authlog_head head = head_of(s), own = authlog_head(log);
	if (authlog_count(log) != held || own.index != head.index || own.hash != head.hash)
		fail_msg("set %u: %zu entries and head %u, wanted %zu and %u", (unsigned)seed,
			 authlog_count(log), own.index, held, head.index);
	assert_int_equal(authlog_forked(log), fork != UINT32_MAX);
	assert_int_equal(authlog_branches(log), tips(s));
	bool revoked[HOSTS + 1] = {false}, granted[KEYS] = {false};
	for (size_t i = 0; i < s->count; i++) {
		if (!s->items[i].holds)
			continue;
		revoked[s->items[i].host] = true;
		if (s->items[i].index <= fork)
			granted[s->items[i].grant] = true;
	}
	for (uint8_t h = 1; h <= HOSTS; h++)
		assert_int_equal(authlog_host_revoked(log, &(struct id){{h}}), revoked[h]);
	for (uint8_t k = 1; k < KEYS; k++)
		assert_int_equal(authlog_find_grant(log, identity_id(keys[k])) != NULL, granted[k]);
}

static void one_set_is_one_log(void **state)
{
	const char *path = scratch_path(*state, "authority.log");
	unsigned forked = 0, dropped = 0, rival = 0;
	static struct set s;
	for (uint64_t seed = 1; seed <= SETS; seed++) {
		make_set(&s, seed);
		struct authlog *first = NULL;
		for (unsigned order = 0; order < ORDERS; order++) {
			struct authlog *log = drink(&s, order % 3 == 2, path);
			check(&s, log, seed);
			if (first == NULL)
				first = log;
			else {
				log_assert_same(first, log);
				authlog_free(log);
			}
		}
		bool twice = false;
		for (size_t i = 1, before; i < s.count; i++) {
			before = s.count;
			s.count = i; /* those before it */
			twice |=
			    s.items[i].type == LOG_ROTATE && is_ended(&s, s.items[s.items[i].before].reign);
			s.count = before;
		}
		rival += twice;
		forked += authlog_forked(first);
		dropped += authlog_count(first) < s.count;
		authlog_free(first);
	}
	print_message(
	    "%u sets, %u orders each: %u forked, %u with dropped entries, %u with rival rotations\n", SETS,
	    ORDERS, forked, dropped, rival);
	assert_true(forked > SETS / 4 && dropped > SETS / 4 && rival > SETS / 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(one_set_is_one_log, make_keys, drop_keys),
	};
	return crypto_init() == ERR_OK ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
