#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "tests/unit/scratch.h"

static void copy_cuts_between_characters(void **state)
{
	(void)state;
	char out[8];
	assert_true(text_copy(out, sizeof(out), "seven.."));
	assert_string_equal(out, "seven..");
	assert_false(text_copy(out, sizeof(out), "eight..."));
	assert_string_equal(out, "eight..");
	/* a-umlaut would be bytes 6 and 7. */
	assert_false(text_copy(out, sizeof(out), "sixsix\xc3\xa4"));
	assert_string_equal(out, "sixsix");
	assert_true(text_copy(out, sizeof(out), "fives\xc3\xa4"));
	assert_false(text_copy(out, 1, "x"));
	assert_string_equal(out, "");
	/* No UTF-8 at all: cut anywhere, but not to nothing. */
	assert_false(text_copy(out, sizeof(out), "\x80\x80\x80\x80\x80\x80\x80\x80"));
	assert_int_equal(strlen(out), 7);
}

static void check_escape(const char *from, size_t len, const char *want)
{
	char out[256];
	memset(out, '#', sizeof(out));
	size_t n = text_escape(out, sizeof(out), from, len);
	assert_string_equal(out, want);
	assert_int_equal(n, strlen(want));
}

static void escape_leaves_text_alone(void **state)
{
	(void)state;
	static const char *const plain[] = {"",
					    "till-0042",
					    "C:\\Windows",
					    "Z\xc3\xbcrich",
					    "\xe2\x82\xac 5",
					    "\xe6\x9d\xb1\xe4\xba\xac",
					    "\xf0\x9f\x91\x8d",
					    "\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		check_escape(plain[i], strlen(plain[i]), plain[i]);
}

static void escape_stops_terminals(void **state)
{
	(void)state;
	static const struct {
		const char *from, *want;
	} cases[] = {
	    {"\x1b[2J\x1b[H", "\\x1b[2J\\x1b[H"},
	    {"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
	    {"\x1bP$q\x1b\\", "\\x1bP$q\\x1b\\"},
	    {"a\r\nb\tc", "a\\x0d\\x0ab\\x09c"},
	    {"\x7f", "\\x7f"},
	    /* C1 controls: CSI as a character, and as a bare byte. */
	    {"\xc2\x9b"
	     "2J",
	     "\\u{009b}2J"},
	    {"\x9b"
	     "2J",
	     "\\x9b2J"},
	    {"\xc2\x80\xc2\x9f\xc2\xa0", "\\u{0080}\\u{009f}\xc2\xa0"},
	    /* Marks and line separators. */
	    {"\xd8\x9c\xe2\x80\x8e\xe2\x80\x8f", "\\u{061c}\\u{200e}\\u{200f}"},
	    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u{2028}\\u{2029}"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_escape(cases[i].from, strlen(cases[i].from), cases[i].want);
	check_escape("a\0b", 3, "a\\x00b");
}

static void escape_stops_bidi(void **state)
{
	(void)state;
	for (unsigned c = 0x202a; c <= 0x2069; c++) {
		bool bidi = c <= 0x202e || c >= 0x2060;
		char from[4] = {(char)0xe2, (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f)), 0};
		char out[16];
		text_escape(out, sizeof(out), from, 3);
		assert_true((strncmp(out, "\\u{20", 5) == 0) == bidi);
		if (!bidi)
			assert_string_equal(out, from);
	}
	check_escape("\xe2\x80\xae"
		     "exe.slip",
		     11, "\\u{202e}exe.slip");
}

/* Two names must not look the same because one has characters that show nothing. */
static void escape_shows_the_invisible(void **state)
{
	(void)state;
	static const struct {
		const char *from, *want;
	} cases[] = {
	    {"till\xc2\xad-1", "till\\u{00ad}-1"},          {"till\xe2\x80\x8b-1", "till\\u{200b}-1"},
	    {"till\xe2\x80\x8c-1", "till\\u{200c}-1"},      {"till\xe2\x80\x8d-1", "till\\u{200d}-1"},
	    {"till\xe2\x81\xa0-1", "till\\u{2060}-1"},      {"till\xe2\x81\xaf-1", "till\\u{206f}-1"},
	    {"till\xe1\xa0\x8e-1", "till\\u{180e}-1"},      {"\xef\xbb\xbftill-1", "\\u{feff}till-1"},
	    {"till\xef\xbf\xbb-1", "till\\u{fffb}-1"},      {"till\xef\xbf\xbd-1", "till\xef\xbf\xbd-1"},
	    {"till\xf3\xa0\x81\x81-1", "till\\u{e0041}-1"}, {"till\xe2\x80\x90-1", "till\xe2\x80\x90-1"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		check_escape(cases[i].from, strlen(cases[i].from), cases[i].want);
		/* Twice is once. */
		check_escape(cases[i].want, strlen(cases[i].want), cases[i].want);
	}
}

static void escape_stops_bad_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *from, *want;
	} cases[] = {
	    {"\xff\xfe", "\\xff\\xfe"},
	    {"\x80", "\\x80"},
	    {"\xc3", "\\xc3"},                            /* ends early */
	    {"\xe2\x82", "\\xe2\\x82"},                   /* ends early */
	    {"\xc3(", "\\xc3("},                          /* no continuation */
	    {"\xe2\x82(", "\\xe2\\x82("},                 /* no continuation */
	    {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
	    {"\xc1\x9b", "\\xc1\\x9b"},                   /* overlong "[" */
	    {"\xe0\x80\x9b", "\\xe0\\x80\\x9b"},          /* overlong ESC */
	    {"\xf0\x80\x80\x9b", "\\xf0\\x80\\x80\\x9b"}, /* overlong ESC */
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
	    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* after U+10FFFF */
	    {"\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_escape(cases[i].from, strlen(cases[i].from), cases[i].want);
}

static void escape_cuts_whole_units(void **state)
{
	(void)state;
	/* An escape of 4, one of 8, a character of 3 bytes. */
	static const char from[] = "\x1b\xe2\x80\xae\xe2\x82\xac";
	static const char want[] = "\\x1b\\u{202e}\xe2\x82\xac";
	for (size_t cap = 1; cap <= 20; cap++) {
		char out[32];
		memset(out, '#', sizeof(out));
		size_t fits = cap - 1 >= 15 ? 15 : cap - 1 >= 12 ? 12 : cap - 1 >= 4 ? 4 : 0;
		assert_int_equal(text_escape(out, cap, from, sizeof(from) - 1), fits);
		assert_memory_equal(out, want, fits);
		assert_int_equal(out[fits], '\0');
		assert_int_equal(out[cap], '#');
	}
}

/* Whatever comes in: terminated, no byte that a terminal obeys. */
static void escape_of_any_two_bytes(void **state)
{
	(void)state;
	for (unsigned v = 0; v < 0x10000; v++) {
		char from[2] = {(char)(v >> 8), (char)v}, out[24], again[24];
		size_t n = text_escape(out, sizeof(out), from, 2);
		assert_int_equal(n, strlen(out));
		for (size_t i = 0; i < n; i++)
			assert_true((uint8_t)out[i] >= 0x20 && out[i] != 0x7f);
		text_escape(again, sizeof(again), out, n);
		assert_string_equal(again, out);
	}
}

static void characters_are_read_one_at_a_time(void **state)
{
	(void)state;
	uint32_t c = 7;
	assert_int_equal(text_utf8("", 0, &c), 0);
	assert_int_equal(text_utf8("\xe2\x82\xac", 2, &c), 0);
	assert_int_equal(text_utf8("\xc0\x80", 2, &c), 0);
	assert_int_equal(c, 7);
	assert_true(text_utf8("\xe2\x82\xac.", 4, &c) == 3 && c == 0x20ac);
	assert_true(text_utf8("\0", 1, &c) == 1 && c == 0);
	assert_true(text_is_unsafe(0x202e) && text_is_unsafe(0x9b) && !text_is_unsafe('~') &&
		    !text_is_unsafe(0xe4));
}

static void hex_round_trip(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {0x00, 0x9a, 0xff, 0x1e};
	char hex[9];
	uint8_t back[4] = {7, 7, 7, 7};
	text_hex(hex, bytes, 4);
	assert_string_equal(hex, "009aff1e");
	text_hex(hex, bytes, 0);
	assert_string_equal(hex, "");
	assert_false(text_unhex(back, 4, "009aff1"));
	assert_false(text_unhex(back, 4, "009aff1e0"));
	assert_false(text_unhex(back, 4, "009aff1g"));
	assert_false(text_unhex(back, 4, ""));
	assert_false(text_unhex(back, 4, "0x9aff1e"));
	assert_memory_equal(back, "\7\7\7\7", 4);
	assert_true(text_unhex(back, 4, "009AFf1e"));
	assert_memory_equal(back, bytes, 4);
	assert_true(text_unhex(back, 0, ""));
}

static void distance_counts_edits(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		unsigned want;
	} cases[] = {
	    {"", "", 0},
	    {"hosts", "hosts", 0},
	    {"", "abc", 3},
	    {"impact", "impcat", 1},
	    {"triage", "triag", 1},
	    {"kitten", "sitting", 3},
	    {"suspects", "x", 8},
	    {"ca", "abc", 3},
	};
	char big[65];
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(text_distance(cases[i].a, cases[i].b), cases[i].want);
		assert_int_equal(text_distance(cases[i].b, cases[i].a), cases[i].want);
	}
	memset(big, 'a', sizeof(big));
	big[64] = '\0';
	assert_true(text_distance(big, "a") == UINT_MAX);
	big[63] = '\0';
	assert_int_equal(text_distance(big, "a"), 62);
}

static void numbers_are_whole(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "", " 1", "1 ", "-1", "+1", "0x10", "1.0", "18446744073709551616", "99999999999999999999"};
	uint64_t v = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(text_u64(bad[i], 0, UINT64_MAX, &v));
	assert_false(text_u64("9", 10, 20, &v));
	assert_false(text_u64("21", 10, 20, &v));
	assert_int_equal(v, 7);
	assert_true(text_u64("10", 10, 20, &v) && v == 10);
	assert_true(text_u64("20", 10, 20, &v) && v == 20);
	assert_true(text_u64("18446744073709551615", 0, UINT64_MAX, &v) && v == UINT64_MAX);
	assert_true(text_u64("007", 0, 10, &v) && v == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copy_cuts_between_characters),
	    cmocka_unit_test(escape_leaves_text_alone),
	    cmocka_unit_test(escape_stops_terminals),
	    cmocka_unit_test(escape_stops_bidi),
	    cmocka_unit_test(escape_shows_the_invisible),
	    cmocka_unit_test(escape_stops_bad_utf8),
	    cmocka_unit_test(escape_cuts_whole_units),
	    cmocka_unit_test(escape_of_any_two_bytes),
	    cmocka_unit_test(hex_round_trip),
	    cmocka_unit_test(distance_counts_edits),
	    cmocka_unit_test(numbers_are_whole),
	    cmocka_unit_test(characters_are_read_one_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
