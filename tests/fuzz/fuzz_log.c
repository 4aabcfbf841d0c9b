/* Entries of the authority log: as is; signed by the authority over a body of the fuzzer's; several that each
 * follow any of those before, so that the log forks, rotations of the successor among them. What is refused
 * leaves the log as it was, and the same entries make the same log in whatever order they come. */
#include <string.h>

#include "base/check.h"
#include "crypto/authlog_entry.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/crypto_fixture.h"

/* As many as keep the log within its branches, and no refusal depends on the order. */
#define ENTRIES_MAX 3

static enum err append_one(struct authlog *log, const uint8_t *entry, size_t len)
{
	size_t count = authlog_count(log);
	struct authlog_head head = authlog_head(log);
	enum err err = authlog_append(log, entry, len);
	CHECK(authlog_count(log) == count + (err == ERR_OK));
	if (err != ERR_OK)
		CHECK(authlog_head(log).hash == head.hash && authlog_head(log).index == head.index);
	else
		CHECK(authlog_append(log, entry, len) == ERR_EXISTS);
	CHECK(authlog_branches(log) >= 1 && authlog_branches(log) <= LIMIT_LOG_BRANCHES);
	CHECK(authlog_forked(log) == (authlog_branches(log) > 1));
	return err;
}

static void append_alone(const struct fixture *f, const uint8_t *entry, size_t len)
{
	struct authlog *log;
	CHECK(authlog_copy(f->log, &log) == ERR_OK);
	(void)append_one(log, entry, len);
	CHECK(authlog_find_grant(log, identity_id(f->issuer)) != NULL);
	authlog_free(log);
}

/* First byte: type; the rest: body. */
static void make_one(const struct fixture *f, const uint8_t *data, size_t len)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t entry_len;
	if (len < 1)
		return;
	enum log_entry_type type = (enum log_entry_type)(data[0] % 8);
	if (authlog_make_entry(f->log, type == LOG_ROTATE ? f->successor : f->authority, type, data + 1,
			       len - 1, FIXTURE_NOW, entry, &entry_len) == ERR_OK)
		append_alone(f, entry, entry_len);
}

struct made {
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
};

/* A rotation names the key that signs it: a fuzzer finds none. */
static size_t rotation_body(const struct fixture *f, uint8_t body[LOG_BODY_BYTES])
{
	struct log_entry e;
	struct fixture_entry made = fixture_rotation(f->log, f->successor, f->other);
	CHECK(log_entry_parse(made.bytes, made.len, &e) == ERR_OK);
	memcpy(body, e.body, e.body_len);
	return e.body_len;
}

/* Four bytes (which entry it follows, signer and type, hours, length of the body), then the body. */
static bool sign_next(const struct fixture *f, const struct made *before, size_t count, const uint8_t **data,
		      size_t *len, struct made *ret)
{
	uint8_t hash[LOG_HASH_BYTES], body[LOG_BODY_BYTES];
	struct log_entry follows, e;
	if (*len < 4)
		return false;
	const uint8_t *head = *data;
	const struct made *m = &before[head[0] % count];
	CHECK(log_entry_parse(m->bytes, m->len, &follows) == ERR_OK);
	hash_bytes(hash, sizeof(hash), "mesh.log", m->bytes, m->len);
	size_t body_len = head[3] <= *len - 4 ? head[3] : *len - 4;
	memcpy(body, head + 4, body_len);
	*data += 4 + body_len;
	*len -= 4 + body_len;
	e = (struct log_entry){.type = head[1] % 8, .index = follows.index + 1, .before = hash, .body = body};
	e.time_s = FIXTURE_NOW / 1000 + head[2] * 3600ull;
	e.body_len = e.type == LOG_ROTATE && body_len == 0 ? rotation_body(f, body) : body_len;
	return log_entry_sign(&e, authlog_estate(f->log), head[1] & 0x80 ? f->successor : f->authority,
			      ret->bytes, &ret->len) == ERR_OK;
}

static void same_logs(const struct authlog *a, const struct authlog *b)
{
	struct authlog_head left = authlog_head(a), right = authlog_head(b);
	CHECK(left.index == right.index && left.hash == right.hash);
	CHECK(authlog_branches(a) == authlog_branches(b) && authlog_day(a) == authlog_day(b));
	CHECK(memcmp(authlog_key(a), authlog_key(b), KEY_BYTES) == 0);
	for (size_t i = 0; authlog_grant_at(a, i) != NULL || authlog_grant_at(b, i) != NULL; i++) {
		const struct authlog_grant *x = authlog_grant_at(a, i);
		const struct authlog_grant *y = x == NULL ? NULL : authlog_find_grant(b, &x->issuer);
		CHECK(y != NULL && x->revoked == y->revoked && x->quota == y->quota);
		CHECK(x->last_day == y->last_day && x->site_count == y->site_count);
	}
	for (size_t i = 0; authlog_revoked_host_at(a, i) != NULL || authlog_revoked_host_at(b, i) != NULL;
	     i++)
		CHECK(authlog_revoked_host_at(a, i) != NULL && authlog_revoked_host_at(b, i) != NULL &&
		      id_equal(authlog_revoked_host_at(a, i), authlog_revoked_host_at(b, i)));
}

/* In their order or the reverse of it, until nothing is new. */
static struct authlog *drink(const struct fixture *f, const struct made *made, size_t base, size_t count,
			     bool reverse)
{
	struct authlog *log;
	struct authlog_run run = {0};
	CHECK(authlog_copy(f->log, &log) == ERR_OK);
	for (bool grown = true; grown;) {
		grown = false;
		for (size_t i = base; i < count; i++) {
			const struct made *m = &made[reverse ? count - 1 - (i - base) : i];
			struct authlog_head head = authlog_head(log);
			size_t waiting = run.count;
			enum err err = authlog_offer(log, &run, m->bytes, m->len);
			bool same =
			    authlog_head(log).hash == head.hash && authlog_head(log).index == head.index;
			CHECK(same == (err != ERR_OK));
			grown |= err == ERR_OK || run.count > waiting;
		}
	}
	CHECK(authlog_branches(log) >= 1 && authlog_branches(log) <= LIMIT_LOG_BRANCHES);
	CHECK(authlog_forked(log) == (authlog_branches(log) > 1));
	authlog_run_clear(&run);
	return log;
}

static void make_branches(const struct fixture *f, const uint8_t *data, size_t len)
{
	struct made made[2 + ENTRIES_MAX];
	struct authlog *copy;
	size_t count = authlog_count(f->log), base = count;
	CHECK(count == 2);
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = authlog_entry(f->log, i, &made[i].len);
		memcpy(made[i].bytes, entry, made[i].len);
	}
	while (count < base + ENTRIES_MAX && sign_next(f, made, count, &data, &len, &made[count])) {
		struct log_entry parsed;
		if (log_entry_parse(made[count].bytes, made[count].len, &parsed) != ERR_OK)
			break;
		count++;
	}
	struct authlog *forth = drink(f, made, base, count, false), *back = drink(f, made, base, count, true);
	same_logs(forth, back);
	CHECK(authlog_copy(forth, &copy) == ERR_OK);
	same_logs(copy, back);
	authlog_free(forth);
	authlog_free(back);
	authlog_free(copy);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	static const size_t at[] = {1 + 51, 2, 1 + 4}; /* behind envelope, type, head of the first entry */
	return len > 0 && at[data[0] % 3] < len ? at[data[0] % 3] : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fixture f;
	if (f.log == NULL)
		fixture_make(&f, FUZZ_SEED);
	if (len < 1)
		return 0;
	switch (data[0] % 3) {
	case FUZZ_AS_IS:
		append_alone(&f, data + 1, len - 1);
		break;
	case FUZZ_PUT_RIGHT:
		make_one(&f, data + 1, len - 1);
		break;
	default:
		make_branches(&f, data + 1, len - 1);
		break;
	}
	return 0;
}
