#include "crypto/token.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/file.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;
static char *text;
static size_t len;

static int make(void **state)
{
	fixture_make(&fix, 7);
	struct token t = fixture_token(&fix);
	return token_encode(&t, &text, &len) == ERR_OK ? scratch_setup(state) : 1;
}

static int drop(void **state)
{
	crypto_guarded_free(text, len);
	fixture_release(&fix);
	return scratch_teardown(state);
}

static void token_comes_back_whole(void **state)
{
	(void)state;
	struct token want = fixture_token(&fix), t;
	assert_int_equal(strlen(text), len);
	assert_int_equal(strncmp(text, "mesh-token-1\n", 13), 0);
	assert_int_equal(text[len - 1], '\n');
	assert_int_equal(token_decode(text, len, &t, NULL), ERR_OK);
	assert_memory_equal(t.estate_secret, fix.secret, KEY_BYTES);
	assert_memory_equal(t.issuer_seed, fix.issuer_seed, KEY_BYTES);
	assert_string_equal(t.site, "leeds");
	assert_int_equal(t.subnet_count, 2);
	assert_memory_equal(t.subnets, want.subnets, 2 * sizeof(*t.subnets));
	assert_int_equal(t.seed_count, 2);
	assert_memory_equal(t.seeds, want.seeds, sizeof(t.seeds));
	assert_int_equal(t.last_day, FIXTURE_DAY + 30);
	assert_true(authlog_head(t.log).hash == authlog_head(fix.log).hash);
	token_release(&t);
	token_release(NULL);
}

static void a_bare_token_will_do(void **state)
{
	(void)state;
	struct token t = {.log = fix.log}, back;
	char *bare;
	size_t bare_len;
	assert_int_equal(token_encode(&t, &bare, &bare_len), ERR_OK);
	assert_int_equal(token_decode(bare, bare_len, &back, NULL), ERR_OK);
	assert_string_equal(back.site, "");
	assert_true(back.subnet_count == 0 && back.seed_count == 0 && back.last_day == 0);
	token_release(&back);
	crypto_guarded_free(bare, bare_len);
}

static void the_largest_lists_fit(void **state)
{
	(void)state;
	struct token t = {.log = fix.log, .subnet_count = LIMIT_SUBNETS, .seed_count = LIMIT_TOKEN_SEEDS},
		     back;
	struct token_subnet *subnets = calloc(LIMIT_SUBNETS + 1, sizeof(*subnets));
	char *big;
	size_t big_len;
	assert_non_null(subnets);
	for (size_t i = 0; i <= LIMIT_SUBNETS; i++) {
		subnets[i].address_len = 16;
		subnets[i].prefix_bits = 128;
		memset(subnets[i].address, (int)i, 16);
		memset(subnets[i].site, 's', LIMIT_SITE_NAME_BYTES);
	}
	memset(t.site, 's', LIMIT_SITE_NAME_BYTES);
	for (size_t i = 0; i < LIMIT_TOKEN_SEEDS; i++)
		memset(t.seeds[i], '1', TOKEN_SEED_BYTES - 1);
	t.last_day = UINT32_MAX;
	t.subnets = subnets;
	assert_int_equal(token_encode(&t, &big, &big_len), ERR_OK);
	assert_int_equal(token_decode(big, big_len, &back, NULL), ERR_OK);
	assert_memory_equal(back.subnets, subnets, LIMIT_SUBNETS * sizeof(*subnets));
	assert_memory_equal(back.seeds, t.seeds, sizeof(t.seeds));
	token_release(&back);
	crypto_guarded_free(big, big_len);
	t.subnet_count++;
	assert_int_equal(token_encode(&t, &big, &big_len), ERR_ARG);
	t.subnet_count = 1;
	subnets[0].prefix_bits = 129;
	assert_int_equal(token_encode(&t, &big, &big_len), ERR_ARG);
	subnets[0].prefix_bits = 33;
	subnets[0].address_len = 4;
	assert_int_equal(token_encode(&t, &big, &big_len), ERR_ARG);
	free(subnets);
}

static bool refused(void *context, const uint8_t *bytes, size_t bytes_len)
{
	(void)context;
	struct token t, untouched;
	memset(&t, 0x5a, sizeof(t));
	memcpy(&untouched, &t, sizeof(t));
	return token_decode((const char *)bytes, bytes_len, &t, NULL) != ERR_OK &&
	       memcmp(&t, &untouched, sizeof(t)) == 0;
}

static void each_changed_byte_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fixture_flip((const uint8_t *)text, len, true, refused, NULL), -1);
}

static void each_truncation_is_refused(void **state)
{
	(void)state;
	struct token t;
	for (size_t n = 0; n < len - 1; n++) {
		char *copy = malloc(n + 1);
		assert_non_null(copy);
		memcpy(copy, text, n);
		assert_true(refused(NULL, (const uint8_t *)copy, n));
		free(copy);
	}
	/* Only the last line's end may be missing. */
	assert_int_equal(token_decode(text, len - 1, &t, NULL), ERR_OK);
	token_release(&t);
}

static void windows_line_ends_are_taken(void **state)
{
	(void)state;
	char *windows = malloc(2 * len);
	size_t n = 0;
	struct token t;
	assert_non_null(windows);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			windows[n++] = '\r';
		windows[n++] = text[i];
	}
	assert_int_equal(token_decode(windows, n, &t, NULL), ERR_OK);
	token_release(&t);
	free(windows);
}

static void errors_say_what_to_do(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum err want;
	} cases[] = {
	    {"", ERR_FORMAT},
	    {"\n", ERR_FORMAT},
	    {"mesh-token-", ERR_FORMAT},
	    {"mesh-token-1", ERR_FORMAT},
	    {"mesh-token-1\n", ERR_FORMAT},
	    {"mesh-token-1\n\n", ERR_FORMAT},
	    {"mesh-token-1\nAAAA\n", ERR_FORMAT},
	    {"mesh-token-1\n!!!!\n", ERR_FORMAT},
	    {"mesh-token-2\nAAAA\n", ERR_VERSION},
	    {"mesh-token-10\nAAAA\n", ERR_VERSION},
	    {"mesh-token-used\n", ERR_USED},
	    {"mesh-token-used", ERR_USED},
	    {"mesh-token-used\r\n", ERR_USED},
	    {"mesh-token-use\n", ERR_VERSION},
	    {"hello\n", ERR_FORMAT},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct token t;
		struct err_info info = {0};
		enum err err = token_decode(cases[i].text, strlen(cases[i].text), &t, &info);
		if (err != cases[i].want || info.code != err || info.text[0] == '\0')
			fail_msg("\"%s\": %s, \"%s\"", cases[i].text, err_name(err), info.text);
	}
}

static void damage_is_told_from_garbage(void **state)
{
	(void)state;
	struct token t;
	struct err_info info = {0};
	char *big = calloc(1, LIMIT_TOKEN_BYTES + 1);
	assert_non_null(big);
	assert_int_equal(token_decode(big, LIMIT_TOKEN_BYTES + 1, &t, &info), ERR_LIMIT);
	free(big);
	text[40] = text[40] == 'A' ? 'B' : 'A'; /* inside the estate secret */
	assert_int_equal(token_decode(text, len, &t, &info), ERR_CHECKSUM);
	assert_non_null(strstr(info.text, "copy it again"));
}

/* Other layouts of the lines than the one that is made. */
static void line_width_is_fixed(void **state)
{
	(void)state;
	char *changed = malloc(len + 8);
	assert_non_null(changed);
	/* A blank line, a short line, a line too long. */
	memcpy(changed, text, 13);
	changed[13] = '\n';
	memcpy(changed + 14, text + 13, len - 13);
	assert_true(refused(NULL, (uint8_t *)changed, len + 1));
	memcpy(changed, text, 50);
	changed[50] = '\n';
	memcpy(changed + 51, text + 50, len - 50);
	assert_true(refused(NULL, (uint8_t *)changed, len + 1));
	size_t end = (size_t)(strchr(text + 13, '\n') - text);
	memcpy(changed, text, end);
	memcpy(changed + end, text + end + 1, len - end - 1);
	assert_true(refused(NULL, (uint8_t *)changed, len - 1));
	memcpy(changed, text, len);
	changed[len] = '\n';
	assert_true(refused(NULL, (uint8_t *)changed, len + 1));
	free(changed);
}

/* The last two lines made one; and a blank line at the end of a token whose lines are all full. */
static void last_line_is_checked_too(void **state)
{
	(void)state;
	struct token t = fixture_token(&fix), back;
	char *last = strrchr(text, '\n');
	*last = '\0';
	char *before = strrchr(text, '\n');
	assert_non_null(before);
	memmove(before, before + 1, strlen(before + 1) + 1);
	assert_true(refused(NULL, (uint8_t *)text, strlen(text)));
	for (size_t n = 1; n < TOKEN_SEED_BYTES; n++) {
		char *full, *changed;
		size_t full_len;
		memset(t.seeds[0], '1', n);
		t.seeds[0][n] = '\0';
		assert_int_equal(token_encode(&t, &full, &full_len), ERR_OK);
		if ((full_len - 13) % 77 != 0) {
			crypto_guarded_free(full, full_len);
			continue;
		}
		changed = malloc(full_len + 1);
		assert_non_null(changed);
		memcpy(changed, full, full_len);
		changed[full_len] = '\n';
		assert_int_equal(token_decode(full, full_len, &back, NULL), ERR_OK);
		token_release(&back);
		assert_true(refused(NULL, (uint8_t *)changed, full_len + 1));
		free(changed);
		crypto_guarded_free(full, full_len);
		return;
	}
	fail_msg("no seed makes all lines full");
}

static void a_log_that_does_not_hold_is_refused(void **state)
{
	(void)state;
	struct authlog *empty;
	struct token t = fixture_token(&fix);
	char *bad;
	size_t bad_len;
	assert_int_equal(authlog_new(&empty), ERR_OK);
	t.log = empty;
	assert_int_equal(token_encode(&t, &bad, &bad_len), ERR_OK);
	assert_true(refused(NULL, (uint8_t *)bad, bad_len));
	crypto_guarded_free(bad, bad_len);
	authlog_free(empty);
}

static void secrets_are_wiped_on_release(void **state)
{
	(void)state;
	struct token t, zero = {0};
	assert_int_equal(token_decode(text, len, &t, NULL), ERR_OK);
	token_release(&t);
	assert_memory_equal(t.estate_secret, zero.estate_secret, KEY_BYTES);
	assert_memory_equal(t.issuer_seed, zero.issuer_seed, KEY_BYTES);
	assert_null(t.log);
	assert_null(t.subnets);
	token_release(&t); /* twice is fine */
}

#define V4(a, b, c, d)                                                                                       \
	{                                                                                                    \
		{a, b, c, d}, 4                                                                              \
	}
#define V6(a, b, c)                                                                                          \
	{                                                                                                    \
		{0x20, 0x01, 0x0d, 0xb8, a, b, c}, 16                                                        \
	}

static void the_most_specific_subnet_says_the_site(void **state)
{
	(void)state;
	static struct token_subnet subnets[] = {
	    {.address = {0}, .address_len = 4, .prefix_bits = 0, .site = "anywhere"},
	    {.address = {10}, .address_len = 4, .prefix_bits = 8, .site = "ten"},
	    {.address = {10, 7}, .address_len = 4, .prefix_bits = 16, .site = "leeds"},
	    {.address = {10, 7, 0xa8}, .address_len = 4, .prefix_bits = 21, .site = "till"},
	    {.address = {10, 7, 9, 9}, .address_len = 4, .prefix_bits = 32, .site = "one"},
	    {.address = {10, 9}, .address_len = 4, .prefix_bits = 16, .site = "york"},
	    {.address = {10, 9}, .address_len = 4, .prefix_bits = 16, .site = "york"},
	    {.address = {0x20, 1, 0xd, 0xb8, 7}, .address_len = 16, .prefix_bits = 40, .site = "leeds"},
	    {.address = {0x20, 1, 0xd, 0xb8, 9}, .address_len = 16, .prefix_bits = 40, .site = "york"},
	    {.address = {0x20, 1, 0xd, 0xb8, 8}, .address_len = 16, .prefix_bits = 40, .site = "bath"},
	    {.address = {0x20, 1, 0xd, 0xb8, 8}, .address_len = 16, .prefix_bits = 40, .site = "oslo"},
	};
	static const struct {
		struct os_network_address addresses[3];
		size_t count;
		const char *site; /* NULL: ambiguous */
	} cases[] = {
	    {{{{0}, 0}}, 0, "default"},
	    {{V4(192, 0, 2, 1)}, 1, "anywhere"},
	    {{V4(10, 1, 2, 3)}, 1, "ten"},
	    {{V4(10, 7, 1, 1)}, 1, "leeds"},
	    {{V4(10, 7, 0xaf, 1)}, 1, "till"},
	    {{V4(10, 7, 0xb0, 1)}, 1, "leeds"},
	    {{V4(10, 7, 0xa7, 1)}, 1, "leeds"},
	    {{V4(10, 7, 9, 9)}, 1, "one"},
	    {{V4(192, 0, 2, 1), V4(10, 1, 1, 1), V4(10, 7, 0xa8, 9)}, 3, "till"},
	    {{V4(10, 9, 1, 1)}, 1, "york"}, /* said twice */
	    {{V4(10, 7, 1, 1), V4(10, 9, 1, 1)}, 2, NULL},
	    {{V6(7, 1, 1)}, 1, "leeds"},
	    {{V6(6, 1, 1)}, 1, "default"},
	    {{V4(10, 7, 1, 1), V6(7, 1, 1)}, 2, "leeds"}, /* both families agree */
	    {{V4(10, 7, 1, 1), V6(9, 1, 1)}, 2, NULL},
	    {{V4(10, 9, 1, 1), V6(9, 1, 1)}, 2, "york"},
	    {{V6(7, 1, 1), V6(9, 1, 1)}, 2, NULL},
	    {{V4(10, 9, 1, 1), V6(8, 1, 1)}, 2, NULL},
	    {{V4(10, 9, 1, 1), V6(7, 1, 1), V6(9, 1, 1)}, 3, NULL},
	};
	struct token t = fixture_token(&fix);
	memcpy(t.site, "default", 8);
	t.subnets = subnets;
	t.subnet_count = sizeof(subnets) / sizeof(*subnets);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char site[LIMIT_SITE_NAME_BYTES + 1] = "untouched";
		struct err_info info = {0};
		const char *want = cases[i].site;
		enum err err = token_site(&t, cases[i].addresses, cases[i].count, site, &info);
		if (err != (want == NULL ? ERR_ARG : ERR_OK) ||
		    strcmp(site, want == NULL ? "untouched" : want) != 0)
			fail_msg("case %zu: %s, site %s", i, err_name(err), site);
	}
	/* Who is asked is told both. */
	struct err_info info = {0};
	struct os_network_address both[] = {V4(10, 9, 1, 1), V6(7, 1, 1)};
	char site[LIMIT_SITE_NAME_BYTES + 1];
	assert_int_equal(token_site(&t, both, 2, site, &info), ERR_ARG);
	assert_non_null(strstr(info.text, "\"york\" and \"leeds\""));
	assert_non_null(strstr(info.text, "--site"));
	struct os_network_address three[] = {V4(10, 9, 1, 1), V6(7, 1, 1), V6(9, 1, 1)};
	assert_int_equal(token_site(&t, three, 3, site, &info), ERR_ARG);
	assert_non_null(strstr(info.text, "\"york\" and \"leeds\""));
	t.subnet_count = 0;
	assert_int_equal(token_site(&t, both, 2, site, &info), ERR_OK);
	assert_string_equal(site, "default");
}

static void a_used_token_says_so(void **state)
{
	const char *path = scratch_path(*state, "token");
	struct err_info info = {0};
	struct os_secret *file;
	struct token t;
	scratch_write(path, text, len, 0400);
	assert_int_equal(os_secret_open(path, true, &file, &info), ERR_OK);
	assert_int_equal(token_read(file, &t, &info), ERR_OK);
	assert_memory_equal(t.issuer_seed, fix.issuer_seed, KEY_BYTES);
	token_release(&t);
	assert_int_equal(token_wipe(file, &info), ERR_OK);
	assert_true(scratch_holds(path, "mesh-token-used\n", 16));
	assert_int_equal(token_read(file, &t, &info), ERR_USED);
	os_secret_close(file);
	/* Longer than any token: nothing of it is read. */
	char *huge = calloc(1, LIMIT_TOKEN_BYTES + 1);
	scratch_write(scratch_path(*state, "huge"), huge, LIMIT_TOKEN_BYTES + 1, 0600);
	free(huge);
	assert_int_equal(os_secret_open(scratch_path(*state, "huge"), false, &file, &info), ERR_OK);
	assert_int_equal(token_read(file, &t, &info), ERR_LIMIT);
	os_secret_close(file);
}

#define ALONE(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ALONE(token_comes_back_whole),
	    ALONE(a_bare_token_will_do),
	    ALONE(the_largest_lists_fit),
	    ALONE(each_changed_byte_is_refused),
	    ALONE(each_truncation_is_refused),
	    ALONE(windows_line_ends_are_taken),
	    ALONE(errors_say_what_to_do),
	    ALONE(damage_is_told_from_garbage),
	    ALONE(line_width_is_fixed),
	    ALONE(last_line_is_checked_too),
	    ALONE(a_log_that_does_not_hold_is_refused),
	    ALONE(secrets_are_wiped_on_release),
	    ALONE(the_most_specific_subnet_says_the_site),
	    ALONE(a_used_token_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
