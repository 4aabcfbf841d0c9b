/* Entries of the authority log: as is, and signed by the authority over a body of the fuzzer's. What is
 * refused leaves the log as it was. */
#include <string.h>

#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/crypto_fixture.h"

static void append_one(const struct fixture *f, const uint8_t *entry, size_t len)
{
	struct authlog *log;
	CHECK(authlog_copy(f->log, &log) == ERR_OK);
	size_t count = authlog_count(log);
	uint64_t hash = authlog_head(log).hash;
	enum err err = authlog_append(log, entry, len);
	CHECK(authlog_count(log) == count + (err == ERR_OK));
	CHECK((authlog_head(log).hash == hash) == (err != ERR_OK));
	if (err == ERR_OK)
		CHECK(authlog_append(log, entry, len) == ERR_EXISTS);
	CHECK(authlog_find_grant(log, identity_id(f->issuer)) != NULL);
	authlog_free(log);
}

/* First byte: type; the rest: body. */
static void make_one(const struct fixture *f, const uint8_t *data, size_t len)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t entry_len;
	if (len >= 1 && authlog_make_entry(f->log, f->authority, (enum log_entry_type)(data[0] % 8), data + 1,
					   len - 1, FIXTURE_NOW, entry, &entry_len) == ERR_OK)
		append_one(f, entry, entry_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct fixture f;
	if (f.log == NULL)
		fixture_make(&f, FUZZ_SEED);
	if (len < 1)
		return 0;
	if (data[0] % 2 == FUZZ_AS_IS)
		append_one(&f, data + 1, len - 1);
	else
		make_one(&f, data + 1, len - 1);
	return 0;
}
