#include "base/mp.h"

#include <string.h>

#include "base/limits.h"
#include "base/prng.h"
#include "tests/unit/scratch.h"

/* A string literal may hold zero bytes: its length comes from the array. */
#define BYTES(literal) ((const uint8_t *)(literal)), sizeof(literal) - 1

struct sample {
	const uint8_t *data;
	size_t len;
};

#define SAMPLE(literal)                                                                                      \
	{                                                                                                    \
		BYTES(literal)                                                                               \
	}

static void check_all(const struct sample *samples, size_t count, enum err want)
{
	for (size_t i = 0; i < count; i++) {
		enum err got = mp_check(samples[i].data, samples[i].len);
		if (got != want)
			fail_msg("sample %zu: %s instead of %s", i, err_name(got), err_name(want));
	}
}

static void canonical_forms_pass(void **state)
{
	(void)state;
	static const struct sample samples[] = {
	    SAMPLE("\x00"),
	    SAMPLE("\x7f"),
	    SAMPLE("\xcc\x80"),
	    SAMPLE("\xcc\xff"),
	    SAMPLE("\xcd\x01\x00"),
	    SAMPLE("\xce\x00\x01\x00\x00"),
	    SAMPLE("\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
	    SAMPLE("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
	    SAMPLE("\xff"),
	    SAMPLE("\xe0"),
	    SAMPLE("\xd0\xdf"),
	    SAMPLE("\xd0\x80"),
	    SAMPLE("\xd1\xff\x7f"),
	    SAMPLE("\xd2\xff\xff\x7f\xff"),
	    SAMPLE("\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"),
	    SAMPLE("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
	    SAMPLE("\xc0"),
	    SAMPLE("\xc2"),
	    SAMPLE("\xc3"),
	    SAMPLE("\xa0"),
	    SAMPLE("\xa3"
		   "abc"),
	    SAMPLE("\xc4\x00"),
	    SAMPLE("\xc4\x02\x00\x01"),
	    SAMPLE("\x90"),
	    SAMPLE("\x80"),
	    SAMPLE("\x93\x01\xa1x\xc3"),
	    SAMPLE("\x83\x00\x01\x05\x80\xcc\x80\x90"),
	    SAMPLE("\x82\x00\xc0\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0"),
	};
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_OK);
}

static void other_forms_are_refused(void **state)
{
	(void)state;
	static const struct sample samples[] = {
	    /* integers longer than need be */
	    SAMPLE("\xcc\x7f"),
	    SAMPLE("\xcd\x00\xff"),
	    SAMPLE("\xce\x00\x00\xff\xff"),
	    SAMPLE("\xcf\x00\x00\x00\x00\xff\xff\xff\xff"),
	    SAMPLE("\xd0\xe0"),
	    SAMPLE("\xd0\xff"),
	    SAMPLE("\xd1\xff\x80"),
	    SAMPLE("\xd2\xff\xff\x80\x00"),
	    SAMPLE("\xd3\xff\xff\xff\xff\x80\x00\x00\x00"),
	    /* signed forms of what is not negative */
	    SAMPLE("\xd0\x00"),
	    SAMPLE("\xd0\x7f"),
	    SAMPLE("\xd1\x01\x00"),
	    SAMPLE("\xd2\x7f\xff\xff\xff"),
	    SAMPLE("\xd3\x00\x00\x00\x01\x00\x00\x00\x00"),
	    /* lengths and counts longer than need be */
	    SAMPLE("\xd9\x01x"),
	    SAMPLE("\xda\x00\x01x"),
	    SAMPLE("\xdb\x00\x00\x00\x01x"),
	    SAMPLE("\xc5\x00\x01x"),
	    SAMPLE("\xc6\x00\x00\x00\x01x"),
	    SAMPLE("\xdc\x00\x01\x01"),
	    SAMPLE("\xdd\x00\x00\x00\x01\x01"),
	    SAMPLE("\xde\x00\x01\x01\x01"),
	    SAMPLE("\xdf\x00\x00\x00\x01\x01\x01"),
	    /* floats, extension types, the byte that is never used */
	    SAMPLE("\xca\x00\x00\x00\x00"),
	    SAMPLE("\xcb\x00\x00\x00\x00\x00\x00\x00\x00"),
	    SAMPLE("\xd4\x01\x00"),
	    SAMPLE("\xd5\x01\x00\x00"),
	    SAMPLE("\xd6\xff\x00\x00\x00\x00"),
	    SAMPLE("\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00"),
	    SAMPLE("\xd8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	    SAMPLE("\xc7\x00\x01"),
	    SAMPLE("\xc8\x00\x00\x01"),
	    SAMPLE("\xc9\x00\x00\x00\x00\x01"),
	    SAMPLE("\xc1"),
	    SAMPLE("\x91\xca\x00\x00\x00\x00"),
	};
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_FORMAT);
}

static void keys_ascend(void **state)
{
	(void)state;
	static const struct sample samples[] = {
	    SAMPLE("\x82\x01\xc0\x01\xc0"),         /* twice */
	    SAMPLE("\x82\x02\xc0\x01\xc0"),         /* falling */
	    SAMPLE("\x83\x00\xc0\x05\xc0\x04\xc0"), /* falling later */
	    SAMPLE("\x82\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0\x00\xc0"),
	    SAMPLE("\x82\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc0"),
	    SAMPLE("\x81\xff\xc0"),                         /* negative */
	    SAMPLE("\x81\xa1x\xc0"),                        /* text */
	    SAMPLE("\x81\xc0\xc0"),                         /* nil */
	    SAMPLE("\x81\x90\xc0"),                         /* array */
	    SAMPLE("\x81\x80\xc0"),                         /* map */
	    SAMPLE("\x82\x01\x82\x05\xc0\x04\xc0\x02\xc0"), /* falling inside */
	};
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_FORMAT);
	/* A map inside starts anew, and the outer one goes on where it was. */
	assert_int_equal(mp_check(BYTES("\x82\x03\x81\x00\xc0\x04\xc0")), ERR_OK);
	assert_int_equal(mp_check(BYTES("\x82\x03\x81\x09\xc0\x03\xc0")), ERR_FORMAT);
}

static void bombs_cost_nothing(void **state)
{
	(void)state;
	static const struct sample samples[] = {
	    SAMPLE("\xdd\xff\x00\x00\x00"),
	    SAMPLE("\xdf\xff\x00\x00\x00"),
	    SAMPLE("\xdd\xff\xff\xff\xff\x00"),
	    SAMPLE("\xc6\xff\xff\xff\xff"),
	    SAMPLE("\xdb\xff\xff\xff\xff"),
	    SAMPLE("\x91\xdd\xff\x00\x00\x00"),
	    SAMPLE("\x82\x00\xc0"),
	    SAMPLE(""),
	};
	struct mp_doc doc;
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_SHORT);
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		assert_int_equal(mp_open(&doc, samples[i].data, samples[i].len), ERR_SHORT);
		mp_close(&doc);
	}
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	uint8_t deep[100];
	struct mp_doc doc;
	/* `n` arrays in each other. */
	for (size_t n = 1; n < 64; n++) {
		memset(deep, 0x91, n - 1);
		deep[n - 1] = 0x90;
		assert_int_equal(mp_check(deep, n), n <= LIMIT_MSGPACK_DEPTH ? ERR_OK : ERR_FORMAT);
		deep[n] = 0x01;
		deep[n - 1] = 0x91;
		assert_int_equal(mp_open(&doc, deep, n + 1), n <= LIMIT_MSGPACK_DEPTH ? ERR_OK : ERR_FORMAT);
		mp_close(&doc);
	}
	/* Width is not depth. */
	memset(deep, 0x90, sizeof(deep));
	memcpy(deep, "\xdc\x00\x61", 3);
	assert_int_equal(mp_check(deep, sizeof(deep)), ERR_OK);
}

static size_t write_sample(uint8_t *data, size_t cap)
{
	struct mp_writer w;
	mp_writer_init(&w, data, cap);
	mp_put_map(&w, 7);
	mp_put_u64(&w, 0);
	mp_put_str(&w, "till-0042");
	mp_put_u64(&w, 1);
	mp_put_bin(&w, "\x00\x01\x02\x03", 4);
	mp_put_u64(&w, 2);
	mp_put_i64(&w, -40000);
	mp_put_u64(&w, 5);
	mp_put_bool(&w, true);
	mp_put_u64(&w, 6);
	mp_put_array(&w, 3);
	mp_put_u64(&w, 70000);
	mp_put_i64(&w, 300);
	mp_put_raw(&w, "\x81\x09\xc2", 3);
	mp_put_u64(&w, 300);
	mp_put_u64(&w, UINT64_MAX);
	mp_put_u64(&w, 301);
	mp_put_str(&w, "");
	return w.failed ? 0 : w.len;
}

static void truncation_is_short(void **state)
{
	(void)state;
	uint8_t data[128];
	size_t used = 4711, len = write_sample(data, sizeof(data));
	assert_true(len > 0);
	assert_int_equal(mp_check(data, len), ERR_OK);
	for (size_t cut = 0; cut < len; cut++) {
		assert_int_equal(mp_check(data, cut), ERR_SHORT);
		assert_int_equal(mp_check_prefix(data, cut, &used), ERR_SHORT);
		assert_int_equal(used, 4711);
	}
	data[len] = 0xc1;
	assert_int_equal(mp_check(data, len + 1), ERR_TRAILING);
	assert_int_equal(mp_check_prefix(data, len + 1, &used), ERR_OK);
	assert_int_equal(used, len);
}

static void values_come_back(void **state)
{
	(void)state;
	uint8_t data[128], bin[4];
	char text[10];
	uint64_t u = 7;
	int64_t i = 7;
	bool b = false;
	const uint8_t *ref;
	size_t ref_len, len = write_sample(data, sizeof(data));
	struct mp_doc doc;
	assert_int_equal(mp_open(&doc, data, len), ERR_OK);
	const msgpack_object *root = mp_root(&doc), *list = mp_get(root, 6);
	assert_true(mp_str(mp_get(root, 0), text, sizeof(text)));
	assert_string_equal(text, "till-0042");
	assert_true(mp_bin(mp_get(root, 1), bin, 4));
	assert_memory_equal(bin, "\0\1\2\3", 4);
	assert_true(mp_i64(mp_get(root, 2), &i) && i == -40000);
	assert_true(mp_bool(mp_get(root, 5), &b) && b);
	assert_int_equal(mp_count(list), 3);
	assert_true(mp_u64(mp_at(list, 0), 70000, &u) && u == 70000);
	assert_true(mp_i64(mp_at(list, 1), &i) && i == 300);
	assert_true(mp_bool(mp_get(mp_at(list, 2), 9), &b) && !b);
	assert_true(mp_u64(mp_get(root, 300), UINT64_MAX, &u) && u == UINT64_MAX);
	assert_true(mp_str(mp_get(root, 301), text, 1));
	assert_string_equal(text, "");
	/* By reference: the strings are those in `data`. */
	assert_true(mp_bin_ref(mp_get(root, 1), &ref, &ref_len));
	assert_true(ref > data && ref + ref_len < data + len);
	assert_memory_equal(ref, "\0\1\2\3", 4);
	const char *at = mp_get(root, 0)->via.str.ptr;
	assert_true((const uint8_t *)at > data && (const uint8_t *)at < data + len);
	mp_close(&doc);
	mp_close(&doc);
	mp_close(NULL);
}

static void wrong_types_leave_outputs(void **state)
{
	(void)state;
	uint8_t data[128], bin[5] = "bbbb";
	char text[10] = "before";
	uint64_t u = 7;
	int64_t i = 7;
	bool b = true;
	const uint8_t *ref = data;
	size_t ref_len = 7;
	struct mp_doc doc;
	assert_int_equal(mp_open(&doc, data, write_sample(data, sizeof(data))), ERR_OK);
	const msgpack_object *root = mp_root(&doc), *list = mp_get(root, 6);
	assert_null(mp_get(root, 3));
	assert_null(mp_get(NULL, 0));
	assert_null(mp_get(list, 0));
	assert_null(mp_at(list, 3));
	assert_null(mp_at(root, 0));
	assert_null(mp_at(NULL, 0));
	assert_int_equal(mp_count(NULL), 0);
	assert_int_equal(mp_count(root), 0);
	assert_false(mp_u64(NULL, 9, &u));
	assert_false(mp_u64(mp_get(root, 0), UINT64_MAX, &u));
	assert_false(mp_u64(mp_get(root, 2), UINT64_MAX, &u));
	assert_false(mp_u64(mp_at(list, 0), 69999, &u));
	assert_false(mp_i64(NULL, &i));
	assert_false(mp_i64(mp_get(root, 300), &i));
	assert_false(mp_bool(NULL, &b));
	assert_false(mp_bool(mp_get(root, 0), &b));
	assert_false(mp_str(NULL, text, sizeof(text)));
	assert_false(mp_str(mp_get(root, 1), text, sizeof(text)));
	assert_false(mp_str(mp_get(root, 0), text, 9));
	assert_false(mp_bin(mp_get(root, 1), bin, 3));
	assert_false(mp_bin(mp_get(root, 1), bin, 5));
	assert_false(mp_bin(mp_get(root, 0), bin, 4));
	assert_false(mp_bin_ref(mp_get(root, 0), &ref, &ref_len));
	assert_true(u == 7 && i == 7 && b && ref == data && ref_len == 7);
	assert_string_equal(text, "before");
	assert_memory_equal(bin, "bbbb", 5);
	mp_close(&doc);
	/* A zero byte would hide the rest of a string. */
	assert_int_equal(mp_open(&doc, BYTES("\xa3"
					     "a\0b")),
			 ERR_OK);
	assert_false(mp_str(mp_root(&doc), text, sizeof(text)));
	mp_close(&doc);
}

static void writer_is_canonical(void **state)
{
	(void)state;
	uint8_t data[16];
	struct mp_writer w;
	for (unsigned shift = 0; shift < 64; shift++) {
		for (uint64_t d = 0; d <= 2; d++) {
			uint64_t v = ((uint64_t)1 << shift) - 1 + d;
			mp_writer_init(&w, data, sizeof(data));
			mp_put_u64(&w, v);
			assert_int_equal(mp_check(data, w.len), ERR_OK);
			mp_writer_init(&w, data, sizeof(data));
			mp_put_i64(&w, (int64_t)v);
			assert_int_equal(mp_check(data, w.len), ERR_OK);
			mp_writer_init(&w, data, sizeof(data));
			mp_put_i64(&w, (int64_t)(0 - v));
			assert_int_equal(mp_check(data, w.len), ERR_OK);
		}
	}
	static uint8_t big[70000], filler[66000];
	static const size_t lengths[] = {0, 15, 16, 31, 32, 255, 256, 65535, 65536};
	memset(filler, 'f', sizeof(filler));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		mp_writer_init(&w, big, sizeof(big));
		mp_put_bin(&w, filler, lengths[i]);
		assert_int_equal(mp_check(big, w.len), ERR_OK);
		mp_writer_init(&w, big, sizeof(big));
		filler[lengths[i]] = '\0';
		mp_put_str(&w, (const char *)filler);
		filler[lengths[i]] = 'f';
		assert_int_equal(mp_check(big, w.len), ERR_OK);
		mp_writer_init(&w, big, sizeof(big));
		mp_put_array(&w, lengths[i]);
		for (size_t n = 0; n < lengths[i]; n++)
			mp_put_bool(&w, false);
		assert_int_equal(mp_check(big, w.len), ERR_OK);
	}
}

static void writer_fails_once_for_all(void **state)
{
	(void)state;
	uint8_t data[128];
	size_t len = write_sample(data, sizeof(data));
	for (size_t cap = 0; cap < len; cap++) {
		uint8_t small[128];
		memset(small, 0xee, sizeof(small));
		assert_int_equal(write_sample(small, cap), 0);
		assert_int_equal(small[cap], 0xee);
	}
	assert_int_equal(write_sample(data, len), len);
	struct mp_writer w;
	mp_writer_init(&w, data, sizeof(data));
	mp_put_array(&w, SIZE_MAX);
	assert_true(w.failed);
	mp_put_u64(&w, 1);
	assert_int_equal(w.len, 0);
}

/* What the pre-scan lets through, msgpack-c must take; under sanitizers this is a small fuzzer. */
static void random_bytes_agree(void **state)
{
	(void)state;
	struct prng p;
	unsigned taken = 0;
	prng_seed(&p, 10000);
	for (int round = 0; round < 200000; round++) {
		uint8_t data[128];
		struct mp_doc doc;
		size_t len = write_sample(data, sizeof(data));
		if (round % 2 == 0)
			len = (size_t)prng_below(&p, 12);
		for (uint64_t n = round % 2 == 0 ? len : 1 + prng_below(&p, 3); n > 0; n--)
			data[prng_below(&p, len)] = (uint8_t)prng_u64(&p);
		if (mp_open(&doc, data, len) == ERR_OK)
			taken++;
		mp_close(&doc);
	}
	assert_in_range(taken, 10000, 190000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(canonical_forms_pass), cmocka_unit_test(other_forms_are_refused),
	    cmocka_unit_test(keys_ascend),          cmocka_unit_test(bombs_cost_nothing),
	    cmocka_unit_test(nesting_is_bounded),   cmocka_unit_test(truncation_is_short),
	    cmocka_unit_test(values_come_back),     cmocka_unit_test(wrong_types_leave_outputs),
	    cmocka_unit_test(writer_is_canonical),  cmocka_unit_test(writer_fails_once_for_all),
	    cmocka_unit_test(random_bytes_agree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
