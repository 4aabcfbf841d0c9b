/* Errors, cursors, log, queue, random numbers, names of readings. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/log.h"
#include "base/prng.h"
#include "base/reading.h"
#include "tests/unit/scratch.h"

static void err_table_is_whole(void **state)
{
	(void)state;
	for (unsigned a = 0; a < ERR_COUNT; a++) {
		assert_true(strlen(err_name((enum err)a)) > 0);
		assert_true(strlen(err_text((enum err)a)) > 0);
		for (unsigned b = 0; b < a; b++)
			assert_string_not_equal(err_name((enum err)a), err_name((enum err)b));
	}
	assert_string_equal(err_text((enum err)ERR_COUNT), "unknown error");
	assert_string_equal(err_text((enum err)9999), "unknown error");
	assert_string_equal(err_name((enum err)9999), "unknown");
}

static void err_set_fills_and_cuts(void **state)
{
	(void)state;
	struct err_info info;
	char long_text[2 * ERR_TEXT_BYTES];
	assert_int_equal(err_set(NULL, ERR_IO, "nobody reads %d", 1), ERR_IO);
	assert_int_equal(err_set(&info, ERR_RANGE, "port %d is out of range", 70000), ERR_RANGE);
	assert_int_equal(info.code, ERR_RANGE);
	assert_string_equal(info.text, "port 70000 is out of range");
	/* Context around a message of the same info. */
	assert_int_equal(err_set(&info, info.code, "configuration: %s", info.text), ERR_RANGE);
	assert_string_equal(info.text, "configuration: port 70000 is out of range");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&info, ERR_ARG, "%s", long_text);
	assert_int_equal(strlen(info.text), ERR_TEXT_BYTES - 1);
	/* A character that would be cut in half is left out: 510 bytes, then three of a euro sign. */
	strcpy(long_text + ERR_TEXT_BYTES - 2, "\xe2\x82\xac");
	err_set(&info, ERR_ARG, "%s", long_text);
	assert_int_equal(strlen(info.text), ERR_TEXT_BYTES - 2);
}

/* Names in it come from other hosts, from tokens, from file systems. */
static void err_set_is_safe_for_a_terminal(void **state)
{
	(void)state;
	struct err_info info;
	err_set(&info, ERR_REVOKED, "issuer \"%s\" was revoked", "roll\033[2J\nout\xe2\x80\xae");
	assert_string_equal(info.text, "issuer \"roll\\x1b[2J\\x0aout\\u{202e}\" was revoked");
	err_set(&info, info.code, "token: %s", info.text);
	assert_string_equal(info.text, "token: issuer \"roll\\x1b[2J\\x0aout\\u{202e}\" was revoked");
}

static void cursor_round_trip(void **state)
{
	(void)state;
	uint8_t buffer[24], copy[3];
	struct writer w = writer_of(buffer, sizeof(buffer));
	writer_u8(&w, 0x01);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_u64(&w, 0x08090a0b0c0d0e0f);
	writer_bytes(&w, "abc", 3);
	writer_zeros(&w, 2);
	assert_false(w.failed);
	assert_int_equal(w.len, 20);
	assert_int_equal(writer_left(&w), 4);
	for (uint8_t i = 0; i < 15; i++)
		assert_int_equal(buffer[i], i + 1);
	struct reader r = reader_of(buffer, w.len);
	assert_int_equal(reader_u8(&r), 0x01);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == 0x08090a0b0c0d0e0f);
	reader_copy(&r, copy, 3);
	assert_memory_equal(copy, "abc", 3);
	assert_false(reader_done(&r));
	assert_ptr_equal(reader_bytes(&r, 2), buffer + 18);
	assert_true(reader_done(&r));
}

static void cursor_errors_stick(void **state)
{
	(void)state;
	uint8_t bytes[] = {1, 2, 3}, copy[4] = {9, 9, 9, 9};
	struct reader r = reader_of(bytes, sizeof(bytes));
	assert_int_equal(reader_u32(&r), 0);
	assert_true(r.failed);
	assert_int_equal(reader_u8(&r), 0);
	assert_null(reader_bytes(&r, 0));
	assert_int_equal(reader_left(&r), 0);
	assert_false(reader_done(&r));
	reader_copy(&r, copy, sizeof(copy));
	assert_memory_equal(copy, "\0\0\0\0", 4);
	r = reader_of(bytes, sizeof(bytes));
	assert_null(reader_bytes(&r, SIZE_MAX));
	r = reader_of(NULL, 0);
	assert_true(reader_done(&r));
	assert_non_null(reader_bytes(&r, 0));

	struct writer w = writer_of(bytes, sizeof(bytes));
	writer_u16(&w, 0x0a0b);
	writer_u16(&w, 0x0c0d);
	assert_true(w.failed);
	writer_u8(&w, 7);
	writer_zeros(&w, SIZE_MAX);
	assert_int_equal(w.len, 2);
	assert_int_equal(bytes[2], 3);
	assert_int_equal(writer_left(&w), 0);
}

struct lines {
	int count;
	enum log_level level;
	char last[2048];
};

static void keep_line(void *context, enum log_level level, const char *line)
{
	struct lines *lines = context;
	lines->count++;
	lines->level = level;
	snprintf(lines->last, sizeof(lines->last), "%s", line);
}

static void log_filters_and_escapes(void **state)
{
	(void)state;
	struct lines lines = {0};
	struct log log = {.level = LOG_INFO, .write = keep_line, .context = &lines};
	log_line(NULL, LOG_ERROR, "dropped");
	log_line(&log, LOG_DEBUG, "dropped");
	assert_int_equal(lines.count, 0);
	log_line(&log, LOG_WARN, "from %s", "\x1b[2Jhost\n2026 forged line");
	assert_int_equal(lines.count, 1);
	assert_int_equal(lines.level, LOG_WARN);
	assert_string_equal(lines.last, "from \\x1b[2Jhost\\x0a2026 forged line");
	log_line(&log, LOG_INFO, "%02000d", 7);
	assert_int_equal(strlen(lines.last), 1023);
	assert_string_equal(log_level_name(LOG_ERROR), "error");
	assert_string_equal(log_level_name(LOG_WARN), "warning");
	assert_string_equal(log_level_name(LOG_INFO), "info");
	assert_string_equal(log_level_name(LOG_DEBUG), "debug");
}

static void prng_is_the_published_one(void **state)
{
	(void)state;
	struct prng p, q;
	/* First outputs of xoshiro256** from the state 1, 2, 3, 4, as in the authors' C. */
	static const uint64_t known[] = {11520, 0, 1509978240, 1215971899390074240};
	p = (struct prng){{1, 2, 3, 4}};
	for (size_t i = 0; i < 4; i++)
		assert_true(prng_u64(&p) == known[i]);
	/* splitmix64 from 0. */
	prng_seed(&p, 0);
	assert_true(p.s[0] == 0xe220a8397b1dcdaf && p.s[1] == 0x6e789e6aa1b965f4);
	prng_seed(&p, 42);
	prng_seed(&q, 42);
	for (int i = 0; i < 100; i++)
		assert_true(prng_u64(&p) == prng_u64(&q));
	prng_seed(&q, 43);
	assert_true(prng_u64(&p) != prng_u64(&q));
}

static void prng_is_even(void **state)
{
	(void)state;
	struct prng p;
	int count[6] = {0}, hits = 0;
	double sum = 0;
	prng_seed(&p, 10000);
	assert_true(prng_below(&p, 0) == 0 && prng_below(&p, 1) == 0);
	for (int i = 0; i < 60000; i++) {
		count[prng_below(&p, 6)]++;
		double u = prng_unit(&p);
		assert_true(u >= 0 && u < 1);
		sum += u;
		hits += prng_chance(&p, 0.25);
		assert_true(prng_chance(&p, 1.0) && !prng_chance(&p, 0.0));
	}
	for (int i = 0; i < 6; i++)
		assert_in_range(count[i], 9600, 10400);
	assert_true(sum > 29500 && sum < 30500);
	assert_in_range(hits, 14500, 15500);
	for (int i = 0; i < 1000; i++)
		assert_true(prng_below(&p, UINT64_MAX) < UINT64_MAX);
}

static void names_of_readings(void **state)
{
	(void)state;
	static const char *const names[] = {"unknown", "ok", "absent", "denied", "unsupported", "failed"};
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(reading_status_name((enum reading_status)i), names[i]);
	assert_string_equal(reading_status_name((enum reading_status)99), "unknown");
}

static int breach(void *context)
{
	(void)context;
	if (freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	CHECK(1 + 1 == 3);
	return 0;
}

static int soft_breach(void *context)
{
	(void)context;
	if (freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	return CHECK_SOFT(1 + 1 == 3) ? 2 : 0;
}

static void checks_abort(void **state)
{
	(void)state;
	CHECK(1 + 1 == 2);
	CHECK_DEBUG(1 + 1 == 2);
	assert_true(CHECK_SOFT(1 + 1 == 2));
	assert_int_equal(scratch_in_child(breach, NULL), -6 /* SIGABRT */);
#ifdef MESH_STRICT
	assert_int_equal(scratch_in_child(soft_breach, NULL), -6);
#else
	assert_int_equal(scratch_in_child(soft_breach, NULL), 0);
#endif
}

static void days_are_whole(void **state)
{
	(void)state;
	assert_int_equal(clock_day(0), 0);
	assert_int_equal(clock_day(CLOCK_DAY_MS - 1), 0);
	assert_int_equal(clock_day(19923 * CLOCK_DAY_MS), 19923);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(err_table_is_whole),
	    cmocka_unit_test(err_set_fills_and_cuts),
	    cmocka_unit_test(err_set_is_safe_for_a_terminal),
	    cmocka_unit_test(cursor_round_trip),
	    cmocka_unit_test(cursor_errors_stick),
	    cmocka_unit_test(log_filters_and_escapes),
	    cmocka_unit_test(prng_is_the_published_one),
	    cmocka_unit_test(prng_is_even),
	    cmocka_unit_test(names_of_readings),
	    cmocka_unit_test(checks_abort),
	    cmocka_unit_test(days_are_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
