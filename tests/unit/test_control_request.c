/* What clients of the control socket send: whole, in parts, too long, and what is no request. */
#include <string.h>

#include "base/mp.h"
#include "node/control_request.h"
#include "tests/unit/scratch.h"

struct bytes {
	uint8_t data[LIMIT_CONTROL_REQUEST_BYTES + 64];
	size_t len;
};

static void frame(struct bytes *b, size_t len)
{
	const uint8_t head[] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};
	memcpy(b->data, head, sizeof(head));
	b->len = CONTROL_FRAME_BYTES + len;
}

static struct bytes request(const char *verb, const char *const *arguments, size_t count)
{
	struct bytes b;
	struct mp_writer w;
	mp_writer_init(&w, b.data + CONTROL_FRAME_BYTES, sizeof(b.data) - CONTROL_FRAME_BYTES);
	mp_put_map(&w, 2);
	mp_put_u64(&w, CONTROL_KEY_VERB);
	mp_put_str(&w, verb);
	mp_put_u64(&w, CONTROL_KEY_ARGUMENTS);
	mp_put_array(&w, count);
	for (size_t i = 0; i < count; i++)
		mp_put_str(&w, arguments[i]);
	assert_false(w.failed);
	frame(&b, w.len);
	return b;
}

static void a_request_is_read_and_what_follows_left(void **state)
{
	static const char *const words[] = {"cut", "leeds"};
	struct bytes b = request("drill", words, 2);
	struct control_request r;
	size_t used = 0;
	(void)state;
	memset(b.data + b.len, 0xff, 10);
	assert_int_equal(control_frame_read(b.data, b.len + 10, &r, &used), CONTROL_FRAME_REQUEST);
	assert_int_equal(used, b.len);
	assert_string_equal(r.verb, "drill");
	assert_int_equal(r.argument_count, 2);
	assert_string_equal(r.arguments[0], "cut");
	assert_string_equal(r.arguments[1], "leeds");
	assert_string_equal(r.arguments[2], "");
	/* No arguments at all are none. */
	static const uint8_t bare[] = {0, 0, 0, 4, 0x81, 1, 0xa1, 'x'};
	assert_int_equal(control_frame_read(bare, sizeof(bare), &r, &used), CONTROL_FRAME_REQUEST);
	assert_int_equal(r.argument_count, 0);
}

static void a_part_waits_for_the_rest(void **state)
{
	struct bytes b = request("status", NULL, 0);
	struct control_request r, before;
	size_t used = 77;
	(void)state;
	memset(&r, 0x5a, sizeof(r));
	before = r;
	for (size_t len = 0; len < b.len; len++)
		assert_int_equal(control_frame_read(b.data, len, &r, &used), CONTROL_FRAME_PART);
	assert_int_equal(used, 77);
	assert_memory_equal(&r, &before, sizeof(r));
}

static void the_length_alone_tells_what_is_too_long(void **state)
{
	struct control_request r;
	size_t used = 77;
	(void)state;
	const uint8_t over[] = {0, 0, (LIMIT_CONTROL_REQUEST_BYTES + 1) >> 8,
				(uint8_t)(LIMIT_CONTROL_REQUEST_BYTES + 1)};
	const uint8_t most[] = {0, 0, LIMIT_CONTROL_REQUEST_BYTES >> 8, (uint8_t)LIMIT_CONTROL_REQUEST_BYTES};
	assert_int_equal(control_frame_read(over, 4, &r, &used), CONTROL_FRAME_TOO_LONG);
	assert_int_equal(control_frame_read((const uint8_t *)"\xff\xff\xff\xff", 4, &r, &used),
			 CONTROL_FRAME_TOO_LONG);
	assert_int_equal(control_frame_read(most, 4, &r, &used), CONTROL_FRAME_PART);
	assert_int_equal(used, 77);
}

static void malformed(struct bytes b)
{
	struct control_request r, before;
	size_t used = 0;
	memset(&r, 0x5a, sizeof(r));
	before = r;
	assert_int_equal(control_frame_read(b.data, b.len, &r, &used), CONTROL_FRAME_MALFORMED);
	assert_int_equal(used, b.len);
	assert_memory_equal(&r, &before, sizeof(r));
}

static void what_is_no_request_is_malformed(void **state)
{
	static const char *const five[] = {"a", "b", "c", "d", "e"};
	static char long_verb[32 + 1], longest[CONTROL_ARGUMENT_BYTES], longer[CONTROL_ARGUMENT_BYTES + 1];
	const char *most[] = {longest};
	const char *over[] = {longer};
	struct control_request r;
	size_t used;
	struct bytes b;
	(void)state;
	memset(long_verb, 'v', sizeof(long_verb) - 1);
	memset(longest, 'a', sizeof(longest) - 1);
	memset(longer, 'a', sizeof(longer) - 1);
	b = request("log", most, 1);
	assert_int_equal(control_frame_read(b.data, b.len, &r, &used), CONTROL_FRAME_REQUEST);
	assert_string_equal(r.arguments[0], longest);
	malformed(request("log", over, 1));
	malformed(request("x", five, 5));
	malformed(request(long_verb, NULL, 0));
	/* Empty; no map; no verb; a verb that is a number; an argument that is one; more than its length. */
	static const struct {
		size_t len;
		const char *data;
	} other[] = {{0, ""},
		     {1, "\xc0"},
		     {1, "\x80"},
		     {3, "\x81\x01\x07"},
		     {7, "\x82\x01\xa1x\x02\x91\x07"},
		     {5, "\x81\x01\xa1xx"},
		     {5, "\xdd\xff\x00\x00\x00"}};
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		memcpy(b.data + CONTROL_FRAME_BYTES, other[i].data, other[i].len);
		frame(&b, other[i].len);
		malformed(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_request_is_read_and_what_follows_left),
	    cmocka_unit_test(a_part_waits_for_the_rest),
	    cmocka_unit_test(the_length_alone_tells_what_is_too_long),
	    cmocka_unit_test(what_is_no_request_is_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
