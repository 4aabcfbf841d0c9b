#include "crypto/record.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;
static const uint8_t body[] = {0x82, 0x01, 0x2a, 0x02, 0xa3, 'a', 'b', 'c'};
static const struct record_key key = {.kind = RECORD_HEALTH, .subject = {{1, 2, 3}}, .slot = 0};
static uint8_t bytes[LIMIT_RECORD_BYTES];
static size_t len;

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 1);
	return record_sign(&key, 7, 0x1122334455667788u, FIXTURE_NOW, body, sizeof(body), &fix.keys.estate,
			   fix.host, bytes, &len) == ERR_OK
		   ? 0
		   : 1;
}

static int drop(void **state)
{
	(void)state;
	fixture_release(&fix);
	return 0;
}

static void signed_record_parses_and_verifies(void **state)
{
	(void)state;
	struct record r;
	assert_int_equal(len, RECORD_ENVELOPE_BYTES + sizeof(body));
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(r.key.kind, RECORD_HEALTH);
	assert_true(id_equal(&r.key.writer, identity_id(fix.host)));
	assert_true(id_equal(&r.key.subject, &key.subject));
	assert_true(r.key.slot == 0 && r.seq == 7 && r.instance == 0x1122334455667788u &&
		    r.time == FIXTURE_NOW);
	assert_ptr_equal(r.bytes, bytes);
	assert_int_equal(r.len, len);
	assert_ptr_equal(r.body, bytes + RECORD_BODY_OFFSET);
	assert_int_equal(r.body_len, sizeof(body));
	assert_int_equal(record_verify(&r, &fix.keys.estate, identity_public_key(fix.host)), ERR_OK);
}

static void other_keys_and_estates_do_not_verify(void **state)
{
	(void)state;
	struct record r;
	struct id estate = fix.keys.estate;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(record_verify(&r, &estate, identity_public_key(fix.other)), ERR_SIGNATURE);
	estate.b[15] ^= 1;
	assert_int_equal(record_verify(&r, &estate, identity_public_key(fix.host)), ERR_SIGNATURE);
}

/* Signed well, but in another's name. */
static void writer_must_be_the_signer(void **state)
{
	(void)state;
	struct record r;
	uint8_t forged[LIMIT_RECORD_BYTES], cover[13 + ID_BYTES + LIMIT_RECORD_BYTES];
	size_t covered = len - 2 - SIGNATURE_BYTES;
	memcpy(forged, bytes, len);
	memcpy(forged + 5, identity_id(fix.other)->b, ID_BYTES);
	memcpy(cover, "mesh record 1", 13);
	memcpy(cover + 13, fix.keys.estate.b, ID_BYTES);
	memcpy(cover + 13 + ID_BYTES, forged, covered);
	identity_sign(fix.host, cover, 13 + ID_BYTES + covered, forged + len - SIGNATURE_BYTES);
	assert_int_equal(record_parse(forged, len, &r), ERR_OK);
	assert_int_equal(record_verify(&r, &fix.keys.estate, identity_public_key(fix.host)), ERR_SIGNATURE);
	/* With the right name the same signature holds. */
	memcpy(forged + 5, identity_id(fix.host)->b, ID_BYTES);
	memcpy(cover + 13 + ID_BYTES, forged, covered);
	identity_sign(fix.host, cover, 13 + ID_BYTES + covered, forged + len - SIGNATURE_BYTES);
	assert_int_equal(record_parse(forged, len, &r), ERR_OK);
	assert_int_equal(record_verify(&r, &fix.keys.estate, identity_public_key(fix.host)), ERR_OK);
}

static bool refused(void *context, const uint8_t *changed, size_t changed_len)
{
	(void)context;
	struct record r;
	return record_parse(changed, changed_len, &r) != ERR_OK ||
	       record_verify(&r, &fix.keys.estate, identity_public_key(fix.host)) == ERR_SIGNATURE;
}

static void each_changed_byte_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_flip(bytes, len, false, refused, NULL), -1);
}

static void each_truncation_is_refused(void **state)
{
	(void)state;
	struct record r, untouched;
	memset(&r, 0x5a, sizeof(r));
	memcpy(&untouched, &r, sizeof(r));
	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, bytes, n);
		enum err err = record_parse(copy, n, &r);
		assert_int_equal(err, n <= RECORD_ENVELOPE_BYTES ? ERR_SHORT : ERR_FORMAT);
		assert_memory_equal(&r, &untouched, sizeof(r));
		free(copy);
	}
	uint8_t longer[LIMIT_RECORD_BYTES + 1] = {0};
	memcpy(longer, bytes, len);
	assert_int_equal(record_parse(longer, len + 1, &r), ERR_FORMAT);
	assert_int_equal(record_parse(longer, sizeof(longer), &r), ERR_LIMIT);
}

/* The same values in other widths: msgpack would take them, the envelope does not. */
static void other_widths_are_refused(void **state)
{
	(void)state;
	static const struct {
		size_t at, removed, added;
		uint8_t bytes[10];
	} cases[] = {
	    {0, 1, 3, {0xdc, 0, 10}},                         /* array with a 2-byte length */
	    {0, 1, 5, {0xdd, 0, 0, 0, 10}},                   /* with a 4-byte length */
	    {1, 1, 2, {0xcc, 1}},                             /* version */
	    {2, 1, 2, {0xcc, RECORD_HEALTH}},                 /* kind */
	    {3, 2, 3, {0xc5, 0, 16}},                         /* writer */
	    {21, 2, 3, {0xc5, 0, 16}},                        /* subject */
	    {39, 9, 1, {0}},                                  /* slot in its smallest form */
	    {48, 9, 1, {7}},                                  /* seq */
	    {48, 9, 5, {0xce, 0, 0, 0, 7}},                   /* seq in 4 bytes */
	    {48, 1, 1, {0xd3}},                               /* seq as a signed integer */
	    {66, 1, 1, {0xd3}},                               /* time likewise */
	    {75 + sizeof(body), 2, 3, {0xc5, 0, 64}},         /* signature */
	    {75, 1, 3, {0xde, 0, 2}},                         /* body with a 2-byte map header */
	    {76, 2, 3, {1, 0xcc, 42}},                        /* value in the body not in its smallest form */
	    {76, 4, 4, {2, 0x2a, 1, 0xa3}},                   /* keys in the body out of order */
	    {76, 4, 4, {1, 0x2a, 1, 0xa3}},                   /* keys in the body twice */
	    {75, 8, 8, {0x98, 1, 1, 1, 1, 1, 1, 1}},          /* body is an array */
	    {75, 8, 8, {0x81, 1, 1, 0xc0, 0xc0, 0xc0, 0xc0}}, /* bytes after the body */
	    {75, 8, 8, {0x81, 1, 0xdd, 0xff, 0, 0, 0, 0}},    /* billions of elements */
	    {3, 1, 1, {0xd9}},                                /* writer as text */
	    {75 + sizeof(body), 1, 1, {0xd9}},                /* signature as text */
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t changed[LIMIT_RECORD_BYTES];
		struct record r;
		size_t tail = cases[i].at + cases[i].removed;
		memcpy(changed, bytes, cases[i].at);
		memcpy(changed + cases[i].at, cases[i].bytes, cases[i].added);
		memcpy(changed + cases[i].at + cases[i].added, bytes + tail, len - tail);
		size_t changed_len = len - cases[i].removed + cases[i].added;
		enum err err = record_parse(changed, changed_len, &r);
		if (err != ERR_FORMAT && err != ERR_VERSION && err != ERR_SHORT)
			fail_msg("case %zu: %s", i, err_name(err));
	}
}

static void fixed_fields_are_checked(void **state)
{
	(void)state;
	struct record r;
	uint8_t changed[LIMIT_RECORD_BYTES];
	memcpy(changed, bytes, len);
	changed[1] = 2;
	assert_int_equal(record_parse(changed, len, &r), ERR_VERSION);
	memcpy(changed, bytes, len);
	changed[2] = 0x80;
	assert_int_equal(record_parse(changed, len, &r), ERR_FORMAT);
	memcpy(changed, bytes, len);
	memset(changed + 49, 0, 8);
	assert_int_equal(record_parse(changed, len, &r), ERR_FORMAT);
}

static void sign_checks_its_arguments(void **state)
{
	(void)state;
	uint8_t out[LIMIT_RECORD_BYTES], big[LIMIT_RECORD_BODY_BYTES + 1] = {0};
	size_t n = 99;
	struct record_key bad = key;
	const struct id *estate = &fix.keys.estate;
	assert_int_equal(record_sign(&key, 0, 1, 1, body, sizeof(body), estate, fix.host, out, &n), ERR_ARG);
	bad.kind = 0x80;
	assert_int_equal(record_sign(&bad, 1, 1, 1, body, sizeof(body), estate, fix.host, out, &n), ERR_ARG);
	assert_int_equal(record_sign(&key, 1, 1, 1, body, 0, estate, fix.host, out, &n), ERR_FORMAT);
	assert_int_equal(record_sign(&key, 1, 1, 1, body + 1, 1, estate, fix.host, out, &n), ERR_FORMAT);
	assert_int_equal(record_sign(&key, 1, 1, 1, body, sizeof(body) - 1, estate, fix.host, out, &n),
			 ERR_FORMAT);
	assert_int_equal(record_sign(&key, 1, 1, 1, big, sizeof(big), estate, fix.host, out, &n), ERR_LIMIT);
	assert_int_equal(n, 99);
}

static void the_largest_body_fits(void **state)
{
	(void)state;
	uint8_t big[LIMIT_RECORD_BODY_BYTES] = {0x81, 0x01, 0xc5};
	uint8_t out[LIMIT_RECORD_BYTES];
	size_t n, fill = sizeof(big) - 5;
	struct record r;
	big[3] = (uint8_t)(fill >> 8);
	big[4] = (uint8_t)fill;
	assert_int_equal(
	    record_sign(&key, INT64_MAX, 1, 1, big, sizeof(big), &fix.keys.estate, fix.host, out, &n),
	    ERR_OK);
	assert_int_equal(n, LIMIT_RECORD_BYTES);
	assert_int_equal(record_parse(out, n, &r), ERR_OK);
	assert_true(r.seq == INT64_MAX);
	assert_int_equal(
	    record_sign(&key, UINT64_MAX, 1, 1, big, sizeof(big), &fix.keys.estate, fix.host, out, &n),
	    ERR_ARG);
	assert_int_equal(record_verify(&r, &fix.keys.estate, identity_public_key(fix.host)), ERR_OK);
}

static void an_empty_body_fits(void **state)
{
	(void)state;
	static const uint8_t empty[] = {0x80};
	uint8_t out[LIMIT_RECORD_BYTES];
	size_t n;
	struct record r;
	assert_int_equal(record_sign(&key, 1, 1, 1, empty, 1, &fix.keys.estate, fix.host, out, &n), ERR_OK);
	assert_int_equal(n, RECORD_ENVELOPE_BYTES + 1);
	assert_int_equal(record_parse(out, n, &r), ERR_OK);
}

static void classes_follow_the_ranges(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind <= UINT8_MAX; kind++) {
		enum record_class want = kind >= 1 && kind <= 15    ? RECORD_CLASS_HOST
					 : kind >= 16 && kind <= 31 ? RECORD_CLASS_SITE
					 : kind >= 32 && kind <= 47 ? RECORD_CLASS_OPERATOR
								    : RECORD_CLASS_REFUSED;
		assert_int_equal(record_class_of((uint8_t)kind), want);
	}
}

static void keys_pack_sort_and_compare(void **state)
{
	(void)state;
	struct record_key a = {.kind = 16, .writer = {{1}}, .subject = {{2}}, .slot = 3}, b = a, back;
	uint8_t pa[RECORD_KEY_BYTES], pb[RECORD_KEY_BYTES + 1];
	record_key_pack(&a, pa);
	assert_int_equal(record_key_unpack(pa, sizeof(pa), &back), ERR_OK);
	assert_true(record_key_equal(&a, &back));
	for (int i = 0; i < 4; i++) {
		b = a;
		b.kind = (uint8_t)(a.kind + (i == 0));
		b.writer.b[15] = i == 1;
		b.subject.b[15] = i == 2;
		b.slot += i == 3;
		assert_false(record_key_equal(&a, &b));
		record_key_pack(&b, pb);
		assert_true(memcmp(pa, pb, sizeof(pa)) < 0);
		assert_false(record_key_hash(fix.keys.set_key, &a) == record_key_hash(fix.keys.set_key, &b));
	}
	for (size_t n = 0; n < sizeof(pa); n++)
		assert_int_equal(record_key_unpack(pa, n, &back), ERR_SHORT);
	assert_int_equal(record_key_unpack(pb, sizeof(pb), &back), ERR_FORMAT);
	pa[0] = 0x80;
	assert_int_equal(record_key_unpack(pa, sizeof(pa), &back), ERR_FORMAT);
	assert_true(record_key_equal(&a, &back));
}

static void record_id_depends_on_bytes_and_key(void **state)
{
	(void)state;
	uint8_t changed[LIMIT_RECORD_BYTES];
	uint64_t id = record_id(fix.keys.set_key, bytes, len);
	memcpy(changed, bytes, len);
	changed[len - 1] ^= 1;
	assert_true(record_id(fix.keys.set_key, bytes, len) == id);
	assert_false(record_id(fix.keys.set_key, changed, len) == id);
	assert_false(record_id(fix.keys.hello_key, bytes, len) == id);
}

/* What one host can have the others keep is bounded by its kinds and their slots. */
static void slots_are_bounded(void **state)
{
	(void)state;
	static const struct {
		uint8_t kind;
		uint64_t slot;
		bool fits;
	} cases[] = {
	    {1, 0, true},   {1, 1, false},  {RECORD_HEALTH, UINT64_MAX, false},
	    {15, 0, true},  {15, 1, false}, {RECORD_ROLLCALL, LIMIT_ROLLCALL_PARTS - 1, true},
	    {17, 0, true},  {17, 1, false}, {RECORD_ROLLCALL, LIMIT_ROLLCALL_PARTS, false},
	    {31, 0, true},  {31, 1, false}, {RECORD_ROLLCALL, 1ull << 61, false},
	    {32, 77, true}, {47, 77, true}, {RECORD_NOTE, UINT64_MAX, true},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t out[LIMIT_RECORD_BYTES];
		size_t n = 99;
		struct record r;
		struct record_key k = {.kind = cases[i].kind, .subject = {{1}}, .slot = cases[i].slot};
		assert_int_equal(
		    record_sign(&k, 1, 1, 1, (const uint8_t *)"\x80", 1, &fix.keys.estate, fix.host, out, &n),
		    cases[i].fits ? ERR_OK : ERR_ARG);
		if (!cases[i].fits) {
			/* The same bytes from a writer who does not care. */
			k.slot = 0;
			assert_int_equal(record_sign(&k, 1, 1, 1, (const uint8_t *)"\x80", 1,
						     &fix.keys.estate, fix.host, out, &n),
					 ERR_OK);
			for (size_t b = 0; b < 8; b++)
				out[40 + b] = (uint8_t)(cases[i].slot >> (56 - 8 * b));
		}
		assert_int_equal(record_parse(out, n, &r), cases[i].fits ? ERR_OK : ERR_FORMAT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signed_record_parses_and_verifies),
	    cmocka_unit_test(slots_are_bounded),
	    cmocka_unit_test(other_keys_and_estates_do_not_verify),
	    cmocka_unit_test(writer_must_be_the_signer),
	    cmocka_unit_test(each_changed_byte_is_refused),
	    cmocka_unit_test(each_truncation_is_refused),
	    cmocka_unit_test(other_widths_are_refused),
	    cmocka_unit_test(fixed_fields_are_checked),
	    cmocka_unit_test(sign_checks_its_arguments),
	    cmocka_unit_test(the_largest_body_fits),
	    cmocka_unit_test(an_empty_body_fits),
	    cmocka_unit_test(classes_follow_the_ranges),
	    cmocka_unit_test(keys_pack_sort_and_compare),
	    cmocka_unit_test(record_id_depends_on_bytes_and_key),
	};
	return cmocka_run_group_tests(tests, make, drop);
}
