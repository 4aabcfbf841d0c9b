#include "tests/unit/scratch.h"

#include <string.h>

#include "tests/unit/log_fixture.h"

struct id log_number(uint8_t n)
{
	return (struct id){{n}};
}

struct authlog *log_copy(const struct authlog *log)
{
	struct authlog *copy;
	assert_int_equal(authlog_copy(log, &copy), ERR_OK);
	return copy;
}

static void add(struct authlog *log, const struct fixture_entry *m)
{
	assert_int_equal(authlog_append(log, m->bytes, m->len), ERR_OK);
}

void log_revoke(struct authlog *log, const struct identity *authority, enum log_revoke_what what,
		const struct id *id, const struct id *list, uint64_t days)
{
	struct fixture_entry m;
	assert_int_equal(authlog_make_revoke(log, authority, what, id, list, "",
					     FIXTURE_NOW + days * CLOCK_DAY_MS, m.bytes, &m.len),
			 ERR_OK);
	add(log, &m);
}

void log_revoke_host(struct authlog *log, const struct identity *authority, uint8_t host)
{
	struct id id = log_number(host);
	log_revoke(log, authority, LOG_REVOKE_HOST, &id, NULL, host);
}

void log_grant(struct authlog *log, const struct identity *authority, const struct identity *issuer,
	       uint64_t days)
{
	struct fixture_entry m;
	struct authlog_grant grant = fixture_grant(issuer);
	assert_int_equal(
	    authlog_make_grant(log, authority, &grant, FIXTURE_NOW + days * CLOCK_DAY_MS, m.bytes, &m.len),
	    ERR_OK);
	add(log, &m);
}

void log_rotate(struct authlog *log, const struct identity *successor, const struct identity *next)
{
	struct fixture_entry m = fixture_rotation(log, successor, next);
	add(log, &m);
}

void log_pour(struct log_pool *p, const struct authlog *log)
{
	for (size_t i = 0; i < authlog_count(log); i++) {
		size_t len, k = 0;
		const uint8_t *entry = authlog_entry(log, i, &len);
		while (k < p->count &&
		       (p->entries[k].len != len || memcmp(p->entries[k].bytes, entry, len) != 0))
			k++;
		if (k < p->count)
			continue;
		assert_true(p->count < LOG_POOL_MAX);
		memcpy(p->entries[p->count].bytes, entry, len);
		p->entries[p->count++].len = len;
	}
}

void log_drink(const struct log_pool *p, struct authlog *log)
{
	struct authlog_run run = {0};
	for (bool grown = true; grown;) {
		grown = false;
		for (size_t i = 0; i < p->count; i++) {
			size_t waiting = run.count;
			enum err err = authlog_offer(log, &run, p->entries[i].bytes, p->entries[i].len);
			assert_true(err == ERR_OK || err == ERR_STALE || err == ERR_EXISTS ||
				    err == ERR_UNTRUSTED || err == ERR_LIMIT);
			grown |= err == ERR_OK || run.count > waiting;
		}
	}
	authlog_run_clear(&run);
}

struct authlog *log_of(const struct log_pool *p)
{
	struct authlog *log;
	assert_int_equal(authlog_new(&log), ERR_OK);
	log_drink(p, log);
	return log;
}

void log_shuffle(struct log_pool *p, const struct crypto_rng *rng)
{
	for (size_t i = p->count; i > 1; i--) {
		uint32_t random;
		rng->fill(rng->context, &random, sizeof(random));
		struct fixture_entry kept = p->entries[i - 1];
		p->entries[i - 1] = p->entries[random % i];
		p->entries[random % i] = kept;
	}
}

static void assert_same_say(const struct authlog *a, const struct authlog *b)
{
	size_t i;
	for (i = 0; authlog_grant_at(a, i) != NULL; i++) {
		const struct authlog_grant *g = authlog_grant_at(a, i), *h = authlog_grant_at(b, i);
		assert_non_null(h);
		assert_true(id_equal(&g->issuer, &h->issuer) && g->quota == h->quota);
		assert_true(g->last_day == h->last_day && g->revoked == h->revoked);
		assert_true(id_equal(&g->allow_list, &h->allow_list));
	}
	assert_null(authlog_grant_at(b, i));
	for (i = 0; authlog_operator_at(a, i) != NULL; i++) {
		const struct authlog_operator *o = authlog_operator_at(a, i), *p = authlog_operator_at(b, i);
		assert_non_null(p);
		assert_true(id_equal(&o->id, &p->id) && o->revoked == p->revoked && o->roles == p->roles);
	}
	assert_null(authlog_operator_at(b, i));
	for (i = 0; authlog_revoked_host_at(a, i) != NULL; i++) {
		assert_non_null(authlog_revoked_host_at(b, i));
		assert_true(id_equal(authlog_revoked_host_at(a, i), authlog_revoked_host_at(b, i)));
	}
	assert_null(authlog_revoked_host_at(b, i));
}

void log_assert_same(const struct authlog *a, const struct authlog *b)
{
	assert_int_equal(authlog_count(a), authlog_count(b));
	for (size_t i = 0; i < authlog_count(a); i++) {
		size_t len, other_len;
		const uint8_t *entry = authlog_entry(a, i, &len), *other = authlog_entry(b, i, &other_len);
		assert_int_equal(len, other_len);
		assert_memory_equal(entry, other, len);
	}
	assert_int_equal(authlog_head(a).index, authlog_head(b).index);
	assert_true(authlog_head(a).hash == authlog_head(b).hash);
	assert_int_equal(authlog_forked(a), authlog_forked(b));
	assert_int_equal(authlog_branches(a), authlog_branches(b));
	assert_int_equal(authlog_day(a), authlog_day(b));
	assert_same_say(a, b);
}
