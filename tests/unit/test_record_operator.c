/* What operators sign: each kind at its maximum has the size that docs/protocol.md states, comes back as it
 * was, and hostile ones are refused; rows of policy and inventory likewise, and through their chunks. */
#include <stdlib.h>
#include <string.h>

#include "base/mp.h"
#include "record/listing.h"
#include "tests/unit/scratch.h"

#define MAX_INCIDENT_BYTES     741
#define MAX_CLAIM_BYTES        146
#define MAX_NOTE_BYTES         335
#define MAX_LISTING_BYTES      167
#define MAX_DECOMMISSION_BYTES 132

#define FILL(text)                                                                                           \
	do {                                                                                                 \
		memset(text, 'x', sizeof(text) - 1);                                                         \
		(text)[sizeof(text) - 1] = '\0';                                                             \
	} while (0)

static uint8_t body[LIMIT_RECORD_BODY_BYTES];
static size_t len;

/* Of `bytes` in all, in as few terms as that takes. */
static void fill_terms(struct term *terms, size_t *count, size_t bytes)
{
	for (*count = 0; bytes > 0; ++*count) {
		size_t one = bytes > 69 ? 69 : bytes;
		bytes -= one;
		terms[*count] = (struct term){.field = 127, .op = 127};
		memset(terms[*count].value, 'y', one - (one - 5 > 31 ? 5 : 4));
	}
}

static void incidents(void **state)
{
	(void)state;
	struct incident i = {.op = INCIDENT_OPEN}, got;
	FILL(i.text);
	fill_terms(i.match, &i.match_count, LIMIT_MATCH_BYTES);
	fill_terms(i.good, &i.good_count, LIMIT_GOOD_BYTES);
	assert_int_equal(incident_encode(&i, body, &len), ERR_OK);
	assert_int_equal(len, MAX_INCIDENT_BYTES - 8); /* a slot of 0 has one byte, not nine */
	assert_int_equal(incident_decode(body, len, &got), ERR_OK);
	assert_string_equal(got.text, i.text);
	assert_int_equal(got.match_count, i.match_count);
	assert_memory_equal(got.match, i.match, i.match_count * sizeof(*i.match));
	assert_memory_equal(got.good, i.good, i.good_count * sizeof(*i.good));
	/* One byte more than either list may have, in the value and in the numbers. */
	i.match[0].field = 128;
	assert_int_equal(incident_encode(&i, body, &len), ERR_RANGE);
	i.match[0].field = 127;
	i.good[i.good_count - 1].op = 128;
	assert_int_equal(incident_encode(&i, body, &len), ERR_RANGE);
	i.good_count = 0;
	i.match_count = 9;
	assert_int_equal(incident_encode(&i, body, &len), ERR_RANGE);

	struct incident close = {.op = INCIDENT_CLOSE, .incident = UINT64_MAX};
	assert_int_equal(incident_encode(&close, body, &len), ERR_OK);
	assert_int_equal(incident_decode(body, len, &got), ERR_OK);
	assert_true(got.op == INCIDENT_CLOSE && got.incident == UINT64_MAX && got.match_count == 0);
	close.incident = 0;
	assert_int_equal(incident_encode(&close, body, &len), ERR_RANGE);
	i = (struct incident){.op = INCIDENT_OPEN, .incident = 7};
	assert_int_equal(incident_encode(&i, body, &len), ERR_RANGE);
}

static void claims_and_notes(void **state)
{
	(void)state;
	struct claim c = {.incident = UINT64_MAX, .op = CLAIM_BLOCKED, .scope = CLAIM_SITE}, claim;
	struct note n = {.incident = UINT64_MAX}, note;
	struct decommission d = {.reason = ""}, decommission;
	FILL(c.text);
	FILL(n.text);
	FILL(d.reason);
	assert_int_equal(claim_encode(&c, body, &len), ERR_OK);
	assert_int_equal(len, MAX_CLAIM_BYTES);
	assert_int_equal(claim_decode(body, len, &claim), ERR_OK);
	assert_true(claim.incident == UINT64_MAX && claim.op == CLAIM_BLOCKED && claim.scope == CLAIM_SITE);
	assert_string_equal(claim.text, c.text);
	assert_int_equal(note_encode(&n, body, &len), ERR_OK);
	assert_int_equal(len, MAX_NOTE_BYTES);
	assert_int_equal(note_decode(body, len, &note), ERR_OK);
	assert_string_equal(note.text, n.text);
	assert_int_equal(decommission_encode(&d, body, &len), ERR_OK);
	assert_int_equal(len, MAX_DECOMMISSION_BYTES);
	assert_int_equal(decommission_decode(body, len, &decommission), ERR_OK);
	assert_string_equal(decommission.reason, d.reason);
	c.incident = 0;
	assert_int_equal(claim_encode(&c, body, &len), ERR_RANGE);
	n.text[0] = '\0';
	assert_int_equal(note_encode(&n, body, &len), ERR_RANGE);
	assert_string_equal(claim_op_name(CLAIM_RELEASE), "release");
}

static void listings(void **state)
{
	(void)state;
	struct listing l = {.root = {{1, 2}}, .rows = UINT32_MAX, .replace_count = LIMIT_REPLACES}, got;
	FILL(l.title);
	for (size_t i = 0; i < LIMIT_REPLACES; i++)
		l.replaces[i] = UINT64_MAX - i;
	assert_int_equal(listing_encode(&l, body, &len), ERR_OK);
	assert_int_equal(len, MAX_LISTING_BYTES);
	assert_int_equal(listing_decode(body, len, &got), ERR_OK);
	assert_memory_equal(&got, &l, sizeof(l));
	l.replace_count++;
	assert_int_equal(listing_encode(&l, body, &len), ERR_RANGE);
}

/* A map whose keys and values follow; their number is what the map says. */
static const uint8_t *map_of(const char *bytes, size_t bytes_len, size_t *ret_len)
{
	memcpy(body, bytes, bytes_len);
	assert_int_equal(mp_check(body, bytes_len), ERR_OK);
	*ret_len = bytes_len;
	return body;
}
#define REFUSED(decode, bytes, got)                                                                          \
	do {                                                                                                 \
		const uint8_t *at = map_of(bytes, sizeof(bytes) - 1, &len);                                  \
		assert_true(decode(at, len, got) == ERR_FORMAT || decode(at, len, got) == ERR_RANGE);        \
	} while (0)

static void hostile_bodies_are_refused(void **state)
{
	(void)state;
	struct incident i = {.incident = 77};
	struct claim c = {.incident = 77};
	struct note n = {.incident = 77};
	struct listing l = {.rows = 77};
	REFUSED(incident_decode, "\x80", &i);                 /* no op */
	REFUSED(incident_decode, "\x81\x01\x03", &i);         /* an op that is none */
	REFUSED(incident_decode, "\x82\x01\x01\x02\x07", &i); /* opens one that is open */
	REFUSED(incident_decode, "\x81\x01\x02", &i);         /* closes none */
	REFUSED(incident_decode, "\x82\x01\x01\x04\x91\x92\x01\x01", &i);
	REFUSED(incident_decode, "\x82\x01\x01\x04\x91\x93\x01\x01\x07", &i); /* a value that is no text */
	REFUSED(incident_decode, "\x82\x01\x01\x04\x91\x93\xcd\x01\x00\x01\xa0", &i); /* field 256 */
	REFUSED(incident_decode, "\x83\x01\x02\x02\x07\x04\x91\x93\x01\x01\xa0",
		&i);                                               /* closes, and matches */
	REFUSED(incident_decode, "\x82\x01\x01\x03\xff", &i);      /* a status for a text */
	REFUSED(claim_decode, "\x82\x01\x07\x02\x01", &c);         /* no scope */
	REFUSED(claim_decode, "\x83\x01\x00\x02\x01\x03\x01", &c); /* incident 0 */
	REFUSED(claim_decode, "\x83\x01\x07\x02\x05\x03\x01", &c);
	REFUSED(claim_decode, "\x83\x01\x07\x02\x01\x03\x03", &c);
	REFUSED(note_decode, "\x81\x01\x07", &n);
	REFUSED(note_decode, "\x82\x01\x07\x02\xa0", &n);
	REFUSED(listing_decode, "\x81\x02\x07", &l);      /* no root */
	REFUSED(listing_decode, "\x81\x01\xc4\x01x", &l); /* a short one */
	REFUSED(listing_decode,
		"\x82\x01\xc4\x10xxxxxxxxxxxxxxxx\x04\x99\x01\x01\x01\x01\x01\x01\x01\x01\x01", &l);
	/* Outputs are as they were. */
	assert_true(i.incident == 77 && c.incident == 77 && n.incident == 77 && l.rows == 77);
}

static void texts_are_compared(void **state)
{
	(void)state;
	assert_true(term_holds(TERM_LESS, "7.9", "7.11") && !term_holds(TERM_LESS, "7.11", "7.9"));
	assert_true(term_holds(TERM_LESS, "7.11", "7.11.0") && term_holds(TERM_MORE, "7.11.0", "7.11"));
	assert_true(term_holds(TERM_LESS_EQUAL, "007", "7") && term_holds(TERM_MORE_EQUAL, "007", "7"));
	assert_false(term_holds(TERM_EQUAL, "007", "7"));
	assert_true(term_holds(TERM_NOT_EQUAL, "007", "7"));
	assert_true(term_holds(TERM_LESS, "18446744073709551616", "18446744073709551617"));
	/* Runs of other bytes go by their bytes, digits against letters too. */
	assert_true(term_holds(TERM_LESS, "1.0-a", "1.0-b") && term_holds(TERM_LESS, "1.0-a", "1.0-aa"));
	assert_true(term_holds(TERM_LESS, "1a", "a1") && term_holds(TERM_MORE, "\xff", "z"));
	assert_true(term_holds(TERM_LESS, "", "0") && term_holds(TERM_EQUAL, "", ""));
	assert_true(term_holds(TERM_PREFIX, "nvidia", "nv") && !term_holds(TERM_PREFIX, "n", "nv"));
	assert_false(term_holds(0, "a", "a") || term_holds(8, "a", "a"));
}

static void terms_in_words(void **state)
{
	(void)state;
	const struct term terms[] = {{TERM_FIELD_NAME, TERM_EQUAL, "cs'agent"},
				     {TERM_FIELD_VERSION, TERM_MORE_EQUAL, "7.11"},
				     {99, TERM_PREFIX, ""},
				     {44, 200, "x"}};
	char text[TERMS_TEXT_BYTES];
	terms_text(terms, 4, text, sizeof(text));
	assert_string_equal(text, "name = 'cs''agent' and version >= '7.11' and field 99 begins with '' and "
				  "tag operator 200 'x'");
	terms_text(terms, 0, text, sizeof(text));
	assert_string_equal(text, "");
	memset(text, 'z', sizeof(text));
	terms_text(terms, 4, text, 8);
	assert_string_equal(text, "name = ");
	assert_int_equal(text[8], 'z');
	assert_null(term_field_name(31));
	assert_null(term_operator_name(0));
	/* All quotes, and the longest names. */
	struct term quotes[LIMIT_TERMS];
	for (size_t i = 0; i < LIMIT_TERMS; i++) {
		quotes[i] = (struct term){.field = 52, .op = TERM_PREFIX};
		memset(quotes[i].value, '\'', LIMIT_SHORT_TEXT_BYTES);
	}
	terms_text(quotes, LIMIT_TERMS, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text) - 1);
}

static struct inventory_row inventory_max(void)
{
	struct inventory_row r = {.asset_id_count = LIMIT_ASSET_IDS,
				  .criticality = CRITICALITY_VITAL,
				  .needed = {READING_OK, UINT16_MAX}};
	FILL(r.hostname);
	FILL(r.asset_ids[0]);
	FILL(r.asset_ids[1]);
	FILL(r.site);
	FILL(r.role);
	FILL(r.address);
	FILL(r.hours);
	FILL(r.contact);
	FILL(r.recovery_key);
	FILL(r.remark);
	return r;
}

static void rows(void **state)
{
	(void)state;
	struct inventory_row r = inventory_max(), got;
	struct policy_row p = {.kind = COMPONENT_KERNEL,
			       .name_op = TERM_PREFIX,
			       .version_op = TERM_PREFIX,
			       .refused = true},
			  policy;
	memset(&got, 0, sizeof(got));
	assert_int_equal(inventory_row_encode(&r, body, &len), ERR_OK);
	assert_int_equal(len, INVENTORY_ROW_BYTES);
	assert_int_equal(inventory_row_decode(body, len, &got), ERR_OK);
	assert_string_equal(got.asset_ids[1], r.asset_ids[1]);
	assert_string_equal(got.recovery_key, r.recovery_key);
	assert_int_equal(got.needed.value, UINT16_MAX);
	assert_int_equal(got.criticality, CRITICALITY_VITAL);
	assert_false(inventory_row_is_site(&got));
	FILL(p.name);
	FILL(p.version);
	FILL(p.source);
	FILL(p.vendor);
	FILL(p.remark);
	assert_int_equal(policy_row_encode(&p, body, &len), ERR_OK);
	assert_int_equal(len, POLICY_ROW_BYTES);
	assert_int_equal(policy_row_decode(body, len, &policy), ERR_OK);
	assert_true(policy.kind == COMPONENT_KERNEL && policy.name_op == TERM_PREFIX && policy.refused);
	assert_string_equal(policy.vendor, p.vendor);
	/* What is left out. */
	assert_int_equal(policy_row_decode((const uint8_t *)"\x81\x08\x01", 3, &policy), ERR_OK);
	assert_true(policy.kind == 0 && policy.name_op == TERM_EQUAL && policy.version_op == TERM_EQUAL &&
		    !policy.refused);
	assert_int_equal(inventory_row_decode((const uint8_t *)"\x81\x03\xa1y", 4, &got), ERR_OK);
	assert_true(inventory_row_is_site(&got) && got.criticality == 0);
	assert_int_equal(got.needed.status, READING_UNKNOWN);
}

static void hostile_rows_are_refused(void **state)
{
	(void)state;
	struct inventory_row r = inventory_max();
	struct policy_row p = {.kind = 3};
	REFUSED(inventory_row_decode, "\x80", &r);                  /* no site */
	REFUSED(inventory_row_decode, "\x81\x03\xa0", &r);          /* an empty one */
	REFUSED(inventory_row_decode, "\x82\x03\xa1y\x05\x00", &r); /* criticality 0 */
	REFUSED(inventory_row_decode, "\x82\x03\xa1y\x05\x05", &r);
	REFUSED(inventory_row_decode, "\x82\x02\x93\xa0\xa0\xa0\x03\xa1y", &r); /* three asset ids */
	REFUSED(inventory_row_decode, "\x82\x03\xa1y\x0a\xfe", &r);             /* a status */
	REFUSED(inventory_row_decode, "\x82\x03\xa1y\x0a\xce\x00\x01\x00\x00", &r);
	REFUSED(policy_row_decode, "\x80", &p);
	REFUSED(policy_row_decode, "\x81\x08\x03", &p);
	REFUSED(policy_row_decode, "\x82\x01\x00\x08\x01", &p);
	REFUSED(policy_row_decode, "\x82\x03\x02\x08\x01", &p); /* a name that is not equal */
	REFUSED(policy_row_decode, "\x82\x04\x08\x08\x01", &p);
	REFUSED(policy_row_decode, "\x82\x04\x00\x08\x01", &p);
	assert_int_equal(p.kind, 3);
	assert_int_equal(r.criticality, CRITICALITY_VITAL);
}

/* --- through chunks --- */

#define BLOBS 4000
struct shelf {
	struct {
		struct id id;
		size_t len;
		uint8_t bytes[LIMIT_BLOB_BYTES];
	} * blobs;
	size_t count, fetched;
};

static enum err keep(void *context, const struct id *id, const uint8_t *blob, size_t blob_len)
{
	struct shelf *s = context;
	enum blob_type type;
	assert_int_equal(blob_check(blob, blob_len, &type), ERR_OK);
	assert_true(s->count < BLOBS);
	s->blobs[s->count].id = *id;
	s->blobs[s->count].len = blob_len;
	memcpy(s->blobs[s->count++].bytes, blob, blob_len);
	return ERR_OK;
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	struct shelf *s = context;
	s->fetched++;
	for (size_t i = 0; i < s->count; i++) {
		if (!id_equal(&s->blobs[i].id, id))
			continue;
		memcpy(ret, s->blobs[i].bytes, s->blobs[i].len);
		*ret_len = s->blobs[i].len;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

struct tally {
	size_t seen, stop_at;
	bool *there;
	bool right;
};

static bool see_machine(void *context, const struct inventory_row *row)
{
	struct tally *t = context;
	size_t number = strtoul(row->hostname + 5, NULL, 10);
	t->right = t->right && strcmp(row->site, "leeds") == 0 && !t->there[number];
	t->there[number] = true;
	return ++t->seen != t->stop_at;
}

static void inventories_come_back_whole(void **state)
{
	(void)state;
	enum { ROWS = 5000 };
	struct inventory_row *rows = calloc(ROWS + 1, sizeof(*rows));
	struct shelf s = {.blobs = calloc(BLOBS, sizeof(*s.blobs))};
	struct tally t = {.there = calloc(ROWS, 1), .right = true};
	struct id root;
	size_t kept, bad = 7;
	for (size_t i = 0; i <= ROWS; i++) {
		snprintf(rows[i].hostname, sizeof(rows[i].hostname), "till-%zu", i % ROWS);
		strcpy(rows[i].site, "leeds");
	}
	/* One is there twice. */
	assert_int_equal(inventory_build(rows, ROWS + 1, keep, &s, &root, &kept), ERR_OK);
	assert_int_equal(kept, ROWS);
	assert_true(s.count > 500);
	assert_int_equal(inventory_read(&root, fetch, &s, see_machine, &t, &bad), ERR_OK);
	assert_true(t.right && t.seen == ROWS && bad == 0);
	/* As others' rows it is nothing. */
	assert_int_equal(policy_read(&root, fetch, &s, NULL, NULL, NULL), ERR_FORMAT);
	/* What is stopped fetches no more. */
	t = (struct tally){.there = t.there, .stop_at = 1, .right = true};
	memset(t.there, 0, ROWS);
	s.fetched = 0;
	assert_int_equal(inventory_read(&root, fetch, &s, see_machine, &t, NULL), ERR_OK);
	assert_true(t.seen == 1 && s.fetched == 3);
	/* A chunk that is not here. */
	s.blobs[0].id.b[0] ^= 1;
	memset(t.there, 0, ROWS);
	assert_int_equal(inventory_read(&root, fetch, &s, see_machine, &t, NULL), ERR_NOT_FOUND);
	rows[3].site[0] = '\0';
	assert_int_equal(inventory_build(rows, ROWS, keep, &s, &root, &kept), ERR_RANGE);
	free(rows);
	free(s.blobs);
	free(t.there);
}

static enum err drop(void *context, const struct id *id, const uint8_t *blob, size_t blob_len)
{
	(void)id;
	(void)blob;
	(void)blob_len;
	++*(size_t *)context;
	return ERR_OK;
}

static void more_than_a_root_names_is_refused(void **state)
{
	(void)state;
	enum { ROWS = LIMIT_BLOB_LIST * LIMIT_BLOB_LIST + 1 };
	struct inventory_row *rows = calloc(ROWS, sizeof(*rows));
	struct id root;
	size_t kept, blobs = 0;
	/* Each of a size that only one fits a chunk. */
	for (size_t i = 0; i < ROWS; i++) {
		rows[i] = inventory_max();
		snprintf(rows[i].hostname, sizeof(rows[i].hostname), "%064zu", i);
	}
	assert_int_equal(inventory_build(rows, ROWS, drop, &blobs, &root, &kept), ERR_LIMIT);
	assert_int_equal(inventory_build(rows, ROWS - 1, drop, &blobs, &root, &kept), ERR_OK);
	assert_int_equal(kept, ROWS - 1);
	free(rows);
}

static bool see_policy(void *context, const struct policy_row *row)
{
	(void)row;
	++*(size_t *)context;
	return true;
}

/* A chunk of three rows of which one says nothing; and rows beside what is no map. */
static void bad_rows_are_passed_over(void **state)
{
	(void)state;
	static const uint8_t chunk[] = {1, BLOB_POLICY, 0x93, 0x81, 8, 1, 0x81, 8, 0x07, 0x81, 8, 2};
	struct shelf s = {.blobs = calloc(4, sizeof(*s.blobs))};
	uint8_t list[2 + ID_BYTES] = {1, BLOB_LIST};
	size_t seen = 0, bad = 0;
	struct id id = blob_id(chunk, sizeof(chunk));
	memcpy(list + 2, id.b, ID_BYTES);
	struct id root = blob_id(list, sizeof(list));
	(void)keep(&s, &id, chunk, sizeof(chunk));
	(void)keep(&s, &root, list, sizeof(list));
	assert_int_equal(policy_read(&root, fetch, &s, see_policy, &seen, &bad), ERR_OK);
	assert_int_equal(seen, 2);
	assert_int_equal(bad, 1);
	/* A chunk alone is no policy. */
	assert_int_equal(policy_read(&id, fetch, &s, see_policy, &seen, &bad), ERR_FORMAT);
	free(s.blobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(incidents),
	    cmocka_unit_test(claims_and_notes),
	    cmocka_unit_test(listings),
	    cmocka_unit_test(hostile_bodies_are_refused),
	    cmocka_unit_test(terms_in_words),
	    cmocka_unit_test(texts_are_compared),
	    cmocka_unit_test(rows),
	    cmocka_unit_test(hostile_rows_are_refused),
	    cmocka_unit_test(inventories_come_back_whole),
	    cmocka_unit_test(more_than_a_root_names_is_refused),
	    cmocka_unit_test(bad_rows_are_passed_over),
	};
	return cmocka_run_group_tests_name("record operator", tests, NULL, NULL);
}
