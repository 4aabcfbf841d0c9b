/* The formatters, fed with what a hostile host could call itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/coverage.h"
#include "cli/output.h"
#include "cli/shown.h"
#include "tests/cli/json_check.h"
#include "tests/unit/scratch.h"

#define NOW 1800000000000ull

static const struct {
	const char *text;
	size_t len;
} hostile[] = {
#define T(s)                                                                                                 \
	{                                                                                                    \
		s, sizeof(s) - 1                                                                             \
	}
    T(""),
    T("plain"),
    T("\033[2J\033]0;owned\007"),
    T("two\nlines\r\n"),
    T("\xe2\x80\xaegpj.exe"),
    T("\xff\xfe\x80"),
    T("quote\"back\\slash"),
    T("comma,\"quoted\""),
    T("=cmd|'/C calc'!A0"),
    T("+1"),
    T("-1"),
    T("@sum"),
    T("tab\there"),
    T("\xc2\x9b"
      "31m"),
    T("\xf0\x9f\x98\x80 \xc3\xbc \xe6\x97\xa5"),
    T("\xed\xa0\x80"),
    T("\x7f"),
    T("nul\0inside"),
    T(" padded "),
    T("\xc0\xaf"),
    T("\xf3\xa0\x80\x81tag"),
    T("\xe2\x80\x8bzero"),
#undef T
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static const struct output_column columns[] = {
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "age_s", .heading = "SEEN", .style = OUTPUT_AGE},
    {.name = "flag", .style = OUTPUT_YESNO},
    {.name = "id", .style = OUTPUT_ID},
    {.name = "extra", .only_wide = true},
    {.name = NULL},
};

struct written {
	char *text;
	size_t len;
};

static void feed(struct output *o, const char *const *names, size_t count, const struct query_value *rows,
		 size_t row_count)
{
	struct query_sink sink = output_sink(o);
	assert_true(sink.columns(sink.context, names, count));
	for (size_t i = 0; i < row_count; i++)
		assert_true(sink.row(sink.context, rows + i * count, count));
	assert_int_equal(output_finish_rows(o), ERR_OK);
}

static struct written format(enum output_format f, int width, const char *const *names, size_t count,
			     const struct query_value *rows, size_t row_count)
{
	struct written w = {0};
	struct output o;
	FILE *stream = open_memstream(&w.text, &w.len);
	struct query_coverage coverage = {.as_of = NOW - 3000, .self = "00", .complete = true};
	assert_non_null(stream);
	output_init(&o, stream, f, width, NOW, columns);
	feed(&o, names, count, rows, row_count);
	if (f == OUTPUT_JSON) {
		coverage_json(&o.json, "coverage", &coverage, NULL, NOW);
		json_end_object(&o.json);
	}
	output_release(&o);
	fclose(stream);
	return w;
}

static void make_hostile(struct query_value *rows)
{
	for (size_t i = 0; i < HOSTILE; i++) {
		rows[2 * i] = (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)i};
		rows[2 * i + 1] = (struct query_value){
		    .type = QUERY_TEXT, .text = hostile[i].text, .text_len = hostile[i].len};
	}
}

static size_t count_lines(const struct written *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->len; i++)
		n += w->text[i] == '\n';
	return n;
}

/* Nothing but our own line ends may be a control byte, and all of it is UTF-8. */
static void assert_harmless(const struct written *w)
{
	for (size_t i = 0; i < w->len;) {
		uint32_t c;
		size_t n = text_utf8(w->text + i, w->len - i, &c);
		if (n == 0 || (c != '\n' && text_is_unsafe(c)))
			fail_msg("byte %zu of the output is %02x", i, (unsigned)(uint8_t)w->text[i]);
		i += n;
	}
}

static const char *const two[] = {"n", "name"};

static void hostile_text_is_harmless(void **state)
{
	static const enum output_format formats[] = {OUTPUT_TABLE, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_JSONL,
						     OUTPUT_CSV};
	struct query_value rows[2 * HOSTILE];
	(void)state;
	make_hostile(rows);
	for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
		struct written w = format(formats[f], 80, two, 2, rows, HOSTILE);
		assert_harmless(&w);
		/* A line a row and one for the head; in JSON one more opens and closes. */
		size_t lines =
		    formats[f] == OUTPUT_JSONL || formats[f] == OUTPUT_JSON ? HOSTILE : HOSTILE + 1;
		assert_int_equal(count_lines(&w), lines);
		free(w.text);
	}
}

static void json_is_json(void **state)
{
	struct query_value rows[2 * HOSTILE];
	(void)state;
	make_hostile(rows);
	struct written w = format(OUTPUT_JSON, 0, two, 2, rows, HOSTILE);
	assert_int_equal(json_check(w.text, w.len), (long)w.len);
	assert_non_null(strstr(w.text, "\"quote\\\"back\\\\slash\""));
	assert_non_null(strstr(w.text, "\"\\ufffd\\ufffd\\ufffd\""));
	assert_non_null(strstr(w.text, "\"two\\nlines\\u000d\\n\""));
	assert_non_null(strstr(w.text, "\"\\u202egpj.exe\""));
	assert_non_null(strstr(w.text, "\"nul\\u0000inside\""));
	assert_non_null(strstr(w.text, "\"\\udb40\\udc01tag\""));
	free(w.text);
	/* No rows: still JSON, and the checker can tell. */
	w = format(OUTPUT_JSON, 0, two, 2, NULL, 0);
	assert_int_equal(json_check(w.text, w.len), (long)w.len);
	assert_memory_equal(w.text, "{\"rows\": [], \"coverage\": {", 26);
	assert_true(json_check(w.text, w.len - 1) < 0);
	free(w.text);
	w = format(OUTPUT_JSONL, 0, two, 2, rows, HOSTILE);
	for (char *line = w.text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		assert_int_equal(json_check(line, (size_t)(end - line)), end - line);
	free(w.text);
}

static void values_keep_their_types(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d", "flag"};
	const struct query_value row[] = {{.type = QUERY_NULL},
					  {.type = QUERY_INTEGER, .integer = INT64_MIN},
					  {.type = QUERY_REAL, .real = 0.5},
					  {.type = QUERY_REAL, .real = INFINITY},
					  {.type = QUERY_INTEGER, .integer = 1}};
	(void)state;
	struct written w = format(OUTPUT_JSONL, 0, names, 5, row, 1);
	assert_string_equal(w.text, "{\"a\": null, \"b\": -9223372036854775808, \"c\": 0.5, \"d\": null, "
				    "\"flag\": true}\n");
	free(w.text);
	w = format(OUTPUT_CSV, 0, names, 5, row, 1);
	assert_string_equal(w.text, "a,b,c,d,flag\n,-9223372036854775808,0.5,inf,1\n");
	free(w.text);
}

static void csv_quotes_and_defuses(void **state)
{
	struct query_value rows[2 * HOSTILE];
	(void)state;
	make_hostile(rows);
	struct written w = format(OUTPUT_CSV, 0, two, 2, rows, HOSTILE);
	assert_non_null(strstr(w.text, ",\"comma,\"\"quoted\"\"\"\n"));
	assert_non_null(strstr(w.text, ",'=cmd|'/C calc'!A0\n"));
	assert_non_null(strstr(w.text, ",'+1\n"));
	assert_non_null(strstr(w.text, ",'-1\n"));
	assert_non_null(strstr(w.text, ",'@sum\n"));
	assert_non_null(strstr(w.text, ",\" padded \"\n"));
	assert_non_null(strstr(w.text, "n,name\n0,\n1,plain\n"));
	free(w.text);
}

/* Columns on the screen: characters, not bytes. */
static size_t widest_line(const struct written *w)
{
	size_t widest = 0, n = 0;
	for (size_t i = 0; i < w->len; i++) {
		if (w->text[i] == '\n')
			n = 0;
		else if (((uint8_t)w->text[i] & 0xc0) != 0x80 && ++n > widest)
			widest = n;
	}
	return widest;
}

static void table_fits_its_width(void **state)
{
	static const char *const names[] = {"id", "name", "kernel", "age_s", "extra"};
	char longer[65];
	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[64] = '\0';
	const struct query_value row[] = {
	    {.type = QUERY_TEXT, .text = "0123456789abcdef0123456789abcdef", .text_len = 32},
	    {.type = QUERY_TEXT, .text = longer, .text_len = 64},
	    {.type = QUERY_TEXT, .text = longer, .text_len = 64},
	    {.type = QUERY_INTEGER, .integer = 18},
	    {.type = QUERY_TEXT, .text = "only wide", .text_len = 9}};
	struct written w = format(OUTPUT_TABLE, 80, names, 5, row, 1);
	assert_int_equal(widest_line(&w), 80);
	assert_non_null(strstr(w.text, "01234567  x"));
	assert_non_null(strstr(w.text, "18 s\n"));
	assert_non_null(strstr(w.text, "…"));
	assert_null(strstr(w.text, "only wide"));
	free(w.text);
	w = format(OUTPUT_WIDE, 80, names, 5, row, 1);
	assert_non_null(strstr(w.text, "0123456789abcdef0123456789abcdef  xxx"));
	assert_non_null(strstr(w.text, "only wide"));
	assert_null(strstr(w.text, "…"));
	free(w.text);
	w = format(OUTPUT_TABLE, 0, names, 5, row, 1);
	assert_true(widest_line(&w) > 128);
	free(w.text);
	/* Only headings, and never a crash however narrow. */
	w = format(OUTPUT_TABLE, 1, names, 5, NULL, 0);
	assert_string_equal(w.text, "ID  NAME  KERNEL  SEEN\n");
	free(w.text);
}

static void coverage_says_what_is_missing(void **state)
{
	struct query_coverage c = {.as_of = NOW - 3000,
				   .hosts = 6,
				   .up = 5,
				   .dark = 1,
				   .sites = 2,
				   .sites_silent = 1,
				   .silent_sites = {{.name = "ber\033lin", .since = NOW - 18000}}};
	struct coverage_modules modules = {.asked = true, .hosts = {.unsupported = 6, .denied = 1}};
	char *text;
	size_t len;
	(void)state;
	FILE *f = open_memstream(&text, &len);
	coverage_text(f, &c, &modules, NOW);
	fclose(f);
	assert_non_null(strstr(text, "Coverage: 6 hosts (5 up, 1 dark), 2 sites, replica 3 s old\n"));
	assert_non_null(strstr(text, "PARTIAL: site ber\\x1blin silent since "));
	assert_non_null(strstr(text, " (18 s)\n"));
	assert_non_null(strstr(text, "Modules: 6 hosts have a kernel without support"));
	assert_non_null(strstr(text, "Modules: 1 host has a module list that may not be read"));
	free(text);
	/* A count beyond what is listed by name must not read past the list. */
	c.sites_silent = 40;
	struct json j = {0};
	f = open_memstream(&text, &len);
	j.f = f;
	coverage_text(f, &c, NULL, NOW);
	fflush(f);
	assert_non_null(strstr(text, "PARTIAL: 35 more sites silent"));
	size_t start = len;
	coverage_json(&j, NULL, &c, &modules, NOW);
	fclose(f);
	assert_int_equal(json_check(text + start, len - start), (long)(len - start));
	assert_non_null(strstr(text + start, "\"unsupported\": 6"));
	assert_non_null(strstr(text + start, "\"silent_s\": 18"));
	free(text);
}

/* No age, rather than that of the year 1970. */
static void a_replica_without_a_commit_has_no_age(void **state)
{
	struct query_coverage c = {.self = "00", .stale = true};
	struct json j = {.f = NULL};
	char *text = NULL;
	size_t len = 0;
	(void)state;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	coverage_text(f, &c, NULL, NOW);
	j.f = f;
	json_begin_object(&j, NULL);
	coverage_json(&j, "coverage", &c, NULL, NOW);
	json_end_object(&j);
	fclose(f);
	assert_non_null(strstr(text, "nothing committed yet\nPARTIAL: the replica is new"));
	assert_null(strstr(text, " old"));
	assert_non_null(strstr(text, "\"as_of_ms\": null, \"age_s\": null"));
	free(text);
}

static void ages_have_units(void **state)
{
	char text[SHOWN_BYTES];
	(void)state;
	static const struct {
		uint64_t s;
		const char *shown;
	} cases[] = {{0, "0 s"},    {119, "119 s"},   {120, "2 min"},  {7199, "119 min"},
		     {7200, "2 h"}, {172799, "47 h"}, {172800, "2 d"}, {UINT64_MAX, "213503982334601 d"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		shown_age(cases[i].s, text);
		assert_string_equal(text, cases[i].shown);
	}
	shown_time(UINT64_MAX, NOW, text);
	assert_true(strlen(text) < SHOWN_BYTES);
	shown_time(0, NOW, text);
	assert_string_equal(text, "unknown");
	assert_int_equal(shown_seconds(NOW + 5000, NOW), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hostile_text_is_harmless),
	    cmocka_unit_test(json_is_json),
	    cmocka_unit_test(values_keep_their_types),
	    cmocka_unit_test(csv_quotes_and_defuses),
	    cmocka_unit_test(table_fits_its_width),
	    cmocka_unit_test(coverage_says_what_is_missing),
	    cmocka_unit_test(ages_have_units),
	    cmocka_unit_test(a_replica_without_a_commit_has_no_age),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
