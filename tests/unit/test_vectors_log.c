/* The committed vectors of the authority log: entries, their meaning, a fork, rotations. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/vectors/vectors.h"

static struct vectors *keys, *logs;

static int load(void **state)
{
	(void)state;
	keys = vectors_load("keys.txt");
	logs = vectors_load("log.txt");
	return crypto_init() == ERR_OK ? 0 : 1;
}

static int unload(void **state)
{
	(void)state;
	vectors_free(keys);
	vectors_free(logs);
	return 0;
}

static struct identity *identity_of(const char *name)
{
	struct identity *identity;
	assert_int_equal(identity_from_seed(vectors_sized(keys, KEY_BYTES, "%s.seed", name), &identity),
			 ERR_OK);
	return identity;
}

static bool entry_refused(void *context, const uint8_t *bytes, size_t len)
{
	return authlog_append(context, bytes, len) != ERR_OK;
}

#define LOG_VECTORS  7
#define FORK_VECTORS 8 /* all but the rotation, and two of the fork */

static void log_entries(void **state)
{
	(void)state;
	struct authlog *log;
	struct identity *authority = identity_of("authority"), *successor = identity_of("successor");
	assert_int_equal(authlog_new(&log), ERR_OK);
	for (unsigned i = 0; i < LOG_VECTORS; i++) {
		char name[32];
		size_t len, body_len, again_len;
		uint8_t again[LIMIT_LOG_ENTRY_BYTES], hash[32];
		snprintf(name, sizeof(name), "entry%u.bytes", i);
		const uint8_t *entry = vectors_get(logs, name, &len);
		snprintf(name, sizeof(name), "entry%u.body", i);
		const uint8_t *body = vectors_get(logs, name, &body_len);
		enum log_entry_type type = (enum log_entry_type)vectors_u64(logs, "entry%u.type", i);
		uint64_t time_s = vectors_u64(logs, "entry%u.time", i);
		assert_int_equal(authlog_make_entry(log, type == LOG_ROTATE ? successor : authority, type,
						    body, body_len, time_s * CLOCK_SECOND_MS, again,
						    &again_len),
				 ERR_OK);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, entry, len);
		assert_int_equal(fixture_flip(entry, len, false, entry_refused, log), -1);
		assert_int_equal(authlog_append(log, entry, len), ERR_OK);
		hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
		assert_memory_equal(hash, vectors_sized(logs, sizeof(hash), "entry%u.hash", i), sizeof(hash));
	}
	assert_int_equal(authlog_head(log).index, vectors_u64(logs, "head.index"));
	assert_true(authlog_head(log).hash == vectors_u64(logs, "head.hash"));
	assert_memory_equal(authlog_estate(log)->b, vectors_sized(keys, ID_BYTES, "estate.id"), ID_BYTES);
	identity_free(authority);
	identity_free(successor);
	authlog_free(log);
}

static void log_meaning(void **state)
{
	(void)state;
	struct authlog *log;
	struct id id = {{0xde, 0xad}};
	assert_int_equal(authlog_new(&log), ERR_OK);
	for (unsigned i = 0; i < LOG_VECTORS; i++) {
		char name[32];
		size_t len;
		snprintf(name, sizeof(name), "entry%u.bytes", i);
		const uint8_t *entry = vectors_get(logs, name, &len);
		assert_int_equal(authlog_append(log, entry, len), ERR_OK);
	}
	assert_string_equal(authlog_estate_name(log), "Acme");
	assert_true(authlog_host_revoked(log, &id));
	memcpy(id.b, vectors_sized(keys, ID_BYTES, "issuer.id"), ID_BYTES);
	const struct authlog_grant *grant = authlog_find_grant(log, &id);
	assert_non_null(grant);
	assert_true(grant->site_count == 0 && grant->quota == 100 && grant->grace_days == 7);
	assert_int_equal(grant->last_day, 20323);
	assert_string_equal(grant->name, "north");
	memcpy(id.b, vectors_sized(keys, ID_BYTES, "host_b.id"), ID_BYTES);
	grant = authlog_find_grant(log, &id);
	assert_non_null(grant);
	assert_true(grant->site_count == 2 && grant->quota == 70000 && grant->last_day == 20013);
	assert_string_equal(grant->sites[0], "leeds");
	assert_string_equal(grant->sites[1], "york");
	memcpy(id.b, vectors_sized(keys, ID_BYTES, "operator.id"), ID_BYTES);
	assert_non_null(authlog_operator_key(log, &id));
	assert_memory_equal(authlog_operator_key(log, &id), vectors_sized(keys, KEY_BYTES, "operator.public"),
			    KEY_BYTES);
	authlog_free(log);
}

/* Both branches, in whatever order: one head, revocations of both and grants of neither. */
static void log_fork(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct authlog *log;
		struct id id;
		size_t len;
		assert_int_equal(authlog_new(&log), ERR_OK);
		for (unsigned i = 0; i < FORK_VECTORS; i++) {
			/* The fork's entries come last, or behind the one that they follow. */
			bool fork = round == 0 ? i >= FORK_VECTORS - 2 : i == 2 || i == 3;
			unsigned index = fork ? i % 2 : round == 0 || i < 2 ? i : i - 2;
			char name[32];
			snprintf(name, sizeof(name), "%s%u.bytes", fork ? "fork" : "entry", index);
			const uint8_t *entry = vectors_get(logs, name, &len);
			assert_int_equal(authlog_append(log, entry, len), ERR_OK);
		}
		assert_int_equal(authlog_branches(log), 2);
		assert_int_equal(authlog_head(log).index, vectors_u64(logs, "fork_head.index"));
		assert_true(authlog_head(log).hash == vectors_u64(logs, "fork_head.hash"));
		assert_true(authlog_host_revoked(log, &(struct id){{0xde, 0xad}}));
		memcpy(id.b, vectors_sized(keys, ID_BYTES, "issuer.id"), ID_BYTES);
		assert_true(authlog_find_grant(log, &id)->revoked);
		assert_int_equal(authlog_find_grant(log, &id)->allow_list.b[0], 0xa1);
		assert_int_equal(authlog_find_grant(log, &id)->last_day, 19953); /* not extended */
		assert_null(authlog_grant_at(log, 1));
		assert_null(authlog_operator_at(log, 0));
		authlog_free(log);
	}
}

static enum err offer(struct authlog *log, struct authlog_run *run, const char *what, unsigned index)
{
	char name[32];
	size_t len;
	snprintf(name, sizeof(name), "%s%u.bytes", what, index);
	const uint8_t *entry = vectors_get(logs, name, &len);
	return authlog_offer(log, run, entry, len);
}

/* The rotation drops the fork, whichever came first; a second one by the same successor brings it back. */
static void log_rotation(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 2; round++) {
		struct authlog *log;
		struct authlog_run run = {0};
		assert_int_equal(authlog_new(&log), ERR_OK);
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(offer(log, &run, "entry", i), ERR_OK);
		for (unsigned i = 0; i < 2 && round == 0; i++)
			assert_int_equal(offer(log, &run, "fork", i), ERR_OK);
		for (unsigned i = 2; i < LOG_VECTORS; i++)
			assert_int_equal(offer(log, &run, "entry", i), ERR_OK);
		for (unsigned i = 0; i < 2; i++)
			assert_int_equal(offer(log, &run, "fork", i), ERR_UNTRUSTED);
		assert_int_equal(authlog_head(log).index, vectors_u64(logs, "head.index"));
		assert_true(authlog_head(log).hash == vectors_u64(logs, "head.hash"));
		assert_int_equal(offer(log, &run, "rival", 0), ERR_OK);
		assert_int_equal(authlog_count(log), LOG_VECTORS + 3);
		assert_int_equal(authlog_head(log).index, vectors_u64(logs, "rival_head.index"));
		assert_true(authlog_head(log).hash == vectors_u64(logs, "rival_head.hash"));
		authlog_run_clear(&run);
		authlog_free(log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_entries),
	    cmocka_unit_test(log_meaning),
	    cmocka_unit_test(log_fork),
	    cmocka_unit_test(log_rotation),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
