/* What a client of the control socket sends, as it comes: frames one after another, in parts of any size. Cut
 * anywhere it says the same requests. Mode 1: the input is one request's map, framed here. */
#include <string.h>

#include "base/check.h"
#include "node/control_request.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

static void check_request(const struct control_request *r)
{
	CHECK(r->argument_count <= CONTROL_ARGUMENTS);
	CHECK(memchr(r->verb, '\0', sizeof(r->verb)) != NULL);
	for (size_t i = 0; i < CONTROL_ARGUMENTS; i++) {
		CHECK(memchr(r->arguments[i], '\0', sizeof(r->arguments[i])) != NULL);
		CHECK(i < r->argument_count || r->arguments[i][0] == '\0');
	}
}

/* Whole frames at the start; what ends them. */
static enum control_frame read_all(const uint8_t *data, size_t len, size_t *ret_used, size_t *ret_requests)
{
	struct control_request r;
	size_t at = 0, used = 0;
	*ret_requests = 0;
	for (;;) {
		enum control_frame frame = control_frame_read(data + at, len - at, &r, &used);
		*ret_used = at;
		if (frame == CONTROL_FRAME_PART || frame == CONTROL_FRAME_TOO_LONG)
			return frame;
		CHECK(used >= CONTROL_FRAME_BYTES && used <= len - at);
		if (frame == CONTROL_FRAME_REQUEST) {
			check_request(&r);
			++*ret_requests;
		}
		at += used;
	}
}

static void read_in_two(const uint8_t *data, size_t len, size_t cut)
{
	size_t used, first, rest, whole, requests, more;
	enum control_frame end = read_all(data, len, &used, &whole);
	enum control_frame before = read_all(data, cut, &first, &requests);
	CHECK(first <= used && requests <= whole);
	if (before == CONTROL_FRAME_TOO_LONG) {
		CHECK(end == CONTROL_FRAME_TOO_LONG && first == used);
		return;
	}
	CHECK(read_all(data + first, len - first, &rest, &more) == end);
	CHECK(first + rest == used && requests + more == whole);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	return len > 1 && data[0] % 2 == FUZZ_PUT_RIGHT ? 1 : len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static uint8_t framed[CONTROL_FRAME_BYTES + FUZZ_INPUT_BYTES];
	if (len < 2 || len > FUZZ_INPUT_BYTES)
		return 0;
	if (data[0] % 2 == FUZZ_AS_IS) {
		read_in_two(data + 2, len - 2, data[1] % (len - 1));
		return 0;
	}
	len--;
	memcpy(framed, (const uint8_t[]){0, 0, (uint8_t)(len >> 8), (uint8_t)len}, CONTROL_FRAME_BYTES);
	memcpy(framed + CONTROL_FRAME_BYTES, data + 1, len);
	read_in_two(framed, CONTROL_FRAME_BYTES + len, len / 2);
	return 0;
}
