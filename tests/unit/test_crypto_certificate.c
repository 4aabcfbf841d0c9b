#include "crypto/certificate.h"

#include <string.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;
static uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
static size_t len;
static struct record record;

static int make(void **state)
{
	(void)state;
	fixture_make(&fix, 5);
	len = fixture_certificate(&fix, fix.host, bytes);
	return record_parse(bytes, len, &record) == ERR_OK ? 0 : 1;
}

static int drop(void **state)
{
	(void)state;
	fixture_release(&fix);
	return 0;
}

static void append(const uint8_t *entry, size_t entry_len)
{
	assert_int_equal(authlog_append(fix.log, entry, entry_len), ERR_OK);
}

static enum err verify(wall_day today)
{
	struct certificate c;
	return certificate_verify(&record, fix.log, today, &c);
}

static void issued_certificate_verifies(void **state)
{
	(void)state;
	struct certificate c;
	assert_int_equal(certificate_verify(&record, fix.log, FIXTURE_DAY, &c), ERR_OK);
	assert_true(id_equal(&c.host, identity_id(fix.host)));
	assert_true(id_equal(&c.issuer, identity_id(fix.issuer)));
	assert_memory_equal(c.public_key, identity_public_key(fix.host), KEY_BYTES);
	assert_string_equal(c.site, "leeds");
	assert_int_equal(c.group_count, 2);
	assert_string_equal(c.groups[0], "tills");
	assert_string_equal(c.groups[1], "north");
	assert_int_equal(c.enrolled, FIXTURE_DAY);
	assert_true(c.seq == 1);
}

static bool refused(void *context, const uint8_t *changed, size_t changed_len)
{
	(void)context;
	struct record r;
	struct certificate c;
	return record_parse(changed, changed_len, &r) != ERR_OK ||
	       certificate_verify(&r, fix.log, FIXTURE_DAY, &c) != ERR_OK;
}

static void each_changed_byte_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_flip(bytes, len, false, refused, NULL), -1);
}

static void the_largest_certificate_fits(void **state)
{
	(void)state;
	uint8_t out[LIMIT_CERTIFICATE_BYTES];
	size_t out_len;
	struct record r;
	struct certificate c = {.group_count = LIMIT_GROUPS,
				.enrolled = UINT32_MAX,
				.seq = INT64_MAX,
				.hardware = {1, 2, 3, 4, 5, 6, 7, 8},
				.has_hardware = true},
			   back;
	memcpy(c.public_key, identity_public_key(fix.host), KEY_BYTES);
	memset(c.site, 's', LIMIT_SITE_NAME_BYTES);
	for (size_t i = 0; i < LIMIT_GROUPS; i++)
		memset(c.groups[i], 'g', LIMIT_GROUP_BYTES);
	certificate_consent(&c, fix.host, identity_id(fix.issuer), &fix.keys.estate);
	assert_int_equal(certificate_issue(&c, fix.issuer, &fix.keys.estate, 1, FIXTURE_NOW, out, &out_len),
			 ERR_OK);
	/* docs/protocol.md section 3 reckons 498 with the longest head for each field. */
	assert_true(out_len <= 498);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	assert_int_equal(certificate_decode(&r, &back), ERR_OK);
	assert_memory_equal(back.site, c.site, sizeof(c.site));
	assert_memory_equal(back.groups, c.groups, sizeof(c.groups));
	assert_true(back.has_hardware && back.time == FIXTURE_NOW);
	assert_memory_equal(back.hardware, c.hardware, sizeof(c.hardware));
	c.has_hardware = false;
	certificate_consent(&c, fix.host, identity_id(fix.issuer), &fix.keys.estate);
	assert_int_equal(certificate_issue(&c, fix.issuer, &fix.keys.estate, 1, FIXTURE_NOW, out, &out_len),
			 ERR_OK);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	assert_int_equal(certificate_decode(&r, &back), ERR_OK);
	assert_false(back.has_hardware);
}

static void issue_checks_its_arguments(void **state)
{
	(void)state;
	uint8_t out[LIMIT_CERTIFICATE_BYTES];
	size_t out_len = 99;
	struct certificate good = {.site = "leeds", .seq = 1}, c;
	const struct id *estate = &fix.keys.estate;
	memcpy(good.public_key, identity_public_key(fix.host), KEY_BYTES);
	c = good;
	c.site[0] = '\0';
	assert_int_equal(certificate_issue(&c, fix.issuer, estate, 1, 1, out, &out_len), ERR_ARG);
	c = good;
	memset(c.site, 's', sizeof(c.site));
	assert_int_equal(certificate_issue(&c, fix.issuer, estate, 1, 1, out, &out_len), ERR_ARG);
	c = good;
	c.group_count = LIMIT_GROUPS + 1;
	assert_int_equal(certificate_issue(&c, fix.issuer, estate, 1, 1, out, &out_len), ERR_ARG);
	c = good;
	c.group_count = 1;
	memset(c.groups[0], 'g', sizeof(c.groups[0]));
	assert_int_equal(certificate_issue(&c, fix.issuer, estate, 1, 1, out, &out_len), ERR_ARG);
	c = good;
	c.seq = 0;
	assert_int_equal(certificate_issue(&c, fix.issuer, estate, 1, 1, out, &out_len), ERR_ARG);
	assert_int_equal(out_len, 99);
	assert_int_equal(certificate_issue(&good, fix.issuer, estate, 1, 1, out, &out_len), ERR_OK);
}

/* A certificate with any body, signed by the issuer. */
static enum err decode_body(const struct mp_writer *w, const struct id *subject, uint64_t slot, uint8_t kind)
{
	uint8_t out[LIMIT_RECORD_BYTES];
	size_t out_len;
	struct record r;
	struct certificate c;
	struct record_key key = {.kind = kind, .subject = *subject};
	assert_false(w->failed);
	assert_int_equal(
	    record_sign(&key, 1, 1, 1, w->data, w->len, &fix.keys.estate, fix.issuer, out, &out_len), ERR_OK);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	/* As no parser would have let it through. */
	r.key.slot = slot;
	return certificate_decode(&r, &c);
}

struct body_case {
	const char *what;
	enum {
		WHOLE,
		NO_KEY,
		SHORT_KEY,
		NO_SITE,
		EMPTY_SITE,
		LONG_SITE,
		ZERO_IN_SITE,
		BIN_SITE,
		NO_GROUPS,
		NINE_GROUPS,
		LONG_GROUP,
		GROUPS_NUMBER,
		NO_DAY,
		LATE_DAY,
		DENIED_DAY,
		HARDWARE,
		SHORT_HARDWARE,
		DENIED_HARDWARE,
		NO_CONSENT,
		SHORT_CONSENT,
		UNKNOWN_FIELD,
		HUGE
	} change;
	enum err want;
};

static void put_key(struct mp_writer *w, const struct body_case *c)
{
	mp_put_u64(w, 1);
	mp_put_bin(w, identity_public_key(fix.host), c->change == SHORT_KEY ? 31 : KEY_BYTES);
}

static void put_site(struct mp_writer *w, const struct body_case *c)
{
	mp_put_u64(w, 2);
	if (c->change == BIN_SITE)
		mp_put_bin(w, "leeds", 5);
	else if (c->change == LONG_SITE)
		mp_put_str(w, "a site name that is far too long!");
	else if (c->change == ZERO_IN_SITE)
		mp_put_raw(w, "\xa5le\0ds", 6);
	else
		mp_put_str(w, c->change == EMPTY_SITE ? "" : "leeds");
}

static void put_groups(struct mp_writer *w, const struct body_case *c)
{
	mp_put_u64(w, 3);
	if (c->change == GROUPS_NUMBER) {
		mp_put_u64(w, 3);
		return;
	}
	mp_put_array(w, c->change == NINE_GROUPS ? 9 : 1);
	for (int i = 0; i < (c->change == NINE_GROUPS ? 9 : 1); i++)
		mp_put_str(w, c->change == LONG_GROUP ? "a group name too long, it" : "tills");
}

static void put_day(struct mp_writer *w, const struct body_case *c)
{
	mp_put_u64(w, 4);
	if (c->change == DENIED_DAY)
		mp_put_i64(w, -3);
	else
		mp_put_u64(w, c->change == LATE_DAY ? (uint64_t)UINT32_MAX + 1 : FIXTURE_DAY);
}

static void put_hardware(struct mp_writer *w, const struct body_case *c)
{
	mp_put_u64(w, 5);
	if (c->change == DENIED_HARDWARE)
		mp_put_i64(w, -3);
	else
		mp_put_bin(w, "12345678", c->change == SHORT_HARDWARE ? 7 : 8);
}

static void put_consent(struct mp_writer *w, const struct body_case *c)
{
	static const uint8_t signature[SIGNATURE_BYTES];
	mp_put_u64(w, 6);
	mp_put_bin(w, signature, c->change == SHORT_CONSENT ? 63 : sizeof(signature));
}

static void fields_are_checked(void **state)
{
	(void)state;
	static const struct body_case cases[] = {
	    {"whole", WHOLE, ERR_OK},
	    {"no key", NO_KEY, ERR_FORMAT},
	    {"a short key", SHORT_KEY, ERR_FORMAT},
	    {"no site", NO_SITE, ERR_FORMAT},
	    {"an empty site", EMPTY_SITE, ERR_FORMAT},
	    {"a long site", LONG_SITE, ERR_FORMAT},
	    {"a zero in the site", ZERO_IN_SITE, ERR_FORMAT},
	    {"a binary site", BIN_SITE, ERR_FORMAT},
	    {"no groups", NO_GROUPS, ERR_OK},
	    {"nine groups", NINE_GROUPS, ERR_FORMAT},
	    {"a long group", LONG_GROUP, ERR_FORMAT},
	    {"groups are a number", GROUPS_NUMBER, ERR_FORMAT},
	    {"no day", NO_DAY, ERR_FORMAT},
	    {"a day beyond u32", LATE_DAY, ERR_FORMAT},
	    {"a status for a day", DENIED_DAY, ERR_FORMAT},
	    {"a hardware hash", HARDWARE, ERR_OK},
	    {"a short hardware hash", SHORT_HARDWARE, ERR_FORMAT},
	    {"a status for a hardware hash", DENIED_HARDWARE, ERR_FORMAT},
	    {"no consent", NO_CONSENT, ERR_FORMAT},
	    {"a short consent", SHORT_CONSENT, ERR_FORMAT},
	    {"a field to come", UNKNOWN_FIELD, ERR_OK},
	    {"more than 640 bytes", HUGE, ERR_LIMIT},
	};
	static const uint8_t filler[500];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct body_case *c = &cases[i];
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		struct mp_writer w;
		bool missing = c->change == NO_KEY || c->change == NO_SITE || c->change == NO_GROUPS ||
			       c->change == NO_DAY || c->change == NO_CONSENT;
		bool hardware =
		    c->change == HARDWARE || c->change == SHORT_HARDWARE || c->change == DENIED_HARDWARE;
		bool more = c->change == UNKNOWN_FIELD || c->change == HUGE;
		mp_writer_init(&w, body, sizeof(body));
		mp_put_map(&w, missing ? 4 : more || hardware ? 6 : 5);
		if (c->change != NO_KEY)
			put_key(&w, c);
		if (c->change != NO_SITE)
			put_site(&w, c);
		if (c->change != NO_GROUPS)
			put_groups(&w, c);
		if (c->change != NO_DAY)
			put_day(&w, c);
		if (hardware)
			put_hardware(&w, c);
		if (c->change != NO_CONSENT)
			put_consent(&w, c);
		if (more) {
			mp_put_u64(&w, 9);
			mp_put_bin(&w, filler, c->change == HUGE ? sizeof(filler) : 3);
		}
		enum err err = decode_body(&w, identity_id(fix.host), 0, RECORD_CERTIFICATE);
		if (err != c->want)
			fail_msg("%s: %s", c->what, err_name(err));
	}
}

static void envelope_and_key_belong_together(void **state)
{
	(void)state;
	const struct body_case whole = {"whole", WHOLE, ERR_OK};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	struct mp_writer w;
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 5);
	put_key(&w, &whole);
	put_site(&w, &whole);
	put_groups(&w, &whole);
	put_day(&w, &whole);
	put_consent(&w, &whole);
	assert_int_equal(decode_body(&w, identity_id(fix.host), 0, RECORD_CERTIFICATE), ERR_OK);
	assert_int_equal(decode_body(&w, identity_id(fix.other), 0, RECORD_CERTIFICATE), ERR_FORMAT);
	assert_int_equal(decode_body(&w, identity_id(fix.host), 1, RECORD_CERTIFICATE), ERR_FORMAT);
	assert_int_equal(decode_body(&w, identity_id(fix.host), 0, RECORD_PROFILE), ERR_FORMAT);
}

/* Anybody could speak for such a host. */
static void unsound_keys_are_refused(void **state)
{
	(void)state;
	const uint8_t *key;
	for (size_t i = 0; (key = fixture_unsound_key(i)) != NULL; i++) {
		uint8_t out[LIMIT_CERTIFICATE_BYTES];
		size_t out_len;
		struct record r;
		struct certificate c = {.site = "leeds", .seq = 1}, back;
		memcpy(c.public_key, key, KEY_BYTES);
		assert_int_equal(
		    certificate_issue(&c, fix.issuer, &fix.keys.estate, 1, FIXTURE_NOW, out, &out_len),
		    ERR_OK);
		assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
		assert_int_equal(certificate_decode(&r, &back), ERR_FORMAT);
		assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &back), ERR_FORMAT);
	}
}

static void strangers_are_untrusted(void **state)
{
	(void)state;
	uint8_t out[LIMIT_CERTIFICATE_BYTES];
	size_t out_len;
	struct record r;
	struct certificate c = {.site = "leeds", .seq = 1};
	certificate_consent(&c, fix.host, identity_id(fix.other), &fix.keys.estate);
	/* Signed by a host, not by an issuer. */
	assert_int_equal(certificate_issue(&c, fix.other, &fix.keys.estate, 1, 1, out, &out_len), ERR_OK);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &c), ERR_UNTRUSTED);
	/* For another estate. */
	struct id estate = {{1}};
	assert_int_equal(certificate_issue(&c, fix.issuer, &estate, 1, 1, out, &out_len), ERR_OK);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &c), ERR_SIGNATURE);
}

/* Whoever holds an issuer's key could otherwise move each host whose key he has read in its certificate. */
static void no_issuer_speaks_for_a_host_that_did_not_agree(void **state)
{
	(void)state;
	uint8_t out[LIMIT_CERTIFICATE_BYTES];
	size_t out_len;
	struct record r;
	struct certificate c, agreed;
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &agreed), ERR_OK);
	for (int what = 0; what < 5; what++) {
		c = agreed;
		if (what == 0)
			memcpy(c.site, "york", 5);
		c.seq += what == 1;
		c.enrolled -= what == 2;
		c.hardware[0] ^= what == 3;
		if (what == 4) /* by another host */
			certificate_consent(&c, fix.other, identity_id(fix.issuer), &fix.keys.estate);
		memcpy(c.public_key, agreed.public_key, KEY_BYTES);
		assert_int_equal(
		    certificate_issue(&c, fix.issuer, &fix.keys.estate, 1, FIXTURE_NOW, out, &out_len),
		    ERR_OK);
		assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
		assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &c), ERR_SIGNATURE);
	}
	/* Groups are the issuer's own affair. */
	c = agreed;
	c.group_count = 1;
	assert_int_equal(certificate_issue(&c, fix.issuer, &fix.keys.estate, 1, FIXTURE_NOW, out, &out_len),
			 ERR_OK);
	assert_int_equal(record_parse(out, out_len, &r), ERR_OK);
	assert_int_equal(certificate_verify(&r, fix.log, FIXTURE_DAY, &c), ERR_OK);
}

static void site_must_be_granted(void **state)
{
	(void)state;
	struct authlog_grant grant = fixture_grant(fix.issuer);
	grant.site_count = 2;
	memcpy(grant.sites[0], "york", 5);
	memcpy(grant.sites[1], "hull", 5);
	fixture_grant_append(&fix, &grant);
	assert_int_equal(verify(FIXTURE_DAY), ERR_UNTRUSTED);
	memcpy(grant.sites[1], "leeds", 6);
	fixture_grant_append(&fix, &grant);
	assert_int_equal(verify(FIXTURE_DAY), ERR_OK);
}

static void grant_ends_after_its_grace(void **state)
{
	(void)state;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t entry_len;
	wall_day last = FIXTURE_DAY + 30 + 7;
	assert_int_equal(verify(0), ERR_OK);
	assert_int_equal(verify(last), ERR_OK);
	assert_int_equal(verify(last + 1), ERR_EXPIRED);
	assert_int_equal(
	    authlog_make_extend(fix.log, fix.authority, NULL, &last, NULL, FIXTURE_NOW, entry, &entry_len),
	    ERR_OK);
	append(entry, entry_len);
	assert_int_equal(verify(last + 7), ERR_OK);
	assert_int_equal(verify(last + 8), ERR_EXPIRED);
	/* A clock that stands still does not keep a grant alive: the newest entry floors it. */
	assert_int_equal(authlog_make_extend(fix.log, fix.authority, identity_id(fix.other), &last, NULL,
					     (wall_ms)(last + 8) * CLOCK_DAY_MS, entry, &entry_len),
			 ERR_OK);
	append(entry, entry_len);
	assert_int_equal(verify(0), ERR_EXPIRED);
}

static void a_grant_to_the_last_day_there_is(void **state)
{
	(void)state;
	struct authlog_grant grant = fixture_grant(fix.issuer);
	grant.last_day = UINT32_MAX;
	grant.grace_days = UINT16_MAX;
	fixture_grant_append(&fix, &grant);
	assert_int_equal(verify(UINT32_MAX), ERR_OK);
}

static void revoked(enum log_revoke_what what, const struct id *id, enum err want)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t entry_len;
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, what, id, NULL, "stolen", FIXTURE_NOW,
					     entry, &entry_len),
			 ERR_OK);
	append(entry, entry_len);
	assert_int_equal(verify(FIXTURE_DAY), want);
}

static void revoked_hosts_are_refused(void **state)
{
	(void)state;
	revoked(LOG_REVOKE_HOST, identity_id(fix.other), ERR_OK);
	revoked(LOG_REVOKE_ISSUER, identity_id(fix.host), ERR_OK);
	revoked(LOG_REVOKE_HOST, identity_id(fix.host), ERR_REVOKED);
}

static void hosts_of_a_revoked_issuer_are_refused(void **state)
{
	(void)state;
	struct authlog_grant grant = fixture_grant(fix.issuer);
	revoked(LOG_REVOKE_OPERATOR, identity_id(fix.issuer), ERR_OK);
	revoked(LOG_REVOKE_ISSUER, identity_id(fix.issuer), ERR_REVOKED);
	fixture_grant_append(&fix, &grant);
	assert_int_equal(verify(FIXTURE_DAY), ERR_REVOKED);
}

/* Those the allow-list names stand; all do until the list is here. */
static void an_allow_list_keeps_hosts(void **state)
{
	(void)state;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t entry_len;
	struct id one = {{0xa1}}, two = {{0xa2}};
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, LOG_REVOKE_ISSUER,
					     identity_id(fix.issuer), &one, "", FIXTURE_NOW, entry,
					     &entry_len),
			 ERR_OK);
	append(entry, entry_len);
	assert_int_equal(verify(FIXTURE_DAY), ERR_OK);
	assert_int_equal(authlog_set_allowed(fix.log, &one, identity_id(fix.host), 1), ERR_OK);
	assert_int_equal(verify(FIXTURE_DAY), ERR_OK);
	assert_int_equal(verify(FIXTURE_DAY + 38), ERR_EXPIRED); /* the grant ends all the same */
	assert_int_equal(authlog_make_revoke(fix.log, fix.authority, LOG_REVOKE_ISSUER,
					     identity_id(fix.issuer), &two, "", FIXTURE_NOW, entry,
					     &entry_len),
			 ERR_OK);
	append(entry, entry_len);
	assert_int_equal(verify(FIXTURE_DAY), ERR_OK);
	assert_int_equal(authlog_set_allowed(fix.log, &two, identity_id(fix.other), 1), ERR_OK);
	assert_int_equal(verify(FIXTURE_DAY), ERR_REVOKED);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(issued_certificate_verifies),
	    ALONE(each_changed_byte_is_refused),
	    ALONE(the_largest_certificate_fits),
	    ALONE(issue_checks_its_arguments),
	    ALONE(fields_are_checked),
	    ALONE(envelope_and_key_belong_together),
	    ALONE(unsound_keys_are_refused),
	    ALONE(strangers_are_untrusted),
	    ALONE(no_issuer_speaks_for_a_host_that_did_not_agree),
	    ALONE(site_must_be_granted),
	    ALONE(grant_ends_after_its_grace),
	    ALONE(a_grant_to_the_last_day_there_is),
	    ALONE(revoked_hosts_are_refused),
	    ALONE(hosts_of_a_revoked_issuer_are_refused),
	    ALONE(an_allow_list_keeps_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
