/* Rows with contents that follow from their number, so that a test knows a wrong value when it sees one. */
#ifndef MESH_TESTS_UNIT_REPLICA_ROWS_H
#define MESH_TESTS_UNIT_REPLICA_ROWS_H

#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "store/store.h"

#define ROWS_NOW 1800000000000ull

static inline struct id rows_id(uint64_t tag, uint64_t number)
{
	struct prng p;
	struct id id;
	prng_seed(&p, tag << 32 | number);
	for (size_t i = 0; i < ID_BYTES; i++)
		id.b[i] = (uint8_t)prng_u64(&p);
	return id;
}

static inline struct record_key rows_key(uint64_t number)
{
	return (struct record_key){.kind = (uint8_t)(1 + number % 5),
				   .writer = rows_id(1, number),
				   .subject = rows_id(2, number),
				   .slot = number};
}

/* `ret` holds LIMIT_RECORD_BYTES. The number comes first, so that a reader can tell which row it is. */
static inline size_t rows_content(uint64_t number, uint64_t generation, uint8_t *ret)
{
	struct prng p;
	prng_seed(&p, number * 1000 + generation);
	size_t len = 40 + prng_below(&p, 200);
	memcpy(ret, &number, 8);
	for (size_t i = 8; i < len; i++)
		ret[i] = (uint8_t)prng_u64(&p);
	return len;
}

static inline struct host_state rows_host(uint64_t number, uint64_t generation)
{
	return (struct host_state){.host = rows_id(3, number),
				   .status = HOST_DARK,
				   .standing = (enum host_standing)(number % 5),
				   .issuer = rows_id(8, number % 5),
				   .replaced_by = rows_id(7, number % 3),
				   .since = ROWS_NOW + number,
				   .seen = ROWS_NOW + generation,
				   .votes = 1,
				   .signers = 2,
				   .witnesses = {number, generation, 7}};
}

static inline struct site_state rows_site(uint64_t number, uint64_t generation)
{
	struct site_state s = {.status = SITE_REPORTING,
			       .since = ROWS_NOW + generation,
			       .last_rollcall = ROWS_NOW,
			       .interval_s = 5,
			       .live_witnesses = (uint32_t)number};
	snprintf(s.name, sizeof(s.name), "site-%u", (unsigned)number);
	s.site = id_of_site(s.name);
	return s;
}

/* One in eight is proven; proofs do not change with the generation. */
#define ROWS_PROVEN_EACH 8
struct rows_issue {
	struct issue issue; /* its proofs point into what follows */
	uint8_t proofs[ISSUE_PROOFS][LIMIT_RECORD_BYTES];
};

static inline void rows_issue(uint64_t number, uint64_t generation, struct rows_issue *ret)
{
	bool proven = number % ROWS_PROVEN_EACH == 0;
	ret->issue = (struct issue){.kind = proven ? ISSUE_EQUIVOCATION : ISSUE_QUARANTINED,
				    .subject = rows_id(5, number),
				    .other = rows_id(6, number),
				    .since = ROWS_NOW + number,
				    .last = ROWS_NOW + generation,
				    .count = number};
	snprintf(ret->issue.detail, sizeof(ret->issue.detail), "detail-%u", (unsigned)number);
	for (unsigned i = 0; proven && i < ISSUE_PROOFS; i++) {
		ret->issue.proof_len[i] = rows_content(number, 10 + i, ret->proofs[i]);
		ret->issue.proof[i] = ret->proofs[i];
	}
}

static inline bool rows_issue_right(const struct issue *i, uint64_t generation)
{
	struct rows_issue expected;
	rows_issue(i->since - ROWS_NOW, generation, &expected);
	return i->kind == expected.issue.kind && id_equal(&i->subject, &expected.issue.subject) &&
	       id_equal(&i->other, &expected.issue.other) && i->last == expected.issue.last &&
	       i->count == expected.issue.count && strcmp(i->detail, expected.issue.detail) == 0 && !i->over;
}

/* How many of its proofs are there; none of a kind that is wrong counts. */
static inline size_t rows_issue_proofs(const struct issue *i, bool *ret_right)
{
	struct rows_issue expected;
	size_t count = 0;
	rows_issue(i->since - ROWS_NOW, 0, &expected);
	for (unsigned k = 0; k < ISSUE_PROOFS; k++) {
		if (i->proof_len[k] == 0)
			continue;
		count++;
		if (i->proof_len[k] != expected.issue.proof_len[k] ||
		    memcmp(i->proof[k], expected.proofs[k], i->proof_len[k]) != 0)
			*ret_right = false;
	}
	return count;
}

static inline enum err rows_put_record(struct store *s, uint64_t number, uint64_t generation)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record_key key = rows_key(number);
	size_t len = rows_content(number, generation, bytes);
	return store_put_record(s, &key, bytes, len, ROWS_NOW + generation);
}

/* One row of each table. */
static inline enum err rows_put_all(struct store *s, uint64_t number, uint64_t generation)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct id blob = rows_id(4, number);
	struct host_state host = rows_host(number, generation);
	struct site_state site = rows_site(number, generation);
	struct rows_issue issue;
	rows_issue(number, generation, &issue);
	size_t len = rows_content(number, 0, bytes);
	enum err err = rows_put_record(s, number, generation);
	if (err == ERR_OK)
		err = store_put_blob(s, &blob, bytes, len);
	if (err == ERR_OK)
		err = store_put_host_state(s, &host);
	if (err == ERR_OK)
		err = store_put_site_state(s, &site);
	if (err == ERR_OK)
		err = store_put_issue(s, &issue.issue);
	return err;
}

#endif
