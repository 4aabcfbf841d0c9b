/* Enrolment and loading: the happy path, a crash after each file, damage, and each refusal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/credentials.h"
#include "tests/unit/scratch.h"

#define NOW       (20700 * CLOCK_DAY_MS + 3600000)
#define TODAY     20700
#define GRANT_END (TODAY + 100)

struct estate {
	struct identity *authority, *issuer;
	struct token token;
	struct crypto_rng rng;
};

static void append(struct authlog *log, const uint8_t *entry, size_t len)
{
	assert_int_equal(authlog_append(log, entry, len), ERR_OK);
}

static void estate_make(struct estate *e, const char *site)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	struct authlog_grant grant = {.name = "rollout",
				      .sites = {"berlin", "leeds"},
				      .site_count = 2,
				      .quota = 10,
				      .last_day = GRANT_END,
				      .grace_days = 30};
	*e = (struct estate){.rng = crypto_rng_system()};
	assert_int_equal(crypto_init(), ERR_OK);
	assert_int_equal(identity_generate(&e->rng, &e->authority), ERR_OK);
	assert_int_equal(identity_generate(&e->rng, &e->issuer), ERR_OK);
	assert_int_equal(authlog_new(&e->token.log), ERR_OK);
	assert_int_equal(
	    authlog_make_genesis(e->authority, identity_public_key(e->issuer), "test", NOW, entry, &len),
	    ERR_OK);
	append(e->token.log, entry, len);
	memcpy(grant.public_key, identity_public_key(e->issuer), KEY_BYTES);
	assert_int_equal(authlog_make_grant(e->token.log, e->authority, &grant, NOW, entry, &len), ERR_OK);
	append(e->token.log, entry, len);
	memcpy(e->token.issuer_seed, identity_seed(e->issuer), KEY_BYTES);
	memset(e->token.estate_secret, 0x5a, KEY_BYTES);
	e->token.last_day = TODAY + 7;
	text_copy(e->token.site, sizeof(e->token.site), site);
	text_copy(e->token.seeds[0], TOKEN_SEED_BYTES, "127.0.0.1:7946");
	text_copy(e->token.seeds[1], TOKEN_SEED_BYTES, "[::1]:7946");
	e->token.seed_count = 2;
}

static void estate_free(struct estate *e)
{
	identity_free(e->authority);
	identity_free(e->issuer);
	token_release(&e->token);
}

static enum err enroll(struct estate *e, const char *folder, const char *site, struct err_info *info)
{
	return credentials_enroll(folder, &e->token, site, NULL, &e->rng, NOW, NULL, info);
}

static void enrolled_node_loads(void **state)
{
	static const char *const files[] = {"identity.key", "estate.key", "certificate", "authority.log",
					    "seeds"};
	struct estate e;
	struct certificate c;
	struct credentials loaded;
	struct estate_keys keys;
	struct err_info info;
	const char *folder = scratch_path(*state, "deep/state");
	estate_make(&e, "berlin");
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, "mesh enroll"));
	assert_int_equal(credentials_enroll(folder, &e.token, NULL, NULL, &e.rng, NOW, &c, &info), ERR_OK);
	assert_string_equal(c.site, "berlin");
	assert_int_equal(c.enrolled, TODAY);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct stat st;
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_true(id_equal(identity_id(loaded.identity), &c.host));
	assert_true(id_equal(&loaded.certificate.host, &c.host));
	assert_int_equal(loaded.seed_count, 2);
	assert_string_equal(loaded.seeds[1], "[::1]:7946");
	estate_keys_derive(&keys, authlog_estate(e.token.log), e.token.estate_secret);
	assert_memory_equal(&keys, loaded.keys, sizeof(keys));
	credentials_release(&loaded);
	credentials_release(&loaded);
	/* A second enrolment names the host and changes nothing. */
	char hex[ID_HEX_BYTES];
	id_hex(&c.host, hex);
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_EXISTS);
	assert_non_null(strstr(info.text, hex));
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_true(id_equal(identity_id(loaded.identity), &c.host));
	credentials_release(&loaded);
	estate_free(&e);
}

static void refuse(struct estate *e, const char *folder, const char *site, enum err expected,
		   const char *said)
{
	struct err_info info = {0};
	assert_int_equal(enroll(e, folder, site, &info), expected);
	assert_int_equal(info.code, expected);
	if (strstr(info.text, said) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", info.text, said);
	/* Nothing was begun. */
	assert_int_equal(access(folder, F_OK), -1);
}

static void refusals_say_why(void **state)
{
	struct estate e, other;
	const char *folder = scratch_path(*state, "state");
	estate_make(&e, "");
	refuse(&e, folder, NULL, ERR_ARG, "--site");
	refuse(&e, folder, "paris", ERR_UNTRUSTED, "berlin, leeds");
	refuse(&e, folder, "a site name of more than thirty-two bytes", ERR_LIMIT, "32");
	refuse(&e, folder, "ber\033[2Jlin", ERR_ARG, "\\x1b");
	e.token.last_day = TODAY - 1;
	refuse(&e, folder, "leeds", ERR_EXPIRED, "2026-09-03");
	e.token.last_day = TODAY + 1000;
	struct err_info info;
	assert_int_equal(credentials_enroll(folder, &e.token, "leeds", NULL, &e.rng,
					    (GRANT_END + 1) * CLOCK_DAY_MS, NULL, &info),
			 ERR_EXPIRED);
	assert_non_null(strstr(info.text, "rollout"));
	/* A clock behind the log does not bring an ended token back. */
	e.token.last_day = TODAY - 1;
	assert_int_equal(
	    credentials_enroll(folder, &e.token, "leeds", NULL, &e.rng, CLOCK_DAY_MS, NULL, &info),
	    ERR_EXPIRED);
	e.token.last_day = TODAY;
	estate_make(&other, "");
	memcpy(e.token.issuer_seed, other.token.issuer_seed, KEY_BYTES);
	refuse(&e, folder, "leeds", ERR_UNTRUSTED, "not in its authority log");
	estate_free(&other);
	estate_free(&e);
}

/* What the folder holds when a crash stops an enrolment after its first files. */
static void crash_starts_over(void **state)
{
	static const char *const order[] = {"identity.key", "estate.key", "authority.log", "seeds",
					    "certificate"};
	const size_t count = sizeof(order) / sizeof(order[0]);
	for (size_t kept = 0; kept < count; kept++) {
		struct estate e;
		struct credentials loaded;
		struct err_info info;
		struct certificate first, second;
		char name[32];
		snprintf(name, sizeof(name), "state%zu", kept);
		const char *folder = scratch_path(*state, name);
		estate_make(&e, "leeds");
		assert_int_equal(credentials_enroll(folder, &e.token, NULL, NULL, &e.rng, NOW, &first, NULL),
				 ERR_OK);
		for (size_t i = kept; i < count; i++) {
			char path[512];
			snprintf(path, sizeof(path), "%s/%s", folder, order[i]);
			assert_int_equal(unlink(path), 0);
		}
		assert_int_equal(credentials_load(folder, &loaded, &info), ERR_NOT_FOUND);
		assert_int_equal(
		    credentials_enroll(folder, &e.token, NULL, NULL, &e.rng, NOW, &second, &info), ERR_OK);
		assert_false(id_equal(&first.host, &second.host));
		assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
		assert_true(id_equal(&loaded.certificate.host, &second.host));
		credentials_release(&loaded);
		estate_free(&e);
	}
}

static void lost_certificate_of_a_node_is_no_crash(void **state)
{
	struct estate e;
	struct err_info info;
	const char *folder = scratch_path(*state, "state");
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_OK);
	scratch_write(scratch_path(*state, "state/seq"), "x", 1, 0600);
	assert_int_equal(unlink(scratch_path(*state, "state/certificate")), 0);
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_EXISTS);
	assert_non_null(strstr(info.text, "restore"));
	assert_int_equal(access(scratch_path(*state, "state/identity.key"), F_OK), 0);
	estate_free(&e);
}

static void flip(const char *path, long at)
{
	FILE *f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	int c = fgetc(f);
	assert_int_not_equal(c, EOF);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	fputc(c ^ 1, f);
	assert_int_equal(fclose(f), 0);
}

/* Seeds are no secret and no proof: they are left out of this. */
static void damage_is_refused(void **state)
{
	static const char *const files[] = {"identity.key", "estate.key", "certificate", "authority.log"};
	struct estate e;
	struct credentials loaded = {0};
	struct err_info info;
	const char *folder = scratch_path(*state, "state");
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_OK);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct stat st;
		char path[512];
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		assert_int_equal(stat(path, &st), 0);
		for (long at = 0; at < st.st_size; at += 3) {
			flip(path, at);
			enum err err = credentials_load(folder, &loaded, &info);
			flip(path, at);
			if (err == ERR_OK)
				fail_msg("%s: byte %ld may be flipped", files[i], at);
			assert_true(info.text[0] != '\0' && loaded.identity == NULL);
		}
	}
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	credentials_release(&loaded);
	estate_free(&e);
}

static void files_of_two_hosts_do_not_mix(void **state)
{
	struct estate e;
	struct credentials loaded;
	struct err_info info;
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, scratch_path(*state, "a"), NULL, &info), ERR_OK);
	assert_int_equal(enroll(&e, scratch_path(*state, "b"), NULL, &info), ERR_OK);
	assert_int_equal(
	    rename(scratch_path(*state, "a/identity.key"), scratch_path(*state, "b/identity.key")), 0);
	assert_int_equal(credentials_load(scratch_path(*state, "b"), &loaded, &info), ERR_CORRUPT);
	assert_non_null(strstr(info.text, "two different hosts"));
	estate_free(&e);
}

static void ended_grant_still_loads(void **state)
{
	struct estate e;
	struct credentials loaded;
	struct err_info info;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	const char *folder = scratch_path(*state, "state");
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_OK);
	/* A log entry long after the grant's end sets the clock's floor behind it. */
	struct authlog_grant later = {.name = "later", .quota = 1, .last_day = TODAY + 9000};
	struct identity *other;
	assert_int_equal(identity_generate(&e.rng, &other), ERR_OK);
	memcpy(later.public_key, identity_public_key(other), KEY_BYTES);
	assert_int_equal(
	    authlog_make_grant(e.token.log, e.authority, &later, NOW + 500 * CLOCK_DAY_MS, entry, &len),
	    ERR_OK);
	append(e.token.log, entry, len);
	assert_int_equal(authlog_save(e.token.log, scratch_path(*state, "state/authority.log"), &info),
			 ERR_OK);
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_string_equal(loaded.certificate.site, "leeds");
	credentials_release(&loaded);
	/* But not when a byte of it is another one. */
	flip(scratch_path(*state, "state/certificate"), 80);
	assert_int_not_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	identity_free(other);
	estate_free(&e);
}

/* By what the machine is, unless a person says otherwise. */
static void the_machine_says_site_and_hardware(void **state)
{
	struct token_subnet subnets[] = {
	    {.address = {10, 7, 0, 0}, .address_len = 4, .prefix_bits = 16, .site = "leeds"},
	    {.address = {10, 8, 0, 0}, .address_len = 4, .prefix_bits = 16, .site = "paris"}};
	struct estate e;
	struct certificate c;
	struct credentials loaded;
	struct err_info info;
	struct credentials_machine m = {.addresses = {{{10, 7, 1, 2}, 4}},
					.address_count = 1,
					.hardware = {1, 2, 3, 4, 5, 6, 7, 8},
					.has_hardware = true};
	const char *folder = scratch_path(*state, "a");
	estate_make(&e, "berlin");
	e.token.subnets = subnets;
	e.token.subnet_count = 2;
	assert_int_equal(credentials_enroll(folder, &e.token, NULL, &m, &e.rng, NOW, &c, &info), ERR_OK);
	assert_string_equal(c.site, "leeds");
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_true(loaded.certificate.has_hardware);
	assert_memory_equal(loaded.certificate.hardware, m.hardware, sizeof(m.hardware));
	credentials_release(&loaded);
	folder = scratch_path(*state, "b");
	m.has_hardware = false;
	assert_int_equal(credentials_enroll(folder, &e.token, "berlin", &m, &e.rng, NOW, &c, &info), ERR_OK);
	assert_string_equal(c.site, "berlin");
	assert_false(c.has_hardware);
	/* The map goes no further than the grant, and what is ambiguous is asked. */
	folder = scratch_path(*state, "c");
	m.addresses[1] = (struct os_network_address){{10, 8, 1, 2}, 4};
	m.address_count = 2;
	assert_int_equal(credentials_enroll(folder, &e.token, "", &m, &e.rng, NOW, &c, &info), ERR_ARG);
	assert_non_null(strstr(info.text, "\"leeds\" and \"paris\""));
	m.addresses[0] = m.addresses[1];
	assert_int_equal(credentials_enroll(folder, &e.token, "", &m, &e.rng, NOW, &c, &info), ERR_UNTRUSTED);
	assert_int_equal(access(folder, F_OK), -1);
	e.token.subnets = NULL;
	estate_free(&e);
}

static void the_machine_is_looked_at(void **state)
{
	struct credentials_machine m;
	uint8_t hash[ID_BYTES];
	static const char id[] = "tree 10000000deadbeef";
	memset(&m, 0xff, sizeof(m));
	credentials_machine_look(scratch_path(*state, ""), &m);
	assert_true(!m.has_hardware && m.address_count <= CREDENTIALS_ADDRESSES);
	for (size_t i = 0; i < m.address_count; i++)
		assert_true(m.addresses[i].len == 4 || m.addresses[i].len == 16);
	assert_int_equal(mkdir(scratch_path(*state, "proc"), 0755), 0);
	assert_int_equal(mkdir(scratch_path(*state, "proc/device-tree"), 0755), 0);
	scratch_write(scratch_path(*state, "proc/device-tree/serial-number"), id + 5, sizeof(id) - 5, 0644);
	credentials_machine_look(scratch_path(*state, ""), &m);
	hash_bytes(hash, sizeof(hash), "mesh.hw", id, sizeof(id) - 1);
	assert_true(m.has_hardware);
	assert_memory_equal(m.hardware, hash, sizeof(m.hardware));
}

/* Revoked with a list: the node runs until the list is here and does not name it. */
static void an_allow_list_to_come_is_awaited(void **state)
{
	struct estate e;
	struct credentials loaded;
	struct err_info info;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	struct id list = {{0xa1}};
	const char *folder = scratch_path(*state, "state"),
		   *log = scratch_path(*state, "state/authority.log");
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, folder, NULL, &info), ERR_OK);
	assert_int_equal(authlog_make_revoke(e.token.log, e.authority, LOG_REVOKE_ISSUER,
					     identity_id(e.issuer), &list, "", NOW, entry, &len),
			 ERR_OK);
	append(e.token.log, entry, len);
	assert_int_equal(authlog_save(e.token.log, log, &info), ERR_OK);
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_int_equal(loaded.barred, ERR_OK);
	credentials_release(&loaded);
	assert_int_equal(enroll(&e, scratch_path(*state, "new"), NULL, &info), ERR_REVOKED);
	assert_int_equal(authlog_make_revoke(e.token.log, e.authority, LOG_REVOKE_ISSUER,
					     identity_id(e.issuer), NULL, "", NOW, entry, &len),
			 ERR_OK);
	append(e.token.log, entry, len);
	assert_int_equal(authlog_save(e.token.log, log, &info), ERR_OK);
	/* It may have been a thief: a node that does not run never hears of it. */
	assert_int_equal(credentials_load(folder, &loaded, &info), ERR_OK);
	assert_int_equal(loaded.barred, ERR_REVOKED);
	credentials_release(&loaded);
	estate_free(&e);
}

static void exposed_keys_are_refused(void **state)
{
	static const char *const files[] = {"state/identity.key", "state/estate.key"};
	struct estate e;
	struct credentials loaded;
	struct err_info info;
	estate_make(&e, "leeds");
	assert_int_equal(enroll(&e, scratch_path(*state, "state"), NULL, &info), ERR_OK);
	for (size_t i = 0; i < 2; i++) {
		const char *path = scratch_path(*state, files[i]);
		for (unsigned bit = 1; bit <= 040; bit <<= 1) {
			assert_int_equal(chmod(path, 0600 | bit), 0);
			assert_int_equal(credentials_load(scratch_path(*state, "state"), &loaded, &info),
					 ERR_DENIED);
			char mode[16];
			snprintf(mode, sizeof(mode), "mode %04o", 0600 | bit);
			if (strstr(info.text, path) == NULL || strstr(info.text, mode) == NULL ||
			    strstr(info.text, "chmod it to 0600") == NULL)
				fail_msg("%s", info.text);
		}
		assert_int_equal(chmod(path, 0600), 0);
	}
	assert_int_equal(credentials_load(scratch_path(*state, "state"), &loaded, &info), ERR_OK);
	credentials_release(&loaded);
	estate_free(&e);
}

/* In a child, because it gives up root. */
static int enroll_unprivileged(void *context)
{
	struct scratch *s = context;
	struct token token = {0};
	struct err_info info = {0};
	struct crypto_rng rng = crypto_rng_system();
	uint8_t *text;
	size_t len = 0;
	FILE *f = fopen(scratch_path(s, "token"), "rb");
	if (f == NULL || (text = malloc(LIMIT_TOKEN_BYTES)) == NULL)
		return 1;
	len = fread(text, 1, LIMIT_TOKEN_BYTES, f);
	fclose(f);
	enum err err = token_decode((char *)text, len, &token, &info);
	free(text);
	if (err != ERR_OK)
		return 2;
	if (chmod(scratch_path(s, "sealed"), 0555) != 0 || !scratch_drop_root())
		return 3;
	err = credentials_enroll(scratch_path(s, "sealed"), &token, NULL, NULL, &rng, NOW, NULL, &info);
	token_release(&token);
	if (err != ERR_DENIED)
		return 4;
	return strstr(info.text, scratch_path(s, "sealed")) != NULL ? 0 : 5;
}

static void unwritable_folder_is_told(void **state)
{
	struct estate e;
	char *text;
	size_t len;
	scratch_need_other_user();
	estate_make(&e, "leeds");
	assert_int_equal(token_encode(&e.token, &text, &len), ERR_OK);
	scratch_write(scratch_path(*state, "token"), text, len, 0600);
	crypto_guarded_free(text, len);
	assert_int_equal(mkdir(scratch_path(*state, "sealed"), 0755), 0);
	assert_int_equal(scratch_in_child(enroll_unprivileged, *state), 0);
	estate_free(&e);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(enrolled_node_loads),
	    IN_FOLDER(refusals_say_why),
	    IN_FOLDER(crash_starts_over),
	    IN_FOLDER(lost_certificate_of_a_node_is_no_crash),
	    IN_FOLDER(damage_is_refused),
	    IN_FOLDER(files_of_two_hosts_do_not_mix),
	    IN_FOLDER(ended_grant_still_loads),
	    IN_FOLDER(unwritable_folder_is_told),
	    IN_FOLDER(the_machine_says_site_and_hardware),
	    IN_FOLDER(the_machine_is_looked_at),
	    IN_FOLDER(an_allow_list_to_come_is_awaited),
	    IN_FOLDER(exposed_keys_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
