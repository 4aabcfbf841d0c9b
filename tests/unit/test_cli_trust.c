/* Parts of the trust verbs that the real program's tests do not reach in every corner: dates, what a key file
 * says without its passphrase, entries taken apart, logs compared, files that are carried. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/bundle.h"
#include "cli/shown.h"
#include "crypto/authlog_view.h"
#include "os/file.h"
#include "os/network.h"
#include "record/allow_list.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static void dates_go_both_ways(void **state)
{
	static const struct {
		wall_day day;
		const char *text;
	} known[] = {{0, "1970-01-01"},     {11016, "2000-02-29"}, {19923, "2024-07-19"},
		     {47540, "2100-02-28"}, {47541, "2100-03-01"}, {SHOWN_LAST_DAY, "9999-12-31"}};
	static const char *const wrong[] = {"",           "2024-02-30", "2023-02-29", "2024-13-01",
					    "2024-1-01",  "1969-12-31", "2024-07-1x", "24-07-19",
					    "2024/07/19", "2024-07-190"};
	char text[SHOWN_BYTES];
	wall_day day;
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		shown_day(known[i].day, text);
		assert_string_equal(text, known[i].text);
		assert_true(shown_day_parse(known[i].text, &day));
		assert_int_equal(day, known[i].day);
	}
	day = 7;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(shown_day_parse(wrong[i], &day));
	assert_int_equal(day, 7);
	shown_day(SHOWN_LAST_DAY + 1ull, text);
	assert_string_equal(text, "day 2932897");
}

static void key_files_say_who_without_a_passphrase(void **state)
{
	struct fixture f;
	uint8_t file[KEY_FILE_BYTES], key[KEY_BYTES] = {0};
	bool protected;
	(void)state;
	fixture_make(&f, 1);
	for (int sealed = 0; sealed < 2; sealed++) {
		assert_int_equal(
		    key_file_encode(KEY_OPERATOR, f.host_seed, sealed ? "words" : NULL, &f.rng, file),
		    ERR_OK);
		assert_int_equal(key_file_public(file, sizeof(file), KEY_OPERATOR, &protected, key), ERR_OK);
		assert_int_equal(protected, sealed);
		assert_memory_equal(key, identity_public_key(f.host), KEY_BYTES);
		assert_int_equal(key_file_public(file, sizeof(file), KEY_ISSUER, &protected, key),
				 ERR_FORMAT);
		assert_int_equal(key_file_public(file, sizeof(file) - 1, KEY_OPERATOR, &protected, key),
				 ERR_FORMAT);
		file[70] ^= 1;
		assert_int_equal(key_file_public(file, sizeof(file), KEY_OPERATOR, &protected, key),
				 ERR_CHECKSUM);
	}
	fixture_release(&f);
}

static struct authlog_view view_last(const struct authlog *log)
{
	struct authlog_view v;
	size_t len;
	const uint8_t *entry = authlog_entry(log, authlog_count(log) - 1, &len);
	assert_int_equal(authlog_view(entry, len, &v), ERR_OK);
	return v;
}

static void entries_are_taken_apart(void **state)
{
	struct fixture f;
	struct fixture_entry e;
	struct authlog_view v;
	struct id list = {{9}};
	(void)state;
	fixture_make(&f, 1);
	v = view_last(f.log);
	assert_true(v.type == LOG_GRANT && v.index == 1 && v.has_quota && v.has_last_day);
	assert_true(v.quota == 100 && v.last_day == FIXTURE_DAY + 30 && v.grace_days == 7 &&
		    v.site_count == 0);
	assert_true(id_equal(&v.subject, identity_id(f.issuer)));
	assert_int_equal(id_short(&v.hash), authlog_head(f.log).hash);
	e = fixture_operator(&f, "jo");
	fixture_append(&f, &e);
	v = view_last(f.log);
	assert_true(v.type == LOG_OPERATOR && id_equal(&v.subject, identity_id(f.other)));
	assert_string_equal(v.name, "jo");
	uint32_t quota = 12;
	assert_int_equal(
	    authlog_make_extend(f.log, f.authority, NULL, NULL, &quota, FIXTURE_NOW, e.bytes, &e.len),
	    ERR_OK);
	fixture_append(&f, &e);
	v = view_last(f.log);
	assert_true(v.type == LOG_EXTEND && id_is_zero(&v.subject) && v.has_quota && !v.has_last_day &&
		    v.quota == 12);
	assert_int_equal(authlog_make_revoke(f.log, f.authority, LOG_REVOKE_ISSUER, identity_id(f.issuer),
					     &list, "leaked", FIXTURE_NOW, e.bytes, &e.len),
			 ERR_OK);
	fixture_append(&f, &e);
	v = view_last(f.log);
	assert_true(v.type == LOG_REVOKE && v.what == LOG_REVOKE_ISSUER && id_equal(&v.allow_list, &list));
	assert_string_equal(v.reason, "leaked");
	e = fixture_rotation(f.log, f.successor, f.host);
	fixture_append(&f, &e);
	v = view_last(f.log);
	assert_true(v.type == LOG_ROTATE && id_equal(&v.subject, identity_id(f.successor)));
	assert_true(id_equal(&v.successor, identity_id(f.host)));
	/* Outputs stay as they were on an error. */
	v.index = 77;
	assert_int_not_equal(authlog_view(e.bytes, e.len - 1, &v), ERR_OK);
	assert_int_equal(v.index, 77);
	fixture_release(&f);
}

static void logs_are_compared_entry_by_entry(void **state)
{
	struct fixture f;
	struct fixture_entry e;
	struct authlog *before = NULL;
	(void)state;
	fixture_make(&f, 1);
	assert_int_equal(authlog_copy(f.log, &before), ERR_OK);
	assert_int_equal(bundle_missing(f.log, before), 0);
	e = fixture_operator(&f, "jo");
	fixture_append(&f, &e);
	assert_int_equal(bundle_missing(f.log, before), 0);
	assert_int_equal(bundle_missing(before, f.log), 1);
	/* Another entry in its place. */
	assert_int_equal(authlog_make_revoke(before, f.authority, LOG_REVOKE_HOST, identity_id(f.host), NULL,
					     "x", FIXTURE_NOW, e.bytes, &e.len),
			 ERR_OK);
	assert_int_equal(authlog_append(before, e.bytes, e.len), ERR_OK);
	assert_int_equal(bundle_missing(before, f.log), 1);
	assert_int_equal(bundle_missing(f.log, before), 1);
	/* Both branches hold the others' entries, wherever they stand. */
	assert_int_equal(authlog_append(f.log, e.bytes, e.len), ERR_OK);
	assert_true(authlog_forked(f.log));
	assert_int_equal(bundle_missing(f.log, before), 0);
	assert_int_equal(bundle_missing(before, f.log), 1);
	authlog_free(before);
	fixture_release(&f);
}

static enum err save_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	const struct authority_dir *d = context;
	char hex[ID_HEX_BYTES], path[LIMIT_PATH_BYTES];
	id_hex(id, hex);
	os_path_join(path, sizeof(path), d->lists, hex);
	return os_file_create(path, blob, len, 0600, NULL);
}

static void carried_files_hold_log_and_lists(void **state)
{
	enum { HOSTS = 63 * 64 + 1 }; /* a list over lists */
	struct fixture f;
	struct fixture_entry e;
	struct authority_dir d;
	struct bundle b = {0}, c = {0};
	struct err_info info = {0};
	struct id list, *hosts = calloc(HOSTS, sizeof(*hosts));
	char path[LIMIT_PATH_BYTES];
	uint8_t *bytes;
	size_t len;
	fixture_make(&f, 1);
	assert_int_equal(authority_dir_of(scratch_path(*state, "auth"), &d, &info), ERR_OK);
	assert_int_equal(os_dir_make(d.lists, 0700, &info), ERR_OK);
	for (size_t i = 0; i < HOSTS; i++) {
		hosts[i].b[0] = (uint8_t)(i >> 8);
		hosts[i].b[1] = (uint8_t)i;
	}
	assert_int_equal(allow_list_build(hosts, HOSTS, save_blob, &d, &list), ERR_OK);
	assert_int_equal(authlog_make_revoke(f.log, f.authority, LOG_REVOKE_ISSUER, identity_id(f.issuer),
					     &list, "leaked", FIXTURE_NOW, e.bytes, &e.len),
			 ERR_OK);
	fixture_append(&f, &e);
	assert_int_equal(bundle_gather(&d, f.log, &b, &info), ERR_OK);
	assert_int_equal(b.blob_count, 65 + 2 + 1);
	assert_true(id_equal(&b.blobs[0].id, &list));
	text_copy(path, sizeof(path), scratch_path(*state, "carry"));
	assert_int_equal(bundle_write(&b, path, &info), ERR_OK);
	assert_int_equal(bundle_write(&b, path, &info), ERR_EXISTS);
	assert_int_equal(bundle_read(path, &c, &info), ERR_OK);
	assert_int_equal(authlog_count(c.log), authlog_count(f.log));
	assert_int_equal(c.blob_count, b.blob_count);
	for (size_t i = 0; i < b.blob_count; i++) {
		assert_int_equal(c.blobs[i].len, b.blobs[i].len);
		assert_memory_equal(c.blobs[i].bytes, b.blobs[i].bytes, b.blobs[i].len);
	}
	bundle_release(&c);
	/* Cut anywhere but behind an item it is refused. */
	assert_int_equal(os_file_read(path, 1 << 20, &bytes, &len, &info), ERR_OK);
	for (size_t cut = 0; cut < 1200; cut += 7) {
		assert_int_equal(os_file_replace(path, bytes, cut, 0600, &info), ERR_OK);
		enum err err = bundle_read(path, &c, &info);
		assert_true(err == ERR_CORRUPT || err == ERR_OK);
		if (err == ERR_OK)
			bundle_release(&c);
	}
	assert_int_equal(os_file_replace(path, bytes, len - 1, 0600, &info), ERR_OK);
	assert_int_equal(bundle_read(path, &c, &info), ERR_CORRUPT);
	free(bytes);
	free(hosts);
	bundle_release(&b);
	fixture_release(&f);
}

static void own_addresses_are_of_real_networks(void **state)
{
	struct os_network_address all[64];
	size_t count = 65;
	struct err_info info = {0};
	(void)state;
	assert_int_equal(os_network_addresses(all, 64, &count, &info), ERR_OK);
	assert_true(count <= 64);
	for (size_t i = 0; i < count; i++) {
		assert_true(all[i].len == 4 || all[i].len == 16);
		assert_false(all[i].len == 4 && all[i].bytes[0] == 127);
		assert_false(all[i].len == 16 && all[i].bytes[0] == 0xfe && (all[i].bytes[1] & 0xc0) == 0x80);
	}
}

static void paths_become_absolute(void **state)
{
	char path[LIMIT_PATH_BYTES], small[4] = "x";
	struct err_info info = {0};
	(void)state;
	assert_int_equal(os_path_absolute("/a/b", path, sizeof(path), &info), ERR_OK);
	assert_string_equal(path, "/a/b");
	assert_int_equal(os_path_absolute("//a/.//b.c/./..d/", path, sizeof(path), &info), ERR_OK);
	assert_string_equal(path, "/a/b.c/..d");
	assert_int_equal(os_path_absolute("/./", path, sizeof(path), &info), ERR_OK);
	assert_string_equal(path, "/");
	assert_int_equal(os_path_absolute("b", path, sizeof(path), &info), ERR_OK);
	assert_true(path[0] == '/' && strcmp(path + strlen(path) - 2, "/b") == 0);
	assert_int_equal(os_path_absolute("/a/b", small, sizeof(small), &info), ERR_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates_go_both_ways),
	    cmocka_unit_test(key_files_say_who_without_a_passphrase),
	    cmocka_unit_test(entries_are_taken_apart),
	    cmocka_unit_test(logs_are_compared_entry_by_entry),
	    cmocka_unit_test_setup_teardown(carried_files_hold_log_and_lists, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test(own_addresses_are_of_real_networks),
	    cmocka_unit_test(paths_become_absolute),
	};
	if (crypto_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
