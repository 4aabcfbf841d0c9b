/* Going over all rows of a table, as what they say. */
#include <string.h>

#include "store/store_private.h"

struct each_record {
	bool (*each)(void *context, const uint8_t *bytes, size_t len, wall_ms received);
	void *context;
};

static bool visit_record(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_record *e = context;
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	(void)key;
	if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK)
		return true;
	return e->each(e->context, record, record_len, received);
}

enum err store_each_record(struct store *s,
			   bool (*each)(void *context, const uint8_t *bytes, size_t len, wall_ms received),
			   void *context)
{
	struct each_record e = {each, context};
	return store_each_row(s, TABLE_RECORDS, visit_record, &e);
}

struct each_of {
	struct each_record each;
	uint8_t kind;
};

static bool visit_of(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_of *e = context;
	return key->bytes[1] <= e->kind &&
	       (key->bytes[1] < e->kind || visit_record(&e->each, key, bytes, len));
}

enum err store_each_record_of(struct store *s, uint8_t kind,
			      bool (*each)(void *context, const uint8_t *bytes, size_t len, wall_ms received),
			      void *context)
{
	struct each_of e = {{each, context}, kind};
	struct row_key first = {.bytes = {TABLE_RECORDS, kind}, .len = 2};
	return store_each_row_from(s, &first, visit_of, &e);
}

struct each_blob {
	bool (*each)(void *context, const struct id *id);
	void *context;
};

static bool visit_blob(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_blob *e = context;
	struct id id;
	(void)bytes;
	(void)len;
	memcpy(id.b, key->bytes + 1, ID_BYTES);
	return e->each(e->context, &id);
}

enum err store_each_blob(struct store *s, bool (*each)(void *context, const struct id *id), void *context)
{
	struct each_blob e = {each, context};
	return store_each_row(s, TABLE_BLOBS, visit_blob, &e);
}

struct each_host {
	bool (*each)(void *context, const struct host_state *state);
	void *context;
};

static bool visit_host(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_host *e = context;
	struct host_state state;
	return row_decode_host(key, bytes, len, &state) != ERR_OK || e->each(e->context, &state);
}

enum err store_each_host_state(struct store *s, bool (*each)(void *context, const struct host_state *state),
			       void *context)
{
	struct each_host e = {each, context};
	return store_each_row(s, TABLE_HOST_STATES, visit_host, &e);
}

struct each_site {
	bool (*each)(void *context, const struct site_state *state);
	void *context;
};

static bool visit_site(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_site *e = context;
	struct site_state state;
	return row_decode_site(key, bytes, len, &state) != ERR_OK || e->each(e->context, &state);
}

enum err store_each_site_state(struct store *s, bool (*each)(void *context, const struct site_state *state),
			       void *context)
{
	struct each_site e = {each, context};
	return store_each_row(s, TABLE_SITE_STATES, visit_site, &e);
}

struct each_issue {
	struct store *store;
	bool (*each)(void *context, const struct issue *issue);
	void *context;
	struct row_value proofs[ISSUE_PROOFS];
	enum err err;
};

static bool visit_issue(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_issue *e = context;
	struct issue issue;
	if (row_decode_issue(key, bytes, len, &issue) != ERR_OK)
		return true;
	for (unsigned i = 0; i < ISSUE_PROOFS; i++) {
		struct row_key at = row_key_proof(issue.kind, &issue.subject, i);
		enum err err = store_get_row(e->store, &at, &e->proofs[i]);
		if (err == ERR_OK)
			(void)row_decode_proof(e->proofs[i].bytes, e->proofs[i].len, &issue.proof[i],
					       &issue.proof_len[i]);
		else if (err != ERR_NOT_FOUND)
			e->err = err;
	}
	return e->err == ERR_OK && e->each(e->context, &issue);
}

enum err store_each_issue(struct store *s, bool (*each)(void *context, const struct issue *issue),
			  void *context)
{
	struct each_issue e = {.store = s, .each = each, .context = context};
	enum err err = store_each_row(s, TABLE_ISSUES, visit_issue, &e);
	return err == ERR_OK ? e.err : err;
}
